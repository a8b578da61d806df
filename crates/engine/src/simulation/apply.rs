//! What a handler asked for, made to happen.

use std::borrow::Cow;

use super::Ending;
use super::world::World;
use crate::batch::{EffectKind, Event, Fate};
use crate::codec;
use crate::draft::{Draft, EffectRow, Mark};
use crate::error::Error;
use crate::event::{Course, KeyParts, Pending};
use crate::fact::FactKinds;
use crate::identity::AgentId;
use crate::link::FAR_NS;
use crate::message::ProtocolId;
use crate::payload::Parcel;
use crate::slot::{Condition, Place, Slot, SlotIndex};
use crate::time::Time;

/// Whose effects are applied.
#[derive(Clone, Copy)]
pub(super) struct Agent {
    pub(super) id: AgentId,
    pub(super) slot: SlotIndex,
    pub(super) group: u16,
}

impl World {
    /// Applies the effects of an agent since `mark`, and returns what kinds of facts they state. If the run ends by one
    /// of them, the first that does says how.
    #[inline(always)]
    pub(super) fn apply_effects(
        &mut self,
        agent: Agent,
        draft: &Draft,
        mark: Mark,
        first_sequence: u32,
        ending: &mut Option<Ending>,
    ) -> FactKinds {
        let mut stated = FactKinds::NONE;
        let mut sequence = first_sequence;
        let mut payloads = &draft.payloads[mark.payloads..];
        for row in &draft.effects[mark.effects..] {
            let mut payload = &[][..];
            if row.effect == EffectKind::Fact {
                stated = stated.with(FactKinds::of(row.kind));
            } else {
                (payload, payloads) = payloads.split_at(row.length as usize);
            }
            if row.effect == EffectKind::Send {
                if self.apply_send(agent, sequence, row, payload).is_none() {
                    ending.get_or_insert_with(|| Ending::Failed(past_the_end()));
                }
                sequence = sequence.wrapping_add(1);
                continue;
            }
            if let Some(ends) = self.apply_other(agent.slot, sequence, row, payload) {
                ending.get_or_insert(ends);
            }
            sequence = sequence.wrapping_add(u32::from(row.effect.is_numbered()));
        }
        stated
    }

    #[inline(never)]
    fn apply_other(
        &mut self,
        slot: SlotIndex,
        sequence: u32,
        effect: &EffectRow,
        payload: &[u8],
    ) -> Option<Ending> {
        let scheduled = match effect.effect {
            EffectKind::Send => unreachable!("applied by whoever called"),
            EffectKind::SetTimer => self.apply_timer(slot, sequence, effect, payload, Event::Timer),
            EffectKind::Work => self.apply_timer(slot, sequence, effect, payload, Event::WorkEnd),
            EffectKind::Spawn => self.apply_spawn(slot, sequence, effect, payload),
            EffectKind::CancelTimer => {
                self.apply_cancel(slot, effect.object as u32, Time::from_ns(effect.delay_ns));
                Ok(())
            }
            EffectKind::Halt => {
                self.apply_halt(slot);
                Ok(())
            }
            EffectKind::Fact => Ok(()),
            EffectKind::StopRun => {
                let reason = codec::decode(payload).expect("the context encoded it");
                return Some(Ending::Stopped { by: self.slots[slot as usize].id, reason });
            }
        };
        scheduled.err().map(Ending::Failed)
    }

    /// Lets a message travel. Returns `None` when it would arrive after the end of time.
    #[inline(always)]
    fn apply_send(&mut self, sender: Agent, sequence: u32, effect: &EffectRow, payload: &[u8]) -> Option<()> {
        let target = AgentId::from_u64(effect.object);
        let unknown = Place { slot: Pending::NOWHERE, group: sender.group };
        let to = self.directory.find(target).unwrap_or(unknown);
        let link_number = self.links.between(sender.group, to.group);
        let link = self.links.get(link_number);
        let thought_ns = match effect.delay_ns {
            0 => 0,
            delay_ns => self.labour_ns(sender.slot, delay_ns),
        };
        let sent = self.now.checked_add(thought_ns)?;
        let groups = (sender.group, to.group);
        let message = |parcel| Pending {
            time: sent,
            target,
            source: sender.id,
            sequence,
            slot: to.slot,
            protocol: effect.protocol,
            kind: effect.kind,
            course: Course::new(Event::Message, Fate::Handled),
            ..Pending::NOTHING.carrying(parcel)
        };
        let may_wait = link.exponential_mean_ns().is_some()
            && sent.as_ns() < FAR_NS
            && !self.may_interfere(sent.checked_add(link.exponential_max_ns())?, groups);
        match Parcel::of_short(payload) {
            Some(parcel) if may_wait => {
                let earliest = sent.checked_add(link.minimum_ns())?;
                self.messages += 1;
                self.outbox.put(message(parcel), link_number, earliest);
                if self.outbox.is_full() {
                    self.empty_outbox();
                }
                Some(())
            }
            _ => self.send_at_once(message(Parcel::EMPTY), link_number, groups, payload),
        }
    }

