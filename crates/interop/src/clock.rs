//! Instants as logs write them, in nanoseconds since 1970, and the clock of an import, which never runs backwards.

/// Reads RFC 3339, such as `2026-02-26T15:13:23.5Z` or `2026-02-26 16:13:23+01:00`, as nanoseconds since 1970.
/// `None` for what is no instant, or lies outside the years 1678 to 2261. A leap second is the second after it.
pub(crate) fn parse_instant(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = bytes.get(from..to).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        core::str::from_utf8(digits).ok()?.parse().ok()
    };
    let is = |at: usize, any_of: &[u8]| bytes.get(at).is_some_and(|byte| any_of.contains(byte));
    let is_framed = is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":");
    if !is_framed {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let is_possible = (1..=12).contains(&month)
        && (1..=days_of_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !is_possible {
        return None;
    }
    let mut at = 19;
    let mut fraction_ns = 0;
    if is(at, b".,") {
        let digits = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        for place in 0..9 {
            let digit = if place < digits { i64::from(bytes[at + 1 + place] - b'0') } else { 0 };
            fraction_ns = fraction_ns * 10 + digit;
        }
        at += 1 + digits;
    }
    let offset_minutes = match bytes.get(at..)? {
        b"Z" | b"z" => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (number(at + 1, at + 3)?, number(at + 4, at + 6)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 }
        }
        _ => return None,
    };
    let seconds =
        days_since_1970(year, month, day) * 86_400 + (hour * 60 + minute - offset_minutes) * 60 + second;
    seconds.checked_mul(1_000_000_000)?.checked_add(fraction_ns)
}

/// Shows an instant as RFC 3339 in UTC, to the second.
pub(crate) fn show_instant(unix_ns: i64) -> String {
    let seconds = unix_ns.div_euclid(1_000_000_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date_of(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar, counted in years that begin in March, so that the leap day is the last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_as_rfc_3339_writes_them() {
        for (text, seconds, rest_ns) in [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("1969-12-31T23:59:59.5Z", -1, 500_000_000),
            ("2026-02-26T15:13:23Z", 1_772_118_803, 0),
            ("2026-02-26t16:13:23.000000001+01:00", 1_772_118_803, 1),
            ("2026-02-26 10:13:23,1234567899-05:00", 1_772_118_803, 123_456_789),
            ("2024-02-29T00:00:00Z", 1_709_164_800, 0),
            ("2000-03-01T00:00:60Z", 951_868_860, 0),
        ] {
            assert_eq!(parse_instant(text), Some(seconds * 1_000_000_000 + rest_ns), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2026-02-26",
            "2026-02-26T15:13Z",
            "2026-02-26T15:13:23",
            "2026-02-30T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-02-26T24:00:00Z",
            "2026-02-26T15:13:23.Z",
            "2026-02-26T15:13:23+1:00",
            "+026-02-26T15:13:23Z",
            "2262-05-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "2026-02-26T15:13:23Zé",
            "é026-02-26T15:13:23Z",
        ] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }

    #[test]
    fn days_and_dates_are_inverse() {
        let mut expected = (1678, 1, 1);
        for days in days_since_1970(1678, 1, 1)..days_since_1970(2262, 1, 1) {
            assert_eq!(date_of(days), expected);
            assert_eq!(days_since_1970(expected.0, expected.1, expected.2), days);
            let (year, month, day) = expected;
            expected = match (month, day == days_of_month(year, month)) {
                (12, true) => (year + 1, 1, 1),
                (_, true) => (year, month + 1, 1),
                (_, false) => (year, month, day + 1),
            };
        }
        assert_eq!(show_instant(1_772_118_803_999_999_999), "2026-02-26T15:13:23Z");
        assert_eq!(show_instant(-1), "1969-12-31T23:59:59Z");
    }
}
