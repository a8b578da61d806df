//! Comparing two sets of speeds without assuming how they scatter: the Hodges–Lehmann estimate of their ratio, and
//! the interval that belongs to the Mann–Whitney test (Hollander, Wolfe and Chicken, "Nonparametric statistical
//! methods", 3rd ed., section 4.2), on logarithms.
//!
//! A median of pairwise ratios moves little when a few of the samples were disturbed, and the interval holds the
//! true ratio in at least 95 of 100 comparisons, however the disturbances are distributed.

/// Up to so many pairs the ranks are exact; beyond them the normal approximation is as good.
const EXACT_PAIRS_MAX: usize = 2_500;
/// The 97.5 % quantile of the normal distribution.
const NORMAL_QUANTILE: f64 = 1.96;
/// The share of all arrangements that may lie beyond one end of the interval.
const TAIL: f64 = 0.025;

/// How many times as fast one set is as another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) ratio: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// The value in the middle, or the mean of the two there.
///
/// # Panics
/// When there is none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let (below, above) = middle(&values);
    (below + above) / 2.0
}

/// How many times as fast `current` is as `baseline`, all above zero; `None` when they are too few for an interval
/// that could be relied on.
pub(crate) fn estimate(current: &[f64], baseline: &[f64]) -> Option<Estimate> {
    let rank = rank(current.len(), baseline.len())?;
    let pairs = current.iter().flat_map(|current| baseline.iter().map(move |baseline| current / baseline));
    let mut ratios: Vec<f64> = pairs.collect();
    ratios.sort_by(f64::total_cmp);
    let (below, above) = middle(&ratios);
    Some(Estimate {
        // The mean of two logarithms is that of their geometric mean.
        ratio: below.sqrt() * above.sqrt(),
        low: ratios[rank - 1],
        high: ratios[ratios.len() - rank],
    })
}

/// Whether so many samples on either side are enough for [`estimate`].
pub(crate) fn is_enough(current: usize, baseline: usize) -> bool {
    rank(current, baseline).is_some()
}

