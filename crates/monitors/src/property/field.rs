//! The fields of a fact by name, read through its `Serialize` implementation: a fact that is added is covered.

use core::fmt;

use fleetsim_engine::{AgentId, Fact, Value};
use serde::ser::{Error, Impossible, Serialize, SerializeStructVariant, Serializer};

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Number(i128),
    Flag(bool),
    Text(String),
    Agent(AgentId),
}

/// The field of `fact` called `name`. A custom fact's own fields come after its `name`.
pub(super) fn field(fact: &Fact<'_>, name: &str) -> Option<Field> {
    if let Fact::Custom { name: own, fields } = fact {
        if name == "name" {
            return Some(Field::Text((*own).to_owned()));
        }
        return fields.iter().find(|(known, _)| *known == name).map(|(_, value)| match *value {
            Value::Number(number) => Field::Number(number.into()),
            Value::Text(text) => Field::Text(text.to_owned()),
            Value::Flag(flag) => Field::Flag(flag),
            Value::Agent(agent) => Field::Agent(agent),
        });
    }
    fact.serialize(OneField { name, found: None }).ok().flatten()
}

/// Walks over the fields of a variant and keeps one.
struct OneField<'a> {
    name: &'a str,
    found: Option<Field>,
}

/// Reads one value.
struct OneValue;

/// A value of a kind that no field has.
#[derive(Debug)]
struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a field that can be compared")
    }
}

impl std::error::Error for Unreadable {}

impl Error for Unreadable {
    fn custom<T: fmt::Display>(_: T) -> Unreadable {
        Unreadable
    }
}

impl SerializeStructVariant for OneField<'_> {
    type Ok = Option<Field>;
    type Error = Unreadable;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Unreadable> {
        if key == self.name {
            self.found = value.serialize(OneValue)?;
        }
        Ok(())
    }

    fn end(self) -> Result<Option<Field>, Unreadable> {
        Ok(self.found)
    }
}

macro_rules! unreadable {
    ($($method:ident($($kind:ty),*)),* $(,)?) => {
        $(fn $method(self, $(_: $kind),*) -> Result<Option<Field>, Unreadable> { Err(Unreadable) })*
    };
}

macro_rules! no_compounds {
    ($($method:ident -> $compound:ident ($($kind:ty),*)),* $(,)?) => {
        $(
            type $compound = Impossible<Option<Field>, Unreadable>;
            fn $method(self, $(_: $kind),*) -> Result<Self::$compound, Unreadable> { Err(Unreadable) }
        )*
    };
}

impl<'a> Serializer for OneField<'a> {
    type Ok = Option<Field>;
    type Error = Unreadable;
    type SerializeStructVariant = OneField<'a>;

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<OneField<'a>, Unreadable> {
        Ok(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<Option<Field>, Unreadable> {
        Err(Unreadable)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Option<Field>, Unreadable> {
        Err(Unreadable)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<Option<Field>, Unreadable> {
        Err(Unreadable)
    }

    unreadable!(
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char),
        serialize_str(&str),
        serialize_bytes(&[u8]),
        serialize_none(),
        serialize_unit(),
        serialize_unit_struct(&'static str),
        serialize_unit_variant(&'static str, u32, &'static str),
    );
    no_compounds!(
        serialize_seq -> SerializeSeq(Option<usize>),
        serialize_tuple -> SerializeTuple(usize),
        serialize_tuple_struct -> SerializeTupleStruct(&'static str, usize),
        serialize_tuple_variant -> SerializeTupleVariant(&'static str, u32, &'static str, usize),
        serialize_map -> SerializeMap(Option<usize>),
        serialize_struct -> SerializeStruct(&'static str, usize),
    );
}

macro_rules! numbers {
    ($($method:ident($kind:ty)),* $(,)?) => {
        $(fn $method(self, number: $kind) -> Result<Option<Field>, Unreadable> {
            Ok(Some(Field::Number(i128::from(number))))
        })*
    };
}

impl Serializer for OneValue {
    type Ok = Option<Field>;
    type Error = Unreadable;

    fn serialize_bool(self, flag: bool) -> Result<Option<Field>, Unreadable> {
        Ok(Some(Field::Flag(flag)))
    }

    fn serialize_str(self, text: &str) -> Result<Option<Field>, Unreadable> {
        Ok(Some(Field::Text(text.to_owned())))
    }

    numbers!(
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
    );

    /// An agent is a number in a type of its own.
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Option<Field>, Unreadable> {
        let value = value.serialize(OneValue)?;
        Ok(value.map(|value| match value {
            Field::Number(number) if name == "AgentId" => Field::Agent(AgentId::from_u64(number as u64)),
            other => other,
        }))
    }

    /// What is waited for is compared with its name, whatever kind of thing it is.
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Result<Option<Field>, Unreadable> {
        value.serialize(OneValue)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Option<Field>, Unreadable> {
        value.serialize(OneValue)
    }

    fn serialize_none(self) -> Result<Option<Field>, Unreadable> {
        Ok(None)
    }

    unreadable!(
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char),
        serialize_bytes(&[u8]),
        serialize_unit(),
        serialize_unit_struct(&'static str),
        serialize_unit_variant(&'static str, u32, &'static str),
    );
    no_compounds!(
        serialize_seq -> SerializeSeq(Option<usize>),
        serialize_tuple -> SerializeTuple(usize),
        serialize_tuple_struct -> SerializeTupleStruct(&'static str, usize),
        serialize_tuple_variant -> SerializeTupleVariant(&'static str, u32, &'static str, usize),
        serialize_map -> SerializeMap(Option<usize>),
        serialize_struct -> SerializeStruct(&'static str, usize),
        serialize_struct_variant -> SerializeStructVariant(&'static str, u32, &'static str, usize),
    );
}

#[cfg(test)]
mod tests {
    use fleetsim_engine::Waited;

    use super::*;

    #[test]
    fn fields_are_found_by_name_and_type() {
        let agent = AgentId::named("coder", 2);
        let decided = Fact::Decided { seam: "notes", item: 7, offer: 9, receiver: agent };
        for (fact, name, value) in [
            (&decided, "seam", Some(Field::Text("notes".to_owned()))),
            (&decided, "item", Some(Field::Number(7))),
            (&decided, "receiver", Some(Field::Agent(agent))),
            (&decided, "medium", None),
            (&Fact::Reviewed { item: 1, approved: false }, "approved", Some(Field::Flag(false))),
            (&Fact::TaskAdded { task: u64::MAX }, "task", Some(Field::Number(u64::MAX.into()))),
            (&Fact::WaitOn { on: Waited::Gate("lead") }, "on", Some(Field::Text("lead".to_owned()))),
            (&Fact::WaitOn { on: Waited::Agent(agent) }, "on", Some(Field::Agent(agent))),
        ] {
            assert_eq!(field(fact, name), value, "{fact:?}.{name}");
        }
    }

    #[test]
    fn custom_facts_have_their_own_fields() {
        let fields = vec![
            ("lease", Value::Number(-3)),
            ("kind", Value::Text("slow")),
            ("late", Value::Flag(true)),
            ("holder", Value::Agent(AgentId::WORLD)),
        ];
        let fact = Fact::Custom { name: "renewed", fields };
        for (name, value) in [
            ("name", Some(Field::Text("renewed".to_owned()))),
            ("lease", Some(Field::Number(-3))),
            ("kind", Some(Field::Text("slow".to_owned()))),
            ("late", Some(Field::Flag(true))),
            ("holder", Some(Field::Agent(AgentId::WORLD))),
            ("other", None),
        ] {
            assert_eq!(field(&fact, name), value, "{name}");
        }
    }
}
