//! `[work.NAME]`: what comes in, and what kind of work it is.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Arrives;
use crate::scalar::{Count, Share};

/// One kind of work: how many items, when they arrive, where they enter and when they are done.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Work {
    /// How many items arrive in all. May be left out when they arrive from a file, or when they should
    /// arrive for as long as the fleet runs.
    pub count: Option<Count>,
    /// When they arrive.
    pub arrives: Arrives,
    /// The seam through which they enter; it comes from "outside".
    pub enters: String,
    /// The action, role or seam at which an item is done.
    pub done_at: String,
    /// Who finds out whether finished work is right.
    #[serde(default)]
    pub checked_by: CheckedBy,
    /// Which files an item changes, and so how often two items meet.
    pub touches: Option<Touches>,
    /// How often an item has to wait for an earlier one.
    pub waits_for: Option<WaitsFor>,
}

/// Who finds out whether finished work is right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckedBy {
    /// Tests, at once and cheaply.
    Tests,
    /// A person.
    Human,
    /// Nobody: what is reported done counts as done.
    #[default]
    Nobody,
}

/// Which files an item changes.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Touches {
    /// How many files one item changes.
    pub files: Count,
    /// How many files there are.
    pub out_of: Count,
    /// The share of picks that fall on the one file everybody needs.
    pub hot: Option<Share>,
}

/// How items depend on each other.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WaitsFor {
    /// The share of items that need an earlier, unfinished item first.
    pub earlier: Share,
}
