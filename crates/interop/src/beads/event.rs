//! One event of the log, and the message that it becomes.

use std::borrow::Cow;

use fleetsim_engine::{AgentId, Message};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::parse_instant;
use crate::error::Error;
use crate::privacy::Content;
use crate::record::Record;
use crate::trouble::{Trouble, Troubles};

/// What agents and the store tell each other.
#[derive(Serialize, Deserialize)]
pub(super) enum Beads {
    /// The log does not say why the agent acts.
    Acts,
    Created(Change),
    Updated(Change),
    StatusChanged(Change),
    Closed(Change),
    Reopened(Change),
    LabelAdded(Change),
    LabelRemoved(Change),
    DependencyAdded(Change),
    DependencyRemoved(Change),
    Commented(Change),
    Renamed(Change),
    Deleted(Change),
    /// A kind of event that this program does not know.
    Other(Change),
    /// From the store to an assignee.
    Assigned {
        task: u64,
        by: AgentId,
    },
}

impl Message for Beads {
    const PROTOCOL: &'static str = "beads";
}

/// A change of a task, with what stands for the text that describes it.
#[derive(Serialize, Deserialize)]
pub(super) struct Change {
    pub(super) task: u64,
    pub(super) text: Content,
}

/// How a change becomes a message.
type MakeMessage = fn(Change) -> Beads;

/// The kinds of event that are known, with the message that each becomes.
const KINDS: [(&str, MakeMessage); 12] = [
    ("created", Beads::Created),
    ("updated", Beads::Updated),
    ("status_changed", Beads::StatusChanged),
    ("closed", Beads::Closed),
    ("reopened", Beads::Reopened),
    ("label_added", Beads::LabelAdded),
    ("label_removed", Beads::LabelRemoved),
    ("dependency_added", Beads::DependencyAdded),
    ("dependency_removed", Beads::DependencyRemoved),
    ("commented", Beads::Commented),
    ("renamed", Beads::Renamed),
    ("deleted", Beads::Deleted),
];

/// An event of the log.
pub(super) struct Event<'a> {
    pub(super) id: Option<String>,
    pub(super) unix_ns: Option<i64>,
    pub(super) actor: &'a str,
    pub(super) task: &'a str,
    kind: &'a str,
    /// What was changed, by field.
    new: Cow<'a, Map<String, Value>>,
    /// Whether it says that the task is done.
    pub(super) closes: bool,
    /// The texts of the record, as they are.
    pub(super) text: String,
}

impl<'a> Event<'a> {
    /// The event that `value` is; `None` if it is none, which is noted.
    pub(super) fn of(
        value: &'a Value,
        line: u64,
        troubles: &mut Troubles,
    ) -> Result<Option<Event<'a>>, Error> {
        let Some(record) = Record::of(value) else {
            troubles.note(Trouble::NotARecord, line)?;
            return Ok(None);
        };
        let (Some(kind), Some(task)) = (record.text("event_type"), record.text("issue_id")) else {
            troubles.note(Trouble::MissingField, line)?;
            return Ok(None);
        };
        let actor = record.text("actor").unwrap_or_default();
        if actor.is_empty() {
            troubles.note(Trouble::MissingField, line)?;
        }
        if KINDS.iter().all(|(known, _)| *known != kind) {
            troubles.note(Trouble::UnknownEvent, line)?;
        }
        let new_value = record.0.get("new_value").unwrap_or(&Value::Null);
        let (new, text) = match new_value {
            // A change is usually JSON in a text; a reason or a label is a text alone.
            Value::String(text) if text.trim_start().starts_with('{') => match serde_json::from_str(text) {
                Ok(Value::Object(fields)) => (Cow::Owned(fields), text.clone()),
                _ => {
                    troubles.note(Trouble::NotJson, line)?;
                    (Cow::Owned(Map::new()), text.clone())
                }
            },
            Value::String(text) => (Cow::Owned(Map::new()), text.clone()),
            Value::Object(fields) => (Cow::Borrowed(fields), new_value.to_string()),
            Value::Null => (Cow::Owned(Map::new()), String::new()),
            other => (Cow::Owned(Map::new()), other.to_string()),
        };
        let mut event = Event {
            id: record.id("id"),
            unix_ns: record.text("created_at").and_then(parse_instant),
            actor,
            task,
            kind,
            new,
            closes: false,
            text: [text.as_str(), record.text("comment").unwrap_or_default()].concat(),
        };
        event.closes = kind == "closed" || (kind != "reopened" && event.sets("closed"));
        Ok(Some(event))
    }

    pub(super) fn is_creation(&self) -> bool {
        self.kind == "created"
    }

    /// Whether the task's status is `status` from now on.
    pub(super) fn sets(&self, status: &str) -> bool {
        Record(&self.new).text("status") == Some(status)
    }

    /// Whom the task is assigned to from now on, if that is part of the change.
    pub(super) fn assignee(&self) -> Option<&str> {
        Record(&self.new).text("assignee")
    }

    /// Whether the task is nobody's from now on.
    pub(super) fn clears_assignee(&self) -> bool {
        self.assignee().is_none() && self.new.contains_key("assignee")
    }

    /// The message by which the store learns of the change.
    pub(super) fn message(&self, change: Change) -> Beads {
        let known = KINDS.iter().find(|(name, _)| *name == self.kind);
        known.map_or(Beads::Other as MakeMessage, |(_, make)| *make)(change)
    }
}
