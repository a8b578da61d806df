//! What is on its way, and what it descends from: each numbered effect keeps a note until the event that it causes.

use std::collections::{BTreeMap, VecDeque};

use fleetsim_engine::AgentId;

/// Notes on effects that have caused nothing yet, by the agent that asked for them and their number.
#[derive(Clone, Debug)]
pub(crate) struct Lineages<N> {
    agents: BTreeMap<AgentId, Pending<N>>,
}

/// The effects of one agent, by number; those that came to pass are empty until they are cleared away.
#[derive(Clone, Debug)]
struct Pending<N> {
    effects: VecDeque<(u32, Option<Entry<N>>)>,
    live: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry<N> {
    note: N,
    /// Whether it is a timer, which dies with its agent.
    is_timer: bool,
}

impl<N> Default for Lineages<N> {
    fn default() -> Self {
        Lineages { agents: BTreeMap::new() }
    }
}

impl<N> Pending<N> {
    fn clear_away(&mut self) {
        while self.effects.front().is_some_and(|(_, entry)| entry.is_none()) {
            self.effects.pop_front();
        }
        // A timer that is set for long must not keep what came after it.
        if self.effects.len() > 16 && self.effects.len() > 2 * self.live {
            self.effects.retain(|(_, entry)| entry.is_some());
        }
    }
}

impl<N> Lineages<N> {
    /// Notes effect `sequence` of `agent`.
    pub(crate) fn put(&mut self, agent: AgentId, sequence: u32, note: N, is_timer: bool) {
        let pending =
            self.agents.entry(agent).or_insert_with(|| Pending { effects: VecDeque::new(), live: 0 });
        // Numbers ascend, except in a record that makes no sense.
        if pending.effects.back().is_some_and(|(last, _)| *last >= sequence) {
            return;
        }
        pending.effects.push_back((sequence, Some(Entry { note, is_timer })));
        pending.live += 1;
    }

    /// Takes the note on effect `sequence` of `agent`, which came to pass or was cancelled.
    pub(crate) fn take(&mut self, agent: AgentId, sequence: u32) -> Option<N> {
        let pending = self.agents.get_mut(&agent)?;
        let place = pending.effects.binary_search_by_key(&sequence, |(known, _)| *known).ok()?;
        let entry = pending.effects[place].1.take()?;
        pending.live -= 1;
        pending.clear_away();
        Some(entry.note)
    }

    /// `agent` lost its timers.
    pub(crate) fn forget_timers(&mut self, agent: AgentId) {
        if let Some(pending) = self.agents.get_mut(&agent) {
            pending.effects.retain(|(_, entry)| entry.as_ref().is_some_and(|entry| !entry.is_timer));
            pending.live = pending.effects.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn notes_are_those_of_a_map(steps in prop::collection::vec((0_u8..4, 0_u32..40), 0..200)) {
            let agent = AgentId::named("coder", 1);
            let (mut lineages, mut twin, mut next) = (Lineages::default(), BTreeMap::new(), 0_u32);
            for (what, number) in steps {
                match what {
                    0 | 1 => {
                        next += number % 3 + 1;
                        lineages.put(agent, next, next * 7, number % 2 == 0);
                        twin.insert(next, (next * 7, number % 2 == 0));
                    }
                    2 => {
                        let sequence = next.saturating_sub(number);
                        let expected = twin.remove(&sequence).map(|(note, _)| note);
                        prop_assert_eq!(lineages.take(agent, sequence), expected);
                    }
                    _ if number == 0 => {
                        lineages.forget_timers(agent);
                        twin.retain(|_, (_, is_timer)| !*is_timer);
                    }
                    _ => {}
                }
                let kept = lineages.agents.get(&agent).map_or(0, |pending| pending.effects.len());
                prop_assert!(kept <= 2 * twin.len() + 16, "{kept} for {}", twin.len());
            }
        }
    }
}
