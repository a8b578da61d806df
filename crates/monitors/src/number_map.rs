//! A map by identities and numbers, which monitors look into at every fact: a few instructions where a tree takes a
//! hundred.
//!
//! A hash table with open addressing (Knuth, "The Art of Computer Programming", volume 3, section 6.4, algorithms L and
//! R: linear probing, and deletion that leaves no gap). It is the same on every machine and tells nothing about its
//! order: entries are given sorted by their keys. Keys come from records that may be hostile, so that no key is ever
//! looked for in more than [`REACH`] places; those that find none of them free go into a tree.

use std::collections::BTreeMap;

use fleetsim_engine::AgentId;

/// Places that are searched for a key, from the one that its number leads to.
const REACH: usize = 24;
/// Places of the smallest table. Twice as many keys as are there never come in: at most half of the places are taken.
const PLACES_MIN: usize = 8;
/// The golden ratio in 64 bits: multiples of it are spread evenly (Knuth, section 6.4, Fibonacci hashing).
pub(crate) const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// What a [`NumberMap`] can be asked for.
pub(crate) trait Number: Copy + Ord {
    /// The key as a number; two keys may share one, at the price of speed.
    fn number(self) -> u64;
}

impl Number for u64 {
    #[inline]
    fn number(self) -> u64 {
        self
    }
}

impl Number for AgentId {
    #[inline]
    fn number(self) -> u64 {
        self.as_u64()
    }
}

impl Number for u32 {
    #[inline]
    fn number(self) -> u64 {
        u64::from(self)
    }
}

impl<A: Number, B: Number> Number for (A, B) {
    #[inline]
    fn number(self) -> u64 {
        self.0.number().wrapping_mul(GOLDEN).rotate_left(32) ^ self.1.number()
    }
}

/// Values by key. Empty, it takes no memory; large, at most four places an entry.
#[derive(Clone, Debug)]
pub(crate) struct NumberMap<K, V> {
    /// A power of two, and [`REACH`] more for keys that come late, so that no search wraps around.
    places: Vec<Option<(K, V)>>,
    /// Entries in `places`.
    taken: usize,
    /// How many may come in before there must be more places.
    taken_max: usize,
    /// How far a product is shifted to become a place.
    shift: u32,
    /// Those that found no place.
    displaced: BTreeMap<K, V>,
}

impl<K, V> Default for NumberMap<K, V> {
    fn default() -> Self {
        NumberMap { places: Vec::new(), taken: 0, taken_max: 0, shift: 63, displaced: BTreeMap::new() }
    }
}

impl<K: Number, V> NumberMap<K, V> {
    #[inline]
    fn home(&self, key: K) -> usize {
        (key.number().wrapping_mul(GOLDEN) >> self.shift) as usize
    }

