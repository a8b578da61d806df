//! A histogram of lengths of time in fixed memory: eight buckets to each power of two, so that a quantile is at
//! most an eighth too high.

use serde::Serialize;

const SUB_BITS: u32 = 3;
const SUB_COUNT: u64 = 1 << SUB_BITS;

/// Counts of lengths of time, in nanoseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Grown to the largest bucket that was hit; at most 496.
    counts: Vec<u64>,
    count: u64,
    longest_ns: u64,
}

/// A power of two of a histogram, for drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// The least length that is counted here, in nanoseconds.
    pub from_ns: u64,
    /// How many were counted.
    pub count: u64,
}

impl Histogram {
    /// Counts a length of time.
    pub fn add(&mut self, length_ns: u64) {
        let index = index_of(length_ns);
        if self.counts.len() <= index {
            self.counts.resize(index + 1, 0);
        }
        self.counts[index] += 1;
        self.count += 1;
        self.longest_ns = self.longest_ns.max(length_ns);
    }

    /// How many were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest, exactly; 0 when there is none.
    #[must_use]
    pub fn longest_ns(&self) -> u64 {
        self.longest_ns
    }

    /// The length that `numerator / denominator` of all do not exceed, rounded up by at most an eighth; 0 when
    /// there is none.
    #[must_use]
    pub fn quantile_ns(&self, numerator: u64, denominator: u64) -> u64 {
        let rank = (u128::from(self.count) * u128::from(numerator)).div_ceil(u128::from(denominator)).max(1);
        let mut seen = 0_u128;
        for (index, count) in self.counts.iter().enumerate() {
            seen += u128::from(*count);
            if seen >= rank {
                return last_of(index).min(self.longest_ns);
            }
        }
        self.longest_ns
    }

    /// The counts by powers of two, from the first to the last that is not empty.
    #[must_use]
    pub fn buckets(&self) -> Vec<Bucket> {
        let mut buckets: Vec<Bucket> = Vec::new();
        for (index, count) in self.counts.iter().enumerate() {
            let from_ns = power_below(first_of(index));
            match buckets.last_mut() {
                Some(bucket) if bucket.from_ns == from_ns => bucket.count += count,
                None if *count == 0 => {}
                _ => buckets.push(Bucket { from_ns, count: *count }),
            }
        }
        buckets
    }
}

/// Written as `count, p50_ns, p99_ns, longest_ns` and the buckets.
impl Serialize for Histogram {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut shape = serializer.serialize_struct("Histogram", 5)?;
        shape.serialize_field("count", &self.count)?;
        shape.serialize_field("p50_ns", &self.quantile_ns(50, 100))?;
        shape.serialize_field("p99_ns", &self.quantile_ns(99, 100))?;
        shape.serialize_field("longest_ns", &self.longest_ns)?;
        shape.serialize_field("buckets", &self.buckets())?;
        shape.end()
    }
}

fn index_of(length_ns: u64) -> usize {
    if length_ns < SUB_COUNT {
        return length_ns as usize;
    }
    let shift = length_ns.ilog2() - SUB_BITS;
    let sub = (length_ns >> shift) - SUB_COUNT;
    (u64::from(shift + 1) * SUB_COUNT + sub) as usize
}

fn first_of(index: usize) -> u64 {
    let index = index as u64;
    if index < SUB_COUNT {
        return index;
    }
    (SUB_COUNT + index % SUB_COUNT) << (index / SUB_COUNT - 1)
}

fn last_of(index: usize) -> u64 {
    let index_u64 = index as u64;
    if index_u64 < SUB_COUNT {
        return index_u64;
    }
    first_of(index) + ((1 << (index_u64 / SUB_COUNT - 1)) - 1)
}

fn power_below(length_ns: u64) -> u64 {
    if length_ns == 0 { 0 } else { 1 << length_ns.ilog2() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_length_lies_in_its_bucket(length_ns: u64) {
            let index = index_of(length_ns);
            prop_assert!(first_of(index) <= length_ns && length_ns <= last_of(index));
        }

        #[test]
        fn quantiles_are_at_most_an_eighth_too_high(mut lengths in prop::collection::vec(0_u64..1 << 40, 1..200)) {
            let mut histogram = Histogram::default();
            for length in &lengths {
                histogram.add(*length);
            }
            lengths.sort();
            for percent in [1_usize, 50, 99, 100] {
                let exact = lengths[(lengths.len() * percent).div_ceil(100) - 1];
                let shown = histogram.quantile_ns(percent as u64, 100);
                prop_assert!(exact <= shown && shown <= exact + exact / 8 + 1, "{} for {}", shown, exact);
                prop_assert!(shown <= histogram.longest_ns(), "no more than there was");
            }
            let counted: u64 = histogram.buckets().iter().map(|bucket| bucket.count).sum();
            prop_assert_eq!(counted, histogram.count());
        }
    }

    #[test]
    fn an_empty_histogram_is_all_zero() {
        let histogram = Histogram::default();
        assert_eq!(
            (histogram.quantile_ns(99, 100), histogram.longest_ns(), histogram.buckets()),
            (0, 0, vec![])
        );
    }

    #[test]
    fn buckets_are_powers_of_two() {
        let mut histogram = Histogram::default();
        for length in [5, 9, 12, 40] {
            histogram.add(length);
        }
        let buckets: Vec<_> =
            histogram.buckets().iter().map(|bucket| (bucket.from_ns, bucket.count)).collect();
        assert_eq!(buckets, [(4, 1), (8, 2), (16, 0), (32, 1)]);
    }
}
