//! Compares the spanned tree with the grammar and collects every difference, each with what was found,
//! what is expected, the nearest known name, and the trap behind it where there is a known one.

use std::collections::BTreeSet;

use crate::grammar::{Grammar, Rule, fields_list, one_of_names};
use crate::mistake::{Code, Found, KEPT_MAX};
use crate::nearest::nearest;
use crate::path::{Path, Step};
use crate::source::{Place, shown_short};
use crate::tree::{Entry, Node, Value};

/// Every way in which `tree` is not what `grammar` says.
pub(crate) fn validate(tree: &Node, grammar: &Grammar) -> Vec<Found> {
    let mut validator = Validator { top: grammar.top(), found: Vec::new() };
    validator.check(grammar.top(), tree, &Path::top());
    validator.found
}

struct Validator<'g> {
    top: Rule<'g>,
    found: Vec<Found>,
}

impl<'g> Validator<'g> {
    fn check(&mut self, rule: Rule<'g>, node: &Node, path: &Path) {
        if self.found.len() >= KEPT_MAX {
            return;
        }
        let alternatives = rule.alternatives();
        let fitting: Vec<Rule<'g>> = alternatives.iter().copied().filter(|rule| rule.admits(node)).collect();
        match fitting.as_slice() {
            [] => self.wrong_type(&alternatives, node, path),
            [only] => self.check_content(*only, node, path),
            several => self.check_variants(several, node, path),
        }
    }

