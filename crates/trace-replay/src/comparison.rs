//! Compares a run with a recorded one, batch by batch, while it is executed again.
//!
//! Chunks whose hashes agree are checked but not decoded; only where two runs part is anything looked at closely.

use fleetsim_engine::batch::Batch;
use fleetsim_engine::digest::Checkpoint;
use fleetsim_engine::{Digest, RunDigest, Sink};

use crate::divergence::{Divergence, Side};
use crate::error::Error;
use crate::render::Renderer;
use crate::trace::Trace;

/// A sink that compares what it is handed with a trace.
///
/// A partial trace is compared as far as it goes: end the replay after [`Trace::steps`] events.
#[derive(Debug)]
pub struct Comparison<'a> {
    trace: &'a Trace,
    renderer: Renderer,
    digest: RunDigest,
    chunk: usize,
    compared: u64,
    divergence: Option<Divergence>,
    error: Option<Error>,
}

/// What a comparison of a replay with its trace found.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The digest of the replayed run.
    pub digest: Digest,
    /// Steps of the replayed run.
    pub replayed: u64,
    /// Steps that were found to be the same.
    pub same: u64,
    /// Where the runs part, recorded on the left and replayed on the right; `None` when they are the same.
    pub divergence: Option<Divergence>,
    /// Whether the trace is partial, so that only its beginning was compared.
    pub partial: bool,
}

impl<'a> Comparison<'a> {
    /// Compares with `trace`, from its beginning.
    #[must_use]
    pub fn new(trace: &'a Trace) -> Comparison<'a> {
        Comparison {
            trace,
            renderer: Renderer::new(&trace.header().manifest),
            digest: RunDigest::default(),
            chunk: 0,
            compared: 0,
            divergence: None,
            error: None,
        }
    }

    /// Whether the runs are known to part, so that there is no need to go on.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.divergence.is_some() || self.error.is_some()
    }

    /// What was found, when the replay is over.
    ///
    /// # Errors
    /// When a chunk of the trace that was needed is damaged.
    pub fn finish(mut self) -> Result<Compared, Error> {
        if !self.is_decided() && self.compared < self.trace.steps() {
            self.compare(None)?;
        }
        match self.error {
            Some(error) => Err(error),
            None => Ok(Compared {
                digest: self.digest.value(),
                replayed: self.digest.steps(),
                same: self.divergence.as_ref().map_or(self.compared, |divergence| divergence.ordinal),
                divergence: self.divergence,
                partial: self.trace.is_partial(),
            }),
        }
    }

    /// Compares the next chunk with the next batch, either of which may be missing.
    fn compare(&mut self, replayed: Option<(&Batch, Checkpoint)>) -> Result<(), Error> {
        let first = self.compared;
        let recorded = self.chunk < self.trace.chunks();
        if !recorded && self.trace.is_partial() {
            return Ok(());
        }
        let checkpoint = if recorded { Some(self.trace.checked_body(self.chunk)?) } else { None };
        if let (Some(recorded), Some((batch, replayed))) = (checkpoint, replayed)
            && recorded.run == replayed.run
        {
            self.chunk += 1;
            self.compared += batch.len() as u64;
            return Ok(());
        }
        let recorded_batch = match checkpoint {
            Some(_) => self.trace.steps_if_recorded(self.chunk)?,
            None => None,
        };
        if let (Some(recorded), Some((replayed, _))) = (&recorded_batch, replayed)
            && self.is_interrupted_within(recorded, replayed)
        {
            self.chunk += 1;
            self.compared += recorded.len() as u64;
            return Ok(());
        }
        let before = match self.chunk.checked_sub(1) {
            Some(before) => self.trace.steps_if_recorded(before)?,
            None => None,
        };
        let left = Side { batch: recorded_batch.as_ref(), checkpoint, renderer: &self.renderer };
        let right = Side {
            batch: replayed.map(|(batch, _)| batch),
            checkpoint: replayed.map(|(_, checkpoint)| checkpoint),
            renderer: &self.renderer,
        };
        self.divergence = Some(Divergence::between(first, &left, &right, before.as_ref()));
        Ok(())
    }

    /// Whether a partial trace ends inside this batch, and is the same up to there.
    fn is_interrupted_within(&self, recorded: &Batch, replayed: &Batch) -> bool {
        let is_last = self.trace.is_partial() && self.chunk + 1 == self.trace.chunks();
        is_last
            && recorded.len() < replayed.len()
            && Divergence::is_same_up_to(recorded, replayed, recorded.len(), &self.renderer)
    }
}

impl Sink for Comparison<'_> {
    fn accept(&mut self, batch: &mut Batch) {
        let checkpoint = self.digest.absorb(batch);
        if self.is_decided() {
            return;
        }
        self.renderer.learn(batch);
        if let Err(error) = self.compare(Some((batch, checkpoint))) {
            self.error = Some(error);
        }
    }
}
