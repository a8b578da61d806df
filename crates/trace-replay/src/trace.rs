//! Reads a trace: opens it whole or partial, finds moments in it, and decodes one chunk at a time.
//!
//! The file may be hostile or damaged. Memory is bounded by one chunk, and what a checksum does not cover is not
//! believed.

use core::fmt;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use fleetsim_engine::batch::Batch;
use fleetsim_engine::digest::Checkpoint;
use fleetsim_engine::{Digest, Sink, Time};
use lz4_flex::block::decompress_into;

use crate::address::Address;
use crate::body;
use crate::error::Error;
use crate::format::{
    self, Closing, Codec, Content, FORMAT, HEAD_BYTES, HEADER_JSON_BYTES_MAX, Head, LZ4_BODY_BYTES_MAX,
    LZ4_EFFECTS_MAX, MAGIC, PREAMBLE_BYTES, Span,
};
use crate::header::{Header, Level};
use crate::scan::{self, Layout, place};
use crate::source::Source;

/// An LZ4 block of so many bytes decodes to at most 255 times as many.
const LZ4_RATIO_MAX: u64 = 255;

/// A recorded run that can be read.
///
/// Opening reads and checks the header and the index. Each chunk is checked when it is read;
/// [`verify`](Trace::verify) reads them all.
#[derive(Debug)]
pub struct Trace {
    source: Source,
    header: Header,
    layout: Layout,
}

impl Trace {
    /// Opens the trace in `path`.
    ///
    /// # Errors
    /// When the file cannot be read, is no trace, is of another version, or is damaged in or cut off before the end
    /// of its header. Damage after that is no error here: see [`damage`](Self::damage) and
    /// [`is_partial`](Self::is_partial).
    pub fn open(path: impl AsRef<Path>) -> Result<Trace, Error> {
        let path = path.as_ref();
        let cannot_open = |error| Error::io(format_args!("cannot open {}", path.display()), &error);
        // Asked before it is opened: opening a pipe that nobody writes to would wait for ever.
        let metadata = std::fs::metadata(path).map_err(cannot_open)?;
        if !metadata.is_file() {
            let what = if metadata.is_dir() { "a directory" } else { "no regular file" };
            return Err(Error::not_a_trace(format!("{} is {what}, not a trace", path.display())));
        }
        let file = File::open(path).map_err(cannot_open)?;
        Trace::read(file)
    }

