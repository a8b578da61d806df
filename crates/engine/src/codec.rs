//! The only place that knows how values become bytes: bincode 2, little-endian, fixed-width integers, bounded.
//!
//! bincode is no longer maintained. Its fixed-width form is plain enough to be written down (integers
//! little-endian, `u64` lengths, a `u32` variant index, one byte for `Option` and `bool`), other crates produce
//! the same bytes, and nothing outside this file calls it.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use bincode::de::read::Reader;
use bincode::enc::write::Writer;
use bincode::error::{DecodeError, EncodeError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The largest encoded message, timer, fact or spawn configuration, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;

const CONFIGURATION: Configuration<LittleEndian, Fixint, Limit<PAYLOAD_BYTES_MAX>> =
    bincode::config::standard().with_little_endian().with_fixed_int_encoding().with_limit();

const TAG_BYTES: usize = 4;

/// Appends `value` without its variant index, which is returned: kinds travel beside the payload, not in it.
///
/// # Panics
/// When the value is not an enum (or `()`), has more than 65,536 variants, or encodes to more than
/// [`PAYLOAD_BYTES_MAX`]: mistakes in a protocol's definition, not in its input.
pub fn encode_kind<T: Serialize>(value: &T, out: &mut Vec<u8>) -> u16 {
    encode_kind_to(value, out)
}

/// As [`encode_kind`], to wherever.
#[inline]
pub(crate) fn encode_kind_to<T: Serialize, O: Out>(value: &T, out: &mut O) -> u16 {
    let mut writer = KindWriter { tag: None, length_max: out.length() + PAYLOAD_BYTES_MAX, out };
    if let Err(error) = bincode::serde::encode_into_writer(value, &mut writer, CONFIGURATION) {
        panic!("a value of type {} cannot be sent: {error}", core::any::type_name::<T>());
    }
    let tag = writer.tag.unwrap_or(0);
    u16::try_from(tag).unwrap_or_else(|_| {
        panic!("{} is not an enum with at most 65,536 variants", core::any::type_name::<T>())
    })
}

/// Restores what [`encode_kind`] wrote, or `None` when kind and bytes are not exactly one value of `T`.
#[must_use]
pub fn decode_kind<T: DeserializeOwned>(kind: u16, bytes: &[u8]) -> Option<T> {
    let mut reader = KindReader { tag: u32::from(kind).to_le_bytes(), tag_read: 0, rest: bytes };
    let value = bincode::serde::decode_from_reader(&mut reader, CONFIGURATION).ok()?;
    // `()` has no variant index to consume; every enum must have consumed it.
    let tag_ok = reader.tag_read == TAG_BYTES || (reader.tag_read == 0 && kind == 0);
    (tag_ok && reader.rest.is_empty()).then_some(value)
}

/// Appends `value` whole.
///
/// # Panics
/// When it encodes to more than [`PAYLOAD_BYTES_MAX`] or its type cannot be encoded (an untagged or flattened
/// enum): mistakes in a type's definition.
pub fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    let mut writer = PlainWriter { length_max: out.len() + PAYLOAD_BYTES_MAX, out };
    if let Err(error) = bincode::serde::encode_into_writer(value, &mut writer, CONFIGURATION) {
        panic!("a value of type {} cannot be encoded: {error}", core::any::type_name::<T>());
    }
}

/// Restores what [`encode`] wrote, or `None` when the bytes are not exactly one value of `T`.
#[must_use]
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    let (value, used) = bincode::serde::borrow_decode_from_slice(bytes, CONFIGURATION).ok()?;
    (used == bytes.len()).then_some(value)
}

/// Where an encoding goes.
pub(crate) trait Out {
    /// How many bytes there are already.
    fn length(&self) -> usize;
    /// Adds some.
    fn append(&mut self, bytes: &[u8]);
}

impl Out for Vec<u8> {
    #[inline]
    fn length(&self) -> usize {
        self.len()
    }

    #[inline]
    fn append(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

struct PlainWriter<'a> {
    length_max: usize,
    out: &'a mut Vec<u8>,
}

impl Writer for PlainWriter<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        if self.out.len() + bytes.len() > self.length_max {
            return Err(EncodeError::Other("it is larger than a payload may be"));
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }
}

