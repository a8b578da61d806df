//! Items of work and the parcels in which they travel.

use fleetsim_engine::{AgentId, Message};
use serde::{Deserialize, Serialize};

/// One piece of work on its way through the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its number, from 1 in order of arrival.
    pub id: u64,
    /// Which attempt at the whole work this is, from 1.
    pub attempt: u32,
    /// How often a reviewer sent it back.
    pub rejections: u32,
    /// Input tokens that it brings, or 0 for the role's own figure.
    pub tokens_in: u64,
    /// Tokens that it makes a model generate, or 0 for the role's own figure.
    pub tokens_out: u64,
    /// Whether it carries an error that nobody has noticed.
    pub faulty: bool,
}

/// An item on its way along a seam.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// The seam's number in the scenario.
    pub seam: u16,
    /// The offer: one giving of one item. Unique in a run.
    pub offer: u64,
    /// Who gave it.
    pub giver: AgentId,
    /// Who is to have it, once that is chosen.
    pub receiver: Option<AgentId>,
    /// The item.
    pub item: Item,
}

/// Hand-overs from agent to agent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum HandOver {
    /// The receiver, or whoever chooses the receiver, gets a parcel.
    Give(Parcel),
}

impl Message for HandOver {
    const PROTOCOL: &'static str = "hand-over";
}
