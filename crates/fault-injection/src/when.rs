//! When a rule is in force.

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{Draw, Time, hash_text};
use serde::{Deserialize, Serialize};

use crate::share::Share;
use crate::trigger::Trigger;

/// When a rule is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum When {
    /// From the beginning to the end.
    Always,
    /// From an instant on. What is over at once happens then; what lasts is never undone, except by healing.
    At {
        /// The instant.
        at: Time,
    },
    /// From an instant until another.
    Window {
        /// The first instant.
        from: Time,
        /// The first instant that is no longer in it.
        until: Time,
    },
    /// Again and again.
    Periodic {
        /// When the first time begins.
        first: Time,
        /// From one beginning to the next, in nanoseconds.
        every_ns: u64,
        /// How long each time lasts, in nanoseconds, less than `every_ns`.
        lasts_ns: u64,
        /// No time begins at or after this.
        until: Time,
    },
    /// At random times: a Poisson process, except that a time that begins during another only extends it.
    Random {
        /// From one beginning to the next in the mean, in nanoseconds.
        mean_gap_ns: u64,
        /// How long each time lasts, in nanoseconds.
        lasts_ns: u64,
        /// No time begins before this.
        from: Time,
        /// No time begins at or after this.
        until: Time,
    },
    /// After somebody states a fact. The rule sees the step after it happened, and acts at least a nanosecond later.
    Triggered {
        /// Which fact.
        by: Trigger,
        /// How much later, in nanoseconds.
        after_ns: u64,
        /// For how long, in nanoseconds; without it until `released`, or for good.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lasts_ns: Option<u64>,
        /// It ends at the latest when somebody states this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        released: Option<Trigger>,
        /// How many of the occasions are taken.
        #[serde(default)]
        share: Share,
        /// How many times at most.
        times_max: u32,
    },
}

/// How often a rule may begin, so that a plan stays small whatever is written in it.
pub(crate) const OCCURRENCES_MAX: usize = 100_000;

const LUCK_OF_TIMES: u64 = hash_text("times of a fault");

/// A time in which a rule is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Interval {
    pub(crate) from: Time,
    /// The first instant that is no longer in it; the end of time when there is none.
    pub(crate) until: Time,
}

impl Interval {
    pub(crate) const ALWAYS: Interval = Interval { from: Time::ZERO, until: Time::MAX };

    pub(crate) fn contains(&self, at: Time) -> bool {
        self.from <= at && at < self.until
    }

    /// Whether it has an instant from `from` to `to`, both included.
    pub(crate) fn meets(&self, from: Time, to: Time) -> bool {
        self.from <= to && from < self.until
    }
}

impl When {
    /// What is wrong with it, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self {
            When::Window { from, until } if until <= from => {
                Err("it ends before it begins: the end must be after the beginning".to_owned())
            }
            When::Periodic { every_ns: 0, .. } => Err("its period must be above zero".to_owned()),
            When::Periodic { every_ns, lasts_ns, .. } if lasts_ns >= every_ns => {
                Err("each time must end before the next begins".to_owned())
            }
            When::Periodic { first, every_ns, until, .. }
                if until.since(*first) / every_ns >= OCCURRENCES_MAX as u64 =>
            {
                Err(format!("it would begin more than {OCCURRENCES_MAX} times"))
            }
            When::Random { mean_gap_ns: 0, .. } => Err("the mean gap must be above zero".to_owned()),
            When::Random { from, until, .. } if until <= from => {
                Err("it ends before it begins: the end must be after the beginning".to_owned())
            }
            When::Triggered { times_max: 0, .. } => Err("it would happen at most 0 times".to_owned()),
            When::Triggered { lasts_ns: Some(0), .. } => Err("it must last some time".to_owned()),
            When::Triggered { share, .. } if !share.is_share() => {
                Err("a share is between 0% and 100%".to_owned())
            }
            When::Triggered { by, released, .. } => {
                by.check()?;
                released.as_ref().map_or(Ok(()), Trigger::check)
            }
            _ => Ok(()),
        }
    }

    /// The times that are known before a run, in order and apart from each other. `rule` names the luck.
    pub(crate) fn intervals(&self, seed: u64, rule: &str) -> Vec<Interval> {
        match *self {
            When::Always => vec![Interval::ALWAYS],
            When::At { at } => vec![Interval { from: at, until: Time::MAX }],
            When::Window { from, until } => vec![Interval { from, until }],
            When::Periodic { first, every_ns, lasts_ns, until } => {
                let starts = core::iter::successors(Some(first), |from| from.checked_add(every_ns));
                starts.take_while(|from| *from < until).map(|from| lasting(from, lasts_ns)).collect()
            }
            When::Random { mean_gap_ns, lasts_ns, from, until } => {
                let mut draw = Draw::keyed(seed, LUCK_OF_TIMES, [hash_text(rule)]);
                random(&mut draw, mean_gap_ns, lasts_ns, from, until)
            }
            When::Triggered { .. } => Vec::new(),
        }
    }
}

