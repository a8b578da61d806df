//! `[[property]]`: what holds in every run, in the scenario's own words.

use schemars::JsonSchema;
use serde::Deserialize;

use super::exactly_one;
use crate::scalar::Duration;

/// One thing that is said of every run. Facts are named by patterns such as
/// `TaskFinished.task where actual and attempt < 3`: a fact, perhaps the field that is its key, perhaps a condition
/// (`and`, `or`, `not`, parentheses; `=`, `!=`, `<`, `<=`, `>`, `>=` with a number, 'a name', true or false). The
/// fields `agent` and `role` tell who stated the fact.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = exactly_one(&["always", "sometimes", "eventually", "never"])))]
pub struct Property {
    /// A name of its own, by which reports speak of it.
    pub name: String,
    /// Every fact of this kind passes the condition.
    pub always: Option<String>,
    /// At least one such fact comes in every run that ends by itself; if none does, the run tested nothing.
    pub sometimes: Option<String>,
    /// Such a fact comes within `within`: for each fact of `for-each` one with the same key, or one at all.
    pub eventually: Option<String>,
    /// No such fact comes: once `after` came with the same key, or at all.
    pub never: Option<String>,
    /// With `eventually`: how long it may take.
    pub within: Option<Duration>,
    /// With `eventually`: what has to be answered, such as `TaskAdded.task`.
    pub for_each: Option<String>,
    /// With `never`: from when on, such as `Reviewed.item where not approved`.
    pub after: Option<String>,
}
