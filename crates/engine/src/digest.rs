//! The run digest: one number that two runs share exactly when they are the same run.
//!
//! Every batch is hashed twice with BLAKE3, once without payloads (headers: columns and facts) and once the payload
//! bytes alone, and both enter a chain that starts from a constant. So a recording without payloads can still be
//! verified, and two runs can be compared checkpoint by checkpoint. Nothing that depends on how a run was stored or
//! watched is hashed.

use core::fmt;

use crate::batch::{Batch, STEPS_MAX};
use crate::simulation::Sink;

const START: &[u8] = b"fleetsim run digest";

/// A BLAKE3 hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest that [`Display`](fmt::Display) shows as `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Digest> {
        blake3::Hash::from_hex(text).ok().map(|hash| Digest(*hash.as_bytes()))
    }
}

/// Shows 64 hexadecimal digits.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The hashes of one batch, and of the run up to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Of the batch without payloads.
    pub headers: Digest,
    /// Of the payload bytes of the batch.
    pub payloads: Digest,
    /// Of the run so far.
    pub run: Digest,
}

/// Digests a run, batch by batch.
#[derive(Clone, Debug)]
pub struct RunDigest {
    run: Digest,
    steps: u64,
    scratch: Vec<u8>,
}

impl Default for RunDigest {
    fn default() -> Self {
        RunDigest { run: Digest(*blake3::hash(START).as_bytes()), steps: 0, scratch: Vec::new() }
    }
}

impl RunDigest {
    /// Adds a batch and returns its checkpoint.
    ///
    /// # Panics
    /// When the batch holds no payloads, or does not follow on the last one.
    pub fn absorb(&mut self, batch: &Batch) -> Checkpoint {
        let payloads = batch.payload_bytes().expect("only a whole batch can be digested");
        let payloads = Digest(*blake3::hash(payloads).as_bytes());
        self.absorb_headers(batch, payloads)
    }

    /// Adds a batch of which only the hash of the payloads is known.
    ///
    /// # Panics
    /// When the batch does not follow on the last one.
    pub fn absorb_headers(&mut self, batch: &Batch, payloads: Digest) -> Checkpoint {
        assert_eq!(batch.first_ordinal(), self.steps, "batches are digested in order");
        self.scratch.clear();
        canonical_headers(batch, &mut self.scratch);
        let headers = Digest(*blake3::hash(&self.scratch).as_bytes());
        self.absorb_hashes(headers, payloads, batch.len() as u64)
    }

    /// Adds a batch of `steps` steps of which only the hashes are known.
    pub fn absorb_hashes(&mut self, headers: Digest, payloads: Digest, steps: u64) -> Checkpoint {
        let mut chain = blake3::Hasher::new();
        chain.update(&self.run.0).update(&headers.0).update(&payloads.0);
        self.run = Digest(*chain.finalize().as_bytes());
        self.steps += steps;
        Checkpoint { headers, payloads, run: self.run }
    }

    /// The digest of the run so far.
    #[must_use]
    pub fn value(&self) -> Digest {
        self.run
    }

    /// How many steps were digested.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }
}

/// A sink that only digests.
#[derive(Clone, Debug, Default)]
pub struct DigestSink {
    digest: RunDigest,
}

impl DigestSink {
    /// The digest of the run so far.
    #[must_use]
    pub fn value(&self) -> Digest {
        self.digest.value()
    }
}

impl Sink for DigestSink {
    fn accept(&mut self, batch: &mut Batch) {
        self.digest.absorb(batch);
    }
}

/// Appends the columns of a batch, little-endian, each after its length in entries: unambiguous and the same on
/// every machine.
fn canonical_headers(batch: &Batch, out: &mut Vec<u8>) {
    let steps = batch.step_columns();
    let effects = batch.effect_columns();
    out.reserve(64 * STEPS_MAX.min(batch.len()) + 32 * effects.effect.len());
    macro_rules! column {
        ($column:expr) => {
            out.extend(($column.len() as u64).to_le_bytes());
            out.extend($column.iter().flat_map(|value| value.to_le_bytes()));
        };
    }
    column!(steps.time_ns);
    column!(steps.target);
    column!(steps.source);
    column!(steps.sequence);
    column!(steps.event);
    column!(steps.fate);
    column!(steps.waited_ns);
    column!(steps.protocol);
    column!(steps.kind);
    column!(steps.first_sequence);
    column!(steps.effects);
    column!(effects.effect);
    column!(effects.object);
    column!(effects.protocol);
    column!(effects.kind);
    column!(effects.delay_ns);
    column!(effects.length);
    out.extend((batch.fact_bytes().len() as u64).to_le_bytes());
    out.extend_from_slice(batch.fact_bytes());
}
