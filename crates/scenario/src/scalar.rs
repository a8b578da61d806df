//! The values that are written as one text: durations, rates, shares, money and their like. All are read
//! exactly, into integers, and each says what to write when it cannot be read.

mod clock;
mod count;
mod decimal;
mod duration;
mod gap;
mod hours;
mod money;
mod rate;
mod share;

use std::fmt;

pub use clock::{Drift, Jump};
pub use count::Count;
pub use decimal::Decimal;
pub use duration::Duration;
pub use gap::Gap;
pub use hours::Hours;
pub use money::Money;
pub use rate::Rate;
pub use share::Share;

/// Why a text does not read as the value meant, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalarError {
    message: String,
    help: Option<String>,
}

impl ScalarError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What to write instead, where that can be said.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl fmt::Display for ScalarError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ScalarError {}

/// A value written as one text. `Display` writes it so that it reads back as the same value.
pub(crate) trait Scalar: Sized + fmt::Display {
    /// Name in the JSON Schema.
    const NAME: &'static str;
    /// `format` in the JSON Schema, by which the validator finds the reader.
    const FORMAT: &'static str;
    /// What is expected, with an example, for "expected …".
    const EXPECTED: &'static str;
    /// Shown by editors.
    const DESCRIPTION: &'static str;
    /// What the texts look like; a regular expression that accepts at least all readable ones.
    const PATTERN: &'static str;
    /// Texts to show as examples.
    const EXAMPLES: &'static [&'static str];
    /// Whether a bare whole number may stand for the text.
    const BARE_INTEGER: bool = false;

    /// The value of `text`.
    fn parse(text: &str) -> Result<Self, ScalarError>;

    /// What somebody who wrote the bare number `number` probably meant, as a text that reads.
    fn instead_of_number(number: &str) -> String;
}

/// What the validator needs of a scalar that it knows by its `format`.
pub(crate) struct Format {
    pub(crate) expected: &'static str,
    pub(crate) check: fn(&str) -> Result<(), ScalarError>,
    pub(crate) instead_of_number: fn(&str) -> String,
}

/// The scalar with this `format` in the JSON Schema.
pub(crate) fn format(name: &str) -> Option<Format> {
    fn of<T: Scalar>() -> Format {
        Format {
            expected: T::EXPECTED,
            check: |text| T::parse(text).map(drop),
            instead_of_number: T::instead_of_number,
        }
    }
    Some(match name {
        Duration::FORMAT => of::<Duration>(),
        Gap::FORMAT => of::<Gap>(),
        Jump::FORMAT => of::<Jump>(),
        Drift::FORMAT => of::<Drift>(),
        Rate::FORMAT => of::<Rate>(),
        Share::FORMAT => of::<Share>(),
        Money::FORMAT => of::<Money>(),
        Count::FORMAT => of::<Count>(),
        Decimal::FORMAT => of::<Decimal>(),
        Hours::FORMAT => of::<Hours>(),
        _ => return None,
    })
}

/// Reading from text and from serde, and the JSON Schema, of a [`Scalar`].
macro_rules! scalar {
    ($type:ty) => {
        impl std::str::FromStr for $type {
            type Err = $crate::scalar::ScalarError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                <Self as $crate::scalar::Scalar>::parse(text)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                input.deserialize_any($crate::scalar::ScalarVisitor(std::marker::PhantomData))
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                <Self as $crate::scalar::Scalar>::NAME.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::scalar::schema_of::<Self>()
            }
        }
    };
}
use scalar;

pub(crate) struct ScalarVisitor<T>(pub(crate) std::marker::PhantomData<T>);

impl<T: Scalar> serde::de::Visitor<'_> for ScalarVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::EXPECTED)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        T::parse(text).map_err(E::custom)
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<T, E> {
        if T::BARE_INTEGER {
            T::parse(&number.to_string()).map_err(E::custom)
        } else {
            Err(E::invalid_type(serde::de::Unexpected::Signed(number), &self))
        }
    }
}

pub(crate) fn schema_of<T: Scalar>() -> schemars::Schema {
    let mut schema = schemars::json_schema!({
        "type": "string",
        "format": T::FORMAT,
        "description": T::DESCRIPTION,
        "pattern": T::PATTERN,
        "examples": T::EXAMPLES,
    });
    if T::BARE_INTEGER {
        schema.insert("type".to_owned(), serde_json::json!(["integer", "string"]));
        schema.insert("minimum".to_owned(), 0.into());
    }
    schema
}

/// A plain decimal such as `12` or `0.25`, exactly: `digits / 10^decimals`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exact {
    pub(crate) digits: u64,
    pub(crate) decimals: u32,
}

impl Exact {
    /// At most 18 digits, a point only between digits, no sign, no exponent.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let has_point = text.contains('.');
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || (has_point && fraction.is_empty()) {
            return None;
        }
        if !is_digits(whole) || !is_digits(fraction) || whole.len() + fraction.len() > 18 {
            return None;
        }
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some(Self { digits, decimals: u32::try_from(fraction.len()).ok()? })
    }

    /// `self * unit`, if that is a whole number.
    pub(crate) fn times(self, unit: u64) -> Option<u64> {
        let product = u128::from(self.digits) * u128::from(unit);
        let divisor = 10_u128.pow(self.decimals);
        if product.is_multiple_of(divisor) { u64::try_from(product / divisor).ok() } else { None }
    }
}

/// Splits before the first character that is neither a digit nor a point.
pub(crate) fn number_and_rest(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at(end)
}

/// Writes `digits / 10^decimals` without needless zeros.
pub(crate) fn write_decimal(formatter: &mut fmt::Formatter<'_>, digits: u64, decimals: u32) -> fmt::Result {
    let unit = 10_u64.pow(decimals);
    write!(formatter, "{}", digits / unit)?;
    let fraction = digits % unit;
    if fraction == 0 {
        return Ok(());
    }
    let width = decimals as usize;
    let text = format!("{fraction:0width$}");
    write!(formatter, ".{}", text.trim_end_matches('0'))
}
