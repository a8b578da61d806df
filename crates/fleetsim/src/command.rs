//! The commands, one file each, and what several of them need.

pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod diff;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod test;
pub(crate) mod why;

use std::path::{Path, PathBuf};

use fleetsim_engine::Time;
use fleetsim_scenario::Duration;
use fleetsim_trace_replay::text::escape;
use fleetsim_trace_replay::{Address, Trace, address};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};

use crate::exit::{Exit, Failure};
use crate::output::tell;
use crate::registry::Registry;

/// The program: what it is called, and what it knows.
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) registry: Registry,
}

/// Opens a trace, and tells what is wrong with it.
pub(crate) fn open(path: &Path) -> Result<Trace, Failure> {
    let trace = Trace::open(path).map_err(|error| Failure::of_trace(path, &error))?;
    let name = escape(&path.display().to_string());
    trace.warnings().iter().for_each(|warning| tell(&format!("warning: {name}: {warning}\n")));
    Ok(trace)
}

/// The scenario files that `paths` mean: files themselves, and of a folder all that end in `.toml`.
pub(crate) fn scenario_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let name = path.display();
        let unreadable =
            |error| Failure::new(Exit::Damaged, &format!("cannot read the folder {name}: {error}"));
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            if file.is_file() && file.extension().is_some_and(|extension| extension == "toml") {
                found.push(file);
            }
        }
        if found.is_empty() {
            return Err(Failure::usage(&format!("there is no scenario (`*.toml`) in the folder {name}")));
        }
        // The order of a folder is the file system's.
        found.sort();
        files.extend(found);
    }
    Ok(files)
}

/// How a command ends that looks at a trace: damage that was noticed is never passed over.
pub(crate) fn exit_of(trace: &Trace) -> Exit {
    if trace.damage().is_empty() { Exit::Expected } else { Exit::Damaged }
}

/// The moment that `text` means: the name of an existing file is always that file.
pub(crate) fn address(text: &Path) -> Result<Address, Failure> {
    let whole = || Address { file: text.to_owned(), time: None, event: None };
    match text.to_str() {
        Some(text) if !Path::new(text).exists() => {
            text.parse().map_err(|error| Failure::of_trace(&PathBuf::new(), &error))
        }
        _ => Ok(whole()),
    }
}

/// An instant as the command line takes it: `90m`, `1h30m`, `00:14:07`, or as a duration in a scenario.
pub(crate) fn parse_time(text: &str) -> Result<Time, String> {
    let as_duration = || {
        let text: StrDeserializer<'_, Error> = text.into_deserializer();
        Duration::deserialize(text).ok().map(|duration| Time::from_ns(duration.nanoseconds()))
    };
    address::parse_time(text)
        .or_else(as_duration)
        .ok_or_else(|| "expected an instant such as 90m, 1h30m, 2.5s or 00:14:07".to_owned())
}

/// A length of wall time: whole seconds, or as in a scenario.
pub(crate) fn parse_wall(text: &str) -> Result<std::time::Duration, String> {
    let seconds = text.parse().ok().map(std::time::Duration::from_secs);
    let written = || parse_time(text).ok().map(|time| std::time::Duration::from_nanos(time.as_ns()));
    seconds.or_else(written).ok_or_else(|| "expected a length of time such as 60s, or 0 for none".to_owned())
}

/// A word as a shell takes it.
pub(crate) fn shell_word(text: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "-_./=@:,+%".contains(character);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", escape(text).replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_as_addresses_and_scenarios_write_them() {
        for (text, seconds) in [("90m", 5400), ("00:14:07", 847), ("90min", 5400), ("1d", 86400), ("0s", 0)] {
            assert_eq!(parse_time(text).map(|time| time.as_ns() / 1_000_000_000), Ok(seconds), "{text}");
        }
        for text in ["", "90", "soon", "-1s"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
        assert_eq!(parse_wall("0"), Ok(std::time::Duration::ZERO));
        assert_eq!(parse_wall("2m"), Ok(std::time::Duration::from_secs(120)));
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_read_more_into_them() {
        for (text, word) in [
            ("role.coder.count=3", "role.coder.count=3"),
            ("a b", "'a b'"),
            ("", "''"),
            ("it's", "'it'\\''s'"),
            ("$(rm x)", "'$(rm x)'"),
            ("a\u{1b}", "'a\\u{1b}'"),
        ] {
            assert_eq!(shell_word(text), word);
        }
    }
}
