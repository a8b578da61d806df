//! Logs of other fleets, read into traces: task-store events, OpenTelemetry spans, and a plain format of our own.
//!
//! [`import`] makes a trace file of a log; [`read`] gives its steps to any sink. Nobody executed an imported run, so it
//! cannot be replayed, but it can be inspected, judged, explained and compared. What the log does not tell is said in
//! the trace's header, and so is how much of it was guessed.
//!
//! ```
//! use fleetsim_engine::DigestSink;
//! use fleetsim_interop::{Kind, Options, read};
//!
//! let log = br#"{"at": "2026-01-01T10:00:00Z", "actor": "planner", "fact": "task-added", "task": "T-1"}"#;
//! let mut sink = DigestSink::default();
//! let reading = read(Kind::Ndjson, &mut &log[..], None, Options::default(), &mut sink)?;
//! assert_eq!(reading.import.records, 1);
//! # Ok::<(), fleetsim_interop::Error>(())
//! ```

#![forbid(unsafe_code)]

mod beads;
mod cast;
mod clock;
mod error;
mod file;
mod lines;
mod ndjson;
mod options;
mod otlp;
mod privacy;
mod reading;
mod record;
mod seen;
mod tape;
mod trouble;

use std::io::BufRead;

use fleetsim_engine::Sink;

pub use error::Error;
pub use file::{Imported, import};
pub use lines::LINE_BYTES_MAX;
pub use options::{Kind, Options};
pub use reading::Reading;
pub use trouble::{Occurred, Trouble};

/// Reads a log of the kind `kind` and hands its steps to `sink`. `dependencies` is the second file that a log of beads
/// may have.
///
/// Memory is bounded by what is followed (a million tasks, spans or messages, 50,000 agents), not by the length of the
/// log; a line is at most [`LINE_BYTES_MAX`].
///
/// # Errors
/// When the log cannot be read, when only beads have dependencies, or, if the import is strict, at the first record that
/// is not as it should be.
pub fn read(
    kind: Kind,
    log: &mut dyn BufRead,
    dependencies: Option<&mut dyn BufRead>,
    options: Options,
    sink: &mut dyn Sink,
) -> Result<Reading, Error> {
    if kind != Kind::Beads && dependencies.is_some() {
        return Err(Error::usage("only a log of beads has a second file, of dependencies"));
    }
    match kind {
        Kind::Beads => beads::read(log, dependencies, options, sink),
        Kind::Otlp => otlp::read(log, options, sink),
        Kind::Ndjson => ndjson::read(log, options, sink),
    }
}
