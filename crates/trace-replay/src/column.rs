//! Columns of integers as bytes: packed as they are, as differences, through a dictionary, or as agents.
//!
//! The layout is part of the file format: see [`format`](crate::format).

use crate::bits::{self, BLOCK, BLOCK_BYTES_MIN};

/// What is wrong with encoded columns.
pub(crate) type Mistake = &'static str;

const CUT_SHORT: Mistake = "a column is cut short";
const TOO_LARGE: Mistake = "a value is too large for its column";
const NO_ENTRY: Mistake = "a value is not in its dictionary";

/// Entries in the largest dictionary; more are cheaper without one.
const ENTRIES_MAX: usize = 255;

/// An integer that columns are made of.
pub(crate) trait Integer: Copy + PartialEq {
    fn widen(self) -> u64;
    fn narrow(value: u64) -> Option<Self>;
}

macro_rules! integer {
    ($($type:ty),+) => {$(
        impl Integer for $type {
            #[inline]
            fn widen(self) -> u64 {
                u64::from(self)
            }

            #[inline]
            fn narrow(value: u64) -> Option<Self> {
                Self::try_from(value).ok()
            }
        }
    )+};
}

integer!(u8, u16, u32, u64);

/// Encoded bytes that are being read.
#[derive(Debug)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next `count` bytes as they are.
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Mistake> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(CUT_SHORT)?;
        self.0 = rest;
        Ok(taken)
    }
}

/// Appends values block by block.
pub(crate) fn write_packed<T: Integer>(values: &[T], out: &mut Vec<u8>) {
    let mut block = [0_u64; BLOCK];
    for values in values.chunks(BLOCK) {
        // Most columns are mostly constant; comparing narrow values is much cheaper than widening them.
        if is_constant(values) {
            bits::pack_equal(values[0].widen(), out);
            continue;
        }
        for (slot, value) in block.iter_mut().zip(values) {
            *slot = value.widen();
        }
        bits::pack(&block[..values.len()], out);
    }
}

/// Restores `count` values that [`write_packed`] wrote.
pub(crate) fn read_packed<T: Integer>(bytes: &mut Bytes<'_>, count: usize) -> Result<Vec<T>, Mistake> {
    read_blocks(bytes, count, |value| T::narrow(value).ok_or(TOO_LARGE))
}

/// Appends the first value, then how much each is above the one before it, block by block.
pub(crate) fn write_deltas(values: &[u64], out: &mut Vec<u8>) {
    let mut before = values.first().copied().unwrap_or(0);
    out.extend(before.to_le_bytes());
    let mut block = [0_u64; BLOCK];
    for values in values.chunks(BLOCK) {
        for (slot, &value) in block.iter_mut().zip(values) {
            *slot = value.wrapping_sub(before);
            before = value;
        }
        bits::pack(&block[..values.len()], out);
    }
}

/// Restores `count` values that [`write_deltas`] wrote.
pub(crate) fn read_deltas(bytes: &mut Bytes<'_>, count: usize) -> Result<Vec<u64>, Mistake> {
    let mut value = u64::from_le_bytes(bytes.take(8)?.try_into().expect("eight bytes"));
    read_blocks(bytes, count, |delta| {
        value = value.wrapping_add(delta);
        Ok(value)
    })
}

/// Appends values of which few differ: the different ones in the order of their first use, then their indexes.
pub(crate) fn write_dictionary(values: &[u32], out: &mut Vec<u8>) {
    let Some((entries, indexes)) = index_values(values) else {
        out.push(0);
        return write_packed(values, out);
    };
    out.push(entries.len() as u8);
    out.extend(entries.iter().flat_map(|entry| entry.to_le_bytes()));
    write_packed(&indexes, out);
}

/// Restores `count` values that [`write_dictionary`] wrote.
pub(crate) fn read_dictionary(bytes: &mut Bytes<'_>, count: usize) -> Result<Vec<u32>, Mistake> {
    let size = usize::from(bytes.take(1)?[0]);
    if size == 0 {
        return read_packed(bytes, count);
    }
    let (entries, _) = bytes.take(size * 4)?.as_chunks::<4>();
    read_blocks(bytes, count, |index| {
        let entry = usize::try_from(index).ok().and_then(|index| entries.get(index));
        entry.map(|entry| u32::from_le_bytes(*entry)).ok_or(NO_ENTRY)
    })
}

/// Appends identities: the upper halves, which are those of few groups, through a dictionary, then the lower ones.
pub(crate) fn write_agents(values: &[u64], out: &mut Vec<u8>) {
    let upper: Vec<u32> = values.iter().map(|value| (value >> 32) as u32).collect();
    write_dictionary(&upper, out);
    let lower: Vec<u32> = values.iter().map(|value| *value as u32).collect();
    write_packed(&lower, out);
}

/// Restores `count` identities that [`write_agents`] wrote.
pub(crate) fn read_agents(bytes: &mut Bytes<'_>, count: usize) -> Result<Vec<u64>, Mistake> {
    let upper = read_dictionary(bytes, count)?;
    let mut upper = upper.iter();
    read_blocks(bytes, count, |lower| {
        let lower = u32::narrow(lower).ok_or(TOO_LARGE)?;
        let upper = upper.next().expect("as many upper halves as lower ones");
        Ok(u64::from(*upper) << 32 | u64::from(lower))
    })
}

