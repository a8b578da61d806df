//! Traces: recorded, replayed, judged without execution, damaged, cut short, compared and explained.

use std::fs;

use fleetsim::trace::{Closing, Header, Recorder, Trace};
use fleetsim::{Time, engine::Sink};
use serde_json::Value;

use crate::support::{Folder, call, fixture};

#[test]
fn a_replay_is_the_same_run_at_every_level() {
    let folder = Folder::new();
    let live = call(&["run", &fixture("pipeline.toml"), "--format", "json"]).exits(0).json();
    for level in ["full", "headers", "digest"] {
        let trace = folder.record(level, &["--record", level]);
        let called = call(&["replay", &trace]).exits(0);
        assert!(called.stdout.starts_with("identical: "), "{}", called.stdout);
        let json = call(&["replay", &trace, "--format", "json"]).exits(0).json();
        assert_eq!(json["digest"], live["digest"], "{level}");
        assert_eq!(json["events"], live["events"], "{level}");
        assert_eq!(json["identical"], true);
        assert_eq!(json["partial"], false);
        assert_eq!(json["first_divergence"], Value::Null);
        assert_eq!(json["findings"], live["findings"], "{level}");
    }
}

#[test]
fn a_record_is_judged_as_the_run_was() {
    let folder = Folder::new();
    let live = call(&["run", &fixture("pipeline.toml"), "--format", "json"]).exits(0).json();
    for level in ["full", "headers"] {
        let trace = folder.record(level, &["--record", level]);
        let json = call(&["replay", &trace, "--detached", "--format", "json"]).exits(0).json();
        assert_eq!(json["findings"], live["findings"], "{level}");
        assert_eq!(json["architecture"], live["architecture"], "{level}");
        assert_eq!(json["digest"], live["digest"], "{level}");
        assert_eq!(json["identical"], Value::Null, "nothing was executed");
    }
    // A run that was cut short leaves undecided what the whole one decides.
    for (more, verdict) in [(&["--until", "3h"][..], "undecided"), (&[], "met")] {
        let trace = folder.record("whole", more);
        for how in [&["--detached"][..], &[]] {
            let mut words = vec!["replay", &trace, "--format", "json"];
            words.extend(how);
            let json = call(&words).exits(0).json();
            assert_eq!(json["expectations"][2]["verdict"], verdict, "{more:?} {how:?}: {json:#}");
        }
    }
    let trace = folder.record("digest", &["--record", "digest"]);
    let called = call(&["replay", &trace, "--detached"]).exits(2);
    assert!(called.stderr.contains("holds no steps to judge"), "{}", called.stderr);
}

#[test]
fn a_trace_needs_nothing_beside_it() {
    let folder = Folder::new();
    fs::create_dir(folder.path("data")).unwrap();
    fs::copy(fixture("data/arrivals.csv"), folder.path("data/arrivals.csv")).unwrap();
    let scenario = folder.write("calm.toml", fs::read(fixture("calm.toml")).unwrap());
    let trace = folder.word("run.fleet");
    let words =
        ["run", &scenario, "--trace", &trace, "--seed", "9", "--until", "1h", "--set", "role.reader.count=3"];
    let called = call(&words).exits(0);
    assert_eq!(called.stdout.lines().last(), Some(format!("replay: fleetsim replay {trace}").as_str()));
    fs::remove_file(&scenario).unwrap();
    fs::remove_dir_all(folder.path("data")).unwrap();
    call(&["replay", &trace]).exits(0);
    let json = call(&["inspect", &trace, "--format", "json"]).exits(0).json();
    assert_eq!(json["header"]["seed"], 9);
    let bytes = fs::read(&trace).unwrap();
    let path = folder.path("").to_str().unwrap().trim_end_matches('/').as_bytes().to_vec();
    assert!(!bytes.windows(path.len()).any(|window| window == path), "no path is recorded");
}

