//! Deadlock: agents that wait for each other in a circle, or a fleet that came to rest while work was open.
//!
//! **Circle.** Agents that wait for each other, judged by reducing the wait-for graph; the graph's file says what
//! counts as waiting for whom. Locks (`Acquired`, `Released`, `WaitOn` a resource), answers of agents, human gates
//! and joins are one graph, so that a circle may go through all of them. An inbox that is read only between turns
//! needs no edge of its own: whoever waits for an agent that waits, waits for it. The graph grows with the facts; a
//! fact is judged by what it touches. A circle counts when it lasted `deadlock_after_ns`, or until the fleet was at
//! rest: time-outs break young ones.
//!
//! **Rest with open work.** The run ended because nothing was left to happen, nobody had stopped it, and tasks were open
//! or agents waited. Tasks that a carrier lost and tasks of agents that are gone are other findings' business.
//!
//! *Source.* Coffman, Elphick and Shoshani, "System Deadlocks" (1971); Holt, "Some Deadlock Properties of Computer
//! Systems" (1972).
//!
//! *Parameters.* [`MonitorConfig::deadlock_after_ns`].
//!
//! *Limits.* Only waits that are stated are seen. A gate or join that is not named after a role or agent cannot close a
//! circle. A holder that crashed is taken for one that may let go. A fleet that never states the end of a task leaves
//! none open.
//!
//! A fact costs time in proportion to the waits that it can reach; memory grows with the waits and locks of the moment.

#[cfg(test)]
mod twin;

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::{AgentId, Fact, Manifest, Names};

use crate::config::MonitorConfig;
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::fold::Fold;
use crate::interests::Interests;
use crate::monitor::{Moment, RunEnd};
use crate::open_work::{OpenTask, Place};
use crate::role::Role;
use crate::text::{counted, duration, shown};
use crate::unfinished::Account;
use crate::wait_graph::{Awaited, Touch, Wait, WaitGraph};

const KIND: &str = "deadlock";
/// Open tasks and waits that a finding names.
const NAMED_MAX: usize = 3;

/// Finds deadlocks, folded by the roles and resources of their circles, and rest with open work.
#[derive(Clone, Debug)]
pub(crate) struct Deadlock {
    after_ns: u64,
    graph: WaitGraph,
    live: BTreeMap<u64, Circle>,
    next_circle: u64,
    /// The circle that each stuck agent is in or waits for.
    circle_of: BTreeMap<AgentId, u64>,
    broken: BTreeMap<Shape, Fold<Told>>,
}

/// What circles that are folded have in common.
type Shape = Vec<(Role, Link)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Link {
    Agent(Role),
    Thing(Awaited),
}

/// A circle that has not been broken.
#[derive(Clone, Debug)]
struct Circle {
    formed: Moment,
    circle: Vec<(AgentId, Awaited)>,
    /// Those in the circle and those who wait for them.
    stuck: BTreeSet<AgentId>,
}

#[derive(Clone, Debug)]
struct Told {
    formed: Moment,
    /// The moments at which each wait of the circle began.
    waits: Vec<(AgentId, Wait)>,
    stuck: usize,
    lasted_ns: u64,
    broken: bool,
}

impl Deadlock {
    /// A monitor for the fleet that `manifest` names.
    pub(crate) fn new(config: &MonitorConfig, manifest: &Manifest) -> Deadlock {
        Deadlock {
            after_ns: config.deadlock_after_ns,
            graph: WaitGraph::new(manifest),
            live: BTreeMap::new(),
            next_circle: 0,
            circle_of: BTreeMap::new(),
            broken: BTreeMap::new(),
        }
    }

    /// Takes note of a fact that `agent` stated.
    pub(crate) fn observe(&mut self, at: Moment, agent: AgentId, fact: &Fact<'_>) {
        if !WaitGraph::INTERESTS.meets(Interests::of_fact(fact)) {
            return;
        }
        // The waits of a circle that this fact may break are gone after it.
        let before = self.told_before(agent, at);
        match self.graph.observe(at, agent, fact) {
            Touch::Nothing => {}
            Touch::Waits => self.judge(agent, at),
            Touch::Goes => self.judge_circle_of(agent, at, before),
            Touch::Holds(resource) => {
                self.judge_circle_of(agent, at, before);
                self.judge(agent, at);
                // Where it is one more holder among others, it may free those that wait.
                self.judge_circles_at(resource, at);
                // And where it is stuck itself, those that wait there are behind it from now on.
                if self.circle_of.contains_key(&agent) {
                    self.judge_waiters(resource, at);
                }
            }
            Touch::LetGo(resource) => {
                self.judge_circle_of(agent, at, before);
                self.judge_circles_at(resource, at);
                // Without this holder only stuck ones may be left; for all who wait there alike.
                let Some(first) = self.graph.waiters(resource).next() else { return };
                self.judge(first, at);
                if self.circle_of.contains_key(&first) {
                    self.judge_waiters(resource, at);
                }
            }
        }
    }

