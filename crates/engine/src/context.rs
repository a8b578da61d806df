//! What a handler may do: look at little, ask for effects.

use core::any::TypeId;
use core::marker::PhantomData;

use crate::agent::{Agent, Spawn};
use crate::batch::EffectKind;
use crate::codec::{self, Out};
use crate::disk::Disk;
use crate::draft::{Draft, EffectRow};
use crate::fact::{CUSTOM_FIELDS_MAX, FACT_BYTES_MAX, Fact};
use crate::identity::{Address, AgentId};
use crate::message::{Accepts, Message};
use crate::payload::{Encoding, Parcel};
use crate::simulation::World;
use crate::slot::{Slot, SlotIndex};
use crate::stream::Stream;
use crate::time::Time;

/// A handler's view of the world. Everything asked for here happens after the handler returns.
///
/// ```
/// use fleetsim_engine::{Address, Agent, AgentId, Context, Fact, MINUTE, Message, SECOND, TimerId};
/// use rand::Rng;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// enum Review { Wanted { item: u64 }, Approved { item: u64 } }
/// impl Message for Review { const PROTOCOL: &'static str = "review"; }
///
/// #[derive(Serialize, Deserialize)]
/// enum Timer { Reviewed, BoredOfWaiting }
///
/// /// Deaf while it reads; goes away when nobody wants anything for five minutes.
/// struct Reviewer { reading: Option<(AgentId, u64)>, bored: Option<TimerId> }
///
/// impl Agent for Reviewer {
///     type Inbox = Review;
///     type Timer = Timer;
///
///     fn on_message(&mut self, ctx: &mut Context<'_, Self>, from: AgentId, message: Review) {
///         let Review::Wanted { item } = message else { return };
///         if let Some(bored) = self.bored.take() {
///             ctx.cancel_timer(bored);
///         }
///         self.reading = Some((from, item));
///         let takes_ns = 20 * SECOND + ctx.random().next_u64() % MINUTE;
///         ctx.work_for(takes_ns, Timer::Reviewed);
///     }
///
///     fn on_timer(&mut self, ctx: &mut Context<'_, Self>, timer: Timer) {
///         match (timer, self.reading.take()) {
///             (Timer::Reviewed, Some((author, item))) => {
///                 ctx.fact(Fact::Reviewed { item, approved: true });
///                 ctx.send(Address::new(author), Review::Approved { item });
///                 self.bored = Some(ctx.set_timer(5 * MINUTE, Timer::BoredOfWaiting));
///             }
///             _ => ctx.halt(),
///         }
///     }
/// }
/// ```
pub struct Context<'a, A: Agent> {
    frame: Frame<'a>,
    agent: PhantomData<fn(A)>,
}

/// What the engine lends to a handler.
pub(crate) struct Frame<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) slot: SlotIndex,
    pub(crate) draft: &'a mut Draft,
}

impl Frame<'_> {
    #[inline]
    fn agent(&self) -> &Slot {
        &self.world.slots[self.slot as usize]
    }

    #[inline]
    fn agent_mut(&mut self) -> &mut Slot {
        &mut self.world.slots[self.slot as usize]
    }
}

/// A kind of agent that others may spawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spawnable {
    pub(crate) agent: TypeId,
    pub(crate) pool: u16,
    pub(crate) group: u16,
}

/// A timer that was set, for cancelling it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimerId {
    sequence: u32,
    due: Time,
}

impl<'a, A: Agent> Context<'a, A> {
    pub(crate) fn new(frame: Frame<'a>) -> Self {
        Context { frame, agent: PhantomData }
    }

    /// The agent's identity.
    #[must_use]
    pub fn id(&self) -> AgentId {
        self.frame.agent().id
    }

    /// The agent's position in its group, or among its parent's children, from 1.
    #[must_use]
    pub fn ordinal(&self) -> u32 {
        self.frame.agent().ordinal
    }

