//! What a measurement comes to, and its form on disk: the JSON that a later one is compared with.

use std::time::Duration;

use fleetsim_engine::{HOUR, SEMANTICS};
use fleetsim_trace_replay::FORMAT;
use serde::{Deserialize, Serialize};

use super::machine::Machine;
use super::sample::Sample;
use super::statistics::median;
use super::yardstick;
use crate::exit::{Exit, Failure};
use crate::output::figures::{counted, per_second};

/// How much of each step is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Record {
    /// Nothing.
    Off,
    /// Its digest, kept.
    Digest,
    /// Everything, written to a file.
    Full,
}

impl Record {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Record::Off => "off",
            Record::Digest => "digest",
            Record::Full => "full",
        }
    }
}

/// A whole measurement: what was measured, with what, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) version: Versions,
    /// Whether the program was built for speed.
    pub(crate) optimised: bool,
    pub(crate) machine: Machine,
    /// A workload, or a scenario's file name.
    pub(crate) workload: String,
    pub(crate) seed: u64,
    pub(crate) rounds: u32,
    pub(crate) yardstick: Yardstick,
    pub(crate) rows: Vec<Row>,
}

/// What the speeds are relative to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Yardstick {
    pub(crate) version: u32,
    /// How long it took, in the middle of all samples; 0 before anything is measured.
    pub(crate) seconds: f64,
}

/// The three versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Versions {
    pub(crate) format: u32,
    pub(crate) semantics: u32,
    pub(crate) program: String,
}

/// One size at one record level. Figures of speed, memory and start are medians over the rounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) agents: u64,
    pub(crate) record: Record,
    pub(crate) events: u64,
    pub(crate) messages: u64,
    pub(crate) virtual_time_ns: u64,
    pub(crate) events_per_second: u64,
    pub(crate) events_per_second_min: u64,
    pub(crate) events_per_second_max: u64,
    /// Memory of the started fleet with the messages then under way, by agent; `None` where unknown.
    pub(crate) bytes_per_agent: Option<u64>,
    pub(crate) peak_rss_bytes: Option<u64>,
    pub(crate) trace_bytes: u64,
    /// `None` when nothing was recorded or sent.
    pub(crate) trace_bytes_per_message: Option<f64>,
    /// `None` when no virtual time went by.
    pub(crate) wall_seconds_per_virtual_hour: Option<f64>,
    pub(crate) startup_seconds: f64,
    /// `None` when nothing was recorded.
    pub(crate) digest: Option<String>,
    /// The rounds.
    pub(crate) samples: Vec<Speed>,
}

/// How fast one run was, and how fast the machine was around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Speed {
    pub(crate) wall_seconds: f64,
    pub(crate) yardstick_seconds: f64,
}

impl Report {
    /// A measurement in which nothing is measured yet.
    pub(super) fn new(workload: &str, seed: u64, rounds: u32) -> Report {
        let program = env!("CARGO_PKG_VERSION").to_owned();
        Report {
            version: Versions { format: FORMAT, semantics: SEMANTICS, program },
            optimised: !cfg!(debug_assertions),
            machine: Machine::this(),
            workload: workload.to_owned(),
            seed,
            rounds,
            yardstick: Yardstick { version: yardstick::VERSION, seconds: 0.0 },
            rows: Vec::new(),
        }
    }

    /// Adds the rows of `points` with their samples.
    ///
    /// # Errors
    /// When the runs of one size were not the same.
    pub(super) fn add(&mut self, points: &[(u64, Record)], samples: &[Vec<Sample>]) -> Result<(), Failure> {
        for ((agents, record), samples) in points.iter().zip(samples) {
            self.rows.push(Row::new(*agents, *record, samples)?);
        }
        check_same_runs(&self.rows)?;
        let yardsticks = samples.iter().flatten().map(|sample| seconds(sample.yardstick_ns));
        self.yardstick.seconds = median(&yardsticks.collect::<Vec<_>>());
        Ok(())
    }
}

impl Row {
    /// The row of a point, from its samples by round, at least one.
    ///
    /// # Errors
    /// When they are not of the same run.
    fn new(agents: u64, record: Record, samples: &[Sample]) -> Result<Row, Failure> {
        let first = &samples[0];
        for (round, other) in samples.iter().enumerate().skip(1) {
            if run_of(other) != run_of(first) || other.digest != first.digest {
                let (point, round) = (point_name(agents, record), round + 1);
                return Err(not_the_same(
                    &format!("{point}: round {round} was another run than round 1"),
                    &in_words(run_of(first), first.digest.as_deref()),
                    &in_words(run_of(other), other.digest.as_deref()),
                ));
            }
        }
        let middle = |value: fn(&Sample) -> f64| median(&samples.iter().map(value).collect::<Vec<_>>());
        let known = |value: fn(&Sample) -> Option<u64>| {
            let values: Option<Vec<f64>> = samples.iter().map(|sample| Some(value(sample)? as f64)).collect();
            values.map(|values| median(&values) as u64)
        };
        let speeds = || samples.iter().map(|sample| events_per_second(sample.events, sample.wall_ns as f64));
        let wall_ns = middle(|sample| sample.wall_ns as f64);
        let (is_recorded, is_lived) =
            (first.trace_bytes > 0 && first.messages > 0, first.virtual_time_ns > 0);
        Ok(Row {
            agents,
            record,
            events: first.events,
            messages: first.messages,
            virtual_time_ns: first.virtual_time_ns,
            events_per_second: events_per_second(first.events, wall_ns),
            events_per_second_min: speeds().min().unwrap_or_default(),
            events_per_second_max: speeds().max().unwrap_or_default(),
            bytes_per_agent: known(|sample| sample.fleet_bytes).map(|bytes| bytes / agents.max(1)),
            peak_rss_bytes: known(|sample| sample.peak_rss_bytes),
            trace_bytes: first.trace_bytes,
            trace_bytes_per_message: is_recorded.then(|| first.trace_bytes as f64 / first.messages as f64),
            wall_seconds_per_virtual_hour: is_lived
                .then(|| wall_ns / 1e9 * (HOUR as f64 / first.virtual_time_ns as f64)),
            startup_seconds: middle(|sample| sample.startup_ns as f64) / 1e9,
            digest: first.digest.clone(),
            samples: samples
                .iter()
                .map(|sample| Speed {
                    wall_seconds: seconds(sample.wall_ns),
                    yardstick_seconds: seconds(sample.yardstick_ns),
                })
                .collect(),
        })
    }
}

