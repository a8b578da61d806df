//! The command line: what may be typed, and the whole program behind it.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

use crate::command::{Program, audit, bench, check, diff, import, inspect, replay, report, run, test, why};
use crate::exit::{Exit, Failure};
use crate::output::{show, show_json, tell};
use crate::registry::Registry;

/// Simulates fleets of software agents: the same scenario and seed give the same run, on any machine.
#[derive(Debug, Parser)]
#[command(name = "fleetsim", version, disable_help_subcommand = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a scenario and report what emerges
    Run(run::Arguments),
    /// Run a recorded run again, bit for bit, and compare
    Replay(replay::Arguments),
    /// Explain why an event happened
    Why(why::Arguments),
    /// Check scenario files without running them
    Check(check::Arguments),
    /// Run scenarios with many seeds against their expectations
    Test(test::Arguments),
    /// Show what a trace holds
    Inspect(inspect::Arguments),
    /// Find where two traces part
    Diff(diff::Arguments),
    /// Say what a fleet's architecture is, where its time goes, and what its trace proves
    Audit(audit::Arguments),
    /// Write up what a trace shows, in five parts
    Report(report::Arguments),
    /// Make a trace of another fleet's log
    Import(import::Arguments),
    /// Measure how speed and memory change with the size of a fleet
    Bench(bench::Arguments),
    /// Print the JSON Schema of scenario files, for editors
    Schema,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// The commands in the order in which `--help` shows them.
const GROUPS: [(&str, &[&str]); 3] = [
    ("Begin here", &["run", "replay", "why", "check", "test"]),
    ("Traces", &["inspect", "diff", "audit", "report", "import"]),
    ("Tools", &["bench", "schema", "completions"]),
];

const EXIT_CODES: &str = "\
0 as expected; 1 findings that are not expected, or expected ones missing, or slower than a baseline; 2 the command
  line or a scenario is wrong; 3 a replay diverged or runs differ; 4 a trace is damaged or partial, a file cannot be
  read or written, a run was interrupted or stuck; 5 another version, or a behaviour that this program does not have";

/// The whole program: reads the command line, does what it says, and returns the exit code.
///
/// The commands work with the behaviours and monitors of `registry` as with the built-in ones, and the commands
/// that reports print call this program by its own name.
///
/// Exit codes: 0 as expected; 1 findings that the scenario does not expect, or expected ones missing, or a measurement
/// slower than its baseline; 2 the command line or a scenario is wrong; 3 a replay diverged, or runs that should be the
/// same differ; 4 a damaged or partial trace, input and output, an interrupted run, the watchdog; 5 an incompatible
/// version or a missing behaviour.
#[must_use]
pub fn main(registry: Registry) -> ExitCode {
    main_with(registry, std::env::args_os())
}

/// As [`main`], with these arguments instead of the process's own; the first is what the program is called.
#[must_use]
pub fn main_with(registry: Registry, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let name = program_name(arguments.first());
    let exit = match parse(&name, arguments) {
        Ok(command) => execute(&command, &Program { name, registry }).unwrap_or_else(|failure| {
            tell(&failure.text);
            failure.exit
        }),
        Err(exit) => exit,
    };
    exit.into()
}

fn execute(command: &Command, program: &Program) -> Result<Exit, Failure> {
    match command {
        Command::Run(arguments) => run::execute(arguments, program),
        Command::Replay(arguments) => replay::execute(arguments, program),
        Command::Why(arguments) => why::execute(arguments, program),
        Command::Check(arguments) => check::execute(arguments, program),
        Command::Test(arguments) => test::execute(arguments, program),
        Command::Inspect(arguments) => inspect::execute(arguments),
        Command::Diff(arguments) => diff::execute(arguments),
        Command::Audit(arguments) => audit::execute(arguments, program),
        Command::Report(arguments) => report::execute(arguments, program),
        Command::Import(arguments) => import::execute(arguments, program),
        Command::Bench(arguments) => bench::execute(arguments, program),
        Command::Schema => show_json(&fleetsim_scenario::schema()).map(|()| Exit::Expected),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut grammar(&program.name), program.name.clone(), &mut script);
            show(&String::from_utf8_lossy(&script)).map(|()| Exit::Expected)
        }
    }
}

/// What was asked for. Help and versions are shown at once, and so are mistakes.
fn parse(name: &str, arguments: Vec<OsString>) -> Result<Command, Exit> {
    let matches = grammar(name).try_get_matches_from(arguments);
    match matches.and_then(|matches| CommandLine::from_arg_matches(&matches)) {
        Ok(line) => Ok(line.command),
        Err(error) => {
            // Whoever has stopped reading needs no help.
            let _ = error.print();
            Err(match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Expected,
                _ => Exit::Usage,
            })
        }
    }
}

/// The file name that the program was called by, without folders.
fn program_name(called: Option<&OsString>) -> String {
    let name = called.and_then(|called| Path::new(called).file_name()).unwrap_or_default();
    let name = name.to_string_lossy();
    match name.strip_suffix(".exe").unwrap_or(&name) {
        "" => "fleetsim".to_owned(),
        name => name.to_owned(),
    }
}

fn grammar(name: &str) -> clap::Command {
    let command = CommandLine::command();
    let help = help(&command);
    command.bin_name(name).display_name(name).help_template(help)
}

/// The overview of all commands: first what a newcomer needs, then the rest by group.
fn help(command: &clap::Command) -> String {
    let title = clap::builder::Styles::styled();
    let title = title.get_header();
    let mut text = "{about}\n\n{usage-heading} {usage}\n".to_owned();
    for (group, names) in GROUPS {
        text += &format!("\n{title}{group}:{title:#}\n");
        for name in names {
            let about = command.find_subcommand(name).and_then(clap::Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            text += &format!("  {name:<12} {about}\n");
        }
    }
    text +=
        &format!("\n{title}Options:{title:#}\n{{options}}\n\n{title}Exit codes:{title:#}\n  {EXIT_CODES}\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        grammar("mine").debug_assert();
    }

    #[test]
    fn help_lists_every_command_once() {
        let command = CommandLine::command();
        let mut listed: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let mut known: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        listed.sort();
        known.sort();
        assert_eq!(listed, known);
    }

    #[test]
    fn a_program_is_called_by_its_file_name() {
        for (called, name) in [
            (Some("target/debug/fleetsim"), "fleetsim"),
            (Some("/opt/my-fleet"), "my-fleet"),
            (Some("my-fleet.exe"), "my-fleet"),
            (Some(""), "fleetsim"),
            (None, "fleetsim"),
        ] {
            assert_eq!(program_name(called.map(OsString::from).as_ref()), name);
        }
    }
}
