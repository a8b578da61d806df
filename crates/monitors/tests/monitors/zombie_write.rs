//! Acts under old fencing tokens, and those that only look late.

use fleetsim_engine::{Fact, SECOND};
use fleetsim_monitors::MonitorConfig;

use crate::mutations::Fixture;
use crate::support::Run;

const KIND: &str = "zombie-write";

fn acquired(fence: u64) -> Fact<'static> {
    Fact::Acquired { resource: "plan.md", fence }
}

fn released(fence: u64) -> Fact<'static> {
    Fact::Released { resource: "plan.md", fence }
}

fn write(operation: u64, version: u64, fence: u64) -> Fact<'static> {
    Fact::Write { operation, resource: "plan.md", based_on: version - 1, version, fence }
}

fn begin(operation: u64) -> Fact<'static> {
    Fact::OperationBegin { operation }
}

fn claimed(fence: u64) -> Fact<'static> {
    Fact::TaskClaimed { task: 7, fence }
}

fn finished() -> Fact<'static> {
    Fact::TaskFinished { task: 7, attempt: 1, reported: true, actual: true }
}

fn spent(nano_dollars: u64) -> Fact<'static> {
    Fact::Spent { tokens_in: 1, cached: 0, tokens_out: 1, nano_dollars }
}

/// Who states what, a second after each other.
type Stated = Vec<(&'static str, Fact<'static>)>;

fn run(stated: &Stated) -> Run {
    let mut run = Run::default();
    for (second, (agent, fact)) in stated.iter().enumerate() {
        run.at(second as u64, agent, [fact.clone()]);
    }
    run
}

/// coder-1 holds and writes, gives back, and coder-2 holds and writes.
fn lock_in_turn() -> Stated {
    vec![
        ("coder-1", begin(1)),
        ("coder-1", acquired(1)),
        ("store", write(1, 1, 1)),
        ("coder-1", released(1)),
        ("coder-2", begin(2)),
        ("coder-2", acquired(2)),
        ("store", write(2, 2, 2)),
        ("coder-2", released(2)),
    ]
}

/// coder-1 claims a task and gives it back, coder-2 claims and finishes it.
fn claims_in_turn() -> Stated {
    vec![
        ("coder-1", claimed(1)),
        ("coder-1", Fact::TaskReleased { task: 7, reason: "too hard" }),
        ("coder-2", claimed(2)),
        ("coder-2", finished()),
        ("coder-1", Fact::Progress { item: 7 }),
    ]
}

fn lock() -> Run {
    run(&lock_in_turn())
}

fn claims() -> Run {
    run(&claims_in_turn())
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    vec![
        Fixture {
            kind: KIND,
            config: MonitorConfig::default,
            correct: lock,
            mutations: &[
                ("a write comes under the old fence", |run| run.restate(6, [write(2, 2, 1)])),
                ("the lock is taken under the old fence", |run| run.restate(6, [acquired(1)])),
                ("the lock is given back under the old fence", |run| run.restate(7, [released(1)])),
                ("the first had a newer fence", |run| run.restate(1, [acquired(3)])),
            ],
        },
        Fixture {
            kind: KIND,
            config: MonitorConfig::default,
            correct: claims,
            mutations: &[("the first never gave it back, and finishes it", |run| {
                run.restate(1, []);
                run.restate(4, [finished()]);
            })],
        },
    ]
}

