//! Compares two traces: finds the first chunk that differs by binary search in the chain of hashes, decodes it on
//! both sides, and says what differs first.

use crate::divergence::{Divergence, Side};
use crate::error::Error;
use crate::render::Renderer;
use crate::trace::Trace;

/// What a comparison of two traces found.
#[derive(Clone, Debug)]
pub struct Diff {
    /// What differs between the headers, one line a field.
    pub headers: Vec<String>,
    /// Steps at the beginning that are the same.
    pub same: u64,
    /// Where the runs part; `None` when they do not, as far as both traces go.
    pub divergence: Option<Divergence>,
    /// Whether a trace is partial, so that nothing is known of what follows its end.
    pub partial: bool,
}

/// Compares two traces.
///
/// # Errors
/// When a chunk that is needed is damaged, or the traces are cut into different chunks.
pub fn diff(left: &Trace, right: &Trace) -> Result<Diff, Error> {
    let headers = left.header().differences(right.header());
    let chunk = first_different_chunk(left, right)?;
    let common = left.chunks().min(right.chunks());
    let ends_at_partial = |trace: &Trace| trace.is_partial() && trace.chunks() == chunk;
    let is_open = chunk == common && (ends_at_partial(left) || ends_at_partial(right));
    let is_over = chunk == left.chunks() && chunk == right.chunks();
    let divergence = if is_open || is_over { None } else { divergence_in(left, right, chunk)? };
    let same_chunks = chunk.checked_sub(1).map_or(0, |last| left.span(last).end_ordinal());
    let same = divergence.as_ref().map_or(same_chunks, |divergence| divergence.ordinal);
    Ok(Diff { headers, same, divergence, partial: left.is_partial() || right.is_partial() })
}

/// The number of chunks at the beginning that are the same: equal hashes of the run mean an equal past.
fn first_different_chunk(left: &Trace, right: &Trace) -> Result<usize, Error> {
    let (mut same, mut end) = (0, left.chunks().min(right.chunks()));
    while same < end {
        let middle = same + (end - same) / 2;
        if left.checkpoint(middle)?.run == right.checkpoint(middle)?.run {
            same = middle + 1;
        } else {
            end = middle;
        }
    }
    Ok(same)
}

fn divergence_in(left: &Trace, right: &Trace, chunk: usize) -> Result<Option<Divergence>, Error> {
    let exists = |trace: &Trace| chunk < trace.chunks();
    let first = if exists(left) { left.span(chunk) } else { right.span(chunk) }.first_ordinal;
    if exists(left) && exists(right) && left.span(chunk).first_ordinal != right.span(chunk).first_ordinal {
        return Err(Error::incompatible("the traces are cut into different chunks and cannot be compared"));
    }
    let batch = |trace: &Trace| if exists(trace) { trace.steps_if_recorded(chunk) } else { Ok(None) };
    let checkpoint = |trace: &Trace| if exists(trace) { trace.checkpoint(chunk).map(Some) } else { Ok(None) };
    let (left_batch, right_batch) = (batch(left)?, batch(right)?);
    let (left_renderer, right_renderer) = (renderer(left, chunk)?, renderer(right, chunk)?);
    let before = match chunk.checked_sub(1) {
        Some(before) => left.steps_if_recorded(before)?,
        None => None,
    };
    // A run that was interrupted inside the chunk is the same as far as it goes.
    if let (Some(left_batch), Some(right_batch)) = (&left_batch, &right_batch) {
        let length = left_batch.len().min(right_batch.len());
        let shorter = if left_batch.len() < right_batch.len() { left } else { right };
        if left_batch.len() != right_batch.len()
            && shorter.is_partial()
            && shorter.chunks() == chunk + 1
            && Divergence::is_same_up_to(left_batch, right_batch, length, &left_renderer)
        {
            return Ok(None);
        }
    }
    let left_side =
        Side { batch: left_batch.as_ref(), checkpoint: checkpoint(left)?, renderer: &left_renderer };
    let right_side =
        Side { batch: right_batch.as_ref(), checkpoint: checkpoint(right)?, renderer: &right_renderer };
    Ok(Some(Divergence::between(first, &left_side, &right_side, before.as_ref())))
}

/// A renderer that knows the agents that were spawned up to the end of `chunk`.
fn renderer(trace: &Trace, chunk: usize) -> Result<Renderer, Error> {
    let mut renderer = Renderer::new(&trace.header().manifest);
    for chunk in 0..(chunk + 1).min(trace.chunks()) {
        match trace.steps_if_recorded(chunk)? {
            Some(batch) => renderer.learn(&batch),
            None => break,
        }
    }
    Ok(renderer)
}
