//! The header of a trace: all that is needed to run the same run again, and the names to show it by.
//!
//! It holds no wall-clock time, no host name and no path, so that two recordings of one run are the same file.

use fleetsim_engine::{Manifest, SEMANTICS, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::format::FORMAT;
use crate::import::Import;

/// Features that a trace may require and that this program understands.
const FEATURES: [&str; 0] = [];

/// What a trace says about its run before the first step. Stored as JSON; unknown fields are ignored, unknown
/// entries of `requires` are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the file format.
    pub format: u32,
    /// The version of the engine's behaviour; a replay needs the same.
    pub semantics: u32,
    /// The program that recorded the run, for the command that reproduces it.
    pub program: Program,
    /// Features that a reader must understand to read this trace correctly.
    #[serde(default)]
    pub requires: Vec<String>,
    /// The seed.
    pub seed: u64,
    /// The scenario as it was written.
    pub scenario: ScenarioText,
    /// What was overridden on the command line: paths and values.
    #[serde(default)]
    pub overrides: Vec<(String, String)>,
    /// The configuration as it was resolved, free in form.
    #[serde(default)]
    pub settings: Value,
    /// The behaviours that the scenario needs.
    #[serde(default)]
    pub behaviours: Vec<Behaviour>,
    /// The names and shapes of agents, protocols, facts and fault rules.
    #[serde(default)]
    pub manifest: Manifest,
    /// The deviation table of the run, free in form.
    #[serde(default)]
    pub deviations: Value,
    /// The faults of the run, free in form.
    #[serde(default)]
    pub faults: Value,
    /// Whether inputs came from outside, so that the run cannot be executed again.
    #[serde(default)]
    pub external_inputs: bool,
    /// The log that the trace was made from, if nobody executed it: then it has `external_inputs` as well, so that
    /// programs which do not know this field do not try to execute it either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<Import>,
    /// How much of each step is recorded.
    pub level: Level,
    /// Where the run was told to end.
    #[serde(default)]
    pub limits: RunLimits,
}

/// The program that recorded a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its name on the command line.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A scenario as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioText {
    /// Its name: the file's, without folders.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The files that it takes data from.
    #[serde(default)]
    pub files: Vec<DataFile>,
}

/// A file that a scenario takes data from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Its name, as the scenario gives it.
    pub name: String,
    /// Its contents: a run depends on them as it does on the scenario.
    pub text: String,
}

/// A behaviour that a scenario needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behaviour {
    /// The name that it is registered under.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Where a run was told to end, if anywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunLimits {
    /// After the last event at or before this instant.
    #[serde(default)]
    pub until: Option<Time>,
    /// After so many events.
    #[serde(default)]
    pub events_max: Option<u64>,
}

/// How much of each step is recorded. The digest of the run is the same at every level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Everything.
    #[default]
    Full,
    /// All but the payloads of messages, timers and spawns, of which only a hash for each chunk is kept.
    Headers,
    /// Only the hashes of each chunk.
    Digest,
}

impl Level {
    /// The name that a command line and a header use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Level::Full => "full",
            Level::Headers => "headers",
            Level::Digest => "digest",
        }
    }

    /// The level called `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Level> {
        [Level::Full, Level::Headers, Level::Digest].into_iter().find(|level| level.name() == name)
    }
}

impl Default for Header {
    /// A header of this program's versions for an unnamed run from seed 0.
    fn default() -> Header {
        Header {
            format: FORMAT,
            semantics: SEMANTICS,
            program: Program::default(),
            requires: Vec::new(),
            seed: 0,
            scenario: ScenarioText::default(),
            overrides: Vec::new(),
            settings: Value::Null,
            behaviours: Vec::new(),
            manifest: Manifest::default(),
            deviations: Value::Null,
            faults: Value::Null,
            external_inputs: false,
            import: None,
            level: Level::Full,
            limits: RunLimits::default(),
        }
    }
}

impl Header {
    /// Whether this program's engine behaves as the one that recorded the run; only then is a replay the same run.
    ///
    /// # Errors
    /// An incompatibility ([`Error::is_incompatible`]) that names both versions.
    pub fn check_semantics(&self) -> Result<(), Error> {
        if self.semantics == SEMANTICS {
            return Ok(());
        }
        Err(Error::incompatible(format!(
            "recorded with semantics version {}, but this program has version {SEMANTICS}: the same seed gives another \
             run; use {} {} to replay it",
            self.semantics, self.program.name, self.program.version,
        )))
    }

    /// Where `other` differs, one line a field, for a comparison of two traces.
    #[must_use]
    pub fn differences(&self, other: &Header) -> Vec<String> {
        let mut lines = Vec::new();
        let mut note = |field: &str, ours: String, theirs: String| {
            if ours != theirs {
                lines.push(crate::text::escape(&format!("{field}: {ours} and {theirs}")));
            }
        };
        note("seed", self.seed.to_string(), other.seed.to_string());
        note("scenario", self.scenario.name.clone(), other.scenario.name.clone());
        note("semantics version", self.semantics.to_string(), other.semantics.to_string());
        note("program", self.program.to_string(), other.program.to_string());
        note("overrides", format!("{:?}", self.overrides), format!("{:?}", other.overrides));
        note("level", self.level.name().to_owned(), other.level.name().to_owned());
        note("limits", self.limits.to_string(), other.limits.to_string());
        for (field, differs) in [
            ("the scenario's text", self.scenario.text != other.scenario.text),
            ("the scenario's data files", self.scenario.files != other.scenario.files),
            ("the resolved settings", self.settings != other.settings),
            ("the behaviours", self.behaviours != other.behaviours),
            ("the names and schemas", self.manifest != other.manifest),
            ("the deviations", self.deviations != other.deviations),
            ("the faults", self.faults != other.faults),
            ("what is said of the imported log", self.import != other.import),
        ] {
            if differs {
                lines.push(format!("not the same: {field}"));
            }
        }
        lines
    }

    pub(crate) fn check_features(&self) -> Result<(), Error> {
        match self.requires.iter().find(|feature| !FEATURES.contains(&feature.as_str())) {
            None => Ok(()),
            Some(feature) => Err(Error::incompatible(format!(
                "the trace requires the feature `{feature}`, which this program does not know: it is too new for this \
                 program"
            ))),
        }
    }
}

impl core::fmt::Display for Program {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

impl core::fmt::Display for RunLimits {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match (self.until, self.events_max) {
            (None, None) => f.write_str("none"),
            (Some(until), None) => write!(f, "until {until}"),
            (None, Some(events)) => write!(f, "{events} events"),
            (Some(until), Some(events)) => write!(f, "until {until} or {events} events"),
        }
    }
}
