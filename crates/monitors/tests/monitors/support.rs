//! Makes runs by hand: steps with facts, encoded as the engine encodes them and cut into batches of any size.

use std::collections::BTreeSet;

use fleetsim_engine::batch::{Batch, EffectColumns, EffectKind, Event, Fate, StepColumns};
use fleetsim_engine::schema::Shape;
use fleetsim_engine::{AgentId, Fact, GroupEntry, Manifest, SECOND, Time, codec};
use fleetsim_monitors::{
    Finding, May, MonitorConfig, Panel, Pattern, Promised, PropertyRule, Report, RunEnd,
};

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
    source: (AgentId, u32),
    kind: u16,
    first_sequence: u32,
    sends: Vec<Sent>,
}

/// A numbered effect of a hand-made step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sent {
    /// A message of a kind to an agent.
    Message(AgentId, u16),
    Timer,
    Spawn(AgentId),
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

/// Every monitor has something to judge, and low bounds.
pub(crate) fn eager() -> MonitorConfig {
    let names =
        |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    let property = |text: &str| PropertyRule {
        name: text.to_owned(),
        promised: Promised::Always(Pattern::parse(text).expect("a pattern")),
    };
    MonitorConfig {
        loop_rounds_max: 2,
        budget_nano_dollars: Some(1_000),
        planned_ns: Some(3600 * SECOND),
        may: [("coder".to_owned(), May { read: names(&["notes"]), write: names(&["redis"]) })].into(),
        seam_media: [("drafts".to_owned(), "page".to_owned())].into(),
        resource_media: [("notes".to_owned(), "page".to_owned())].into(),
        action_roles: [("publish".to_owned(), "publisher".to_owned())].into(),
        distrusting_seams: names(&["drafts"]),
        error_reach_max: 0,
        properties: vec![property("TaskFinished where actual")],
        heals_at: Some(Time::from_ns(100 * SECOND)),
        converges_within_ns: Some(1 << 43),
        deadlock_after_ns: 1,
        livelock_after_ns: 1,
        livelock_vain_min: 1,
        orphaned_after_ns: 1,
        retry_window_ns: 0,
        retry_windows_min: 0,
        retry_amplification_min: 0,
        metastable_window_ns: 0,
        metastable_windows_min: 0,
        branching_window_messages: 0,
        ..MonitorConfig::default()
    }
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

    pub(crate) fn restart(&mut self, second: u64, agent: &str) -> &mut Run {
        self.step(second * SECOND, agent, Event::Restart, Fate::Handled, [])
    }

    /// The last step was caused by effect `sequence` of `source`, is a message of `kind`, and asks for effects of its
    /// own, numbered from `first`.
    pub(crate) fn caused(
        &mut self,
        (source, sequence): (AgentId, u32),
        kind: u16,
        first: u32,
        sends: impl IntoIterator<Item = Sent>,
    ) -> &mut Run {
        let last = self.steps.last_mut().expect("a step was just added");
        last.source = (source, sequence);
        (last.kind, last.first_sequence) = (kind, first);
        last.sends = sends.into_iter().collect();
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
            source: (AgentId::WORLD, 0),
            kind: 0,
            first_sequence: 0,
            sends: Vec::new(),
        });
        self
    }

    /// An agent that has no name in [`ROLES`] takes the last step.
    pub(crate) fn by(&mut self, agent: AgentId) -> &mut Run {
        self.steps.last_mut().expect("a step was just added").target = agent;
        self
    }

    /// Leaves out a step.
    pub(crate) fn leave_out(&mut self, step: usize) {
        self.steps.remove(step);
    }

    /// Lets a step state other facts.
    pub(crate) fn restate(&mut self, step: usize, facts: impl IntoIterator<Item = Fact<'static>>) {
        self.steps[step].facts = facts.into_iter().collect();
    }

    /// Lets another agent take a step.
    pub(crate) fn give(&mut self, step: usize, agent: &str) {
        self.steps[step].target = id(agent);
    }

    /// Puts a step at another time; steps of one time stay in order.
    pub(crate) fn put_at(&mut self, step: usize, second: u64) {
        self.steps[step].time_ns = second * SECOND;
        self.steps.sort_by_key(|step| step.time_ns);
    }

    /// Lets a step happen once more.
    pub(crate) fn repeat_at(&mut self, step: usize, second: u64) {
        let again = HandMade { time_ns: second * SECOND, ..self.steps[step].clone() };
        self.steps.push(again);
        self.steps.sort_by_key(|step| step.time_ns);
    }

    /// Lets a step end in another fate.
    pub(crate) fn fate(&mut self, step: usize, fate: Fate) {
        self.steps[step].fate = fate;
    }

    /// The run in batches of `size` steps.
    pub(crate) fn batches(&self, size: usize) -> Vec<Batch> {
        self.steps
            .chunks(size)
            .enumerate()
            .map(|(index, steps)| batch((index * size) as u64, steps))
            .collect()
    }

    /// Lets a step state these facts as well.
    pub(crate) fn also(&mut self, step: usize, facts: impl IntoIterator<Item = Fact<'static>>) {
        self.steps[step].facts.extend(facts);
    }

    /// Lets an agent crash instead of taking its step.
    pub(crate) fn crash_instead(&mut self, step: usize) {
        self.steps[step].event = Event::Crash;
        self.steps[step].facts.clear();
    }

    /// The run ends with its last step because nothing is left to happen.
    pub(crate) fn end(&self) -> RunEnd {
        let time = self.steps.last().map_or(Time::ZERO, |last| Time::from_ns(last.time_ns));
        RunEnd { time, complete: true, quiescent: true }
    }

    /// What a panel reports of the run.
    pub(crate) fn report_in(&self, config: &MonitorConfig, size: usize) -> Report {
        self.report_up_to(config, size, &self.end())
    }

    pub(crate) fn report_up_to(&self, config: &MonitorConfig, size: usize, end: &RunEnd) -> Report {
        let mut panel = Panel::new(config, &manifest());
        for batch in self.batches(size) {
            panel.observe_batch(&batch);
        }
        panel.report(end)
    }

    /// The findings of one kind when the run goes on, without events, up to `second`, and ends by its limit.
    pub(crate) fn findings_up_to(&self, config: &MonitorConfig, second: u64, kind: &str) -> Vec<Finding> {
        let end = RunEnd { time: Time::from_ns(second * SECOND), complete: true, quiescent: false };
        let findings = self.report_up_to(config, 4096, &end).findings;
        findings.into_iter().filter(|finding| finding.kind == kind).collect()
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
        steps.source.push(step.source.0.as_u64());
        steps.sequence.push(step.source.1);
        steps.event.push(step.event as u8);
        steps.fate.push(step.fate as u8);
        steps.waited_ns.push(step.waited_ns);
        steps.protocol.push(0);
        steps.kind.push(step.kind);
        steps.first_sequence.push(step.first_sequence);
        let others = step.sends.len() as u32 + u32::from(step.halts);
        steps.effects.push(step.facts.len() as u32 + others);
        for fact in &step.facts {
            let before = bytes.len();
            codec::encode(fact, &mut bytes);
            // The encoding begins with the kind.
            let kind = u16::from_le_bytes([bytes[before], bytes[before + 1]]);
            push_effect(&mut effects, EffectKind::Fact, kind, bytes.len() - before);
        }
        for sent in &step.sends {
            let (effect, object, kind) = match *sent {
                Sent::Message(receiver, kind) => (EffectKind::Send, receiver.as_u64(), kind),
                Sent::Timer => (EffectKind::SetTimer, 0, 0),
                Sent::Spawn(child) => (EffectKind::Spawn, child.as_u64(), 0),
            };
            push_effect(&mut effects, effect, kind, 0);
            *effects.object.last_mut().expect("it was just added") = object;
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
