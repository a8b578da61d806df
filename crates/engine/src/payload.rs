//! Where payloads wait for their delivery: short ones beside their event, longer ones in a store with reuse.

/// The longest payload that travels beside its event, in bytes.
pub(crate) const INLINE_BYTES_MAX: usize = 24;
/// In place of the length of a payload that is in the store.
const STORED: u8 = u8::MAX;

/// A payload on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parcel {
    length: u8,
    bytes: [u8; INLINE_BYTES_MAX],
}

impl Parcel {
    pub(crate) const EMPTY: Parcel = Parcel { length: 0, bytes: [0; INLINE_BYTES_MAX] };
}

/// The payloads that do not travel inline.
#[derive(Debug, Default)]
pub(crate) struct PayloadStore {
    payloads: Vec<Vec<u8>>,
    free: Vec<u32>,
}

/// A buffer that grew past this is not kept for reuse, so that one huge message does not hold its memory forever.
const REUSED_BYTES_MAX: usize = 4096;

impl PayloadStore {
    pub(crate) fn pack(&mut self, payload: &[u8]) -> Parcel {
        let mut parcel = Parcel::EMPTY;
        if payload.len() <= INLINE_BYTES_MAX {
            parcel.bytes[..payload.len()].copy_from_slice(payload);
            parcel.length = payload.len() as u8;
            return parcel;
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.payloads.push(Vec::new());
            (self.payloads.len() - 1) as u32
        });
        self.payloads[index as usize].extend_from_slice(payload);
        parcel.length = STORED;
        parcel.bytes[..4].copy_from_slice(&index.to_le_bytes());
        parcel
    }

    pub(crate) fn view<'a>(&'a self, parcel: &'a Parcel) -> &'a [u8] {
        match self.stored_at(parcel) {
            Some(index) => &self.payloads[index],
            None => &parcel.bytes[..usize::from(parcel.length)],
        }
    }

    /// Frees what `parcel` holds in the store. Every parcel is released exactly once.
    pub(crate) fn release(&mut self, parcel: &Parcel) {
        if let Some(index) = self.stored_at(parcel) {
            let payload = &mut self.payloads[index];
            payload.clear();
            if payload.capacity() > REUSED_BYTES_MAX {
                *payload = Vec::new();
            }
            self.free.push(index as u32);
        }
    }

    fn stored_at(&self, parcel: &Parcel) -> Option<usize> {
        let [a, b, c, d, ..] = parcel.bytes;
        (parcel.length == STORED).then(|| u32::from_le_bytes([a, b, c, d]) as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn payloads_come_back_whole(payloads: Vec<Vec<u8>>, released in any::<prop::sample::Index>()) {
            let mut store = PayloadStore::default();
            let mut parcels: Vec<_> = payloads.iter().map(|payload| store.pack(payload)).collect();
            let mut payloads = payloads;
            if !parcels.is_empty() {
                let at = released.index(parcels.len());
                store.release(&parcels.remove(at));
                let again = payloads.remove(at);
                parcels.push(store.pack(&again));
                payloads.push(again);
            }
            for (parcel, payload) in parcels.iter().zip(&payloads) {
                prop_assert_eq!(store.view(parcel), &payload[..]);
            }
        }
    }
}
