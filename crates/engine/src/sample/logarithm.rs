//! Natural logarithms of several numbers at once.
//!
//! One logarithm is a chain of operations that each wait for the one before, for some fifty cycles. Several side by side
//! fill the wait, and two fit into one vector. The arithmetic is that of `libm::log` (FreeBSD's `e_log.c`, Sun
//! Microsystems, 1993) operation for operation, so the results are the same to the last bit.

const LN2_HIGH: f64 = f64::from_bits(0x3FE6_2E42_FEE0_0000);
const LN2_LOW: f64 = f64::from_bits(0x3DEA_39EF_3579_3C76);
/// The coefficients of the polynomial, from the first power up.
const POLYNOMIAL: [f64; 7] = [
    f64::from_bits(0x3FE5_5555_5555_5593),
    f64::from_bits(0x3FD9_9999_9997_FA04),
    f64::from_bits(0x3FD2_4924_9422_9359),
    f64::from_bits(0x3FCC_71C5_1D8E_78AF),
    f64::from_bits(0x3FC7_4664_96CB_03DE),
    f64::from_bits(0x3FC3_9A09_D078_C69F),
    f64::from_bits(0x3FC2_F112_DF3E_5244),
];

/// The top halves of 1 and of the square root of one half: what is reduced lies from there to its double.
const ONE_TOP: u64 = 0x3FF0_0000 << 32;
const ROOT_TOP: u64 = 0x3FE6_A09E << 32;
const FRACTION_BITS: u32 = 52;
const FRACTION: u64 = (1 << FRACTION_BITS) - 1;
/// 2⁵² as bits: a small integer added to them is the float 2⁵² plus that integer, without a conversion, for which
/// there is no vector instruction everywhere.
const TWO_TO_52: u64 = 0x4330_0000_0000_0000;
/// What is then to be subtracted: 2⁵², and the 1023 by which exponents are stored too high.
const TWO_TO_52_AND_BIAS: f64 = 4_503_599_627_370_496.0 + 1023.0;

/// What `libm::log` gives for each of `numbers`, which are normal, above zero and below one. Step by step for all of them,
/// which is what lets the compiler use vectors.
#[inline(always)]
pub(super) fn logarithms<const N: usize>(numbers: [f64; N]) -> [f64; N] {
    // A number is 2 to the power of `exponent` times `reduced`.
    let raised = numbers.map(|number| number.to_bits() + (ONE_TOP - ROOT_TOP));
    let exponent =
        raised.map(|bits| f64::from_bits(TWO_TO_52 + (bits >> FRACTION_BITS)) - TWO_TO_52_AND_BIAS);
    let reduced = raised.map(|bits| f64::from_bits((bits & FRACTION) + ROOT_TOP));

    let [g1, g2, g3, g4, g5, g6, g7] = POLYNOMIAL;
    let f = reduced.map(|reduced| reduced - 1.0);
    let half_square = f.map(|f| 0.5 * f * f);
    let s = f.map(|f| f / (2.0 + f));
    let z = s.map(|s| s * s);
    let w = z.map(|z| z * z);
    let even = w.map(|w| w * (g2 + w * (g4 + w * g6)));
    let odd: [f64; N] = core::array::from_fn(|at| z[at] * (g1 + w[at] * (g3 + w[at] * (g5 + w[at] * g7))));
    core::array::from_fn(|at| {
        let (f, s, half_square, exponent) = (f[at], s[at], half_square[at], exponent[at]);
        s * (half_square + (odd[at] + even[at])) + exponent * LN2_LOW - half_square + f + exponent * LN2_HIGH
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::draw::LEAST_UNIT;

    #[track_caller]
    fn check(number: f64) {
        for ours in logarithms([number; 4]) {
            assert_eq!(ours.to_bits(), libm::log(number).to_bits(), "of {number:e}");
        }
    }

    /// Every sampler takes the logarithm of a multiple of 2⁻⁵³ strictly between 0 and 1. What is reduced has its
    /// seams at the powers of two and at their multiples by the square root of two, so these are looked at closely.
    #[test]
    fn a_logarithm_is_that_of_libm_at_the_seams() {
        for exponent in 1..=53_i32 {
            let power = 1.0 / (1_u64 << exponent) as f64;
            for seam in [power, power * core::f64::consts::SQRT_2] {
                for away in 0..2000_u64 {
                    for bits in [seam.to_bits() - away, seam.to_bits() + away] {
                        check(f64::from_bits(bits));
                    }
                }
            }
        }
        for multiple in 1..100_000_u64 {
            check(multiple as f64 * LEAST_UNIT);
            check(1.0 - multiple as f64 * LEAST_UNIT);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200_000))]
        #[test]
        fn a_logarithm_is_that_of_libm(multiple in 1..1_u64 << 53, shift in 0..53_u32) {
            check((multiple >> shift).max(1) as f64 * LEAST_UNIT);
        }
    }
}
