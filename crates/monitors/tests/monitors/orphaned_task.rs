//! Orphaned tasks: left by a crash or a halt, and taken up in time or not.

use fleetsim_engine::{Fact, MINUTE};
use fleetsim_monitors::MonitorConfig;

use crate::mutations::Fixture;
use crate::support::{Run, id};

const KIND: &str = "orphaned-task";

fn claimed(task: u64) -> Fact<'static> {
    Fact::TaskClaimed { task, fence: 0 }
}

fn left() -> Run {
    let mut run = Run::default();
    run.at(0, "coder-1", [claimed(7)]).crash(60, "coder-1");
    run
}

/// The task of one that crashed is taken up after ten minutes.
fn taken_up() -> Run {
    let mut run = left();
    run.at(600, "coder-2", [claimed(7)]);
    run.at(5000, "coder-2", [Fact::TaskFinished { task: 7, attempt: 1, reported: true, actual: true }]);
    run.at(9000, "editor", []);
    run
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    vec![Fixture {
        kind: KIND,
        config: MonitorConfig::default,
        correct: taken_up,
        mutations: &[
            ("nobody takes it up", |run| run.leave_out(2)),
            ("it is taken up too late", |run| run.put_at(2, 60 + 1801)),
            ("who took it up crashes as well", |run| run.crash_instead(3)),
        ],
    }]
}

#[test]
fn a_task_whose_holder_crashed_is_an_orphan_after_half_an_hour() {
    let mut run = left();
    run.at(3660, "coder-2", []);
    let finding = run.finding(KIND);
    assert_eq!(
        finding.summary,
        "ORPHANED TASK at 00:01:00: task 7 was with coder-1 when it crashed; nobody has taken it up since, for 1h"
    );
    assert_eq!(finding.agents, ["coder-1"]);
    assert_eq!(finding.lead_time_ns, Some(30 * MINUTE));
    assert!(finding.matches(KIND, &[("agent", "coder-1"), ("task", "7"), ("role", "coder")]));
}

#[test]
fn who_comes_too_late_is_told_with_the_delay() {
    let mut run = left();
    run.at(60 + 1801, "coder-2", [claimed(7)]);
    let finding = run.finding(KIND);
    assert!(finding.summary.ends_with("nobody took it up for 30m 1s"), "{}", finding.summary);
}

#[test]
fn rest_counts_however_soon_and_a_limit_does_not() {
    let run = left();
    assert_eq!(run.findings(KIND).len(), 1, "at rest");
    let config = MonitorConfig::default();
    assert_eq!(run.findings_up_to(&config, 60 + 1800, KIND), []);
    assert_eq!(run.findings_up_to(&config, 60 + 1801, KIND).len(), 1);
}

#[test]
fn a_halt_leaves_all_that_was_held_and_folds() {
    let mut run = Run::default();
    run.at(0, "coder-1", [claimed(7), claimed(8), claimed(9)]).halt(60, "coder-1");
    let finding = run.finding(KIND);
    assert_eq!(finding.count, 3);
    assert!(finding.summary.contains("when it halted"), "{}", finding.summary);
}

#[test]
fn near_misses_stay_silent() {
    let received = Fact::Received { seam: "notes", item: 7, offer: 1, giver: id("coder-1") };
    let offered = Fact::Offered { seam: "notes", item: 7, offer: 1, medium: "redis" };
    for (name, fact) in [
        ("claimed again", claimed(7)),
        ("begun again", Fact::TaskStarted { task: 7, attempt: 2 }),
        ("received", received),
        ("given out again", Fact::TaskReleased { task: 7, reason: "lease" }),
        ("done", Fact::TaskFinished { task: 7, attempt: 1, reported: true, actual: true }),
        ("given up", Fact::TaskFinished { task: 7, attempt: 1, reported: false, actual: true }),
        ("gone on with", Fact::Progress { item: 7 }),
    ] {
        let mut run = left();
        run.at(60 + 1800, "coder-2", [fact]).at(9999, "editor", []);
        assert_eq!(run.findings(KIND), [], "{name} in time");
    }
    let mut handed_on = Run::default();
    handed_on.at(0, "coder-1", [claimed(7)]).at(1, "coder-1", [offered]).crash(60, "coder-1").at(
        9999,
        "editor",
        [],
    );
    assert_eq!(handed_on.findings(KIND), [], "it had been handed on");
    let mut over = Run::default();
    let done = Fact::TaskFinished { task: 7, attempt: 1, reported: true, actual: true };
    over.at(0, "coder-1", [claimed(7), done]).halt(60, "coder-1").at(9999, "editor", []);
    assert_eq!(over.findings(KIND), [], "it was done");
}

#[test]
fn the_bound_is_the_scenarios() {
    let mut run = left();
    run.at(660, "coder-2", [claimed(7)]);
    for (bound, found) in [(10, 0), (9, 1)] {
        let config = MonitorConfig { orphaned_after_ns: bound * MINUTE, ..MonitorConfig::default() };
        assert_eq!(run.findings_with(&config, KIND).len(), found);
    }
}
