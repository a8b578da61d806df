//! Where faults enter: the engine asks, whoever was installed answers, and every answer that changes something is
//! recorded as a [`Fact::Injected`] in the step where it acts.

use crate::batch::{Event, Fate};
use crate::control::Control;
use crate::deviation::MessageId;
use crate::fact::{Fact, FactKinds};
use crate::identity::{AgentId, Origin};
use crate::message::ProtocolId;
use crate::time::Time;

/// A message that is about to travel.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing {
    /// The seed of the run, for stateless draws.
    pub seed: u64,
    /// World time.
    pub now: Time,
    /// When it arrives, if nobody interferes.
    pub arrives: Time,
    /// The sender.
    pub source: AgentId,
    /// The sender's group; spawned agents have that of their kind.
    pub from: GroupId,
    /// The number of the send among the sender's numbered effects.
    pub sequence: u32,
    /// The receiver.
    pub target: AgentId,
    /// The receiver's group; the sender's, when there is no such receiver.
    pub to: GroupId,
    /// The protocol.
    pub protocol: ProtocolId,
    /// The message's kind.
    pub kind: u16,
    /// The bytes of its content.
    pub length: usize,
}

/// A group of agents, whatever its size: what a name of [`Fleet::add`](crate::Fleet::add) or
/// [`Fleet::spawnable`](crate::Fleet::spawnable) stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupId(pub(crate) u32);

impl GroupId {
    /// The group called `name`.
    #[must_use]
    pub const fn named(name: &str) -> GroupId {
        GroupId(AgentId::group_hash(name))
    }

    /// The group that `agent` is a member of; `None` for spawned agents, rules and the world.
    #[must_use]
    pub const fn of(agent: AgentId) -> Option<GroupId> {
        match agent.origin() {
            Origin::Member { group, .. } => Some(GroupId(group)),
            _ => None,
        }
    }
}

/// What becomes of a message that is about to travel. The default lets it pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// It is lost: the step at its arrival says so.
    pub lost: bool,
    /// It takes this long, in nanoseconds, instead of what its link takes.
    pub latency_ns: Option<u64>,
    /// It takes this much longer, in nanoseconds.
    pub delay_ns: u64,
    /// It arrives at this instant at the earliest.
    pub not_before: Option<Time>,
    /// It arrives a second time, this much after the first, in nanoseconds.
    pub again_after_ns: Option<u64>,
    /// Its content is damaged on the way.
    pub corruption: Option<Corruption>,
}

/// When an injector wants to be asked about messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attention {
    /// Not about messages that arrive before this instant.
    pub from: Time,
    /// When this is over, and it is to be asked again.
    pub until: Time,
}

impl Attention {
    /// Every message.
    pub const ALWAYS: Attention = Attention { from: Time::ZERO, until: Time::MAX };
    /// No message.
    pub const NEVER: Attention = Attention { from: Time::MAX, until: Time::MAX };
}

/// How the content of a message is damaged. A message without content cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corruption {
    /// One bit is flipped: this one, counted from the first byte's lowest, modulo the bits that there are.
    Flip {
        /// Which.
        bit: u64,
    },
    /// Only this many bytes arrive, modulo the bytes that there are: at least one is missing.
    Truncate {
        /// How many.
        bytes: u64,
    },
}

impl Corruption {
    pub(crate) fn apply(self, content: &mut Vec<u8>) {
        if content.is_empty() {
            return;
        }
        let bytes = content.len() as u64;
        match self {
            Corruption::Flip { bit } => {
                let bit = bit % (bytes * 8);
                content[(bit / 8) as usize] ^= 1 << (bit % 8);
            }
            Corruption::Truncate { bytes: kept } => content.truncate((kept % bytes) as usize),
        }
    }
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
    /// The agent's group; spawned agents have that of their kind.
    pub group: GroupId,
    /// The point's name.
    pub site: &'a str,
    /// Which of the agent's visits to fault sites this is, from 0: the key of a stateless draw.
    pub visit: u32,
}

