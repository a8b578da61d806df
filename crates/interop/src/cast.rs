//! Who acts in a log: names become agents, each a group of its own.

use std::collections::BTreeMap;

use fleetsim_engine::schema::Shape;
use fleetsim_engine::{AgentId, GroupEntry};

use crate::privacy::Privacy;

/// The most agents that a trace names; further ones are one agent together.
pub(crate) const AGENTS_MAX: usize = 50_000;
/// Who stands for those past the limit.
const OTHERS: &str = "others";
/// Who stands for those without a name.
const UNNAMED: &str = "unnamed";

/// The agents of a log, in the order of their first appearance.
#[derive(Debug)]
pub(crate) struct Cast {
    privacy: Privacy,
    /// By the name in the log.
    known: BTreeMap<String, AgentId>,
    /// The names that agents are shown by.
    shown: BTreeMap<AgentId, String>,
    order: Vec<AgentId>,
    past_limit: u64,
}

impl Cast {
    pub(crate) fn new(privacy: Privacy) -> Cast {
        Cast {
            privacy,
            known: BTreeMap::new(),
            // Tools call the world outside by this name.
            shown: BTreeMap::from([(AgentId::named("world", 1), "world".to_owned())]),
            order: Vec::new(),
            past_limit: 0,
        }
    }

    /// The agent called `name` in the log.
    pub(crate) fn agent(&mut self, name: &str) -> AgentId {
        let name = name.trim();
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        if self.known.len() >= AGENTS_MAX {
            self.past_limit += 1;
            return self.thing(OTHERS);
        }
        let shown = if name.is_empty() { UNNAMED.to_owned() } else { self.privacy.name(name) };
        let agent = self.add(&shown);
        self.known.insert(name.to_owned(), agent);
        agent
    }

    /// The agent behind something of ours or a thing that is no actor, which keeps its name: a store, a medium.
    pub(crate) fn thing(&mut self, name: &str) -> AgentId {
        // No actor's name begins so, since names are trimmed.
        let key = format!(" {name}");
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let agent = self.add(name);
        self.known.insert(key, agent);
        agent
    }

    /// How often an agent past the limit appeared.
    pub(crate) fn past_limit(&self) -> u64 {
        self.past_limit
    }

    /// The name that `agent` is shown by.
    pub(crate) fn shown_name(&self, agent: AgentId) -> &str {
        self.shown.get(&agent).map_or("world", String::as_str)
    }

    /// The groups, for a manifest. `timers` is the shape of the timers of all.
    pub(crate) fn groups(&self, timers: &Shape) -> Vec<GroupEntry> {
        let group = |agent: &AgentId| GroupEntry {
            name: self.shown_name(*agent).to_owned(),
            count: 1,
            timers: timers.clone(),
        };
        self.order.iter().map(group).collect()
    }

    /// Adds an agent. Two names may have one identity, since identities are hashes: the later name is changed.
    fn add(&mut self, name: &str) -> AgentId {
        let mut shown = name.to_owned();
        let mut copy = 2;
        while self.shown.contains_key(&AgentId::named(&shown, 1)) {
            shown = format!("{name}~{copy}");
            copy += 1;
        }
        let agent = AgentId::named(&shown, 1);
        self.shown.insert(agent, shown);
        self.order.push(agent);
        agent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_one_agent_and_keeps_its_name() {
        let mut cast = Cast::new(Privacy::default());
        let store = cast.thing("task-store");
        let (mayor, impostor) = (cast.agent("mayor"), cast.agent("task-store"));
        assert_eq!(cast.agent(" mayor "), mayor);
        assert_eq!(cast.thing("task-store"), store);
        assert_ne!(store, impostor);
        let agents = [store, mayor, impostor, cast.agent("world"), cast.agent("")];
        let names = agents.map(|agent| cast.shown_name(agent));
        assert_eq!(names, ["task-store", "mayor", "task-store~2", "world~2", "unnamed"]);
    }
}
