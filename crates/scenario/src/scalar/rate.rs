//! Rates: `"50/min"`, `"2M/min"`, `"400k/s"`. A whole count per whole nanoseconds.

use std::fmt;

use super::duration::{parse_nanoseconds, unit_nanoseconds};
use super::{Duration, Scalar, ScalarError, count, scalar};
use crate::source::shown_short;

/// So many per so much time. Both parts are whole and at least 1, kept as they were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    count: u64,
    period: Duration,
}

impl Rate {
    /// How many, at least 1, per [`Rate::period_ns`].
    pub fn count(self) -> u64 {
        self.count
    }

    /// The nanoseconds in which that many come.
    pub fn period_ns(self) -> u64 {
        self.period.nanoseconds()
    }
}

impl Scalar for Rate {
    const NAME: &'static str = "Rate";
    const FORMAT: &'static str = "fleet-rate";
    const EXPECTED: &'static str = "a rate such as \"50/min\"";
    const DESCRIPTION: &'static str = "A rate such as \"50/min\", \"6/h\" or \"2M/min\": a whole number, with k or M if it is large, per unit of time.";
    const PATTERN: &'static str = "^[0-9]+(\\.[0-9]+)?[kM]?/([0-9]+(\\.[0-9]+)?)?(d|h|min|m|s|ms|us|µs|ns)([0-9]+(\\.[0-9]+)?(d|h|min|m|s|ms|us|µs|ns))*$";
    const EXAMPLES: &'static [&'static str] = &["50/min", "6/h", "2M/min"];

    fn parse(text: &str) -> Result<Self, ScalarError> {
        let unreadable =
            || ScalarError::new(format!("expected {}, found \"{}\"", Self::EXPECTED, shown_short(text)));
        let Some((amount, period)) = text.split_once('/') else {
            return Err(unreadable().help("say per what time: \"50/min\", \"6/h\", \"400k/s\""));
        };
        let count = count::parse_count(amount).ok_or_else(|| {
            unreadable()
                .help("the count is a whole number; for less than one write a longer time, such as \"1/2h\"")
        })?;
        if count == 0 {
            return Err(ScalarError::new("a rate of zero: nothing would ever come")
                .help("leave the field out if there is no such limit or arrival"));
        }
        let period = match unit_nanoseconds(period) {
            Some(nanoseconds) => nanoseconds,
            None if period.starts_with(|c: char| c.is_ascii_digit()) => parse_nanoseconds(period)?,
            None => return Err(unreadable().help("the time after `/` is d, h, min, s, ms, us or ns")),
        };
        let period =
            Duration::from_nanoseconds(period).ok_or_else(|| ScalarError::new("a rate per no time"))?;
        Ok(Self { count, period })
    }

    fn instead_of_number(number: &str) -> String {
        format!("{number}/min")
    }
}

scalar!(Rate);

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.count, self.period)
    }
}
