//! `audit` and `report`: what they say of whole traces, of poor ones, and of what is no trace.

use std::fs;

use fleetsim::trace::{Closing, Header, Level, Recorder};
use serde_json::{Value, json};

use crate::support::{Folder, call, fixture};
use crate::traces::with_header;

/// What a check of the checklist came to.
fn verdict(audit: &Value, check: &str) -> String {
    let checks = audit["checklist"].as_array().expect("a checklist");
    let check = checks.iter().find(|known| known["check"] == check).expect("a check");
    check["verdict"].as_str().expect("a verdict").to_owned()
}

#[test]
fn an_audit_says_what_the_fleet_is_first() {
    let folder = Folder::new();
    let trace = folder.record("run.fleet", &[]);
    let text = call(&["audit", &trace]).exits(0).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].contains("run.fleet of pipeline.toml, seed 1: "), "{text}");
    assert_eq!(
        lines[1],
        "ARCHITECTURE: distributed hub-and-spoke, hub coordinator; claims to be peer-to-peer"
    );
    assert!(lines.len() <= 40, "{} lines", lines.len());
    for said in [
        "who decides: an active hub: coordinator; who carries: post",
        "from 0.800",
        "centralisation",
        "articulation points",
        "BOTTLENECK: decision that only one node may take: coordinator chose receivers for ",
        "SINGLE POINTS OF FAILURE: each of the ",
        "desk (medium), post (medium), m (model), coordinator (agent)",
        "\nletters  desk  poster ",
        "CHECKLIST",
    ] {
        assert!(text.contains(said), "{said}:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "a pipe gets no colours");
}

#[test]
fn an_audit_has_the_fields_of_the_contract_at_every_level_with_facts() {
    let folder = Folder::new();
    let live = call(&["run", &fixture("pipeline.toml"), "--format", "json"]).exits(0).json();
    let audits = ["full", "headers"].map(|level| {
        let trace = folder.record(level, &["--record", level]);
        let mut audit = call(&["audit", &trace, "--format", "json"]).exits(0).json();
        audit["trace"] = json!("");
        audit
    });
    assert_eq!(audits[0], audits[1]);
    let audit = &audits[0];
    assert_eq!(audit["architecture"], live["architecture"]);
    assert_eq!(audit["digest"], live["digest"]);
    let details = &live["architecture_details"];
    for field in ["decides", "carries", "shares", "nodes", "hub"] {
        assert_eq!(audit[field], details[field], "{field}");
    }
    for share in ["decision", "logical", "carrier"] {
        assert!(audit["shares"][share].is_number(), "{share}");
    }
    assert_eq!(audit["thresholds"]["hub_and_spoke"]["decision"], 0.8);
    let node = &audit["nodes"][0];
    assert_eq!((&node["name"], &node["kind"]), (&json!("coordinator"), &json!("agent")));
    for (seam, live) in audit["seams"].as_array().unwrap().iter().zip(live["seams"].as_array().unwrap()) {
        for field in ["name", "handed_over", "late", "duplicated", "lost"] {
            assert_eq!(seam[field], live[field], "{field}");
        }
        assert_eq!(seam["waits"]["p99_ns"], live["waits"]["p99_ns"]);
    }
    assert_eq!(audit["seams"][0]["chosen_by"], "coordinator");
    assert_eq!(audit["seams"][0]["media"], json!(["post"]));
    // In the logical graph the queue is gone, in the other it is in the middle.
    let edge = |graph: &str, from: &str, to: &str| {
        let edges = audit["graphs"][graph]["edges"].as_array().expect("edges");
        edges.iter().any(|edge| edge["from"] == from && edge["to"] == to)
    };
    assert!(edge("transport", "writer-1", "post") && edge("transport", "post", "coordinator"));
    assert!(edge("logical", "writer-1", "editor-1") && !edge("logical", "writer-1", "post"));
    assert!(edge("decision", "coordinator", "editor-1"));
    let path = &audit["bottleneck"]["critical_path"];
    let parts = path["parts"].as_array().expect("parts");
    let sum: u64 = parts.iter().map(|part| part["time_ns"].as_u64().unwrap()).sum();
    assert_eq!(sum, path["to_ns"].as_u64().unwrap() - path["from_ns"].as_u64().unwrap());
    for (check, expected) in [
        ("inputs from outside are recorded", "pass"),
        ("the digest holds", "pass"),
        ("versions are stated", "pass"),
        ("permissions are kept", "not visible"),
    ] {
        assert_eq!(verdict(audit, check), expected, "{check}");
    }
}

#[test]
fn what_is_no_whole_trace_is_audited_as_far_as_it_goes() {
    let folder = Folder::new();
    for command in ["audit", "report"] {
        let digests = folder.record("digests", &["--record", "digest"]);
        let called = call(&[command, &digests]).exits(2);
        assert!(called.stderr.contains("holds no steps to judge"), "{}", called.stderr);
        let none = folder.write("letter.txt", "no trace at all");
        assert!(call(&[command, &none]).exits(4).stderr.contains("not a trace"));
        call(&[command, &folder.word("absent")]).exits(4);

        let trace = folder.record("whole", &[]);
        let whole = fs::read(&trace).unwrap();
        let partial = folder.write("partial", &whole[..whole.len() / 3]);
        let called = call(&[command, &partial]).exits(4);
        assert!(called.stdout.contains("partial"), "{}", called.stdout);
        call(&[command, &partial, "--partial"]).exits(0);
        let mut bytes = whole;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let damaged = folder.write("damaged", &bytes);
        assert!(call(&[command, &damaged]).exits(4).stderr.contains("damaged"));
    }
}

#[test]
fn a_trace_in_which_nothing_happens_has_no_architecture() {
    let folder = Folder::new();
    let empty = folder.word("empty.fleet");
    let recorder = Recorder::create(&empty, &Header::default()).unwrap();
    assert_eq!(recorder.finish(&Closing::default()).error, None);
    let text = call(&["audit", &empty]).exits(0).stdout;
    assert!(text.contains("ARCHITECTURE: none: nothing was handed over"), "{text}");
    assert!(text.contains("BOTTLENECK: not visible: no item was reported as finished"), "{text}");
    let audit = call(&["audit", &empty, "--format", "json"]).exits(0).json();
    assert_eq!((&audit["architecture"], &audit["decides"]), (&Value::Null, &json!("nobody")));
    assert_eq!(verdict(&audit, "inputs from outside are recorded"), "not visible");
    let graph = call(&["audit", &empty, "--dot", "transport"]).exits(0).stdout;
    assert_eq!(graph, "digraph transport {\n  rankdir=LR;\n  node [shape=box];\n}\n");
    let report = call(&["report", &empty]).exits(0).stdout;
    assert!(report.contains("the monitors found nothing"), "{report}");
}

#[test]
fn facts_are_enough_and_what_only_a_scenario_tells_is_not_visible() {
    let folder = Folder::new();
    let (trace, log) = (folder.record("run.fleet", &[]), folder.word("log.fleet"));
    with_header(&trace, &log, |header| {
        header.scenario.text = String::new();
        header.settings = Value::Null;
        header.external_inputs = true;
    });
    let audit = call(&["audit", &log, "--format", "json"]).exits(0).json();
    assert_eq!(audit["architecture"], "distributed hub-and-spoke");
    assert_eq!(audit["hub"], "coordinator");
    assert_eq!(audit["claims_to_be"], Value::Null);
    assert_eq!(audit["seams"][0]["late"], Value::Null, "nobody said what is late");
    for check in ["shared state is declared", "inputs from outside are recorded", "versions are stated"] {
        assert_eq!(verdict(&audit, check), "not visible", "{check}");
    }
    // Inputs from outside of which only hashes are left cannot be given again.
    with_header(&trace, &log, |header| {
        header.external_inputs = true;
        header.level = Level::Headers;
    });
    let audit = call(&["audit", &log, "--format", "json"]).exits(0).json();
    assert_eq!(verdict(&audit, "inputs from outside are recorded"), "fail");
    with_header(&trace, &log, |header| header.program.version = String::new());
    let audit = call(&["audit", &log, "--format", "json"]).exits(0).json();
    assert_eq!(verdict(&audit, "versions are stated"), "fail");
}

#[test]
fn permissions_come_from_the_scenario_in_the_trace() {
    let folder = Folder::new();
    let pipeline = fs::read_to_string(fixture("pipeline.toml")).unwrap();
    for (may, expected) in [
        ("writer = { read = [\"drafts\"], write = [\"edits\"] }", "pass"),
        ("writer = { read = [\"post\"], write = [\"post\"] }", "pass"),
        ("writer = { read = [\"drafts\"], write = [\"desk\"] }", "fail"),
    ] {
        let scenario = folder.write("may.toml", format!("{pipeline}[may]\n{may}\n"));
        let trace = folder.word("may.fleet");
        call(&["run", &scenario, "--trace", &trace]);
        let audit = call(&["audit", &trace, "--format", "json"]).exits(0).json();
        assert_eq!(verdict(&audit, "permissions are kept"), expected, "{may}");
    }
}

#[test]
fn a_graph_is_drawn_in_order() {
    let folder = Folder::new();
    let trace = folder.record("run.fleet", &[]);
    for graph in ["transport", "logical", "decision"] {
        let drawn = call(&["audit", &trace, "--dot", graph]).exits(0).stdout;
        assert!(drawn.starts_with(&format!("digraph {graph} {{\n")) && drawn.ends_with("}\n"), "{drawn}");
        let edges: Vec<&str> =
            drawn.lines().filter_map(|line| line.split_once(" [label").map(|(edge, _)| edge)).collect();
        assert!(!edges.is_empty() && edges.is_sorted(), "{drawn}");
    }
    let drawn = call(&["audit", &trace, "--dot", "transport"]).exits(0).stdout;
    assert!(drawn.contains("  \"coordinator\" [peripheries=2 style=bold];\n"), "{drawn}");
    assert!(drawn.contains("  \"post\" [shape=cylinder peripheries=2];\n"), "{drawn}");
    call(&["audit", &trace, "--dot", "social"]).exits(2);
    call(&["audit", &trace, "--dot", "logical", "--format", "json"]).exits(2);
}

#[test]
fn a_report_has_five_parts_and_marks_what_it_cannot_say() {
    let folder = Folder::new();
    let trace = folder.record("run.fleet", &[]);
    let report = call(&["report", &trace, "--format", "md"]).exits(0).stdout;
    assert_eq!(report, call(&["report", &trace]).exits(0).stdout);
    let headings: Vec<&str> =
        report.lines().filter(|line| line.starts_with('#') && !line.starts_with("#e")).collect();
    assert_eq!(
        headings,
        [
            "# What happened in pipeline.toml",
            "## Context",
            "## Observation",
            "## Hypothesis",
            "## Mitigation",
            "## Open questions"
        ]
    );
    for said in [
        "- a simulated run of pipeline.toml, seed 1\n",
        "claims to be peer-to-peer",
        "DUPLICATE HAND OVER on post at ",
        "(expected by the scenario)",
        "what limits the fleet: decision that only one node may take",
        "finding 1, ungated-irreversible-action: its last witness and what caused that",
        "  └─ #e",
        "against ungated-irreversible-action: put a gate before send",
        "not visible whether permissions are kept",
        "_(blank: who was affected",
        "_(blank: what was done, by whom",
        "_(blank: who looks into this",
    ] {
        assert!(report.contains(said), "{said}:\n{report}");
    }
    assert!(report.ends_with(&format!("why {trace} --finding 1\n```\n")), "{report}");
    call(&["report", &trace, "--format", "pdf"]).exits(2);
}
