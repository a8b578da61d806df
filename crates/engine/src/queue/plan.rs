//! How wide buckets are, and how many.

/// Up to so many entries a plain heap is as fast as anything.
pub(super) const SMALL: usize = 64;
/// Entries that a bucket should hold: enough to pay for opening it, few enough to lie in a near cache.
const BUCKET_MIN: usize = 32;
const BUCKET_MAX: usize = 4096;
const NARROWED_MAX: u32 = 5;
const RING_MIN: usize = 256;
const RING_MAX: usize = 8192;
/// The ring spans so many times the time for which an entry waits on average.
const SPAN: usize = 16;

/// The shape of a bucket queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// A bucket spans 2 to the power of this in nanoseconds: at least 2, so that bucket numbers can be counted on.
    pub(super) width_bits: u32,
    /// Buckets in the ring, a power of two.
    pub(super) ring: usize,
    /// Entries that a bucket is meant to hold.
    pub(super) bucket: usize,
    /// Entries that were pending when the plan was made.
    pub(super) pending: usize,
    /// How often a bucket's entries were halved, because too much came for buckets that were open.
    narrowed: u32,
}

/// What was seen since the plan was made.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Experience {
    pub(super) pushed: usize,
    /// Pushed into the bucket that was open.
    pub(super) pushed_late: usize,
    /// The most that waited there.
    pub(super) late_max: usize,
    /// Entries of the buckets that were opened.
    pub(super) opened: usize,
    /// Buckets opened or passed over as empty.
    pub(super) passed: usize,
}

impl Plan {
    /// A plan for `pending` entries, half of which leave within `median_ns` of the first, when entries have lately
    /// left every `gap_ns` (`None`: unknown).
    ///
    /// `old` says how the last plan went: where much landed in buckets that were open already, they are narrowed.
    pub(super) fn new(
        pending: usize,
        median_ns: u64,
        gap_ns: Option<u64>,
        old: Option<(&Plan, &Experience)>,
    ) -> Plan {
        let narrowed = old.map_or(0, |(plan, seen)| {
            if plan.too_wide(seen) && pending <= plan.outgrown_at() {
                (plan.narrowed + 2).min(NARROWED_MAX)
            } else {
                plan.narrowed.saturating_sub(1)
            }
        });
        let bucket = (pending / SPAN).clamp(BUCKET_MIN, BUCKET_MAX) >> narrowed;
        let crowd_ns = 2 * u128::from(median_ns) * bucket as u128 / pending as u128;
        let rate_ns = gap_ns.map_or(u128::MAX, |gap_ns| u128::from(gap_ns) * bucket as u128);
        Plan {
            width_bits: crowd_ns.min(rate_ns).max(2).ilog2().min(62),
            ring: (SPAN * pending / bucket).next_power_of_two().clamp(RING_MIN, RING_MAX),
            bucket,
            pending,
            narrowed,
        }
    }

    /// With more entries than this, the plan is for far fewer.
    pub(super) fn outgrown_at(&self) -> usize {
        self.pending.saturating_mul(4)
    }

    /// Whether so much lands in buckets that are open already that the queue is a heap again.
    fn too_wide(&self, seen: &Experience) -> bool {
        seen.late_max > 2 * SMALL && seen.pushed_late > seen.pushed / 4
    }

    /// Whether another plan may do better, and enough has happened to pay for it.
    pub(super) fn is_outdated(&self, seen: &Experience, pending: usize, far: usize) -> bool {
        if seen.pushed.max(seen.opened) < pending / 2 + self.pending {
            return false;
        }
        let per_bucket = seen.opened / seen.passed.max(1);
        pending < self.pending / 4
            || far > pending / 2
            || per_bucket > 4 * self.bucket
            || per_bucket < self.bucket / 8
            || self.too_wide(seen)
    }
}
