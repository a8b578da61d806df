//! Conflicts by brute force: the definitions read off the whole history, and every simple circle in it.

use std::collections::BTreeMap;

use fleetsim_engine::Fact;
use fleetsim_monitors::{Conflict, Monitor, MonitorConfig, RunEnd};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::{Run, manifest};

const RESOURCES: [&str; 3] = ["roster", "plan", "log"];
const AGENTS: [&str; 3] = ["coder-1", "coder-2", "writer-1"];
const OPERATIONS: u64 = 6;

/// A step of a random history.
#[derive(Clone, Debug)]
enum Move {
    Begin { operation: u64 },
    Read { operation: u64, resource: usize, back: u64 },
    Write { operation: u64, resource: usize, back: u64 },
    End { operation: u64, how: u8 },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let operation = || 0..OPERATIONS;
    let resource = || 0..RESOURCES.len();
    let back = || prop_oneof![3 => Just(0_u64), 1 => 1_u64..4];
    let one = prop_oneof![
        1 => operation().prop_map(|operation| Move::Begin { operation }),
        5 => (operation(), resource(), back())
            .prop_map(|(operation, resource, back)| Move::Read { operation, resource, back }),
        5 => (operation(), resource(), back())
            .prop_map(|(operation, resource, back)| Move::Write { operation, resource, back }),
        2 => (operation(), 0_u8..8).prop_map(|(operation, how)| Move::End { operation, how }),
    ];
    prop::collection::vec(one, 0..60)
}

/// Operations and what happens in them, in the order in which it happens. Operations that have ended begin again under
/// a new number, so that a history is not only its first few.
fn history(moves: &[Move]) -> Vec<Fact<'static>> {
    let mut facts = Vec::new();
    let mut newest = [0_u64; RESOURCES.len()];
    let mut round: BTreeMap<u64, u64> = BTreeMap::new();
    for one in moves {
        let (Move::Begin { operation: slot }
        | Move::Read { operation: slot, .. }
        | Move::Write { operation: slot, .. }
        | Move::End { operation: slot, .. }) = *one;
        let operation = slot + OPERATIONS * round.get(&slot).copied().unwrap_or(0);
        facts.push(match *one {
            Move::Begin { .. } => Fact::OperationBegin { operation },
            Move::Read { resource, back, .. } => {
                let version = newest[resource].saturating_sub(back);
                Fact::Read { operation, resource: RESOURCES[resource], version }
            }
            Move::Write { resource, back, .. } => {
                let based_on = newest[resource].saturating_sub(back);
                newest[resource] += 1;
                let (resource, version) = (RESOURCES[resource], newest[resource]);
                Fact::Write { operation, resource, based_on, version, fence: 0 }
            }
            Move::End { how, .. } => {
                *round.entry(slot).or_default() += 1;
                match how {
                    0 => Fact::OperationAbort { operation },
                    1 => Fact::OperationIndeterminate { operation },
                    _ => Fact::OperationCommit { operation },
                }
            }
        });
    }
    facts
}

/// The history as a run of one fact a step.
fn run(facts: &[Fact<'static>]) -> Run {
    let mut run = Run::default();
    for (second, fact) in facts.iter().enumerate() {
        let agent = match fact {
            Fact::Write { .. } => "store",
            other => AGENTS[(number(other) % AGENTS.len() as u64) as usize],
        };
        run.at(second as u64, agent, [fact.clone()]);
    }
    run
}

fn number(fact: &Fact<'_>) -> u64 {
    match fact {
        Fact::OperationBegin { operation }
        | Fact::OperationCommit { operation }
        | Fact::OperationAbort { operation }
        | Fact::OperationIndeterminate { operation }
        | Fact::Read { operation, .. }
        | Fact::Write { operation, .. } => *operation,
        other => panic!("{other:?} is about no operation"),
    }
}

/// What is to be told: (kind, event at which it is complete, operations in the smallest circle or 0).
type Told = (&'static str, usize, usize);

struct Twin<'a> {
    facts: &'a [Fact<'static>],
    /// Whether it knows which reads are stale, and leaves them out. Whoever has forgotten what was committed does not.
    knows_stale: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    Write,
    Read,
    Anti,
}

