//! Compares contestants by running them in turn, round by round, and judging the ratios within each round.
//!
//! What disturbs a machine for a while disturbs all contestants of a round; their order rotates, so that none always
//! runs after the same one in the same place. Ratios come with an interval that assumes nothing about their distribution.

use core::fmt::Write as _;
#[expect(clippy::disallowed_types, reason = "measuring time is what this file is for")]
use std::time::Instant;

use serde_json::{Value, json};

/// Somebody who is measured.
pub struct Contestant<'a> {
    name: String,
    run: Box<dyn FnMut() -> Measured + 'a>,
}

impl<'a> Contestant<'a> {
    /// A contestant that prepares itself, lets [`timed`] measure what counts, and returns that.
    pub fn new(name: &str, run: impl FnMut() -> Measured + 'a) -> Contestant<'a> {
        Contestant { name: name.to_owned(), run: Box::new(run) }
    }

    /// Its name in tables.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// One run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Events in the measured part.
    pub events: u64,
    /// How long they took.
    pub seconds: f64,
}

/// Measures `run`, which handles so many events.
#[expect(clippy::disallowed_types, reason = "measuring time is what this file is for")]
pub fn timed(events: u64, run: impl FnOnce()) -> Measured {
    let start = Instant::now();
    run();
    Measured { events, seconds: start.elapsed().as_secs_f64() }
}

/// What all rounds came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Rounds {
    names: Vec<String>,
    /// For each round the nanoseconds an event of each contestant.
    event_ns: Vec<Vec<f64>>,
}

/// A median, and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Runs every contestant once a round. `progress` is told the round, from 0, and who is about to run.
pub fn compare(
    contestants: &mut [Contestant<'_>],
    rounds: usize,
    mut progress: impl FnMut(usize, &str),
) -> Rounds {
    let count = contestants.len();
    let mut event_ns = vec![vec![0.0; count]; rounds];
    for (round, times) in event_ns.iter_mut().enumerate() {
        for turn in 0..count {
            let at = (round + turn) % count;
            progress(round, &contestants[at].name);
            let measured = (contestants[at].run)();
            times[at] = measured.seconds * 1e9 / measured.events as f64;
        }
    }
    Rounds { names: contestants.iter().map(|contestant| contestant.name.clone()).collect(), event_ns }
}

impl Rounds {
    /// How many rounds there were.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "nobody asks whether nothing was measured")]
    pub fn len(&self) -> usize {
        self.event_ns.len()
    }

    /// Million events a second of a contestant: median, slowest and fastest round. `None` when nobody has that name.
    #[must_use]
    pub fn rate(&self, name: &str) -> Option<Spread> {
        let at = self.position(name)?;
        Some(Spread::range(self.event_ns.iter().map(|round| 1e3 / round[at]).collect()))
    }

    /// How many times as fast as `reference` a contestant is: the median of the rounds' ratios, with the interval
    /// that [`Spread::interval`] gives. `None` when one of them did not run.
    #[must_use]
    pub fn ratio(&self, name: &str, reference: &str) -> Option<Spread> {
        let (at, reference) = (self.position(name)?, self.position(reference)?);
        Some(Spread::interval(self.event_ns.iter().map(|round| round[reference] / round[at]).collect()))
    }

    /// How many nanoseconds an event a contestant takes more than `reference`, likewise.
    #[must_use]
    pub fn added_ns(&self, name: &str, reference: &str) -> Option<Spread> {
        let (at, reference) = (self.position(name)?, self.position(reference)?);
        Some(Spread::interval(self.event_ns.iter().map(|round| round[at] - round[reference]).collect()))
    }

    /// A line for each contestant, with its ratio to `reference`.
    #[must_use]
    pub fn table(&self, reference: &str) -> String {
        let width = self.names.iter().map(String::len).max().unwrap_or(0).max("contestant".len());
        let mut text = format!(
            "{:width$}  {:>9}  {:>17}  {:>9}  to {reference}\n",
            "contestant", "M events/s", "slowest..fastest", "ns/event"
        );
        for name in &self.names {
            let rate = self.rate(name).expect("it is one of the contestants");
            let ratio = self.ratio(name, reference).map(|ratio| ratio.to_string()).unwrap_or_default();
            writeln!(
                text,
                "{name:width$}  {:>10.3}  {:>8.3}..{:<7.3}  {:>9.1}  {ratio}",
                rate.median,
                rate.low,
                rate.high,
                1e3 / rate.median,
            )
            .expect("a string takes everything");
        }
        text
    }

    /// The same as data, with every round.
    #[must_use]
    pub fn to_json(&self, reference: &str) -> Value {
        let contestants = self.names.iter().enumerate().map(|(at, name)| {
            json!({
                "name": name,
                "million_events_per_second": self.rate(name).map(Spread::to_json),
                "ratio": self.ratio(name, reference).map(Spread::to_json),
                "rounds_ns_per_event": self.event_ns.iter().map(|round| round[at]).collect::<Vec<_>>(),
            })
        });
        json!({
            "reference": reference,
            "rounds": self.event_ns.len(),
            "interval_coverage": coverage(self.event_ns.len()),
            "contestants": contestants.collect::<Vec<_>>(),
        })
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }
}

impl Spread {
    /// The median of `values` between the least and the greatest.
    ///
    /// # Panics
    /// When there are none.
    #[must_use]
    pub fn range(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        Spread { median: median(&values), low: values[0], high: values[values.len() - 1] }
    }

    /// The median of `values` with an interval that holds the true one in at least 95 of 100 cases, whatever the
    /// distribution: two order statistics. Fewer than six values have no such interval; theirs is the range.
    ///
    /// # Panics
    /// When there are none.
    #[must_use]
    pub fn interval(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        let cut = cut(values.len());
        Spread { median: median(&values), low: values[cut], high: values[values.len() - 1 - cut] }
    }

    /// The three numbers as data.
    #[must_use]
    pub fn to_json(self) -> Value {
        json!({ "median": self.median, "low": self.low, "high": self.high })
    }
}

/// Shows `0.420 [0.400, 0.450]`, with three decimals unless a precision is given.
impl core::fmt::Display for Spread {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let digits = f.precision().unwrap_or(3);
        write!(f, "{:.digits$} [{:.digits$}, {:.digits$}]", self.median, self.low, self.high)
    }
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) { 0.5 * (sorted[middle - 1] + sorted[middle]) } else { sorted[middle] }
}

