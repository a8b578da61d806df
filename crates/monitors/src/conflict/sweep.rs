//! Which committed operations are kept, and for how long.
//!
//! **The rule.** Let `s` be the number of commits before the oldest open operation was first heard of (all of them,
//! if none is open). A committed operation is dropped when its commit is up to `s` and no operation with a later
//! commit leads to it, directly or through others.
//!
//! **Why none that is dropped can be part of a new circle.** *First*, if Y depends on X, then Y committed after X was
//! first heard of. For a write dependency X's write is stated before Y's, for a read dependency before Y's read, and
//! both before Y's commit. For an anti-dependency, had Y committed a later version before X was first heard of, then
//! X's read would have been stale, and stale reads are left out. *Second*, whether Y depends on X is settled once both
//! have committed, since it depends on nothing but their own reads and writes. *Now* let a new circle be closed by T,
//! which is not committed yet, and let it pass through a dropped operation C. Follow it back from C to the first
//! operation P that is not dropped; there is one, since T is not. P leads to a dropped operation D, whose commit is up
//! to `s`. If P has committed, then it is one of those with a commit later than `s` or is led to by one of them, or
//! else it were dropped; so D is led to as well, and is not dropped. If P has not committed, then it was first heard
//! of after `s` commits or more, hence after D's, against *first*. ∎
//!
//! Versions follow the same rule: one up to the newest that was committed by `s` is forgotten when its operation is
//! over and not kept, since to read it now is to make a stale read.
//!
//! **The horizon.** An operation that stays open for the whole run keeps everything that commits meanwhile. No more
//! than a horizon of committed and of open operations are kept; beyond it the oldest are forgotten, which can hide a
//! circle but not make one up: fewer operations have fewer dependencies, what a forgotten open operation does later
//! is not looked at, and an operation that began before what was forgotten makes no stale read. That a read was stale
//! may be forgotten too: it is then told as part of a circle, or as a dirty read, where it would have been left out.

use std::collections::BTreeSet;

use super::history::History;
use super::resource::State;

/// A sweep is not worth it for fewer.
const SWEEP_MIN: usize = 64;

impl History {
    /// Whether an installed version is one of an operation that is kept, and which.
    pub(super) fn installed(&self, state: State) -> Option<u64> {
        match state {
            State::Installed(commit) if self.kept.contains_key(&commit) => Some(commit),
            _ => None,
        }
    }

    /// Drops what can no longer matter. Sweeps come when twice as much is kept as after the last one, so that all of
    /// them together cost a constant number of visits for each operation.
    pub(super) fn sweep(&mut self) {
        if self.open.is_empty() {
            self.drop_all(|_| true);
        } else if self.kept.len() >= self.sweep_at {
            let led_to = self.led_to();
            self.drop_all(|commit| !led_to.contains(commit));
            if self.kept.len() >= self.horizon {
                self.forget_oldest();
            }
            self.sweep_at = (2 * self.kept.len()).max(SWEEP_MIN).min(self.horizon);
        }
        while self.open.len() > self.horizon {
            let (_, oldest) = self.begun.first_key_value().expect("open operations have begun");
            self.give_up(*oldest);
        }
    }

    /// Commits that are later than all settled ones, and whatever they lead to.
    fn led_to(&self) -> BTreeSet<u64> {
        let settled = self.settled_up_to();
        let mut next: Vec<u64> = self.kept.range(settled + 1..).map(|(commit, _)| *commit).collect();
        let mut led_to: BTreeSet<u64> = next.iter().copied().collect();
        while let Some(commit) = next.pop() {
            self.dependents(commit, |dependent| {
                if led_to.insert(dependent) {
                    next.push(dependent);
                }
            });
        }
        led_to
    }

    fn drop_all(&mut self, is_dropped: impl Fn(&u64) -> bool) {
        let mut touched = BTreeSet::new();
        self.kept.retain(|commit, operation| {
            let is_dropped = is_dropped(commit);
            if is_dropped {
                touched.extend(operation.reads.iter().map(|read| read.resource));
                touched.extend(operation.writes.iter().map(|write| write.resource));
            }
            !is_dropped
        });
        for resource in touched {
            self.settle(resource);
        }
    }

    /// Forgets the oldest quarter of what may be kept.
    fn forget_oldest(&mut self) {
        let excess = self.kept.len() - self.horizon * 3 / 4;
        let last = *self.kept.keys().nth(excess - 1).expect("there are as many");
        self.forgotten += excess as u64;
        self.forgotten_up_to = last;
        self.drop_all(|commit| *commit <= last);
    }
}
