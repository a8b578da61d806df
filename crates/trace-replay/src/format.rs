//! The layout of a trace file, byte by byte, so that a reader can be written in any language.
//!
//! All integers are unsigned and little-endian. A checksum is CRC-32 as in zlib and PNG. A hash is BLAKE3,
//! 32 bytes. JSON is UTF-8. The file is, without gaps:
//!
//! ```text
//! header, chunk*, closing, index, trailer
//! ```
//!
//! It is written front to back, so a file that was cut off anywhere is a header and some chunks. Closing, index
//! and trailer are there only when the run ended in an orderly way.
//!
//! ## Header
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 8 | magic `89 46 4C 45 45 54 0D 0A` |
//! | 8 | 4 | format version, 1 |
//! | 12 | 4 | length of the JSON, at most 64 MiB |
//! | 16 | 4 | checksum of bytes 0 to 16, then the JSON |
//! | 20 | … | the JSON: [`Header`](crate::Header) |
//!
//! These 20 bytes keep their meaning in every later version.
//!
//! ## Chunk
//! One batch of steps, which is one checkpoint of the run digest: 4,096 steps, or fewer in the last chunk of a run.
//!
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 8 | magic `FLTCHNK\n` |
//! | 8 | 1 | codec of the body: 0 stored, 1 LZ4 block without a length in front (2 is kept for Zstandard) |
//! | 9 | 1 | content: 0 no body, 1 all columns but no payloads, 2 everything |
//! | 10 | 2 | 0 |
//! | 12 | 4 | steps, 1 to 4,096 |
//! | 16 | 4 | effects |
//! | 20 | 4 | bytes of facts |
//! | 24 | 4 | bytes of payloads (0 unless content is 2) |
//! | 28 | 4 | length of the body when decoded |
//! | 32 | 4 | length of the body in the file |
//! | 36 | 4 | checksum of the body in the file |
//! | 40 | 8 | ordinal of the first step |
//! | 48 | 8 | earliest time of a step, in nanoseconds |
//! | 56 | 8 | latest time of a step |
//! | 64 | 32 | hash of the batch without payloads |
//! | 96 | 32 | hash of the payload bytes |
//! | 128 | 32 | hash of the run up to here: of the hash before it and the two above |
//! | 160 | 4 | checksum of bytes 0 to 160 |
//! | 164 | … | the body |
//!
//! An LZ4 body decodes to at most 64 MiB and 4,194,304 effects; larger ones are stored, so that no small file
//! makes a reader allocate much. The digest is over the decoded batch (see `fleetsim_engine::digest`): codec and
//! content do not change it.
//!
//! ## Body
//! Columns one after the other. Those of the steps: time (*deltas*), target (*agents*), source (*agents*), sequence
//! (*packed*), event (*raw*), fate (*raw*), waited (*packed*), protocol (*dictionary*), kind (*packed*), first
//! sequence (*packed*), effects (*packed*). Those of the effects: effect (*raw*), object (*agents*), protocol
//! (*dictionary*), kind (*packed*), delay (*packed*), length (*packed*). Then the bytes of the facts and, with
//! content 2, of the payloads. Their meaning is that of `fleetsim_engine::batch`.
//!
//! - *raw*: a byte a value.
//! - *packed*: blocks of 128 values, the last one shorter. A block is one byte *w* (0 to 64), one byte *m* (0 to 8),
//!   the block's minimum in *m* bytes, then each value less the minimum in *w* bits, lowest bit first, values one
//!   after the other, zero bits up to the next byte.
//! - *deltas*: the first value in 8 bytes (0 if there is none), then *packed*: for each value how much it is above
//!   the one before it, modulo 2⁶⁴; 0 for the first.
//! - *dictionary*: one byte *n*. If 0, the values follow *packed*. Otherwise *n* values of 4 bytes, then *packed*
//!   indexes into them.
//! - *agents*: the upper 32 bits of each value as a *dictionary*, then the lower 32 bits *packed*.
//!
//! ## Closing
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 8 | magic `FLTCLOS\n` |
//! | 8 | 4 | length of the JSON, at most 16 MiB |
//! | 12 | 4 | checksum of the JSON |
//! | 16 | 8 | steps of the run |
//! | 24 | 8 | messages of the run |
//! | 32 | 8 | virtual time at the end, in nanoseconds |
//! | 40 | 32 | the run digest |
//! | 72 | 4 | checksum of bytes 0 to 72 |
//! | 76 | … | the JSON: `{"ending": TEXT, "summary": ANYTHING}` |
//!
//! ## Index
//! The magic `FLTINDX\n`, the number of chunks in 8 bytes, for each chunk 36 bytes (offset in the file 8, ordinal of
//! its first step 8, earliest time 8, latest time 8, steps 4), and in 4 bytes the checksum of all that.
//!
//! ## Trailer
//! The last 28 bytes: offset of the closing record 8, offset of the index 8, checksum of those 16 bytes 4, magic
//! `FLTTAIL\n`.