    /// Reads a trace from anything that can be read and sought.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn read(source: impl Read + Seek + Send + 'static) -> Result<Trace, Error> {
        let source = Source::new(source)?;
        let (header, header_end) = read_header(&source)?;
        let layout = scan::layout(&source, header_end)?;
        Ok(Trace { source, header, layout })
    }

    /// What the trace says about its run.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How the run ended; `None` when the trace does not reach so far.
    #[must_use]
    pub fn closing(&self) -> Option<&Closing> {
        self.layout.closing.as_ref().map(|(_, closing)| closing)
    }

    /// Whether the file ends early, because the run was interrupted or the file was cut off.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.layout.cut_at.is_some()
    }

    /// The damage that was noticed so far, outside the chunks or while looking for them; each says where.
    #[must_use]
    pub fn damage(&self) -> &[Error] {
        &self.layout.damage
    }

    /// What a user should be told about the file: where it ends early, what is damaged, what was rebuilt.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.layout.damage.iter().map(ToString::to_string).collect();
        if let Some(offset) = self.layout.cut_at {
            lines.push(format!(
                "the trace is partial: it ends at byte {offset}, after {} steps",
                self.steps()
            ));
        } else if self.layout.rebuilt {
            lines.push("the index was rebuilt from the chunks".to_owned());
        }
        lines
    }

    /// Steps in the trace.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.layout.entries.last().map_or(0, |entry| entry.span.end_ordinal())
    }

    /// Chunks in the trace.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.layout.entries.len()
    }

    /// Which steps chunk number `chunk` (from 0) holds.
    ///
    /// # Panics
    /// When there is no such chunk.
    #[must_use]
    pub fn span(&self, chunk: usize) -> Span {
        self.layout.entries[chunk].span
    }

    /// The digest of the run, up to where the trace ends.
    ///
    /// # Errors
    /// When it has to be read from the last chunk, which is damaged.
    pub fn digest(&self) -> Result<Digest, Error> {
        if let Some((head, _)) = &self.layout.closing {
            return Ok(head.digest);
        }
        match self.chunks().checked_sub(1) {
            Some(last) => Ok(self.checkpoint(last)?.run),
            None => Ok(fleetsim_engine::RunDigest::default().value()),
        }
    }

    /// The hashes that were recorded for a chunk. Its body is not read.
    ///
    /// # Errors
    /// When the head of the chunk is damaged.
    ///
    /// # Panics
    /// When there is no such chunk.
    pub fn checkpoint(&self, chunk: usize) -> Result<Checkpoint, Error> {
        Ok(self.head(chunk)?.checkpoint)
    }

    /// The steps of a chunk.
    ///
    /// # Errors
    /// When the chunk is damaged, or the trace was recorded at the level `digest`.
    ///
    /// # Panics
    /// When there is no such chunk.
    pub fn batch(&self, chunk: usize) -> Result<Batch, Error> {
        let (head, body) = self.body(chunk)?;
        let damaged = |what: &str| Error::damaged(self.body_offset(chunk), &place(chunk, &head.span), what);
        if head.content == Content::Nothing {
            return Err(Error::not_recorded(
                "the trace was recorded at level `digest`: it holds no steps; record the run again in full",
            ));
        }
        let body = decode_body(body, &head).map_err(damaged)?;
        let batch = body::decode(&body, head.span.first_ordinal, head.counts).map_err(damaged)?;
        let times = &batch.step_columns().time_ns;
        let ends = (times.iter().min().copied(), times.iter().max().copied());
        if ends != (Some(head.span.first_time.as_ns()), Some(head.span.last_time.as_ns())) {
            return Err(damaged("its steps are not of the time that its head gives"));
        }
        Ok(batch)
    }

    /// The batches in order; a damaged chunk gives an error and does not end the iteration.
    pub fn batches(&self) -> impl DoubleEndedIterator<Item = Result<Batch, Error>> + '_ {
        (0..self.chunks()).map(|chunk| self.batch(chunk))
    }

    /// Hands every batch to a sink, as the run did when it was recorded.
    ///
    /// # Errors
    /// At the first chunk that cannot be read.
    pub fn feed(&self, sink: &mut dyn Sink) -> Result<(), Error> {
        for batch in self.batches() {
            sink.accept(&mut batch?);
        }
        Ok(())
    }

    /// The chunk that holds the event with this ordinal.
    #[must_use]
    pub fn chunk_of_event(&self, ordinal: u64) -> Option<usize> {
        let chunk = self.layout.entries.partition_point(|entry| entry.span.end_ordinal() <= ordinal);
        (chunk < self.chunks()).then_some(chunk)
    }

    /// The chunk that holds the first event at or after `time`.
    #[must_use]
    pub fn chunk_at_time(&self, time: Time) -> Option<usize> {
        let chunk = self.layout.entries.partition_point(|entry| entry.span.last_time < time);
        (chunk < self.chunks()).then_some(chunk)
    }

    /// The ordinal of the first event at or after `time`.
    ///
    /// # Errors
    /// When the chunk that holds it cannot be read, or the trace ends before.
    pub fn event_at_time(&self, time: Time) -> Result<u64, Error> {
        if let Some(chunk) = self.chunk_at_time(time) {
            let batch = self.batch(chunk)?;
            let times = &batch.step_columns().time_ns;
            if let Some(at) = times.iter().position(|step_ns| *step_ns >= time.as_ns()) {
                return Ok(batch.first_ordinal() + at as u64);
            }
        }
        let last = self.layout.entries.last().map_or(Time::ZERO, |entry| entry.span.last_time);
        Err(Error::address(format!("there is no event at or after {time}: the last one is at {last}")))
    }

    /// The ordinal of the event that an address names: by its event if it gives one, else the first at or after its
    /// time, else the first of all.
    ///
    /// # Errors
    /// When the trace has no such event, or the chunk that holds it cannot be read.
    pub fn resolve(&self, address: &Address) -> Result<u64, Error> {
        match (address.event, address.time) {
            (Some(event), Some(time)) if event < self.steps() => self.at_time(event, time),
            (Some(event), None) if event < self.steps() => Ok(event),
            (Some(event), _) => {
                let steps = self.steps();
                Err(Error::address(format!(
                    "there is no event e{event}: the trace has {steps}, counted from e0"
                )))
            }
            (None, time) => self.event_at_time(time.unwrap_or(Time::ZERO)),
        }
    }

    /// The event, if it happened at that time. Reports cut times to the second, so a second is not a contradiction.
    fn at_time(&self, event: u64, time: Time) -> Result<u64, Error> {
        const SECOND_NS: u64 = 1_000_000_000;
        let chunk = self.chunk_of_event(event).expect("the event is there");
        let Some(batch) = self.steps_if_recorded(chunk)? else { return Ok(event) };
        let place = (event - batch.first_ordinal()) as usize;
        let happened = Time::from_ns(batch.step_columns().time_ns[place]);
        if happened.since(time).max(time.since(happened)) < SECOND_NS {
            return Ok(event);
        }
        Err(Error::address(format!("event e{event} happened at {happened}, not at {time}")))
    }

    /// The final digest and number of steps that the closing record gives.
    pub(crate) fn closing_digest(&self) -> Option<(Digest, u64)> {
        self.layout.closing.as_ref().map(|(head, _)| (head.digest, head.steps))
    }

    /// The steps of a chunk, or `None` when its level does not record them.
    pub(crate) fn steps_if_recorded(&self, chunk: usize) -> Result<Option<Batch>, Error> {
        match self.batch(chunk) {
            Ok(batch) => Ok(Some(batch)),
            Err(error) if error.is_not_recorded() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The hashes of a chunk whose bytes are found to be sound, without decoding them.
    pub(crate) fn checked_body(&self, chunk: usize) -> Result<Checkpoint, Error> {
        Ok(self.body(chunk)?.0.checkpoint)
    }

    pub(crate) fn offset(&self, chunk: usize) -> u64 {
        self.layout.entries[chunk].offset
    }

    fn body_offset(&self, chunk: usize) -> u64 {
        self.offset(chunk) + HEAD_BYTES as u64
    }

    /// The head of a chunk and its body as it is in the file.
    fn body(&self, chunk: usize) -> Result<(Head, Vec<u8>), Error> {
        let head = self.head(chunk)?;
        let offset = self.body_offset(chunk);
        let damaged = |what: String| Error::damaged(offset, &place(chunk, &head.span), what);
        let body = self.source.bytes(offset, u64::from(head.stored_length))?;
        let body = body.ok_or_else(|| damaged("it reaches past the end of the file".to_owned()))?;
        format::check_sum(&body, head.body_checksum).map_err(damaged)?;
        Ok((head, body))
    }

    fn head(&self, chunk: usize) -> Result<Head, Error> {
        let entry = self.layout.entries[chunk];
        let damaged =
            |what: &dyn fmt::Display| Error::damaged(entry.offset, &place(chunk, &entry.span), what);
        let bytes = self.source.array::<HEAD_BYTES>(entry.offset)?;
        let bytes = bytes.ok_or_else(|| damaged(&"it reaches past the end of the file"))?;
        let head = Head::decode(&bytes).map_err(|what| damaged(&what))?;
        if head.span != entry.span {
            return Err(damaged(&"it holds other steps than the index says"));
        }
        let content = match self.header.level {
            Level::Full => Content::Everything,
            Level::Headers => Content::Headers,
            Level::Digest => Content::Nothing,
        };
        if head.content != content {
            return Err(damaged(&"it is not of the level that the header gives"));
        }
        Ok(head)
    }
}

/// The decoded body, from what is in the file.
fn decode_body(stored: Vec<u8>, head: &Head) -> Result<Vec<u8>, &'static str> {
    let length = head.decoded_length as usize;
    if head.codec == Codec::Stored {
        return if stored.len() == length {
            Ok(stored)
        } else {
            Err("its length is not what its head gives")
        };
    }
    if length > LZ4_BODY_BYTES_MAX || head.counts.effects > LZ4_EFFECTS_MAX {
        return Err("it decodes to more than is allowed");
    }
    if length as u64 > stored.len() as u64 * LZ4_RATIO_MAX {
        return Err("it is too short for what it should decode to");
    }
    let mut body = vec![0; length];
    match decompress_into(&stored, &mut body) {
        Ok(decoded) if decoded == length => Ok(body),
        Ok(_) => Err("it decodes to less than its head gives"),
        Err(_) => Err("it is not what the compressor writes"),
    }
}