    /// Reckons at once when a message arrives, past fault rules and deviations, if there are any.
    #[inline(never)]
    fn send_at_once(
        &mut self,
        mut message: Pending,
        link: u16,
        groups: (u16, u16),
        payload: &[u8],
    ) -> Option<()> {
        let Pending { source, sequence, .. } = message;
        let latency_ns = self.links.get(link).latency_ns(|| self.latency_luck.of(source, sequence));
        message.time = message.time.checked_add(latency_ns)?;
        if !self.may_interfere(message.time, groups) {
            self.schedule_message(message, payload);
            return Some(());
        }
        let mut payload = Cow::Borrowed(payload);
        let again = self.interfere(&mut message, latency_ns, groups, &mut payload)?;
        self.schedule_message(message, &payload);
        self.schedule_again(message, &payload, again);
        Some(())
    }

    fn apply_timer(
        &mut self,
        slot: SlotIndex,
        sequence: u32,
        effect: &EffectRow,
        payload: &[u8],
        event: Event,
    ) -> Result<(), Error> {
        let delay_ns = match event {
            Event::WorkEnd => self.labour_ns(slot, effect.delay_ns),
            _ => self.world_delay_ns(slot, effect.delay_ns),
        };
        let id = self.slots[slot as usize].id;
        let pending = Pending {
            time: self.later(delay_ns).ok_or_else(past_the_end)?,
            target: id,
            source: id,
            sequence,
            slot,
            protocol: ProtocolId::NONE,
            kind: effect.kind,
            course: Course::new(event, Fate::Handled),
            ..Pending::NOTHING.carrying(self.payloads.pack(payload))
        };
        self.queue.push(pending);
        Ok(())
    }

    /// Only timers that are still to come are remembered as cancelled, so the memory of cancellations stays bounded
    /// by the timers that are pending.
    fn apply_cancel(&mut self, slot: SlotIndex, sequence: u32, due: Time) {
        let id = self.slots[slot as usize].id;
        let timer = KeyParts { time: due, target: id, source: id, sequence };
        if timer.key(self.seed) > self.popped.key(self.seed) {
            self.cancelled.insert((id, sequence));
            return;
        }
        // It may have come due while the agent was deaf.
        let Some(inbox) = self.held.get_mut(&slot) else {
            return;
        };
        let is_it = |event: &Pending| event.event() == Event::Timer && event.sequence == sequence;
        if let Some(at) = inbox.iter().position(|(event, _)| is_it(event)) {
            let (event, _) = inbox.remove(at).expect("it was just found");
            self.payloads.release(&event.parcel());
            if inbox.is_empty() {
                self.held.remove(&slot);
            }
        }
    }

    fn apply_spawn(
        &mut self,
        slot: SlotIndex,
        sequence: u32,
        effect: &EffectRow,
        payload: &[u8],
    ) -> Result<(), Error> {
        let kind = self.spawnable[usize::from(effect.kind)];
        let child = AgentId::from_u64(effect.object);
        let index = SlotIndex::try_from(self.slots.len())
            .map_err(|_| Error::new("a fleet has at most 4,294,967,295 agents"))?;
        if !self.directory.add_spawned(child, Place { slot: index, group: kind.group }) {
            return Err(Error::new(format!(
                "two spawned agents share the identity {child:?}; use another seed"
            )));
        }
        let ordinal = effect.delay_ns as u32 + 1;
        self.slots.push(Slot::new(child, kind.pool, kind.group, Slot::NOT_MADE, ordinal));
        let source = self.slots[slot as usize].id;
        let start = Pending {
            time: self.later(1).ok_or_else(past_the_end)?,
            target: child,
            source,
            sequence,
            slot: index,
            protocol: ProtocolId::NONE,
            kind: effect.kind,
            course: Course::new(Event::Start, Fate::Handled),
            ..Pending::NOTHING.carrying(self.payloads.pack(payload))
        };
        self.queue.push(start);
        Ok(())
    }

    fn apply_halt(&mut self, slot: SlotIndex) {
        self.take_down(slot);
        self.slots[slot as usize].condition = Condition::Halted;
    }

    /// An effect is strictly later than its cause.
    #[inline]
    fn later(&self, delay_ns: u64) -> Option<Time> {
        self.now.checked_add(delay_ns.max(1))
    }
}

pub(super) fn past_the_end() -> Error {
    Error::new("an effect would happen after the end of representable time (584 years)")
}
