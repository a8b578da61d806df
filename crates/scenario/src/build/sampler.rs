//! From the distributions of a scenario to the engine's samplers.

use fleetsim_engine::sample::{Invalid, PER_MILLION, Sampler};

use super::BuildError;
use crate::distribution::{CountDistribution, Distribution, DurationDistribution, Shape};
use crate::scalar::{Count, Decimal, Duration};

/// A sampler of nanoseconds.
pub(super) fn of_durations(distribution: &DurationDistribution) -> Result<Sampler, BuildError> {
    sampler(distribution, Duration::nanoseconds)
}

/// A sampler of counts.
pub(super) fn of_counts(distribution: &CountDistribution) -> Result<Sampler, BuildError> {
    sampler(distribution, Count::get)
}

fn sampler<T: Copy>(distribution: &Distribution<T>, number: fn(T) -> u64) -> Result<Sampler, BuildError> {
    let shape = match distribution {
        Distribution::Constant(value) => return Ok(Sampler::constant(number(*value))),
        Distribution::Drawn(shape) => shape,
    };
    drawn(shape, number).map_err(|invalid| BuildError::because(invalid.to_string()))
}

fn drawn<T: Copy>(shape: &Shape<T>, number: fn(T) -> u64) -> Result<Sampler, Invalid> {
    match shape {
        Shape::Uniform { from, to } => Sampler::uniform(number(*from), number(*to)),
        Shape::Exponential { mean } => Sampler::exponential(number(*mean)),
        Shape::Lognormal { median, p99 } => Sampler::lognormal(number(*median), number(*p99)),
        Shape::Gamma { mean, cv } => Sampler::gamma(number(*mean), per_million(*cv)),
        Shape::Pareto { at_least, shape } => Sampler::pareto(number(*at_least), per_million(*shape)),
        Shape::Table(points) => {
            let quantile = |share: crate::scalar::Share| {
                let parts =
                    u128::from(share.numerator()) * u128::from(PER_MILLION) / u128::from(share.denominator());
                u32::try_from(parts).unwrap_or(PER_MILLION)
            };
            let mut table: Vec<(u32, u64)> =
                points.iter().map(|(share, value)| (quantile(*share), number(*value))).collect();
            // What lies before the first and after the last percentile is not known: the curve ends flat there.
            if let Some((first, value)) = table.first().copied()
                && first > 0
            {
                table.insert(0, (0, value));
            }
            if let Some((last, value)) = table.last().copied()
                && last < PER_MILLION
            {
                table.push((PER_MILLION, value));
            }
            Sampler::empirical(&table)
        }
    }
}

fn per_million(decimal: Decimal) -> u32 {
    u32::try_from(decimal.billionths() / 1_000).unwrap_or(u32::MAX)
}
