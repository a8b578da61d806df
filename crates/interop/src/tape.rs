//! Writes steps as the engine would have recorded them, batch by batch.

use std::collections::BTreeMap;

use fleetsim_engine::batch::{Batch, EffectColumns, EffectKind, Event, Fate, STEPS_MAX, StepColumns};
use fleetsim_engine::{AgentId, Fact, Message, ProtocolId, Sink, Time, codec};

/// The largest fact that the engine would record, in bytes.
const FACT_BYTES_MAX: usize = 4096;

/// What an event goes back to: an effect of an earlier step, or the world outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) source: AgentId,
    pub(crate) sequence: u32,
    pub(crate) event: Event,
    pub(crate) protocol: ProtocolId,
    pub(crate) kind: u16,
}

impl Cause {
    /// A message from outside, of the kind 0 of protocol `M`.
    pub(crate) fn outside<M: Message>(sequence: u64) -> Cause {
        Cause {
            source: AgentId::WORLD,
            sequence: sequence as u32,
            event: Event::Message,
            protocol: M::ID,
            kind: 0,
        }
    }
}

/// Steps on their way into a sink. A step is begun, given effects, and ended by the next one.
pub(crate) struct Tape<'a> {
    sink: &'a mut dyn Sink,
    steps: StepColumns,
    effects: EffectColumns,
    facts: Vec<u8>,
    payloads: Vec<u8>,
    first_ordinal: u64,
    /// The next number of an effect, by agent.
    sequences: BTreeMap<AgentId, u32>,
    /// The time of the last step.
    last_ns: Option<u64>,
    messages: u64,
}

impl<'a> Tape<'a> {
    pub(crate) fn new(sink: &'a mut dyn Sink) -> Tape<'a> {
        Tape {
            sink,
            steps: StepColumns::default(),
            effects: EffectColumns::default(),
            facts: Vec::new(),
            payloads: Vec::new(),
            first_ordinal: 0,
            sequences: BTreeMap::new(),
            last_ns: None,
            messages: 0,
        }
    }

    /// Begins a step at `at_ns`, or a nanosecond after the step before if that is later: steps are in order, and an
    /// effect is strictly later than its cause.
    pub(crate) fn begin(&mut self, at_ns: u64, target: AgentId, cause: Cause) {
        if self.steps.time_ns.len() == STEPS_MAX {
            self.flush();
        }
        let at_ns = self.last_ns.map_or(at_ns, |last_ns| at_ns.max(last_ns.saturating_add(1)));
        self.last_ns = Some(at_ns);
        let columns = &mut self.steps;
        columns.time_ns.push(at_ns);
        columns.target.push(target.as_u64());
        columns.source.push(cause.source.as_u64());
        columns.sequence.push(cause.sequence);
        columns.event.push(cause.event as u8);
        columns.fate.push(Fate::Handled as u8);
        columns.waited_ns.push(0);
        columns.protocol.push(cause.protocol.0);
        columns.kind.push(cause.kind);
        columns.first_sequence.push(self.sequences.get(&target).copied().unwrap_or(0));
        columns.effects.push(0);
        self.messages += u64::from(cause.event == Event::Message);
    }

    /// Lets the agent of this step state a fact. One that is too large is left out, which does not happen to facts
    /// whose names are bounded.
    pub(crate) fn fact(&mut self, fact: &Fact<'_>) {
        let before = self.facts.len();
        codec::encode(fact, &mut self.facts);
        let length = self.facts.len() - before;
        if length > FACT_BYTES_MAX {
            self.facts.truncate(before);
            return;
        }
        // The encoding begins with the variant's index.
        let kind = u16::from_le_bytes([self.facts[before], self.facts[before + 1]]);
        self.effect(EffectKind::Fact, 0, ProtocolId::NONE, kind, 0, length);
    }

    /// Lets the agent of this step send a message, and returns what its arrival goes back to.
    pub(crate) fn send<M: Message>(&mut self, to: AgentId, message: &M) -> Cause {
        let before = self.payloads.len();
        let kind = codec::encode_kind(message, &mut self.payloads);
        let length = self.payloads.len() - before;
        self.numbered(EffectKind::Send, to, Event::Message, M::ID, kind, 0, length)
    }

    /// Lets the agent of this step set its timer of the kind `kind`, and returns what its coming due goes back to.
    pub(crate) fn timer(&mut self, kind: u16, delay_ns: u64) -> Cause {
        self.numbered(EffectKind::SetTimer, AgentId::WORLD, Event::Timer, ProtocolId::NONE, kind, delay_ns, 0)
    }

    /// Steps so far.
    pub(crate) fn steps(&self) -> u64 {
        self.first_ordinal + self.steps.time_ns.len() as u64
    }

    /// Hands the last steps on, and returns the time of the last one and how many messages arrived.
    pub(crate) fn finish(mut self) -> (Time, u64) {
        self.flush();
        (Time::from_ns(self.last_ns.unwrap_or(0)), self.messages)
    }

    #[expect(clippy::too_many_arguments, reason = "they are the fields of one row")]
    fn numbered(
        &mut self,
        effect: EffectKind,
        object: AgentId,
        event: Event,
        protocol: ProtocolId,
        kind: u16,
        delay_ns: u64,
        length: usize,
    ) -> Cause {
        let agent = AgentId::from_u64(*self.steps.target.last().expect("a step was begun"));
        let next = self.sequences.entry(agent).or_default();
        let sequence = *next;
        *next = next.wrapping_add(1);
        self.effect(effect, object.as_u64(), protocol, kind, delay_ns, length);
        Cause { source: agent, sequence, event, protocol, kind }
    }

    fn effect(
        &mut self,
        effect: EffectKind,
        object: u64,
        protocol: ProtocolId,
        kind: u16,
        delay_ns: u64,
        length: usize,
    ) {
        let columns = &mut self.effects;
        columns.effect.push(effect as u8);
        columns.object.push(object);
        columns.protocol.push(protocol.0);
        columns.kind.push(kind);
        columns.delay_ns.push(delay_ns);
        columns.length.push(length as u32);
        *self.steps.effects.last_mut().expect("a step was begun") += 1;
    }

    fn flush(&mut self) {
        let steps = core::mem::take(&mut self.steps);
        let count = steps.time_ns.len() as u64;
        if count == 0 {
            return;
        }
        let (effects, facts) = (core::mem::take(&mut self.effects), core::mem::take(&mut self.facts));
        let payloads = Some(core::mem::take(&mut self.payloads));
        let batch = Batch::assemble(self.first_ordinal, steps, effects, facts, payloads);
        self.first_ordinal += count;
        self.sink.accept(&mut batch.expect("the columns are written together"));
    }
}
