//! Metastability, suspected: what comes after a trigger.

use fleetsim_engine::Fact;
use fleetsim_monitors::MonitorConfig;

use crate::mutations::Fixture;
use crate::support::Run;

const KIND: &str = "metastable";
/// The default window of five minutes, in seconds.
const WINDOW: u64 = 300;

/// One window: tasks added, tasks done, other messages.
type Window = (u64, u64, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trigger {
    None,
    Crash,
    CrashForGood,
}

/// A run of such windows; the trigger is in the one with that number.
fn windows(counts: &[Window], trigger: (usize, Trigger)) -> Run {
    let mut run = Run::default();
    let (mut added, mut done) = (0, 0);
    // So much work that some is always open.
    run.at(0, "outside", (1_000_000..1_000_010).map(|task| Fact::TaskAdded { task }));
    for (number, (arrivals, finished, messages)) in counts.iter().enumerate() {
        let second = number as u64 * WINDOW + 1;
        for _ in 0..*arrivals {
            added += 1;
            run.at(second, "outside", [Fact::TaskAdded { task: added }]);
        }
        for _ in 0..*finished {
            done += 1;
            run.at(
                second + 1,
                "coder-1",
                [Fact::TaskFinished { task: done, attempt: 1, reported: true, actual: true }],
            );
        }
        for _ in 0..*messages {
            run.at(second + 2, "coder-2", []);
        }
        if trigger.0 == number && trigger.1 != Trigger::None {
            run.crash(second + 3, "store");
            if trigger.1 == Trigger::Crash {
                run.restart(second + 4, "store");
            }
        }
    }
    run.at(counts.len() as u64 * WINDOW, "editor", []);
    run
}

fn history(before: Window, during: Window, after: Window) -> Vec<Window> {
    let mut counts = vec![before; 8];
    counts.extend([during; 2]);
    counts.extend([after; 8]);
    counts
}

const USUAL: Window = (10, 10, 40);
const STUCK: Window = (10, 2, 90);

fn recovers() -> Run {
    windows(&history(USUAL, (10, 3, 80), (10, 10, 90)), (8, Trigger::Crash))
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    vec![Fixture {
        kind: KIND,
        config: MonitorConfig::default,
        correct: recovers,
        mutations: &[
            ("little gets done after the crash", |run| {
                *run = windows(&history(USUAL, (10, 3, 80), STUCK), (8, Trigger::Crash));
            }),
            ("little gets done after a burst", |run| {
                *run = windows(&history(USUAL, (40, 10, 80), STUCK), (0, Trigger::None));
            }),
        ],
    }]
}

#[test]
fn load_that_stays_after_a_crash_is_suspected() {
    let run = windows(&history(USUAL, (10, 3, 80), STUCK), (8, Trigger::Crash));
    let finding = run.finding(KIND);
    assert!(
        finding.summary.contains(
            "suspected: since its trigger was over the fleet did 19 tasks in 9 windows, 2 a window of 5m instead of 10, \
             under a load of 101 messages a window instead of 60"
        ),
        "{}",
        finding.summary
    );
    assert_eq!(finding.numbers.get("windows"), Some(9), "the second window of the trigger was calm");
}

#[test]
fn a_burst_of_arrivals_is_a_trigger() {
    let run = windows(&history(USUAL, (40, 10, 80), STUCK), (0, Trigger::None));
    assert_eq!(run.findings(KIND).len(), 1);
}

#[test]
fn near_misses_stay_silent() {
    for (name, counts, trigger) in [
        ("it recovers", history(USUAL, (10, 3, 80), (10, 10, 40)), (8, Trigger::Crash)),
        ("the backlog is being worked off", history(USUAL, (40, 10, 80), (10, 12, 90)), (0, Trigger::None)),
        ("no trigger", history(USUAL, USUAL, STUCK), (0, Trigger::None)),
        ("low load: something else is wrong", history(USUAL, (10, 3, 80), (10, 2, 20)), (8, Trigger::Crash)),
        ("the agent is still down", history(USUAL, (10, 3, 80), STUCK), (8, Trigger::CrashForGood)),
        ("arrivals stay high", history(USUAL, (40, 10, 80), (40, 4, 90)), (0, Trigger::None)),
        ("never calm before", history(USUAL, (10, 3, 80), STUCK), (3, Trigger::Crash)),
    ] {
        assert_eq!(windows(&counts, trigger).findings(KIND), [], "{name}");
    }
    let mut once_better = history(USUAL, (10, 3, 80), STUCK);
    once_better[13] = USUAL;
    assert_eq!(windows(&once_better, (8, Trigger::Crash)).findings(KIND), [], "it had recovered in between");
}

#[test]
fn the_bounds_are_the_scenarios() {
    let run = windows(&history(USUAL, (10, 3, 80), STUCK), (8, Trigger::Crash));
    for (windows, found) in [(8, 1), (10, 0)] {
        let config = MonitorConfig { metastable_windows_min: windows, ..MonitorConfig::default() };
        assert_eq!(run.findings_with(&config, KIND).len(), found, "{windows}");
    }
}
