//! Where payloads wait for their delivery: short ones beside their event, longer ones in a store with reuse.

use crate::codec::Out;

/// The longest payload that travels beside its event, in bytes.
pub(crate) const INLINE_BYTES_MAX: usize = 8 * INLINE_WORDS;
pub(crate) const INLINE_WORDS: usize = 3;
/// In place of the length of a payload that is in the store.
const STORED: u8 = u8::MAX;

/// A payload on its way: in words, which travel through registers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parcel {
    pub(crate) words: [u64; INLINE_WORDS],
    pub(crate) length: u8,
}

impl Parcel {
    pub(crate) const EMPTY: Parcel = Parcel { words: [0; INLINE_WORDS], length: 0 };

    /// The parcel of a payload that travels inline, if it is short enough.
    #[inline(always)]
    pub(crate) fn of_short(payload: &[u8]) -> Option<Parcel> {
        if payload.len() > INLINE_BYTES_MAX {
            return None;
        }
        let words = [word_at(payload, 0), word_at(payload, 8), word_at(payload, 16)];
        Some(Parcel { words, length: payload.len() as u8 })
    }

    /// The payload and its length, if it travels inline.
    #[inline]
    pub(crate) fn inline(&self) -> Option<([u8; INLINE_BYTES_MAX], usize)> {
        if self.is_stored() {
            return None;
        }
        let mut bytes = [0; INLINE_BYTES_MAX];
        for (bytes, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.words) {
            *bytes = word.to_le_bytes();
        }
        Some((bytes, usize::from(self.length)))
    }

    /// Whether the payload is in the store.
    #[inline]
    pub(crate) fn is_stored(&self) -> bool {
        self.length == STORED
    }

    fn stored_at(&self) -> usize {
        self.words[0] as usize
    }
}

/// The word that begins at byte `at` of a payload, zeros after its end.
#[inline(always)]
fn word_at(payload: &[u8], at: usize) -> u64 {
    match payload.get(at..) {
        Some([a, b, c, d, e, f, g, h, ..]) => u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
        Some(rest) => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        None => 0,
    }
}

/// A payload that is being encoded: it stays at hand while it is short, and goes to the end of `long` when it is not.
pub(crate) struct Encoding<'a> {
    short: [u8; INLINE_BYTES_MAX],
    length: usize,
    long: &'a mut Vec<u8>,
}

impl<'a> Encoding<'a> {
    #[inline]
    pub(crate) fn new(long: &'a mut Vec<u8>) -> Encoding<'a> {
        Encoding { short: [0; INLINE_BYTES_MAX], length: 0, long }
    }

    /// The parcel of what was encoded, if it is short. Otherwise it is in `long`.
    #[inline(always)]
    pub(crate) fn parcel(&self) -> Option<Parcel> {
        if self.length > INLINE_BYTES_MAX {
            return None;
        }
        let (words, _) = self.short.as_chunks::<8>();
        let words = [words[0], words[1], words[2]].map(u64::from_le_bytes);
        Some(Parcel { words, length: self.length as u8 })
    }
}

impl Out for Encoding<'_> {
    #[inline]
    fn length(&self) -> usize {
        self.length
    }

    #[inline]
    fn append(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        if end <= INLINE_BYTES_MAX {
            self.short[self.length..end].copy_from_slice(bytes);
        } else {
            if self.length <= INLINE_BYTES_MAX {
                self.long.extend_from_slice(&self.short[..self.length]);
            }
            self.long.extend_from_slice(bytes);
        }
        self.length = end;
    }
}

/// The payloads that do not travel inline.
#[derive(Debug, Default)]
pub(crate) struct PayloadStore {
    payloads: Vec<Stored>,
    free: Vec<u32>,
    /// What the free buffers hold.
    free_bytes: usize,
    /// The last that was stored: what a broadcast sends again and again.
    last: Option<u32>,
}

#[derive(Debug, Default)]
struct Stored {
    bytes: Vec<u8>,
    /// Parcels that stand for it.
    parcels: u32,
}

/// Free buffers are kept for reuse up to so much in all, so that one storm does not hold its memory forever.
const FREE_BYTES_MAX: usize = 1 << 20;

impl PayloadStore {
    /// Every parcel is to be opened or released exactly once. Equal payloads packed one after the other, as by a
    /// broadcast, share their bytes.
    #[inline(always)]
    pub(crate) fn pack(&mut self, payload: &[u8]) -> Parcel {
        match Parcel::of_short(payload) {
            Some(parcel) => parcel,
            None => self.store(payload),
        }
    }

    #[inline(never)]
    fn store(&mut self, payload: &[u8]) -> Parcel {
        let index = match self.last {
            Some(last) if self.payloads[last as usize].bytes == payload => last,
            _ => self.take_free(payload),
        };
        self.last = Some(index);
        self.payloads[index as usize].parcels += 1;
        Parcel { words: [u64::from(index), 0, 0], length: STORED }
    }

