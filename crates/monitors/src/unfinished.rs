//! What does not end: deadlocks, orphaned tasks, livelocks, metastable failures, and what did not converge once the world
//! had healed. They are judged together, because all of them ask the same: what is open, who waits, and who is gone.

use fleetsim_engine::batch::{EffectKind, Event, Fate, Step};
use fleetsim_engine::{AgentId, Fact, Manifest, Names};

use crate::config::MonitorConfig;
use crate::deadlock::Deadlock;
use crate::ending::Rest;
use crate::finding::Finding;
use crate::interests::{FactKind, Interests};
use crate::livelock::Livelock;
use crate::metastable::Metastable;
use crate::monitor::{Moment, Monitor, RunEnd};
use crate::not_converged::NotConverged;
use crate::open_work::OpenWork;
use crate::orphaned_task::OrphanedTask;
use crate::wait_graph::WaitGraph;

/// What is open, and who is gone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    pub(crate) work: OpenWork,
    pub(crate) rest: Rest,
}

/// Finds what does not end, for want of a free resource, an agent, progress or a fresh start.
#[derive(Clone, Debug)]
pub struct Unfinished {
    account: Account,
    deadlock: Deadlock,
    orphaned_task: OrphanedTask,
    livelock: Livelock,
    metastable: Metastable,
    not_converged: NotConverged,
}

impl Unfinished {
    /// A monitor with the bounds of `config`, for the fleet that `manifest` names.
    #[must_use]
    pub fn new(config: &MonitorConfig, manifest: &Manifest) -> Unfinished {
        Unfinished {
            account: Account::default(),
            deadlock: Deadlock::new(config, manifest),
            orphaned_task: OrphanedTask::new(config),
            livelock: Livelock::new(config),
            metastable: Metastable::new(config),
            not_converged: NotConverged::new(config),
        }
    }
}

/// Whether an agent went about its business: what most steps are.
#[inline]
fn is_ordinary(step: &Step<'_>) -> bool {
    step.fate == Fate::Handled
        && matches!(step.event, Event::Message | Event::Timer | Event::WorkEnd)
        && !step.asks_for(EffectKind::Halt)
}

impl Unfinished {
    #[inline(never)]
    fn observe_facts(&mut self, at: Moment, agent: AgentId, facts: &[Fact<'_>]) {
        for fact in facts {
            if OpenWork::INTERESTS.meets(Interests::of_fact(fact)) {
                let change = self.account.work.observe(at, agent, fact);
                self.orphaned_task.observe(at, agent, fact, change, &self.account.work);
            } else {
                self.account.rest.observe_fact(fact);
                self.orphaned_task.observe_other(at, fact);
                self.deadlock.observe(at, agent, fact);
            }
        }
    }

    /// Takes note of a step in which an agent came, went, or could not handle what happened.
    #[inline(never)]
    fn observe_turn(&mut self, at: Moment, step: &Step<'_>) {
        if self.account.rest.observe(step) {
            self.orphaned_task.goes(step.target, at, &self.account);
            self.deadlock.goes(step.target, at);
        }
        self.metastable.observe_turn(at, step);
    }
}

impl Monitor for Unfinished {
    fn name(&self) -> &'static str {
        "unfinished"
    }

    fn interests(&self) -> Interests {
        Interests::facts(&[FactKind::Progress])
            | OpenWork::INTERESTS
            | WaitGraph::INTERESTS
            | Rest::INTERESTS
            | Livelock::INTERESTS
            | Metastable::INTERESTS
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let (at, agent) = (Moment::of(step), step.target);
        self.not_converged.reach(at.at, &self.account, self.deadlock.graph());
        self.metastable.reach(at.at);
        if !facts.is_empty() {
            self.observe_facts(at, agent, facts);
        }
        if !is_ordinary(step) {
            self.observe_turn(at, step);
        }
        let is_idle = self.account.work.is_empty();
        self.livelock.observe(at, step, facts, is_idle);
        self.metastable.observe(at, step, facts, is_idle);
    }

    fn findings(&self, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let (account, graph) = (&self.account, self.deadlock.graph());
        let mut findings = self.deadlock.findings(account, end, names);
        findings.extend(self.orphaned_task.findings(account, end, names));
        findings.extend(self.livelock.findings(end, names));
        findings.extend(self.metastable.findings(end));
        findings.extend(self.not_converged.findings(account, graph, end, names));
        findings
    }
}
