//! Starvation: somebody waited past a bound while others that came later were served.
//!
//! A long wait alone is not starvation: a line that is served in order is only too long. So a wait counts when it
//! exceeds its bound and was overtaken.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::batch::{EffectKind, Step};
use fleetsim_engine::{AgentId, Fact, Names, Time, Waited};

use crate::config::MonitorConfig;
use crate::finding::{Class, Evidence, Finding, Numbers, Severity};
use crate::histogram::Histogram;
use crate::interests::{FactKind, Interests};
use crate::intern::Interner;
use crate::monitor::{Moment, Monitor, RunEnd, went_down};
use crate::role::Role;
use crate::tally::jain_index;
use crate::text::{counted, duration, shown};
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
    waiting_for: BTreeSet<(AgentId, u32)>,
    /// The tokens of a model that were granted to each agent that asked.
    granted: BTreeMap<(u32, AgentId), u64>,
    ready: TaskLines,
    /// Tasks from when they were added: judged only in fleets that never state when a task is ready.
    added: TaskLines,
    saw_ready: bool,
}

/// Lines of tasks, by the agent that offers them.
#[derive(Clone, Debug, Default)]
struct TaskLines {
    lines: BTreeMap<AgentId, WaitLine<u64>>,
    waits: BTreeMap<AgentId, Waits<u64>>,
    line_of: BTreeMap<u64, AgentId>,
}

/// How the waits in one line went.
#[derive(Clone, Debug)]
struct Waits<K> {
    lengths: Histogram,
    starved: u64,
    longest: Vec<Starved<K>>,
    /// How often each of them was served.
    served: BTreeMap<K, u64>,
}

