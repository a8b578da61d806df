//! Messages that are under way and whose arrival is not reckoned yet.
//!
//! The latency of a message is the longest chain of operations in an event, each of which waits for the one before. No
//! message is needed before it arrives, and every link has a minimum latency: so some messages are collected, and their
//! latencies drawn side by side, before anything happens that could come after one of them. Luck is keyed by the message,
//! so when it is drawn changes nothing.

use crate::event::Pending;
use crate::link::Links;
use crate::mix::Purpose;
use crate::sample::{exponential_sample, exponential_units};
use crate::time::Time;

/// Messages that wait at most. More would gain little, and what waits has to be moved once more.
const MESSAGES_MAX: usize = 8;

/// A message whose time is when it was sent, and the link on which it travels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) message: Pending,
    pub(super) link: u16,
}

/// The messages that wait for their latency.
#[derive(Debug)]
pub(super) struct Outbox {
    sent: Vec<Sent>,
    /// None of them arrives before this.
    earliest: Time,
}

impl Default for Outbox {
    fn default() -> Self {
        Outbox { sent: Vec::with_capacity(MESSAGES_MAX), earliest: Time::MAX }
    }
}

impl Outbox {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.sent.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.sent.len() == MESSAGES_MAX
    }

    /// Whether a message here may come before what happens at an instant, or with it.
    #[inline]
    pub(super) fn may_precede(&self, instant: Time) -> bool {
        instant >= self.earliest && !self.is_empty()
    }

    /// Keeps a message that arrives at `earliest` at the earliest.
    #[inline(always)]
    pub(super) fn put(&mut self, message: Pending, link: u16, earliest: Time) {
        self.earliest = self.earliest.min(earliest);
        self.sent.push(Sent { message, link });
    }

    /// Empties the outbox, and hands each message to `deliver` with the time of its arrival.
    #[inline]
    pub(super) fn empty(&mut self, luck: Purpose, links: &Links, mut deliver: impl FnMut(&Pending)) {
        let count = self.sent.len();
        let mut words = [0; MESSAGES_MAX];
        for (word, Sent { message, .. }) in words.iter_mut().zip(&self.sent) {
            *word = luck.of(message.source, message.sequence).next();
        }
        let mut units = [0.0; MESSAGES_MAX];
        exponential_units(&words[..count], &mut units[..count]);
        for (Sent { message, link }, unit) in self.sent.iter_mut().zip(units) {
            let link = links.get(*link);
            let mean_ns = link.exponential_mean_ns().expect("only such links are kept waiting for");
            let latency_ns = link.latency_with_ns(exponential_sample(mean_ns, unit));
            message.time = message.time.checked_add(latency_ns).expect("both are far from the end of time");
        }
        // Apart: a message is copied in large pieces, which would wait for the time that was just written.
        for Sent { message, .. } in &self.sent {
            deliver(message);
        }
        self.sent.clear();
        self.earliest = Time::MAX;
    }
}
