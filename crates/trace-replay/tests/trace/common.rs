//! Batches to record: those of a made-up run, trivial ones, and arbitrary ones.

use std::io::Cursor;
use std::path::Path;

use fleetsim_engine::batch::{Batch, EffectColumns, STEPS_MAX, StepColumns};
use fleetsim_engine::{AgentId, Draw, GroupEntry, Manifest, ProtocolEntry, ProtocolId, SECOND, Sink, Time};
use fleetsim_engine::{Fact, codec, schema::Shape};
use fleetsim_trace_replay::{Closing, Finished, Header, Level, Recorder, ScenarioText, Trace};
use proptest::prelude::*;

/// The protocol of the made-up runs: one kind, `Token { value: u64 }`.
pub(crate) const PROTOCOL: &str = "token";

/// A header that names agents `node-1`, `node-2`, …
pub(crate) fn header(level: Level) -> Header {
    let token = Shape::Record(vec![("value".to_owned(), Shape::Unsigned(8))]);
    Header {
        seed: 7,
        level,
        scenario: ScenarioText {
            name: "ring.toml".to_owned(),
            text: "# a ring\n".to_owned(),
            files: Vec::new(),
        },
        manifest: Manifest {
            groups: vec![GroupEntry { name: "node".to_owned(), count: 1_000_000, timers: Shape::Unit }],
            protocols: vec![ProtocolEntry {
                id: ProtocolId::of(PROTOCOL).0,
                name: PROTOCOL.to_owned(),
                messages: Shape::Enum { variants: vec![("Token".to_owned(), token)] },
            }],
            facts: Shape::of::<Fact<'_>>(),
            rules: Vec::new(),
        },
        ..Header::default()
    }
}

/// A closing record.
pub(crate) fn closing() -> Closing {
    Closing {
        ending: "nothing left to do".to_owned(),
        messages: 3,
        virtual_time: Time::from_ns(5 * SECOND),
        summary: serde_json::json!({ "findings": [] }),
    }
}

/// Records batches as a run would.
pub(crate) fn record(path: &Path, header: &Header, batches: &[Batch]) -> Finished {
    let mut recorder = Recorder::create(path, header).expect("the file can be created");
    accept_all(&mut recorder, batches);
    recorder.finish(&closing())
}

/// Hands batches to a sink as the engine does.
pub(crate) fn accept_all(sink: &mut dyn Sink, batches: &[Batch]) {
    let mut current = Batch::default();
    for batch in batches {
        current.clone_from(batch);
        sink.accept(&mut current);
        current.reset(batch.first_ordinal() + batch.len() as u64);
    }
}

/// The bytes of a finished trace.
pub(crate) fn bytes_of(header: &Header, batches: &[Batch]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run.fleet");
    let finished = record(&path, header, batches);
    assert_eq!(finished.error, None);
    std::fs::read(path).expect("it was recorded")
}

/// Opens a trace that is in memory.
pub(crate) fn open(bytes: &[u8]) -> Result<Trace, fleetsim_trace_replay::Error> {
    Trace::read(Cursor::new(bytes.to_vec()))
}

/// Member `ordinal` of the group of the made-up runs.
pub(crate) fn node(ordinal: u64) -> AgentId {
    AgentId::named("node", ordinal as u32)
}

/// Steps under construction.
#[derive(Default)]
pub(crate) struct Builder {
    pub(crate) steps: StepColumns,
    pub(crate) effects: EffectColumns,
    pub(crate) facts: Vec<u8>,
    pub(crate) payloads: Vec<u8>,
}

impl Builder {
    /// Adds a step in which a message arrives.
    pub(crate) fn message(
        &mut self,
        time_ns: u64,
        target: AgentId,
        source: AgentId,
        sequence: u32,
        first_sequence: u32,
    ) {
        let steps = &mut self.steps;
        steps.time_ns.push(time_ns);
        steps.target.push(target.as_u64());
        steps.source.push(source.as_u64());
        steps.sequence.push(sequence);
        steps.event.push(1);
        steps.fate.push(0);
        steps.waited_ns.push(0);
        steps.protocol.push(ProtocolId::of(PROTOCOL).0);
        steps.kind.push(0);
        steps.first_sequence.push(first_sequence);
        steps.effects.push(0);
    }

    /// Adds a sent message to the last step.
    pub(crate) fn send(&mut self, receiver: AgentId, value: u64) {
        self.effect(0, receiver.as_u64(), ProtocolId::of(PROTOCOL).0, 0, 8);
        self.payloads.extend(value.to_le_bytes());
    }

    /// Adds a fact to the last step.
    pub(crate) fn fact(&mut self, fact: &Fact<'_>) {
        let before = self.facts.len();
        codec::encode(fact, &mut self.facts);
        let kind = u32::from_le_bytes(self.facts[before..before + 4].try_into().expect("a variant index"));
        self.effect(4, 0, 0, kind as u16, (self.facts.len() - before) as u32);
    }

    fn effect(&mut self, effect: u8, object: u64, protocol: u32, kind: u16, length: u32) {
        self.effects.effect.push(effect);
        self.effects.object.push(object);
        self.effects.protocol.push(protocol);
        self.effects.kind.push(kind);
        self.effects.delay_ns.push(0);
        self.effects.length.push(length);
        *self.steps.effects.last_mut().expect("a step") += 1;
    }

    /// The batch.
    pub(crate) fn batch(self, first_ordinal: u64) -> Batch {
        Batch::assemble(first_ordinal, self.steps, self.effects, self.facts, Some(self.payloads))
            .expect("a batch")
    }
}

