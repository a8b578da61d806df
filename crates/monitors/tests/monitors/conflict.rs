//! Circles of dependencies, dirty reads and stale reads: what fires each, what looks like one and is none, and one
//! changed line in a correct history.

use fleetsim_engine::{Fact, Names, SECOND};
use fleetsim_monitors::{Conflict, Finding, Monitor, MonitorConfig, RunEnd};

use crate::mutations::Fixture;
use crate::support::{Run, manifest, only};

const KINDS: [&str; 5] = ["dirty-write", "dirty-read", "read-skew", "write-skew", "stale-read"];

fn begin(operation: u64) -> Fact<'static> {
    Fact::OperationBegin { operation }
}

fn read(operation: u64, resource: &'static str, version: u64) -> Fact<'static> {
    Fact::Read { operation, resource, version }
}

fn write(operation: u64, resource: &'static str, based_on: u64, version: u64) -> Fact<'static> {
    Fact::Write { operation, resource, based_on, version, fence: 0 }
}

fn commit(operation: u64) -> Fact<'static> {
    Fact::OperationCommit { operation }
}

fn abort(operation: u64) -> Fact<'static> {
    Fact::OperationAbort { operation }
}

fn unknown(operation: u64) -> Fact<'static> {
    Fact::OperationIndeterminate { operation }
}

fn spent(nano_dollars: u64) -> Fact<'static> {
    Fact::Spent { tokens_in: 1, cached: 0, tokens_out: 1, nano_dollars }
}