use fleetsim_engine::Time;
use fleetsim_engine::digest::{Checkpoint, Digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::body::Counts;

/// The version of the file format that this program writes.
pub const FORMAT: u32 = 1;

pub(crate) const MAGIC: [u8; 8] = *b"\x89FLEET\r\n";
pub(crate) const PREAMBLE_BYTES: usize = 20;
pub(crate) const HEADER_JSON_BYTES_MAX: u64 = 64 << 20;

pub(crate) const CHUNK_MAGIC: [u8; 8] = *b"FLTCHNK\n";
pub(crate) const HEAD_BYTES: usize = 164;
const HEAD_CHECKED_BYTES: usize = HEAD_BYTES - 4;
/// The most that an LZ4 body may decode to.
pub(crate) const LZ4_BODY_BYTES_MAX: usize = 64 << 20;
/// The most effects that an LZ4 body may hold.
pub(crate) const LZ4_EFFECTS_MAX: usize = 4 << 20;

pub(crate) const CLOSING_MAGIC: [u8; 8] = *b"FLTCLOS\n";
pub(crate) const CLOSING_BYTES: usize = 76;
const CLOSING_CHECKED_BYTES: usize = CLOSING_BYTES - 4;
pub(crate) const CLOSING_JSON_BYTES_MAX: u64 = 16 << 20;

pub(crate) const INDEX_MAGIC: [u8; 8] = *b"FLTINDX\n";
pub(crate) const INDEX_FIXED_BYTES: u64 = 20;
pub(crate) const INDEX_ENTRY_BYTES: u64 = 36;

pub(crate) const TRAILER_MAGIC: [u8; 8] = *b"FLTTAIL\n";
pub(crate) const TRAILER_BYTES: usize = 28;

/// How the body of a chunk is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    Stored = 0,
    Lz4 = 1,
}

/// What the body of a chunk holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Nothing = 0,
    Headers = 1,
    Everything = 2,
}

/// The head of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) codec: Codec,
    pub(crate) content: Content,
    pub(crate) counts: Counts,
    pub(crate) decoded_length: u32,
    pub(crate) stored_length: u32,
    pub(crate) body_checksum: u32,
    pub(crate) span: Span,
    pub(crate) checkpoint: Checkpoint,
}

/// Which steps a chunk holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The ordinal of the first.
    pub first_ordinal: u64,
    /// How many.
    pub steps: u64,
    /// The earliest instant.
    pub first_time: Time,
    /// The latest instant.
    pub last_time: Time,
}

impl Span {
    /// The ordinal after the last step.
    #[must_use]
    pub const fn end_ordinal(&self) -> u64 {
        self.first_ordinal.saturating_add(self.steps)
    }
}

/// How a run ended, and what its program wants kept with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Closing {
    /// Why it ended, in a few words.
    pub ending: String,
    /// Messages that were sent.
    pub messages: u64,
    /// The virtual time at its end.
    pub virtual_time: Time,
    /// Anything small, such as findings: at most 16 MiB of JSON.
    pub summary: Value,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ClosingText {
    pub(crate) ending: String,
    #[serde(default)]
    pub(crate) summary: Value,
}

/// The fixed part of the closing record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClosingHead {
    pub(crate) json_length: u32,
    pub(crate) json_checksum: u32,
    pub(crate) steps: u64,
    pub(crate) messages: u64,
    pub(crate) virtual_time: Time,
    pub(crate) digest: Digest,
}

/// An entry of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) offset: u64,
    pub(crate) span: Span,
}

/// The CRC-32 of pieces that follow one another.
pub(crate) fn checksum(pieces: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for piece in pieces {
        hasher.update(piece);
    }
    hasher.finalize()
}

/// The header's first bytes and its JSON.
pub(crate) fn encode_header(json: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(FORMAT.to_le_bytes());
    bytes.extend((json.len() as u32).to_le_bytes());
    bytes.extend(checksum(&[&bytes, json]).to_le_bytes());
    bytes.extend_from_slice(json);
    bytes
}

