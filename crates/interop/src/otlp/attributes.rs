//! Attributes, whose names have changed over the years: each is looked for under all that it had.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::record::{Record, Unfit, count};

pub(super) const AGENT: &[&str] = &["gen_ai.agent.name", "gen_ai.agent.id", "agent.name"];
pub(super) const SERVICE: &[&str] = &["service.name", "service.instance.id"];
pub(super) const OPERATION: &[&str] = &["gen_ai.operation.name"];
pub(super) const MODEL: &[&str] =
    &["gen_ai.request.model", "gen_ai.response.model", "gen_ai.provider.name", "gen_ai.system"];
pub(super) const TOOL: &[&str] = &["gen_ai.tool.name"];
pub(super) const CONVERSATION: &[&str] =
    &["gen_ai.conversation.id", "messaging.message.conversation_id", "messaging.conversation_id"];
pub(super) const TOKENS_IN: &[&str] = &["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"];
pub(super) const TOKENS_OUT: &[&str] = &["gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"];
pub(super) const TOKENS_CACHED: &[&str] = &[
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.cached_tokens",
];
pub(super) const MESSAGING_OPERATION: &[&str] = &["messaging.operation.type", "messaging.operation"];
pub(super) const DESTINATION: &[&str] =
    &["messaging.destination.name", "messaging.destination", "messaging.system"];
pub(super) const MESSAGE: &[&str] = &["messaging.message.id", "messaging.message_id"];
pub(super) const ERROR: &[&str] = &["error.type", "http.response.status_code", "http.status_code"];

/// Beginnings of the names of attributes and events whose values are what somebody said.
const TEXTS: [&str; 12] = [
    "gen_ai.prompt",
    "gen_ai.completion",
    "gen_ai.input.",
    "gen_ai.output.",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.",
    "gen_ai.tool.description",
    "gen_ai.tool.definitions",
    "gen_ai.agent.description",
    "gen_ai.event.content",
    "messaging.message.body",
    "exception.",
];

/// The attributes of a span, a resource or an event, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes<'a>(BTreeMap<&'a str, &'a Value>);

impl<'a> Attributes<'a> {
    /// The attributes of `record`.
    pub(super) fn of(record: Record<'a>) -> Attributes<'a> {
        let list = record.0.get("attributes").and_then(Value::as_array);
        let pair = |entry: &'a Value| {
            let entry = Record::of(entry)?;
            Some((entry.text("key")?, entry.0.get("value")?))
        };
        Attributes(list.into_iter().flatten().filter_map(pair).collect())
    }

    /// The value of the first of `names` that has one, as a text.
    pub(super) fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| as_text(self.0.get(name)?))
    }

    /// The value of the first of `names` that has one, as a count.
    pub(super) fn count(&self, names: &[&str]) -> Result<u64, Unfit> {
        let found = names.iter().find_map(|name| self.0.get(name)).and_then(|value| Record::of(value));
        let value = found.and_then(|value| value.0.get("intValue").or_else(|| value.0.get("doubleValue")));
        match value {
            None => Err(Unfit::Missing),
            // Some exporters write whole numbers as floats.
            Some(value) => match value.as_f64().filter(|float| value.is_f64() && float.fract() == 0.0) {
                Some(float) if (0.0..9e15).contains(&float) => Ok(float as u64),
                Some(_) => Err(Unfit::OutOfRange),
                None => count(value),
            },
        }
    }

    /// Whether there is one whose name begins so.
    pub(super) fn has(&self, beginning: &str) -> bool {
        self.0.keys().any(|name| name.starts_with(beginning))
    }

    /// What somebody said, in order of the attributes' names.
    pub(super) fn said(&self, into: &mut String) {
        for (name, value) in &self.0 {
            if TEXTS.iter().any(|beginning| name.starts_with(beginning)) {
                match as_text(value) {
                    Some(text) => into.push_str(&text),
                    None => into.push_str(&value.to_string()),
                }
            }
        }
    }
}

/// A text, number or flag as a text.
fn as_text(value: &Value) -> Option<String> {
    let value = Record::of(value)?;
    let of = |field: &str| match value.0.get(field)? {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    let fields = ["stringValue", "intValue", "doubleValue", "boolValue"];
    fields.iter().find_map(|field| of(field)).filter(|text| !text.is_empty())
}
