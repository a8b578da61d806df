//! The texts a scenario is read from: the file, and each `--set` override as a little source of its own.
//! Turns byte offsets into lines and columns, and makes any text safe to show on a terminal.

/// A range of bytes in one of the sources: 0 is the file, `n` the override number `n - 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) source: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// One text and the name it is shown under.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
    line_starts: Vec<usize>,
}

impl Source {
    /// A source shown as `name`.
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { name: shown(name), text: text.to_owned(), line_starts }
    }

    /// Line and column of a byte, both from 1; columns count characters.
    pub(crate) fn line_and_column(&self, byte: usize) -> (usize, usize) {
        let byte = byte.min(self.text.len());
        let line = self.line_starts.partition_point(|start| *start <= byte);
        let start = self.line_starts[line - 1];
        let column = self.text.get(start..byte).map_or(0, |text| text.chars().count());
        (line, column + 1)
    }

    /// The text of a line (from 1) without its end, and the byte at which it starts.
    pub(crate) fn line(&self, line: usize) -> (&str, usize) {
        let start = self.line_starts[line - 1];
        let end = self.line_starts.get(line).copied().unwrap_or(self.text.len());
        (self.text[start..end].trim_end_matches(['\n', '\r']), start)
    }
}

/// `text` with every control character, and every character that would reorder or hide its neighbours,
/// replaced by a visible sign; one character stays one character, so columns stay right.
pub(crate) fn shown(text: &str) -> String {
    text.chars().map(shown_character).collect()
}

/// Like [`shown`], cut to a length that fits into a sentence.
pub(crate) fn shown_short(text: &str) -> String {
    const CHARACTERS_MAX: usize = 60;
    let mut short: String = text.chars().take(CHARACTERS_MAX).map(shown_character).collect();
    if text.chars().nth(CHARACTERS_MAX).is_some() {
        short.push('…');
    }
    short
}

/// See [`shown`]. Tabs become spaces: their width on a terminal is anyone's guess.
pub(crate) fn shown_character(character: char) -> char {
    match character {
        '\t' => ' ',
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + character as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => '\u{fffd}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_lines_and_columns() {
        let source = Source::new("s", "ab\nçd\r\n\nlast");
        for (byte, expected) in [
            (0, (1, 1)),
            (2, (1, 3)),
            (3, (2, 1)),
            (5, (2, 2)),
            (8, (3, 1)),
            (9, (4, 1)),
            (13, (4, 5)),
            (99, (4, 5)),
        ] {
            assert_eq!(source.line_and_column(byte), expected, "byte {byte}");
        }
        assert_eq!(source.line(2), ("çd", 3));
        assert_eq!(source.line(4), ("last", 9));
    }

    #[test]
    fn shows_control_characters_harmlessly() {
        assert_eq!(shown("a\u{1b}[31m\u{9b}\u{202e}\t\u{7f}"), "a␛[31m\u{fffd}\u{fffd} ␡");
    }
}
