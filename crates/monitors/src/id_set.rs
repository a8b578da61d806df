//! A set of numbers as runs of neighbours: tasks are mostly numbered one after the other, so that a million finished
//! ones take a few runs. At worst a number takes 16 bytes.

use std::collections::BTreeMap;

/// Numbers, as the first and last of each run.
#[derive(Clone, Debug, Default)]
pub(crate) struct IdSet {
    last_of: BTreeMap<u64, u64>,
}

impl IdSet {
    pub(crate) fn contains(&self, id: u64) -> bool {
        self.last_of.range(..=id).next_back().is_some_and(|(_, last)| *last >= id)
    }

    /// Adds a number; gives whether it is new.
    pub(crate) fn insert(&mut self, id: u64) -> bool {
        // Most sets grow at their end.
        if let Some(mut run) = self.last_of.last_entry()
            && run.get().checked_add(1) == Some(id)
        {
            *run.get_mut() = id;
            return true;
        }
        if self.contains(id) {
            return false;
        }
        let before = self.last_of.range(..id).next_back().map(|(first, last)| (*first, *last));
        let joins_before = before.filter(|(_, last)| last.checked_add(1) == Some(id));
        let first = joins_before.map_or(id, |(first, _)| first);
        let last = id.checked_add(1).and_then(|next| self.last_of.remove(&next)).unwrap_or(id);
        self.last_of.insert(first, last);
        true
    }
}

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
            let runs = twin.iter().filter(|id| **id == 0 || !twin.contains(&(**id - 1))).count();
            prop_assert_eq!(set.last_of.len(), runs, "neighbours are one run");
        }
    }
}
