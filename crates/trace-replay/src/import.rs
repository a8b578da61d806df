//! What a trace says of the log that it was made from, if it was not recorded from a run.

use serde::{Deserialize, Serialize};

/// A log of somebody else's fleet, as far as a trace made from it must tell: which log it was, how much of it is
/// guessed, and what it cannot tell at all. Part of the [`Header`](crate::Header), so every field but the first may be
/// missing in a trace of an earlier program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// The kind of log: `beads`, `otlp`, `ndjson`.
    pub kind: String,
    /// When the log begins, as RFC 3339 in UTC: the instant 0 of the trace. Empty for an empty log.
    #[serde(default)]
    pub began: String,
    /// Whether the texts of the log are in the trace. If not, their lengths and hashes are.
    #[serde(default)]
    pub keeps_text: bool,
    /// Whether names were replaced by pseudonyms.
    #[serde(default)]
    pub renames: bool,
    /// Records of the log that became steps.
    #[serde(default)]
    pub records: u64,
    /// How the records are linked to what caused them.
    #[serde(default)]
    pub edges: Edges,
    /// What was wrong with the log, by kind, with how often.
    #[serde(default)]
    pub troubles: Vec<Share>,
    /// What the log shows, counted while it was read.
    #[serde(default)]
    pub figures: Vec<Figure>,
    /// What the log cannot tell, a sentence each: nothing may be concluded from silence about it.
    #[serde(default)]
    pub untold: Vec<String>,
}

/// How the records of a log are linked to what caused them. Every record is counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edges {
    /// The log names the cause.
    pub recorded: u64,
    /// The cause was guessed from order or from equal names.
    pub inferred: u64,
    /// The log names a cause, or implies one, that is not in it.
    pub orphaned: u64,
    /// The record begins something: it has no cause in the fleet.
    pub begun: u64,
}

/// A number that an import found, with those who have the largest parts in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// What was counted.
    pub name: String,
    /// How many.
    pub count: u64,
    /// The largest parts, largest first; not always all of them.
    #[serde(default)]
    pub parts: Vec<Share>,
}

/// A part of a count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Whose or of what.
    pub name: String,
    /// How many.
    pub count: u64,
}

impl Edges {
    /// All records.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.recorded.saturating_add(self.inferred).saturating_add(self.orphaned).saturating_add(self.begun)
    }
}

impl Import {
    /// What is to be known of the import, a line each, as `inspect` shows it.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let text = if self.keeps_text { "texts kept" } else { "no texts" };
        let names = if self.renames { ", names replaced" } else { "" };
        let began = if self.began.is_empty() { "" } else { " that begins at " };
        let mut lines = vec![
            format!(
                "imported   {} log{began}{}: {} records, {text}{names}",
                self.kind, self.began, self.records
            ),
            format!("edges      {}", self.edges),
        ];
        for trouble in &self.troubles {
            lines.push(format!("trouble    {} ({})", trouble.name, trouble.count));
        }
        lines.extend(self.figures.iter().map(|figure| format!("figure     {figure}")));
        lines.extend(self.untold.iter().map(|untold| format!("not told   {untold}")));
        lines
    }
}

impl core::fmt::Display for Edges {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let percent = |part: u64| u128::from(part) * 100 / u128::from(self.all().max(1));
        write!(
            f,
            "{} recorded, {} inferred ({}%), {} orphaned ({}%), {} begun",
            self.recorded,
            self.inferred,
            percent(self.inferred),
            self.orphaned,
            percent(self.orphaned),
            self.begun
        )
    }
}

impl core::fmt::Display for Figure {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}", self.name, self.count)?;
        let parts: Vec<String> =
            self.parts.iter().map(|part| format!("{} {}", part.name, part.count)).collect();
        if parts.is_empty() { Ok(()) } else { write!(f, " ({})", parts.join(", ")) }
    }
}
