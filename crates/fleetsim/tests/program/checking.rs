//! `check`, `test`, `schema` and `completions`.

use crate::support::{Folder, call, fixture};

#[test]
fn a_sound_scenario_is_told_what_it_leaves_open() {
    let called = call(&["check", &fixture("pipeline.toml"), &fixture("calm.toml")]).exits(0);
    for said in [
        "6 agents, 3 seams, 4 expectations",
        "structurally: 2 of 3 seams are chosen by coordinator, 2 of 3 carried by post: distributed hub-and-spoke",
        "note: no fleet-cost-breaker: nothing stops spending",
        "note: action send cannot be taken back and has no gate",
        "note: medium post delivers at least once",
    ] {
        assert!(called.stdout.contains(said), "{said}:\n{}", called.stdout);
    }
    assert!(!called.stdout.contains('\u{1b}'), "no colour in a pipe");
    let json = call(&["check", &fixture("pipeline.toml"), "--format", "json"]).exits(0).json();
    assert_eq!(json["ok"], true);
    assert_eq!(json["files"][0]["architecture"], "distributed hub-and-spoke");
    assert!(json["files"][0]["notes"].as_array().is_some_and(|notes| notes.len() >= 3), "{json:#}");
}

#[test]
fn a_folder_means_its_scenarios() {
    let folder = Folder::new();
    let text = std::fs::read_to_string(fixture("pipeline.toml")).unwrap();
    folder.write("b.toml", &text);
    folder.write("a.toml", &text);
    folder.write("notes.txt", "no scenario");
    std::fs::create_dir(folder.path("data")).unwrap();
    folder.write("data/c.toml", "no scenario either");
    let called = call(&["check", &folder.word("")]).exits(0);
    let sound: Vec<&str> = called.stdout.lines().filter(|line| line.starts_with("ok ")).collect();
    assert_eq!(sound.len(), 2, "{}", called.stdout);
    assert!(sound[0].contains("a.toml") && sound[1].contains("b.toml"), "{sound:?}");
    folder.write("wrong.toml", "[fleet]");
    let called = call(&["check", &folder.word("")]).exits(2);
    assert_eq!(called.stdout.lines().filter(|line| line.starts_with("ok ")).count(), 2);
}

#[test]
fn scenarios_are_tested_with_many_seeds() {
    let called = call(&["test", &fixture("pipeline.toml"), &fixture("calm.toml"), "--seeds", "3"]).exits(0);
    assert_eq!(called.stdout.lines().filter(|line| line.starts_with("ok ")).count(), 2, "{}", called.stdout);
    assert!(called.stdout.contains("3 seeds"), "{}", called.stdout);
    let json = call(&["test", &fixture("calm.toml"), "--seeds", "2", "--format", "json"]).exits(0).json();
    assert_eq!(json["met"], true);
    assert_eq!(json["scenarios"][0]["expectations"][0]["met"], 2);
}

#[test]
fn a_failed_test_says_why_and_how_to_see_it() {
    let folder = Folder::new();
    let text = std::fs::read_to_string(fixture("pipeline.toml")).unwrap();
    let unexpected = text.replace("{ finding = \"ungated-irreversible-action\", action = \"send\" },\n", "");
    let never = text.replace(
        "{ finding = \"duplicate-hand-over\", medium = \"post\" },",
        "{ finding = \"duplicate-hand-over\" }, { finding = \"lost-update\" },",
    );
    let never_all = text.replace("medium = \"desk\" }", "medium = \"post\" }");
    for (name, text, said) in [
        ("unexpected.toml", &unexpected, ["unexpected ungated-irreversible-action", "--seed 1"]),
        ("never.toml", &never, ["met with none of 2 seeds: lost-update", "--seeds 2"]),
        ("never-all.toml", &never_all, ["not met: no duplicate-hand-over (medium post)", "--seed 1"]),
    ] {
        let path = folder.write(name, text);
        let called = call(&["test", &path, "--seeds", "2"]).exits(1);
        assert!(called.stdout.starts_with("FAIL "), "{}", called.stdout);
        for said in said {
            assert!(called.stdout.contains(said), "{said}:\n{}", called.stdout);
        }
        // The command that it prints shows the same failure.
        let again =
            called.stdout.lines().find_map(|line| line.trim().strip_prefix("again: fleetsim ")).unwrap();
        call(&again.split(' ').collect::<Vec<_>>()).exits(1);
    }
    let broken = folder.write("broken.toml", "[fleet]");
    call(&["test", &broken, &fixture("calm.toml"), "--seeds", "1"]).exits(2);
}

#[test]
fn help_shows_a_newcomer_where_to_begin() {
    let called = call(&["--help"]).exits(0);
    let place =
        |word: &str| called.stdout.find(&format!("\n  {word}")).unwrap_or_else(|| panic!("no {word}"));
    let order = ["run", "replay", "why", "check", "test", "inspect", "diff", "schema", "completions"];
    assert!(order.is_sorted_by_key(|word| place(word)), "{}", called.stdout);
    for absent in ["sweep", "shrink", "gate"] {
        assert!(!called.stdout.contains(&format!("\n  {absent}")), "{absent} does not exist");
    }
    for command in order {
        call(&[command, "--help"]).exits(0);
    }
    assert!(call(&["--version"]).exits(0).stdout.starts_with("fleetsim "));
}

#[test]
fn editors_and_shells_are_helped() {
    let schema = call(&["schema"]).exits(0).json();
    assert_eq!(schema["title"], "fleetsim scenario");
    for shell in ["bash", "zsh", "fish"] {
        let script = call(&["completions", shell]).exits(0).stdout;
        assert!(script.contains("replay") && script.contains("fleetsim"), "{shell}");
    }
}
