//! What the engine keeps of an agent beside the user's state, and how it finds an agent by its identity.

use std::collections::BTreeMap;

use crate::identity::{AgentId, Origin};
use crate::stream::StreamState;

/// The index of an agent in the engine's tables. It never leaves the engine: it depends on who was made when.
pub(crate) type SlotIndex = u32;

/// What the engine keeps of one agent: one line of the processor's cache.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Slot {
    pub(crate) id: AgentId,
    /// Which pool holds the agent, and where in it.
    pub(crate) pool: u16,
    pub(crate) group: u16,
    pub(crate) index: u32,
    pub(crate) ordinal: u32,
    pub(crate) incarnation: u32,
    /// The number of the next numbered effect.
    pub(crate) sequence: u32,
    /// Timers and work with lower numbers belong to an earlier life.
    pub(crate) timers_from: u32,
    pub(crate) children: u32,
    pub(crate) site_visits: u32,
    pub(crate) condition: Condition,
    pub(crate) busy: bool,
    pub(crate) paused: bool,
    /// Whether its clock or its speed is not the world's.
    pub(crate) own_pace: bool,
    pub(crate) stream: StreamState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It will start; what arrives before then waits.
    Unborn,
    Up,
    Down,
    Halted,
}

impl Slot {
    /// In place of the index of an agent that was spawned but not made yet.
    pub(crate) const NOT_MADE: u32 = u32::MAX;

    pub(crate) fn new(id: AgentId, pool: u16, group: u16, index: u32, ordinal: u32) -> Slot {
        Slot {
            id,
            pool,
            group,
            index,
            ordinal,
            incarnation: 0,
            sequence: 0,
            timers_from: 0,
            children: 0,
            site_visits: 0,
            condition: Condition::Unborn,
            busy: false,
            paused: false,
            own_pace: false,
            stream: StreamState::default(),
        }
    }

    /// Whether it is up and free.
    #[inline]
    pub(crate) fn listens(&self) -> bool {
        self.condition == Condition::Up && !self.busy && !self.paused
    }

    /// Whether events must wait.
    pub(crate) fn is_deaf(&self) -> bool {
        self.busy || self.paused || self.condition == Condition::Unborn
    }
}

/// Finds agents by identity. Members of groups are found by arithmetic, spawned agents in a map.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    /// Ordered by hash.
    groups: Vec<GroupRange>,
    spawned: BTreeMap<AgentId, Place>,
}

/// The members of a group lie side by side.
#[derive(Debug)]
struct GroupRange {
    hash: u32,
    first: SlotIndex,
    members: u32,
    group: u16,
}

/// Where an agent is, and what group it belongs to, without a look at its slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) slot: SlotIndex,
    pub(crate) group: u16,
}

impl Directory {
    pub(crate) fn add_group(&mut self, hash: u32, first: SlotIndex, members: u32, group: u16) {
        let at = self.groups.partition_point(|range| range.hash < hash);
        self.groups.insert(at, GroupRange { hash, first, members, group });
    }

    /// Returns whether the identity was new.
    pub(crate) fn add_spawned(&mut self, id: AgentId, place: Place) -> bool {
        self.spawned.insert(id, place).is_none()
    }

    #[inline]
    pub(crate) fn find(&self, id: AgentId) -> Option<Place> {
        match id.origin() {
            Origin::Member { group, ordinal } => {
                let at = self.groups.binary_search_by_key(&group, |range| range.hash).ok()?;
                let range = &self.groups[at];
                let place = || Place { slot: range.first + (ordinal - 1), group: range.group };
                (1..=range.members).contains(&ordinal).then(place)
            }
            Origin::Spawned => self.spawned.get(&id).copied(),
            Origin::World | Origin::Rule => None,
        }
    }
}
