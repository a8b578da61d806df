//! A measured distribution: a table of quantiles with straight lines between them, evaluated in
//! integers. The table is shared by clones, as a whole fleet may hold the same one.

use std::sync::Arc;

use super::PER_MILLION;
use super::invalid::Invalid;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Empirical {
    /// At least one; words rise from 0 to `u64::MAX` (a lone point has word 0), values never fall.
    points: Arc<[Point]>,
}

/// The random word `word` gives `value`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    word: u64,
    value: u64,
}

impl Empirical {
    pub(super) fn from_quantiles(quantiles: &[(u32, u64)]) -> Result<Empirical, Invalid> {
        let [(first_ppm, _), .., (last_ppm, _)] = *quantiles else {
            return Err(Invalid::TooFewPoints { found: quantiles.len() });
        };
        if first_ppm != 0 {
            return Err(Invalid::FirstQuantile { found_ppm: first_ppm });
        }
        for pair in quantiles.windows(2) {
            let ((before_ppm, value_before), (found_ppm, value)) = (pair[0], pair[1]);
            if found_ppm <= before_ppm {
                return Err(Invalid::QuantileOrder { before_ppm, found_ppm });
            }
            if value < value_before {
                return Err(Invalid::ValueOrder {
                    quantile_ppm: found_ppm,
                    before: value_before,
                    found: value,
                });
            }
        }
        if last_ppm != PER_MILLION {
            return Err(Invalid::LastQuantile { found_ppm: last_ppm });
        }
        let points = quantiles
            .iter()
            .map(|&(quantile_ppm, value)| Point {
                word: word_at(u64::from(quantile_ppm), u64::from(PER_MILLION)),
                value,
            })
            .collect();
        Ok(Empirical { points })
    }

    pub(super) fn from_observations(mut observations: Vec<u64>) -> Result<Empirical, Invalid> {
        if observations.is_empty() {
            return Err(Invalid::NoObservations);
        }
        observations.sort();
        let steps = (observations.len() as u64 - 1).max(1);
        let points = (0..)
            .zip(observations)
            .map(|(step, value)| Point { word: word_at(step, steps), value })
            .collect();
        Ok(Empirical { points })
    }

    pub(super) fn minimum(&self) -> u64 {
        self.points[0].value
    }

    pub(super) fn mean(&self) -> f64 {
        let segment = |pair: &[Point]| {
            let share = (pair[1].word - pair[0].word) as f64 / u64::MAX as f64;
            share * (0.5 * pair[0].value as f64 + 0.5 * pair[1].value as f64)
        };
        match *self.points {
            [only] => only.value as f64,
            _ => self.points.windows(2).map(segment).sum(),
        }
    }

    /// The value at `word`, on the straight line between its neighbours, rounded to nearest.
    pub(super) fn value_at(&self, word: u64) -> u64 {
        let after = self.points.partition_point(|point| point.word <= word);
        let from = self.points[after - 1];
        let Some(to) = self.points.get(after) else {
            return from.value;
        };
        let width = u128::from(to.word - from.word);
        let rise = u128::from(to.value - from.value) * u128::from(word - from.word);
        // At most `to.value - from.value`, as `word` lies between.
        from.value + ((rise + width / 2) / width) as u64
    }
}

/// The random word at `part` of `whole`, so that 0 and `u64::MAX` are the ends.
fn word_at(part: u64, whole: u64) -> u64 {
    (u128::from(part) * u128::from(u64::MAX) / u128::from(whole)) as u64
}
