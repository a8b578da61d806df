//! What can be wrong with the parameters of a sampler. Each message says what was found and what
//! was expected.

use std::error::Error;
use std::fmt;

use super::PER_MILLION;
use super::gamma::{COEFFICIENT_OF_VARIATION_PPM_MAX, COEFFICIENT_OF_VARIATION_PPM_MIN};

/// Parameters that describe no distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Invalid {
    /// A uniform distribution whose lower bound is above the upper.
    BoundsReversed {
        /// The lower bound.
        low: u64,
        /// The upper bound.
        high: u64,
    },
    /// A mean of 0, where the distribution needs a positive one.
    MeanZero,
    /// A lognormal distribution of median 0.
    MedianZero,
    /// A lognormal distribution whose 99th percentile is below its median.
    P99BelowMedian {
        /// The median.
        median: u64,
        /// The 99th percentile.
        p99: u64,
    },
    /// A gamma distribution too regular or too bursty to be drawn faithfully.
    CoefficientOfVariation {
        /// Standard deviation over mean, in parts per million.
        found_ppm: u32,
    },
    /// A Pareto distribution of minimum 0.
    MinimumZero,
    /// A Pareto distribution of shape 0.
    ShapeZero,
    /// A table of quantiles with fewer than two points.
    TooFewPoints {
        /// How many there are.
        found: usize,
    },
    /// A table of quantiles that does not begin at 0.
    FirstQuantile {
        /// Where it begins, in parts per million.
        found_ppm: u32,
    },
    /// A table of quantiles that does not end at one million parts per million.
    LastQuantile {
        /// Where it ends, in parts per million.
        found_ppm: u32,
    },
    /// A quantile that is not above the one before it.
    QuantileOrder {
        /// The quantile before, in parts per million.
        before_ppm: u32,
        /// The quantile found after it, in parts per million.
        found_ppm: u32,
    },
    /// A value below that of the quantile before it.
    ValueOrder {
        /// The quantile of the value, in parts per million.
        quantile_ppm: u32,
        /// The value before.
        before: u64,
        /// The value found after it.
        found: u64,
    },
    /// A measured distribution of nothing.
    NoObservations,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Invalid::BoundsReversed { low, high } => {
                write!(f, "lower bound is {low}, expected at most the upper bound, which is {high}")
            }
            Invalid::MeanZero => write!(f, "mean is 0, expected at least 1"),
            Invalid::MedianZero => write!(f, "median is 0, expected at least 1"),
            Invalid::P99BelowMedian { median, p99 } => {
                write!(f, "p99 is {p99}, expected at least the median, which is {median}")
            }
            Invalid::CoefficientOfVariation { found_ppm } => write!(
                f,
                "coefficient of variation is {found_ppm} parts per million, \
                 expected {COEFFICIENT_OF_VARIATION_PPM_MIN} to {COEFFICIENT_OF_VARIATION_PPM_MAX}"
            ),
            Invalid::MinimumZero => write!(f, "minimum is 0, expected at least 1"),
            Invalid::ShapeZero => write!(f, "shape is 0, expected at least 1 part per million"),
            Invalid::TooFewPoints { found } => {
                write!(f, "table of quantiles has {found} points, expected at least 2")
            }
            Invalid::FirstQuantile { found_ppm } => {
                write!(f, "first quantile is {found_ppm} parts per million, expected 0")
            }
            Invalid::LastQuantile { found_ppm } => {
                write!(f, "last quantile is {found_ppm} parts per million, expected {PER_MILLION}")
            }
            Invalid::QuantileOrder { before_ppm, found_ppm } => write!(
                f,
                "quantile is {found_ppm} parts per million, expected more than the one before, which is {before_ppm}"
            ),
            Invalid::ValueOrder { quantile_ppm, before, found } => write!(
                f,
                "value at {quantile_ppm} parts per million is {found}, \
                 expected at least the value before, which is {before}"
            ),
            Invalid::NoObservations => write!(f, "there are 0 observations, expected at least 1"),
        }
    }
}

impl Error for Invalid {}
