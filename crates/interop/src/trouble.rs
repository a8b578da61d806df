//! What can be wrong with the records of a log: counted by kind, with the first line, and fatal only on demand.

use std::collections::BTreeMap;

use crate::error::Error;

/// What is wrong with a record, or with a line that should be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// The line is longer than the bound; it was skipped without being held.
    LineTooLong,
    /// The line is not UTF-8.
    NotUtf8,
    /// The line is not JSON.
    NotJson,
    /// The last line is not JSON and has no end: the log was cut off.
    CutOff,
    /// The JSON is nested deeper than the parser goes.
    TooDeep,
    /// The JSON is not what a record of this kind of log looks like.
    NotARecord,
    /// A field that the record needs is missing or of another type.
    MissingField,
    /// A number is outside the range of what it counts.
    OutOfRange,
    /// The record has no time that can be read: it was given that of the record before, or left out if it is a span.
    BadTime,
    /// The time lies before that of an earlier record, or an end before its beginning; it was moved forward.
    ClockBackwards,
    /// An identifier is not of the form that such identifiers have.
    BadId,
    /// A record with this identifier was there before; the later one was left out.
    DuplicateId,
    /// An event of a kind that this program does not know: it became a step without facts.
    UnknownEvent,
    /// More records, agents or identifiers than an import holds.
    PastLimit,
}

impl Trouble {
    /// All kinds, in the order in which they are reported.
    pub const ALL: [Trouble; 14] = [
        Trouble::LineTooLong,
        Trouble::NotUtf8,
        Trouble::NotJson,
        Trouble::CutOff,
        Trouble::TooDeep,
        Trouble::NotARecord,
        Trouble::MissingField,
        Trouble::OutOfRange,
        Trouble::BadTime,
        Trouble::ClockBackwards,
        Trouble::BadId,
        Trouble::DuplicateId,
        Trouble::UnknownEvent,
        Trouble::PastLimit,
    ];

    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Trouble::LineTooLong => "line-too-long",
            Trouble::NotUtf8 => "not-utf-8",
            Trouble::NotJson => "not-json",
            Trouble::CutOff => "cut-off",
            Trouble::TooDeep => "too-deep",
            Trouble::NotARecord => "not-a-record",
            Trouble::MissingField => "missing-field",
            Trouble::OutOfRange => "out-of-range",
            Trouble::BadTime => "bad-time",
            Trouble::ClockBackwards => "clock-backwards",
            Trouble::BadId => "bad-id",
            Trouble::DuplicateId => "duplicate-id",
            Trouble::UnknownEvent => "unknown-event",
            Trouble::PastLimit => "past-limit",
        }
    }
}

/// How often a kind of trouble occurred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurred {
    /// How often.
    pub count: u64,
    /// The first line with it, from 1, in the file in which it was found.
    pub first_line: u64,
}

/// The troubles of an import so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Troubles {
    is_strict: bool,
    found: BTreeMap<Trouble, Occurred>,
}

impl Troubles {
    pub(crate) fn new(is_strict: bool) -> Troubles {
        Troubles { is_strict, found: BTreeMap::new() }
    }

    /// Counts one, in `line` of a file.
    ///
    /// # Errors
    /// When the import is strict.
    pub(crate) fn note(&mut self, trouble: Trouble, line: u64) -> Result<(), Error> {
        if self.is_strict {
            return Err(Error::new(&format!("line {line}: {}", trouble.name())));
        }
        let found = self.found.entry(trouble).or_insert(Occurred { count: 0, first_line: line });
        found.count += 1;
        found.first_line = found.first_line.min(line);
        Ok(())
    }

    pub(crate) fn found(&self) -> &BTreeMap<Trouble, Occurred> {
        &self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strict_import_ends_at_the_first_and_names_the_line() {
        let mut troubles = Troubles::new(true);
        let error = troubles.note(Trouble::NotJson, 7).unwrap_err();
        assert_eq!(error.to_string(), "line 7: not-json");
        let mut troubles = Troubles::new(false);
        for line in [9, 4] {
            troubles.note(Trouble::BadId, line).unwrap();
        }
        assert_eq!(troubles.found()[&Trouble::BadId], Occurred { count: 2, first_line: 4 });
    }

    #[test]
    fn all_kinds_are_listed_in_order() {
        assert!(Trouble::ALL.is_sorted());
        assert_eq!(Trouble::ALL.last(), Some(&Trouble::PastLimit));
    }
}
