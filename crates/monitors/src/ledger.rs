//! Values by number, kept for good: what is known of every offer and task that ever was.
//!
//! Most numbers are entered once and never asked for again. So entries wait in a list until one comes a second time;
//! only then are they put in order.

use std::collections::BTreeMap;

use crate::id_set::IdSet;

/// Values by number. Entering takes constant time as long as no number comes again; one that does takes, spread over all
/// entries, the logarithm of their number.
#[derive(Clone, Debug)]
pub(crate) struct Ledger<V> {
    entered: IdSet,
    in_order: BTreeMap<u64, V>,
    /// Those that came since somebody asked.
    latest: Vec<(u64, V)>,
}

impl<V> Default for Ledger<V> {
    fn default() -> Self {
        Ledger { entered: IdSet::default(), in_order: BTreeMap::new(), latest: Vec::new() }
    }
}

impl<V> Ledger<V> {
    /// Enters `value`, unless the number has a value already: then gives that one.
    #[inline]
    pub(crate) fn enter(&mut self, number: u64, value: V) -> Option<&mut V> {
        if self.entered.insert(number) {
            self.latest.push((number, value));
            return None;
        }
        self.in_order.extend(self.latest.drain(..));
        self.in_order.get_mut(&number)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_map(numbers in prop::collection::vec(0_u64..200, 0..400)) {
            let (mut ledger, mut twin) = (Ledger::default(), BTreeMap::new());
            for (value, number) in numbers.into_iter().enumerate() {
                let known = ledger.enter(number, value).map(|known| core::mem::replace(known, value));
                prop_assert_eq!(known, twin.insert(number, value));
                prop_assert_eq!(ledger.in_order.len() + ledger.latest.len(), twin.len());
            }
        }
    }
}
