//! The gate before an action: a person says yes or no.

use std::sync::Arc;

use fleetsim_engine::{AgentId, Message};
use serde::{Deserialize, Serialize};

/// Asking a person, and the answer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Gate {
    /// May this item's action be taken?
    Ask {
        /// The item.
        item: u64,
        /// Whether the item carries an error; the person may see it.
        faulty: bool,
    },
    /// The answer.
    Answer {
        /// The item.
        item: u64,
        /// Whether the action may be taken.
        approved: bool,
    },
}

impl Message for Gate {
    const PROTOCOL: &'static str = "gate";
}

/// Something that touches the world outside the fleet.
#[derive(Clone, Debug)]
pub struct Action {
    /// The scenario's name.
    pub name: Arc<str>,
    /// Whether it can be undone.
    pub reversible: bool,
    /// The gate's name and who answers there, unless nobody is asked.
    pub gate: Option<(Arc<str>, AgentId)>,
}