/// A run of PHOLD: every message makes its receiver send one to a random agent, with 8 random bytes.
pub(crate) fn phold(agents: u64, steps: usize, seed: u64) -> Vec<Batch> {
    let mut draw = Draw::keyed(seed, 1, [agents]);
    let mut sequences = vec![0_u32; agents as usize + 1];
    // Messages in flight, taken out in random order.
    let mut flying: Vec<(u64, u64, u32)> = (1..=agents).map(|agent| (agent, 0, agent as u32)).collect();
    let mut time_ns = 0;
    let mut batches = Vec::new();
    for first in (0..steps).step_by(STEPS_MAX) {
        let mut builder = Builder::default();
        for _ in 0..STEPS_MAX.min(steps - first) {
            // The minimum of two draws has more short gaps than long ones, as real gaps do.
            time_ns += 1 + (draw.next() % 300_000).min(draw.next() % 300_000);
            let at = (draw.next() % flying.len() as u64) as usize;
            let (target, source, sequence) = flying[at];
            let source = if source == 0 { AgentId::WORLD } else { node(source) };
            let next = sequences[target as usize];
            sequences[target as usize] += 1;
            builder.message(time_ns, node(target), source, sequence, next);
            let receiver = 1 + draw.next() % agents;
            builder.send(node(receiver), draw.next());
            flying[at] = (receiver, target, next);
        }
        batches.push(builder.batch(first as u64));
    }
    batches
}

/// Steps that are all alike: `node-1` sends to itself.
pub(crate) fn tiny(steps: usize) -> Vec<Batch> {
    let mut batches = Vec::new();
    for first in (0..steps).step_by(STEPS_MAX) {
        let mut builder = Builder::default();
        for step in first..steps.min(first + STEPS_MAX) {
            let (source, sequence) = if step == 0 { (AgentId::WORLD, 0) } else { (node(1), step as u32 - 1) };
            builder.message(1000 * (step as u64 + 1), node(1), source, sequence, step as u32);
            builder.send(node(1), step as u64);
        }
        batches.push(builder.batch(first as u64));
    }
    batches
}

/// The same run with one change in step `ordinal`, as a fault would make it.
pub(crate) fn altered(
    batches: &[Batch],
    ordinal: u64,
    change: impl Fn(&mut StepColumns, &mut EffectColumns, &mut Vec<u8>, usize),
) -> Vec<Batch> {
    batches
        .iter()
        .map(|batch| {
            let first = batch.first_ordinal();
            if !(first..first + batch.len() as u64).contains(&ordinal) {
                return batch.clone();
            }
            let (mut steps, mut effects) = (batch.step_columns().clone(), batch.effect_columns().clone());
            let mut payloads = batch.payload_bytes().expect("payloads").to_vec();
            change(&mut steps, &mut effects, &mut payloads, (ordinal - first) as usize);
            Batch::assemble(first, steps, effects, batch.fact_bytes().to_vec(), Some(payloads))
                .expect("a batch")
        })
        .collect()
}

/// A number of any size, small ones more often.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0_u64..4, any::<u64>(), (any::<u64>(), 0_u32..64).prop_map(|(value, shift)| value >> shift)]
}

fn words(count: usize) -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(number().prop_map(|value| value as u32), count)
}

fn longs(count: usize) -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(number(), count)
}

fn shorts(count: usize) -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(number().prop_map(|value| value as u16), count)
}

prop_compose! {
    fn step_columns(counts: Vec<u32>)(
        time_ns in longs(counts.len()),
        target in longs(counts.len()),
        source in longs(counts.len()),
        sequence in words(counts.len()),
        event in prop::collection::vec(0_u8..10, counts.len()),
        fate in prop::collection::vec(0_u8..10, counts.len()),
        waited_ns in longs(counts.len()),
        protocol in words(counts.len()),
        kind in shorts(counts.len()),
        first_sequence in words(counts.len()),
        effects in Just(counts),
    ) -> StepColumns {
        StepColumns { time_ns, target, source, sequence, event, fate, waited_ns, protocol, kind, first_sequence, effects }
    }
}

prop_compose! {
    fn effect_columns(count: usize)(
        effect in prop::collection::vec(0_u8..8, count),
        object in longs(count),
        protocol in words(count),
        kind in shorts(count),
        delay_ns in longs(count),
        length in prop::collection::vec(0_u32..20, count),
    ) -> EffectColumns {
        EffectColumns { effect, object, protocol, kind, delay_ns, length }
    }
}

prop_compose! {
    fn parts()(counts in prop::collection::vec(0_u32..3, 1..300))(
        effects in effect_columns(counts.iter().sum::<u32>() as usize),
        steps in step_columns(counts),
    ) -> (StepColumns, EffectColumns) {
        (steps, effects)
    }
}

prop_compose! {
    /// Any batch at the beginning of a run.
    pub(crate) fn batches()((steps, effects) in parts(), noise: u64) -> Batch {
        let mut draw = Draw::keyed(noise, 2, [0]);
        let (mut facts, mut payloads) = (Vec::new(), Vec::new());
        for (effect, length) in effects.effect.iter().zip(&effects.length) {
            let bytes = if *effect == 4 { &mut facts } else { &mut payloads };
            bytes.extend((0..*length).map(|_| draw.next() as u8));
        }
        Batch::assemble(0, steps, effects, facts, Some(payloads)).expect("a batch")
    }
}
