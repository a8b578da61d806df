//! Addresses of moments in traces: `FILE@TIME#EVENT`, where time and event may be left out.

use core::fmt;
use core::str::FromStr;
use std::path::PathBuf;

use fleetsim_engine::{HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND, Time};

use crate::error::Error;

/// A moment in a trace, or the whole of it.
///
/// The time is written `12.5s`, `250ms`, `1h30m` or `00:14:07`, the event `#e90211` or `#90211`. The text is read
/// from the right, and what is no time or event belongs to the file's name, which may contain `@` and `#`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The trace.
    pub file: PathBuf,
    /// The instant.
    pub time: Option<Time>,
    /// The ordinal of the event; it names the moment alone, whatever the time says.
    pub event: Option<u64>,
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Address, Error> {
        let (rest, event) = match text.rsplit_once('#') {
            Some((rest, tail)) if is_event(tail) => (rest, Some(parse_event(tail, text)?)),
            _ => (text, None),
        };
        let (file, time) = match rest.rsplit_once('@') {
            Some((file, tail)) => match parse_time(tail) {
                Some(time) => (file, Some(time)),
                None => (rest, None),
            },
            None => (rest, None),
        };
        if file.is_empty() {
            return Err(Error::address(format!("`{text}` names no file; an address is FILE@TIME#EVENT")));
        }
        Ok(Address { file: PathBuf::from(file), time, event })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.file.display().fmt(f)?;
        if let Some(time) = self.time {
            write!(f, "@{time}")?;
        }
        if let Some(event) = self.event {
            write!(f, "#e{event}")?;
        }
        Ok(())
    }
}

/// The instant that is written `12.5s`, `250ms`, `1h30m` or `00:14:07.5`; `None` when it is none of these, finer
/// than a nanosecond, or past the end of time.
#[must_use]
pub fn parse_time(text: &str) -> Option<Time> {
    let total_ns = if text.contains(':') { parse_clock(text)? } else { parse_units(text)? };
    Some(Time::from_ns(total_ns))
}

fn parse_clock(text: &str) -> Option<u64> {
    let mut parts = text.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (minutes_ns, seconds_ns) = (parse_decimal(minutes, MINUTE)?, parse_decimal(seconds, SECOND)?);
    if minutes.contains('.') || hours.contains('.') || minutes_ns >= HOUR || seconds_ns >= MINUTE {
        return None;
    }
    parse_decimal(hours, HOUR)?.checked_add(minutes_ns)?.checked_add(seconds_ns)
}

fn parse_units(text: &str) -> Option<u64> {
    let mut rest = text;
    let (mut total_ns, mut unit_before_ns) = (0_u64, u64::MAX);
    while !rest.is_empty() || unit_before_ns == u64::MAX {
        let (number, tail) = rest.split_at(rest.find(|c: char| c.is_ascii_alphabetic())?);
        let (unit, tail) = tail.split_at(tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len()));
        let unit_ns = match unit {
            "h" => HOUR,
            "m" => MINUTE,
            "s" => SECOND,
            "ms" => MILLISECOND,
            "us" => MICROSECOND,
            "ns" => 1,
            _ => return None,
        };
        if unit_ns >= unit_before_ns {
            return None;
        }
        total_ns = total_ns.checked_add(parse_decimal(number, unit_ns)?)?;
        (unit_before_ns, rest) = (unit_ns, tail);
    }
    Some(total_ns)
}

/// `number`, with decimals or without, times `unit_ns`, when that is a whole number of nanoseconds.
fn parse_decimal(number: &str, unit_ns: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    // Nine decimals of a nanosecond-resolved hour need thirteen digits; more cannot be whole.
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let numerator = if fraction.is_empty() { 0 } else { fraction.parse::<u128>().ok()? };
    let product = numerator.checked_mul(u128::from(unit_ns))?;
    if product % scale != 0 {
        return None;
    }
    let fraction_ns = u64::try_from(product / scale).ok()?;
    whole.parse::<u64>().ok()?.checked_mul(unit_ns)?.checked_add(fraction_ns)
}

fn is_event(tail: &str) -> bool {
    let digits = tail.strip_prefix('e').unwrap_or(tail);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse_event(tail: &str, text: &str) -> Result<u64, Error> {
    let digits = tail.strip_prefix('e').unwrap_or(tail);
    digits.parse().map_err(|_| Error::address(format!("the event number in `{text}` is too large")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_read_from_the_right() {
        let second = |seconds| Some(seconds * SECOND);
        for (text, file, time_ns, event) in [
            ("run.fleet", "run.fleet", None, None),
            ("run.fleet@12.5s#e90211", "run.fleet", Some(12 * SECOND + SECOND / 2), Some(90_211)),
            ("run.fleet@00:14:07", "run.fleet", second(847), None),
            ("run.fleet#7", "run.fleet", None, Some(7)),
            ("me@host#1@3h#e1", "me@host#1", second(3 * 3600), Some(1)),
            ("me@host.fleet", "me@host.fleet", None, None),
            ("a#b@90m", "a#b", second(5400), None),
            ("a@250ms@x#e", "a@250ms@x#e", None, None),
        ] {
            let address: Address = text.parse().expect(text);
            let expected = Address { file: file.into(), time: time_ns.map(Time::from_ns), event };
            assert_eq!(address, expected, "{text}");
            assert_eq!(address.to_string().parse(), Ok(address), "{text}");
        }
    }

    #[test]
    fn malformed_addresses_are_refused() {
        for text in ["", "#e1", "@3s", "@3s#1", "a#e99999999999999999999"] {
            assert!(text.parse::<Address>().is_err_and(|error| error.is_address()), "{text}");
        }
    }

    #[test]
    fn times_are_exact() {
        for (text, expected_ns) in [
            ("1ns", Some(1)),
            ("0.5us", Some(500)),
            ("1h30m", Some(5400 * SECOND)),
            ("2m3.25s", Some(123_250 * MILLISECOND)),
            ("101:00:00.000000001", Some(101 * HOUR + 1)),
            ("0.0000000001s", None),
            ("1s1m", None),
            ("1m1m", None),
            ("00:60:00", None),
            ("00:00:60", None),
            ("1:2:3:4", None),
            ("12", None),
            ("s", None),
            ("-1s", None),
            ("1.s", None),
            ("99999999999h", None),
            ("", None),
        ] {
            assert_eq!(parse_time(text).map(Time::as_ns), expected_ns, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(file in "[a-z@#./0-9]{1,12}x", time_ns: Option<u64>, event: Option<u64>) {
            let address = Address { file: file.into(), time: time_ns.map(Time::from_ns), event };
            prop_assert_eq!(address.to_string().parse::<Address>(), Ok(address));
        }

        #[test]
        fn anything_is_read_without_panic(text: String) {
            let _ = text.parse::<Address>();
        }
    }
}
