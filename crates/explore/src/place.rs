//! Where traces of failing runs go, and how they are replayed: the only place that looks at the environment, and no
//! run depends on it.

use std::env;
use std::path::{Path, PathBuf};

/// Names a trace that is to be replayed instead of a search.
const REPLAY: &str = "FLEETSIM_REPLAY";

#[expect(clippy::disallowed_methods, reason = "asks what the user of a test wants; no run depends on it")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The trace that is to be replayed instead of a search, if one is named.
pub(crate) fn trace_to_replay() -> Option<PathBuf> {
    variable(REPLAY).map(PathBuf::from)
}

/// A folder beside what was built: tests are in `target/debug/deps`.
pub(crate) fn folder_for_traces() -> PathBuf {
    let built = env::current_exe().ok();
    let target = built.as_deref().and_then(|test| test.ancestors().nth(3));
    target.map_or_else(env::temp_dir, Path::to_owned).join("fleetsim")
}

pub(crate) fn trace_path(folder: &Path, check: &str, seed: u64) -> PathBuf {
    let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
    let name: String = check.chars().map(plain).collect();
    folder.join(format!("{name}-{seed}.fleet"))
}

/// The command that replays a trace with the test that is running.
pub(crate) fn command(path: &Path) -> String {
    let path = path.display().to_string();
    // A test's thread is called what the test is called.
    let thread = std::thread::current();
    let test =
        thread.name().filter(|name| *name != "main").map(|name| format!(" {name} -- --exact --nocapture"));
    let package = variable("CARGO_PKG_NAME").map(|package| format!(" -p {package}"));
    format!(
        "{REPLAY}={} cargo test{}{}",
        quoted(&path),
        package.unwrap_or_default(),
        test.unwrap_or_default()
    )
}

/// As a shell reads it back.
fn quoted(text: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "/._-+".contains(character);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_fit_for_files_and_shells() {
        let path = trace_path(Path::new("folder"), "two: kinds/of", 7);
        assert_eq!(path, Path::new("folder").join("two--kinds-of-7.fleet"));
        assert_eq!(quoted("/a/b-1.fleet"), "/a/b-1.fleet");
        assert_eq!(quoted("it's here"), r"'it'\''s here'");
    }
}
