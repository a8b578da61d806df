//! Finds the chunks of a trace: from its index, or, when that is absent or damaged, from the file itself.
//!
//! A file that ends early is cut short, which is not damage: what is there is sound. Damage is bytes that are not
//! what was written; what follows it is found by looking for the next record whose checksum holds.

use crate::error::Error;
use crate::format::{
    self, CHUNK_MAGIC, CLOSING_BYTES, CLOSING_JSON_BYTES_MAX, CLOSING_MAGIC, Closing, ClosingHead,
    ClosingText, Entry, HEAD_BYTES, Head, INDEX_ENTRY_BYTES, INDEX_FIXED_BYTES, Span, TRAILER_BYTES,
};
use crate::source::Source;

/// Bytes that are looked at together.
const WINDOW_BYTES: u64 = 1 << 18;

/// Where everything is.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) entries: Vec<Entry>,
    pub(crate) closing: Option<(ClosingHead, Closing)>,
    /// Where the file ends, if it ends early.
    pub(crate) cut_at: Option<u64>,
    pub(crate) damage: Vec<Error>,
    /// Whether the index could not be used.
    pub(crate) rebuilt: bool,
}

/// Finds everything after the header, which ends at `start`.
pub(crate) fn layout(source: &Source, start: u64) -> Result<Layout, Error> {
    let damage = match indexed(source, start)? {
        Ok(layout) => return Ok(layout),
        Err(damage) => damage,
    };
    let mut layout = rebuild(source, start)?;
    layout.rebuilt = true;
    // In a file that ends early the index is not damaged but absent.
    if layout.cut_at.is_none() {
        layout.damage.push(damage);
    }
    Ok(layout)
}

/// The layout that the index gives, or what is wrong with index or trailer.
fn indexed(source: &Source, start: u64) -> Result<Result<Layout, Error>, Error> {
    let trailer_offset = source.length().saturating_sub(TRAILER_BYTES as u64);
    let damaged_trailer = |what: String| Ok(Err(Error::damaged(trailer_offset, "trailer", what)));
    let Some(trailer) = source.array::<TRAILER_BYTES>(trailer_offset)? else {
        return damaged_trailer("it is cut short".to_owned());
    };
    let (closing_offset, index_offset) = match format::decode_trailer(&trailer) {
        Ok(offsets) => offsets,
        Err(what) => return damaged_trailer(what),
    };
    if closing_offset < start || index_offset < closing_offset || trailer_offset < index_offset {
        return damaged_trailer("it points outside the file".to_owned());
    }
    let damaged_index = |what: String| Ok(Err(Error::damaged(index_offset, "index", what)));
    let Some(index) = source.bytes(index_offset, trailer_offset - index_offset)? else {
        return damaged_index("it is cut short".to_owned());
    };
    let entries = match format::decode_index(&index) {
        Ok(entries) => entries,
        Err(what) => return damaged_index(what),
    };
    if !is_gapless(&entries, start, closing_offset) {
        return damaged_index("its entries are not those of a run".to_owned());
    }
    let mut layout = Layout { entries, ..Layout::default() };
    match closing_at(source, closing_offset)? {
        Found::Sound((head, closing), end) if end == index_offset => {
            if head.steps != layout.entries.last().map_or(0, |entry| entry.span.end_ordinal()) {
                let what = format!("the run had {} steps, which are not all here", head.steps);
                layout.damage.push(Error::damaged(closing_offset, "closing record", what));
            }
            layout.closing = Some((head, closing));
        }
        Found::Broken(what) => layout.damage.push(Error::damaged(closing_offset, "closing record", what)),
        _ => layout.damage.push(Error::damaged(closing_offset, "closing record", "it has the wrong length")),
    }
    Ok(Ok(layout))
}

fn is_gapless(entries: &[Entry], start: u64, end: u64) -> bool {
    let (mut offset_min, mut ordinal) = (start, 0);
    for Entry { offset, span } in entries {
        if *offset < offset_min || *offset >= end || span.first_ordinal != ordinal || span.steps == 0 {
            return false;
        }
        offset_min = offset.saturating_add(HEAD_BYTES as u64);
        ordinal = span.end_ordinal();
    }
    true
}

