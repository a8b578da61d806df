//! A fixed piece of work that tells how fast the machine is at this moment, in the terms that matter to a
//! simulation: integer arithmetic that depends on memory at random places.
//!
//! A machine that others share is now faster, now slower. Speeds of two days are comparable when each is taken
//! relative to this work, done by the same process immediately before and after.

use std::hint::black_box;
use std::time::Duration;

use crate::wall::Stopwatch;

/// Raised with every change of the work: speeds relative to another yardstick mean nothing.
pub(crate) const VERSION: u32 = 1;

/// Some 30 ms on the machines of today.
const STEPS: u32 = 1 << 21;
/// Four blocks of 64 KiB. On a machine that others share, a bare PHOLD of 1,000 to 100,000 agents scattered less
/// relative to a walk over this much than on its own, by a tenth to a third. Relative to one over 2 MiB, which live in
/// a cache shared with strangers, it scattered up to three times as much.
///
/// As blocks they are given back to the system when the yardstick is done, and leave the allocator as it was.
const BLOCKS: usize = 4;
const CELLS_PER_BLOCK: usize = 8192;

/// Does the work and tells how long it took.
pub(crate) fn run() -> Duration {
    let mut blocks = blocks();
    let watch = Stopwatch::start();
    black_box(walk(&mut blocks, black_box(STEPS)));
    watch.elapsed()
}

fn blocks() -> Vec<Vec<u64>> {
    // Written to, so that the system has really given the memory before the walk.
    (0..BLOCKS as u64).map(|block| vec![block + 1; CELLS_PER_BLOCK]).collect()
}

/// A walk in which every step needs the result of the one before, as in a loop over events.
fn walk(blocks: &mut [Vec<u64>], steps: u32) -> u64 {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..steps {
        state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        state ^= state >> 31;
        let (block, cell) = (state as usize % BLOCKS, (state >> 32) as usize % CELLS_PER_BLOCK);
        let cell = &mut blocks[block][cell];
        *cell = cell.wrapping_add(state);
        state = state.wrapping_add(*cell);
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_is_the_same_as_long_as_its_version_is() {
        assert_eq!((VERSION, STEPS, walk(&mut blocks(), 100_000)), (1, 1 << 21, 16_633_939_681_093_334_209));
    }
}
