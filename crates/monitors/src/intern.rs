//! Small numbers for names, so that what a monitor keeps about a million entities does not repeat their names.

use std::collections::BTreeMap;

/// The names seen so far, numbered in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interner {
    numbers: BTreeMap<Box<str>, u32>,
    names: Vec<Box<str>>,
    /// The last number that was asked for: facts about one thing come together.
    last: u32,
}

impl Interner {
    /// The number of `name`, a new one if it is new.
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        if self.names.get(self.last as usize).is_some_and(|last| **last == *name) {
            return self.last;
        }
        if let Some(number) = self.numbers.get(name) {
            self.last = *number;
            return *number;
        }
        let number = u32::try_from(self.names.len()).expect("a run has fewer than four billion names");
        self.numbers.insert(name.into(), number);
        self.names.push(name.into());
        self.last = number;
        number
    }

    /// The name behind `number`.
    pub(crate) fn name(&self, number: u32) -> &str {
        &self.names[number as usize]
    }
}
