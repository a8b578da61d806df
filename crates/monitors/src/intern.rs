//! Small numbers for names, so that what a monitor keeps about a million entities does not repeat their names.

use std::collections::BTreeMap;

/// Up to this many names are looked for one by one, which is quicker than a tree.
const FEW: usize = 12;

/// The names seen so far, numbered in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interner {
    names: Vec<Box<str>>,
    /// The same by name, once there are more than a few.
    numbers: BTreeMap<Box<str>, u32>,
    /// The last two that were asked for: facts name a seam and a medium, and facts about one thing come together.
    last: u32,
    last_but_one: u32,
}

impl Interner {
    /// The number of `name`, a new one if it is new.
    #[inline]
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        if self.is(self.last, name) {
            return self.last;
        }
        let found = if self.is(self.last_but_one, name) { self.last_but_one } else { self.search(name) };
        (self.last, self.last_but_one) = (found, self.last);
        found
    }

    #[inline]
    fn is(&self, number: u32, name: &str) -> bool {
        self.names.get(number as usize).is_some_and(|known| same(known, name))
    }

    #[inline(never)]
    fn search(&mut self, name: &str) -> u32 {
        let known = if self.names.len() <= FEW {
            self.names.iter().position(|known| same(known, name)).map(number)
        } else {
            self.numbers.get(name).copied()
        };
        known.unwrap_or_else(|| self.add(name))
    }

    fn add(&mut self, name: &str) -> u32 {
        self.names.push(name.into());
        let added = if self.names.len() == FEW + 1 { 0 } else { self.names.len() - 1 };
        if self.names.len() > FEW {
            let named = self.names.iter().enumerate().skip(added);
            self.numbers.extend(named.map(|(place, name)| (name.clone(), number(place))));
        }
        number(self.names.len() - 1)
    }

    /// The name behind `number`.
    pub(crate) fn name(&self, number: u32) -> &str {
        &self.names[number as usize]
    }
}

/// Whether two names are the same. Most have a few bytes, for which a call takes longer than the comparison.
#[inline]
fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    match one.len() {
        8..=16 => ends::<8>(one) == ends(other),
        4..8 => ends::<4>(one) == ends(other),
        0..4 => one.iter().zip(other).all(|(one, other)| one == other),
        _ => one == other,
    }
}

/// The first and the last `N` bytes, which overlap in the middle.
#[inline]
fn ends<const N: usize>(name: &[u8]) -> (Option<&[u8; N]>, Option<&[u8; N]>) {
    (name.first_chunk(), name.last_chunk())
}

fn number(place: usize) -> u32 {
    u32::try_from(place).expect("a run has fewer than four billion names")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_all_their_bytes() {
        let text = "abcdefghijklmnopqrstuvwxyz";
        for length in 0..=text.len() {
            let name = &text[..length];
            assert!(same(name, name));
            assert!(!same(name, &format!("{name}!")));
            for place in 0..length {
                let mut other = name.to_owned();
                other.replace_range(place..=place, "!");
                assert!(!same(name, &other), "{name} and {other}");
            }
        }
    }

    #[test]
    fn names_are_numbered_as_they_come() {
        let mut interner = Interner::default();
        let names: Vec<String> = (0..3 * FEW).map(|number| format!("seam {number}")).collect();
        for round in 0..2 {
            for (place, name) in names.iter().enumerate() {
                assert_eq!(interner.number(name), number(place), "round {round}");
                assert_eq!(interner.number("seam 0"), 0);
                assert_eq!(interner.name(number(place)), name);
            }
        }
    }
}
