//! The shapes of message types, learnt from their `Deserialize` implementations, so that tools can show fields
//! by name without knowing the type.
//!
//! A type is deserialised from nothing, again and again: each pass answers every question ("a u64?", "a variant?")
//! with a dummy and writes down that it was asked, and takes another variant where some are still unknown.

mod probe;
mod render;

use serde::{Deserialize, Serialize};

pub use render::Resolver;

/// The shape of a value as [`codec`](crate::codec) encodes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Shape {
    /// Not known: a type that refuses dummies, or that contains itself too deeply.
    #[default]
    Unknown,
    /// No bytes.
    Unit,
    /// One byte.
    Bool,
    /// An unsigned integer of so many bytes.
    Unsigned(u8),
    /// A signed integer of so many bytes.
    Signed(u8),
    /// A float of so many bytes.
    Float(u8),
    /// A character in UTF-8.
    Character,
    /// A text.
    Text,
    /// Bytes.
    Bytes,
    /// An [`AgentId`](crate::AgentId).
    Agent,
    /// A [`Time`](crate::Time).
    Time,
    /// Perhaps a value.
    Optional(Box<Shape>),
    /// A list of values.
    List(Box<Shape>),
    /// A map.
    Map(Box<Shape>, Box<Shape>),
    /// Values in a fixed order, without names.
    Tuple(Vec<Shape>),
    /// Values in a fixed order, with names.
    Record(Vec<(String, Shape)>),
    /// One of several variants.
    Enum {
        /// The variants' names and fields, by index.
        variants: Vec<(String, Shape)>,
    },
}

impl Shape {
    /// The shape of `T`.
    #[must_use]
    pub fn of<'de, T: Deserialize<'de>>() -> Shape {
        probe::shape_of::<T>()
    }

    /// The name of variant `kind`, when this is an enum that has it.
    #[must_use]
    pub fn kind_name(&self, kind: u16) -> Option<&str> {
        match self {
            Shape::Enum { variants } => variants.get(usize::from(kind)).map(|(name, _)| name.as_str()),
            _ => None,
        }
    }

    /// Shows an encoded value on one line: `{ task: 7, worker: coder-2 }`. Never fails: bytes that do not fit are
    /// shown in hexadecimal, and text is escaped.
    #[must_use]
    pub fn render(&self, bytes: &[u8], names: &dyn Resolver) -> String {
        render::render(self, bytes, names)
    }

    /// Shows a value encoded without its variant index, by kind: `Claim { task: 7 }`.
    #[must_use]
    pub fn render_kind(&self, kind: u16, bytes: &[u8], names: &dyn Resolver) -> String {
        render::render_kind(self, kind, bytes, names)
    }
}
