//! Those who wait for one thing, in the order in which they came; whoever is served tells how many overtook it.
//!
//! Everybody draws a number. Whoever is served was overtaken by all that were served before it with a higher number.

use super::tickets::{Ticket, Tickets};
use crate::monitor::Moment;
use crate::number_map::{Number, NumberMap};

/// A line of waiting `K`s.
#[derive(Clone, Debug)]
pub(super) struct WaitLine<K> {
    waiting: NumberMap<K, Ticket>,
    tickets: Tickets,
}

/// A wait, over or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    /// When it began.
    pub(super) since: Moment,
    /// How many came later and were served while it lasted.
    pub(super) overtaken_by: u64,
}

impl<K> Default for WaitLine<K> {
    fn default() -> Self {
        WaitLine { waiting: NumberMap::default(), tickets: Tickets::default() }
    }
}

impl<K: Number> WaitLine<K> {
    /// `key` waits from now on; one that waits already keeps its place.
    pub(super) fn join(&mut self, key: K, now: Moment) {
        let tickets = &mut self.tickets;
        self.waiting.or_insert_with(key, || tickets.draw(now));
    }

    /// `key` is served; `None` if it did not wait.
    pub(super) fn serve(&mut self, key: K) -> Option<Wait> {
        let ticket = self.waiting.remove(key)?;
        Some(self.tickets.serve(ticket))
    }

    /// `key` leaves without being served.
    pub(super) fn leave(&mut self, key: K) {
        if let Some(ticket) = self.waiting.remove(key) {
            self.tickets.give_up(ticket);
        }
    }

    /// Those who still wait, by their keys.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (K, Wait)> {
        self.waiting.sorted().map(|(key, ticket)| (key, self.tickets.wait_of(*ticket)))
    }
}

#[cfg(test)]
mod tests {
    use fleetsim_engine::Time;
    use proptest::prelude::*;

    use super::*;

    /// What a line does, told as a list of events and judged by looking back.
    #[derive(Default)]
    struct Twin {
        history: Vec<(u8, Option<usize>)>,
    }

    impl Twin {
        fn overtaken_by(&self, key: u8) -> Option<u64> {
            let joined = self.joined(key)?;
            let later = |(_, joined_at): &&(u8, Option<usize>)| joined_at.is_some_and(|at| at > joined);
            Some(self.history[joined..].iter().filter(later).count() as u64)
        }

        fn joined(&self, key: u8) -> Option<usize> {
            let place = self.history.iter().rposition(|(known, _)| known & 0x7f == key)?;
            (self.history[place].0 & 0x80 == 0 && self.history[place].1.is_none()).then_some(place)
        }
    }

    proptest! {
        #[test]
        fn overtaking_equals_that_of_the_twin(events in prop::collection::vec((0_u8..8, 0_u8..3), 0..400)) {
            let (mut line, mut twin) = (WaitLine::default(), Twin::default());
            for (key, what) in events {
                match (what, twin.joined(key)) {
                    (0, joined) => {
                        line.join(u64::from(key), Moment::ZERO);
                        if joined.is_none() {
                            twin.history.push((key, None));
                        }
                    }
                    (1, joined) => {
                        let expected = twin.overtaken_by(key);
                        prop_assert_eq!(line.serve(u64::from(key)).map(|wait| wait.overtaken_by), expected);
                        if let Some(place) = joined {
                            twin.history.push((key, Some(place)));
                        }
                    }
                    (_, joined) => {
                        line.leave(u64::from(key));
                        if joined.is_some() {
                            twin.history.push((key | 0x80, None));
                        }
                    }
                }
                for (key, wait) in line.waiting() {
                    let key = u8::try_from(key).expect("keys are small");
                    prop_assert_eq!(Some(wait.overtaken_by), twin.overtaken_by(key));
                }
            }
        }
    }

    #[test]
    fn waiting_twice_keeps_the_first_place() {
        let mut line = WaitLine::default();
        let later = Moment { event: 5, at: Time::from_ns(5) };
        line.join(1_u64, Moment::ZERO);
        line.join(2, later);
        line.join(1_u64, later);
        assert_eq!(line.serve(2), Some(Wait { since: later, overtaken_by: 0 }));
        assert_eq!(line.serve(1_u64), Some(Wait { since: Moment::ZERO, overtaken_by: 1 }));
        assert_eq!(line.serve(1_u64), None);
    }
}
