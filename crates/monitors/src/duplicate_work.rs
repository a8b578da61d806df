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
//! A fact costs a few look-ups. Memory: live attempts; 32 bytes for a task that is done, and 8 for an offer that was
//! received.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names};

use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::id_set::IdSet;
use crate::interests::{FactKind, Interests};
use crate::monitor::{Moment, Monitor, RunEnd, halted, went_down};
use crate::role::Role;
use crate::text::{counted, dollars, duration, shown};

const KIND: &str = "duplicate-work";

/// Finds duplicate work, folded by its form and the role of the agent that came second.
#[derive(Clone, Debug, Default)]
pub struct DuplicateWork {
    /// Attempts that last, by task, in the order in which they were begun.
    attempts: BTreeMap<u64, Vec<Attempt>>,
    /// The tasks that each agent has begun and that are not over.
    begun: BTreeSet<(AgentId, u64)>,
    /// What each agent began last.
    current: BTreeMap<AgentId, u64>,
    /// Who reported a task done first.
    done: BTreeMap<u64, Done>,
    /// Offers that were received.
    received: BTreeSet<u64>,
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
        self.current.insert(agent, task);
        let attempts = self.attempts.entry(task).or_default();
        let other = attempts.iter().find(|attempt| attempt.agent != agent).copied();
        let known = attempts.iter_mut().find(|attempt| attempt.agent == agent);
        let is_new = known.is_none();
        match known {
            Some(attempt) => attempt.number = number,
            None => attempts.push(Attempt { agent, number, since: at }),
        }
        self.begun.insert((agent, task));
        let Some(other) = other.filter(|_| is_new && !self.copied.contains(task)) else { return };
        let repeat = Repeat { task, before: (other.agent, other.since), again: (agent, at), attempt: number };
        let repeats = self.repeats.entry((Form::AtOnce, Role::of(agent))).or_default();
        repeats.fold.add(repeat, [other.agent, agent]);
    }

    fn finished(&mut self, task: u64, attempt: u32, reported: bool, agent: AgentId, at: Moment) {
        self.over(task);
        if !reported {
            return;
        }
        let Some(first) = self.done.get(&task).copied() else {
            self.done.insert(task, Done { agent, at });
            return;
        };
        if self.copied.contains(task) {
            return;
        }
        let repeat = Repeat { task, before: (first.agent, first.at), again: (agent, at), attempt };
        let repeats = self.repeats.entry((Form::Twice, Role::of(agent))).or_default();
        repeats.fold.add(repeat, [first.agent, agent]);
    }

    fn over(&mut self, task: u64) {
        for attempt in self.attempts.remove(&task).unwrap_or_default() {
            self.begun.remove(&(attempt.agent, task));
        }
    }

    /// The attempt of `agent` at `task` ended without a word about others'.
    fn leaves(&mut self, agent: AgentId, task: u64) {
        self.begun.remove(&(agent, task));
        if let Some(attempts) = self.attempts.get_mut(&task) {
            attempts.retain(|attempt| attempt.agent != agent);
            if attempts.is_empty() {
                self.attempts.remove(&task);
            }
        }
    }

    fn gone(&mut self, agent: AgentId) {
        let tasks: Vec<u64> =
            self.begun.range((agent, 0)..=(agent, u64::MAX)).map(|(_, task)| *task).collect();
        for task in tasks {
            self.leaves(agent, task);
        }
    }

    fn spent(&mut self, agent: AgentId, nano_dollars: u64) {
        let Some(task) = self.current.get(&agent) else { return };
        let Some(attempts) = self.attempts.get(task) else { return };
        let is_later = attempts.iter().skip(1).any(|attempt| attempt.agent == agent);
        if !is_later || self.copied.contains(*task) {
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
                Fact::TaskReleased { task, .. } => self.over(task),
                Fact::Spent { nano_dollars, .. } => self.spent(agent, nano_dollars),
                _ => {}
            }
        }
        if self.current.contains_key(&agent) && (went_down(step) || halted(step)) {
            self.current.remove(&agent);
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
