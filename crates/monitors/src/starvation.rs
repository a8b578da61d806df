//! Starvation: somebody waited past a bound while others that came later were served, or found no room.
//!
//! A long wait alone is not starvation: a line that is served in order is only too long. So a wait counts when it
//! exceeds its bound and was overtaken. Three sorts of lines are kept, and contexts beside them:
//! - *agents* by what they wait for and role: `WaitOn` a resource up to `WaitEnd` (a quota, a lock, a place in a queue);
//!   the bound is the role's `wait_bound_ns`, or else `default_wait_bound_ns` (30 minutes);
//! - *tasks* by the store that offers them: `TaskReady` up to the first claim or start; the default bound;
//! - *items* by the medium and seam that carry them: `Offered` up to the first `HandedOver` or `Received`, for media that
//!   are things of their own; the default bound. ("Merge queue newest-first: branches stranded 44-49 h while every
//!   health signal reads green", github.com/gastownhall/gascity-packs, issue 272.)
//! - *contexts* by role: a turn that was refused because the model's window does not hold it, although it
//!   holds the smallest turn that the role asked for about the item: what was said before took its place.
//!
//! *Source.* Overtaking is bounded waiting as in Dijkstra's and Knuth's mutual exclusion; fairness is Jain's index (Jain,
//! Chiu and Hawe, "A Quantitative Measure of Fairness", 1984).
//!
//! *Parameters.* [`MonitorConfig::wait_bound_ns`], [`MonitorConfig::default_wait_bound_ns`],
//! [`MonitorConfig::context_windows`] (a role that has none is not judged), media that are no carriers.
//!
//! Beside the longest wait and its overtakes a finding tells the age of the oldest that still waits, the 50th and 99th
//! percentile of waits and their ratio, Jain's index of who was served, and for tasks how long some worker that had taken
//! from the store before lay idle while work was ready. Of a context it tells how much of it was said before, and since
//! when that took more than half of the window.
//!
//! A medium that delivered an item again keeps no order, and its lines are not judged: duplicate hand-overs are.
//!
//! *Limits.* Quota is seen as far as waits and granted tokens are stated, places in a queue as far as givers state
//! that they wait for one. Whose words fill a context is not a fact: the agent's own earlier turns count as said
//! before, as others' do, and where turns differ in size by themselves, so does the difference. A worker is known to
//! be idle only once it has finished, given back or handed on what it took.

mod agents;
mod contexts;
mod idle_time;
mod items;
mod tasks;
mod tickets;
mod wait_line;
mod waits;

use fleetsim_engine::batch::Step;
use fleetsim_engine::{Fact, Names, Waited};

use agents::AgentLines;
use contexts::Contexts;
use items::ItemLines;
use tasks::TaskLines;

use crate::config::MonitorConfig;
use crate::finding::Finding;
use crate::interests::{FactKind, Interests};
use crate::monitor::{Moment, Monitor, RunEnd, halted, went_down};
use crate::tally::Fairness;

const KIND: &str = "starvation";

/// Finds starved agents, by resource and role; starved tasks, by the store that offers them; starved items, by what
/// carries them; and turns that found no room in their context, by role.
#[derive(Clone, Debug)]
pub struct Starvation {
    agents: AgentLines,
    /// Tasks from when they were ready; in fleets that never state that, from when they were added.
    tasks: TaskLines,
    saw_ready: bool,
    items: ItemLines,
    contexts: Contexts,
    default_bound_ns: u64,
}

impl Starvation {
    /// A monitor with the bounds of `config`.
    #[must_use]
    pub fn new(config: &MonitorConfig) -> Starvation {
        Starvation {
            agents: AgentLines::new(config),
            tasks: TaskLines::default(),
            saw_ready: false,
            items: ItemLines::new(config),
            contexts: Contexts::new(config),
            default_bound_ns: config.default_wait_bound_ns,
        }
    }

    /// How evenly the tokens of each model were shared among those who asked for it, by model.
    #[must_use]
    pub fn fairness(&self) -> Vec<Fairness> {
        self.agents.fairness()
    }
}

impl Monitor for Starvation {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interests(&self) -> Interests {
        Interests::facts(&[
            FactKind::TaskAdded,
            FactKind::TaskReady,
            FactKind::TaskClaimed,
            FactKind::TaskStarted,
            FactKind::TaskFinished,
            FactKind::TaskReleased,
            FactKind::Offered,
            FactKind::HandedOver,
            FactKind::Received,
            FactKind::Undelivered,
            FactKind::WaitOn,
            FactKind::WaitEnd,
            FactKind::Requested,
        ]) | Interests::LIFECYCLE
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let at = Moment::of(step);
        for fact in facts {
            match *fact {
                Fact::WaitOn { on: Waited::Resource(resource) } => {
                    self.agents.wait(step.target, resource, at)
                }
                Fact::WaitEnd { on: Waited::Resource(resource) } => {
                    self.agents.wait_ended(step.target, resource, at)
                }
                Fact::TaskReady { task } => {
                    if !self.saw_ready {
                        self.saw_ready = true;
                        self.tasks = TaskLines::default();
                    }
                    self.tasks.join(task, step.target, at);
                }
                Fact::TaskAdded { task } if !self.saw_ready => self.tasks.join(task, step.target, at),
                Fact::TaskClaimed { task, .. } | Fact::TaskStarted { task, .. } => {
                    self.tasks.serve(task, step.target, at, self.default_bound_ns);
                    self.contexts.took_up(step.target, task);
                }
                // What was lost on the way or done already waits for nobody; that is another finding's business.
                Fact::Undelivered { item: task, .. } => {
                    self.tasks.leave(task, at);
                    self.items.over(task);
                }
                Fact::TaskFinished { task, .. } => {
                    self.tasks.leave(task, at);
                    self.items.over(task);
                    self.contexts.over(step.target, task);
                    self.tasks.set_idle(step.target, true, at.at);
                }
                Fact::TaskReleased { .. } => self.tasks.set_idle(step.target, true, at.at),
                Fact::Offered { seam, medium, item, .. } => {
                    self.tasks.set_idle(step.target, true, at.at);
                    self.items.offered(seam, medium, item, at);
                }
                Fact::HandedOver { seam, medium, item, .. } => self.items.carried(seam, medium, item, at),
                // Whoever takes up something else is at work again.
                Fact::Received { seam, item, .. } => {
                    self.items.received(seam, item, at);
                    self.contexts.took_up(step.target, item);
                    self.tasks.set_idle(step.target, false, at.at);
                }
                Fact::Requested { model, by, admitted, tokens_in, tokens_out, .. } => {
                    let granted_tokens = if admitted { tokens_in.saturating_add(tokens_out) } else { 0 };
                    self.agents.requested(model, by, granted_tokens);
                    self.contexts.requested(at, model, by, tokens_in, !admitted);
                }
                _ => {}
            }
        }
        if went_down(step) || halted(step) {
            self.agents.stopped(step.target);
            self.contexts.stopped(step.target);
            self.tasks.set_idle(step.target, false, at.at);
        }
    }

    fn findings(&self, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let mut findings = self.agents.findings(end, names);
        findings.extend(self.tasks.findings(self.default_bound_ns, end, names));
        findings.extend(self.items.findings(end));
        findings.extend(self.contexts.findings(names));
        findings
    }
}