/// One fact every second. Writes are stated by the store, the rest by the coder of the operation's number.
fn run(facts: &[Fact<'static>]) -> Run {
    let mut run = Run::default();
    for (second, fact) in facts.iter().enumerate() {
        let agent = match fact {
            Fact::Write { .. } => "store".to_owned(),
            Fact::OperationBegin { operation }
            | Fact::OperationCommit { operation }
            | Fact::OperationAbort { operation }
            | Fact::OperationIndeterminate { operation }
            | Fact::Read { operation, .. } => format!("coder-{operation}"),
            _ => "coder-1".to_owned(),
        };
        run.at(second as u64, &agent, [fact.clone()]);
    }
    run
}

/// The kinds of the findings of this family and of its neighbour, the lost update.
fn kinds(facts: &[Fact<'static>]) -> Vec<&'static str> {
    let is_of_family = |kind: &&str| KINDS.contains(kind) || *kind == "lost-update";
    run(facts).report().findings.iter().map(|finding| finding.kind).filter(is_of_family).collect()
}

/// A history in which all is well, and what one changed line makes of it.
struct Mutation {
    correct: Vec<Fact<'static>>,
    line: usize,
    changed: Fact<'static>,
    kind: &'static str,
}

fn mutations() -> Vec<Mutation> {
    let dirty_write = Mutation {
        correct: vec![
            begin(1),
            begin(2),
            write(1, "x", 0, 1),
            write(2, "x", 1, 2),
            write(2, "y", 0, 1),
            write(2, "y", 1, 2),
            commit(1),
            commit(2),
        ],
        line: 5,
        changed: write(1, "y", 1, 2),
        kind: "dirty-write",
    };
    let aborted_read = Mutation {
        correct: vec![begin(1), write(1, "x", 0, 1), commit(1), begin(2), read(2, "x", 1), commit(2)],
        line: 2,
        changed: abort(1),
        kind: "dirty-read",
    };
    let intermediate_read = Mutation {
        correct: vec![
            begin(1),
            write(1, "x", 0, 1),
            begin(2),
            read(2, "x", 1),
            commit(2),
            write(1, "y", 0, 1),
            commit(1),
        ],
        line: 5,
        changed: write(1, "x", 1, 2),
        kind: "dirty-read",
    };
    let circular_reads = Mutation {
        correct: vec![
            begin(1),
            begin(2),
            write(1, "x", 0, 1),
            read(2, "x", 1),
            write(2, "y", 0, 1),
            read(1, "y", 0),
            commit(1),
            commit(2),
        ],
        line: 5,
        changed: read(1, "y", 1),
        kind: "dirty-read",
    };
    let read_skew = Mutation {
        correct: vec![
            begin(1),
            read(1, "x", 0),
            begin(2),
            write(2, "x", 0, 1),
            write(2, "y", 0, 1),
            commit(2),
            read(1, "y", 0),
            commit(1),
        ],
        line: 6,
        changed: read(1, "y", 1),
        kind: "read-skew",
    };
    let write_skew = Mutation {
        correct: vec![
            begin(1),
            begin(2),
            read(1, "x", 0),
            read(1, "z", 0),
            read(2, "x", 0),
            write(1, "x", 0, 1),
            write(2, "y", 0, 1),
            commit(1),
            commit(2),
        ],
        line: 3,
        changed: read(1, "y", 0),
        kind: "write-skew",
    };
    let stale_read = Mutation {
        correct: vec![begin(1), write(1, "x", 0, 1), commit(1), begin(2), read(2, "x", 1), commit(2)],
        line: 4,
        changed: read(2, "x", 0),
        kind: "stale-read",
    };
    vec![dirty_write, aborted_read, intermediate_read, circular_reads, read_skew, write_skew, stale_read]
}

fn correct<const NUMBER: usize>() -> Run {
    run(&mutations()[NUMBER].correct)
}

fn wrong<const NUMBER: usize>(run: &mut Run) {
    let Mutation { line, changed, .. } = mutations().swap_remove(NUMBER);
    run.restate(line, [changed]);
}

pub(crate) fn fixtures() -> Vec<Fixture> {
    let fixture =
        |kind, correct, mutations| Fixture { kind, config: MonitorConfig::default, correct, mutations };
    vec![
        fixture("dirty-write", correct::<0>, &[("another writes in between", wrong::<0>)]),
        fixture("dirty-read", correct::<1>, &[("what was read is taken back", wrong::<1>)]),
        fixture("dirty-read", correct::<2>, &[("what was read is written again", wrong::<2>)]),
        fixture("dirty-read", correct::<3>, &[("each reads what the other is at", wrong::<3>)]),
        fixture("read-skew", correct::<4>, &[("the second page is read after the change", wrong::<4>)]),
        fixture("write-skew", correct::<5>, &[("each reads what the other changes", wrong::<5>)]),
        fixture("stale-read", correct::<6>, &[("the read gives the version before", wrong::<6>)]),
    ]
}

#[test]
fn one_changed_line_in_a_correct_history_is_found_and_told_once() {
    for Mutation { correct, line, changed, kind } in mutations() {
        assert_eq!(kinds(&correct), [""; 0], "{kind}: {correct:?}");
        let mut wrong = correct;
        wrong[line] = changed;
        assert_eq!(kinds(&wrong), [kind], "{wrong:?}");
    }
}

#[test]
fn an_indeterminate_operation_is_never_part_of_a_conflict() {
    for Mutation { mut correct, line, changed, kind } in mutations() {
        correct[line] = changed;
        for ending in 0..correct.len() {
            let (Fact::OperationCommit { operation } | Fact::OperationAbort { operation }) = correct[ending]
            else {
                continue;
            };
            let mut facts = correct.clone();
            facts[ending] = unknown(operation);
            // A read is stale whatever becomes of the reader; not so if nobody knows that it was overtaken.
            let expected: &[&str] = if kind == "stale-read" && operation == 2 { &[kind] } else { &[] };
            assert_eq!(kinds(&facts), expected, "{facts:?}");
        }
    }
}

#[test]
fn near_misses_stay_silent() {
    let checks: [(&str, &[Fact<'static>]); 10] = [
        (
            "the reader aborted",
            &[begin(1), write(1, "x", 0, 1), begin(2), read(2, "x", 1), abort(2), abort(1)],
        ),
        (
            "the maker committed after it was read",
            &[begin(1), write(1, "x", 0, 1), begin(2), read(2, "x", 1), commit(2), commit(1)],
        ),
        (
            "one of two that overwrote each other aborted",
            &[
                write(1, "x", 0, 1),
                write(2, "x", 1, 2),
                write(2, "y", 0, 1),
                write(1, "y", 0, 2),
                commit(1),
                abort(2),
            ],
        ),
        (
            "looked again before it committed",
            &[
                begin(1),
                read(1, "x", 0),
                write(2, "x", 0, 1),
                write(2, "y", 0, 1),
                commit(2),
                read(1, "y", 1),
                read(1, "x", 1),
                commit(1),
            ],
        ),
        (
            "saw both as they were before",
            &[
                begin(1),
                read(1, "x", 0),
                write(2, "x", 0, 1),
                write(2, "y", 0, 1),
                commit(2),
                read(1, "y", 0),
                commit(1),
            ],
        ),
        (
            "saw both changes of operations that have not ended",
            &[
                begin(1),
                read(1, "x", 0),
                write(2, "x", 0, 1),
                write(2, "y", 0, 1),
                read(1, "y", 1),
                commit(1),
            ],
        ),
        (
            "of two that read what the other changed, the second began when the first had committed",
            &[
                begin(1),
                read(1, "x", 0),
                read(1, "y", 0),
                write(1, "x", 0, 1),
                commit(1),
                begin(2),
                read(2, "x", 1),
                read(2, "y", 0),
                write(2, "y", 0, 1),
                commit(2),
            ],
        ),
        (
            "the newer version was committed after the reader had begun",
            &[begin(2), write(1, "x", 0, 1), commit(1), read(2, "x", 0), commit(2)],
        ),
        ("nobody knows when the reader began", &[write(1, "x", 0, 1), commit(1), read(2, "x", 0), commit(2)]),
        (
            "the store counts versions anew",
            &[
                write(1, "x", 0, 1),
                write(1, "x", 1, 2),
                abort(1),
                write(2, "x", 0, 1),
                commit(2),
                begin(3),
                read(3, "x", 1),
                commit(3),
            ],
        ),
    ];
    for (name, facts) in checks {
        assert_eq!(kinds(facts), [""; 0], "{name}");
    }
}

#[test]
fn a_lost_update_is_told_as_that_alone() {
    let facts = [
        begin(1),
        begin(2),
        read(1, "x", 0),
        read(2, "x", 0),
        write(1, "x", 0, 1),
        commit(1),
        write(2, "x", 0, 2),
        commit(2),
    ];
    assert_eq!(kinds(&facts), ["lost-update"]);
}

fn told(finding: &Finding) -> Vec<(u64, &str)> {
    finding.evidence.iter().map(|evidence| (evidence.event, evidence.text.as_str())).collect()
}

#[test]
fn write_skew_is_told_with_its_circle_signal_and_cost() {
    let finding = only(
        run(&[
            begin(1),
            begin(2),
            read(1, "roster", 0),
            read(1, "phones", 0),
            read(2, "roster", 0),
            read(2, "phones", 0),
            spent(70),
            write(2, "roster", 0, 1),
            spent(3_000_000_000),
            commit(2),
            write(1, "phones", 0, 1),
            commit(1),
        ])
        .findings("write-skew"),
    );
    assert_eq!(
        finding.summary,
        "WRITE SKEW on roster and phones at 00:00:11: coder-1 read version 0 of roster, which coder-2 replaced, \
         and coder-2 read version 0 of phones, which coder-1 replaced: neither saw the other's change; coder-1 \
         spent $3.00 after the conflict could be seen"
    );
    assert_eq!(
        told(&finding),
        [
            (2, "coder-1 read version 0 of roster"),
            (5, "coder-2 read version 0 of phones"),
            (7, "coder-2 wrote version 1 of roster"),
            (10, "coder-1 wrote version 1 of phones"),
            (11, "coder-1 committed, the last of 2 operations"),
        ]
    );
    let signal = finding.earliest_signal.as_ref().expect("the first write");
    assert_eq!(
        (signal.event, signal.text.as_str()),
        (7, "version 0 of roster was old and coder-1 still worked on it")
    );
    assert_eq!(finding.lead_time_ns, Some(4 * SECOND));
    assert_eq!(finding.saved_nano_dollars, Some(3_000_000_000));
    assert_eq!(finding.numbers.get("smallest_circle_operations"), Some(2));
    assert!(finding.matches("write-skew", &[("resource", "phones"), ("agent", "coder-2")]));
}

/// What a mutation makes of its history, by kind and position among those of the kind.
fn sentence(kind: &str, nth: usize) -> String {
    let mutation = mutations().into_iter().filter(|mutation| mutation.kind == kind).nth(nth);
    let Mutation { mut correct, line, changed, .. } = mutation.expect("it is listed");
    correct[line] = changed;
    run(&correct).finding(kind).summary
}

#[test]
fn each_kind_has_its_sentence() {
    let checks = [
        (
            "dirty-write",
            0,
            "DIRTY WRITE on x and y at 00:00:07: coder-1 overwrote coder-2's version 1 of y, and coder-2 \
             overwrote coder-1's version 1 of x: what is left is of neither order",
        ),
        (
            "dirty-read",
            0,
            "DIRTY READ on x at 00:00:05: coder-2 read coder-1's version 1, which took no effect",
        ),
        (
            "dirty-read",
            1,
            "DIRTY READ on x at 00:00:06: coder-2 read coder-1's version 1, which coder-1 replaced before it committed",
        ),
        (
            "dirty-read",
            2,
            "DIRTY READ on x and y at 00:00:07: coder-1 read coder-2's version 1 of y, and coder-2 read coder-1's \
             version 1 of x: none of them can have come first",
        ),
        (
            "read-skew",
            0,
            "READ SKEW on x and y at 00:00:07: coder-1 read version 0 of x, which coder-2 replaced, and coder-1 \
             read coder-2's version 1 of y: there was no such state of both",
        ),
        (
            "stale-read",
            0,
            "STALE READ on x at 00:00:04: coder-2 read version 0, although version 1 was there before it began",
        ),
    ];
    for (kind, nth, expected) in checks {
        assert_eq!(sentence(kind, nth), expected);
    }
}

#[test]
fn the_smallest_of_several_circles_is_the_witness() {
    // 1 is overtaken by 2, 2 by 3, and 3 by 1 (three operations); and 3 and 1 by each other (two).
    let facts = [
        begin(1),
        begin(2),
        begin(3),
        read(1, "a", 0),
        read(1, "d", 0),
        read(2, "b", 0),
        read(3, "c", 0),
        write(2, "a", 0, 1),
        write(3, "b", 0, 1),
        write(3, "d", 0, 1),
        write(1, "c", 0, 1),
        commit(1),
        commit(2),
        commit(3),
    ];
    let finding = only(run(&facts).findings("write-skew"));
    assert_eq!(finding.numbers.get("smallest_circle_operations"), Some(2));
    assert_eq!(finding.about["resource"], ["d", "c"]);
    // Without the second read of 1, the circle of three is the smallest.
    let without: Vec<Fact<'static>> =
        facts.iter().filter(|fact| **fact != read(1, "d", 0)).cloned().collect();
    let finding = only(run(&without).findings("write-skew"));
    assert_eq!(finding.numbers.get("smallest_circle_operations"), Some(3));
}

#[test]
fn stale_reads_cost_what_was_spent_on_them() {
    let facts = [
        begin(1),
        write(1, "x", 0, 1),
        commit(1),
        begin(1),
        read(1, "x", 0),
        spent(5_000_000_000),
        abort(1),
        begin(2),
        read(2, "x", 0),
    ];
    let finding = run(&facts).finding("stale-read");
    assert_eq!((finding.count, finding.saved_nano_dollars), (2, Some(5_000_000_000)));
    assert_eq!(finding.lead_time_ns, Some(2 * SECOND), "since the newer version was committed");
    assert!(finding.summary.ends_with("; x was read stale twice; $5.00 was spent on work that rests on it"));
}

/// Shows a run to a monitor of its own.
fn shown(monitor: &mut Conflict, facts: &[Fact<'static>]) -> Vec<Finding> {
    let run = run(facts);
    let mut end = RunEnd { time: fleetsim_engine::Time::ZERO, complete: true, quiescent: true };
    for batch in run.batches(4096) {
        for step in &batch {
            let stated: Vec<Fact<'_>> = step.facts().collect();
            monitor.observe(&step, &stated);
            end.time = step.time;
        }
    }
    monitor.findings(&end, &Names::new(&manifest()))
}

/// Operations of which two are open at any time, on one resource, each based on the one before.
fn overlapping(count: u64) -> Vec<Fact<'static>> {
    let mut facts = Vec::new();
    for operation in 1..=count {
        facts.extend([
            begin(operation),
            read(operation, "log", operation - 1),
            write(operation, "log", operation - 1, operation),
        ]);
        if operation > 1 {
            facts.push(commit(operation - 1));
        }
    }
    facts
}

#[test]
fn what_can_no_longer_matter_is_not_kept() {
    let mut monitor = Conflict::default();
    assert_eq!(shown(&mut monitor, &overlapping(20_000)), []);
    assert!(monitor.operations_kept() <= 66, "{} are kept", monitor.operations_kept());
    assert_eq!(monitor.operations_forgotten(), 0);
}

#[test]
fn beyond_the_horizon_operations_are_forgotten_and_counted() {
    let mut monitor = Conflict::with_horizon(100);
    // An operation that never ends keeps everything after it.
    let mut facts = vec![begin(1_000_000), read(1_000_000, "other", 0)];
    facts.extend(overlapping(1_000));
    facts.extend([begin(2_000), write(2_000, "y", 0, 1), abort(2_000), begin(2_001), read(2_001, "y", 1)]);
    facts.push(commit(2_001));
    let findings = shown(&mut monitor, &facts);
    assert!(monitor.operations_kept() <= 101 + 2, "{} are kept", monitor.operations_kept());
    let forgotten = monitor.operations_forgotten();
    assert!(forgotten >= 900, "{forgotten}");
    let finding = only(findings);
    assert_eq!((finding.kind, finding.numbers.get("operations_forgotten")), ("dirty-read", Some(forgotten)));
    assert!(
        finding
            .summary
            .ends_with(&format!("{forgotten} operations were forgotten too early, there may be more"))
    );
}

#[test]
fn findings_about_many_resources_are_a_fixed_number() {
    let names: Vec<&'static str> = (0..200).map(|n| &*Box::leak(format!("r{n}").into_boxed_str())).collect();
    let mut facts = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let (maker, reader) = (2 * index as u64 + 1, 2 * index as u64 + 2);
        facts.extend([write(maker, name, 0, 1), abort(maker), read(reader, name, 1), commit(reader)]);
    }
    let findings = shown(&mut Conflict::default(), &facts);
    assert_eq!(findings.len(), 65);
    assert_eq!(findings.iter().map(|finding| finding.count).sum::<u64>(), 200);
    assert!(findings.iter().any(|finding| finding.summary.starts_with("DIRTY READ on other resources")));
}
