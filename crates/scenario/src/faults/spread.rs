//! From the distributions of a scenario to those of a plan.

use fleetsim_fault_injection::Spread;

use crate::distribution::{CountDistribution, Distribution, DurationDistribution, Shape};
use crate::scalar::{Count, Decimal, Duration};

/// How long, in nanoseconds; `None` for a table, which a plan does not have.
pub(crate) fn of_durations(distribution: &DurationDistribution) -> Option<Spread> {
    spread(distribution, Duration::nanoseconds)
}

/// How much; `None` for a table, which a plan does not have.
pub(super) fn of_counts(distribution: &CountDistribution) -> Option<Spread> {
    spread(distribution, Count::get)
}

fn spread<T: Copy>(distribution: &Distribution<T>, number: fn(T) -> u64) -> Option<Spread> {
    Some(match distribution {
        Distribution::Constant(value) => Spread::Constant(number(*value)),
        Distribution::Drawn(shape) => match shape {
            Shape::Uniform { from, to } => Spread::Uniform { low: number(*from), high: number(*to) },
            Shape::Exponential { mean } => Spread::Exponential { mean: number(*mean) },
            Shape::Lognormal { median, p99 } => {
                Spread::Lognormal { median: number(*median), p99: number(*p99) }
            }
            Shape::Gamma { mean, cv } => {
                Spread::Gamma { mean: number(*mean), variation_ppm: per_million(*cv) }
            }
            Shape::Pareto { at_least, shape } => {
                Spread::Pareto { minimum: number(*at_least), shape_ppm: per_million(*shape) }
            }
            Shape::Table(_) => return None,
        },
    })
}

fn per_million(decimal: Decimal) -> u32 {
    u32::try_from(decimal.billionths() / 1_000).unwrap_or(u32::MAX)
}