#[inline]
fn read_blocks<T>(
    bytes: &mut Bytes<'_>,
    count: usize,
    mut narrow: impl FnMut(u64) -> Result<T, Mistake>,
) -> Result<Vec<T>, Mistake> {
    // Nothing is allocated for values that the bytes cannot hold.
    if bytes.0.len() / BLOCK_BYTES_MIN < count.div_ceil(BLOCK) {
        return Err(CUT_SHORT);
    }
    let mut values = Vec::with_capacity(count);
    let mut block = [0_u64; BLOCK];
    while values.len() < count {
        let block = &mut block[..BLOCK.min(count - values.len())];
        bytes.0 = bits::unpack(bytes.0, block).ok_or("a block of values is malformed")?;
        for &mut value in block {
            values.push(narrow(value)?);
        }
    }
    Ok(values)
}

/// Whether all values are the same. Looks at all of them, which is quicker than stopping early.
fn is_constant<T: Integer>(values: &[T]) -> bool {
    values.iter().fold(true, |same, value| same & (*value == values[0]))
}

/// The different values and each value's index among them, or `None` when there are too many.
fn index_values(values: &[u32]) -> Option<(Vec<u32>, Vec<u8>)> {
    const SLOTS: usize = 1024;
    const FREE: u8 = u8::MAX;
    let mut slots = [FREE; SLOTS];
    let first = *values.first()?;
    if is_constant(values) {
        return Some((vec![first], vec![0; values.len()]));
    }
    let mut entries: Vec<u32> = Vec::new();
    let mut indexes = Vec::with_capacity(values.len());
    let (mut last_value, mut last_index) = (first.wrapping_add(1), 0);
    for &value in values {
        if value != last_value {
            let mut slot = (value.wrapping_mul(0x9E37_79B1) >> 22) as usize;
            while slots[slot] != FREE && entries[usize::from(slots[slot])] != value {
                slot = (slot + 1) % SLOTS;
            }
            if slots[slot] == FREE {
                if entries.len() == ENTRIES_MAX {
                    return None;
                }
                slots[slot] = entries.len() as u8;
                entries.push(value);
            }
            (last_value, last_index) = (value, slots[slot]);
        }
        indexes.push(last_index);
    }
    Some((entries, indexes))
}

#[cfg(test)]
mod tests {
    use core::fmt::Debug;

    use proptest::prelude::*;

    use super::*;

    fn check<T: Copy + PartialEq + Debug>(
        values: &[T],
        write: impl Fn(&[T], &mut Vec<u8>),
        read: impl Fn(&mut Bytes<'_>, usize) -> Result<Vec<T>, Mistake>,
    ) {
        let mut bytes = Vec::new();
        write(values, &mut bytes);
        bytes.push(0xAB);
        let mut rest = Bytes(&bytes);
        assert_eq!(read(&mut rest, values.len()).as_deref(), Ok(values));
        assert_eq!(rest.0, [0xAB]);
        // Every truncation is noticed.
        for length in 0..bytes.len() - 1 {
            assert!(read(&mut Bytes(&bytes[..length]), values.len()).is_err() || values.is_empty());
        }
    }

    /// Few values, many values, close ones and far ones.
    fn numbers() -> impl Strategy<Value = Vec<u64>> {
        prop_oneof![
            prop::collection::vec(any::<u64>(), 0..400),
            prop::collection::vec(0_u64..4, 0..400),
            (any::<u64>(), prop::collection::vec(0_u64..1000, 0..400))
                .prop_map(|(base, list)| list.iter().map(|value| base.wrapping_add(*value)).collect()),
            prop::collection::vec((0_u64..3, 0_u64..100_000), 0..400)
                .prop_map(|list| list.iter().map(|(upper, lower)| upper << 32 | lower).collect()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_column_round_trips(values in numbers()) {
            check(&values, write_packed, read_packed);
            check(&values, write_deltas, read_deltas);
            check(&values, write_agents, read_agents);
            let words: Vec<u32> = values.iter().map(|value| *value as u32).collect();
            check(&words, write_packed, read_packed);
            check(&words, write_dictionary, read_dictionary);
            let shorts: Vec<u16> = values.iter().map(|value| *value as u16).collect();
            check(&shorts, write_packed, read_packed);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, count in 0_usize..100_000_000) {
            let _ = read_packed::<u16>(&mut Bytes(&bytes), count);
            let _ = read_deltas(&mut Bytes(&bytes), count);
            let _ = read_agents(&mut Bytes(&bytes), count);
        }
    }

    #[test]
    fn a_dictionary_gives_up_at_too_many_entries() {
        for (different, count) in [254, 255, 256, 300_u32].into_iter().flat_map(|n| [(n, n), (n, 1000)]) {
            let values: Vec<u32> = (0..count).map(|at| (at % different).wrapping_mul(0x0100_0193)).collect();
            check(&values, write_dictionary, read_dictionary);
            assert_eq!(index_values(&values).is_some(), different <= 255, "{different} entries");
        }
    }

    #[test]
    fn values_too_large_for_their_column_are_refused() {
        let mut bytes = Vec::new();
        write_packed(&[70_000_u32], &mut bytes);
        assert_eq!(read_packed::<u16>(&mut Bytes(&bytes), 1), Err(TOO_LARGE));
    }
}