fn read_header(source: &Source) -> Result<(Header, u64), Error> {
    let Some(magic) = source.array::<8>(0)? else {
        let what = if source.length() == 0 { "the file is empty" } else { "the file is too short" };
        return Err(Error::not_a_trace(format!("not a trace: {what}")));
    };
    if magic != MAGIC {
        let hint =
            if magic == [0; 8] { ": it begins with zeros, perhaps a copy that was never filled" } else { "" };
        return Err(Error::not_a_trace(format!("not a trace: the file does not begin like one{hint}")));
    }
    let damaged = |what: &dyn fmt::Display| Error::damaged(0, "header", what);
    let Some(preamble) = source.array::<PREAMBLE_BYTES>(0)? else {
        return Err(damaged(&"the file ends inside it"));
    };
    let (version, json_length) = (format::u32_at(&preamble, 8), u64::from(format::u32_at(&preamble, 12)));
    if json_length > HEADER_JSON_BYTES_MAX {
        return Err(damaged(&format_args!(
            "it claims {json_length} bytes, at most {HEADER_JSON_BYTES_MAX} are allowed"
        )));
    }
    let Some(json) = source.bytes(PREAMBLE_BYTES as u64, json_length)? else {
        return Err(damaged(&format_args!("the file ends inside it, after {} bytes", source.length())));
    };
    let (computed, recorded) = (format::checksum(&[&preamble[..16], &json]), format::u32_at(&preamble, 16));
    if computed != recorded {
        return Err(damaged(&format_args!(
            "checksum 0x{computed:08x} differs from the recorded 0x{recorded:08x}"
        )));
    }
    check_format(version)?;
    let header: Header = serde_json::from_slice(&json).map_err(|error| damaged(&error))?;
    header.check_features()?;
    Ok((header, PREAMBLE_BYTES as u64 + json_length))
}

fn check_format(version: u32) -> Result<(), Error> {
    if version == FORMAT {
        return Ok(());
    }
    let (age, advice) = if version > FORMAT {
        ("too new", "a newer version of the program")
    } else {
        ("too old", "the version of the program that wrote it")
    };
    Err(Error::incompatible(format!(
        "the trace is {age}: it has format version {version}, this program reads {FORMAT}; use {advice}"
    )))
}
