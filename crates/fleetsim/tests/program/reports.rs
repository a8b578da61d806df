//! What `run` tells, as text and as JSON, and with which exit code.

use std::io::Read;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Folder, call, command, fixture};

#[test]
fn the_report_says_what_emerged_and_how_to_see_it_again() {
    let pipeline = fixture("pipeline.toml");
    let called = call(&["run", &pipeline]).exits(0);
    let text = &called.stdout;
    assert!(text.lines().count() <= 42, "{text}");
    for said in [
        "3 findings, all expected",
        "UNGATED IRREVERSIBLE ACTION on send at ",
        "      #e",
        "remedy: ",
        "ARCHITECTURE: distributed hub-and-spoke, hub coordinator; claims to be peer-to-peer",
        "who decides: an active hub: coordinator; who carries: post",
        "handed over",
        "waits at seams ",
        "tasks 60 added, ",
        "cost $",
        "expected: duplicate-hand-over (medium post): yes",
        "digest ",
    ] {
        assert!(text.contains(said), "{said}:\n{text}");
    }
    assert_eq!(text.lines().last(), Some(format!("again: fleetsim run {pipeline} --seed 1").as_str()));
    assert_eq!(called.stderr, "", "nothing but results, and those on stdout");
    assert!(!text.contains('\u{1b}'), "no colour in a pipe");
}

#[test]
fn a_context_that_fills_up_starves_its_turns() {
    let folder = Folder::new();
    let (shipped, trace) = (fixture("../../../../scenarios/review-loop.toml"), folder.word("run.fleet"));
    let told = "a turn of generator about item 1 found no room";
    let small = "model.opus.context-window=60k";
    let run = call(&["run", &shipped, "--set", small, "--trace", &trace]).exits(1);
    let replay = call(&["replay", &trace, "--detached"]).exits(0);
    assert!(run.stdout.contains(told), "{}", run.stdout);
    assert!(replay.stdout.contains(told), "what the monitors must know is in the trace:\n{}", replay.stdout);
    let large = "model.opus.context-window=2M";
    assert!(!call(&["run", &shipped, "--set", large]).exits(0).stdout.contains("STARVATION"));
}

#[test]
fn json_has_every_promised_field() {
    let called = call(&["run", &fixture("pipeline.toml"), "--seed", "4", "--format", "json"]);
    let json = called.json();
    assert_eq!((json["seed"].as_u64(), called.code), (Some(4), 0), "{json:#}");
    let is_number = |value: &Value| value.is_u64();
    for (path, is_right) in [
        ("/scenario", Value::is_string as fn(&Value) -> bool),
        ("/version/format", is_number),
        ("/version/semantics", is_number),
        ("/version/program", Value::is_string),
        ("/digest", Value::is_string),
        ("/events", is_number),
        ("/messages", is_number),
        ("/virtual_time_ns", is_number),
        ("/wall_ms", is_number),
        ("/events_per_second", is_number),
        ("/agents", is_number),
        ("/tasks/added", is_number),
        ("/tasks/done", is_number),
        ("/tasks/failed", is_number),
        ("/tasks/pending", is_number),
        ("/cost/tokens_in", is_number),
        ("/cost/tokens_out", is_number),
        ("/cost/nano_dollars", is_number),
        ("/seams/0/name", Value::is_string),
        ("/seams/0/handed_over", is_number),
        ("/seams/0/late", is_number),
        ("/seams/0/duplicated", is_number),
        ("/seams/0/lost", is_number),
        ("/architecture", Value::is_string),
        ("/findings/0/kind", Value::is_string),
        ("/findings/0/class", Value::is_string),
        ("/findings/0/severity", Value::is_string),
        ("/findings/0/monitor", Value::is_string),
        ("/findings/0/at_ns", is_number),
        ("/findings/0/event", is_number),
        ("/findings/0/agents", Value::is_array),
        ("/findings/0/summary", Value::is_string),
        ("/findings/0/evidence/0/event", is_number),
        ("/expected_met", Value::is_boolean),
        ("/requests/admitted", is_number),
        ("/architecture_details/shares/decision", Value::is_f64),
    ] {
        assert!(json.pointer(path).is_some_and(is_right), "{path} in {json:#}");
    }
    assert_eq!(json["agents"], 6, "the fleet's own, not what stands around it");
}

#[test]
fn a_run_without_trouble_is_as_expected() {
    let called = call(&["run", &fixture("calm.toml")]).exits(0);
    assert!(called.stdout.contains("seed 3") && called.stdout.contains("no findings"), "{}", called.stdout);
    assert!(called.stdout.contains("tasks 5 added, 5 done"), "{}", called.stdout);
}

