//! Errors that others built on.

use fleetsim_engine::{Fact, SECOND};
use fleetsim_monitors::{MonitorConfig, Severity};

use crate::mutations::Fixture;
use crate::support::{Run, id, only};

const KIND: &str = "error-propagation";

fn finished(reported: bool, actual: bool) -> Fact<'static> {
    Fact::TaskFinished { task: 1, attempt: 1, reported, actual }
}

fn received(seam: &'static str, offer: u64) -> Fact<'static> {
    Fact::Received { seam, item: 1, offer, giver: id("coder-1") }
}

fn spent() -> Fact<'static> {
    Fact::Spent { tokens_in: 0, cached: 0, tokens_out: 0, nano_dollars: 1_000_000_000 }
}

/// A false result that the first receiver notices; the repaired one goes on.
fn noticed() -> Run {
    let mut run = Run::default();
    run.at(1, "coder-1", [finished(true, false)])
        .at(2, "reviewer-1", [received("results", 1)])
        .at(3, "reviewer-1", [Fact::Reviewed { item: 1, approved: false }])
        .at(4, "coder-1", [finished(true, true)])
        .at(5, "editor", [received("drafts", 2)])
        .at(6, "publisher", [received("pages", 3)])
        .at(7, "publisher", [Fact::Acted { action: "publish", reversible: false, gate: "lead", item: 1 }]);
    run
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    vec![Fixture {
        kind: KIND,
        config: MonitorConfig::default,
        correct: noticed,
        mutations: &[
            ("the reviewer lets it pass and nobody repairs it", |run| {
                run.restate(2, [Fact::Checked { item: 1, passed: true, actual: false }]);
                run.leave_out(3);
            }),
            ("the repair is false too", |run| run.restate(3, [finished(true, false)])),
            ("it is tainted on its way", |run| {
                run.restate(4, [received("drafts", 2), Fact::Tainted { item: 1, origin: id("editor") }]);
            }),
            ("the review comes at the end, and so does the repair", |run| {
                run.put_at(2, 8);
                run.put_at(2, 9);
            }),
        ],
    }]
}

#[test]
fn reach_time_to_detection_and_cost_are_told() {
    let mut run = Run::default();
    run.at(1, "coder-1", [finished(true, false)])
        .at(2, "reviewer-1", [received("results", 1)])
        .at(3, "reviewer-1", [spent()])
        .at(4, "editor", [received("drafts", 2)])
        .at(5, "editor", [spent()])
        .at(6, "lead", [Fact::Checked { item: 1, passed: false, actual: false }])
        .at(7, "editor", [spent()]);
    let finding = only(run.findings(KIND));
    assert_eq!(
        finding.summary,
        "ERROR PROPAGATION at 00:00:04: an error in item 1 reached 2 agents over 2 seams, until lead noticed after 5s"
    );
    assert_eq!((finding.severity, finding.lead_time_ns), (Severity::Medium, Some(3 * SECOND)));
    assert_eq!(finding.saved_nano_dollars, Some(2_000_000_000), "what came after the no is not its doing");
    assert_eq!(finding.agents, ["coder-1", "editor", "reviewer-1"]);
    assert!(finding.matches(KIND, &[("role", "coder")]));
}

#[test]
fn an_error_that_nobody_notices_lasts_to_the_end() {
    let mut run = Run::default();
    run.at(1, "coder-1", [Fact::Tainted { item: 1, origin: id("outside") }])
        .at(2, "publisher", [Fact::Acted { action: "publish", reversible: false, gate: "", item: 1 }])
        .at(11, "lead", []);
    let finding = only(run.findings(KIND));
    assert_eq!(
        finding.summary,
        "ERROR PROPAGATION at 00:00:02: an error in item 1 reached 0 agents over 0 seams, 1 action done with it, \
         and nobody noticed for 10s"
    );
    assert_eq!((finding.severity, finding.numbers.get("undetected")), (Severity::High, Some(1)));
}

#[test]
fn near_misses_stay_silent() {
    assert_eq!(noticed().findings(KIND), []);
    let mut run = Run::default();
    run.at(1, "coder-1", [finished(true, false)])
        .at(2, "coder-1", [received("results", 1)])
        .at(3, "reviewer-1", [received("results", 2)])
        .at(4, "reviewer-1", [received("results", 3)]);
    assert_eq!(run.findings(KIND), [], "one other agent is no spread");
}
