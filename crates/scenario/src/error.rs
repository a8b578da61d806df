//! Why a scenario could not be loaded. Mistakes in its text are one of the reasons, and come all at once.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::mistake::Mistakes;
use crate::source::{shown, shown_short};

/// Why a scenario could not be loaded.
#[derive(Debug)]
pub struct Error(Box<Kind>);

#[derive(Debug)]
enum Kind {
    NotFound(PathBuf),
    IsDirectory(PathBuf),
    TooLarge { path: PathBuf, bytes_max: u64 },
    NotText { path: PathBuf, byte: usize },
    Unreadable { path: PathBuf, cause: io::Error },
    Outside { path: PathBuf },
    Data { path: PathBuf, line: usize, message: String },
    Override(String),
    Mistakes(Mistakes),
}

impl Error {
    /// The file, or a data file that it names, does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(*self.0, Kind::NotFound(_))
    }

    /// A directory was given where a file is meant.
    pub fn is_directory(&self) -> bool {
        matches!(*self.0, Kind::IsDirectory(_))
    }

    /// The file is larger than what is read.
    pub fn is_too_large(&self) -> bool {
        matches!(*self.0, Kind::TooLarge { .. })
    }

    /// The file is not UTF-8 text.
    pub fn is_not_text(&self) -> bool {
        matches!(*self.0, Kind::NotText { .. })
    }

    /// A data file could not be understood, or lies outside the scenario's folder.
    pub fn is_bad_data(&self) -> bool {
        matches!(*self.0, Kind::Data { .. } | Kind::Outside { .. })
    }

    /// An override is not written `path=value`.
    pub fn is_bad_override(&self) -> bool {
        matches!(*self.0, Kind::Override(_))
    }

    /// The mistakes in the scenario's text, if that is the reason.
    pub fn mistakes(&self) -> Option<&Mistakes> {
        match &*self.0 {
            Kind::Mistakes(mistakes) => Some(mistakes),
            _ => None,
        }
    }

    /// The reason for people: as [`Mistakes::render`], or in one line.
    pub fn render(&self, colour: bool) -> String {
        match &*self.0 {
            Kind::Mistakes(mistakes) => mistakes.render(colour),
            _ => format!("error: {self}\n"),
        }
    }

    pub(crate) fn io(path: &Path, cause: io::Error) -> Self {
        let path = path.to_owned();
        Self::new(match cause.kind() {
            io::ErrorKind::NotFound => Kind::NotFound(path),
            io::ErrorKind::IsADirectory => Kind::IsDirectory(path),
            _ => Kind::Unreadable { path, cause },
        })
    }

    pub(crate) fn directory(path: &Path) -> Self {
        Self::new(Kind::IsDirectory(path.to_owned()))
    }

    pub(crate) fn too_large(path: &Path, bytes_max: u64) -> Self {
        Self::new(Kind::TooLarge { path: path.to_owned(), bytes_max })
    }

    pub(crate) fn not_text(path: &Path, byte: usize) -> Self {
        Self::new(Kind::NotText { path: path.to_owned(), byte })
    }

    pub(crate) fn outside(path: &Path) -> Self {
        Self::new(Kind::Outside { path: path.to_owned() })
    }

    pub(crate) fn data(path: &Path, line: usize, message: String) -> Self {
        Self::new(Kind::Data { path: path.to_owned(), line, message })
    }

    pub(crate) fn bad_override(argument: &str) -> Self {
        Self::new(Kind::Override(shown_short(argument)))
    }

    fn new(kind: Kind) -> Self {
        Self(Box::new(kind))
    }
}

impl From<Mistakes> for Error {
    fn from(mistakes: Mistakes) -> Self {
        Self::new(Kind::Mistakes(mistakes))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |path: &Path| shown(&path.to_string_lossy());
        match &*self.0 {
            Kind::NotFound(path) => write!(formatter, "{}: no such file", name(path)),
            Kind::IsDirectory(path) => {
                write!(formatter, "{}: a directory, where a file is meant", name(path))
            }
            Kind::TooLarge { path, bytes_max } => {
                let mebibytes = bytes_max >> 20;
                write!(formatter, "{}: larger than {mebibytes} MiB", name(path))
            }
            Kind::NotText { path, byte } => {
                write!(formatter, "{}: not UTF-8 text, at byte {byte}", name(path))
            }
            Kind::Unreadable { path, cause } => write!(formatter, "{}: {cause}", name(path)),
            Kind::Outside { path } => {
                write!(formatter, "{}: outside the scenario's folder", name(path))
            }
            Kind::Data { path, line, message } => {
                write!(formatter, "{}:{line}: {}", name(path), shown(message))
            }
            Kind::Override(argument) => {
                write!(formatter, "`{argument}` is no override: write path=value, such as role.coder.count=3")
            }
            Kind::Mistakes(mistakes) => mistakes.fmt(formatter),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Kind::Unreadable { cause, .. } => Some(cause),
            _ => None,
        }
    }
}
