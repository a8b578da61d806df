//! A record as JSON: its fields, read with care for what may be missing or of another type.

use fleetsim_engine::hash_text;
use serde_json::{Map, Value};

/// What a field held that is not what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is missing, null, empty, or of another type.
    Missing,
    /// It is a number that does not fit.
    OutOfRange,
}

/// The object that a record is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Record<'a> {
    pub(crate) fn of(value: &'a Value) -> Option<Record<'a>> {
        value.as_object().map(Record)
    }

    /// A text that is not empty.
    pub(crate) fn text(self, field: &str) -> Option<&'a str> {
        self.0.get(field).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    }

    pub(crate) fn flag(self, field: &str) -> Option<bool> {
        self.0.get(field).and_then(Value::as_bool)
    }

    /// A count: a whole number that is not negative, or one written as a text.
    pub(crate) fn count(self, field: &str) -> Result<u64, Unfit> {
        self.0.get(field).map_or(Err(Unfit::Missing), count)
    }

    /// What identifies something: a text, or a number as a text.
    pub(crate) fn id(self, field: &str) -> Option<String> {
        match self.0.get(field)? {
            Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

/// A whole number that is not negative, or one written as a text, as JSON writes 64 bits.
pub(crate) fn count(value: &Value) -> Result<u64, Unfit> {
    match value {
        Value::Number(number) => number.as_u64().ok_or(Unfit::OutOfRange),
        Value::String(text) => text.trim().parse().map_err(|_| {
            let is_number = !text.trim().is_empty() && text.trim().bytes().all(|byte| byte.is_ascii_digit());
            if is_number { Unfit::OutOfRange } else { Unfit::Missing }
        }),
        _ => Err(Unfit::Missing),
    }
}

/// The number of what a log identifies by text: numbers stay themselves up to 2⁶², all else is hashed to above.
pub(crate) fn number_of(id: &str) -> u64 {
    const HASHED: u64 = 1 << 62;
    match id.parse::<u64>() {
        Ok(number) if number < HASHED && number.to_string() == id => number,
        _ => HASHED | hash_text(id) & (HASHED - 1),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn counts_are_whole_and_in_range() {
        for (value, expected) in [
            (json!(7), Ok(7)),
            (json!("18446744073709551615"), Ok(u64::MAX)),
            (json!("18446744073709551616"), Err(Unfit::OutOfRange)),
            (json!(-1), Err(Unfit::OutOfRange)),
            (json!(1.5), Err(Unfit::OutOfRange)),
            (json!("-1"), Err(Unfit::Missing)),
            (json!("seven"), Err(Unfit::Missing)),
            (json!(null), Err(Unfit::Missing)),
            (json!([7]), Err(Unfit::Missing)),
        ] {
            assert_eq!(count(&value), expected, "{value}");
        }
    }

    #[test]
    fn numbers_stay_and_texts_are_hashed_apart_from_them() {
        assert_eq!(number_of("17"), 17);
        for text in ["017", "-1", "T-17", "4611686018427387904", ""] {
            let number = number_of(text);
            assert!(number >= 1 << 62 && i64::try_from(number).is_ok(), "{text}");
        }
        assert_ne!(number_of("T-1"), number_of("T-2"));
    }
}
