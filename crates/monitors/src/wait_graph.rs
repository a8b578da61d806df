//! Who waits for whom, kept as the facts come: the wait-for graph of a fleet.
//!
//! An agent waits for a resource, which others hold; for another agent; for a gate, which is named after the role that
//! decides at it; or for a join, which is named after the role or the agent whose parts must all finish. An agent is
//! *stuck* when no order of events among those that wait can free it: the graph reduction of Holt ("Some Deadlock
//! Properties of Computer Systems", 1972). All waits of an agent must end before it goes on. A resource is free as soon
//! as one of its holders can go on, a gate as soon as one member of its role can; a join needs all its members.
//!
//! Conservative: a resource that nobody is known to hold, a role that is not in the manifest, and an agent that has
//! crashed or halted (a lease may end, a restart may come) hold nobody up.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fleetsim_engine::{AgentId, Fact, Manifest, Names, Waited};

use crate::interests::{FactKind, Interests};
use crate::intern::Interner;
use crate::monitor::Moment;
use crate::text::{clock, shown};

/// Waits and holders at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct WaitGraph {
    names: Interner,
    /// How many members each role has.
    roles: BTreeMap<Box<str>, u32>,
    waits: BTreeMap<AgentId, Vec<Wait>>,
    waiters: BTreeMap<Awaited, BTreeSet<AgentId>>,
    /// Who holds each resource, with the fencing token.
    holders: BTreeMap<u32, BTreeMap<AgentId, u64>>,
}

/// A [`Waited`] that outlives its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Awaited {
    Resource(u32),
    Agent(AgentId),
    Gate(u32),
    Join(u32),
}

/// One thing that an agent waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) on: Awaited,
    pub(crate) since: Moment,
}

/// What a fact did to the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    Nothing,
    /// The agent waits for something more.
    Waits,
    /// A wait of the agent is over.
    Goes,
    /// The agent holds the resource, and waits for it no more.
    Holds(u32),
    /// The agent holds the resource no more.
    LetGo(u32),
}

impl WaitGraph {
    /// The facts that say who waits and who holds.
    pub(crate) const INTERESTS: Interests =
        Interests::facts(&[FactKind::WaitOn, FactKind::WaitEnd, FactKind::Acquired, FactKind::Released]);

    /// An empty graph over the roles of `manifest`.
    pub(crate) fn new(manifest: &Manifest) -> WaitGraph {
        let roles = manifest.groups.iter().map(|group| (group.name.as_str().into(), group.count)).collect();
        WaitGraph { roles, ..WaitGraph::default() }
    }

    /// Takes note of a fact that `agent` stated.
    pub(crate) fn observe(&mut self, at: Moment, agent: AgentId, fact: &Fact<'_>) -> Touch {
        match *fact {
            Fact::WaitOn { on } => {
                let on = self.awaited(&on);
                let waits = self.waits.entry(agent).or_default();
                if waits.iter().any(|wait| wait.on == on) {
                    return Touch::Nothing;
                }
                waits.push(Wait { on, since: at });
                self.waiters.entry(on).or_default().insert(agent);
                Touch::Waits
            }
            Fact::WaitEnd { on } => {
                let on = self.awaited(&on);
                self.end_wait(agent, on);
                Touch::Goes
            }
            Fact::Acquired { resource, fence } => {
                let resource = self.names.number(resource);
                self.end_wait(agent, Awaited::Resource(resource));
                let holders = self.holders.entry(resource).or_default();
                // A higher token says that the earlier claims are over.
                holders.retain(|_, known| *known == 0 || *known >= fence);
                holders.insert(agent, fence);
                Touch::Holds(resource)
            }
            Fact::Released { resource, .. } => {
                let resource = self.names.number(resource);
                if let Some(holders) = self.holders.get_mut(&resource) {
                    holders.remove(&agent);
                    if holders.is_empty() {
                        self.holders.remove(&resource);
                    }
                }
                Touch::LetGo(resource)
            }
            _ => Touch::Nothing,
        }
    }

