//! What a monitor wants to be shown: kinds of facts and kinds of steps. What nobody wants is neither decoded nor
//! passed on, so that a monitor costs what it looks at and no more.

use core::ops::BitOr;

use fleetsim_engine::Fact;
use fleetsim_engine::batch::{EffectKind, Event, Fate, Step};

macro_rules! fact_kinds {
    ($($name:ident),+ $(,)?) => {
        /// The kind of a [`Fact`](fleetsim_engine::Fact), as it is recorded beside the fact.
        ///
        /// The list is append-only and in the order of the facts; a test compares the two.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u16)]
        #[expect(missing_docs, reason = "each is the kind of the fact of the same name, which says what it means")]
        pub enum FactKind { $($name),+ }

        impl FactKind {
            /// All kinds that this program knows, in the order of their numbers.
            pub const ALL: &'static [FactKind] = &[$(FactKind::$name),+];

            /// The kind of `fact`.
            #[must_use]
            pub const fn of(fact: &Fact<'_>) -> FactKind {
                match fact { $(Fact::$name { .. } => FactKind::$name),+ }
            }

            /// The fact's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(FactKind::$name => stringify!($name)),+ }
            }
        }
    };
}

fact_kinds!(
    TaskAdded,
    TaskReady,
    TaskClaimed,
    TaskStarted,
    TaskFinished,
    TaskReleased,
    Offered,
    Decided,
    HandedOver,
    Received,
    Undelivered,
    OperationBegin,
    OperationCommit,
    OperationAbort,
    OperationIndeterminate,
    Read,
    Write,
    WaitOn,
    WaitEnd,
    Acquired,
    Released,
    Spent,
    Acted,
    Reviewed,
    Checked,
    Tainted,
    Progress,
    Breach,
    Custom,
    Requested,
    GuardTripped,
    Injected,
);

impl FactKind {
    /// The kind called `name`, as in the code: `TaskFinished`.
    #[must_use]
    pub fn named(name: &str) -> Option<FactKind> {
        FactKind::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// A set of kinds of facts and kinds of steps. Sets are joined with `|`.
///
/// ```
/// use fleetsim_monitors::{FactKind, Interests};
///
/// const MINE: Interests = Interests::facts(&[FactKind::TaskClaimed, FactKind::TaskFinished]).and(Interests::LIFECYCLE);
/// assert!(MINE.meets(Interests::LIFECYCLE) && !MINE.meets(Interests::MESSAGES));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interests(u64);

/// Bits below this one are kinds of facts; this one stands for all kinds that this program does not know.
const OTHER_FACTS: u32 = 57;

const _: () = assert!(FactKind::ALL.len() <= OTHER_FACTS as usize, "another word of bits is needed");

impl Interests {
    /// Nothing at all.
    pub const NONE: Interests = Interests(0);
    /// Every step, with all its facts.
    pub const EVERYTHING: Interests = Interests(u64::MAX);
    /// Every step in which a fact is stated, with all its facts.
    pub const ALL_FACTS: Interests = Interests((1 << (OTHER_FACTS + 1)) - 1);
    /// Steps in which an agent began, crashed, panicked, came back, paused, went on, had its clock set, was told
    /// something by a fault rule, spawned another or stopped existing.
    pub const LIFECYCLE: Interests = Interests(1 << 58);
    /// Arrivals of messages, whatever became of them.
    pub const MESSAGES: Interests = Interests(1 << 59);
    /// Messages that waited at their receiver before it handled them.
    pub const HELD_MESSAGES: Interests = Interests(1 << 60);
    /// Every step, whatever happens in it; of its facts only those that are asked for as well.
    pub const STEPS: Interests = Interests(1 << 61);

    /// Steps in which a fact of one of `kinds` is stated.
    #[must_use]
    pub const fn facts(kinds: &[FactKind]) -> Interests {
        let (mut bits, mut at) = (0, 0);
        while at < kinds.len() {
            bits |= 1 << kinds[at] as u16;
            at += 1;
        }
        Interests(bits)
    }

    /// Both: `|` where a constant is made.
    #[must_use]
    pub const fn and(self, other: Interests) -> Interests {
        Interests(self.0 | other.0)
    }

    /// Whether the two have anything in common.
    #[must_use]
    pub const fn meets(self, other: Interests) -> bool {
        self.0 & other.0 != 0
    }

    /// What a step has to offer.
    #[inline]
    pub(crate) fn of(step: &Step<'_>) -> Interests {
        let mut offered = EVENTS[step.event as usize].and(Interests::stated_in(step));
        if step.waited_ns > 0 && step.event == Event::Message {
            offered = offered | Interests::HELD_MESSAGES;
        }
        if step.fate == Fate::Panicked || step.asks_for(EffectKind::Spawn) || step.asks_for(EffectKind::Halt)
        {
            offered = offered | Interests::LIFECYCLE;
        }
        offered
    }

    /// The facts that a step has to offer.
    #[inline]
    pub(crate) fn stated_in(step: &Step<'_>) -> Interests {
        const KNOWN: u64 = (1 << FactKind::ALL.len()) - 1;
        let stated = step.fact_kinds();
        Interests(stated & KNOWN | u64::from(stated & !KNOWN != 0) << OTHER_FACTS)
    }

    /// The interest in `fact`.
    #[inline]
    pub(crate) const fn of_fact(fact: &Fact<'_>) -> Interests {
        Interests(1 << FactKind::of(fact) as u16)
    }

    /// The set as a number.
    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    /// The interest in a fact that is recorded as `kind`.
    pub(crate) const fn fact(kind: u16) -> Interests {
        Interests(1 << if (kind as usize) < FactKind::ALL.len() { kind as u32 } else { OTHER_FACTS })
    }
}

/// What each kind of event has to offer by itself, by its number.
const EVENTS: [Interests; 256] = {
    let mut offered = [Interests::STEPS.and(Interests::LIFECYCLE); 256];
    offered[Event::Message as usize] = Interests::STEPS.and(Interests::MESSAGES);
    offered[Event::Timer as usize] = Interests::STEPS;
    offered[Event::WorkEnd as usize] = Interests::STEPS;
    offered
};

impl BitOr for Interests {
    type Output = Interests;

    fn bitor(self, other: Interests) -> Interests {
        self.and(other)
    }
}

#[cfg(test)]
mod tests {
    use fleetsim_engine::schema::Shape;

    use super::*;

    #[test]
    fn the_kinds_are_those_of_the_facts() {
        let Shape::Enum { variants } = Shape::of::<Fact<'_>>() else { panic!("facts are an enum") };
        let facts: Vec<&str> = variants.iter().map(|(name, _)| name.as_str()).collect();
        let kinds: Vec<&str> = FactKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(kinds, facts, "a fact that was appended is appended here too");
        for (number, kind) in FactKind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, number);
            assert_eq!(FactKind::named(kind.name()), Some(*kind));
        }
    }

    #[test]
    fn what_is_not_known_interests_those_who_want_everything() {
        let unknown = Interests::fact(999);
        assert!(Interests::EVERYTHING.meets(unknown));
        assert!(!Interests::facts(FactKind::ALL).meets(unknown));
        assert!(!Interests::NONE.meets(Interests::EVERYTHING));
    }
}
