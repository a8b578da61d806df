//! The second phase of a run: the world heals, and the fleet must converge.

use fleetsim_engine::{AgentId, GroupId, Time};
use serde::{Deserialize, Serialize};

use crate::party::{Matcher, Party};

/// From an instant on nothing goes wrong any more: what is down restarts, what is paused goes on, clocks are right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heal {
    /// The instant.
    pub at: Time,
    /// Only these roles heal, and the links between them; the rest stays as broken as it is. Empty: everybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub core: Vec<String>,
    /// By when, in nanoseconds after `at`, the fleet must have finished what is open.
    pub converges_within_ns: u64,
}

impl Heal {
    /// Whether nothing may happen to this agent any more.
    pub(crate) fn protects(&self, now: Time, group: GroupId, agent: AgentId) -> bool {
        let is_in = |role: &String| Matcher::of(&Party::role(role)).contains(group, agent);
        now >= self.at && (self.core.is_empty() || self.core.iter().any(is_in))
    }
}