#[test]
fn expectations_decide_the_exit_code() {
    let folder = Folder::new();
    let text = std::fs::read_to_string(fixture("pipeline.toml")).unwrap();
    let any = text.replace("medium = \"post\" },", "medium = \"post\" }, { finding = \"lost-update\" },");
    let all = text.replace(
        "medium = \"post\" },",
        "medium = \"post\" }, { finding = \"lost-update\", seeds = \"all\" },",
    );
    let none = text.replace("medium = \"desk\" }", "medium = \"post\" }");
    let nothing = text.split_once("[fleet]").map(|(_, rest)| format!("[fleet]{rest}")).unwrap();
    for (name, text, more, code, said) in [
        ("any.toml", &any, &[][..], 1, "expected: lost-update: NO"),
        ("any.toml", &any, &["--seed", "2"], 0, "not with this seed"),
        ("all.toml", &all, &["--seed", "2"], 1, "expected: lost-update: NO"),
        ("any.toml", &any, &["--until", "3h"], 0, "expected: lost-update: not decided"),
        ("none.toml", &none, &[], 1, "no duplicate-hand-over (medium post): NO"),
        ("nothing.toml", &nothing, &[], 1, "3 findings, 3 not expected"),
        ("nothing.toml", &nothing, &["--no-monitors"], 0, "digest"),
    ] {
        let path = folder.write(name, text);
        let mut words = vec!["run", &path];
        words.extend(more);
        let called = call(&words).exits(code);
        assert!(called.stdout.contains(said), "{name} {more:?}: {said}:\n{}", called.stdout);
        words.extend(["--format", "json"]);
        let json = call(&words).exits(code).json();
        let met = if more == ["--no-monitors"] { Value::Null } else { Value::Bool(code == 0) };
        assert_eq!(json["expected_met"], met, "{name} {more:?}");
    }
}

#[test]
fn limits_and_overrides_are_part_of_the_command_that_is_printed() {
    let calm = fixture("calm.toml");
    let words = ["run", &calm, "--until", "00:03:00", "--set", "role.reader.count=4", "--events-max", "900"];
    let called = call(&words).exits(0);
    assert!(called.stdout.contains("6 agents, ended at 00:03:00 (time limit)"), "{}", called.stdout);
    let again = called.stdout.lines().last().unwrap();
    assert_eq!(
        again,
        format!(
            "again: fleetsim run {calm} --seed 3 --set role.reader.count=4 --until 00:03:00 --events-max 900"
        )
    );
    let called = call(&["run", &calm, "--events-max", "7"]).exits(0);
    assert!(
        called.stdout.contains("7 events") && called.stdout.contains("(event limit)"),
        "{}",
        called.stdout
    );
}

#[test]
fn watching_a_run_does_not_change_it() {
    let (pipeline, folder) = (fixture("pipeline.toml"), Folder::new());
    let digest = |more: &[&str]| {
        let mut words = vec!["run", &pipeline, "--format", "json"];
        words.extend(more);
        call(&words).json()["digest"].as_str().map(str::to_owned)
    };
    let plain = digest(&[]);
    assert!(plain.is_some());
    for more in [
        vec!["--no-monitors"],
        vec!["--trace", &folder.word("full")],
        vec!["--trace", &folder.word("headers"), "--record", "headers"],
        vec!["--trace", &folder.word("digest"), "--record", "digest", "--no-monitors"],
        vec!["--twice"],
    ] {
        assert_eq!(digest(&more), plain, "{more:?}");
    }
    assert_ne!(digest(&["--seed", "2"]), plain);
}

#[test]
fn a_second_execution_is_compared() {
    let called = call(&["run", &fixture("pipeline.toml"), "--twice"]).exits(0);
    assert!(called.stdout.contains("twice: identical, "), "{}", called.stdout);
    let json = call(&["run", &fixture("calm.toml"), "--twice", "--format", "json"]).exits(0).json();
    assert_eq!(json["twice"]["identical"], true);
    assert_eq!(json["trace"], Value::Null, "what is compared with is nobody's trace");
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let folder = Folder::new();
    let trace = folder.record("run.fleet", &[]);
    for words in [
        vec!["run".to_owned(), fixture("calm.toml")],
        vec!["inspect".to_owned(), trace, "--limit".to_owned(), "100000".to_owned()],
        vec!["schema".to_owned()],
        vec!["--help".to_owned()],
    ] {
        let mut child = command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut reader = child.stdout.take().unwrap();
        let _ = reader.read(&mut [0; 1]);
        drop(reader);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
    }
}
