//! A fleet under measurement: started outside of the measured part, recorded as much as is asked.

use std::path::Path;

use fleetsim_engine::batch::Batch;
use fleetsim_engine::{DigestSink, Fleet, Limits, Simulation, Sink, Status};
use fleetsim_trace_replay::{Header, Recorder};

/// What is kept of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recording {
    /// Nothing.
    Off,
    /// The digest of every step.
    Digest,
    /// Every step, in a file.
    Full,
}

/// A fleet that has started.
pub struct FleetRun {
    simulation: Simulation,
    tap: Tap,
}

/// What a run left.
#[derive(Clone, Copy, Debug)]
pub struct Left {
    /// Steps from the beginning.
    pub events: u64,
    /// Bytes in the trace, its header included; 0 without one.
    pub trace_bytes: u64,
}

enum Tap {
    Off,
    Digest(DigestSink),
    Full(Recorder),
}

impl FleetRun {
    /// Builds the fleet and lets so many events happen, which the measurement leaves out. A full recording goes to
    /// `trace`.
    ///
    /// # Panics
    /// When the fleet is not valid, ends before that, or the file cannot be created.
    #[must_use]
    pub fn start(mut fleet: Fleet, recording: Recording, trace: &Path, events: u64) -> FleetRun {
        if recording == Recording::Off {
            fleet.without_record();
        }
        let simulation = fleet.build().expect("a valid fleet");
        let tap = match recording {
            Recording::Off => Tap::Off,
            Recording::Digest => Tap::Digest(DigestSink::default()),
            Recording::Full => {
                let header = Header { manifest: simulation.manifest().clone(), ..Header::default() };
                Tap::Full(Recorder::create(trace, &header).expect("a writable folder"))
            }
        };
        let mut run = FleetRun { simulation, tap };
        run.advance(events);
        run
    }

    /// The measured part: lets so many events happen and waits until they are digested or written to the page cache.
    /// The disk is not waited for, as its speed is not the program's, nor is the fleet taken apart. It is the last part:
    /// nothing is recorded after it.
    ///
    /// # Panics
    /// When the fleet ends before that, or the trace could not be written.
    pub fn finish(&mut self, events: u64) -> Left {
        self.advance(events);
        let outcome = self.simulation.finish(&Limits::default(), &mut self.tap);
        let trace_bytes = match core::mem::replace(&mut self.tap, Tap::Off) {
            Tap::Off | Tap::Digest(_) => 0,
            Tap::Full(recorder) => {
                let finished = recorder.interrupt();
                assert!(finished.error.is_none(), "{:?}", finished.error);
                finished.bytes
            }
        };
        Left { events: outcome.events, trace_bytes }
    }

    fn advance(&mut self, events: u64) {
        let status = self.simulation.advance(&Limits::default(), events, &mut self.tap);
        assert_eq!(status, Status::Running, "a fleet under measurement does not end");
    }
}

impl Sink for Tap {
    fn accept(&mut self, batch: &mut Batch) {
        match self {
            Tap::Off => {}
            Tap::Digest(sink) => sink.accept(batch),
            Tap::Full(recorder) => recorder.accept(batch),
        }
    }
}
