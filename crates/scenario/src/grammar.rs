//! Reads the generated JSON Schema as a grammar: what kind of value may stand somewhere, and which fields
//! a table has. Knows exactly the part of JSON Schema that the generator writes.

use serde_json::Value as Json;

use crate::scalar::{Format, format};
use crate::tree::{Node, Value};

/// The grammar of a whole scenario file.
pub(crate) struct Grammar {
    root: Json,
}

/// One place of the grammar: what may stand there.
#[derive(Clone, Copy)]
pub(crate) struct Rule<'g> {
    schema: &'g Json,
    root: &'g Json,
}

impl Grammar {
    pub(crate) fn new(root: Json) -> Self {
        Self { root }
    }

    /// The rule of the file as a whole.
    pub(crate) fn top(&self) -> Rule<'_> {
        Rule { schema: &self.root, root: &self.root }
    }
}

impl<'g> Rule<'g> {
    /// The alternatives, each a rule without alternatives of its own.
    pub(crate) fn alternatives(self) -> Vec<Self> {
        let rule = self.resolved();
        if rule.schema.get("type").is_none() && rule.names().is_none() {
            for keyword in ["anyOf", "oneOf"] {
                if let Some(alternatives) = rule.schema.get(keyword).and_then(Json::as_array) {
                    let each = alternatives.iter().map(|schema| rule.with(schema));
                    return each.flat_map(Self::alternatives).collect();
                }
            }
        }
        vec![rule]
    }

