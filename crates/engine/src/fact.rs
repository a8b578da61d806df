//! Facts: what agents state about their work in passing. Monitors know facts and messages, nothing else.
//!
//! The list is append-only: a variant's position is its kind on disk. Items, tasks and operations are numbers
//! chosen by whoever creates them; resources, seams, media and gates are the scenario's names.

use serde::{Deserialize, Serialize};

use crate::identity::AgentId;
use crate::schema::Shape;

/// One domain-level statement of the agent that makes it, true at the moment of the step it is part of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fact<'a> {
    /// A task exists. Stated by whoever creates it.
    TaskAdded {
        /// The task.
        task: u64,
    },
    /// A task may be taken: nothing it waits for is unfinished. Stated by the store or queue that offers it.
    TaskReady {
        /// The task.
        task: u64,
    },
    /// A worker has the task to itself, as far as the claim protocol knows. Stated by the worker.
    TaskClaimed {
        /// The task.
        task: u64,
        /// The fencing token of the claim; 0 where the protocol has none.
        fence: u64,
    },
    /// A worker begins an attempt. Stated by the worker.
    TaskStarted {
        /// The task.
        task: u64,
        /// Which attempt it is, from 1.
        attempt: u32,
    },
    /// An attempt ended. Stated by the worker.
    TaskFinished {
        /// The task.
        task: u64,
        /// Which attempt it was, from 1.
        attempt: u32,
        /// Whether the worker said that it succeeded.
        reported: bool,
        /// Whether it did.
        actual: bool,
    },
    /// The worker gave the task back unfinished.
    TaskReleased {
        /// The task.
        task: u64,
        /// Why, in a few words.
        reason: &'a str,
    },
    /// The giver put an item into a medium, or handed it to a chooser.
    Offered {
        /// The seam.
        seam: &'a str,
        /// The item of work.
        item: u64,
        /// This offer, unique in the run: one offer should lead to one hand-over.
        offer: u64,
        /// The medium that carries it.
        medium: &'a str,
    },
    /// The receiver of an offer was chosen. Stated by who chose, which is why it is a fact and not a field.
    Decided {
        /// The seam.
        seam: &'a str,
        /// The item of work.
        item: u64,
        /// The offer.
        offer: u64,
        /// The chosen receiver.
        receiver: AgentId,
    },
    /// A carrier (medium or relay) passed the item to its receiver. Twice for one offer is a duplicate.
    HandedOver {
        /// The seam.
        seam: &'a str,
        /// The item of work.
        item: u64,
        /// The offer.
        offer: u64,
        /// The medium that carried it.
        medium: &'a str,
        /// The receiver.
        receiver: AgentId,
    },
    /// The receiver took the item up.
    Received {
        /// The seam.
        seam: &'a str,
        /// The item of work.
        item: u64,
        /// The offer.
        offer: u64,
        /// Who gave it: the other end of the seam, not the carrier.
        giver: AgentId,
    },
    /// A carrier lost an offer for good (no room, no receiver, deliveries exhausted).
    Undelivered {
        /// The seam.
        seam: &'a str,
        /// The item of work.
        item: u64,
        /// The offer.
        offer: u64,
        /// Why, in a few words.
        reason: &'a str,
    },
    /// A read-modify-write of shared data begins.
    OperationBegin {
        /// The operation, unique in the run.
        operation: u64,
    },
    /// The operation took effect.
    OperationCommit {
        /// The operation.
        operation: u64,
    },
    /// The operation took no effect.
    OperationAbort {
        /// The operation.
        operation: u64,
    },
    /// Nobody knows whether the operation took effect (a time-out after the write was sent).
    OperationIndeterminate {
        /// The operation.
        operation: u64,
    },
    /// An operation saw a version of a resource. Stated by the reader, when the answer reaches it.
    Read {
        /// The operation.
        operation: u64,
        /// The resource.
        resource: &'a str,
        /// The version that was seen; 0 when the resource did not exist.
        version: u64,
    },
    /// An operation's write was applied. Stated by the resource's store, which knows the true order.
    Write {
        /// The operation.
        operation: u64,
        /// The resource.
        resource: &'a str,
        /// The version that the writer had read.
        based_on: u64,
        /// The version that the write made.
        version: u64,
        /// The writer's fencing token; 0 where the protocol has none.
        fence: u64,
    },
    /// The stating agent cannot go on until something happens.
    WaitOn {
        /// What it waits for.
        on: Waited<'a>,
    },
    /// The wait is over.
    WaitEnd {
        /// What was waited for.
        on: Waited<'a>,
    },
    /// The stating agent holds the resource.
    Acquired {
        /// The resource.
        resource: &'a str,
        /// The fencing token; 0 where the protocol has none.
        fence: u64,
    },
    /// The stating agent no longer holds the resource.
    Released {
        /// The resource.
        resource: &'a str,
        /// The fencing token.
        fence: u64,
    },
    /// Model usage was billed to the stating agent.
    Spent {
        /// Input tokens that were not cached.
        tokens_in: u64,
        /// Input tokens read from the provider's cache.
        cached: u64,
        /// Generated tokens.
        tokens_out: u64,
        /// Price in billionths of a dollar.
        nano_dollars: u64,
    },
    /// The stating agent touched the world outside the fleet.
    Acted {
        /// The scenario's name of the action.
        action: &'a str,
        /// Whether it can be undone.
        reversible: bool,
        /// The gate that it passed; empty when there is none.
        gate: &'a str,
        /// The item of work that it belongs to.
        item: u64,
    },
    /// A reviewer judged an item.
    Reviewed {
        /// The item of work.
        item: u64,
        /// The verdict.
        approved: bool,
    },
    /// A check of an item ended.
    Checked {
        /// The item of work; 0 for all results together.
        item: u64,
        /// What the check said.
        passed: bool,
        /// What is true.
        actual: bool,
    },
    /// An item carries an error or untrusted content.
    Tainted {
        /// The item of work.
        item: u64,
        /// The agent where it came in, as far as the stating agent knows: for a receiver that is who gave it the item.
        origin: AgentId,
    },
    /// An item came closer to being done; loops without this go nowhere.
    Progress {
        /// The item of work.
        item: u64,
    },
    /// The stating agent did what its role may not.
    Breach {
        /// The permission that it lacked.
        permission: &'a str,
    },
    /// A user's own fact.
    Custom {
        /// Its name.
        name: &'a str,
        /// Its fields.
        fields: Vec<(&'a str, Value<'a>)>,
    },
    /// A provider answered a first or repeated request. Stated by the provider.
    Requested {
        /// The scenario's name of the model.
        model: &'a str,
        /// Who asked.
        by: AgentId,
        /// Whether it was admitted; if not, the answer was a refusal, such as the 429 of a limit.
        admitted: bool,
        /// Whether it is for the first attempt at the work, however often the request itself was refused.
        first: bool,
        /// Input tokens asked for.
        tokens_in: u64,
        /// Output tokens generated; 0 when it was not admitted.
        tokens_out: u64,
    },
    /// A guard of the scenario stepped in.
    GuardTripped {
        /// The guard's name in the scenario.
        guard: &'a str,
        /// The item of work that it stopped; 0 when it stopped the fleet.
        item: u64,
    },
    /// A fault rule acted. Stated by the engine, in the step where it does: where a message that it hits is sent, where
    /// an agent passes a fault site, or in an event of the rule's own.
    Injected {
        /// The rule's name.
        rule: &'a str,
        /// The kind of fault, such as `loss`.
        fault: &'a str,
        /// With `sequence` the message that was hit, or the event that triggered the rule; otherwise the world.
        source: AgentId,
        /// See `source`.
        sequence: u32,
        /// How much, in the unit of the kind of fault; 0 where it has none.
        amount: u64,
        /// When the condition began that the rule stands for, in nanoseconds, where it lasts.
        since_ns: Option<u64>,
    },
}

