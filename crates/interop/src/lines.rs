//! The lines of a log, one at a time and never more of one than the bound.

use std::io::{self, BufRead};

use serde_json::Value;

use crate::error::Error;
use crate::trouble::{Trouble, Troubles};

/// The longest line that is read, in bytes. What is longer is counted and skipped.
pub const LINE_BYTES_MAX: usize = 8 << 20;

/// Reads JSON, a line at a time.
pub(crate) struct Lines<'a> {
    input: &'a mut dyn BufRead,
    /// The number of the last line that was read, from 1.
    number: u64,
    line: Vec<u8>,
}

/// What a line was, apart from its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Whole { has_end: bool },
    TooLong,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(input: &'a mut dyn BufRead) -> Lines<'a> {
        Lines { input, number: 0, line: Vec::new() }
    }

    /// The next line that is JSON, with its number; what is none is noted. `None` at the end.
    ///
    /// # Errors
    /// When the input cannot be read, or a line is no JSON and the import is strict.
    pub(crate) fn next(&mut self, troubles: &mut Troubles) -> Result<Option<(u64, Value)>, Error> {
        loop {
            let found = self.fill().map_err(|error| Error::new(&format!("cannot read the log: {error}")))?;
            let has_end = match found {
                Found::Nothing => return Ok(None),
                Found::TooLong => {
                    troubles.note(Trouble::LineTooLong, self.number)?;
                    continue;
                }
                Found::Whole { has_end } => has_end,
            };
            let line = match self.number {
                // A mark that some editors put in front of UTF-8.
                1 => self.line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&self.line),
                _ => &self.line,
            };
            let trouble = match core::str::from_utf8(line) {
                Err(_) => Trouble::NotUtf8,
                Ok(text) if text.trim().is_empty() => continue,
                Ok(text) => match serde_json::from_str(text) {
                    Ok(value) => return Ok(Some((self.number, value))),
                    Err(error) => trouble_of(&error, has_end),
                },
            };
            troubles.note(trouble, self.number)?;
        }
    }

    /// Fills `self.line` with the next line, without its end.
    fn fill(&mut self) -> io::Result<Found> {
        self.line.clear();
        let (mut is_any, mut is_too_long) = (false, false);
        let found = |is_too_long, has_end| {
            if is_too_long { Found::TooLong } else { Found::Whole { has_end } }
        };
        loop {
            let bytes = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                bytes => bytes?,
            };
            if bytes.is_empty() {
                self.number += u64::from(is_any);
                return Ok(if is_any { found(is_too_long, false) } else { Found::Nothing });
            }
            is_any = true;
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let piece = &bytes[..end.unwrap_or(bytes.len())];
            is_too_long |= self.line.len() + piece.len() > LINE_BYTES_MAX;
            if !is_too_long {
                self.line.extend_from_slice(piece);
            }
            let used = piece.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                self.number += 1;
                return Ok(found(is_too_long, true));
            }
        }
    }
}

/// What is wrong with a text that is no JSON.
fn trouble_of(error: &serde_json::Error, has_end: bool) -> Trouble {
    let message = error.to_string();
    if message.starts_with("recursion limit exceeded") {
        Trouble::TooDeep
    } else if message.starts_with("number out of range") {
        Trouble::OutOfRange
    } else if error.is_eof() && !has_end {
        Trouble::CutOff
    } else {
        Trouble::NotJson
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use super::*;

    /// A kind of trouble, how often it was, and its first line.
    type Noted = (&'static str, u64, u64);

    fn all(bytes: &[u8]) -> (Vec<(u64, Value)>, Vec<Noted>) {
        let mut input = BufReader::with_capacity(7, bytes);
        let (mut lines, mut troubles) = (Lines::new(&mut input), Troubles::new(false));
        let mut values = Vec::new();
        while let Some(found) = lines.next(&mut troubles).expect("bytes can be read") {
            values.push(found);
        }
        let found = troubles.found().iter().map(|(kind, found)| (kind.name(), found.count, found.first_line));
        (values, found.collect())
    }

    #[test]
    fn what_is_no_json_is_named() {
        let deep = "[".repeat(200);
        for (bytes, trouble) in [
            (&b"{\"a\": 1"[..], "cut-off"),
            (b"{\"a\": 1\n", "not-json"),
            (b"nonsense\n", "not-json"),
            (b"{\"a\": \"\xff\"}\n", "not-utf-8"),
            (deep.as_bytes(), "too-deep"),
            (b"{\"a\": 1e999}\n", "out-of-range"),
        ] {
            assert_eq!(all(bytes), (vec![], vec![(trouble, 1, 1)]), "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn lines_are_numbered_and_empty_ones_are_nothing() {
        let (values, troubles) = all(b"\xEF\xBB\xBF1\r\n\n  \n2\nx\n3");
        let numbers: Vec<u64> = values.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, [1, 4, 6]);
        assert_eq!(troubles, [("not-json", 1, 5)]);
        assert_eq!(all(b"").0, []);
    }

    /// A line of 100 MiB between two good ones, made while it is read.
    #[test]
    fn a_line_of_100_mib_is_never_held() {
        const HUGE_BYTES: u64 = 100 << 20;
        let huge = io::repeat(b'x').take(HUGE_BYTES);
        let input = b"1\n".chain(huge).chain(&b"\n2\n"[..]);
        let mut input = BufReader::with_capacity(1 << 16, input);
        let (mut lines, mut troubles) = (Lines::new(&mut input), Troubles::new(false));
        let mut values = Vec::new();
        while let Some(found) = lines.next(&mut troubles).expect("bytes can be read") {
            values.push(found.0);
            assert!(lines.line.capacity() <= 2 * LINE_BYTES_MAX, "{} bytes held", lines.line.capacity());
        }
        assert_eq!(values, [1, 3]);
        assert_eq!(troubles.found()[&Trouble::LineTooLong].first_line, 2);
    }
}
