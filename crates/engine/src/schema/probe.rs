//! The dummy deserialiser that learns a type's shape.

use core::fmt;

use serde::de::{
    self, Deserialize, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use super::Shape;

/// Types nested deeper than this are taken to contain themselves.
const DEPTH_MAX: usize = 12;
/// Each pass learns at least one variant, so this bounds the variants of one message type.
const PASSES_MAX: usize = 1024;

pub(super) fn shape_of<'de, T: Deserialize<'de>>() -> Shape {
    let mut node = Node::Fresh;
    for _ in 0..PASSES_MAX {
        let probe = Probe { node: &mut node, depth: 0 };
        if T::deserialize(probe).is_err() {
            node.give_up_on_current();
        }
        if node.complete() {
            break;
        }
    }
    node.shape()
}

/// A shape in the making. `Fresh` is what no pass has asked for yet.
enum Node {
    Fresh,
    Done(Shape),
    Optional(Box<Node>),
    List(Box<Node>),
    Map(Box<Node>, Box<Node>),
    Tuple(Vec<Node>),
    Record(Vec<(&'static str, Node)>),
    Enum { variants: Vec<(&'static str, Node)>, current: usize },
}

impl Node {
    fn complete(&self) -> bool {
        match self {
            Node::Fresh => false,
            Node::Done(_) => true,
            Node::Optional(inner) | Node::List(inner) => inner.complete(),
            Node::Map(key, value) => key.complete() && value.complete(),
            Node::Tuple(parts) => parts.iter().all(Node::complete),
            Node::Record(fields) => fields.iter().all(|(_, node)| node.complete()),
            Node::Enum { variants, .. } => variants.iter().all(|(_, node)| node.complete()),
        }
    }

    /// A pass failed below the variants it chose (a type refused a dummy): those stay unknown.
    fn give_up_on_current(&mut self) {
        match self {
            Node::Enum { variants, current } => match variants.get_mut(*current) {
                Some((_, node)) => {
                    if let Node::Enum { .. } = node {
                        node.give_up_on_current();
                    } else {
                        *node = Node::Done(Shape::Unknown);
                    }
                }
                None => *self = Node::Done(Shape::Unknown),
            },
            _ => *self = Node::Done(Shape::Unknown),
        }
    }

    fn shape(self) -> Shape {
        let named = |fields: Vec<(&'static str, Node)>| {
            fields.into_iter().map(|(name, node)| (name.to_owned(), node.shape())).collect()
        };
        match self {
            Node::Fresh => Shape::Unknown,
            Node::Done(shape) => shape,
            Node::Optional(inner) => Shape::Optional(Box::new(inner.shape())),
            Node::List(inner) => Shape::List(Box::new(inner.shape())),
            Node::Map(key, value) => Shape::Map(Box::new(key.shape()), Box::new(value.shape())),
            Node::Tuple(parts) => Shape::Tuple(parts.into_iter().map(Node::shape).collect()),
            Node::Record(fields) => Shape::Record(named(fields)),
            Node::Enum { variants, .. } => Shape::Enum { variants: named(variants) },
        }
    }
}

#[derive(Debug)]
struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the type refused a dummy value")
    }
}

impl core::error::Error for Refused {}

impl de::Error for Refused {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Refused
    }
}

struct Probe<'n> {
    node: &'n mut Node,
    depth: usize,
}

impl Probe<'_> {
    fn leaf(&mut self, shape: Shape) {
        *self.node = Node::Done(shape);
    }

    fn too_deep(&self) -> bool {
        self.depth >= DEPTH_MAX
    }
}

macro_rules! leaves {
    ($($method:ident => $visit:ident($dummy:expr), $shape:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refused> {
            self.leaf($shape);
            visitor.$visit($dummy)
        })*
    };
}

