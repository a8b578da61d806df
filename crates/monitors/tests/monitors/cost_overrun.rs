//! The budget is spent.

use fleetsim_engine::{Fact, HOUR};
use fleetsim_monitors::MonitorConfig;

use crate::mutations::Fixture;
use crate::support::{Run, only};

const KIND: &str = "cost-overrun";
const DOLLAR: u64 = 1_000_000_000;

fn spent(dollars: u64) -> Fact<'static> {
    Fact::Spent { tokens_in: 0, cached: 0, tokens_out: 0, nano_dollars: dollars * DOLLAR }
}

fn ten_dollars_in_ten_hours() -> MonitorConfig {
    MonitorConfig {
        budget_nano_dollars: Some(10 * DOLLAR),
        planned_ns: Some(10 * HOUR),
        ..MonitorConfig::default()
    }
}

/// Nine dollars, one an hour.
fn within_budget() -> Run {
    let mut run = Run::default();
    for hour in 1..=9 {
        run.at(hour * 3600, "coder-1", [spent(1)]);
    }
    run
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    vec![Fixture {
        kind: KIND,
        config: ten_dollars_in_ten_hours,
        correct: within_budget,
        mutations: &[
            ("a call is billed twice", |run| run.repeat_at(3, 4 * 3600)),
            ("a call costs twice as much", |run| run.restate(4, [spent(2)])),
            ("somebody else is billed as well", |run| {
                run.at(9 * 3600, "reviewer-1", [spent(3)]);
            }),
        ],
    }]
}

#[test]
fn what_is_spent_is_told_with_its_rate_and_its_first_sign() {
    let mut run = Run::default();
    // A slow first hour, then three dollars an hour.
    run.at(3600, "coder-1", [spent(0)]);
    for hour in 2..=6 {
        run.at(hour * 3600, "coder-1", [spent(2)]).at(hour * 3600, "reviewer-1", [spent(1)]);
    }
    let finding = only(run.findings_with(&ten_dollars_in_ten_hours(), KIND));
    assert_eq!(
        finding.summary,
        "COST OVERRUN at 05:00:00: the fleet spent $15.00 of $10.00, at $2.50 an hour; coder spent most of it, $10.00"
    );
    let signal = finding.earliest_signal.as_ref().expect("it was heading there");
    assert_eq!(signal.text, "$2.00 were spent; at this rate $10.00 is reached in 8h");
    assert_eq!((finding.lead_time_ns, finding.saved_nano_dollars), (Some(3 * HOUR), Some(13 * DOLLAR)));
    assert_eq!(finding.numbers.get("time_to_exhaustion_ns"), Some(8 * HOUR));
    assert!(finding.matches(KIND, &[("role", "coder")]));
}

#[test]
fn near_misses_stay_silent() {
    let config = ten_dollars_in_ten_hours();
    assert_eq!(within_budget().findings_with(&config, KIND), []);
    let mut run = within_budget();
    run.at(
        9 * 3600 + 1,
        "coder-1",
        [Fact::Spent { tokens_in: 0, cached: 0, tokens_out: 0, nano_dollars: DOLLAR - 1 }],
    );
    assert_eq!(run.findings_with(&config, KIND), [], "a billionth is left");
    run.at(9 * 3600 + 2, "coder-1", [spent(99)]);
    assert_eq!(run.findings(KIND), [], "without a bound nothing is judged");
}

#[test]
fn a_rush_that_ends_is_no_sign() {
    let mut run = Run::default();
    run.at(600, "coder-1", [spent(5)]).at(9 * 3600, "coder-1", [spent(1)]).at(36_000, "coder-1", [spent(4)]);
    let finding = only(run.findings_with(&ten_dollars_in_ten_hours(), KIND));
    assert_eq!(finding.earliest_signal, None, "after nine hours all was well");
}

#[test]
fn sums_that_do_not_fit_stay_at_the_most() {
    let mut run = Run::default();
    let all = Fact::Spent { tokens_in: 0, cached: 0, tokens_out: 0, nano_dollars: u64::MAX };
    run.at(0, "coder-1", [all.clone()]).at(1, "coder-1", [all]);
    let finding = only(run.findings_with(&ten_dollars_in_ten_hours(), KIND));
    assert_eq!(finding.numbers.get("spent_nano_dollars"), Some(u64::MAX));
}
