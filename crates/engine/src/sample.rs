//! Distributions of durations, sizes and counts, drawn from one of the engine's random streams. A
//! sampler is validated when it is built, and gives the same values on every machine: the
//! arithmetic is integer, or `f64` with `+ - * /`, square root and the portable functions of
//! `libm`.

mod draw;
mod empirical;
mod gamma;
mod invalid;
mod logarithm;
mod normal;

use rand::Rng;

pub use self::invalid::Invalid;

use self::draw::{LEAST_UNIT, integer_below, one_minus_unit_of, round_below_two_to_51, round_to_u64, unit};
use self::empirical::Empirical;
use self::gamma::Gamma;
use self::logarithm::logarithms;
use self::normal::{NORMAL_P99, normal_quantile};

/// How many millionths make one: shares, shapes and coefficients of variation are given in parts
/// per million, so that a sampler is built from integers alone (`1_500_000` is 1.5).
pub const PER_MILLION: u32 = 1_000_000;

/// A distribution of non-negative integers (nanoseconds, tokens, turns), validated at construction.
///
/// Every kind except [`gamma`](Sampler::gamma) takes one draw for a value (a constant none, and
/// [`uniform`](Sampler::uniform) another for each that it rejects, which is rare for ranges far
/// below 2⁶⁴), and gives higher values for higher draws. So two designs with the same luck stay
/// comparable when only a parameter differs: bad luck in one is bad luck in the other.
///
/// ```
/// use fleetsim_engine::sample::Sampler;
/// use rand::SeedableRng;
/// use rand_chacha::ChaCha8Rng;
///
/// // A first token comes after 600 ms in half of the calls, and within 4 s in 99 of 100.
/// let first_token_ns = Sampler::lognormal(600_000_000, 4_000_000_000)?;
/// let mut random = ChaCha8Rng::seed_from_u64(7);
/// let delay_ns = first_token_ns.sample(&mut random);
/// assert!(delay_ns >= first_token_ns.minimum());
///
/// // The same stream gives the same delay, on any machine.
/// assert_eq!(delay_ns, first_token_ns.sample(&mut ChaCha8Rng::seed_from_u64(7)));
///
/// let mistake = Sampler::lognormal(4_000, 600).unwrap_err();
/// assert_eq!(mistake.to_string(), "p99 is 600, expected at least the median, which is 4000");
/// # Ok::<(), fleetsim_engine::sample::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler {
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Constant(u64),
    Uniform {
        low: u64,
        high: u64,
    },
    Exponential {
        mean: f64,
    },
    /// `sigma` is the standard deviation of the logarithm.
    Lognormal {
        median: f64,
        sigma: f64,
    },
    Gamma(Gamma),
    Pareto {
        minimum: u64,
        shape: f64,
    },
    Empirical(Empirical),
}

impl Sampler {
    /// Always `value`. Takes no draw.
    #[must_use]
    pub fn constant(value: u64) -> Sampler {
        Kind::Constant(value).into()
    }

