//! What fault rules do to a run: the injector's answers made to happen, and stated in the record.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::world::World;
use crate::batch::{EffectKind, Event, Fate};
use crate::clock::ClockChange;
use crate::codec;
use crate::control::Control;
use crate::deviation::{Deviated, MessageId};
use crate::draft::{Draft, Mark};
use crate::error::Error;
use crate::event::{Course, Pending};
use crate::fact::{Fact, FactKinds};
use crate::fleet::Fleet;
use crate::identity::AgentId;
use crate::inject::{Act, Attention, GroupId, Hit, Injector, Order, Outgoing, SiteVisit, Verdict, Watched};
use crate::slot::{Condition, SlotIndex};
use crate::time::Time;

/// The rules of a run, and what they have in hand.
pub(super) struct Faults {
    injector: Option<Box<dyn Injector>>,
    /// The facts whose steps the injector wants to see.
    watched: FactKinds,
    /// Which messages the injector wants to be asked about: by when they arrive, and from which group to which.
    attention: Attention,
    judged: Pairs,
    names: BTreeMap<AgentId, String>,
    /// The number of each rule's next event.
    sequences: BTreeMap<AgentId, u32>,
    /// What the events that rules have ordered will state, until they happen.
    planned: BTreeMap<(AgentId, u32), Statement>,
    /// What rules did to the messages of the step that is being applied.
    acts: Vec<Statement>,
    orders: Vec<Order>,
    /// How slow agents are, in thousandths of the time that they should take.
    slow: BTreeMap<SlotIndex, u64>,
}

/// A set of pairs of groups.
#[derive(Debug)]
struct Pairs {
    groups: usize,
    /// One bit a pair; empty when all are in.
    bits: Vec<u64>,
}

/// More groups than this, and every pair is in.
const GROUPS_MAX: usize = 1_024;

impl Pairs {
    fn new(groups: &[GroupId], contains: impl Fn(GroupId, GroupId) -> bool) -> Pairs {
        if groups.len() > GROUPS_MAX {
            return Pairs { groups: 0, bits: Vec::new() };
        }
        let mut bits = vec![0; (groups.len() * groups.len()).div_ceil(64)];
        let pairs = groups.iter().flat_map(|from| groups.iter().map(move |to| (*from, *to)));
        for (at, _) in pairs.enumerate().filter(|(_, (from, to))| contains(*from, *to)) {
            bits[at / 64] |= 1 << (at % 64);
        }
        Pairs { groups: groups.len(), bits }
    }

    #[inline]
    fn contains(&self, from: u16, to: u16) -> bool {
        let at = usize::from(from) * self.groups + usize::from(to);
        self.bits.get(at / 64).is_none_or(|bits| bits & (1 << (at % 64)) != 0)
    }
}

/// What becomes a [`Fact::Injected`].
#[derive(Clone, Copy, Debug)]
struct Statement {
    act: Act,
    /// The message that it is about, or the event that triggered it.
    about: Option<MessageId>,
}

impl Faults {
    pub(super) fn new(injector: Option<Box<dyn Injector>>, names: &[String], groups: &[GroupId]) -> Faults {
        let attention = injector.as_ref().map_or(Attention::NEVER, |injector| injector.attention(Time::ZERO));
        let judges = |from, to| injector.as_ref().is_some_and(|injector| injector.judges(from, to));
        Faults {
            attention,
            judged: Pairs::new(groups, judges),
            watched: injector.as_ref().map_or(FactKinds::NONE, |injector| injector.watches()),
            injector,
            names: names.iter().map(|name| (AgentId::rule(name), name.clone())).collect(),
            sequences: BTreeMap::new(),
            planned: BTreeMap::new(),
            acts: Vec::new(),
            orders: Vec::new(),
            slow: BTreeMap::new(),
        }
    }

    /// Whether the injector wants to see a step that states facts of these kinds.
    #[inline]
    pub(super) fn watch(&self, stated: FactKinds) -> bool {
        self.watched.meets(stated)
    }

