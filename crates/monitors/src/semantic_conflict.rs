//! Semantic conflicts: results that each passed their own check, and fail when they are checked together. Textual
//! merging sees nothing; each author was right alone.
//!
//! *Source.* Brun, Holmes, Ernst and Notkin, "Proactive Detection of Collaboration Conflicts" (2011), who call it a
//! higher-order conflict.
//!
//! *Parameters.* none.
//!
//! Found when a check of all results together (`Checked` with item 0) fails, while the last check of every result
//! passed, of two results or more: those checked since the whole last passed, and what passed then as one.
//!
//! Conservative. A failure that something else explains is not told here: a result whose last check failed, or passed
//! although it is wrong (`actual`); a check of the whole that is mistaken (`actual` again); and, since the whole last
//! passed, a write based on an older version than the newest of its resource, which may have lost a part
//! (`lost-update` tells that). A check of the whole that fails again with no new result in it is not counted again.
//!
//! Limits: which of the results clash is not known, and so neither what finding out earlier would have saved. Memory:
//! at most 64 bytes for each result since the whole last passed, and for each resource that is written, its name.

use std::collections::BTreeMap;

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names};

use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::interests::{FactKind, Interests};
use crate::intern::Interner;
use crate::monitor::{Moment, Monitor, RunEnd};
use crate::text::{counted, shown, times};

const KIND: &str = "semantic-conflict";

/// Checks of results that are shown beside the check of the whole.
const BRANCHES_SHOWN_MAX: usize = 8;

/// Finds wholes that fail although every part passed; one finding.
#[derive(Clone, Debug, Default)]
pub struct SemanticConflict {
    /// The last check of each result since the whole last passed.
    branches: BTreeMap<u64, Branch>,
    red: u64,
    /// Whether something passed together before those.
    has_base: bool,
    /// When a second result had passed by itself: from then on both could have been checked together.
    testable: Option<Moment>,
    /// Whether the whole failed with these results already.
    is_told: bool,
    /// Whether a write may have thrown away another since the whole last passed.
    may_be_lost: bool,
    names: Interner,
    newest: BTreeMap<u32, u64>,
    conflicts: Fold<Conflict>,
}

#[derive(Clone, Copy, Debug)]
struct Branch {
    agent: AgentId,
    checked: Moment,
    is_green: bool,
}

const _: () = assert!(core::mem::size_of::<(u64, Branch)>() <= 64);

#[derive(Clone, Debug)]
struct Conflict {
    at: Moment,
    checker: AgentId,
    results: u64,
    branches: Vec<(u64, Branch)>,
    testable: Option<Moment>,
}

impl SemanticConflict {
    fn check(&mut self, at: Moment, agent: AgentId, item: u64, is_green: bool) {
        let branch = Branch { agent, checked: at, is_green };
        let before = self.branches.insert(item, branch);
        self.red += u64::from(!is_green);
        self.red -= u64::from(before.is_some_and(|before| !before.is_green));
        self.is_told = false;
        let results = self.branches.len() as u64 + u64::from(self.has_base);
        if results >= 2 && self.testable.is_none() {
            self.testable = Some(at);
        }
    }

    fn check_whole(&mut self, at: Moment, checker: AgentId, passed: bool, actual: bool) {
        if passed {
            self.has_base |= !self.branches.is_empty();
            self.branches.clear();
            self.red = 0;
            self.testable = None;
            self.is_told = false;
            self.may_be_lost = false;
            return;
        }
        let results = self.branches.len() as u64 + u64::from(self.has_base);
        let is_explained = actual || self.red > 0 || self.may_be_lost;
        if results < 2 || is_explained || self.is_told {
            return;
        }
        self.is_told = true;
        // The latest ones, of which one brought the whole down.
        let mut branches: Vec<(u64, Branch)> =
            self.branches.iter().map(|(item, branch)| (*item, *branch)).collect();
        branches.sort_by_key(|(item, branch)| (branch.checked, *item));
        let shown_from = branches.len().saturating_sub(BRANCHES_SHOWN_MAX);
        let branches = branches.split_off(shown_from);
        let agents: Vec<AgentId> = branches.iter().map(|(_, branch)| branch.agent).collect();
        let conflict = Conflict { at, checker, results, branches, testable: self.testable };
        self.conflicts.add(conflict, agents);
    }

    fn write(&mut self, resource: &str, based_on: u64, version: u64) {
        let resource = self.names.number(resource);
        let newest = self.newest.entry(resource).or_default();
        self.may_be_lost |= based_on < *newest;
        *newest = version;
    }
}

impl Conflict {
    fn red(&self, names: &Names) -> Evidence {
        let checker = shown(&names.of(self.checker));
        Evidence::new(self.at, format!("{checker} checked all together: failed"))
    }
}

impl Monitor for SemanticConflict {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interests(&self) -> Interests {
        Interests::facts(&[FactKind::Checked, FactKind::Write])
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let at = Moment::of(step);
        for fact in facts {
            match *fact {
                Fact::Checked { item: 0, passed, actual } => {
                    self.check_whole(at, step.target, passed, actual);
                }
                Fact::Checked { item, passed, actual } => {
                    self.check(at, step.target, item, passed && actual);
                }
                Fact::Write { resource, based_on, version, .. } => self.write(resource, based_on, version),
                _ => {}
            }
        }
    }

    fn findings(&self, _end: &RunEnd, names: &Names) -> Vec<Finding> {
        if self.conflicts.count == 0 {
            return Vec::new();
        }
        let first = self.conflicts.first();
        let more = match self.conflicts.count {
            1 => String::new(),
            count => format!("; it happened {}", times(count)),
        };
        let text =
            format!("{} passed one by one and failed together{more}", counted(first.results, "result"));
        let green = |(item, branch): &(u64, Branch)| {
            let agent = shown(&names.of(branch.agent));
            Evidence::new(branch.checked, format!("{agent} checked item {item} by itself: passed"))
        };
        let mut evidence: Vec<Evidence> = first.branches.iter().map(green).collect();
        evidence.extend(self.conflicts.kept.iter().map(|conflict| conflict.red(names)));
        let signal = first
            .testable
            .map(|at| Evidence::new(at, "two results had passed and could have been checked together"));
        let agents = self.conflicts.agents(names);
        let items = first.branches.iter().map(|(item, _)| item.to_string()).collect();
        vec![Finding {
            count: self.conflicts.count,
            numbers: Numbers(vec![("conflicts", self.conflicts.count), ("results", first.results)]),
            about: BTreeMap::from([("item", items), ("agent", agents.clone())]),
            agents,
            evidence,
            lead_time_ns: first.testable.map(|signal| first.at.at.since(signal.at)),
            earliest_signal: signal,
            remedy: Some(
                "check every result together with what it will be merged into (a merge queue)".to_owned(),
            ),
            ..Finding::new(KIND, Class::Safety, Severity::High, KIND, first.at, "", &text)
        }]
    }
}
