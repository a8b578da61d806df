//! Encoded values as one line of text, guided by their shape.

use core::fmt::Write as _;

use super::Shape;
use crate::identity::AgentId;
use crate::time::Time;

/// Gives an agent its name in a run.
pub trait Resolver {
    /// The name to show for `id`.
    fn name(&self, id: AgentId) -> String;
}

/// Elements of a list shown before `…`.
const ELEMENTS_MAX: usize = 16;
/// Bytes shown in hexadecimal before `…`.
const HEX_MAX: usize = 32;

pub(super) fn render(shape: &Shape, bytes: &[u8], names: &dyn Resolver) -> String {
    let mut painter = Painter { rest: bytes, names, out: String::new() };
    painter.paint(shape).and_then(|()| painter.finish()).unwrap_or_else(|Misfit| hexadecimal(bytes))
}

pub(super) fn render_kind(shape: &Shape, kind: u16, bytes: &[u8], names: &dyn Resolver) -> String {
    let variant = match shape {
        Shape::Enum { variants } => variants.get(usize::from(kind)),
        _ => None,
    };
    let Some((name, fields)) = variant else {
        return format!("kind {kind} {}", hexadecimal(bytes));
    };
    let mut painter = Painter { rest: bytes, names, out: name.clone() };
    painter
        .paint_fields(fields)
        .and_then(|()| painter.finish())
        .unwrap_or_else(|Misfit| format!("{name} {}", hexadecimal(bytes)))
}

/// The bytes are not a value of the shape.
struct Misfit;

struct Painter<'a> {
    rest: &'a [u8],
    names: &'a dyn Resolver,
    out: String,
}

