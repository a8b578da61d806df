//! `expect`: what a run is expected to show.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Architecture, exactly_one};

/// One expectation: a finding, the absence of one, or what the architecture turns out to be.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(extend("oneOf" = exactly_one(&["finding", "no-finding", "architecture"])))]
pub struct Expect {
    /// The run shows a finding of this kind.
    pub finding: Option<FindingKind>,
    /// The run shows no finding of this kind, whatever the seed.
    pub no_finding: Option<FindingKind>,
    /// The run shows that the fleet is this.
    pub architecture: Option<Architecture>,
    /// Only findings about this medium.
    pub medium: Option<String>,
    /// Only findings about this role.
    pub role: Option<String>,
    /// With `architecture`: the role or medium that is the hub.
    pub hub: Option<String>,
    /// Only findings about this action.
    pub action: Option<String>,
    /// Only findings about this seam.
    pub seam: Option<String>,
    /// Only findings about this agent, such as "coder-1".
    pub agent: Option<String>,
    /// Only findings about this resource: an artifact, or what a quota is of.
    pub resource: Option<String>,
    /// Only findings about the property of this name.
    pub property: Option<String>,
    /// Whether it has to show with every seed or with at least one. `no-finding` is always about all.
    /// Left out: any.
    pub seeds: Option<ExpectSeeds>,
}

/// With how many of the seeds an expectation has to be met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExpectSeeds {
    /// At least one.
    Any,
    /// Every one.
    All,
}

/// What an expectation is about, as [`Expect::judgement`] tells it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Judgement<'a> {
    /// There is a finding of this kind.
    Finding(&'a FindingKind),
    /// There is none.
    NoFinding(&'a FindingKind),
    /// The fleet is of this class.
    Architecture(Architecture),
}

impl Expect {
    /// What it is about; `None` only for a value that was not validated.
    pub fn judgement(&self) -> Option<Judgement<'_>> {
        let finding = self.finding.as_ref().map(Judgement::Finding);
        let no_finding = self.no_finding.as_ref().map(Judgement::NoFinding);
        let architecture = self.architecture.map(Judgement::Architecture);
        finding.or(no_finding).or(architecture)
    }

    /// With how many of the seeds it has to be met: `no-finding` always with all.
    pub fn seeds(&self) -> ExpectSeeds {
        if self.no_finding.is_some() { ExpectSeeds::All } else { self.seeds.unwrap_or(ExpectSeeds::Any) }
    }
}

/// The kind of a finding: one of [`FINDING_KINDS`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FindingKind(&'static str);

/// Kinds of findings, with what each means: those that a monitor of this program can find.
pub use fleetsim_monitors::KINDS as FINDING_KINDS;

impl FindingKind {
    /// The kind called `name`, if there is one.
    pub fn new(name: &str) -> Option<Self> {
        FINDING_KINDS.iter().find(|(kind, _)| *kind == name).map(|(kind, _)| Self(kind))
    }

    /// The name, such as `lost-update`.
    pub fn as_str(&self) -> &'static str {
        self.0
    }
}

impl<'de> Deserialize<'de> for FindingKind {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let name = String::deserialize(input)?;
        Self::new(&name).ok_or_else(|| serde::de::Error::custom("no such kind of finding"))
    }
}

impl JsonSchema for FindingKind {
    fn schema_name() -> Cow<'static, str> {
        "FindingKind".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let kinds: Vec<serde_json::Value> = FINDING_KINDS
            .iter()
            .map(|(kind, meaning)| serde_json::json!({ "const": kind, "description": meaning }))
            .collect();
        schemars::json_schema!({ "description": "A kind of finding.", "oneOf": kinds })
    }
}
