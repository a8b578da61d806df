//! Compares a measurement with an earlier one: what became slower, faster, or cannot be told.
//!
//! Two days cannot be measured in turns, so the speeds that are compared are relative to the yardstick.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use serde::Serialize;

use super::report::{Record, Report, Row, point_name};
use super::statistics::{estimate, is_enough};
use crate::exit::{Exit, Failure};

/// Bytes of a baseline: a large measurement has some hundred kilobytes.
const BYTES_MAX: u64 = 16 << 20;
/// Rounds of a row that are compared.
const SAMPLES_MAX: usize = 1_000;

/// How a measurement compares with an earlier one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Comparison {
    pub(crate) threshold_percent: u32,
    /// The rows that both have.
    pub(crate) rows: Vec<Compared>,
    /// What to bear in mind, and rows that only one of them has.
    pub(crate) notes: Vec<String>,
}

/// How one row compares. The figures say how many times as fast it is now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Compared {
    pub(crate) agents: u64,
    pub(crate) record: Record,
    pub(crate) verdict: Verdict,
    pub(crate) ratio: f64,
    /// The true ratio lies between these two, in 95 of 100 comparisons.
    pub(crate) ratio_low: f64,
    pub(crate) ratio_high: f64,
}

/// What can be said of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// Slower by more than the threshold, for all that the interval leaves open.
    Slower,
    /// Faster by more than the threshold, likewise.
    Faster,
    /// Within the threshold, likewise.
    Same,
    /// The interval does not say.
    Unclear,
}

impl Verdict {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Verdict::Slower => "slower",
            Verdict::Faster => "faster",
            Verdict::Same => "same",
            Verdict::Unclear => "unclear",
        }
    }
}

impl Comparison {
    /// Whether anything became slower.
    pub(crate) fn is_slower(&self) -> bool {
        self.rows.iter().any(|row| row.verdict == Verdict::Slower)
    }
}

/// Reads a baseline for the measurement of `points` that is about to be made.
///
/// # Errors
/// When it cannot be read, is no measurement, or is one that these points cannot be compared with.
pub(super) fn read(path: &Path, now: &Report, points: &[(u64, Record)]) -> Result<Report, Failure> {
    let named = |exit, reason: &dyn fmt::Display| {
        Failure::new(exit, &format!("the baseline {}: {reason}", path.display()))
    };
    let text = read_text(path).map_err(|error| named(Exit::Damaged, &error))?;
    parse(&text, now, points).map_err(|reason| named(Exit::Usage, &reason))
}

