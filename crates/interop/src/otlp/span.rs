//! A span, as far as it matters to a fleet.

use serde_json::Value;

use super::attributes::{
    AGENT, Attributes, CONVERSATION, DESTINATION, ERROR, MESSAGE, MESSAGING_OPERATION, MODEL, OPERATION,
    SERVICE, TOKENS_CACHED, TOKENS_IN, TOKENS_OUT, TOOL,
};
use super::{identifier, list};
use crate::error::Error;
use crate::privacy::{Content, Privacy};
use crate::record::{Record, Unfit};
use crate::trouble::{Trouble, Troubles};

/// Instants from here on, in the year 2261, are refused, so that spans can be moved behind their causes.
const INSTANT_END: i64 = 9_200_000_000_000_000_000;

/// A trace and a span in it.
pub(super) type Identity = ([u8; 16], [u8; 8]);

/// A span. The order is that of identifiers; of two with the same, any order that does not depend on lines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    trace: [u8; 16],
    id: [u8; 8],
    parent: Option<[u8; 8]>,
    pub(super) start_unix_ns: i64,
    pub(super) end_unix_ns: i64,
    /// Whom the span's own attributes name.
    pub(super) agent: Option<String>,
    /// The program that it is part of.
    pub(super) service: Option<String>,
    pub(super) conversation: Option<String>,
    pub(super) what: What,
    pub(super) links: Vec<Identity>,
    pub(super) has_failed: bool,
    pub(super) text: Content,
    /// The line that it was in, last so that it decides between equals only.
    pub(super) line: u64,
}

/// What a span is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// An agent does what it was called for.
    Agent,
    /// A model is called.
    Model { model: String, tokens_in: u64, cached: u64, tokens_out: u64, is_admitted: bool },
    /// A tool is called.
    Tool { tool: String },
    /// A message is given to a medium.
    Publish(Mail),
    /// A message is got from a medium.
    Receive(Mail),
    /// A message that was got is worked on.
    Process(Mail),
    /// Something else, which matters only as a link between others.
    Other,
}

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mail {
    pub(super) destination: String,
    /// What the medium calls the message.
    pub(super) message: Option<String>,
}

impl Span {
    /// The span that `value` is, of a resource with those attributes; `None` if it is none, which is noted.
    pub(super) fn of(
        value: &Value,
        resource: &Attributes<'_>,
        line: u64,
        privacy: Privacy,
        troubles: &mut Troubles,
    ) -> Result<Option<Span>, Error> {
        let Some(record) = Record::of(value) else {
            troubles.note(Trouble::NotARecord, line)?;
            return Ok(None);
        };
        let Some((trace, id)) = identity(record) else {
            troubles.note(Trouble::BadId, line)?;
            return Ok(None);
        };
        let parent = either(record, "parentSpanId", "parent_span_id").map(identifier::parse::<8>);
        let is_parent_bad = parent == Some(None);
        let start = instant(record, "startTimeUnixNano", "start_time_unix_nano");
        let end = instant(record, "endTimeUnixNano", "end_time_unix_nano");
        let Some(start_unix_ns) = start else {
            troubles.note(Trouble::BadTime, line)?;
            return Ok(None);
        };
        let end_unix_ns = end.unwrap_or(start_unix_ns);
        if end_unix_ns < start_unix_ns {
            troubles.note(Trouble::ClockBackwards, line)?;
        }
        // Zeros mean that there is no parent; everything else that is no identifier is a mistake.
        if is_parent_bad && !either(record, "parentSpanId", "parent_span_id").is_some_and(is_zeros) {
            troubles.note(Trouble::BadId, line)?;
        }
        let attributes = Attributes::of(record);
        let mut links = Vec::new();
        for link in list(record, &["links"]).into_iter().flatten() {
            match Record::of(link).and_then(identity) {
                Some(link) => links.push(link),
                None => troubles.note(Trouble::BadId, line)?,
            }
        }
        links.sort();
        links.dedup();
        let name = record.text("name").unwrap_or_default();
        let what = what(record, &attributes, name, line, troubles)?;
        Ok(Some(Span {
            trace,
            id,
            parent: parent.flatten(),
            start_unix_ns,
            end_unix_ns: end_unix_ns.max(start_unix_ns),
            agent: attributes.text(AGENT),
            service: attributes.text(SERVICE).or_else(|| resource.text(SERVICE)),
            conversation: attributes.text(CONVERSATION),
            what,
            links,
            has_failed: has_failed(record),
            text: privacy.content(&said(record, &attributes)),
            line,
        }))
    }

    pub(super) fn identity(&self) -> Identity {
        (self.trace, self.id)
    }

    pub(super) fn parent(&self) -> Option<Identity> {
        self.parent.map(|parent| (self.trace, parent))
    }

    /// A text that is the same for all spans of one trace, and for no others.
    pub(super) fn trace_name(&self) -> String {
        hexadecimal(&self.trace)
    }

