//! The deviation table: how a run is made to differ from what its seed gives, message by message.
//!
//! Schedule search, shrinking and what-if questions all speak through this table, so that whatever they find is one
//! seed and one short list.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::identity::AgentId;
use crate::time::Time;

/// A message: who sent it, and as which of its numbered effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MessageId {
    /// The sender.
    pub source: AgentId,
    /// The number of the send among the sender's numbered effects.
    pub sequence: u32,
}

/// What is to happen to a message instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deviation {
    /// It arrives this much later, in nanoseconds.
    Delay {
        /// The added delay.
        by_ns: u64,
    },
    /// It arrives, and is dropped: the trace shows where.
    Drop,
    /// It arrives a second time, this much after the first, in nanoseconds (at least 1). Of several, the last counts.
    Duplicate {
        /// From the first arrival to the second.
        after_ns: u64,
    },
    /// It arrives before the other message: whichever of the two is sent later is moved, as far as causality allows.
    DeliverBefore {
        /// The other message.
        other: MessageId,
    },
}

/// The deviations of a run. Those that name a message that is never sent have no effect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deviations {
    table: BTreeMap<MessageId, Vec<Deviation>>,
}

impl Deviations {
    /// Adds a deviation; several of one message apply in the order in which they were added.
    pub fn add(&mut self, message: MessageId, deviation: Deviation) {
        self.table.entry(message).or_default().push(deviation);
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}

/// A message's arrival after its deviations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deviated {
    pub(crate) arrives: Time,
    pub(crate) dropped: bool,
    pub(crate) again: Option<Time>,
}

/// The table with what it must remember during a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeviationState {
    table: BTreeMap<MessageId, Vec<Deviation>>,
    /// For `b` in "a before b": the messages that must come first.
    before: BTreeMap<MessageId, Vec<MessageId>>,
    /// When messages that are named on either side of a "before" arrive.
    arrivals: BTreeMap<MessageId, Time>,
}

impl DeviationState {
    pub(crate) fn new(deviations: Deviations) -> DeviationState {
        let mut before: BTreeMap<MessageId, Vec<MessageId>> = BTreeMap::new();
        for (message, list) in &deviations.table {
            for deviation in list {
                if let Deviation::DeliverBefore { other } = deviation {
                    before.entry(*other).or_default().push(*message);
                }
            }
        }
        DeviationState { table: deviations.table, before, arrivals: BTreeMap::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// When a message sent at `now` arrives, if it would arrive at `arrives`.
    pub(crate) fn apply(&mut self, message: MessageId, now: Time, arrives: Time) -> Deviated {
        let mut result = Deviated { arrives, dropped: false, again: None };
        let mut again_after_ns = None;
        let earliest = later(now, 1);
        let list = self.table.get(&message).map_or(&[][..], Vec::as_slice);
        for deviation in list {
            match *deviation {
                Deviation::Delay { by_ns } => result.arrives = later(result.arrives, by_ns),
                Deviation::Drop => result.dropped = true,
                Deviation::Duplicate { after_ns } => again_after_ns = Some(after_ns.max(1)),
                Deviation::DeliverBefore { other } => {
                    if let Some(theirs) = self.arrivals.get(&other) {
                        let just_before = Time::from_ns(theirs.as_ns().saturating_sub(1));
                        result.arrives = result.arrives.min(just_before.max(earliest));
                    }
                }
            }
        }
        for first in self.before.get(&message).map_or(&[][..], Vec::as_slice) {
            if let Some(theirs) = self.arrivals.get(first) {
                result.arrives = result.arrives.max(later(*theirs, 1));
            }
        }
        result.again = again_after_ns.map(|after_ns| later(result.arrives, after_ns));
        let named = self.before.contains_key(&message)
            || list.iter().any(|deviation| matches!(deviation, Deviation::DeliverBefore { .. }));
        if named {
            self.arrivals.insert(message, result.arrives);
        }
        result
    }
}

fn later(time: Time, delay_ns: u64) -> Time {
    time.checked_add(delay_ns).unwrap_or(Time::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(sequence: u32) -> MessageId {
        MessageId { source: AgentId::named("a", 1), sequence }
    }

    fn at(nanoseconds: u64) -> Time {
        Time::from_ns(nanoseconds)
    }

    #[test]
    fn each_deviation_does_what_it_says() {
        for (deviation, expected) in [
            (Deviation::Delay { by_ns: 5 }, Deviated { arrives: at(15), dropped: false, again: None }),
            (Deviation::Drop, Deviated { arrives: at(10), dropped: true, again: None }),
            (
                Deviation::Duplicate { after_ns: 0 },
                Deviated { arrives: at(10), dropped: false, again: Some(at(11)) },
            ),
        ] {
            let mut deviations = Deviations::default();
            deviations.add(id(1), deviation);
            let mut state = DeviationState::new(deviations);
            assert_eq!(state.apply(id(1), at(2), at(10)), expected);
            assert_eq!(state.apply(id(2), at(2), at(10)).arrives, at(10), "others are untouched");
        }
    }

    #[test]
    fn before_moves_whichever_is_sent_later() {
        let mut deviations = Deviations::default();
        deviations.add(id(1), Deviation::DeliverBefore { other: id(2) });
        let mut other_first = DeviationState::new(deviations.clone());
        other_first.apply(id(2), at(0), at(10));
        assert_eq!(other_first.apply(id(1), at(3), at(20)).arrives, at(9));
        let mut this_first = DeviationState::new(deviations);
        this_first.apply(id(1), at(0), at(20));
        assert_eq!(this_first.apply(id(2), at(3), at(10)).arrives, at(21));
    }

    #[test]
    fn causality_bounds_how_early_a_message_arrives() {
        let mut deviations = Deviations::default();
        deviations.add(id(1), Deviation::DeliverBefore { other: id(2) });
        let mut state = DeviationState::new(deviations);
        state.apply(id(2), at(0), at(10));
        assert_eq!(state.apply(id(1), at(10), at(20)).arrives, at(11));
    }
}