    /// The place of `key`, or else the first free one that it could have.
    #[inline(always)]
    fn search(&self, key: K) -> Result<usize, Option<usize>> {
        let home = self.home(key);
        let mut at = home;
        // A loop that looks first and counts afterwards: most keys are where they are looked for first.
        loop {
            match self.places.get(at) {
                Some(Some((known, _))) if *known == key => return Ok(at),
                Some(Some(_)) => at = at.wrapping_add(1),
                Some(None) => return Err(Some(at)),
                None => return Err(None),
            }
            if at == home.wrapping_add(REACH) {
                return Err(None);
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.taken + self.displaced.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub(crate) fn get(&self, key: K) -> Option<&V> {
        match self.search(key) {
            Ok(place) => self.places[place].as_ref().map(|(_, value)| value),
            Err(_) if self.displaced.is_empty() => None,
            Err(_) => self.displaced.get(&key),
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        match self.search(key) {
            Ok(place) => self.places[place].as_mut().map(|(_, value)| value),
            Err(_) if self.displaced.is_empty() => None,
            Err(_) => self.displaced.get_mut(&key),
        }
    }

    #[inline]
    pub(crate) fn contains(&self, key: K) -> bool {
        self.get(key).is_some()
    }

    /// The value of `key`, which is `fresh` if it has none.
    #[inline]
    pub(crate) fn or_insert_with(&mut self, key: K, fresh: impl FnOnce() -> V) -> &mut V {
        match self.search(key) {
            Ok(place) => {
                let (_, value) = self.places[place].as_mut().expect("it was found");
                value
            }
            Err(free) => self.add_or_displaced(key, free, fresh),
        }
    }

    #[inline(never)]
    fn add_or_displaced(&mut self, key: K, free: Option<usize>, fresh: impl FnOnce() -> V) -> &mut V {
        if !self.displaced.is_empty() && self.displaced.contains_key(&key) {
            return self.displaced.get_mut(&key).expect("it was found");
        }
        let Some(place) = self.make_place(key, free) else {
            return self.displaced.entry(key).or_insert_with(fresh);
        };
        self.taken += 1;
        let (_, value) = self.places[place].insert((key, fresh()));
        value
    }

    #[inline]
    pub(crate) fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.or_insert_with(key, V::default)
    }

    /// Sets the value of `key`; gives the one before.
    #[inline]
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let free = match self.search(key) {
            Ok(place) => return self.places[place].replace((key, value)).map(|(_, before)| before),
            Err(free) => free,
        };
        if !self.displaced.is_empty()
            && let Some(known) = self.displaced.get_mut(&key)
        {
            return Some(core::mem::replace(known, value));
        }
        match self.make_place(key, free) {
            Some(place) => {
                self.taken += 1;
                self.places[place] = Some((key, value));
                None
            }
            None => self.displaced.insert(key, value),
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, key: K) -> Option<V> {
        let Ok(mut gap) = self.search(key) else {
            return if self.displaced.is_empty() { None } else { self.displaced.remove(&key) };
        };
        let (_, value) = self.places[gap].take()?;
        self.taken -= 1;
        // Whoever could stand in the gap closes it, so that every search may stop at the first free place. Nobody stands
        // [`REACH`] places after its home, so that whoever comes later than that could not.
        let mut next = gap + 1;
        while next < gap + REACH
            && let Some(Some((key, _))) = self.places.get(next)
        {
            if self.home(*key) <= gap {
                self.places.swap(gap, next);
                gap = next;
            }
            next += 1;
        }
        Some(value)
    }

    /// A free place for `key`, in a larger table if need be; `None` if it must do without.
    #[inline]
    fn make_place(&mut self, key: K, free: Option<usize>) -> Option<usize> {
        if free.is_some() && self.taken < self.taken_max {
            return free;
        }
        let home_places = 2 * self.taken_max;
        // Where few places are taken and none is free, keys were chosen to collide: more places would not help.
        if free.is_none() && home_places > 0 && 8 * self.taken < home_places {
            return None;
        }
        // Tables that are small yet are grown in larger steps: most of those that grow go on growing.
        let times = if home_places < 1 << 12 { 4 } else { 2 };
        self.grow((times * home_places).max(PLACES_MIN));
        self.search(key).err().flatten()
    }

    #[cold]
    fn grow(&mut self, home_places: usize) {
        let mut places = Vec::new();
        places.resize_with(home_places + REACH, || None);
        let mut old = core::mem::replace(&mut self.places, places);
        self.shift = 64 - home_places.ilog2();
        self.taken_max = home_places / 2;
        self.taken = 0;
        for entry in &mut old {
            let Some((key, _)) = entry else { continue };
            let home = self.home(*key);
            match self.places[home..home + REACH].iter_mut().find(|place| place.is_none()) {
                Some(place) => {
                    *place = entry.take();
                    self.taken += 1;
                }
                None => self.displaced.extend(entry.take()),
            }
        }
    }

    /// The entries, by ascending key. Takes the time of sorting them.
    pub(crate) fn sorted(&self) -> impl Iterator<Item = (K, &V)> + use<'_, K, V> {
        let placed = self.places.iter().flatten().map(|(key, value)| (*key, value));
        let mut entries: Vec<(K, &V)> =
            placed.chain(self.displaced.iter().map(|(key, value)| (*key, value))).collect();
        entries.sort_by_key(|(key, _)| *key);
        entries.into_iter()
    }

    /// The values in no order that means anything, to be counted and summed.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> + Clone {
        self.places.iter().flatten().map(|(_, value)| value).chain(self.displaced.values())
    }

    /// Keeps the entries that `is_kept` says, which it is asked in no order that means anything.
    pub(crate) fn retain(&mut self, mut is_kept: impl FnMut(K, &V) -> bool) {
        self.displaced.retain(|key, value| is_kept(*key, value));
        let gone: Vec<K> = self
            .places
            .iter()
            .flatten()
            .filter(|(key, value)| !is_kept(*key, value))
            .map(|(key, _)| *key)
            .collect();
        for key in gone {
            self.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A key whose number leads it to the same place as all others.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct Hostile(u64);

    impl Number for Hostile {
        fn number(self) -> u64 {
            self.0 % 3
        }
    }

    fn equals_a_tree<K: Number + core::fmt::Debug>(
        steps: Vec<(u8, u64)>,
        key: fn(u64) -> K,
    ) -> Result<(), TestCaseError> {
        let (mut map, mut twin) = (NumberMap::default(), BTreeMap::new());
        for (at, (what, number)) in steps.into_iter().enumerate() {
            let key = key(number);
            match what {
                0 => prop_assert_eq!(map.insert(key, at), twin.insert(key, at)),
                1 => {
                    let expected = twin.entry(key).or_insert(at);
                    prop_assert_eq!(*map.or_insert_with(key, || at), *expected);
                    *expected += 1;
                    *map.get_mut(key).expect("it is there") += 1;
                }
                2 if number == 0 => {
                    map.retain(|_, value| value % 3 != 0);
                    twin.retain(|_, value| *value % 3 != 0);
                }
                _ => prop_assert_eq!(map.remove(key), twin.remove(&key)),
            }
            prop_assert_eq!(map.len(), twin.len());
            prop_assert_eq!(map.get(key), twin.get(&key));
        }
        let sorted: Vec<(K, usize)> = map.sorted().map(|(key, value)| (key, *value)).collect();
        prop_assert_eq!(sorted, twin.into_iter().collect::<Vec<_>>());
        Ok(())
    }

    proptest! {
        #[test]
        fn it_is_a_map_of_numbers(steps in prop::collection::vec((0_u8..5, 0_u64..200), 0..600)) {
            equals_a_tree(steps, |number| number)?;
        }

        #[test]
        fn it_is_a_map_of_pairs(steps in prop::collection::vec((0_u8..5, 0_u64..200), 0..600)) {
            equals_a_tree(steps, |number| (AgentId::from_u64(((number % 7) << 32) | number), number << 40))?;
        }

        #[test]
        fn keys_that_collide_are_kept(steps in prop::collection::vec((0_u8..5, 0_u64..200), 0..600)) {
            equals_a_tree(steps, Hostile)?;
        }
    }

    #[test]
    fn keys_that_collide_take_no_more_places_than_others() {
        let mut map = NumberMap::default();
        for number in 0..10_000 {
            map.insert(Hostile(number), number);
        }
        assert_eq!(map.len(), 10_000);
        assert!(map.places.len() < 2_500, "{} places", map.places.len());
    }
}
