//! Whether messages of any kind could come round or multiply at all, told by counts alone.
//!
//! To follow every message's line costs more than most other monitors together, and in most fleets in vain: clients ask,
//! servers answer, and nobody sends on what it got. A *round* needs an agent that sends a kind which it has received, so
//! at least one role that does both. A *cascade* needs more messages of a kind to be sent than are handled, again and
//! again; agents' first messages, at their start, are nobody's descendants. As long as there is neither, and nobody is
//! spawned, no line needs to be followed.

use fleetsim_engine::Manifest;
use fleetsim_engine::batch::{EffectKind, Event, Step};

use crate::branching::{WINDOW_MIN, is_above_one};
use crate::config::MonitorConfig;
use crate::number_map::{GOLDEN, NumberMap};
use crate::role::Role;

/// Kinds of messages that are told apart.
pub(crate) const KINDS_MAX: usize = 63;

/// The kinds of messages, numbered in the order in which they were seen.
#[derive(Clone, Debug)]
pub(crate) struct Kinds {
    /// The protocol's number and, in the lowest 16 bits, that of its kind.
    known: Vec<u64>,
    /// Where kinds were found last, by a few bits of their product with [`GOLDEN`].
    places: [u8; 64],
}

impl Default for Kinds {
    fn default() -> Self {
        Kinds { known: Vec::new(), places: [0; 64] }
    }
}

impl Kinds {
    /// The number of a protocol's kind, unless there are too many.
    #[inline]
    pub(crate) fn number(&mut self, protocol: u32, kind: u16) -> Option<usize> {
        let wanted = u64::from(protocol) << 16 | u64::from(kind);
        let place = (wanted.wrapping_mul(GOLDEN) >> 58) as usize;
        let last = usize::from(self.places[place]);
        if self.known.get(last) == Some(&wanted) {
            return Some(last);
        }
        let found = self.search(wanted)?;
        self.places[place] = found as u8;
        Some(found)
    }

    #[inline(never)]
    fn search(&mut self, wanted: u64) -> Option<usize> {
        let known = self.known.iter().position(|known| *known == wanted);
        if known.is_none() && self.known.len() < KINDS_MAX {
            self.known.push(wanted);
            return Some(self.known.len() - 1);
        }
        known
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// The protocol and kind behind `number`.
    pub(crate) fn of(&self, number: usize) -> (u32, u16) {
        let known = self.known[number];
        ((known >> 16) as u32, known as u16)
    }
}

/// Counts until something may recur.
#[derive(Clone, Debug)]
pub(crate) struct Recurrence {
    /// The kinds that members of each role have received.
    received: NumberMap<Role, u64>,
    flows: [Flow; KINDS_MAX],
    window: u64,
    /// Messages that must have been handled in growing windows.
    handled_min: u64,
    /// How often something came closer to done.
    progress: u64,
}

/// The messages of one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    /// In this window: those that were handled, those of them that had waited for a deaf receiver, and those that were
    /// sent, other than at a start.
    handled: u64,
    waited: u64,
    sent: u64,
    /// The progress that there had been when it began.
    progress: u64,
    /// In the windows in a row before it in which more were sent than handled.
    handled_before: u64,
    sent_before: u64,
}

impl Flow {
    /// The window is full. Gives whether it is one of enough windows in a row that grew beyond chance: as in
    /// [`Branching`](crate::branching::Branching), where whatever was sent counts as a child.
    fn close(&mut self, progress: u64, handled_min: u64) -> bool {
        let grows = self.sent > self.handled && 2 * self.waited <= self.handled && self.progress == progress;
        let (handled_before, sent_before) =
            if grows { (self.handled_before + self.handled, self.sent_before + self.sent) } else { (0, 0) };
        *self = Flow { progress, handled_before, sent_before, ..Flow::default() };
        handled_before >= handled_min && is_above_one(sent_before, handled_before)
    }
}

impl Recurrence {
    /// With the windows of `config`, for a fleet of as many agents as `manifest` names.
    pub(crate) fn new(config: &MonitorConfig, manifest: &Manifest) -> Recurrence {
        let agents: u64 = manifest.groups.iter().map(|group| u64::from(group.count)).sum();
        Recurrence {
            received: NumberMap::default(),
            flows: [Flow::default(); KINDS_MAX],
            window: u64::from(config.branching_window_messages.max(WINDOW_MIN)),
            handled_min: agents / 2,
            progress: 0,
        }
    }

    /// Takes note of a step, which `handles` a message or not. Gives how many messages are sent in it; `None` when it
    /// shows that something may recur, and nothing needs to be counted any more.
    #[inline]
    pub(crate) fn observe(&mut self, step: &Step<'_>, handles: bool, kinds: &mut Kinds) -> Option<u64> {
        if step.asks_for(EffectKind::Spawn) {
            return None;
        }
        let sends = step.asks_for(EffectKind::Send);
        if !handles && !sends {
            return Some(0);
        }
        let received = self.received.or_default(Role::of(step.target));
        if handles && let Some(kind) = kinds.number(step.protocol.0, step.kind) {
            *received |= 1 << kind;
            let flow = &mut self.flows[kind];
            flow.handled += 1;
            flow.waited += u64::from(step.waited_ns > 0);
            if flow.handled == self.window && flow.close(self.progress, self.handled_min) {
                return None;
            }
        }
        if !sends {
            return Some(0);
        }
        let mut messages = 0;
        for request in step.requests() {
            if request.effect != EffectKind::Send {
                continue;
            }
            messages += 1;
            let Some(kind) = kinds.number(request.protocol.0, request.kind) else { continue };
            if *received & 1 << kind != 0 {
                return None;
            }
            self.flows[kind].sent += u64::from(step.event != Event::Start);
        }
        Some(messages)
    }

    /// Something came closer to done: what grows has a purpose.
    pub(crate) fn progress(&mut self) {
        self.progress += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_that_grow_beyond_chance_are_told() {
        // What is sent and handled in each window, whether there is progress, and where it is told.
        for (windows, handled_min, told_at) in [
            (&[(256, 320, false)][..], 0, Some(0)),
            (&[(256, 270, false)], 0, None),
            (&[(256, 270, false); 10], 0, Some(9)),
            (&[(256, 320, true), (256, 320, true)], 0, None),
            (&[(256, 320, false); 4], 1000, Some(3)),
            (&[(256, 320, false), (256, 256, false), (256, 280, false)], 600, None),
        ] {
            let (mut flow, mut progress) = (Flow::default(), 0);
            let told = windows.iter().position(|(handled, sent, progresses)| {
                (flow.handled, flow.sent) = (*handled, *sent);
                progress += u64::from(*progresses);
                flow.close(progress, handled_min)
            });
            assert_eq!(told, told_at, "{windows:?}");
        }
    }

    #[test]
    fn kinds_are_told_apart_up_to_the_last() {
        let mut kinds = Kinds::default();
        for number in 0..KINDS_MAX {
            assert_eq!(kinds.number(0x8000_0000 + number as u32 / 2, number as u16 % 2), Some(number));
            assert_eq!(kinds.of(number), (0x8000_0000 + number as u32 / 2, number as u16 % 2));
        }
        assert_eq!(
            (kinds.number(1, 1), kinds.number(0x8000_0000, 1), kinds.len()),
            (None, Some(1), KINDS_MAX)
        );
    }
}
