//! The JSON Schema of scenario files, generated from the vocabulary's own types. The validator walks the
//! same schema, so what editors accept and what the program accepts cannot drift apart.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::vocabulary::Document;

#[cfg(test)]
mod tests;

/// The JSON Schema (draft 2020-12) of scenario files. The same text every time.
///
/// What only makes sense between fields, such as a seam's role that has to exist, is beyond a schema and
/// checked by [`Scenario::parse`](crate::Scenario::parse).
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let mut schema = generator.into_root_schema_for::<Document>().to_value();
    without_null(&mut schema);
    schema
}

/// TOML has no null: an optional field is left out. Takes null out of every type in the schema.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Object(fields) => {
            fields.values_mut().for_each(without_null);
            drop_null_alternative(fields);
            drop_null_type(fields);
        }
        _ => {}
    }
}

fn drop_null_alternative(fields: &mut Map<String, Value>) {
    let Some(Value::Array(alternatives)) = fields.get_mut("anyOf") else { return };
    let count = alternatives.len();
    alternatives.retain(|alternative| alternative != &serde_json::json!({ "type": "null" }));
    if alternatives.len() == count || alternatives.len() > 1 {
        return;
    }
    if let Some(Value::Object(only)) = alternatives.pop() {
        fields.remove("anyOf");
        for (name, value) in only {
            fields.entry(name).or_insert(value);
        }
    }
}

fn drop_null_type(fields: &mut Map<String, Value>) {
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            fields.insert("type".to_owned(), only);
        }
    }
}
