//! Write conflicts by what operations depend on: dirty write, dirty read, read skew, write skew, and the stale read.
//!
//! They are circles in the graph of dependencies between committed operations. Elle must infer the order of versions;
//! here the stores state it, so that nothing is guessed.
//!
//! *Source.* Adya, "Weak Consistency" (1999), whose classes they are; circles found as Elle finds them (Kingsbury and
//! Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations", 2020).
//!
//! *Parameters.* none.
//!
//! | finding | what it is | file |
//! |---|---|---|
//! | `dirty-write` | a circle of write dependencies (G0) | `dirty_write.rs` |
//! | `dirty-read` | an aborted (G1a) or intermediate read (G1b), or a circle with read dependencies (G1c) | `dirty_read.rs` |
//! | `read-skew` | a circle with exactly one anti-dependency (G-single) | `read_skew.rs` |
//! | `write-skew` | a circle with several (G2-item) | `write_skew.rs` |
//! | `stale-read` | a read that was old when its operation began | `stale_read.rs` |
//!
//! **What an operation is.** It begins with the first fact about it and ends with its first ending. Of each resource
//! it has read the newest version that it read: who looks again knows better. What a write says it is based on counts
//! as read. Of each resource it has made the last version that it wrote; those before are intermediate.
//!
//! **Each thing is told once.** An operation that closes circles of several classes is told under the strongest, in
//! the order of the table, with the smallest circle. An operation that overwrote what it had not read is a
//! `lost-update` (`lost_update.rs`, exact by itself) and its read is no anti-dependency here. A stale read is told as
//! such and takes no part in circles or dirty reads.
//!
//! **Conservative.** Only operations that committed are in the graph. An indeterminate one is neither committed nor
//! aborted: no circle goes through it, and to read its versions is no dirty read. (`lost-update` counts its writes,
//! which the store applied.) A version number that does not grow means that the store lost its data and counts anew;
//! what comes then is another resource.
//!
//! **Limits.** Items, not predicates: a query whose result would have been another (a phantom) is not seen. Operations
//! that are never ended are not judged, and what they hold open is kept until the horizon. Resources in a
//! subject, operations in a circle and findings of a kind are told up to a fixed number; counts are exact.
//!
//! **Cost.** O(log n) for each fact, and for each commit one search of what it leads to among what is kept, which is
//! nothing unless an operation that committed while it was open replaced what it had read, read what it wrote, or
//! overwrote it. `sweep.rs` says what is kept, and proves that nothing else is needed.

mod cycle;
mod dirty_read;
mod dirty_write;
mod history;
mod read_skew;
mod resource;
mod stale_read;
mod sweep;
mod telling;
mod write_skew;

use std::collections::BTreeMap;

use fleetsim_engine::batch::Step;
use fleetsim_engine::{Fact, Names};

use crate::finding::Finding;
use crate::interests::{FactKind, Interests};
use crate::monitor::{Moment, Monitor, RunEnd};
use dirty_read::DIRTY_READ;
use dirty_write::DIRTY_WRITE;
use history::{Ending, History};
use read_skew::READ_SKEW;
use stale_read::StaleReads;
use telling::{Anomaly, Circle, Conflicts, Speaker};
use write_skew::WRITE_SKEW;

const NAME: &str = "conflict";

/// Operations that are kept unless another horizon is asked for: committed ones, and as many open ones.
const HORIZON_OPERATIONS: usize = 1 << 17;

/// Findings of one kind; what is about yet other resources is one more.
const SUBJECTS_MAX: usize = 64;

const ANOMALIES: [&Anomaly; 4] = [&DIRTY_WRITE, &DIRTY_READ, &READ_SKEW, &WRITE_SKEW];

/// Finds circles of dependencies, dirty reads and stale reads, folded by the resources that they are about.
#[derive(Clone, Debug)]
pub struct Conflict {
    history: History,
    /// In the order of [`ANOMALIES`], by the names of the resources.
    told: [BTreeMap<Vec<u32>, Conflicts>; 4],
    stale: BTreeMap<Vec<u32>, StaleReads>,
}

impl Default for Conflict {
    fn default() -> Self {
        Conflict::with_horizon(HORIZON_OPERATIONS)
    }
}

