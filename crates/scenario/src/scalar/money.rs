//! Money: `"$40"`, `"3"`, `"0.30"` dollars. Whole nano-dollars.

use std::fmt;

use super::{Exact, Scalar, ScalarError, scalar, write_decimal};
use crate::source::shown_short;

/// An amount in whole nano-dollars, from 0 to about 18 billion dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(u64);

const DOLLAR: u64 = 1_000_000_000;

impl Money {
    /// An amount.
    pub const fn from_nano_dollars(nano_dollars: u64) -> Self {
        Self(nano_dollars)
    }

    /// The amount in nano-dollars: a dollar is 1,000,000,000.
    pub const fn nano_dollars(self) -> u64 {
        self.0
    }
}

impl Scalar for Money {
    const NAME: &'static str = "Money";
    const FORMAT: &'static str = "fleet-money";
    const EXPECTED: &'static str = "an amount of dollars such as \"$40\"";
    const DESCRIPTION: &'static str = "An amount of dollars such as \"$40\", \"3\" or \"0.30\".";
    const PATTERN: &'static str = "^\\$?[0-9]+(\\.[0-9]+)?$";
    const EXAMPLES: &'static [&'static str] = &["$40", "3", "0.30"];

    fn parse(text: &str) -> Result<Self, ScalarError> {
        if text.starts_with('-') || text.starts_with("$-") {
            return Err(ScalarError::new(format!("a negative amount, \"{}\"", shown_short(text))));
        }
        let unreadable =
            || ScalarError::new(format!("expected {}, found \"{}\"", Self::EXPECTED, shown_short(text)));
        let amount = Exact::parse(text.strip_prefix('$').unwrap_or(text)).ok_or_else(unreadable)?;
        amount.times(DOLLAR).map(Self).ok_or_else(|| {
            unreadable().help("amounts have at most nine decimals and stay below 18 billion dollars")
        })
    }

    fn instead_of_number(number: &str) -> String {
        format!("${number}")
    }
}

scalar!(Money);

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("$")?;
        write_decimal(formatter, self.0, 9)
    }
}
