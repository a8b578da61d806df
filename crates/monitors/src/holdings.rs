//! What each agent has in hand, told only of what it takes up: whether it still has it is asked when it matters.

use fleetsim_engine::AgentId;

use crate::number_map::NumberMap;

/// Tasks by agent, among them some that it let go since.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holdings {
    agents: NumberMap<AgentId, Held>,
}

#[derive(Clone, Debug, Default)]
struct Held {
    tasks: Vec<u64>,
    /// How many were left when they were looked through last.
    left: usize,
}

/// The tasks that somebody `has` still, by number.
fn still(mut tasks: Vec<u64>, has: impl Fn(u64) -> bool) -> Vec<u64> {
    tasks.retain(|task| has(*task));
    tasks.sort();
    tasks.dedup();
    tasks
}

impl Holdings {
    /// `agent` takes up `task`. Takes constant time, spread over all calls: once there are twice as many tasks as were
    /// left, those that it `has` no more are cleared away.
    pub(crate) fn add(&mut self, agent: AgentId, task: u64, has: impl Fn(u64) -> bool) {
        let held = self.agents.or_default(agent);
        if held.tasks.last() == Some(&task) {
            return;
        }
        if held.tasks.len() >= 2 * held.left + 8 {
            held.tasks = still(core::mem::take(&mut held.tasks), has);
            held.left = held.tasks.len();
        }
        held.tasks.push(task);
    }

    /// The tasks that `agent` took up last and `has` still, by number.
    pub(crate) fn of(&self, agent: AgentId, has: impl Fn(u64) -> bool) -> Vec<u64> {
        self.agents.get(agent).map(|held| still(held.tasks.clone(), has)).unwrap_or_default()
    }

    /// What `agent` took up last.
    pub(crate) fn last(&self, agent: AgentId) -> Option<u64> {
        self.agents.get(agent).and_then(|held| held.tasks.last().copied())
    }

    /// `agent` has nothing any more.
    pub(crate) fn forget(&mut self, agent: AgentId) {
        self.agents.remove(agent);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn they_are_those_of_a_set(steps in prop::collection::vec((any::<bool>(), 0_u64..12), 0..120)) {
            let agent = AgentId::named("coder", 1);
            let (mut holdings, mut twin) = (Holdings::default(), BTreeSet::new());
            for (takes, task) in steps {
                if takes {
                    twin.insert(task);
                    holdings.add(agent, task, |task| twin.contains(&task));
                } else {
                    twin.remove(&task);
                }
                let held = holdings.of(agent, |task| twin.contains(&task));
                prop_assert_eq!(held, twin.iter().copied().collect::<Vec<_>>());
                let kept = holdings.agents.get(agent).map_or(0, |held| held.tasks.len());
                prop_assert!(kept <= 8 + 2 * 12, "{kept} of 12");
            }
        }
    }
}
