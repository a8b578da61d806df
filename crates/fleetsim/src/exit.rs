//! How a command ends: the exit codes, and failures that carry theirs.

use std::path::Path;
use std::process::ExitCode;

use fleetsim_scenario::BuildError;
use fleetsim_trace_replay::text::escape;

use crate::output::Paint;

/// What the program says to whoever started it. The numbers are contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Everything is as expected.
    Expected = 0,
    /// Findings that the scenario does not expect, or expected ones that are missing.
    Unexpected = 1,
    /// The command line or a scenario is wrong.
    Usage = 2,
    /// A replay diverged, or two traces differ.
    Diverged = 3,
    /// A trace is damaged or partial, a file cannot be read or written, the watchdog or the user ended a run.
    Damaged = 4,
    /// A trace of another version, or a behaviour that this program does not have.
    Incompatible = 5,
}

impl Exit {
    /// The exit that a program of ours ended with, going by its code.
    pub(crate) fn of_code(code: i32) -> Option<Exit> {
        let all = [
            Exit::Expected,
            Exit::Unexpected,
            Exit::Usage,
            Exit::Diverged,
            Exit::Damaged,
            Exit::Incompatible,
        ];
        all.into_iter().find(|exit| *exit as i32 == code)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// What is shown, whole lines.
    pub(crate) text: String,
}

impl Failure {
    /// A failure told in one sentence, which may hold text from anywhere.
    pub(crate) fn new(exit: Exit, message: &str) -> Failure {
        let lines: Vec<String> = message.lines().map(escape).collect();
        Failure { exit, text: format!("error: {}\n", lines.join("\n  ")) }
    }

    /// A mistake in how the program was called.
    pub(crate) fn usage(message: &str) -> Failure {
        Failure::new(Exit::Usage, message)
    }

    /// What is wrong with the trace in `path`.
    pub(crate) fn of_trace(path: &Path, error: &fleetsim_trace_replay::Error) -> Failure {
        let (message, name) = (error.to_string(), path.display().to_string());
        let message = if message.contains(&name) { message } else { format!("{name}: {message}") };
        Failure::new(Failure::exit_of_trace(error), &message)
    }

    /// What is wrong with the scenario inside a trace, which was sound for the program that recorded it.
    pub(crate) fn of_recorded_scenario(error: &fleetsim_scenario::Error) -> Failure {
        let message =
            format!("this program cannot read the scenario that the trace holds:\n{}", error.render(false));
        Failure::new(Exit::Incompatible, &message)
    }

    pub(crate) fn exit_of_trace(error: &fleetsim_trace_replay::Error) -> Exit {
        if error.is_address() || error.is_not_recorded() {
            Exit::Usage
        } else if error.is_incompatible() {
            Exit::Incompatible
        } else {
            Exit::Damaged
        }
    }
}

impl From<fleetsim_scenario::Error> for Failure {
    fn from(error: fleetsim_scenario::Error) -> Failure {
        Failure { exit: Exit::Usage, text: error.render(Paint::stderr().is_on()) }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Failure {
        let exit = if error.missing_behaviours.is_empty() { Exit::Usage } else { Exit::Incompatible };
        Failure::new(exit, &error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_defuse_what_they_quote() {
        let failure = Failure::usage("no `\u{1b}[2J`\nnor this");
        assert_eq!(failure.text, "error: no `\\u{1b}[2J`\n  nor this\n");
    }

    #[test]
    fn a_missing_behaviour_is_an_incompatibility() {
        let error = |missing_behaviours| BuildError { reasons: vec!["x".to_owned()], missing_behaviours };
        assert_eq!(Failure::from(error(vec![])).exit, Exit::Usage);
        assert_eq!(Failure::from(error(vec!["gossip".to_owned()])).exit, Exit::Incompatible);
    }
}
