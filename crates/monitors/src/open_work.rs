//! The tasks that are open, and where each of them is: what several monitors must know to say that a fleet is stuck.
//!
//! A task is opened by `TaskAdded`, `TaskReady`, `TaskClaimed` or `TaskStarted` and closed by `TaskFinished`. One that
//! was reported done stays done: a second attempt at it is waste, not a return to work. One that was given up may be
//! begun again. Tasks that a fleet hands on without stating it seem to stay where they were last seen.

use fleetsim_engine::{AgentId, Fact};

use crate::id_set::IdSet;
use crate::interests::{FactKind, Interests};
use crate::intern::Interner;
use crate::monitor::Moment;
use crate::number_map::NumberMap;

/// Open tasks, and the numbers of those that are done.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenWork {
    open: NumberMap<u64, OpenTask>,
    done: IdSet,
    media: Interner,
    /// Whether the fleet ever stated the end of a task: one that never does cannot be said to leave any open.
    saw_finish: bool,
}

/// A task that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenTask {
    /// When it was first seen.
    pub(crate) opened: Moment,
    /// Where it is.
    pub(crate) place: Place,
    /// Since when it is there.
    pub(crate) since: Moment,
}

/// Where an open task is, as far as facts tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// It exists; nobody said that it may be taken.
    Added,
    /// It may be taken from this agent.
    Ready(AgentId),
    /// It was put into this medium.
    Carried(u32),
    /// It was passed to this agent, who has not taken it up.
    Passed(AgentId),
    /// This agent took it up.
    Held(AgentId),
    /// This carrier lost it.
    Lost(AgentId),
}

/// What a fact did to open work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing that matters here.
    Nothing,
    /// The task is somewhere, and it is not with the agent that had it before.
    Moved(u64),
    /// The task was reported done.
    Done(u64),
    /// The task was given up.
    GivenUp(u64),
}

impl OpenWork {
    /// The facts that say where tasks are.
    pub(crate) const INTERESTS: Interests = Interests::facts(&[
        FactKind::TaskAdded,
        FactKind::TaskReady,
        FactKind::TaskClaimed,
        FactKind::TaskStarted,
        FactKind::TaskFinished,
        FactKind::TaskReleased,
        FactKind::Offered,
        FactKind::HandedOver,
        FactKind::Received,
        FactKind::Undelivered,
    ]);

    /// Takes note of a fact that `agent` stated.
    pub(crate) fn observe(&mut self, at: Moment, agent: AgentId, fact: &Fact<'_>) -> Change {
        let (task, place, opens) = match *fact {
            Fact::TaskAdded { task } if self.open.contains(task) => (task, None, false),
            Fact::TaskAdded { task } => (task, Some(Place::Added), true),
            Fact::TaskReady { task } => (task, Some(Place::Ready(agent)), true),
            Fact::TaskReleased { task, .. } => (task, Some(Place::Ready(agent)), false),
            Fact::TaskClaimed { task, .. } | Fact::TaskStarted { task, .. } => {
                (task, Some(Place::Held(agent)), true)
            }
            Fact::Received { item, .. } => (item, Some(Place::Held(agent)), false),
            Fact::Offered { item, medium, .. } => {
                (item, Some(Place::Carried(self.media.number(medium))), false)
            }
            Fact::HandedOver { item, receiver, .. } => (item, Some(Place::Passed(receiver)), false),
            Fact::Undelivered { item, .. } => (item, Some(Place::Lost(agent)), false),
            Fact::TaskFinished { task, reported, .. } => return self.finish(task, reported),
            _ => return Change::Nothing,
        };
        place.map_or(Change::Nothing, |place| self.put(at, task, place, opens))
    }

