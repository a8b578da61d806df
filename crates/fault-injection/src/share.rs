//! Shares: integer ratios, so that no rounding differs between machines.

use fleetsim_engine::Draw;
use serde::{Deserialize, Serialize};

/// A share as an integer ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Cases in which it happens; at most `denominator`.
    pub numerator: u64,
    /// Cases in all, above 0.
    pub denominator: u64,
}

impl Share {
    /// Every case.
    pub const ALL: Share = Share::new(1, 1);

    /// So many cases of so many. A plan refuses shares above one.
    #[must_use]
    pub const fn new(numerator: u64, denominator: u64) -> Share {
        Share { numerator, denominator }
    }

    pub(crate) fn is_share(self) -> bool {
        self.denominator > 0 && self.numerator <= self.denominator
    }

    pub(crate) fn hits(self, draw: &mut Draw) -> bool {
        draw.happens(self.numerator, self.denominator)
    }
}

impl Default for Share {
    fn default() -> Share {
        Share::ALL
    }
}
