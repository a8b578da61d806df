//! Orphaned tasks: claimed or begun by an agent that crashed or halted, and taken up by nobody in time.
//!
//! A task lies with the agent that last received, claimed or began it and has not handed it on. When that agent crashes
//! or halts, the task is an orphan until anybody takes it up, gives it out again, comes closer to done with it or ends
//! it. It counts when that takes longer than `orphaned_after_ns` (default 30 minutes), or when the fleet comes to rest
//! first.
//!
//! *Source.* Stores without leases: "dead agent leaves task ready forever" (github.com/stablyai/orca, issue 8984).
//!
//! *Parameters.* [`MonitorConfig::orphaned_after_ns`].
//!
//! *Limits.* An agent that goes on from its disk without stating anything seems to have forgotten its task until it
//! states something of it. Of a fleet that states neither claims nor receipts nothing is known.
//!
//! A fact costs a few look-ups. Memory: open tasks, and runs of numbers of done ones.

use std::collections::BTreeMap;

use fleetsim_engine::{AgentId, Fact, Names, Time};

use crate::config::MonitorConfig;
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::holdings::Holdings;
use crate::monitor::{Moment, RunEnd};
use crate::open_work::{Change, OpenWork};
use crate::role::Role;
use crate::text::{counted, duration, shown};
use crate::unfinished::Account;

const KIND: &str = "orphaned-task";

/// Finds orphaned tasks, folded by the role of the agent that left them.
#[derive(Clone, Debug)]
pub(crate) struct OrphanedTask {
    after_ns: u64,
    holdings: Holdings,
    orphans: BTreeMap<u64, Orphan>,
    found: BTreeMap<Role, Fold<Told>>,
}

#[derive(Clone, Copy, Debug)]
struct Orphan {
    agent: AgentId,
    taken: Moment,
    left: Moment,
    halted: bool,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    task: u64,
    orphan: Orphan,
    /// When somebody took it up, if anybody did.
    taken_up: Option<Moment>,
    lasted_ns: u64,
}

impl OrphanedTask {
    /// A monitor with the bound of `config`.
    pub(crate) fn new(config: &MonitorConfig) -> OrphanedTask {
        OrphanedTask {
            after_ns: config.orphaned_after_ns,
            holdings: Holdings::default(),
            orphans: BTreeMap::new(),
            found: BTreeMap::new(),
        }
    }

    fn taken_up(&mut self, task: u64, at: Moment) {
        let Some(orphan) = self.orphans.remove(&task) else { return };
        let told = Told { task, orphan, taken_up: Some(at), lasted_ns: at.at.since(orphan.left.at) };
        if told.lasted_ns > self.after_ns {
            self.found.entry(Role::of(orphan.agent)).or_default().add(told, [orphan.agent]);
        }
    }

    fn finding(&self, role: Role, fold: &Fold<Told>, names: &Names) -> Finding {
        let first = fold.first();
        let name = shown(&names.of(first.orphan.agent));
        let went = |halted: bool| if halted { "halted" } else { "crashed" };
        let then = match first.taken_up {
            Some(_) => format!("nobody took it up for {}", duration(first.lasted_ns)),
            None => format!("nobody has taken it up since, for {}", duration(first.lasted_ns)),
        };
        let more =
            if fold.count > 1 { format!("; {} in all", counted(fold.count, "task")) } else { String::new() };
        let text = format!(
            "task {} was with {name} when it {}; {then}{more}",
            first.task,
            went(first.orphan.halted)
        );
        let mut evidence = Vec::new();
        for told in &fold.kept {
            let (task, who) = (told.task, shown(&names.of(told.orphan.agent)));
            evidence.push(Evidence::new(told.orphan.taken, format!("{who} took up task {task}")));
            evidence.push(Evidence::new(told.orphan.left, format!("{who} {}", went(told.orphan.halted))));
            if let Some(at) = told.taken_up {
                evidence.push(Evidence::new(at, format!("task {task} was taken up again")));
            }
        }
        let passed = first.orphan.left.at.checked_add(self.after_ns).unwrap_or(Time::MAX);
        let agents = fold.agents(names);
        Finding {
            count: fold.count,
            evidence,
            numbers: Numbers(vec![
                ("tasks", fold.count),
                ("bound_ns", self.after_ns),
                ("lasted_ns", first.lasted_ns),
            ]),
            about: BTreeMap::from([
                ("role", vec![role.name(names)]),
                ("agent", agents.clone()),
                ("task", fold.kept.iter().map(|told| told.task.to_string()).collect()),
            ]),
            agents,
            earliest_signal: Some(Evidence::new(
                first.orphan.left,
                format!("{name} {}, and its claim stood", went(first.orphan.halted)),
            )),
            lead_time_ns: Some(passed.since(first.orphan.left.at).min(first.lasted_ns)),
            remedy: Some("let claims expire (a lease that is renewed while work goes on)".to_owned()),
            ..Finding::new(KIND, Class::Liveness, Severity::High, KIND, first.orphan.left, "", &text)
        }
    }

    /// Takes note of a fact that changes nothing about open work.
    pub(crate) fn observe_other(&mut self, at: Moment, fact: &Fact<'_>) {
        // Whoever had it goes on with it.
        if let Fact::Progress { item } = *fact {
            self.taken_up(item, at);
        }
    }

    /// Takes note of a fact about open work that `agent` stated, and of what it did to it.
    pub(crate) fn observe(
        &mut self,
        at: Moment,
        agent: AgentId,
        fact: &Fact<'_>,
        change: Change,
        work: &OpenWork,
    ) {
        if let Fact::TaskClaimed { task, .. }
        | Fact::TaskStarted { task, .. }
        | Fact::Received { item: task, .. } = *fact
        {
            self.holdings.add(agent, task, |task| work.held_by(agent, task).is_some());
        }
        if self.orphans.is_empty() {
            return;
        }
        match (change, fact) {
            (Change::Moved(task) | Change::Done(task) | Change::GivenUp(task), _) => self.taken_up(task, at),
            // Whoever had it goes on with it.
            (Change::Nothing, Fact::TaskClaimed { task, .. } | Fact::TaskStarted { task, .. }) => {
                self.taken_up(*task, at);
            }
            (Change::Nothing, Fact::Received { item, .. }) => self.taken_up(*item, at),
            (Change::Nothing, _) => {}
        }
    }

    /// `agent` crashed or halted.
    pub(crate) fn goes(&mut self, agent: AgentId, at: Moment, account: &Account) {
        let halted = account.rest.gone(agent).is_some_and(|gone| gone.halted);
        let held_by = |task| account.work.held_by(agent, task);
        for task in self.holdings.of(agent, |task| held_by(task).is_some()) {
            let taken = held_by(task).expect("it has what was just asked for").since;
            self.orphans.entry(task).or_insert(Orphan { agent, taken, left: at, halted });
        }
    }

    /// Judges what it has seen so far.
    pub(crate) fn findings(&self, account: &Account, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let mut all = self.found.clone();
        let at_rest = account.rest.came(end);
        for (task, orphan) in &self.orphans {
            let lasted_ns = end.time.since(orphan.left.at);
            if at_rest || lasted_ns > self.after_ns {
                let told = Told { task: *task, orphan: *orphan, taken_up: None, lasted_ns };
                all.entry(Role::of(orphan.agent)).or_default().add(told, [orphan.agent]);
            }
        }
        all.iter().map(|(role, fold)| self.finding(*role, fold, names)).collect()
    }
}
