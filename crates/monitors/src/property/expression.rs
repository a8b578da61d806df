//! The small language in which a scenario names facts: `TaskFinished.task where actual and attempt < 3`.
//!
//! ```text
//! pattern   = FACT [ "." FIELD ] [ "where" condition ]
//! condition = part { "or" part }
//! part      = test { "and" test }
//! test      = "not" test | "(" condition ")" | FIELD [ relation value ]
//! relation  = "=" | "!=" | "<" | "<=" | ">" | ">="
//! value     = NUMBER | 'TEXT' | "true" | "false"
//! ```
//! Facts and fields are those of [`Fact`]; a custom fact's fields are its own. Two more fields go with every fact:
//! `agent`, who stated it, and `role`, that agent's role; both are compared with a name. A field alone is a test when
//! it is yes or no. A field that a custom fact does not have fails every test, `!=` as well.

use core::fmt;

use fleetsim_engine::batch::Step;
use fleetsim_engine::schema::Shape;
use fleetsim_engine::{AgentId, Fact};
use serde::{Deserialize, Serialize};

use super::Key;
use super::field::{Field, field};
use crate::interests::FactKind;
use crate::role::Role;
use crate::text::shown;

/// Bytes of a pattern.
const TEXT_BYTES_MAX: usize = 512;
/// `not` and `(` within one another.
const DEPTH_MAX: u32 = 16;

/// What is wrong with a pattern, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    message: String,
    start: usize,
    end: usize,
    unknown: Option<(String, Vec<String>)>,
}

impl ExpressionError {
    /// The part of the text that is wrong, in bytes.
    #[must_use]
    pub fn place(&self) -> core::ops::Range<usize> {
        self.start..self.end
    }

    /// When a name is not known: that name, and those that are known in its place, for a suggestion.
    #[must_use]
    pub fn unknown(&self) -> Option<(&str, &[String])> {
        self.unknown.as_ref().map(|(name, known)| (name.as_str(), known.as_slice()))
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at character {}", self.message, self.start + 1)
    }
}

impl std::error::Error for ExpressionError {}

/// Facts of one kind that pass a condition, each perhaps with a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    kind: FactKind,
    key: Option<String>,
    condition: Option<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Any(Vec<Condition>),
    All(Vec<Condition>),
    Not(Box<Condition>),
    Test { field: String, relation: Relation, value: Literal },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    Different,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Literal {
    Number(i128),
    Flag(bool),
    Text(String),
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with its place. Patterns have at most 512 bytes and nest at most 16 deep.
    pub fn parse(text: &str) -> Result<Pattern, ExpressionError> {
        Parser::new(text)?.pattern(text)
    }

    /// The kind of fact that it is about.
    #[must_use]
    pub fn kind(&self) -> FactKind {
        self.kind
    }

    /// The field that is its key, when it names one.
    #[must_use]
    pub fn key_field(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same pattern with `field` as its key, where it names none.
    ///
    /// # Errors
    /// When its facts have no such field.
    pub fn keyed_by(mut self, field: &str) -> Result<Pattern, ExpressionError> {
        if self.key.is_none() {
            field_shape(self.kind, field, 0, self.text.len())?;
            self.key = Some(field.to_owned());
        }
        Ok(self)
    }

    pub(super) fn is_of_kind(&self, fact: &Fact<'_>) -> bool {
        FactKind::of(fact) == self.kind
    }

    /// Whether the fact, which is of the kind, passes the condition.
    pub(super) fn passes(&self, fact: &Fact<'_>, step: &Step<'_>) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.holds(fact, step))
    }

    pub(super) fn matches(&self, fact: &Fact<'_>, step: &Step<'_>) -> bool {
        self.is_of_kind(fact) && self.passes(fact, step)
    }

    /// The key of a fact that matches.
    pub(super) fn key(&self, fact: &Fact<'_>, step: &Step<'_>) -> Option<Key> {
        if !self.matches(fact, step) {
            return None;
        }
        let Some(name) = &self.key else { return Some(Key::Run) };
        Some(match own(step, name).or_else(|| field(fact, name))? {
            // What does not fit was never a key, and a negative number is told apart from every other.
            Field::Number(number) => {
                u64::try_from(number).map_or_else(|_| Key::from(&*number.to_string()), Key::Number)
            }
            Field::Flag(flag) => Key::Number(flag.into()),
            Field::Text(text) => Key::Text(text.into()),
            Field::Agent(agent) => Key::Agent(agent),
        })
    }
}

impl TryFrom<String> for Pattern {
    type Error = ExpressionError;

