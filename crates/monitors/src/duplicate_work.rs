//! Duplicate work: two agents worked on the same task at once, or a task was reported done twice.
//!
//! An attempt lasts from `TaskStarted` until its task is finished or given back, or its agent crashes or halts.
//! *At once*: an agent begins an attempt while another agent's attempt at the same task lasts. *Twice*: a task that was
//! reported done is reported done again, by whomever. A claim alone is no work and is not judged.
//!
//! Where the carrier delivered one offer twice, what follows is the harm of that duplicate hand-over and its finding's
//! business: tasks of which an offer was received twice are left out here.
//!
//! *Source.* Claim races ("alpha and beta both claimed Task 1 and did all the work", github.com/anthropics/claude-code,
//! issue 22239), and tasks that are dispatched again while somebody works on them.
//!
//! *Parameters.* none.
//!
//! *Limits.* In a fleet that hands a task on, an attempt is seen to last until the task is over, which is
//! what makes a second one duplicate; a fleet that gives tasks up without stating it will seem to do work twice. What
//! was wasted is what the later agents spent while their last begun task was the doubled one.
//!
//! A fact costs a few look-ups. Memory: live attempts; 32 bytes for a task that is done, and at most 64 for an offer that
//! was received.

use std::collections::BTreeMap;

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names};

use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::holdings::Holdings;
use crate::id_set::IdSet;
use crate::interests::{FactKind, Interests};
use crate::ledger::Ledger;
use crate::monitor::{Moment, Monitor, RunEnd, halted, went_down};
use crate::number_map::NumberMap;
use crate::role::Role;
use crate::text::{counted, dollars, duration, shown};

const KIND: &str = "duplicate-work";

/// Finds duplicate work, folded by its form and the role of the agent that came second.
#[derive(Clone, Debug, Default)]
pub struct DuplicateWork {
    /// Attempts that last, by task, in the order in which they were begun.
    attempts: NumberMap<u64, Attempts>,
    /// The tasks that each agent has begun.
    begun: Holdings,
    /// Who reported a task done first.
    done: Ledger<Done>,
    /// Offers that were received.
    received: IdSet,
    /// Tasks of which an offer was received twice.
    copied: IdSet,
    repeats: BTreeMap<(Form, Role), Repeats>,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    agent: AgentId,
    number: u32,
    since: Moment,
}

/// The attempts at one task that last. Of most there is never more than one.
#[derive(Clone, Debug)]
struct Attempts {
    first: Attempt,
    others: Vec<Attempt>,
}

impl Attempts {
    fn of(&self, agent: AgentId) -> Option<&Attempt> {
        core::iter::once(&self.first).chain(&self.others).find(|attempt| attempt.agent == agent)
    }
}

#[derive(Clone, Copy, Debug)]
struct Done {
    agent: AgentId,
    at: Moment,
}

const _: () = assert!(core::mem::size_of::<(u64, Done)>() <= 32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    AtOnce,
    Twice,
}

#[derive(Clone, Debug, Default)]
struct Repeats {
    fold: Fold<Repeat>,
    /// What the later agents spent on it, in billionths of a dollar.
    wasted: u64,
}

#[derive(Clone, Copy, Debug)]
struct Repeat {
    task: u64,
    before: (AgentId, Moment),
    again: (AgentId, Moment),
    attempt: u32,
}

impl DuplicateWork {
    fn started(&mut self, task: u64, number: u32, agent: AgentId, at: Moment) {
        let attempts = &self.attempts;
        self.begun.add(agent, task, |task| attempts.get(task).is_some_and(|all| all.of(agent).is_some()));
        let attempt = Attempt { agent, number, since: at };
        let mut is_first = false;
        let attempts = self.attempts.or_insert_with(task, || {
            is_first = true;
            Attempts { first: attempt, others: Vec::new() }
        });
        if is_first {
            return;
        }
        let mut known = core::iter::once(&mut attempts.first).chain(&mut attempts.others);
        if let Some(known) = known.find(|attempt| attempt.agent == agent) {
            known.number = number;
            return;
        }
        let other = attempts.first;
        attempts.others.push(attempt);
        if self.copied.contains(task) {
            return;
        }
        let repeat = Repeat { task, before: (other.agent, other.since), again: (agent, at), attempt: number };
        let repeats = self.repeats.entry((Form::AtOnce, Role::of(agent))).or_default();
        repeats.fold.add(repeat, [other.agent, agent]);
    }

    fn finished(&mut self, task: u64, attempt: u32, reported: bool, agent: AgentId, at: Moment) {
        self.attempts.remove(task);
        if !reported {
            return;
        }
        let Some(first) = self.done.enter(task, Done { agent, at }).copied() else { return };
        if self.copied.contains(task) {
            return;
        }
        let repeat = Repeat { task, before: (first.agent, first.at), again: (agent, at), attempt };
        let repeats = self.repeats.entry((Form::Twice, Role::of(agent))).or_default();
        repeats.fold.add(repeat, [first.agent, agent]);
    }