    fn put(&mut self, at: Moment, task: u64, place: Place, opens: bool) -> Change {
        let Some(known) = self.open.get_mut(task) else {
            if opens && !self.done.contains(task) {
                self.open.insert(task, OpenTask { opened: at, place, since: at });
            }
            return Change::Nothing;
        };
        let before = known.place;
        // A further copy on its way says nothing about the one that somebody holds.
        let is_copy = matches!(place, Place::Passed(_) | Place::Lost(_)) && matches!(before, Place::Held(_));
        if is_copy || before == place {
            return Change::Nothing;
        }
        (known.place, known.since) = (place, at);
        Change::Moved(task)
    }

    fn finish(&mut self, task: u64, reported: bool) -> Change {
        self.saw_finish = true;
        self.open.remove(task);
        if !reported {
            return Change::GivenUp(task);
        }
        self.done.insert(task);
        Change::Done(task)
    }

    /// Whether the fleet ever stated that a task was over.
    pub(crate) fn saw_finish(&self) -> bool {
        self.saw_finish
    }

    /// Whether nothing is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The open tasks, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &OpenTask)> {
        self.open.sorted()
    }

    /// What is known of `task`, if it is open and with `agent`.
    pub(crate) fn held_by(&self, agent: AgentId, task: u64) -> Option<&OpenTask> {
        self.open.get(task).filter(|state| state.place == Place::Held(agent))
    }

    /// The name of a medium.
    pub(crate) fn medium(&self, number: u32) -> &str {
        self.media.name(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: AgentId = AgentId::named("store", 1);
    const CODER: AgentId = AgentId::named("coder", 1);
    const OTHER: AgentId = AgentId::named("coder", 2);

    fn places(facts: &[(AgentId, Fact<'_>)]) -> Vec<(u64, Place)> {
        let mut work = OpenWork::default();
        for (agent, fact) in facts {
            work.observe(Moment::ZERO, *agent, fact);
        }
        assert_eq!(work.is_empty(), work.iter().next().is_none());
        work.iter().map(|(task, state)| (task, state.place)).collect()
    }

    #[test]
    fn a_task_is_where_it_was_last_seen() {
        let added = (STORE, Fact::TaskAdded { task: 1 });
        let ready = (STORE, Fact::TaskReady { task: 1 });
        let claimed = (CODER, Fact::TaskClaimed { task: 1, fence: 0 });
        let received = (OTHER, Fact::Received { seam: "s", item: 1, offer: 1, giver: CODER });
        let offered = (CODER, Fact::Offered { seam: "s", item: 1, offer: 1, medium: "m" });
        let passed = (STORE, Fact::HandedOver { seam: "s", item: 1, offer: 1, medium: "m", receiver: OTHER });
        let lost = (STORE, Fact::Undelivered { seam: "s", item: 1, offer: 1, reason: "full" });
        let end = |reported| (CODER, Fact::TaskFinished { task: 1, attempt: 1, reported, actual: true });
        for (facts, place) in [
            (vec![added.clone()], Some(Place::Added)),
            (vec![added.clone(), ready.clone(), added.clone()], Some(Place::Ready(STORE))),
            (vec![ready.clone(), claimed.clone()], Some(Place::Held(CODER))),
            (vec![claimed.clone(), offered.clone()], Some(Place::Carried(0))),
            (vec![claimed.clone(), offered.clone(), passed.clone()], Some(Place::Passed(OTHER))),
            (vec![claimed.clone(), passed.clone()], Some(Place::Held(CODER))),
            (vec![claimed.clone(), received.clone()], Some(Place::Held(OTHER))),
            (vec![ready.clone(), lost.clone()], Some(Place::Lost(STORE))),
            (vec![offered.clone()], None),
            (vec![received.clone()], None),
            (vec![claimed.clone(), end(true)], None),
            (vec![claimed.clone(), end(true), ready.clone()], None),
            (vec![claimed.clone(), end(false), ready.clone()], Some(Place::Ready(STORE))),
        ] {
            let expected: Vec<(u64, Place)> = place.into_iter().map(|place| (1, place)).collect();
            assert_eq!(places(&facts), expected, "{facts:?}");
        }
    }
}
