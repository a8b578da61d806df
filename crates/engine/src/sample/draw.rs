//! From the words of a random stream to the unit interval and to integers without bias, and from
//! floats to integers. Written here, as the ready-made versions may change their values with a
//! release or a build feature.

use rand::Rng;

/// What [`unit`] gives at least; at most it gives one minus this.
pub(super) const LEAST_UNIT: f64 = 1.0 / 9_007_199_254_740_992.0;

const FEW: f64 = 9_007_199_254_740_992.0;

/// A number strictly between 0 and 1: an odd multiple of 2⁻⁵³ from the top 53 bits of one word. The
/// odd multiples are exact, lie symmetrically around one half and leave out both ends, where a
/// logarithm would be infinite.
#[inline]
pub(super) fn unit<R: Rng + ?Sized>(random: &mut R) -> f64 {
    unit_of(random.next_u64())
}

/// The number that [`unit`] gives for a word.
#[inline]
pub(super) fn unit_of(word: u64) -> f64 {
    // Below 2^53, where a signed conversion gives the same and is one instruction.
    ((word >> 11) | 1).cast_signed() as f64 * LEAST_UNIT
}

/// An integer from 0 to `count - 1`, each equally likely.
///
/// D. Lemire, "Fast random integer generation in an interval", ACM Transactions on Modeling and
/// Computer Simulation 29(1), 2019: the high word of word × count, rejecting the few low words that
/// would favour some results.
#[inline]
pub(super) fn integer_below<R: Rng + ?Sized>(count: u64, random: &mut R) -> u64 {
    let mut product = u128::from(random.next_u64()) * u128::from(count);
    if (product as u64) < count {
        // 2⁶⁴ mod count, reckoned only on this rare path, as it costs a division.
        let rejected_below = count.wrapping_neg() % count;
        while (product as u64) < rejected_below {
            product = u128::from(random.next_u64()) * u128::from(count);
        }
    }
    (product >> 64) as u64
}

/// The nearest integer to a `value` of at least 0, halves upwards, `u64::MAX` for whatever is
/// larger.
///
/// Exact for every float, unlike the addition of a half, and without the call that `f64::round` may
/// become.
#[inline]
pub(super) fn round_to_u64(value: f64) -> u64 {
    debug_assert!(value >= 0.0, "a sampler gave {value}, which is no quantity");
    if value < FEW {
        // Below 2^53, where a signed conversion gives the same and is one instruction.
        let whole = value as i64;
        return whole.cast_unsigned() + u64::from(value - whole as f64 >= 0.5);
    }
    let whole = value as u64;
    whole.saturating_add(u64::from(value - whole as f64 >= 0.5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_to_nearest_and_saturates() {
        let two_to_52 = 4_503_599_627_370_496.0;
        let two_to_64 = 18_446_744_073_709_551_616.0;
        for (value, expected) in [
            (0.0, 0),
            (0.499_999_999_999_999_94, 0),
            (0.5, 1),
            (1.499, 1),
            (2.5, 3),
            (two_to_52 - 0.5, 1 << 52),
            (two_to_52 + 1.0, (1 << 52) + 1),
            (two_to_64 - 2048.0, u64::MAX - 2047),
            (two_to_64, u64::MAX),
            (f64::MAX, u64::MAX),
            (f64::INFINITY, u64::MAX),
        ] {
            assert_eq!(round_to_u64(value), expected, "rounding {value}");
        }
    }
}
