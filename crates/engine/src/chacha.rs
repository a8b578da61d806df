//! One block of the ChaCha cipher with eight rounds (D. J. Bernstein, "ChaCha, a variant of Salsa20", 2008).
//!
//! The `rand_chacha` crate makes four blocks at once, which pays for a stream that is used up and not for the eight words
//! that an agent keeps: this takes a fifth of its instructions. It is tested against that crate.

const CONSTANTS: Row = [0x6170_7865, 0x3320_646E, 0x7962_2D32, 0x6B20_6574];
const ROUNDS: usize = 8;

/// A row of the cipher's square; the operations below become single instructions where there are vectors.
type Row = [u32; 4];

/// The key of a stream, in words.
pub(crate) type Key = [u32; 8];

/// Block number `counter` of the stream of `key`, as the eight 64-bit words that `rand_chacha` gives.
pub(crate) fn block(key: &Key, counter: u64) -> [u64; 8] {
    let [k0, k1, k2, k3, k4, k5, k6, k7] = *key;
    let start =
        [CONSTANTS, [k0, k1, k2, k3], [k4, k5, k6, k7], [counter as u32, (counter >> 32) as u32, 0, 0]];
    let [mut a, mut b, mut c, mut d] = start;
    for _ in 0..ROUNDS / 2 {
        (a, b, c, d) = quarter_rounds(a, b, c, d);
        // The diagonals become columns, and columns again.
        (b, c, d) = (turn::<1>(b), turn::<2>(c), turn::<3>(d));
        (a, b, c, d) = quarter_rounds(a, b, c, d);
        (b, c, d) = (turn::<3>(b), turn::<2>(c), turn::<1>(d));
    }
    let rows = [add(a, start[0]), add(b, start[1]), add(c, start[2]), add(d, start[3])];
    core::array::from_fn(|word| {
        let row = rows[word / 2];
        let at = word % 2 * 2;
        u64::from(row[at]) | u64::from(row[at + 1]) << 32
    })
}

#[inline(always)]
fn quarter_rounds(mut a: Row, mut b: Row, mut c: Row, mut d: Row) -> (Row, Row, Row, Row) {
    a = add(a, b);
    d = xor_rotate::<16>(d, a);
    c = add(c, d);
    b = xor_rotate::<12>(b, c);
    a = add(a, b);
    d = xor_rotate::<8>(d, a);
    c = add(c, d);
    b = xor_rotate::<7>(b, c);
    (a, b, c, d)
}

#[inline(always)]
fn add(one: Row, other: Row) -> Row {
    core::array::from_fn(|at| one[at].wrapping_add(other[at]))
}

#[inline(always)]
fn xor_rotate<const BITS: u32>(one: Row, other: Row) -> Row {
    core::array::from_fn(|at| (one[at] ^ other[at]).rotate_left(BITS))
}

#[inline(always)]
fn turn<const BY: usize>(row: Row) -> Row {
    core::array::from_fn(|at| row[(at + BY) % 4])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    proptest! {
        #[test]
        fn a_block_is_that_of_rand_chacha(key: Key, counter in prop_oneof![0_u64..4, 0..1_u64 << 62]) {
            let bytes: Vec<u8> = key.iter().flat_map(|word| word.to_le_bytes()).collect();
            let mut cipher = ChaCha8Rng::from_seed(bytes.try_into().expect("32 bytes"));
            cipher.set_word_pos(u128::from(counter) * 16);
            let expected: [u64; 8] = core::array::from_fn(|_| cipher.next_u64());
            prop_assert_eq!(block(&key, counter), expected);
        }
    }
}
