//! Two-level buckets: entries wait unsorted in buckets of equal width, and a bucket is sorted when its turn comes.
//!
//! The idea is the calendar queue's (Brown, "Calendar queues: a fast O(1) priority queue implementation for the
//! simulation event set problem", CACM 31(10), 1988) and the ladder queue's (Tang, Goh and Thng, ACM TOMACS 15(3),
//! 2005). What an adversary can do to it is bounded: what fits no bucket waits in a heap, and buckets are laid out
//! anew at most once for as many operations as entries are pending.

use core::ops::Range;

use super::chunk::{Chain, ChunkStore, Ticket};
use super::heap::HeapQueue;
use super::plan::{Experience, Plan, SMALL};
use super::{Entry, is_before};

/// Runs of entries up to this length are sorted by insertion.
const INSERTION_MAX: usize = 16;

/// A queue whose operations take constant time on average where instants are spread evenly, and O(log n) at worst,
/// amortised. Entries leave in exactly the order of a [`HeapQueue`].
///
/// ```
/// use fleetsim_engine::queue::{BucketQueue, Entry};
///
/// #[derive(Clone, Copy)]
/// struct Due { time_ns: u64, number: u32 }
///
/// impl Entry for Due {
///     type Rest = u32;
///     fn time_ns(&self) -> u64 { self.time_ns }
///     fn rest(&self, _seed: u64) -> u32 { self.number }
/// }
///
/// let mut queue = BucketQueue::new(7);
/// for (number, time_ns) in [30, 10, 20, 10].into_iter().enumerate() {
///     queue.push(Due { time_ns, number: number as u32 });
/// }
/// let left: Vec<_> = core::iter::from_fn(|| queue.pop()).map(|due| (due.time_ns, due.number)).collect();
/// assert_eq!(left, [(10, 1), (10, 3), (20, 2), (30, 0)]);
/// ```
#[derive(Clone, Debug)]
pub struct BucketQueue<E: Entry> {
    seed: u64,
    len: usize,
    /// The opened bucket in order, and how much of it has left.
    open: Vec<Ticket>,
    open_at: usize,
    open_chain: Chain,
    /// What came for the opened bucket, or earlier ones, after it was opened. Without a plan: everything.
    late: HeapQueue<E>,
    /// `None` while there are so few entries that the heap alone does.
    plan: Option<Plan>,
    /// The plan's; 1 without one.
    width_bits: u32,
    /// With more entries than this, the buckets are laid out anew.
    outgrown_at: usize,
    /// The bucket of number n lies at n modulo the length, for as many numbers from `next` on.
    ring: Vec<Chain>,
    in_ring: usize,
    /// The number of the first bucket that was not opened yet.
    next: u64,
    /// Whether `late` holds what leaves next, as [`first`](Self::first) found.
    late_first: bool,
    store: ChunkStore<E>,
    /// What comes after the ring's last bucket.
    far: HeapQueue<E>,
    seen: Experience,
    planned_at_ns: u64,
    unsorted: Vec<Ticket>,
    counts: Vec<u32>,
}

