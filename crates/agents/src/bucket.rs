//! A token bucket in exact integers.

use fleetsim_engine::Time;

/// What a provider allows of one thing: so many units a period, refilled continuously, at most one period's worth
/// saved up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Units per period.
    pub units: u64,
    /// The period in nanoseconds, above 0.
    pub period_ns: u64,
}

/// A bucket that fills at an allowance's rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    allowance: Allowance,
    /// The level in units times the period, so that refilling divides nothing.
    level: u128,
    filled_at: Time,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(allowance: Allowance) -> Bucket {
        let level = u128::from(allowance.units) * u128::from(allowance.period_ns);
        Bucket { allowance, level, filled_at: Time::ZERO }
    }

    /// Whether so many units can ever be taken at once.
    pub(crate) fn can_ever_hold(&self, units: u64) -> bool {
        units <= self.allowance.units
    }

    /// How long until `units` can be taken, in nanoseconds; 0 when they can be taken now.
    pub(crate) fn wait_ns(&mut self, now: Time, units: u64) -> u64 {
        self.refill(now);
        let missing = self.cost(units).saturating_sub(self.level);
        let rate = u128::from(self.allowance.units).max(1);
        u64::try_from(missing.div_ceil(rate)).unwrap_or(u64::MAX)
    }

    /// Takes `units`, which must be there.
    pub(crate) fn take(&mut self, units: u64) {
        self.level = self.level.checked_sub(self.cost(units)).expect("only what is there is taken");
    }

    fn cost(&self, units: u64) -> u128 {
        u128::from(units) * u128::from(self.allowance.period_ns)
    }

    fn refill(&mut self, now: Time) {
        let full = self.cost(self.allowance.units);
        let passed_ns = u128::from(now.since(self.filled_at));
        let added = passed_ns.saturating_mul(u128::from(self.allowance.units));
        self.level = self.level.saturating_add(added).min(full);
        self.filled_at = now;
    }
}

#[cfg(test)]
mod tests {
    use fleetsim_engine::{MINUTE, SECOND};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bucket_refills_at_its_rate() {
        let mut bucket = Bucket::new(Allowance { units: 60, period_ns: MINUTE });
        assert_eq!(bucket.wait_ns(Time::ZERO, 60), 0);
        bucket.take(60);
        assert_eq!(bucket.wait_ns(Time::ZERO, 1), SECOND);
        assert_eq!(bucket.wait_ns(Time::from_ns(SECOND / 2), 1), SECOND / 2);
        assert_eq!(bucket.wait_ns(Time::from_ns(2 * MINUTE), 60), 0, "no more than a period is saved up");
        assert!(!bucket.can_ever_hold(61));
    }

    proptest! {
        /// Over any time, no more is taken than was there plus what came in.
        #[test]
        fn nobody_gets_more_than_is_allowed(
            units in 1_u64..1_000,
            takes in prop::collection::vec((0_u64..SECOND, 1_u64..100), 1..100),
        ) {
            let mut bucket = Bucket::new(Allowance { units, period_ns: 10 * SECOND });
            let (mut now_ns, mut taken) = (0, 0_u128);
            for (gap_ns, wanted) in takes {
                now_ns += gap_ns;
                let wait_ns = bucket.wait_ns(Time::from_ns(now_ns), wanted);
                if wait_ns == 0 {
                    bucket.take(wanted);
                    taken += u128::from(wanted);
                } else if bucket.can_ever_hold(wanted) {
                    let mut later = bucket;
                    prop_assert!(later.wait_ns(Time::from_ns(now_ns + wait_ns - 1), wanted) > 0);
                    prop_assert_eq!(later.wait_ns(Time::from_ns(now_ns + wait_ns), wanted), 0);
                }
                let allowed = u128::from(units) + u128::from(now_ns) * u128::from(units) / u128::from(10 * SECOND);
                prop_assert!(taken <= allowed);
            }
        }
    }
}
