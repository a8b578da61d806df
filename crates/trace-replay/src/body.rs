//! The body of a chunk: a batch as bytes, column after column.
//!
//! The layout is part of the file format: see [`format`](crate::format).

use fleetsim_engine::batch::{Batch, EffectColumns, StepColumns};

use crate::column::{self, Bytes, Mistake};

/// How much a body holds, as its chunk's head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) steps: usize,
    pub(crate) effects: usize,
    pub(crate) fact_bytes: usize,
    /// `None` when payloads are not recorded.
    pub(crate) payload_bytes: Option<usize>,
}

impl Counts {
    /// What the body of `batch` holds, when payloads are recorded or not.
    pub(crate) fn of(batch: &Batch, with_payloads: bool) -> Counts {
        Counts {
            steps: batch.len(),
            effects: batch.effect_columns().effect.len(),
            fact_bytes: batch.fact_bytes().len(),
            payload_bytes: with_payloads.then(|| batch.payload_bytes().map_or(0, <[u8]>::len)),
        }
    }
}

/// Appends the body of `batch`.
pub(crate) fn encode(batch: &Batch, with_payloads: bool, out: &mut Vec<u8>) {
    let steps = batch.step_columns();
    column::write_deltas(&steps.time_ns, out);
    column::write_agents(&steps.target, out);
    column::write_agents(&steps.source, out);
    column::write_packed(&steps.sequence, out);
    out.extend_from_slice(&steps.event);
    out.extend_from_slice(&steps.fate);
    column::write_packed(&steps.waited_ns, out);
    column::write_dictionary(&steps.protocol, out);
    column::write_packed(&steps.kind, out);
    column::write_packed(&steps.first_sequence, out);
    column::write_packed(&steps.effects, out);
    let effects = batch.effect_columns();
    out.extend_from_slice(&effects.effect);
    column::write_agents(&effects.object, out);
    column::write_dictionary(&effects.protocol, out);
    column::write_packed(&effects.kind, out);
    column::write_packed(&effects.delay_ns, out);
    column::write_packed(&effects.length, out);
    out.extend_from_slice(batch.fact_bytes());
    if with_payloads {
        out.extend_from_slice(batch.payload_bytes().unwrap_or_default());
    }
}

/// Restores the batch that begins with step `first_ordinal`.
pub(crate) fn decode(body: &[u8], first_ordinal: u64, counts: Counts) -> Result<Batch, Mistake> {
    // Each effect takes a byte at least, so nothing is allocated for effects that are not there.
    if counts.effects > body.len() {
        return Err("the body is too short for its effects");
    }
    let bytes = &mut Bytes(body);
    let count = counts.steps;
    let steps = StepColumns {
        time_ns: column::read_deltas(bytes, count)?,
        target: column::read_agents(bytes, count)?,
        source: column::read_agents(bytes, count)?,
        sequence: column::read_packed(bytes, count)?,
        event: bytes.take(count)?.to_vec(),
        fate: bytes.take(count)?.to_vec(),
        waited_ns: column::read_packed(bytes, count)?,
        protocol: column::read_dictionary(bytes, count)?,
        kind: column::read_packed(bytes, count)?,
        first_sequence: column::read_packed(bytes, count)?,
        effects: column::read_packed(bytes, count)?,
    };
    let count = counts.effects;
    let effects = EffectColumns {
        effect: bytes.take(count)?.to_vec(),
        object: column::read_agents(bytes, count)?,
        protocol: column::read_dictionary(bytes, count)?,
        kind: column::read_packed(bytes, count)?,
        delay_ns: column::read_packed(bytes, count)?,
        length: column::read_packed(bytes, count)?,
    };
    let facts = bytes.take(counts.fact_bytes)?.to_vec();
    let payloads = match counts.payload_bytes {
        Some(length) => Some(bytes.take(length)?.to_vec()),
        None => None,
    };
    if !bytes.0.is_empty() {
        return Err("the body is longer than its columns");
    }
    Batch::assemble(first_ordinal, steps, effects, facts, payloads)
}
