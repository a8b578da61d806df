//! `bench`: measures how speed and memory change with the size of a fleet, and against an earlier measurement.
//!
//! Every sample is a process of its own: this program, started again with its own arguments and told which point to
//! measure. So memory and allocator are those of one run, and a program of a user's own is measured as it is. The
//! points take turns, round by round, so that a slow minute of the machine slows all of them.

mod baseline;
mod machine;
pub(crate) mod report;
mod rounds;
mod sample;
mod scale;
mod statistics;
mod subject;
mod yardstick;

use std::path::PathBuf;

use clap::value_parser;

pub(crate) use baseline::{Comparison, Verdict};

use super::Program;
use crate::exit::{Exit, Failure};
use crate::output::{Format, bench, show, show_json};
use report::{Record, Report};
use subject::{Size, Subject};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A scenario file, or a built-in workload: phold, storm, claim or gossip
    #[arg(value_name = "WORKLOAD|SCENARIO")]
    subject: PathBuf,
    /// How many agents, one size after another (workloads: 1000,10000,100000); a scenario is scaled to each with
    /// its work, and without this runs as it stands
    #[arg(long, value_name = "A,B,...", value_delimiter = ',', value_parser = value_parser!(u32).range(1..))]
    agents: Vec<u32>,
    /// End each run after so many events (workloads: a million, and at least ten for each agent)
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    events: Option<u64>,
    /// How much of each step is recorded: nothing, its digest, or everything, into a temporary file
    #[arg(long, value_name = "LEVELS", value_delimiter = ',', value_enum, default_value = "off,digest,full")]
    record: Vec<Record>,
    /// Let all monitors judge each run; measured apart, since it is another program that runs
    #[arg(long)]
    monitors: bool,
    /// The seed of all runs; without it 1, or the scenario's own
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How often each point is measured; with 7, one disturbed round misleads nobody
    #[arg(long, value_name = "R", default_value = "7", value_parser = value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Compare with an earlier measurement: what `--format json` wrote
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// What is certainly slower than the baseline by more than this share fails
    #[arg(
        long, value_name = "PERCENT", default_value = "10", requires = "baseline",
        value_parser = value_parser!(u32).range(1..=90),
    )]
    threshold: u32,
    /// How to show the result
    #[arg(long, value_name = "FORMAT", default_value = "text", value_enum)]
    format: Format,
}

/// What is to be measured.
struct Course {
    subject: Subject,
    sizes: Vec<Size>,
    seed: u64,
    /// Sizes by position, and record levels: one row of the result each.
    points: Vec<(usize, Record)>,
    /// What the user should know about the sizes.
    notes: Vec<String>,
}

impl Course {
    fn new(arguments: &Arguments, program: &Program) -> Result<Course, Failure> {
        let subject = Subject::new(&arguments.subject)?;
        let (sizes, notes) = subject.sizes(&arguments.agents)?;
        let own_seed = subject.own_seed(&sizes, program)?;
        let mut records: Vec<Record> = Vec::new();
        for record in &arguments.record {
            if !records.contains(record) {
                records.push(*record);
            }
        }
        let points = (0..sizes.len()).flat_map(|size| records.iter().map(move |record| (size, *record)));
        let (points, seed) = (points.collect(), arguments.seed.unwrap_or(own_seed));
        Ok(Course { subject, sizes, seed, points, notes })
    }

    /// A point in words.
    fn name(&self, point: usize) -> String {
        let (size, record) = self.points[point];
        report::point_name(self.sizes[size].agents, record)
    }
}

pub(crate) fn execute(arguments: &Arguments, program: &Program) -> Result<Exit, Failure> {
    let course = Course::new(arguments, program)?;
    if let Some(asked) = sample::asked() {
        return sample::execute(&asked, arguments.events, arguments.monitors, &course, program);
    }
    let judged = if arguments.monitors { ", monitors on" } else { "" };
    let name = format!("{}{judged}", course.subject.name());
    let mut report = Report::new(&name, course.seed, arguments.rounds);
    let points: Vec<(u64, Record)> =
        course.points.iter().map(|(size, record)| (course.sizes[*size].agents, *record)).collect();
    // What cannot be compared is refused before anything is measured.
    let baseline = arguments.baseline.as_ref().map(|path| baseline::read(path, &report, &points));
    let baseline = baseline.transpose()?;
    report.add(&points, &rounds::measure(&course, arguments.rounds)?)?;
    let comparison = baseline.map(|baseline| baseline::compare(&report, &baseline, arguments.threshold));
    match arguments.format {
        Format::Json => {
            let mut value = serde_json::json!(report);
            value["notes"] = serde_json::json!(course.notes);
            if let Some(comparison) = &comparison {
                value["comparison"] = serde_json::json!(comparison);
            }
            show_json(&value)?;
        }
        Format::Text => show(&bench::text(&report, &course.notes, comparison.as_ref()))?,
    }
    let is_slower = comparison.is_some_and(|comparison| comparison.is_slower());
    Ok(if is_slower { Exit::Unexpected } else { Exit::Expected })
}
