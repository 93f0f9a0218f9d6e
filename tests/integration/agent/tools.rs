//! What a model is told of its tools.

use explore::agent::tools;
use serde_json::Value;

/// Every key in a schema, at any depth.
fn keys(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        Value::Object(object) => {
            found.extend(object.keys().cloned());
            object.values().for_each(|value| keys(value, found));
        }
        _ => {}
    }
}

#[test]
fn schemas_are_plain_enough_for_any_server() {
    for spec in tools::specs(false, true) {
        assert_eq!(spec.parameters["type"], "object", "{}", spec.name);
        let mut found = Vec::new();
        keys(&spec.parameters, &mut found);
        for refused in ["$ref", "$defs", "$schema", "oneOf", "anyOf", "allOf", "const", "format"] {
            assert!(!found.iter().any(|key| key == refused), "{} has {refused}", spec.name);
        }
    }
}

#[test]
fn at_a_limit_only_recording_is_left() {
    let names = tools::specs(true, true).into_iter().map(|spec| spec.name).collect::<Vec<_>>();
    assert_eq!(names, ["state", "assume", "record_finding", "finish"]);
}

#[test]
fn the_tools_are_described_as_they_were() {
    insta::assert_json_snapshot!(tools::specs(false, true));
}
