//! Why a log cannot be imported.

use core::fmt;
use std::io;
use std::path::Path;

use fleetsim_trace_replay::text::escape;

/// Why an import failed. What is wrong with single records fails no import unless it is strict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    message: String,
    is_usage: bool,
}

impl Error {
    /// Whether the caller asked for something that makes no sense, as opposed to a log that cannot be read.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        self.is_usage
    }

    pub(crate) fn usage(message: &str) -> Error {
        Error { message: escape(message), is_usage: true }
    }

    pub(crate) fn new(message: &str) -> Error {
        // Names in it may come from a hostile log.
        Error { message: escape(message), is_usage: false }
    }

    /// The same, with the file that it is about.
    pub(crate) fn in_file(self, path: &Path) -> Error {
        let name = escape(&path.display().to_string());
        if self.message.contains(&name) {
            return self;
        }
        Error { message: format!("{name}: {}", self.message), ..self }
    }

    pub(crate) fn io(path: &Path, error: &io::Error) -> Error {
        Error::new(&format!("cannot read {}: {error}", path.display()))
    }
}

impl From<fleetsim_trace_replay::Error> for Error {
    fn from(error: fleetsim_trace_replay::Error) -> Error {
        Error::new(&error.to_string())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for Error {}