    /// Whether some rule may act on a message that arrives at this instant.
    #[inline]
    pub(super) fn may_meet(&self, arrives: Time, (from, to): (u16, u16)) -> bool {
        arrives >= self.attention.from && self.judged.contains(from, to)
    }

    fn number(&mut self, rule: AgentId) -> u32 {
        let next = self.sequences.entry(rule).or_default();
        let sequence = *next;
        *next = next.checked_add(1).expect("a rule has at most 4,294,967,295 events");
        sequence
    }

    fn state_act(&self, statement: &Statement, draft: &mut Draft) {
        let Statement { act: Act { rule, fault, amount, since }, about } = *statement;
        self.state(rule, fault, amount, since, about, draft);
    }

    fn state(
        &self,
        rule: AgentId,
        fault: &str,
        amount: u64,
        since: Option<Time>,
        about: Option<MessageId>,
        draft: &mut Draft,
    ) {
        let rule = self.names.get(&rule).map_or("", String::as_str);
        let (source, sequence) =
            about.map_or((AgentId::WORLD, 0), |message| (message.source, message.sequence));
        let since_ns = since.map(Time::as_ns);
        draft.add_fact(&Fact::Injected { rule, fault, source, sequence, amount, since_ns });
    }
}

/// The mirror of [`World::schedule_controls`]: what a control is as an event.
fn event_of(control: &Control, payload: &mut Vec<u8>) -> Event {
    match control {
        Control::Crash => Event::Crash,
        Control::Restart => Event::Restart,
        Control::Pause => Event::Pause,
        Control::Resume => Event::Resume,
        Control::Clock(change) => {
            codec::encode(change, payload);
            Event::Clock
        }
        Control::Slow { permille } => {
            codec::encode(permille, payload);
            Event::Slow
        }
        Control::Tell(name) => {
            payload.extend_from_slice(name.as_bytes());
            Event::Fault
        }
        Control::Announce { .. } => Event::Announce,
        Control::Heal { core } => {
            let core: Vec<u32> = core.iter().map(|group| group.0).collect();
            codec::encode(&core, payload);
            Event::Heal
        }
    }
}

/// How much of a fault a control is, for the record.
fn amount_of(control: &Control) -> u64 {
    match control {
        Control::Slow { permille } => *permille,
        Control::Clock(change) => change.jump_ns.unsigned_abs().max(change.drift_ppb.unsigned_abs()),
        _ => 0,
    }
}

impl World {
    /// Each rule numbers what it does, so the order of rules among themselves changes nothing.
    pub(super) fn schedule_controls(&mut self, fleet_controls: &[(String, Time, AgentId, Control)]) {
        for (rule, at, target, control) in fleet_controls {
            self.schedule_control(AgentId::rule(rule), *at, *target, control, None);
        }
    }

    fn schedule_control(
        &mut self,
        rule: AgentId,
        at: Time,
        target: AgentId,
        control: &Control,
        about: Option<MessageId>,
    ) {
        let sequence = self.faults.number(rule);
        let mut payload = Vec::new();
        let event = event_of(control, &mut payload);
        let act = Act { rule, fault: control.fault(), amount: amount_of(control), since: None };
        self.faults.planned.insert((rule, sequence), Statement { act, about });
        let parcel = self.payloads.pack(&payload);
        self.queue.push(Pending {
            time: at,
            target,
            source: rule,
            sequence,
            slot: self.slot_of(target),
            course: Course::new(event, Fate::Handled),
            ..Pending::NOTHING.carrying(parcel)
        });
    }

    /// What a rule ordered has come: states it, unless nothing came of it. (Nor is anything stated in a step that
    /// panicked: its source names the rule.)
    pub(super) fn state_planned(&mut self, event: &Pending, fate: Fate, draft: &mut Draft) {
        let planned = self.faults.planned.remove(&(event.source, event.sequence));
        if let Some(statement) = planned
            && fate == Fate::Handled
        {
            self.faults.state_act(&statement, draft);
        }
    }

