//! Everything about a run but the agents' own state.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Ending, fate_for};
use crate::agent::Birth;
use crate::batch::{Event, Fate};
use crate::clock::LocalClock;
use crate::codec;
use crate::context::Spawnable;
use crate::control::Control;
use crate::deviation::{DeviationState, MessageId};
use crate::disk::Disk;
use crate::error::Error;
use crate::fleet::Fleet;
use crate::identity::AgentId;
use crate::inject::Injector;
use crate::link::Links;
use crate::message::ProtocolId;
use crate::payload::{Parcel, PayloadStore};
use crate::pool::AnyPool;
use crate::queue::{KeyParts, Pending, Queue};
use crate::slot::{Condition, Directory, Slot, SlotIndex};
use crate::time::Time;

/// Fields are open to the modules of the simulation, which divide its work.
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) now: Time,
    /// Where in the total order the run stands.
    pub(super) popped: KeyParts,
    pub(super) events: u64,
    pub(super) messages: u64,
    pub(super) queue: Queue,
    pub(super) payloads: PayloadStore,
    pub(super) slots: Vec<Slot>,
    pub(super) directory: Directory,
    pub(super) links: Links,
    pub(super) spawnable: Vec<Spawnable>,
    pub(super) deviations: DeviationState,
    pub(super) injector: Option<Box<dyn Injector>>,
    /// What follows is empty for almost all agents.
    pub(super) held: BTreeMap<SlotIndex, VecDeque<(Pending, Time)>>,
    pub(super) clocks: BTreeMap<SlotIndex, LocalClock>,
    pub(super) disks: BTreeMap<SlotIndex, Disk>,
    pub(super) cancelled: BTreeSet<(AgentId, u32)>,
}

impl World {
    pub(super) fn new(fleet: Fleet, links: Links) -> Result<(World, Vec<Box<dyn AnyPool>>), Error> {
        let mut pools = fleet.pools;
        let mut world = World {
            seed: fleet.seed,
            now: Time::ZERO,
            popped: KeyParts::default(),
            events: 0,
            messages: 0,
            queue: Queue::new(fleet.seed),
            payloads: PayloadStore::default(),
            slots: Vec::new(),
            directory: Directory::default(),
            links,
            spawnable: fleet.spawnable,
            deviations: DeviationState::new(fleet.deviations),
            injector: fleet.injector,
            held: BTreeMap::new(),
            clocks: BTreeMap::new(),
            disks: BTreeMap::new(),
            cancelled: BTreeSet::new(),
        };
        for (index, group) in fleet.groups.iter().enumerate() {
            let first = world.slots.len() as SlotIndex;
            if u64::from(first) + u64::from(group.count) > u64::from(SlotIndex::MAX) {
                return Err(Error::new("a fleet has at most 4,294,967,295 agents"));
            }
            world.directory.add_group(group.hash, first, group.count);
            let at = index as u16;
            for ordinal in 1..=group.count {
                let id = AgentId::named(&group.name, ordinal);
                let place = pools[index].add(&Birth { id, ordinal, incarnation: 0 }, &[]);
                world.slots.push(Slot::new(id, at, at, place, ordinal));
                world.queue.push(Pending {
                    time: Time::ZERO,
                    target: id,
                    source: AgentId::WORLD,
                    sequence: 0,
                    protocol: ProtocolId::NONE,
                    kind: 0,
                    event: Event::Start,
                    doom: Fate::Handled,
                    parcel: Parcel::EMPTY,
                });
            }
        }
        // The world's own numbered effects: sequence 0 is every member's start.
        for (sequence, injection) in (1_u32..).zip(&fleet.injections) {
            let message = MessageId { source: AgentId::WORLD, sequence };
            let deviated = world.deviations.apply(message, Time::ZERO, injection.at);
            let message = Pending {
                time: deviated.arrives,
                target: injection.target,
                source: AgentId::WORLD,
                sequence,
                protocol: injection.protocol,
                kind: injection.kind,
                event: Event::Message,
                doom: if deviated.dropped { Fate::Deviated } else { Fate::Handled },
                parcel: Parcel::EMPTY,
            };
            world.schedule_message(message, &injection.payload, [deviated.again, None]);
        }
        world.schedule_controls(&fleet.controls);
        Ok((world, pools))
    }

    /// Lets a message arrive at its time, and again at others.
    pub(super) fn schedule_message(&mut self, message: Pending, payload: &[u8], again: [Option<Time>; 2]) {
        self.messages += 1;
        for time in core::iter::once(message.time).chain(again.into_iter().flatten()) {
            let parcel = self.payloads.pack(payload);
            self.queue.push(Pending { time, parcel, ..message });
        }
    }

