//! Starvation: somebody waited past a bound while others that came later were served.
//!
//! A long wait alone is not starvation: a line that is served in order is only too long. So a wait counts when it
//! exceeds its bound and was overtaken. Three sorts of lines are kept:
//! - *agents* by what they wait for and role: `WaitOn` a resource up to `WaitEnd` (a quota, a lock, a place in a queue);
//!   the bound is the role's `wait_bound_ns`, or else `default_wait_bound_ns` (30 minutes);
//! - *tasks* by the store that offers them: `TaskReady` up to the first claim or start; the default bound;
//! - *items* by the medium and seam that carry them: `Offered` up to the first `HandedOver` or `Received`, for media that
//!   are things of their own; the default bound. ("Merge queue newest-first: branches stranded 44-49 h while every
//!   health signal reads green", github.com/gastownhall/gascity-packs, issue 272.)
//!
//! *Source.* Overtaking is bounded waiting as in Dijkstra's and Knuth's mutual exclusion; fairness is Jain's index (Jain,
//! Chiu and Hawe, "A Quantitative Measure of Fairness", 1984).
//!
//! *Parameters.* [`MonitorConfig::wait_bound_ns`], [`MonitorConfig::default_wait_bound_ns`], media that are no carriers.
//!
//! Beside the longest wait and its overtakes a finding tells the age of the oldest that still waits, the 50th and 99th
//! percentile of waits and their ratio, Jain's index of who was served, and for tasks how long some worker that had taken from the store before lay idle while work was
//! ready.
//!
//! A medium that delivered an item again keeps no order, and its lines are not judged: duplicate hand-overs are.
//!
//! *Limits.* Quota is seen as far as waits and granted tokens are stated, places in a queue as far as givers state that
//! they wait for one; how much of a context window somebody else's words fill is not a fact, so starvation of context
//! is not judged. A worker is known to be idle only once it has finished, given back or handed on what it took.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::batch::Step;
use fleetsim_engine::{AgentId, Fact, Names, Time, Waited};

use crate::config::{Medium, MonitorConfig};
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::histogram::Histogram;
use crate::interests::{FactKind, Interests};
use crate::intern::Interner;
use crate::monitor::{Moment, Monitor, RunEnd, halted, went_down};
use crate::number_map::{Number, NumberMap};
use crate::ratio::Ratio;
use crate::role::Role;
use crate::takers::Takers;
use crate::tally::jain_index;
use crate::text::{counted, duration, shown};
use crate::tickets::{Ticket, Tickets};
use crate::wait_line::{Wait, WaitLine};

const KIND: &str = "starvation";
/// Starved waits that are kept in full, by line and role: the longest.
const KEPT_MAX: usize = 3;

/// Finds starved agents, by resource and role, and starved tasks, by the store that offers them.
#[derive(Clone, Debug)]
pub struct Starvation {
    resources: Interner,
    bounds_ns: BTreeMap<Role, u64>,
    default_bound_ns: u64,
    agent_lines: BTreeMap<u32, WaitLine<AgentId>>,
    agent_waits: BTreeMap<(u32, Role), Waits<AgentId>>,
    /// What each agent waits for, so that a crash ends its waits.
    waiting_for: NumberMap<AgentId, Vec<u32>>,
    /// The tokens of a model that were granted to each agent that asked.
    granted: NumberMap<(u32, AgentId), u64>,
    /// Tasks from when they were ready; in fleets that never state that, from when they were added.
    tasks: TaskLines,
    saw_ready: bool,
    /// Media that stand between giver and receiver.
    carriers: Carriers,
    queues: BTreeMap<Queue, WaitLine<u64>>,
    queue_waits: BTreeMap<Queue, Waits<u64>>,
    /// Media that delivered something again: they keep no order, and their copies are another finding's business.
    redelivering: BTreeSet<u32>,
}

/// A medium and a seam that it carries.
type Queue = (u32, u32);

/// Which media are things of their own: those that are not told to be something else.
#[derive(Clone, Debug, Default)]
struct Carriers {
    others: BTreeSet<String>,
}

