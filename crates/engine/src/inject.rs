//! Where faults enter: the engine asks, whoever was installed answers.

use crate::identity::AgentId;
use crate::message::ProtocolId;
use crate::time::Time;

/// A message that is about to travel.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing {
    /// The seed of the run, for stateless draws.
    pub seed: u64,
    /// World time.
    pub now: Time,
    /// The sender.
    pub source: AgentId,
    /// The number of the send among the sender's numbered effects.
    pub sequence: u32,
    /// The receiver.
    pub target: AgentId,
    /// The protocol.
    pub protocol: ProtocolId,
    /// The message's kind.
    pub kind: u16,
}

/// What becomes of a message that is about to travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// It is lost: the step at its arrival says so.
    pub lost: bool,
    /// It takes this much longer, in nanoseconds.
    pub delay_ns: u64,
    /// It arrives a second time, this much after the first, in nanoseconds.
    pub again_after_ns: Option<u64>,
}

/// An agent passed a point that it named as one where something may go wrong.
#[derive(Clone, Copy, Debug)]
pub struct SiteVisit<'a> {
    /// The seed of the run, for stateless draws.
    pub seed: u64,
    /// World time.
    pub now: Time,
    /// The agent.
    pub agent: AgentId,
    /// The point's name.
    pub site: &'a str,
    /// Which of the agent's visits to fault sites this is, from 0: the key of a stateless draw.
    pub visit: u32,
}

/// Decides what goes wrong. It must be a pure function of what it is asked and of its own configuration, so that
/// rules that never fire change nothing.
pub trait Injector {
    /// What becomes of a message.
    fn message(&mut self, message: &Outgoing) -> Verdict {
        let _ = message;
        Verdict::default()
    }

    /// Whether something goes wrong at a fault site, and how badly (the meaning is the site's).
    fn site(&mut self, visit: &SiteVisit<'_>) -> Option<u64> {
        let _ = visit;
        None
    }
}