    /// The attempt of `agent` at `task` ended without a word about others'.
    fn leaves(&mut self, agent: AgentId, task: u64) {
        let Some(attempts) = self.attempts.get_mut(task) else { return };
        attempts.others.retain(|attempt| attempt.agent != agent);
        if attempts.first.agent != agent {
            return;
        }
        if attempts.others.is_empty() {
            self.attempts.remove(task);
        } else {
            attempts.first = attempts.others.remove(0);
        }
    }

    fn gone(&mut self, agent: AgentId) {
        for task in self.begun.of(agent, |_| true) {
            self.leaves(agent, task);
        }
        self.begun.forget(agent);
    }

    fn spent(&mut self, agent: AgentId, nano_dollars: u64) {
        let Some(task) = self.begun.last(agent) else { return };
        let Some(attempts) = self.attempts.get(task) else { return };
        let is_later = attempts.others.iter().any(|attempt| attempt.agent == agent);
        if !is_later || self.copied.contains(task) {
            return;
        }
        if let Some(repeats) = self.repeats.get_mut(&(Form::AtOnce, Role::of(agent))) {
            repeats.wasted = repeats.wasted.saturating_add(nano_dollars);
        }
    }

    fn finding(&self, form: Form, role: Role, repeats: &Repeats, names: &Names) -> Finding {
        let fold = &repeats.fold;
        let first = fold.first();
        let name = |agent: AgentId| shown(&names.of(agent));
        let ((before, since), (again, at)) = (first.before, first.again);
        let gap = duration(at.at.since(since.at));
        let cost = if repeats.wasted > 0 {
            format!("; the later ones spent {}", dollars(repeats.wasted))
        } else {
            String::new()
        };
        let more =
            if fold.count > 1 { format!("; {} in all", counted(fold.count, "time")) } else { String::new() };
        let (text, said, form_name) = match form {
            Form::AtOnce => (
                format!(
                    "{} began attempt {} at task {} {gap} after {} had begun it, who was not through{more}{cost}",
                    name(again),
                    first.attempt,
                    first.task,
                    name(before),
                ),
                "began",
                "at-once",
            ),
            Form::Twice => (
                format!(
                    "{} reported task {} done {gap} after {} had{more}",
                    name(again),
                    first.task,
                    name(before)
                ),
                "reported done",
                "twice",
            ),
        };
        let mut evidence = vec![Evidence::new(since, format!("{} {said} task {}", name(before), first.task))];
        evidence.extend(fold.kept.iter().map(|repeat| {
            let (agent, at) = repeat.again;
            Evidence::new(at, format!("{} {said} task {} too", name(agent), repeat.task))
        }));
        let agents = fold.agents(names);
        let mut numbers = vec![("duplicates", fold.count), ("gap_ns", at.at.since(since.at))];
        if form == Form::AtOnce {
            numbers.push(("nano_dollars", repeats.wasted));
        }
        Finding {
            count: fold.count,
            evidence,
            numbers: Numbers(numbers),
            about: BTreeMap::from([
                ("form", vec![form_name.to_owned()]),
                ("role", vec![role.name(names)]),
                ("agent", agents.clone()),
            ]),
            agents,
            earliest_signal: (form == Form::AtOnce)
                .then(|| Evidence::new(at, format!("{} began what {} was at", name(again), name(before)))),
            saved_nano_dollars: (form == Form::AtOnce).then_some(repeats.wasted),
            remedy: Some(
                "claim before work begins, in one place that can refuse (compare-and-swap, with a fencing token)"
                    .to_owned(),
            ),
            ..Finding::new(KIND, Class::Cost, Severity::Medium, KIND, at, "", &text)
        }
    }
}

impl Monitor for DuplicateWork {
    fn name(&self) -> &'static str {
        KIND
    }

    fn interests(&self) -> Interests {
        Interests::facts(&[
            FactKind::TaskStarted,
            FactKind::TaskFinished,
            FactKind::TaskReleased,
            FactKind::Received,
            FactKind::Spent,
        ]) | Interests::LIFECYCLE
    }

    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        let (at, agent) = (Moment::of(step), step.target);
        for fact in facts {
            match *fact {
                Fact::Received { item, offer, .. } if !self.received.insert(offer) => {
                    self.copied.insert(item);
                }
                Fact::TaskStarted { task, attempt } => self.started(task, attempt, agent, at),
                Fact::TaskFinished { task, attempt, reported, .. } => {
                    self.finished(task, attempt, reported, agent, at);
                }
                // A store that gives a task out again means all that were at it.
                Fact::TaskReleased { task, .. } => {
                    self.attempts.remove(task);
                }
                Fact::Spent { nano_dollars, .. } => self.spent(agent, nano_dollars),
                _ => {}
            }
        }
        if went_down(step) || halted(step) {
            self.gone(agent);
        }
    }

    fn findings(&self, _end: &RunEnd, names: &Names) -> Vec<Finding> {
        self.repeats
            .iter()
            .map(|((form, role), repeats)| self.finding(*form, *role, repeats, names))
            .collect()
    }
}
