//! The members of a fleet all start at the first instant: they wait here, in a quarter of the room that they would
//! take as entries of the queue.

use crate::batch::{Event, Fate};
use crate::event::{Course, EventKey, Pending};
use crate::identity::AgentId;
use crate::slot::{Slot, SlotIndex};
use crate::time::Time;

/// The starts that have not happened yet, the next one last.
#[derive(Debug, Default)]
pub(super) struct Starts {
    waiting: Vec<(u64, SlotIndex)>,
}

impl Starts {
    /// The starts of all `slots`.
    pub(super) fn new(seed: u64, slots: &[Slot]) -> Starts {
        let tie = |slot: &Slot| key(seed, slot.id).tie();
        let mut waiting: Vec<_> = (0..).zip(slots).map(|(at, slot)| (tie(slot), at)).collect();
        waiting.sort_by_key(|(tie, at)| core::cmp::Reverse((*tie, slots[*at as usize].id)));
        Starts { waiting }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the next start, unless `other` comes first.
    pub(super) fn next_before(
        &mut self,
        other: Option<&Pending>,
        seed: u64,
        slots: &[Slot],
    ) -> Option<Pending> {
        let &(_, slot) = self.waiting.last()?;
        let target = slots[slot as usize].id;
        if other.is_some_and(|other| other.key(seed) < key(seed, target)) {
            return None;
        }
        self.waiting.pop();
        if self.waiting.is_empty() {
            self.waiting = Vec::new();
        }
        Some(Pending {
            time: Time::ZERO,
            target,
            slot,
            course: Course::new(Event::Start, Fate::Handled),
            ..Pending::NOTHING
        })
    }
}

/// A member's start is the world's effect number 0.
fn key(seed: u64, target: AgentId) -> EventKey {
    EventKey::new(seed, Time::ZERO, target, AgentId::WORLD, 0)
}
