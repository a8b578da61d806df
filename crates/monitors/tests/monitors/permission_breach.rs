//! What a role may not, by its own word and by what the scenario allows.

use std::collections::BTreeSet;

use fleetsim_engine::{AgentId, Fact};
use fleetsim_monitors::{May, MonitorConfig};

use crate::mutations::Fixture;
use crate::support::{Run, id, only};

const KIND: &str = "permission-breach";

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Writers take from notes and edit plan.md, which the page holds; they give over drafts, which redis carries.
fn writers() -> MonitorConfig {
    MonitorConfig {
        may: [(
            "writer".to_owned(),
            May { read: names(&["notes", "plan.md"]), write: names(&["redis", "page"]) },
        )]
        .into(),
        seam_media: [("notes".to_owned(), "redis".to_owned()), ("topics".to_owned(), "redis".to_owned())]
            .into(),
        resource_media: [("plan.md".to_owned(), "page".to_owned())].into(),
        action_roles: [("publish".to_owned(), "publisher".to_owned())].into(),
        ..MonitorConfig::default()
    }
}

fn received(seam: &'static str) -> Fact<'static> {
    Fact::Received { seam, item: 1, offer: 1, giver: id("editor") }
}

fn offered(medium: &'static str) -> Fact<'static> {
    Fact::Offered { seam: "drafts", item: 1, offer: 2, medium }
}

fn read(resource: &'static str) -> Fact<'static> {
    Fact::Read { operation: 1, resource, version: 0 }
}

fn write(resource: &'static str) -> Fact<'static> {
    Fact::Write { operation: 1, resource, based_on: 0, version: 1, fence: 0 }
}

fn published() -> Fact<'static> {
    Fact::Acted { action: "publish", reversible: false, gate: "lead", item: 1 }
}

fn allowed() -> Run {
    let mut run = Run::default();
    run.at(1, "writer-1", [received("notes")])
        .at(2, "writer-1", [read("plan.md")])
        .at(3, "page", [write("plan.md")])
        .at(4, "writer-1", [Fact::OperationCommit { operation: 1 }])
        .at(5, "writer-1", [offered("redis")])
        .at(6, "editor", [received("drafts")])
        .at(7, "publisher", [published()]);
    run
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    vec![Fixture {
        kind: KIND,
        config: writers,
        correct: allowed,
        mutations: &[
            ("it takes from another seam", |run| run.restate(0, [received("topics")])),
            ("it reads another document", |run| run.restate(1, [read("budget.md")])),
            ("it writes another document", |run| run.restate(2, [write("budget.md")])),
            ("it gives through another medium", |run| run.restate(4, [offered("slack")])),
            ("the editor's work goes to a writer", |run| run.give(5, "writer-2")),
            ("an editor publishes", |run| run.give(6, "editor")),
            ("an agent says so itself", |run| {
                run.at(8, "editor", [Fact::Breach { permission: "merge" }]);
            }),
        ],
    }]
}

#[test]
fn a_breach_names_agent_role_and_permission() {
    let mut run = Run::default();
    run.at(1, "writer-1", [Fact::Breach { permission: "delete page" }]).at(
        2,
        "writer-2",
        [Fact::Breach { permission: "delete page" }],
    );
    let finding = only(run.findings(KIND));
    assert_eq!(
        finding.summary,
        "PERMISSION BREACH on delete page at 00:00:01: writer-1 did it and may not; its role did so twice"
    );
    assert!(
        finding.matches(KIND, &[("role", "writer"), ("agent", "writer-2"), ("permission", "delete page")])
    );
    assert!(!finding.injected);
}

#[test]
fn a_write_is_the_writers_and_not_the_stores() {
    let mut run = Run::default();
    run.at(1, "writer-1", [Fact::OperationBegin { operation: 1 }]).at(2, "store", [write("budget.md")]);
    let finding = only(run.findings_with(&writers(), KIND));
    assert_eq!((finding.event, &finding.agents[..]), (1, &["writer-1".to_owned()][..]));
}

#[test]
fn near_misses_stay_silent() {
    assert_eq!(allowed().findings_with(&writers(), KIND), []);
    let mut run = Run::default();
    run.at(1, "coder-1", [received("topics"), offered("slack"), read("budget.md")]).at(
        2,
        "store",
        [write("budget.md")],
    );
    assert_eq!(run.findings_with(&writers(), KIND), [], "of coders nothing is said");
}

#[test]
fn what_a_fault_rule_ordered_is_told_apart() {
    let ordered = |fault| Fact::Injected {
        rule: "overreach",
        fault,
        source: AgentId::WORLD,
        sequence: 0,
        amount: 0,
        since_ns: None,
    };
    let breach = Fact::Breach { permission: "merge" };
    let mut run = Run::default();
    run.at(1, "coder-1", [ordered("tell"), breach.clone()]).at(2, "coder-2", [breach.clone()]);
    let labels: Vec<(u64, bool)> =
        run.findings(KIND).iter().map(|finding| (finding.event, finding.injected)).collect();
    assert_eq!(labels, [(0, true), (1, false)]);
    let mut run = Run::default();
    run.at(1, "coder-1", [ordered("loss"), breach]);
    assert!(!only(run.findings(KIND)).injected, "a lost message tells nobody to breach");
}
