//! What the world does to agents: faults that a rule schedules.

use crate::clock::ClockChange;

/// Something that a fault rule does to one agent at one instant.
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
    /// The agent's `on_fault` is called with this name.
    Tell(String),
}
