//! A batch read step by step, each with its effects.

use super::{Batch, EffectKind, Event, Fate};
use crate::codec;
use crate::fact::Fact;
use crate::identity::AgentId;
use crate::message::ProtocolId;
use crate::time::Time;

/// The steps of a batch, in order.
#[derive(Clone, Debug)]
pub struct Steps<'a> {
    batch: &'a Batch,
    step: usize,
    effect: usize,
    fact_byte: usize,
    payload_byte: usize,
}

impl<'a> Steps<'a> {
    pub(super) fn of(batch: &'a Batch) -> Steps<'a> {
        Steps { batch, step: 0, effect: 0, fact_byte: 0, payload_byte: 0 }
    }
}

impl<'a> Iterator for Steps<'a> {
    type Item = Step<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Step<'a>> {
        let columns = &self.batch.steps;
        let at = self.step;
        let time_ns = *columns.time_ns.get(at)?;
        let effects = Effects {
            batch: self.batch,
            at: self.effect,
            end: self.effect + columns.effects[at] as usize,
            sequence: columns.first_sequence[at],
            fact_byte: self.fact_byte,
            payload_byte: self.payload_byte,
        };
        let summary = Summary::of(self.batch, effects.at, effects.end);
        self.step += 1;
        self.effect = effects.end;
        self.fact_byte += summary.fact_bytes;
        self.payload_byte += summary.payload_bytes;
        Some(Step {
            ordinal: self.batch.first_ordinal + at as u64,
            time: Time::from_ns(time_ns),
            target: AgentId::from_u64(columns.target[at]),
            source: AgentId::from_u64(columns.source[at]),
            sequence: columns.sequence[at],
            event: Event::from_byte(columns.event[at]).expect("a batch is checked"),
            fate: Fate::from_byte(columns.fate[at]).expect("a batch is checked"),
            waited_ns: columns.waited_ns[at],
            protocol: ProtocolId(columns.protocol[at]),
            kind: columns.kind[at],
            effects,
            summary,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.batch.len() - self.step;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Steps<'_> {}

/// One event and all the effects that it caused.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    /// Its number in the run, from 0.
    pub ordinal: u64,
    /// When it happened, in world time.
    pub time: Time,
    /// To whom.
    pub target: AgentId,
    /// Who caused it. With `sequence` this names the causing effect, and is the identity of a message.
    pub source: AgentId,
    /// The number of the causing effect among those of `source`.
    pub sequence: u32,
    /// What happened.
    pub event: Event,
    /// What became of it.
    pub fate: Fate,
    /// How long it waited at its target before it was handled, in nanoseconds.
    pub waited_ns: u64,
    /// The message's protocol.
    pub protocol: ProtocolId,
    /// The kind of message or timer.
    pub kind: u16,
    /// What the handler asked for.
    pub effects: Effects<'a>,
    summary: Summary,
}

/// What there is among the effects of a step, seen in passing.
#[derive(Clone, Copy, Debug)]
struct Summary {
    /// A bit for each kind of fact.
    facts: u64,
    /// A bit for each kind of effect.
    effects: u32,
    fact_bytes: usize,
    payload_bytes: usize,
}

/// The bit for all kinds of facts from this one on.
const LAST_KIND: u16 = 63;

impl Summary {
    /// What there is from effect `at` up to `end`.
    #[inline]
    fn of(batch: &Batch, at: usize, end: usize) -> Summary {
        let columns = &batch.effects;
        let mut summary = Summary { facts: 0, effects: 0, fact_bytes: 0, payload_bytes: 0 };
        // Steps have one or two effects: to look each up costs less than to prepare for many.
        for at in at..end {
            let (effect, length) = (columns.effect[at], columns.length[at] as usize);
            summary.effects |= 1 << (effect & 31);
            if effect == EffectKind::Fact as u8 {
                summary.facts |= 1 << columns.kind[at].min(LAST_KIND);
                summary.fact_bytes += length;
            } else {
                summary.payload_bytes += length;
            }
        }
        summary
    }
}

impl<'a> Step<'a> {
    /// The facts that the target stated in this step.
    pub fn facts(&self) -> impl Iterator<Item = Fact<'a>> + use<'a> {
        self.effects.clone().filter_map(|effect| effect.fact())
    }

    /// Whether an effect of this kind is among those of this step.
    #[inline]
    #[must_use]
    pub fn asks_for(&self, kind: EffectKind) -> bool {
        self.summary.effects & 1 << kind as u8 != 0
    }

    /// The kinds of facts that are stated in this step, as bits: a fact's kind is its variant's position in [`Fact`].
    /// The last bit stands for all kinds from 63 on.
    #[inline]
    #[must_use]
    pub fn fact_kinds(&self) -> u64 {
        self.summary.facts
    }

    /// What the handler asked for, in order and without bytes: all effects but facts. Costs less than
    /// [`effects`](Self::effects).
    #[inline]
    #[must_use]
    pub fn requests(&self) -> Requests<'a> {
        let Effects { batch, at, end, sequence, .. } = self.effects;
        Requests { batch, at, end, sequence }
    }

    /// The facts that are recorded as a kind that `is_wanted`: the others are not decoded. A fact's kind is its
    /// variant's position in [`Fact`].
    pub fn facts_of<W: FnMut(u16) -> bool>(
        &self,
        mut is_wanted: W,
    ) -> impl Iterator<Item = Fact<'a>> + use<'a, W> {
        let Effects { batch, at, end, mut fact_byte, .. } = self.effects;
        let columns = &batch.effects;
        (at..end).filter_map(move |at| {
            if columns.effect[at] != EffectKind::Fact as u8 {
                return None;
            }
            let start = fact_byte;
            fact_byte += columns.length[at] as usize;
            if is_wanted(columns.kind[at]) { codec::decode(&batch.facts[start..fact_byte]) } else { None }
        })
    }
}

/// The effects of a step, in the order in which they were asked for.
#[derive(Clone, Debug)]
pub struct Effects<'a> {
    batch: &'a Batch,
    at: usize,
    end: usize,
    sequence: u32,
    fact_byte: usize,
    payload_byte: usize,
}

impl<'a> Iterator for Effects<'a> {
    type Item = Effect<'a>;

