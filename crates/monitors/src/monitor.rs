//! What a judge of the step stream is: something that is shown every step once and then says what it found.

use fleetsim_engine::batch::{EffectKind, Event, Fate, Step};
use fleetsim_engine::{Fact, Names, Time};

use crate::finding::Finding;
use crate::interests::Interests;

/// A read-only judge of a run.
///
/// It sees every step in order and cannot change any. What it keeps grows with what is live, plus at most 64 bytes
/// for each entity that is finished.
pub trait Monitor: Send {
    /// The name that its findings carry.
    fn name(&self) -> &'static str;

    /// What it wants to be shown, asked once, before the first step. A monitor that does not say is shown everything,
    /// which is right and slow.
    fn interests(&self) -> Interests {
        Interests::EVERYTHING
    }

    /// Takes note of a step that it is interested in. `facts` are those that the step's target stated in it, decoded
    /// once for all monitors: all that are of interest to this one, in order, and perhaps others.
    fn observe(&mut self, step: &Step<'_>, facts: &[Fact<'_>]);

    /// Judges what it has seen so far. Names are looked up only here, when those of spawned agents are known.
    fn findings(&self, end: &RunEnd, names: &Names) -> Vec<Finding>;
}

/// Where the record ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// The world time up to which the run is known.
    pub time: Time,
    /// Whether the run came to its own end, rather than being cut short by a limit or a truncated file.
    pub complete: bool,
    /// Whether nothing was left to happen: what has not come by then never comes.
    pub quiescent: bool,
}

/// An event and its instant: what an address names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// The event's ordinal in the run.
    pub event: u64,
    /// When it happened, in world time.
    pub at: Time,
}

impl Moment {
    /// The beginning of every run.
    pub const ZERO: Moment = Moment { event: 0, at: Time::ZERO };

    /// The moment of a step.
    #[must_use]
    pub fn of(step: &Step<'_>) -> Moment {
        Moment { event: step.ordinal, at: step.time }
    }
}

/// Whether the step's target lost its state in it: a crash that met an agent that was up, or a panic.
pub(crate) fn went_down(step: &Step<'_>) -> bool {
    step.fate == Fate::Panicked || (step.event == Event::Crash && step.fate == Fate::Handled)
}

/// Whether the step's target stopped existing in it.
pub(crate) fn halted(step: &Step<'_>) -> bool {
    step.asks_for(EffectKind::Halt)
}
