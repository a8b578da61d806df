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

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes are those of traces that exist: they change only together with the format's version.
    #[test]
    fn a_body_is_laid_out_as_described() {
        let agent = 0x0000_0005_0000_0002_u64;
        let steps = StepColumns {
            time_ns: vec![1000, 1004],
            target: vec![agent, agent + 1],
            source: vec![0, agent],
            sequence: vec![0, 3],
            event: vec![0, 1],
            fate: vec![0, 0],
            waited_ns: vec![0, 0],
            protocol: vec![0, 0x0A0B_0C0D],
            kind: vec![0, 0x0102],
            first_sequence: vec![3, 1],
            effects: vec![1, 0],
        };
        let effects = EffectColumns {
            effect: vec![4],
            object: vec![0],
            protocol: vec![0],
            kind: vec![2],
            delay_ns: vec![0],
            length: vec![2],
        };
        let batch = Batch::assemble(7, steps, effects, vec![0xFA, 0xFB], Some(Vec::new())).expect("a batch");
        let mut bytes = Vec::new();
        encode(&batch, true, &mut bytes);
        let expected: [&[u8]; 20] = [
            // Time: the first, then 0 and 4 in three bits each.
            &[0xE8, 0x03, 0, 0, 0, 0, 0, 0, 3, 0, 0b10_0000],
            // Target: one upper half; the lower ones are 2 and one more.
            &[1, 5, 0, 0, 0, 0, 0, 1, 1, 2, 0b10],
            // Source: two upper halves and their indexes, then 0 and 2.
            &[2, 0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0b10],
            &[2, 0, 0b1000],
            &[2, 0, 0b1100],
            &[0, 1],
            &[0, 0],
            &[0, 0],
            &[2, 0, 0, 0, 0, 0x0D, 0x0C, 0x0B, 0x0A, 1, 0, 0b10],
            // Kind: nine bits each.
            &[9, 0, 0, 0b0000_0100, 0b0000_0010],
            &[2, 1, 1, 0b10],
            &[1, 0, 0b1],
            &[4],
            &[1, 0, 0, 0, 0, 0, 0, 0, 0],
            &[1, 0, 0, 0, 0, 0, 0],
            &[0, 1, 2],
            &[0, 0],
            &[0, 1, 2],
            &[0xFA, 0xFB],
            &[],
        ];
        assert_eq!(bytes, expected.concat());
        assert_eq!(decode(&bytes, 7, Counts::of(&batch, true)), Ok(batch));
    }
}
