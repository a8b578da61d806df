//! Messages that are under way and whose arrival is not reckoned yet.
//!
//! The latency of a message is the longest chain of operations in an event, each of which waits for the one before. No
//! message is needed before it arrives, and every link has a minimum latency: so some messages are collected, and their
//! latencies drawn side by side, before anything happens that could come after one of them. Luck is keyed by the message,
//! so when it is drawn changes nothing.

use crate::event::Pending;
use crate::link::Exponential;
use crate::mix::Purpose;
use crate::queue::Queue;
use crate::sample::exponential_samples;
use crate::time::Time;

/// Messages that wait at most. More would gain little, and what waits has to be moved once more.
const MESSAGES_MAX: usize = 8;

/// A message whose time is when it was sent, and what its latency is to be.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Sent {
    message: Pending,
    latency: Exponential,
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

    /// Keeps a message whose time, when it was sent, is below [`FAR_NS`](crate::link::FAR_NS).
    #[inline(always)]
    pub(super) fn put(&mut self, message: Pending, latency: Exponential) {
        let earliest = Time::from_ns(message.time.as_ns() + latency.minimum_ns);
        self.earliest = self.earliest.min(earliest);
        self.sent.push(Sent { message, latency });
    }

    /// Forgets all messages but the first `count`. What is left may be due later than it seems, which does no harm.
    pub(super) fn truncate(&mut self, count: usize) {
        self.sent.truncate(count);
    }

    /// Empties the outbox into the queue, each message with the time of its arrival.
    #[inline]
    pub(super) fn empty(&mut self, luck: Purpose, queue: &mut Queue) {
        let mut words = [0; MESSAGES_MAX];
        let mut means_ns = [1.0; MESSAGES_MAX];
        for ((word, mean_ns), Sent { message, latency }) in
            words.iter_mut().zip(&mut means_ns).zip(&self.sent)
        {
            *word = luck.of(message.source, message.sequence).next();
            *mean_ns = latency.mean_ns;
        }
        let mut drawn_ns = [0; MESSAGES_MAX];
        exponential_samples(&means_ns, &words, &mut drawn_ns, self.sent.len());
        for (Sent { message, latency }, drawn_ns) in self.sent.iter_mut().zip(drawn_ns) {
            message.time = Time::from_ns(message.time.as_ns() + latency.latency_ns(drawn_ns));
        }
        // Apart: a message is copied in large pieces, which would wait for the time that was just written.
        for Sent { message, .. } in &self.sent {
            queue.push_copy(message);
        }
        self.sent.clear();
        self.earliest = Time::MAX;
    }
}