impl Head {
    pub(crate) fn encode(&self) -> [u8; HEAD_BYTES] {
        let mut out = Fields::new(&CHUNK_MAGIC);
        out.put(&[self.codec as u8, self.content as u8, 0, 0]);
        for number in [
            self.span.steps as u32,
            self.counts.effects as u32,
            self.counts.fact_bytes as u32,
            self.counts.payload_bytes.unwrap_or(0) as u32,
            self.decoded_length,
            self.stored_length,
            self.body_checksum,
        ] {
            out.put(&number.to_le_bytes());
        }
        for number in [self.span.first_ordinal, self.span.first_time.as_ns(), self.span.last_time.as_ns()] {
            out.put(&number.to_le_bytes());
        }
        for digest in [self.checkpoint.headers, self.checkpoint.payloads, self.checkpoint.run] {
            out.put(&digest.0);
        }
        out.finish()
    }

    /// The head that `bytes` are, or what is wrong with them.
    pub(crate) fn decode(bytes: &[u8; HEAD_BYTES]) -> Result<Head, String> {
        check_record(bytes, &CHUNK_MAGIC, HEAD_CHECKED_BYTES)?;
        let u32_at = |at| u32_at(bytes, at);
        let codec = match bytes[8] {
            0 => Codec::Stored,
            1 => Codec::Lz4,
            other => return Err(format!("its codec {other} is unknown")),
        };
        let content = match bytes[9] {
            0 => Content::Nothing,
            1 => Content::Headers,
            2 => Content::Everything,
            other => return Err(format!("its content {other} is unknown")),
        };
        let steps = u32_at(12);
        if steps == 0 || steps as usize > fleetsim_engine::batch::STEPS_MAX {
            return Err(format!("it claims {steps} steps"));
        }
        let payload_bytes = u32_at(24) as usize;
        Ok(Head {
            codec,
            content,
            counts: Counts {
                steps: steps as usize,
                effects: u32_at(16) as usize,
                fact_bytes: u32_at(20) as usize,
                payload_bytes: (content == Content::Everything).then_some(payload_bytes),
            },
            decoded_length: u32_at(28),
            stored_length: u32_at(32),
            body_checksum: u32_at(36),
            span: Span {
                first_ordinal: u64_at(bytes, 40),
                steps: u64::from(steps),
                first_time: Time::from_ns(u64_at(bytes, 48)),
                last_time: Time::from_ns(u64_at(bytes, 56)),
            },
            checkpoint: Checkpoint {
                headers: digest_at(bytes, 64),
                payloads: digest_at(bytes, 96),
                run: digest_at(bytes, 128),
            },
        })
    }
}

impl ClosingHead {
    pub(crate) fn encode(&self) -> [u8; CLOSING_BYTES] {
        let mut out = Fields::new(&CLOSING_MAGIC);
        out.put(&self.json_length.to_le_bytes());
        out.put(&self.json_checksum.to_le_bytes());
        for number in [self.steps, self.messages, self.virtual_time.as_ns()] {
            out.put(&number.to_le_bytes());
        }
        out.put(&self.digest.0);
        out.finish()
    }

    pub(crate) fn decode(bytes: &[u8; CLOSING_BYTES]) -> Result<ClosingHead, String> {
        check_record(bytes, &CLOSING_MAGIC, CLOSING_CHECKED_BYTES)?;
        Ok(ClosingHead {
            json_length: u32_at(bytes, 8),
            json_checksum: u32_at(bytes, 12),
            steps: u64_at(bytes, 16),
            messages: u64_at(bytes, 24),
            virtual_time: Time::from_ns(u64_at(bytes, 32)),
            digest: digest_at(bytes, 40),
        })
    }
}

/// The index and the trailer, which end a file whose index begins at `index_offset`.
pub(crate) fn encode_index(entries: &[Entry], closing_offset: u64, index_offset: u64) -> Vec<u8> {
    let mut bytes = INDEX_MAGIC.to_vec();
    bytes.extend((entries.len() as u64).to_le_bytes());
    for Entry { offset, span } in entries {
        for number in [*offset, span.first_ordinal, span.first_time.as_ns(), span.last_time.as_ns()] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend((span.steps as u32).to_le_bytes());
    }
    bytes.extend(checksum(&[&bytes]).to_le_bytes());
    let offsets = [closing_offset.to_le_bytes(), index_offset.to_le_bytes()].concat();
    bytes.extend_from_slice(&offsets);
    bytes.extend(checksum(&[&offsets]).to_le_bytes());
    bytes.extend(TRAILER_MAGIC);
    bytes
}

