//! Whether messages of any kind could come round or multiply at all, told by counts alone.
//!
//! To follow every message's line costs more than most other monitors together, and in most fleets in vain: clients ask,
//! servers answer, and nobody sends on what it got. A *round* needs an agent that sends a kind which it has received, so
//! at least one role that does both. A *cascade* needs more messages of a kind to be sent than are handled, again and
//! again; agents' first messages, at their start, are nobody's descendants. As long as there is neither, and nobody is
//! spawned, no line needs to be followed.

use fleetsim_engine::Manifest;
use fleetsim_engine::batch::{EffectKind, Event, Step};

use crate::number_map::NumberMap;
use crate::role::Role;

/// Kinds of messages that are told apart.
pub(crate) const KINDS_MAX: usize = 63;

/// The kinds of messages, numbered in the order in which they were seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kinds {
    known: Vec<(u32, u16)>,
}

impl Kinds {
    /// The number of a protocol's kind, unless there are too many.
    #[inline]
    pub(crate) fn number(&mut self, protocol: u32, kind: u16) -> Option<usize> {
        // There are few, and those that are seen most come early.
        let known = self.known.iter().position(|known| *known == (protocol, kind));
        known.or_else(|| self.add(protocol, kind))
    }

    #[cold]
    fn add(&mut self, protocol: u32, kind: u16) -> Option<usize> {
        if self.known.len() == KINDS_MAX {
            return None;
        }
        self.known.push((protocol, kind));
        Some(self.known.len() - 1)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// The protocol and kind behind `number`.
    pub(crate) fn of(&self, number: usize) -> (u32, u16) {
        self.known[number]
    }
}

/// Counts until something may recur.
#[derive(Clone, Debug)]
pub(crate) struct Recurrence {
    /// The kinds that members of each role have received.
    received: NumberMap<Role, u64>,
    flows: [Flow; KINDS_MAX],
    /// By how much the messages under way may grow: what chance makes of a steady number goes with the root of it.
    growth_max: i64,
}

/// Messages of one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    /// How many more were sent than handled, other than at a start.
    surplus: i64,
    /// The least that this ever was.
    least: i64,
}

impl Recurrence {
    /// For a fleet of as many agents as `manifest` names.
    pub(crate) fn new(manifest: &Manifest) -> Recurrence {
        let agents: i64 = manifest.groups.iter().map(|group| i64::from(group.count)).sum();
        let growth_max = 16 + 4 * agents.isqrt();
        Recurrence { received: NumberMap::default(), flows: [Flow::default(); KINDS_MAX], growth_max }
    }

    /// Takes note of a step, which `handles` a message or not. Gives how many messages are sent in it; `None` when it
    /// shows that something may recur, and nothing needs to be counted any more.
    pub(crate) fn observe(&mut self, step: &Step<'_>, handles: bool, kinds: &mut Kinds) -> Option<u64> {
        let received = self.received.or_default(Role::of(step.target));
        if handles && let Some(kind) = kinds.number(step.protocol.0, step.kind) {
            *received |= 1 << kind;
            let flow = &mut self.flows[kind];
            flow.surplus -= 1;
            flow.least = flow.least.min(flow.surplus);
        }
        let mut messages = 0;
        for request in step.requests() {
            match request.effect {
                EffectKind::Spawn => return None,
                EffectKind::Send => messages += 1,
                _ => continue,
            }
            let Some(kind) = kinds.number(request.protocol.0, request.kind) else { continue };
            if *received & 1 << kind != 0 {
                return None;
            }
            if step.event != Event::Start {
                let flow = &mut self.flows[kind];
                flow.surplus += 1;
                if flow.surplus - flow.least > self.growth_max {
                    return None;
                }
            }
        }
        Some(messages)
    }
}
