//! Our own plain format.

use fleetsim_interop::Kind;

use crate::support::read_log;

/// Every fact, as a line states it and as the trace holds it.
#[test]
fn every_fact_can_be_stated() {
    for (fields, fact) in [
        (r#""fact":"task-added","task":7"#, "TaskAdded { task: 7 }"),
        (r#""fact":"task-ready","task":7"#, "TaskReady { task: 7 }"),
        (r#""fact":"task-claimed","task":7,"fence":3"#, "TaskClaimed { task: 7, fence: 3 }"),
        (r#""fact":"TaskStarted","task":"7""#, "TaskStarted { task: 7, attempt: 1 }"),
        (
            r#""fact":"task_finished","task":7,"attempt":2,"reported":true,"actual":false"#,
            "TaskFinished { task: 7, attempt: 2, reported: true, actual: false }",
        ),
        (r#""fact":"task-released","task":7"#, r#"TaskReleased { task: 7, reason: "" }"#),
        (
            r#""fact":"offered","seam":"s","item":7,"offer":8,"medium":"q""#,
            r#"Offered { seam: "s", item: 7, offer: 8, medium: "q" }"#,
        ),
        (
            r#""fact":"decided","seam":"s","item":7,"receiver":"bob""#,
            r#"Decided { seam: "s", item: 7, offer: 7, receiver: bob }"#,
        ),
        (
            r#""fact":"handed-over","seam":"s","item":7,"medium":"q","receiver":"bob""#,
            r#"HandedOver { seam: "s", item: 7, offer: 7, medium: "q", receiver: bob }"#,
        ),
        (
            r#""fact":"received","seam":"s","item":7,"giver":"bob""#,
            r#"Received { seam: "s", item: 7, offer: 7, giver: bob }"#,
        ),
        (
            r#""fact":"undelivered","seam":"s","item":7"#,
            r#"Undelivered { seam: "s", item: 7, offer: 7, reason: "" }"#,
        ),
        (r#""fact":"operation-begin","operation":9"#, "OperationBegin { operation: 9 }"),
        (r#""fact":"operation-commit","operation":9"#, "OperationCommit { operation: 9 }"),
        (r#""fact":"operation-abort","operation":9"#, "OperationAbort { operation: 9 }"),
        (r#""fact":"operation-indeterminate","operation":9"#, "OperationIndeterminate { operation: 9 }"),
        (
            r#""fact":"read","operation":9,"resource":"plan.md","version":4"#,
            r#"Read { operation: 9, resource: "plan.md", version: 4 }"#,
        ),
        (
            r#""fact":"write","operation":9,"resource":"plan.md","based_on":4,"version":5"#,
            r#"Write { operation: 9, resource: "plan.md", based_on: 4, version: 5, fence: 0 }"#,
        ),
        (r#""fact":"wait-on","resource":"gpu""#, r#"WaitOn { on: Resource("gpu") }"#),
        (r#""fact":"wait-on","agent":"bob""#, "WaitOn { on: Agent(bob) }"),
        (r#""fact":"wait-end","gate":"lead""#, r#"WaitEnd { on: Gate("lead") }"#),
        (r#""fact":"wait-end","join":"parts""#, r#"WaitEnd { on: Join("parts") }"#),
        (r#""fact":"acquired","resource":"gpu","fence":2"#, r#"Acquired { resource: "gpu", fence: 2 }"#),
        (r#""fact":"released","resource":"gpu","fence":2"#, r#"Released { resource: "gpu", fence: 2 }"#),
        (
            r#""fact":"spent","tokens_in":1,"cached":2,"tokens_out":3,"nano_dollars":"4""#,
            "Spent { tokens_in: 1, cached: 2, tokens_out: 3, nano_dollars: 4 }",
        ),
        (
            r#""fact":"acted","action":"publish","reversible":false,"item":7"#,
            r#"Acted { action: "publish", reversible: false, gate: "", item: 7 }"#,
        ),
        (r#""fact":"reviewed","item":7,"approved":false"#, "Reviewed { item: 7, approved: false }"),
        (r#""fact":"checked","item":7,"passed":true"#, "Checked { item: 7, passed: true, actual: true }"),
        (r#""fact":"tainted","item":7,"origin":"bob""#, "Tainted { item: 7, origin: bob }"),
        (r#""fact":"progress","item":7"#, "Progress { item: 7 }"),
        (r#""fact":"breach","permission":"write page""#, r#"Breach { permission: "write page" }"#),
        (
            r#""fact":"requested","model":"m","by":"bob","admitted":false,"tokens_in":5"#,
            r#"Requested { model: "m", by: bob, admitted: false, first: true, tokens_in: 5, tokens_out: 0 }"#,
        ),
        (r#""fact":"guard-tripped","guard":"breaker""#, r#"GuardTripped { guard: "breaker", item: 0 }"#),
    ] {
        let read = read_log(Kind::Ndjson, &format!(r#"{{"at_ns":5,"actor":"ann",{fields}}}"#));
        read.check();
        assert_eq!(read.troubles(), [], "{fields}");
        assert_eq!(read.facts(), [format!("ann: {fact}")]);
    }
}

#[test]
fn records_name_their_causes() {
    let log = r#"
        {"at":"2026-01-01T10:00:00Z","actor":"ann","id":"r1","to":"bob","text":"please"}
        {"at":"2026-01-01T10:00:01Z","actor":"bob","cause":"r1","fact":"progress","item":"T-1"}
        {"at":"2026-01-01T10:00:02Z","actor":"bob","cause":"r9","fact":"progress","item":"T-1"}"#;
    let read = read_log(Kind::Ndjson, log);
    read.check();
    let edges = read.reading.import.edges;
    assert_eq!((edges.begun, edges.recorded, edges.inferred, edges.orphaned), (1, 1, 0, 1));
    let steps: Vec<_> = read.batches.iter().flatten().collect();
    assert_eq!(steps[1].source, steps[0].target);
    assert_eq!(steps[1].time.as_ns() - steps[0].time.as_ns(), 1_000_000_000);
    assert_eq!(read.reading.import.began, "2026-01-01T10:00:00Z");
}

#[test]
fn what_was_never_stated_is_not_judged() {
    let untold = |log: &str| read_log(Kind::Ndjson, log).reading.import.untold.join("\n");
    let waits = r#"{"at_ns":5,"actor":"ann","fact":"wait-on","resource":"gpu"}"#;
    assert!(untold("").contains("deadlock"));
    assert!(!untold(waits).contains("deadlock"));
    assert!(untold(waits).contains("ablation unavailable"));
}
