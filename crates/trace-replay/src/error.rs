//! What can go wrong with a trace.

use core::fmt;
use std::io;

use crate::text::escape;

/// Why a trace cannot be written, read or addressed.
///
/// The message says where and what was found; the predicates say which sort of failure it is, so that a program
/// can choose its exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    kind: Kind,
    message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Io,
    NotATrace,
    Incompatible,
    Damaged,
    NotRecorded,
    Address,
}

impl Error {
    /// The operating system refused: no such file, no permission, no space left.
    #[must_use]
    pub fn is_io(&self) -> bool {
        self.kind == Kind::Io
    }

    /// The file is something else altogether.
    #[must_use]
    pub fn is_not_a_trace(&self) -> bool {
        self.kind == Kind::NotATrace
    }

    /// The file is a trace of a version or with features that this program does not read.
    #[must_use]
    pub fn is_incompatible(&self) -> bool {
        self.kind == Kind::Incompatible
    }

    /// Bytes of the file are not what was written; the message says which.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.kind == Kind::Damaged
    }

    /// The trace is sound but was recorded at a level that leaves out what was asked for.
    #[must_use]
    pub fn is_not_recorded(&self) -> bool {
        self.kind == Kind::NotRecorded
    }

    /// An address is malformed, or names a moment that the trace does not have.
    #[must_use]
    pub fn is_address(&self) -> bool {
        self.kind == Kind::Address
    }

    pub(crate) fn io(doing: impl fmt::Display, error: &io::Error) -> Error {
        Error::new(Kind::Io, format!("{doing}: {error}"))
    }

    pub(crate) fn not_a_trace(message: impl Into<String>) -> Error {
        Error::new(Kind::NotATrace, message)
    }

    pub(crate) fn incompatible(message: impl Into<String>) -> Error {
        Error::new(Kind::Incompatible, message)
    }

    pub(crate) fn damaged(offset: u64, place: &str, what: impl fmt::Display) -> Error {
        Error::new(Kind::Damaged, format!("damaged at byte {offset} ({place}): {what}"))
    }

    pub(crate) fn not_recorded(message: impl Into<String>) -> Error {
        Error::new(Kind::NotRecorded, message)
    }

    pub(crate) fn address(message: impl Into<String>) -> Error {
        Error::new(Kind::Address, message)
    }

    fn new(kind: Kind, message: impl Into<String>) -> Error {
        // Names and texts in it may come from a hostile file.
        Error { kind, message: escape(&message.into()) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for Error {}
