//! What the monitors must be told about a fleet, by name, so that it can be rebuilt from a trace's header.

use std::collections::{BTreeMap, BTreeSet};

use fleetsim_engine::{AgentId, HOUR, MINUTE, Names, Time};
use serde::{Deserialize, Serialize};

use crate::architecture::ArchitectureClass;
use crate::property::PropertyRule;
use crate::role::Role;

/// Bounds and roles that facts do not tell.
///
/// What a trace of an earlier version does not say has its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MonitorConfig {
    /// What the fleet is said to be.
    pub claims_to_be: Option<ArchitectureClass>,
    /// How long after its offer an item may be received before it counts as late, by seam, in nanoseconds.
    pub late_after_ns: BTreeMap<String, u64>,
    /// How long a member of a role may wait for a resource before it counts as starved, in nanoseconds.
    pub wait_bound_ns: BTreeMap<String, u64>,
    /// The bound for roles that have none of their own, for spawned agents and for tasks, in nanoseconds.
    pub default_wait_bound_ns: u64,
    /// How many input tokens a turn may have, by role, for roles whose contexts grow with what was said before; those
    /// of others are not judged.
    pub context_windows: BTreeMap<String, u64>,
    /// Complete rounds without progress that make a feedback loop; at least 2.
    pub loop_rounds_max: u32,
    /// What kind of thing the media are; one that is not listed is a [`Medium::Carrier`].
    pub media: BTreeMap<String, Medium>,
    /// Groups that stand for the world outside: they hand work in, and are no node of the architecture.
    pub outside: BTreeSet<String>,
    /// Groups that are stores: what they decide is decided by nobody, only recorded.
    pub stores: BTreeSet<String>,
    /// Groups that are people.
    pub people: BTreeSet<String>,
    /// When the last fault ends for good, in world time; `None` when no healing is planned.
    pub heals_at: Option<Time>,
    /// How long after [`heals_at`](Self::heals_at) everything that was open then must be over, in nanoseconds;
    /// `None` when that is not judged.
    pub converges_within_ns: Option<u64>,
    /// How long a circle of waiting agents must last before it counts as a deadlock that a time-out broke, in
    /// nanoseconds. One that lasts until the fleet is at rest counts however young it is. Default 5 minutes.
    pub deadlock_after_ns: u64,
    /// How long nothing may come closer to done, while work is open and agents are busy, before that counts as a
    /// livelock, in nanoseconds. Default 1 hour.
    pub livelock_after_ns: u64,
    /// Attempts in vain (aborted operations, tasks given back, failed or begun again) that a livelock must have
    /// seen; default 100. Where nobody paid for anything, ten times as many handled messages do as well.
    pub livelock_vain_min: u64,
    /// How long a task may stay with an agent that is gone before it counts as orphaned, in nanoseconds. Default
    /// 30 minutes.
    pub orphaned_after_ns: u64,
    /// The length of the windows in which attempts are set against successes, in nanoseconds; 0 counts as 1.
    /// Default 1 minute.
    pub retry_window_ns: u64,
    /// Windows in a row through which attempts for each success must rise to make a retry storm; at least 2.
    /// Default 5.
    pub retry_windows_min: u32,
    /// Attempts for each success that the last of these windows must reach; default 5.
    pub retry_amplification_min: u64,
    /// The length of the windows in which load and goodput are compared, in nanoseconds; 0 counts as 1. Default
    /// 5 minutes.
    pub metastable_window_ns: u64,
    /// Windows in a row that must stay bad after the trigger ended; default 6. As many good ones before it are
    /// needed to know what good is.
    pub metastable_windows_min: u32,
    /// Handled messages of one kind that make a window of the branching ratio; at least 16. Default 256.
    pub branching_window_messages: u32,
    /// What all bills together may come to, in billionths of a dollar.
    pub budget_nano_dollars: Option<u64>,
    /// How long the run is planned to be, in nanoseconds.
    pub planned_ns: Option<u64>,
    /// What members of a role may read and write; a role that is not listed may everything.
    pub may: BTreeMap<String, May>,
    /// The medium of each seam.
    pub seam_media: BTreeMap<String, String>,
    /// The medium that holds each resource.
    pub resource_media: BTreeMap<String, String>,
    /// The role that each action belongs to.
    pub action_roles: BTreeMap<String, String>,
    /// Seams over which nothing goes unchecked that is not to be trusted.
    pub distrusting_seams: BTreeSet<String>,
    /// How many agents an error may reach before somebody notices.
    pub error_reach_max: u32,
    /// The properties that are stated in words.
    pub properties: Vec<PropertyRule>,
}

impl MonitorConfig {
    /// Whether `agent` stands for the world outside.
    pub(crate) fn is_outside(&self, agent: AgentId, names: &Names) -> bool {
        Role::of(agent) == Role::OUTSIDE
            || names.group(agent).is_some_and(|group| self.outside.contains(group))
    }
}

/// Names of seams, media and resources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct May {
    /// What may be read.
    pub read: BTreeSet<String>,
    /// What may be written.
    pub write: BTreeSet<String>,
}

/// What a medium is to the architecture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Medium {
    /// A thing of its own that stands between giver and receiver: a queue, a store, a branch.
    Carrier,
    /// The inbox of the named role or agent: what goes through it goes through that agent.
    Inbox(String),
    /// Nothing of its own: the giver's message goes straight to the receiver.
    Direct,
}

impl Default for MonitorConfig {
    fn default() -> Self {
        MonitorConfig {
            claims_to_be: None,
            late_after_ns: BTreeMap::new(),
            wait_bound_ns: BTreeMap::new(),
            default_wait_bound_ns: 30 * MINUTE,
            context_windows: BTreeMap::new(),
            loop_rounds_max: 3,
            media: BTreeMap::new(),
            outside: BTreeSet::from(["outside".to_owned()]),
            stores: BTreeSet::new(),
            people: BTreeSet::new(),
            heals_at: None,
            converges_within_ns: None,
            deadlock_after_ns: 5 * MINUTE,
            livelock_after_ns: HOUR,
            livelock_vain_min: 100,
            orphaned_after_ns: 30 * MINUTE,
            retry_window_ns: MINUTE,
            retry_windows_min: 5,
            retry_amplification_min: 5,
            metastable_window_ns: 5 * MINUTE,
            metastable_windows_min: 6,
            branching_window_messages: 256,
            budget_nano_dollars: None,
            planned_ns: None,
            may: BTreeMap::new(),
            seam_media: BTreeMap::new(),
            resource_media: BTreeMap::new(),
            action_roles: BTreeMap::new(),
            distrusting_seams: BTreeSet::new(),
            error_reach_max: 1,
            properties: Vec::new(),
        }
    }
}
