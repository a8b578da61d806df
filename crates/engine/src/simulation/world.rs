//! Everything about a run but the agents' own state.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::fate_for;
use super::faults::Faults;
use super::outbox::Outbox;
use super::starts::Starts;
use crate::agent::Birth;
use crate::batch::{Event, Fate};
use crate::clock::LocalClock;
use crate::context::Spawnable;
use crate::deviation::{DeviationState, MessageId};
use crate::disk::Disk;
use crate::error::Error;
use crate::event::{Course, KeyParts, Pending};
use crate::fleet::Fleet;
use crate::identity::AgentId;
use crate::inject::GroupId;
use crate::link::Links;
use crate::mix::{Draw, Purpose, hash_text};
use crate::payload::PayloadStore;
use crate::pool::AnyPool;
use crate::queue::Queue;
use crate::slot::{Condition, Directory, Slot, SlotIndex};
use crate::stream::Blocks;
use crate::time::Time;

const LATENCY_LUCK: u64 = hash_text("link latency");

/// Fields are open to the modules of the simulation, which divide its work, and some to [`Context`](crate::Context).
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) now: Time,
    /// Where in the total order the run stands.
    pub(super) popped: KeyParts,
    pub(super) events: u64,
    /// Messages sent, without those in the outbox.
    pub(super) messages: u64,
    /// The starts of the fleet's members, until they have all happened.
    pub(super) starts: Starts,
    pub(super) queue: Queue,
    pub(super) outbox: Outbox,
    pub(super) payloads: PayloadStore,
    pub(crate) slots: Vec<Slot>,
    pub(crate) blocks: Blocks,
    pub(super) directory: Directory,
    pub(super) links: Links,
    pub(super) latency_luck: Purpose,
    pub(crate) spawnable: Vec<Spawnable>,
    pub(super) deviations: DeviationState,
    /// Whether there are deviations.
    pub(super) deviates: bool,
    pub(super) faults: Faults,
    /// The groups by their index.
    pub(super) group_ids: Vec<GroupId>,
    /// What follows is empty for almost all agents.
    pub(super) held: BTreeMap<SlotIndex, VecDeque<(Pending, Time)>>,
    pub(super) clocks: BTreeMap<SlotIndex, LocalClock>,
    pub(crate) disks: BTreeMap<SlotIndex, Disk>,
    pub(super) cancelled: BTreeSet<(AgentId, u32)>,
}

impl World {
    pub(super) fn new(fleet: Fleet, links: Links) -> Result<(World, Vec<Box<dyn AnyPool>>), Error> {
        let group_ids = super::faults::group_ids(&fleet);
        let mut pools = fleet.pools;
        let deviations = DeviationState::new(fleet.deviations);
        let mut world = World {
            seed: fleet.seed,
            now: Time::ZERO,
            popped: KeyParts::default(),
            events: 0,
            messages: 0,
            starts: Starts::default(),
            queue: Queue::new(fleet.seed),
            outbox: Outbox::default(),
            payloads: PayloadStore::default(),
            slots: Vec::new(),
            blocks: Blocks::default(),
            directory: Directory::default(),
            links,
            latency_luck: Draw::purpose(fleet.seed, LATENCY_LUCK),
            spawnable: fleet.spawnable,
            deviates: !deviations.is_empty(),
            deviations,
            faults: Faults::new(fleet.injector, &fleet.rules, &group_ids),
            group_ids,
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
            let at = index as u16;
            world.directory.add_group(group.hash, first, group.count, at);
            for ordinal in 1..=group.count {
                let id = AgentId::named(&group.name, ordinal);
                let place = pools[index].add(&Birth { id, ordinal, incarnation: 0 }, &[]);
                world.slots.push(Slot::new(id, at, at, place, ordinal));
            }
        }
        world.starts = Starts::new(world.seed, &world.slots);
        // The world's own numbered effects: sequence 0 is every member's start.
        for (sequence, injection) in (1_u32..).zip(&fleet.injections) {
            let message = MessageId { source: AgentId::WORLD, sequence };
            let deviated = world.deviations.apply(message, Time::ZERO, injection.at);
            let doom = if deviated.dropped { Fate::Deviated } else { Fate::Handled };
            let message = Pending {
                time: deviated.arrives,
                target: injection.target,
                source: AgentId::WORLD,
                sequence,
                slot: world.slot_of(injection.target),
                protocol: injection.protocol,
                kind: injection.kind,
                course: Course::new(Event::Message, doom),
                ..Pending::NOTHING
            };
            world.schedule_message(message, &injection.payload);
            world.schedule_again(message, &injection.payload, [deviated.again, None]);
        }
        world.schedule_controls(&fleet.controls);
        Ok((world, pools))
    }

    /// Where an agent is, or [`Pending::NOWHERE`].
    pub(super) fn slot_of(&self, agent: AgentId) -> SlotIndex {
        self.directory.find(agent).map_or(Pending::NOWHERE, |place| place.slot)
    }

    /// The time on an agent's own clock.
    pub(crate) fn local_now(&self, slot: SlotIndex) -> Time {
        let clock = self.slots[slot as usize].own_pace.then(|| self.clocks.get(&slot)).flatten();
        clock.map_or(self.now, |clock| clock.read(self.now))
    }