impl Carriers {
    fn holds(&self, medium: &str) -> bool {
        !medium.is_empty() && !self.others.contains(medium)
    }
}

/// Lines of tasks, by the agent that offers them.
#[derive(Clone, Debug, Default)]
struct TaskLines {
    lines: NumberMap<AgentId, TaskLine>,
    /// Tasks that wait, with the agent that offers each.
    waiting: NumberMap<u64, (AgentId, Ticket)>,
    takers: Takers,
}

#[derive(Clone, Debug, Default)]
struct TaskLine {
    tickets: Tickets,
    waits: Waits<u64>,
}

/// How the waits in one line went.
#[derive(Clone, Debug)]
struct Waits<K> {
    lengths: Histogram,
    /// How old the oldest is that still waits.
    oldest_ns: u64,
    starved: u64,
    longest: Vec<Starved<K>>,
    /// How often each of them was served.
    served: NumberMap<K, u64>,
}

impl<K> Default for Waits<K> {
    fn default() -> Self {
        Waits {
            lengths: Histogram::default(),
            oldest_ns: 0,
            starved: 0,
            longest: Vec::new(),
            served: NumberMap::default(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Starved<K> {
    who: K,
    wait: Wait,
    /// When it was served; `None` when it never was.
    served: Option<Moment>,
    waited_ns: u64,
}

impl<K: Number> Waits<K> {
    fn add(&mut self, who: K, wait: Wait, served: Option<Moment>, end: Time, bound_ns: u64) {
        let waited_ns = end.since(wait.since.at);
        self.lengths.add(waited_ns);
        if served.is_none() {
            self.oldest_ns = self.oldest_ns.max(waited_ns);
        }
        if waited_ns <= bound_ns || wait.overtaken_by == 0 {
            return;
        }
        self.starved += 1;
        // Among equals the one that was found first stays first.
        let place = self.longest.partition_point(|known| known.waited_ns >= waited_ns);
        if place < KEPT_MAX {
            self.longest.insert(place, Starved { who, wait, served, waited_ns });
            self.longest.truncate(KEPT_MAX);
        }
    }
}

impl TaskLines {
    fn join(&mut self, task: u64, store: AgentId, at: Moment) {
        self.leave(task, at);
        let ticket = self.lines.or_default(store).tickets.draw(at);
        self.waiting.insert(task, (store, ticket));
        self.takers.ready(store, 1, at.at);
    }

    fn leave(&mut self, task: u64, at: Moment) {
        if let Some((store, ticket)) = self.waiting.remove(task) {
            self.lines.get_mut(store).expect("a task waits in a line").tickets.give_up(ticket);
            self.takers.ready(store, -1, at.at);
        }
    }

    fn serve(&mut self, task: u64, by: AgentId, at: Moment, bound_ns: u64) {
        let Some((store, ticket)) = self.waiting.remove(task) else { return };
        self.takers.ready(store, -1, at.at);
        self.takers.took(by, store, at.at);
        let TaskLine { tickets, waits } = self.lines.get_mut(store).expect("a task waits in a line");
        waits.add(task, tickets.serve(ticket), Some(at), at.at, bound_ns);
    }
}

impl Starvation {
    /// A monitor with the bounds of `config`.
    #[must_use]
    pub fn new(config: &MonitorConfig) -> Starvation {
        Starvation {
            resources: Interner::default(),
            bounds_ns: config
                .wait_bound_ns
                .iter()
                .map(|(role, bound_ns)| (Role::named(role), *bound_ns))
                .collect(),
            default_bound_ns: config.default_wait_bound_ns,
            agent_lines: BTreeMap::new(),
            agent_waits: BTreeMap::new(),
            waiting_for: NumberMap::default(),
            granted: NumberMap::default(),
            tasks: TaskLines::default(),
            saw_ready: false,
            carriers: Carriers {
                others: config
                    .media
                    .iter()
                    .filter(|(_, medium)| **medium != Medium::Carrier)
                    .map(|(name, _)| name.clone())
                    .collect(),
            },
            queues: BTreeMap::new(),
            queue_waits: BTreeMap::new(),
            redelivering: BTreeSet::new(),
        }
    }

    fn offered(&mut self, seam: &str, medium: &str, item: u64, at: Moment) {
        if self.carriers.holds(medium) {
            let queue = (self.resources.number(medium), self.resources.number(seam));
            self.queues.entry(queue).or_default().join(item, at);
        }
    }

    /// The item left the medium, for whomever.
    fn carried(&mut self, seam: &str, medium: &str, item: u64, at: Moment) {
        let queue = (self.resources.number(medium), self.resources.number(seam));
        let Some(line) = self.queues.get_mut(&queue) else { return };
        let Some(wait) = line.serve(item) else {
            self.redelivering.insert(queue.0);
            return;
        };
        self.queue_waits.entry(queue).or_default().add(item, wait, Some(at), at.at, self.default_bound_ns);
    }

    /// The item was taken up: where no carrier says that it handed it over, it left the medium now.
    fn received(&mut self, seam: &str, item: u64, at: Moment) {
        let seam = self.resources.number(seam);
        for (queue, line) in self.queues.iter_mut().filter(|((_, known), _)| *known == seam) {
            if let Some(wait) = line.serve(item) {
                let waits = self.queue_waits.entry(*queue).or_default();
                waits.add(item, wait, Some(at), at.at, self.default_bound_ns);
            }
        }
    }

    /// Nobody waits for the item on any seam any more.
    fn item_over(&mut self, item: u64) {
        for line in self.queues.values_mut() {
            line.leave(item);
        }
    }

    fn bound_ns(&self, role: Role) -> u64 {
        self.bounds_ns.get(&role).copied().unwrap_or(self.default_bound_ns)
    }

    fn wait(&mut self, agent: AgentId, resource: &str, at: Moment) {
        let resource = self.resources.number(resource);
        let waits = self.waiting_for.or_default(agent);
        if !waits.contains(&resource) {
            waits.push(resource);
        }
        self.agent_lines.entry(resource).or_default().join(agent, at);
    }

    fn wait_ended(&mut self, agent: AgentId, resource: &str, at: Moment) {
        let resource = self.resources.number(resource);
        if let Some(waits) = self.waiting_for.get_mut(agent) {
            waits.retain(|known| *known != resource);
        }
        let Some(wait) = self.agent_lines.get_mut(&resource).and_then(|line| line.serve(agent)) else {
            return;
        };
        let role = Role::of(agent);
        let bound_ns = self.bound_ns(role);
        let waits = self.agent_waits.entry((resource, role)).or_default();
        *waits.served.or_default(agent) += 1;
        waits.add(agent, wait, Some(at), at.at, bound_ns);
    }

    /// Whoever lost its state or stopped waits for nothing any more.
    fn stopped(&mut self, agent: AgentId) {
        for resource in self.waiting_for.remove(agent).unwrap_or_default() {
            self.agent_lines.get_mut(&resource).expect("who waits is in a line").leave(agent);
        }
    }

    fn task_ready(&mut self, task: u64, store: AgentId, at: Moment) {
        if !self.saw_ready {
            self.saw_ready = true;
            self.tasks = TaskLines::default();
        }
        self.tasks.join(task, store, at);
    }

    fn agent_findings(&self, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let mut all = self.agent_waits.clone();
        for (resource, line) in &self.agent_lines {
            for (agent, wait) in line.waiting() {
                let role = Role::of(agent);
                let waits = all.entry((*resource, role)).or_default();
                waits.served.or_default(agent);
                waits.add(agent, wait, None, end.time, self.bound_ns(role));
            }
        }
        let starved = all.iter().filter(|(_, waits)| waits.starved > 0);
        let granted: Vec<((u32, AgentId), &u64)> = self.granted.sorted().collect();
        let finding = |((number, role), waits): (&(u32, Role), &Waits<AgentId>)| {
            let resource = self.resources.name(*number);
            let role_name = role.name(names);
            let mut finding =
                finding(resource, &role_name, waits, self.bound_ns(*role), |agent| shown(&names.of(agent)));
            let served = jain_index(waits.served.values().copied());
            finding.numbers.0.push(("jain_served_thousandths", served.thousandths()));
            let granted =
                granted.iter().filter(|((model, _), _)| model == number).map(|(_, tokens)| **tokens);
            if granted.clone().any(|tokens| tokens > 0) {
                let (jain, agents) = (jain_index(granted.clone()), counted(granted.count() as u64, "agent"));
                finding.summary += &format!("; Jain's index of the tokens granted to {agents} is {jain}");
                finding.numbers.0.push(("jain_tokens_thousandths", jain.thousandths()));
            }
            finding.agents = waits.longest.iter().map(|starved| names.of(starved.who)).collect();
            finding.agents.sort();
            finding.agents.dedup();
            finding.about = BTreeMap::from([
                ("resource", vec![resource.to_owned()]),
                ("role", vec![role_name]),
                ("agent", finding.agents.clone()),
            ]);
            finding
        };
        starved.map(finding).collect()
    }

    fn queue_findings(&self, end: &RunEnd) -> Vec<Finding> {
        let mut all = self.queue_waits.clone();
        for (queue, line) in &self.queues {
            for (item, wait) in line.waiting() {
                all.entry(*queue).or_default().add(item, wait, None, end.time, self.default_bound_ns);
            }
        }
        let keeps_order = |queue: &Queue| !self.redelivering.contains(&queue.0);
        let starved = all.iter().filter(|(queue, waits)| waits.starved > 0 && keeps_order(queue));
        let finding = |((medium, seam), waits): (&Queue, &Waits<u64>)| {
            let (medium, seam) = (self.resources.name(*medium), self.resources.name(*seam));
            let mut finding =
                finding(medium, seam, waits, self.default_bound_ns, |item| format!("item {item}"));
            finding.about = BTreeMap::from([
                ("resource", vec![medium.to_owned()]),
                ("medium", vec![medium.to_owned()]),
                ("seam", vec![seam.to_owned()]),
            ]);
            finding
        };
        starved.map(finding).collect()
    }

    fn task_findings(&self, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let lines = &self.tasks;
        let mut all: BTreeMap<AgentId, Waits<u64>> =
            lines.lines.sorted().map(|(store, line)| (store, line.waits.clone())).collect();
        for (task, (store, ticket)) in lines.waiting.sorted() {
            let line = lines.lines.get(*store).expect("a task waits in a line");
            let waits = all.get_mut(store).expect("it is one of the lines");
            waits.add(task, line.tickets.wait_of(*ticket), None, end.time, self.default_bound_ns);
        }
        let finding = |(store, waits): (AgentId, Waits<u64>)| {
            let store_name = names.of(store);
            let mut finding =
                finding(&store_name, "tasks", &waits, self.default_bound_ns, |task| format!("task {task}"));
            let idle_ns = lines.takers.idle_ns(store, end.time);
            if idle_ns > 0 {
                finding.summary += &format!("; some worker was idle for {} meanwhile", duration(idle_ns));
            }
            finding.numbers.0.push(("idle_while_ready_ns", idle_ns));
            let taken = lines.takers.taken(store);
            finding.numbers.0.push(("jain_taken_thousandths", jain_index(taken).thousandths()));
            finding.agents = vec![store_name.clone()];
            finding.about = BTreeMap::from([
                ("resource", vec![store_name.clone()]),
                ("role", vec![Role::of(store).name(names)]),
                ("agent", vec![store_name]),
            ]);
            finding
        };
        all.into_iter().filter(|(_, waits)| waits.starved > 0).map(finding).collect()
    }
}

/// The finding about the starved of one line, as far as it is the same for agents and tasks.
fn finding<K: Copy>(
    resource: &str,
    group: &str,
    waits: &Waits<K>,
    bound_ns: u64,
    name: impl Fn(K) -> String,
) -> Finding {
    let worst = &waits.longest[0];
    let others = worst.wait.overtaken_by;
    let still = if worst.served.is_none() { " and still waits" } else { "" };
    let text = format!(
        "{} waited {}{still}, past its bound of {}, while {} that came later {} served; {} of {} so far",
        name(worst.who),
        duration(worst.waited_ns),
        duration(bound_ns),
        others,
        if others == 1 { "was" } else { "were" },
        counted(waits.starved, "starved wait"),
        shown(group),
    );
    // A wait that is still open has only the event at which it began.
    let first = worst.served.unwrap_or(worst.wait.since);
    let mut evidence = Vec::with_capacity(2 * KEPT_MAX);
    for starved in &waits.longest {
        let who = name(starved.who);
        evidence.push(Evidence::new(starved.wait.since, format!("{who} began to wait")));
        if let Some(served) = starved.served {
            let waited = duration(starved.waited_ns);
            evidence.push(Evidence::new(served, format!("{who} was served after {waited}")));
        }
    }
    let (p50_ns, p99_ns) = (waits.lengths.quantile_ns(50, 100), waits.lengths.quantile_ns(99, 100));
    let passed = worst.wait.since.at.checked_add(bound_ns).unwrap_or(Time::MAX);
    let signal = Moment { event: worst.wait.since.event, at: passed };
    Finding {
        count: waits.starved,
        evidence,
        numbers: Numbers(vec![
            ("starved_waits", waits.starved),
            ("waits", waits.lengths.count()),
            ("bound_ns", bound_ns),
            ("wait_longest_ns", worst.waited_ns),
            ("wait_p50_ns", p50_ns),
            ("wait_p99_ns", p99_ns),
            ("wait_p99_to_p50_thousandths", Ratio::new(p99_ns, p50_ns).thousandths()),
            ("oldest_waiting_ns", waits.oldest_ns),
            ("overtaken_by", others),
        ]),
        earliest_signal: Some(Evidence::new(signal, format!("{} passed its bound", name(worst.who)))),
        lead_time_ns: Some(worst.waited_ns - bound_ns),
        remedy: Some("serve in the order of arrival, or let priority grow with age".to_owned()),
        ..Finding::new(KIND, Class::Liveness, Severity::High, KIND, first, resource, &text)
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
                Fact::WaitOn { on: Waited::Resource(resource) } => self.wait(step.target, resource, at),
                Fact::WaitEnd { on: Waited::Resource(resource) } => {
                    self.wait_ended(step.target, resource, at)
                }
                Fact::TaskReady { task } => self.task_ready(task, step.target, at),
                Fact::TaskAdded { task } if !self.saw_ready => self.tasks.join(task, step.target, at),
                Fact::TaskClaimed { task, .. } | Fact::TaskStarted { task, .. } => {
                    self.tasks.serve(task, step.target, at, self.default_bound_ns);
                }
                // What was lost on the way or done already waits for nobody; that is another finding's business.
                Fact::Undelivered { item: task, .. } => {
                    self.tasks.leave(task, at);
                    self.item_over(task);
                }
                Fact::TaskFinished { task, .. } => {
                    self.tasks.leave(task, at);
                    self.item_over(task);
                    self.tasks.takers.free(step.target, at.at);
                }
                Fact::TaskReleased { .. } => self.tasks.takers.free(step.target, at.at),
                Fact::Offered { seam, medium, item, .. } => {
                    self.tasks.takers.free(step.target, at.at);
                    self.offered(seam, medium, item, at);
                }
                Fact::HandedOver { seam, medium, item, .. } => self.carried(seam, medium, item, at),
                // Whoever takes up something else is at work again.
                Fact::Received { seam, item, .. } => {
                    self.received(seam, item, at);
                    self.tasks.takers.busy(step.target, at.at);
                }
                Fact::Requested { model, by, admitted, tokens_in, tokens_out, .. } => {
                    let granted = self.granted.or_default((self.resources.number(model), by));
                    if admitted {
                        *granted = granted.saturating_add(tokens_in).saturating_add(tokens_out);
                    }
                }
                _ => {}
            }
        }
        let knows = !self.waiting_for.is_empty() || self.tasks.takers.knows(step.target);
        if knows && (went_down(step) || halted(step)) {
            self.stopped(step.target);
            self.tasks.takers.busy(step.target, at.at);
        }
    }

    fn findings(&self, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let mut findings = self.agent_findings(end, names);
        findings.extend(self.task_findings(end, names));
        findings.extend(self.queue_findings(end));
        findings
    }
}
