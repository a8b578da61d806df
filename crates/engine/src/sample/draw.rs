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

/// One minus [`unit_of`] a word, without a conversion, for which there is no vector instruction
/// everywhere: bits become the fraction of a number between 1 and 2, and no difference needs rounding.
#[inline]
pub(super) fn one_minus_unit_of(word: u64) -> f64 {
    const ONE: u64 = 1.0_f64.to_bits();
    2.0 - f64::from_bits(ONE | word >> 12) - LEAST_UNIT
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

/// What [`round_to_u64`] gives for a `value` of at least 0 and below 2⁵¹, without a conversion: above 2⁵² floats are
/// integers, so a sum with that is rounded, halves to the even neighbour.
#[inline]
pub(super) fn round_below_two_to_51(value: f64) -> u64 {
    const TWO_TO_52: f64 = 4_503_599_627_370_496.0;
    let sum = value + TWO_TO_52;
    let half_went_down = value - (sum - TWO_TO_52) >= 0.5;
    sum.to_bits() - TWO_TO_52.to_bits() + u64::from(half_went_down)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    #[test]
    fn the_unit_is_taken_from_one_exactly() {
        for word in (0..64).flat_map(|bit| [1_u64 << bit, (1 << bit) - 1, u64::MAX - (1 << bit)]) {
            assert_eq!(one_minus_unit_of(word), 1.0 - unit_of(word), "of {word:#x}");
        }
    }

    proptest! {
        #[test]
        fn rounding_without_a_conversion_is_the_same(whole in 0..1_u64 << 51, shift in 0..52_u32, word: u64) {
            let whole = whole >> shift;
            for value in [whole as f64, whole as f64 + 0.5, f64::from_bits((whole as f64 + 0.5).to_bits() - 1)] {
                prop_assume!(value < 2_251_799_813_685_248.0);
                prop_assert_eq!(round_below_two_to_51(value), round_to_u64(value));
            }
            prop_assert_eq!(one_minus_unit_of(word), 1.0 - unit_of(word));
        }
    }
}