impl Conflict {
    /// A monitor that keeps up to `operations` committed and as many open operations, at least one of each. What was
    /// forgotten before its time is counted in every finding; it can hide a conflict, but not make one up.
    #[must_use]
    pub fn with_horizon(operations: usize) -> Conflict {
        Conflict { history: History::new(operations), told: Default::default(), stale: BTreeMap::new() }
    }

    /// Committed and open operations that are kept now.
    #[must_use]
    pub fn operations_kept(&self) -> usize {
        self.history.kept.len() + self.history.open.len()
    }

    /// Operations that were forgotten because of the horizon, although they might have become part of a conflict.
    #[must_use]
    pub fn operations_forgotten(&self) -> u64 {
        self.history.forgotten
    }

    fn read(&mut self, step: &Step<'_>, operation: u64, resource: &str, version: u64) {
        let read = self.history.read(Moment::of(step), step.target, operation, resource, version);
        if let Some(read) = read {
            subject(&mut self.stale, vec![read.name]).reads.add(read, [read.reader]);
        }
    }

    fn end(&mut self, at: Moment, operation: u64, ending: Ending) {
        let ended = self.history.end(at, operation, ending);
        for read in ended.dirty_reads {
            subject(&mut self.told[1], vec![read.name]).add_dirty_read(read);
        }
        for (name, spent) in ended.spent_on_stale {
            let total = &mut subject(&mut self.stale, vec![name]).spent;
            *total = Some(total.unwrap_or(0).saturating_add(spent));
        }
        if let Some(commit) = ended.commit
            && let Some((class, dependencies)) = self.history.circle(commit)
        {
            let circle = Circle::new(&self.history, at, &dependencies);
            let resources = Circle::resources(&self.history, &dependencies);
            subject(&mut self.told[class as usize], resources).add_circle(circle);
        }
        self.history.sweep();
    }
}

/// What is told about `resources`, or about all others when too much is told already.
fn subject<T: Default>(told: &mut BTreeMap<Vec<u32>, T>, resources: Vec<u32>) -> &mut T {
    let is_told = told.contains_key(&resources) || told.len() < SUBJECTS_MAX;
    told.entry(if is_told { resources } else { Vec::new() }).or_default()
}

impl Monitor for Conflict {
    fn name(&self) -> &'static str {
        NAME
    }

    fn interests(&self) -> Interests {
        Interests::facts(&[
            FactKind::OperationBegin,
            FactKind::Read,
            FactKind::Write,
            FactKind::OperationCommit,
            FactKind::OperationAbort,
            FactKind::OperationIndeterminate,
            FactKind::Spent,
        ])
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let at = Moment::of(step);
        for fact in facts {
            match *fact {
                Fact::OperationBegin { operation } => self.history.begin(step.target, operation),
                Fact::Read { operation, resource, version } => self.read(step, operation, resource, version),
                Fact::Write { operation, resource, based_on, version, .. } => {
                    self.history.write(at, operation, resource, based_on, version);
                }
                Fact::OperationCommit { operation } => self.end(at, operation, Ending::Committed),
                Fact::OperationAbort { operation } => self.end(at, operation, Ending::Aborted),
                Fact::OperationIndeterminate { operation } => self.end(at, operation, Ending::Unknown),
                Fact::Spent { nano_dollars, .. } => self.history.spend(step.target, nano_dollars),
                _ => {}
            }
        }
    }

    fn findings(&self, _end: &RunEnd, names: &Names) -> Vec<Finding> {
        let speaker = Speaker { history: &self.history, names };
        let conflicts = ANOMALIES.iter().zip(&self.told).flat_map(|(anomaly, told)| {
            told.iter().map(|(resources, conflicts)| conflicts.finding(anomaly, NAME, resources, &speaker))
        });
        let stale = self.stale.values().map(|stale| stale.finding(NAME, &speaker));
        let mut findings: Vec<Finding> = conflicts.chain(stale).collect();
        let forgotten = self.history.forgotten;
        if forgotten > 0 {
            for finding in &mut findings {
                finding.numbers.0.push(("operations_forgotten", forgotten));
                finding.summary +=
                    &format!("; {forgotten} operations were forgotten too early, there may be more");
            }
        }
        findings
    }
}