    fn take_free(&mut self, payload: &[u8]) -> u32 {
        let index = self.free.pop().unwrap_or_else(|| {
            self.payloads.push(Stored::default());
            (self.payloads.len() - 1) as u32
        });
        let bytes = &mut self.payloads[index as usize].bytes;
        self.free_bytes -= bytes.capacity();
        bytes.extend_from_slice(payload);
        index
    }

    /// Lends the bytes of a stored payload, which must come back by [`put_back`](Self::put_back).
    pub(crate) fn lend(&mut self, parcel: &Parcel) -> Vec<u8> {
        // Nobody may take what is being read for an equal payload.
        self.last = None;
        core::mem::take(&mut self.payloads[parcel.stored_at()].bytes)
    }

    /// Takes back what was lent; the parcel still has to be released.
    pub(crate) fn put_back(&mut self, parcel: &Parcel, bytes: Vec<u8>) {
        self.payloads[parcel.stored_at()].bytes = bytes;
    }

    /// The bytes of a payload, copied.
    pub(crate) fn copy_of(&self, parcel: &Parcel) -> Vec<u8> {
        match parcel.inline() {
            Some((bytes, length)) => bytes[..length].to_vec(),
            None => self.payloads[parcel.stored_at()].bytes.clone(),
        }
    }

    /// Frees what `parcel` holds in the store, if it is the last that does.
    #[inline]
    pub(crate) fn release(&mut self, parcel: &Parcel) {
        if parcel.is_stored() {
            self.release_stored(parcel.stored_at());
        }
    }

    #[inline(never)]
    fn release_stored(&mut self, index: usize) {
        let stored = &mut self.payloads[index];
        stored.parcels -= 1;
        if stored.parcels > 0 {
            return;
        }
        stored.bytes.clear();
        if self.free_bytes + stored.bytes.capacity() > FREE_BYTES_MAX {
            stored.bytes = Vec::new();
        }
        self.free_bytes += stored.bytes.capacity();
        self.free.push(index as u32);
        if self.last == Some(index as u32) {
            self.last = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The bytes that a parcel stands for, which is used up.
    fn open(store: &mut PayloadStore, parcel: &Parcel) -> Vec<u8> {
        let payload = match parcel.inline() {
            Some((bytes, length)) => bytes[..length].to_vec(),
            None => {
                let lent = store.lend(parcel);
                store.put_back(parcel, lent.clone());
                lent
            }
        };
        store.release(parcel);
        payload
    }

    proptest! {
        #[test]
        fn payloads_come_back_whole(
            payloads in prop::collection::vec((0_usize..40, 0_u8..3, any::<bool>(), any::<prop::sample::Index>()), 0..60),
        ) {
            let mut store = PayloadStore::default();
            let mut waiting: Vec<(Parcel, Vec<u8>)> = Vec::new();
            for (length, byte, open_one, which) in payloads {
                let payload = vec![byte; length];
                waiting.push((store.pack(&payload), payload));
                if open_one {
                    let (parcel, payload) = waiting.remove(which.index(waiting.len()));
                    prop_assert_eq!(open(&mut store, &parcel), payload);
                }
            }
            for (parcel, payload) in waiting {
                prop_assert_eq!(open(&mut store, &parcel), payload);
            }
            prop_assert_eq!(store.free.len(), store.payloads.len());
        }
    }

    proptest! {
        #[test]
        fn an_encoding_has_all_its_bytes_wherever_they_are(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 0..6),
        ) {
            let expected = pieces.concat();
            let mut long = vec![1, 2, 3];
            let mut encoding = Encoding::new(&mut long);
            for piece in &pieces {
                encoding.append(piece);
            }
            prop_assert_eq!(encoding.length(), expected.len());
            match encoding.parcel() {
                Some(parcel) => {
                    prop_assert_eq!(open(&mut PayloadStore::default(), &parcel), expected);
                    prop_assert_eq!(long, [1, 2, 3]);
                }
                None => prop_assert_eq!(&long[3..], expected),
            }
        }
    }

    #[test]
    fn a_broadcast_shares_its_bytes() {
        let mut store = PayloadStore::default();
        let parcels: Vec<_> = (0..1000).map(|_| store.pack(&[7; 100])).collect();
        assert_eq!(store.payloads.len(), 1);
        for parcel in &parcels {
            assert_eq!(open(&mut store, parcel), [7; 100]);
        }
    }

    #[test]
    fn a_storm_does_not_hold_its_memory() {
        let mut store = PayloadStore::default();
        let parcels: Vec<_> = (0..100_u8).map(|byte| store.pack(&vec![byte; 100_000])).collect();
        for parcel in &parcels {
            store.release(parcel);
        }
        let held: usize = store.payloads.iter().map(|stored| stored.bytes.capacity()).sum();
        assert!(held <= FREE_BYTES_MAX && held == store.free_bytes, "{held} bytes are held");
    }
}