fn random(draw: &mut Draw, mean_gap_ns: u64, lasts_ns: u64, from: Time, until: Time) -> Vec<Interval> {
    let gaps_ns = Sampler::exponential(mean_gap_ns).expect("a plan's gaps are above zero");
    let mut intervals: Vec<Interval> = Vec::new();
    let mut at = from;
    while intervals.len() < OCCURRENCES_MAX {
        let Some(next) = at.checked_add(gaps_ns.sample(draw).max(1)).filter(|next| *next < until) else {
            break;
        };
        at = next;
        let this = lasting(at, lasts_ns);
        match intervals.last_mut() {
            Some(last) if this.from < last.until => last.until = last.until.max(this.until),
            _ => intervals.push(this),
        }
    }
    intervals
}

/// What is over at once takes a nanosecond.
pub(crate) fn lasting(from: Time, lasts_ns: u64) -> Interval {
    Interval { from, until: from.checked_add(lasts_ns.max(1)).unwrap_or(Time::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ns: u64) -> Time {
        Time::from_ns(ns)
    }

    #[test]
    fn periods_begin_before_the_end_and_stay_apart() {
        let when = When::Periodic { first: at(5), every_ns: 10, lasts_ns: 3, until: at(30) };
        let begins: Vec<u64> = when.intervals(1, "r").iter().map(|one| one.from.as_ns()).collect();
        assert_eq!(begins, [5, 15, 25]);
    }

    #[test]
    fn random_times_come_at_their_rate() {
        // 10,000 gaps of 1,000 ns fit in the mean, standard deviation 100: six of them on either side.
        let when = When::Random { mean_gap_ns: 1_000, lasts_ns: 0, from: at(7), until: at(10_000_007) };
        let intervals = when.intervals(3, "rule");
        assert!((9_400..=10_600).contains(&intervals.len()), "{}", intervals.len());
        assert!(intervals.windows(2).all(|pair| pair[0].until <= pair[1].from));
        assert_eq!(intervals, when.intervals(3, "rule"));
        assert_ne!(intervals, when.intervals(4, "rule"));
        assert_ne!(intervals, when.intervals(3, "other"));
    }

    #[test]
    fn nonsense_is_refused() {
        let trigger = |by: &str| When::Triggered {
            by: Trigger::on(by),
            after_ns: 0,
            lasts_ns: None,
            released: None,
            share: Share::ALL,
            times_max: 1,
        };
        for (when, expected) in [
            (When::Window { from: at(9), until: at(9) }, "ends before it begins"),
            (When::Periodic { first: at(0), every_ns: 0, lasts_ns: 0, until: at(9) }, "above zero"),
            (When::Periodic { first: at(0), every_ns: 5, lasts_ns: 5, until: at(9) }, "before the next"),
            (When::Periodic { first: at(0), every_ns: 1, lasts_ns: 0, until: at(1_000_000) }, "100000 times"),
            (When::Random { mean_gap_ns: 0, lasts_ns: 1, from: at(0), until: at(9) }, "above zero"),
            (
                When::Random { mean_gap_ns: 1, lasts_ns: 1, from: at(9), until: at(8) },
                "ends before it begins",
            ),
            (trigger("Nonsense"), "no fact `Nonsense`"),
        ] {
            let message = when.check().expect_err("it is nonsense");
            assert!(message.contains(expected), "{message}");
        }
        assert_eq!(trigger("TaskClaimed").check(), Ok(()));
    }
}
