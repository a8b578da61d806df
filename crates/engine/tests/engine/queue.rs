//! The bucket queue against its brute-force twin, the plain heap, and both against a sorted list.

use fleetsim_engine::mix;
use fleetsim_engine::queue::{BucketQueue, Entry, HeapQueue};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Due {
    time_ns: u64,
    number: u32,
}

impl Entry for Due {
    type Rest = (u64, u32);

    fn time_ns(&self) -> u64 {
        self.time_ns
    }

    fn hint(&self) -> u32 {
        self.number
    }

    fn rest(&self, seed: u64) -> (u64, u32) {
        (mix([seed, u64::from(self.number)]), self.number)
    }
}

/// The bucket queue and its twin, which must always agree.
struct Both {
    seed: u64,
    buckets: BucketQueue<Due>,
    heap: HeapQueue<Due>,
    number: u32,
    /// The instant of what left last.
    now_ns: u64,
}

impl Both {
    fn new(seed: u64) -> Both {
        let (buckets, heap) = (BucketQueue::new(seed), HeapQueue::new(seed));
        Both { seed, buckets, heap, number: 0, now_ns: 0 }
    }

    fn push(&mut self, time_ns: u64) {
        let due = Due { time_ns, number: self.number };
        self.number += 1;
        self.buckets.push(due);
        self.heap.push(due);
    }

    fn pop(&mut self) -> bool {
        assert_eq!(self.buckets.len(), self.heap.len());
        assert_eq!(self.buckets.is_empty(), self.heap.is_empty());
        let at_a_glance = self.buckets.first_at_a_glance().copied();
        assert!(at_a_glance.is_none() || at_a_glance.as_ref() == self.heap.first(), "seed {}", self.seed);
        let left = match at_a_glance {
            Some(first) if first.number.is_multiple_of(2) => {
                self.buckets.drop_first_at_a_glance();
                at_a_glance
            }
            _ => {
                assert_eq!(self.buckets.first(), self.heap.first(), "seed {}", self.seed);
                self.buckets.pop()
            }
        };
        assert_eq!(left, self.heap.pop(), "seed {}", self.seed);
        self.now_ns = left.map_or(self.now_ns, |due| due.time_ns);
        left.is_some()
    }

    fn drain(&mut self) {
        while self.pop() {}
    }
}

/// How instants are spread: each is a way in which a bucket queue could go wrong.
#[derive(Clone, Copy, Debug)]
enum Spread {
    AllEqual,
    Even(u64),
    /// Over twenty decades: a bucket width that suits one half suits nothing else.
    Exponential,
    Bursts,
    /// Mostly soon, sometimes in a year: timers of leases over a busy fleet.
    FarFuture,
    /// Each before the last, and before what has left already.
    Decreasing,
    /// One nanosecond on: everything lands in the bucket that is open.
    Next,
    /// At the end of representable time.
    End,
}

impl Spread {
    fn time_ns(self, now_ns: u64, number: u32, word: u64) -> u64 {
        let delay_ns = match self {
            Spread::AllEqual => 0,
            Spread::Even(width_ns) => word % width_ns.max(1),
            Spread::Exponential => (word | 1) >> (word % 64),
            Spread::Bursts => (word % 3) * 1_000_000_000 + u64::from(word.is_multiple_of(16)) * (word >> 60),
            Spread::FarFuture if word.is_multiple_of(8) => 31_536_000_000_000_000,
            Spread::FarFuture => word % 1_000_000,
            Spread::Decreasing => return u64::from(u32::MAX - number) * 1_000,
            Spread::Next => 1,
            Spread::End => return u64::MAX - word % 4,
        };
        now_ns.saturating_add(delay_ns)
    }
}

fn spread() -> impl Strategy<Value = Spread> {
    prop_oneof![
        Just(Spread::AllEqual),
        (0_u32..50).prop_map(|bits| Spread::Even(1 << bits)),
        Just(Spread::Exponential),
        Just(Spread::Bursts),
        Just(Spread::FarFuture),
        Just(Spread::Decreasing),
        Just(Spread::Next),
        Just(Spread::End),
    ]
}

/// A part of a history: so many entries of one spread, of which a share leaves again on the way, in 1/8.
type Part = (Spread, u16, u8);

fn parts() -> impl Strategy<Value = Vec<Part>> {
    prop::collection::vec((spread(), prop_oneof![0_u16..20, 0_u16..3_000], 0_u8..10), 1..6)
}

fn play(seed: u64, parts: &[Part]) {
    let mut both = Both::new(seed);
    for &(spread, count, eighths_leave) in parts {
        for _ in 0..count {
            let word = mix([seed, u64::from(both.number)]);
            both.push(spread.time_ns(both.now_ns, both.number, word));
            let leaves = u64::from(eighths_leave) > (word >> 40) % 8;
            if leaves {
                both.pop();
            }
        }
    }
    both.drain();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn entries_leave_as_from_a_heap(seed: u64, parts in parts()) {
        play(seed, &parts);
    }

    #[test]
    fn entries_leave_sorted(seed: u64, times in prop::collection::vec(any::<u64>(), 0..500)) {
        let mut queue = BucketQueue::new(seed);
        let mut sorted: Vec<Due> = Vec::new();
        for (number, time_ns) in (0..).zip(times) {
            queue.push(Due { time_ns, number });
            sorted.push(Due { time_ns, number });
        }
        sorted.sort_by_key(|due| (due.time_ns, due.rest(seed)));
        let left: Vec<Due> = core::iter::from_fn(|| queue.pop()).collect();
        prop_assert_eq!(left, sorted);
    }
}

/// The steady state of a fleet: each entry that leaves puts in another. Sizes cross every change of plan.
#[test]
fn a_fleet_that_grows_and_shrinks_keeps_its_order() {
    for (round, spread) in
        [Spread::Even(2_000_000_000), Spread::Exponential, Spread::FarFuture, Spread::Bursts, Spread::Next]
            .into_iter()
            .enumerate()
    {
        let seed = round as u64;
        let mut both = Both::new(seed);
        for size in [10_usize, 100, 3_000, 50_000, 200, 5] {
            while both.heap.len() < size {
                both.push(spread.time_ns(both.now_ns, both.number, mix([seed, u64::from(both.number)])));
            }
            while both.heap.len() > size {
                both.pop();
            }
            for _ in 0..3 * size {
                both.pop();
                both.push(spread.time_ns(both.now_ns, both.number, mix([seed, u64::from(both.number)])));
            }
        }
        both.drain();
    }
}

/// What is upcoming is what leaves, as long as nothing is pushed.
#[test]
fn upcoming_entries_are_those_that_leave() {
    let mut queue = BucketQueue::new(1);
    for number in 0..10_000 {
        queue.push(Due { time_ns: mix([u64::from(number)]) >> 20, number });
    }
    let (mut foreseen, mut position) = (0, 0);
    while queue.first().is_some() {
        if queue.position() == 0 {
            position = 0;
        }
        let upcoming: Vec<u32> = queue.upcoming(0..4).collect();
        assert_eq!(
            queue.upcoming(1..3).collect::<Vec<_>>(),
            upcoming.get(1..3.min(upcoming.len())).unwrap_or(&[])
        );
        queue.prefetch_upcoming(0..4);
        foreseen += upcoming.len();
        for number in upcoming {
            assert_eq!(queue.position(), position);
            assert_eq!(queue.pop().map(|due| due.number), Some(number));
            position += 1;
        }
    }
    assert_eq!(foreseen, 10_000);
}
