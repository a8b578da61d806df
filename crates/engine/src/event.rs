//! Pending events and their total order.

use crate::batch::{Event, Fate};
use crate::identity::AgentId;
use crate::message::ProtocolId;
use crate::mix::mix;
use crate::payload::{INLINE_WORDS, Parcel};
use crate::queue::Entry;
use crate::slot::SlotIndex;
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

    /// The hash that orders events of one instant.
    pub(crate) const fn tie(&self) -> u64 {
        self.tie
    }
}

/// An event that has not happened yet: one line of the processor's cache. It is copied in quarters, and a processor waits
/// when it reads across two pieces that it has just written: so what is read together lies in one quarter.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Pending {
    pub(crate) target: AgentId,
    pub(crate) source: AgentId,
    pub(crate) time: Time,
    /// The [`Parcel`], whose length fits into what the small fields leave of the line.
    pub(crate) words: [u64; INLINE_WORDS],
    pub(crate) sequence: u32,
    /// Where the target is, or [`NOWHERE`](Pending::NOWHERE) when there was no such agent yet.
    pub(crate) slot: SlotIndex,
    pub(crate) protocol: ProtocolId,
    pub(crate) kind: u16,
    pub(crate) course: Course,
    pub(crate) length: u8,
}

/// What happens, and whether it is already known that it will not be handled: both in one byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Course(u8);

const MESSAGE: u8 = Event::Message as u8;
const TIMER: u8 = Event::Timer as u8;
const WORK_END: u8 = Event::WorkEnd as u8;

impl Course {
    pub(crate) const fn new(event: Event, doom: Fate) -> Course {
        Course((doom as u8) << 4 | event as u8)
    }

    #[inline]
    pub(crate) fn event(self) -> Event {
        Event::from_byte(self.0 & 0xF).expect("made from one")
    }

    /// Whether it is a message or a timer that every agent handles who is up and free.
    #[inline]
    pub(crate) fn is_for_listeners(self) -> bool {
        self.0 == MESSAGE || self.0 == TIMER
    }

    #[inline]
    pub(crate) fn is_message(self) -> bool {
        self.0 & 0xF == MESSAGE
    }

    /// Whether it is one of those that vanish with the life of the agent that set them.
    #[inline]
    pub(crate) fn is_timer(self) -> bool {
        matches!(self.0 & 0xF, TIMER | WORK_END)
    }

    /// `Handled`, unless it is already known that it will not be.
    #[inline]
    pub(crate) fn doom(self) -> Fate {
        Fate::from_byte(self.0 >> 4).expect("made from one")
    }
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
    /// What others are made from: a message of the world to nobody, without a payload.
    pub(crate) const NOTHING: Pending = Pending {
        time: Time::ZERO,
        target: AgentId::WORLD,
        source: AgentId::WORLD,
        sequence: 0,
        slot: Pending::NOWHERE,
        protocol: ProtocolId::NONE,
        kind: 0,
        course: Course::new(Event::Message, Fate::Handled),
        words: Parcel::EMPTY.words,
        length: Parcel::EMPTY.length,
    };

    /// The event with another payload.
    #[inline(always)]
    pub(crate) const fn carrying(self, parcel: Parcel) -> Pending {
        Pending { words: parcel.words, length: parcel.length, ..self }
    }

    #[inline]
    pub(crate) fn parcel(&self) -> Parcel {
        Parcel { words: self.words, length: self.length }
    }

    /// In place of the slot of an agent that does not exist.
    pub(crate) const NOWHERE: SlotIndex = SlotIndex::MAX;

    pub(crate) fn event(&self) -> Event {
        self.course.event()
    }

    pub(crate) fn key_parts(&self) -> KeyParts {
        KeyParts { time: self.time, target: self.target, source: self.source, sequence: self.sequence }
    }

    pub(crate) fn key(&self, seed: u64) -> EventKey {
        self.key_parts().key(seed)
    }

    /// Whether it is one of those that vanish with the life of the agent that set them.
    pub(crate) fn is_timer(&self) -> bool {
        self.course.is_timer()
    }
}

impl Entry for Pending {
    type Rest = EventKey;

    #[inline]
    fn time_ns(&self) -> u64 {
        self.time.as_ns()
    }

    /// Whose memory will be needed.
    #[inline]
    fn hint(&self) -> u32 {
        self.slot
    }

    fn rest(&self, seed: u64) -> EventKey {
        self.key(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pending_event_fills_one_cache_line() {
        assert_eq!((size_of::<Pending>(), align_of::<Pending>()), (64, 64));
        assert_eq!(size_of::<crate::slot::Slot>(), 64);
    }

    fn pending(time: u64, target: u32, source: u32, sequence: u32) -> Pending {
        Pending {
            time: Time::from_ns(time),
            target: AgentId::named("target", target),
            source: AgentId::named("source", source),
            sequence,
            ..Pending::NOTHING
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
