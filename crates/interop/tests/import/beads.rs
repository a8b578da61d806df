//! Logs of task stores.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::Fact;
use fleetsim_interop::{Kind, Options};
use serde_json::{Value, json};

use crate::support::{Read, read_log, try_read};

const EVENTS: &str = include_str!("../data/gastown/events.jsonl");
const DEPENDENCIES: &str = include_str!("../data/gastown/dependencies.jsonl");

/// A log of events a minute apart: task, actor, kind, change.
fn log(events: &[(&str, &str, &str, Value)]) -> String {
    let line = |(at, (task, actor, kind, new)): (usize, &(&str, &str, &str, Value))| {
        let new = if new.is_null() { Value::Null } else { json!(new.to_string()) };
        let at_text = format!("2026-01-01T10:{at:02}:00Z");
        let event = json!({ "id": at, "created_at": at_text, "actor": actor, "event_type": kind, "issue_id": task,
            "old_value": null, "new_value": new });
        event.to_string() + "\n"
    };
    events.iter().enumerate().map(line).collect()
}

fn assigned(to: &str) -> Value {
    json!({ "assignee": to, "status": "hooked" })
}

#[test]
fn a_task_goes_from_its_dispatcher_to_its_worker() {
    let read = read_log(
        Kind::Beads,
        &log(&[
            ("T", "ann", "created", Value::Null),
            ("T", "hub", "status_changed", assigned("bob")),
            ("T", "bob", "status_changed", json!({ "status": "in_progress" })),
            ("T", "bob", "closed", Value::Null),
        ]),
    );
    read.check();
    let finished = "TaskFinished { task: 1, attempt: 1, reported: true, actual: true }";
    let expected = [
        "ann: TaskAdded { task: 1 }".to_owned(),
        "hub: Offered { seam: \"dispatch\", item: 1, offer: 1, medium: \"task-store\" }".to_owned(),
        "hub: Decided { seam: \"dispatch\", item: 1, offer: 1, receiver: bob }".to_owned(),
        "task-store: HandedOver { seam: \"dispatch\", item: 1, offer: 1, medium: \"task-store\", receiver: bob }"
            .to_owned(),
        "bob: Received { seam: \"dispatch\", item: 1, offer: 1, giver: hub }".to_owned(),
        "bob: TaskClaimed { task: 1, fence: 0 }".to_owned(),
        "bob: TaskStarted { task: 1, attempt: 1 }".to_owned(),
        format!("bob: {finished}"),
    ];
    assert_eq!(read.facts(), expected);
    let edges = read.reading.import.edges;
    assert_eq!((edges.begun, edges.recorded, edges.inferred, edges.orphaned), (1, 1, 2, 0));
}

/// What follows from the last event of a log, as the kinds of its facts.
#[test]
fn changes_that_are_less_straight() {
    let created = ("T", "ann", "created", Value::Null);
    let given = ("T", "hub", "status_changed", assigned("bob"));
    let open = json!({ "assignee": "", "status": "open" });
    let going = json!({ "status": "in_progress" });
    for (events, last) in [
        // Taken back before anybody took it up.
        (
            vec![created.clone(), given.clone(), ("T", "hub", "status_changed", open.clone())],
            &["Undelivered"][..],
        ),
        // Given back by whoever had it, who thereby had taken it up.
        (
            vec![created.clone(), given.clone(), ("T", "bob", "status_changed", open.clone())],
            &["Received", "TaskClaimed", "TaskStarted", "TaskReleased"],
        ),
        // Closed by its assignee without another word.
        (
            vec![created.clone(), given.clone(), ("T", "bob", "closed", Value::Null)],
            &["Received", "TaskClaimed", "TaskStarted", "TaskFinished"],
        ),
        // Closed by somebody else meanwhile.
        (
            vec![created.clone(), given.clone(), ("T", "cat", "closed", Value::Null)],
            &["TaskFinished", "Undelivered"],
        ),
        // Assigned to somebody else before it was taken up, and after.
        (
            vec![created.clone(), given.clone(), ("T", "hub", "updated", assigned("cat"))],
            &["Offered", "Decided", "Undelivered", "HandedOver"],
        ),
        (
            vec![
                created.clone(),
                given.clone(),
                ("T", "bob", "updated", json!({})),
                ("T", "hub", "updated", assigned("cat")),
            ],
            &["TaskReleased", "Offered", "Decided", "HandedOver"],
        ),
        // Begun by somebody whom nobody gave it.
        (vec![created.clone(), ("T", "cat", "status_changed", going.clone())], &["TaskStarted"]),
        // Set to what it was.
        (vec![created.clone(), ("T", "hub", "status_changed", open.clone())], &[]),
        // Said to be in progress by somebody else than its assignee.
        (vec![created.clone(), given.clone(), ("T", "hub", "status_changed", going.clone())], &[]),
        // Created with an assignee, and closed by an update.
        (vec![("T", "ann", "created", assigned("bob"))], &["TaskAdded", "Offered", "Decided", "HandedOver"]),
        (vec![created.clone(), ("T", "ann", "updated", json!({ "status": "closed" }))], &["TaskFinished"]),
    ] {
        let before = read_log(Kind::Beads, &log(&events[..events.len() - 1])).facts().len();
        let read = read_log(Kind::Beads, &log(&events));
        read.check();
        let facts = read.facts();
        let kinds = facts[before..]
            .iter()
            .map(|fact| fact.split(": ").nth(1).expect("a fact").split(' ').next().expect("a kind"));
        assert_eq!(kinds.collect::<Vec<_>>(), last, "{events:?}");
    }
}

