//! The schema accepts and rejects the same files as the validator. A plain evaluator of JSON Schema,
//! which shares nothing with the validator but the readers of scalars, judges thousands of altered
//! examples beside it.

use serde_json::Value as Json;

use super::schema;
use crate::deserialize;
use crate::grammar::Grammar;
use crate::repair::repair;
use crate::scalar::format;
use crate::source::Place;
use crate::tree::{self, Entry, Node, Value};
use crate::validate::validate;
use crate::vocabulary::Document;

const EXAMPLES: [&str; 3] = [
    include_str!("../../tests/examples/content-pipeline.toml"),
    include_str!("../../tests/examples/coding-fleet.toml"),
    include_str!("../../tests/examples/everything.toml"),
];

#[test]
fn is_the_same_every_time() {
    assert_eq!(schema().to_string(), schema().to_string());
    assert_eq!(schema()["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn has_no_null_and_describes_every_field() {
    fn walk(schema: &Json, path: &str) {
        if let Some(fields) = schema.get("properties").and_then(Json::as_object) {
            for (name, field) in fields {
                // A shape is described as a whole, around the one field that is its name.
                let around = fields.len() == 1 && schema.get("description").is_some();
                let described = around || field.get("description").is_some();
                assert!(described, "{path}.{name} has no description");
            }
        }
        match schema {
            Json::Object(fields) => {
                for (name, value) in fields {
                    assert_ne!(value, "null", "{path}");
                    walk(value, &format!("{path}.{name}"));
                }
            }
            Json::Array(items) => {
                for item in items {
                    assert_ne!(item, "null", "{path}");
                    walk(item, path);
                }
            }
            _ => {}
        }
    }
    walk(&schema(), "");
}

#[test]
fn accepts_what_the_validator_accepts() {
    let root = schema();
    let grammar = Grammar::new(schema());
    let (mut accepted, mut rejected) = (0, 0);
    for text in EXAMPLES {
        let (tree, found) = tree::parse(text, 0);
        assert!(found.is_empty(), "{found:?}");
        for (what, altered) in alterations(&tree) {
            let json: Json = deserialize::read(&altered).expect("JSON takes every tree");
            let by_schema = fits(&root, &root, &json);
            let by_validator = validate(&altered, &grammar);
            assert_eq!(by_schema, by_validator.is_empty(), "{what}: {by_validator:?}");
            if by_schema {
                accepted += 1;
            } else {
                rejected += 1;
            }
            let repaired = repair(&altered, &grammar).tree;
            let read = deserialize::read::<Document>(&repaired);
            assert!(read.is_ok(), "{what}: not repaired: {:?}", read.err());
        }
    }
    assert!(accepted > 100 && rejected > 1_000, "{accepted} accepted, {rejected} rejected");
}

/// The tree with each of its values removed, renamed, doubled under another name, or replaced.
fn alterations(tree: &Node) -> Vec<(String, Node)> {
    let mut all = vec![("as it is".to_owned(), tree.clone())];
    let table = |entries| node(Value::Table(entries));
    for replacement in [
        node(Value::Integer(3)),
        node(Value::Integer(-3)),
        node(Value::Text("x-".to_owned())),
        node(Value::Boolean(true)),
        node(Value::Array(Vec::new())),
        node(Value::Float("0.5".to_owned())),
        table(Vec::new()),
        table(vec![entry("uniform", table(Vec::new()))]),
    ] {
        alter(tree, &mut Vec::new(), &mut all, &|node, what| {
            *what = format!("replaced by {:?}", replacement.value);
            *node = replacement.clone();
        });
    }
    alter(tree, &mut Vec::new(), &mut all, &|node, what| {
        if let Value::Table(entries) = &mut node.value {
            *what = "one more field".to_owned();
            entries
                .push(entry("one-more", Node { place: PLACE, value: Value::Integer(1), has_header: false }));
        }
    });
    for nature in ["process", "poisson", "jump", "finding", "loss"] {
        alter(tree, &mut Vec::new(), &mut all, &|node, what| {
            if let Value::Table(entries) = &mut node.value
                && entries.iter().all(|entry| entry.name != nature)
            {
                *what = format!("also {nature}");
                entries.push(entry(
                    nature,
                    Node { place: PLACE, value: Value::Text("5s".to_owned()), has_header: false },
                ));
            }
        });
    }
    for position in 0..4 {
        alter(tree, &mut Vec::new(), &mut all, &|node, what| {
            if let Value::Table(entries) = &mut node.value
                && position < entries.len()
            {
                let removed = entries.remove(position);
                *what = format!("without {}", removed.name);
            }
        });
    }
    all
}

/// For every value below `node`: the tree in which `change` was done to it.
fn alter(
    tree: &Node,
    way: &mut Vec<usize>,
    all: &mut Vec<(String, Node)>,
    change: &dyn Fn(&mut Node, &mut String),
) {
    let mut altered = tree.clone();
    let mut what = "as it is".to_owned();
    let target = at(&mut altered, way);
    let below = match &target.value {
        Value::Table(entries) => entries.len(),
        Value::Array(items) => items.len(),
        _ => 0,
    };
    change(target, &mut what);
    all.push((format!("{way:?} {what}"), altered));
    for position in 0..below {
        way.push(position);
        alter(tree, way, all, change);
        way.pop();
    }
}

fn at<'n>(node: &'n mut Node, way: &[usize]) -> &'n mut Node {
    let Some((first, rest)) = way.split_first() else { return node };
    match &mut node.value {
        Value::Table(entries) => at(&mut entries[*first].node, rest),
        Value::Array(items) => at(&mut items[*first], rest),
        _ => unreachable!("the way was found in this tree"),
    }
}

