//! A set of numbers, 64 neighbours in one word: tasks are mostly numbered one after the other, so that a million finished
//! ones take a megabyte at most. At worst a number takes 64 bytes.

use core::num::NonZeroU64;

use crate::number_map::NumberMap;

/// Numbers, as the words of their neighbourhoods.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdSet {
    words: NumberMap<u64, NonZeroU64>,
}

impl IdSet {
    #[inline]
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.words.get(id / 64).is_some_and(|word| word.get() & 1 << (id % 64) != 0)
    }

    /// Adds a number; gives whether it is new.
    #[inline]
    pub(crate) fn insert(&mut self, id: u64) -> bool {
        let bit = NonZeroU64::new(1 << (id % 64)).expect("one bit is set");
        let mut is_first = false;
        let word = self.words.or_insert_with(id / 64, || {
            is_first = true;
            bit
        });
        let is_new = is_first || word.get() & bit.get() == 0;
        *word |= bit;
        is_new
    }
}

const _: () =
    assert!(core::mem::size_of::<Option<(u64, NonZeroU64)>>() == 16, "of four places one is taken at least");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(ids in prop::collection::vec(prop_oneof![0_u64..40, u64::MAX - 5..=u64::MAX], 0..60)) {
            let (mut set, mut twin) = (IdSet::default(), BTreeSet::new());
            for id in ids {
                prop_assert_eq!(set.insert(id), twin.insert(id));
                for known in (0..41).chain(u64::MAX - 6..=u64::MAX) {
                    prop_assert_eq!(set.contains(known), twin.contains(&known));
                }
            }
            let words: BTreeSet<u64> = twin.iter().map(|id| id / 64).collect();
            prop_assert_eq!(set.words.len(), words.len(), "neighbours share a word");
        }
    }
}