#[test]
fn a_run_that_was_limited_is_replayed_to_its_limit() {
    let folder = Folder::new();
    for more in [&["--until", "1h"][..], &["--events-max", "777"]] {
        let trace = folder.record("limited.fleet", more);
        let called = call(&["replay", &trace]).exits(0);
        assert!(called.stdout.starts_with("identical: "), "{}", called.stdout);
    }
}

#[test]
fn every_flipped_byte_is_noticed_and_located() {
    let folder = Folder::new();
    let trace = folder.record("run.fleet", &[]);
    let sound = fs::read(&trace).unwrap();
    let damaged = folder.word("damaged.fleet");
    let end = sound.len() - 1;
    // The first byte is that of the magic; the last ones are those of index and trailer.
    let places = (0..12).map(|part| part * end / 11).chain([1, 25, end - 20, end - 40]);
    for place in places {
        let mut bytes = sound.clone();
        bytes[place] ^= 0x20;
        fs::write(&damaged, bytes).unwrap();
        for more in [&[][..], &["--detached"]] {
            let mut words = vec!["replay", &damaged];
            words.extend(more);
            let called = call(&words).exits(4);
            let is_located = called.stderr.contains("byte") || called.stderr.contains("not a trace");
            assert!(is_located, "byte {place} {more:?}: {}", called.stderr);
        }
    }
}

#[test]
fn damage_is_told_even_where_it_does_no_harm() {
    let folder = Folder::new();
    let trace = folder.record("run.fleet", &[]);
    let mut bytes = fs::read(&trace).unwrap();
    let in_index = bytes.len() - 40;
    bytes[in_index] ^= 1;
    let damaged = folder.write("damaged.fleet", bytes);
    for (words, shown) in [
        (&["inspect", &damaged][..], "scenario   pipeline.toml"),
        (&["why", &format!("{damaged}#e50")], "#e50 "),
        (&["diff", &trace, &damaged], "identical: "),
        (&["replay", &damaged], "identical: "),
    ] {
        let called = call(words).exits(4);
        assert!(called.stdout.contains(shown), "{words:?}: {called:?}");
        assert!(called.stderr.contains("index"), "{words:?}: {}", called.stderr);
    }
}

#[test]
fn every_truncation_after_the_header_is_partial() {
    let folder = Folder::new();
    let trace = folder.record("run.fleet", &[]);
    let whole = fs::read(&trace).unwrap();
    let json_length = u32::from_le_bytes(whole[12..16].try_into().unwrap()) as usize;
    let header_end = 20 + json_length;
    let cut = folder.word("cut.fleet");
    let places = (0..6).map(|part| header_end + part * (whole.len() - 1 - header_end) / 5);
    for place in places {
        fs::write(&cut, &whole[..place]).unwrap();
        let called = call(&["replay", &cut]).exits(4);
        assert!(called.stdout.starts_with("partial"), "{place}: {called:?}");
        let json = call(&["replay", &cut, "--partial", "--format", "json"]).exits(0).json();
        assert_eq!(
            (&json["partial"], &json["identical"]),
            (&Value::Bool(true), &Value::Bool(true)),
            "{place}"
        );
        call(&["replay", &cut, "--partial", "--detached"]).exits(0);
    }
    fs::write(&cut, &whole[..header_end - 1]).unwrap();
    call(&["replay", &cut, "--partial"]).exits(4);
}

/// A copy of a trace whose header was changed.
pub(crate) fn with_header(trace: &str, copy: &str, change: impl Fn(&mut Header)) {
    let trace = Trace::open(trace).unwrap();
    let mut header = trace.header().clone();
    change(&mut header);
    let mut recorder = Recorder::create(copy, &header).unwrap();
    for batch in trace.batches() {
        recorder.accept(&mut batch.unwrap());
    }
    let finished = recorder.finish(trace.closing().unwrap_or(&Closing::default()));
    assert_eq!(finished.error, None);
}

