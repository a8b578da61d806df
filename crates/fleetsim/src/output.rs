//! What the program shows: results on stdout, everything else on stderr. A reader that goes away is no error.

pub(crate) mod audit;
pub(crate) mod bench;
mod color;
pub(crate) mod figures;
pub(crate) mod histogram;
pub(crate) mod json;
mod plot;
pub(crate) mod report;
pub(crate) mod write_up;

use std::io::{self, BufWriter, ErrorKind, StdoutLock, Write};

use serde_json::Value;

pub(crate) use color::Paint;

use crate::exit::{Exit, Failure};

/// How results are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one object.
    Json,
}

/// Stdout, written line by line. After the reader has gone away nothing more is written.
pub(crate) struct Lines {
    out: BufWriter<StdoutLock<'static>>,
    error: Option<io::Error>,
}

impl Lines {
    pub(crate) fn stdout() -> Lines {
        Lines { out: BufWriter::new(io::stdout().lock()), error: None }
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, text: &str) {
        self.write(text);
        self.write("\n");
    }

    fn write(&mut self, text: &str) {
        if self.error.is_none() {
            self.error = self.out.write_all(text.as_bytes()).err();
        }
    }

    /// Makes sure that everything is written.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let flushed = self.out.flush().err();
        match self.error.take().or(flushed) {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::new(Exit::Damaged, &format!("cannot write to stdout: {error}")))
            }
            _ => Ok(()),
        }
    }
}

/// Writes text to stdout.
pub(crate) fn show(text: &str) -> Result<(), Failure> {
    let mut lines = Lines::stdout();
    lines.write(text);
    lines.finish()
}

/// Writes one JSON object to stdout.
pub(crate) fn show_json(value: &Value) -> Result<(), Failure> {
    show(&format!("{value:#}\n"))
}

/// Writes text to stderr, if anybody listens there.
pub(crate) fn tell(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