impl Twin<'_> {
    fn operations(&self) -> Vec<u64> {
        let mut operations: Vec<u64> = self.facts.iter().map(number).collect();
        operations.sort();
        operations.dedup();
        operations
    }

    fn begin(&self, operation: u64) -> usize {
        self.facts.iter().position(|fact| number(fact) == operation).expect("it is in the history")
    }

    fn position(&self, wanted: &Fact<'static>) -> Option<usize> {
        self.facts.iter().position(|fact| fact == wanted)
    }

    fn committed(&self, operation: u64) -> Option<usize> {
        self.position(&Fact::OperationCommit { operation })
    }

    fn aborted(&self, operation: u64) -> Option<usize> {
        self.position(&Fact::OperationAbort { operation })
    }

    /// (operation, version, event), of a resource.
    fn writes(&self, of: &str) -> Vec<(u64, u64, usize)> {
        let write = |(at, fact): (usize, &Fact<'static>)| match fact {
            Fact::Write { operation, resource, version, .. } if *resource == of => {
                Some((*operation, *version, at))
            }
            _ => None,
        };
        self.facts.iter().enumerate().filter_map(write).collect()
    }

    /// The last version that an operation made of a resource.
    fn installed(&self, operation: u64, resource: &str) -> Option<u64> {
        self.writes(resource)
            .iter()
            .rev()
            .find(|(writer, ..)| *writer == operation)
            .map(|(_, version, _)| *version)
    }

    /// The newest version that was committed before an operation began.
    fn current_at_begin(&self, operation: u64, resource: &str) -> u64 {
        let begin = self.begin(operation);
        let is_committed =
            |(writer, ..): &&(u64, u64, usize)| self.committed(*writer).is_some_and(|commit| commit < begin);
        self.writes(resource).iter().filter(is_committed).map(|(_, version, _)| *version).max().unwrap_or(0)
    }

    /// The versions that an operation read of a resource, others' only.
    fn reads(&self, operation: u64, of: &str) -> Vec<u64> {
        let writes = self.writes(of);
        let version = |fact: &Fact<'static>| match fact {
            Fact::Read { operation: reader, resource, version }
                if *resource == of && *reader == operation =>
            {
                Some(*version)
            }
            Fact::Write { operation: writer, resource, based_on, .. }
                if *resource == of && *writer == operation && *based_on > 0 =>
            {
                Some(*based_on)
            }
            _ => None,
        };
        let is_own =
            |read: u64| writes.iter().any(|(writer, version, _)| *writer == operation && *version == read);
        self.facts.iter().filter_map(version).filter(|read| !is_own(*read)).collect()
    }

    /// The newest version that an operation read of a resource without being stale, others' only.
    fn read(&self, operation: u64, of: &str) -> Option<u64> {
        let current = self.current_at_begin(operation, of);
        let reads = self.reads(operation, of).into_iter();
        reads.filter(|read| *read >= current || !self.knows_stale).max()
    }

    fn stale_reads(&self) -> Vec<Told> {
        let stale = |(at, fact): (usize, &Fact<'static>)| match fact {
            Fact::Read { operation, resource, version } => {
                let begun = &self.facts[self.begin(*operation)];
                let is_stale = *begun == Fact::OperationBegin { operation: *operation }
                    && *version < self.current_at_begin(*operation, resource);
                is_stale.then_some(("stale-read", at, 0))
            }
            _ => None,
        };
        self.facts.iter().enumerate().filter_map(stale).collect()
    }

    fn dirty_reads(&self) -> Vec<Told> {
        self.dirty_among(|reader, resource| self.read(reader, resource).into_iter().collect())
    }

    /// Dirty reads as they look to somebody who does not know what was committed before, and so not what is stale.
    fn dirty_or_stale_reads(&self) -> Vec<Told> {
        self.dirty_among(|reader, resource| self.reads(reader, resource))
    }

    fn dirty_among(&self, reads: impl Fn(u64, &str) -> Vec<u64>) -> Vec<Told> {
        let mut told = Vec::new();
        for reader in self.operations() {
            let Some(commit) = self.committed(reader) else { continue };
            for (resource, read) in RESOURCES
                .iter()
                .flat_map(|resource| reads(reader, resource).into_iter().map(move |read| (*resource, read)))
            {
                let writes = self.writes(resource);
                let Some((writer, ..)) = writes.iter().find(|(_, version, _)| *version == read) else {
                    continue;
                };
                let is_replaced = self.installed(*writer, resource) != Some(read);
                let end = self.aborted(*writer).or(self.committed(*writer).filter(|_| is_replaced));
                if let Some(end) = end {
                    told.push(("dirty-read", commit.max(end), 0));
                }
            }
        }
        told
    }

    fn edges(&self, from: u64, to: u64) -> Vec<Edge> {
        let mut edges = Vec::new();
        for resource in RESOURCES {
            let (made, over) = (self.installed(from, resource), self.installed(to, resource));
            if let (Some(made), Some(over)) = (made, over)
                && made < over
            {
                edges.push(Edge::Write);
            }
            if made.is_some() && made == self.read(to, resource) {
                edges.push(Edge::Read);
            }
            if let (Some(read), Some(over)) = (self.read(from, resource), over)
                && read < over
                && made.is_none_or(|made| made < read)
            {
                edges.push(Edge::Anti);
            }
        }
        edges.sort();
        edges.dedup();
        edges
    }

    /// For every operation that closes circles, the strongest and smallest.
    fn circles(&self) -> Vec<Told> {
        let committed: Vec<u64> =
            self.operations().into_iter().filter(|operation| self.committed(*operation).is_some()).collect();
        let mut edges: BTreeMap<(u64, u64), Vec<Edge>> = BTreeMap::new();
        for from in &committed {
            for to in committed.iter().filter(|to| *to != from) {
                edges.insert((*from, *to), self.edges(*from, *to));
            }
        }
        let mut told = Vec::new();
        for closing in &committed {
            let at = self.committed(*closing).expect("it committed");
            let earlier: Vec<u64> = committed
                .iter()
                .copied()
                .filter(|operation| self.committed(*operation).expect("it committed") < at)
                .collect();
            // Class (as a position in the order of precedence) and length, of all simple circles.
            let mut best: Option<(usize, usize)> = None;
            let mut path = vec![*closing];
            walk(&edges, &earlier, &mut path, (0, 0), &mut best);
            if let Some((class, length)) = best {
                let kind = ["dirty-write", "dirty-read", "read-skew", "write-skew"][class];
                told.push((kind, at, length));
            }
        }
        told
    }
}

