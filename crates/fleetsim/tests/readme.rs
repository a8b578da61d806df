//! The README shows what the program says: its commands are run, and what they say is compared with what stands there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Commands, and what stands below them.
#[derive(Debug, Default)]
struct Example {
    commands: Vec<String>,
    shown: Vec<String>,
}

/// The examples of a page whose commands are all of this program: a block of `sh`, and perhaps one of `text` after it.
fn examples(page: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let block = lines.by_ref().take_while(|line| *line != "```").map(str::to_owned).collect();
        match language {
            "sh" => examples.push(Example { commands: block, shown: Vec::new() }),
            "text" => {
                let example = examples.last_mut().expect("what is said stands below a command");
                assert!(example.shown.is_empty(), "two outputs of one command: {block:?}");
                example.shown = block;
            }
            _ => {}
        }
    }
    let is_own = |command: &String| command.starts_with("fleetsim ") || assignment(command).is_some();
    examples.retain(|example| example.commands.iter().all(is_own));
    examples
}

/// `name=value`, as shells have it.
fn assignment(command: &str) -> Option<(&str, &str)> {
    let (name, value) = command.split_once('=')?;
    let is_name = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_lowercase());
    is_name.then_some((name, value))
}

/// What the commands say, one after the other, in `folder`.
fn said(commands: &[String], folder: &Path) -> Vec<String> {
    let mut said = Vec::new();
    let mut variables = BTreeMap::new();
    for command in commands {
        if let Some((name, value)) = assignment(command) {
            variables.insert(format!("${name}"), value);
            continue;
        }
        let mut command = command.split(" #").next().unwrap_or_default().to_owned();
        for (name, value) in &variables {
            command = command.replace(name, value);
        }
        let (command, into) = match command.split_once(" > ") {
            Some((command, file)) => (command, Some(folder.join(file.trim()))),
            None => (command.as_str(), None),
        };
        let output = Command::new(env!("CARGO_BIN_EXE_fleetsim"))
            .args(command.split_whitespace().skip(1))
            .current_dir(folder)
            .output()
            .expect("the program starts");
        assert!(output.status.code().is_some_and(|code| code <= 1), "{command}: {output:?}");
        match into {
            Some(file) => fs::write(file, &output.stdout).expect("there is room"),
            None => said.extend(String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned)),
        }
    }
    said
}

/// Whether a line is said as it is shown; how fast the machine is does not matter.
fn is_same(shown: &str, said: &str) -> bool {
    let wall_time = "wall time ";
    shown == said || (shown.starts_with(wall_time) && said.starts_with(wall_time))
}

/// Compares what is `shown` with what was said. A line `…` stands for any lines; those between two of them belong together.
fn compare(shown: &[String], said: &[String]) -> Result<(), String> {
    let parts: Vec<&[String]> = shown.split(|line| line == "…").collect();
    let mut from = 0;
    for (number, part) in parts.iter().enumerate() {
        let is_here = |at: usize| {
            let here = said[at..].iter().take(part.len());
            here.len() == part.len() && part.iter().zip(here).all(|(shown, said)| is_same(shown, said))
        };
        let (first, last) = (number == 0, number + 1 == parts.len());
        let last_place = said.len().saturating_sub(part.len());
        let found = match (first, last) {
            (true, _) => Some(0).filter(|at| is_here(*at) && (!last || part.len() == said.len())),
            (false, true) => Some(last_place).filter(|at| *at >= from && is_here(*at)),
            (false, false) => (from..=said.len()).find(|at| is_here(*at)),
        };
        from = found.ok_or_else(|| format!("not said:\n{}", part.join("\n")))? + part.len();
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("there is room");
    for entry in fs::read_dir(from).expect("the folder is there") {
        let (from, to) =
            entry.map(|entry| (entry.path(), to.join(entry.file_name()))).expect("it can be read");
        if from.is_dir() { copy(&from, &to) } else { fs::copy(&from, &to).map(drop).expect("there is room") }
    }
}

#[test]
fn what_it_shows_is_what_is_said() {
    let page = fs::read_to_string(root().join("README.md")).expect("there is one");
    let folder = tempfile::tempdir().expect("there is room for files");
    for part in ["scenarios", "crates/interop/tests/data"] {
        copy(&root().join(part), &folder.path().join(part));
    }
    let examples = examples(&page);
    assert!(examples.iter().filter(|example| !example.shown.is_empty()).count() >= 7, "{examples:#?}");
    // What shows nothing and is no more than a list of commands is tried by other tests.
    for example in examples.iter().filter(|example| !example.shown.is_empty()) {
        let said = said(&example.commands, folder.path());
        if let Err(why) = compare(&example.shown, &said) {
            panic!("{:?}: {why}\n\n{}", example.commands, said.join("\n"));
        }
    }
}

#[test]
fn what_differs_is_noticed() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<String>>();
    for (shown, said, same) in [
        ("a\nb", "a\nb", true),
        ("a\n…\nd", "a\nb\nc\nd", true),
        ("…\nc\n…", "a\nb\nc\nd", true),
        ("wall time 1s", "wall time 9s", true),
        ("a\nb", "a\nc", false),
        ("a", "a\nb", false),
        ("a\n…\nx", "a\nb", false),
        ("a\n…\nb\nc\n…", "a\nb\nd\nb\nc", true),
        ("a\n…\nb", "a\nb\nc", false),
        ("a\n…\na", "a", false),
        ("…\nb\na", "a\nb", false),
    ] {
        assert_eq!(compare(&lines(shown), &lines(said)).is_ok(), same, "{shown:?} of {said:?}");
    }
}
