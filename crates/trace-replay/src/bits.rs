//! Blocks of integers, each stored as its distance from the block's minimum in as few bits as the block needs.
//!
//! The layout is part of the file format: see [`format`](crate::format). A block of equal values takes two bytes
//! and those of the value; nothing here branches on a single value's size.

/// Values in a full block.
pub(crate) const BLOCK: usize = 128;
/// What a block takes at least: its width and the size of its minimum.
pub(crate) const BLOCK_BYTES_MIN: usize = 2;

const WORD_BITS: u32 = u64::BITS;
const PACKED_BYTES_MAX: usize = BLOCK * 8;

/// Appends at most [`BLOCK`] values.
pub(crate) fn pack(values: &[u64], out: &mut Vec<u8>) {
    debug_assert!(!values.is_empty() && values.len() <= BLOCK);
    let (mut minimum, mut maximum) = (u64::MAX, 0);
    for &value in values {
        minimum = minimum.min(value);
        maximum = maximum.max(value);
    }
    let width = WORD_BITS - (maximum - minimum).leading_zeros();
    write_head(width, minimum, out);
    if width == 0 {
        return;
    }
    // Whole words are written; what is too much of the last one is cut off again.
    let start = out.len();
    let size = packed_bytes(values.len(), width);
    out.resize(start + size.next_multiple_of(8), 0);
    let (words, _) = out[start..].as_chunks_mut::<8>();
    let mut packer = Packer { words: words.iter_mut(), word: 0, filled: 0 };
    if width <= WORD_BITS / 2 {
        // Two at once: half as many steps that wait for the one before.
        let (pairs, rest) = values.as_chunks::<2>();
        for [first, second] in pairs {
            packer.push((first - minimum) | (second - minimum) << width, 2 * width);
        }
        rest.iter().for_each(|value| packer.push(value - minimum, width));
    } else {
        values.iter().for_each(|value| packer.push(value - minimum, width));
    }
    packer.finish();
    out.truncate(start + size);
}

/// Appends a block of which every value is `value`: what [`pack`] does with it, but at once.
pub(crate) fn pack_equal(value: u64, out: &mut Vec<u8>) {
    write_head(0, value, out);
}

/// Fills words with bits, lowest first.
struct Packer<'a> {
    words: core::slice::IterMut<'a, [u8; 8]>,
    word: u64,
    filled: u32,
}

impl Packer<'_> {
    #[inline]
    fn push(&mut self, value: u64, bits: u32) {
        self.word |= value << self.filled;
        self.filled += bits;
        if self.filled >= WORD_BITS {
            self.put();
            self.filled -= WORD_BITS;
            // What did not fit; when all of it did, a shift by 64 would be no shift at all.
            self.word = if self.filled == 0 { 0 } else { value >> (bits - self.filled) };
        }
    }

    fn finish(mut self) {
        if self.filled > 0 {
            self.put();
        }
    }

    #[inline]
    fn put(&mut self) {
        let word = self.words.next().expect("as many words as the bits need");
        *word = self.word.to_le_bytes();
    }
}

fn write_head(width: u32, minimum: u64, out: &mut Vec<u8>) {
    let minimum_bytes = (WORD_BITS - minimum.leading_zeros()).div_ceil(8);
    out.push(width as u8);
    out.push(minimum_bytes as u8);
    out.extend_from_slice(&minimum.to_le_bytes()[..minimum_bytes as usize]);
}

/// Restores `values.len()` values, at most [`BLOCK`], from the front of `bytes` and returns the rest; `None` when
/// the bytes are not a block.
pub(crate) fn unpack<'a>(bytes: &'a [u8], values: &mut [u64]) -> Option<&'a [u8]> {
    let (&[width, minimum_bytes], rest) = bytes.split_first_chunk::<BLOCK_BYTES_MIN>()?;
    let (width, minimum_bytes) = (u32::from(width), usize::from(minimum_bytes));
    if width > WORD_BITS || minimum_bytes > 8 {
        return None;
    }
    let (minimum_low, rest) = rest.split_at_checked(minimum_bytes)?;
    let mut minimum = [0; 8];
    minimum[..minimum_bytes].copy_from_slice(minimum_low);
    let minimum = u64::from_le_bytes(minimum);
    if width == 0 {
        values.fill(minimum);
        return Some(rest);
    }
    let (packed, rest) = rest.split_at_checked(packed_bytes(values.len(), width))?;
    // Padded, so that every value can be cut out of the sixteen bytes that it starts in.
    let mut padded = [0_u8; PACKED_BYTES_MAX + 16];
    padded[..packed.len()].copy_from_slice(packed);
    let mask = u64::MAX >> (WORD_BITS - width);
    let mut bit = 0;
    for value in values {
        let byte = bit / 8;
        let window: [u8; 16] = padded[byte..byte + 16].try_into().expect("sixteen bytes");
        let distance = (u128::from_le_bytes(window) >> (bit % 8)) as u64 & mask;
        // A hostile block may wrap; whatever comes out is checked like any other value.
        *value = minimum.wrapping_add(distance);
        bit += width as usize;
    }
    Some(rest)
}

fn packed_bytes(count: usize, width: u32) -> usize {
    (count * width as usize).div_ceil(8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round_trip(values: &[u64]) -> usize {
        let mut bytes = Vec::new();
        pack(values, &mut bytes);
        let size = bytes.len();
        bytes.push(0xAB);
        let mut restored = vec![0; values.len()];
        assert_eq!(unpack(&bytes, &mut restored), Some(&[0xAB][..]), "{values:?}");
        assert_eq!(restored, values);
        size
    }

    #[test]
    fn every_width_round_trips() {
        for width in 0..=64_u32 {
            let mask = if width == 0 { 0 } else { u64::MAX >> (64 - width) };
            let values: Vec<u64> =
                (0..BLOCK as u64).map(|at| at.wrapping_mul(0x9E37_79B9_7F4A_7C15) & mask).collect();
            for count in [1, 2, 63, 64, 65, BLOCK] {
                round_trip(&values[..count]);
            }
        }
    }

    #[test]
    fn a_block_of_equal_values_takes_next_to_nothing() {
        assert_eq!(round_trip(&[0; BLOCK]), 2);
        assert_eq!(round_trip(&[7; BLOCK]), 3);
        assert_eq!(round_trip(&[u64::MAX; BLOCK]), 10);
    }

    proptest! {
        #[test]
        fn arbitrary_values_round_trip(values in prop::collection::vec(any::<u64>(), 1..=BLOCK), shift in 0_u32..64) {
            let values: Vec<u64> = values.iter().map(|value| value >> shift).collect();
            round_trip(&values);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, count in 1..=BLOCK) {
            let _ = unpack(&bytes, &mut vec![0; count]);
        }
    }
}
