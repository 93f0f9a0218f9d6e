//! Documents that are stored in the database as JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;

/// Serializes a document. JSON has no infinity and no NaN: they become null, which does not read back as a number.
pub(crate) fn write<T: Serialize>(what: &'static str, document: &T) -> Result<String, Error> {
    serde_json::to_string(document).map_err(|error| Error::Document { what, reason: error.to_string() })
}

/// Parses a document.
pub(crate) fn read<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Document { what, reason: error.to_string() })
}

/// Returns the name of an enum's variant in documents, or an empty string for a variant with data.
pub(crate) fn name_of(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