    /// Judges all who wait for `resource`.
    fn judge_waiters(&mut self, resource: u32, at: Moment) {
        let waiters: Vec<AgentId> = self.graph.waiters(resource).collect();
        for waiter in waiters {
            self.judge(waiter, at);
        }
    }

    /// `agent` crashed or halted.
    pub(crate) fn goes(&mut self, agent: AgentId, at: Moment) {
        let before = self.told_before(agent, at);
        self.graph.forget(agent);
        self.judge_circle_of(agent, at, before);
    }

    /// Judges the circles of those that wait for `resource` again.
    fn judge_circles_at(&mut self, resource: u32, at: Moment) {
        let waiters = self.graph.waiters(resource).filter(|waiter| self.circle_of.contains_key(waiter));
        for waiter in waiters.collect::<Vec<AgentId>>() {
            let before = self.told_before(waiter, at);
            self.judge_circle_of(waiter, at, before);
        }
    }

    fn told_before(&self, agent: AgentId, at: Moment) -> Option<Told> {
        if self.live.is_empty() {
            return None;
        }
        self.circle_of.get(&agent).map(|number| self.told(&self.live[number], at, true))
    }

    /// Whether `agent`, who waits for something new, closes a circle or runs into one; and with it those behind it.
    fn judge(&mut self, agent: AgentId, now: Moment) {
        if !self.graph.may_be_stuck(agent) {
            return;
        }
        let mut to_judge = vec![agent];
        while let Some(next) = to_judge.pop() {
            if self.circle_of.contains_key(&next) {
                continue;
            }
            let stuck = self.graph.stuck_with(next);
            if stuck.is_empty() {
                continue;
            }
            let known = stuck.iter().find_map(|other| self.circle_of.get(other)).copied();
            let number = known.unwrap_or(self.next_circle);
            if known.is_none() {
                let circle = self.graph.circle(next, &stuck);
                self.live.insert(number, Circle { formed: now, circle, stuck: BTreeSet::new() });
                self.next_circle += 1;
            }
            let circle = self.live.get_mut(&number).expect("an agent's circle is live");
            for other in stuck {
                if let std::collections::btree_map::Entry::Vacant(entry) = self.circle_of.entry(other) {
                    entry.insert(number);
                    circle.stuck.insert(other);
                    to_judge.extend(self.graph.waiting_for(other));
                }
            }
        }
    }

    /// Whether the circle of `agent`, for whom something changed, still holds. `before` is what was to be told of it.
    fn judge_circle_of(&mut self, agent: AgentId, now: Moment, before: Option<Told>) {
        let mut freed = self.judge_one_circle(agent, now, before);
        // Whoever waits for one that is free now may be behind another circle, and free as well.
        while let Some(free) = freed.pop() {
            for waiter in self.graph.waiting_for(free) {
                let before = self.told_before(waiter, now);
                freed.extend(self.judge_one_circle(waiter, now, before));
            }
        }
    }

    /// Judges the circle of `agent` and gives those who are stuck no more.
    fn judge_one_circle(&mut self, agent: AgentId, now: Moment, before: Option<Told>) -> Vec<AgentId> {
        let Some(number) = self.circle_of.get(&agent).copied() else { return Vec::new() };
        let circle = self.live.remove(&number).expect("an agent's circle is live");
        for member in &circle.stuck {
            self.circle_of.remove(member);
        }
        let first = circle.circle.first().map_or(agent, |(first, _)| *first);
        let still = self.graph.stuck_with(first);
        let links = &circle.circle;
        let holds = links.iter().enumerate().all(|(place, (member, on))| {
            let (next, _) = links[(place + 1) % links.len()];
            still.contains(member) && self.graph.is_held_up_by(*member, *on, next, &still)
        });
        if holds {
            // Who is left waits for the same circle; who has come to it is judged with those behind.
            let (kept, come): (BTreeSet<AgentId>, BTreeSet<AgentId>) =
                still.into_iter().partition(|member| circle.stuck.contains(member));
            for member in &kept {
                self.circle_of.insert(*member, number);
            }
            self.live.insert(number, Circle { stuck: kept, ..circle.clone() });
            for member in come {
                self.judge(member, now);
            }
        } else if let Some(told) = before.filter(|told| told.lasted_ns >= self.after_ns) {
            let agents: Vec<AgentId> = circle.circle.iter().map(|(member, _)| *member).collect();
            self.broken.entry(shape(&circle.circle)).or_default().add(told, agents);
        }
        for member in &circle.stuck {
            self.judge(*member, now);
        }
        circle.stuck.into_iter().filter(|member| !self.circle_of.contains_key(member)).collect()
    }

