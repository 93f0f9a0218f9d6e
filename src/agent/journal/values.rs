//! Values in the place of the tokens that stand for them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Event, Line};
use crate::warehouse::privacy;

/// The values that tokens of a run stand for.
#[derive(Debug, Default)]
pub(super) struct Values(BTreeMap<String, String>);

impl Values {
    pub(super) fn learn(&mut self, more: &BTreeMap<String, String>) {
        self.0.extend(more.iter().map(|(token, value)| (token.clone(), value.clone())));
    }

    /// Returns the line with values in the place of tokens.
    pub(super) fn put_back(&self, line: Line) -> Line {
        if self.0.is_empty() || matches!(line.event, Event::Masked { .. } | Event::Sent(_)) {
            return line;
        }
        let event = self.in_document(&line.event);
        Line { event, ..line }
    }

    /// Returns a document with values in the place of tokens.
    pub(super) fn in_document<T: Serialize + DeserializeOwned + Clone>(&self, document: &T) -> T {
        let Ok(mut written) = serde_json::to_value(document) else { return document.clone() };
        if !self.replace(&mut written) {
            return document.clone();
        }
        serde_json::from_value(written).unwrap_or_else(|error| {
            tracing::warn!(%error, "a document of the journal keeps its tokens");
            document.clone()
        })
    }

    /// Replaces the tokens in all texts. Returns whether there are any.
    fn replace(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => {
                let replaced = privacy::with_values(text, |token| self.0.get(token).cloned());
                replaced.map(|replaced| *text = replaced).is_some()
            }
            Value::Array(items) => items.iter_mut().fold(false, |any, item| self.replace(item) | any),
            Value::Object(fields) => fields.values_mut().fold(false, |any, field| self.replace(field) | any),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
}
