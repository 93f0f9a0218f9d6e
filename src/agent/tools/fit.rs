//! Converts arguments as models write them to a tool's schema, where their meaning is unambiguous. Examples are a
//! number in a string, a single value in place of a list, `null` for an argument to omit, and arguments nested in an
//! outer object.

use serde_json::{Map, Number, Value, json};

use crate::model::lenient;

/// Keys under which models nest the arguments.
const WRAPPERS: [&str; 7] = ["arguments", "parameters", "args", "params", "input", "kwargs", "finding"];
/// Keys that may appear next to such a key.
const BESIDE: [&str; 4] = ["name", "tool", "type", "id"];

/// Unwraps the arguments and converts them to the schema.
pub(super) fn fit(arguments: Map<String, Value>, schema: &Value) -> Value {
    let mut value = Value::Object(unwrapped(arguments, schema));
    adapt(&mut value, schema);
    value
}

/// Describes the first value that does not match the schema, or returns `None` if all match.
pub(super) fn misfit(value: &Value, schema: &Value) -> Option<String> {
    misfit_at(value, schema, "")
}

fn unwrapped(mut arguments: Map<String, Value>, schema: &Value) -> Map<String, Value> {
    let is_own = |key: &str| schema.pointer("/properties").is_some_and(|own| own.get(key).is_some());
    let Some(wrapper) = WRAPPERS.iter().find(|key| arguments.contains_key(**key) && !is_own(key)) else {
        return arguments;
    };
    if arguments.keys().any(|key| key != wrapper && !BESIDE.contains(&key.as_str())) {
        return arguments;
    }
    let inner = match arguments.get(*wrapper) {
        Some(Value::String(text)) => lenient::object(text).ok().map(|(object, _)| object),
        Some(Value::Object(object)) => Some(object.clone()),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) | None => None,
    };
    match inner {
        Some(inner) => inner,
        None => std::mem::take(&mut arguments),
    }
}

fn adapt(value: &mut Value, schema: &Value) {
    match schema.get("type").and_then(Value::as_str) {
        Some("object") => adapt_object(value, schema),
        Some("array") => adapt_list(value, schema.get("items").unwrap_or(&Value::Null)),
        Some("string") => adapt_text(value, schema),
        Some("integer") => {
            if let Some(number) = whole_number(value) {
                *value = number.into();
            }
        }
        Some("number") => {
            let parsed = value.as_str().and_then(|text| text.trim().parse::<Number>().ok());
            if let Some(number) = parsed {
                *value = number.into();
            }
        }
        Some("boolean") => match value.as_str().map(str::to_lowercase).as_deref() {
            Some("true" | "yes") => *value = true.into(),
            Some("false" | "no") => *value = false.into(),
            Some(_) | None => {}
        },
        Some(_) | None => {}
    }
}

fn adapt_object(value: &mut Value, schema: &Value) {
    if let Some(read @ Value::Object(_)) = value.as_str().and_then(|text| lenient::whole(text).ok()) {
        *value = read;
    }
    let (Some(fields), Some(own)) = (value.as_object_mut(), schema.get("properties").and_then(Value::as_object)) else {
        return;
    };
    rename(fields, own);
    let is_required = |name: &str| {
        let required = schema.get("required").and_then(Value::as_array);
        required.is_some_and(|required| required.iter().any(|own| own == name))
    };
    fields.retain(|name, value| !value.is_null() || is_required(name));
    for (name, schema) in own {
        if let Some(value) = fields.get_mut(name) {
            adapt(value, schema);
        }
    }
    // A choice that is none is left to the default: the rest of the call is worth more.
    let is_choice = |name: &String, value: &Value| {
        let choices = own.get(name).and_then(|schema| schema.get("enum")).and_then(Value::as_array);
        choices.is_none_or(|choices| choices.contains(value))
    };
    fields.retain(|name, value| is_required(name) || is_choice(name, value));
}