    fn told(&self, circle: &Circle, end: Moment, broken: bool) -> Told {
        let wait_of = |(agent, on): &(AgentId, Awaited)| {
            let wait = self.graph.waits_of(*agent).iter().find(|wait| wait.on == *on).copied();
            (*agent, wait.unwrap_or(Wait { on: *on, since: circle.formed }))
        };
        Told {
            formed: circle.formed,
            waits: circle.circle.iter().map(wait_of).collect(),
            stuck: circle.stuck.len(),
            lasted_ns: end.at.since(circle.formed.at),
            broken,
        }
    }

    fn circle_finding(&self, fold: &Fold<Told>, names: &Names) -> Finding {
        let first = fold.first();
        let name = |agent: AgentId| shown(&names.of(agent));
        let link = |place: usize| {
            let (agent, wait) = &first.waits[place];
            let (next, _) = &first.waits[(place + 1) % first.waits.len()];
            let on = self.graph.name(wait.on, names);
            match wait.on {
                Awaited::Agent(_) => format!("{} waits for {on}", name(*agent)),
                Awaited::Resource(_) => {
                    format!("{} waits for {on}, which {} holds", name(*agent), name(*next))
                }
                Awaited::Gate(_) | Awaited::Join(_) => {
                    format!("{} waits for {on}, which needs {}", name(*agent), name(*next))
                }
            }
        };
        let links: Vec<String> = (0..first.waits.len().min(8)).map(link).collect();
        let victims = first.stuck - first.waits.len().min(first.stuck);
        let behind = if victims > 0 {
            format!("; {} behind them", counted(victims as u64, "agent"))
        } else {
            String::new()
        };
        let over = if first.broken { "it lasted" } else { "it still holds after" };
        let text = format!("{}{behind}; {over} {}", links.join("; "), duration(first.lasted_ns));
        let mut things: Vec<String> = first
            .waits
            .iter()
            .filter_map(|(_, wait)| self.graph.resource(wait.on).map(str::to_owned))
            .collect();
        let mut roles: Vec<String> =
            first.waits.iter().map(|(agent, _)| Role::of(*agent).name(names)).collect();
        for list in [&mut things, &mut roles] {
            list.sort();
            list.dedup();
        }
        let mut evidence: Vec<Evidence> = first
            .waits
            .iter()
            .take(8)
            .map(|(agent, wait)| {
                let on = self.graph.name(wait.on, names);
                Evidence::new(wait.since, format!("{} began to wait for {on}", name(*agent)))
            })
            .collect();
        evidence.sort_by_key(|evidence| evidence.event);
        evidence.extend(
            fold.kept
                .iter()
                .skip(1)
                .map(|more| Evidence::new(more.formed, "a circle like it closed".to_owned())),
        );
        let agents = fold.agents(names);
        let subject = things.join(", ");
        Finding {
            count: fold.count,
            evidence,
            numbers: Numbers(vec![
                ("circles", fold.count),
                ("agents_in_circle", first.waits.len() as u64),
                ("agents_stuck", first.stuck as u64),
                ("lasted_ns", first.lasted_ns),
            ]),
            about: BTreeMap::from([
                ("form", vec!["circle".to_owned()]),
                ("resource", things),
                ("role", roles),
                ("agent", agents.clone()),
            ]),
            agents,
            earliest_signal: Some(Evidence::new(first.formed, "the circle was closed")),
            lead_time_ns: Some(first.lasted_ns),
            remedy: Some(
                "take locks in one order, or bound every wait and let go of what is held when it runs out"
                    .to_owned(),
            ),
            ..Finding::new(KIND, Class::Liveness, Severity::High, KIND, first.formed, &subject, &text)
        }
    }

    /// Judges what it has seen so far.
    pub(crate) fn findings(&self, account: &Account, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let mut all = self.broken.clone();
        let at_rest = account.rest.came(end);
        let now = Moment { event: 0, at: end.time };
        for circle in self.live.values() {
            let told = self.told(circle, now, false);
            if at_rest || told.lasted_ns >= self.after_ns {
                let agents: Vec<AgentId> = circle.circle.iter().map(|(member, _)| *member).collect();
                all.entry(shape(&circle.circle)).or_default().add(told, agents);
            }
        }
        let mut findings: Vec<Finding> = all.values().map(|fold| self.circle_finding(fold, names)).collect();
        // A circle that still holds is why the fleet is at rest: it need not be told twice.
        if self.live.is_empty() {
            findings.extend(self.rest_finding(account, end, names));
        }
        findings
    }