impl<K> Default for Waits<K> {
    fn default() -> Self {
        Waits { lengths: Histogram::default(), starved: 0, longest: Vec::new(), served: BTreeMap::new() }
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

impl<K: Ord + Copy> Waits<K> {
    fn add(&mut self, who: K, wait: Wait, served: Option<Moment>, end: Time, bound_ns: u64) {
        let waited_ns = end.since(wait.since.at);
        self.lengths.add(waited_ns);
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
    fn join(&mut self, task: u64, line: AgentId, at: Moment) {
        self.leave(task);
        self.lines.entry(line).or_default().join(task, at);
        self.line_of.insert(task, line);
    }

    fn leave(&mut self, task: u64) {
        if let Some(line) = self.line_of.remove(&task) {
            self.lines.get_mut(&line).expect("a task waits in a line").leave(task);
        }
    }

    fn serve(&mut self, task: u64, at: Moment, bound_ns: u64) {
        if let Some(line) = self.line_of.remove(&task) {
            let wait = self
                .lines
                .get_mut(&line)
                .and_then(|line| line.serve(task))
                .expect("a task waits in its line");
            self.waits.entry(line).or_default().add(task, wait, Some(at), at.at, bound_ns);
        }
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
            waiting_for: BTreeSet::new(),
            granted: BTreeMap::new(),
            ready: TaskLines::default(),
            added: TaskLines::default(),
            saw_ready: false,
        }
    }

    fn bound_ns(&self, role: Role) -> u64 {
        self.bounds_ns.get(&role).copied().unwrap_or(self.default_bound_ns)
    }

    fn wait(&mut self, agent: AgentId, resource: &str, at: Moment) {
        let resource = self.resources.number(resource);
        self.waiting_for.insert((agent, resource));
        self.agent_lines.entry(resource).or_default().join(agent, at);
    }

    fn wait_ended(&mut self, agent: AgentId, resource: &str, at: Moment) {
        let resource = self.resources.number(resource);
        self.waiting_for.remove(&(agent, resource));
        let Some(wait) = self.agent_lines.get_mut(&resource).and_then(|line| line.serve(agent)) else {
            return;
        };
        let role = Role::of(agent);
        let bound_ns = self.bound_ns(role);
        let waits = self.agent_waits.entry((resource, role)).or_default();
        *waits.served.entry(agent).or_default() += 1;
        waits.add(agent, wait, Some(at), at.at, bound_ns);
    }

    /// Whoever lost its state or stopped waits for nothing any more.
    fn stopped(&mut self, agent: AgentId) {
        let of_agent = (agent, 0)..=(agent, u32::MAX);
        let resources: Vec<u32> = self.waiting_for.range(of_agent).map(|(_, resource)| *resource).collect();
        for resource in resources {
            self.waiting_for.remove(&(agent, resource));
            self.agent_lines.get_mut(&resource).expect("who waits is in a line").leave(agent);
        }
    }

    fn task_ready(&mut self, task: u64, store: AgentId, at: Moment) {
        if !self.saw_ready {
            self.saw_ready = true;
            self.added = TaskLines::default();
        }
        self.ready.join(task, store, at);
    }

    fn agent_findings(&self, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let mut all = self.agent_waits.clone();
        for (resource, line) in &self.agent_lines {
            for (agent, wait) in line.waiting() {
                let role = Role::of(agent);
                let waits = all.entry((*resource, role)).or_default();
                waits.served.entry(agent).or_default();
                waits.add(agent, wait, None, end.time, self.bound_ns(role));
            }
        }
        let starved = all.iter().filter(|(_, waits)| waits.starved > 0);
        let finding = |((number, role), waits): (&(u32, Role), &Waits<AgentId>)| {
            let resource = self.resources.name(*number);
            let role_name = role.name(names);
            let mut finding =
                finding(resource, &role_name, waits, self.bound_ns(*role), |agent| shown(&names.of(agent)));
            let served = jain_index(waits.served.values().copied());
            finding.numbers.0.push(("jain_served_thousandths", served.thousandths()));
            let agents = (*number, AgentId::from_u64(0))..=(*number, AgentId::from_u64(u64::MAX));
            let granted = self.granted.range(agents).map(|(_, tokens)| *tokens);
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

    fn task_findings(&self, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let lines = if self.saw_ready { &self.ready } else { &self.added };
        let mut all = lines.waits.clone();
        for (store, line) in &lines.lines {
            for (task, wait) in line.waiting() {
                all.entry(*store).or_default().add(task, wait, None, end.time, self.default_bound_ns);
            }
        }
        let starved = all.iter().filter(|(_, waits)| waits.starved > 0);
        let finding = |(store, waits): (&AgentId, &Waits<u64>)| {
            let store_name = names.of(*store);
            let mut finding =
                finding(&store_name, "tasks", waits, self.default_bound_ns, |task| format!("task {task}"));
            finding.agents = vec![store_name.clone()];
            finding.about = BTreeMap::from([
                ("resource", vec![store_name.clone()]),
                ("role", vec![Role::of(*store).name(names)]),
                ("agent", vec![store_name]),
            ]);
            finding
        };
        starved.map(finding).collect()
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
            ("wait_p50_ns", waits.lengths.quantile_ns(50, 100)),
            ("wait_p99_ns", waits.lengths.quantile_ns(99, 100)),
            ("overtaken_by", others),
        ]),
        earliest_signal: Some(Evidence::new(signal, format!("{} passed its bound", name(worst.who)))),
        lead_time_ns: Some(worst.waited_ns - bound_ns),
        remedy: Some("serve in the order of arrival, or let priority grow with age".to_owned()),
        ..Finding::new(KIND, Class::Liveness, Severity::High, KIND, first, resource, &text)
    }
}

/// Whether the agent lost its state or stopped in this step.
fn ends_waits(step: &Step<'_>) -> bool {
    let halted = || step.effects.clone().any(|effect| effect.effect == EffectKind::Halt);
    went_down(step) || halted()
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
                Fact::TaskAdded { task } if !self.saw_ready => self.added.join(task, step.target, at),
                Fact::TaskClaimed { task, .. } | Fact::TaskStarted { task, .. } => {
                    self.ready.serve(task, at, self.default_bound_ns);
                    self.added.serve(task, at, self.default_bound_ns);
                }
                // What was lost on the way or done already waits for nobody; that is another finding's business.
                Fact::Undelivered { item: task, .. } | Fact::TaskFinished { task, .. } => {
                    self.ready.leave(task);
                    self.added.leave(task);
                }
                Fact::Requested { model, by, admitted, tokens_in, tokens_out, .. } => {
                    let granted = self.granted.entry((self.resources.number(model), by)).or_default();
                    if admitted {
                        *granted = granted.saturating_add(tokens_in).saturating_add(tokens_out);
                    }
                }
                _ => {}
            }
        }
        if !self.waiting_for.is_empty() && ends_waits(step) {
            self.stopped(step.target);
        }
    }

    fn findings(&self, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let mut findings = self.agent_findings(end, names);
        findings.extend(self.task_findings(end, names));
        findings
    }
}