    /// A delay on an agent's own clock, in world time.
    #[inline]
    pub(crate) fn world_delay_ns(&self, slot: SlotIndex, delay_ns: u64) -> u64 {
        let clock = self.slots[slot as usize].own_pace.then(|| self.clocks.get(&slot)).flatten();
        clock.map_or(delay_ns, |clock| clock.world_delay_ns(delay_ns))
    }

    /// Whether deviations or fault rules may change what becomes of a message from one group to another that arrives at
    /// this instant, or earlier.
    #[inline]
    pub(super) fn may_interfere(&self, arrives: Time, groups: (u16, u16)) -> bool {
        self.deviates || self.faults.may_meet(arrives, groups)
    }

    /// Lets a message arrive at its time.
    #[inline(always)]
    pub(super) fn schedule_message(&mut self, message: Pending, payload: &[u8]) {
        self.messages += 1;
        self.queue.push(message.carrying(self.payloads.pack(payload)));
    }

    /// Lets a message that was sent arrive at other times as well.
    #[cold]
    pub(super) fn schedule_again(&mut self, message: Pending, payload: &[u8], again: [Option<Time>; 2]) {
        for time in again.into_iter().flatten() {
            self.queue.push(Pending { time, ..message }.carrying(self.payloads.pack(payload)));
        }
    }

    /// Finds the next event until an instant that still matters; returns whether there is one. Timers that were
    /// cancelled, or that a crash or a halt took away, leave no step and do not advance the clock.
    #[inline]
    pub(super) fn next_event(&mut self, until: Time, event: &mut Pending) -> bool {
        // Almost always.
        if self.starts.is_empty()
            && let Some(first) = self.queue.first_at_a_glance()
            && !first.is_timer()
            && first.time <= until
            && !self.outbox.may_precede(first.time)
        {
            *event = *first;
            self.queue.drop_first_at_a_glance();
            return true;
        }
        self.find_next_event(until, event)
    }

    #[inline(never)]
    fn find_next_event(&mut self, until: Time, event: &mut Pending) -> bool {
        if !self.starts.is_empty()
            && let Some(start) = self.starts.next_before(self.queue.first(), self.seed, &self.slots)
        {
            *event = start;
            return true;
        }
        if self.queue.is_between_buckets() {
            // What is in the next bucket when that is opened leaves it cheaply; what comes later does not.
            self.empty_outbox();
        }
        loop {
            let Some(first) = self.queue.first() else {
                if self.outbox.is_empty() {
                    return false;
                }
                self.empty_outbox();
                continue;
            };
            if self.outbox.may_precede(first.time) {
                self.empty_outbox();
                continue;
            }
            *event = *first;
            let matters = self.still_matters(event);
            // A timer that will never come due does not keep a run alive either.
            if event.time > until && matters {
                return false;
            }
            self.queue.drop_first();
            if matters {
                return true;
            }
            self.cancelled.remove(&(event.target, event.sequence));
            self.payloads.release(&event.parcel());
        }
    }

    /// Lets what was sent lately arrive at its time.
    #[inline(never)]
    pub(super) fn empty_outbox(&mut self) {
        self.messages += self.outbox.len() as u64;
        self.outbox.empty(self.latency_luck, &mut self.queue);
    }

    #[inline]
    fn still_matters(&self, event: &Pending) -> bool {
        !event.is_timer() || self.timer_is_live(event)
    }

    fn timer_is_live(&self, event: &Pending) -> bool {
        if !self.cancelled.is_empty() && self.cancelled.contains(&(event.target, event.sequence)) {
            return false;
        }
        let slot = &self.slots[event.slot as usize];
        event.sequence >= slot.timers_from && !matches!(slot.condition, Condition::Down | Condition::Halted)
    }

    #[inline]
    pub(super) fn fate_of(&self, event: &Pending) -> Fate {
        let agent = &self.slots[event.slot as usize];
        let event = event.event();
        // An agent that was not made yet, or whose factory panicked, is not there to go down or to come back.
        if matches!(event, Event::Crash | Event::Restart) && agent.index == Slot::NOT_MADE {
            return Fate::Void;
        }
        fate_for(agent.condition, event)
    }

    /// Whether the event must wait until its agent listens again. What the world does to an agent never waits.
    #[inline]
    pub(super) fn must_wait(&self, event: &Pending) -> bool {
        let agent = &self.slots[event.slot as usize];
        if !agent.is_deaf() {
            return false;
        }
        match event.event() {
            Event::Message | Event::Timer | Event::Fault => {
                !matches!(agent.condition, Condition::Down | Condition::Halted)
            }
            Event::WorkEnd | Event::Start => agent.paused,
            _ => false,
        }
    }

    pub(super) fn hold(&mut self, event: &Pending, arrived: Time) {
        let inbox = self.held.entry(event.slot).or_default();
        // A beginning comes before everything, and the end of work before what arrived during the work.
        if matches!(event.event(), Event::WorkEnd | Event::Start) {
            inbox.push_front((*event, arrived));
        } else {
            inbox.push_back((*event, arrived));
        }
    }

    /// What waited longest for an agent that listens again.
    pub(super) fn take_held(&mut self, slot: SlotIndex) -> Option<(Pending, Time)> {
        let inbox = self.held.get_mut(&slot)?;
        let agent = &self.slots[slot as usize];
        let ends_deafness = |event: &Pending| matches!(event.event(), Event::WorkEnd | Event::Start);
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
