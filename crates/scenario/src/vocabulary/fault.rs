//! `[[fault]]`: what goes wrong, and when.

use schemars::JsonSchema;
use serde::Deserialize;

use super::exactly_one;
use crate::distribution::DurationDistribution;
use crate::scalar::{Drift, Duration, Jump, Share};

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = exactly_one(
    &["crash", "restart", "pause", "clock", "loss", "delay", "duplicate"]
)))]
pub struct Fault {
    /// A name of its own, by which reports speak of it.
    pub name: String,
    /// An agent stops and forgets what it had not saved.
    pub crash: Option<Crash>,
    /// A crashed agent starts again.
    pub restart: Option<Restart>,
    /// An agent stands still for a while, and then goes on as if nothing had happened.
    pub pause: Option<Pause>,
    /// An agent's clock goes wrong.
    pub clock: Option<ClockFault>,
    /// Messages get lost.
    pub loss: Option<LossFault>,
    /// Messages take longer.
    pub delay: Option<DelayFault>,
    /// Messages come twice.
    pub duplicate: Option<DuplicateFault>,
}

/// An agent stops and forgets what it had not saved.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Crash {
    /// Which agent, such as "coder-1".
    pub agent: String,
    /// When, from the start of the run.
    pub at: Duration,
}

/// A crashed agent starts again.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Restart {
    /// Which agent, such as "coder-1".
    pub agent: String,
    /// When, from the start of the run.
    pub at: Duration,
}

/// An agent stands still for a while.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pause {
    /// Which agent, such as "coder-1".
    pub agent: String,
    /// When, from the start of the run.
    pub at: Duration,
    /// For how long.
    #[serde(rename = "for")]
    pub lasts: Duration,
}

/// An agent's clock goes wrong: it drifts, it jumps, or both.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("anyOf" = exactly_one(&["drift", "jump"])))]
pub struct ClockFault {
    /// Which agent, such as "coder-1".
    pub agent: String,
    /// From when on, from the start of the run.
    pub at: Duration,
    /// How much faster or slower it runs.
    pub drift: Option<Drift>,
    /// How far it is set forwards or back.
    pub jump: Option<Jump>,
}

/// Messages get lost.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LossFault {
    /// The share that is lost.
    pub share: Share,
    /// Only those from this role.
    pub from: Option<String>,
    /// Only those to this role.
    pub to: Option<String>,
}

/// Messages take longer.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DelayFault {
    /// The share that is delayed.
    pub share: Share,
    /// By how much.
    pub by: DurationDistribution,
    /// Only those from this role.
    pub from: Option<String>,
    /// Only those to this role.
    pub to: Option<String>,
}

/// Messages come twice.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DuplicateFault {
    /// The share that comes twice.
    pub share: Share,
    /// Only those from this role.
    pub from: Option<String>,
    /// Only those to this role.
    pub to: Option<String>,
}

/// What goes wrong, as [`Fault::kind`] tells it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaultKind<'a> {
    /// See [`Fault::crash`].
    Crash(&'a Crash),
    /// See [`Fault::restart`].
    Restart(&'a Restart),
    /// See [`Fault::pause`].
    Pause(&'a Pause),
    /// See [`Fault::clock`].
    Clock(&'a ClockFault),
    /// See [`Fault::loss`].
    Loss(&'a LossFault),
    /// See [`Fault::delay`].
    Delay(&'a DelayFault),
    /// See [`Fault::duplicate`].
    Duplicate(&'a DuplicateFault),
}

impl Fault {
    /// What goes wrong; `None` only for a value that was not validated.
    pub fn kind(&self) -> Option<FaultKind<'_>> {
        let crash = self.crash.as_ref().map(FaultKind::Crash);
        let restart = self.restart.as_ref().map(FaultKind::Restart);
        let pause = self.pause.as_ref().map(FaultKind::Pause);
        let clock = self.clock.as_ref().map(FaultKind::Clock);
        let loss = self.loss.as_ref().map(FaultKind::Loss);
        let delay = self.delay.as_ref().map(FaultKind::Delay);
        let duplicate = self.duplicate.as_ref().map(FaultKind::Duplicate);
        crash.or(restart).or(pause).or(clock).or(loss).or(delay).or(duplicate)
    }
}