impl<'a> Painter<'a> {
    fn finish(&mut self) -> Result<String, Misfit> {
        if self.rest.is_empty() { Ok(core::mem::take(&mut self.out)) } else { Err(Misfit) }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Misfit> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Misfit)?;
        self.rest = rest;
        Ok(taken)
    }

    fn unsigned(&mut self, width: u8) -> Result<u128, Misfit> {
        let bytes = self.take(usize::from(width))?;
        let mut wide = [0; 16];
        wide.get_mut(..bytes.len()).ok_or(Misfit)?.copy_from_slice(bytes);
        Ok(u128::from_le_bytes(wide))
    }

    fn length(&mut self) -> Result<usize, Misfit> {
        let length = usize::try_from(self.unsigned(8)?).map_err(|_| Misfit)?;
        // Elements may take no bytes, so the text is what must be bounded: a list this long is not of ours.
        if length > crate::codec::PAYLOAD_BYTES_MAX { Err(Misfit) } else { Ok(length) }
    }

    fn text(&mut self, length: usize) -> Result<&'a str, Misfit> {
        core::str::from_utf8(self.take(length)?).map_err(|_| Misfit)
    }

    fn push(&mut self, value: impl core::fmt::Display) {
        let _ = write!(self.out, "{value}");
    }

    fn paint(&mut self, shape: &Shape) -> Result<(), Misfit> {
        match shape {
            Shape::Unknown => {
                let rest = self.take(self.rest.len())?;
                self.out += &hexadecimal(rest);
            }
            Shape::Unit => self.out += "()",
            Shape::Bool => {
                let text = match self.take(1)? {
                    [0] => "false",
                    [1] => "true",
                    _ => return Err(Misfit),
                };
                self.out += text;
            }
            Shape::Unsigned(width) => {
                let value = self.unsigned(*width)?;
                self.push(value);
            }
            Shape::Signed(width) => {
                let value = self.unsigned(*width)?;
                let unused = 128 - 8 * u32::from(*width).clamp(1, 16);
                self.push(((value << unused) as i128) >> unused);
            }
            Shape::Float(4) => {
                let bits = self.unsigned(4)? as u32;
                self.push(f32::from_bits(bits));
            }
            Shape::Float(_) => {
                let bits = self.unsigned(8)? as u64;
                self.push(f64::from_bits(bits));
            }
            Shape::Character => {
                let first = *self.rest.first().ok_or(Misfit)?;
                let length = if first < 0x80 { 1 } else { (first.leading_ones() as usize).min(4) };
                let text = self.text(length)?;
                let _ = write!(self.out, "'{}'", text.escape_debug());
            }
            Shape::Text => {
                let length = self.length()?;
                let text = self.text(length)?;
                let _ = write!(self.out, "\"{}\"", text.escape_debug());
            }
            Shape::Bytes => {
                let length = self.length()?;
                let bytes = self.take(length)?;
                self.out += &hexadecimal(bytes);
            }
            Shape::Agent => {
                let id = AgentId::from_u64(self.unsigned(8)? as u64);
                self.out += &self.names.name(id);
            }
            Shape::Time => {
                let time = Time::from_ns(self.unsigned(8)? as u64);
                self.push(time);
            }
            Shape::Optional(inner) => match self.take(1)? {
                [0] => self.out += "none",
                [1] => self.paint(inner)?,
                _ => return Err(Misfit),
            },
            Shape::List(inner) => {
                let length = self.length()?;
                self.paint_list(length, |painter| painter.paint(inner))?;
            }
            Shape::Map(key, value) => {
                let length = self.length()?;
                self.paint_list(length, |painter| {
                    painter.paint(key)?;
                    painter.out += ": ";
                    painter.paint(value)
                })?;
            }
            Shape::Tuple(_) | Shape::Record(_) => self.paint_fields(shape)?,
            Shape::Enum { variants } => {
                let index = usize::try_from(self.unsigned(4)?).map_err(|_| Misfit)?;
                let (name, fields) = variants.get(index).ok_or(Misfit)?;
                self.out += name;
                self.paint_fields(fields)?;
            }
        }
        Ok(())
    }

    /// What stands after a variant's or type's name: `(1, 2)`, ` { a: 1 }`, or nothing.
    fn paint_fields(&mut self, fields: &Shape) -> Result<(), Misfit> {
        match fields {
            Shape::Unit => {}
            Shape::Tuple(parts) => {
                self.out.push('(');
                for (at, part) in parts.iter().enumerate() {
                    self.out += if at > 0 { ", " } else { "" };
                    self.paint(part)?;
                }
                self.out.push(')');
            }
            Shape::Record(parts) => {
                let opens = self.out.is_empty() || self.out.ends_with([' ', '(', '[']);
                self.out += if opens { "{ " } else { " { " };
                for (at, (name, part)) in parts.iter().enumerate() {
                    self.out += if at > 0 { ", " } else { "" };
                    let _ = write!(self.out, "{name}: ");
                    self.paint(part)?;
                }
                self.out += " }";
            }
            other => {
                self.out.push(' ');
                self.paint(other)?;
            }
        }
        Ok(())
    }

    fn paint_list(
        &mut self,
        length: usize,
        mut element: impl FnMut(&mut Self) -> Result<(), Misfit>,
    ) -> Result<(), Misfit> {
        self.out.push('[');
        let mut shown = self.out.len();
        for at in 0..length {
            if at > 0 {
                self.out += ", ";
            }
            element(self)?;
            if at < ELEMENTS_MAX {
                shown = self.out.len();
            } else {
                // Later elements are read, to find the end, but not shown.
                self.out.truncate(shown);
            }
        }
        if length > ELEMENTS_MAX {
            let _ = write!(self.out, ", … {} more", length - ELEMENTS_MAX);
        }
        self.out.push(']');
        Ok(())
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut out = String::from("0x");
    for byte in bytes.iter().take(HEX_MAX) {
        let _ = write!(out, "{byte:02x}");
    }
    if bytes.len() > HEX_MAX {
        let _ = write!(out, "… ({} bytes)", bytes.len());
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::codec;

    struct Plain;
    impl Resolver for Plain {
        fn name(&self, _id: AgentId) -> String {
            "coder-2".into()
        }
    }

    #[derive(Serialize, Deserialize)]
    enum Sample {
        Claim { task: u64, worker: AgentId, note: Option<String> },
        Numbers(i16, Vec<u8>),
        Plain,
        One(char),
        Inner(Fields),
    }

    #[derive(Serialize, Deserialize)]
    struct Fields {
        task: u8,
    }

    #[test]
    fn values_are_shown_with_names() {
        let shape = Shape::of::<Sample>();
        for (value, shown) in [
            (
                Sample::Claim { task: 7, worker: AgentId::WORLD, note: Some("a\u{1b}[2J".into()) },
                "Claim { task: 7, worker: coder-2, note: \"a\\u{1b}[2J\" }",
            ),
            (Sample::Numbers(-3, vec![1, 2]), "Numbers(-3, [1, 2])"),
            (Sample::Plain, "Plain"),
            (Sample::One('é'), "One('é')"),
            (Sample::Inner(Fields { task: 3 }), "Inner({ task: 3 })"),
        ] {
            let mut bytes = Vec::new();
            let kind = codec::encode_kind(&value, &mut bytes);
            assert_eq!(shape.render_kind(kind, &bytes, &Plain), shown);
            let mut whole = Vec::new();
            codec::encode(&value, &mut whole);
            assert_eq!(shape.render(&whole, &Plain), shown);
        }
    }

    #[test]
    fn misfits_are_shown_as_bytes() {
        let shape = Shape::of::<Sample>();
        assert_eq!(shape.render_kind(0, &[1, 2], &Plain), "Claim 0x0102");
        assert_eq!(shape.render_kind(9, &[1], &Plain), "kind 9 0x01");
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_always_shown(kind in 0_u16..5, bytes: Vec<u8>) {
            let shape = Shape::of::<Sample>();
            let shown = shape.render_kind(kind, &bytes, &Plain);
            prop_assert!(shown.chars().all(|character| !character.is_control()));
        }
    }
}
