//! Writes down who worked on what from when to when, how it came to them, and what they waited for meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Waited};

use crate::intern::Interner;
use crate::monitor::{Moment, went_down};

/// Jobs and offers that are kept; with more, nothing is said about the bottleneck.
const ENTRIES_MAX: usize = 4_000_000;
/// How far back a fact about an item is matched with a job on it.
const JOBS_BACK_MAX: usize = 8;

/// What happened to offers and jobs.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    pub(super) texts: Interner,
    /// The jobs of each agent, in order of their beginnings.
    pub(super) jobs: BTreeMap<AgentId, Vec<Job>>,
    offers: BTreeMap<u64, Offer>,
    /// What each agent chose for others, in order.
    pub(super) choices: BTreeMap<AgentId, Vec<Choice>>,
    /// Waits and wasted operations of each agent, in order of their ends.
    pub(super) pauses: BTreeMap<AgentId, Vec<Pause>>,
    waiting: BTreeMap<(AgentId, PauseKind), Moment>,
    operations: BTreeMap<u64, Operation>,
    /// Tasks that are not finished and may be taken.
    ready: BTreeMap<u64, Ready>,
    /// Resources that somebody held to themselves: waiting for one is waiting for another's turn with it.
    pub(super) locks: BTreeSet<u32>,
    pub(super) finished: BTreeSet<u64>,
    /// Items that were added or offered and are not finished.
    pub(super) unfinished: BTreeSet<u64>,
    pub(super) last_finish: Option<Finish>,
    /// The first thing that was offered or added.
    pub(super) first: Option<Moment>,
    entries: usize,
}

/// An agent's work on one item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub(super) item: u64,
    pub(super) begin: Moment,
    /// The last thing that its agent said about it, so far.
    pub(super) end: Moment,
    pub(super) came: Came,
}

/// How an item came to a job.
#[derive(Clone, Copy, Debug)]
pub(super) enum Came {
    /// As an offer.
    Offered(Offer),
    /// From a store.
    Claimed(Ready),
    /// Nobody said.
    Unknown,
}

/// Since when a task may be claimed, and who said so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    pub(super) since: Moment,
    pub(super) store: AgentId,
    /// Whether it may be taken once more, after somebody had it.
    pub(super) is_again: bool,
}

/// An offer, as far as it has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    pub(super) item: u64,
    pub(super) given: Moment,
    pub(super) giver: AgentId,
    /// The medium's name; none for an inbox without one.
    pub(super) medium: Option<u32>,
    /// Who chose the receiver for the giver, and when it was done with that.
    pub(super) chosen: Option<(Moment, AgentId)>,
}

/// A choice that an agent made for the giver of an offer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    pub(super) at: Moment,
    pub(super) offer: Offer,
}

/// A time in which an agent did not get on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    pub(super) from: Moment,
    pub(super) to: Moment,
    pub(super) kind: PauseKind,
}

/// Why an agent did not get on. Of several reasons at once the last of these counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PauseKind {
    /// It waited for a quota, a lock or something else with a name.
    Resource(u32),
    /// It waited for an agent's answer.
    Agent(AgentId),
    /// It waited for several parts.
    Join(u32),
    /// It waited for a person's word.
    Gate(u32),
    /// It worked on what a conflict with another threw away; the resource, if it was said.
    Conflict(Option<u32>),
}

#[derive(Clone, Copy, Debug)]
struct Operation {
    agent: AgentId,
    begin: Moment,
    resource: Option<u32>,
}

/// The end of an item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finish {
    pub(super) at: Moment,
    pub(super) agent: AgentId,
    pub(super) item: u64,
}

impl Journal {
    /// Whether the run had more hand-overs than are kept.
    pub(super) fn is_full(&self) -> bool {
        self.entries >= ENTRIES_MAX
    }

