//! Random streams: one ChaCha8 stream per agent and life, so that nobody's draws shift anybody else's.

use core::convert::Infallible;

use rand::TryRng;

use crate::chacha;
use crate::mix::hash_text;
use crate::prefetch::prefetch;
use crate::slot::Slot;

const WORDS_PER_BLOCK: u64 = 8;
const PURPOSE: u64 = hash_text("agent stream");

/// What an agent keeps of its stream: nothing until it draws, then one 64-byte block of the cipher.
#[derive(Debug, Default)]
pub(crate) struct StreamState {
    words_used: u64,
    /// The block's number, from 1; 0 before the first draw.
    block: u32,
}

impl StreamState {
    /// The next life begins a new stream, in the same block.
    pub(crate) fn restart(&mut self) {
        self.words_used = 0;
    }
}

#[derive(Clone, Debug, Default)]
#[repr(align(64))]
struct Block([u64; WORDS_PER_BLOCK as usize]);

/// The blocks of all agents that ever drew.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    blocks: Vec<Block>,
}

impl Blocks {
    /// Brings the block nearer from which an agent will draw, if it has one.
    #[inline]
    pub(crate) fn prefetch(&self, state: &StreamState) {
        if let Some(block) = self.blocks.get((state.block as usize).wrapping_sub(1)) {
            prefetch(block);
        }
    }
}

/// An agent's random stream; use it through the traits of the `rand` crate.
///
/// Every draw takes one 64-bit word of a ChaCha8 stream (Bernstein 2008; the cipher reduced to 8 rounds) whose key
/// holds the seed, the purpose, the agent's identity and its incarnation.
#[derive(Debug)]
pub struct Stream<'a> {
    agent: &'a mut Slot,
    blocks: &'a mut Blocks,
    seed: u64,
}

impl<'a> Stream<'a> {
    pub(crate) fn new(agent: &'a mut Slot, blocks: &'a mut Blocks, seed: u64) -> Self {
        Stream { agent, blocks, seed }
    }

    #[inline]
    fn word(&mut self) -> u64 {
        let at = (self.agent.stream.words_used % WORDS_PER_BLOCK) as usize;
        if at == 0 {
            refill(self.agent, self.blocks, self.seed);
        }
        let state = &mut self.agent.stream;
        state.words_used += 1;
        self.blocks.blocks[state.block as usize - 1].0[at]
    }
}

/// Makes the next block of an agent's stream. What it needs is passed one by one, so that no [`Stream`] has to be in memory.
#[cold]
#[inline(never)]
fn refill(agent: &mut Slot, blocks: &mut Blocks, seed: u64) {
    let halves = |word: u64| [word as u32, (word >> 32) as u32];
    let ([k0, k1], [k2, k3], [k4, k5]) = (halves(seed), halves(PURPOSE), halves(agent.id.as_u64()));
    let key = [k0, k1, k2, k3, k4, k5, agent.incarnation, 0];
    let state = &mut agent.stream;
    if state.block == 0 {
        blocks.blocks.push(Block::default());
        state.block = u32::try_from(blocks.blocks.len()).expect("no more blocks than agents");
    }
    let counter = state.words_used / WORDS_PER_BLOCK;
    blocks.blocks[state.block as usize - 1].0 = chacha::block(&key, counter);
}

impl TryRng for Stream<'_> {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.word() >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.word())
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Infallible> {
        for chunk in destination.chunks_mut(8) {
            let bytes = self.word().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::identity::AgentId;

    #[test]
    fn blocks_join_into_the_cipher_stream() {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&7_u64.to_le_bytes());
        key[8..16].copy_from_slice(&PURPOSE.to_le_bytes());
        key[16..24].copy_from_slice(&AgentId::named("a", 1).as_u64().to_le_bytes());
        key[24] = 3;
        let mut whole = ChaCha8Rng::from_seed(key);
        let (mut agent, mut blocks) = (Slot::new(AgentId::named("a", 1), 0, 0, 0, 1), Blocks::default());
        agent.incarnation = 3;
        for _ in 0..100 {
            // A fresh handle each time: the agent alone carries the position.
            let mut stream = Stream::new(&mut agent, &mut blocks, 7);
            assert_eq!(stream.next_u64(), whole.next_u64());
        }
    }

    #[test]
    fn the_first_words_never_change() {
        let (mut agent, mut blocks) = (Slot::new(AgentId::named("agent", 1), 0, 0, 0, 1), Blocks::default());
        let mut stream = Stream::new(&mut agent, &mut blocks, 42);
        let words = [stream.next_u64(), stream.next_u64(), stream.next_u64()];
        assert_eq!(words, GOLDEN_WORDS, "{words:#x?}");
    }

    const GOLDEN_WORDS: [u64; 3] = [0xd06a_8176_1f5c_b5d1, 0x4eb1_a83c_d846_a7ff, 0x24eb_9b63_7d2b_5a15];
}