#[test]
fn a_replay_that_is_another_run_says_where_they_part() {
    let folder = Folder::new();
    let (trace, other) = (folder.record("run.fleet", &[]), folder.word("other.fleet"));
    with_header(&trace, &other, |header| header.seed += 1);
    let called = call(&["replay", &other]).exits(3);
    for said in ["not the same run", "first difference at #e", "recorded: ", "replayed: "] {
        assert!(called.stdout.contains(said), "{said}:\n{}", called.stdout);
    }
    let json = call(&["replay", &other, "--format", "json"]).exits(3).json();
    assert_eq!(json["identical"], false);
    for field in ["event", "agent", "field", "recorded", "replayed", "recorded_steps"] {
        assert!(!json["first_divergence"][field].is_null(), "{field} in {json:#}");
    }
}

#[test]
fn other_versions_and_missing_behaviours_are_refused() {
    let folder = Folder::new();
    let (trace, other) = (folder.record("run.fleet", &[]), folder.word("other.fleet"));
    with_header(&trace, &other, |header| header.semantics += 1);
    let called = call(&["replay", &other]).exits(5);
    assert!(
        called.stderr.contains("semantics version") && called.stderr.contains("--attempt"),
        "{}",
        called.stderr
    );
    call(&["replay", &other, "--attempt"]).exits(0);
    call(&["replay", &other, "--detached"]).exits(0);
    with_header(&trace, &other, |header| {
        header
            .behaviours
            .push(fleetsim::trace::Behaviour { name: "gossip".to_owned(), version: "7".to_owned() });
    });
    let called = call(&["replay", &other]).exits(5);
    assert!(
        called.stderr.contains("`gossip` version 7") && called.stderr.contains("--detached"),
        "{}",
        called.stderr
    );
    call(&["replay", &other, "--detached"]).exits(0);
    with_header(&trace, &other, |header| header.scenario.text = "[fleet]".to_owned());
    call(&["replay", &other]).exits(5);
    with_header(&trace, &other, |header| header.requires.push("telepathy".to_owned()));
    call(&["replay", &other]).exits(5);
    with_header(&trace, &other, |header| header.settings = Value::Null);
    call(&["replay", &other, "--detached"]).exits(4);
    call(&["replay", &other]).exits(0);
}

#[test]
fn two_traces_are_compared() {
    let folder = Folder::new();
    let (one, same) = (folder.record("one.fleet", &[]), folder.record("same.fleet", &[]));
    assert_eq!(fs::read(&one).unwrap(), fs::read(&same).unwrap(), "the same run is the same file");
    assert!(call(&["diff", &one, &same]).exits(0).stdout.contains("identical: "));
    let shorter = folder.record("shorter.fleet", &["--until", "1h"]);
    let called = call(&["diff", &one, &shorter]).exits(3);
    assert!(
        called.stdout.contains("limits: ") && called.stdout.contains("end of the run"),
        "{}",
        called.stdout
    );
    let other = folder.word("other.fleet");
    call(&["run", &fixture("pipeline.toml"), "--seed", "5", "--trace", &other]);
    let json = call(&["diff", &one, &other, "--format", "json"]).exits(3).json();
    assert_eq!(json["identical"], false);
    assert!(json["first_divergence"]["left"].is_string(), "{json:#}");
}

