//! What each monitor is measured by: a correct run in which it finds nothing, and changes of one line, each of which it
//! has to find. The share that it finds is its mutation score.

use fleetsim_engine::batch::Fate;
use fleetsim_engine::{Fact, Waited};
use fleetsim_monitors::{ArchitectureClass, Class, KINDS, MonitorConfig, Pattern, Promised, PropertyRule};

use crate::support::{Run, hand_over, id};

/// A correct run, and what may go wrong in it.
pub(crate) struct Fixture {
    /// The kind that has to be found.
    pub(crate) kind: &'static str,
    pub(crate) config: fn() -> MonitorConfig,
    pub(crate) correct: fn() -> Run,
    pub(crate) mutations: &'static [Mutation],
}

/// What a change means, and the change.
pub(crate) type Mutation = (&'static str, fn(&mut Run));

/// All fixtures: a file that has some is one line here.
pub(crate) fn all() -> Vec<Fixture> {
    [
        older(),
        crate::conflict::fixtures(),
        crate::zombie_write::fixtures(),
        crate::semantic_conflict::fixtures(),
        crate::starvation::fixtures(),
        crate::message_loop::fixtures(),
        crate::deadlock::fixtures(),
        crate::livelock::fixtures(),
        crate::retry_storm::fixtures(),
        crate::metastable::fixtures(),
        crate::orphaned_task::fixtures(),
        crate::not_converged::fixtures(),
        crate::duplicate_work::fixtures(),
        crate::cost_overrun::fixtures(),
        crate::permission_breach::fixtures(),
        crate::trust_breach::fixtures(),
        crate::error_propagation::fixtures(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What a monitor did with its fixtures.
pub(crate) struct Score {
    pub(crate) caught: usize,
    pub(crate) missed: Vec<&'static str>,
    /// Of what it found.
    pub(crate) class: Option<Class>,
}

/// The mutation score of a kind.
pub(crate) fn score(kind: &str) -> Score {
    let mut score = Score { caught: 0, missed: Vec::new(), class: None };
    for fixture in all().into_iter().filter(|fixture| fixture.kind == kind) {
        let config = (fixture.config)();
        for (what, mutate) in fixture.mutations {
            let mut run = (fixture.correct)();
            mutate(&mut run);
            match run.findings_with(&config, kind).first() {
                Some(finding) => {
                    score.caught += 1;
                    score.class = Some(finding.class);
                }
                None => score.missed.push(what),
            }
        }
    }
    score
}

#[test]
fn correct_runs_are_silent() {
    for fixture in all() {
        assert_eq!(
            (fixture.correct)().findings_with(&(fixture.config)(), fixture.kind),
            [],
            "{}",
            fixture.kind
        );
    }
}

#[test]
fn every_kind_catches_every_mutation() {
    let scores: Vec<(&str, Score)> = KINDS.iter().map(|(kind, _)| (*kind, score(kind))).collect();
    let missed: Vec<(&str, &Vec<&str>)> = scores
        .iter()
        .filter(|(_, score)| score.caught == 0 || !score.missed.is_empty())
        .map(|(kind, score)| (*kind, &score.missed))
        .collect();
    assert_eq!(missed, [], "these have no mutations or do not notice some");
}

/// Of the monitors that are tested at length elsewhere.
fn older() -> Vec<Fixture> {
    vec![
        Fixture {
            kind: "lost-update",
            config: MonitorConfig::default,
            correct: two_edits,
            mutations: &[
                ("the second reads before the first wrote", |run| {
                    run.restate(3, [read(2, 0)]);
                    run.restate(4, [write(2, 0, 2)]);
                }),
                ("the second writes and never read", |run| {
                    run.restate(3, []);
                    run.restate(4, [write(2, 0, 2)]);
                }),
            ],
        },
        Fixture {
            kind: "starvation",
            config: MonitorConfig::default,
            correct: fair_quota,
            mutations: &[
                ("the first is served after an hour", |run| run.put_at(2, 3700)),
                ("the first is never served", |run| run.leave_out(2)),
            ],
        },
        Fixture {
            kind: "feedback-loop",
            config: MonitorConfig::default,
            correct: review_with_progress,
            mutations: &[("no round comes closer to done", |run| {
                (0..5).for_each(|round| run.restate(round * 3, []))
            })],
        },
        Fixture {
            kind: "duplicate-hand-over",
            config: MonitorConfig::default,
            correct: one_delivery,
            mutations: &[
                ("it is taken up again", |run| run.repeat_at(2, 90)),
                ("another takes it up as well", |run| {
                    run.repeat_at(2, 90);
                    run.give(3, "coder-2");
                }),
            ],
        },
        Fixture {
            kind: "ungated-irreversible-action",
            config: MonitorConfig::default,
            correct: gated,
            mutations: &[
                ("the gate is gone", |run| run.restate(0, [act("publish", false, "")])),
                ("what was reversible is not", |run| run.restate(1, [act("draft", false, "")])),
            ],
        },
        Fixture {
            kind: "misnamed-architecture",
            config: claims_a_hub,
            correct: a_hub_decides,
            mutations: &[("everybody chooses for themselves", |run| {
                for item in 0..6 {
                    run.restate(item * 4 + 1, []);
                }
            })],
        },
        Fixture {
            kind: "panicked-agent",
            config: MonitorConfig::default,
            correct: gated,
            mutations: &[("a handler panics", |run| run.fate(1, Fate::Panicked))],
        },
        Fixture {
            kind: "property-violated",
            config: promises,
            correct: promises_kept,
            mutations: &[
                ("a task is not finished", |run| run.leave_out(1)),
                ("a task is finished too late", |run| run.put_at(1, 99)),
                ("it says done and is not", |run| run.restate(1, [finished(1, false)])),
            ],
        },
        Fixture {
            kind: "property-never-happened",
            config: promises,
            correct: promises_kept,
            mutations: &[("nothing is ever given back", |run| run.leave_out(2))],
        },
    ]
}

fn read(operation: u64, version: u64) -> Fact<'static> {
    Fact::Read { operation, resource: "plan.md", version }
}

fn write(operation: u64, based_on: u64, version: u64) -> Fact<'static> {
    Fact::Write { operation, resource: "plan.md", based_on, version, fence: 0 }
}

fn two_edits() -> Run {
    let mut run = Run::default();
    run.at(1, "coder-1", [read(1, 0)])
        .at(2, "store", [write(1, 0, 1)])
        .at(3, "coder-1", [Fact::OperationCommit { operation: 1 }])
        .at(4, "coder-2", [read(2, 1)])
        .at(5, "store", [write(2, 1, 2)])
        .at(6, "coder-2", [Fact::OperationCommit { operation: 2 }]);
    run
}

fn fair_quota() -> Run {
    let quota = Waited::Resource("sonnet");
    let mut run = Run::default();
    run.at(1, "coder-1", [Fact::WaitOn { on: quota }]).at(2, "coder-2", [Fact::WaitOn { on: quota }]);
    run.at(3, "coder-1", [Fact::WaitEnd { on: quota }]).at(4, "coder-2", [Fact::WaitEnd { on: quota }]);
    run.at(3701, "lead", []);
    run
}

fn review_with_progress() -> Run {
    let mut run = Run::default();
    let round = |seam, offer, giver: &str| Fact::Received { seam, item: 1, offer, giver: id(giver) };
    for number in 0..5 {
        let second = 1 + number * 10;
        run.at(second, "coder-1", [Fact::Progress { item: 1 }])
            .at(second + 1, "reviewer-1", [round("drafts", number * 2, "coder-1")])
            .at(second + 2, "coder-1", [round("rejected", number * 2 + 1, "reviewer-1")]);
    }
    run
}

fn one_delivery() -> Run {
    let mut run = Run::default();
    hand_over(&mut run, 1, ("notes", "redis"), (1, 1), ("writer-1", "", "redis", "coder-1"));
    run
}

fn act(action: &'static str, reversible: bool, gate: &'static str) -> Fact<'static> {
    Fact::Acted { action, reversible, gate, item: 1 }
}

fn gated() -> Run {
    let mut run = Run::default();
    run.at(1, "publisher", [act("publish", false, "lead")]).at(2, "publisher", [act("draft", true, "")]);
    run
}

fn claims_a_hub() -> MonitorConfig {
    MonitorConfig { claims_to_be: Some(ArchitectureClass::HubAndSpoke), ..MonitorConfig::default() }
}

fn a_hub_decides() -> Run {
    let mut run = Run::default();
    for item in 0..6 {
        let (giver, receiver) = if item % 2 == 0 {
            (format!("peer-{}", item % 8 + 1), "coordinator".to_owned())
        } else {
            ("coordinator".to_owned(), format!("peer-{}", item % 8 + 1))
        };
        let ends = (giver.as_str(), "coordinator", "coordinator", receiver.as_str());
        hand_over(&mut run, 1 + item * 10, ("jobs", ""), (item, item), ends);
    }
    run
}

fn promises() -> MonitorConfig {
    let pattern = |text: &str| Pattern::parse(text).expect("a pattern");
    let ends = Promised::eventually(
        pattern("TaskFinished where actual"),
        60_000_000_000,
        Some(pattern("TaskAdded.task")),
    );
    let rule = |name: &str, promised| PropertyRule { name: name.to_owned(), promised };
    MonitorConfig {
        properties: vec![
            rule("tasks end", ends.expect("the keys are alike")),
            rule("some are given back", Promised::Sometimes(pattern("TaskReleased"))),
        ],
        ..MonitorConfig::default()
    }
}

fn finished(task: u64, actual: bool) -> Fact<'static> {
    Fact::TaskFinished { task, attempt: 1, reported: true, actual }
}

fn promises_kept() -> Run {
    let mut run = Run::default();
    run.at(1, "outside", [Fact::TaskAdded { task: 1 }])
        .at(30, "coder-1", [finished(1, true)])
        .at(31, "coder-2", [Fact::TaskReleased { task: 2, reason: "tired" }])
        .at(200, "lead", []);
    run
}
