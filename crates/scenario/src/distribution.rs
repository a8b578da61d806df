//! Values that differ from one time to the next: a constant, or a named distribution with its parameters.
//! Here they are only described; drawing from them is the simulation's part.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::scalar::{Count, Decimal, Duration, Scalar, Share};

/// A value that is always the same, or drawn anew each time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distribution<T> {
    /// Always this value: written plainly, `"90s"` or `4`.
    Constant(T),
    /// Drawn from a shape: written as a table, `{ uniform = { from = "1s", to = "3s" } }`.
    Drawn(Shape<T>),
}

/// How drawn values are spread.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "{T}Shape")]
pub enum Shape<T> {
    /// Every value between two equally likely.
    #[serde(rename_all = "kebab-case")]
    Uniform {
        /// The least value.
        from: T,
        /// The greatest value.
        to: T,
    },
    /// The time to the next of events that come independently of each other.
    #[serde(rename_all = "kebab-case")]
    Exponential {
        /// The average.
        mean: T,
    },
    /// Most values near the median, a few far above it: what model latencies and human answers look like.
    #[serde(rename_all = "kebab-case")]
    Lognormal {
        /// Half of the values are below.
        median: T,
        /// 99 of 100 values are below.
        p99: T,
    },
    /// Values around a mean, spread as wide as `cv` says.
    #[serde(rename_all = "kebab-case")]
    Gamma {
        /// The average.
        mean: T,
        /// Standard deviation divided by the mean: "1" spreads as an exponential does.
        cv: Decimal,
    },
    /// A heavy tail: few values, but without bound.
    #[serde(rename_all = "kebab-case")]
    Pareto {
        /// The least value.
        at_least: T,
        /// The smaller, the heavier the tail.
        shape: Decimal,
    },
    /// Measured percentiles: pairs of a share and the value which that share stays at or below; between
    /// two of them the value is interpolated.
    Table(
        /// The pairs, ascending.
        #[schemars(length(min = 1))]
        Vec<(Share, T)>,
    ),
}

impl<T: Copy> Distribution<T> {
    /// The value, if it never changes.
    pub fn constant(&self) -> Option<T> {
        match self {
            Self::Constant(value) => Some(*value),
            Self::Drawn(_) => None,
        }
    }
}

impl<'de, T: Scalar + Deserialize<'de>> Deserialize<'de> for Distribution<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(DistributionVisitor(PhantomData))
    }
}

impl<T: Scalar + JsonSchema> JsonSchema for Distribution<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}Distribution", T::NAME).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Always the same value, or drawn from a distribution.",
            "anyOf": [generator.subschema_for::<T>(), generator.subschema_for::<Shape<T>>()],
        })
    }
}

struct DistributionVisitor<T>(PhantomData<T>);

impl<'de, T: Scalar + Deserialize<'de>> Visitor<'de> for DistributionVisitor<T> {
    type Value = Distribution<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, or a distribution", T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        T::deserialize(text.into_deserializer()).map(Distribution::Constant)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        T::deserialize(number.into_deserializer()).map(Distribution::Constant)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        Shape::deserialize(MapAccessDeserializer::new(entries)).map(Distribution::Drawn)
    }
}

/// A distribution of times.
pub type DurationDistribution = Distribution<Duration>;
/// A distribution of whole numbers.
pub type CountDistribution = Distribution<Count>;