/// A set of kinds of facts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FactKinds(u64);

impl FactKinds {
    /// No kind.
    pub const NONE: FactKinds = FactKinds(0);
    /// Every kind.
    pub const ALL: FactKinds = FactKinds(u64::MAX);

    /// The kind whose variant of [`Fact`] is called `name`, such as `TaskClaimed`.
    #[must_use]
    pub fn named(name: &str) -> Option<FactKinds> {
        let kind = Fact::names().iter().position(|known| known == name)?;
        Some(FactKinds::of(kind as u16))
    }

    /// The kind with this number: a variant's position in [`Fact`]. What no program knows yet is of no kind.
    #[inline]
    #[must_use]
    pub const fn of(kind: u16) -> FactKinds {
        if kind < 64 { FactKinds(1 << kind) } else { FactKinds::NONE }
    }

    /// The kinds of either.
    #[inline]
    #[must_use]
    pub const fn with(self, other: FactKinds) -> FactKinds {
        FactKinds(self.0 | other.0)
    }

    /// Whether some kind is in both.
    #[inline]
    #[must_use]
    pub const fn meets(self, other: FactKinds) -> bool {
        self.0 & other.0 != 0
    }
}

impl Fact<'_> {
    /// The names of all kinds, in the order of their numbers.
    #[must_use]
    pub fn names() -> Vec<String> {
        match Shape::of::<Fact<'static>>() {
            Shape::Enum { variants } => variants.into_iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        }
    }
}

/// What an agent waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Waited<'a> {
    /// A lock, quota or other resource, by the scenario's name.
    Resource(&'a str),
    /// An answer from an agent.
    Agent(AgentId),
    /// A person's decision, by the gate's name.
    Gate(&'a str),
    /// Several parts that must all finish, by the join's name.
    Join(&'a str),
}

/// A field of a [`Fact::Custom`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value<'a> {
    /// A number.
    Number(i64),
    /// A short text.
    Text(&'a str),
    /// Yes or no.
    Flag(bool),
    /// An agent.
    Agent(AgentId),
}

/// The most fields a [`Fact::Custom`] may have.
pub(crate) const CUSTOM_FIELDS_MAX: usize = 32;
/// The most bytes a fact may take when encoded.
pub(crate) const FACT_BYTES_MAX: usize = 4096;
