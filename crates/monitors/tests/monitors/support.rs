//! Makes runs by hand: steps with facts, encoded as the engine encodes them and cut into batches of any size.

use fleetsim_engine::batch::{Batch, EffectColumns, EffectKind, Event, Fate, StepColumns};
use fleetsim_engine::schema::Shape;
use fleetsim_engine::{AgentId, Fact, GroupEntry, Manifest, SECOND, Time, codec};
use fleetsim_monitors::{Finding, MonitorConfig, Panel, Report, RunEnd};

/// A run in the making.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    steps: Vec<HandMade>,
}

#[derive(Clone, Debug)]
struct HandMade {
    time_ns: u64,
    target: AgentId,
    event: Event,
    fate: Fate,
    waited_ns: u64,
    facts: Vec<Fact<'static>>,
    halts: bool,
}

/// The roles of hand-made runs, with how many members they have.
pub(crate) const ROLES: &[(&str, u32)] = &[
    ("coder", 5),
    ("reviewer", 2),
    ("writer", 2),
    ("editor", 1),
    ("publisher", 1),
    ("supervisor", 1),
    ("coordinator", 1),
    ("lead", 1),
    ("store", 1),
    ("redis", 1),
    ("page", 1),
    ("provider", 1),
    ("outside", 1),
    ("peer", 8),
];

/// The agent called `name`: `editor`, `coder-2`.
pub(crate) fn id(name: &str) -> AgentId {
    match name.rsplit_once('-') {
        Some((group, ordinal)) => AgentId::named(group, ordinal.parse().expect("an ordinal")),
        None => AgentId::named(name, 1),
    }
}

pub(crate) fn manifest() -> Manifest {
    let group = |(name, count): &(&str, u32)| GroupEntry {
        name: (*name).to_owned(),
        count: *count,
        timers: Shape::default(),
    };
    Manifest { groups: ROLES.iter().map(group).collect(), ..Manifest::default() }
}

impl Run {
    /// `agent` states `facts` at `second`.
    pub(crate) fn at(
        &mut self,
        second: u64,
        agent: &str,
        facts: impl IntoIterator<Item = Fact<'static>>,
    ) -> &mut Run {
        self.step(second * SECOND, agent, Event::Message, Fate::Handled, facts)
    }

    pub(crate) fn crash(&mut self, second: u64, agent: &str) -> &mut Run {
        self.step(second * SECOND, agent, Event::Crash, Fate::Handled, [])
    }

    pub(crate) fn halt(&mut self, second: u64, agent: &str) -> &mut Run {
        self.at(second, agent, []);
        self.steps.last_mut().expect("it was just added").halts = true;
        self
    }

    /// A message is handled after it has waited for `waited_ns`.
    pub(crate) fn waited(&mut self, second: u64, agent: &str, waited_ns: u64) -> &mut Run {
        self.at(second, agent, []);
        self.steps.last_mut().expect("it was just added").waited_ns = waited_ns;
        self
    }

    pub(crate) fn step(
        &mut self,
        time_ns: u64,
        agent: &str,
        event: Event,
        fate: Fate,
        facts: impl IntoIterator<Item = Fact<'static>>,
    ) -> &mut Run {
        assert!(self.steps.last().is_none_or(|last| last.time_ns <= time_ns), "steps come in order of time");
        let facts = facts.into_iter().collect();
        self.steps.push(HandMade {
            time_ns,
            target: id(agent),
            event,
            fate,
            waited_ns: 0,
            facts,
            halts: false,
        });
        self
    }

    /// The run in batches of `size` steps.
    pub(crate) fn batches(&self, size: usize) -> Vec<Batch> {
        self.steps
            .chunks(size)
            .enumerate()
            .map(|(index, steps)| batch((index * size) as u64, steps))
            .collect()
    }

    /// What a panel reports of the run.
    pub(crate) fn report_in(&self, config: &MonitorConfig, size: usize) -> Report {
        let mut panel = Panel::new(config, &manifest());
        for batch in self.batches(size) {
            panel.observe_batch(&batch);
        }
        let time = self.steps.last().map_or(Time::ZERO, |last| Time::from_ns(last.time_ns));
        panel.report(&RunEnd { time, complete: true, quiescent: false })
    }

    pub(crate) fn report(&self) -> Report {
        self.report_in(&MonitorConfig::default(), 4096)
    }

    /// The findings of one kind.
    pub(crate) fn findings(&self, kind: &str) -> Vec<Finding> {
        self.findings_with(&MonitorConfig::default(), kind)
    }

    pub(crate) fn findings_with(&self, config: &MonitorConfig, kind: &str) -> Vec<Finding> {
        self.report_in(config, 4096).findings.into_iter().filter(|finding| finding.kind == kind).collect()
    }

    /// The only finding of one kind.
    pub(crate) fn finding(&self, kind: &str) -> Finding {
        only(self.findings(kind))
    }
}

pub(crate) fn only<T: core::fmt::Debug>(mut all: Vec<T>) -> T {
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

/// An item goes from `giver` to `receiver`, two seconds after it was offered.
pub(crate) fn hand_over(
    run: &mut Run,
    second: u64,
    (seam, medium): (&'static str, &'static str),
    (item, offer): (u64, u64),
    (giver, chooser, carrier, receiver): (&str, &str, &str, &str),
) {
    run.at(second, giver, [Fact::Offered { seam, item, offer, medium }]);
    if !chooser.is_empty() {
        run.at(second, chooser, [Fact::Decided { seam, item, offer, receiver: id(receiver) }]);
    }
    if !carrier.is_empty() {
        run.at(second + 1, carrier, [Fact::HandedOver { seam, item, offer, medium, receiver: id(receiver) }]);
    }
    run.at(second + 2, receiver, [Fact::Received { seam, item, offer, giver: id(giver) }]);
}

fn batch(first_ordinal: u64, hand_made: &[HandMade]) -> Batch {
    let (mut steps, mut effects, mut bytes) = (StepColumns::default(), EffectColumns::default(), Vec::new());
    for step in hand_made {
        steps.time_ns.push(step.time_ns);
        steps.target.push(step.target.as_u64());
        steps.source.push(0);
        steps.sequence.push(0);
        steps.event.push(step.event as u8);
        steps.fate.push(step.fate as u8);
        steps.waited_ns.push(step.waited_ns);
        steps.protocol.push(0);
        steps.kind.push(0);
        steps.first_sequence.push(0);
        steps.effects.push(step.facts.len() as u32 + u32::from(step.halts));
        for fact in &step.facts {
            let before = bytes.len();
            codec::encode(fact, &mut bytes);
            // The encoding begins with the kind.
            let kind = u16::from_le_bytes([bytes[before], bytes[before + 1]]);
            push_effect(&mut effects, EffectKind::Fact, kind, bytes.len() - before);
        }
        if step.halts {
            push_effect(&mut effects, EffectKind::Halt, 0, 0);
        }
    }
    Batch::assemble(first_ordinal, steps, effects, bytes, None).expect("the columns are those of a batch")
}

fn push_effect(effects: &mut EffectColumns, effect: EffectKind, kind: u16, length: usize) {
    effects.effect.push(effect as u8);
    effects.object.push(0);
    effects.protocol.push(0);
    effects.kind.push(kind);
    effects.delay_ns.push(0);
    effects.length.push(length as u32);
}
