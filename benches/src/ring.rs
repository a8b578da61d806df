//! The queue of the bare loops: buckets of equal width that are sorted when they are opened.
//!
//! It knows that nothing arrives in the bucket that is open, which holds for PHOLD as long as a bucket is narrower
//! than the shortest delay; a queue for everybody cannot know that.

/// What waits in a [`Ring`].
pub trait Timed: Copy + Default {
    /// When it is due, in nanoseconds.
    fn time_ns(&self) -> u64;
}

/// Events in buckets of 2ⁿ nanoseconds, each a chain of chunks, so that memory follows the events that wait.
#[derive(Debug)]
pub struct Ring<E> {
    width_bits: u32,
    /// For each bucket the slot after its last event, 0 while it is empty.
    tails: Vec<u32>,
    slots: Vec<E>,
    /// For each chunk the one before it in its bucket. Chunk 0 is never used: it ends every chain.
    previous: Vec<u32>,
    free: Vec<u32>,
    /// The number of the next bucket to open.
    bucket: u64,
    waiting: usize,
    /// Where the events of each bin begin in the sorted bucket.
    bins: Vec<u32>,
}

/// Events in a chunk. A power of two: a tail that is a multiple of it has no room after it.
const CHUNK: u32 = 32;

impl<E: Timed> Ring<E> {
    /// A ring for events that are due at most `horizon_ns` after the bucket that was opened last. Its buckets are
    /// narrower than `lookahead_ns` and hold about 1,000 to 2,000 events, or as many as the lookahead allows, at
    /// `per_second` events a second.
    #[must_use]
    pub fn new(lookahead_ns: u64, horizon_ns: u64, per_second: u64) -> Ring<E> {
        let wanted_ns = 2_000 * 1_000_000_000 / per_second.max(1);
        let width_bits = wanted_ns.min(lookahead_ns).max(2).ilog2();
        let buckets = ((horizon_ns >> width_bits) + 2).next_power_of_two() as usize;
        Ring {
            width_bits,
            tails: vec![0; buckets],
            slots: vec![E::default(); CHUNK as usize],
            previous: vec![0],
            free: Vec::new(),
            bucket: 0,
            waiting: 0,
            bins: Vec::new(),
        }
    }

    /// Adds an event of a bucket that is still to be opened.
    #[inline]
    pub fn push(&mut self, event: E) {
        let bucket = (event.time_ns() >> self.width_bits) as usize & (self.tails.len() - 1);
        let mut at = self.tails[bucket];
        if at.is_multiple_of(CHUNK) {
            at = self.begin_chunk(at);
        }
        self.slots[at as usize] = event;
        self.tails[bucket] = at.wrapping_add(1);
        self.waiting = self.waiting.wrapping_add(1);
    }

    /// Puts the events of the next bucket that has any into `sorted`, in the total order that `is_before` gives.
    /// Leaves it empty when nothing waits.
    pub fn open(&mut self, sorted: &mut Vec<E>, is_before: impl Fn(&E, &E) -> bool) {
        sorted.clear();
        if self.waiting == 0 {
            return;
        }
        let tail = self.take_bucket();
        let start_ns = (self.bucket - 1) << self.width_bits;
        let mut events = 0;
        self.each_chunk(tail, |_, chunk| events += chunk.len());
        self.waiting -= events;

        // Counting sort into about one bin an event; the last byte or two of the order are for insertion.
        let bits = events.next_power_of_two().ilog2().min(self.width_bits);
        let bin_of = |event: &E| {
            ((event.time_ns() - start_ns) >> (self.width_bits - bits)) as usize & ((1 << bits) - 1)
        };
        let mut bins = core::mem::take(&mut self.bins);
        bins.clear();
        bins.resize((1 << bits) + 1, 0);
        self.each_chunk(tail, |_, chunk| {
            for event in chunk {
                let count = &mut bins[bin_of(event) + 1];
                *count = count.wrapping_add(1);
            }
        });
        let mut begin = 0_u32;
        for bin in &mut bins {
            begin = begin.wrapping_add(*bin);
            *bin = begin;
        }
        sorted.resize(events, E::default());
        let mut free = core::mem::take(&mut self.free);
        self.each_chunk(tail, |number, chunk| {
            for event in chunk {
                let place = &mut bins[bin_of(event)];
                sorted[*place as usize] = *event;
                *place = place.wrapping_add(1);
            }
            free.push(number);
        });
        self.free = free;
        self.bins = bins;
        insertion_sort(sorted, is_before);
    }

