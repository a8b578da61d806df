//! `[role]`: who is in the fleet. A role is a model at work, a plain process, a person, or behaviour of
//! the user's own.

use schemars::JsonSchema;
use serde::Deserialize;

use super::exactly_one;
use crate::distribution::{CountDistribution, DurationDistribution};
use crate::scalar::{Count, Duration, Hours, Share};

/// One role and how many agents have it. They are called ROLE-1, ROLE-2 and so on.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = exactly_one(&["model", "process", "human", "behaviour"])))]
pub struct Role {
    /// How many agents have this role.
    pub count: Count,

    /// The model that does the work.
    pub model: Option<String>,
    /// With a model: how many turns, each one request, an item takes. Left out: 1.
    pub turns: Option<CountDistribution>,
    /// With a model: tokens sent in a turn.
    pub input: Option<CountDistribution>,
    /// With a model: tokens received in a turn.
    pub output: Option<CountDistribution>,
    /// With a model: tokens by which the input of each turn exceeds that of the turn before.
    pub context_grows: Option<Count>,
    /// With a model: the share of items it gets wrong.
    pub wrong: Option<Share>,
    /// With a model: the share of wrong items from others that it notices and sends back.
    pub catches: Option<Share>,
    /// With a model: the share of items that it reports done though they are not.
    pub says_done_falsely: Option<Share>,
    /// With a model: the share of right items that it sends back nevertheless.
    pub rejects: Option<Share>,

    /// A plain process, without a model.
    pub process: Option<Process>,
    /// A person.
    pub human: Option<Human>,

    /// Behaviour of the user's own, by the name and version under which the program has registered it.
    pub behaviour: Option<String>,
    /// With a behaviour: whatever it wants to know, handed on as it is.
    pub params: Option<serde_json::Map<String, serde_json::Value>>,

    /// What it reads, works on and writes back with each item.
    pub edits: Option<Edits>,
    /// An agent that waits longer than this for an answer or a turn is starving.
    pub waits_at_most: Option<Duration>,
}

/// A plain process, without a model.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Process {
    /// How long it takes over one item.
    pub handles_one_in: DurationDistribution,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Human {
    /// When the person is there, every day; a run begins at 09:00. Left out: always.
    pub hours: Option<Hours>,
    /// How long an answer takes while the person is there.
    pub answers_in: DurationDistribution,
}

/// An artifact that is read at the start of an item and written at its end.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Edits {
    /// Which artifact, such as "plan.md".
    pub artifact: String,
    /// The medium that holds it.
    #[serde(rename = "in")]
    pub medium: String,
}

/// What kind of agent a role is, as [`Role::nature`] tells it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Nature<'a> {
    /// A model at work, by the model's name.
    Model(&'a str),
    /// A plain process.
    Process(&'a Process),
    /// A person.
    Human(&'a Human),
    /// Behaviour of the user's own, by name.
    Behaviour(&'a str),
}

impl Role {
    /// What kind of agent it is; `None` only for a value that was not validated.
    pub fn nature(&self) -> Option<Nature<'_>> {
        let model = self.model.as_deref().map(Nature::Model);
        let process = self.process.as_ref().map(Nature::Process);
        let human = self.human.as_ref().map(Nature::Human);
        let behaviour = self.behaviour.as_deref().map(Nature::Behaviour);
        model.or(process).or(human).or(behaviour)
    }
}