/// How many of the sorted values lie outside of the interval at either end.
fn cut(values: usize) -> usize {
    (0..values / 2).take_while(|cut| *cut == 0 || 1.0 - 2.0 * tail(values, *cut) >= 0.95).last().unwrap_or(0)
}

/// How often the interval of so many values holds the true median.
fn coverage(values: usize) -> f64 {
    1.0 - 2.0 * tail(values, cut(values))
}

/// The chance that at most `most` of so many fair coins show heads.
fn tail(coins: usize, most: usize) -> f64 {
    let mut term = (0..coins).fold(1.0, |chance, _| chance * 0.5);
    let mut sum = term;
    for heads in 1..=most {
        term = term * (coins + 1 - heads) as f64 / heads as f64;
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(names: &[&str], event_ns: &[&[f64]]) -> Rounds {
        Rounds {
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            event_ns: event_ns.iter().map(|round| round.to_vec()).collect(),
        }
    }

    /// The ranks are those of the tables of the sign test.
    #[test]
    fn intervals_are_those_of_the_sign_test() {
        for (values, rank, expected) in [
            (1, 1, 0.0),
            (5, 1, 0.9375),
            (6, 1, 0.968_75),
            (8, 1, 0.992_187_5),
            (9, 2, 0.960_937_5),
            (10, 2, 0.978_515_625),
            (20, 6, 0.958_610_534_667_968_8),
        ] {
            assert_eq!(cut(values) + 1, rank, "{values} values");
            assert!((coverage(values) - expected).abs() < 1e-12, "{values} values: {}", coverage(values));
        }
        let spread = Spread::interval((1..=10).rev().map(f64::from).collect());
        assert_eq!(spread, Spread { median: 5.5, low: 2.0, high: 9.0 });
        assert_eq!(Spread::range(vec![3.0, 1.0, 2.0]), Spread { median: 2.0, low: 1.0, high: 3.0 });
    }

    /// A machine that halves its speed in every round changes all figures and no ratio.
    #[test]
    fn ratios_are_taken_within_a_round() {
        let measured = rounds(&["quick", "slow"], &[&[10.0, 40.0], &[20.0, 80.0], &[40.0, 160.0]]);
        assert_eq!(measured.ratio("quick", "slow"), Some(Spread { median: 4.0, low: 4.0, high: 4.0 }));
        assert_eq!(measured.ratio("slow", "quick").map(|ratio| ratio.median), Some(0.25));
        assert_eq!(measured.added_ns("slow", "quick").map(|added| added.median), Some(60.0));
        assert_eq!(measured.rate("quick"), Some(Spread { median: 50.0, low: 25.0, high: 100.0 }));
        assert_eq!(measured.ratio("quick", "absent"), None);
    }

    #[test]
    fn the_order_rotates() {
        let run = || Measured { events: 1_000, seconds: 1e-6 };
        let mut contestants = ["a", "b", "c"].map(|name| Contestant::new(name, run));
        let mut order = String::new();
        let measured = compare(&mut contestants, 3, |_, name| order += name);
        assert_eq!(order, "abcbcacab");
        assert!((measured.rate("b").expect("it ran").median - 1_000.0).abs() < 1e-9);
    }

    #[test]
    fn tables_and_data_agree() {
        let measured = rounds(&["fleetsim off", "floor"], &[&[50.0, 25.0], &[50.0, 20.0]]);
        let table = measured.table("floor");
        assert!(
            table.contains("fleetsim off      20.000    20.000..20.000        50.0  0.450 [0.400, 0.500]"),
            "{table}"
        );
        let data = measured.to_json("floor");
        assert_eq!(data["contestants"][0]["ratio"]["median"], 0.45);
        assert_eq!(data["contestants"][1]["rounds_ns_per_event"], json!([25.0, 20.0]));
    }
}