/// Reads the file from front to back.
fn rebuild(source: &Source, start: u64) -> Result<Layout, Error> {
    let mut layout = Layout::default();
    let mut offset = start;
    // Where sound records ended and what came instead.
    let mut gap: Option<(u64, String)> = None;
    loop {
        let found = record_at(source, offset)?;
        if let Some((gap_offset, what)) = &gap {
            let place = format!("up to byte {offset}, after step {}", ordinal_after(&layout.entries));
            layout.damage.push(Error::damaged(*gap_offset, &place, what));
        }
        match found {
            Found::Sound(Record::Chunk(head), end) => {
                let hole_offset = gap.take().map_or(offset, |(gap_offset, _)| gap_offset);
                if !add_chunk(&mut layout, &head, offset, hole_offset) {
                    layout.cut_at = Some(offset);
                    return Ok(layout);
                }
                check_body(source, &head, offset, &mut layout)?;
                offset = end;
            }
            Found::Sound(Record::Closing(head, closing), end) => {
                layout.closing = Some((head, closing));
                add_end(source, end, &mut layout);
                return Ok(layout);
            }
            Found::CutShort => {
                layout.cut_at = Some(source.length());
                return Ok(layout);
            }
            Found::Broken(what) => match next_record(source, offset + 1)? {
                Some(next) => {
                    gap = Some((offset, what));
                    offset = next;
                }
                None => {
                    let place = format!("after step {}", ordinal_after(&layout.entries));
                    layout.damage.push(Error::damaged(offset, &place, what));
                    layout.cut_at = Some(offset);
                    return Ok(layout);
                }
            },
        }
    }
}

enum Record {
    Chunk(Head),
    Closing(ClosingHead, Closing),
}

/// What is at some place, and where it ends.
enum Found<T> {
    Sound(T, u64),
    CutShort,
    Broken(String),
}

fn record_at(source: &Source, offset: u64) -> Result<Found<Record>, Error> {
    let Some(magic) = source.array::<8>(offset)? else {
        return Ok(Found::CutShort);
    };
    if magic == CLOSING_MAGIC {
        return Ok(match closing_at(source, offset)? {
            Found::Sound((head, closing), end) => Found::Sound(Record::Closing(head, closing), end),
            Found::CutShort => Found::CutShort,
            Found::Broken(what) => Found::Broken(what),
        });
    }
    let Some(bytes) = source.array::<HEAD_BYTES>(offset)? else {
        return Ok(Found::CutShort);
    };
    Ok(match Head::decode(&bytes) {
        Err(what) => Found::Broken(what),
        Ok(head) => {
            let end = offset + HEAD_BYTES as u64 + u64::from(head.stored_length);
            if end > source.length() { Found::CutShort } else { Found::Sound(Record::Chunk(head), end) }
        }
    })
}

fn closing_at(source: &Source, offset: u64) -> Result<Found<(ClosingHead, Closing)>, Error> {
    let Some(bytes) = source.array::<CLOSING_BYTES>(offset)? else {
        return Ok(Found::CutShort);
    };
    let head = match ClosingHead::decode(&bytes) {
        Ok(head) if u64::from(head.json_length) <= CLOSING_JSON_BYTES_MAX => head,
        Ok(_) => return Ok(Found::Broken("its text is too long".to_owned())),
        Err(what) => return Ok(Found::Broken(what)),
    };
    let json_offset = offset + CLOSING_BYTES as u64;
    let Some(json) = source.bytes(json_offset, u64::from(head.json_length))? else {
        return Ok(Found::CutShort);
    };
    if let Err(what) = format::check_sum(&json, head.json_checksum) {
        return Ok(Found::Broken(what));
    }
    Ok(match serde_json::from_slice::<ClosingText>(&json) {
        Err(error) => Found::Broken(error.to_string()),
        Ok(ClosingText { ending, summary }) => {
            let (messages, virtual_time) = (head.messages, head.virtual_time);
            let closing = Closing { ending, messages, virtual_time, summary };
            Found::Sound((head, closing), json_offset + json.len() as u64)
        }
    })
}

