//! Convergence: what was open when the faults ended, and why it is stuck.

use fleetsim_engine::{Fact, MINUTE, SECOND, Time, Waited};
use fleetsim_monitors::MonitorConfig;

use crate::mutations::Fixture;
use crate::support::{Run, id};

const KIND: &str = "not-converged";

/// The faults end after 100 seconds, and ten minutes are given.
fn config() -> MonitorConfig {
    MonitorConfig {
        heals_at: Some(Time::from_ns(100 * SECOND)),
        converges_within_ns: Some(10 * MINUTE),
        ..MonitorConfig::default()
    }
}

const DEADLINE: u64 = 700;

fn claimed() -> Fact<'static> {
    Fact::TaskClaimed { task: 7, fence: 0 }
}

/// A task that meets a fault and is done a minute before it must be.
fn done_in_time() -> Run {
    let gate = Waited::Gate("lead");
    let mut run = Run::default();
    run.at(1, "store", [Fact::TaskAdded { task: 7 }]).at(10, "coder-1", [claimed()]);
    run.at(20, "coder-1", [Fact::WaitOn { on: gate }]).at(30, "coder-1", [Fact::WaitEnd { on: gate }]);
    run.at(640, "coder-1", [Fact::TaskFinished { task: 7, attempt: 1, reported: true, actual: true }]);
    run.at(900, "editor", []);
    run
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    vec![Fixture {
        kind: KIND,
        config,
        correct: done_in_time,
        mutations: &[
            ("the task is not done", |run| run.leave_out(4)),
            ("the task is done too late", |run| run.put_at(4, DEADLINE + 1)),
            ("whoever has it crashes", |run| run.crash_instead(4)),
            ("a wait never ends", |run| run.leave_out(3)),
        ],
    }]
}

#[test]
fn what_is_stuck_is_told_by_why() {
    let ready = Fact::TaskReady { task: 7 };
    let offered = Fact::Offered { seam: "notes", item: 7, offer: 1, medium: "redis" };
    let passed =
        Fact::HandedOver { seam: "notes", item: 7, offer: 1, medium: "redis", receiver: id("writer-1") };
    let lost = Fact::Undelivered { seam: "notes", item: 7, offer: 1, reason: "full" };
    let held = |resource| Fact::Acquired { resource, fence: 0 };
    let wait = Fact::WaitOn { on: Waited::Resource("lock-a") };
    type Steps = Vec<(&'static str, Vec<Fact<'static>>)>;
    let cases: Vec<(&str, Steps, &str)> = vec![
        (
            "not-taken",
            vec![("store", vec![Fact::TaskAdded { task: 7 }])],
            "task 7 is not ready since 00:00:10",
        ),
        (
            "not-taken",
            vec![("store", vec![ready.clone()])],
            "task 7 is ready at store since 00:00:10, and nobody takes it",
        ),
        (
            "on-its-way",
            vec![("store", vec![ready.clone()]), ("store", vec![offered.clone()])],
            "task 7 is in redis since 00:00:11",
        ),
        (
            "on-its-way",
            vec![("store", vec![ready.clone()]), ("store", vec![offered.clone()]), ("redis", vec![passed])],
            "task 7 was passed to writer-1 at 00:00:12 and not taken up",
        ),
        (
            "lost",
            vec![("store", vec![ready]), ("store", vec![offered]), ("redis", vec![lost])],
            "redis lost task 7 at 00:00:12",
        ),
        (
            "holder-works",
            vec![("coder-1", vec![claimed()])],
            "task 7 is with coder-1, which has had it since 00:00:10",
        ),
        (
            "holder-waits",
            vec![
                ("coder-2", vec![held("lock-a")]),
                ("coder-1", vec![claimed()]),
                ("coder-1", vec![wait.clone()]),
            ],
            "task 7 is with coder-1, which waits for lock-a (held by coder-2) since 00:00:12",
        ),
        ("waits", vec![("coder-1", vec![wait])], "coder-1 waits for lock-a since 00:00:10"),
    ];
    for (why, steps, told) in cases {
        let mut run = Run::default();
        for (number, (agent, facts)) in steps.into_iter().enumerate() {
            run.at(10 + number as u64, agent, facts);
        }
        let findings = run.findings_up_to(&config(), DEADLINE + 1, KIND);
        assert_eq!(findings.len(), 1, "{why}: {findings:#?}");
        assert!(findings[0].summary.ends_with(told), "{}", findings[0].summary);
        assert!(findings[0].matches(KIND, &[("stuck", why)]), "{:?}", findings[0].about);
    }
}

#[test]
fn a_holder_that_is_gone_is_named_with_when() {
    let mut run = Run::default();
    run.at(10, "coder-1", [claimed()]).crash(20, "coder-1").at(DEADLINE + 1, "editor", []);
    let finding = run.findings_with(&config(), KIND).remove(0);
    assert_eq!(
        finding.summary,
        "NOT CONVERGED at 00:00:20: 1 task that was open when the faults ended at 00:01:40 was not over 10m later: \
         task 7 is with coder-1, which crashed at 00:00:20"
    );
    assert_eq!(finding.agents, ["coder-1"]);
}

#[test]
fn near_misses_stay_silent() {
    let done = Fact::TaskFinished { task: 7, attempt: 1, reported: true, actual: true };
    let mut in_time = Run::default();
    in_time.at(10, "coder-1", [claimed()]).at(DEADLINE, "coder-1", [done.clone()]).at(9999, "editor", []);
    let mut given_up = Run::default();
    let failed = Fact::TaskFinished { task: 7, attempt: 1, reported: false, actual: false };
    given_up.at(10, "coder-1", [claimed()]).at(DEADLINE, "coder-1", [failed]).at(9999, "editor", []);
    let mut came_later = Run::default();
    came_later.at(101, "coder-1", [claimed()]).at(9999, "editor", []);
    for (name, run) in [("in time", in_time), ("given up", given_up), ("came after the healing", came_later)]
    {
        assert_eq!(run.findings_with(&config(), KIND), [], "{name}");
    }
    let mut open = Run::default();
    open.at(10, "coder-1", [claimed()]);
    assert_eq!(open.findings_up_to(&config(), DEADLINE, KIND), [], "the record ends before the deadline");
    assert_eq!(open.findings_up_to(&MonitorConfig::default(), 9999, KIND), [], "no healing is planned");
    let never = MonitorConfig { converges_within_ns: None, ..config() };
    assert_eq!(open.findings_up_to(&never, 9999, KIND), [], "no time is given");
}

#[test]
fn a_second_too_late_is_late() {
    let mut run = Run::default();
    run.at(10, "coder-1", [claimed()]);
    let done = Fact::TaskFinished { task: 7, attempt: 1, reported: true, actual: true };
    run.at(DEADLINE + 1, "coder-1", [done]);
    assert_eq!(run.findings_with(&config(), KIND).len(), 1);
}

#[test]
fn rest_before_the_deadline_is_judged_at_once() {
    let mut run = Run::default();
    run.at(10, "coder-1", [claimed()]).at(200, "editor", []);
    let finding = run.findings_with(&config(), KIND).remove(0);
    assert!(
        finding.summary.contains("was not over when nothing was left to happen, at 00:03:20"),
        "{}",
        finding.summary
    );
}