#[test]
fn tasks_are_ready_when_what_they_wait_for_is_closed() {
    let events = log(&[
        ("A", "ann", "created", Value::Null),
        ("B", "ann", "created", Value::Null),
        ("A", "ann", "closed", Value::Null),
        ("A", "ann", "closed", Value::Null),
    ]);
    let edge = r#"{"issue_id":"B","depends_on_id":"A","type":"blocks","created_at":"2026-01-01T09:00:00Z"}"#;
    let ready = |second: Option<&str>| -> Vec<String> {
        let second = second.map(str::as_bytes);
        let read = try_read(Kind::Beads, events.as_bytes(), second, Options::default()).expect("it is sound");
        read.check();
        read.facts().into_iter().filter(|fact| fact.contains("TaskReady")).collect()
    };
    assert_eq!(ready(None), Vec::<String>::new());
    assert_eq!(ready(Some(edge)), ["task-store: TaskReady { task: 1 }", "task-store: TaskReady { task: 2 }"]);
    // A dependency that did not exist when the task was created did not keep it from being ready.
    let later = edge.replace("09:00", "10:01");
    assert_eq!(ready(Some(&later)).len(), 3);
}

#[test]
fn what_cannot_be_told_is_said() {
    let read = |second: Option<&[u8]>| {
        try_read(Kind::Beads, EVENTS.as_bytes(), second, Options::default()).expect("it is sound")
    };
    let untold = |read: &Read| read.reading.import.untold[0].clone();
    assert_eq!(untold(&read(None)), "no dependency information: deadlock not judged; ablation unavailable");
    assert!(untold(&read(Some(DEPENDENCIES.as_bytes()))).contains("cycles of dependencies"));
}

/// The brute-force twin: the same figures, counted from the JSON by code that shares nothing with the import.
#[test]
fn the_figures_of_a_real_log_are_right() {
    let dependencies = Some(DEPENDENCIES.as_bytes());
    let strict = Options { strict: true, ..Options::default() };
    let read = try_read(Kind::Beads, EVENTS.as_bytes(), dependencies, strict).expect("it is sound");
    read.check();
    let mut dispatches: BTreeMap<String, u64> = BTreeMap::new();
    let mut dispatched: BTreeMap<String, u64> = BTreeMap::new();
    let mut closers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut closings = 0;
    for line in EVENTS.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        let new: Value = serde_json::from_str(&text("new_value")).unwrap_or_default();
        if !new["assignee"].as_str().unwrap_or_default().is_empty() {
            *dispatches.entry(text("actor")).or_default() += 1;
            *dispatched.entry(text("issue_id")).or_default() += 1;
        }
        if text("event_type") == "closed" {
            closings += 1;
            closers.entry(text("issue_id")).or_default().insert(text("actor"));
        }
    }
    let most = dispatches.iter().max_by_key(|(_, count)| **count).map(|(name, count)| (name.clone(), *count));
    let figures = &read.reading.import.figures;
    let largest = figures[0].parts.first().map(|part| (part.name.clone(), part.count));
    assert_eq!(largest, most);
    assert_eq!(most.map(|(name, _)| name).as_deref(), Some("mayor"));
    let all: u64 = dispatches.values().sum();
    assert!(all > 30, "the excerpt shows {all} dispatches");
    let again = dispatched.values().filter(|count| **count > 1).count() as u64;
    let by_several = closers.values().filter(|closers| closers.len() > 1).count() as u64;
    assert!(again > 3 && by_several > 3, "the excerpt shows {again} and {by_several}");
    for (name, count) in [
        ("dispatches", all),
        ("tasks dispatched", dispatched.len() as u64),
        ("tasks dispatched more than once", again),
        ("closings", closings),
        ("tasks closed", closers.len() as u64),
        ("tasks closed by several actors", by_several),
    ] {
        assert_eq!(read.figure(name), count, "{name}");
    }
    assert!(
        read.figure("dispatches taken up") + read.figure("dispatches void before they were taken up") <= all
    );
    // The facts say the same as the figures.
    let facts =
        || read.batches.iter().flatten().flat_map(|step| step.facts().map(move |fact| (step.target, fact)));
    let decided = facts().filter(|(_, fact)| matches!(fact, Fact::Decided { .. })).count() as u64;
    assert_eq!(decided, all);
    let mut finishers: BTreeMap<u64, BTreeSet<_>> = BTreeMap::new();
    for (agent, fact) in facts() {
        if let Fact::TaskFinished { task, .. } = fact {
            finishers.entry(task).or_default().insert(agent);
        }
    }
    assert_eq!(finishers.values().filter(|agents| agents.len() > 1).count() as u64, by_several);
}
