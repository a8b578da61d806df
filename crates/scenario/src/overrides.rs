//! `--set path=value`: single values replaced before a scenario is judged. The pairs are kept as they were
//! given, because a run is described by its file, its overrides and its seed.

use crate::error::Error;
use crate::grammar::{Grammar, Rule, fields_list};
use crate::mistake::{Code, Found};
use crate::nearest::nearest;
use crate::path::Path;
use crate::source::{Place, Source, shown_short};
use crate::tree::{self, Entry, Node, Value};

/// Bytes of one override; more is no single value.
const LENGTH_MAX: usize = 64 * 1024;
/// Levels of one path; no part of a scenario is deeper.
const LEVELS_MAX: usize = 32;

/// Values to replace, in the order in which they are applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides(Vec<(String, String)>);

impl Overrides {
    /// No overrides.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds one, written `path=value`, such as `role.coder.count=3`.
    ///
    /// # Errors
    /// If there is no `=`, no path before it, or more than 64 KiB.
    pub fn push(&mut self, argument: &str) -> Result<(), Error> {
        let (path, value) = argument.split_once('=').unwrap_or((argument, ""));
        let path = path.trim();
        if path.is_empty() || !argument.contains('=') || argument.len() > LENGTH_MAX {
            return Err(Error::bad_override(argument));
        }
        self.0.push((path.to_owned(), value.trim().to_owned()));
        Ok(())
    }

    /// The paths and values, as they go into a trace and come back from it.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

impl From<Vec<(String, String)>> for Overrides {
    fn from(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }
}

/// Changes `tree` as told. Source `n + 1` is the override number `n`.
pub(crate) fn apply(overrides: &Overrides, tree: &mut Node, grammar: &Grammar) -> (Vec<Source>, Vec<Found>) {
    let mut sources = Vec::new();
    let mut found = Vec::new();
    for (position, (path, value)) in overrides.0.iter().enumerate() {
        sources.push(Source::new("--set", &format!("{path}={value}")));
        let replacement = Replacement { path, value, source: position + 1 };
        if let Err(mistake) = replacement.apply(tree, grammar.top()) {
            found.push(mistake);
        }
    }
    (sources, found)
}

struct Replacement<'a> {
    path: &'a str,
    value: &'a str,
    source: usize,
}