fn read_text(path: &Path) -> io::Result<Vec<u8>> {
    // Asked before it is opened: opening a pipe that nobody writes to would wait for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    // One byte more than allowed tells whether there is more.
    File::open(path)?.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse(text: &[u8], now: &Report, points: &[(u64, Record)]) -> Result<Report, String> {
    if text.len() as u64 > BYTES_MAX {
        return Err("larger than 16 MiB, which no measurement is".to_owned());
    }
    let report: Report = serde_json::from_slice(text)
        .map_err(|error| format!("not what `bench --format json` writes: {error}"))?;
    if report.yardstick.version != now.yardstick.version {
        return Err(format!(
            "its speeds are relative to yardstick {}, this program's to yardstick {}; measure it again",
            report.yardstick.version, now.yardstick.version
        ));
    }
    if report.workload != now.workload {
        return Err(format!("it measured `{}`, this is `{}`", report.workload, now.workload));
    }
    for (at, row) in report.rows.iter().enumerate() {
        let name = point_name(row.agents, row.record);
        let is_sound = |value: f64| value.is_finite() && value > 0.0 && value < 1e9;
        let sound = row.samples.iter().all(|s| is_sound(s.wall_seconds) && is_sound(s.yardstick_seconds));
        if !sound || row.events == 0 {
            return Err(format!("its row {name} holds figures that cannot be"));
        }
        if row.samples.len() > SAMPLES_MAX {
            return Err(format!("its row {name} holds more than {SAMPLES_MAX} samples"));
        }
        if !is_enough(now.rounds as usize, row.samples.len()) {
            return Err(format!(
                "{} rounds now and {} then for {name} are too few to tell anything; at least 4 on either side are needed",
                now.rounds,
                row.samples.len()
            ));
        }
        if report.rows[..at].iter().any(|other| (other.agents, other.record) == (row.agents, row.record)) {
            return Err(format!("it has two rows {name}"));
        }
    }
    if !report.rows.iter().any(|row| points.contains(&(row.agents, row.record))) {
        return Err("it has none of the points that are to be measured".to_owned());
    }
    Ok(report)
}

/// Compares row by row.
pub(super) fn compare(now: &Report, then: &Report, threshold_percent: u32) -> Comparison {
    let find = |report: &Report, row: &Row| {
        report.rows.iter().position(|other| (other.agents, other.record) == (row.agents, row.record))
    };
    let mut notes = circumstances(now, then);
    let mut rows = Vec::new();
    for row in &now.rows {
        let name = point_name(row.agents, row.record);
        let Some(other) = find(then, row).map(|at| &then.rows[at]) else {
            notes.push(format!("{name}: not in the baseline"));
            continue;
        };
        notes.extend(another_run(row, other, now, then).map(|why| format!("{name}: {why}")));
        // Both have as many rounds as are needed: that was the condition for measuring at all.
        rows.extend(compare_row(row, other, threshold_percent));
    }
    for row in then.rows.iter().filter(|row| find(now, row).is_none()) {
        notes.push(format!("{}: only in the baseline", point_name(row.agents, row.record)));
    }
    Comparison { threshold_percent, rows, notes }
}

/// What makes the measurements less comparable than they might be.
fn circumstances(now: &Report, then: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    if now.machine != then.machine {
        notes.push(
            "the baseline is of another machine, for which the yardstick only roughly makes up".to_owned(),
        );
    }
    if now.optimised != then.optimised {
        let word = |optimised| if optimised { "a release" } else { "a debug" };
        notes.push(format!(
            "this is {} build, the baseline of {} build",
            word(now.optimised),
            word(then.optimised)
        ));
    }
    if now.seed != then.seed {
        notes.push(format!("the seed is {}, the baseline's was {}", now.seed, then.seed));
    }
    notes
}

/// Why a row of the baseline measured another run, if it did.
fn another_run(row: &Row, other: &Row, now: &Report, then: &Report) -> Option<String> {
    if row.events != other.events {
        return Some(format!("{} events, in the baseline {}", row.events, other.events));
    }
    let is_meant_to_be = now.seed == then.seed && now.version.semantics == then.version.semantics;
    let differs = row.digest.is_some() && other.digest.is_some() && row.digest != other.digest;
    (is_meant_to_be && differs)
        .then(|| "another digest than in the baseline: it measured another run".to_owned())
}

fn compare_row(row: &Row, other: &Row, threshold_percent: u32) -> Option<Compared> {
    let estimate = estimate(&relative_speeds(row), &relative_speeds(other))?;
    let threshold = f64::from(threshold_percent) / 100.0;
    let (slow, fast) = (1.0 - threshold, 1.0 + threshold);
    let verdict = if estimate.high < slow {
        Verdict::Slower
    } else if estimate.low > fast {
        Verdict::Faster
    } else if estimate.low >= slow && estimate.high <= fast {
        Verdict::Same
    } else {
        Verdict::Unclear
    };
    Some(Compared {
        agents: row.agents,
        record: row.record,
        verdict,
        ratio: estimate.ratio,
        ratio_low: estimate.low,
        ratio_high: estimate.high,
    })
}

/// Events in the time that the yardstick takes.
fn relative_speeds(row: &Row) -> Vec<f64> {
    let speed =
        |sample: &super::report::Speed| row.events as f64 / sample.wall_seconds * sample.yardstick_seconds;
    row.samples.iter().map(speed).collect()
}

#[cfg(test)]
mod tests {
    use super::super::report::Speed;
    use super::*;

    /// A measurement whose rows took these milliseconds, with a yardstick of so many.
    fn report(yardstick_ms: u64, rows: &[(u64, Record, &[u64])]) -> Report {
        let row = |(agents, record, walls): &(u64, Record, &[u64])| Row {
            agents: *agents,
            record: *record,
            events: 1_000_000,
            messages: 1,
            virtual_time_ns: 1,
            events_per_second: 1,
            events_per_second_min: 1,
            events_per_second_max: 1,
            bytes_per_agent: None,
            peak_rss_bytes: None,
            trace_bytes: 0,
            trace_bytes_per_message: None,
            wall_seconds_per_virtual_hour: None,
            startup_seconds: 0.0,
            digest: Some("d".to_owned()),
            samples: walls
                .iter()
                .map(|wall| Speed {
                    wall_seconds: *wall as f64 / 1e3,
                    yardstick_seconds: yardstick_ms as f64 / 1e3,
                })
                .collect(),
        };
        Report { rows: rows.iter().map(row).collect(), ..Report::new("phold", 1, 5) }
    }

    const QUIET: &[u64] = &[100, 101, 99, 102, 100];

    #[test]
    fn a_verdict_needs_the_whole_interval() {
        for (name, walls, yardstick_ms, threshold, verdict) in [
            ("the same again", QUIET, 30, 10, Verdict::Same),
            ("a third slower", &[133, 134, 131, 135, 130][..], 30, 10, Verdict::Slower),
            ("a third slower is within 40 %", &[133, 134, 131, 135, 130], 30, 40, Verdict::Same),
            ("a third slower on a machine that is", &[133, 134, 131, 135, 130], 40, 10, Verdict::Same),
            ("as fast on a machine that is faster", QUIET, 20, 10, Verdict::Slower),
            ("a third faster", &[66, 67, 65, 66, 68], 30, 10, Verdict::Faster),
            ("one disturbed round of five", &[100, 101, 99, 900, 100], 30, 10, Verdict::Unclear),
            ("one disturbed round of seven", &[100, 101, 99, 900, 100, 98, 102], 30, 10, Verdict::Same),
            ("noise around the same", &[60, 150, 80, 200, 100], 30, 10, Verdict::Unclear),
            ("slower, but by how much", &[105, 113, 120, 108, 130], 30, 10, Verdict::Unclear),
        ] {
            let then = report(30, &[(1_000, Record::Off, QUIET)]);
            let now = report(yardstick_ms, &[(1_000, Record::Off, walls)]);
            let comparison = compare(&now, &then, threshold);
            assert_eq!(comparison.rows[0].verdict, verdict, "{name}: {comparison:?}");
            assert_eq!(comparison.is_slower(), verdict == Verdict::Slower);
            assert_eq!(comparison.notes, [""; 0], "{name}");
        }
    }

    #[test]
    fn rows_of_one_side_and_other_runs_are_named() {
        let then = report(30, &[(1_000, Record::Off, QUIET), (10_000, Record::Off, QUIET)]);
        let mut now = report(30, &[(1_000, Record::Off, QUIET), (1_000, Record::Full, QUIET)]);
        now.rows[0].digest = Some("e".to_owned());
        now.machine.model = Some("abacus".to_owned());
        let comparison = compare(&now, &then, 10);
        assert_eq!(comparison.rows.len(), 1);
        assert_eq!(
            comparison.notes,
            [
                "the baseline is of another machine, for which the yardstick only roughly makes up",
                "1,000 agents, off: another digest than in the baseline: it measured another run",
                "1,000 agents, full: not in the baseline",
                "10,000 agents, off: only in the baseline",
            ]
        );
        // With another seed another digest is what one expects.
        now = Report { seed: 2, rows: now.rows, ..then.clone() };
        now.rows[0].events = 5;
        assert_eq!(
            compare(&now, &then, 10).notes[..2],
            ["the seed is 2, the baseline's was 1", "1,000 agents, off: 5 events, in the baseline 1000000"]
        );
    }

    #[test]
    fn what_is_no_comparable_baseline_is_refused() {
        let now = Report::new("phold", 1, 5);
        let points = [(1_000, Record::Off)];
        let good = report(30, &[(1_000, Record::Off, QUIET)]);
        let text = |report: &Report| serde_json::to_vec(report).unwrap();
        assert_eq!(parse(&text(&good), &now, &points).as_ref(), Ok(&good));

        let changed = |change: fn(&mut Report)| {
            let mut report = good.clone();
            change(&mut report);
            text(&report)
        };
        let deep = [&br#"{"x":"#[..], &b"[".repeat(100_000)].concat();
        let mut huge = text(&good);
        huge.resize(BYTES_MAX as usize + 1, b' ');
        for (text, reason) in [
            (b"".to_vec(), "not what"),
            (b"{}".to_vec(), "missing field"),
            (b"\xff\xfe".to_vec(), "not what"),
            (deep, "not what"),
            (huge, "larger than 16 MiB"),
            (changed(|r| r.yardstick.version = 9), "yardstick 9"),
            (changed(|r| r.workload = "storm".to_owned()), "measured `storm`"),
            (changed(|r| r.rows.clear()), "none of the points"),
            (changed(|r| r.rows[0].agents = 7), "none of the points"),
            (changed(|r| r.rows[0].events = 0), "cannot be"),
            (changed(|r| r.rows[0].samples[2].wall_seconds = 0.0), "cannot be"),
            (changed(|r| r.rows[0].samples[2].yardstick_seconds = -1.0), "cannot be"),
            (changed(|r| r.rows[0].samples[0].wall_seconds = 1e300), "cannot be"),
            (changed(|r| r.rows[0].samples.truncate(2)), "too few"),
            (changed(|r| r.rows[0].samples.clear()), "too few"),
            (changed(|r| r.rows[0].samples = vec![r.rows[0].samples[0]; 1_001]), "more than 1000"),
            (changed(|r| r.rows.push(r.rows[0].clone())), "two rows"),
        ] {
            let error = parse(&text, &now, &points).unwrap_err();
            assert!(error.contains(reason), "{reason}: {error}");
        }
        let one_round = Report { rounds: 1, ..now };
        assert!(parse(&text(&good), &one_round, &points).unwrap_err().contains("too few"));
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let now = Report::new("phold", 1, 5);
        for path in [folder.path(), &folder.path().join("absent")] {
            assert_eq!(read(path, &now, &[]).unwrap_err().exit, Exit::Damaged);
        }
        let path = folder.path().join("text\u{1b}");
        std::fs::write(&path, "hello").unwrap();
        let failure = read(&path, &now, &[]).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.text.contains("text\\u{1b}: not what"), "{}", failure.text);
    }
}
