//! What can go wrong.

use fleetsim_engine::ClockChange;
use serde::{Deserialize, Serialize};

use crate::messages::Messages;
use crate::party::{Party, Who};
use crate::share::Share;
use crate::sites::SiteName;
use crate::spread::Spread;

/// What goes wrong while a rule is in force. Whatever lasts ends when the rule's [`When`](crate::When) does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Fault {
    /// A share of messages never arrives.
    Loss {
        /// Which messages.
        messages: Messages,
        /// How many of them.
        share: Share,
    },
    /// Agents of different groups cannot reach each other: what is sent or would arrive meanwhile is lost. Agents in
    /// no group reach everybody, and so are a bridge; with a single group, everybody else is the other side.
    Partition {
        /// The sides; no agent is on two.
        groups: Vec<Vec<Party>>,
        /// Only messages from the first side to another are cut.
        #[serde(default)]
        one_way: bool,
    },
    /// Nobody reaches an agent and it reaches nobody: a partition that may follow a trigger.
    Isolate {
        /// Whom.
        who: Who,
    },
    /// Messages that are sent meanwhile wait, and arrive together when the hold ends, in the order of each link.
    Hold {
        /// Which messages.
        messages: Messages,
    },
    /// A share of messages takes another time than its link says; not less than the link's minimum.
    Latency {
        /// Which messages.
        messages: Messages,
        /// How many of them.
        share: Share,
        /// How long they take, in nanoseconds.
        takes_ns: Spread,
    },
    /// A share of messages arrives later.
    Delay {
        /// Which messages.
        messages: Messages,
        /// How many of them.
        share: Share,
        /// By how much, in nanoseconds.
        by_ns: Spread,
    },
    /// A share of messages is overtaken by later ones: held up for a random time.
    Reorder {
        /// Which messages.
        messages: Messages,
        /// How many of them.
        share: Share,
        /// For how long at most, in nanoseconds, above 0.
        within_ns: u64,
    },
    /// A share of messages arrives twice.
    Duplicate {
        /// Which messages.
        messages: Messages,
        /// How many of them.
        share: Share,
        /// How much later the second one arrives, in nanoseconds.
        after_ns: Spread,
    },
    /// The content of a share of messages is damaged. Those without content cannot be.
    Corrupt {
        /// Which messages.
        messages: Messages,
        /// How many of them.
        share: Share,
        /// How.
        damage: Damage,
    },
    /// Agents lose their state and timers. They restart at the end of the time for which the rule is in force, if it
    /// has one.
    Crash {
        /// Who.
        who: Who,
    },
    /// Crashed agents come back.
    Restart {
        /// Who.
        who: Who,
    },
    /// Agents handle nothing for a while; their events wait.
    Pause {
        /// Who.
        who: Who,
    },
    /// Agents are gone for a while and come back with an old view: they stand still, and what arrives meanwhile is
    /// lost, but they remember everything from before.
    Zombie {
        /// Who.
        who: Who,
    },
    /// Work and thinking that begin meanwhile take longer: a gray failure. Agents that answer at once can be slowed by
    /// delaying the messages that they send.
    Slow {
        /// Who.
        who: Who,
        /// Thousandths of the time that it should take, from 1 to 10^9.
        permille: u64,
    },
    /// Local clocks jump or drift, and are set right at the end.
    Clock {
        /// Who.
        who: Who,
        /// How.
        change: ClockChange,
    },
    /// Agents are told something that only they understand ([`Agent::on_fault`](fleetsim_engine::Agent::on_fault)).
    Tell {
        /// Who.
        who: Who,
        /// What.
        name: String,
    },
    /// Something goes wrong at a point that agents name ([`Context::fault_site`](fleetsim_engine::Context::fault_site)).
    Site {
        /// The point's name; with a `*` at its end every name that begins so.
        site: String,
        /// Only at agents of this party.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        who: Option<Party>,
        /// How often.
        share: Share,
        /// Whose luck it is.
        #[serde(default)]
        luck: Luck,
        /// How badly; the meaning is the site's.
        strength: Spread,
        /// In how many seeds the point is armed at all (each point by itself).
        #[serde(default)]
        armed: Share,
    },
}

/// How the content of a message is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Damage {
    /// A random bit is flipped.
    Flip,
    /// It is cut short at a random place.
    Truncate,
}

/// Whose luck decides at a fault site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Luck {
    /// Every visit has its own.
    #[default]
    Visit,
    /// Every agent has its own for as long as the rule is in force, and all that are hit are hit with the same strength:
    /// the same mistake in a share of the fleet at once.
    Agent,
}

impl Fault {
    /// The kind of fault, as the record says it. Sites are recorded by their own names.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Fault::Loss { .. } => "loss",
            Fault::Partition { .. } => "partition",
            Fault::Isolate { .. } => "isolate",
            Fault::Hold { .. } => "hold",
            Fault::Latency { .. } => "latency",
            Fault::Delay { .. } => "delay",
            Fault::Reorder { .. } => "reorder",
            Fault::Duplicate { .. } => "duplicate",
            Fault::Corrupt { .. } => "corrupt",
            Fault::Crash { .. } => "crash",
            Fault::Restart { .. } => "restart",
            Fault::Pause { .. } => "pause",
            Fault::Zombie { .. } => "zombie",
            Fault::Slow { .. } => "slow",
            Fault::Clock { .. } => "clock",
            Fault::Tell { .. } => "tell",
            Fault::Site { .. } => "site",
        }
    }

    /// Whether it may go wrong at a fault site of this name.
    #[must_use]
    pub fn is_at_site(&self, name: &str) -> bool {
        matches!(self, Fault::Site { site, .. } if SiteName::of(site).contains(name))
    }

    pub(crate) fn share(&self) -> Option<Share> {
        match self {
            Fault::Loss { share, .. }
            | Fault::Latency { share, .. }
            | Fault::Delay { share, .. }
            | Fault::Reorder { share, .. }
            | Fault::Duplicate { share, .. }
            | Fault::Corrupt { share, .. }
            | Fault::Site { share, .. } => Some(*share),
            _ => None,
        }
    }

    pub(crate) fn spread(&self) -> Option<Spread> {
        match self {
            Fault::Latency { takes_ns: spread, .. }
            | Fault::Delay { by_ns: spread, .. }
            | Fault::Duplicate { after_ns: spread, .. }
            | Fault::Site { strength: spread, .. } => Some(*spread),
            _ => None,
        }
    }

    pub(crate) fn who(&self) -> Option<&Who> {
        match self {
            Fault::Isolate { who }
            | Fault::Crash { who }
            | Fault::Restart { who }
            | Fault::Pause { who }
            | Fault::Zombie { who }
            | Fault::Slow { who, .. }
            | Fault::Clock { who, .. }
            | Fault::Tell { who, .. } => Some(who),
            _ => None,
        }
    }

    /// Whether it is over the moment it happens, so that a time to last makes no sense.
    pub(crate) fn is_momentary(&self) -> bool {
        matches!(self, Fault::Restart { .. } | Fault::Tell { .. })
    }
}
