//! What a run amounts to: tasks, money, seams, requests and waits. Measures, not judgements.

mod faults;
mod report;

use std::collections::BTreeMap;

use fleetsim_engine::batch::{Event, Fate, Step};
use fleetsim_engine::{AgentId, Fact, HOUR, Names, Time, Waited};

use crate::config::MonitorConfig;
use crate::histogram::Histogram;
use crate::id_set::IdSet;
use crate::interests::{FactKind, Interests};
use crate::intern::Interner;
use crate::monitor::went_down;
use crate::number_map::NumberMap;
use crate::ratio::Ratio;
use crate::role::Role;

pub use faults::FaultTally;
pub use report::{
    CheckTally, CostTally, Fairness, RequestTally, RoleTally, SeamTally, TallyReport, TaskTally,
};

/// Counts what happens in a run.
#[derive(Clone, Debug)]
pub struct Tally {
    late_after_ns: BTreeMap<String, u64>,
    texts: Interner,
    /// Those that are not done.
    tasks: NumberMap<u64, TaskState>,
    done: IdSet,
    done_count: u64,
    falsely_done: u64,
    first_task: Option<Time>,
    last_done: Option<Time>,
    seams: NumberMap<u32, Seam>,
    /// Offers that nobody has received yet: the seam, and since when.
    offers: NumberMap<u64, (u32, Time)>,
    checks: CheckTally,
    cost: CostTally,
    requests: RequestTally,
    roles: NumberMap<Role, RoleCounts>,
    waits: NumberMap<AgentId, BTreeMap<OwnedWaited, Time>>,
    faults: faults::FaultCounts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TaskState {
    Pending,
    /// Given back, and not offered again since.
    Released,
    Failed,
}

#[derive(Clone, Debug, Default)]
struct Seam {
    offered: u64,
    received: u64,
    late: u64,
    lost: u64,
    waits: Histogram,
}

#[derive(Clone, Debug, Default)]
struct RoleCounts {
    nano_dollars: u64,
    waits: Histogram,
    inbox_waits: Histogram,
}

/// A [`Waited`] that outlives its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum OwnedWaited {
    Resource(u32),
    Agent(AgentId),
    Gate(u32),
    Join(u32),
}

/// Jain's index of fairness, in thousandths: the squared sum over n times the sum of squares.
pub(crate) fn jain_index(shares: impl Iterator<Item = u64> + Clone) -> Ratio {
    // Scaled down until the squares of a million shares fit.
    let largest = shares.clone().max().unwrap_or(0);
    let shift = (u64::BITS - largest.leading_zeros()).saturating_sub(40);
    let (mut count, mut sum, mut squares) = (0_u128, 0_u128, 0_u128);
    for share in shares {
        let share = u128::from(share >> shift);
        count += 1;
        sum += share;
        squares += share * share;
    }
    if squares == 0 {
        return Ratio::new(1000, 1000);
    }
    Ratio::new((sum * sum * 1000 / (count * squares)) as u64, 1000)
}

impl Tally {
    /// A tally with the bounds of `config`.
    #[must_use]
    pub fn new(config: &MonitorConfig) -> Tally {
        Tally {
            late_after_ns: config.late_after_ns.clone(),
            texts: Interner::default(),
            tasks: NumberMap::default(),
            done: IdSet::default(),
            done_count: 0,
            falsely_done: 0,
            first_task: None,
            last_done: None,
            seams: NumberMap::default(),
            offers: NumberMap::default(),
            checks: CheckTally::default(),
            cost: CostTally::default(),
            requests: RequestTally::default(),
            roles: NumberMap::default(),
            waits: NumberMap::default(),
            faults: faults::FaultCounts::default(),
        }
    }

    /// What it counts.
    pub const INTERESTS: Interests = Interests::facts(&[
        FactKind::TaskAdded,
        FactKind::TaskReady,
        FactKind::TaskClaimed,
        FactKind::TaskStarted,
        FactKind::TaskFinished,
        FactKind::TaskReleased,
        FactKind::Offered,
        FactKind::Received,
        FactKind::Undelivered,
        FactKind::Spent,
        FactKind::Requested,
        FactKind::Checked,
        FactKind::WaitOn,
        FactKind::WaitEnd,
        FactKind::Injected,
    ])
    .and(Interests::LIFECYCLE)
    .and(Interests::HELD_MESSAGES);