    /// The waits of the run.
    pub(crate) fn graph(&self) -> &WaitGraph {
        &self.graph
    }

    /// What is open at rest, other than what was lost or lies with agents that are gone.
    fn rest_finding(&self, account: &Account, end: &RunEnd, names: &Names) -> Option<Finding> {
        if !account.rest.came(end) {
            return None;
        }
        let is_stuck = |(_, task): &(u64, &OpenTask)| match task.place {
            Place::Lost(_) => false,
            Place::Held(agent) | Place::Passed(agent) => account.rest.gone(agent).is_none(),
            Place::Added | Place::Ready(_) | Place::Carried(_) => true,
        };
        let finishes = account.work.saw_finish();
        let tasks: Vec<(u64, &OpenTask)> =
            account.work.iter().filter(|task| finishes && is_stuck(task)).collect();
        let waits: Vec<(AgentId, &[Wait])> = self.graph.waiting().collect();
        let oldest_task = tasks.iter().map(|(task, state)| (state.opened, *task)).min();
        let oldest_wait =
            waits.iter().flat_map(|(agent, waits)| waits.iter().map(|w| (w.since, *agent))).min();
        let first = oldest_task.map(|(at, _)| at).into_iter().chain(oldest_wait.map(|(at, _)| at)).min()?;
        let mut parts = Vec::new();
        if !tasks.is_empty() {
            let numbers: Vec<String> =
                tasks.iter().take(NAMED_MAX).map(|(task, _)| task.to_string()).collect();
            let more = if tasks.len() > NAMED_MAX { ", …" } else { "" };
            parts.push(format!(
                "{} ({}{more})",
                counted(tasks.len() as u64, "open task"),
                numbers.join(", ")
            ));
        }
        for (agent, waits) in waits.iter().take(NAMED_MAX) {
            let told: Vec<String> = waits.iter().map(|wait| self.graph.told(wait, names)).collect();
            parts.push(format!("{} waiting for {}", shown(&names.of(*agent)), told.join(" and ")));
        }
        if waits.len() > NAMED_MAX {
            parts.push(format!("{} more waiting", counted((waits.len() - NAMED_MAX) as u64, "agent")));
        }
        let holder = |(_, task): &(u64, &OpenTask)| match task.place {
            Place::Held(agent) | Place::Passed(agent) => Some(agent),
            _ => None,
        };
        let involved: BTreeSet<AgentId> =
            waits.iter().map(|(agent, _)| *agent).chain(tasks.iter().filter_map(holder)).collect();
        let mut agents: Vec<String> = involved.into_iter().take(16).map(|agent| names.of(agent)).collect();
        agents.sort();
        let mut things: Vec<String> = waits
            .iter()
            .flat_map(|(_, waits)| waits.iter())
            .filter_map(|wait| self.graph.resource(wait.on).map(str::to_owned))
            .collect();
        things.sort();
        things.dedup();
        let mut evidence: Vec<Evidence> = oldest_task
            .map(|(at, task)| Evidence::new(at, format!("task {task} was first seen, and is not over")))
            .into_iter()
            .chain(oldest_wait.map(|(at, agent)| {
                Evidence::new(at, format!("{} began to wait, and still waits", shown(&names.of(agent))))
            }))
            .collect();
        evidence.sort_by_key(|evidence| evidence.event);
        let text = format!("nothing was left to happen, with {}", parts.join("; "));
        Some(Finding {
            evidence,
            numbers: Numbers(vec![
                ("open_tasks", tasks.len() as u64),
                ("waiting_agents", waits.len() as u64),
                ("oldest_ns", end.time.since(first.at)),
            ]),
            about: BTreeMap::from([
                ("form", vec!["rest".to_owned()]),
                ("resource", things),
                ("agent", agents.clone()),
            ]),
            agents,
            remedy: Some("bound the wait, and send what was not answered again".to_owned()),
            ..Finding::new(KIND, Class::Liveness, Severity::High, KIND, first, "", &text)
        })
    }
}

/// The roles and things of a circle, in order of size.
fn shape(circle: &[(AgentId, Awaited)]) -> Shape {
    let link = |on: Awaited| match on {
        Awaited::Agent(agent) => Link::Agent(Role::of(agent)),
        thing => Link::Thing(thing),
    };
    let mut shape: Shape = circle.iter().map(|(agent, on)| (Role::of(*agent), link(*on))).collect();
    shape.sort();
    shape
}
