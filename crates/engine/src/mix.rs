//! Keyed hashing for identities, ties and stateless draws: the same value on every machine, forever.
//!
//! The finaliser is Stafford's variant 13 of the 64-bit mixer in MurmurHash3, as used by SplitMix64
//! (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).

use core::convert::Infallible;

use rand::TryRng;

use crate::identity::AgentId;

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Mixes words into one well-spread 64-bit value; the order of the words matters.
#[inline]
#[must_use]
pub const fn mix<const N: usize>(words: [u64; N]) -> u64 {
    mix_on(GOLDEN, words)
}

/// Mixes more words into what was mixed before.
#[inline]
const fn mix_on<const N: usize>(mut state: u64, words: [u64; N]) -> u64 {
    let mut at = 0;
    while at < N {
        state = finalise(state.wrapping_add(GOLDEN) ^ words[at]);
        at += 1;
    }
    state
}

/// Hashes a name to 64 bits (FNV-1a, then the finaliser). Names are few; users who collide are told so.
#[inline]
#[must_use]
pub const fn hash_text(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut state = 0xCBF2_9CE4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        state = (state ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01B3);
        at += 1;
    }
    finalise(state)
}

#[inline]
const fn finalise(mut state: u64) -> u64 {
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ (state >> 31)
}

/// A short random sequence that is a pure function of its key: no state is kept between uses.
///
/// The luck of one message is keyed by who sent it and as which of its effects, so that no other agent, rule or
/// monitor can shift it. After construction it is the SplitMix64 generator.
#[derive(Clone, Debug)]
pub struct Draw {
    state: u64,
}

impl Draw {
    /// The draw for `purpose` (the name of a use or rule, hashed with [`hash_text`]) of one effect of one agent.
    #[must_use]
    pub const fn new(seed: u64, purpose: u64, source: AgentId, sequence: u32) -> Draw {
        Draw { state: mix([seed, purpose, source.as_u64(), sequence as u64]) }
    }

    /// What all draws for `purpose` under a seed have in common, for [`of`](Purpose::of).
    pub(crate) const fn purpose(seed: u64, purpose: u64) -> Purpose {
        Purpose { state: mix([seed, purpose]) }
    }

    /// The draw for `purpose` of any entity that has an identity of its own, such as (task, attempt).
    #[must_use]
    pub const fn keyed<const N: usize>(seed: u64, purpose: u64, key: [u64; N]) -> Draw {
        Draw { state: mix([seed, purpose, mix(key)]) }
    }

    /// The next 64 random bits.
    #[inline]
    pub const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        finalise(self.state)
    }

    /// Whether an event of probability `numerator / denominator` happens. Integers only: no rounding differs.
    ///
    /// # Panics
    /// When `denominator` is zero.
    pub const fn happens(&mut self, numerator: u64, denominator: u64) -> bool {
        assert!(denominator > 0, "a share needs a denominator above zero");
        // The top half of a 128-bit product is a uniform index below the denominator (bias below 2^-32 for
        // the denominators that anybody writes).
        let index = ((self.next() as u128 * denominator as u128) >> 64) as u64;
        index < numerator
    }
}

/// The beginning of many draws, reckoned once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose {
    state: u64,
}

impl Purpose {
    /// What [`Draw::new`] gives.
    #[inline]
    pub(crate) const fn of(self, source: AgentId, sequence: u32) -> Draw {
        Draw { state: mix_on(self.state, [source.as_u64(), sequence as u64]) }
    }
}

impl TryRng for Draw {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Infallible> {
        for chunk in destination.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_matches_its_published_vector() {
        // The reference implementation's first outputs for seed 1234567.
        let mut draw = Draw { state: 1_234_567 };
        assert_eq!(draw.next(), 6_457_827_717_110_365_317);
        assert_eq!(draw.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn every_part_of_the_key_matters() {
        let base = Draw::new(1, 2, AgentId::named("a", 1), 3).next();
        for other in [
            Draw::new(9, 2, AgentId::named("a", 1), 3),
            Draw::new(1, 9, AgentId::named("a", 1), 3),
            Draw::new(1, 2, AgentId::named("a", 2), 3),
            Draw::new(1, 2, AgentId::named("a", 1), 4),
        ] {
            assert_ne!(other.clone().next(), base);
        }
    }

    #[test]
    fn a_draw_may_be_begun_once_for_many() {
        for sequence in 0..10 {
            let source = AgentId::named("a", 1);
            let mut begun = Draw::purpose(7, 9).of(source, sequence);
            assert_eq!(begun.next(), Draw::new(7, 9, source, sequence).next());
        }
    }

    #[test]
    fn shares_happen_at_their_rate() {
        let hits = (0..100_000).filter(|&n| Draw::keyed(7, 1, [n]).happens(1, 25)).count();
        // 4,000 expected, standard deviation 62: six of them on either side.
        assert!((3_628..=4_372).contains(&hits), "{hits} hits");
        assert!((0..1_000).all(|n| Draw::keyed(7, 1, [n]).happens(1, 1)));
        assert!(!(0..1_000).any(|n| Draw::keyed(7, 1, [n]).happens(0, 1)));
    }
}
