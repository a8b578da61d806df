//! `[action]`, `[may]` and `[guard]`: what touches the world, who may do what, and what keeps a fleet from
//! going wrong.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scalar::{Count, Money};

/// Something that touches the world outside, such as publishing or releasing.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Action {
    /// The role that does it.
    pub by: String,
    /// Whether it can be taken back.
    pub reversible: bool,
    /// The human role that has to agree first, or "none".
    #[serde(default = "Action::gate_default")]
    pub gate: String,
}

impl Action {
    /// The role that has to agree first, if there is one.
    pub fn gate_role(&self) -> Option<&str> {
        if self.gate == "none" { None } else { Some(&self.gate) }
    }

    fn gate_default() -> String {
        "none".to_owned()
    }
}

/// What a role may read and write: media, artifacts, seams, "own-branch", "any-branch".
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct May {
    /// What it may read.
    #[serde(default)]
    pub read: Vec<String>,
    /// What it may write.
    #[serde(default)]
    pub write: Vec<String>,
}

/// What keeps the fleet from going wrong. Absent guards are off.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Guard {
    /// When the fleet has spent this much, it stops taking up work.
    pub fleet_cost_breaker: Option<Money>,
    /// An item that failed this often is put aside instead of being tried again.
    #[schemars(range(min = 1))]
    pub dead_letter_after: Option<Count>,
    /// An item that was sent back this often is put aside.
    #[schemars(range(min = 1))]
    pub review_rounds: Option<Count>,
    /// Whether a write is refused to those who have not read the latest version.
    #[serde(default)]
    pub read_before_write: bool,
    /// Whether a hand-over that comes twice is taken up only once.
    #[serde(default)]
    pub dedupe_hand_overs: bool,
}
