//! How numbers and names look in sentences: lengths of time, money, ratios, and names from files that may be hostile.

use std::fmt::Write;

use fleetsim_engine::{HOUR, MILLISECOND, MINUTE, SECOND, Time};

/// Characters of a name that are shown.
const NAME_CHARACTERS_MAX: usize = 80;

/// A name without characters that a terminal would obey, cut to a readable length.
pub(crate) fn shown(name: &str) -> String {
    let mut text = String::with_capacity(name.len().min(NAME_CHARACTERS_MAX));
    for character in name.chars().take(NAME_CHARACTERS_MAX) {
        if is_obeyed(character) {
            text.extend(character.escape_unicode());
        } else {
            text.push(character);
        }
    }
    if name.chars().nth(NAME_CHARACTERS_MAX).is_some() {
        text.push('…');
    }
    text
}

/// Control characters, and those that reorder or hide the text around them.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// An instant to the second, or to the millisecond in the first minute.
pub(crate) fn clock(at: Time) -> Time {
    let unit = if at.as_ns() < MINUTE { MILLISECOND } else { SECOND };
    Time::from_ns(at.as_ns() - at.as_ns() % unit)
}

/// A length of time in its two largest units: `2h 10m`, `90s` as `1m 30s`, `250ms`.
pub(crate) fn duration(length_ns: u64) -> String {
    let units = [(HOUR, "h"), (MINUTE, "m"), (SECOND, "s"), (MILLISECOND, "ms"), (1_000, "us"), (1, "ns")];
    let Some(largest) = units.iter().position(|(unit, _)| length_ns >= *unit) else { return "0s".to_owned() };
    let (unit, name) = units[largest];
    let mut text = format!("{}{name}", length_ns / unit);
    // Below a second, a second unit is noise.
    if let (true, Some((next, next_name))) = (unit >= MINUTE, units.get(largest + 1)) {
        let rest = length_ns % unit / next;
        if rest > 0 {
            let _ = write!(text, " {rest}{next_name}");
        }
    }
    text
}

/// Money in dollars and cents, or to the billionth when it is less than a cent.
pub(crate) fn dollars(nano_dollars: u64) -> String {
    const DOLLAR: u64 = 1_000_000_000;
    let (whole, rest) = (nano_dollars / DOLLAR, nano_dollars % DOLLAR);
    if whole == 0 && rest > 0 && rest < DOLLAR / 100 {
        return format!("$0.{}", format!("{rest:09}").trim_end_matches('0'));
    }
    format!("${whole}.{:02}", rest / (DOLLAR / 100))
}

/// `1 agent`, `2 agents`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// `once`, `twice`, `7 times`.
pub(crate) fn times(count: u64) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_read_naturally() {
        for (length_ns, text) in [
            (0, "0s"),
            (7, "7ns"),
            (250 * MILLISECOND, "250ms"),
            (90 * SECOND, "1m 30s"),
            (30 * MINUTE, "30m"),
            (2 * HOUR + 10 * MINUTE + 5 * SECOND, "2h 10m"),
            (49 * HOUR, "49h"),
        ] {
            assert_eq!(duration(length_ns), text);
        }
    }

    #[test]
    fn money_is_shown_to_the_cent_or_finer() {
        for (nano_dollars, text) in [
            (0, "$0.00"),
            (1_230_000_000, "$1.23"),
            (999_999_999, "$0.99"),
            (15_000, "$0.000015"),
            (10_000_000, "$0.01"),
        ] {
            assert_eq!(dollars(nano_dollars), text);
        }
    }

    #[test]
    fn hostile_names_are_defused_and_cut() {
        assert_eq!(shown("plan.md"), "plan.md");
        assert_eq!(shown("a\nb\u{202e}"), "a\\u{a}b\\u{202e}");
        assert_eq!(shown(&"x".repeat(200)).chars().count(), NAME_CHARACTERS_MAX + 1);
    }

    #[test]
    fn instants_are_shown_no_finer_than_they_are_read() {
        assert_eq!(clock(Time::from_ns(14 * MINUTE + 7 * SECOND + 5)).to_string(), "00:14:07");
        assert_eq!(clock(Time::from_ns(2 * MILLISECOND + 5)).to_string(), "00:00:00.002");
    }
}
