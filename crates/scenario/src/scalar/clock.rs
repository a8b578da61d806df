//! What a fault does to a clock: drift such as `"+200ppm"` or `"-3%"`, and jumps such as `"-5s"`.

use std::fmt;

use super::duration::parse_nanoseconds;
use super::{Duration, Exact, Scalar, ScalarError, scalar, write_decimal};
use crate::source::shown_short;

/// How much faster (positive) or slower (negative) a clock runs, in billionths; slower by less than all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drift {
    parts_per_billion: i64,
}

impl Drift {
    /// Above -1,000,000,000 (a clock that stands still) and at most 1,000,000,000 (one twice as fast).
    pub fn parts_per_billion(self) -> i64 {
        self.parts_per_billion
    }
}

const WHOLE: u64 = 1_000_000_000;

impl Scalar for Drift {
    const NAME: &'static str = "Drift";
    const FORMAT: &'static str = "fleet-drift";
    const EXPECTED: &'static str = "a drift such as \"+200ppm\" or \"-3%\"";
    const DESCRIPTION: &'static str = "How much faster (+) or slower (-) a clock runs: \"+200ppm\", \"-3%\".";
    const PATTERN: &'static str = "^[+-]?[0-9]+(\\.[0-9]+)?(ppm|%)$";
    const EXAMPLES: &'static [&'static str] = &["+200ppm", "-3%"];

    fn parse(text: &str) -> Result<Self, ScalarError> {
        let unreadable =
            || ScalarError::new(format!("expected {}, found \"{}\"", Self::EXPECTED, shown_short(text)));
        let (negative, amount) = sign(text);
        let parts = if let Some(number) = amount.strip_suffix("ppm") {
            Exact::parse(number).and_then(|number| number.times(1_000))
        } else if let Some(number) = amount.strip_suffix('%') {
            Exact::parse(number).and_then(|number| number.times(WHOLE / 100))
        } else {
            None
        };
        let parts = parts.ok_or_else(unreadable)?;
        let limit = if negative { WHOLE - 1 } else { WHOLE };
        if parts > limit {
            return Err(ScalarError::new("a drift beyond the possible")
                .help("a clock runs at most twice as fast (\"+100%\") and never backwards"));
        }
        let parts = i64::try_from(parts).expect("a drift of at most one billion fits");
        Ok(Self { parts_per_billion: if negative { -parts } else { parts } })
    }

    fn instead_of_number(number: &str) -> String {
        format!("{number}ppm")
    }
}

scalar!(Drift);

impl fmt::Display for Drift {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.parts_per_billion < 0 { "-" } else { "+" })?;
        write_decimal(formatter, self.parts_per_billion.unsigned_abs(), 3)?;
        formatter.write_str("ppm")
    }
}

/// A clock set forwards (positive) or back (negative), by at least 1 ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Jump {
    nanoseconds: i64,
}

impl Jump {
    /// Never zero.
    pub fn nanoseconds(self) -> i64 {
        self.nanoseconds
    }
}

impl Scalar for Jump {
    const NAME: &'static str = "Jump";
    const FORMAT: &'static str = "fleet-jump";
    const EXPECTED: &'static str = "a jump such as \"5s\" or \"-5s\"";
    const DESCRIPTION: &'static str = "How far a clock is set forwards (\"5s\") or back (\"-5s\").";
    const PATTERN: &'static str = "^[+-]?([0-9]+(\\.[0-9]+)?(d|h|min|m|s|ms|us|µs|ns))+$";
    const EXAMPLES: &'static [&'static str] = &["5s", "-5s"];

    fn parse(text: &str) -> Result<Self, ScalarError> {
        let (negative, amount) = sign(text);
        let nanoseconds = i64::try_from(parse_nanoseconds(amount)?).map_err(|_| {
            ScalarError::new(format!("\"{}\" is too far", shown_short(text)))
                .help("a clock jumps by less than 292 years")
        })?;
        if nanoseconds == 0 {
            return Err(ScalarError::new("a jump by nothing"));
        }
        Ok(Self { nanoseconds: if negative { -nanoseconds } else { nanoseconds } })
    }

    fn instead_of_number(number: &str) -> String {
        format!("{number}s")
    }
}

scalar!(Jump);

impl fmt::Display for Jump {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.nanoseconds < 0 { "-" } else { "+" })?;
        match Duration::from_nanoseconds(self.nanoseconds.unsigned_abs()) {
            Some(duration) => write!(formatter, "{duration}"),
            None => formatter.write_str("0s"),
        }
    }
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(amount) => (true, amount),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}