    /// Each rule numbers what it does, so the order of rules among themselves changes nothing.
    fn schedule_controls(&mut self, controls: &[(String, Time, AgentId, Control)]) {
        let mut sequences: BTreeMap<&str, u32> = BTreeMap::new();
        for (rule, at, target, control) in controls {
            let sequence = sequences.entry(rule).or_default();
            let mut payload = Vec::new();
            let event = match control {
                Control::Crash => Event::Crash,
                Control::Restart => Event::Restart,
                Control::Pause => Event::Pause,
                Control::Resume => Event::Resume,
                Control::Clock(change) => {
                    codec::encode(change, &mut payload);
                    Event::Clock
                }
                Control::Tell(name) => {
                    payload.extend_from_slice(name.as_bytes());
                    Event::Fault
                }
            };
            let parcel = self.payloads.pack(&payload);
            self.queue.push(Pending {
                time: *at,
                target: *target,
                source: AgentId::rule(rule),
                sequence: *sequence,
                protocol: ProtocolId::NONE,
                kind: 0,
                event,
                doom: Fate::Handled,
                parcel,
            });
            *sequence += 1;
        }
    }

    /// The next event that still matters. Timers that were cancelled, or that a crash or a halt took away, leave no
    /// step and do not advance the clock.
    pub(super) fn next_event(&mut self, until: Time) -> Result<Pending, Ending> {
        loop {
            match self.queue.first() {
                None => return Err(Ending::Quiescent),
                // A timer that will never come due does not keep a run alive either.
                Some(event) if event.time > until && self.still_matters(event) => {
                    return Err(Ending::TimeLimit);
                }
                Some(_) => {}
            }
            let event = self.queue.pop().expect("it was just seen");
            if self.still_matters(&event) {
                return Ok(event);
            }
            self.cancelled.remove(&(event.target, event.sequence));
            self.payloads.release(&event.parcel);
        }
    }

    fn still_matters(&self, event: &Pending) -> bool {
        !event.is_timer() || self.timer_is_live(event)
    }

    fn timer_is_live(&self, event: &Pending) -> bool {
        if !self.cancelled.is_empty() && self.cancelled.contains(&(event.target, event.sequence)) {
            return false;
        }
        let slot = self.directory.find(event.target).expect("only agents set timers");
        let slot = &self.slots[slot as usize];
        event.sequence >= slot.timers_from && !matches!(slot.condition, Condition::Down | Condition::Halted)
    }

    pub(super) fn fate_of(&self, slot: SlotIndex, event: Event) -> Fate {
        let agent = &self.slots[slot as usize];
        // An agent that was not made yet, or whose factory panicked, is not there to go down or to come back.
        if matches!(event, Event::Crash | Event::Restart) && agent.index == Slot::NOT_MADE {
            return Fate::Void;
        }
        fate_for(agent.condition, event)
    }

    /// Whether the event must wait until its agent listens again. What the world does to an agent never waits.
    pub(super) fn must_wait(&self, slot: SlotIndex, event: &Pending) -> bool {
        let agent = &self.slots[slot as usize];
        if !agent.is_deaf() {
            return false;
        }
        match event.event {
            Event::Message | Event::Timer | Event::Fault => {
                !matches!(agent.condition, Condition::Down | Condition::Halted)
            }
            Event::WorkEnd | Event::Start => agent.paused,
            _ => false,
        }
    }

    pub(super) fn hold(&mut self, slot: SlotIndex, event: Pending, arrived: Time) {
        let inbox = self.held.entry(slot).or_default();
        // A beginning comes before everything, and the end of work before what arrived during the work.
        if matches!(event.event, Event::WorkEnd | Event::Start) {
            inbox.push_front((event, arrived));
        } else {
            inbox.push_back((event, arrived));
        }
    }

    /// What waited longest for an agent that listens again.
    pub(super) fn take_held(&mut self, slot: SlotIndex) -> Option<(Pending, Time)> {
        if self.held.is_empty() {
            return None;
        }
        let agent = &self.slots[slot as usize];
        let inbox = self.held.get_mut(&slot)?;
        let ends_deafness = |event: &Pending| matches!(event.event, Event::WorkEnd | Event::Start);
        let first_ends_it = inbox.front().is_some_and(|(event, _)| ends_deafness(event));
        let free = if first_ends_it { !agent.paused } else { !agent.is_deaf() };
        if !free {
            return None;
        }
        let first = inbox.pop_front();
        if inbox.is_empty() {
            self.held.remove(&slot);
        }
        first
    }

    /// Marks an agent as down: its timers and work will never end.
    pub(super) fn take_down(&mut self, slot: SlotIndex) {
        let agent = &mut self.slots[slot as usize];
        agent.condition = Condition::Down;
        agent.busy = false;
        agent.paused = false;
        agent.timers_from = agent.sequence;
    }
}