impl<'de> de::Deserializer<'de> for Probe<'_> {
    type Error = Refused;

    leaves! {
        deserialize_bool => visit_bool(false), Shape::Bool;
        deserialize_u8 => visit_u8(0), Shape::Unsigned(1);
        deserialize_u16 => visit_u16(0), Shape::Unsigned(2);
        deserialize_u32 => visit_u32(0), Shape::Unsigned(4);
        deserialize_u64 => visit_u64(0), Shape::Unsigned(8);
        deserialize_u128 => visit_u128(0), Shape::Unsigned(16);
        deserialize_i8 => visit_i8(0), Shape::Signed(1);
        deserialize_i16 => visit_i16(0), Shape::Signed(2);
        deserialize_i32 => visit_i32(0), Shape::Signed(4);
        deserialize_i64 => visit_i64(0), Shape::Signed(8);
        deserialize_i128 => visit_i128(0), Shape::Signed(16);
        deserialize_f32 => visit_f32(0.0), Shape::Float(4);
        deserialize_f64 => visit_f64(0.0), Shape::Float(8);
        deserialize_char => visit_char('a'), Shape::Character;
        deserialize_str => visit_borrowed_str(""), Shape::Text;
        deserialize_string => visit_string(String::new()), Shape::Text;
        deserialize_bytes => visit_borrowed_bytes(&[]), Shape::Bytes;
        deserialize_byte_buf => visit_byte_buf(Vec::new()), Shape::Bytes;
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Refused> {
        Err(Refused)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Refused> {
        Err(Refused)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Refused> {
        Err(Refused)
    }

    fn deserialize_unit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Refused> {
        self.leaf(Shape::Unit);
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        let known = match name {
            "AgentId" => Shape::Agent,
            "Time" => Shape::Time,
            _ => return visitor.visit_newtype_struct(self),
        };
        self.leaf(known);
        visitor.visit_newtype_struct(Probe { node: &mut Node::Fresh, depth: self.depth + 1 })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        if self.too_deep() {
            *self.node = Node::Optional(Box::new(Node::Done(Shape::Unknown)));
            return visitor.visit_none();
        }
        if !matches!(self.node, Node::Optional(_)) {
            *self.node = Node::Optional(Box::new(Node::Fresh));
        }
        let Node::Optional(inner) = self.node else { unreachable!("it was just made") };
        visitor.visit_some(Probe { node: inner, depth: self.depth + 1 })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        if self.too_deep() {
            *self.node = Node::List(Box::new(Node::Done(Shape::Unknown)));
            return visitor.visit_seq(Parts { nodes: core::iter::empty(), depth: self.depth });
        }
        if !matches!(self.node, Node::List(_)) {
            *self.node = Node::List(Box::new(Node::Fresh));
        }
        let Node::List(inner) = self.node else { unreachable!("it was just made") };
        visitor.visit_seq(Parts { nodes: core::iter::once(&mut **inner), depth: self.depth })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Refused> {
        if self.too_deep() {
            return Err(Refused);
        }
        if !matches!(self.node, Node::Tuple(_)) {
            *self.node = Node::Tuple((0..length).map(|_| Node::Fresh).collect());
        }
        let Node::Tuple(parts) = self.node else { unreachable!("it was just made") };
        visitor.visit_seq(Parts { nodes: parts.iter_mut(), depth: self.depth })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Refused> {
        self.deserialize_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refused> {
        if !matches!(self.node, Node::Map(..)) {
            *self.node = Node::Map(Box::new(Node::Fresh), Box::new(Node::Fresh));
        }
        let too_deep = self.too_deep();
        let Node::Map(key, value) = self.node else { unreachable!("it was just made") };
        if too_deep {
            **key = Node::Done(Shape::Unknown);
            **value = Node::Done(Shape::Unknown);
            return visitor.visit_map(Entry { key: None, value: None, depth: self.depth });
        }
        visitor.visit_map(Entry { key: Some(key), value: Some(value), depth: self.depth })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        if self.too_deep() {
            return Err(Refused);
        }
        if !matches!(self.node, Node::Record(_)) {
            *self.node = Node::Record(fields.iter().map(|name| (*name, Node::Fresh)).collect());
        }
        let Node::Record(parts) = self.node else { unreachable!("it was just made") };
        visitor.visit_seq(Parts { nodes: parts.iter_mut().map(|(_, node)| node), depth: self.depth })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        if self.too_deep() {
            return Err(Refused);
        }
        if !matches!(self.node, Node::Enum { .. }) {
            let variants = names.iter().map(|name| (*name, Node::Fresh)).collect();
            *self.node = Node::Enum { variants, current: 0 };
        }
        let Node::Enum { variants, current } = self.node else { unreachable!("it was just made") };
        *current = variants.iter().position(|(_, node)| !node.complete()).unwrap_or(0);
        let chosen = *current;
        let Some((_, node)) = variants.get_mut(chosen) else {
            return Err(Refused);
        };
        visitor.visit_enum(Chosen { index: chosen as u32, node, depth: self.depth + 1 })
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

struct Parts<I> {
    nodes: I,
    depth: usize,
}

impl<'de, 'n, I: Iterator<Item = &'n mut Node>> SeqAccess<'de> for Parts<I> {
    type Error = Refused;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Refused> {
        let Some(node) = self.nodes.next() else {
            return Ok(None);
        };
        seed.deserialize(Probe { node, depth: self.depth + 1 }).map(Some)
    }
}

struct Entry<'n> {
    key: Option<&'n mut Node>,
    value: Option<&'n mut Node>,
    depth: usize,
}

impl<'de> MapAccess<'de> for Entry<'_> {
    type Error = Refused;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Refused> {
        let Some(node) = self.key.take() else {
            return Ok(None);
        };
        seed.deserialize(Probe { node, depth: self.depth + 1 }).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refused> {
        let node = self.value.take().ok_or(Refused)?;
        seed.deserialize(Probe { node, depth: self.depth + 1 })
    }
}

struct Chosen<'n> {
    index: u32,
    node: &'n mut Node,
    depth: usize,
}

impl<'de, 'n> EnumAccess<'de> for Chosen<'n> {
    type Error = Refused;
    type Variant = Probe<'n>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Probe<'n>), Refused> {
        let value = seed.deserialize(IntoDeserializer::<Refused>::into_deserializer(self.index))?;
        Ok((value, Probe { node: self.node, depth: self.depth }))
    }
}

impl<'de> VariantAccess<'de> for Probe<'_> {
    type Error = Refused;

    fn unit_variant(mut self) -> Result<(), Refused> {
        self.leaf(Shape::Unit);
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Refused> {
        // A newtype variant is shown like a tuple of one, so that `Number(7)` keeps its parentheses.
        if !matches!(self.node, Node::Tuple(_)) {
            *self.node = Node::Tuple(vec![Node::Fresh]);
        }
        let Node::Tuple(parts) = self.node else { unreachable!("it was just made") };
        seed.deserialize(Probe { node: &mut parts[0], depth: self.depth + 1 })
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Refused> {
        de::Deserializer::deserialize_tuple(self, length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refused> {
        de::Deserializer::deserialize_struct(self, "", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::{Address, AgentId, Fact};

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only the shape is looked at")]
    enum Inner {
        Left,
        Right { who: AgentId },
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only the shape is looked at")]
    enum Outer {
        First(u64),
        Second { inner: Inner, list: Vec<Option<bool>>, map: BTreeMap<u8, String> },
        Third { to: Address<()>, more: Box<Option<Outer>> },
    }

    #[test]
    fn nested_variants_are_all_found() {
        let Shape::Enum { variants } = Shape::of::<Outer>() else { panic!("an enum") };
        assert_eq!(variants[0], ("First".into(), Shape::Tuple(vec![Shape::Unsigned(8)])));
        let Shape::Record(fields) = &variants[1].1 else { panic!("a record") };
        let Shape::Enum { variants: inner } = &fields[0].1 else { panic!("an inner enum") };
        assert_eq!(inner[1].1, Shape::Record(vec![("who".into(), Shape::Agent)]));
        assert_eq!(fields[1].1, Shape::List(Box::new(Shape::Optional(Box::new(Shape::Bool)))));
        assert_eq!(fields[2].1, Shape::Map(Box::new(Shape::Unsigned(1)), Box::new(Shape::Text)));
    }

    #[test]
    fn every_fact_has_a_shape() {
        let Shape::Enum { variants } = Shape::of::<Fact<'static>>() else { panic!("an enum") };
        assert!(variants.iter().all(|(_, shape)| *shape != Shape::Unknown));
        assert_eq!(variants[0].0, "TaskAdded");
    }

    #[test]
    fn the_unit_type_has_the_unit_shape() {
        assert_eq!(Shape::of::<()>(), Shape::Unit);
    }
}