    /// Takes note of a step.
    pub fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) {
        if step.waited_ns > 0 && step.fate == Fate::Handled && step.event == Event::Message {
            self.role(step.target).inbox_waits.add(step.waited_ns);
        }
        if went_down(step) {
            self.waits.remove(step.target);
        }
        for fact in facts {
            match fact {
                Fact::TaskAdded { .. }
                | Fact::TaskReady { .. }
                | Fact::TaskClaimed { .. }
                | Fact::TaskStarted { .. }
                | Fact::TaskFinished { .. }
                | Fact::TaskReleased { .. } => self.observe_task(step.time, fact),
                Fact::Offered { .. } | Fact::Received { .. } | Fact::Undelivered { .. } => {
                    self.observe_seam(step.time, fact)
                }
                Fact::Spent { .. } | Fact::Requested { .. } => self.observe_cost(step.target, fact),
                Fact::Checked { item: 0, passed, .. } => self.checks.together = Some(*passed),
                Fact::Checked { passed, actual, .. } => {
                    self.checks.passed += u64::from(*passed);
                    self.checks.failed += u64::from(!*passed);
                    self.checks.wrongly_passed += u64::from(*passed && !*actual);
                }
                Fact::WaitOn { on } => {
                    let on = self.owned(on);
                    self.waits.or_default(step.target).entry(on).or_insert(step.time);
                }
                Fact::WaitEnd { on } => self.wait_ended(step.target, on, step.time),
                // That a condition begins or ends is nothing that it did.
                Fact::Injected { rule, fault, .. } if step.event != Event::Announce => {
                    self.faults.add(rule, fault);
                }
                _ => {}
            }
        }
    }

    fn observe_task(&mut self, now: Time, fact: &Fact<'_>) {
        let (task, state) = match *fact {
            Fact::TaskFinished { task, reported, actual, .. } => {
                self.falsely_done += u64::from(reported && !actual);
                if reported {
                    self.first_task.get_or_insert(now);
                    self.last_done = Some(now);
                    self.tasks.remove(task);
                    self.done_count += u64::from(self.done.insert(task));
                    return;
                }
                (task, TaskState::Failed)
            }
            Fact::TaskReleased { task, .. } => (task, TaskState::Released),
            Fact::TaskAdded { task }
            | Fact::TaskReady { task }
            | Fact::TaskClaimed { task, .. }
            | Fact::TaskStarted { task, .. } => (task, TaskState::Pending),
            _ => return,
        };
        self.first_task.get_or_insert(now);
        if let Some(known) = self.tasks.get_mut(task) {
            *known = state;
        } else if !self.done.contains(task) {
            // Done stays done: a second attempt at it is waste, not a return to work.
            self.tasks.insert(task, state);
        }
    }

    fn observe_seam(&mut self, now: Time, fact: &Fact<'_>) {
        match *fact {
            Fact::Offered { seam, offer, .. } => {
                let seam = self.texts.number(seam);
                self.seams.or_default(seam).offered += 1;
                self.offers.insert(offer, (seam, now));
            }
            Fact::Received { seam: name, offer, .. } => {
                let seam = self.texts.number(name);
                let counts = self.seams.or_default(seam);
                counts.received += 1;
                // A later receipt of the same offer is a duplicate, and neither late nor a wait.
                if let Some((_, offered)) = self.offers.remove(offer) {
                    let waited_ns = now.since(offered);
                    counts.waits.add(waited_ns);
                    counts.late +=
                        u64::from(self.late_after_ns.get(name).is_some_and(|bound_ns| waited_ns > *bound_ns));
                }
            }
            Fact::Undelivered { seam, offer, .. } => {
                let seam = self.texts.number(seam);
                self.seams.or_default(seam).lost += 1;
                self.offers.remove(offer);
            }
            _ => {}
        }
    }

    fn observe_cost(&mut self, agent: AgentId, fact: &Fact<'_>) {
        match *fact {
            Fact::Spent { tokens_in, cached, tokens_out, nano_dollars } => {
                let cost = &mut self.cost;
                cost.tokens_in = cost.tokens_in.saturating_add(tokens_in);
                cost.cached = cost.cached.saturating_add(cached);
                cost.tokens_out = cost.tokens_out.saturating_add(tokens_out);
                cost.nano_dollars = cost.nano_dollars.saturating_add(nano_dollars);
                let role = self.role(agent);
                role.nano_dollars = role.nano_dollars.saturating_add(nano_dollars);
            }
            Fact::Requested { admitted, first, tokens_in, tokens_out, .. } => {
                let requests = &mut self.requests;
                if !admitted {
                    requests.refused += 1;
                    return;
                }
                requests.admitted += 1;
                if first {
                    requests.first_admitted += 1;
                    requests.first_tokens_in = requests.first_tokens_in.saturating_add(tokens_in);
                    requests.first_tokens_out = requests.first_tokens_out.saturating_add(tokens_out);
                }
            }
            _ => {}
        }
    }

    fn wait_ended(&mut self, agent: AgentId, on: &Waited<'_>, now: Time) {
        let on = self.owned(on);
        let Some(waits) = self.waits.get_mut(agent) else { return };
        let Some(since) = waits.remove(&on) else { return };
        self.role(agent).waits.add(now.since(since));
    }

    fn role(&mut self, agent: AgentId) -> &mut RoleCounts {
        self.roles.or_default(Role::of(agent))
    }

    fn owned(&mut self, on: &Waited<'_>) -> OwnedWaited {
        match *on {
            Waited::Resource(name) => OwnedWaited::Resource(self.texts.number(name)),
            Waited::Agent(agent) => OwnedWaited::Agent(agent),
            Waited::Gate(name) => OwnedWaited::Gate(self.texts.number(name)),
            Waited::Join(name) => OwnedWaited::Join(self.texts.number(name)),
        }
    }

    /// The tally so far. Other monitors know the duplicate hand-overs by seam and how fairly models were shared.
    #[must_use]
    pub fn report(
        &self,
        duplicated: &BTreeMap<&str, u64>,
        fairness: Vec<Fairness>,
        names: &Names,
    ) -> TallyReport {
        TallyReport {
            tasks: self.task_tally(),
            checks: self.checks,
            cost: self.cost,
            seams: self.seam_tallies(duplicated),
            requests: self.requests,
            roles: self.role_tallies(names),
            fairness,
            faults: self.faults.report(),
        }
    }

    fn task_tally(&self) -> TaskTally {
        let count =
            |states: &[TaskState]| self.tasks.values().filter(|state| states.contains(state)).count() as u64;
        let done = self.done_count;
        let makespan_ns = self.first_task.zip(self.last_done).map_or(0, |(first, last)| last.since(first));
        let per_hour = u128::from(done) * 1000 * u128::from(HOUR);
        TaskTally {
            added: self.tasks.len() as u64 + done,
            done,
            failed: count(&[TaskState::Failed, TaskState::Released]),
            pending: count(&[TaskState::Pending]),
            falsely_done: self.falsely_done,
            makespan_ns,
            done_per_hour_thousandths: per_hour
                .checked_div(u128::from(makespan_ns))
                .map_or(0, |rate| u64::try_from(rate).unwrap_or(u64::MAX)),
        }
    }

    fn seam_tallies(&self, duplicated: &BTreeMap<&str, u64>) -> Vec<SeamTally> {
        let mut in_flight: BTreeMap<u32, u64> = BTreeMap::new();
        for (seam, _) in self.offers.values() {
            *in_flight.entry(*seam).or_default() += 1;
        }
        let seam_tally = |(number, seam): (u32, &Seam)| {
            let name = self.texts.name(number);
            SeamTally {
                name: name.to_owned(),
                offered: seam.offered,
                handed_over: seam.received,
                late: seam.late,
                duplicated: duplicated.get(name).copied().unwrap_or(0),
                lost: seam.lost,
                in_flight: in_flight.get(&number).copied().unwrap_or(0),
                waits: seam.waits.clone(),
            }
        };
        // Numbers are given in order of first use: the way that work takes through a fleet.
        self.seams.sorted().map(seam_tally).collect()
    }

    fn role_tallies(&self, names: &Names) -> Vec<RoleTally> {
        let role_tally = |(role, counts): (Role, &RoleCounts)| RoleTally {
            name: role.name(names),
            nano_dollars: counts.nano_dollars,
            waits: counts.waits.clone(),
            inbox_waits: counts.inbox_waits.clone(),
        };
        let mut tallies: Vec<RoleTally> = self.roles.sorted().map(role_tally).collect();
        tallies.sort_by(|a, b| a.name.cmp(&b.name));
        tallies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jain_is_one_for_equals_and_one_nth_for_a_monopoly() {
        for (shares, thousandths) in [
            (&[][..], 1000),
            (&[0, 0], 1000),
            (&[5, 5, 5, 5], 1000),
            (&[8, 0, 0, 0], 250),
            (&[1, 2, 3], 857),
            (&[u64::MAX, u64::MAX], 1000),
            (&[u64::MAX, 1], 500),
        ] {
            assert_eq!(jain_index(shares.iter().copied()).thousandths(), thousandths, "{shares:?}");
        }
    }
}