    fn next(&mut self) -> Option<Effect<'a>> {
        if self.at >= self.end {
            return None;
        }
        let columns = &self.batch.effects;
        let at = self.at;
        self.at += 1;
        let kind = EffectKind::from_byte(columns.effect[at]).expect("a batch is checked");
        let length = columns.length[at] as usize;
        let (bytes, at_byte) = if kind == EffectKind::Fact {
            (Some(self.batch.facts.as_slice()), &mut self.fact_byte)
        } else {
            (self.batch.payloads.as_deref(), &mut self.payload_byte)
        };
        let payload = bytes.map(|bytes| &bytes[*at_byte..*at_byte + length]);
        *at_byte += length;
        let sequence = kind.is_numbered().then_some(self.sequence);
        self.sequence = self.sequence.wrapping_add(u32::from(kind.is_numbered()));
        Some(Effect {
            effect: kind,
            sequence,
            object: columns.object[at],
            protocol: ProtocolId(columns.protocol[at]),
            kind: columns.kind[at],
            delay_ns: columns.delay_ns[at],
            length: columns.length[at],
            payload,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.at, Some(self.end - self.at))
    }
}

impl ExactSizeIterator for Effects<'_> {}

/// The effects of a step other than facts, in the order in which they were asked for.
#[derive(Clone, Debug)]
pub struct Requests<'a> {
    batch: &'a Batch,
    at: usize,
    end: usize,
    sequence: u32,
}

impl Iterator for Requests<'_> {
    type Item = Request;

    #[inline(always)]
    fn next(&mut self) -> Option<Request> {
        let columns = &self.batch.effects;
        while self.at < self.end {
            let at = self.at;
            self.at += 1;
            if columns.effect[at] == EffectKind::Fact as u8 {
                continue;
            }
            let effect = EffectKind::from_byte(columns.effect[at]).expect("a batch is checked");
            let sequence = effect.is_numbered().then_some(self.sequence);
            self.sequence = self.sequence.wrapping_add(u32::from(effect.is_numbered()));
            return Some(Request {
                effect,
                sequence,
                object: columns.object[at],
                protocol: ProtocolId(columns.protocol[at]),
                kind: columns.kind[at],
            });
        }
        None
    }
}

/// Something that a handler asked for, without its bytes. The fields are those of an [`Effect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// What.
    pub effect: EffectKind,
    /// Its number among the numbered effects of its agent, if it takes one.
    pub sequence: Option<u32>,
    /// The receiver, the child, or the sequence number of the cancelled timer; otherwise 0.
    pub object: u64,
    /// The message's protocol.
    pub protocol: ProtocolId,
    /// The kind of message or timer.
    pub kind: u16,
}

/// One thing that a handler asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect<'a> {
    /// What.
    pub effect: EffectKind,
    /// Its number among the numbered effects of its agent, if it takes one.
    pub sequence: Option<u32>,
    /// The receiver, the child, or the sequence number of the cancelled timer; otherwise 0.
    pub object: u64,
    /// The message's protocol.
    pub protocol: ProtocolId,
    /// The kind of message, timer or fact.
    pub kind: u16,
    /// The delay that the agent asked for, in nanoseconds.
    pub delay_ns: u64,
    /// The encoded length in bytes.
    pub length: u32,
    /// The encoded fields, unless they were not recorded.
    pub payload: Option<&'a [u8]>,
}

impl<'a> Effect<'a> {
    /// The fact that was stated, if this is one that this program knows.
    #[must_use]
    pub fn fact(&self) -> Option<Fact<'a>> {
        if self.effect != EffectKind::Fact {
            return None;
        }
        codec::decode(self.payload?)
    }
}