fn middle(sorted: &[f64]) -> (f64, f64) {
    (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}

/// Which of the sorted pairwise ratios, from 1 and from either end, bounds the interval.
fn rank(current: usize, baseline: usize) -> Option<usize> {
    let pairs = current * baseline;
    if pairs > EXACT_PAIRS_MAX {
        let (pairs, all) = (pairs as f64, (current + baseline) as f64);
        let rank = pairs / 2.0 - NORMAL_QUANTILE * (pairs * (all + 1.0) / 12.0).sqrt();
        return if rank >= 1.0 { Some(rank as usize) } else { None };
    }
    let arrangements = arrangements(current, baseline);
    let all: f64 = arrangements.iter().sum();
    let mut beyond = 0.0;
    let in_tail = arrangements.iter().take_while(|count| {
        beyond += **count;
        beyond <= TAIL * all
    });
    Some(in_tail.count()).filter(|rank| *rank > 0)
}

/// In how many orders of two sets exactly 0, 1, 2… of the pairs have the first set's member above the second's.
fn arrangements(first: usize, second: usize) -> Vec<f64> {
    // The largest of all is of the first set, and above the whole second, or it is of the second.
    let mut of_fewer: Vec<Vec<f64>> = vec![vec![1.0]; second + 1];
    for first in 1..=first {
        let mut of_this: Vec<Vec<f64>> = vec![vec![1.0]];
        for second in 1..=second {
            let counts = (0..=first * second).map(|above| {
                let largest_first = above.checked_sub(second).map_or(0.0, |above| of_fewer[second][above]);
                largest_first + of_this[second - 1].get(above).copied().unwrap_or(0.0)
            });
            let counts = counts.collect();
            of_this.push(counts);
        }
        of_fewer = of_this;
    }
    of_fewer.swap_remove(second)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn medians() {
        for (values, expected) in [(&[3.0][..], 3.0), (&[4.0, 1.0], 2.5), (&[9.0, 1.0, 2.0], 2.0)] {
            assert_eq!(median(values), expected);
        }
    }

    /// The numbers of pairs "above" over all orders of two sets, one by one.
    fn arrangements_by_force(first: usize, second: usize) -> Vec<f64> {
        let mut counts = vec![0.0; first * second + 1];
        for order in 0_u32..1 << (first + second) {
            if order.count_ones() as usize != first {
                continue;
            }
            let of_first = |at: &usize| order >> at & 1 == 1;
            let above: usize = (0..first + second)
                .filter(of_first)
                .map(|at| (0..at).filter(|lower| !of_first(lower)).count())
                .sum();
            counts[above] += 1.0;
        }
        counts
    }

    #[test]
    fn orders_are_counted_as_if_one_by_one() {
        for first in 1..=6 {
            for second in 1..=6 {
                assert_eq!(arrangements(first, second), arrangements_by_force(first, second));
            }
        }
    }

    #[test]
    fn ranks_are_those_of_the_tables() {
        // Critical values of the two-sided Mann–Whitney test at 5 %, plus one.
        for (current, baseline, expected) in [
            (1, 1, None),
            (3, 3, None),
            (4, 4, Some(1)),
            (5, 5, Some(3)),
            (5, 8, Some(7)),
            (10, 10, Some(24)),
            (20, 20, Some(128)),
            (2, 8, Some(1)),
            (1, 39, Some(1)),
            (1, 38, None),
            (1, 3_000, None),
        ] {
            assert_eq!(rank(current, baseline), expected, "{current} and {baseline}");
        }
        // Where exact ranks end the approximation is close to them.
        let (exact, approximate) = (rank(50, 50).unwrap(), rank(50, 51).unwrap());
        assert!(exact < approximate && approximate - exact < 25, "{exact} and {approximate}");
    }

    fn speeds() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(0.01..100.0, 4..12)
    }

    proptest! {
        /// The interval is what the test does not reject: shifting one set by a ratio inside it leaves the number of
        /// pairs above within the critical values, shifting it by one outside does not.
        #[test]
        fn the_interval_is_the_test_turned_round(
            current in speeds(), baseline in speeds(), shift in 0.001..1000.0,
        ) {
            let estimate = estimate(&current, &baseline).unwrap();
            let rank = rank(current.len(), baseline.len()).unwrap();
            let pairs = || current.iter().flat_map(|c| baseline.iter().map(move |b| c / b));
            let above = pairs().filter(|ratio| *ratio > shift).count();
            let below = pairs().filter(|ratio| *ratio < shift).count();
            let is_rejected = above < rank || below < rank;
            prop_assert_eq!(is_rejected, shift < estimate.low || shift > estimate.high
                || above < rank && shift == estimate.high || below < rank && shift == estimate.low);
            prop_assert!(estimate.low <= estimate.ratio * 1.000_001 && estimate.ratio <= estimate.high * 1.000_001);
        }

        #[test]
        fn exchanging_the_sides_inverts_the_ratio(current in speeds(), baseline in speeds()) {
            let one = estimate(&current, &baseline).unwrap();
            let other = estimate(&baseline, &current).unwrap();
            for (value, inverse) in [(one.ratio, other.ratio), (one.low, other.high), (one.high, other.low)] {
                prop_assert!((value * inverse - 1.0).abs() < 1e-9, "{} and {}", value, inverse);
            }
        }

        #[test]
        fn a_constant_factor_goes_into_the_ratio(current in speeds(), factor in 0.1..10.0_f64) {
            let faster: Vec<f64> = current.iter().map(|speed| speed * factor).collect();
            let estimate = estimate(&faster, &current).unwrap();
            prop_assert!((estimate.ratio / factor - 1.0).abs() < 1e-9, "{:?}", estimate);
        }
    }
}
