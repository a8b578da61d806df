//! How long somebody lay idle while there was something to do.

use fleetsim_engine::Time;

/// The time during which at least one worker was idle and at least one task ready.
#[derive(Clone, Debug, Default)]
pub(super) struct IdleTime {
    ready: u64,
    idle: u64,
    /// Up to when `sum_ns` is counted.
    counted: Time,
    sum_ns: u64,
}

impl IdleTime {
    /// Tasks became ready, or are no more.
    pub(super) fn ready(&mut self, change: i64, now: Time) {
        self.count(now);
        self.ready = self.ready.saturating_add_signed(change);
    }

    /// Workers became idle, or are no more.
    pub(super) fn idle(&mut self, change: i64, now: Time) {
        self.count(now);
        self.idle = self.idle.saturating_add_signed(change);
    }

    fn count(&mut self, now: Time) {
        self.sum_ns = self.total_ns(now);
        self.counted = now;
    }

    /// In nanoseconds, up to `now`.
    pub(super) fn total_ns(&self, now: Time) -> u64 {
        let since = if self.idle > 0 && self.ready > 0 { now.since(self.counted) } else { 0 };
        self.sum_ns.saturating_add(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_counts_only_while_somebody_is_idle_and_something_ready() {
        let at = Time::from_ns;
        let mut time = IdleTime::default();
        time.ready(1, at(0));
        time.ready(-1, at(10));
        time.idle(1, at(20));
        assert_eq!(time.total_ns(at(30)), 0, "nothing is ready");
        time.ready(2, at(30));
        assert_eq!(time.total_ns(at(40)), 10);
        time.ready(-1, at(40));
        time.idle(-1, at(40));
        assert_eq!(time.total_ns(at(50)), 10, "nobody is idle");
        time.idle(1, at(60));
        time.idle(-1, at(65));
        assert_eq!(time.total_ns(at(90)), 15);
    }
}