    fn try_from(text: String) -> Result<Pattern, ExpressionError> {
        Pattern::parse(&text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> String {
        pattern.text
    }
}

/// The fields that go with every fact.
fn own(step: &Step<'_>, name: &str) -> Option<Field> {
    (name == "agent").then_some(Field::Agent(step.target))
}

impl Condition {
    fn holds(&self, fact: &Fact<'_>, step: &Step<'_>) -> bool {
        match self {
            Condition::Any(parts) => parts.iter().any(|part| part.holds(fact, step)),
            Condition::All(parts) => parts.iter().all(|part| part.holds(fact, step)),
            Condition::Not(part) => !part.holds(fact, step),
            Condition::Test { field: name, relation, value: Literal::Text(text) } if name == "role" => {
                relation.holds_if_equal(Role::of(step.target) == Role::named(text))
            }
            Condition::Test { field: name, relation, value } => own(step, name)
                .or_else(|| field(fact, name))
                .is_some_and(|field| relation.holds(&field, value)),
        }
    }
}

impl Relation {
    fn holds(self, field: &Field, value: &Literal) -> bool {
        match (field, value) {
            (Field::Number(field), Literal::Number(value)) => match self {
                Relation::Equal => field == value,
                Relation::Different => field != value,
                Relation::Less => field < value,
                Relation::LessOrEqual => field <= value,
                Relation::Greater => field > value,
                Relation::GreaterOrEqual => field >= value,
            },
            (Field::Flag(field), Literal::Flag(value)) => self.holds_if_equal(field == value),
            (Field::Text(field), Literal::Text(value)) => self.holds_if_equal(field == value),
            (Field::Agent(agent), Literal::Text(name)) => self.holds_if_equal(is_called(*agent, name)),
            _ => false,
        }
    }

    fn holds_if_equal(self, equal: bool) -> bool {
        match self {
            Relation::Equal => equal,
            Relation::Different => !equal,
            _ => false,
        }
    }
}

/// Whether `agent` is a member of a group and has this name: `coder-2`, or `editor` where there is only one.
fn is_called(agent: AgentId, name: &str) -> bool {
    let numbered =
        name.rsplit_once('-').and_then(|(group, ordinal)| Some((group, ordinal.parse::<u32>().ok()?)));
    agent == AgentId::named(name, 1)
        || numbered.is_some_and(|(group, ordinal)| ordinal > 0 && agent == AgentId::named(group, ordinal))
}

/// What `field` of facts of `kind` holds; `None` for a field of a custom fact, which may hold anything.
fn field_shape(
    kind: FactKind,
    field: &str,
    start: usize,
    end: usize,
) -> Result<Option<Shape>, ExpressionError> {
    if matches!(field, "agent" | "role") {
        return Ok(Some(Shape::Agent));
    }
    if kind == FactKind::Custom {
        return Ok((field == "name").then_some(Shape::Text));
    }
    let Shape::Enum { mut variants } = Shape::of::<Fact<'_>>() else { unreachable!("facts are an enum") };
    let (_, shape) = variants.swap_remove(kind as usize);
    let Shape::Record(fields) = shape else { unreachable!("a fact has named fields") };
    let known: Vec<String> =
        fields.iter().map(|(name, _)| name.clone()).chain(["agent".to_owned(), "role".to_owned()]).collect();
    match fields.into_iter().find(|(name, _)| name == field) {
        Some((_, shape)) => Ok(Some(shape)),
        None => Err(ExpressionError {
            message: format!("{} has no field `{}`", kind.name(), shown(field)),
            start,
            end,
            unknown: Some((field.to_owned(), known)),
        }),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Number(i128),
    Text(String),
    Sign(&'static str),
}

struct Parser {
    tokens: Vec<(Token, usize, usize)>,
    at: usize,
    length: usize,
}

const SIGNS: [&str; 9] = ["!=", "<=", ">=", "=", "<", ">", "(", ")", "."];

impl Parser {
    fn new(text: &str) -> Result<Parser, ExpressionError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(wrong("it is longer than 512 bytes", TEXT_BYTES_MAX, text.len()));
        }
        let mut tokens = Vec::new();
        let mut start = 0;
        while let Some(first) = text[start..].chars().next() {
            let rest = &text[start..];
            let (token, length) = if first.is_whitespace() {
                start += first.len_utf8();
                continue;
            } else if first.is_ascii_alphabetic() || first == '_' {
                let length = length_while(rest, |c| c.is_ascii_alphanumeric() || c == '_');
                (Token::Word(rest[..length].to_owned()), length)
            } else if first.is_ascii_digit() || first == '-' {
                let length = 1 + length_while(&rest[1..], |c| c.is_ascii_digit() || c == '_');
                let digits = rest[..length].replace('_', "");
                let number = digits.parse::<i128>();
                (
                    Token::Number(
                        number.map_err(|_| wrong("this is no whole number", start, start + length))?,
                    ),
                    length,
                )
            } else if first == '\'' {
                let inside = length_while(&rest[1..], |c| c != '\'');
                if rest.len() == inside + 1 {
                    return Err(wrong("this text does not end: `'` is missing", start, text.len()));
                }
                (Token::Text(rest[1..=inside].to_owned()), inside + 2)
            } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                (Token::Sign(sign), sign.len())
            } else {
                let message = format!("`{}` has no meaning here", shown(&first.to_string()));
                return Err(wrong(&message, start, start + first.len_utf8()));
            };
            tokens.push((token, start, start + length));
            start += length;
        }
        Ok(Parser { tokens, at: 0, length: text.len() })
    }

    fn pattern(mut self, text: &str) -> Result<Pattern, ExpressionError> {
        let (start, end) = self.place();
        let name = self.word("the name of a fact, such as TaskFinished")?;
        let kind = FactKind::named(&name).ok_or_else(|| ExpressionError {
            message: format!("no fact `{}`", shown(&name)),
            start,
            end,
            unknown: Some((name, FactKind::ALL.iter().map(|kind| kind.name().to_owned()).collect())),
        })?;
        let mut key = None;
        if self.takes(&Token::Sign(".")) {
            let (start, end) = self.place();
            let field = self.word("a field of the fact")?;
            if field == "role" {
                return Err(wrong("a role is no key; `agent` is", start, end));
            }
            field_shape(kind, &field, start, end)?;
            key = Some(field);
        }
        let mut condition = None;
        if self.takes(&Token::Word("where".to_owned())) {
            condition = Some(self.condition(kind, 0)?);
        }
        if self.at < self.tokens.len() {
            let expected = if condition.is_some() { "`and`, `or` or the end" } else { "`where` or the end" };
            return Err(self.expected(expected));
        }
        Ok(Pattern { text: text.to_owned(), kind, key, condition })
    }

    fn condition(&mut self, kind: FactKind, depth: u32) -> Result<Condition, ExpressionError> {
        let mut any = vec![self.part(kind, depth)?];
        while self.takes(&Token::Word("or".to_owned())) {
            any.push(self.part(kind, depth)?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Condition::Any(any) })
    }

    fn part(&mut self, kind: FactKind, depth: u32) -> Result<Condition, ExpressionError> {
        let mut all = vec![self.test(kind, depth)?];
        while self.takes(&Token::Word("and".to_owned())) {
            all.push(self.test(kind, depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::All(all) })
    }

    fn test(&mut self, kind: FactKind, depth: u32) -> Result<Condition, ExpressionError> {
        let (start, end) = self.place();
        if depth >= DEPTH_MAX {
            return Err(wrong("it nests more than 16 deep", start, end));
        }
        if self.takes(&Token::Word("not".to_owned())) {
            return Ok(Condition::Not(Box::new(self.test(kind, depth + 1)?)));
        }
        if self.takes(&Token::Sign("(")) {
            let condition = self.condition(kind, depth + 1)?;
            if !self.takes(&Token::Sign(")")) {
                return Err(self.expected("`)`"));
            }
            return Ok(condition);
        }
        let field = self.word("a field of the fact, `not` or `(`")?;
        let shape = field_shape(kind, &field, start, end)?;
        let Some(relation) = self.relation() else {
            return match shape {
                None | Some(Shape::Bool) => {
                    Ok(Condition::Test { field, relation: Relation::Equal, value: Literal::Flag(true) })
                }
                Some(_) => Err(self.expected(&format!("a comparison, since `{field}` is not yes or no"))),
            };
        };
        let (start, end) = self.place();
        let value = self.value()?;
        let fits = match (&shape, &value) {
            (None, _)
            | (Some(Shape::Unsigned(_) | Shape::Signed(_)), Literal::Number(_))
            | (Some(Shape::Bool), Literal::Flag(_)) => true,
            // What is waited for is an enum of names and agents.
            (Some(Shape::Text | Shape::Agent | Shape::Enum { .. }), Literal::Text(_)) => true,
            _ => false,
        };
        if !fits {
            let wanted = match shape {
                Some(Shape::Unsigned(_) | Shape::Signed(_)) => "a number",
                Some(Shape::Bool) => "`true` or `false`",
                _ => "a name in '…'",
            };
            return Err(wrong(&format!("`{field}` is compared with {wanted}"), start, end));
        }
        let is_ordered = matches!(value, Literal::Number(_));
        if !is_ordered && !matches!(relation, Relation::Equal | Relation::Different) {
            return Err(wrong("only numbers are smaller or larger; use `=` or `!=`", start, end));
        }
        Ok(Condition::Test { field, relation, value })
    }

    fn relation(&mut self) -> Option<Relation> {
        let (Token::Sign(sign), _, _) = self.tokens.get(self.at)? else { return None };
        let relation = match *sign {
            "=" => Relation::Equal,
            "!=" => Relation::Different,
            "<" => Relation::Less,
            "<=" => Relation::LessOrEqual,
            ">" => Relation::Greater,
            ">=" => Relation::GreaterOrEqual,
            _ => return None,
        };
        self.at += 1;
        Some(relation)
    }

    fn value(&mut self) -> Result<Literal, ExpressionError> {
        let literal = match self.tokens.get(self.at) {
            Some((Token::Number(number), _, _)) => Literal::Number(*number),
            Some((Token::Text(text), _, _)) => Literal::Text(text.clone()),
            Some((Token::Word(word), _, _)) if word == "true" => Literal::Flag(true),
            Some((Token::Word(word), _, _)) if word == "false" => Literal::Flag(false),
            _ => return Err(self.expected("a number, a text in '…', `true` or `false`")),
        };
        self.at += 1;
        Ok(literal)
    }

    fn word(&mut self, expected: &str) -> Result<String, ExpressionError> {
        match self.tokens.get(self.at) {
            Some((Token::Word(word), _, _)) => {
                let word = word.clone();
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.expected(expected)),
        }
    }

    fn takes(&mut self, token: &Token) -> bool {
        let taken = self.tokens.get(self.at).is_some_and(|(next, _, _)| next == token);
        self.at += usize::from(taken);
        taken
    }

    /// Where the next token stands.
    fn place(&self) -> (usize, usize) {
        self.tokens.get(self.at).map_or((self.length, self.length), |(_, start, end)| (*start, *end))
    }

    fn expected(&self, what: &str) -> ExpressionError {
        let (start, end) = self.place();
        wrong(&format!("expected {what}"), start, end)
    }
}

fn wrong(message: &str, start: usize, end: usize) -> ExpressionError {
    ExpressionError { message: message.to_owned(), start, end, unknown: None }
}

fn length_while(text: &str, goes_on: impl Fn(char) -> bool) -> usize {
    text.find(|c| !goes_on(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_have_a_place_and_known_names() {
        for (text, message, place) in [
            ("", "expected the name of a fact, such as TaskFinished at character 1", 0..0),
            ("TaskFinshed", "no fact `TaskFinshed` at character 1", 0..11),
            ("TaskFinished.tsk", "TaskFinished has no field `tsk` at character 14", 13..16),
            ("TaskFinished where actul", "TaskFinished has no field `actul` at character 20", 19..24),
            (
                "TaskFinished where attempt",
                "expected a comparison, since `attempt` is not yes or no at character 27",
                26..26,
            ),
            (
                "TaskFinished where attempt = 'x'",
                "`attempt` is compared with a number at character 30",
                29..32,
            ),
            (
                "TaskFinished where actual < true",
                "only numbers are smaller or larger; use `=` or `!=` at character 29",
                28..32,
            ),
            ("TaskFinished where role = 3", "`role` is compared with a name in '…' at character 27", 26..27),
            ("TaskFinished.role", "a role is no key; `agent` is at character 14", 13..17),
            ("TaskFinished when actual", "expected `where` or the end at character 14", 13..17),
            ("TaskFinished where actual actual", "expected `and`, `or` or the end at character 27", 26..32),
            ("TaskFinished where (actual", "expected `)` at character 27", 26..26),
            (
                "Acted where action = 'publish",
                "this text does not end: `'` is missing at character 22",
                21..29,
            ),
            ("Acted where action ~ 3", "`~` has no meaning here at character 20", 19..20),
            ("Acted where item = -", "this is no whole number at character 20", 19..20),
        ] {
            let error = Pattern::parse(text).expect_err(text);
            assert_eq!(error.to_string(), message, "{text}");
            assert_eq!(error.place(), place, "{text}");
        }
        let error = Pattern::parse("TaskFinshed").expect_err("no such fact");
        assert!(error.unknown().is_some_and(|(_, known)| known.iter().any(|name| name == "TaskFinished")));
    }

    #[test]
    fn length_and_depth_are_bounded() {
        let deep = |depth: usize| format!("TaskFinished where {}actual", "not ".repeat(depth));
        assert!(Pattern::parse(&deep(15)).is_ok());
        assert!(Pattern::parse(&deep(16)).is_err());
        let nested = format!("TaskFinished where {}", "(".repeat(400));
        assert!(Pattern::parse(&nested).is_err());
        assert!(Pattern::parse(&" ".repeat(513)).is_err());
    }

    #[test]
    fn a_pattern_goes_through_json_as_its_text() {
        let text = "Received.item where seam = 'notes' and not (giver = 'coder-1' or offer > 1_000)";
        let pattern = Pattern::parse(text).expect("a pattern");
        let json = serde_json::to_string(&pattern).expect("a string");
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Pattern>(&json).expect("the same"), pattern);
        assert!(serde_json::from_str::<Pattern>("\"nonsense\"").is_err());
    }
}
