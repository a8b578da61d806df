//! What a fleet's protocols say that they bear.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::messages::Messages;
use crate::share::Share;
use crate::spread::Spread;

/// The worst that protocols declare to bear, kind by kind. What is absent they do not bear, and [`swarm`](crate::swarm)
/// does not try.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tolerance {
    /// The messages that faults of the network may hit.
    pub messages: Messages,
    /// The roles that faults of agents may hit; all when empty.
    pub roles: Vec<String>,
    /// The largest share of messages lost.
    pub loss: Option<Share>,
    /// The longest time by which messages are late, in nanoseconds.
    pub delay_ns: Option<u64>,
    /// The longest time for which messages are held up while others overtake them, in nanoseconds.
    pub reorder_ns: Option<u64>,
    /// The largest share of messages that come twice.
    pub duplicate: Option<Share>,
    /// The largest share of messages that are damaged.
    pub corrupt: Option<Share>,
    /// The longest partition, in nanoseconds.
    pub partition_ns: Option<u64>,
    /// The longest time for which messages are held back, in nanoseconds.
    pub hold_ns: Option<u64>,
    /// The longest time for which an agent that crashed is down, in nanoseconds.
    pub crash_ns: Option<u64>,
    /// The longest time for which an agent stands still, in nanoseconds.
    pub pause_ns: Option<u64>,
    /// The longest time for which an agent stands still and hears nothing, in nanoseconds.
    pub zombie_ns: Option<u64>,
    /// How much slower an agent may be, in thousandths: above 1,000.
    pub slow_permille: Option<u64>,
    /// How far a clock may be set wrong either way, in nanoseconds.
    pub clock_jump_ns: Option<u64>,
    /// How much a clock may gain or lose, in billionths.
    pub clock_drift_ppb: Option<u64>,
    /// Fault sites by name.
    pub sites: BTreeMap<String, SiteTolerance>,
}

/// What is borne at a fault site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteTolerance {
    /// The largest share of visits that go wrong.
    pub share: Share,
    /// How badly.
    pub strength: Spread,
}
