//! Plans: named rules, checked when they are added.

use core::fmt;
use std::collections::BTreeMap;

use fleetsim_engine::sample::Sampler;
use fleetsim_engine::{AgentId, ClockChange, Control, Fleet, Time};

use crate::network::{Messages, Network};

/// A share as an integer ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Cases in which it happens.
    pub numerator: u64,
    /// Cases in all, above 0.
    pub denominator: u64,
}

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// An agent loses its state and its timers; its disk keeps what was synced.
    Crash {
        /// Who.
        agent: AgentId,
        /// When.
        at: Time,
    },
    /// A crashed agent comes back.
    Restart {
        /// Who.
        agent: AgentId,
        /// When.
        at: Time,
    },
    /// An agent handles nothing for a while; its events wait.
    Pause {
        /// Who.
        agent: AgentId,
        /// From when.
        at: Time,
        /// For how long, in nanoseconds.
        for_ns: u64,
    },
    /// An agent's local clock jumps or drifts.
    Clock {
        /// Who.
        agent: AgentId,
        /// When.
        at: Time,
        /// How.
        change: ClockChange,
    },
    /// A share of messages never arrives.
    Loss {
        /// Which messages.
        messages: Messages,
        /// How many of them.
        share: Share,
    },
    /// A share of messages arrives later.
    Delay {
        /// Which messages.
        messages: Messages,
        /// How many of them.
        share: Share,
        /// By how much, in nanoseconds.
        by_ns: Sampler,
    },
    /// A share of messages arrives twice.
    Duplicate {
        /// Which messages.
        messages: Messages,
        /// How many of them.
        share: Share,
        /// How much later the second one arrives, in nanoseconds.
        after_ns: Sampler,
    },
}

/// The rules of a run, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    rules: BTreeMap<String, Fault>,
}

/// A rule that cannot be part of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for Error {}

impl Plan {
    /// Adds a rule.
    ///
    /// # Errors
    /// When the name is taken, a share is above one, or a pause lasts no time.
    pub fn add(&mut self, name: &str, fault: Fault) -> Result<(), Error> {
        let refuse = |why: &str| Err(Error { message: format!("fault `{name}`: {why}") });
        if self.rules.contains_key(name) {
            return refuse("another fault has this name");
        }
        match &fault {
            Fault::Pause { for_ns: 0, .. } => return refuse("a pause must last some time"),
            Fault::Loss { share, .. } | Fault::Delay { share, .. } | Fault::Duplicate { share, .. }
                if share.denominator == 0 || share.numerator > share.denominator =>
            {
                return refuse("a share is between 0% and 100%");
            }
            _ => {}
        }
        self.rules.insert(name.to_owned(), fault);
        Ok(())
    }

    /// The rules, in order of their names.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &Fault)> {
        self.rules.iter().map(|(name, fault)| (name.as_str(), fault))
    }

    /// Lets the rules act on a fleet.
    pub fn install(self, fleet: &mut Fleet) {
        let mut network = Network::default();
        for (name, fault) in self.rules {
            fleet.name_rule(&name);
            match fault {
                Fault::Crash { agent, at } => fleet.control(&name, at, agent, Control::Crash),
                Fault::Restart { agent, at } => fleet.control(&name, at, agent, Control::Restart),
                Fault::Pause { agent, at, for_ns } => {
                    fleet.control(&name, at, agent, Control::Pause);
                    if let Some(end) = at.checked_add(for_ns) {
                        fleet.control(&name, end, agent, Control::Resume);
                    }
                }
                Fault::Clock { agent, at, change } => fleet.control(&name, at, agent, Control::Clock(change)),
                Fault::Loss { messages, share } => network.add_loss(&name, messages, share),
                Fault::Delay { messages, share, by_ns } => network.add_delay(&name, messages, share, by_ns),
                Fault::Duplicate { messages, share, after_ns } => {
                    network.add_duplicate(&name, messages, share, after_ns);
                }
            }
        }
        if !network.is_empty() {
            fleet.inject_faults(Box::new(network));
        }
    }
}