    /// States what rules did to the messages of this step.
    #[inline]
    pub(super) fn state_acts(&mut self, draft: &mut Draft) {
        if !self.faults.acts.is_empty() {
            for statement in core::mem::take(&mut self.faults.acts) {
                self.faults.state_act(&statement, draft);
            }
        }
    }

    /// Passes a point where something may go wrong. What does is stated at once.
    pub(crate) fn visit_site(&mut self, slot: SlotIndex, site: &str, draft: &mut Draft) -> Option<u64> {
        let agent = &mut self.slots[slot as usize];
        let (id, visit) = (agent.id, agent.site_visits);
        agent.site_visits = visit.wrapping_add(1);
        let group = self.group_ids[usize::from(agent.group)];
        let visit = SiteVisit { seed: self.seed, now: self.now, agent: id, group, site, visit };
        let Hit { rule, strength, since } = self.faults.injector.as_mut()?.site(&visit)?;
        self.faults.state(rule, site, strength, since, None, draft);
        Some(strength)
    }

    /// Lets fault rules and deviations change when and how a message arrives. Returns when it arrives again.
    pub(super) fn interfere(
        &mut self,
        message: &mut Pending,
        latency_ns: u64,
        groups: (u16, u16),
        payload: &mut Cow<'_, [u8]>,
    ) -> Option<[Option<Time>; 2]> {
        let id = MessageId { source: message.source, sequence: message.sequence };
        let verdict = self.verdict(message, groups, payload.len());
        let mut arrives = message.time;
        if let Some(instead_ns) = verdict.latency_ns {
            let thought_ns = arrives.since(self.now) - latency_ns;
            arrives = self.now.checked_add(instead_ns.max(1))?.checked_add(thought_ns)?;
        }
        arrives = arrives.checked_add(verdict.delay_ns)?.max(verdict.not_before.unwrap_or(Time::ZERO));
        let mut deviated = Deviated { arrives, dropped: false, again: None };
        if self.deviates {
            deviated = self.deviations.apply(id, self.now, deviated.arrives);
        }
        let doom = match (deviated.dropped, verdict.lost) {
            (true, _) => Fate::Deviated,
            (false, true) => Fate::Lost,
            (false, false) => Fate::Handled,
        };
        if let Some(corruption) = verdict.corruption {
            corruption.apply(payload.to_mut());
        }
        message.time = deviated.arrives;
        message.course = Course::new(Event::Message, doom);
        let by_rule = match verdict.again_after_ns {
            Some(after_ns) => Some(deviated.arrives.checked_add(after_ns.max(1))?),
            None => None,
        };
        Some([by_rule, deviated.again])
    }

    fn verdict(&mut self, message: &Pending, (from, to): (u16, u16), length: usize) -> Verdict {
        let Pending { source, sequence, target, protocol, kind, time: arrives, .. } = *message;
        let (seed, now) = (self.seed, self.now);
        let faults = &mut self.faults;
        let Some(injector) = &mut faults.injector else {
            return Verdict::default();
        };
        if now >= faults.attention.until {
            faults.attention = injector.attention(now);
        }
        if arrives < faults.attention.from || !faults.judged.contains(from, to) {
            return Verdict::default();
        }
        let (from, to) = (self.group_ids[usize::from(from)], self.group_ids[usize::from(to)]);
        let mut acts = Vec::new();
        let asked =
            Outgoing { seed, now, arrives, source, from, sequence, target, to, protocol, kind, length };
        let verdict = injector.message(&asked, &mut acts);
        let about = Some(MessageId { source, sequence });
        faults.acts.extend(acts.into_iter().map(|act| Statement { act, about }));
        verdict
    }