struct KindWriter<'a, O> {
    tag: Option<u32>,
    length_max: usize,
    out: &'a mut O,
}

impl<O: Out> Writer for KindWriter<'_, O> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        if self.tag.is_none() {
            let tag = bytes.try_into().map_err(|_| EncodeError::Other("it is not an enum"))?;
            self.tag = Some(u32::from_le_bytes(tag));
            return Ok(());
        }
        if self.out.length() + bytes.len() > self.length_max {
            return Err(EncodeError::Other("it is larger than a payload may be"));
        }
        self.out.append(bytes);
        Ok(())
    }
}

struct KindReader<'a> {
    tag: [u8; TAG_BYTES],
    tag_read: usize,
    rest: &'a [u8],
}

impl Reader for KindReader<'_> {
    #[inline]
    fn read(&mut self, bytes: &mut [u8]) -> Result<(), DecodeError> {
        if self.tag_read < TAG_BYTES {
            // The index is always read in one piece and first.
            if self.tag_read != 0 || bytes.len() != TAG_BYTES {
                return Err(DecodeError::Other("the value is not an enum"));
            }
            bytes.copy_from_slice(&self.tag);
            self.tag_read = TAG_BYTES;
            return Ok(());
        }
        let Some((taken, rest)) = self.rest.split_at_checked(bytes.len()) else {
            return Err(DecodeError::UnexpectedEnd { additional: bytes.len() - self.rest.len() });
        };
        bytes.copy_from_slice(taken);
        self.rest = rest;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Sample {
        Unit,
        Number(u64),
        Record { text: String, list: Vec<Option<i32>>, flag: bool },
    }

    fn sample() -> impl Strategy<Value = Sample> {
        prop_oneof![
            Just(Sample::Unit),
            any::<u64>().prop_map(Sample::Number),
            (any::<String>(), any::<Vec<Option<i32>>>(), any::<bool>())
                .prop_map(|(text, list, flag)| Sample::Record { text, list, flag }),
        ]
    }

    proptest! {
        #[test]
        fn values_round_trip(value in sample()) {
            let mut bytes = Vec::new();
            let kind = encode_kind(&value, &mut bytes);
            prop_assert_eq!(decode_kind::<Sample>(kind, &bytes), Some(value.clone()));
            let mut whole = Vec::new();
            encode(&value, &mut whole);
            prop_assert_eq!(decode::<Sample>(&whole), Some(value));
            prop_assert_eq!(&whole[4..], &bytes[..]);
        }

        #[test]
        fn arbitrary_bytes_never_panic(kind: u16, bytes: Vec<u8>) {
            let _ = decode_kind::<Sample>(kind, &bytes);
            let _ = decode::<Sample>(&bytes);
        }

        #[test]
        fn one_byte_more_or_less_is_refused(value in sample()) {
            let mut bytes = Vec::new();
            let kind = encode_kind(&value, &mut bytes);
            bytes.push(0);
            prop_assert_eq!(decode_kind::<Sample>(kind, &bytes), None);
            bytes.pop();
            if bytes.pop().is_some() {
                prop_assert_eq!(decode_kind::<Sample>(kind, &bytes), None);
            }
        }
    }

    #[test]
    fn the_unit_type_is_kind_zero_without_bytes() {
        let mut bytes = Vec::new();
        assert_eq!(encode_kind(&(), &mut bytes), 0);
        assert_eq!(bytes, []);
        assert_eq!(decode_kind::<()>(0, &[]), Some(()));
        assert_eq!(decode_kind::<()>(1, &[]), None);
    }

    #[test]
    fn a_hostile_length_allocates_nothing() {
        let mut bytes = u64::MAX.to_le_bytes().to_vec();
        bytes.extend([0; 8]);
        assert_eq!(decode::<Vec<u64>>(&bytes), None);
    }

    #[test]
    #[should_panic(expected = "cannot be sent")]
    fn a_struct_is_not_a_message() {
        encode_kind(&(1_u64, 2_u64), &mut Vec::new());
    }
}
