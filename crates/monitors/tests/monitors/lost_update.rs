//! Lost updates: the classic one, everything that looks like one and is none, and a checker by brute force.

use std::collections::BTreeSet;

use fleetsim_engine::{Fact, SECOND};
use proptest::prelude::*;

use crate::support::{Run, only};

const KIND: &str = "lost-update";
const PLAN: &str = "plan.md";

fn begin(operation: u64) -> Fact<'static> {
    Fact::OperationBegin { operation }
}

fn read(operation: u64, version: u64) -> Fact<'static> {
    Fact::Read { operation, resource: PLAN, version }
}

fn write(operation: u64, based_on: u64, version: u64) -> Fact<'static> {
    Fact::Write { operation, resource: PLAN, based_on, version, fence: 0 }
}

fn commit(operation: u64) -> Fact<'static> {
    Fact::OperationCommit { operation }
}

fn spent(nano_dollars: u64) -> Fact<'static> {
    Fact::Spent { tokens_in: 1, cached: 0, tokens_out: 1, nano_dollars }
}

/// coder-2 and coder-4 read version 7; coder-4 writes 8, coder-2 writes 9 over it.
fn classic() -> Run {
    let mut run = Run::default();
    run.at(800, "coder-2", [begin(2), read(2, 7), spent(100)])
        .at(810, "coder-4", [begin(4), read(4, 7)])
        .at(815, "coder-2", [spent(2_000_000_000)])
        .at(820, "store", [write(4, 7, 8)])
        .at(821, "coder-4", [commit(4)])
        .at(847, "store", [write(2, 7, 9)])
        .at(848, "coder-2", [commit(2)]);
    run
}

#[test]
fn a_stale_write_loses_the_version_in_between() {
    let finding = classic().finding(KIND);
    assert_eq!(
        finding.summary,
        "LOST UPDATE on plan.md at 00:14:07: coder-2 overwrote coder-4's version 8 after reading version 7; \
         coder-2 spent $2.00 after the conflict could be seen"
    );
    assert_eq!(finding.agents, ["coder-2", "coder-4"]);
    let witnesses: Vec<(u64, &str)> =
        finding.evidence.iter().map(|evidence| (evidence.event, evidence.text.as_str())).collect();
    assert_eq!(
        witnesses,
        [
            (0, "coder-2 read version 7"),
            (1, "coder-4 read what version 8 is based on"),
            (3, "coder-4 wrote version 8"),
            (5, "coder-2 wrote version 9, based on 7: coder-4's version 8 is lost"),
        ]
    );
    let signal = finding.earliest_signal.expect("the second read of version 7");
    assert_eq!(
        (signal.event, signal.text.as_str()),
        (1, "version 7 was read again while coder-2 still worked on it")
    );
    assert_eq!(finding.lead_time_ns, Some(37 * SECOND));
    assert_eq!(finding.saved_nano_dollars, Some(2_000_000_000), "what came before the signal is not saved");
}

