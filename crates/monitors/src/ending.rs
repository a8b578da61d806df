//! Whether a fleet came to rest: what tells work that is stuck from work that a limit cut short.

use std::collections::BTreeMap;

use fleetsim_engine::batch::{Event, Fate, Step};
use fleetsim_engine::{AgentId, Fact};

use crate::interests::{FactKind, Interests};
use crate::monitor::{Moment, RunEnd, halted, went_down};

/// Agents that are gone, and whether a guard stopped the fleet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rest {
    /// A guard that stops the fleet leaves work open on purpose.
    guarded: bool,
    gone: BTreeMap<AgentId, Gone>,
}

/// Why and since when an agent handles nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) since: Moment,
    /// Whether it stopped of itself rather than crashed.
    pub(crate) halted: bool,
}

impl Rest {
    /// What has to be seen of a run.
    pub(crate) const INTERESTS: Interests =
        Interests::facts(&[FactKind::GuardTripped]).and(Interests::LIFECYCLE);

    /// Takes note of a fact.
    #[inline]
    pub(crate) fn observe_fact(&mut self, fact: &Fact<'_>) {
        self.guarded |= matches!(fact, Fact::GuardTripped { item: 0, .. });
    }

    /// Takes note of a step; gives whether its agent went in it.
    pub(crate) fn observe(&mut self, step: &Step<'_>) -> bool {
        let halted = halted(step);
        let goes = went_down(step) || halted;
        if goes {
            self.gone.insert(step.target, Gone { since: Moment::of(step), halted });
        } else if step.event == Event::Restart && step.fate == Fate::Handled {
            self.gone.remove(&step.target);
        }
        goes
    }

    /// Since when and why `agent` handles nothing, if so.
    pub(crate) fn gone(&self, agent: AgentId) -> Option<Gone> {
        self.gone.get(&agent).copied()
    }

    /// Whether the run ended because nothing was left to happen, and no guard had brought that about.
    pub(crate) fn came(&self, end: &RunEnd) -> bool {
        end.quiescent && !self.guarded
    }
}
