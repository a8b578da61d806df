//! Makes a tree fit the grammar by leaving out and filling in what is wrong, so that a file with mistakes
//! of form can still be searched for mistakes of meaning. What was touched is remembered, and what is then
//! found there is not believed.

use std::collections::BTreeSet;

use crate::grammar::{Grammar, Rule};
use crate::path::Path;
use crate::tree::{Entry, Node, Value};

/// A tree that fits the grammar, and what had to be changed for that.
pub(crate) struct Repaired {
    pub(crate) tree: Node,
    /// What was left out.
    removed: BTreeSet<Path>,
    /// What stands there now was made up.
    filled: BTreeSet<Path>,
}

/// A copy of `tree` that fits `grammar`.
pub(crate) fn repair(tree: &Node, grammar: &Grammar) -> Repaired {
    let mut repair = Repair { removed: BTreeSet::new(), filled: BTreeSet::new() };
    let tree = repair.node(grammar.top(), tree, &Path::top());
    Repaired { tree, removed: repair.removed, filled: repair.filled }
}

impl Repaired {
    /// Whether the value at `path` is as it was written: neither it, nor what it is part of, nor a part
    /// of it was changed.
    pub(crate) fn is_as_written(&self, path: &Path) -> bool {
        self.has_nothing_made_up(path) && !touches(&self.removed, path)
    }

    /// Whether the value at `path` has only parts that were written, though some may be missing.
    pub(crate) fn has_nothing_made_up(&self, path: &Path) -> bool {
        !touches(&self.filled, path)
    }
}

/// Whether one of the `changes` is at `path`, above it or below it.
fn touches(changes: &BTreeSet<Path>, path: &Path) -> bool {
    let above = path.prefixes().any(|prefix| changes.contains(&prefix));
    let next = changes.range(path.clone()..).next();
    above || next.is_some_and(|change| change.starts_with(path))
}

struct Repair {
    removed: BTreeSet<Path>,
    filled: BTreeSet<Path>,
}

impl Repair {
    fn node(&mut self, rule: Rule<'_>, node: &Node, path: &Path) -> Node {
        let mut alternatives = rule.alternatives();
        alternatives.retain(|rule| rule.admits(node));
        match alternatives.as_slice() {
            [] => self.placeholder(rule, node, path),
            [only] => self.content(*only, rule, node, path),
            variants => self.variant(variants, rule, node, path),
        }
    }

    fn content(&mut self, rule: Rule<'_>, place: Rule<'_>, node: &Node, path: &Path) -> Node {
        let value = match &node.value {
            Value::Table(entries) if !rule.is_anything() => self.table(rule, entries, node, path),
            Value::Array(items) if !rule.is_anything() => {
                if !rule.allows_length(items.len()) {
                    return self.placeholder(place, node, path);
                }
                let items = items.iter().enumerate();
                Value::Array(
                    items
                        .map(|(position, item)| match rule.item(position) {
                            Some(rule) => self.node(rule, item, &path.index(position)),
                            None => item.clone(),
                        })
                        .collect(),
                )
            }
            _ if !rule.allows(node) => return self.placeholder(place, node, path),
            value => value.clone(),
        };
        Node { value, ..*node }
    }

    fn table(&mut self, rule: Rule<'_>, entries: &[Entry], node: &Node, path: &Path) -> Value {
        let exclusive = rule.one_of().filter(|(_, more_may_be)| !more_may_be);
        let exclusive = exclusive.map(|(names, _)| names).unwrap_or_default();
        let mut chosen = false;
        let mut kept: Vec<Entry> = Vec::new();
        for entry in entries {
            let path = path.key(&entry.name);
            let below = rule.field(&entry.name).or_else(|| rule.entries());
            let excluded = chosen && exclusive.contains(&entry.name.as_str());
            let Some(below) = below.filter(|_| !excluded) else {
                self.removed.insert(path);
                continue;
            };
            chosen |= exclusive.contains(&entry.name.as_str());
            let node = self.node(below, &entry.node, &path);
            kept.push(Entry { name: entry.name.clone(), place: entry.place, node });
        }
        for name in rule.required() {
            let (Some(below), false) = (rule.field(name), kept.iter().any(|e| e.name == name)) else {
                continue;
            };
            let node = self.placeholder(below, node, &path.key(name));
            kept.push(Entry { name: name.to_owned(), place: node.place, node });
        }
        Value::Table(kept)
    }

    fn variant(&mut self, variants: &[Rule<'_>], place: Rule<'_>, node: &Node, path: &Path) -> Node {
        let Value::Table(entries) = &node.value else { unreachable!("only tables come in variants") };
        let [entry] = entries.as_slice() else { return self.placeholder(place, node, path) };
        match variants.iter().find(|rule| rule.field(&entry.name).is_some()) {
            Some(rule) => self.content(*rule, place, node, path),
            None => self.placeholder(place, node, path),
        }
    }

    fn placeholder(&mut self, rule: Rule<'_>, node: &Node, path: &Path) -> Node {
        self.filled.insert(path.clone());
        Node { place: node.place, value: placeholder(rule, node), has_header: false }
    }
}

/// Some value that fits the rule.
fn placeholder(rule: Rule<'_>, near: &Node) -> Value {
    let alternatives = rule.alternatives();
    let Some(rule) = alternatives.first() else { return Value::Table(Vec::new()) };
    if let Some(name) = rule.names().and_then(|names| names.first().copied()) {
        Value::Text(name.to_owned())
    } else if rule.has_type("integer") {
        Value::Integer(rule.bound("minimum").unwrap_or(0).max(1))
    } else if rule.has_type("string") {
        Value::Text(rule.example().unwrap_or_default().to_owned())
    } else if rule.has_type("boolean") {
        Value::Boolean(false)
    } else if rule.has_type("array") {
        let least = rule.bound("minItems").unwrap_or(0);
        let items = (0..usize::try_from(least).unwrap_or(0)).filter_map(|at| rule.item(at));
        Value::Array(items.map(|rule| placeholder_node(rule, near)).collect())
    } else {
        let required = rule.required().filter_map(|name| Some((name, rule.field(name)?)));
        let entries = required.map(|(name, rule)| Entry {
            name: name.to_owned(),
            place: near.place,
            node: placeholder_node(rule, near),
        });
        Value::Table(entries.collect())
    }
}

fn placeholder_node(rule: Rule<'_>, near: &Node) -> Node {
    Node { place: near.place, value: placeholder(rule, near), has_header: false }
}
