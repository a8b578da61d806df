//! Spans of OpenTelemetry: calls of agents, models and tools (`gen_ai.*`), and messages (`messaging.*`).
//!
//! Exporters write spans when they end and in any order, so all of them are held, put in an order of their own, and
//! linked, before the first step is made. The same spans in another order give the same trace.

mod attributes;
mod forest;
mod identifier;
mod message;
mod span;
mod steps;

use std::io::BufRead;

use fleetsim_engine::Sink;
use serde_json::Value;

use self::attributes::Attributes;
use self::span::Span;
use crate::error::Error;
use crate::lines::Lines;
use crate::options::Options;
use crate::reading::{Reader, Reading};
use crate::record::Record;
use crate::trouble::Trouble;

/// The most spans that are held.
const SPANS_MAX: usize = 1_000_000;
/// The most bytes of texts that are held, where texts are kept.
const TEXT_BYTES_MAX: u64 = 512 << 20;

/// Reads the spans in `input`.
pub(crate) fn read(input: &mut dyn BufRead, options: Options, sink: &mut dyn Sink) -> Result<Reading, Error> {
    let mut reader = Reader::new(options, sink);
    let mut spans = Spans::default();
    let mut lines = Lines::new(input);
    while let Some((line, value)) = lines.next(&mut reader.troubles)? {
        spans.request(&value, line, &mut reader)?;
    }
    let spans = spans.distinct(&mut reader)?;
    steps::make(reader, spans)
}

#[derive(Default)]
struct Spans {
    all: Vec<Span>,
    text_bytes: u64,
}

impl Spans {
    /// Adds the spans of a line: an export request, or a span alone.
    fn request(&mut self, value: &Value, line: u64, reader: &mut Reader<'_>) -> Result<(), Error> {
        let Some(record) = Record::of(value) else {
            return reader.troubles.note(Trouble::NotARecord, line);
        };
        let Some(resources) = list(record, &["resourceSpans", "resource_spans"]) else {
            if record.0.contains_key("spanId") || record.0.contains_key("span_id") {
                return self.span(value, &Attributes::default(), line, reader);
            }
            return reader.troubles.note(Trouble::NotARecord, line);
        };
        for resource in resources {
            let Some(record) = Record::of(resource) else {
                reader.troubles.note(Trouble::NotARecord, line)?;
                continue;
            };
            let attributes = record.0.get("resource").and_then(Record::of);
            let attributes = attributes.map(Attributes::of).unwrap_or_default();
            let scopes = list(record, &["scopeSpans", "scope_spans", "instrumentationLibrarySpans"]);
            for scope in scopes.into_iter().flatten().filter_map(Record::of) {
                for span in list(scope, &["spans"]).into_iter().flatten() {
                    self.span(span, &attributes, line, reader)?;
                }
            }
        }
        Ok(())
    }

    fn span(
        &mut self,
        value: &Value,
        resource: &Attributes<'_>,
        line: u64,
        reader: &mut Reader<'_>,
    ) -> Result<(), Error> {
        if self.all.len() >= SPANS_MAX || self.text_bytes > TEXT_BYTES_MAX {
            return reader.troubles.note(Trouble::PastLimit, line);
        }
        if let Some(span) = Span::of(value, resource, line, reader.privacy, &mut reader.troubles)? {
            self.text_bytes += span.text.kept_bytes();
            self.all.push(span);
        }
        Ok(())
    }

    /// The spans in order of their identifiers. Of those that share one, which of them stays does not depend on the
    /// order in which they came.
    fn distinct(mut self, reader: &mut Reader<'_>) -> Result<Vec<Span>, Error> {
        self.all.sort();
        let mut distinct: Vec<Span> = Vec::with_capacity(self.all.len());
        for span in self.all {
            if distinct.last().is_some_and(|last| last.identity() == span.identity()) {
                reader.troubles.note(Trouble::DuplicateId, span.line)?;
            } else {
                distinct.push(span);
            }
        }
        Ok(distinct)
    }
}

/// The list in the first of `fields` that is there.
fn list<'a>(record: Record<'a>, fields: &[&str]) -> Option<&'a Vec<Value>> {
    fields.iter().find_map(|field| record.0.get(*field)).and_then(Value::as_array)
}