#[test]
fn moments_are_shown_and_explained() {
    let folder = Folder::new();
    let trace = folder.record("run.fleet", &[]);
    let called = call(&["inspect", &trace]).exits(0);
    for said in ["scenario   pipeline.toml", "seed       1", "digest     ", "#e0 00:00:00", "--limit"] {
        assert!(called.stdout.contains(said), "{said}:\n{}", called.stdout);
    }
    let called = call(&["inspect", &trace, "--agent", "poster", "--kind", "Acted", "--limit", "2"]).exits(0);
    assert_eq!(called.stdout.matches("states Acted").count(), 2, "{}", called.stdout);
    let json = call(&["inspect", &format!("{trace}@1h"), "--limit", "3", "--format", "json"]).exits(0).json();
    let steps = json["steps"].as_array().unwrap();
    assert_eq!((steps.len(), &json["more"]), (3, &Value::Bool(true)), "{json:#}");
    let first = steps[0]["event"].as_u64().unwrap();
    let address = format!("{trace}#e{first}");
    let called = call(&["inspect", &address]).exits(0);
    assert!(called.stdout.starts_with(&format!("#e{first} ")), "{}", called.stdout);

    let called = call(&["why", &trace, "--finding", "1"]).exits(0);
    assert!(called.stdout.starts_with(" 1. ") && called.stdout.contains("└─ #e"), "{}", called.stdout);
    let by_time = call(&["why", &format!("{trace}@1h"), "--depth", "2"]).exits(0).stdout;
    let by_event = call(&["why", &address, "--depth", "2"]).exits(0).stdout;
    assert_eq!(by_time, by_event);
    let json = call(&["why", &address, "--format", "json"]).exits(0).json();
    assert_eq!(json["why"]["event"], first);

    let trace = folder.record("digest.fleet", &["--record", "digest"]);
    assert!(call(&["inspect", &trace]).exits(0).stdout.contains("level      digest"));
    call(&["inspect", &format!("{trace}#e3")]).exits(2);
    call(&["why", &format!("{trace}#e3")]).exits(2);
}

#[test]
fn a_trace_names_the_time_at_which_it_ends() {
    let folder = Folder::new();
    let trace = Trace::open(folder.record("run.fleet", &["--until", "90m"])).unwrap();
    let closing = trace.closing().expect("the run ended");
    assert_eq!(closing.virtual_time, Time::from_ns(90 * fleetsim::MINUTE));
    assert_eq!(closing.ending, "time limit");
}

#[test]
fn traces_with_equal_hashes_are_still_read_before_they_are_called_identical() {
    let folder = Folder::new();
    let (whole, damaged) = (folder.record("whole", &[]), folder.record("damaged", &[]));
    call(&["diff", &whole, &damaged]).exits(0);
    let mut bytes = fs::read(&damaged).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&damaged, bytes).unwrap();
    for (left, right) in [(&whole, &damaged), (&damaged, &whole)] {
        let called = call(&["diff", left, right]).exits(4);
        assert!(called.stderr.contains("damaged"), "{}", called.stderr);
    }
}

#[test]
fn two_runs_cannot_record_into_one_file() {
    let folder = Folder::new();
    let path = folder.path("one.fleet");
    let first = Recorder::create(&path, &Header::default()).unwrap();
    let second = Recorder::create(&path, &Header::default()).unwrap_err();
    assert!(second.to_string().contains("another run is recording into it"), "{second}");
    drop(first);
    // What an interrupted run left is overwritten.
    Recorder::create(&path, &Header::default()).unwrap();
}

#[test]
fn an_address_does_not_contradict_itself() {
    let folder = Folder::new();
    let trace = folder.record("run", &[]);
    call(&["why", &format!("{trace}@0s#0")]).exits(0);
    let called = call(&["why", &format!("{trace}@7h#0")]).exits(2);
    assert!(called.stderr.contains("event e0 happened at 00:00:00, not at 07:00:00"), "{}", called.stderr);
}

#[test]
fn a_trace_does_not_replace_its_scenario() {
    let folder = Folder::new();
    let scenario = folder.path("own.toml");
    let text = fs::read(fixture("pipeline.toml")).unwrap();
    fs::write(&scenario, &text).unwrap();
    fs::create_dir(folder.path("data")).unwrap();
    fs::copy(fixture("data/arrivals.csv"), folder.path("data/arrivals.csv")).unwrap();
    let word = scenario.to_str().unwrap();
    let called = call(&["run", word, "--trace", word, "--force"]).exits(2);
    assert!(called.stderr.contains("would replace the scenario"), "{}", called.stderr);
    assert_eq!(fs::read(&scenario).unwrap(), text);
}
