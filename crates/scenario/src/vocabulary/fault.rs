//! `[[fault]]`: what goes wrong, and when.

use schemars::JsonSchema;
use serde::Deserialize;

use super::exactly_one;
use crate::distribution::{CountDistribution, DurationDistribution};
use crate::either::Either;
use crate::scalar::{Count, Decimal, Drift, Duration, Gap, Jump, Share};

/// The words for kinds of faults.
pub(crate) const KINDS: [&str; 17] = [
    "loss",
    "partition",
    "isolate",
    "hold",
    "latency",
    "delay",
    "reorder",
    "duplicate",
    "corrupt",
    "crash",
    "restart",
    "pause",
    "zombie",
    "slow",
    "clock",
    "tell",
    "site",
];

/// One thing that goes wrong, and when; without a word about when, all the time.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = exactly_one(&KINDS)))]
pub struct Fault {
    /// A name of its own, by which reports speak of it.
    pub name: String,

    /// Messages get lost.
    pub loss: Option<LossFault>,
    /// Groups of agents and media cannot reach each other. Whoever is in no group reaches everybody.
    pub partition: Option<PartitionFault>,
    /// An agent reaches nobody, and nobody reaches it.
    pub isolate: Option<Whom>,
    /// Messages wait, and arrive together when the hold is over.
    pub hold: Option<HoldFault>,
    /// Messages take another time than the fleet's `latency` says, and never less than its least.
    pub latency: Option<LatencyFault>,
    /// Messages take longer.
    pub delay: Option<DelayFault>,
    /// Messages are held up while later ones overtake them.
    pub reorder: Option<ReorderFault>,
    /// Messages come twice.
    pub duplicate: Option<DuplicateFault>,
    /// The content of messages is damaged.
    pub corrupt: Option<CorruptFault>,
    /// An agent stops and forgets what it had not saved. With `for` it starts again afterwards.
    pub crash: Option<Whom>,
    /// A crashed agent starts again.
    pub restart: Option<Whom>,
    /// An agent stands still for a while, and then goes on as if nothing had happened.
    pub pause: Option<Whom>,
    /// An agent stands still and hears nothing for a while, and then goes on with its old view of the world.
    pub zombie: Option<Whom>,
    /// An agent's work and thinking take longer.
    pub slow: Option<SlowFault>,
    /// An agent's clock goes wrong.
    pub clock: Option<ClockFault>,
    /// An agent is told something that only its behaviour understands.
    pub tell: Option<TellFault>,
    /// Something goes wrong at a point that agents name, such as a read of a store.
    pub site: Option<SiteFault>,

    /// It happens at this time, from the start of the run.
    pub at: Option<Duration>,
    /// It begins at this time; with `every` and `randomly`, not before it.
    pub from: Option<Duration>,
    /// It is over at this time; with `every` and `randomly`, it does not begin again at or after it.
    pub until: Option<Duration>,
    /// It happens again and again, so far apart: first at `from`, or after this time.
    pub every: Option<Duration>,
    /// It happens at random times, so far apart on average.
    pub randomly: Option<Gap>,
    /// It happens when an agent states a fact: its kind, such as "TaskClaimed", or a table with more.
    pub when: Option<Either<String, Stated>>,
    /// How long it lasts each time.
    #[serde(rename = "for")]
    pub lasts: Option<Duration>,
    /// With `when`: how long after the fact. Left out: at once.
    pub after: Option<Duration>,
    /// With `when`: it is over when an agent states this, if it is not over before.
    pub until_stated: Option<Either<String, Stated>>,
    /// With `when`: the share of the occasions on which it happens. Left out: all of them.
    pub share: Option<Share>,
    /// With `when`: how many times it happens at most. Left out: any number.
    pub at_most: Option<Count>,
}