    /// The value, when it is always the same: the hot path then needs no draw.
    pub(crate) fn as_constant(&self) -> Option<u64> {
        match self.kind {
            Kind::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// The mean, when values are exponential: several can then be drawn at once, by
    /// [`exponential_samples`].
    pub(crate) fn as_exponential(&self) -> Option<f64> {
        match self.kind {
            Kind::Exponential { mean } => Some(mean),
            _ => None,
        }
    }

    /// Every integer from `low` to `high`, both included, equally likely.
    ///
    /// # Errors
    /// `low` is above `high`.
    pub fn uniform(low: u64, high: u64) -> Result<Sampler, Invalid> {
        if low > high {
            return Err(Invalid::BoundsReversed { low, high });
        }
        Ok(Kind::Uniform { low, high }.into())
    }

    /// The gaps of a Poisson process: memoryless, with standard deviation equal to `mean`.
    ///
    /// Values reach at most about 37 means, as no draw is closer to 1 than 2⁻⁵³.
    ///
    /// # Errors
    /// `mean` is 0.
    pub fn exponential(mean: u64) -> Result<Sampler, Invalid> {
        if mean == 0 {
            return Err(Invalid::MeanZero);
        }
        Ok(Kind::Exponential { mean: mean as f64 }.into())
    }

    /// A right-skewed distribution whose logarithm is normal, as service times and answer times
    /// often are: half of the values lie below `median`, 99 of 100 below `p99`. If both are equal,
    /// every value is `median`.
    ///
    /// # Errors
    /// `median` is 0, or `p99` is below `median`.
    pub fn lognormal(median: u64, p99: u64) -> Result<Sampler, Invalid> {
        if median == 0 {
            return Err(Invalid::MedianZero);
        }
        if p99 < median {
            return Err(Invalid::P99BelowMedian { median, p99 });
        }
        let sigma = libm::log(p99 as f64 / median as f64) / NORMAL_P99;
        Ok(Kind::Lognormal { median: median as f64, sigma }.into())
    }

    /// Gaps of a chosen burstiness: `coefficient_of_variation_ppm` is standard deviation over mean,
    /// in parts per million. Below [`PER_MILLION`] arrivals are more regular than a Poisson
    /// process, at it they are one (the distribution is exponential), above it they come in bursts
    /// with long silences between.
    ///
    /// Drawn by G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", ACM
    /// Transactions on Mathematical Software 26(3), 2000. It rejects some of its draws, so it takes
    /// two or more of them.
    ///
    /// # Errors
    /// `mean` is 0, or the coefficient of variation is outside 0.001 to 100 (1,000 to 100,000,000
    /// parts per million).
    pub fn gamma(mean: u64, coefficient_of_variation_ppm: u32) -> Result<Sampler, Invalid> {
        Ok(Kind::Gamma(Gamma::new(mean, coefficient_of_variation_ppm)?).into())
    }

    /// A heavy tail above `minimum`: the share of values above x is (minimum / x) to the power of
    /// the shape, which is given in parts per million. The smaller the shape, the heavier the tail:
    /// at 1 and below there is no mean, at 2 and below no variance. A value too large for `u64` is
    /// given as `u64::MAX`.
    ///
    /// # Errors
    /// `minimum` or `shape_ppm` is 0.
    pub fn pareto(minimum: u64, shape_ppm: u32) -> Result<Sampler, Invalid> {
        if minimum == 0 {
            return Err(Invalid::MinimumZero);
        }
        if shape_ppm == 0 {
            return Err(Invalid::ShapeZero);
        }
        let shape = f64::from(shape_ppm) / f64::from(PER_MILLION);
        Ok(Kind::Pareto { minimum, shape }.into())
    }

    /// A measured distribution as a table of (quantile in parts per million, value), with straight
    /// lines between: `[(0, 10), (500_000, 40), (1_000_000, 900)]` has minimum 10, median 40 and
    /// maximum 900. Integers throughout.
    ///
    /// # Errors
    /// Fewer than two points, a first quantile other than 0, a last one other than [`PER_MILLION`],
    /// quantiles that do not rise from point to point, or values that fall.
    pub fn empirical(points: &[(u32, u64)]) -> Result<Sampler, Invalid> {
        Ok(Kind::Empirical(Empirical::from_quantiles(points)?).into())
    }

    /// A measured distribution straight from its `observations`, in any order: the smallest is the
    /// minimum, the largest the maximum, the others quantiles at equal steps, with straight lines
    /// between.
    ///
    /// # Errors
    /// There are no observations.
    pub fn from_observations(observations: Vec<u64>) -> Result<Sampler, Invalid> {
        Ok(Kind::Empirical(Empirical::from_observations(observations)?).into())
    }

    /// No sample is below this: the lookahead that a link with this latency grants. The
    /// bound is reached, save by [`gamma`](Sampler::gamma) and by a [`pareto`](Sampler::pareto) of
    /// minute shape, whose smallest sample may lie above.
    #[must_use]
    pub fn minimum(&self) -> u64 {
        match &self.kind {
            Kind::Constant(value) => *value,
            Kind::Uniform { low, .. } => *low,
            Kind::Exponential { mean } => exponential_quantile(*mean, LEAST_UNIT),
            Kind::Lognormal { median, sigma } => lognormal_quantile(*median, *sigma, LEAST_UNIT),
            Kind::Gamma(gamma) => gamma.minimum(),
            Kind::Pareto { minimum, .. } => *minimum,
            Kind::Empirical(table) => table.minimum(),
        }
    }

    /// The mean of the distribution, before values are rounded to integers and cut off at
    /// `u64::MAX`, or `None` where it has none: a Pareto distribution of shape 1 or less. For
    /// reports and tests; no run depends on it.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        match &self.kind {
            Kind::Constant(value) => Some(*value as f64),
            Kind::Uniform { low, high } => Some(0.5 * (*low as f64) + 0.5 * (*high as f64)),
            Kind::Exponential { mean } => Some(*mean),
            Kind::Lognormal { median, sigma } => Some(median * libm::exp(0.5 * sigma * sigma)),
            Kind::Gamma(gamma) => Some(gamma.mean()),
            Kind::Pareto { minimum, shape } if *shape > 1.0 => {
                Some(*minimum as f64 * (shape / (shape - 1.0)))
            }
            Kind::Pareto { .. } => None,
            Kind::Empirical(table) => Some(table.mean()),
        }
    }

