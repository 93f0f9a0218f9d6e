//! The text of a monitor's TOML: its values, their positions, and a check against the JSON Schema.
//!
//! All problems are found in one pass, by the same schema that editors use.

use std::cell::RefCell;
use std::ops::Range;
use std::path::Path;

use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{self, Document};
use super::problem::Problem;
use crate::typeset::spelling::did_you_mean;

/// A parsed TOML text that collects problems.
pub(super) struct Source<'a> {
    path: &'a Path,
    text: &'a str,
    root: Spanned<DeTable<'a>>,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Source<'a> {
    /// Parses the text. Invalid TOML is reported as a single problem.
    pub(super) fn parse(path: &'a Path, text: &'a str) -> Result<Self, Problem> {
        let root = DeTable::parse(text).map_err(|error| {
            let line = error.span().map(|span| line(text, span.start));
            let message = format!("not TOML: {}", error.message().replace('\n', ", "));
            Problem { path: path.to_owned(), line, message }
        })?;
        Ok(Self { path, text, root, problems: RefCell::default() })
    }

    /// Returns the document if it matches the schema. Otherwise, notes the problems and returns `None`.
    pub(super) fn document(&self) -> Option<Document> {
        let schema = document::schema();
        let shapes = Shapes { source: self, root: &schema };
        shapes.table("", self.root.get_ref(), &self.root.span(), &schema);
        if !self.problems.borrow().is_empty() {
            return None;
        }
        match serde_json::from_value(table_value(self.root.get_ref())) {
            Ok(document) => Some(document),
            Err(error) => {
                self.note(&self.root.span(), error.to_string());
                None
            }
        }
    }

    /// Notes a problem at a path of keys and indexes, or at the nearest enclosing value that exists.
    pub(super) fn problem(&self, path: &[&str], message: impl Into<String>) {
        self.note(&self.span(path), message);
    }

    /// Returns all noted problems in the order of the text, without duplicates.
    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort();
        problems.dedup();
        problems
    }

    /// Returns the byte position of the key at a path, or 0 if it does not exist.
    pub(super) fn position(&self, path: &[&str]) -> usize {
        self.span(path).start
    }

    fn span(&self, path: &[&str]) -> Range<usize> {
        let [first, rest @ ..] = path else { return 0..0 };
        let Some((key, mut value)) = self.root.get_ref().iter().find(|(key, _)| key.get_ref() == first) else {
            return 0..0;
        };
        let mut span = key.span();
        for part in rest {
            match value.get_ref() {
                DeValue::Table(table) => match table.iter().find(|(key, _)| key.get_ref() == part) {
                    Some((key, inner)) => (span, value) = (key.span(), inner),
                    None => break,
                },
                DeValue::Array(items) => match part.parse::<usize>().ok().and_then(|index| items.get(index)) {
                    Some(item) => (span, value) = (item.span(), item),
                    None => break,
                },
                _ => break,
            }
        }
        span
    }

    fn note(&self, span: &Range<usize>, message: impl Into<String>) {
        let line = Some(line(self.text, span.start));
        self.problems.borrow_mut().push(Problem { path: self.path.to_owned(), line, message: message.into() });
    }
}

/// Returns the line, from 1, that contains the byte at `position`.
pub(super) fn line(text: &str, position: usize) -> usize {
    text.as_bytes().iter().take(position).filter(|byte| **byte == b'\n').count() + 1
}

/// A walk over the values alongside their schema.
struct Shapes<'a> {
    source: &'a Source<'a>,
    root: &'a Value,
}