/// All simple circles from the first of `path`, with how many read and anti-dependencies they have so far.
fn walk(
    edges: &BTreeMap<(u64, u64), Vec<Edge>>,
    earlier: &[u64],
    path: &mut Vec<u64>,
    (reads, antis): (usize, usize),
    best: &mut Option<(usize, usize)>,
) {
    let (start, last) = (path[0], path[path.len() - 1]);
    let ways = |to: u64| edges.get(&(last, to)).into_iter().flatten();
    let counts = |edge: &Edge| match edge {
        Edge::Write => (reads, antis),
        Edge::Read => (reads + 1, antis),
        Edge::Anti => (reads, antis + 1),
    };
    if path.len() > 1 {
        for edge in ways(start) {
            let class = match counts(edge) {
                (0, 0) => 0,
                (_, 0) => 1,
                (_, 1) => 2,
                _ => 3,
            };
            let found = (class, path.len());
            *best = Some(best.map_or(found, |best| best.min(found)));
        }
    }
    for next in earlier {
        if path.contains(next) {
            continue;
        }
        for edge in ways(*next) {
            path.push(*next);
            walk(edges, earlier, path, counts(edge), best);
            path.pop();
        }
    }
}

/// What the monitor tells of a history, and when: it is asked after every step.
fn told(facts: &[Fact<'static>], mut monitor: Conflict) -> Vec<Told> {
    let names = fleetsim_engine::Names::new(&manifest());
    let mut told = Vec::new();
    let mut before: BTreeMap<(&str, Vec<String>), (u64, u64)> = BTreeMap::new();
    for batch in run(facts).batches(1) {
        for step in &batch {
            let stated: Vec<Fact<'_>> = step.facts().collect();
            monitor.observe(&step, &stated);
            let end = RunEnd { time: step.time, complete: false, quiescent: false };
            for finding in monitor.findings(&end, &names) {
                let circles = finding.numbers.get("circles").unwrap_or(0);
                let key = (finding.kind, finding.about["resource"].clone());
                let (count_before, circles_before) =
                    before.insert(key, (finding.count, circles)).unwrap_or((0, 0));
                let new_circles = circles - circles_before;
                for _ in 0..finding.count - count_before - new_circles {
                    told.push((finding.kind, step.ordinal as usize, 0));
                }
                for _ in 0..new_circles {
                    // The size of the smallest of those circles so far; compared as such.
                    let smallest = finding.numbers.get("smallest_circle_operations").expect("a circle");
                    told.push((finding.kind, step.ordinal as usize, smallest as usize));
                }
            }
        }
    }
    told.sort();
    told
}

/// Kind, event, and whether it is a circle.
type Occurrence = (&'static str, usize, bool);

/// What is told by kind and event, and of circles the smallest of each kind up to then.
fn comparable(mut told: Vec<Told>) -> (Vec<Occurrence>, BTreeMap<&'static str, usize>) {
    told.sort();
    let mut smallest = BTreeMap::new();
    for (kind, _, length) in told.iter().filter(|(.., length)| *length > 0) {
        let known = smallest.entry(*kind).or_insert(*length);
        *known = (*known).min(*length);
    }
    (told.iter().map(|(kind, at, length)| (*kind, *at, *length > 0)).collect(), smallest)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]
    #[test]
    fn what_is_told_equals_what_brute_force_finds(moves in moves()) {
        let facts = history(&moves);
        let twin = Twin { facts: &facts, knows_stale: true };
        let mut expected = twin.stale_reads();
        expected.extend(twin.dirty_reads());
        expected.extend(twin.circles());
        prop_assert_eq!(comparable(told(&facts, Conflict::default())), comparable(expected));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    /// A short memory hides conflicts, and makes none up. That a read in one is stale as well it may not know.
    #[test]
    fn with_a_horizon_whatever_is_told_is_true(moves in moves(), horizon in 1_usize..5) {
        let facts = history(&moves);
        let twin = Twin { facts: &facts, knows_stale: true };
        let mut exact: BTreeMap<(&str, usize), usize> = BTreeMap::new();
        for (kind, at, _) in twin.stale_reads().into_iter().chain(twin.dirty_or_stale_reads()) {
            *exact.entry((kind, at)).or_default() += 1;
        }
        let forgetful = Twin { facts: &facts, knows_stale: false };
        let closing: Vec<usize> = forgetful.circles().into_iter().map(|(_, at, _)| at).collect();
        for (kind, at, length) in told(&facts, Conflict::with_horizon(horizon)) {
            if length > 0 {
                prop_assert!(closing.contains(&at), "{kind} at {at}");
            } else {
                let left = exact.entry((kind, at)).or_default();
                prop_assert!(*left > 0, "{kind} at {at}");
                *left -= 1;
            }
        }
    }

    #[test]
    fn batches_of_any_size_give_the_same_findings(moves in moves()) {
        let run = run(&history(&moves));
        let whole = run.report_in(&MonitorConfig::default(), 32_768).findings;
        for size in [1, 7] {
            prop_assert_eq!(&run.report_in(&MonitorConfig::default(), size).findings, &whole);
        }
    }
}

/// What the twins agree about is something: random histories show every kind, and circles of more than two.
#[test]
fn random_histories_hold_conflicts_of_every_kind() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<(&str, usize), u64> = BTreeMap::new();
    for _ in 0..2_000 {
        let facts = history(&moves().new_tree(&mut runner).expect("a history").current());
        let twin = Twin { facts: &facts, knows_stale: true };
        let all = twin.stale_reads().into_iter().chain(twin.dirty_reads()).chain(twin.circles());
        for (kind, _, length) in all {
            *seen.entry((kind, length.min(3))).or_default() += 1;
        }
    }
    let rarest = [
        ("stale-read", 0),
        ("dirty-read", 0),
        ("dirty-read", 2),
        ("dirty-read", 3),
        ("dirty-write", 2),
        ("read-skew", 2),
        ("read-skew", 3),
        ("write-skew", 2),
        ("write-skew", 3),
    ];
    for one in rarest {
        assert!(seen.get(&one).is_some_and(|count| *count >= 3), "{one:?}: {seen:?}");
    }
}