impl Replacement<'_> {
    fn apply(&self, tree: &mut Node, top: Rule<'_>) -> Result<(), Found> {
        let segments: Vec<&str> = self.path.split('.').map(str::trim).collect();
        if segments.len() > LEVELS_MAX || segments.iter().any(|segment| segment.is_empty()) {
            let message = format!("`{}` is no path", shown_short(self.path));
            return Err(self
                .wrong(Code::Syntax, &Path::top(), message)
                .help("a path is names with points between: role.coder.count"));
        }
        let mut node = tree;
        let mut rules = top.alternatives();
        let mut path = Path::top();
        for (level, segment) in segments.iter().enumerate() {
            let is_last = level + 1 == segments.len();
            let in_list = matches!(node.value, Value::Array(_));
            (node, rules) = self.step(node, &rules, &path, segment, is_last)?;
            path = match segment.parse() {
                Ok(index) if in_list => path.index(index),
                _ => path.key(segment),
            };
        }
        *node = self.node(&rules);
        Ok(())
    }

    /// One step down, into an entry that is made if it may be there and is not.
    fn step<'n, 'g>(
        &self,
        node: &'n mut Node,
        rules: &[Rule<'g>],
        path: &Path,
        segment: &str,
        is_last: bool,
    ) -> Result<(&'n mut Node, Vec<Rule<'g>>), Found> {
        match &mut node.value {
            Value::Array(items) => {
                let count = items.len();
                let index = segment.parse::<usize>().ok().filter(|index| *index < count);
                let Some(index) = index else {
                    let message = format!("`{path}` has no item `{}`", shown_short(segment));
                    let help = match count {
                        0 => "the list is empty".to_owned(),
                        _ => format!("its items are 0 to {}", count - 1),
                    };
                    return Err(self.wrong(Code::UnknownField, path, message).help(help));
                };
                let rules = rules.iter().filter_map(|rule| rule.item(index));
                Ok((&mut items[index], rules.flat_map(Rule::alternatives).collect()))
            }
            Value::Table(entries) => {
                let below = self.rules_below(rules, entries, path, segment, is_last)?;
                let position = entries.iter().position(|entry| entry.name == segment);
                let position = position.unwrap_or_else(|| {
                    entries.push(self.empty_entry(segment));
                    entries.len() - 1
                });
                Ok((&mut entries[position].node, below))
            }
            _ => {
                let message = format!("`{path}` is not a table");
                Err(self.wrong(Code::WrongType, path, message).help(format!("set `{path}` as a whole")))
            }
        }
    }

    /// What may stand below `segment`, or why nothing may.
    fn rules_below<'g>(
        &self,
        rules: &[Rule<'g>],
        entries: &[Entry],
        path: &Path,
        segment: &str,
        is_last: bool,
    ) -> Result<Vec<Rule<'g>>, Found> {
        let field: Vec<Rule<'g>> = rules.iter().filter_map(|rule| rule.field(segment)).collect();
        if !field.is_empty() {
            return Ok(field.into_iter().flat_map(Rule::alternatives).collect());
        }
        let tables = rules.iter().filter(|rule| rule.has_type("object") || rule.is_anything());
        let names: Vec<Rule<'g>> = tables.filter_map(|rule| rule.entries()).collect();
        let exists = entries.iter().any(|entry| entry.name == segment);
        // Something new is set as a whole; half of it is more probably a misspelt name.
        let anything = names.iter().any(|rule| rule.alternatives().iter().any(|rule| rule.is_anything()));
        if !names.is_empty() && (exists || is_last || anything) {
            return Ok(names.into_iter().flat_map(Rule::alternatives).collect());
        }
        let known: Vec<&str> = if names.is_empty() {
            rules.iter().flat_map(|rule| rule.fields()).collect()
        } else {
            entries.iter().map(|entry| entry.name.as_str()).collect()
        };
        let (code, message) = if path.is_top() {
            (Code::UnknownField, format!("a scenario has no `{}`", shown_short(segment)))
        } else if names.is_empty() {
            (Code::UnknownField, format!("`{path}` has no field `{}`", shown_short(segment)))
        } else {
            (Code::UnknownName, format!("there is no {path} `{}`", shown_short(segment)))
        };
        let help = match nearest(segment, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it can be {}", fields_list(&known, "or")),
        };
        Err(self.wrong(code, &path.key(segment), message).help(help))
    }

    fn empty_entry(&self, name: &str) -> Entry {
        let place = self.place();
        let node = Node { place, value: Value::Table(Vec::new()), has_header: false };
        Entry { name: name.to_owned(), place, node }
    }

    /// The value: TOML where it is TOML, otherwise the text itself, so that quotes are not needed.
    fn node(&self, rules: &[Rule<'_>]) -> Node {
        let starts_at = self.path.len() + 1;
        let place = Place { source: self.source, start: starts_at, end: starts_at + self.value.len() };
        let text = Node { place, value: Value::Text(self.value.to_owned()), has_header: false };
        const PREFIX: &str = "v=";
        let (parsed, mistakes) = tree::parse(&format!("{PREFIX}{}", self.value), self.source);
        let Value::Table(mut entries) = parsed.value else { return text };
        if !mistakes.is_empty() || entries.len() != 1 {
            return text;
        }
        let Some(Entry { mut node, .. }) = entries.pop() else { return text };
        // `--set …input=3` means the amount "3": on a command line nobody writes the inner quotes.
        let is_number = matches!(node.value, Value::Integer(_) | Value::Float(_));
        let fits = |rule: &Rule<'_>| rule.format().is_some_and(|f| (f.check)(self.value).is_ok());
        if is_number && !rules.iter().any(|rule| rule.admits(&node)) && rules.iter().any(fits) {
            return text;
        }
        shift(&mut node, starts_at - PREFIX.len().min(starts_at));
        node
    }

    fn wrong(&self, code: Code, path: &Path, message: String) -> Found {
        Found::new(code, path, self.place(), message)
    }

    /// The path within the override.
    fn place(&self) -> Place {
        Place { source: self.source, start: 0, end: self.path.len() }
    }
}

/// Moves every place by `bytes`, from where the value was parsed to where it is shown.
fn shift(node: &mut Node, bytes: usize) {
    let moved = |place: Place| Place { start: place.start + bytes, end: place.end + bytes, ..place };
    node.place = moved(node.place);
    match &mut node.value {
        Value::Array(items) => items.iter_mut().for_each(|item| shift(item, bytes)),
        Value::Table(entries) => {
            for entry in entries {
                entry.place = moved(entry.place);
                shift(&mut entry.node, bytes);
            }
        }
        _ => {}
    }
}
