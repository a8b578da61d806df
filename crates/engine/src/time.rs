//! Instants of virtual time, and the units in which lengths of time are written.

use core::fmt;

use serde::{Deserialize, Serialize};

/// One microsecond in nanoseconds.
pub const MICROSECOND: u64 = 1_000;
/// One millisecond in nanoseconds.
pub const MILLISECOND: u64 = 1_000_000;
/// One second in nanoseconds.
pub const SECOND: u64 = 1_000_000_000;
/// One minute in nanoseconds.
pub const MINUTE: u64 = 60 * SECOND;
/// One hour in nanoseconds.
pub const HOUR: u64 = 60 * MINUTE;

/// An instant: nanoseconds since the run began, up to about 584 years.
///
/// Lengths of time are plain `u64` nanoseconds whose names end in `_ns`; `5 * MINUTE` reads well and costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Time(u64);

impl Time {
    /// The beginning of every run.
    pub const ZERO: Time = Time(0);
    /// The last representable instant.
    pub const MAX: Time = Time(u64::MAX);

    /// The instant `nanoseconds` after the beginning.
    #[must_use]
    pub const fn from_ns(nanoseconds: u64) -> Time {
        Time(nanoseconds)
    }

    /// Nanoseconds since the beginning.
    #[must_use]
    pub const fn as_ns(self) -> u64 {
        self.0
    }

    /// The instant `delay_ns` later, or `None` past the end of time.
    #[must_use]
    pub const fn checked_add(self, delay_ns: u64) -> Option<Time> {
        match self.0.checked_add(delay_ns) {
            Some(sum) => Some(Time(sum)),
            None => None,
        }
    }

    /// Nanoseconds from `earlier` to this instant; 0 when `earlier` is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Time) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Shows `HH:MM:SS`, with as many decimals as the instant needs: `00:14:07`, `00:00:00.002`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, fraction) = (self.0 / SECOND, self.0 % SECOND);
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{hours:02}:{minutes:02}:{rest:02}")?;
        if fraction == 0 {
            return Ok(());
        }
        let digits = format!("{fraction:09}");
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_shown_as_clock_times() {
        for (nanoseconds, shown) in [
            (0, "00:00:00"),
            (14 * MINUTE + 7 * SECOND, "00:14:07"),
            (2 * MILLISECOND, "00:00:00.002"),
            (101 * HOUR + 1, "101:00:00.000000001"),
        ] {
            assert_eq!(Time::from_ns(nanoseconds).to_string(), shown);
        }
    }

    #[test]
    fn sums_past_the_end_of_time_are_refused() {
        assert_eq!(Time::MAX.checked_add(1), None);
        assert_eq!(Time::ZERO.checked_add(5).map(Time::as_ns), Some(5));
        assert_eq!(Time::ZERO.since(Time::MAX), 0);
    }
}