    /// The names that may stand here, if this is a choice of names.
    pub(crate) fn names(self) -> Option<Vec<&'g str>> {
        if let Some(names) = self.schema.get("enum").and_then(Json::as_array) {
            return names.iter().map(Json::as_str).collect();
        }
        if let Some(name) = self.schema.get("const") {
            return name.as_str().map(|name| vec![name]);
        }
        let choices = self.schema.get("oneOf").and_then(Json::as_array)?;
        let names: Option<Vec<Vec<&str>>> = choices.iter().map(|choice| self.with(choice).names()).collect();
        names.map(|names| names.concat())
    }

    /// Whether anything may stand here.
    pub(crate) fn is_anything(self) -> bool {
        !["type", "enum", "const", "oneOf", "anyOf"].iter().any(|keyword| self.schema.get(keyword).is_some())
    }

    /// Whether a value of the node's kind may stand here, whatever its content.
    pub(crate) fn admits(self, node: &Node) -> bool {
        if self.is_anything() {
            return true;
        }
        match &node.value {
            Value::Text(_) => self.has_type("string") || self.names().is_some(),
            Value::Integer(_) => self.has_type("integer"),
            Value::Boolean(_) => self.has_type("boolean"),
            Value::Array(_) => self.has_type("array"),
            Value::Table(_) => self.has_type("object"),
            Value::Float(_) | Value::Datetime(_) => false,
        }
    }

    /// Whether JSON Schema's type `name` is among the types that may stand here.
    pub(crate) fn has_type(self, name: &str) -> bool {
        match self.schema.get("type") {
            Some(Json::Array(names)) => names.iter().any(|other| other == name),
            Some(other) => other == name,
            None => false,
        }
    }

    /// The reader of the texts that stand here, if they are scalars of ours.
    pub(crate) fn format(self) -> Option<Format> {
        self.schema.get("format").and_then(Json::as_str).and_then(format)
    }

    /// A bound such as `minimum` or `maxItems`.
    pub(crate) fn bound(self, keyword: &str) -> Option<i64> {
        self.schema.get(keyword).and_then(Json::as_i64)
    }

    /// Whether the content of a text or number is right, if its kind is.
    pub(crate) fn allows(self, node: &Node) -> bool {
        match &node.value {
            Value::Text(text) => match (self.names(), self.format()) {
                (Some(names), _) => names.contains(&text.as_str()),
                (None, Some(format)) => (format.check)(text).is_ok(),
                (None, None) => true,
            },
            Value::Integer(number) => self.bound("minimum").is_none_or(|least| *number >= least),
            _ => true,
        }
    }

    /// Whether a list may have so many items.
    pub(crate) fn allows_length(self, items: usize) -> bool {
        let items = i64::try_from(items).unwrap_or(i64::MAX);
        self.bound("minItems").is_none_or(|least| items >= least)
            && self.bound("maxItems").is_none_or(|most| items <= most)
    }

    /// A text that may stand here.
    pub(crate) fn example(self) -> Option<&'g str> {
        self.schema.get("examples")?.get(0)?.as_str()
    }

    /// The rule of the field `name`.
    pub(crate) fn field(self, name: &str) -> Option<Self> {
        let field = self.schema.get("properties")?.get(name)?;
        Some(self.with(field))
    }

    /// The fields of the table.
    pub(crate) fn fields(self) -> impl Iterator<Item = &'g str> {
        let fields = self.schema.get("properties").and_then(Json::as_object);
        fields.into_iter().flat_map(|fields| fields.keys().map(String::as_str))
    }

    /// The rule of every entry that is no field, if any name may stand here.
    pub(crate) fn entries(self) -> Option<Self> {
        match self.schema.get("additionalProperties") {
            Some(Json::Bool(false)) => None,
            Some(schema) => Some(self.with(schema)),
            None => Some(self.with(&Json::Bool(true))),
        }
    }

    /// The fields that have to be there.
    pub(crate) fn required(self) -> impl Iterator<Item = &'g str> {
        let names = self.schema.get("required").and_then(Json::as_array);
        names.into_iter().flatten().filter_map(Json::as_str)
    }

    /// The fields of which one has to be there, and whether more than one may be.
    pub(crate) fn one_of(self) -> Option<(Vec<&'g str>, bool)> {
        let read = |keyword: &str| -> Option<Vec<&'g str>> {
            let choices = self.schema.get(keyword)?.as_array()?;
            choices.iter().map(|choice| choice.get("required")?.get(0)?.as_str()).collect()
        };
        let exactly = read("oneOf").map(|names| (names, false));
        exactly.or_else(|| read("anyOf").map(|names| (names, true)))
    }

    /// The rule of item `position` of the list.
    pub(crate) fn item(self, position: usize) -> Option<Self> {
        let fixed = self.schema.get("prefixItems").and_then(|items| items.get(position));
        fixed.or_else(|| self.schema.get("items")).map(|schema| self.with(schema))
    }

    /// What may stand here, for "expected …".
    pub(crate) fn expected(self) -> String {
        if let Some(format) = self.format() {
            return format.expected.to_owned();
        }
        if let Some(names) = self.names() {
            return one_of_names(&names);
        }
        for (name, words) in [
            ("string", "a text in quotes"),
            ("integer", "a whole number"),
            ("boolean", "true or false"),
            ("array", "a list"),
        ] {
            if self.has_type(name) {
                return words.to_owned();
            }
        }
        "a table".to_owned()
    }

    /// Follows references to where the schema itself is.
    fn resolved(self) -> Self {
        let mut rule = self;
        while let Some(reference) = rule.schema.get("$ref").and_then(Json::as_str) {
            let pointer = reference.trim_start_matches('#');
            let target = self.root.pointer(pointer);
            rule = rule.with(target.expect("the generator defines what it refers to"));
        }
        rule
    }

    fn with(self, schema: &'g Json) -> Self {
        Self { schema, root: self.root }
    }
}

/// `"a", "b" or "c"`.
pub(crate) fn one_of_names(names: &[&str]) -> String {
    list(names.iter().map(|name| format!("\"{name}\"")).collect(), "or")
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn fields_list(names: &[&str], joint: &str) -> String {
    list(names.iter().map(|name| format!("`{name}`")).collect(), joint)
}

fn list(names: Vec<String>, joint: &str) -> String {
    match names.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {joint} {last}", others.join(", ")),
    }
}
