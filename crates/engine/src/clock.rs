//! Local clocks: what an agent takes for the time, which a fault can skew, drift or set.

use serde::{Deserialize, Serialize};

use crate::time::Time;

const BILLION: i128 = 1_000_000_000;
/// A clock a thousand times too fast is wrong enough; the bound keeps every product below 2^127.
const DRIFT_PPB_MAX: i64 = 1_000_000_000_000;

/// How a fault changes a local clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockChange {
    /// From now on the clock gains this many nanoseconds a second (loses, when negative); it is held between
    /// -10^9 + 1 and 10^12.
    pub drift_ppb: i64,
    /// The clock is moved by this much at once. It never shows a time before the beginning.
    pub jump_ns: i64,
}

/// A clock that no longer shows world time. Agents without one see world time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalClock {
    since: Time,
    shown_ns: u64,
    drift_ppb: i64,
}

impl LocalClock {
    /// The clock after a change of what was `before` (or of world time).
    pub(crate) fn changed(before: Option<&LocalClock>, now: Time, change: ClockChange) -> LocalClock {
        let shown = before.map_or(now, |clock| clock.read(now));
        let shown_ns = clamp(i128::from(shown.as_ns()) + i128::from(change.jump_ns));
        // A clock that stands still or runs backwards would make timers never come due.
        let drift_ppb = change.drift_ppb.clamp(1 - BILLION as i64, DRIFT_PPB_MAX);
        LocalClock { since: now, shown_ns, drift_ppb }
    }

    /// What the clock shows at `now`.
    pub(crate) fn read(&self, now: Time) -> Time {
        let passed = i128::from(now.since(self.since));
        let local = passed * (BILLION + i128::from(self.drift_ppb)) / BILLION;
        Time::from_ns(clamp(i128::from(self.shown_ns) + local))
    }

    /// How much world time passes while this clock shows `local_ns` more, rounded up.
    pub(crate) fn world_delay_ns(&self, local_ns: u64) -> u64 {
        let rate = BILLION + i128::from(self.drift_ppb);
        clamp((i128::from(local_ns) * BILLION + rate - 1) / rate)
    }
}

fn clamp(nanoseconds: i128) -> u64 {
    u64::try_from(nanoseconds.max(0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SECOND;

    #[test]
    fn a_slow_clock_falls_behind_and_its_timers_are_late() {
        let change = ClockChange { drift_ppb: -100_000_000, jump_ns: 0 };
        let clock = LocalClock::changed(None, Time::from_ns(SECOND), change);
        assert_eq!(clock.read(Time::from_ns(11 * SECOND)).as_ns(), 10 * SECOND);
        assert_eq!(clock.world_delay_ns(9 * SECOND), 10 * SECOND);
    }

    #[test]
    fn jumps_add_up_and_stop_at_zero() {
        let at = Time::from_ns(5 * SECOND);
        let ahead = LocalClock::changed(None, at, ClockChange { drift_ppb: 0, jump_ns: 3_000_000_000 });
        assert_eq!(ahead.read(at).as_ns(), 8 * SECOND);
        let back = LocalClock::changed(Some(&ahead), at, ClockChange { drift_ppb: 0, jump_ns: i64::MIN });
        assert_eq!(back.read(at), Time::ZERO);
    }

    #[test]
    fn extreme_drift_neither_overflows_nor_stops() {
        for drift_ppb in [i64::MIN, i64::MAX] {
            let clock = LocalClock::changed(None, Time::ZERO, ClockChange { drift_ppb, jump_ns: 0 });
            let _ = clock.read(Time::MAX);
            assert!(clock.world_delay_ns(u64::MAX) >= 1);
        }
    }
}
