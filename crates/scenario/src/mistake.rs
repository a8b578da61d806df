//! What is wrong in a scenario: every mistake at once, each with its place, in the order of the file.
//! They are shown with the source line and a marker below it, or handed on as data.

use std::fmt;

use serde::Serialize;

use crate::path::Path;
use crate::render;
use crate::source::{Place, Source, shown};

/// Mistakes kept; a file with more of them is beyond being read mistake by mistake.
pub(crate) const KEPT_MAX: usize = 1_000;

/// What kind of mistake it is. The names are stable, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Code {
    /// The text is not TOML.
    Syntax,
    /// A name that the vocabulary does not have.
    UnknownField,
    /// A required field is absent.
    MissingField,
    /// A top-level key stands below a `[table]` header and so belongs to that table.
    SwallowedKey,
    /// A value of another kind than the field takes, such as a list for a text.
    WrongType,
    /// A text that does not read as the duration, rate, share or other value meant here.
    BadValue,
    /// A value beyond what is possible, such as a 99th percentile below the median.
    OutOfRange,
    /// A reference to a role, medium, seam, action, model or agent that is not in the file.
    UnknownName,
    /// Fields that exclude each other, or a field that does not go with its neighbours.
    Conflict,
    /// A name that cannot be used, because it is taken, reserved or oddly spelt.
    BadName,
    /// A fleet in which nothing can happen.
    EmptyFleet,
}

impl Code {
    /// The stable name, such as `unknown-field`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::UnknownField => "unknown-field",
            Self::MissingField => "missing-field",
            Self::SwallowedKey => "swallowed-key",
            Self::WrongType => "wrong-type",
            Self::BadValue => "bad-value",
            Self::OutOfRange => "out-of-range",
            Self::UnknownName => "unknown-name",
            Self::Conflict => "conflict",
            Self::BadName => "bad-name",
            Self::EmptyFleet => "empty-fleet",
        }
    }
}

/// One mistake, as data. Every text in it is safe to print: control characters are replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Mistake {
    /// What kind of mistake.
    pub code: Code,
    /// Which value, such as `role.coder.count`; empty for the file as a whole.
    pub path: String,
    /// The file, or `--set` for a mistake in an override.
    pub source: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What was found and what was expected.
    pub message: String,
    /// How to put it right, if that can be said.
    pub help: Option<String>,
}

/// All the mistakes of a scenario, in the order of the file. Never empty.
///
/// `Display` shows them without colour; [`Mistakes::render`] with it, if asked.
#[derive(Clone, Debug)]
pub struct Mistakes {
    mistakes: Vec<Mistake>,
    places: Vec<Place>,
    sources: Vec<Source>,
}

impl Mistakes {
    pub(crate) fn new(mut found: Vec<Found>, sources: Vec<Source>) -> Self {
        assert!(!found.is_empty(), "mistakes are reported only when there are some");
        found.sort_by(|a, b| (a.place, a.code, &a.message).cmp(&(b.place, b.code, &b.message)));
        found.dedup_by(|a, b| a.place == b.place && a.message == b.message);
        found.truncate(KEPT_MAX);
        let places = found.iter().map(|found| found.place).collect();
        let mistakes = found.into_iter().map(|found| found.resolved(&sources)).collect();
        Self { mistakes, places, sources }
    }

    /// The mistakes, in the order of the file, those of overrides last.
    pub fn iter(&self) -> std::slice::Iter<'_, Mistake> {
        self.mistakes.iter()
    }

    /// How many there are: at least 1, at most 1,000 (a file with more is cut there).
    #[expect(clippy::len_without_is_empty, reason = "there is always at least one")]
    pub fn len(&self) -> usize {
        self.mistakes.len()
    }

    /// The mistakes in the manner of a compiler: place, source line, marker, help. Without `colour` the
    /// text has no escape sequences.
    pub fn render(&self, colour: bool) -> String {
        render::render(&self.mistakes, &self.places, &self.sources, colour)
    }

    /// The mistakes as a JSON list of objects with `code`, `path`, `source`, `line`, `column`, `message`
    /// and `help`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!(self.mistakes)
    }
}

impl<'a> IntoIterator for &'a Mistakes {
    type Item = &'a Mistake;
    type IntoIter = std::slice::Iter<'a, Mistake>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(false))
    }
}

impl std::error::Error for Mistakes {}

/// A mistake as the stages of reading find it, before line and column are known.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) code: Code,
    pub(crate) place: Place,
    pub(crate) path: Path,
    message: String,
    help: Option<String>,
}

impl Found {
    pub(crate) fn new(code: Code, path: &Path, place: Place, message: impl Into<String>) -> Self {
        Self { code, place, path: path.clone(), message: message.into(), help: None }
    }

    /// With advice how to put it right.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With advice, where there is some.
    pub(crate) fn help_if(mut self, help: Option<String>) -> Self {
        self.help = self.help.or(help);
        self
    }

    fn resolved(self, sources: &[Source]) -> Mistake {
        let source = &sources[self.place.source];
        let (line, column) = source.line_and_column(self.place.start);
        Mistake {
            code: self.code,
            path: shown(&self.path.to_string()),
            source: source.name.clone(),
            line,
            column,
            message: shown(&self.message),
            help: self.help.as_deref().map(shown),
        }
    }
}
