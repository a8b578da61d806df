//! What a handler asked for, made to happen.

use super::Ending;
use super::world::World;
use crate::batch::{AppliedEffect, Batch, EffectKind, Event, Fate, Mark};
use crate::codec;
use crate::deviation::{Deviated, MessageId};
use crate::error::Error;
use crate::identity::AgentId;
use crate::inject::{Outgoing, Verdict};
use crate::message::ProtocolId;
use crate::mix::{Draw, hash_text};
use crate::payload::Parcel;
use crate::queue::{KeyParts, Pending};
use crate::slot::{Condition, Slot, SlotIndex};
use crate::time::Time;

const LATENCY_LUCK: u64 = hash_text("link latency");

impl World {
    /// Applies the effects since `mark`. Returns how the run ends, if it does.
    pub(super) fn apply_effects(
        &mut self,
        slot: SlotIndex,
        mark: Mark,
        first_sequence: u32,
        batch: &Batch,
    ) -> Option<Ending> {
        let mut sequence = first_sequence;
        let mut payload_byte = mark.payload_bytes;
        let mut ended = None;
        for index in mark.effects..batch.mark().effects {
            let effect = batch.effect_at(index, payload_byte);
            payload_byte += effect.payload.len();
            let ends = self.apply(slot, sequence, &effect);
            ended = ended.or(ends);
            sequence = sequence.wrapping_add(u32::from(effect.effect.is_numbered()));
        }
        ended
    }

    fn apply(&mut self, slot: SlotIndex, sequence: u32, effect: &AppliedEffect<'_>) -> Option<Ending> {
        let scheduled = match effect.effect {
            EffectKind::Send => self.apply_send(slot, sequence, effect),
            EffectKind::SetTimer => self.apply_timer(slot, sequence, effect, Event::Timer),
            EffectKind::Work => self.apply_timer(slot, sequence, effect, Event::WorkEnd),
            EffectKind::Spawn => self.apply_spawn(slot, sequence, effect),
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
                let reason = codec::decode(effect.payload).expect("the context encoded it");
                return Some(Ending::Stopped { by: self.slots[slot as usize].id, reason });
            }
        };
        scheduled.err().map(Ending::Failed)
    }

    fn apply_send(
        &mut self,
        slot: SlotIndex,
        sequence: u32,
        effect: &AppliedEffect<'_>,
    ) -> Result<(), Error> {
        let sender = &self.slots[slot as usize];
        let (source, target) = (sender.id, AgentId::from_u64(effect.object));
        let receiver_group =
            self.directory.find(target).map_or(sender.group, |to| self.slots[to as usize].group);
        let link = self.links.between(sender.group, receiver_group);
        let latency_ns = link.latency_ns(|| Draw::new(self.seed, LATENCY_LUCK, source, sequence));
        let thought_ns = self.world_delay_ns(slot, effect.delay_ns);
        let verdict = self.verdict(source, sequence, target, effect);

        let arrives =
            self.later(latency_ns)?.checked_add(thought_ns).and_then(|at| at.checked_add(verdict.delay_ns));
        let mut deviated =
            Deviated { arrives: arrives.ok_or_else(past_the_end)?, dropped: false, again: None };
        if !self.deviations.is_empty() {
            deviated = self.deviations.apply(MessageId { source, sequence }, self.now, deviated.arrives);
        }
        let doom = match (deviated.dropped, verdict.lost) {
            (true, _) => Fate::Deviated,
            (false, true) => Fate::Lost,
            (false, false) => Fate::Handled,
        };
        let by_rule = match verdict.again_after_ns {
            Some(after_ns) => Some(deviated.arrives.checked_add(after_ns.max(1)).ok_or_else(past_the_end)?),
            None => None,
        };
        let message = Pending {
            time: deviated.arrives,
            target,
            source,
            sequence,
            protocol: effect.protocol,
            kind: effect.kind,
            event: Event::Message,
            doom,
            parcel: Parcel::EMPTY,
        };
        self.schedule_message(message, effect.payload, [by_rule, deviated.again]);
        Ok(())
    }

    fn verdict(
        &mut self,
        source: AgentId,
        sequence: u32,
        target: AgentId,
        effect: &AppliedEffect<'_>,
    ) -> Verdict {
        let (seed, now) = (self.seed, self.now);
        let Some(injector) = &mut self.injector else {
            return Verdict::default();
        };
        let (protocol, kind) = (effect.protocol, effect.kind);
        injector.message(&Outgoing { seed, now, source, sequence, target, protocol, kind })
    }

    fn apply_timer(
        &mut self,
        slot: SlotIndex,
        sequence: u32,
        effect: &AppliedEffect<'_>,
        event: Event,
    ) -> Result<(), Error> {
        let delay_ns = self.world_delay_ns(slot, effect.delay_ns);
        let id = self.slots[slot as usize].id;
        let pending = Pending {
            time: self.later(delay_ns)?,
            target: id,
            source: id,
            sequence,
            protocol: ProtocolId::NONE,
            kind: effect.kind,
            event,
            doom: Fate::Handled,
            parcel: self.payloads.pack(effect.payload),
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
        let is_it = |event: &Pending| event.event == Event::Timer && event.sequence == sequence;
        if let Some(at) = inbox.iter().position(|(event, _)| is_it(event)) {
            let (event, _) = inbox.remove(at).expect("it was just found");
            self.payloads.release(&event.parcel);
            if inbox.is_empty() {
                self.held.remove(&slot);
            }
        }
    }

    fn apply_spawn(
        &mut self,
        slot: SlotIndex,
        sequence: u32,
        effect: &AppliedEffect<'_>,
    ) -> Result<(), Error> {
        let kind = self.spawnable[usize::from(effect.kind)];
        let child = AgentId::from_u64(effect.object);
        let index = SlotIndex::try_from(self.slots.len())
            .map_err(|_| Error::new("a fleet has at most 4,294,967,295 agents"))?;
        if !self.directory.add_spawned(child, index) {
            return Err(Error::new(format!(
                "two spawned agents share the identity {child:?}; use another seed"
            )));
        }
        let ordinal = effect.delay_ns as u32 + 1;
        self.slots.push(Slot::new(child, kind.pool, kind.group, Slot::NOT_MADE, ordinal));
        let source = self.slots[slot as usize].id;
        let start = Pending {
            time: self.later(1)?,
            target: child,
            source,
            sequence,
            protocol: ProtocolId::NONE,
            kind: effect.kind,
            event: Event::Start,
            doom: Fate::Handled,
            parcel: self.payloads.pack(effect.payload),
        };
        self.queue.push(start);
        Ok(())
    }

    fn apply_halt(&mut self, slot: SlotIndex) {
        self.take_down(slot);
        self.slots[slot as usize].condition = Condition::Halted;
    }

    /// A delay on an agent's clock, in world time.
    fn world_delay_ns(&self, slot: SlotIndex, delay_ns: u64) -> u64 {
        match self.slots[slot as usize].own_clock {
            true => self.clocks[&slot].world_delay_ns(delay_ns),
            false => delay_ns,
        }
    }

    /// An effect is strictly later than its cause.
    fn later(&self, delay_ns: u64) -> Result<Time, Error> {
        self.now.checked_add(delay_ns.max(1)).ok_or_else(past_the_end)
    }
}

fn past_the_end() -> Error {
    Error::new("an effect would happen after the end of representable time (584 years)")
}