    /// Where others reach this agent with messages of protocol `M`.
    #[must_use]
    pub fn own_address<M: Message>(&self) -> Address<M>
    where
        A::Inbox: Accepts<M>,
    {
        Address::new(self.id())
    }

    /// The time on the agent's own clock, which a fault may have skewed. It is the only time an agent can see.
    #[must_use]
    pub fn now(&self) -> Time {
        self.frame.world.local_now(self.frame.slot)
    }

    /// Sends a message. It arrives after the link's latency, at least one nanosecond from now.
    pub fn send<M: Message>(&mut self, to: Address<M>, message: M) {
        self.send_after(to, message, 0);
    }

    /// Sends a message after thinking for `delay_ns` on the agent's own clock; the agent stays responsive meanwhile.
    pub fn send_after<M: Message>(&mut self, to: Address<M>, message: M, delay_ns: u64) {
        let (mut row, parcel) = self.encode_send(to, &message, delay_ns);
        let Frame { world, slot, draft } = &mut self.frame;
        let Some(parcel) = parcel else {
            draft.push(row);
            return;
        };
        row.is_sent = world.send_early(*slot, &row, parcel);
        if !row.is_sent || draft.is_recorded {
            draft.push_short(row, parcel);
        }
    }

    /// Sends one message to many, each as [`send`](Self::send) would. It is encoded once, and on its way its bytes are
    /// held once.
    pub fn broadcast<M: Message>(&mut self, to: impl IntoIterator<Item = Address<M>>, message: M) {
        let mut to = to.into_iter();
        let Some(first) = to.next() else { return };
        let (row, parcel) = self.encode_send(first, &message, 0);
        match parcel {
            Some(parcel) => self.frame.draft.push_short(row, parcel),
            None => self.frame.draft.push(row),
        }
        for next in to {
            let sequence = self.next_sequence();
            self.frame.draft.add_again(sequence, next.id().as_u64());
        }
    }

    /// Sets a timer that comes due `delay_ns` from now on the agent's own clock (0 counts as 1).
    pub fn set_timer(&mut self, delay_ns: u64, timer: A::Timer) -> TimerId {
        let sequence = self.next_sequence();
        let encode = |out: &mut Vec<u8>| codec::encode_kind(&timer, out);
        self.frame.draft.add(EffectKind::SetTimer, sequence, 0, delay_ns, encode);
        let world_delay_ns = self.frame.world.world_delay_ns(self.frame.slot, delay_ns);
        let due = self.frame.world.now.checked_add(world_delay_ns.max(1)).unwrap_or(Time::MAX);
        TimerId { sequence, due }
    }

    /// Cancels a timer. Cancelling one that already came due does nothing.
    pub fn cancel_timer(&mut self, timer: TimerId) {
        let sequence = u64::from(timer.sequence);
        self.frame.draft.add(EffectKind::CancelTimer, 0, sequence, timer.due.as_ns(), |_| 0);
    }

    /// Works for `delay_ns` on the agent's own clock, deaf: messages and timers wait in the inbox. At the end
    /// `on_timer` is called with `then`, and the inbox is handled in order of arrival.
    ///
    /// # Panics
    /// When the agent is already working.
    pub fn work_for(&mut self, delay_ns: u64, then: A::Timer) {
        let agent = self.frame.agent_mut();
        assert!(!agent.busy, "an agent works on one thing at a time");
        agent.busy = true;
        let sequence = self.next_sequence();
        let encode = |out: &mut Vec<u8>| codec::encode_kind(&then, out);
        self.frame.draft.add(EffectKind::Work, sequence, 0, delay_ns, encode);
    }

