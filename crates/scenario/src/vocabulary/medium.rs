//! `[medium]`: what carries a hand-over, or holds what agents share. The kind decides which of the other
//! fields have a meaning; the validator says so when one does not.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::distribution::DurationDistribution;
use crate::scalar::{Count, Duration, Share};

/// A medium: a queue, an inbox, a store or a merge queue.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Medium {
    /// What it is; decides which other fields go with it.
    pub kind: MediumKind,
    /// queue: whether a message may come twice or get lost. Left out: at-least-once.
    pub delivery: Option<Delivery>,
    /// queue: a message that was not confirmed for this long is delivered again.
    pub redelivers_after: Option<Duration>,
    /// queue: how many items fit. Left out: any number.
    pub capacity: Option<Count>,
    /// queue: the role that reads everything and passes it on. Left out: the receivers read themselves,
    /// whoever is free first.
    pub read_by: Option<String>,
    /// queue, merge-queue: which item comes next. Left out: first-come.
    pub order: Option<Order>,
    /// shared-memory: whether every write is stated with its version, for monitors. Left out: false.
    pub versioned: Option<bool>,
    /// inbox: whose it is. Left out: the receiver's own.
    pub of: Option<String>,
    /// inbox: when it is read. Left out: turn-end.
    pub read_at: Option<ReadAt>,
    /// task-store: how long a claim holds unless it is renewed. Left out: for ever.
    pub lease: Option<Duration>,
    /// task-store: whether it refuses to complete a task for a worker whose lease has run out. Left out: true.
    pub checks_fence: Option<bool>,
    /// artifact-store: whether a write on an outdated version is refused. Left out: false.
    pub checks_version: Option<bool>,
    /// merge-queue: how long the tests of one item take.
    pub tests_take: Option<DurationDistribution>,
    /// merge-queue: the share of wrong items that the tests notice. Left out: all of them.
    pub catches: Option<Share>,
    /// branch-per-agent: how often two items, each right by itself, are wrong together.
    pub clashes: Option<Clashes>,
}

/// What a medium is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MediumKind {
    /// A message queue.
    Queue,
    /// Values that everybody reads and writes.
    SharedMemory,
    /// The messages waiting for one role.
    Inbox,
    /// A list of tasks that agents claim.
    TaskStore,
    /// Files or documents with versions.
    ArtifactStore,
    /// Finished work waiting to be tested and merged, one item at a time.
    MergeQueue,
    /// A branch of its own for every agent.
    BranchPerAgent,
}

impl MediumKind {
    /// The name as it is written in a scenario.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::SharedMemory => "shared-memory",
            Self::Inbox => "inbox",
            Self::TaskStore => "task-store",
            Self::ArtifactStore => "artifact-store",
            Self::MergeQueue => "merge-queue",
            Self::BranchPerAgent => "branch-per-agent",
        }
    }
}

/// What a queue promises about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Delivery {
    /// None is lost, but one may come twice.
    AtLeastOnce,
    /// None comes twice, but one may be lost.
    AtMostOnce,
}

/// Which of the waiting items comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The one that has waited longest.
    FirstCome,
    /// The newest one.
    LastCome,
}

/// When an inbox is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReadAt {
    /// Between two turns: its owner is deaf while it works.
    TurnEnd,
    /// As soon as a message arrives.
    AtOnce,
}

/// How often two items, each right by itself, are wrong together.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Clashes {
    /// If they change the same file.
    pub same_file: Share,
    /// If they change different files.
    pub other_file: Share,
}
