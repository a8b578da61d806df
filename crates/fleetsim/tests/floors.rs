//! Holds the floors: a crate depends on lower floors only, and the crates of floor 1 do not know each other.

use std::fs;
use std::path::Path;

const FLOORS: [(&str, u8); 9] = [
    ("engine", 0),
    ("agents", 1),
    ("fault-injection", 1),
    ("trace-replay", 1),
    ("monitors", 1),
    ("scenario", 2),
    ("explore", 2),
    ("interop", 2),
    ("fleetsim", 3),
];

fn floor(package: &str) -> Option<u8> {
    let folder = if package == "fleetsim" { package } else { package.strip_prefix("fleetsim-")? };
    FLOORS.iter().find(|(name, _)| *name == folder).map(|(_, floor)| *floor)
}

/// The crates of the workspace that a manifest names as ordinary dependencies.
fn dependencies(manifest: &str) -> Vec<String> {
    let section = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    let names = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| floor(name).is_some()).map(str::to_owned).collect()
}

#[test]
fn crates_depend_on_lower_floors_only() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut seen = 0;
    for entry in fs::read_dir(&crates).expect("the folder of all crates") {
        let folder = entry.expect("a readable entry").path();
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a plain name").to_owned();
        let own = FLOORS.iter().find(|(known, _)| *known == name);
        let (_, own) = own.unwrap_or_else(|| panic!("crate `{name}` has no floor in this test"));
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest");
        for dependency in dependencies(&manifest) {
            let below = floor(&dependency).expect("only known crates are listed");
            assert!(below < *own, "`{name}` on floor {own} depends on `{dependency}` on floor {below}");
            seen += 1;
        }
    }
    assert!(seen > 10, "only {seen} dependencies were found: is the manifest still read rightly?");
}

#[test]
fn the_engine_knows_nothing_of_the_world() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/src");
    let mut folders = vec![source];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("a source file");
            for banned in
                ["std::fs", "std::io", "std::env", "std::thread", "std::net", "std::time", "HashMap"]
            {
                assert!(!text.contains(banned), "{} mentions {banned}", path.display());
            }
        }
    }
}
