//! Folds repeats: a thousand of the same are one finding that counts them, shows the first three and names those
//! involved.

use std::collections::BTreeSet;

use fleetsim_engine::{AgentId, Names};

/// How many are kept in full.
const KEPT_MAX: usize = 3;
/// How many of those involved are named.
const AGENTS_MAX: usize = 16;

/// Repeats of the same thing.
#[derive(Clone, Debug)]
pub(crate) struct Fold<T> {
    /// How many there were.
    pub(crate) count: u64,
    /// The first ones.
    pub(crate) kept: Vec<T>,
    agents: BTreeSet<AgentId>,
}

impl<T> Default for Fold<T> {
    fn default() -> Self {
        Fold { count: 0, kept: Vec::new(), agents: BTreeSet::new() }
    }
}

impl<T> Fold<T> {
    /// Counts one more, which involves `agents`.
    pub(crate) fn add(&mut self, one: T, agents: impl IntoIterator<Item = AgentId>) {
        self.count += 1;
        if self.kept.len() < KEPT_MAX {
            self.kept.push(one);
        }
        for agent in agents {
            if self.agents.len() < AGENTS_MAX {
                self.agents.insert(agent);
            }
        }
    }

    /// The first one.
    pub(crate) fn first(&self) -> &T {
        self.kept.first().expect("a fold is made by adding to it")
    }

    /// The sorted names of those involved.
    pub(crate) fn agents(&self, names: &Names) -> Vec<String> {
        let mut agents: Vec<String> = self.agents.iter().map(|agent| names.of(*agent)).collect();
        agents.sort();
        agents
    }
}