impl<'a> Shapes<'a> {
    /// Follows a reference to a schema. If a schema also allows null, returns its other choice.
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let not_null = |choices: &'a Value| choices.as_array()?.iter().find(|choice| choice["type"] != "null");
        if let Some(reference) = schema["$ref"].as_str() {
            return self.root.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
        }
        schema.get("anyOf").and_then(not_null).map_or(schema, |choice| self.resolved(choice))
    }

    fn table(&self, name: &str, table: &DeTable<'_>, span: &Range<usize>, schema: &'a Value) {
        let properties = schema["properties"].as_object();
        for (key, value) in table {
            let inner = if name.is_empty() { key.get_ref().to_string() } else { format!("{name}.{}", key.get_ref()) };
            let known = properties.and_then(|properties| properties.get(key.get_ref().as_ref()));
            match known.or_else(|| schema.get("additionalProperties").filter(|rest| rest.is_object())) {
                Some(schema) => self.value(&inner, value, schema),
                None => self.source.note(&key.span(), unknown(key.get_ref(), properties)),
            }
        }
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !table.iter().any(|(key, _)| key.get_ref() == required) {
                let place = if name.is_empty() { String::new() } else { format!("{name}: ") };
                self.source.note(span, format!("{place}`{required}` is missing"));
            }
        }
    }

    fn value(&self, name: &str, value: &Spanned<DeValue<'_>>, schema: &'a Value) {
        let schema = self.resolved(schema);
        match (value.get_ref(), expected_type(schema)) {
            (DeValue::Table(table), "object") => self.table(name, table, &value.span(), schema),
            (DeValue::Array(items), "array") => {
                for (index, item) in items.iter().enumerate() {
                    self.value(&format!("{name}[{index}]"), item, &schema["items"]);
                }
            }
            (DeValue::String(text), "enum") if names(schema).contains(&text.as_ref()) => {}
            (DeValue::String(_), "string") | (DeValue::Boolean(_), "boolean") => {}
            (DeValue::Datetime(_), "string") if schema["format"] == "date" => {}
            (DeValue::Integer(_), "integer") | (DeValue::Integer(_) | DeValue::Float(_), "number")
                if is_in_range(value.get_ref(), schema) => {}
            (found, _) => {
                let message = format!("`{name}`: expected {}, found {}", expected(schema), shown(found));
                self.source.note(&value.span(), message);
            }
        }
    }
}

fn expected_type(schema: &Value) -> &str {
    let types = schema["type"].as_array().into_iter().flatten().filter_map(Value::as_str);
    match schema["type"].as_str().or_else(|| types.into_iter().find(|name| *name != "null")) {
        Some("string") if schema["enum"].is_array() => "enum",
        Some(name) => name,
        None => "enum",
    }
}

/// Returns the names of an enumeration.
fn names(schema: &Value) -> Vec<&str> {
    let listed = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let described = schema["oneOf"].as_array().into_iter().flatten();
    let described = described.flat_map(|choice| {
        let listed = choice["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
        choice["const"].as_str().into_iter().chain(listed)
    });
    listed.chain(described).collect()
}

fn is_in_range(value: &DeValue<'_>, schema: &Value) -> bool {
    let number = number(value).and_then(|number| number.as_f64());
    number.is_some_and(|number| {
        schema["minimum"].as_f64().is_none_or(|minimum| number >= minimum)
            && schema["maximum"].as_f64().is_none_or(|maximum| number <= maximum)
    })
}

fn expected(schema: &Value) -> String {
    let kind = match expected_type(schema) {
        "enum" => return format!("one of {}", names(schema).join(", ")),
        "string" if schema["format"] == "date" => "a date, such as 2026-11-27",
        "string" => "text in quotes",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "array" => "a list",
        _ => "a table",
    };
    match (schema["minimum"].as_f64(), schema["maximum"].as_f64()) {
        (Some(minimum), Some(maximum)) => format!("{kind} from {minimum} to {maximum}"),
        (Some(minimum), None) => format!("{kind} from {minimum}"),
        (None, Some(maximum)) => format!("{kind} up to {maximum}"),
        (None, None) => kind.to_owned(),
    }
}

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("`{text}`"),
        DeValue::Integer(_) | DeValue::Float(_) => {
            number(value).map_or_else(|| "a number out of range".to_owned(), |number| number.to_string())
        }
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(date) => date.to_string(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

fn unknown(name: &str, properties: Option<&Map<String, Value>>) -> String {
    let known = properties.into_iter().flat_map(Map::keys).cloned().collect::<Vec<_>>();
    let advice = did_you_mean(name, &known, || format!("the keys here are {}", known.join(", ")));
    format!("unknown key `{name}`; {advice}")
}

fn number(value: &DeValue<'_>) -> Option<serde_json::Number> {
    match value {
        DeValue::Integer(integer) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(serde_json::Number::from)
        }
        DeValue::Float(float) => float.as_str().parse().ok().and_then(serde_json::Number::from_f64),
        _ => None,
    }
}

fn table_value(table: &DeTable<'_>) -> Value {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), json(value.get_ref()))).collect()
}

/// Converts a value to JSON, with a date as a string.
fn json(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(_) | DeValue::Float(_) => number(value).map_or(Value::Null, Value::Number),
        DeValue::Boolean(value) => (*value).into(),
        DeValue::Datetime(date) => date.to_string().into(),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => table_value(table),
    }
}
