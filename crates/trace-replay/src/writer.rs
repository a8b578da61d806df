//! Writes a trace, chunk by chunk, and digests the run on the way.
//!
//! A failure to write is kept and ends the writing, but never the digesting: what a run computes does not depend
//! on the disk.

use std::io::Write;

use fleetsim_engine::Time;
use fleetsim_engine::batch::Batch;
use fleetsim_engine::digest::{Checkpoint, Digest, RunDigest};
use lz4_flex::block::{compress_into, get_maximum_output_size};

use crate::body::{self, Counts};
use crate::error::Error;
use crate::format::{
    self, CLOSING_JSON_BYTES_MAX, Closing, ClosingHead, ClosingText, Codec, Content, Entry,
    HEADER_JSON_BYTES_MAX, Head, LZ4_BODY_BYTES_MAX, LZ4_EFFECTS_MAX, Span,
};
use crate::header::{Header, Level};

/// Writes one trace to `out`.
#[derive(Debug)]
pub(crate) struct Writer<W> {
    out: W,
    level: Level,
    digest: RunDigest,
    entries: Vec<Entry>,
    bytes: u64,
    error: Option<Error>,
    body: Vec<u8>,
    frame: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins a trace.
    ///
    /// # Errors
    /// When the header is too large. A failure to write is kept for the end.
    pub(crate) fn new(out: W, header: &Header) -> Result<Writer<W>, Error> {
        let json = serde_json::to_vec(header)
            .map_err(|error| Error::io("cannot encode the header", &error.into()))?;
        if json.len() as u64 > HEADER_JSON_BYTES_MAX {
            return Err(too_large("the header", json.len() as u64, HEADER_JSON_BYTES_MAX));
        }
        let mut writer = Writer {
            out,
            level: header.level,
            digest: RunDigest::default(),
            entries: Vec::new(),
            bytes: 0,
            error: None,
            body: Vec::new(),
            frame: Vec::new(),
        };
        writer.put(&format::encode_header(&json));
        Ok(writer)
    }

    /// Adds a batch.
    pub(crate) fn append(&mut self, batch: &Batch) {
        if batch.is_empty() {
            return;
        }
        let checkpoint = self.digest.absorb(batch);
        if self.error.is_some() {
            return;
        }
        match self.encode_chunk(batch, checkpoint) {
            Ok(head) => {
                self.entries.push(Entry { offset: self.bytes, span: head.span });
                let frame = core::mem::take(&mut self.frame);
                self.put(&frame);
                self.frame = frame;
            }
            Err(error) => self.error = Some(error),
        }
    }

    /// Ends the trace of a run that ended.
    pub(crate) fn close(&mut self, closing: &Closing) {
        let text = ClosingText { ending: closing.ending.clone(), summary: closing.summary.clone() };
        let json = match serde_json::to_vec(&text) {
            Ok(json) if json.len() as u64 <= CLOSING_JSON_BYTES_MAX => json,
            Ok(json) => {
                return self.fail(too_large("the summary", json.len() as u64, CLOSING_JSON_BYTES_MAX));
            }
            Err(error) => return self.fail(Error::io("cannot encode the summary", &error.into())),
        };
        let head = ClosingHead {
            json_length: json.len() as u32,
            json_checksum: format::checksum(&[&json]),
            steps: self.digest.steps(),
            messages: closing.messages,
            virtual_time: closing.virtual_time,
            digest: self.digest.value(),
        };
        let closing_offset = self.bytes;
        let mut end = head.encode().to_vec();
        end.extend_from_slice(&json);
        let index_offset = closing_offset + end.len() as u64;
        end.extend(format::encode_index(&self.entries, closing_offset, index_offset));
        self.put(&end);
    }

    /// Hands everything on to the operating system and gives back what was written to, with the first failure.
    pub(crate) fn finish(mut self) -> (W, Written) {
        if self.error.is_none()
            && let Err(error) = self.out.flush()
        {
            self.error = Some(Error::io("cannot write the trace", &error));
        }
        let written = Written {
            digest: self.digest.value(),
            steps: self.digest.steps(),
            bytes: self.bytes,
            error: self.error,
        };
        (self.out, written)
    }

    /// Leaves the encoded chunk in `self.frame`.
    fn encode_chunk(&mut self, batch: &Batch, checkpoint: Checkpoint) -> Result<Head, Error> {
        let content = match self.level {
            Level::Full => Content::Everything,
            Level::Headers => Content::Headers,
            Level::Digest => Content::Nothing,
        };
        let mut counts = Counts::of(batch, content == Content::Everything);
        self.body.clear();
        if content == Content::Nothing {
            counts = Counts { effects: 0, fact_bytes: 0, ..counts };
        } else {
            body::encode(batch, content == Content::Everything, &mut self.body);
        }
        let length = u32::try_from(self.body.len())
            .map_err(|_| too_large("a chunk", self.body.len() as u64, u64::from(u32::MAX)))?;
        // The head goes in front when it is known.
        self.frame.clear();
        self.frame.resize(format::HEAD_BYTES, 0);
        let codec = self.encode_body(counts);
        let (head_bytes, stored) = self.frame.split_at_mut(format::HEAD_BYTES);
        let times = &batch.step_columns().time_ns;
        let time = |time: Option<&u64>| Time::from_ns(*time.expect("a chunk has steps"));
        let head = Head {
            codec,
            content,
            counts,
            decoded_length: length,
            stored_length: stored.len() as u32,
            body_checksum: format::checksum(&[stored]),
            span: Span {
                first_ordinal: batch.first_ordinal(),
                steps: batch.len() as u64,
                first_time: time(times.iter().min()),
                last_time: time(times.iter().max()),
            },
            checkpoint,
        };
        head_bytes.copy_from_slice(&head.encode());
        Ok(head)
    }

    /// Appends the body to the frame: compressed if that helps and stays within what a reader accepts.
    fn encode_body(&mut self, counts: Counts) -> Codec {
        if self.body.len() <= LZ4_BODY_BYTES_MAX && counts.effects <= LZ4_EFFECTS_MAX {
            let start = self.frame.len();
            self.frame.resize(start + get_maximum_output_size(self.body.len()), 0);
            let compressed = compress_into(&self.body, &mut self.frame[start..]);
            let length = compressed.expect("the buffer has the size that the compressor asked for");
            if length < self.body.len() {
                self.frame.truncate(start + length);
                return Codec::Lz4;
            }
            self.frame.truncate(start);
        }
        self.frame.extend_from_slice(&self.body);
        Codec::Stored
    }

    fn put(&mut self, bytes: &[u8]) {
        if self.error.is_some() {
            return;
        }
        match self.out.write_all(bytes) {
            Ok(()) => self.bytes += bytes.len() as u64,
            Err(error) => self.error = Some(Error::io("cannot write the trace", &error)),
        }
    }

    fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }
}

/// What came of writing.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) digest: Digest,
    pub(crate) steps: u64,
    pub(crate) bytes: u64,
    pub(crate) error: Option<Error>,
}

fn too_large(what: &str, bytes: u64, bytes_max: u64) -> Error {
    let reason = std::io::Error::other(format!("it takes {bytes} bytes, at most {bytes_max} fit"));
    Error::io(format_args!("cannot record {what}"), &reason)
}