const PLACE: Place = Place { source: 0, start: 0, end: 0 };

fn node(value: Value) -> Node {
    Node { place: PLACE, value, has_header: false }
}

fn entry(name: &str, node: Node) -> Entry {
    Entry { name: name.to_owned(), place: PLACE, node }
}

/// Whether `value` fits `schema`, by the words of JSON Schema that the generator uses.
fn fits(schema: &Json, root: &Json, value: &Json) -> bool {
    let Some(schema) = schema.as_object() else { return schema == &Json::Bool(true) };
    schema.iter().all(|(keyword, rule)| match keyword.as_str() {
        "$ref" => {
            let pointer = rule.as_str().expect("a reference is a text").trim_start_matches('#');
            fits(root.pointer(pointer).expect("what is referred to is there"), root, value)
        }
        "type" => match rule {
            Json::Array(names) => names.iter().any(|name| is_of_type(value, name)),
            name => is_of_type(value, name),
        },
        "enum" => rule.as_array().expect("a list").contains(value),
        "const" => rule == value,
        "anyOf" => rule.as_array().expect("a list").iter().any(|one| fits(one, root, value)),
        "oneOf" => rule.as_array().expect("a list").iter().filter(|one| fits(one, root, value)).count() == 1,
        "required" => value.as_object().is_none_or(|fields| {
            rule.as_array()
                .expect("a list")
                .iter()
                .all(|name| fields.contains_key(name.as_str().expect("a name")))
        }),
        "properties" => value.as_object().is_none_or(|fields| {
            fields.iter().all(|(name, value)| rule.get(name).is_none_or(|one| fits(one, root, value)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|fields| {
            let known = |name: &str| schema.get("properties").is_some_and(|all| all.get(name).is_some());
            fields.iter().all(|(name, value)| known(name) || fits(rule, root, value))
        }),
        "prefixItems" => value.as_array().is_none_or(|items| {
            items.iter().zip(rule.as_array().expect("a list")).all(|(item, one)| fits(one, root, item))
        }),
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| fits(rule, root, item))),
        "minItems" => {
            value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().expect("a bound"))
        }
        "maxItems" => {
            value.as_array().is_none_or(|items| items.len() as u64 <= rule.as_u64().expect("a bound"))
        }
        "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().expect("a bound")),
        "format" => match (value.as_str(), format(rule.as_str().expect("a name"))) {
            (Some(text), Some(format)) => (format.check)(text).is_ok(),
            _ => true,
        },
        // Patterns say of a text what its format says more exactly.
        "pattern" | "description" | "title" | "examples" | "default" | "$schema" | "$defs" => true,
        other => panic!("the generator uses `{other}`, which neither side of this test knows"),
    })
}

fn is_of_type(value: &Json, name: &Json) -> bool {
    match name.as_str().expect("a name") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the generator uses the type `{other}`"),
    }
}
