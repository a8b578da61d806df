//! Agents that wait for a resource, by what it is and their role; and who was granted how much of it.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::{AgentId, Names};

use super::wait_line::WaitLine;
use super::waits::{Waits, finding};
use crate::config::MonitorConfig;
use crate::finding::Finding;
use crate::intern::Interner;
use crate::monitor::{Moment, RunEnd};
use crate::number_map::NumberMap;
use crate::role::Role;
use crate::tally::{Fairness, jain_index};
use crate::text::{counted, shown};

/// Lines of agents, by resource.
#[derive(Clone, Debug)]
pub(super) struct AgentLines {
    resources: Interner,
    bounds_ns: BTreeMap<Role, u64>,
    default_bound_ns: u64,
    lines: BTreeMap<u32, WaitLine<AgentId>>,
    waits: BTreeMap<(u32, Role), Waits<AgentId>>,
    /// What each agent waits for, so that a crash ends its waits.
    waiting_for: NumberMap<AgentId, BTreeSet<u32>>,
    /// The tokens of a model that were granted to each agent that asked.
    granted: NumberMap<(u32, AgentId), u64>,
}

impl AgentLines {
    pub(super) fn new(config: &MonitorConfig) -> AgentLines {
        let bounds_ns = config.wait_bound_ns.iter();
        AgentLines {
            resources: Interner::default(),
            bounds_ns: bounds_ns.map(|(role, bound_ns)| (Role::named(role), *bound_ns)).collect(),
            default_bound_ns: config.default_wait_bound_ns,
            lines: BTreeMap::new(),
            waits: BTreeMap::new(),
            waiting_for: NumberMap::default(),
            granted: NumberMap::default(),
        }
    }

    fn bound_ns(&self, role: Role) -> u64 {
        self.bounds_ns.get(&role).copied().unwrap_or(self.default_bound_ns)
    }

    pub(super) fn wait(&mut self, agent: AgentId, resource: &str, at: Moment) {
        let resource = self.resources.number(resource);
        self.waiting_for.or_default(agent).insert(resource);
        self.lines.entry(resource).or_default().join(agent, at);
    }

    pub(super) fn wait_ended(&mut self, agent: AgentId, resource: &str, at: Moment) {
        let resource = self.resources.number(resource);
        if let Some(waits) = self.waiting_for.get_mut(agent) {
            waits.remove(&resource);
        }
        let Some(wait) = self.lines.get_mut(&resource).and_then(|line| line.serve(agent)) else {
            return;
        };
        let role = Role::of(agent);
        let bound_ns = self.bound_ns(role);
        let waits = self.waits.entry((resource, role)).or_default();
        *waits.served.or_default(agent) += 1;
        waits.add(agent, wait, Some(at), at.at, bound_ns);
    }

    /// Whoever lost its state or stopped waits for nothing any more.
    pub(super) fn stopped(&mut self, agent: AgentId) {
        for resource in self.waiting_for.remove(agent).unwrap_or_default() {
            self.lines.get_mut(&resource).expect("who waits is in a line").leave(agent);
        }
    }

    /// `agent` asked for `model`, and was granted so many tokens; none, if it was refused.
    pub(super) fn requested(&mut self, model: &str, agent: AgentId, granted_tokens: u64) {
        let known = self.granted.or_default((self.resources.number(model), agent));
        *known = known.saturating_add(granted_tokens);
    }

    /// How evenly the tokens of each model were shared among those who asked for it.
    pub(super) fn fairness(&self) -> Vec<Fairness> {
        let mut by_model: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for ((model, _), tokens) in self.granted.sorted() {
            by_model.entry(self.resources.name(model)).or_default().push(*tokens);
        }
        let fairness = |(model, tokens): (&str, Vec<u64>)| Fairness {
            model: model.to_owned(),
            agents: tokens.len() as u64,
            jain: jain_index(tokens.iter().copied()),
        };
        by_model.into_iter().map(fairness).collect()
    }

    pub(super) fn findings(&self, end: &RunEnd, names: &Names) -> Vec<Finding> {
        let mut all = self.waits.clone();
        for (resource, line) in &self.lines {
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
            let first = granted.partition_point(|((model, _), _)| model < number);
            let of_model = granted[first..].iter().take_while(|((model, _), _)| model == number);
            let granted = of_model.map(|(_, tokens)| **tokens);
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
}