    /// Shows a step to rules with a trigger, and lets what they order happen later.
    #[cold]
    pub(super) fn show_to_rules(
        &mut self,
        event: &Pending,
        fate: Fate,
        draft: &Draft,
        mark: Mark,
    ) -> Result<(), Error> {
        let mut rest = &draft.facts[mark.facts..];
        let mut facts = Vec::new();
        for row in &draft.effects[mark.effects..] {
            if row.effect == EffectKind::Fact {
                let (bytes, after) = rest.split_at(row.length as usize);
                rest = after;
                let fact = codec::decode(bytes).expect("the context encoded it");
                facts.push((FactKinds::of(row.kind), fact));
            }
        }
        let agent = &self.slots[event.slot as usize];
        let watched = Watched {
            seed: self.seed,
            now: self.now,
            agent: agent.id,
            group: self.group_ids[usize::from(agent.group)],
            cause: MessageId { source: event.source, sequence: event.sequence },
            event: event.event(),
            fate,
            protocol: event.protocol,
            kind: event.kind,
            facts: &facts,
        };
        let mut orders = core::mem::take(&mut self.faults.orders);
        if let Some(injector) = &mut self.faults.injector {
            injector.step(&watched, &mut orders);
            self.faults.attention = injector.attention(self.now);
        }
        for Order { rule, after_ns, target, control } in orders.drain(..) {
            let at = self.now.checked_add(after_ns.max(1)).ok_or_else(super::past_the_end)?;
            self.schedule_control(rule, at, target, &control, Some(watched.cause));
        }
        self.faults.orders = orders;
        Ok(())
    }

    /// From now on an agent's work and thinking take another share of their time.
    pub(super) fn set_pace(&mut self, slot: SlotIndex, permille: u64) {
        self.faults.slow.insert(slot, permille.clamp(1, 1_000_000_000));
        self.slots[slot as usize].own_pace = true;
    }

    /// How long work and thinking of `delay_ns` on an agent's own clock take in world time.
    #[inline]
    pub(super) fn labour_ns(&self, slot: SlotIndex, delay_ns: u64) -> u64 {
        let world_ns = self.world_delay_ns(slot, delay_ns);
        if !self.slots[slot as usize].own_pace {
            return world_ns;
        }
        let permille = self.faults.slow.get(&slot).copied().unwrap_or(1_000);
        let stretched = u128::from(world_ns) * u128::from(permille) / 1_000;
        u64::try_from(stretched).unwrap_or(u64::MAX)
    }

    /// Sets right what rules broke, agent by agent.
    pub(super) fn heal(&mut self, event: &Pending, core: &[u32]) -> Result<(), Error> {
        let at = self.now.checked_add(1).ok_or_else(super::past_the_end)?;
        for slot in 0..self.slots.len() as SlotIndex {
            let agent = &self.slots[slot as usize];
            if !core.is_empty() && !core.contains(&self.group_ids[usize::from(agent.group)].0) {
                continue;
            }
            let (id, paused, condition) = (agent.id, agent.paused, agent.condition);
            let mut cures = Vec::new();
            if condition == Condition::Down {
                cures.push(Control::Restart);
            } else if paused {
                cures.push(Control::Resume);
            }
            if let Some(clock) = self.clocks.get(&slot) {
                let shown = clock.read(at).as_ns();
                let behind_ns = i128::from(at.as_ns()) - i128::from(shown);
                let jump_ns = behind_ns.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
                cures.push(Control::Clock(ClockChange { drift_ppb: 0, jump_ns }));
            }
            if self.faults.slow.get(&slot).is_some_and(|permille| *permille != 1_000) {
                cures.push(Control::Slow { permille: 1_000 });
            }
            let about = Some(MessageId { source: event.source, sequence: event.sequence });
            for cure in cures {
                self.schedule_control(event.source, at, id, &cure, about);
            }
        }
        Ok(())
    }
}

/// The identities of a fleet's groups, in their order.
pub(super) fn group_ids(fleet: &Fleet) -> Vec<GroupId> {
    fleet.groups.iter().map(|group| GroupId(group.hash)).collect()
}