    pub(super) fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        if self.is_full() {
            return;
        }
        let (agent, now) = (step.target, Moment::of(step));
        if went_down(step) {
            self.waiting.retain(|(waiter, _), _| *waiter != agent);
        }
        for fact in facts {
            self.observe_hand_over(agent, now, fact);
            self.observe_task(agent, now, fact);
            self.observe_pause(agent, now, fact);
        }
    }

    fn observe_hand_over(&mut self, agent: AgentId, now: Moment, fact: &Fact<'_>) {
        match *fact {
            Fact::Offered { item, offer, medium, .. } => {
                self.first.get_or_insert(now);
                self.seen(item);
                let medium = (!medium.is_empty()).then(|| self.texts.number(medium));
                self.offers.insert(offer, Offer { item, given: now, giver: agent, medium, chosen: None });
                self.entries += 1;
                self.worked(agent, item, now);
            }
            Fact::Decided { item, offer, .. } => {
                self.worked(agent, item, now);
                let Some(entry) = self.offers.get_mut(&offer) else { return };
                if entry.giver != agent {
                    entry.chosen = Some((now, agent));
                    let choice = Choice { at: now, offer: *entry };
                    self.choices.entry(agent).or_default().push(choice);
                    self.entries += 1;
                }
            }
            Fact::HandedOver { item, .. } => self.worked(agent, item, now),
            Fact::Received { item, offer, .. } => {
                let came = self.offers.get(&offer).map_or(Came::Unknown, |offer| Came::Offered(*offer));
                self.begin(agent, item, now, came);
            }
            _ => {}
        }
    }

    fn observe_task(&mut self, agent: AgentId, now: Moment, fact: &Fact<'_>) {
        match *fact {
            Fact::TaskAdded { task } => {
                self.seen(task);
                self.first.get_or_insert(now);
            }
            Fact::TaskReady { task } => {
                let is_again = self.ready.contains_key(&task);
                self.ready.insert(task, Ready { since: now, store: agent, is_again });
            }
            Fact::TaskClaimed { task, .. } | Fact::TaskStarted { task, .. } => {
                // Of one that was handed over, this is the next word about the same job.
                let current = self.jobs.get(&agent).and_then(|jobs| jobs.last());
                if current.is_some_and(|job| job.item == task) {
                    self.worked(agent, task, now);
                } else {
                    let ready = self.ready.get(&task);
                    let came = ready.map_or(Came::Unknown, |ready| Came::Claimed(*ready));
                    self.begin(agent, task, now, came);
                }
            }
            Fact::TaskFinished { task, reported, .. } => {
                self.worked(agent, task, now);
                self.ready.remove(&task);
                if reported && self.finished.insert(task) {
                    self.unfinished.remove(&task);
                    self.last_finish = Some(Finish { at: now, agent, item: task });
                }
            }
            Fact::TaskReleased { task, .. } => self.worked(agent, task, now),
            Fact::Acted { item, .. }
            | Fact::Reviewed { item, .. }
            | Fact::Checked { item, .. }
            | Fact::Progress { item } => self.worked(agent, item, now),
            Fact::Spent { .. } | Fact::OperationCommit { .. } | Fact::OperationAbort { .. } => {
                if let Some(job) = self.jobs.get_mut(&agent).and_then(|jobs| jobs.last_mut()) {
                    job.end = now;
                }
            }
            _ => {}
        }
    }

    fn observe_pause(&mut self, agent: AgentId, now: Moment, fact: &Fact<'_>) {
        match *fact {
            Fact::WaitOn { on } => {
                let kind = self.waited(&on);
                self.waiting.entry((agent, kind)).or_insert(now);
            }
            Fact::WaitEnd { on } => {
                let kind = self.waited(&on);
                if let Some(from) = self.waiting.remove(&(agent, kind)) {
                    self.paused(agent, Pause { from, to: now, kind });
                }
            }
            Fact::Acquired { resource, .. } => {
                let resource = self.texts.number(resource);
                self.locks.insert(resource);
            }
            Fact::OperationBegin { operation } => {
                self.operations.insert(operation, Operation { agent, begin: now, resource: None });
            }
            Fact::Read { operation, resource, .. } => {
                let resource = self.texts.number(resource);
                if let Some(operation) = self.operations.get_mut(&operation) {
                    operation.resource = Some(resource);
                }
            }
            Fact::OperationAbort { operation } => {
                if let Some(Operation { agent, begin, resource }) = self.operations.remove(&operation) {
                    let kind = PauseKind::Conflict(resource);
                    self.paused(agent, Pause { from: begin, to: now, kind });
                }
            }
            Fact::OperationCommit { operation } => {
                self.operations.remove(&operation);
            }
            _ => {}
        }
    }

    fn seen(&mut self, item: u64) {
        if !self.finished.contains(&item) {
            self.unfinished.insert(item);
        }
    }

    fn begin(&mut self, agent: AgentId, item: u64, now: Moment, came: Came) {
        self.jobs.entry(agent).or_default().push(Job { item, begin: now, end: now, came });
        self.entries += 1;
    }

    /// `agent` said something about `item`: until now it has worked on it.
    fn worked(&mut self, agent: AgentId, item: u64, now: Moment) {
        let Some(jobs) = self.jobs.get_mut(&agent) else { return };
        if let Some(job) = jobs.iter_mut().rev().take(JOBS_BACK_MAX).find(|job| job.item == item) {
            job.end = now;
        }
    }

    fn paused(&mut self, agent: AgentId, pause: Pause) {
        self.pauses.entry(agent).or_default().push(pause);
        self.entries += 1;
    }

    fn waited(&mut self, on: &Waited<'_>) -> PauseKind {
        match *on {
            Waited::Resource(name) => PauseKind::Resource(self.texts.number(name)),
            Waited::Agent(agent) => PauseKind::Agent(agent),
            Waited::Gate(name) => PauseKind::Gate(self.texts.number(name)),
            Waited::Join(name) => PauseKind::Join(self.texts.number(name)),
        }
    }
}
