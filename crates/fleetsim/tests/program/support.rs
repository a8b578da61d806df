//! Starts the program and looks at what it says.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What a call of the program came to.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Called {
    /// The one JSON object on stdout.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON: {error}: {self:?}"))
    }

    /// Checks the exit code, and shows all that was said if it is another one.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Called {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        self
    }
}

/// A command line of the program, words as a user types them.
pub(crate) fn command<S: AsRef<std::ffi::OsStr>>(words: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fleetsim"));
    command.args(words).stdin(Stdio::null());
    command
}

/// Calls the program.
pub(crate) fn call<S: AsRef<std::ffi::OsStr>>(words: &[S]) -> Called {
    let Output { status, stdout, stderr } = command(words).output().expect("the program starts");
    Called {
        code: status.code().expect("the program ends by itself"),
        stdout: String::from_utf8(stdout).expect("stdout is text"),
        stderr: String::from_utf8(stderr).expect("stderr is text"),
    }
}

/// A scenario of the tests.
pub(crate) fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    path.to_str().expect("the path is text").to_owned()
}

/// A folder for the files of one test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder(tempfile::tempdir().expect("there is room for files"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The path of `name` as a word of a command line.
    pub(crate) fn word(&self, name: &str) -> String {
        self.path(name).to_str().expect("the path is text").to_owned()
    }

    /// Writes a file and gives its path as a word.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), contents).expect("files can be written");
        self.word(name)
    }

    /// Records the pipeline and gives the trace's path as a word.
    pub(crate) fn record(&self, name: &str, more: &[&str]) -> String {
        let (scenario, trace) = (fixture("pipeline.toml"), self.word(name));
        let mut words = vec!["run", &scenario, "--trace", &trace];
        words.extend(more);
        call(&words).exits(0);
        trace
    }
}
