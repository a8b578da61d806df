//! The broker: a queue that delivers at least once (or at most once), with all that follows from it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use fleetsim_engine::{Address, Agent, AgentId, Context, Fact, Message, TimerId};
use serde::{Deserialize, Serialize};

use crate::item::Parcel;
use crate::seam::{Seam, state_hand_over};
use crate::sites;

/// What a broker is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Puts a parcel into the queue.
    Publish(Parcel),
    /// The sender is free for one parcel of these seams.
    Ready {
        /// The seams' numbers.
        seams: Vec<u16>,
    },
    /// The sender is done with a delivery.
    Acknowledge {
        /// The delivered message.
        message: u64,
    },
}

impl Message for Request {
    const PROTOCOL: &'static str = "queue";
}

/// What a broker sends to consumers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Delivery {
    /// A parcel, to be acknowledged when it is dealt with.
    Deliver {
        /// The message, the same in every delivery of it.
        message: u64,
        /// The parcel.
        parcel: Parcel,
    },
}

impl Message for Delivery {
    const PROTOCOL: &'static str = "queue-delivery";
}

/// How a queue behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// After how many nanoseconds an unacknowledged message is delivered again; `None` for at most once.
    pub redelivers_after_ns: Option<u64>,
    /// The most messages that are waiting or unacknowledged; what comes then is lost.
    pub capacity: u64,
    /// The agent that reads everything, as it comes. Without one, free receivers take turns.
    pub reader: Option<AgentId>,
    /// Whether the newest message comes first, which starves the oldest.
    pub newest_first: bool,
    /// After so many deliveries a message is given up, if the guard is on.
    pub dead_letter_after: Option<u32>,
}

/// A queue of parcels.
pub struct Broker {
    settings: Settings,
    seams: Arc<[Seam]>,
    published: u64,
    waiting: VecDeque<u64>,
    /// Messages that are waiting or unacknowledged.
    messages: BTreeMap<u64, Held>,
    /// Consumers that are free, in the order in which they said so.
    free: VecDeque<(AgentId, Vec<u16>)>,
}

struct Held {
    parcel: Parcel,
    deliveries: u32,
    redelivery: Option<TimerId>,
}

/// A broker's timers.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// A delivery was not acknowledged in time, or the acknowledgement was forgotten.
    Redeliver(u64),
}

impl Broker {
    /// An empty queue for the fleet's seams.
    #[must_use]
    pub fn new(settings: Settings, seams: Arc<[Seam]>) -> Broker {
        let (messages, free) = (BTreeMap::new(), VecDeque::new());
        Broker { settings, seams, published: 0, waiting: VecDeque::new(), messages, free }
    }

    fn publish(&mut self, ctx: &mut Context<'_, Self>, parcel: Parcel) {
        if self.messages.len() as u64 >= self.settings.capacity {
            self.give_up(ctx, &parcel, "the queue is full");
            return;
        }
        if ctx.fault_site(sites::QUEUE_LOSE).is_some() {
            self.give_up(ctx, &parcel, "the queue lost it");
            return;
        }
        let message = self.published;
        self.published += 1;
        self.messages.insert(message, Held { parcel, deliveries: 0, redelivery: None });
        if self.settings.newest_first {
            self.waiting.push_front(message);
        } else {
            self.waiting.push_back(message);
        }
        self.deliver_waiting(ctx);
    }

    /// Delivers what can be delivered, oldest first.
    fn deliver_waiting(&mut self, ctx: &mut Context<'_, Self>) {
        // Those that nobody who is free can take, in order.
        let mut passed_over = Vec::new();
        while self.settings.reader.is_some() || !self.free.is_empty() {
            let Some(message) = self.waiting.pop_front() else { break };
            let Some(parcel) = self.messages.get(&message).map(|held| held.parcel) else { continue };
            match self.take_consumer(&parcel) {
                Some(consumer) => self.deliver(ctx, message, consumer),
                None => passed_over.push(message),
            }
        }
        for message in passed_over.into_iter().rev() {
            self.waiting.push_front(message);
        }
    }

    fn take_consumer(&mut self, parcel: &Parcel) -> Option<AgentId> {
        if self.settings.reader.is_some() {
            return self.settings.reader;
        }
        let fits = |(consumer, seams): &(AgentId, Vec<u16>)| {
            seams.contains(&parcel.seam) && parcel.receiver.is_none_or(|receiver| receiver == *consumer)
        };
        let at = self.free.iter().position(fits)?;
        self.free.remove(at).map(|(consumer, _)| consumer)
    }

    fn deliver(&mut self, ctx: &mut Context<'_, Self>, message: u64, consumer: AgentId) {
        let held = self.messages.get_mut(&message).expect("only held messages are delivered");
        held.deliveries += 1;
        let parcel = held.parcel;
        match self.settings.redelivers_after_ns {
            Some(after_ns) => held.redelivery = Some(ctx.set_timer(after_ns, Timer::Redeliver(message))),
            None => drop(self.messages.remove(&message)),
        }
        if self.settings.reader.is_none() {
            state_hand_over(ctx, &self.seams[usize::from(parcel.seam)], &parcel, consumer);
        }
        ctx.send(Address::new(consumer), Delivery::Deliver { message, parcel });
    }

    fn acknowledge(&mut self, ctx: &mut Context<'_, Self>, message: u64) {
        let Some(held) = self.messages.get_mut(&message) else { return };
        if let Some(timer) = held.redelivery.take() {
            ctx.cancel_timer(timer);
        }
        match ctx.fault_site(sites::QUEUE_REDELIVER) {
            None => drop(self.messages.remove(&message)),
            Some(after_ns) => {
                self.waiting.retain(|waiting| *waiting != message);
                held.redelivery = Some(ctx.set_timer(after_ns, Timer::Redeliver(message)));
            }
        }
    }

    fn give_up(&self, ctx: &mut Context<'_, Self>, parcel: &Parcel, reason: &str) {
        let seam = &self.seams[usize::from(parcel.seam)].name;
        ctx.fact(Fact::Undelivered { seam, item: parcel.item.id, offer: parcel.offer, reason });
    }
}

impl Agent for Broker {
    type Inbox = Request;
    type Timer = Timer;

    fn on_message(&mut self, ctx: &mut Context<'_, Self>, from: AgentId, request: Request) {
        match request {
            Request::Publish(parcel) => self.publish(ctx, parcel),
            Request::Ready { seams } => {
                // A consumer that restarted says so again; it is still one consumer.
                self.free.retain(|(consumer, _)| *consumer != from);
                self.free.push_back((from, seams));
                self.deliver_waiting(ctx);
            }
            Request::Acknowledge { message } => self.acknowledge(ctx, message),
        }
    }

    fn on_timer(&mut self, ctx: &mut Context<'_, Self>, Timer::Redeliver(message): Timer) {
        let Some(held) = self.messages.get(&message) else { return };
        if self.settings.dead_letter_after.is_some_and(|most| held.deliveries >= most) {
            let parcel = held.parcel;
            self.messages.remove(&message);
            ctx.fact(Fact::GuardTripped { guard: "dead-letter-after", item: parcel.item.id });
            self.give_up(ctx, &parcel, "delivered too often");
            return;
        }
        self.waiting.push_front(message);
        self.deliver_waiting(ctx);
    }
}
