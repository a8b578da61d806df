//! Working hours: `"09:00-17:00"`, every day, by the fleet's own clock.

use std::fmt;

use super::{Scalar, ScalarError, scalar};
use crate::source::shown_short;

/// From which minute to which minute of the day somebody is there. If the end is not after the beginning,
/// the hours go past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hours {
    from_minute: u16,
    to_minute: u16,
}

impl Hours {
    /// Minute of the day at which the hours begin: 0 to 1,439.
    pub fn from_minute(self) -> u16 {
        self.from_minute
    }

    /// Minute of the day at which the hours end: 1 to 1,440, never the beginning.
    pub fn to_minute(self) -> u16 {
        self.to_minute
    }
}

impl Scalar for Hours {
    const NAME: &'static str = "Hours";
    const FORMAT: &'static str = "fleet-hours";
    const EXPECTED: &'static str = "hours such as \"09:00-17:00\"";
    const DESCRIPTION: &'static str =
        "Hours of every day, such as \"09:00-17:00\" or, past midnight, \"22:00-06:00\".";
    const PATTERN: &'static str = "^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$";
    const EXAMPLES: &'static [&'static str] = &["09:00-17:00", "00:00-24:00"];

    fn parse(text: &str) -> Result<Self, ScalarError> {
        let unreadable = || {
            ScalarError::new(format!("expected {}, found \"{}\"", Self::EXPECTED, shown_short(text)))
                .help("two times of the day with two digits each, from 00:00 to 24:00")
        };
        let (from, to) = text.split_once('-').ok_or_else(unreadable)?;
        let from_minute = minute_of_day(from).filter(|m| *m < 1_440).ok_or_else(unreadable)?;
        let to_minute = minute_of_day(to).filter(|m| *m > 0).ok_or_else(unreadable)?;
        if from_minute == to_minute {
            return Err(ScalarError::new("hours that end when they begin")
                .help("for the whole day write \"00:00-24:00\""));
        }
        Ok(Self { from_minute, to_minute })
    }

    fn instead_of_number(_: &str) -> String {
        "09:00-17:00".to_owned()
    }
}

scalar!(Hours);

impl fmt::Display for Hours {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from_minute, self.to_minute);
        write!(formatter, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two_digits = |part: &str| {
        let plain = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if plain { part.parse::<u16>().ok() } else { None }
    };
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    if minutes < 60 && hours * 60 + minutes <= 1_440 { Some(hours * 60 + minutes) } else { None }
}
