//! What handlers ask for, and what became of events, row by row: the columns of a batch are filled from here, some
//! hundred rows at once, which takes a third of the time of filling them step by step.

use crate::batch::{EffectKind, Event, Fate};
use crate::codec;
use crate::fact::Fact;
use crate::identity::AgentId;
use crate::message::ProtocolId;
use crate::payload::Parcel;
use crate::time::Time;

/// Steps that wait here before they go into columns.
const STEPS_WAITING: usize = 256;
const EFFECTS_WAITING: usize = 1024;

/// A step without its effects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepRow {
    pub(crate) time: Time,
    pub(crate) target: AgentId,
    pub(crate) source: AgentId,
    pub(crate) waited_ns: u64,
    pub(crate) sequence: u32,
    pub(crate) protocol: ProtocolId,
    pub(crate) first_sequence: u32,
    pub(crate) effects: u32,
    pub(crate) kind: u16,
    pub(crate) event: Event,
    pub(crate) fate: Fate,
}

/// An effect without its payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EffectRow {
    pub(crate) object: u64,
    pub(crate) delay_ns: u64,
    pub(crate) protocol: ProtocolId,
    pub(crate) length: u32,
    pub(crate) kind: u16,
    pub(crate) effect: EffectKind,
    /// Whether it is a message that is in the outbox already.
    pub(crate) is_sent: bool,
    /// Its number among its agent's numbered effects, if it is one of those.
    pub(crate) sequence: u32,
}

impl EffectRow {
    /// Whom a message is for.
    #[inline]
    pub(crate) fn target(&self) -> AgentId {
        AgentId::from_u64(self.object)
    }
}

/// Steps that are not in a batch yet.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) steps: Vec<StepRow>,
    pub(crate) effects: Vec<EffectRow>,
    /// The encoded facts, one after the other.
    pub(crate) facts: Vec<u8>,
    /// The encoded messages, timers and spawn configurations, one after the other.
    pub(crate) payloads: Vec<u8>,
    /// Whether all effects are kept for the record.
    pub(crate) is_recorded: bool,
    /// Whether there are effects that are still to be applied.
    pub(crate) has_unapplied: bool,
}

/// A place in a draft, to come back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) effects: usize,
    pub(crate) facts: usize,
    pub(crate) payloads: usize,
}

impl Draft {
    #[inline]
    pub(crate) fn mark(&self) -> Mark {
        Mark { effects: self.effects.len(), facts: self.facts.len(), payloads: self.payloads.len() }
    }

    /// Forgets the effects since `mark`, as if they had not been asked for.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        self.effects.truncate(mark.effects);
        self.facts.truncate(mark.facts);
        self.payloads.truncate(mark.payloads);
        self.has_unapplied = false;
    }

    /// Adds an effect, number `sequence` of its agent, whose payload `encode` appends; it returns the kind of what it
    /// encoded.
    #[inline]
    pub(crate) fn add(
        &mut self,
        effect: EffectKind,
        sequence: u32,
        object: u64,
        delay_ns: u64,
        encode: impl FnOnce(&mut Vec<u8>) -> u16,
    ) {
        let bytes = if effect == EffectKind::Fact { &mut self.facts } else { &mut self.payloads };
        let before = bytes.len();
        let kind = encode(bytes);
        let length = (bytes.len() - before) as u32;
        let protocol = ProtocolId::NONE;
        self.push(EffectRow { object, delay_ns, protocol, length, kind, effect, is_sent: false, sequence });
    }

    /// Adds an effect whose payload is there already.
    #[inline]
    pub(crate) fn push(&mut self, row: EffectRow) {
        self.has_unapplied |= !row.is_sent;
        self.effects.push(row);
    }

    /// Adds an effect with its short payload, which does not pass through memory on its way.
    #[inline(always)]
    pub(crate) fn push_short(&mut self, row: EffectRow, parcel: Parcel) {
        let Parcel { words: [first, second, third], .. } = parcel;
        self.push_words(row, first, second, third);
    }

    #[inline(never)]
    fn push_words(&mut self, row: EffectRow, first: u64, second: u64, third: u64) {
        let bytes = [first, second, third].map(u64::to_le_bytes);
        self.payloads.extend_from_slice(&bytes.as_flattened()[..row.length as usize]);
        self.push(row);
    }

    /// Adds the statement of a fact. Returns how many bytes it took.
    pub(crate) fn add_fact(&mut self, fact: &Fact<'_>) -> usize {
        let before = self.facts.len();
        self.add(EffectKind::Fact, 0, 0, 0, |out| {
            codec::encode(fact, out);
            // The encoding begins with the variant's index.
            u16::from_le_bytes([out[before], out[before + 1]])
        });
        self.facts.len() - before
    }

    /// Adds the last effect once more, with another number and object.
    pub(crate) fn add_again(&mut self, sequence: u32, object: u64) {
        let last = *self.effects.last().expect("there is an effect to repeat");
        let start = self.payloads.len() - last.length as usize;
        self.payloads.extend_from_within(start..);
        self.push(EffectRow { object, sequence, ..last });
    }

    /// Whether it is time to fill columns.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.steps.len() == STEPS_WAITING || self.effects.len() >= EFFECTS_WAITING
    }

    #[inline]
    pub(crate) fn clear(&mut self) {
        self.steps.clear();
        self.effects.clear();
        self.facts.clear();
        self.payloads.clear();
    }
}
