//! Plain decimal numbers: `"1.5"`. Written as text, since TOML's own fractions are not exact.

use std::fmt;

use super::{Exact, Scalar, ScalarError, scalar, write_decimal};
use crate::source::shown_short;

/// A positive decimal number, exactly, with at most nine decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal {
    billionths: u64,
}

const ONE: u64 = 1_000_000_000;

impl Decimal {
    /// The number times 1,000,000,000; at least 1.
    pub fn billionths(self) -> u64 {
        self.billionths
    }
}

impl Scalar for Decimal {
    const NAME: &'static str = "Decimal";
    const FORMAT: &'static str = "fleet-decimal";
    const EXPECTED: &'static str = "a decimal number such as \"1.5\"";
    const DESCRIPTION: &'static str = "A positive decimal number, written as text: \"1.5\".";
    const PATTERN: &'static str = "^[0-9]+(\\.[0-9]+)?$";
    const EXAMPLES: &'static [&'static str] = &["1.5", "2"];

    fn parse(text: &str) -> Result<Self, ScalarError> {
        let unreadable =
            || ScalarError::new(format!("expected {}, found \"{}\"", Self::EXPECTED, shown_short(text)));
        let billionths = Exact::parse(text).and_then(|exact| exact.times(ONE));
        let billionths = billionths.ok_or_else(unreadable)?;
        if billionths == 0 {
            return Err(ScalarError::new("the number must be above zero"));
        }
        Ok(Self { billionths })
    }

    fn instead_of_number(number: &str) -> String {
        number.to_owned()
    }
}

scalar!(Decimal);

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(formatter, self.billionths, 9)
    }
}
