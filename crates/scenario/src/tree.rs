//! A parsed TOML text in which every key and value knows where it stands. Tables keep the order of the
//! file, integers are exact, and nesting is bounded by the parser.

use toml::de::{DeTable, DeValue};

use crate::mistake::{Code, Found};
use crate::path::{Path, Step};
use crate::source::{Place, shown_short};

/// One value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
    /// Whether this is a table opened by a `[header]`, which swallows the keys written below it.
    pub(crate) has_header: bool,
}

/// What TOML can say.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    /// A number with a fraction or an exponent, as it was written.
    Float(String),
    Boolean(bool),
    Datetime(String),
    Array(Vec<Node>),
    Table(Vec<Entry>),
}

/// One key of a table and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) node: Node,
}

impl Node {
    /// The entry `name`, if this is a table that has it.
    pub(crate) fn entry(&self, name: &str) -> Option<&Entry> {
        match &self.value {
            Value::Table(entries) => entries.iter().find(|entry| entry.name == name),
            _ => None,
        }
    }

    /// The value one step down.
    pub(crate) fn child(&self, step: &Step) -> Option<&Self> {
        match (step, &self.value) {
            (Step::Key(name), Value::Table(_)) => self.entry(name).map(|entry| &entry.node),
            (Step::Index(index), Value::Array(items)) => items.get(*index),
            _ => None,
        }
    }

    /// The place of the value at `path`, or of the nearest value above it that exists.
    pub(crate) fn locate(&self, path: &Path) -> Place {
        let mut node = self;
        for step in path.steps() {
            match node.child(step) {
                Some(child) => node = child,
                None => break,
            }
        }
        node.place
    }

    /// The place of the key at `path`, or of the nearest value above it that exists.
    pub(crate) fn locate_key(&self, path: &Path) -> Place {
        let mut node = self;
        let mut place = self.place;
        for step in path.steps() {
            let Some(child) = node.child(step) else { break };
            place = match step {
                Step::Key(name) => node.entry(name).map_or(child.place, |entry| entry.place),
                Step::Index(_) => child.place,
            };
            node = child;
        }
        place
    }

    /// What was found, for "found …".
    pub(crate) fn described(&self) -> String {
        match &self.value {
            Value::Text(text) => format!("the text \"{}\"", shown_short(text)),
            Value::Integer(number) => format!("the number {number}"),
            Value::Float(number) => format!("the number {}", shown_short(number)),
            Value::Boolean(value) => format!("{value}"),
            Value::Datetime(text) => format!("the date or time {}", shown_short(text)),
            Value::Array(_) => "a list".to_owned(),
            Value::Table(_) => "a table".to_owned(),
        }
    }
}

/// The tree of `text`, as far as it can be read, and every mistake of syntax in it.
pub(crate) fn parse(text: &str, source: usize) -> (Node, Vec<Found>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut mistakes = Vec::new();
    for error in errors.iter().take(crate::mistake::KEPT_MAX) {
        mistakes.push(syntax_mistake(text, source, error));
    }
    let mut builder = Builder { text, source, mistakes };
    let place = Place { source, start: 0, end: 0 };
    let value = builder.table(table.get_ref(), &Path::top());
    (Node { place, value, has_header: true }, builder.mistakes)
}

struct Builder<'a> {
    text: &'a str,
    source: usize,
    mistakes: Vec<Found>,
}

impl Builder<'_> {
    fn table(&mut self, table: &DeTable<'_>, path: &Path) -> Value {
        let mut entries: Vec<Entry> = table
            .iter()
            .map(|(key, value)| {
                let name = key.get_ref().to_string();
                let node = self.node(value.get_ref(), value.span(), &path.key(&name));
                Entry { name, place: self.place(key.span()), node }
            })
            .collect();
        entries.sort_by_key(|entry| entry.place);
        Value::Table(entries)
    }

    fn node(&mut self, value: &DeValue<'_>, span: std::ops::Range<usize>, path: &Path) -> Node {
        let place = self.place(span.clone());
        let mut has_header = false;
        let value = match value {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => {
                let read = i64::from_str_radix(number.as_str(), number.radix());
                Value::Integer(read.unwrap_or_else(|_| {
                    self.number_too_large(place, path, number.as_str());
                    0
                }))
            }
            DeValue::Float(number) => {
                if !number.as_str().parse::<f64>().is_ok_and(f64::is_finite) {
                    self.number_too_large(place, path, number.as_str());
                }
                Value::Float(number.as_str().to_owned())
            }
            DeValue::Boolean(value) => Value::Boolean(*value),
            DeValue::Datetime(datetime) => Value::Datetime(datetime.to_string()),
            DeValue::Array(items) => Value::Array(
                items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| self.node(item.get_ref(), item.span(), &path.index(at)))
                    .collect(),
            ),
            DeValue::Table(table) => {
                has_header = self.text.get(span).is_some_and(|text| text.starts_with('['));
                self.table(table, path)
            }
        };
        Node { place, value, has_header }
    }

    fn number_too_large(&mut self, place: Place, path: &Path, digits: &str) {
        self.mistakes.push(
            Found::new(
                Code::OutOfRange,
                path,
                place,
                format!("the number {} is out of range", shown_short(digits)),
            )
            .help("whole numbers lie between -9223372036854775808 and 9223372036854775807"),
        );
    }

    fn place(&self, span: std::ops::Range<usize>) -> Place {
        Place { source: self.source, start: span.start, end: span.end }
    }
}

/// The parser's error in words for somebody who does not know TOML's grammar.
fn syntax_mistake(text: &str, source: usize, error: &toml::de::Error) -> Found {
    let span = error.span().unwrap_or(0..0);
    let place = Place { source, start: span.start, end: span.end };
    let written = text.get(span).unwrap_or("");
    let found = |message: String| Found::new(Code::Syntax, &Path::top(), place, message);
    let message = error.message();
    if message.starts_with("string values must be quoted") {
        if written.trim().is_empty() {
            return found("a value is missing here".to_owned());
        }
        return found(format!("`{}` is no TOML value", shown_short(written)))
            .help(format!("text is written in quotes: \"{}\"", shown_short(written.trim())));
    }
    if message == "duplicate key" {
        return found(format!("`{}` is written twice", shown_short(written)))
            .help("keep one of the two; a table is opened once, and a name is given once in it");
    }
    if message.contains("recurs") {
        return found("lists or tables are nested too deeply".to_owned())
            .help("no part of a scenario needs more than a few levels");
    }
    found(shown_short(message))
}