/// Who states what, a second after each other.
type Stated<'a> = &'a [(&'a str, &'a [Fact<'static>])];

#[test]
fn near_misses_stay_silent() {
    let checks: [(&str, Stated<'_>); 8] = [
        (
            "in turn",
            &[
                ("coder-1", &[read(1, 7)]),
                ("store", &[write(1, 7, 8)]),
                ("coder-1", &[commit(1)]),
                ("coder-2", &[read(2, 8)]),
                ("store", &[write(2, 8, 9)]),
                ("coder-2", &[commit(2)]),
            ],
        ),
        (
            "the overwritten one was aborted",
            &[
                ("coder-1", &[read(1, 7)]),
                ("coder-2", &[read(2, 7)]),
                ("store", &[write(1, 7, 8)]),
                ("coder-1", &[Fact::OperationAbort { operation: 1 }]),
                ("store", &[write(2, 7, 9)]),
                ("coder-2", &[commit(2)]),
            ],
        ),
        (
            "the overwriting one was aborted",
            &[
                ("coder-1", &[read(1, 7)]),
                ("coder-2", &[read(2, 7)]),
                ("store", &[write(1, 7, 8)]),
                ("coder-1", &[commit(1)]),
                ("store", &[write(2, 7, 9)]),
                ("coder-2", &[Fact::OperationAbort { operation: 2 }]),
            ],
        ),
        (
            "the overwriting one has not ended",
            &[
                ("coder-1", &[read(1, 7)]),
                ("coder-2", &[read(2, 7)]),
                ("store", &[write(1, 7, 8)]),
                ("coder-1", &[commit(1)]),
                ("store", &[write(2, 7, 9)]),
            ],
        ),
        (
            "the overwritten one has not ended",
            &[
                ("coder-1", &[read(1, 7)]),
                ("coder-2", &[read(2, 7)]),
                ("store", &[write(1, 7, 8)]),
                ("store", &[write(2, 7, 9)]),
                ("coder-2", &[commit(2)]),
            ],
        ),
        (
            "it had read the version in between as well",
            &[
                ("coder-1", &[read(1, 7)]),
                ("coder-2", &[read(2, 7)]),
                ("store", &[write(1, 7, 8)]),
                ("coder-1", &[commit(1)]),
                ("coder-2", &[read(2, 8)]),
                ("store", &[write(2, 7, 9)]),
                ("coder-2", &[commit(2)]),
            ],
        ),
        (
            "both writes are of one operation",
            &[
                ("coder-1", &[read(1, 7)]),
                ("store", &[write(1, 7, 8)]),
                ("store", &[write(1, 7, 9)]),
                ("coder-1", &[commit(1)]),
            ],
        ),
        (
            "both read and one wrote",
            &[
                ("coder-1", &[read(1, 7)]),
                ("coder-2", &[read(2, 7)]),
                ("store", &[write(1, 7, 8)]),
                ("coder-1", &[commit(1)]),
                ("coder-2", &[commit(2)]),
            ],
        ),
    ];
    for (name, steps) in checks {
        let mut run = Run::default();
        for (second, (agent, facts)) in steps.iter().enumerate() {
            run.at(second as u64, agent, facts.iter().cloned());
        }
        assert_eq!(run.findings(KIND), [], "{name}");
    }
}

#[test]
fn a_version_that_commits_after_it_was_overwritten_is_lost_then() {
    let mut run = Run::default();
    run.at(1, "coder-1", [begin(1), read(1, 7)])
        .at(2, "coder-2", [begin(2), read(2, 7)])
        .at(3, "store", [write(1, 7, 8)])
        .at(4, "store", [write(2, 7, 9)])
        .at(5, "coder-2", [commit(2)])
        .at(6, "coder-1", [commit(1)]);
    let finding = run.finding(KIND);
    assert_eq!((finding.event, finding.count), (3, 1), "the damage is the write, not the commit");
}

#[test]
fn a_write_that_arrives_after_its_writer_gave_up_counts() {
    let mut run = Run::default();
    run.at(1, "coder-1", [begin(1), read(1, 7)])
        .at(2, "coder-2", [begin(2), read(2, 7)])
        .at(3, "store", [write(1, 7, 8)])
        .at(4, "coder-1", [commit(1)])
        .at(5, "coder-2", [Fact::OperationIndeterminate { operation: 2 }])
        .at(6, "store", [write(2, 7, 9)]);
    assert!(run.finding(KIND).summary.contains("coder-2 overwrote coder-1's version 8"));
}

#[test]
fn a_stale_read_is_its_own_signal() {
    let mut run = Run::default();
    run.at(1, "coder-1", [begin(1), read(1, 7)])
        .at(2, "store", [write(1, 7, 8)])
        .at(3, "coder-1", [commit(1)])
        .at(4, "coder-2", [begin(2), read(2, 7)])
        .at(5, "store", [write(2, 7, 9)])
        .at(6, "coder-2", [commit(2)]);
    let signal = run.finding(KIND).earliest_signal.expect("the stale read");
    assert_eq!((signal.event, signal.text.as_str()), (3, "coder-2 read version 7"));
}

#[test]
fn losses_of_one_resource_are_one_finding() {
    let mut run = Run::default();
    for round in 0..5 {
        let (base, first, second) = (3 * round, 2 * round, 2 * round + 1);
        run.at(10 * round, "coder-1", [begin(first), read(first, base)])
            .at(10 * round + 1, "coder-2", [begin(second), read(second, base)])
            .at(10 * round + 2, "store", [write(first, base, base + 1), write(second, base, base + 2)])
            .at(10 * round + 3, "coder-1", [commit(first)])
            .at(10 * round + 3, "coder-2", [commit(second)]);
    }
    let finding = only(run.findings(KIND));
    assert_eq!(finding.count, 5);
    assert_eq!(finding.evidence.len(), 4 + 2, "all of the first, the last of two more");
    assert!(
        finding.matches(KIND, &[("resource", PLAN)]) && !finding.matches(KIND, &[("resource", "main.rs")])
    );
}

/// An operation of a random history: who, what it read, and how it ends.
#[derive(Clone, Debug)]
enum Move {
    Read { operation: u64, back: u64 },
    Write { operation: u64 },
    End { operation: u64, how: u8 },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let operation = 0_u64..5;
    let one = prop_oneof![
        3 => (operation.clone(), 0_u64..3).prop_map(|(operation, back)| Move::Read { operation, back }),
        3 => operation.clone().prop_map(|operation| Move::Write { operation }),
        2 => (operation, 0_u8..3).prop_map(|(operation, how)| Move::End { operation, how }),
    ];
    prop::collection::vec(one, 0..30)
}

/// The facts of a history in which an operation writes what it read last and ends at most once.
fn history(moves: &[Move]) -> Vec<Fact<'static>> {
    let (mut facts, mut version, mut last_read, mut ended) = (Vec::new(), 0, [None; 5], BTreeSet::new());
    for one in moves {
        let (Move::Read { operation, .. } | Move::Write { operation } | Move::End { operation, .. }) = one;
        if ended.contains(operation) {
            continue;
        }
        match one {
            Move::Read { operation, back } => {
                let seen = u64::saturating_sub(version, *back);
                last_read[*operation as usize] = Some(seen);
                facts.push(read(*operation, seen));
            }
            Move::Write { operation } => {
                version += 1;
                facts.push(write(*operation, last_read[*operation as usize].unwrap_or(0), version));
            }
            Move::End { operation, how } => {
                ended.insert(*operation);
                facts.push(match how {
                    0 => Fact::OperationAbort { operation: *operation },
                    1 => Fact::OperationIndeterminate { operation: *operation },
                    _ => commit(*operation),
                });
            }
        }
    }
    facts
}

/// The lost versions, by the definition alone.
fn lost_versions(facts: &[Fact<'static>]) -> BTreeSet<u64> {
    let took_effect = |operation: u64| {
        facts.iter().any(|fact| {
            matches!(fact, Fact::OperationCommit { operation: of } | Fact::OperationIndeterminate { operation: of } if *of == operation)
        })
    };
    let writes: Vec<(usize, u64, u64, u64)> = facts
        .iter()
        .enumerate()
        .filter_map(|(at, fact)| match fact {
            Fact::Write { operation, based_on, version, .. } => Some((at, *operation, *based_on, *version)),
            _ => None,
        })
        .collect();
    let had_read = |operation: u64, before: usize, from: u64| {
        facts[..before]
            .iter()
            .any(|fact| matches!(fact, Fact::Read { operation: of, version, .. } if *of == operation && *version >= from))
    };
    let is_lost = |victim: &&(usize, u64, u64, u64)| {
        let (_, owner, _, lost) = **victim;
        writes.iter().any(|(at, operation, based_on, version)| {
            owner != *operation
                && took_effect(owner)
                && took_effect(*operation)
                && (*based_on < lost && lost < *version)
                && !had_read(*operation, *at, lost)
        })
    };
    writes.iter().filter(is_lost).map(|(.., version)| *version).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn what_is_lost_equals_what_brute_force_finds(moves in moves()) {
        let facts = history(&moves);
        let mut run = Run::default();
        for (second, fact) in facts.iter().enumerate() {
            let agent = match fact {
                Fact::Write { .. } => "store",
                Fact::Read { operation, .. } if operation % 2 == 0 => "coder-2",
                _ => "coder-1",
            };
            run.at(second as u64, agent, [fact.clone()]);
        }
        let found: u64 = run.findings(KIND).iter().map(|finding| finding.count).sum();
        prop_assert_eq!(found, lost_versions(&facts).len() as u64);
    }
}
