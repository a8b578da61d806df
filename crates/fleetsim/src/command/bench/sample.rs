//! One sample: a run in a process of its own, timed between two looks at the yardstick.
//!
//! Unless it is asked for nothing is judged in it, of a scenario neither: what is measured is the engine and the record. With everything
//! recorded the time ends when the last step is written; whether the disk has it already is the disk's matter.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use fleetsim_engine::{DigestSink, Ending};
use fleetsim_monitors::Panel;
use fleetsim_trace_replay::{Header, Recorder};
use serde::{Deserialize, Serialize};

use super::report::Record;
use super::subject::Prepared;
use super::{Course, machine, yardstick};
use crate::command::Program;
use crate::drive::{Tap, Taps, drive_past};
use crate::exit::{Exit, Failure};
use crate::output::show;
use crate::recording;
use crate::wall::Stopwatch;

/// Which point a process is to measure. A program of a user's own may take its command line from anywhere; started
/// again with the same arguments it comes to the same place, and finds this.
const POINT: &str = "FLEETSIM_BENCH_POINT";
/// Where it may write.
const FOLDER: &str = "FLEETSIM_BENCH_FOLDER";
/// Longest time of one event on the clock on the wall.
const WATCHDOG: Duration = Duration::from_secs(60);

/// What one run came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sample {
    pub(super) events: u64,
    pub(super) messages: u64,
    pub(super) virtual_time_ns: u64,
    /// From the first event to the last, with their record.
    pub(super) wall_ns: u64,
    /// From the description of the fleet to the beginning of its time.
    pub(super) startup_ns: u64,
    /// What the yardstick took, on average of before and after.
    pub(super) yardstick_ns: u64,
    /// Memory that the fleet took from before it was made until all its agents had started.
    pub(super) fleet_bytes: Option<u64>,
    pub(super) peak_rss_bytes: Option<u64>,
    pub(super) trace_bytes: u64,
    pub(super) digest: Option<String>,
}

/// What this process was started for.
pub(super) struct Asked {
    point: usize,
    folder: PathBuf,
}

/// What this process was started for, if that is a sample.
pub(super) fn asked() -> Option<Asked> {
    let point = std::env::var_os(POINT)?.to_str()?.parse().ok()?;
    Some(Asked { point, folder: std::env::var_os(FOLDER)?.into() })
}

/// The command that takes a sample of `point` in a process of its own.
pub(super) fn command(point: usize, folder: &Path) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    command.args(arguments).env(POINT, point.to_string()).env(FOLDER, folder);
    command.stdin(Stdio::null());
    Ok(command)
}

/// Takes the sample and tells it in one line.
pub(super) fn execute(
    asked: &Asked,
    events_max: Option<u64>,
    monitors: bool,
    course: &Course,
    program: &Program,
) -> Result<Exit, Failure> {
    let Some((size, record)) = course.points.get(asked.point) else {
        return Err(Failure::usage(&format!("{POINT} is set, but there is no point {}", asked.point)));
    };
    let prepare = || course.subject.prepare(&course.sizes[*size], *record, course.seed, events_max, program);
    let panel = |header: &Header| {
        // Workloads of this program tell their monitors nothing.
        let config = recording::monitors(header).unwrap_or_default();
        monitors.then(|| program.registry.panel(&config, &header.manifest))
    };
    let sample = measure(*record, &asked.folder, prepare, panel)?;
    show(&format!("{}\n", serde_json::json!(sample)))?;
    Ok(Exit::Expected)
}

fn measure(
    record: Record,
    folder: &Path,
    prepare: impl FnOnce() -> Result<Prepared, Failure>,
    panel: impl FnOnce(&Header) -> Option<Panel>,
) -> Result<Sample, Failure> {
    let yardstick_before = yardstick::run();
    machine::forget_peak();
    let resident_before = machine::resident_bytes();
    let startup = Stopwatch::start();
    let Prepared { mut simulation, limits, header } = prepare()?;
    let startup = startup.elapsed();

    let end = match record {
        Record::Off => Tap::Nothing,
        Record::Digest => Tap::Digest(DigestSink::default()),
        Record::Full => {
            let path = folder.join("sample.fleet");
            let recorder = Recorder::create(&path, &header);
            Tap::Recorder(Box::new(recorder.map_err(|error| Failure::of_trace(&path, &error))?))
        }
    };
    let mut taps = Taps { panel: panel(&header), end };
    let members: u64 = header.manifest.groups.iter().map(|group| u64::from(group.count)).sum();
    // All members start at the first instant, and what they hold is made only then.
    let mut resident_started = None;
    let driven = drive_past(&mut simulation, &limits, &mut taps, WATCHDOG, |simulation| {
        if resident_started.is_none() && simulation.events() >= members {
            resident_started = Some(machine::resident_bytes());
        }
    });
    let writing = Stopwatch::start();
    let (digest, trace_bytes) = match taps.end {
        Tap::Digest(sink) => (Some(sink.value().to_string()), 0),
        Tap::Recorder(recorder) => {
            let finished = recorder.interrupt();
            // It is not missed if it stays: the folder goes in the end.
            let _ = std::fs::remove_file(&finished.path);
            if let Some(error) = &finished.error {
                return Err(Failure::of_trace(&finished.path, error));
            }
            (Some(finished.digest.to_string()), finished.bytes)
        }
        Tap::Nothing | Tap::Comparison(_) => (None, 0),
    };
    let wall = driven.wall + writing.elapsed();
    let resident_started = resident_started.unwrap_or_else(machine::resident_bytes);
    let peak_rss_bytes = machine::peak_resident_bytes();
    drop(simulation);
    let yardstick_after = yardstick::run();

    match &driven.outcome.ending {
        Ending::Interrupted => return Err(Failure::new(Exit::Damaged, "interrupted")),
        Ending::Failed(error) => return Err(Failure::usage(&format!("the run cannot go on: {error}"))),
        _ => {}
    }
    let fleet_bytes = resident_started.zip(resident_before);
    Ok(Sample {
        events: driven.outcome.events,
        messages: driven.outcome.messages,
        virtual_time_ns: driven.outcome.time.as_ns(),
        wall_ns: nanoseconds(wall),
        startup_ns: nanoseconds(startup),
        yardstick_ns: nanoseconds((yardstick_before + yardstick_after) / 2),
        fleet_bytes: fleet_bytes.map(|(started, before)| started.saturating_sub(before)),
        peak_rss_bytes,
        trace_bytes,
        digest,
    })
}

/// Never zero, so that it can be divided by.
fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX).max(1)
}
