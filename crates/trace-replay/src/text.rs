//! Text that is safe and short to show: control characters escaped, lengths of time in words.

use fleetsim_engine::{HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND};

/// Shows control characters, and those that reorder a line, as `\u{1b}`: a trace may be hostile, a terminal obeys.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_invisible(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Shows a length of time exactly: `3s`, `1.5ms`, `2m 3.25s`, `1h 0m 10s`.
#[must_use]
pub fn duration(length_ns: u64) -> String {
    let (hours, minutes, rest) = (length_ns / HOUR, length_ns / MINUTE % 60, length_ns % MINUTE);
    match length_ns {
        0 => "0s".to_owned(),
        HOUR.. => format!("{hours}h {minutes}m {}", decimal(rest, SECOND, "s")),
        MINUTE.. => format!("{minutes}m {}", decimal(rest, SECOND, "s")),
        SECOND.. => decimal(length_ns, SECOND, "s"),
        MILLISECOND.. => decimal(length_ns, MILLISECOND, "ms"),
        MICROSECOND.. => decimal(length_ns, MICROSECOND, "us"),
        _ => format!("{length_ns}ns"),
    }
}

fn decimal(length_ns: u64, unit_ns: u64, unit: &str) -> String {
    let digits = unit_ns.ilog10() as usize;
    let fraction = format!("{:0digits$}", length_ns % unit_ns);
    match fraction.trim_end_matches('0') {
        "" => format!("{}{unit}", length_ns / unit_ns),
        fraction => format!("{}.{fraction}{unit}", length_ns / unit_ns),
    }
}

/// Zero-width and direction-changing characters.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_exact() {
        for (length_ns, shown) in [
            (0, "0s"),
            (999, "999ns"),
            (1_500, "1.5us"),
            (2 * MILLISECOND, "2ms"),
            (3 * SECOND, "3s"),
            (3 * SECOND + 1, "3.000000001s"),
            (2 * MINUTE + 3 * SECOND + 250 * MILLISECOND, "2m 3.25s"),
            (HOUR + 10 * SECOND, "1h 0m 10s"),
        ] {
            assert_eq!(duration(length_ns), shown);
        }
    }

    #[test]
    fn a_terminal_is_told_nothing() {
        assert_eq!(escape("a\x1b[2Jb\nc\u{202e}d é"), "a\\u{1b}[2Jb\\u{a}c\\u{202e}d é");
    }
}
