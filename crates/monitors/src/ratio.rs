//! Exact shares: decisions compare whole numbers, and a decimal appears only when one is shown.

use core::fmt;

use serde::{Serialize, Serializer};

/// `part` of `whole`. Nothing of nothing is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ratio {
    /// The numerator.
    pub part: u64,
    /// The denominator; 0 makes the ratio 0.
    pub whole: u64,
}

impl Ratio {
    /// `part` of `whole`.
    #[must_use]
    pub const fn new(part: u64, whole: u64) -> Ratio {
        Ratio { part, whole }
    }

    /// Whether it is at least `numerator / denominator`, which is not 0.
    #[must_use]
    pub const fn at_least(self, numerator: u64, denominator: u64) -> bool {
        self.whole > 0 && self.part as u128 * denominator as u128 >= numerator as u128 * self.whole as u128
    }

    /// Whether it is at most `numerator / denominator`.
    #[must_use]
    pub const fn at_most(self, numerator: u64, denominator: u64) -> bool {
        self.whole == 0 || self.part as u128 * denominator as u128 <= numerator as u128 * self.whole as u128
    }

    /// In thousandths, rounded down.
    #[must_use]
    pub const fn thousandths(self) -> u64 {
        if self.whole == 0 {
            return 0;
        }
        (self.part as u128 * 1000 / self.whole as u128) as u64
    }
}

/// Shows three decimals, rounded down: `0.833`.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thousandths = self.thousandths();
        write!(f, "{}.{:03}", thousandths / 1000, thousandths % 1000)
    }
}

/// Written as a number with three decimals; who needs the exact ratio finds its parts beside it.
impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.thousandths() as f64 / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_compare_exactly() {
        for (part, whole, half, fifth, shown) in [
            (0, 0, false, true, "0.000"),
            (1, 2, true, false, "0.500"),
            (499, 999, false, false, "0.499"),
            (1, 5, false, true, "0.200"),
            (5, 6, true, false, "0.833"),
            (u64::MAX, u64::MAX, true, false, "1.000"),
        ] {
            let ratio = Ratio::new(part, whole);
            assert_eq!(ratio.at_least(1, 2), half, "{part}/{whole}");
            assert_eq!(ratio.at_most(1, 5), fifth, "{part}/{whole}");
            assert_eq!(ratio.to_string(), shown);
        }
    }
}
