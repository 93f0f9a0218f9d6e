//! Documents, as JSON in the database.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;

/// The document as text. Numbers that JSON has none of (infinity, not a number) become null and would not read again,
/// which is told here rather than then.
pub(crate) fn write<T: Serialize>(what: &'static str, document: &T) -> Result<String, Error> {
    serde_json::to_string(document).map_err(|error| Error::Document { what, reason: error.to_string() })
}

/// The document that a text holds.
pub(crate) fn read<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Document { what, reason: error.to_string() })
}

/// The name that an enumeration without data has in a document.
pub(crate) fn name_of(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