/// Renames fields that are spelled differently, such as `lookedAt`, `Looked At`, or `fact` for `facts`.
fn rename(fields: &mut Map<String, Value>, own: &Map<String, Value>) {
    let letters = |name: &str| name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let unknown: Vec<String> = fields.keys().filter(|name| !own.contains_key(*name)).cloned().collect();
    for name in unknown {
        let is_it = |known: &str, name: &str| known == name || known.strip_suffix('s') == Some(name);
        let meant = own.keys().find(|known| is_it(&letters(known), &letters(&name)) && !fields.contains_key(*known));
        if let Some((meant, value)) = meant.cloned().and_then(|meant| Some((meant, fields.shift_remove(&name)?))) {
            fields.insert(meant, value);
        }
    }
}

fn adapt_list(value: &mut Value, items: &Value) {
    let holds_objects = items.get("type").is_some_and(|kind| kind == "object");
    let holds_numbers = items.get("type").is_some_and(|kind| kind == "integer" || kind == "number");
    if let Value::String(text) = &*value {
        let read = lenient::whole(text).ok();
        *value = match read {
            Some(Value::Array(list)) => list.into(),
            Some(object @ Value::Object(_)) if holds_objects => json!([object]),
            _ if holds_numbers => text.trim_matches(['[', ']']).split(',').map(str::trim).map(Value::from).collect(),
            _ if text.trim().is_empty() => json!([]),
            // Ids in one text.
            _ if text.contains(',') && text.split(',').all(is_id) => {
                text.split(',').map(str::trim).map(Value::from).collect()
            }
            _ => json!([text]),
        };
    } else if value.as_object().is_some_and(Map::is_empty) {
        *value = json!([]);
    } else if value.is_object() || value.is_number() {
        *value = json!([value.take()]);
    }
    if let Value::Array(list) = value {
        for item in list {
            let is_split = item.is_object() && !holds_objects;
            if let (true, Some(parts)) = (is_split, item.as_object()) {
                // One text in several fields, such as who and what.
                let texts = parts.values().filter_map(Value::as_str).collect::<Vec<_>>();
                *item = texts.join(": ").into();
            }
            adapt(item, items);
        }
    }
}

fn adapt_text(value: &mut Value, schema: &Value) {
    if let Value::Array(items) = &*value
        && let Some(texts) = items.iter().map(Value::as_str).collect::<Option<Vec<_>>>()
        && !texts.is_empty()
    {
        *value = texts.join(", ").into();
    }
    if let Value::Number(_) | Value::Bool(_) = value {
        *value = value.to_string().into();
    }
    let Some(choices) = schema.get("enum").and_then(Value::as_array) else { return };
    let plain = |text: &str| text.trim().to_lowercase().replace([' ', '-'], "_");
    let meant = value.as_str().and_then(|text| {
        let text = plain(text);
        let is_it = |choice: &str| text == plain(choice) || text.starts_with(&format!("{}_", plain(choice)));
        choices.iter().find(|choice| choice.as_str().is_some_and(is_it))
    });
    if let Some(meant) = meant.cloned() {
        *value = meant;
    }
}