/// Adds a chunk, and before it a hole if steps are missing there. Returns whether it follows on what is there.
fn add_chunk(layout: &mut Layout, head: &Head, offset: u64, hole_offset: u64) -> bool {
    let expected = ordinal_after(&layout.entries);
    let span = head.span;
    if span.first_ordinal < expected || span.first_ordinal.checked_add(span.steps).is_none() {
        let what = format!("it holds step {} again", span.first_ordinal);
        layout.damage.push(Error::damaged(offset, &format!("after step {expected}"), what));
        return false;
    }
    if span.first_ordinal > expected {
        let hole = Span {
            first_ordinal: expected,
            steps: span.first_ordinal - expected,
            first_time: layout.entries.last().map_or(span.first_time, |entry| entry.span.last_time),
            last_time: span.first_time,
        };
        if hole_offset == offset {
            let what = format!("steps {expected}..{} are missing", span.first_ordinal);
            layout.damage.push(Error::damaged(offset, &format!("after step {expected}"), what));
        }
        layout.entries.push(Entry { offset: hole_offset, span: hole });
    }
    layout.entries.push(Entry { offset, span });
    true
}

fn check_body(source: &Source, head: &Head, offset: u64, layout: &mut Layout) -> Result<(), Error> {
    let mut hasher = crc32fast::Hasher::new();
    let body_offset = offset + HEAD_BYTES as u64;
    let mut read = 0;
    while read < u64::from(head.stored_length) {
        let count = WINDOW_BYTES.min(u64::from(head.stored_length) - read);
        let Some(bytes) = source.bytes(body_offset + read, count)? else { break };
        hasher.update(&bytes);
        read += count;
    }
    let computed = hasher.finalize();
    if computed != head.body_checksum {
        let place = place(layout.entries.len() - 1, &head.span);
        let what =
            format!("checksum 0x{computed:08x} differs from the recorded 0x{:08x}", head.body_checksum);
        layout.damage.push(Error::damaged(body_offset, &place, what));
    }
    Ok(())
}

/// Judges what follows the closing record, which ends at `end`, by its length.
fn add_end(source: &Source, end: u64, layout: &mut Layout) {
    let whole =
        end + INDEX_FIXED_BYTES + INDEX_ENTRY_BYTES * layout.entries.len() as u64 + TRAILER_BYTES as u64;
    if source.length() < whole {
        layout.cut_at = Some(source.length());
    }
}

/// Where the next record begins whose checksum holds, from `offset` on.
fn next_record(source: &Source, mut offset: u64) -> Result<Option<u64>, Error> {
    loop {
        let count = WINDOW_BYTES.min(source.left(offset));
        if count < CHUNK_MAGIC.len() as u64 {
            return Ok(None);
        }
        let Some(window) = source.bytes(offset, count)? else {
            return Ok(None);
        };
        for (at, candidate) in window.windows(CHUNK_MAGIC.len()).enumerate() {
            if candidate == CHUNK_MAGIC || candidate == CLOSING_MAGIC {
                let place = offset + at as u64;
                if !matches!(record_at(source, place)?, Found::Broken(_)) {
                    return Ok(Some(place));
                }
            }
        }
        // A magic may lie across the end of the window.
        offset += count - (CHUNK_MAGIC.len() as u64 - 1);
    }
}

fn ordinal_after(entries: &[Entry]) -> u64 {
    entries.last().map_or(0, |entry| entry.span.end_ordinal())
}

/// How a chunk is named in messages.
pub(crate) fn place(chunk: usize, span: &Span) -> String {
    format!("chunk {chunk}, steps {}..{}", span.first_ordinal, span.end_ordinal())
}