    /// `agent` lost its state or stopped: it waits for nothing any more. What it holds, it holds until somebody says
    /// otherwise.
    pub(crate) fn forget(&mut self, agent: AgentId) {
        for wait in self.waits.remove(&agent).unwrap_or_default() {
            self.leave_line(agent, wait.on);
        }
    }

    fn end_wait(&mut self, agent: AgentId, on: Awaited) {
        if let Some(waits) = self.waits.get_mut(&agent) {
            waits.retain(|wait| wait.on != on);
            if waits.is_empty() {
                self.waits.remove(&agent);
            }
        }
        self.leave_line(agent, on);
    }

    fn leave_line(&mut self, agent: AgentId, on: Awaited) {
        if let Some(line) = self.waiters.get_mut(&on) {
            line.remove(&agent);
            if line.is_empty() {
                self.waiters.remove(&on);
            }
        }
    }

    fn awaited(&mut self, on: &Waited<'_>) -> Awaited {
        match *on {
            Waited::Resource(name) => Awaited::Resource(self.names.number(name)),
            Waited::Agent(agent) => Awaited::Agent(agent),
            Waited::Gate(name) => Awaited::Gate(self.names.number(name)),
            Waited::Join(name) => Awaited::Join(self.names.number(name)),
        }
    }

    /// What `agent` waits for.
    pub(crate) fn waits_of(&self, agent: AgentId) -> &[Wait] {
        self.waits.get(&agent).map_or(&[], Vec::as_slice)
    }

