//! Duplicate work: at once, twice, and what only looks like it.

use fleetsim_engine::Fact;
use fleetsim_monitors::MonitorConfig;

use crate::mutations::Fixture;
use crate::support::{Run, id};

const KIND: &str = "duplicate-work";

fn started(task: u64, attempt: u32) -> Fact<'static> {
    Fact::TaskStarted { task, attempt }
}

fn finished(task: u64, reported: bool) -> Fact<'static> {
    Fact::TaskFinished { task, attempt: 1, reported, actual: reported }
}

fn spent(nano_dollars: u64) -> Fact<'static> {
    Fact::Spent { tokens_in: 1, cached: 0, tokens_out: 1, nano_dollars }
}

fn one_each() -> Run {
    let mut run = Run::default();
    run.at(10, "coder-1", [started(1, 1)]).at(11, "coder-2", [started(2, 1)]);
    run.at(80, "coder-1", [finished(1, true)]).at(90, "coder-2", [finished(2, true)]);
    run
}

fn given_back_in_between() -> Run {
    let mut run = Run::default();
    run.at(0, "coder-1", [started(1, 1)]).at(1, "coder-1", [Fact::TaskReleased { task: 1, reason: "tired" }]);
    run.at(2, "coder-2", [started(1, 2)]).at(3, "coder-2", [finished(1, true)]);
    run
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    vec![
        Fixture {
            kind: KIND,
            config: MonitorConfig::default,
            correct: one_each,
            mutations: &[
                ("both begin one task", |run| run.restate(1, [started(1, 1)])),
                ("both finish one task", |run| run.restate(3, [finished(1, true)])),
                ("one finishes it twice", |run| run.repeat_at(2, 85)),
            ],
        },
        Fixture {
            kind: KIND,
            config: MonitorConfig::default,
            correct: given_back_in_between,
            mutations: &[("it is not given back", |run| run.leave_out(1))],
        },
    ]
}

#[test]
fn two_at_one_task_at_once_are_found_with_what_was_wasted() {
    let mut run = Run::default();
    run.at(0, "coder-1", [started(1, 1)]).at(60, "coder-2", [started(1, 1)]);
    run.at(70, "coder-1", [spent(5_000_000_000)]).at(80, "coder-2", [spent(2_000_000_000)]);
    run.at(90, "coder-2", [finished(1, true)]).at(95, "coder-2", [spent(1_000_000_000)]);
    let finding = run.finding(KIND);
    assert_eq!(
        finding.summary,
        "DUPLICATE WORK at 00:01:00: coder-2 began attempt 1 at task 1 1m after coder-1 had begun it, who was not \
         through; the later ones spent $2.00"
    );
    assert_eq!(finding.agents, ["coder-1", "coder-2"]);
    assert_eq!(finding.saved_nano_dollars, Some(2_000_000_000));
    assert!(finding.matches(KIND, &[("role", "coder"), ("form", "at-once")]));
}

#[test]
fn a_task_done_twice_is_found() {
    let mut run = Run::default();
    run.at(0, "coder-1", [finished(1, true)]).at(3600, "reviewer-1", [finished(1, true)]);
    run.at(3700, "coder-1", [finished(2, true)]).at(3800, "reviewer-2", [finished(2, true)]);
    let finding = run.finding(KIND);
    assert_eq!(
        finding.summary,
        "DUPLICATE WORK at 01:00:00: reviewer-1 reported task 1 done 1h after coder-1 had; 2 times in all"
    );
    assert_eq!(finding.count, 2);
}

#[test]
fn near_misses_stay_silent() {
    let released = Fact::TaskReleased { task: 1, reason: "lease" };
    let received = |offer| Fact::Received { seam: "topics", item: 1, offer, giver: id("store") };
    type Steps = Vec<(&'static str, Vec<Fact<'static>>)>;
    let cases: Vec<(&str, Steps)> = vec![
        (
            "one after the other",
            vec![
                ("coder-1", vec![started(1, 1)]),
                ("coder-1", vec![finished(1, false)]),
                ("coder-2", vec![started(1, 2)]),
                ("coder-2", vec![finished(1, true)]),
            ],
        ),
        (
            "given back in between",
            vec![
                ("coder-1", vec![started(1, 1)]),
                ("store", vec![released]),
                ("coder-2", vec![started(1, 1), finished(1, true)]),
            ],
        ),
        ("the same agent again", vec![("coder-1", vec![started(1, 1)]), ("coder-1", vec![started(1, 2)])]),
        (
            "claimed by two, begun by one",
            vec![
                ("coder-1", vec![Fact::TaskClaimed { task: 1, fence: 0 }]),
                ("coder-2", vec![Fact::TaskClaimed { task: 1, fence: 0 }, started(1, 1)]),
            ],
        ),
        (
            "the harm of a duplicate hand-over",
            vec![
                ("coder-1", vec![received(7), started(1, 1)]),
                ("coder-2", vec![received(7), started(1, 1)]),
                ("coder-1", vec![finished(1, true)]),
                ("coder-2", vec![finished(1, true)]),
            ],
        ),
        ("two tasks", vec![("coder-1", vec![started(1, 1)]), ("coder-2", vec![started(2, 1)])]),
    ];
    for (name, steps) in cases {
        let mut run = Run::default();
        for (second, (agent, facts)) in steps.into_iter().enumerate() {
            run.at(second as u64, agent, facts);
        }
        assert_eq!(run.findings(KIND), [], "{name}");
    }
    for gone in [Run::crash, Run::halt] {
        let mut run = Run::default();
        run.at(0, "coder-1", [started(1, 1)]);
        gone(&mut run, 1, "coder-1").at(2, "coder-2", [started(1, 1)]);
        assert_eq!(run.findings(KIND), [], "the first is gone");
    }
}

#[test]
fn two_offers_of_one_task_are_no_excuse() {
    let mut run = Run::default();
    for (second, agent, offer) in [(0, "coder-1", 1), (1, "coder-2", 2)] {
        let received = Fact::Received { seam: "topics", item: 1, offer, giver: id("store") };
        run.at(second, agent, [received, started(1, 1)]);
    }
    assert_eq!(run.findings(KIND).len(), 1);
}
