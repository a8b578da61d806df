//! `[fleet]`: the fleet as a whole.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::distribution::{Distribution, DurationDistribution};
use crate::scalar::{Duration, Money};

/// The fleet as a whole: how long it runs and what it claims to be.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fleet {
    /// What its designers call it. Judged against what the run shows.
    pub claims_to_be: Option<Architecture>,
    /// How long a run is, in the fleet's own time.
    pub lasts: Duration,
    /// What all models together may bill. It is judged, and stops nothing: a guard does that. Left out: what the
    /// guard `fleet-cost-breaker` allows, if it is on.
    pub budget: Option<Money>,
    /// Figures that are guesses, as paths such as "role.coder.wrong": `seams` halves and doubles them to
    /// see whether its verdicts hold. At most 64.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub unsure: Vec<String>,
    /// The run that `run` shows if not told otherwise. Same file and seed, same run.
    #[serde(default = "Fleet::seed_default")]
    #[schemars(range(min = 0))]
    pub seed: i64,
    /// How long a message between two agents takes.
    #[serde(default = "Fleet::latency_default")]
    #[schemars(default = "Fleet::latency_default_text")]
    pub latency: DurationDistribution,
}

impl Fleet {
    fn seed_default() -> i64 {
        1
    }

    fn latency_default() -> DurationDistribution {
        const TWO_MILLISECONDS: Duration = Duration::from_nanoseconds(2_000_000).unwrap();
        Distribution::Constant(TWO_MILLISECONDS)
    }

    fn latency_default_text() -> String {
        "2ms".to_owned()
    }
}

/// The classes of fleet that a run is judged to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Architecture {
    /// Work passes directly between agents, and nobody decides for the others.
    #[serde(rename = "peer-to-peer")]
    PeerToPeer,
    /// One agent decides nearly everything and touches nearly every hand-over.
    #[serde(rename = "hub-and-spoke")]
    HubAndSpoke,
    /// One agent or one medium is in most of it, though it is not called a hub.
    #[serde(rename = "distributed hub-and-spoke")]
    DistributedHubAndSpoke,
    /// None of these: some seams are one thing and some another.
    #[serde(rename = "hybrid")]
    Hybrid,
}

impl Architecture {
    /// The name as it is written in a scenario and in a verdict.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PeerToPeer => "peer-to-peer",
            Self::HubAndSpoke => "hub-and-spoke",
            Self::DistributedHubAndSpoke => "distributed hub-and-spoke",
            Self::Hybrid => "hybrid",
        }
    }
}