    /// All who wait, with what for.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (AgentId, &[Wait])> {
        self.waits.iter().map(|(agent, waits)| (*agent, waits.as_slice()))
    }

    /// Those who wait for a resource.
    pub(crate) fn waiters(&self, resource: u32) -> impl Iterator<Item = AgentId> {
        self.waiters.get(&Awaited::Resource(resource)).into_iter().flatten().copied()
    }

    /// Those whose waits `agent` may hold up. Takes time in proportion to the things that are waited for.
    pub(crate) fn waiting_for(&self, agent: AgentId) -> Vec<AgentId> {
        let named = |name: u32| {
            let members = self.members(self.names.name(name));
            members.is_some_and(|(first, count)| {
                let last = first.as_u64() + u64::from(count) - 1;
                (first.as_u64()..=last).contains(&agent.as_u64())
            })
        };
        let holds_up = |on: &Awaited| match *on {
            Awaited::Agent(other) => other == agent,
            Awaited::Resource(resource) => {
                self.holders.get(&resource).is_some_and(|holders| holders.contains_key(&agent))
            }
            Awaited::Gate(name) | Awaited::Join(name) => named(name),
        };
        let lines = self.waiters.iter().filter(|(on, _)| holds_up(on));
        lines.flat_map(|(_, line)| line.iter().copied()).collect()
    }

    /// The members of the role, or the one agent, that is called `name`: the first, and how many.
    fn members(&self, name: &str) -> Option<(AgentId, u32)> {
        if let Some(count) = self.roles.get(name) {
            return (*count > 0).then(|| (AgentId::named(name, 1), *count));
        }
        let (role, ordinal) = name.rsplit_once('-')?;
        let ordinal: u32 = ordinal.parse().ok()?;
        let count = self.roles.get(role)?;
        (1..=*count).contains(&ordinal).then(|| (AgentId::named(role, ordinal), 1))
    }

    /// Those of `count` members from `first` on who wait themselves.
    fn waiting_members(&self, first: AgentId, count: u32) -> impl Iterator<Item = AgentId> {
        let last = AgentId::from_u64(first.as_u64() + u64::from(count) - 1);
        self.waits.range(first..=last).map(|(agent, _)| *agent)
    }

    /// Those who wait themselves and could be why `agent`'s wait `on` does not end.
    fn blockers(&self, agent: AgentId, on: Awaited) -> Vec<AgentId> {
        let waits = |other: &AgentId| self.waits.contains_key(other);
        match on {
            Awaited::Resource(resource) => self
                .holders
                .get(&resource)
                .into_iter()
                .flatten()
                .map(|(holder, _)| *holder)
                .filter(waits)
                .collect(),
            Awaited::Agent(other) => Some(other).filter(waits).into_iter().collect(),
            Awaited::Gate(name) => match self.members(self.names.name(name)) {
                Some((first, count)) => self.waiting_members(first, count).collect(),
                None => Vec::new(),
            },
            Awaited::Join(name) => match self.members(self.names.name(name)) {
                Some((first, count)) => {
                    self.waiting_members(first, count).filter(|member| *member != agent).collect()
                }
                None => Vec::new(),
            },
        }
    }

    /// Whether `agent` waits `on`, that does not end as long as `stuck` do not move, and `other` is one reason.
    pub(crate) fn is_held_up_by(
        &self,
        agent: AgentId,
        on: Awaited,
        other: AgentId,
        stuck: &BTreeSet<AgentId>,
    ) -> bool {
        self.waits_of(agent).iter().any(|wait| wait.on == on)
            && self.blockers(agent, on).contains(&other)
            && self.holds_up(agent, on, stuck)
    }

    /// Whether somebody who waits could hold `agent` up, as far as a glance tells.
    pub(crate) fn may_be_stuck(&self, agent: AgentId) -> bool {
        self.waits_of(agent).iter().any(|wait| match wait.on {
            Awaited::Resource(resource) => self.holders.contains_key(&resource),
            Awaited::Agent(other) => self.waits.contains_key(&other),
            Awaited::Gate(_) | Awaited::Join(_) => true,
        })
    }

    /// How many of the blockers of `on` must be stuck for the wait not to end.
    fn stuck_needed(&self, on: Awaited) -> usize {
        match on {
            Awaited::Resource(resource) => self.holders.get(&resource).map_or(usize::MAX, BTreeMap::len),
            Awaited::Gate(name) => {
                self.members(self.names.name(name)).map_or(usize::MAX, |(_, count)| count as usize)
            }
            Awaited::Agent(_) | Awaited::Join(_) => 1,
        }
    }

    fn is_held_up(&self, agent: AgentId, stuck: &BTreeSet<AgentId>) -> bool {
        self.waits_of(agent).iter().any(|wait| self.holds_up(agent, wait.on, stuck))
    }

    /// Whether enough of the blockers of `agent`'s wait `on` are stuck.
    fn holds_up(&self, agent: AgentId, on: Awaited, stuck: &BTreeSet<AgentId>) -> bool {
        let held = self.blockers(agent, on).iter().filter(|other| stuck.contains(other)).count();
        held >= self.stuck_needed(on)
    }

    /// Those among `agent` and whom it waits for, at any remove, that nothing can free; empty when `agent` is not one
    /// of them. Takes time in proportion to the waits that are looked at.
    pub(crate) fn stuck_with(&self, agent: AgentId) -> BTreeSet<AgentId> {
        let mut stuck = BTreeSet::new();
        let mut held_up_by: BTreeMap<AgentId, Vec<AgentId>> = BTreeMap::new();
        let mut to_visit = vec![agent];
        while let Some(next) = to_visit.pop() {
            if !stuck.insert(next) {
                continue;
            }
            for wait in self.waits_of(next) {
                for other in self.blockers(next, wait.on) {
                    held_up_by.entry(other).or_default().push(next);
                    to_visit.push(other);
                }
            }
        }
        let mut to_judge: VecDeque<AgentId> = stuck.iter().copied().collect();
        while let Some(next) = to_judge.pop_front() {
            if stuck.contains(&next) && !self.is_held_up(next, &stuck) {
                stuck.remove(&next);
                to_judge.extend(held_up_by.remove(&next).unwrap_or_default());
            }
        }
        if stuck.contains(&agent) { stuck } else { BTreeSet::new() }
    }

    /// A circle of waits among `stuck`: the shortest through `agent`, or else one that `agent` leads to. Each waits for
    /// the next, and the last for the first.
    pub(crate) fn circle(&self, agent: AgentId, stuck: &BTreeSet<AgentId>) -> Vec<(AgentId, Awaited)> {
        let next_of = |from: AgentId| {
            let waits = self.waits_of(from).iter().map(|wait| wait.on);
            waits.flat_map(move |on| self.blockers(from, on).into_iter().map(move |other| (on, other)))
        };
        let next_stuck = |from| next_of(from).filter(|(_, other)| stuck.contains(other));
        let mut reached: BTreeMap<AgentId, (AgentId, Awaited)> = BTreeMap::new();
        let mut to_visit = VecDeque::from([agent]);
        while let Some(from) = to_visit.pop_front() {
            for (on, other) in next_stuck(from) {
                if let std::collections::btree_map::Entry::Vacant(entry) = reached.entry(other) {
                    entry.insert((from, on));
                    to_visit.push_back(other);
                }
            }
            if reached.contains_key(&agent) {
                return rotated(way_back(agent, &reached));
            }
        }
        // Every stuck agent has a stuck one before it: whoever walks on comes by a second time.
        let mut way: Vec<(AgentId, Awaited)> = Vec::new();
        let mut at = agent;
        loop {
            if let Some(first) = way.iter().position(|(known, _)| *known == at) {
                return rotated(way.split_off(first));
            }
            let Some((on, other)) = next_stuck(at).min_by_key(|(_, other)| *other) else { return Vec::new() };
            way.push((at, on));
            at = other;
        }
    }

    /// Who holds a resource.
    pub(crate) fn holders(&self, resource: u32) -> impl Iterator<Item = AgentId> {
        self.holders.get(&resource).into_iter().flatten().map(|(holder, _)| *holder)
    }

    /// What is awaited, in words: `lock-a`, `coder-2`, `gate lead`, `join tests`.
    pub(crate) fn name(&self, on: Awaited, names: &Names) -> String {
        match on {
            Awaited::Resource(number) => shown(self.names.name(number)),
            Awaited::Agent(agent) => shown(&names.of(agent)),
            Awaited::Gate(number) => format!("gate {}", shown(self.names.name(number))),
            Awaited::Join(number) => format!("join {}", shown(self.names.name(number))),
        }
    }

    /// The bare name of a resource, gate or join.
    pub(crate) fn resource(&self, on: Awaited) -> Option<&str> {
        match on {
            Awaited::Resource(number) | Awaited::Gate(number) | Awaited::Join(number) => {
                Some(self.names.name(number))
            }
            Awaited::Agent(_) => None,
        }
    }

    /// A wait in words: `lock-a (held by coder-2) since 00:01:00`.
    pub(crate) fn told(&self, wait: &Wait, names: &Names) -> String {
        let held = match wait.on {
            Awaited::Resource(number) => {
                let holders: Vec<String> =
                    self.holders(number).take(3).map(|holder| shown(&names.of(holder))).collect();
                if holders.is_empty() { String::new() } else { format!(" (held by {})", holders.join(", ")) }
            }
            _ => String::new(),
        };
        format!("{}{held} since {}", self.name(wait.on, names), clock(wait.since.at))
    }
}

fn way_back(agent: AgentId, reached: &BTreeMap<AgentId, (AgentId, Awaited)>) -> Vec<(AgentId, Awaited)> {
    let mut way = Vec::new();
    let mut at = agent;
    loop {
        let step = reached[&at];
        way.push(step);
        at = step.0;
        if at == agent {
            way.reverse();
            return way;
        }
    }
}

/// The same circle from its smallest agent on.
fn rotated(mut circle: Vec<(AgentId, Awaited)>) -> Vec<(AgentId, Awaited)> {
    let first = (0..circle.len()).min_by_key(|place| circle[*place]).unwrap_or(0);
    circle.rotate_left(first);
    circle
}