/// A fact that an agent states, by its kind and more.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stated {
    /// The kind of fact, such as "TaskClaimed".
    pub stated: String,
    /// Only when this role, agent or medium states it.
    pub by: Option<String>,
    /// Only of this seam.
    pub seam: Option<String>,
    /// Only of this medium.
    pub medium: Option<String>,
    /// Only about this resource.
    pub resource: Option<String>,
    /// Only of this action.
    pub action: Option<String>,
    /// Only at this gate.
    pub gate: Option<String>,
    /// Only of this model.
    pub model: Option<String>,
    /// Only about this permission.
    pub permission: Option<String>,
    /// Only of this guard.
    pub guard: Option<String>,
    /// Only a fact of a behaviour's own that is called so.
    pub name: Option<String>,
}

impl Stated {
    /// The texts by which it chooses, with the names of their fields.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let texts = [
            ("seam", &self.seam),
            ("medium", &self.medium),
            ("resource", &self.resource),
            ("action", &self.action),
            ("gate", &self.gate),
            ("model", &self.model),
            ("permission", &self.permission),
            ("guard", &self.guard),
            ("name", &self.name),
        ];
        texts.into_iter().filter_map(|(field, text)| Some((field, text.as_deref()?)))
    }
}

/// The words that say which messages a fault is about. Each narrows it further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageWords<'a> {
    /// Who sends them.
    pub from: Option<&'a str>,
    /// Who receives them.
    pub to: Option<&'a str>,
    /// Which medium sends or receives them.
    pub medium: Option<&'a str>,
    /// Their protocol.
    pub protocol: Option<&'a str>,
    /// Their kind.
    pub kind: Option<&'a str>,
}

/// A table about messages: its own fields, and those that say which messages.
macro_rules! about_messages {
    ($(#[$about:meta])* $name:ident { $($(#[$of_field:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            $($(#[$of_field])* pub $field: $type,)*
            /// Only those from this role, agent or medium.
            pub from: Option<String>,
            /// Only those to this role, agent or medium.
            pub to: Option<String>,
            /// Only those to or from this medium, or this role with all its links.
            pub medium: Option<String>,
            /// Only those of this protocol, such as "task-store".
            pub protocol: Option<String>,
            /// With `protocol`: only those of this kind, such as "Claim".
            pub kind: Option<String>,
        }

        impl $name {
            /// Which messages it is about.
            pub fn messages(&self) -> MessageWords<'_> {
                MessageWords {
                    from: self.from.as_deref(),
                    to: self.to.as_deref(),
                    medium: self.medium.as_deref(),
                    protocol: self.protocol.as_deref(),
                    kind: self.kind.as_deref(),
                }
            }
        }
    };
}
pub(super) use about_messages;

about_messages! {
    /// Messages get lost.
    LossFault {
        /// The share that is lost.
        share: Share,
    }
}

about_messages! {
    /// Messages wait, and arrive together when the hold is over.
    HoldFault {}
}

about_messages! {
    /// Messages take another time than the fleet's `latency` says.
    LatencyFault {
        /// How long they take.
        takes: DurationDistribution,
        /// The share that does. Left out: all of them.
        share: Option<Share>,
    }
}

about_messages! {
    /// Messages take longer.
    DelayFault {
        /// By how much.
        by: DurationDistribution,
        /// The share that is delayed. Left out: all of them.
        share: Option<Share>,
    }
}

about_messages! {
    /// Messages are held up while later ones overtake them.
    ReorderFault {
        /// For how long at most: every time up to it is equally likely.
        within: Duration,
        /// The share that is held up. Left out: all of them.
        share: Option<Share>,
    }
}

about_messages! {
    /// Messages come twice.
    DuplicateFault {
        /// The share that comes twice.
        share: Share,
        /// How much later the second one comes. Left out: up to a second.
        after: Option<DurationDistribution>,
    }
}

about_messages! {
    /// The content of messages is damaged.
    CorruptFault {
        /// The share that is damaged.
        share: Share,
        /// How. Left out: flip.
        how: Option<How>,
    }
}

/// How the content of a message is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// A random bit is flipped.
    Flip,
    /// It is cut short at a random place.
    Truncate,
}

/// Groups of agents and media cannot reach each other.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PartitionFault {
    /// The groups, each a list of roles, agents, media and models. A single group is cut off from everybody else.
    #[schemars(length(min = 1))]
    pub groups: Vec<Vec<String>>,
    /// Whether only messages out of the first group are cut. Left out: false.
    #[serde(default)]
    pub one_way: bool,
}