    /// The next value: the nearest integer, `u64::MAX` where the distribution goes beyond. Never
    /// panics.
    ///
    /// `random` must be a stream: of one word repeated for ever, [`uniform`](Sampler::uniform) and
    /// [`gamma`](Sampler::gamma) may reject each in turn.
    #[inline]
    pub fn sample<R: Rng + ?Sized>(&self, random: &mut R) -> u64 {
        match &self.kind {
            Kind::Constant(value) => *value,
            Kind::Uniform { low, high } => uniform_sample(*low, *high, random),
            Kind::Exponential { mean } => exponential_quantile(*mean, unit(random)),
            Kind::Lognormal { median, sigma } => lognormal_quantile(*median, *sigma, unit(random)),
            Kind::Gamma(gamma) => gamma.sample(random),
            Kind::Pareto { minimum, shape } => pareto_quantile(*minimum, *shape, unit(random)),
            Kind::Empirical(table) => table.value_at(random.next_u64()),
        }
    }
}

impl From<Kind> for Sampler {
    fn from(kind: Kind) -> Sampler {
        Sampler { kind }
    }
}

fn uniform_sample<R: Rng + ?Sized>(low: u64, high: u64, random: &mut R) -> u64 {
    match (high - low).checked_add(1) {
        Some(count) => low + integer_below(count, random),
        // Every word is in range, and their number is one more than a word holds.
        None => random.next_u64(),
    }
}

/// The quantile functions take `u` strictly between 0 and 1. `1 - u` loses nothing, as `u` is a
/// multiple of 2⁻⁵³.
fn exponential_quantile(mean: f64, u: f64) -> u64 {
    round_to_u64(mean * -libm::log(1.0 - u))
}

/// The samples that exponential samplers of these means give for the words of their draws, for the first `count` of them at
/// least and four at a time, which costs a quarter of one at a time. No mean may be above [`MEAN_MAX`].
#[inline(never)]
pub(crate) fn exponential_samples(means: &[f64; 8], words: &[u64; 8], samples: &mut [u64; 8], count: usize) {
    let fours =
        means.as_chunks::<4>().0.iter().zip(words.as_chunks::<4>().0).zip(samples.as_chunks_mut::<4>().0);
    for ((means, words), samples) in fours.take(count.div_ceil(4)) {
        let logarithms = logarithms(words.map(one_minus_unit_of));
        *samples = core::array::from_fn(|at| round_below_two_to_51(means[at] * -logarithms[at]));
    }
}

/// Some 15 hours in nanoseconds: the largest mean for [`exponential_samples`]. A sample is at most about 37 means.
pub(crate) const MEAN_MAX: f64 = 56_294_995_342_131.0;

fn lognormal_quantile(median: f64, sigma: f64, u: f64) -> u64 {
    round_to_u64(median * libm::exp(sigma * normal_quantile(u)))
}

fn pareto_quantile(minimum: u64, shape: f64, u: f64) -> u64 {
    let value = round_to_u64(minimum as f64 * libm::pow(1.0 - u, -1.0 / shape));
    // A minimum above 2⁵³ may have been rounded down on its way to a float.
    value.max(minimum)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mix::Draw;

    proptest! {
        #[test]
        fn several_exponential_samples_are_those_of_their_samplers(
            keys: [u64; 8],
            means in prop::array::uniform8(prop_oneof![1..=3_u64, 1..=MEAN_MAX as u64]),
            count in 0..=8_usize,
        ) {
            let draws = keys.map(|key| Draw::keyed(1, 2, [key]));
            let mut samples = [0; 8];
            let words = draws.clone().map(|mut draw| draw.next());
            exponential_samples(&means.map(|mean| mean as f64), &words, &mut samples, count);
            for ((mean, mut draw), sample) in means.into_iter().zip(draws).zip(samples).take(count) {
                let sampler = Sampler::exponential(mean).expect("above zero");
                prop_assert_eq!(sample, sampler.sample(&mut draw));
            }
        }

        #[test]
        fn the_rarest_exponential_samples_are_right_as_well(mean in 1..=MEAN_MAX as u64, low in 0..9_u64) {
            let words = [low, low << 11, u64::MAX - low, u64::MAX - (low << 11), 1 << 63, low << 60, 0, u64::MAX];
            let mut samples = [0; 8];
            exponential_samples(&[mean as f64; 8], &words, &mut samples, 8);
            for (word, sample) in words.into_iter().zip(samples) {
                prop_assert_eq!(sample, exponential_quantile(mean as f64, self::draw::unit_of(word)));
            }
        }
    }
}
