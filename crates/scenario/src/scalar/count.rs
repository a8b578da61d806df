//! Counts: `120`, `"400k"`, `"2M"`. Whole numbers from 0.

use std::fmt;

use super::{Exact, Scalar, ScalarError, number_and_rest, scalar};
use crate::source::shown_short;

/// A whole number from 0 to 9,223,372,036,854,775,807.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(u64);

impl Count {
    /// The largest count: what TOML's whole numbers reach.
    pub const MAX: Self = Self(i64::MAX as u64);

    /// A count; `None` above [`Count::MAX`].
    pub const fn new(count: u64) -> Option<Self> {
        if count <= Self::MAX.0 { Some(Self(count)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl Scalar for Count {
    const NAME: &'static str = "Count";
    const FORMAT: &'static str = "fleet-count";
    const EXPECTED: &'static str = "a whole number such as 120 or \"2M\"";
    const DESCRIPTION: &'static str = "A whole number: 120, or with k or M, \"400k\", \"2M\".";
    const PATTERN: &'static str = "^[0-9]+(\\.[0-9]+)?[kM]?$";
    const EXAMPLES: &'static [&'static str] = &["400k", "2M"];
    const BARE_INTEGER: bool = true;

    fn parse(text: &str) -> Result<Self, ScalarError> {
        if text.starts_with('-') {
            return Err(ScalarError::new(format!("a negative count, {}", shown_short(text))));
        }
        parse_count(text).and_then(Self::new).ok_or_else(|| {
            ScalarError::new(format!("expected {}, found \"{}\"", Self::EXPECTED, shown_short(text)))
        })
    }

    fn instead_of_number(number: &str) -> String {
        let whole = number.split('.').next().unwrap_or(number);
        whole.trim_start_matches(['-', '+']).to_owned()
    }
}

scalar!(Count);

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

/// The whole number of a text like `12`, `1.5k` or `2M`.
pub(super) fn parse_count(text: &str) -> Option<u64> {
    let (number, suffix) = number_and_rest(text);
    let unit = match suffix {
        "" => 1,
        "k" => 1_000,
        "M" => 1_000_000,
        _ => return None,
    };
    let exact = match Exact::parse(number) {
        Some(exact) => exact,
        // Nineteen digits still fit a count.
        None => return if suffix.is_empty() && !number.contains('.') { number.parse().ok() } else { None },
    };
    exact.times(unit)
}
