//! Generates the JSON Schema of a tool's arguments in a form that every server and small model understands: without
//! references, without alternatives that an enumeration can express, and without nullable types.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Returns the schema of `T`'s fields.
pub(super) fn parameters<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = SchemaGenerator::new(settings).into_root_schema_for::<T>().to_value();
    if let Value::Object(root) = &mut schema {
        root.remove("title");
        root.remove("description");
    }
    simplify(&mut schema);
    schema
}

fn simplify(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(simplify),
        Value::Object(object) => {
            object.values_mut().for_each(simplify);
            if let Some(Value::Array(types)) = object.get("type")
                && let Some(first) = types.iter().find(|name| *name != "null").cloned()
            {
                object.insert("type".to_owned(), first);
            }
            if object.get("default").is_some_and(Value::is_null) {
                object.remove("default");
            }
            if object.get("type").is_some_and(|name| name == "integer" || name == "number") {
                object.remove("format");
            }
            enumerate(object);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Turns alternatives that are all constants into an enumeration, and adds their meanings to the description.
fn enumerate(object: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = object.get("oneOf") else { return };
    let constants = choices.iter().map(|choice| choice.get("const").cloned()).collect::<Option<Vec<_>>>();
    let Some(constants) = constants else { return };
    let meaning = |choice: &Value| Some(format!("{}: {}", choice["const"].as_str()?, choice["description"].as_str()?));
    let meanings = choices.iter().filter_map(meaning).collect::<Vec<_>>().join(" ");
    let description = match object.get("description").and_then(Value::as_str) {
        Some(description) => format!("{description} {meanings}"),
        None => meanings,
    };
    object.remove("oneOf");
    object.insert("type".to_owned(), json!("string"));
    object.insert("enum".to_owned(), Value::Array(constants));
    object.insert("description".to_owned(), json!(description));
}
