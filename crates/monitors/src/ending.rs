//! Whether a fleet came to rest: what tells work that is stuck from work that a limit cut short.

use std::collections::BTreeMap;

use fleetsim_engine::batch::{EffectKind, Event, Fate, Step};
use fleetsim_engine::{AgentId, Fact, Time};

use crate::monitor::{Moment, RunEnd, went_down};

/// What a step says about the end of its agent and of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ends {
    /// The agent stopped existing.
    pub(crate) halted: bool,
    /// The agent ended the run.
    pub(crate) stopped: bool,
}

impl Ends {
    /// What `step` ends.
    pub(crate) fn of(step: &Step<'_>) -> Ends {
        let mut ends = Ends::default();
        for effect in step.effects.clone() {
            match effect.effect {
                EffectKind::Halt => ends.halted = true,
                EffectKind::StopRun => ends.stopped = true,
                _ => {}
            }
        }
        ends
    }
}

/// Agents that are gone, and whether the run was ended by somebody.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rest {
    last: Time,
    ended: bool,
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
    /// Takes note of a step; gives whether its agent went in it.
    pub(crate) fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]) -> bool {
        self.last = step.time;
        let ends = Ends::of(step);
        // A guard that stops the fleet leaves work open on purpose.
        self.ended |=
            ends.stopped || facts.iter().any(|fact| matches!(fact, Fact::GuardTripped { item: 0, .. }));
        let goes = went_down(step) || ends.halted;
        if goes {
            self.gone.insert(step.target, Gone { since: Moment::of(step), halted: ends.halted });
        } else if step.event == Event::Restart && step.fate == Fate::Handled {
            self.gone.remove(&step.target);
        }
        goes
    }

    /// Since when and why `agent` handles nothing, if so.
    pub(crate) fn gone(&self, agent: AgentId) -> Option<Gone> {
        self.gone.get(&agent).copied()
    }

    /// Whether the run ended because nothing was left to happen: not by a limit, an agent's word or a cut.
    pub(crate) fn came(&self, end: &RunEnd) -> bool {
        end.complete && !self.ended && end.time == self.last
    }
}