    /// A text that is this span's alone.
    pub(super) fn name(&self) -> String {
        hexadecimal(&self.trace) + &hexadecimal(&self.id)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A text under either of the two spellings of a field.
fn either<'a>(record: Record<'a>, camel: &str, snake: &str) -> Option<&'a str> {
    record.text(camel).or_else(|| record.text(snake))
}

fn is_zeros(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'0') || text.bytes().all(|byte| byte == b'A' || byte == b'=')
}

fn identity(record: Record<'_>) -> Option<Identity> {
    let trace = identifier::parse(either(record, "traceId", "trace_id")?)?;
    let id = identifier::parse(either(record, "spanId", "span_id")?)?;
    Some((trace, id))
}

fn instant(record: Record<'_>, camel: &str, snake: &str) -> Option<i64> {
    let unix_ns = record.count(camel).or_else(|_| record.count(snake)).ok()?;
    i64::try_from(unix_ns).ok().filter(|unix_ns| (1..INSTANT_END).contains(unix_ns))
}

fn has_failed(record: Record<'_>) -> bool {
    let status = record.0.get("status").and_then(Record::of).and_then(|status| status.0.get("code"));
    status.is_some_and(|code| code.as_u64() == Some(2) || code.as_str() == Some("STATUS_CODE_ERROR"))
}

/// All that was said, in the span's attributes and in its events.
fn said(record: Record<'_>, attributes: &Attributes<'_>) -> String {
    let mut text = String::new();
    attributes.said(&mut text);
    for event in list(record, &["events"]).into_iter().flatten().filter_map(Record::of) {
        Attributes::of(event).said(&mut text);
    }
    text
}

/// What a span is about.
fn what(
    record: Record<'_>,
    attributes: &Attributes<'_>,
    name: &str,
    line: u64,
    troubles: &mut Troubles,
) -> Result<What, Error> {
    if attributes.has("gen_ai.") {
        let operation = attributes.text(OPERATION).unwrap_or_default();
        let guessed = match operation.as_str() {
            // Before operations had names, attributes told them apart, or the name of the span did.
            "" if attributes.has("gen_ai.tool.name") || name.starts_with("execute_tool") => "execute_tool",
            "" if attributes.has("gen_ai.usage.") || attributes.has("gen_ai.request.model") => "chat",
            "" if attributes.has("gen_ai.agent.") || name.starts_with("invoke_agent") => "invoke_agent",
            operation => operation,
        };
        return match guessed {
            "chat" | "completion" | "text_completion" | "generate_content" | "embeddings" => {
                model(attributes, line, troubles)
            }
            "invoke_agent" | "invoke_workflow" => Ok(What::Agent),
            "execute_tool" => {
                Ok(What::Tool { tool: attributes.text(TOOL).unwrap_or_else(|| "tool".to_owned()) })
            }
            // Making an agent is no work of one.
            "create_agent" | "" => Ok(What::Other),
            _ => troubles.note(Trouble::UnknownEvent, line).map(|()| What::Other),
        };
    }
    if !attributes.has("messaging.") {
        return Ok(What::Other);
    }
    let mail = || Mail {
        destination: attributes.text(DESTINATION).unwrap_or_else(|| "messages".to_owned()),
        message: attributes.text(MESSAGE),
    };
    let kind = match record.0.get("kind") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(kind) if kind.as_u64() == Some(4) => "SPAN_KIND_PRODUCER",
        Some(kind) if kind.as_u64() == Some(5) => "SPAN_KIND_CONSUMER",
        _ => "",
    };
    match (attributes.text(MESSAGING_OPERATION).as_deref(), kind) {
        (Some("publish" | "send" | "create"), _) | (None, "SPAN_KIND_PRODUCER") => Ok(What::Publish(mail())),
        (Some("receive"), _) => Ok(What::Receive(mail())),
        (Some("process" | "deliver"), _) | (None, "SPAN_KIND_CONSUMER") => Ok(What::Process(mail())),
        (Some("settle" | "ack" | "nack") | None, _) => Ok(What::Other),
        (Some(_), _) => troubles.note(Trouble::UnknownEvent, line).map(|()| What::Other),
    }
}

fn model(attributes: &Attributes<'_>, line: u64, troubles: &mut Troubles) -> Result<What, Error> {
    let mut count = |names: &[&str]| match attributes.count(names) {
        Ok(count) => Ok(count),
        Err(Unfit::Missing) => Ok(0),
        Err(Unfit::OutOfRange) => troubles.note(Trouble::OutOfRange, line).map(|()| 0),
    };
    let (all_in, cached, tokens_out) = (count(TOKENS_IN)?, count(TOKENS_CACHED)?, count(TOKENS_OUT)?);
    let error = attributes.text(ERROR).unwrap_or_default().to_lowercase().replace(['_', '-'], "");
    Ok(What::Model {
        model: attributes.text(MODEL).unwrap_or_else(|| "model".to_owned()),
        // What was read from the cache is part of the input, as the conventions count.
        tokens_in: all_in.saturating_sub(cached),
        cached,
        tokens_out,
        is_admitted: error != "429" && !error.contains("ratelimit"),
    })
}