/// One thing that a rule did: what a [`Fact::Injected`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// The rule, as [`AgentId::rule`] of its name.
    pub rule: AgentId,
    /// The kind of fault, such as `loss`.
    pub fault: &'static str,
    /// How much, in the unit of the kind of fault.
    pub amount: u64,
    /// When the condition that the rule stands for began, where it lasts: a partition, an outage.
    pub since: Option<Time>,
}

/// Something goes wrong at a fault site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The rule, as [`AgentId::rule`] of its name.
    pub rule: AgentId,
    /// How badly; the meaning is the site's.
    pub strength: u64,
    /// When the condition that the rule stands for began, where it lasts.
    pub since: Option<Time>,
}

/// A step that has just happened, as rules with a trigger see it.
#[derive(Clone, Copy, Debug)]
pub struct Watched<'a> {
    /// The seed of the run, for stateless draws.
    pub seed: u64,
    /// World time.
    pub now: Time,
    /// To whom it happened.
    pub agent: AgentId,
    /// That agent's group; spawned agents have that of their kind.
    pub group: GroupId,
    /// What caused it: for a message its sender and number.
    pub cause: MessageId,
    /// What happened.
    pub event: Event,
    /// What became of it.
    pub fate: Fate,
    /// The message's protocol.
    pub protocol: ProtocolId,
    /// The kind of message or timer.
    pub kind: u16,
    /// What the agent stated, and what rules did to what it sent, each with its kind.
    pub facts: &'a [(FactKinds, Fact<'a>)],
}

/// Something that a rule with a trigger wants to happen to an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The rule, as [`AgentId::rule`] of its name.
    pub rule: AgentId,
    /// How long after the step that triggered it, in nanoseconds (0 counts as 1).
    pub after_ns: u64,
    /// To whom; [`AgentId::WORLD`] for a [`Control::Announce`] or a [`Control::Heal`].
    pub target: AgentId,
    /// What.
    pub control: Control,
}

/// Decides what goes wrong. It must be a function of what it was asked so far and of its own configuration, and its
/// luck must be stateless draws keyed by a rule's name and by who acts, so that rules that never fire change nothing.
///
/// ```
/// use fleetsim_engine::{Act, AgentId, Draw, Injector, Outgoing, Verdict, hash_text};
///
/// /// Loses one message in a hundred.
/// struct BadCable;
///
/// impl Injector for BadCable {
///     fn message(&mut self, message: &Outgoing, acts: &mut Vec<Act>) -> Verdict {
///         let luck = hash_text("bad cable");
///         let mut draw = Draw::new(message.seed, luck, message.source, message.sequence);
///         let lost = draw.happens(1, 100);
///         if lost {
///             acts.push(Act { rule: AgentId::rule("bad cable"), fault: "loss", amount: 1, since: None });
///         }
///         Verdict { lost, ..Verdict::default() }
///     }
/// }
/// ```
pub trait Injector {
    /// Which messages it wants to be asked about from `now` on. It is asked at the start, when what it said is over, and
    /// after every step that was watched: so rules that rarely match cost next to nothing.
    fn attention(&self, now: Time) -> Attention {
        let _ = now;
        Attention::ALWAYS
    }

    /// Whether it wants to be asked about messages from one group to another at all. The answer must not change
    /// during a run.
    fn judges(&self, from: GroupId, to: GroupId) -> bool {
        let _ = (from, to);
        true
    }

    /// What becomes of a message. Whatever is not the default is told as an act, rule by rule.
    fn message(&mut self, message: &Outgoing, acts: &mut Vec<Act>) -> Verdict {
        let _ = (message, acts);
        Verdict::default()
    }

    /// Whether something goes wrong at a fault site. Of several rules the injector chooses one.
    fn site(&mut self, visit: &SiteVisit<'_>) -> Option<Hit> {
        let _ = visit;
        None
    }

    /// The kinds of facts whose steps it wants to be shown. The answer must not change during a run.
    fn watches(&self) -> FactKinds {
        FactKinds::NONE
    }

    /// Is shown a step after it happened, and may order what happens later.
    fn step(&mut self, step: &Watched<'_>, orders: &mut Vec<Order>) {
        let _ = (step, orders);
    }
}
