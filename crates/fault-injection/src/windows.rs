//! When a rule is in force, followed through a run.

use fleetsim_engine::{Attention, Time};

use crate::when::Interval;

/// The times in which a rule is in force: those known before the run, and those that a trigger opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Windows {
    known: Vec<Interval>,
    /// Those before are over.
    next: usize,
    opened: Vec<Interval>,
}

impl Windows {
    pub(crate) fn new(known: Vec<Interval>) -> Windows {
        Windows { known, next: 0, opened: Vec::new() }
    }

    /// Opens a time that was not known before the run.
    pub(crate) fn open(&mut self, interval: Interval) {
        self.opened.push(interval);
    }

    /// Ends at `at` whatever a trigger opened; says whether anything was open.
    pub(crate) fn close(&mut self, at: Time) -> bool {
        let any = self.opened.iter().any(|interval| interval.until > at);
        for interval in &mut self.opened {
            interval.until = interval.until.min(at);
        }
        any
    }

    /// The time that has an instant between `now` and `to`. Asked with `now` never running backwards.
    pub(crate) fn between(&mut self, now: Time, to: Time) -> Option<Interval> {
        while self.known.get(self.next).is_some_and(|interval| interval.until <= now) {
            self.next += 1;
        }
        self.opened.retain(|interval| interval.until > now);
        let known = self.known.get(self.next).into_iter().chain(&self.opened);
        known.copied().find(|interval| interval.meets(now, to))
    }

    /// The time that is going on now.
    pub(crate) fn current(&mut self, now: Time) -> Option<Interval> {
        self.between(now, now)
    }

    /// Which messages may meet one of the times that are not over at `now`.
    pub(crate) fn attention(&self, now: Time) -> Attention {
        let known = self.known[self.next..].iter().find(|interval| interval.until > now);
        let open = known.into_iter().chain(self.opened.iter().filter(|interval| interval.until > now));
        open.map(|interval| Attention { from: interval.from, until: interval.until })
            .reduce(earlier)
            .unwrap_or(Attention::NEVER)
    }
}

/// What two rules want together: to be asked as soon as one does, and asked again as soon as one is done.
pub(crate) fn earlier(one: Attention, other: Attention) -> Attention {
    Attention { from: one.from.min(other.from), until: one.until.min(other.until) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(from: u64, until: u64) -> Interval {
        Interval { from: Time::from_ns(from), until: Time::from_ns(until) }
    }

    #[test]
    fn a_time_is_found_while_it_lasts_and_asked_for_before() {
        let mut windows = Windows::new(vec![interval(10, 20), interval(30, 40)]);
        let at = Time::from_ns;
        assert_eq!(windows.attention(at(0)).from, at(10));
        assert_eq!((windows.current(at(9)), windows.between(at(9), at(10))), (None, Some(interval(10, 20))));
        assert_eq!((windows.current(at(19)), windows.current(at(20))), (Some(interval(10, 20)), None));
        assert_eq!(windows.attention(at(20)).from, at(30));
        windows.open(interval(22, 25));
        assert_eq!(windows.attention(at(20)).from, at(22));
        assert_eq!(windows.current(at(23)), Some(interval(22, 25)));
        assert!(windows.close(at(24)));
        assert_eq!((windows.current(at(24)), windows.close(at(24))), (None, false));
        assert_eq!(windows.attention(at(40)), Attention::NEVER);
    }
}
