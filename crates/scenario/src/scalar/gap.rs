//! Mean gaps: `"every 10m"`, for what comes at random.

use std::fmt;

use super::duration::parse_nanoseconds;
use super::{Duration, Scalar, ScalarError, scalar};
use crate::source::shown_short;

/// How much time lies between two random instants on average.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap(Duration);

impl Gap {
    /// The mean, at least 1 ns.
    pub fn mean_ns(self) -> u64 {
        self.0.nanoseconds()
    }
}

impl Scalar for Gap {
    const NAME: &'static str = "Gap";
    const FORMAT: &'static str = "fleet-gap";
    const EXPECTED: &'static str = "a mean gap such as \"every 10m\"";
    const DESCRIPTION: &'static str =
        "How much time lies between two random instants on average, such as \"every 10m\".";
    const PATTERN: &'static str = "^every ([0-9]+(\\.[0-9]+)?(d|h|min|m|s|ms|us|µs|ns))+$";
    const EXAMPLES: &'static [&'static str] = &["every 10m"];

    fn parse(text: &str) -> Result<Self, ScalarError> {
        let unreadable =
            || ScalarError::new(format!("expected {}, found \"{}\"", Self::EXPECTED, shown_short(text)));
        let Some(gap) = text.strip_prefix("every ") else {
            let is_duration = Duration::parse(text).is_ok();
            return Err(if is_duration {
                unreadable().help(format!("write \"every {text}\""))
            } else {
                unreadable()
            });
        };
        let nanoseconds = parse_nanoseconds(gap).ok().and_then(Duration::from_nanoseconds);
        nanoseconds.map(Self).ok_or_else(unreadable)
    }

    fn instead_of_number(number: &str) -> String {
        format!("every {number}s")
    }
}

scalar!(Gap);

impl fmt::Display for Gap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "every {}", self.0)
    }
}
