//! Verifies a whole trace: every checksum, every hash, and the chain of hashes that is the run digest.
//!
//! Verification goes on after a damaged chunk, so that its report lists all of the damage.

use fleetsim_engine::Sink;
use fleetsim_engine::batch::Batch;
use fleetsim_engine::digest::{Checkpoint, Digest, RunDigest};

use crate::error::Error;
use crate::scan::place;
use crate::trace::Trace;

/// What a verification found.
#[derive(Clone, Debug)]
pub struct Verification {
    /// Steps in chunks that are sound.
    pub steps: u64,
    /// The digest of the run, recomputed; `None` when a damaged chunk leaves it unknown.
    pub digest: Option<Digest>,
    /// All damage, each with its place.
    pub damage: Vec<Error>,
}

impl Trace {
    /// Reads every chunk and recomputes every hash.
    #[must_use]
    pub fn verify(&self) -> Verification {
        self.verify_each(&mut |_| ()).0
    }

    /// Hands every batch to a sink, as [`feed`](Trace::feed) does, and verifies it on the way: each chunk is read once.
    ///
    /// # Errors
    /// When a chunk cannot be read. Damage that leaves the steps readable is in the verification.
    pub fn feed_verified(&self, sink: &mut dyn Sink) -> Result<Verification, Error> {
        match self.verify_each(&mut |batch| sink.accept(batch)) {
            (_, Some(unreadable)) => Err(unreadable),
            (found, None) => Ok(found),
        }
    }

    /// Verifies every chunk and shows the steps of those that can be read. Gives the error of the first that cannot.
    fn verify_each(&self, show: &mut dyn FnMut(&mut Batch)) -> (Verification, Option<Error>) {
        let mut unreadable = None;
        let mut found = Verification { steps: 0, digest: None, damage: self.damage().to_vec() };
        // The hash of the run before the next chunk, when it is known.
        let mut chain = Some(RunDigest::default().value());
        for chunk in 0..self.chunks() {
            let span = self.span(chunk);
            let sound = match self.checked_checkpoint(chunk, show, &mut unreadable) {
                Ok(checkpoint) if chain.is_none_or(|before| link(before, &checkpoint) == checkpoint.run) => {
                    found.steps += span.steps;
                    Ok(checkpoint)
                }
                Ok(checkpoint) => {
                    found.note(
                        self.mismatch(chunk, "the digest of the run does not follow from the chunk before"),
                    );
                    Ok(checkpoint)
                }
                Err(error) => {
                    found.note(error);
                    self.checkpoint(chunk)
                }
            };
            chain = sound.ok().map(|checkpoint| checkpoint.run);
        }
        if let Some((digest, steps)) = self.closing_digest()
            && chain.is_some_and(|chain| chain != digest || steps != self.steps())
        {
            found.note(Error::damaged(0, "closing record", "its digest is not that of the chunks"));
        }
        found.digest = chain.filter(|_| found.damage.is_empty());
        (found, unreadable)
    }

    /// The checkpoint of a chunk, after its steps were found to have those hashes.
    fn checked_checkpoint(
        &self,
        chunk: usize,
        show: &mut dyn FnMut(&mut Batch),
        unreadable: &mut Option<Error>,
    ) -> Result<Checkpoint, Error> {
        let batch = self.batch(chunk);
        if let Err(error) = &batch {
            unreadable.get_or_insert_with(|| error.clone());
        }
        let recorded = self.checkpoint(chunk)?;
        let mut batch = match batch {
            Ok(batch) => batch,
            Err(error) if error.is_not_recorded() => return Ok(recorded),
            Err(error) => return Err(error),
        };
        let computed = hash(&batch, recorded.payloads);
        show(&mut batch);
        if computed.headers != recorded.headers || computed.payloads != recorded.payloads {
            return Err(self.mismatch(chunk, "its steps do not have the hashes that its head gives"));
        }
        Ok(recorded)
    }

    fn mismatch(&self, chunk: usize, what: &str) -> Error {
        Error::damaged(self.offset(chunk), &place(chunk, &self.span(chunk)), what)
    }
}

impl Verification {
    fn note(&mut self, error: Error) {
        if !self.damage.contains(&error) {
            self.damage.push(error);
        }
    }
}

/// The hashes of a batch alone. Payloads that were not recorded count as those with the hash `payloads`.
fn hash(batch: &fleetsim_engine::batch::Batch, payloads: Digest) -> Checkpoint {
    let mut digest = RunDigest::default();
    // The chain is of no interest here; the digest only has to be where the batch begins.
    digest.absorb_hashes(payloads, payloads, batch.first_ordinal());
    match batch.payload_bytes() {
        Some(_) => digest.absorb(batch),
        None => digest.absorb_headers(batch, payloads),
    }
}

/// The hash of the run after a chunk, from that before it and those of the chunk.
fn link(before: Digest, checkpoint: &Checkpoint) -> Digest {
    let mut chain = blake3::Hasher::new();
    chain.update(&before.0).update(&checkpoint.headers.0).update(&checkpoint.payloads.0);
    Digest(*chain.finalize().as_bytes())
}
