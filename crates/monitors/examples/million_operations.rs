//! How long the conflict monitor takes for a million operations, by how many are open at a time.
//!
//! `cargo run --release -p fleetsim-monitors --example million_operations [WORKLOAD]`
//!
//! An operation reads two resources, writes one of them and commits. A store that checks versions refuses a write
//! that is based on an old one, which leaves write skew; one that does not check leaves lost updates beside it. In
//! the last workload an operation that never ends keeps everything up to the horizon.

use std::collections::BTreeMap;

use fleetsim_engine::batch::{Batch, EffectColumns, EffectKind, Event, Fate, StepColumns};
use fleetsim_engine::{AgentId, Fact, Manifest, Names, Time, codec};
use fleetsim_monitors::{Conflict, Monitor, RunEnd};

const OPERATIONS: u64 = 1_000_000;
const BATCH_STEPS: usize = 4096;

struct Workload {
    name: &'static str,
    open: u64,
    resources: u64,
    checks_version: bool,
    never_ends: bool,
}

const WORKLOADS: [Workload; 6] = [
    Workload { name: "few at a time", open: 16, resources: 1_000, checks_version: true, never_ends: false },
    Workload { name: "many at a time", open: 256, resources: 1_000, checks_version: true, never_ends: false },
    Workload { name: "unchecked", open: 256, resources: 1_000, checks_version: false, never_ends: false },
    Workload { name: "hot", open: 64, resources: 4, checks_version: false, never_ends: false },
    Workload { name: "wide", open: 10_000, resources: 100_000, checks_version: true, never_ends: false },
    Workload { name: "one never ends", open: 16, resources: 1_000, checks_version: true, never_ends: true },
];

/// An operation at work.
#[derive(Clone, Copy, Default)]
struct Work {
    operation: u64,
    stage: u8,
    resources: [usize; 2],
    based_on: u64,
}

/// Steps in the making.
#[derive(Default)]
struct Record {
    steps: StepColumns,
    effects: EffectColumns,
    bytes: Vec<u8>,
    first: u64,
    done: Vec<Batch>,
}

impl Record {
    fn step(&mut self, agent: AgentId, fact: &Fact<'_>) {
        let steps = &mut self.steps;
        steps.time_ns.push((self.first + steps.target.len() as u64) * 1_000_000);
        steps.target.push(agent.as_u64());
        steps.source.push(0);
        steps.sequence.push(0);
        steps.event.push(Event::Message as u8);
        steps.fate.push(Fate::Handled as u8);
        steps.waited_ns.push(0);
        steps.protocol.push(0);
        steps.kind.push(0);
        steps.first_sequence.push(0);
        steps.effects.push(1);
        let before = self.bytes.len();
        codec::encode(fact, &mut self.bytes);
        let length = u32::try_from(self.bytes.len() - before).expect("a short fact");
        self.effects.effect.push(EffectKind::Fact as u8);
        self.effects.object.push(0);
        self.effects.protocol.push(0);
        self.effects.kind.push(0);
        self.effects.delay_ns.push(0);
        self.effects.length.push(length);
        if self.steps.target.len() == BATCH_STEPS {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let steps = core::mem::take(&mut self.steps);
        let length = steps.target.len() as u64;
        let (effects, bytes) = (core::mem::take(&mut self.effects), core::mem::take(&mut self.bytes));
        let batch = Batch::assemble(self.first, steps, effects, bytes, None).expect("whole columns");
        self.first += length;
        self.done.push(batch);
    }
}

/// A keyed draw: SplitMix64 of a counter.
fn draw(counter: &mut u64) -> u64 {
    *counter = counter.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *counter;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn record(workload: &Workload, names: &[String]) -> Vec<Batch> {
    let (mut record, mut luck) = (Record::default(), 7);
    let mut newest = vec![0_u64; names.len()];
    let mut at_work = vec![Work::default(); workload.open as usize];
    let store = AgentId::named("store", 1);
    if workload.never_ends {
        record.step(AgentId::named("coder", 1), &Fact::OperationBegin { operation: u64::MAX });
    }
    let (mut begun, mut ended) = (0, 0);
    while ended < OPERATIONS {
        let slot = draw(&mut luck) % workload.open;
        let agent = AgentId::named("coder", slot as u32 + 1);
        let work = &mut at_work[slot as usize];
        let operation = work.operation;
        let mut read = |work: &mut Work, which: usize| {
            let resource = (draw(&mut luck) % workload.resources) as usize;
            work.resources[which] = resource;
            Fact::Read { operation, resource: &names[resource], version: newest[resource] }
        };
        match work.stage {
            0 => {
                begun += 1;
                work.operation = begun;
                record.step(agent, &Fact::OperationBegin { operation: begun });
            }
            1 => {
                let fact = read(work, 0);
                record.step(agent, &fact);
                work.based_on = newest[work.resources[0]];
            }
            2 => {
                let fact = read(work, 1);
                record.step(agent, &fact);
            }
            3 => {
                let resource = work.resources[0];
                if workload.checks_version && newest[resource] != work.based_on {
                    record.step(agent, &Fact::OperationAbort { operation });
                    ended += 1;
                    work.stage = 0;
                    continue;
                }
                newest[resource] += 1;
                let (based_on, version) = (work.based_on, newest[resource]);
                let resource = &names[resource];
                record.step(store, &Fact::Write { operation, resource, based_on, version, fence: 0 });
            }
            _ => {
                record.step(agent, &Fact::OperationCommit { operation });
                ended += 1;
                work.stage = 0;
                continue;
            }
        }
        work.stage += 1;
    }
    record.cut();
    record.done
}

#[expect(clippy::disallowed_types, reason = "it measures, and judges nothing by the clock")]
fn main() {
    let wanted = std::env::args().nth(1);
    for workload in
        WORKLOADS.iter().filter(|workload| wanted.as_deref().is_none_or(|name| name == workload.name))
    {
        let names: Vec<String> = (0..workload.resources).map(|number| format!("resource-{number}")).collect();
        let batches = record(workload, &names);
        let mut monitor = Conflict::default();
        let mut most_kept = 0;
        let begin = std::time::Instant::now();
        let mut time = Time::ZERO;
        for batch in &batches {
            let mut facts = Vec::with_capacity(1);
            for step in batch {
                facts.clear();
                facts.extend(step.facts());
                monitor.observe(&step, &facts);
                time = step.time;
            }
            most_kept = most_kept.max(monitor.operations_kept());
        }
        let took = begin.elapsed();
        let findings = monitor
            .findings(&RunEnd { time, complete: true, quiescent: true }, &Names::new(&Manifest::default()));
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for finding in findings {
            *counts.entry(finding.kind).or_default() += finding.count;
        }
        println!(
            "{:15} {OPERATIONS} operations, {} open: {} ms, {most_kept} kept at most, {} forgotten, {counts:?}",
            workload.name,
            workload.open,
            took.as_millis(),
            monitor.operations_forgotten()
        );
    }
}
