//! From the text of a scenario file to a validated scenario: parse, apply the overrides, compare with the
//! grammar, read the types, check what the words mean together. Each stage reports all it finds.

use crate::deserialize;
use crate::grammar::Grammar;
use crate::meaning;
use crate::mistake::{Code, Found, Mistakes};
use crate::overrides::{self, Overrides};
use crate::path::Path;
use crate::repair::repair;
use crate::schema::schema;
use crate::source::{Place, Source};
use crate::tree::{self, Node};
use crate::validate::validate;
use crate::vocabulary::{Document, FaultKind};

/// Bytes of a scenario text: 4 MiB. A scenario is written by people; a larger file is something else.
pub const TEXT_BYTES_MAX: u64 = 4 << 20;

/// A scenario without mistakes: what it says, and the text it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    name: String,
    text: String,
    overrides: Overrides,
    document: Document,
    resolved: serde_json::Value,
}

impl Scenario {
    /// Reads a scenario from `text`, with `overrides` applied. `name` is the file name shown in mistakes.
    ///
    /// # Errors
    /// All the mistakes in text and overrides, each with its place. If the text is not even TOML, only
    /// those of syntax and those that are certain nevertheless.
    pub fn parse(name: &str, text: &str, overrides: &Overrides) -> Result<Self, Mistakes> {
        let mut sources = vec![Source::new(name, text)];
        if let Some(unusable) = unusable(text) {
            let nothing = vec![Source::new(name, "")];
            return Err(Mistakes::new(vec![unusable], nothing));
        }
        let grammar = Grammar::new(schema());
        let (mut tree, mut found) = tree::parse(text, 0);
        if !found.is_empty() {
            found.extend(certain_despite(&found, validate(&tree, &grammar), &sources[0]));
            return Err(Mistakes::new(found, sources));
        }
        let (override_sources, not_applied) = overrides::apply(overrides, &mut tree, &grammar);
        sources.extend(override_sources);
        found.extend(not_applied);
        found.extend(validate(&tree, &grammar));
        if !found.is_empty() {
            found.extend(meaning_despite(&found, &tree, &grammar));
            return Err(Mistakes::new(found, sources));
        }
        let read = deserialize::read::<Document>(&tree)
            .and_then(|document| Ok((document, deserialize::read(&tree)?)));
        let (document, resolved) = read.map_err(|refusal| {
            let place = refusal.place.unwrap_or(tree.place);
            let found = Found::new(Code::BadValue, &Path::top(), place, refusal.message);
            Mistakes::new(vec![found], sources.clone())
        })?;
        let found = meaning::judge(&document, &tree, true);
        if !found.is_empty() {
            return Err(Mistakes::new(found, sources));
        }
        let (name, text) = (name.to_owned(), text.to_owned());
        Ok(Self { name, text, overrides: overrides.clone(), document, resolved })
    }

    /// The name it was read under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text as it was read, without the overrides.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What was set on top of the text. Text and overrides together give the same scenario again.
    pub fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    /// What the scenario says, with the overrides applied.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// What is wrong with the fault called `rule`, or with how the faults heal, at its place.
    pub(crate) fn fault_mistakes(&self, rule: Option<&str>, message: &str) -> Mistakes {
        let position = rule.and_then(|rule| self.document.fault.iter().position(|fault| fault.name == rule));
        self.mistakes_at(
            &match position {
                Some(position) => {
                    let word = self.document.fault[position].kind().map_or("name", FaultKind::word);
                    Path::top().key("fault").index(position).key(word)
                }
                None => Path::top().key("heal"),
            },
            message,
        )
    }

    /// A name at `path` that the built fleet does not have.
    pub(crate) fn mistakes_at(&self, path: &Path, message: &str) -> Mistakes {
        let mut sources = vec![Source::new(&self.name, &self.text)];
        let (mut tree, _) = tree::parse(&self.text, 0);
        let (override_sources, _) = overrides::apply(&self.overrides, &mut tree, &Grammar::new(schema()));
        sources.extend(override_sources);
        Mistakes::new(vec![Found::new(Code::UnknownName, path, tree.locate(path), message)], sources)
    }

    /// The file's values with the overrides applied, without the defaults, as JSON.
    pub fn resolved(&self) -> &serde_json::Value {
        &self.resolved
    }
}

/// Why `text` is not worth reading.
fn unusable(text: &str) -> Option<Found> {
    let found = |code, message: &str| {
        let place = Place { source: 0, start: 0, end: 0 };
        Some(Found::new(code, &Path::top(), place, message))
    };
    if text.len() as u64 > TEXT_BYTES_MAX {
        return found(Code::OutOfRange, "the file is larger than 4 MiB");
    }
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        let empty = found(Code::EmptyFleet, "the file is empty");
        return empty.map(|found| found.help("a scenario needs at least `[fleet]`, `[role]` and `[work]`"));
    }
    None
}

/// Mistakes of meaning in a file with mistakes of form: those that do not depend on what is malformed.
fn meaning_despite(found: &[Found], tree: &Node, grammar: &Grammar) -> Vec<Found> {
    // Under a misspelt or misplaced table everything else would seem to be unknown.
    let table_lost = found.iter().any(|found| match found.code {
        Code::UnknownField => found.path.steps().len() == 1,
        Code::SwallowedKey => {
            !found.path.ends_with("expect")
                && !found.path.ends_with("fault")
                && !found.path.ends_with("property")
        }
        _ => false,
    });
    if table_lost {
        return Vec::new();
    }
    let repaired = repair(tree, grammar);
    let Ok(document) = deserialize::read::<Document>(&repaired.tree) else { return Vec::new() };
    let mut meant = meaning::judge(&document, &repaired.tree, false);
    meant.retain(|found| match found.code {
        Code::UnknownName | Code::BadName | Code::MissingField => repaired.is_as_written(&found.path),
        // A field that is gone may be the one that this one goes with.
        Code::Conflict => repaired.is_as_written(&found.path.parent()),
        // Values are compared with their neighbours.
        _ => repaired.has_nothing_made_up(&found.path.parent()),
    });
    meant
}

/// Of the differences from the grammar in a text with errors of syntax, those that stay when the syntax is
/// put right: nothing that seems to be missing, and nothing on a line that could not be read.
fn certain_despite(syntax: &[Found], found: Vec<Found>, source: &Source) -> Vec<Found> {
    let line = |found: &Found| source.line_and_column(found.place.start).0;
    let broken: Vec<usize> = syntax.iter().map(line).collect();
    let stays = |found: &Found| found.code != Code::MissingField && !broken.contains(&line(found));
    found.into_iter().filter(stays).collect()
}