/// The words that say whom a fault hits; exactly one is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WhomWords<'a> {
    /// One agent, or whoever set it off.
    pub agent: Option<&'a str>,
    /// Everybody with a role.
    pub role: Option<&'a str>,
    /// One agent with a role, drawn anew each time.
    pub one_of: Option<&'a str>,
}

/// A table about agents: whom it hits, and its own fields.
macro_rules! about_agents {
    (
        $(#[$about:meta])* $name:ident { $($(#[$of_field:meta])* $field:ident: $type:ty,)* }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        #[schemars(extend("oneOf" = exactly_one(&["agent", "role", "one-of"])))]
        pub struct $name {
            /// Which agent, such as "coder-1"; with `when`, "whoever" is the agent that stated the fact.
            pub agent: Option<String>,
            /// Every agent with this role.
            pub role: Option<String>,
            /// One agent with this role, another each time.
            pub one_of: Option<String>,
            $($(#[$of_field])* pub $field: $type,)*
        }

        impl $name {
            /// Whom it hits.
            pub fn whom(&self) -> WhomWords<'_> {
                WhomWords {
                    agent: self.agent.as_deref(),
                    role: self.role.as_deref(),
                    one_of: self.one_of.as_deref(),
                }
            }
        }
    };
}

about_agents! {
    /// Whom it hits.
    Whom {
        /// When, from the start of the run; may stand beside this table as well.
        at: Option<Duration>,
        /// For how long; may stand beside this table as well.
        #[serde(rename = "for")]
        lasts: Option<Duration>,
    }
}

about_agents! {
    /// An agent's work and thinking take longer.
    SlowFault {
        /// How many times as long: "3".
        times: Decimal,
    }
}

about_agents! {
    /// An agent's clock goes wrong: it drifts, it jumps, or both. It is set right when the fault is over.
    ClockFault {
        /// From when on, from the start of the run; may stand beside this table as well.
        at: Option<Duration>,
        /// How much faster or slower it runs.
        drift: Option<Drift>,
        /// How far it is set forwards or back.
        jump: Option<Jump>,
    }
}

about_agents! {
    /// An agent is told something that only its behaviour understands.
    TellFault {
        /// What.
        what: String,
    }
}

/// Something goes wrong at a point that agents name.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SiteFault {
    /// The point, such as "store.stale-read"; with a `*` at its end all points that begin so.
    pub name: String,
    /// How often it goes wrong.
    pub share: Share,
    /// Of what the share is: of the visits to the point, or of the agents, each of which is then hit on every visit and
    /// in the same way. Left out: visits.
    pub of: Option<Of>,
    /// Only at this role, agent or medium.
    #[serde(rename = "in")]
    pub within: Option<String>,
    /// How badly; what that means is the point's to say. Left out: 1.
    pub strength: Option<CountDistribution>,
    /// How badly, where that is a time: how long a provider hangs, or how late an answer comes.
    pub time: Option<DurationDistribution>,
    /// The share of seeds with which the point is armed at all. Left out: all of them.
    pub armed: Option<Share>,
}

/// Of what a share is at a fault site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Of {
    /// Of the visits to it: each has its own luck.
    Visits,
    /// Of the agents: the same mistake in a share of the fleet at once.
    Agents,
}

