//! Those who wait for one thing, in the order in which they came; whoever is served tells how many overtook it.

use std::collections::{BTreeMap, VecDeque};

use crate::monitor::Moment;

/// A line of waiting `K`s.
#[derive(Clone, Debug)]
pub(crate) struct WaitLine<K> {
    waiting: BTreeMap<K, Ticket>,
    /// The tickets of `waiting`, ascending.
    numbers: VecDeque<u64>,
    next_number: u64,
    /// Those who left without being served.
    gave_up: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Ticket {
    number: u64,
    since: Moment,
}

/// A wait, over or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    /// When it began.
    pub(crate) since: Moment,
    /// How many came later and were served while it lasted.
    pub(crate) overtaken_by: u64,
}

impl<K> Default for WaitLine<K> {
    fn default() -> Self {
        WaitLine { waiting: BTreeMap::new(), numbers: VecDeque::new(), next_number: 0, gave_up: Vec::new() }
    }
}

impl<K: Ord + Copy> WaitLine<K> {
    /// `key` waits from now on; one that waits already keeps its place.
    pub(crate) fn join(&mut self, key: K, now: Moment) {
        if self.waiting.contains_key(&key) {
            return;
        }
        self.waiting.insert(key, Ticket { number: self.next_number, since: now });
        self.numbers.push_back(self.next_number);
        self.next_number += 1;
    }

    /// `key` is served; `None` if it did not wait.
    pub(crate) fn serve(&mut self, key: K) -> Option<Wait> {
        let ticket = self.waiting.remove(&key)?;
        let wait = self.wait_of(ticket);
        self.forget(ticket);
        Some(wait)
    }

    /// `key` leaves without being served.
    pub(crate) fn leave(&mut self, key: K) {
        if let Some(ticket) = self.waiting.remove(&key) {
            self.forget(ticket);
            // It overtook only those that are before it and still wait; once they are gone it is forgotten.
            if self.numbers.front().is_some_and(|first| *first < ticket.number) {
                let place = self.gave_up.partition_point(|number| *number < ticket.number);
                self.gave_up.insert(place, ticket.number);
            }
        }
    }

    /// Those who still wait.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (K, Wait)> {
        self.waiting.iter().map(|(key, ticket)| (*key, self.wait_of(*ticket)))
    }

    fn wait_of(&self, ticket: Ticket) -> Wait {
        // All who came later either still wait, gave up, or were served: overtaking is what is left over.
        let came_later = self.next_number - ticket.number - 1;
        let still_waiting =
            self.numbers.len() - self.numbers.partition_point(|number| *number <= ticket.number);
        let gave_up = self.gave_up.len() - self.gave_up.partition_point(|number| *number <= ticket.number);
        Wait { since: ticket.since, overtaken_by: came_later - (still_waiting + gave_up) as u64 }
    }

    fn forget(&mut self, ticket: Ticket) {
        let place = self.numbers.binary_search(&ticket.number).expect("who waits has a number in the line");
        self.numbers.remove(place);
        let first = self.numbers.front().copied().unwrap_or(self.next_number);
        let settled = self.gave_up.partition_point(|number| *number < first);
        self.gave_up.drain(..settled);
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
        fn overtaking_equals_that_of_the_twin(events in prop::collection::vec((0_u8..8, 0_u8..3), 0..80)) {
            let (mut line, mut twin) = (WaitLine::default(), Twin::default());
            for (key, what) in events {
                match (what, twin.joined(key)) {
                    (0, joined) => {
                        line.join(key, Moment::ZERO);
                        if joined.is_none() {
                            twin.history.push((key, None));
                        }
                    }
                    (1, joined) => {
                        let expected = twin.overtaken_by(key);
                        prop_assert_eq!(line.serve(key).map(|wait| wait.overtaken_by), expected);
                        if let Some(place) = joined {
                            twin.history.push((key, Some(place)));
                        }
                    }
                    (_, joined) => {
                        line.leave(key);
                        if joined.is_some() {
                            twin.history.push((key | 0x80, None));
                        }
                    }
                }
                for (key, wait) in line.waiting() {
                    prop_assert_eq!(Some(wait.overtaken_by), twin.overtaken_by(key));
                }
            }
        }
    }

    #[test]
    fn waiting_twice_keeps_the_first_place() {
        let mut line = WaitLine::default();
        let later = Moment { event: 5, at: Time::from_ns(5) };
        line.join('a', Moment::ZERO);
        line.join('b', later);
        line.join('a', later);
        assert_eq!(line.serve('b'), Some(Wait { since: later, overtaken_by: 0 }));
        assert_eq!(line.serve('a'), Some(Wait { since: Moment::ZERO, overtaken_by: 1 }));
        assert_eq!(line.serve('a'), None);
    }
}
