//! What an import is told.

use crate::privacy::Privacy;

/// The kinds of log that can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The events of a task store, a JSON object a line, as beads writes them.
    Beads,
    /// Spans of OpenTelemetry, an export request in JSON a line.
    Otlp,
    /// Facts, a JSON object a line: a format of our own for everybody else.
    Ndjson,
}

impl Kind {
    /// The name on the command line and in a trace.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Beads => "beads",
            Kind::Otlp => "otlp",
            Kind::Ndjson => "ndjson",
        }
    }
}

/// How to import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Keeps the texts of the log in the trace, up to 64 KiB each, and names that look like an address or a key.
    /// Otherwise only their lengths and hashes are kept.
    pub keep_text: bool,
    /// Replaces the names of agents, tasks, media and resources by pseudonyms, the same in every trace.
    pub rename: bool,
    /// Fails at the first record that is not as it should be, naming its line.
    pub strict: bool,
}

impl Options {
    pub(crate) fn privacy(self) -> Privacy {
        Privacy { keeps_text: self.keep_text, renames: self.rename }
    }
}
