//! The core loop: pop an event, advance the clock, dispatch it, record the step, apply its effects.

mod apply;
mod faults;
mod lifecycle;
mod outbox;
mod starts;
mod world;

use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::batch::{Batch, Event, Fate, STEPS_MAX};
use crate::codec;
use crate::context::Frame;
use crate::draft::{Draft, Mark, StepRow};
use crate::error::Error;
use crate::event::Pending;
use crate::fleet::Fleet;
use crate::identity::AgentId;
use crate::link::Links;
use crate::manifest::Manifest;
use crate::message::Wire;
use crate::pool::{AnyPool, Delivery, Layout};
use crate::prefetch::prefetch;
use crate::slot::{Condition, Slot, SlotIndex};
use crate::time::Time;

use apply::past_the_end;
pub(crate) use world::World;

/// Memory is asked for ahead of its use for so many events at once: where a page's address is not at hand, asking takes as
/// long as finding it, and several are found side by side.
const TOGETHER: usize = 8;
/// With fewer agents than this, what the engine keeps of them lies in a near cache: it is not asked for.
const FAR_AGENTS: usize = 1_024;

/// Takes the record of a run, batch by batch.
pub trait Sink {
    /// Takes the next batch. All but the last of a run hold [`STEPS_MAX`] steps. The sink may swap the batch for
    /// an empty one to keep it; the engine empties whatever it finds here afterwards.
    fn accept(&mut self, batch: &mut Batch);
}

/// When a run ends at the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The last instant whose events still happen.
    pub until: Time,
    /// The most events that happen.
    pub events_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { until: Time::MAX, events_max: u64::MAX }
    }
}

/// Why a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing was left to happen.
    Quiescent,
    /// The time limit was reached.
    TimeLimit,
    /// The event limit was reached.
    EventLimit,
    /// An agent ended the run.
    Stopped {
        /// Who.
        by: AgentId,
        /// Why, in its own words.
        reason: String,
    },
    /// The run cannot go on: time or a counter overflowed, or two identities collided.
    Failed(Error),
    /// Whoever drives the simulation stopped before the end.
    Interrupted,
}

/// How far [`Simulation::advance`] came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// The budget is used up; there is more to happen.
    Running,
    /// The run is over.
    Ended(Ending),
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Why it ended.
    pub ending: Ending,
    /// Steps taken.
    pub events: u64,
    /// Messages sent.
    pub messages: u64,
    /// The last instant: of the last event, or the limit when that was reached.
    pub time: Time,
    /// Agents that ever existed.
    pub agents: u64,
}

/// What is happening right now, for a watchdog on another thread: an endless handler cannot be caught from inside.
#[derive(Debug, Default)]
pub struct Heartbeat {
    event: AtomicU64,
    agent: AtomicU64,
    time_ns: AtomicU64,
}

impl Heartbeat {
    /// The ordinal, agent and world time of the event that is being handled.
    #[must_use]
    pub fn read(&self) -> (u64, AgentId, Time) {
        (
            self.event.load(Ordering::Relaxed),
            AgentId::from_u64(self.agent.load(Ordering::Relaxed)),
            Time::from_ns(self.time_ns.load(Ordering::Relaxed)),
        )
    }
}

/// Where a handler began, to go back to when it panics.
struct Before {
    mark: Mark,
    /// The number of the agent's next effect, and its children.
    sequence: u32,
    children: u32,
    /// Messages in the outbox.
    waiting: usize,
}

/// A fleet in its world, ready to run.
pub struct Simulation {
    world: World,
    pools: Vec<Box<dyn AnyPool>>,
    /// Where the agents of each pool lie: looked up again at every [`advance`](Self::advance).
    layouts: Vec<Layout>,
    /// Where in the queue's open bucket memory was last asked for.
    position: usize,
    draft: Draft,
    batch: Batch,
    recording: bool,
    ending: Option<Ending>,
    manifest: Manifest,
    heartbeat: Arc<Heartbeat>,
}