    /// A table whose one field says which of several kinds of table it is.
    fn check_variants(&mut self, variants: &[Rule<'g>], node: &Node, path: &Path) {
        let Value::Table(entries) = &node.value else { unreachable!("only tables come in variants") };
        let names: Vec<&str> = variants.iter().flat_map(|rule| rule.fields()).collect();
        for entry in entries {
            match variants.iter().find_map(|rule| rule.field(&entry.name)) {
                Some(rule) => self.check(rule, &entry.node, &path.key(&entry.name)),
                None => {
                    self.unknown(&names, entry, node, path);
                }
            }
        }
        let known = entries.iter().filter(|entry| names.contains(&entry.name.as_str()));
        let mut known = known.skip(1);
        if let Some(second) = known.next() {
            self.add(Found::new(
                Code::Conflict,
                &path.key(&second.name),
                second.place,
                format!("`{path}` takes exactly one of {}", fields_list(&names, "and")),
            ));
        } else if entries.is_empty() {
            self.add(Found::new(
                Code::MissingField,
                path,
                node.place,
                format!("`{path}` needs one of {}", fields_list(&names, "or")),
            ));
        }
    }

    fn check_content(&mut self, rule: Rule<'g>, node: &Node, path: &Path) {
        if rule.is_anything() {
            return;
        }
        match &node.value {
            Value::Text(text) => self.check_text(rule, text, node.place, path),
            Value::Integer(number) => self.check_integer(rule, *number, node.place, path),
            Value::Array(items) => self.check_list(rule, items, node.place, path),
            Value::Table(entries) => self.check_table(rule, entries, node, path),
            Value::Boolean(_) | Value::Float(_) | Value::Datetime(_) => {}
        }
    }

    fn check_text(&mut self, rule: Rule<'g>, text: &str, place: Place, path: &Path) {
        if let Some(names) = rule.names() {
            if names.contains(&text) {
                return;
            }
            let message = format!("expected {}, found \"{}\"", one_of_names(&names), shown_short(text));
            let near = nearest(text, names);
            let help = near.map(|name| format!("did you mean \"{name}\"?"));
            self.add(Found::new(Code::BadValue, path, place, message).help_if(help));
        } else if let Some(format) = rule.format()
            && let Err(error) = (format.check)(text)
        {
            let help = error.advice().map(str::to_owned);
            self.add(Found::new(Code::BadValue, path, place, error.to_string()).help_if(help));
        }
    }

    fn check_integer(&mut self, rule: Rule<'g>, number: i64, place: Place, path: &Path) {
        let least = rule.bound("minimum").filter(|least| number < *least);
        if let Some(least) = least {
            let message = format!("`{path}` is at least {least}, found {number}");
            self.add(Found::new(Code::OutOfRange, path, place, message));
        }
    }

    fn check_list(&mut self, rule: Rule<'g>, items: &[Node], place: Place, path: &Path) {
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let (least, most) = (rule.bound("minItems"), rule.bound("maxItems"));
        if least.is_some_and(|least| count < least) || most.is_some_and(|most| count > most) {
            let expected = match (least, most) {
                (Some(least), Some(most)) if least == most => format!("exactly {least}"),
                (Some(least), _) if count < least => format!("at least {least}"),
                (_, most) => format!("at most {}", most.unwrap_or_default()),
            };
            let message = format!("`{path}` has {expected} items, found {count}");
            self.add(Found::new(Code::OutOfRange, path, place, message));
        }
        for (position, item) in items.iter().enumerate() {
            if let Some(rule) = rule.item(position) {
                self.check(rule, item, &path.index(position));
            }
        }
    }

    fn check_table(&mut self, rule: Rule<'g>, entries: &[Entry], node: &Node, path: &Path) {
        let fields: Vec<&str> = rule.fields().collect();
        let mut meant: BTreeSet<&str> = BTreeSet::new();
        for entry in entries {
            if let Some(field) = rule.field(&entry.name) {
                meant.extend(fields.iter().find(|name| **name == entry.name));
                self.check(field, &entry.node, &path.key(&entry.name));
            } else if let Some(any) = rule.entries() {
                if self.is_swallowed(any, entry, node, path) {
                    self.swallowed(entry, path);
                } else {
                    self.check(any, &entry.node, &path.key(&entry.name));
                }
            } else {
                meant.extend(self.unknown(&fields, entry, node, path));
            }
        }
        // A misspelt field is not reported a second time as missing.
        for name in rule.required().filter(|name| !meant.contains(name)) {
            let message = if path.is_top() {
                format!("`[{name}]` is missing")
            } else {
                format!("`{path}` has no `{name}`")
            };
            let found = Found::new(Code::MissingField, path, node.place, message);
            let help = missing_help(rule, name, path);
            self.add(found.help(help));
        }
        self.check_one_of(rule, &meant, entries, node, path);
    }

    fn check_one_of(
        &mut self,
        rule: Rule<'g>,
        meant: &BTreeSet<&str>,
        entries: &[Entry],
        node: &Node,
        path: &Path,
    ) {
        let Some((names, more_may_be)) = rule.one_of() else { return };
        let count = names.iter().filter(|name| meant.contains(*name)).count();
        let quantity = if more_may_be { "at least one" } else { "exactly one" };
        if count == 0 {
            let message = format!("`{path}` needs {quantity} of {}", fields_list(&names, "and"));
            self.add(Found::new(Code::MissingField, path, node.place, message));
        } else if count > 1 && !more_may_be {
            let mut present = entries.iter().filter(|entry| names.contains(&entry.name.as_str()));
            let (Some(first), Some(second)) = (present.next(), present.next()) else { return };
            let message = format!("`{}` does not go with `{}`", second.name, first.name);
            let help = format!("`{path}` takes exactly one of {}", fields_list(&names, "and"));
            let found = Found::new(Code::Conflict, &path.key(&second.name), second.place, message);
            self.add(found.help(help));
        }
    }

    /// A field that the table does not have. Returns the field that was probably meant.
    fn unknown(&mut self, fields: &[&'g str], entry: &Entry, table: &Node, path: &Path) -> Option<&'g str> {
        let name = entry.name.as_str();
        if table.has_header && !path.is_top() && self.top.field(name).is_some() {
            self.swallowed(entry, path);
            return None;
        }
        let message = if path.is_top() {
            format!("a scenario has no `{}`", shown_short(name))
        } else {
            format!("`{path}` has no field `{}`", shown_short(name))
        };
        let near = nearest(name, fields.iter().copied());
        let help = if let Some(kind) = self.beside(name, path) {
            format!("`{name}` stands in the fault itself, beside `{kind}`")
        } else if let Some(home) = self.home_of(name).filter(|home| *home != path.to_string()) {
            format!("`{name}` belongs in `[{home}]`")
        } else if let Some(near) = near {
            format!("did you mean `{near}`?")
        } else {
            format!("it can have {}", fields_list(fields, "and"))
        };
        let found = Found::new(Code::UnknownField, &path.key(name), entry.place, message);
        self.add(found.help(help));
        near.and_then(|near| fields.iter().find(|field| **field == near).copied())
    }

    /// In a table of a fault's kind: the kind, if the fault itself has the field `name`.
    fn beside(&self, name: &str, path: &Path) -> Option<String> {
        let [Step::Key(faults), Step::Index(_), Step::Key(kind)] = path.steps() else { return None };
        let faults = self.top.field(faults).filter(|_| faults == "fault")?;
        faults.item(0)?.alternatives().iter().any(|fault| fault.field(name).is_some()).then(|| kind.clone())
    }

    /// The top-level table with fixed fields that has the field `name`.
    fn home_of(&self, name: &str) -> Option<&'g str> {
        // These two have words that fit anything.
        let mut fields = self.top.fields().filter(|table| !matches!(*table, "heal" | "tolerates"));
        fields.find(|table| {
            let rules = self.top.field(table).map(Rule::alternatives).unwrap_or_default();
            rules.iter().any(|rule| rule.has_type("object") && rule.field(name).is_some())
        })
    }

    /// In a table of names, such as `[role]`, any name may stand; but a top-level key whose value cannot
    /// be an entry stands there by mistake.
    fn is_swallowed(&self, any: Rule<'g>, entry: &Entry, table: &Node, path: &Path) -> bool {
        table.has_header
            && !path.is_top()
            && self.top.field(&entry.name).is_some()
            && !any.alternatives().iter().any(|rule| rule.admits(&entry.node))
    }

    fn swallowed(&mut self, entry: &Entry, path: &Path) {
        let name = &entry.name;
        let header = path.header();
        let message = format!(
            "`{name}` belongs at the top of the file; after `{header}` TOML reads it as `{path}.{name}`"
        );
        let found = Found::new(Code::SwallowedKey, &path.key(name), entry.place, message);
        self.add(found.help(format!("move `{name} = …` above the first `[table]`")));
    }

    fn wrong_type(&mut self, alternatives: &[Rule<'g>], node: &Node, path: &Path) {
        let tables = alternatives.iter().filter(|rule| rule.has_type("object")).count();
        let mut expected: Vec<String> = Vec::new();
        for rule in alternatives {
            let words = match tables {
                2.. if rule.has_type("object") => "a distribution".to_owned(),
                _ => rule.expected(),
            };
            if !expected.contains(&words) {
                expected.push(words);
            }
        }
        let message = format!("expected {}, found {}", expected.join(" or "), node.described());
        let found = Found::new(Code::WrongType, path, node.place, message);
        self.add(found.help_if(wrong_type_help(alternatives, node, path)));
    }

    fn add(&mut self, found: Found) {
        if self.found.len() < KEPT_MAX {
            self.found.push(found);
        }
    }
}

fn wrong_type_help(alternatives: &[Rule<'_>], node: &Node, path: &Path) -> Option<String> {
    let number = match &node.value {
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(shown_short(number)),
        _ => None,
    };
    if let Some(number) = number {
        let format = alternatives.iter().find_map(|rule| rule.format())?;
        let plain = number.trim_start_matches(['-', '+']);
        let instead = (format.instead_of_number)(plain);
        // What is proposed has to be right.
        let proposal = if (format.check)(&instead).is_ok() { Some(instead) } else { None };
        return proposal.map(|text| format!("write \"{text}\""));
    }
    match &node.value {
        Value::Text(text) if alternatives.iter().any(|rule| rule.has_type("boolean")) => {
            let plain = matches!(text.as_str(), "true" | "false");
            plain.then(|| format!("write {text} without quotes"))
        }
        Value::Text(text) if alternatives.iter().any(|rule| rule.has_type("integer")) => {
            text.parse::<i64>().ok().map(|number| format!("write {number} without quotes"))
        }
        Value::Text(text) if alternatives.iter().any(|rule| rule.has_type("array")) => {
            Some(format!("write [\"{}\"]", shown_short(text)))
        }
        Value::Table(_) if alternatives.iter().any(|rule| rule.has_type("array")) => {
            node.has_header.then(|| format!("write `[[{path}]]`, once for each item"))
        }
        Value::Array(_) if alternatives.iter().any(|rule| rule.has_type("object")) => {
            Some(format!("write `[{path}]` or `{path} = {{ … }}`"))
        }
        _ => None,
    }
}

/// What to write for a field that is missing.
fn missing_help(rule: Rule<'_>, name: &str, path: &Path) -> String {
    if path.is_top() {
        return format!("add `[{name}]`");
    }
    let alternatives = rule.field(name).map(Rule::alternatives).unwrap_or_default();
    let expected = alternatives.first().map(|rule| rule.expected()).unwrap_or_default();
    format!("add `{name}`: {expected}")
}
