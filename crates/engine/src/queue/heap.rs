//! A plain binary heap.

use core::ops::Range;

use super::{Entry, is_before};

/// A binary heap over the total order of its entries. Pushing and popping take O(log n).
#[derive(Clone, Debug)]
pub struct HeapQueue<E> {
    seed: u64,
    entries: Vec<E>,
}

impl<E: Entry> HeapQueue<E> {
    /// An empty queue, for the order under `seed`.
    #[must_use]
    pub fn new(seed: u64) -> HeapQueue<E> {
        HeapQueue { seed, entries: Vec::new() }
    }

    /// Entries in the queue.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entry that leaves next.
    #[inline]
    pub fn first(&mut self) -> Option<&E> {
        self.entries.first()
    }

    /// Whether there is nothing to find without what is still to be pushed.
    #[must_use]
    pub fn is_between_buckets(&self) -> bool {
        self.is_empty()
    }

    /// The entry that leaves next: a heap always knows.
    #[must_use]
    pub fn first_at_a_glance(&self) -> Option<&E> {
        self.entries.first()
    }

    /// Takes the entry that [`first_at_a_glance`](Self::first_at_a_glance) showed.
    pub fn drop_first_at_a_glance(&mut self) {
        self.pop();
    }

    /// Adds a copy of an entry.
    pub fn push_copy(&mut self, entry: &E) {
        self.push(*entry);
    }

    /// A heap has no buckets.
    #[must_use]
    pub fn position(&self) -> usize {
        0
    }

    /// What leaves soon, if that is known without work. A heap does not know.
    pub fn upcoming(&self, _ahead: Range<usize>) -> impl Iterator<Item = u32> {
        core::iter::empty()
    }

    /// Does nothing: a heap does not know what leaves soon.
    pub fn prefetch_upcoming(&self, _ahead: Range<usize>) {}

    /// Adds an entry.
    pub fn push(&mut self, entry: E) {
        let mut at = self.entries.len();
        self.entries.push(entry);
        while at > 0 {
            let parent = (at - 1) / 2;
            if !is_before(&self.entries[at], &self.entries[parent], self.seed) {
                break;
            }
            self.entries.swap(at, parent);
            at = parent;
        }
    }

    /// Takes the entry that [`first`](Self::first) showed.
    pub fn drop_first(&mut self) {
        self.pop();
    }

    /// Takes the entry that leaves next.
    pub fn pop(&mut self) -> Option<E> {
        if self.entries.is_empty() {
            return None;
        }
        let first = self.entries.swap_remove(0);
        let mut at = 0;
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            if left >= self.entries.len() {
                break;
            }
            let right_first =
                right < self.entries.len() && is_before(&self.entries[right], &self.entries[left], self.seed);
            let child = if right_first { right } else { left };
            if !is_before(&self.entries[child], &self.entries[at], self.seed) {
                break;
            }
            self.entries.swap(at, child);
            at = child;
        }
        Some(first)
    }

    /// Takes all entries, in no order.
    pub(super) fn take(&mut self) -> Vec<E> {
        core::mem::take(&mut self.entries)
    }

    /// All entries, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &E> {
        self.entries.iter()
    }
}