/// The entries of an index, or what is wrong with it.
pub(crate) fn decode_index(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let Some((checked, checksum_bytes)) = bytes.split_last_chunk::<4>() else {
        return Err("it is cut short".to_owned());
    };
    check_sum(checked, u32::from_le_bytes(*checksum_bytes))?;
    let entries = checked.strip_prefix(&INDEX_MAGIC).ok_or("it does not begin like one")?;
    let (count, entries) = entries.split_first_chunk::<8>().ok_or("it is cut short")?;
    let (entries, rest) = entries.as_chunks::<{ INDEX_ENTRY_BYTES as usize }>();
    if u64::from_le_bytes(*count) != entries.len() as u64 || !rest.is_empty() {
        return Err("its length does not fit its number of entries".to_owned());
    }
    let decode = |entry: &[u8; INDEX_ENTRY_BYTES as usize]| Entry {
        offset: u64_at(entry, 0),
        span: Span {
            first_ordinal: u64_at(entry, 8),
            steps: u64::from(u32_at(entry, 32)),
            first_time: Time::from_ns(u64_at(entry, 16)),
            last_time: Time::from_ns(u64_at(entry, 24)),
        },
    };
    Ok(entries.iter().map(decode).collect())
}

/// The offsets of closing record and index that a trailer gives, or what is wrong with it.
pub(crate) fn decode_trailer(bytes: &[u8; TRAILER_BYTES]) -> Result<(u64, u64), String> {
    if bytes[20..] != TRAILER_MAGIC {
        return Err("it does not end like one".to_owned());
    }
    check_sum(&bytes[..16], u32_at(bytes, 16))?;
    Ok((u64_at(bytes, 0), u64_at(bytes, 8)))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// Compares a checksum that was found in the file with that of what it covers.
pub(crate) fn check_sum(bytes: &[u8], recorded: u32) -> Result<(), String> {
    let computed = checksum(&[bytes]);
    if computed == recorded {
        return Ok(());
    }
    Err(format!("checksum 0x{computed:08x} differs from the recorded 0x{recorded:08x}"))
}

fn check_record(bytes: &[u8], magic: &[u8; 8], checked: usize) -> Result<(), String> {
    if bytes[..8] != *magic {
        return Err("no record begins here".to_owned());
    }
    check_sum(&bytes[..checked], u32_at(bytes, checked))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

fn digest_at(bytes: &[u8], at: usize) -> Digest {
    Digest(bytes[at..at + 32].try_into().expect("thirty-two bytes"))
}

/// A record of fixed size that is filled from the front and ends with its checksum.
struct Fields<const SIZE: usize> {
    bytes: [u8; SIZE],
    at: usize,
}

impl<const SIZE: usize> Fields<SIZE> {
    fn new(magic: &[u8; 8]) -> Self {
        let mut fields = Fields { bytes: [0; SIZE], at: 0 };
        fields.put(magic);
        fields
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    fn finish(mut self) -> [u8; SIZE] {
        let computed = checksum(&[&self.bytes[..self.at]]);
        self.put(&computed.to_le_bytes());
        assert_eq!(self.at, SIZE, "a record fills its size");
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            codec: Codec::Lz4,
            content: Content::Everything,
            counts: Counts { steps: 7, effects: 9, fact_bytes: 11, payload_bytes: Some(13) },
            decoded_length: 17,
            stored_length: 19,
            body_checksum: 23,
            span: Span {
                first_ordinal: 4096,
                steps: 7,
                first_time: Time::from_ns(29),
                last_time: Time::from_ns(31),
            },
            checkpoint: Checkpoint {
                headers: Digest([1; 32]),
                payloads: Digest([2; 32]),
                run: Digest([3; 32]),
            },
        }
    }

    #[test]
    fn records_round_trip() {
        assert_eq!(Head::decode(&head().encode()), Ok(head()));
        let closing = ClosingHead {
            json_length: 1,
            json_checksum: 2,
            steps: 3,
            messages: 4,
            virtual_time: Time::from_ns(5),
            digest: Digest([6; 32]),
        };
        assert_eq!(ClosingHead::decode(&closing.encode()), Ok(closing));
        let entries = [Entry { offset: 20, span: head().span }, Entry { offset: 999, span: head().span }];
        let bytes = encode_index(&entries, 77, 88);
        let (index, trailer) = bytes.split_last_chunk().expect("a trailer");
        assert_eq!(decode_index(index).as_deref(), Ok(&entries[..]));
        assert_eq!(decode_trailer(trailer), Ok((77, 88)));
    }

    #[test]
    fn a_head_is_laid_out_as_described() {
        let bytes = head().encode();
        assert_eq!(&bytes[..12], b"FLTCHNK\n\x01\x02\0\0");
        assert_eq!(
            bytes[12..40],
            [7, 0, 0, 0, 9, 0, 0, 0, 11, 0, 0, 0, 13, 0, 0, 0, 17, 0, 0, 0, 19, 0, 0, 0, 23, 0, 0, 0]
        );
        assert_eq!((u64_at(&bytes, 40), u64_at(&bytes, 48), u64_at(&bytes, 56)), (4096, 29, 31));
        assert_eq!((bytes[64], bytes[96], bytes[128]), (1, 2, 3));
    }
}
