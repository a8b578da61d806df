//! What is on its way, and what it descends from: each numbered effect keeps a note until the event that it causes.

use fleetsim_engine::AgentId;

use crate::number_map::NumberMap;

/// Notes that are kept before it is worth the trouble to look for those that nothing will take.
const SWEEP_MIN: usize = 64;

/// Notes on effects that have caused nothing yet, by the agent that asked for them and their number.
#[derive(Clone, Debug)]
pub(crate) struct Lineages<N> {
    notes: NumberMap<(AgentId, u32), Entry<N>>,
    /// How often each agent lost its timers.
    losses: NumberMap<AgentId, u32>,
    /// At how many notes those that were lost with their timers are cleared away.
    sweep_at: usize,
}

#[derive(Clone, Debug)]
struct Entry<N> {
    note: N,
    /// For a timer, which dies with its agent, how often that one had lost its timers before.
    losses: Option<u32>,
}

impl<N> Default for Lineages<N> {
    fn default() -> Self {
        Lineages { notes: NumberMap::default(), losses: NumberMap::default(), sweep_at: SWEEP_MIN }
    }
}

impl<N> Lineages<N> {
    /// Notes effect `sequence` of `agent`.
    pub(crate) fn put(&mut self, agent: AgentId, sequence: u32, note: N, is_timer: bool) {
        if self.notes.len() >= self.sweep_at {
            self.sweep();
        }
        let losses = is_timer.then(|| losses(&self.losses, agent));
        self.notes.insert((agent, sequence), Entry { note, losses });
    }

    /// Takes the note on effect `sequence` of `agent`, which came to pass or was cancelled.
    pub(crate) fn take(&mut self, agent: AgentId, sequence: u32) -> Option<N> {
        let entry = self.notes.remove((agent, sequence))?;
        is_alive(&self.losses, agent, &entry).then_some(entry.note)
    }

    /// `agent` lost its timers.
    pub(crate) fn forget_timers(&mut self, agent: AgentId) {
        *self.losses.or_default(agent) += 1;
    }

    /// Clears away the timers that were lost. It is done again once there are twice as many notes, so that a note
    /// costs constant time however many agents are lost.
    #[cold]
    fn sweep(&mut self) {
        let (notes, losses) = (&mut self.notes, &self.losses);
        if !losses.is_empty() {
            notes.retain(|(agent, _), entry| is_alive(losses, agent, entry));
        }
        self.sweep_at = SWEEP_MIN.max(2 * notes.len());
    }
}

fn losses(losses: &NumberMap<AgentId, u32>, agent: AgentId) -> u32 {
    if losses.is_empty() { 0 } else { losses.get(agent).copied().unwrap_or(0) }
}

fn is_alive<N>(known: &NumberMap<AgentId, u32>, agent: AgentId, entry: &Entry<N>) -> bool {
    entry.losses.is_none_or(|then| then == losses(known, agent))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn notes_are_those_of_a_map(steps in prop::collection::vec((0_u8..4, 0_u64..3, 0_u32..40), 0..300)) {
            let (mut lineages, mut twin, mut next) = (Lineages::default(), BTreeMap::new(), 0_u32);
            for (what, agent, number) in steps {
                let agent = AgentId::from_u64(agent);
                match what {
                    0 | 1 => {
                        next += number % 3 + 1;
                        lineages.put(agent, next, next * 7, number % 2 == 0);
                        twin.insert((agent, next), (next * 7, number % 2 == 0));
                    }
                    2 => {
                        let key = (agent, next.saturating_sub(number));
                        let expected = twin.remove(&key).map(|(note, _)| note);
                        prop_assert_eq!(lineages.take(key.0, key.1), expected);
                    }
                    _ if number < 4 => {
                        lineages.forget_timers(agent);
                        twin.retain(|(of, _), (_, is_timer)| *of != agent || !*is_timer);
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn lost_timers_are_cleared_away() {
        let (agent, mut lineages) = (AgentId::named("coder", 1), Lineages::default());
        for number in 0..10_000 {
            lineages.put(agent, number, (), number % 10 != 0);
            if number % 10 == 0 {
                lineages.forget_timers(agent);
            }
        }
        let kept = lineages.notes.len();
        assert!((1000..2200).contains(&kept), "{kept} notes of 1000 that live");
    }
}
