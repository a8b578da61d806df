//! The gamma distribution by its mean and coefficient of variation, drawn by the method of
//! Marsaglia and Tsang. Shapes below 1, which bursty arrivals need, are drawn one shape higher and
//! then shrunk, as the paper proposes.

use rand::Rng;

use super::PER_MILLION;
use super::draw::{LEAST_UNIT, round_to_u64, unit};
use super::invalid::Invalid;
use super::normal::normal_quantile;

/// Below, the acceptance test would lose its digits to cancellation; above, practically every value
/// is zero.
pub(super) const COEFFICIENT_OF_VARIATION_PPM_MIN: u32 = PER_MILLION / 1_000;
pub(super) const COEFFICIENT_OF_VARIATION_PPM_MAX: u32 = PER_MILLION * 100;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Gamma {
    mean: f64,
    /// Mean over shape.
    scale: f64,
    /// The `d` and `c` of the paper.
    center: f64,
    spread: f64,
    /// One over the shape, where the shape is below 1.
    shrink_exponent: Option<f64>,
}

impl Gamma {
    pub(super) fn new(mean: u64, coefficient_of_variation_ppm: u32) -> Result<Gamma, Invalid> {
        if mean == 0 {
            return Err(Invalid::MeanZero);
        }
        let range = COEFFICIENT_OF_VARIATION_PPM_MIN..=COEFFICIENT_OF_VARIATION_PPM_MAX;
        if !range.contains(&coefficient_of_variation_ppm) {
            return Err(Invalid::CoefficientOfVariation { found_ppm: coefficient_of_variation_ppm });
        }
        let mean = mean as f64;
        let variation = f64::from(coefficient_of_variation_ppm) / f64::from(PER_MILLION);
        let shape_inverse = variation * variation;
        let shape = 1.0 / shape_inverse;
        let shrinks = shape < 1.0;
        let center = if shrinks { shape + 1.0 } else { shape } - 1.0 / 3.0;
        Ok(Gamma {
            mean,
            scale: mean * shape_inverse,
            center,
            spread: 1.0 / (9.0 * center).sqrt(),
            shrink_exponent: shrinks.then_some(shape_inverse),
        })
    }

    pub(super) fn mean(&self) -> f64 {
        self.mean
    }

    /// A bound from the least normal variate; the acceptance test may never let it through.
    pub(super) fn minimum(&self) -> u64 {
        let root = 1.0 + self.spread * normal_quantile(LEAST_UNIT);
        if root <= 0.0 || self.shrink_exponent.is_some() {
            return 0;
        }
        round_to_u64(self.scale * (self.center * (root * root * root)))
    }

    pub(super) fn sample<R: Rng + ?Sized>(&self, random: &mut R) -> u64 {
        let standard = self.center * self.accepted_cube(random);
        let shrunk = match self.shrink_exponent {
            Some(exponent) => standard * libm::pow(unit(random), exponent),
            None => standard,
        };
        round_to_u64(self.scale * shrunk)
    }

    /// The `v` of the paper. At least 95 of 100 rounds accept, whatever the shape.
    fn accepted_cube<R: Rng + ?Sized>(&self, random: &mut R) -> f64 {
        loop {
            let normal = normal_quantile(unit(random));
            let root = 1.0 + self.spread * normal;
            if root <= 0.0 {
                continue;
            }
            let cube = root * root * root;
            let u = unit(random);
            let square = normal * normal;
            // The squeeze spares nearly every round the logarithms.
            if u < 1.0 - 0.0331 * (square * square)
                || libm::log(u) < 0.5 * square + self.center * (1.0 - cube + libm::log(cube))
            {
                return cube;
            }
        }
    }
}
