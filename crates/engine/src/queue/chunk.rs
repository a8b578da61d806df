//! Where the entries of buckets lie: chunks of one store, which are reused as soon as they are empty, so that memory
//! follows what is pending and not what each bucket once held.

use super::Entry;
use crate::prefetch::prefetch;

/// Entries in a chunk.
const CHUNK: usize = 32;
const NONE: u32 = u32::MAX;

/// Where an entry lies.
pub(super) type Place = u32;

/// What is sorted in place of an entry.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ticket {
    pub(super) time_ns: u64,
    pub(super) place: Place,
    pub(super) hint: u32,
}

/// The entries of one bucket: a list of chunks, all full but the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    first: u32,
    last: u32,
    len: u32,
}

impl Chain {
    pub(super) const EMPTY: Chain = Chain { first: NONE, last: NONE, len: 0 };

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn len(&self) -> usize {
        self.len as usize
    }
}

#[derive(Clone, Debug)]
pub(super) struct ChunkStore<E> {
    entries: Vec<E>,
    /// The chunk that follows on each one, in its chain or among the free ones.
    following: Vec<u32>,
    free: u32,
}

impl<E: Copy> ChunkStore<E> {
    pub(super) fn new() -> ChunkStore<E> {
        ChunkStore { entries: Vec::new(), following: Vec::new(), free: NONE }
    }

    #[inline]
    pub(super) fn get(&self, place: Place) -> &E {
        &self.entries[place as usize]
    }

    /// Asks for the memory of a place.
    #[inline]
    pub(super) fn prefetch(&self, place: Place) {
        if let Some(entry) = self.entries.get(place as usize) {
            prefetch(entry);
        }
    }

    #[inline(always)]
    pub(super) fn push(&mut self, chain: &mut Chain, entry: impl Fn() -> E) {
        let at = chain.len as usize % CHUNK;
        if at == 0 {
            self.lengthen(chain, &entry());
        }
        self.entries[chain.last as usize * CHUNK + at] = entry();
        chain.len += 1;
    }

    /// Gives a chain one more chunk; a new chunk is filled with what is at hand.
    #[inline(never)]
    fn lengthen(&mut self, chain: &mut Chain, filler: &E) {
        let chunk = if self.free == NONE {
            let chunk = self.following.len() as u32;
            self.following.push(NONE);
            self.entries.resize(self.entries.len() + CHUNK, *filler);
            chunk
        } else {
            let chunk = self.free;
            self.free = self.following[chunk as usize];
            self.following[chunk as usize] = NONE;
            chunk
        };
        if chain.first == NONE {
            chain.first = chunk;
        } else {
            self.following[chain.last as usize] = chunk;
        }
        chain.last = chunk;
    }

    /// Appends what is to be sorted for a chain's entries.
    pub(super) fn list(&self, chain: Chain, out: &mut Vec<Ticket>)
    where
        E: Entry,
    {
        let (mut chunk, mut left) = (chain.first as usize, chain.len());
        while left > 0 {
            let first = chunk * CHUNK;
            let entries = &self.entries[first..first + left.min(CHUNK)];
            out.extend((first as Place..).zip(entries).map(|(place, entry)| Ticket {
                time_ns: entry.time_ns(),
                place,
                hint: entry.hint(),
            }));
            left -= entries.len();
            chunk = self.following[chunk] as usize;
        }
    }

    /// Moves the entries of a chain's first chunk to `out`, and lets others use the chunk.
    pub(super) fn take_chunk(&mut self, chain: &mut Chain, out: &mut Vec<E>) {
        let taken = (chain.len as usize).min(CHUNK);
        let chunk = chain.first;
        let first = chunk as usize * CHUNK;
        out.extend_from_slice(&self.entries[first..first + taken]);
        chain.len -= taken as u32;
        chain.first = self.following[chunk as usize];
        self.following[chunk as usize] = self.free;
        self.free = chunk;
        if chain.is_empty() {
            *chain = Chain::EMPTY;
        }
    }

    /// Lets others use the chunks of a chain.
    pub(super) fn release(&mut self, chain: Chain) {
        if chain.first != NONE {
            self.following[chain.last as usize] = self.free;
            self.free = chain.first;
        }
    }
}
