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

impl World {
    /// Applies the effects of an agent since `mark`, and returns what kinds of facts they state. If the run ends by one
    /// of them, the first that does says how.
    pub(super) fn apply_effects(
        &mut self,
        slot: SlotIndex,
        draft: &Draft,
        mark: Mark,
        ending: &mut Option<Ending>,
    ) -> FactKinds {
        let mut stated = FactKinds::NONE;
        let mut payloads = &draft.payloads[mark.payloads..];
        for row in &draft.effects[mark.effects..] {
            let mut payload = &[][..];
            if row.effect == EffectKind::Fact {
                stated = stated.with(FactKinds::of(row.kind));
            } else {
                (payload, payloads) = payloads.split_at(row.length as usize);
            }
            if row.effect == EffectKind::Send {
                if !row.is_sent && self.apply_send(slot, row, payload).is_none() {
                    ending.get_or_insert_with(|| Ending::Failed(past_the_end()));
                }
            } else if let Some(ends) = self.apply_other(slot, row, payload) {
                ending.get_or_insert(ends);
            }
        }
        stated
    }

    #[inline(never)]
    fn apply_other(&mut self, slot: SlotIndex, effect: &EffectRow, payload: &[u8]) -> Option<Ending> {
        let scheduled = match effect.effect {
            EffectKind::Send => unreachable!("applied by whoever called"),
            EffectKind::SetTimer => self.apply_timer(slot, effect, payload, Event::Timer),
            EffectKind::Work => self.apply_timer(slot, effect, payload, Event::WorkEnd),
            EffectKind::Spawn => self.apply_spawn(slot, effect, payload),
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

    /// Sends a message while its sender's handler still runs, when it can simply wait for its latency in the outbox: no
    /// deviation or fault rule may meet it, and there is room. Returns whether it was sent. All others are sent when the
    /// handler is done, in [`apply_send`](Self::apply_send).
    #[inline(always)]
    pub(crate) fn send_early(&mut self, slot: SlotIndex, effect: &EffectRow, parcel: Parcel) -> bool {
        // Whoever is spawned by the same handler is not known yet.
        let (false, Some(to)) = (self.outbox.is_full(), self.directory.find(effect.target())) else {
            return false;
        };
        let sender = &self.slots[slot as usize];
        let groups = (sender.group, to.group);
        let link = self.links.get(self.links.between(groups.0, groups.1));
        let (Some(latency), Some(sent)) = (link.exponential(), self.sent_at(slot, effect.delay_ns)) else {
            return false;
        };
        // No sum overflows when both are below that.
        if sent.as_ns() >= FAR_NS
            || self.may_interfere(Time::from_ns(sent.as_ns() + latency.maximum_ns), groups)
        {
            return false;
        }
        let message = Pending { time: sent, slot: to.slot, ..message_of(sender.id, effect) };
        self.outbox.put(message.carrying(parcel), *latency);
        true
    }

    /// When a message leaves for which its sender thinks so long, or `None` when that is after the end of time.
    #[inline(always)]
    fn sent_at(&self, slot: SlotIndex, delay_ns: u64) -> Option<Time> {
        match delay_ns {
            0 => Some(self.now),
            _ => self.now.checked_add(self.labour_ns(slot, delay_ns)),
        }
    }

    /// Lets a message travel that was not sent early. Returns `None` when it would arrive after the end of time.
    fn apply_send(&mut self, slot: SlotIndex, effect: &EffectRow, payload: &[u8]) -> Option<()> {
        if self.outbox.is_full() {
            self.empty_outbox();
        }
        if let Some(parcel) = Parcel::of_short(payload)
            && self.send_early(slot, effect, parcel)
        {
            return Some(());
        }
        self.send_at_once(slot, effect, payload)
    }

    /// Reckons at once when a message arrives, past fault rules and deviations, if there are any.
    #[inline(never)]
    fn send_at_once(&mut self, slot: SlotIndex, effect: &EffectRow, payload: &[u8]) -> Option<()> {
        let sender = &self.slots[slot as usize];
        let unknown = Place { slot: Pending::NOWHERE, group: sender.group };
        let to = self.directory.find(effect.target()).unwrap_or(unknown);
        let groups = (sender.group, to.group);
        let mut message = Pending { slot: to.slot, ..message_of(sender.id, effect) };
        let link = self.links.get(self.links.between(groups.0, groups.1));
        let latency_ns = link.latency_ns(|| self.latency_luck.of(message.source, message.sequence));
        message.time = self.sent_at(slot, effect.delay_ns)?.checked_add(latency_ns)?;
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
            sequence: effect.sequence,
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

    fn apply_spawn(&mut self, slot: SlotIndex, effect: &EffectRow, payload: &[u8]) -> Result<(), Error> {
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
            sequence: effect.sequence,
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

/// A message as it is sent, without time, place and payload.
#[inline(always)]
fn message_of(source: AgentId, effect: &EffectRow) -> Pending {
    Pending {
        target: effect.target(),
        source,
        sequence: effect.sequence,
        protocol: effect.protocol,
        kind: effect.kind,
        course: Course::new(Event::Message, Fate::Handled),
        ..Pending::NOTHING
    }
}

pub(super) fn past_the_end() -> Error {
    Error::new("an effect would happen after the end of representable time (584 years)")
}
