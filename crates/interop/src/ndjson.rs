//! Facts as lines of JSON: a format of our own for fleets whose logs nobody else reads.
//!
//! A line says when who did what: `{"at": "2026-01-01T10:00:00Z", "actor": "coder-2", "fact": "task-claimed", "task":
//! "T-1"}`. A record may have an `id`, by which later ones name it as their `cause`, may be a message `to` somebody, and
//! may have a `text`. All fields are in `docs/import.md`.

mod fact;

use std::collections::{BTreeMap, VecDeque};
use std::io::BufRead;

use fleetsim_engine::{AgentId, Message, Sink, hash_text};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::parse_instant;
use crate::error::Error;
use crate::lines::Lines;
use crate::options::{Kind, Options};
use crate::privacy::Content;
use crate::reading::{Edge, Reader, Reading, figure};
use crate::record::{Record, Unfit};
use crate::seen::Seen;
use crate::tape::Cause;
use crate::trouble::Trouble;

/// The most records that are remembered for later ones to name as their cause: the last.
const CAUSES_MAX: usize = 1_000_000;

/// What the agents of the log tell each other.
#[derive(Serialize, Deserialize)]
enum Log {
    /// The log does not say why the agent acts.
    Acts,
    /// The agent made a record that others may refer to.
    Recorded { text: Content },
}

impl Message for Log {
    const PROTOCOL: &'static str = "log";
}

/// Reads the records in `input`.
pub(crate) fn read(input: &mut dyn BufRead, options: Options, sink: &mut dyn Sink) -> Result<Reading, Error> {
    let mut import = Importer {
        reader: Reader::new(options, sink),
        ids: Seen::default(),
        causes: Causes::default(),
        facts: BTreeMap::new(),
    };
    let mut lines = Lines::new(input);
    while let Some((line, value)) = lines.next(&mut import.reader.troubles)? {
        import.record(&value, line)?;
    }
    let untold = fact::untold(&import.facts);
    let count = import.facts.values().sum();
    let parts = import.facts.iter().map(|(name, count)| ((*name).to_owned(), *count));
    let figures = vec![figure("facts", count, parts)];
    import.reader.finish::<Log>(Kind::Ndjson, figures, untold)
}

struct Importer<'a> {
    reader: Reader<'a>,
    ids: Seen,
    causes: Causes,
    /// How often each kind of fact was stated.
    facts: BTreeMap<&'static str, u64>,
}

/// The last records that have an identifier, with what those that they cause go back to.
#[derive(Debug, Default)]
struct Causes {
    by_id: BTreeMap<u64, Cause>,
    order: VecDeque<u64>,
}

impl Causes {
    fn learn(&mut self, id: &str, cause: Cause) {
        let id = hash_text(id);
        self.by_id.insert(id, cause);
        self.order.push_back(id);
        if self.order.len() > CAUSES_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_id.remove(&oldest);
        }
    }

    fn get(&self, id: &str) -> Option<Cause> {
        self.by_id.get(&hash_text(id)).copied()
    }
}

impl Importer<'_> {
    fn record(&mut self, value: &Value, line: u64) -> Result<(), Error> {
        let Some(record) = Record::of(value) else {
            return self.reader.troubles.note(Trouble::NotARecord, line);
        };
        let Some(actor) = record.text("actor") else {
            return self.reader.troubles.note(Trouble::MissingField, line);
        };
        let id = record.id("id");
        if id.as_ref().is_some_and(|id| !self.ids.is_new(id)) {
            return self.reader.troubles.note(Trouble::DuplicateId, line);
        }
        let unix_ns = match record.count("at_ns") {
            Ok(at_ns) => i64::try_from(at_ns).ok(),
            Err(_) => record.text("at").and_then(parse_instant),
        };
        let at_ns = self.reader.instant(unix_ns, line)?;
        let actor = self.reader.cast.agent(actor);
        let (edge, cause) = match record.id("cause") {
            None => (Edge::Begun, Cause::outside::<Log>(line)),
            Some(id) => match self.causes.get(&id) {
                Some(cause) => (Edge::Recorded, cause),
                None => (Edge::Orphaned, Cause::outside::<Log>(line)),
            },
        };
        self.reader.tape.begin(at_ns, actor, cause);
        self.reader.record(edge, line);
        if record.0.contains_key("fact") {
            self.state(record, line)?;
        }
        let text = record.text("text").unwrap_or_default();
        let to = record.text("to").map(|to| self.reader.cast.agent(to));
        if id.is_some() || to.is_some() || !text.is_empty() {
            // What is told nobody in particular is told the world.
            let to = to.unwrap_or(AgentId::WORLD);
            let text = self.reader.privacy.content(text);
            let cause = self.reader.tape.send(to, &Log::Recorded { text });
            if let Some(id) = id {
                self.causes.learn(&id, cause);
            }
        }
        Ok(())
    }

    /// Lets the actor of this step state the fact of the record.
    fn state(&mut self, record: Record<'_>, line: u64) -> Result<(), Error> {
        let kind = match fact::state(record, &mut self.reader) {
            Ok(Some(kind)) => kind,
            Ok(None) => return self.reader.troubles.note(Trouble::UnknownEvent, line),
            Err(Unfit::Missing) => return self.reader.troubles.note(Trouble::MissingField, line),
            Err(Unfit::OutOfRange) => return self.reader.troubles.note(Trouble::OutOfRange, line),
        };
        *self.facts.entry(kind).or_default() += 1;
        Ok(())
    }
}