impl<E: Entry> BucketQueue<E> {
    /// An empty queue, for the order under `seed`.
    #[must_use]
    pub fn new(seed: u64) -> BucketQueue<E> {
        BucketQueue {
            seed,
            len: 0,
            open: Vec::new(),
            open_at: 0,
            open_chain: Chain::EMPTY,
            late: HeapQueue::new(seed),
            plan: None,
            width_bits: 1,
            outgrown_at: SMALL,
            ring: Vec::new(),
            in_ring: 0,
            next: u64::MAX,
            late_first: false,
            store: ChunkStore::new(),
            far: HeapQueue::new(seed),
            seen: Experience::default(),
            planned_at_ns: 0,
            unsorted: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// Entries in the queue.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an entry.
    #[inline(always)]
    pub fn push(&mut self, entry: E) {
        self.push_made_by(entry.time_ns(), || entry);
    }

    /// Adds an entry that has lain in memory for a while: it is copied at once, where one that was just written is put
    /// together where it is to be.
    #[inline]
    pub fn push_copy(&mut self, entry: &E) {
        self.push_made_by(entry.time_ns(), || *entry);
    }

    #[inline(always)]
    fn push_made_by(&mut self, time_ns: u64, entry: impl Fn() -> E) {
        self.len += 1;
        let number = time_ns >> self.width_bits;
        if number < self.next {
            self.push_late(&entry());
        } else {
            self.seen.pushed += 1;
            self.put(number, entry);
        }
        if self.len > self.outgrown_at {
            self.lay_out();
        }
    }

    #[inline(never)]
    fn push_late(&mut self, entry: &E) {
        self.late.push(*entry);
        self.seen.pushed += 1;
        self.seen.pushed_late += 1;
        self.seen.late_max = self.seen.late_max.max(self.late.len());
    }

    /// The entry that leaves next.
    #[inline]
    pub fn first(&mut self) -> Option<&E> {
        self.late_first = false;
        if !self.late.is_empty() {
            self.late_first = self.late_is_first();
        } else if self.open_at == self.open.len() {
            if !self.open_next() {
                return None;
            }
            self.late_first = self.open.is_empty();
        }
        match self.late_first {
            false => self.open.get(self.open_at).map(|ticket| self.store.get(ticket.place)),
            true => self.late.first(),
        }
    }

    /// Whether finding the next entry means to open a bucket, if there is any entry at all.
    #[inline]
    #[must_use]
    pub fn is_between_buckets(&self) -> bool {
        self.open_at == self.open.len() && self.late.is_empty()
    }

    /// The entry that leaves next, if it can be told at a glance.
    #[inline]
    #[must_use]
    pub fn first_at_a_glance(&self) -> Option<&E> {
        if !self.late.is_empty() {
            return None;
        }
        self.open.get(self.open_at).map(|ticket| self.store.get(ticket.place))
    }

    /// Takes the entry that [`first_at_a_glance`](Self::first_at_a_glance) showed. Nothing may have been
    /// pushed since.
    #[inline]
    pub fn drop_first_at_a_glance(&mut self) {
        self.len -= 1;
        self.open_at += 1;
    }

    /// Takes the entry that [`first`](Self::first) showed. Nothing may have been pushed since.
    #[inline]
    pub fn drop_first(&mut self) {
        self.len -= 1;
        if self.late_first {
            self.late.pop();
        } else {
            self.open_at += 1;
        }
    }

    /// Takes the entry that leaves next.
    #[inline]
    pub fn pop(&mut self) -> Option<E> {
        let first = *self.first()?;
        self.drop_first();
        Some(first)
    }

    /// How many entries of the opened bucket have left. [`upcoming`](Self::upcoming) begins anew with every bucket.
    #[inline]
    #[must_use]
    pub fn position(&self) -> usize {
        self.open_at
    }

    /// The [hints](Entry::hint) of entries that leave soon, as far as they are known without work: of those from
    /// `ahead.start` to `ahead.end` after the next one. What is pushed meanwhile may come before them.
    #[inline]
    pub fn upcoming(&self, ahead: Range<usize>) -> impl Iterator<Item = u32> {
        self.open_tickets(ahead).iter().map(|ticket| ticket.hint)
    }

    /// Asks for the memory of the entries that [`upcoming`](Self::upcoming) tells of.
    #[inline]
    pub fn prefetch_upcoming(&self, ahead: Range<usize>) {
        for ticket in self.open_tickets(ahead) {
            self.store.prefetch(ticket.place);
        }
    }

    #[inline]
    fn open_tickets(&self, ahead: Range<usize>) -> &[Ticket] {
        let end = self.open.len().min(self.open_at + ahead.end);
        self.open.get(self.open_at + ahead.start..end).unwrap_or_default()
    }

    #[cold]
    fn late_is_first(&mut self) -> bool {
        let Some(ticket) = self.open.get(self.open_at) else {
            return true;
        };
        let late = self.late.first().expect("only asked when something came late");
        is_before(late, self.store.get(ticket.place), self.seed)
    }

    /// Puts an entry into its bucket, or among those that are far.
    #[inline(always)]
    fn put(&mut self, number: u64, entry: impl Fn() -> E) {
        let length = self.ring.len();
        if number - self.next < length as u64 {
            self.store.push(&mut self.ring[number as usize & (length - 1)], entry);
            self.in_ring += 1;
        } else {
            self.push_far(&entry());
        }
    }

    #[inline(never)]
    fn push_far(&mut self, entry: &E) {
        self.far.push(*entry);
    }

    /// Opens the next bucket that holds anything, when nothing is left of the open one. Returns whether anything is
    /// left at all; it may have gone to `late`.
    #[cold]
    fn open_next(&mut self) -> bool {
        self.close();
        if self.len == 0 {
            return false;
        }
        let plan = self.plan.expect("without a plan everything is late");
        if plan.is_outdated(&self.seen, self.len, self.far.len()) {
            self.lay_out();
            if !self.late.is_empty() {
                return true;
            }
        }
        if self.in_ring == 0 {
            let first = self.far.first().expect("what is neither open, late nor near is far");
            self.next = first.time_ns() >> self.width_bits;
            self.draw_near();
        }
        let mask = self.ring.len() - 1;
        while self.ring[self.next as usize & mask].is_empty() {
            self.next += 1;
            self.seen.passed += 1;
        }
        let chain = core::mem::replace(&mut self.ring[self.next as usize & mask], Chain::EMPTY);
        self.in_ring -= chain.len();
        self.seen.opened += chain.len();
        self.seen.passed += 1;
        self.open_chain = chain;
        self.sort_open();
        self.next += 1;
        self.draw_near();
        true
    }

    /// Forgets the opened bucket.
    fn close(&mut self) {
        self.store.release(core::mem::replace(&mut self.open_chain, Chain::EMPTY));
        self.open.clear();
        self.open_at = 0;
    }

    /// Moves what is no longer far into its bucket.
    fn draw_near(&mut self) {
        while let Some(first) = self.far.first() {
            let number = first.time_ns() >> self.width_bits;
            if number - self.next >= self.ring.len() as u64 {
                break;
            }
            let entry = self.far.pop().expect("it was just seen");
            self.put(number, || entry);
        }
    }

    /// Sorts the bucket that is being opened, number `next`: first by counting into as many parts as there are
    /// entries, then within the parts.
    fn sort_open(&mut self) {
        let chain = self.open_chain;
        let start_ns = self.next << self.width_bits;
        let count = chain.len();
        if count <= INSERTION_MAX {
            self.store.list(chain, &mut self.open);
        } else {
            self.unsorted.clear();
            self.store.list(chain, &mut self.unsorted);
            let part_bits = count.ilog2().min(self.width_bits);
            let shift = self.width_bits - part_bits;
            let part_of = |time_ns: u64| ((time_ns - start_ns) >> shift) as usize;
            self.counts.clear();
            self.counts.resize((1 << part_bits) + 1, 0);
            for ticket in &self.unsorted {
                self.counts[part_of(ticket.time_ns) + 1] += 1;
            }
            let mut largest = 0;
            let mut before = 0;
            for count in &mut self.counts {
                largest = largest.max(*count);
                before += *count;
                *count = before;
            }
            self.open.resize(count, Ticket::default());
            for ticket in &self.unsorted {
                let at = &mut self.counts[part_of(ticket.time_ns)];
                self.open[*at as usize] = *ticket;
                *at += 1;
            }
            if largest as usize > INSERTION_MAX {
                self.sort_large_parts();
            }
        }
        self.insert_out_of_order();
    }

    /// Sorts the opened bucket by insertion, which is nearly in order.
    fn insert_out_of_order(&mut self) {
        let (store, seed) = (&self.store, self.seed);
        let open = &mut self.open[..];
        let mut latest_ns = open.first().map_or(0, |ticket| ticket.time_ns);
        for end in 1..open.len() {
            let ticket = open[end];
            if ticket.time_ns > latest_ns {
                latest_ns = ticket.time_ns;
                continue;
            }
            let mut at = end;
            while at > 0 && leaves_before(&ticket, &open[at - 1], store, seed) {
                open[at] = open[at - 1];
                at -= 1;
            }
            open[at] = ticket;
        }
    }

    /// Sorts the parts of the opened bucket that are too long for insertion. `counts` holds where each part ends.
    fn sort_large_parts(&mut self) {
        let (store, seed) = (&self.store, self.seed);
        let mut start = 0;
        for end in &self.counts {
            let part = &mut self.open[start..*end as usize];
            if part.len() > INSERTION_MAX {
                part.sort_by_cached_key(|ticket| (ticket.time_ns, store.get(ticket.place).rest(seed)));
            }
            start = *end as usize;
        }
    }

    /// Lays the buckets out anew for what is pending now.
    #[cold]
    fn lay_out(&mut self) {
        let mut times: Vec<u64> = Vec::with_capacity(self.len);
        times.extend(self.open[self.open_at..].iter().map(|ticket| ticket.time_ns));
        times.extend(self.late.iter().chain(self.far.iter()).map(Entry::time_ns));
        for chain in &self.ring {
            self.unsorted.clear();
            self.store.list(*chain, &mut self.unsorted);
            times.extend(self.unsorted.iter().map(|ticket| ticket.time_ns));
        }
        let first_ns = times.iter().copied().min().expect("it is laid out only for something");
        let middle = times.len() / 2;
        let median_ns = *times.select_nth_unstable(middle).1 - first_ns;
        let left = self.seen.opened + self.seen.pushed_late;
        let gap_ns = first_ns.saturating_sub(self.planned_at_ns) / left.max(1) as u64;
        drop(times);

        let mut moved: Vec<E> =
            self.open.drain(self.open_at..).map(|ticket| *self.store.get(ticket.place)).collect();
        self.close();

        let old_ring = core::mem::take(&mut self.ring);
        moved.extend(self.late.take().into_iter().chain(self.far.take()));
        let old_plan = self.plan.take();
        self.in_ring = 0;
        if self.len > SMALL {
            let old = old_plan.as_ref().map(|plan| (plan, &self.seen));
            let plan = Plan::new(self.len, median_ns, (gap_ns > 0 && old.is_some()).then_some(gap_ns), old);
            self.ring.resize(plan.ring, Chain::EMPTY);
            self.next = first_ns >> plan.width_bits;
            self.width_bits = plan.width_bits;
            self.outgrown_at = plan.outgrown_at();
            self.plan = Some(plan);
        } else {
            // Everything is late.
            self.next = u64::MAX;
            self.width_bits = 1;
            self.outgrown_at = SMALL;
        }
        self.seen = Experience::default();
        self.planned_at_ns = first_ns;
        for entry in moved.drain(..) {
            self.place(entry);
        }
        for mut chain in old_ring {
            while !chain.is_empty() {
                self.store.take_chunk(&mut chain, &mut moved);
                for entry in moved.drain(..) {
                    self.place(entry);
                }
            }
        }
    }

    /// Puts in an entry that was there before the buckets were laid out: it is late only without a plan.
    fn place(&mut self, entry: E) {
        match self.plan {
            Some(_) => self.put(entry.time_ns() >> self.width_bits, || entry),
            None => self.late.push(entry),
        }
    }
}

#[inline]
fn leaves_before<E: Entry>(one: &Ticket, other: &Ticket, store: &ChunkStore<E>, seed: u64) -> bool {
    match one.time_ns.cmp(&other.time_ns) {
        core::cmp::Ordering::Equal => store.get(one.place).rest(seed) < store.get(other.place).rest(seed),
        order => order.is_lt(),
    }
}
