//! Figures for people: lengths of time, instants, money, counts and rates. Whole numbers throughout, rounded down.

use std::time::Duration;

use fleetsim_engine::{HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND, Time};

/// A length of time in its two largest units, or with one decimal below a minute: `2h 10m`, `1m 30s`, `4.5s`.
pub(crate) fn duration(length_ns: u64) -> String {
    let with_rest = |unit: u64, name: &str, next: u64, next_name: &str| match length_ns % unit / next {
        0 => format!("{}{name}", length_ns / unit),
        rest => format!("{}{name} {rest}{next_name}", length_ns / unit),
    };
    let with_decimal = |unit: u64, name: &str| match length_ns % unit * 10 / unit {
        0 => format!("{}{name}", length_ns / unit),
        tenths => format!("{}.{tenths}{name}", length_ns / unit),
    };
    match length_ns {
        0 => "0s".to_owned(),
        HOUR.. => with_rest(HOUR, "h", MINUTE, "m"),
        MINUTE.. => with_rest(MINUTE, "m", SECOND, "s"),
        SECOND.. => with_decimal(SECOND, "s"),
        MILLISECOND.. => with_decimal(MILLISECOND, "ms"),
        MICROSECOND.. => with_decimal(MICROSECOND, "us"),
        _ => format!("{length_ns}ns"),
    }
}

/// An instant to the second, or to the millisecond in the first minute.
pub(crate) fn clock(at: Time) -> Time {
    let unit = if at.as_ns() < MINUTE { MILLISECOND } else { SECOND };
    Time::from_ns(at.as_ns() - at.as_ns() % unit)
}

/// Money: `$12.34`; below a dollar with up to four decimals, `$0.0123`.
pub(crate) fn dollars(nano_dollars: u64) -> String {
    const DOLLAR: u64 = 1_000_000_000;
    let (whole, rest) = (nano_dollars / DOLLAR, nano_dollars % DOLLAR);
    match (whole, rest) {
        (0, 0) => "$0.00".to_owned(),
        (0, ..100_000) => "less than $0.0001".to_owned(),
        (0, _) => {
            let digits = format!("{:04}", rest / 100_000);
            let (cents, finer) = digits.split_at(2);
            format!("$0.{cents}{}", finer.trim_end_matches('0'))
        }
        _ => format!("${}.{:02}", grouped(whole), rest / 10_000_000),
    }
}

/// A count with commas: `1,234,567`.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `2,000 events`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// So many in a second.
pub(crate) fn per_second(count: u64, wall: Duration) -> u64 {
    let per_second = u128::from(count) * 1_000_000_000 / wall.as_nanos().max(1);
    u64::try_from(per_second).unwrap_or(u64::MAX)
}

/// Thousandths as a decimal with one digit: `5.2`.
pub(crate) fn decimal(thousandths: u64) -> String {
    format!("{}.{}", grouped(thousandths / 1000), thousandths % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_short() {
        for (length_ns, text) in [
            (0, "0s"),
            (999, "999ns"),
            (1_540, "1.5us"),
            (250 * MILLISECOND, "250ms"),
            (4 * SECOND + 560 * MILLISECOND, "4.5s"),
            (90 * SECOND, "1m 30s"),
            (30 * MINUTE, "30m"),
            (2 * HOUR + 10 * MINUTE + 5 * SECOND, "2h 10m"),
            (u64::MAX, "5124095h 34m"),
        ] {
            assert_eq!(duration(length_ns), text);
        }
    }

    #[test]
    fn money_has_two_to_four_decimals() {
        for (nano_dollars, text) in [
            (0, "$0.00"),
            (99_999, "less than $0.0001"),
            (12_345_678, "$0.0123"),
            (120_000_000, "$0.12"),
            (500_000_000, "$0.50"),
            (999_999_999, "$0.9999"),
            (1_009_999_999, "$1.00"),
            (1_234_567_890_000_000, "$1,234,567.89"),
        ] {
            assert_eq!(dollars(nano_dollars), text);
        }
    }

    #[test]
    fn counts_have_commas() {
        for (count, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(count), text);
        }
        assert_eq!((counted(1, "event"), counted(0, "event")), ("1 event".to_owned(), "0 events".to_owned()));
    }

    #[test]
    fn rates_survive_a_clock_that_stands_still() {
        assert_eq!(per_second(5, Duration::from_millis(500)), 10);
        assert_eq!(per_second(u64::MAX, Duration::ZERO), u64::MAX);
        assert_eq!(decimal(5_299), "5.2");
    }
}