/// The record level changes nothing of a run: all rows of one size show the same one.
fn check_same_runs(rows: &[Row]) -> Result<(), Failure> {
    for (at, row) in rows.iter().enumerate() {
        let run = |row: &Row| (row.events, row.messages, row.virtual_time_ns);
        let earlier = rows[..at].iter().filter(|earlier| earlier.agents == row.agents);
        for earlier in earlier {
            let both = row.digest.is_some() && earlier.digest.is_some();
            if run(row) != run(earlier) || both && row.digest != earlier.digest {
                let agents = counted(row.agents, "agent");
                let levels =
                    format!("`{}` was another run than `{}`", row.record.name(), earlier.record.name());
                return Err(not_the_same(
                    &format!("{agents}: recording {levels}"),
                    &in_words(run(earlier), earlier.digest.as_deref()),
                    &in_words(run(row), row.digest.as_deref()),
                ));
            }
        }
    }
    Ok(())
}

/// A point in words: `1,000 agents, full`.
pub(crate) fn point_name(agents: u64, record: Record) -> String {
    format!("{}, {}", counted(agents, "agent"), record.name())
}

fn run_of(sample: &Sample) -> (u64, u64, u64) {
    (sample.events, sample.messages, sample.virtual_time_ns)
}

fn in_words((events, messages, time_ns): (u64, u64, u64), digest: Option<&str>) -> String {
    format!("{events} events, {messages} messages, {time_ns} ns, digest {}", digest.unwrap_or("not taken"))
}

fn not_the_same(what: &str, one: &str, other: &str) -> Failure {
    let message = format!(
        "nondeterminism: {what}\n{one}\n{other}\nsome agent depends on more than its inputs (a clock, a hash map, \
         a global); `run --twice` names the first event that differs"
    );
    Failure::new(Exit::Diverged, &message)
}

fn events_per_second(events: u64, wall_ns: f64) -> u64 {
    per_second(events, Duration::from_nanos(wall_ns as u64))
}

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(wall_ms: u64) -> Sample {
        Sample {
            events: 1_000_000,
            messages: 500_000,
            virtual_time_ns: 2 * HOUR,
            wall_ns: wall_ms * 1_000_000,
            startup_ns: 5_000_000,
            yardstick_ns: 30_000_000,
            fleet_bytes: Some(64_000),
            peak_rss_bytes: Some(9_000_000),
            trace_bytes: 8_000_000,
            digest: Some("d1".to_owned()),
        }
    }

    #[test]
    fn a_row_holds_medians_and_their_spread() {
        let row = Row::new(1_000, Record::Full, &[sample(200), sample(100), sample(400)]).unwrap();
        assert_eq!(row.events_per_second, 5_000_000);
        assert_eq!((row.events_per_second_min, row.events_per_second_max), (2_500_000, 10_000_000));
        assert_eq!((row.bytes_per_agent, row.peak_rss_bytes), (Some(64), Some(9_000_000)));
        assert_eq!(row.trace_bytes_per_message, Some(16.0));
        assert_eq!(row.wall_seconds_per_virtual_hour, Some(0.1));
        assert_eq!(row.startup_seconds, 0.005);
        assert_eq!(row.samples.len(), 3);
        let unknown = Sample { fleet_bytes: None, peak_rss_bytes: None, trace_bytes: 0, ..sample(1) };
        let row = Row::new(1_000, Record::Off, &[sample(1), unknown]);
        assert_eq!(row.map(|row| (row.bytes_per_agent, row.peak_rss_bytes)), Ok((None, None)));
    }

    #[test]
    fn runs_that_differ_are_nondeterminism() {
        let other_digest = Sample { digest: Some("d2".to_owned()), ..sample(1) };
        let other_events = Sample { events: 999_999, ..sample(1) };
        for other in [&other_digest, &other_events] {
            let failure = Row::new(1_000, Record::Full, &[sample(1), other.clone()]).unwrap_err();
            assert_eq!(failure.exit, Exit::Diverged);
            assert!(failure.text.contains("nondeterminism: 1,000 agents, full: round 2"), "{}", failure.text);
        }
        let row = |record, sample: Sample| Row::new(1_000, record, &[sample]).unwrap();
        let full = row(Record::Full, sample(1));
        let off = |events| row(Record::Off, Sample { digest: None, trace_bytes: 0, events, ..sample(1) });
        for (rows, same) in [
            ([row(Record::Digest, sample(3)), full.clone()], true),
            ([row(Record::Digest, other_digest.clone()), full.clone()], false),
            ([off(1_000_000), full.clone()], true),
            ([off(999_999), full.clone()], false),
            ([Row { agents: 5, ..row(Record::Full, other_digest.clone()) }, full.clone()], true),
        ] {
            assert_eq!(check_same_runs(&rows).is_ok(), same, "{rows:?}");
        }
    }
}