impl Simulation {
    pub(crate) fn new(fleet: Fleet, links: Links, manifest: Manifest) -> Result<Simulation, Error> {
        let recording = fleet.recording;
        let (world, pools) = World::new(fleet, links)?;
        Ok(Simulation {
            world,
            pools,
            layouts: Vec::new(),
            position: 0,
            draft: Draft { is_recorded: recording, ..Draft::default() },
            batch: Batch::default(),
            recording,
            ending: None,
            manifest,
            heartbeat: Arc::default(),
        })
    }

    /// The names and shapes of the fleet.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What is happening right now, readable from another thread.
    #[must_use]
    pub fn heartbeat(&self) -> Arc<Heartbeat> {
        Arc::clone(&self.heartbeat)
    }

    /// Events that have not happened yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.world.queue.len() + self.world.starts.len() + self.world.outbox.len()
    }

    /// Steps taken so far.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.world.events
    }

    /// World time.
    #[must_use]
    pub fn now(&self) -> Time {
        self.world.now
    }

    /// Runs to the end and hands the whole record to `sink`.
    pub fn run(&mut self, limits: &Limits, sink: &mut dyn Sink) -> Outcome {
        while let Status::Running = self.advance(limits, u64::MAX, sink) {}
        self.finish(limits, sink)
    }

    /// Lets at least `budget` events happen, or all that the limits allow.
    pub fn advance(&mut self, limits: &Limits, budget: u64, sink: &mut dyn Sink) -> Status {
        self.layouts.clear();
        self.layouts.extend(self.pools.iter().map(|pool| pool.layout()));
        let pause_at = self.world.events.saturating_add(budget);
        let stop_at = pause_at.min(limits.events_max);
        let mut event = Pending::NOTHING;
        while self.ending.is_none() && self.world.events < stop_at {
            if !self.world.next_event(limits.until, &mut event) {
                let nothing = self.world.queue.first().is_none();
                self.ending = Some(if nothing { Ending::Quiescent } else { Ending::TimeLimit });
                break;
            }
            self.look_ahead();
            self.world.now = event.time;
            self.world.popped = event.key_parts();
            self.handle(&mut event, limits, sink);
        }
        if self.ending.is_none() && self.world.events < pause_at {
            self.ending = Some(Ending::EventLimit);
        }
        self.ending.clone().map_or(Status::Running, Status::Ended)
    }

    /// Hands the rest of the record to `sink` and says what the run came to. Before the end this is an interruption.
    pub fn finish(&mut self, limits: &Limits, sink: &mut dyn Sink) -> Outcome {
        self.fill_columns(sink);
        if !self.batch.is_empty() {
            self.hand_over(sink);
        }
        let ending = self.ending.get_or_insert(Ending::Interrupted).clone();
        let time = if ending == Ending::TimeLimit { limits.until } else { self.world.now };
        Outcome {
            ending,
            events: self.world.events,
            messages: self.world.messages + self.world.outbox.len() as u64,
            time,
            agents: self.world.slots.len() as u64,
        }
    }

    /// Asks for the memory that coming events will need: first for an agent's slot, then, when that has arrived, for
    /// what the slot points to.
    #[inline]
    fn look_ahead(&mut self) {
        let position = self.world.queue.position();
        if self.world.slots.len() < FAR_AGENTS || position == self.position {
            return;
        }
        self.position = position;
        match position {
            // A new bucket.
            1 => {
                self.prefetch_slots(0..2 * TOGETHER);
                self.prefetch_states(0..TOGETHER);
            }
            _ if position.is_multiple_of(TOGETHER) => {
                self.prefetch_slots(TOGETHER..2 * TOGETHER);
                self.prefetch_states(0..TOGETHER);
            }
            _ => {}
        }
    }

    #[inline(never)]
    fn prefetch_slots(&self, ahead: Range<usize>) {
        for slot in self.world.queue.upcoming(ahead) {
            if let Some(slot) = self.world.slots.get(slot as usize) {
                prefetch(slot);
            }
        }
    }

    #[inline(never)]
    fn prefetch_states(&self, ahead: Range<usize>) {
        let World { queue, slots, blocks, .. } = &self.world;
        queue.prefetch_upcoming(ahead.clone());
        for slot in queue.upcoming(ahead) {
            if let Some(slot) = slots.get(slot as usize) {
                blocks.prefetch(&slot.stream);
                self.layouts[usize::from(slot.pool)].prefetch(slot.index);
            }
        }
    }

    /// Handles an event, then whatever waited for its agent to be free, or is forgotten because it went down.
    #[inline(always)]
    fn handle(&mut self, event: &mut Pending, limits: &Limits, sink: &mut dyn Sink) {
        if self.is_heard(event) {
            self.happen(event, event.time, sink);
        } else {
            if event.slot == Pending::NOWHERE {
                event.slot = self.world.slot_of(event.target);
            }
            self.deliver(event, None, sink);
        }
        if !self.world.held.is_empty() {
            self.deliver_held(event.slot, limits, sink);
        }
    }

    /// Whether it is a message or a timer for an agent that listens, as almost always.
    #[inline]
    fn is_heard(&self, event: &Pending) -> bool {
        let agent = self.world.slots.get(event.slot as usize);
        agent.is_some_and(Slot::listens) && event.course.is_for_listeners()
    }

    /// Handles what waited for an agent, as long as it listens.
    #[cold]
    fn deliver_held(&mut self, slot: SlotIndex, limits: &Limits, sink: &mut dyn Sink) {
        while self.ending.is_none() && self.world.events < limits.events_max {
            let Some((held, arrived)) = self.world.take_held(slot) else {
                break;
            };
            self.deliver(&Pending { slot, ..held }, Some(arrived), sink);
        }
    }

    /// Decides what becomes of an event, fresh or held since an instant, and lets it happen.
    #[inline(never)]
    fn deliver(&mut self, event: &Pending, held_since: Option<Time>, sink: &mut dyn Sink) {
        let arrived = held_since.unwrap_or(event.time);
        if self.is_heard(event) {
            self.happen(event, arrived, sink);
        } else {
            self.deliver_otherwise(event, arrived, held_since.is_some(), sink);
        }
    }

    /// Decides what becomes of an event whose agent may be busy, down, or not there at all.
    #[inline(never)]
    fn deliver_otherwise(&mut self, event: &Pending, arrived: Time, held: bool, sink: &mut dyn Sink) {
        let doom = event.course.doom();
        let mark = self.draft.mark();
        let fate = if event.event().is_of_the_world() {
            self.befall_world(event)
        } else if event.slot == Pending::NOWHERE {
            Fate::Unknown
        } else if doom != Fate::Handled {
            doom
        } else {
            if self.world.must_wait(event) {
                self.world.hold(event, arrived);
                return;
            }
            match self.world.fate_of(event) {
                Fate::Handled => {
                    self.happen(event, arrived, sink);
                    return;
                }
                _ if event.is_timer() => {
                    self.world.payloads.release(&event.parcel());
                    return;
                }
                Fate::Down if held => Fate::Forgotten,
                fate => fate,
            }
        };
        if !event.course.is_for_listeners() {
            self.world.state_planned(event, fate, &mut self.draft);
        }
        self.record(event, fate, arrived, mark, 0, sink);
        self.world.payloads.release(&event.parcel());
    }

    /// Lets happen what concerns no single agent.
    fn befall_world(&mut self, event: &Pending) -> Fate {
        if event.event() == Event::Heal {
            let payload = self.world.payloads.copy_of(&event.parcel());
            let core: Vec<u32> = codec::decode(&payload).expect("the engine encoded it itself");
            if let Err(error) = self.world.heal(event, &core) {
                self.ending.get_or_insert(Ending::Failed(error));
            }
        }
        Fate::Handled
    }

    /// Lets an agent that is up and listening handle an event.
    #[inline(always)]
    fn happen(&mut self, event: &Pending, arrived: Time, sink: &mut dyn Sink) {
        self.heartbeat.event.store(self.world.events, Ordering::Relaxed);
        self.heartbeat.agent.store(event.target.as_u64(), Ordering::Relaxed);
        self.heartbeat.time_ns.store(event.time.as_ns(), Ordering::Relaxed);

        let Slot { sequence, children, .. } = self.world.slots[event.slot as usize];
        let waiting = self.world.outbox.len();
        let before = Before { mark: self.draft.mark(), sequence, children, waiting };
        let fate = self.dispatch(event);
        if fate == Fate::Panicked {
            self.undo(event.slot, &before);
        }
        if self.draft.has_unapplied || !event.course.is_for_listeners() {
            self.apply(event, fate, before.mark);
        }
        if self.world.outbox.is_full() {
            self.world.empty_outbox();
        }
        self.record(event, fate, arrived, before.mark, before.sequence, sink);
    }

    /// Makes happen what a handler asked for since `mark`, but for the messages that it has sent already.
    #[inline(never)]
    fn apply(&mut self, event: &Pending, fate: Fate, mark: Mark) {
        let stated = self.world.apply_effects(event.slot, &self.draft, mark, &mut self.ending);
        self.world.state_acts(&mut self.draft);
        if !event.course.is_for_listeners() {
            self.world.state_planned(event, fate, &mut self.draft);
        }
        self.draft.has_unapplied = false;
        if self.world.faults.watch(stated)
            && let Err(error) = self.world.show_to_rules(event, fate, &self.draft, mark)
        {
            self.ending.get_or_insert(Ending::Failed(error));
        }
        if self.world.slots[event.slot as usize].condition == Condition::Halted {
            self.drop_state(event.slot);
        }
        if !self.recording {
            self.draft.clear();
        }
    }

    /// Forgets what a handler asked for that panicked, and takes its agent down.
    #[cold]
    #[inline(never)]
    fn undo(&mut self, slot: SlotIndex, before: &Before) {
        self.draft.rewind(before.mark);
        self.world.outbox.truncate(before.waiting);
        let agent = &mut self.world.slots[slot as usize];
        agent.sequence = before.sequence;
        agent.children = before.children;
        lifecycle::lose_unsynced(&mut self.world, slot);
        // Only now: the next life numbers its timers from here.
        self.world.take_down(slot);
        // The state of an agent that panicked is not to be trusted, not even by its own `on_crash`.
        self.drop_state(slot);
    }

    /// Calls the handler. A panic is the agent's, not ours.
    #[inline(always)]
    fn dispatch(&mut self, event: &Pending) -> Fate {
        if event.parcel().is_stored() {
            return self.dispatch_stored(event);
        }
        let dispatch = || {
            let (bytes, length) = event.parcel().inline().expect("it is not stored");
            self.dispatch_unguarded(event, &bytes[..length])
        };
        catch_unwind(AssertUnwindSafe(dispatch)).unwrap_or(Fate::Panicked)
    }

    /// As `dispatch`, with a payload that did not travel beside its event.
    #[inline(never)]
    fn dispatch_stored(&mut self, event: &Pending) -> Fate {
        let payload = self.world.payloads.lend(&event.parcel());
        let fate = catch_unwind(AssertUnwindSafe(|| self.dispatch_unguarded(event, &payload)));
        self.world.payloads.put_back(&event.parcel(), payload);
        self.world.payloads.release(&event.parcel());
        fate.unwrap_or(Fate::Panicked)
    }

    /// Most events are messages: for those there is a shorter way.
    #[inline(always)]
    fn dispatch_unguarded(&mut self, event: &Pending, payload: &[u8]) -> Fate {
        if !event.course.is_message() {
            return self.dispatch_otherwise(event, payload);
        }
        let agent = &self.world.slots[event.slot as usize];
        let (pool, index) = (usize::from(agent.pool), agent.index);
        let wire = Wire { protocol: event.protocol, kind: event.kind, bytes: payload };
        let frame = Frame { world: &mut self.world, slot: event.slot, draft: &mut self.draft };
        self.pools[pool].dispatch_message(index, event.source, wire, frame)
    }

    /// Drops an agent's state, whose destructor may panic as well.
    #[cold]
    #[inline(never)]
    fn drop_state(&mut self, slot: SlotIndex) {
        let agent = &self.world.slots[slot as usize];
        if agent.index != Slot::NOT_MADE {
            let pool = &mut self.pools[usize::from(agent.pool)];
            let _ = catch_unwind(AssertUnwindSafe(|| pool.discard(agent.index, false)));
        }
    }

    /// Lets anything but a message happen to an agent.
    #[inline(never)]
    fn dispatch_otherwise(&mut self, event: &Pending, payload: &[u8]) -> Fate {
        let world = &mut self.world;
        let agent = &mut world.slots[event.slot as usize];
        let delivery = match event.event() {
            Event::Message => unreachable!("dispatched by whoever called"),
            Event::Timer => Delivery::Timer { kind: event.kind, bytes: payload },
            Event::WorkEnd => {
                agent.busy = false;
                Delivery::Timer { kind: event.kind, bytes: payload }
            }
            Event::Start => {
                lifecycle::start(agent, &mut self.pools, payload);
                Delivery::Start
            }
            Event::Restart => {
                lifecycle::restart(agent, &mut self.pools);
                Delivery::Restart
            }
            Event::Fault => Delivery::Fault { name: core::str::from_utf8(payload).unwrap_or_default() },
            change @ (Event::Crash | Event::Pause | Event::Resume | Event::Clock | Event::Slow) => {
                lifecycle::befall(world, &mut self.pools, event.slot, change, payload);
                return Fate::Handled;
            }
            Event::Announce | Event::Heal => unreachable!("they happen to the world"),
        };
        let (pool, index) = (usize::from(agent.pool), agent.index);
        let frame = Frame { world, slot: event.slot, draft: &mut self.draft };
        self.pools[pool].dispatch(index, delivery, frame);
        Fate::Handled
    }

    #[inline]
    fn record(
        &mut self,
        event: &Pending,
        fate: Fate,
        arrived: Time,
        mark: Mark,
        first_sequence: u32,
        sink: &mut dyn Sink,
    ) {
        self.world.events += 1;
        if !self.recording {
            return;
        }
        self.draft.steps.push(StepRow {
            time: self.world.now,
            target: event.target,
            source: event.source,
            waited_ns: self.world.now.since(arrived),
            sequence: event.sequence,
            protocol: event.protocol,
            first_sequence,
            effects: (self.draft.effects.len() - mark.effects) as u32,
            kind: event.kind,
            event: event.event(),
            fate,
        });
        if self.draft.is_full() || self.batch.len() + self.draft.steps.len() == STEPS_MAX {
            self.fill_columns(sink);
        }
    }

    #[cold]
    fn fill_columns(&mut self, sink: &mut dyn Sink) {
        self.batch.append(&self.draft);
        self.draft.clear();
        if self.batch.len() == STEPS_MAX {
            self.hand_over(sink);
        }
    }

    fn hand_over(&mut self, sink: &mut dyn Sink) {
        sink.accept(&mut self.batch);
        self.batch.reset(self.world.events);
    }
}

/// Whether an agent in this condition can handle an event at all.
fn fate_for(condition: Condition, event: Event) -> Fate {
    match (condition, event) {
        (Condition::Down, Event::Restart) => Fate::Handled,
        (
            Condition::Down | Condition::Halted,
            Event::Crash | Event::Pause | Event::Resume | Event::Clock | Event::Slow,
        ) => Fate::Void,
        (_, Event::Restart) => Fate::Void,
        (Condition::Unborn, Event::Start) => Fate::Handled,
        (_, Event::Start) => Fate::Void,
        (Condition::Down, _) => Fate::Down,
        (Condition::Halted, _) => Fate::Halted,
        (Condition::Unborn | Condition::Up, _) => Fate::Handled,
    }
}
