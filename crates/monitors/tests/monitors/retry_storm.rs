//! Retry storms: attempts that rise while successes do not, and limits that are only saturated.

use fleetsim_engine::{Fact, MINUTE};
use fleetsim_monitors::MonitorConfig;

use crate::mutations::Fixture;
use crate::support::{Run, id};

const KIND: &str = "retry-storm";

fn requested(admitted: bool) -> Fact<'static> {
    Fact::Requested { model: "sonnet", by: id("coder-1"), admitted, first: true, tokens_in: 1, tokens_out: 1 }
}

/// Minutes with so many attempts and admitted ones each.
fn minutes(counts: &[(u64, u64)]) -> Run {
    let mut run = Run::default();
    for (minute, (attempts, admitted)) in counts.iter().enumerate() {
        for attempt in 0..*attempts {
            let second = minute as u64 * 60 + attempt * 59 / attempts;
            run.at(second, "provider", [requested(attempt < *admitted)]);
        }
    }
    run
}

/// More and more is asked for, and more and more is admitted.
fn served() -> Run {
    minutes(&[(30, 20), (60, 40), (80, 55), (110, 75), (160, 110), (200, 140), (1, 1)])
}

/// Twenty tasks are begun each minute.
fn first_attempts() -> Run {
    let mut run = Run::default();
    for minute in 0..6 {
        let first = |task| Fact::TaskStarted { task: minute * 20 + task, attempt: 1 };
        run.at(minute * 60, "coder-1", (0..20).map(first));
    }
    run
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    vec![
        Fixture {
            kind: KIND,
            config: MonitorConfig::default,
            correct: served,
            mutations: &[("no more is admitted than before", |run| {
                *run = minutes(&[(30, 20), (60, 20), (80, 20), (110, 20), (160, 20), (200, 20), (1, 1)]);
            })],
        },
        Fixture {
            kind: KIND,
            config: MonitorConfig::default,
            correct: first_attempts,
            mutations: &[("more and more is begun again", |run| {
                for (minute, again) in [10, 30, 60, 100, 160].into_iter().enumerate() {
                    run.also(
                        minute,
                        (0..again).map(|task| Fact::TaskStarted { task: task % 20, attempt: 2 }),
                    );
                }
            })],
        },
    ]
}

#[test]
fn rising_attempts_for_level_successes_are_a_storm() {
    let mut run = minutes(&[(30, 20), (40, 20), (60, 20), (90, 20), (120, 20), (150, 18)]);
    run.at(400, "coder-1", []);
    let finding = run.finding(KIND);
    assert_eq!(
        finding.summary,
        "RETRY STORM on sonnet at 00:00:00: requests for each admitted one rose from 1.5 to 8.3 in 5m 58s, and those \
         did not: 118 of 490 in all"
    );
    assert_eq!(finding.agents, ["coder-1"]);
    assert_eq!(finding.numbers.get("amplification_last_thousandths"), Some(8333));
    assert!(finding.lead_time_ns > Some(2 * MINUTE), "from where it had doubled, in the third minute");
    assert!(finding.matches(KIND, &[("resource", "sonnet")]));
}

#[test]
fn near_misses_stay_silent() {
    for (name, counts) in [
        ("saturated: many refusals, but level", vec![(200, 20); 10]),
        (
            "growing traffic that is served",
            vec![(30, 20), (45, 25), (80, 30), (120, 33), (180, 35), (300, 40)],
        ),
        ("four windows only", vec![(30, 20), (60, 20), (100, 20), (150, 20)]),
        ("a burst that ebbs", vec![(30, 20), (90, 20), (150, 20), (90, 20), (60, 20), (30, 20)]),
        ("it did not double", vec![(100, 20), (110, 20), (120, 20), (130, 20), (140, 20), (150, 20)]),
        ("not five for each", vec![(20, 20), (30, 20), (40, 20), (60, 20), (80, 20), (90, 20)]),
        ("too few to prove anything", vec![(4, 2), (6, 2), (8, 2), (10, 1), (14, 1), (18, 1)]),
        ("a minute of silence", vec![(30, 20), (60, 20), (90, 20), (0, 0), (120, 20), (150, 18), (160, 18)]),
    ] {
        let mut run = minutes(&counts);
        run.at(counts.len() as u64 * 60 + 60, "coder-1", []);
        assert_eq!(run.findings(KIND), [], "{name}");
    }
}

#[test]
fn the_minute_that_the_end_cut_short_proves_nothing() {
    let counts = [(30, 20), (60, 20), (90, 20), (120, 20), (150, 0)];
    assert_eq!(minutes(&counts).findings(KIND), []);
    let mut whole = minutes(&counts);
    whole.at(300, "coder-1", []);
    assert_eq!(whole.findings(KIND).len(), 1);
}

#[test]
fn redeliveries_and_attempts_are_streams_of_their_own() {
    let mut redelivered = Run::default();
    let mut begun_again = Run::default();
    let hand =
        |offer, receiver| Fact::HandedOver { seam: "topics", item: offer, offer, medium: "redis", receiver };
    let mut next = 0;
    for (minute, again) in [10_u64, 30, 60, 100, 160].into_iter().enumerate() {
        let second = minute as u64 * 60;
        for _ in 0..20 {
            next += 1;
            let offered = Fact::Offered { seam: "topics", item: next, offer: next, medium: "redis" };
            redelivered.at(second, "store", [offered, hand(next, id("coder-1"))]);
            begun_again.at(second, "coder-1", [Fact::TaskStarted { task: next, attempt: 1 }]);
        }
        for number in 0..again {
            let offer = 1 + number % next;
            redelivered.at(second + 1, "store", [hand(offer, id("coder-2"))]);
            begun_again.at(second + 1, "coder-2", [Fact::TaskStarted { task: offer, attempt: 2 }]);
        }
    }
    for (run, field, value) in
        [(&mut redelivered, "medium", "redis"), (&mut begun_again, "resource", "tasks")]
    {
        run.at(400, "editor", []);
        assert!(run.finding(KIND).matches(KIND, &[(field, value)]), "{field}");
    }
}

#[test]
fn the_bounds_are_the_scenarios() {
    let mut run = minutes(&[(30, 20), (40, 20), (60, 20), (90, 20), (120, 20), (150, 18)]);
    run.at(400, "coder-1", []);
    for (windows, amplification, found) in [(6, 8, 1), (7, 8, 0), (6, 9, 0)] {
        let config = MonitorConfig {
            retry_windows_min: windows,
            retry_amplification_min: amplification,
            ..MonitorConfig::default()
        };
        assert_eq!(run.findings_with(&config, KIND).len(), found, "{windows} {amplification}");
    }
}
