//! `[model.NAME]`: a language model as its users see it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::distribution::DurationDistribution;
use crate::scalar::{Count, Duration, Money, Rate, Share};

/// A language model: how fast it answers, what it costs, what its provider allows.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Model {
    /// From the request to the first token of the answer.
    pub first_token: DurationDistribution,
    /// From one token of the answer to the next.
    pub per_token: Duration,
    /// How often a request hangs, and for how long.
    pub hangs: Option<Hangs>,
    /// What a million tokens cost.
    pub dollars_per_million: Option<Price>,
    /// What the provider allows the whole fleet; what is left out is not limited.
    #[serde(default)]
    pub allows: Allowance,
    /// How many input tokens a turn may have. A larger one is refused for good. Left out, there is no bound.
    pub context_window: Option<Count>,
    /// How long the provider tells a refused request to wait. Left out, it does not say.
    pub retry_after: Option<Duration>,
    /// The share of input tokens that are found in the provider's cache.
    pub cached: Option<Share>,
}

/// How often a request hangs, and for how long.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hangs {
    /// The share of requests that hang.
    pub chance: Share,
    /// How long a hanging request takes.
    #[serde(rename = "for")]
    pub lasts: DurationDistribution,
}

/// Dollars for a million tokens.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Price {
    /// For tokens sent.
    pub input: Money,
    /// For tokens sent that are found in the cache. Left out, they cost as much as any.
    pub cached_input: Option<Money>,
    /// For tokens received.
    pub output: Money,
}

/// What the provider allows the whole fleet.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Allowance {
    /// Requests.
    pub requests: Option<Rate>,
    /// Tokens sent.
    pub input_tokens: Option<Rate>,
    /// Tokens received.
    pub output_tokens: Option<Rate>,
}
