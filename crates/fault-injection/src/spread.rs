//! How much: a distribution as data.

use fleetsim_engine::sample::{Invalid, Sampler};
use serde::{Deserialize, Serialize};

/// How large something is, drawn each time; in the unit of whatever uses it, such as nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Spread {
    /// Always so much.
    Constant(u64),
    /// Everything between, both ends included.
    Uniform {
        /// The least.
        low: u64,
        /// The most.
        high: u64,
    },
    /// Memoryless, with this mean, above 0.
    Exponential {
        /// The mean.
        mean: u64,
    },
    /// The logarithm is normal: half lies below `median`, 99 of 100 below `p99`.
    Lognormal {
        /// The median, above 0.
        median: u64,
        /// At least the median.
        p99: u64,
    },
    /// Around a mean, as wide as its coefficient of variation says.
    Gamma {
        /// The mean, above 0.
        mean: u64,
        /// Standard deviation divided by the mean, in millionths, above 0.
        variation_ppm: u32,
    },
    /// A heavy tail without bound.
    Pareto {
        /// The least, above 0.
        minimum: u64,
        /// The smaller, the heavier the tail; in millionths, above 0.
        shape_ppm: u32,
    },
}

impl Spread {
    /// The least value that comes up; 0 for a spread that no plan would take.
    #[must_use]
    pub fn minimum(self) -> u64 {
        self.sampler().map_or(0, |sampler| sampler.minimum())
    }

    pub(crate) fn sampler(self) -> Result<Sampler, Invalid> {
        match self {
            Spread::Constant(value) => Ok(Sampler::constant(value)),
            Spread::Uniform { low, high } => Sampler::uniform(low, high),
            Spread::Exponential { mean } => Sampler::exponential(mean),
            Spread::Lognormal { median, p99 } => Sampler::lognormal(median, p99),
            Spread::Gamma { mean, variation_ppm } => Sampler::gamma(mean, variation_ppm),
            Spread::Pareto { minimum, shape_ppm } => Sampler::pareto(minimum, shape_ppm),
        }
    }
}
