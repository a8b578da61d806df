//! Which identifiers were there before.

use std::collections::BTreeSet;

use fleetsim_engine::hash_text;

/// The most identifiers that are remembered; later ones are not checked.
const IDS_MAX: usize = 4_000_000;

/// The identifiers of records, as hashes.
#[derive(Debug, Default)]
pub(crate) struct Seen(BTreeSet<u64>);

impl Seen {
    /// Whether `id` is new, as far as that is known.
    pub(crate) fn is_new(&mut self, id: &str) -> bool {
        let hash = hash_text(id);
        if self.0.len() >= IDS_MAX { !self.0.contains(&hash) } else { self.0.insert(hash) }
    }
}
