//! `import`, and what can be done with what it makes.

use crate::support::{Folder, call};

const LOG: &str = "\
{\"id\":1,\"created_at\":\"2026-01-01T10:00:00Z\",\"actor\":\"ann\",\"event_type\":\"created\",\"issue_id\":\"T-1\"}
{\"id\":2,\"created_at\":\"2026-01-01T10:01:00Z\",\"actor\":\"hub\",\"event_type\":\"status_changed\",\"issue_id\":\"T-1\",\"new_value\":\"{\\\"assignee\\\":\\\"bob\\\",\\\"status\\\":\\\"hooked\\\"}\"}
{\"id\":3,\"created_at\":\"2026-01-01T10:02:00Z\",\"actor\":\"bob\",\"event_type\":\"closed\",\"issue_id\":\"T-1\"}
not JSON
";

#[test]
fn an_imported_trace_is_a_trace() {
    let folder = Folder::new();
    let (log, trace) = (folder.write("log.jsonl", LOG), folder.word("log.fleet"));
    let imported = call(&["import", "beads", &log, "-o", &trace]).exits(0);
    for said in ["dispatches: 1 (hub 1)", "deadlock not judged", "not-json (1), first in line 4"] {
        assert!(imported.stdout.contains(said), "`{said}` is missing:\n{}", imported.stdout);
    }
    let shown = call(&["inspect", &trace]).exits(0).stdout;
    for said in ["imported   beads log", "deadlock not judged", "world -> ann beads.Acts"] {
        assert!(shown.contains(said), "`{said}` is missing:\n{shown}");
    }
    let refused = call(&["replay", &trace]).exits(2);
    assert!(refused.stderr.contains("nothing to execute again"), "{}", refused.stderr);
    let judged = call(&["replay", &trace, "--detached", "--format", "json"]).exits(0).json();
    assert_eq!(judged["architecture"], "hub-and-spoke");
    assert_eq!(judged["expected_met"], serde_json::Value::Null);
    let explained = call(&["why", &format!("{trace}#e3"), "--depth", "5"]).exits(0).stdout;
    for said in ["task-store -> bob", "hub -> task-store", "ann -> hub"] {
        assert!(explained.contains(said), "`{said}` is missing:\n{explained}");
    }
    let other = folder.word("other.fleet");
    call(&["import", "beads", &log, "-o", &other, "--rename"]).exits(0);
    call(&["diff", &trace, &trace]).exits(0);
    call(&["diff", &trace, &other]).exits(3);
}

#[test]
fn the_summary_is_one_object() {
    let folder = Folder::new();
    let (log, trace) = (folder.write("log.jsonl", LOG), folder.word("log.fleet"));
    let summary = call(&["import", "beads", &log, "-o", &trace, "--format", "json"]).exits(0).json();
    assert_eq!(summary["records"], 3);
    assert_eq!(summary["edges"]["recorded"], 1);
    assert_eq!(summary["troubles"][0]["first_line"], 4);
    assert_eq!(summary["figures"][0]["parts"][0]["name"], "hub");
    let inspected = call(&["inspect", &trace, "--format", "json"]).exits(0).json();
    assert_eq!(inspected["header"]["import"]["kind"], "beads");
    assert_eq!(inspected["header"]["digest"], summary["digest"]);
}

#[test]
fn imports_that_cannot_be_are_refused() {
    let folder = Folder::new();
    let (log, trace) = (folder.write("log.jsonl", LOG), folder.word("log.fleet"));
    let thesis = folder.write("thesis.txt", "years of work");
    for (words, code, said) in [
        (vec!["import", "beads", &log, "-o", &trace, "--strict"], 4, "line 4: not-json"),
        (vec!["import", "smoke", &log, "-o", &trace], 2, "smoke"),
        (vec!["import", "otlp", &log, &log, "-o", &trace], 2, "only a log of beads"),
        (vec!["import", "beads", &log], 2, "--output"),
        (vec!["import", "beads", &log, "-o", &log, "--force"], 2, "would replace the log"),
        (vec!["import", "beads", &log, "-o", &thesis], 2, "is no trace"),
        (vec!["import", "beads", "absent.jsonl", "-o", &trace], 4, "absent.jsonl"),
    ] {
        let called = call(&words).exits(code);
        assert!(called.stderr.contains(said), "`{said}` is missing for {words:?}:\n{}", called.stderr);
        assert!(!folder.path("log.fleet").exists(), "{words:?} left a trace");
    }
}