/// Returns whether a text is an id such as `f4`.
fn is_id(text: &str) -> bool {
    let text = text.trim();
    let digits = text.strip_prefix(['f', 'F', 'q', 'Q']);
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Parses a whole number, which may be written as a float or in a string.
fn whole_number(value: &Value) -> Option<i64> {
    let text = match value {
        // `Q1` and `#1` are numbers with a mark before them.
        Value::String(text) => {
            let digits = text.trim().trim_start_matches(|c: char| !c.is_ascii_digit() && c != '-');
            if text.trim().len() - digits.len() > 2 { text.trim().to_owned() } else { digits.to_owned() }
        }
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let digits = text
        .split_once('.')
        .map_or(Some(text.as_str()), |(digits, rest)| rest.chars().all(|digit| digit == '0').then_some(digits));
    digits?.parse().ok()
}

fn misfit_at(value: &Value, schema: &Value, path: &str) -> Option<String> {
    let wanted = schema.get("type").and_then(Value::as_str)?;
    let is_right = match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => true,
    };
    if !is_right {
        return Some(format!("`{path}` wants {}, not {}", article(wanted), shown(value)));
    }
    if let Some(choices) = schema.get("enum").and_then(Value::as_array)
        && !choices.contains(value)
    {
        let choices = choices.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
        return Some(format!("`{path}` is {}: use one of {choices}", shown(value)));
    }
    if let (Value::Array(items), Some(schema)) = (value, schema.get("items")) {
        return items.iter().zip(0..).find_map(|(item, at)| misfit_at(item, schema, &format!("{path}[{at}]")));
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let fields = value.as_object()?;
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    if let Some(missing) = required.into_iter().find(|name| !fields.contains_key(*name)) {
        return Some(format!("missing field `{}`", below(missing)));
    }
    let own = schema.get("properties").and_then(Value::as_object)?;
    own.iter().find_map(|(name, schema)| misfit_at(fields.get(name)?, schema, &below(name)))
}

fn article(kind: &str) -> String {
    match kind {
        "array" => "a list".to_owned(),
        "object" => "an object".to_owned(),
        "integer" => "a whole number, from 0".to_owned(),
        "string" => "a text".to_owned(),
        other => format!("a {other}"),
    }
}

fn shown(value: &Value) -> String {
    const CHARACTERS_MAX: usize = 60;
    let text = value.to_string();
    text.char_indices().nth(CHARACTERS_MAX).map_or_else(|| text.clone(), |(end, _)| format!("{}…", &text[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "names": { "type": "array", "items": { "type": "string" } },
                "rows": { "type": "array", "items": { "type": "integer" } },
                "parts": { "type": "array", "items": {
                    "type": "object", "properties": { "a": { "type": "integer" } }, "required": ["a"],
                } },
                "level": { "type": "string", "enum": ["low", "data_quality"] },
                "one": { "type": "object", "properties": { "a": { "type": "integer" } } },
            },
            "required": ["level"],
        })
    }

    fn check(written: Value, expected: &Value) {
        let Value::Object(arguments) = written else { panic!("no object: {written}") };
        let fitted = fit(arguments, &schema());
        assert_eq!(&fitted, expected);
        assert_eq!(misfit(&fitted, &schema()), None, "{fitted}");
    }

    #[test]
    fn what_is_plainly_meant_is_made_to_fit() {
        let plain = json!({ "level": "low" });
        check(json!({ "level": "LOW", "names": null, "one": null }), &plain);
        check(json!({ "arguments": { "level": "low" } }), &plain);
        check(json!({ "name": "finish", "parameters": "{\"level\": \"low\"}" }), &plain);
        check(json!({ "Level": ["low"] }), &plain);
        check(json!({ "level": "Data Quality" }), &json!({ "level": "data_quality" }));
        check(json!({ "level": "Low priority" }), &json!({ "level": "low" }));
        check(json!({ "level": "low", "names": "f18, f5" }), &json!({ "level": "low", "names": ["f18", "f5"] }));
        check(
            json!({ "level": "low", "names": [{ "who": "sales", "what": "call" }] }),
            &json!({ "level": "low", "names": ["sales: call"] }),
        );
        check(json!({ "level": "low", "rows": ["Q1"] }), &json!({ "level": "low", "rows": [1] }));
        for names in [json!("a"), json!(["a"]), json!("[\"a\"]")] {
            check(json!({ "level": "low", "names": names }), &json!({ "level": "low", "names": ["a"] }));
        }
        for rows in [json!(["1", "2.0"]), json!([1.0, 2.0]), json!("[1, 2]"), json!("1, 2")] {
            check(json!({ "level": "low", "rows": rows }), &json!({ "level": "low", "rows": [1, 2] }));
        }
        for parts in [json!({ "a": 1 }), json!("{\"a\": \"1\"}"), json!("[{\"a\": 1}]"), json!(["{\"a\": 1}"])] {
            check(json!({ "level": "low", "parts": parts }), &json!({ "level": "low", "parts": [{ "a": 1 }] }));
        }
        check(json!({ "level": "low", "one": "{\"a\": 1}" }), &json!({ "level": "low", "one": { "a": 1 } }));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let told = |written: Value| misfit(&written, &schema()).unwrap();
        assert_eq!(told(json!({})), "missing field `level`");
        assert_eq!(told(json!({ "level": null })), "`level` wants a text, not null");
        assert_eq!(told(json!({ "level": "mild" })), "`level` is \"mild\": use one of low, data_quality");
        assert_eq!(
            told(json!({ "level": "low", "rows": [1, "x"] })),
            "`rows[1]` wants a whole number, from 0, not \"x\""
        );
        assert_eq!(told(json!({ "level": "low", "parts": [{}] })), "missing field `parts[0].a`");
    }
}