#[test]
fn one_changed_line_in_a_correct_history_is_found() {
    let checks: [(Stated, usize, (&str, Fact<'static>)); 6] = [
        (lock_in_turn(), 6, ("store", write(2, 2, 1))),
        (lock_in_turn(), 6, ("coder-1", acquired(1))),
        (lock_in_turn(), 7, ("coder-1", released(1))),
        (lock_in_turn(), 1, ("coder-1", acquired(3))),
        (claims_in_turn(), 1, ("coder-1", Fact::Progress { item: 7 })),
        (claims_in_turn(), 3, ("coder-2", finished())),
    ];
    for (index, (correct, line, changed)) in checks.into_iter().enumerate() {
        assert_eq!(run(&correct).findings(KIND), [], "{correct:?}");
        let mut wrong = correct;
        wrong[line] = changed;
        if index >= 4 {
            // The first holder never gave the task back, and finishes it after all.
            wrong[1] = ("coder-1", Fact::Progress { item: 7 });
            wrong.push(("coder-1", finished()));
        }
        assert!(!run(&wrong).findings(KIND).is_empty(), "{wrong:?}");
    }
}

#[test]
fn near_misses_stay_silent() {
    let checks: [(&str, Stated); 6] = [
        ("no fences", vec![("coder-1", acquired(0)), ("coder-2", acquired(0)), ("store", write(1, 1, 0))]),
        ("no fence after one", vec![("coder-1", acquired(3)), ("store", write(1, 1, 0))]),
        ("the same fence again", vec![("coder-1", acquired(3)), ("store", write(1, 1, 3))]),
        ("a late answer to a claim, and no act", vec![("coder-2", claimed(2)), ("coder-1", claimed(1))]),
        (
            "the same agent claimed it again",
            vec![("coder-1", claimed(1)), ("coder-1", claimed(2)), ("coder-1", finished())],
        ),
        (
            "somebody without a claim finished it",
            vec![("coder-1", claimed(1)), ("coder-2", claimed(2)), ("coder-3", finished())],
        ),
    ];
    for (name, stated) in checks {
        assert_eq!(run(&stated).findings(KIND), [], "{name}");
    }
}

#[test]
fn a_zombie_is_told_with_what_it_spent() {
    let finding = run(&vec![
        ("coder-1", begin(1)),
        ("coder-1", acquired(1)),
        ("coder-1", spent(9)),
        ("coder-2", acquired(2)),
        ("coder-1", spent(2_000_000_000)),
        ("store", write(1, 1, 1)),
        ("coder-1", released(1)),
    ])
    .finding(KIND);
    assert_eq!(
        finding.summary,
        "ZOMBIE WRITE on plan.md at 00:00:05: coder-1 wrote plan.md under fence 1 after coder-2 had fence 2; it \
         happened twice; coder-1 spent $2.00 after it had lost its hold"
    );
    assert_eq!(finding.agents, ["coder-1", "coder-2"]);
    let told: Vec<(u64, &str)> =
        finding.evidence.iter().map(|evidence| (evidence.event, evidence.text.as_str())).collect();
    assert_eq!(
        told,
        [
            (3, "coder-2 came with fence 2 for plan.md"),
            (5, "coder-1 wrote plan.md under fence 1"),
            (6, "coder-1 released plan.md under fence 1"),
        ]
    );
    assert_eq!(finding.lead_time_ns, Some(2 * SECOND));
    assert_eq!(finding.saved_nano_dollars, Some(2_000_000_000));
    assert!(finding.matches(KIND, &[("resource", "plan.md"), ("agent", "coder-1")]));
}

#[test]
fn a_task_finished_by_its_former_holder_is_told() {
    let stated = vec![
        ("coder-1", claimed(1)),
        ("coder-2", claimed(2)),
        ("coder-2", finished()),
        ("coder-1", finished()),
    ];
    let finding = run(&stated).finding(KIND);
    assert_eq!(
        finding.summary,
        "ZOMBIE WRITE on tasks at 00:00:03: coder-1 finished task 7 under fence 1 after coder-2 had fence 2"
    );
    assert_eq!(finding.about["task"], ["7"]);
}

#[test]
fn batches_of_any_size_give_the_same_findings() {
    let mut stated = lock_in_turn();
    stated.extend(lock_in_turn());
    let run = run(&stated);
    let config = fleetsim_monitors::MonitorConfig::default();
    let whole = run.report_in(&config, 32_768).findings;
    assert!(!whole.is_empty());
    for size in [1, 7] {
        assert_eq!(run.report_in(&config, size).findings, whole);
    }
}
