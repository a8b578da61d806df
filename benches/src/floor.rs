//! The floor: PHOLD and nothing else, as fast as safe Rust runs it on one core.
//!
//! No agent trait, no payload codec, no record, a generator of eight bytes and the C library's logarithm: what an
//! engine's time is measured against, not a program that anybody could use.

use core::hint::black_box;

use crate::ring::{Ring, Timed};
use crate::{DELAY_NS_MAX, DELAY_NS_MEAN, DELAY_NS_MIN, PROCESSES_AHEAD};

/// The bare loop, at a moment between two events.
#[derive(Debug)]
pub struct Floor {
    processes: Vec<Process>,
    ring: Ring<Token>,
    /// The bucket that is open.
    open: Vec<Token>,
    /// The next event in it.
    at: usize,
}

#[derive(Clone, Copy, Debug)]
struct Process {
    random: u64,
    /// All tokens that it got, so that none can be optimised away.
    fold: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Token {
    time_ns: u64,
    payload: u64,
    target: u32,
    source: u32,
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Floor {
    /// So many processes, each with one token under way.
    #[must_use]
    pub fn new(processes: u32, seed: u64) -> Floor {
        let count = u64::from(processes);
        let mut floor = Floor {
            processes: (0..count).map(|number| Process::new(seed, number)).collect(),
            ring: Ring::new(DELAY_NS_MIN, DELAY_NS_MAX, count),
            open: Vec::new(),
            at: 0,
        };
        for (source, process) in (0..processes).zip(&mut floor.processes) {
            floor.ring.push(process.pass_on(source, 0, count));
        }
        floor
    }

    /// Lets so many events happen.
    pub fn run(&mut self, events: u64) {
        let count = self.processes.len() as u64;
        let mut left = events;
        while left > 0 {
            if self.at == self.open.len() {
                self.ring.open(&mut self.open, Token::is_before);
                self.at = 0;
            }
            let end = self.open.len().min(self.at.saturating_add(left as usize));
            for block in self.open[self.at..end].chunks(PROCESSES_AHEAD) {
                // Their cache misses overlap here; in the loop below each would wait for the one before.
                black_box(
                    block.iter().fold(0, |sum, token| sum ^ self.processes[token.target as usize].random),
                );
                for token in block {
                    let process = &mut self.processes[token.target as usize];
                    process.fold = (process.fold ^ token.payload).wrapping_mul(GOLDEN);
                    self.ring.push(process.pass_on(token.target, token.time_ns, count));
                }
            }
            left -= (end - self.at) as u64;
            self.at = end;
        }
    }

    /// One number of everything that every process got, in its order.
    #[must_use]
    pub fn fold(&self) -> u64 {
        self.processes.iter().fold(0, |fold, process| (fold ^ process.fold).wrapping_mul(GOLDEN))
    }
}

impl Process {
    fn new(seed: u64, number: u64) -> Process {
        let mut key = seed ^ number.wrapping_mul(0xD134_2543_DE82_EF95);
        Process { random: splitmix(&mut key), fold: 0 }
    }

    #[inline]
    fn pass_on(&mut self, source: u32, now_ns: u64, count: u64) -> Token {
        let payload = splitmix(&mut self.random);
        let target = (((payload >> 32) * count) >> 32) as u32;
        let time_ns = now_ns.wrapping_add(delay_ns(splitmix(&mut self.random)));
        Token { time_ns, payload, target, source }
    }
}

impl Token {
    #[inline]
    fn is_before(&self, other: &Token) -> bool {
        if self.time_ns != other.time_ns {
            return self.time_ns < other.time_ns;
        }
        (self.target, self.source, self.payload) < (other.target, other.source, other.payload)
    }
}

impl Timed for Token {
    #[inline]
    fn time_ns(&self) -> u64 {
        self.time_ns
    }
}

/// A delay of PHOLD from one random word, in nanoseconds.
#[inline]
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the floor has no need to be the same on every machine")]
pub fn delay_ns(word: u64) -> u64 {
    // An odd multiple of 2⁻⁵³, so that it is never 0.
    let unit = ((word >> 11) | 1) as f64 * (1.0 / 9_007_199_254_740_992.0);
    DELAY_NS_MIN + (-(DELAY_NS_MEAN as f64) * unit.ln()) as u64
}

/// The next word of SplitMix64 (Steele, Lea and Flood, 2014).
#[inline]
pub fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(GOLDEN);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The same loop with a sorted set in place of buckets, blocks and touches.
    #[test]
    fn the_buckets_change_nothing() {
        const PROCESSES: u32 = 300;
        const EVENTS: u64 = 20_000;
        let mut floor = Floor::new(PROCESSES, 7);
        // In two parts, so that a bucket is left open in between.
        floor.run(EVENTS / 3);
        floor.run(EVENTS - EVENTS / 3);

        let count = u64::from(PROCESSES);
        let mut processes: Vec<_> = (0..count).map(|number| Process::new(7, number)).collect();
        let mut waiting = BTreeSet::new();
        let add = |waiting: &mut BTreeSet<_>, token: Token| {
            waiting.insert((token.time_ns, token.target, token.source, token.payload));
        };
        for (source, process) in (0..PROCESSES).zip(&mut processes) {
            add(&mut waiting, process.pass_on(source, 0, count));
        }
        for _ in 0..EVENTS {
            let (time_ns, target, _, payload) = waiting.pop_first().expect("every process has a token");
            let process = &mut processes[target as usize];
            process.fold = (process.fold ^ payload).wrapping_mul(GOLDEN);
            add(&mut waiting, process.pass_on(target, time_ns, count));
        }
        let folds: Vec<_> = processes.iter().map(|process| process.fold).collect();
        assert_eq!(floor.processes.iter().map(|process| process.fold).collect::<Vec<_>>(), folds);
    }
}