/// What goes wrong, as [`Fault::kind`] tells it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaultKind<'a> {
    /// See [`Fault::loss`].
    Loss(&'a LossFault),
    /// See [`Fault::partition`].
    Partition(&'a PartitionFault),
    /// See [`Fault::isolate`].
    Isolate(&'a Whom),
    /// See [`Fault::hold`].
    Hold(&'a HoldFault),
    /// See [`Fault::latency`].
    Latency(&'a LatencyFault),
    /// See [`Fault::delay`].
    Delay(&'a DelayFault),
    /// See [`Fault::reorder`].
    Reorder(&'a ReorderFault),
    /// See [`Fault::duplicate`].
    Duplicate(&'a DuplicateFault),
    /// See [`Fault::corrupt`].
    Corrupt(&'a CorruptFault),
    /// See [`Fault::crash`].
    Crash(&'a Whom),
    /// See [`Fault::restart`].
    Restart(&'a Whom),
    /// See [`Fault::pause`].
    Pause(&'a Whom),
    /// See [`Fault::zombie`].
    Zombie(&'a Whom),
    /// See [`Fault::slow`].
    Slow(&'a SlowFault),
    /// See [`Fault::clock`].
    Clock(&'a ClockFault),
    /// See [`Fault::tell`].
    Tell(&'a TellFault),
    /// See [`Fault::site`].
    Site(&'a SiteFault),
}

impl Fault {
    /// What goes wrong; `None` only for a value that was not validated.
    pub fn kind(&self) -> Option<FaultKind<'_>> {
        let kinds = [
            self.loss.as_ref().map(FaultKind::Loss),
            self.partition.as_ref().map(FaultKind::Partition),
            self.isolate.as_ref().map(FaultKind::Isolate),
            self.hold.as_ref().map(FaultKind::Hold),
            self.latency.as_ref().map(FaultKind::Latency),
            self.delay.as_ref().map(FaultKind::Delay),
            self.reorder.as_ref().map(FaultKind::Reorder),
            self.duplicate.as_ref().map(FaultKind::Duplicate),
            self.corrupt.as_ref().map(FaultKind::Corrupt),
            self.crash.as_ref().map(FaultKind::Crash),
            self.restart.as_ref().map(FaultKind::Restart),
            self.pause.as_ref().map(FaultKind::Pause),
            self.zombie.as_ref().map(FaultKind::Zombie),
            self.slow.as_ref().map(FaultKind::Slow),
            self.clock.as_ref().map(FaultKind::Clock),
            self.tell.as_ref().map(FaultKind::Tell),
            self.site.as_ref().map(FaultKind::Site),
        ];
        kinds.into_iter().flatten().next()
    }
}

impl<'a> FaultKind<'a> {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Loss(_) => "loss",
            Self::Partition(_) => "partition",
            Self::Isolate(_) => "isolate",
            Self::Hold(_) => "hold",
            Self::Latency(_) => "latency",
            Self::Delay(_) => "delay",
            Self::Reorder(_) => "reorder",
            Self::Duplicate(_) => "duplicate",
            Self::Corrupt(_) => "corrupt",
            Self::Crash(_) => "crash",
            Self::Restart(_) => "restart",
            Self::Pause(_) => "pause",
            Self::Zombie(_) => "zombie",
            Self::Slow(_) => "slow",
            Self::Clock(_) => "clock",
            Self::Tell(_) => "tell",
            Self::Site(_) => "site",
        }
    }

    /// Which messages it is about, if it is about some.
    pub fn messages(self) -> Option<MessageWords<'a>> {
        Some(match self {
            Self::Loss(fault) => fault.messages(),
            Self::Hold(fault) => fault.messages(),
            Self::Latency(fault) => fault.messages(),
            Self::Delay(fault) => fault.messages(),
            Self::Reorder(fault) => fault.messages(),
            Self::Duplicate(fault) => fault.messages(),
            Self::Corrupt(fault) => fault.messages(),
            _ => return None,
        })
    }

    /// Whom it hits, if it hits agents.
    pub fn whom(self) -> Option<WhomWords<'a>> {
        Some(match self {
            Self::Isolate(whom)
            | Self::Crash(whom)
            | Self::Restart(whom)
            | Self::Pause(whom)
            | Self::Zombie(whom) => whom.whom(),
            Self::Slow(fault) => fault.whom(),
            Self::Clock(fault) => fault.whom(),
            Self::Tell(fault) => fault.whom(),
            _ => return None,
        })
    }

    /// When it happens and for how long, where its own table says so.
    pub fn own_time(self) -> (Option<Duration>, Option<Duration>) {
        match self {
            Self::Isolate(whom)
            | Self::Crash(whom)
            | Self::Restart(whom)
            | Self::Pause(whom)
            | Self::Zombie(whom) => (whom.at, whom.lasts),
            Self::Clock(fault) => (fault.at, None),
            _ => (None, None),
        }
    }
}
