//! The event queue: what is to happen, in its total order.
//!
//! [`BucketQueue`] is what the engine runs on. [`HeapQueue`] is the plain binary heap that it is measured and tested
//! against; it also holds the few entries of a bucket queue that fit no bucket.

mod bucket;
mod chunk;
mod heap;
mod plan;

pub use bucket::BucketQueue;
pub use heap::HeapQueue;

use crate::event::Pending;

/// What can wait in a queue. Entries leave by instant, and those of one instant by [`rest`](Entry::rest).
pub trait Entry: Copy {
    /// What orders entries of one instant. No two entries in a queue may agree in instant and rest.
    type Rest: Ord;

    /// The instant, in nanoseconds.
    fn time_ns(&self) -> u64;

    /// A number that is to be known before the entry leaves, as by [`BucketQueue::upcoming`].
    fn hint(&self) -> u32 {
        0
    }

    /// The rest of the order under a seed. It may be costly: it is asked for only where instants are equal.
    fn rest(&self, seed: u64) -> Self::Rest;
}

/// The queue that the engine runs on.
#[cfg(not(feature = "reference-queue"))]
pub(crate) type Queue = BucketQueue<Pending>;

/// The same runs on the plain heap, to show that the digests do not depend on the queue.
#[cfg(feature = "reference-queue")]
pub(crate) type Queue = HeapQueue<Pending>;

/// Whether `one` leaves before `other`.
#[inline]
fn is_before<E: Entry>(one: &E, other: &E, seed: u64) -> bool {
    match one.time_ns().cmp(&other.time_ns()) {
        core::cmp::Ordering::Equal => one.rest(seed) < other.rest(seed),
        order => order.is_lt(),
    }
}
