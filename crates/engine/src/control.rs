//! What the world does to agents: faults that a rule schedules.

use crate::clock::ClockChange;
use crate::inject::GroupId;

/// Something that a fault rule does to one agent, or to the world, at one instant. Each is an event of its own in the
/// record, with the rule as its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// State and timers are lost; what was written to disk but not synced may be lost or torn.
    Crash,
    /// A crashed agent is built anew by its factory.
    Restart,
    /// Events wait.
    Pause,
    /// Events that waited are handled, in order.
    Resume,
    /// The local clock changes.
    Clock(ClockChange),
    /// Work and thinking that begin from now on take this many thousandths of their time: 1,000 is healthy. Timers
    /// keep theirs. Held between 1 and 10^9.
    Slow {
        /// Thousandths.
        permille: u64,
    },
    /// The agent's `on_fault` is called with this name.
    Tell(String),
    /// Nothing happens to anybody: the record says that a condition of this kind of fault, such as a partition,
    /// begins or ends.
    Announce {
        /// The kind of fault.
        fault: &'static str,
    },
    /// Agents that are down restart, paused ones go on, clocks and speeds are set right, one nanosecond later and with
    /// the same rule as their source. Agents that halted stay so.
    Heal {
        /// Only members of these groups; all when empty.
        core: Vec<GroupId>,
    },
}

impl Control {
    /// The kind of fault, as [`Fact::Injected`](crate::Fact::Injected) says it.
    #[must_use]
    pub fn fault(&self) -> &'static str {
        match self {
            Control::Crash => "crash",
            Control::Restart => "restart",
            Control::Pause => "pause",
            Control::Resume => "resume",
            Control::Clock(_) => "clock",
            Control::Slow { .. } => "slow",
            Control::Tell(_) => "tell",
            Control::Announce { fault } => fault,
            Control::Heal { .. } => "heal",
        }
    }
}
