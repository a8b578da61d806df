//! Drives a simulation to its end: slice by slice, so that between slices Ctrl-C is heard and progress is shown,
//! with a watchdog beside it.

use std::path::PathBuf;
use std::time::Duration;

use fleetsim_engine::batch::Batch;
use fleetsim_engine::{DigestSink, Limits, Names, Outcome, Simulation, Sink, Status};
use fleetsim_monitors::Panel;
use fleetsim_trace_replay::text::escape;
use fleetsim_trace_replay::{Comparison, Recorder};

use crate::exit::Exit;
use crate::output::tell;
use crate::panics;
use crate::progress::Progress;
use crate::wall::{self, Stopwatch, Watchdog};

/// Events between two looks at the outside world: a few milliseconds.
const SLICE_EVENTS: u64 = 16_384;

/// Where the record of a run goes: past the monitors, then into one of these.
pub(crate) struct Taps<'a> {
    pub(crate) panel: Option<Panel>,
    pub(crate) end: Tap<'a>,
}

/// What becomes of the record behind the monitors.
pub(crate) enum Tap<'a> {
    /// It is forgotten.
    Nothing,
    /// It is digested.
    Digest(DigestSink),
    /// It is written to disk.
    Recorder(Box<Recorder>),
    /// It is compared with one that was written before.
    Comparison(Box<Comparison<'a>>),
}

/// What came of driving a simulation.
#[derive(Debug)]
pub(crate) struct Driven {
    pub(crate) outcome: Outcome,
    pub(crate) wall: Duration,
}

impl Taps<'_> {
    /// Whether nothing that is still to come can change what is wanted.
    fn is_decided(&self) -> bool {
        matches!(&self.end, Tap::Comparison(comparison) if comparison.is_decided())
    }

    /// The file that is being written.
    fn recording(&self) -> Option<PathBuf> {
        match &self.end {
            Tap::Recorder(recorder) => Some(recorder.path().to_owned()),
            _ => None,
        }
    }
}

impl Sink for Taps<'_> {
    fn accept(&mut self, batch: &mut Batch) {
        if let Some(panel) = &mut self.panel {
            panel.accept(batch);
        }
        match &mut self.end {
            Tap::Nothing => {}
            Tap::Digest(digest) => digest.accept(batch),
            Tap::Recorder(recorder) => recorder.accept(batch),
            Tap::Comparison(comparison) => comparison.accept(batch),
        }
    }
}

/// Runs `simulation` until it ends, is interrupted by the user, or is decided, and shows how far it is. A handler
/// that takes longer than `watchdog` (zero: no limit) ends the program.
pub(crate) fn drive(
    simulation: &mut Simulation,
    limits: &Limits,
    taps: &mut Taps<'_>,
    watchdog: Duration,
) -> Driven {
    let mut progress = Progress::new(limits.until);
    drive_past(simulation, limits, taps, watchdog, move |simulation| {
        progress.update(simulation.now(), simulation.events());
    })
}

/// As [`drive`], past `look`, which sees the simulation after each slice instead of the user.
pub(crate) fn drive_past(
    simulation: &mut Simulation,
    limits: &Limits,
    taps: &mut Taps<'_>,
    watchdog: Duration,
    mut look: impl FnMut(&Simulation),
) -> Driven {
    wall::note_interrupts();
    let names = Names::new(simulation.manifest());
    let recording = taps.recording();
    let watchdog = Watchdog::start(simulation.heartbeat(), watchdog, move |event, agent, time| {
        let agent = escape(&names.of(agent));
        tell(&format!(
            "watchdog: event e{event} at {time} does not end: a handler of {agent} is still running\n"
        ));
        if let Some(path) = recording {
            tell(&format!(
                "the trace up to the last whole chunk is in {}\n",
                escape(&path.display().to_string())
            ));
        }
        tell(&format!("with `--events-max {event}` the run ends just before it\n"));
        std::process::exit(Exit::Damaged as i32);
    });
    let watch = Stopwatch::start();
    let (outcome, said) = panics::quietly(|| {
        loop {
            watchdog.set_watching(true);
            let status =
                simulation.advance(limits, SLICE_EVENTS, &mut Unwatched { taps, watchdog: &watchdog });
            watchdog.set_watching(false);
            if status != Status::Running || wall::is_interrupted() || taps.is_decided() {
                break;
            }
            look(simulation);
        }
        simulation.finish(limits, taps)
    });
    // What is shown of the progress goes before anything else is told.
    drop(look);
    said.iter().for_each(|line| tell(&format!("note: a handler panicked: {}\n", escape(line))));
    Driven { outcome, wall: watch.elapsed() }
}

/// Taking the record may wait for a disk, which is no handler's fault.
struct Unwatched<'a, 'b> {
    taps: &'a mut Taps<'b>,
    watchdog: &'a Watchdog,
}

impl Sink for Unwatched<'_, '_> {
    fn accept(&mut self, batch: &mut Batch) {
        self.watchdog.set_watching(false);
        self.taps.accept(batch);
        self.watchdog.set_watching(true);
    }
}
