//! Durations: `"90s"`, `"1h30m"`, `"250ms"`. Whole nanoseconds, never zero.

use std::fmt;

use super::{Exact, Scalar, ScalarError, number_and_rest, scalar};
use crate::source::shown_short;

/// A span of world time in whole nanoseconds: at least 1, at most about 584 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(u64);

/// Units from large to small, with their nanoseconds. A unit may be spelt in more than one way.
const UNITS: [(&str, u64); 9] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("ns", 1),
];
const UNITS_TEXT: &str = "the units are d, h, m (or min), s, ms, us and ns";

impl Duration {
    /// A duration of `nanoseconds`; `None` for zero, since nothing takes no time.
    pub const fn from_nanoseconds(nanoseconds: u64) -> Option<Self> {
        if nanoseconds == 0 { None } else { Some(Self(nanoseconds)) }
    }

    /// The nanoseconds: at least 1.
    pub const fn nanoseconds(self) -> u64 {
        self.0
    }
}

impl Scalar for Duration {
    const NAME: &'static str = "Duration";
    const FORMAT: &'static str = "fleet-duration";
    const EXPECTED: &'static str = "a duration such as \"90s\"";
    const DESCRIPTION: &'static str =
        "A duration such as \"90s\", \"1h30m\" or \"250ms\". Units: d, h, m (or min), s, ms, us, ns.";
    const PATTERN: &'static str = "^([0-9]+(\\.[0-9]+)?(d|h|min|m|s|ms|us|µs|ns))+$";
    const EXAMPLES: &'static [&'static str] = &["90s", "6m", "1h30m", "250ms"];

    fn parse(text: &str) -> Result<Self, ScalarError> {
        let nanoseconds = parse_nanoseconds(text)?;
        Self::from_nanoseconds(nanoseconds).ok_or_else(|| {
            ScalarError::new("a duration of zero: an effect is always later than its cause")
                .help("the shortest duration is \"1ns\"")
        })
    }

    fn instead_of_number(number: &str) -> String {
        format!("{number}s")
    }
}

scalar!(Duration);

impl fmt::Display for Duration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        for (unit, nanoseconds) in UNITS {
            let alias = unit == "min" || unit == "µs";
            let amount = rest / nanoseconds;
            if amount > 0 && !alias {
                write!(formatter, "{amount}{unit}")?;
                rest %= nanoseconds;
            }
        }
        Ok(())
    }
}

/// Nanoseconds of a text without sign; zero is let through.
pub(super) fn parse_nanoseconds(text: &str) -> Result<u64, ScalarError> {
    let unreadable =
        || ScalarError::new(format!("expected {}, found \"{}\"", Duration::EXPECTED, shown_short(text)));
    if text.starts_with('-') {
        return Err(ScalarError::new(format!("a negative duration, \"{}\"", shown_short(text)))
            .help("time runs forwards only: write a positive duration"));
    }
    let mut rest = text;
    let mut total: u64 = 0;
    let mut previous_unit = u64::MAX;
    while !rest.is_empty() {
        let (number, after) = number_and_rest(rest);
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let amount = Exact::parse(number).ok_or_else(unreadable)?;
        if unit.is_empty() {
            return Err(unreadable().help(format!("say the unit: write \"{}s\"", shown_short(text))));
        }
        let unit_ns = unit_nanoseconds(unit).ok_or_else(|| unknown_unit(number, unit))?;
        if unit_ns >= previous_unit {
            return Err(unreadable().help("larger units come first, each once, as in \"1h30m\""));
        }
        previous_unit = unit_ns;
        total = amount.times(unit_ns).and_then(|nanoseconds| total.checked_add(nanoseconds)).ok_or_else(
            || {
                ScalarError::new(format!(
                    "\"{}\" is no whole number of nanoseconds below 584 years",
                    shown_short(text)
                ))
            },
        )?;
        rest = after;
    }
    if text.is_empty() { Err(unreadable()) } else { Ok(total) }
}

/// Nanoseconds of one unit.
pub(super) fn unit_nanoseconds(unit: &str) -> Option<u64> {
    UNITS.iter().find(|(name, _)| *name == unit).map(|(_, nanoseconds)| *nanoseconds)
}

fn unknown_unit(number: &str, unit: &str) -> ScalarError {
    let error = ScalarError::new(format!("`{}` is no unit of time", shown_short(unit)));
    let short = match unit.trim().to_ascii_lowercase().as_str() {
        "sec" | "secs" | "second" | "seconds" | "s" => "s",
        "mins" | "minute" | "minutes" | "m" | "min" => "m",
        "hr" | "hrs" | "hour" | "hours" | "h" => "h",
        "day" | "days" | "d" => "d",
        "msec" | "millis" | "millisecond" | "milliseconds" | "ms" => "ms",
        "usec" | "micros" | "microsecond" | "microseconds" | "us" => "us",
        "nsec" | "nanos" | "nanosecond" | "nanoseconds" | "ns" => "ns",
        _ => return error.help(UNITS_TEXT),
    };
    error.help(format!("write \"{}{short}\"", shown_short(number)))
}
