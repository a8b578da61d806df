//! Pending events in their total order.

use crate::batch::{Event, Fate};
use crate::identity::AgentId;
use crate::message::ProtocolId;
use crate::mix::mix;
use crate::payload::Parcel;
use crate::time::Time;

/// The position of an event in the total order of a run. It depends on the seed and on what the event is, never on
/// how the work was scheduled.
///
/// Events at the same instant are ordered by a hash of receiver, sender and instant, so that nobody is a favourite
/// and every seed tries another order at every receiver. Two messages of one sender to one receiver share that hash
/// and keep the order in which they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventKey {
    time: Time,
    tie: u64,
    target: AgentId,
    source: AgentId,
    sequence: u32,
}

impl EventKey {
    /// The key of the event that effect `sequence` of `source` causes at `target`.
    #[must_use]
    pub const fn new(seed: u64, time: Time, target: AgentId, source: AgentId, sequence: u32) -> EventKey {
        let tie = mix([seed, target.as_u64(), source.as_u64(), time.as_ns()]);
        EventKey { time, tie, target, source, sequence }
    }
}

/// An event that has not happened yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    pub(crate) time: Time,
    pub(crate) target: AgentId,
    pub(crate) source: AgentId,
    pub(crate) sequence: u32,
    pub(crate) protocol: ProtocolId,
    pub(crate) kind: u16,
    pub(crate) event: Event,
    /// `Handled`, unless it is already known that it will not be.
    pub(crate) doom: Fate,
    pub(crate) parcel: Parcel,
}

/// What a key is made of, before the tie hash is worth its price.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyParts {
    pub(crate) time: Time,
    pub(crate) target: AgentId,
    pub(crate) source: AgentId,
    pub(crate) sequence: u32,
}

impl KeyParts {
    pub(crate) fn key(&self, seed: u64) -> EventKey {
        EventKey::new(seed, self.time, self.target, self.source, self.sequence)
    }
}

impl Default for KeyParts {
    fn default() -> Self {
        KeyParts { time: Time::ZERO, target: AgentId::WORLD, source: AgentId::WORLD, sequence: 0 }
    }
}

impl Pending {
    pub(crate) fn key_parts(&self) -> KeyParts {
        KeyParts { time: self.time, target: self.target, source: self.source, sequence: self.sequence }
    }

    pub(crate) fn key(&self, seed: u64) -> EventKey {
        self.key_parts().key(seed)
    }

    /// Whether it is one of those that vanish with the life of the agent that set them.
    pub(crate) fn is_timer(&self) -> bool {
        matches!(self.event, Event::Timer | Event::WorkEnd)
    }

    #[inline]
    fn is_before(&self, other: &Pending, seed: u64) -> bool {
        if self.time != other.time {
            return self.time < other.time;
        }
        self.key(seed) < other.key(seed)
    }
}

/// A binary heap over [`EventKey`]. The tie hash is computed only where instants are equal.
#[derive(Debug)]
pub(crate) struct Queue {
    seed: u64,
    heap: Vec<Pending>,
}

impl Queue {
    pub(crate) fn new(seed: u64) -> Queue {
        Queue { seed, heap: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(crate) fn first(&self) -> Option<&Pending> {
        self.heap.first()
    }

    pub(crate) fn push(&mut self, event: Pending) {
        let mut at = self.heap.len();
        self.heap.push(event);
        while at > 0 {
            let parent = (at - 1) / 2;
            if !self.heap[at].is_before(&self.heap[parent], self.seed) {
                break;
            }
            self.heap.swap(at, parent);
            at = parent;
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Pending> {
        if self.heap.is_empty() {
            return None;
        }
        let first = self.heap.swap_remove(0);
        let mut at = 0;
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            if left >= self.heap.len() {
                break;
            }
            let right_first =
                right < self.heap.len() && self.heap[right].is_before(&self.heap[left], self.seed);
            let child = if right_first { right } else { left };
            if !self.heap[child].is_before(&self.heap[at], self.seed) {
                break;
            }
            self.heap.swap(at, child);
            at = child;
        }
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pending(time: u64, target: u32, source: u32, sequence: u32) -> Pending {
        Pending {
            time: Time::from_ns(time),
            target: AgentId::named("target", target),
            source: AgentId::named("source", source),
            sequence,
            protocol: ProtocolId::NONE,
            kind: 0,
            event: Event::Message,
            doom: Fate::Handled,
            parcel: Parcel::EMPTY,
        }
    }

    /// Times that collide often, are all equal, or are spread over the whole range.
    fn times() -> impl Strategy<Value = u64> {
        prop_oneof![0_u64..4, Just(7), any::<u64>(), (0_u32..64).prop_map(|bits| 1 << bits)]
    }

    proptest! {
        #[test]
        fn events_leave_in_key_order(
            seed: u64,
            events in prop::collection::vec((times(), 1_u32..4, 1_u32..4, any::<bool>()), 0..200),
        ) {
            let mut queue = Queue::new(seed);
            let mut model: Vec<EventKey> = Vec::new();
            for (sequence, (time, target, source, pop)) in events.into_iter().enumerate() {
                let event = pending(time, target, source, sequence as u32);
                queue.push(event);
                model.push(event.key(seed));
                model.sort();
                if pop {
                    prop_assert_eq!(queue.first().map(|event| event.key(seed)), model.first().copied());
                    prop_assert_eq!(queue.pop().map(|event| event.key(seed)), Some(model.remove(0)));
                }
                prop_assert_eq!(queue.len(), model.len());
            }
            for key in model {
                prop_assert_eq!(queue.pop().map(|event| event.key(seed)), Some(key));
            }
            prop_assert!(queue.pop().is_none());
        }
    }

    /// Each of k senders whose messages arrive together must come first in 1/k of the seeds, at each of two
    /// receivers independently.
    #[test]
    fn simultaneous_arrivals_have_no_favourites() {
        const SENDERS: u32 = 5;
        const SEEDS: u64 = 20_000;
        let winner = |seed, target| {
            (1..=SENDERS).min_by_key(|source| pending(9, target, *source, 0).key(seed)).expect("senders")
        };
        let mut joint = [[0_u32; SENDERS as usize]; SENDERS as usize];
        for seed in 0..SEEDS {
            joint[winner(seed, 1) as usize - 1][winner(seed, 2) as usize - 1] += 1;
        }
        // 800 expected in each cell, standard deviation 28: six of them on either side.
        for (first, row) in joint.iter().enumerate() {
            for (second, count) in row.iter().enumerate() {
                assert!((632..=968).contains(count), "{first} and {second} came first {count} times");
            }
        }
    }

    #[test]
    fn one_link_keeps_its_order() {
        for seed in 0..100 {
            let keys: Vec<_> = (0..10).map(|sequence| pending(9, 1, 1, sequence).key(seed)).collect();
            assert!(keys.is_sorted());
        }
    }
}
