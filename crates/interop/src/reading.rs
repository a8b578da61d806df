//! What all kinds of import have in common while they read: troubles, names, time, edges and the tape.

use fleetsim_engine::schema::Shape;
use fleetsim_engine::{Fact, Manifest, Message, ProtocolEntry, Sink, Time, Value};
use fleetsim_trace_replay::{Edges, Figure, Import, Share};
use serde::{Deserialize, Serialize};

use crate::cast::Cast;
use crate::clock::show_instant;
use crate::error::Error;
use crate::options::{Kind, Options};
use crate::privacy::Privacy;
use crate::tape::Tape;
use crate::trouble::{Occurred, Trouble, Troubles};

/// The timers of imported agents.
#[derive(Serialize, Deserialize)]
pub(crate) enum Timer {
    /// The agent goes on with what it began.
    GoesOn,
    /// What the agent began ends.
    Ends,
}

/// How a record is linked to what caused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    Recorded,
    Inferred,
    Orphaned,
    Begun,
}

impl Edge {
    const fn name(self) -> &'static str {
        match self {
            Edge::Recorded => "recorded",
            Edge::Inferred => "inferred",
            Edge::Orphaned => "orphaned",
            Edge::Begun => "begun",
        }
    }
}

/// What reading a log came to.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What the trace's header says of the log.
    pub import: Import,
    /// The names of the agents, and the shapes of messages and facts.
    pub manifest: Manifest,
    /// The steps that were made.
    pub steps: u64,
    /// The messages that arrived in them.
    pub messages: u64,
    /// The time of the last step.
    pub end: Time,
    /// What was wrong with the log.
    pub troubles: Vec<(Trouble, Occurred)>,
}

/// An import in progress.
pub(crate) struct Reader<'a> {
    pub(crate) tape: Tape<'a>,
    pub(crate) cast: Cast,
    pub(crate) troubles: Troubles,
    pub(crate) privacy: Privacy,
    edges: Edges,
    records: u64,
    /// The first instant of the log.
    began_unix_ns: Option<i64>,
    latest_unix_ns: i64,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(options: Options, sink: &'a mut dyn Sink) -> Reader<'a> {
        Reader {
            tape: Tape::new(sink),
            cast: Cast::new(options.privacy()),
            troubles: Troubles::new(options.strict),
            privacy: options.privacy(),
            edges: Edges::default(),
            records: 0,
            began_unix_ns: None,
            latest_unix_ns: 0,
        }
    }

    /// The instant of the record in `line`, from the log's beginning on. A time that cannot be read is that of the
    /// record before; one that lies before it is moved there.
    pub(crate) fn instant(&mut self, unix_ns: Option<i64>, line: u64) -> Result<u64, Error> {
        let Some(unix_ns) = unix_ns else {
            self.troubles.note(Trouble::BadTime, line)?;
            return Ok(self.since_beginning(self.latest_unix_ns));
        };
        if self.began_unix_ns.is_some() && unix_ns < self.latest_unix_ns {
            self.troubles.note(Trouble::ClockBackwards, line)?;
        } else {
            self.began_unix_ns.get_or_insert(unix_ns);
            self.latest_unix_ns = unix_ns;
        }
        Ok(self.since_beginning(self.latest_unix_ns))
    }

    /// Counts a record and says in its step which one it is and how its cause is known. `line` is 0 where a record has
    /// none worth telling.
    pub(crate) fn record(&mut self, edge: Edge, line: u64) {
        self.records += 1;
        let count = match edge {
            Edge::Recorded => &mut self.edges.recorded,
            Edge::Inferred => &mut self.edges.inferred,
            Edge::Orphaned => &mut self.edges.orphaned,
            Edge::Begun => &mut self.edges.begun,
        };
        *count += 1;
        let mut fields = vec![("cause", Value::Text(edge.name()))];
        if line > 0 {
            fields.push(("line", Value::Number(i64::try_from(line).unwrap_or(i64::MAX))));
        }
        self.tape.fact(&Fact::Custom { name: "record", fields });
    }

    /// Says what the log calls a task or an item.
    pub(crate) fn named(&mut self, number: u64, id: &str) {
        let name = self.privacy.name(id);
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let fields = vec![("item", Value::Number(number)), ("name", Value::Text(&name))];
        self.tape.fact(&Fact::Custom { name: "named", fields });
    }

    /// The end of the import of a log whose messages are those of protocol `M`.
    pub(crate) fn finish<M: Message>(
        mut self,
        kind: Kind,
        figures: Vec<Figure>,
        untold: Vec<String>,
    ) -> Result<Reading, Error> {
        if self.cast.past_limit() > 0 {
            self.troubles.note(Trouble::PastLimit, 0)?;
        }
        let steps = self.tape.steps();
        let (end, messages) = self.tape.finish();
        let troubles: Vec<(Trouble, Occurred)> =
            self.troubles.found().iter().map(|(kind, found)| (*kind, *found)).collect();
        let shares =
            troubles.iter().map(|(kind, found)| Share { name: kind.name().to_owned(), count: found.count });
        let manifest = Manifest {
            groups: self.cast.groups(&Shape::of::<Timer>()),
            protocols: vec![ProtocolEntry {
                id: M::ID.0,
                name: M::PROTOCOL.to_owned(),
                messages: Shape::of::<M>(),
            }],
            facts: Shape::of::<Fact<'static>>(),
            rules: Vec::new(),
        };
        let import = Import {
            kind: kind.name().to_owned(),
            began: self.began_unix_ns.map(show_instant).unwrap_or_default(),
            keeps_text: self.privacy.keeps_text,
            renames: self.privacy.renames,
            records: self.records,
            edges: self.edges,
            troubles: shares.collect(),
            figures,
            untold,
        };
        Ok(Reading { import, manifest, steps, messages, end, troubles })
    }

    fn since_beginning(&self, unix_ns: i64) -> u64 {
        self.began_unix_ns.map_or(0, |began| unix_ns.abs_diff(began.min(unix_ns)))
    }
}

/// A figure with its largest parts: the largest first, those of equal size by name.
pub(crate) fn figure(name: &str, count: u64, parts: impl IntoIterator<Item = (String, u64)>) -> Figure {
    /// Parts that are named.
    const PARTS_MAX: usize = 10;
    let mut parts: Vec<Share> = parts.into_iter().map(|(name, count)| Share { name, count }).collect();
    parts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    parts.truncate(PARTS_MAX);
    Figure { name: name.to_owned(), count, parts }
}
