//! A correct fleet and what one changed line makes of it: each monitor of waiting and feedback must notice its own.

use fleetsim_engine::{Fact, Waited};
use fleetsim_monitors::MonitorConfig;

use crate::deadlock::{acquired, released, wait};
use crate::message_loop::{path, round_of};
use crate::metastable::{Trigger, history, windows};
use crate::not_converged;
use crate::retry_storm::minutes;
use crate::support::Run;

/// What happens in one line of the fixture.
#[derive(Clone, Debug)]
enum Line {
    States(u64, &'static str, Vec<Fact<'static>>),
    Crashes(u64, &'static str),
}

use Line::{Crashes, States};

/// Two coders, two tasks, two locks that are taken in one order, and a gate.
fn correct() -> Vec<Line> {
    let started = |task| Fact::TaskStarted { task, attempt: 1 };
    let finished = |task| Fact::TaskFinished { task, attempt: 1, reported: true, actual: true };
    let gate = Waited::Gate("lead");
    vec![
        States(0, "store", vec![Fact::TaskAdded { task: 1 }, Fact::TaskAdded { task: 2 }]),
        States(1, "store", vec![Fact::TaskReady { task: 1 }, Fact::TaskReady { task: 2 }]),
        States(10, "coder-1", vec![started(1)]),
        States(11, "coder-2", vec![started(2)]),
        States(20, "coder-1", vec![acquired("lock-a")]),
        States(21, "coder-2", vec![wait("lock-a")]),
        States(30, "coder-1", vec![wait("lock-b")]),
        States(31, "coder-1", vec![acquired("lock-b")]),
        States(40, "coder-1", vec![released("lock-b"), released("lock-a")]),
        States(41, "coder-2", vec![acquired("lock-a")]),
        States(50, "coder-2", vec![released("lock-a")]),
        States(60, "coder-1", vec![Fact::WaitOn { on: gate }]),
        States(70, "coder-1", vec![Fact::WaitEnd { on: gate }]),
        States(80, "coder-1", vec![finished(1)]),
        States(90, "coder-2", vec![finished(2)]),
        States(900, "editor", vec![]),
    ]
}

fn run_of(lines: &[Line]) -> Run {
    let mut run = Run::default();
    for line in lines {
        match line {
            States(second, agent, facts) => run.at(*second, agent, facts.iter().cloned()),
            Crashes(second, agent) => run.crash(*second, agent),
        };
    }
    run
}

fn kinds(run: &Run, config: &MonitorConfig) -> Vec<&'static str> {
    run.report_in(config, 7).findings.iter().map(|finding| finding.kind).collect()
}

#[test]
fn one_changed_line_of_a_correct_fleet_is_noticed() {
    let config = not_converged::config();
    assert_eq!(kinds(&run_of(&correct()), &config), Vec::<&str>::new(), "the fixture is correct");
    let finished = |task| Fact::TaskFinished { task, attempt: 1, reported: true, actual: true };
    for (kind, place, changed) in [
        (
            "deadlock",
            11,
            Some(States(
                60,
                "coder-1",
                vec![Fact::WaitOn { on: Waited::Agent(crate::support::id("coder-1")) }],
            )),
        ),
        ("deadlock", 9, None),
        ("deadlock", 12, None),
        ("deadlock", 14, None),
        ("duplicate-work", 3, Some(States(11, "coder-2", vec![Fact::TaskStarted { task: 1, attempt: 1 }]))),
        ("duplicate-work", 14, Some(States(90, "coder-2", vec![finished(1)]))),
        ("orphaned-task", 13, Some(Crashes(80, "coder-1"))),
        ("not-converged", 14, None),
        ("not-converged", 14, Some(Crashes(90, "coder-2"))),
    ] {
        let mut lines = correct();
        match changed {
            Some(line) => lines[place] = line,
            None => drop(lines.remove(place)),
        }
        let found = kinds(&run_of(&lines), &config);
        assert!(found.contains(&kind), "{kind} by line {place}: {found:?}");
    }
}

#[test]
fn locks_in_the_other_order_are_noticed() {
    // The second coder takes lock-b first: one line more where it had none, one changed.
    let mut lines = correct();
    lines[5] = States(21, "coder-2", vec![acquired("lock-b"), wait("lock-a")]);
    lines.truncate(7);
    assert!(kinds(&run_of(&lines), &MonitorConfig::default()).contains(&"deadlock"));
}

/// Two coders that back off, or do not: the pause between attempts at one plan, in seconds.
fn optimists(commits_every: Option<u64>) -> Run {
    let mut run = Run::default();
    run.at(0, "store", [Fact::TaskAdded { task: 1 }]);
    for number in 1..400_u64 {
        let ends_well = commits_every.is_some_and(|every| number % every == 0);
        let end = if ends_well {
            Fact::OperationCommit { operation: number }
        } else {
            Fact::OperationAbort { operation: number }
        };
        run.at(number * 20, if number % 2 == 0 { "coder-1" } else { "coder-2" }, [end]);
    }
    run.at(8000, "coder-1", [Fact::TaskFinished { task: 1, attempt: 1, reported: true, actual: true }]);
    run
}

#[test]
fn one_changed_figure_of_a_correct_fleet_is_noticed() {
    let silent = |run: &Run| kinds(run, &MonitorConfig::default()).is_empty();
    let shows = |run: &Run, kind: &str| kinds(run, &MonitorConfig::default()).contains(&kind);

    assert!(silent(&optimists(Some(3))));
    assert!(shows(&optimists(None), "livelock"), "nobody ever commits");

    let backs_off = minutes(&[(30, 20), (40, 20), (40, 20), (40, 20), (40, 20), (40, 20), (1, 1)]);
    assert!(silent(&backs_off));
    let hammers = minutes(&[(30, 20), (60, 20), (80, 20), (110, 20), (160, 20), (200, 20), (1, 1)]);
    assert!(shows(&hammers, "retry-storm"));

    let usual = (10, 10, 40);
    let recovers = windows(&history(usual, (10, 3, 80), (10, 10, 90)), (8, Trigger::Crash));
    let stays = windows(&history(usual, (10, 3, 80), (10, 2, 90)), (8, Trigger::Crash));
    assert!(!shows(&recovers, "metastable") && shows(&stays, "metastable"));

    let agents = ["coder-1", "coder-2"];
    assert!(silent(&path(&round_of(&agents, 8), true, |_| Vec::new())), "an exchange of four rounds");
    assert!(shows(&path(&round_of(&agents, 80), true, |_| Vec::new()), "feedback-loop"));
}
