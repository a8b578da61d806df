//! The report as JSON: the fields that scripts lean on, and one text for one run.

use fleetsim_engine::Fact;
use fleetsim_monitors::{ArchitectureClass, Medium, MonitorConfig};
use serde_json::Value;

use crate::support::{Run, hand_over};

fn sample() -> Run {
    let mut run = Run::default();
    hand_over(&mut run, 60, ("notes", "redis"), (1, 1), ("coder-1", "coordinator", "redis", "writer-1"));
    hand_over(&mut run, 70, ("notes", "redis"), (1, 1), ("coder-1", "", "redis", "writer-1"));
    run.at(80, "publisher", [Fact::Acted { action: "publish", reversible: false, gate: "", item: 1 }]);
    run
}

fn json(run: &Run, size: usize) -> String {
    let claim = Some(ArchitectureClass::PeerToPeer);
    let config = MonitorConfig { claims_to_be: claim, ..MonitorConfig::default() };
    serde_json::to_string(&run.report_in(&config, size)).expect("a report is JSON")
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let run = sample();
    assert_eq!(json(&run, 1), json(&run, 4096));
    assert_eq!(json(&run, 7), json(&run, 4096));
}

#[test]
fn findings_have_the_fields_of_the_contract() {
    let report: Value = serde_json::from_str(&json(&sample(), 4096)).expect("it was just written");
    let findings = report["findings"].as_array().expect("a list");
    let told: Vec<[&str; 3]> = findings
        .iter()
        .map(|finding| ["kind", "class", "severity"].map(|field| finding[field].as_str().expect(field)))
        .collect();
    assert_eq!(
        told,
        [
            ["duplicate-hand-over", "safety", "medium"],
            ["ungated-irreversible-action", "safety", "high"],
            ["misnamed-architecture", "honesty", "low"],
        ]
    );
    let duplicate = &findings[0];
    assert_eq!(duplicate["at_ns"], 72_000_000_000_u64);
    assert_eq!(duplicate["event"], 6);
    assert_eq!(duplicate["agents"], serde_json::json!(["writer-1"]));
    assert_eq!(duplicate["evidence"][0]["event"], 3);
    assert_eq!(duplicate["about"]["medium"], serde_json::json!(["redis"]));
    assert_eq!(duplicate["numbers"]["duplicates"], 1);
    for field in ["monitor", "summary"] {
        assert!(duplicate[field].is_string(), "{field}");
    }
}

#[test]
fn measures_have_the_fields_of_the_contract() {
    let report: Value = serde_json::from_str(&json(&sample(), 4096)).expect("it was just written");
    let architecture = &report["architecture"];
    assert_eq!(architecture["architecture"], "distributed hub-and-spoke");
    assert_eq!(architecture["decides"], "an active hub: coordinator");
    assert_eq!(architecture["carries"], "redis");
    assert_eq!(
        architecture["shares"],
        serde_json::json!({ "decision": 1.0, "logical": 1.0, "carrier": 1.0 })
    );
    assert!(architecture["nodes"].is_array() && architecture["seams"].is_array());
    let tally = &report["tally"];
    for field in ["added", "done", "failed", "pending"] {
        assert!(tally["tasks"][field].is_u64(), "{field}");
    }
    for field in ["tokens_in", "tokens_out", "nano_dollars"] {
        assert!(tally["cost"][field].is_u64(), "{field}");
    }
    for field in ["handed_over", "late", "duplicated", "lost"] {
        assert!(tally["seams"][0][field].is_u64(), "{field}");
    }
}

#[test]
fn the_configuration_survives_a_trace_header() {
    let mut config =
        MonitorConfig { claims_to_be: Some(ArchitectureClass::Hybrid), ..MonitorConfig::default() };
    config.media.insert("hub".to_owned(), Medium::Inbox("supervisor".to_owned()));
    config.late_after_ns.insert("notes".to_owned(), 7);
    let mut bytes = Vec::new();
    fleetsim_engine::codec::encode(&config, &mut bytes);
    assert_eq!(fleetsim_engine::codec::decode::<MonitorConfig>(&bytes), Some(config));
}