    /// Spawns an agent, which starts at least one nanosecond from now. Its identity is known at once.
    ///
    /// # Panics
    /// When the fleet does not declare the kind with [`Fleet::spawnable`](crate::Fleet::spawnable).
    pub fn spawn<B: Spawn>(&mut self, config: B::Config) -> AgentId {
        let wanted = TypeId::of::<B>();
        let known = self.frame.world.spawnable.iter().position(|kind| kind.agent == wanted);
        let Some(kind) = known else {
            panic!(
                "this fleet does not declare {} as spawnable; call `fleet.spawnable::<…>(name)` first",
                core::any::type_name::<B>()
            );
        };
        let agent = self.frame.agent_mut();
        let ordinal = agent.children;
        agent.children += 1;
        let child = AgentId::spawned(self.id(), ordinal);
        let sequence = self.next_sequence();
        let encode = |out: &mut Vec<u8>| {
            codec::encode(&config, out);
            kind as u16
        };
        self.frame.draft.add(EffectKind::Spawn, sequence, child.as_u64(), u64::from(ordinal), encode);
        child
    }

    /// The agent's random stream: a function of the seed, its identity and its incarnation.
    #[must_use]
    pub fn random(&mut self) -> Stream<'_> {
        let World { seed, slots, blocks, .. } = &mut *self.frame.world;
        Stream::new(&mut slots[self.frame.slot as usize], blocks, *seed)
    }

    /// The luck of something that is not this agent, such as (task, attempt): the same whoever asks.
    /// `purpose` tells apart what the luck is for.
    #[must_use]
    pub fn luck_of<const N: usize>(&self, purpose: &str, key: [u64; N]) -> crate::mix::Draw {
        crate::mix::Draw::keyed(self.frame.world.seed, crate::mix::hash_text(purpose), key)
    }

    /// States a fact.
    ///
    /// # Panics
    /// When it takes more than 4 KiB or has more than 32 custom fields.
    pub fn fact(&mut self, fact: Fact<'_>) {
        if let Fact::Custom { fields, .. } = &fact {
            assert!(fields.len() <= CUSTOM_FIELDS_MAX, "a custom fact has at most 32 fields");
        }
        let bytes = self.frame.draft.add_fact(&fact);
        assert!(bytes <= FACT_BYTES_MAX, "a fact takes at most 4 KiB");
    }

    /// The agent's durable storage.
    pub fn disk(&mut self) -> &mut Disk {
        self.frame.world.disks.entry(self.frame.slot).or_default()
    }

    /// Passes a point where something may go wrong: `Some` when a fault rule says so, with a strength whose meaning
    /// is the site's. The record then names the rule, as a [`Fact::Injected`] of this step.
    pub fn fault_site(&mut self, site: &str) -> Option<u64> {
        let Frame { world, slot, draft } = &mut self.frame;
        world.visit_site(*slot, site, draft)
    }

    /// Stops existing. What arrives later is recorded as dropped.
    pub fn halt(&mut self) {
        self.frame.draft.add(EffectKind::Halt, 0, 0, 0, |_| 0);
    }

    /// Ends the run after this step, for the stated reason.
    pub fn stop_run(&mut self, reason: &str) {
        self.frame.draft.add(EffectKind::StopRun, 0, 0, 0, |out| {
            codec::encode(reason, out);
            0
        });
    }

    /// Numbers a message and encodes it: into a parcel when it is short, else to the end of the draft's payloads.
    #[inline(always)]
    fn encode_send<M: Message>(
        &mut self,
        to: Address<M>,
        message: &M,
        delay_ns: u64,
    ) -> (EffectRow, Option<Parcel>) {
        let sequence = self.next_sequence();
        let mut encoding = Encoding::new(&mut self.frame.draft.payloads);
        let kind = codec::encode_kind_to(message, &mut encoding);
        let row = EffectRow {
            object: to.id().as_u64(),
            delay_ns,
            protocol: M::ID,
            length: encoding.length() as u32,
            kind,
            effect: EffectKind::Send,
            is_sent: false,
            sequence,
        };
        (row, encoding.parcel())
    }

    fn next_sequence(&mut self) -> u32 {
        let agent = self.frame.agent_mut();
        let sequence = agent.sequence;
        agent.sequence =
            sequence.checked_add(1).expect("an agent has at most 4,294,967,295 numbered effects");
        sequence
    }
}
