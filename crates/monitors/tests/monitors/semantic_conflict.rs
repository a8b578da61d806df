//! Results that pass one by one and fail together, and failures that something else explains.

use fleetsim_engine::{Fact, SECOND};
use fleetsim_monitors::MonitorConfig;

use crate::mutations::Fixture;
use crate::support::Run;

const KIND: &str = "semantic-conflict";

const fn checked(item: u64, passed: bool) -> Fact<'static> {
    Fact::Checked { item, passed, actual: passed }
}

const fn write(operation: u64, based_on: u64, version: u64) -> Fact<'static> {
    Fact::Write { operation, resource: "main.rs", based_on, version, fence: 0 }
}

/// Who states what, ten seconds after each other.
fn run(stated: &[(&str, Fact<'static>)]) -> Run {
    let mut run = Run::default();
    for (index, (agent, fact)) in stated.iter().enumerate() {
        run.at(10 * index as u64, agent, [fact.clone()]);
    }
    run
}

const CORRECT: [(&str, Fact<'static>); 5] = [
    ("store", write(1, 0, 1)),
    ("coder-1", checked(1, true)),
    ("store", write(2, 1, 2)),
    ("coder-2", checked(2, true)),
    ("lead", checked(0, true)),
];

fn all_pass() -> Run {
    run(&CORRECT)
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    vec![Fixture {
        kind: KIND,
        config: MonitorConfig::default,
        correct: all_pass,
        mutations: &[("all together fail", |run| run.restate(4, [checked(0, false)]))],
    }]
}

#[test]
fn each_green_and_together_red_is_a_conflict() {
    assert_eq!(run(&CORRECT).findings(KIND), []);
    let mut wrong = CORRECT;
    wrong[4].1 = checked(0, false);
    let finding = run(&wrong).finding(KIND);
    assert_eq!(
        finding.summary,
        "SEMANTIC CONFLICT at 00:00:40: 2 results passed one by one and failed together"
    );
    let told: Vec<(u64, &str)> =
        finding.evidence.iter().map(|evidence| (evidence.event, evidence.text.as_str())).collect();
    assert_eq!(
        told,
        [
            (1, "coder-1 checked item 1 by itself: passed"),
            (3, "coder-2 checked item 2 by itself: passed"),
            (4, "lead checked all together: failed"),
        ]
    );
    assert_eq!(finding.agents, ["coder-1", "coder-2"]);
    assert_eq!(finding.lead_time_ns, Some(10 * SECOND));
    assert!(finding.matches(KIND, &[("item", "2"), ("agent", "coder-1")]));
}

#[test]
fn near_misses_stay_silent() {
    let red = ("lead", checked(0, false));
    let checks: [(&str, &[(&str, Fact<'static>)]); 7] = [
        (
            "one result failed by itself",
            &[("coder-1", checked(1, true)), ("coder-2", checked(2, false)), red.clone()],
        ),
        ("there is only one result", &[("coder-1", checked(1, true)), red.clone()]),
        ("nothing was checked by itself", core::slice::from_ref(&red)),
        (
            "a check overlooked that a result is wrong",
            &[
                ("coder-1", checked(1, true)),
                ("coder-2", Fact::Checked { item: 2, passed: true, actual: false }),
                red.clone(),
            ],
        ),
        (
            "the check of the whole is mistaken",
            &[
                ("coder-1", checked(1, true)),
                ("coder-2", checked(2, true)),
                ("lead", Fact::Checked { item: 0, passed: false, actual: true }),
            ],
        ),
        (
            "a part was lost",
            &[
                ("store", write(1, 0, 1)),
                ("store", write(2, 0, 2)),
                ("coder-1", checked(1, true)),
                ("coder-2", checked(2, true)),
                red.clone(),
            ],
        ),
        (
            "a result that passed failed when it was checked again",
            &[
                ("coder-1", checked(1, true)),
                ("coder-2", checked(2, true)),
                ("coder-1", checked(1, false)),
                red.clone(),
            ],
        ),
    ];
    for (name, stated) in checks {
        assert_eq!(run(stated).findings(KIND), [], "{name}");
    }
}

#[test]
fn what_passed_together_is_one_part_of_the_next_whole() {
    let mut run = run(&CORRECT);
    run.at(50, "coder-3", [checked(3, true)]).at(60, "lead", [checked(0, false)]);
    assert_eq!(run.finding(KIND).numbers.get("results"), Some(2));
}

#[test]
fn the_same_failure_checked_again_is_not_counted_again() {
    let mut wrong = CORRECT;
    wrong[4].1 = checked(0, false);
    let mut run = run(&wrong);
    run.at(50, "lead", [checked(0, false)]);
    assert_eq!(run.finding(KIND).count, 1);
    run.at(60, "coder-1", [checked(1, true)]).at(70, "lead", [checked(0, false)]);
    let finding = run.finding(KIND);
    assert_eq!(finding.count, 2);
    assert!(finding.summary.ends_with("; it happened twice"));
}
