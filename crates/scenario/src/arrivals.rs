//! Recorded arrivals: CSV with the header `TIMESTAMP,ContextTokens,GeneratedTokens`, as published traces of
//! inference services have it. Times are counted from the first row on.

use crate::source::shown_short;

/// The first line of the file.
const HEADER: &str = "TIMESTAMP,ContextTokens,GeneratedTokens";
/// Rows of one file: a bound on memory.
const ROWS_MAX: usize = 4_000_000;
/// Tokens of one item; more than any model takes, and few enough to add up safely.
const TOKENS_MAX: u64 = 1_000_000_000;

/// Recorded arrivals, earliest first; never empty.
pub type Arrivals = Vec<RecordedArrival>;

/// One item of recorded work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordedArrival {
    /// Nanoseconds after the first arrival of the file.
    pub at_ns: u64,
    /// Tokens that go into the model.
    pub context_tokens: u64,
    /// Tokens that come out of it.
    pub generated_tokens: u64,
}

/// The arrivals of a file's text, or the line (from 1) that cannot be understood, and why.
pub(crate) fn parse(text: &str) -> Result<Arrivals, (usize, String)> {
    let mut lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    let header = lines.next().map(|(_, line)| line.trim()).unwrap_or_default();
    if header != HEADER {
        let found = shown_short(header);
        return Err((1, format!("expected the header `{HEADER}`, found `{found}`")));
    }
    let mut rows: Vec<(i128, u64, u64)> = Vec::new();
    for (number, line) in lines {
        if line.trim().is_empty() {
            continue;
        }
        if rows.len() == ROWS_MAX {
            return Err((number + 1, format!("more than {ROWS_MAX} rows")));
        }
        rows.push(row(line).map_err(|message| (number + 1, message))?);
    }
    rows.sort_by_key(|(at, _, _)| *at);
    let Some((first, _, _)) = rows.first().copied() else {
        return Err((1, "no rows below the header".to_owned()));
    };
    let arrivals = rows.into_iter().map(|(at, context_tokens, generated_tokens)| {
        let at_ns = u64::try_from(at - first)
            .map_err(|_| (1, "the first and the last row lie over 584 years apart".to_owned()))?;
        Ok(RecordedArrival { at_ns, context_tokens, generated_tokens })
    });
    arrivals.collect()
}

fn row(line: &str) -> Result<(i128, u64, u64), String> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let [time, context, generated] = fields.as_slice() else {
        return Err(format!("expected 3 fields, found {}", fields.len()));
    };
    let at = timestamp_ns(time).ok_or_else(|| {
        let found = shown_short(time);
        format!("expected a time such as `2023-11-16 18:17:03.979`, found `{found}`")
    })?;
    Ok((at, tokens(context)?, tokens(generated)?))
}

fn tokens(text: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|tokens| *tokens <= TOKENS_MAX);
    number.ok_or_else(|| {
        format!("expected a number of tokens up to {TOKENS_MAX}, found `{}`", shown_short(text))
    })
}

/// Nanoseconds of `YYYY-MM-DD HH:MM:SS[.fraction]` since the year 1970. Every day has 86,400 seconds.
fn timestamp_ns(text: &str) -> Option<i128> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let time = time.trim_end_matches('Z');
    let mut date = date.split('-');
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    let mut clock = time.split(':');
    let (hour, minute, second) = (clock.next()?, clock.next()?, clock.next()?);
    if date.next().is_some() || clock.next().is_some() {
        return None;
    }
    let (second, fraction) = second.split_once('.').unwrap_or((second, ""));
    let day = days_since_1970(number(year, 1..=9_999)?, number(month, 1..=12)?, number(day, 1..=31)?);
    let seconds = number(hour, 0..=23)? * 3_600 + number(minute, 0..=59)? * 60;
    let seconds = day * 86_400 + seconds + number(second, 0..=60)?;
    Some(i128::from(seconds) * 1_000_000_000 + i128::from(fraction_ns(fraction)?))
}

/// What comes after the point, to nine places; further ones are cut off.
fn fraction_ns(fraction: &str) -> Option<i64> {
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    number(&digits, 0..=999_999_999)
}

fn number(text: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !plain {
        return None;
    }
    text.parse().ok().filter(|number| range.contains(number))
}

/// Days from 1970-01-01 in the Gregorian calendar, counting years from March so that the leap day is last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_published_trace() {
        let text = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-12-31 23:59:59.9799600,4808,10\r\n2024-01-01 00:00:00.0319600,3180,8\n\n";
        let arrivals = parse(text).expect("the text is right");
        let rows: Vec<(u64, u64, u64)> =
            arrivals.iter().map(|a| (a.at_ns, a.context_tokens, a.generated_tokens)).collect();
        assert_eq!(rows, [(0, 4_808, 10), (52_000_000, 3_180, 8)]);
    }

    #[test]
    fn says_which_line_is_wrong() {
        let head = HEADER;
        for (text, line, part) in [
            (String::new(), 1, "expected the header"),
            ("time,tokens\n1,2".to_owned(), 1, "expected the header"),
            (format!("{head}\n"), 1, "no rows"),
            (format!("{head}\n2023-11-16 18:17:03,1"), 2, "expected 3 fields, found 2"),
            (format!("{head}\n2023-11-16 18:17:03,1,2\nnow,1,2"), 3, "expected a time"),
            (format!("{head}\n2023-13-16 18:17:03,1,2"), 2, "expected a time"),
            (format!("{head}\n2023-11-16 18:17:03.1é,1,2"), 2, "expected a time"),
            (format!("{head}\n2023-11-16 18:17:03,-1,2"), 2, "number of tokens"),
            (format!("{head}\n2023-11-16 18:17:03,1,99999999999"), 2, "number of tokens"),
            (format!("{head}\n9999-11-16 18:17:03,1,2\n0001-01-01 00:00:00,1,2"), 1, "584 years"),
        ] {
            let (at, message) = parse(&text).expect_err(&text);
            assert_eq!(at, line, "{text}: {message}");
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn counts_days() {
        for (date, days) in [
            ((1970, 1, 1), 0),
            ((1969, 12, 31), -1),
            ((2000, 2, 29), 11_016),
            ((2000, 3, 1), 11_017),
            ((2023, 11, 16), 19_677),
        ] {
            assert_eq!(days_since_1970(date.0, date.1, date.2), days, "{date:?}");
        }
    }
}
