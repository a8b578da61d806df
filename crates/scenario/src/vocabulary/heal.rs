//! `[heal]`: when what went wrong is mended. `[tolerates]`: how much may go wrong.

use schemars::JsonSchema;
use serde::Deserialize;

use super::MessageWords;
use super::fault::about_messages;
use crate::distribution::{CountDistribution, DurationDistribution};
use crate::either::Either;
use crate::named::Named;
use crate::scalar::{Decimal, Drift, Duration, Share};

/// When everything that went wrong is mended, and by when the fleet must have recovered.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Heal {
    /// When, from the start of the run: what is down starts again, links and clocks are right, nothing goes wrong any
    /// more.
    pub at: Duration,
    /// Only these roles and media are mended, and the links between them; the rest stays as broken as it is. Left out:
    /// everything.
    #[serde(default)]
    pub core: Vec<String>,
    /// How long after it the fleet may take to finish what is open.
    pub within: Duration,
}

/// The worst that the fleet's protocols are said to bear. What is left out they do not bear, and `--faults swarm` does
/// not try it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tolerates {
    /// The share of messages that get lost.
    pub loss: Option<Share>,
    /// How late messages come.
    pub delay: Option<Duration>,
    /// How long messages are held up while later ones overtake them.
    pub reorder: Option<Duration>,
    /// The share of messages that come twice.
    pub duplicate: Option<Share>,
    /// The share of messages whose content is damaged.
    pub corrupt: Option<Share>,
    /// How long a partition lasts.
    pub partition: Option<Duration>,
    /// How long messages are held back.
    pub hold: Option<Duration>,
    /// How long an agent that crashed is down.
    pub crash: Option<Duration>,
    /// How long an agent stands still.
    pub pause: Option<Duration>,
    /// How long an agent stands still and hears nothing.
    pub zombie: Option<Duration>,
    /// How many times as long an agent takes over its work: above "1".
    pub slow: Option<Decimal>,
    /// How far a clock is set wrong, forwards or back.
    pub clock_jump: Option<Duration>,
    /// How much faster or slower a clock runs.
    pub clock_drift: Option<Drift>,
    /// Fault sites by name: the share of visits that go wrong, or a table with more.
    #[serde(default)]
    pub sites: Named<Either<Share, SiteTolerance>>,
    /// The roles and media whose agents may be hit. Left out: every role, and no medium.
    #[serde(default)]
    pub roles: Vec<String>,
    /// The messages that may be hit. Left out: all of them.
    pub messages: Option<MessageFilter>,
}

/// What is borne at a fault site.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SiteTolerance {
    /// The share of visits that go wrong.
    pub share: Share,
    /// How badly. Left out: 1.
    pub strength: Option<CountDistribution>,
    /// How badly, where that is a time.
    pub time: Option<DurationDistribution>,
}

about_messages! {
    /// Which messages.
    MessageFilter {}
}
