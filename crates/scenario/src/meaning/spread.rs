//! Distributions whose parameters contradict each other.

use super::Judge;
use crate::distribution::{Distribution, Shape};
use crate::mistake::Code;
use crate::path::Path;
use crate::scalar::{Count, Scalar};

impl Judge<'_> {
    /// Checks the distribution that is written at `path`.
    pub(super) fn spread<T: Scalar + Ord + Copy>(&mut self, distribution: &Distribution<T>, path: &Path) {
        let Distribution::Drawn(shape) = distribution else { return };
        match shape {
            Shape::Uniform { from, to } if to < from => {
                let message = format!("the greatest value, {to}, is below the least, {from}");
                self.wrong(Code::OutOfRange, &path.key("uniform").key("to"), message);
            }
            Shape::Lognormal { median, p99 } if p99 < median => {
                let message = format!("the 99th percentile, {p99}, is below the median, {median}");
                self.wrong(Code::OutOfRange, &path.key("lognormal").key("p99"), message);
            }
            Shape::Table(rows) => {
                let path = path.key("table");
                for (position, pair) in rows.windows(2).enumerate() {
                    let [(share, value), (next_share, next_value)] = pair else { continue };
                    if next_share <= share || next_value < value {
                        let path = path.index(position + 1);
                        let message = "shares and values of a table ascend from row to row";
                        self.wrong(Code::OutOfRange, &path, message);
                    }
                }
            }
            _ => {}
        }
    }

    /// Checks a distribution of counts; one that never gives anything but zero has no parameters to
    /// spread around.
    pub(super) fn spread_of_counts(&mut self, distribution: &Distribution<Count>, path: &Path) {
        self.spread(distribution, path);
        let Distribution::Drawn(shape) = distribution else { return };
        let (name, field, value) = match shape {
            Shape::Exponential { mean } => ("exponential", "mean", mean),
            Shape::Lognormal { median, .. } => ("lognormal", "median", median),
            Shape::Gamma { mean, .. } => ("gamma", "mean", mean),
            Shape::Pareto { at_least, .. } => ("pareto", "at-least", at_least),
            Shape::Uniform { .. } | Shape::Table(_) => return,
        };
        if value.get() == 0 {
            let path = path.key(name).key(field);
            self.wrong(Code::OutOfRange, &path, format!("`{field}` is at least 1"));
        }
    }
}