    /// Takes the chain of the next bucket that has events, by its tail.
    fn take_bucket(&mut self) -> u32 {
        loop {
            let at = self.bucket as usize & (self.tails.len() - 1);
            self.bucket += 1;
            match core::mem::take(&mut self.tails[at]) {
                0 => {}
                tail => return tail,
            }
        }
    }

    #[inline]
    fn each_chunk(&self, tail: u32, mut visit: impl FnMut(u32, &[E])) {
        let (mut number, mut length) = ((tail - 1) / CHUNK, (tail - 1) % CHUNK + 1);
        while number != 0 {
            let begin = (number * CHUNK) as usize;
            visit(number, &self.slots[begin..begin + length as usize]);
            (number, length) = (self.previous[number as usize], CHUNK);
        }
    }

    /// Chains a free chunk to the full one before `tail` (or to none) and returns its first slot.
    #[inline(never)]
    fn begin_chunk(&mut self, tail: u32) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.slots.resize(self.slots.len() + CHUNK as usize, E::default());
            self.previous.push(0);
            (self.previous.len() - 1) as u32
        });
        self.previous[number as usize] = (tail / CHUNK).saturating_sub(1);
        number * CHUNK
    }
}

/// Sorts what is nearly sorted.
fn insertion_sort<E: Copy>(events: &mut [E], is_before: impl Fn(&E, &E) -> bool) {
    for next in 1..events.len() {
        let event = events[next];
        let mut at = next;
        while at > 0 && is_before(&event, &events[at - 1]) {
            events[at] = events[at - 1];
            at -= 1;
        }
        if at != next {
            events[at] = event;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
    struct Waits(u64, u32);

    impl Timed for Waits {
        fn time_ns(&self) -> u64 {
            self.0
        }
    }

    const LOOKAHEAD_NS: u64 = 100;
    const DELAY_NS_MAX: u64 = 10_000;

    /// Anywhere, or crowded into one bucket, which then takes several chunks.
    fn delay_ns() -> impl Strategy<Value = u64> {
        prop_oneof![1 => LOOKAHEAD_NS..DELAY_NS_MAX, 4 => LOOKAHEAD_NS..LOOKAHEAD_NS + 9]
    }

    proptest! {
        /// Each event that leaves lets others arrive, as in the loops; a sorted list says what is next.
        #[test]
        fn events_leave_in_order(
            per_second in prop_oneof![Just(1_u64), Just(1_000_000_000), Just(200_000_000_000)],
            first in prop::collection::vec(delay_ns(), 1..300),
            delays in prop::collection::vec(delay_ns(), 0..2_000),
        ) {
            let mut ring = Ring::new(LOOKAHEAD_NS, DELAY_NS_MAX, per_second);
            let mut model: Vec<Waits> = Vec::new();
            let mut number = 0;
            let mut add = |ring: &mut Ring<Waits>, model: &mut Vec<Waits>, time_ns| {
                let event = Waits(time_ns, number);
                number += 1;
                ring.push(event);
                model.push(event);
            };
            for time_ns in first {
                add(&mut ring, &mut model, time_ns);
            }
            let mut delays = delays.into_iter();
            let mut sorted = Vec::new();
            loop {
                ring.open(&mut sorted, |left, right| left < right);
                if sorted.is_empty() {
                    break;
                }
                for event in &sorted {
                    let next = *model.iter().min().expect("the model holds what the ring holds");
                    prop_assert_eq!(*event, next);
                    model.retain(|waits| *waits != next);
                    if let Some(delay_ns) = delays.next() {
                        add(&mut ring, &mut model, event.0 + delay_ns);
                    }
                }
            }
            prop_assert!(model.is_empty());
        }
    }
}
