//! Livelock: busy without progress, and what is only slow, quiet or paid for.

use fleetsim_engine::{Fact, HOUR};
use fleetsim_monitors::MonitorConfig;

use crate::mutations::Fixture;
use crate::support::{Run, only};

const KIND: &str = "livelock";

/// What two coders at one plan do to each other: each aborts the other's operation, every half minute.
fn conflict(run: &mut Run, minutes: core::ops::Range<u64>, end: &Fact<'static>) {
    for minute in minutes {
        for (agent, second) in [("coder-1", 0), ("coder-2", 30)] {
            run.at(minute * 60 + second, agent, [Fact::OperationBegin { operation: minute }, end.clone()]);
        }
    }
}

const ABORT: Fact<'static> = Fact::OperationAbort { operation: 1 };
const COMMIT: Fact<'static> = Fact::OperationCommit { operation: 1 };

fn opened() -> Run {
    let mut run = Run::default();
    run.at(0, "store", [Fact::TaskAdded { task: 1 }]);
    run
}

fn spent() -> Fact<'static> {
    Fact::Spent { tokens_in: 1, cached: 0, tokens_out: 1, nano_dollars: 10_000_000 }
}

/// Two coders at one plan, of whom one goes through every tenth minute.
fn some_commit() -> Run {
    let mut run = opened();
    for tenth in 0..10 {
        conflict(&mut run, tenth * 10 + 1..tenth * 10 + 10, &ABORT);
        run.at(tenth * 600 + 600, "coder-1", [COMMIT]);
    }
    run
}

/// Where those steps are in the run.
const COMMITS: [usize; 10] = [19, 38, 57, 76, 95, 114, 133, 152, 171, 190];

/// Two coders talk, and come closer to done every ten minutes.
fn talk_with_progress() -> Run {
    let mut run = opened();
    for number in 1..1200_u64 {
        let agent = if number % 2 == 0 { "coder-1" } else { "coder-2" };
        run.at(number * 4, agent, (number % 150 == 0).then_some(Fact::Progress { item: 1 }));
    }
    run
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    vec![
        Fixture {
            kind: KIND,
            config: MonitorConfig::default,
            correct: some_commit,
            mutations: &[
                ("who went through aborts too", |run| {
                    COMMITS.iter().for_each(|step| run.restate(*step, [ABORT]))
                }),
                ("nobody goes through", |run| COMMITS.iter().for_each(|step| run.restate(*step, []))),
            ],
        },
        Fixture {
            kind: KIND,
            config: MonitorConfig::default,
            correct: talk_with_progress,
            mutations: &[("no talk comes closer to done", |run| {
                (1..8).for_each(|tenth| run.restate(tenth * 150, []));
            })],
        },
    ]
}

#[test]
fn an_hour_of_mutual_aborts_is_a_livelock() {
    let mut run = opened();
    conflict(&mut run, 1..91, &ABORT);
    let finding = run.finding(KIND);
    assert_eq!(
        finding.summary,
        "LIVELOCK at 00:00:00: nothing came closer to done for 1h 30m, up to the end while work was open: \
         180 operations aborted, 181 messages handled"
    );
    assert_eq!(finding.agents, ["coder-1", "coder-2", "store"]);
    assert_eq!(finding.numbers.get("acts_in_vain"), Some(180));
    let signal = finding.earliest_signal.clone().expect("the hundredth act in vain");
    assert_eq!(signal.event, 100);
    assert_eq!(
        finding.lead_time_ns,
        Some(finding.numbers.get("lasted_ns").expect("a length") - signal.at.as_ns())
    );
}

#[test]
fn one_that_ended_is_told_too_and_repeats_are_folded() {
    let mut run = opened();
    conflict(&mut run, 1..91, &ABORT);
    run.at(91 * 60, "coder-1", [COMMIT]);
    assert!(!run.finding(KIND).summary.contains("up to the end"));
    conflict(&mut run, 92..200, &ABORT);
    assert_eq!(only(run.findings(KIND)).count, 2);
}

#[test]
fn talk_without_work_is_a_livelock_when_nobody_pays() {
    for (paid, found) in [(false, 1), (true, 0)] {
        let mut run = opened();
        for number in 0..1200_u64 {
            let agent = if number % 2 == 0 { "coder-1" } else { "coder-2" };
            let fact = (paid && number == 7).then(spent);
            run.at(number * 4, agent, fact);
        }
        assert_eq!(run.findings(KIND).len(), found, "paid: {paid}");
    }
}

#[test]
fn near_misses_stay_silent() {
    let mut short = opened();
    conflict(&mut short, 1..60, &ABORT);
    let mut few = opened();
    for minute in 1..90 {
        few.at(minute * 60, if minute % 2 == 0 { "coder-1" } else { "coder-2" }, [ABORT]);
    }
    let mut alone = Run::default();
    alone.at(0, "coder-1", [Fact::TaskAdded { task: 1 }]);
    for number in 0..300 {
        alone.at(number * 20, "coder-1", [ABORT]);
    }
    let mut commits = opened();
    conflict(&mut commits, 1..90, &COMMIT);
    let mut progress = opened();
    conflict(&mut progress, 1..50, &ABORT);
    progress.at(50 * 60, "coder-1", [Fact::Progress { item: 1 }]);
    conflict(&mut progress, 51..100, &ABORT);
    let mut nothing_open = Run::default();
    conflict(&mut nothing_open, 1..90, &ABORT);
    let mut quiet = opened();
    conflict(&mut quiet, 1..2, &ABORT);
    quiet.at(100_000, "coder-1", []);
    let mut turns = opened();
    for number in 0..3000 {
        turns.at(number * 4, if number % 2 == 0 { "coder-1" } else { "coder-2" }, [spent()]);
    }
    let mut own_pace = opened();
    own_pace.at(1200, "coder-1", [Fact::Progress { item: 1 }]);
    conflict(&mut own_pace, 21..170, &ABORT);
    own_pace.at(170 * 60, "coder-1", [Fact::Progress { item: 1 }]);
    for (name, run) in [
        ("not for an hour", short),
        ("not a hundred acts in vain", few),
        ("one agent by itself", alone),
        ("operations that commit", commits),
        ("progress in between", progress),
        ("no work is open", nothing_open),
        ("a quiet night", quiet),
        ("long model turns that are paid for", turns),
        ("not eight times as long as it took before", own_pace),
    ] {
        assert_eq!(run.findings(KIND), [], "{name}");
    }
}

#[test]
fn the_bounds_are_the_scenarios() {
    let mut run = opened();
    conflict(&mut run, 1..91, &ABORT);
    for (after_ns, vain_min, found) in [(HOUR, 180, 1), (HOUR, 181, 0), (2 * HOUR, 100, 0)] {
        let config = MonitorConfig {
            livelock_after_ns: after_ns,
            livelock_vain_min: vain_min,
            ..MonitorConfig::default()
        };
        assert_eq!(run.findings_with(&config, KIND).len(), found, "{vain_min}");
    }
}
