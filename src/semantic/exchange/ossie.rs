//! Reads and writes semantic models in the format of Apache Ossie.
//!
//! What Ossie has no place for stands in `custom_extensions` of the vendor EXPLORE as JSON, so that a document that was
//! written here is read back without a loss.

use std::path::Path;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use self::document::Document;
use super::{Error, Imported, read_text};
use crate::semantic::metadata::{ByName, ConditionMetadata, CurrencyMetadata, DurationMetadata, MeasureMetadata};
use crate::warehouse::catalog::{Additive, Arrival, Good, ZoneName};

mod document;
mod read;
mod write;

pub use self::write::{Exported, Format, export};

/// The largest document that is read, in bytes.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What is looked at first, to say what a document is instead.
#[derive(Deserialize)]
struct Heading {
    ontology: Option<IgnoredAny>,
    semantic_model: Option<IgnoredAny>,
}

/// What explore knows of a table that Ossie has no place for.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct TableExtension {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    noun: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arrival: Option<Arrival>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_zone: Option<ZoneName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<CurrencyMetadata>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// Those that are no expression of Ossie.
    #[serde(default, skip_serializing_if = "ByName::is_empty")]
    measures: ByName<MeasureMetadata>,
    #[serde(default, skip_serializing_if = "ByName::is_empty")]
    conditions: ByName<ConditionMetadata>,
    #[serde(default, skip_serializing_if = "ByName::is_empty")]
    durations: ByName<DurationMetadata>,
}

/// What explore knows of a measure beside its expression.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct MeasureExtension {
    /// The table, if the expression names no column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dataset: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The aggregate, if the expression has the filter inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sql: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filter: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    additive: Option<Additive>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    good: Option<Good>,
}

/// Reads a document in YAML or JSON.
pub fn import(path: &Path) -> Result<Imported, Error> {
    let text = read_text(path, BYTES_MAX)?;
    let document = parse(&text).map_err(|problem| Error(format!("{}: {problem}", path.display())))?;
    Ok(read::imported(document))
}

fn parse(text: &str) -> Result<Document, String> {
    let heading = of_text::<Heading>(text)?;
    if heading.semantic_model.is_some() {
        return of_text(text);
    }
    Err(match heading.ontology {
        Some(_) => "is an ontology, which describes concepts and not tables; explore reads Ossie documents with a \
                    `semantic_model`"
            .to_owned(),
        None => "is no document of Ossie: it has no `semantic_model`".to_owned(),
    })
}

fn of_text<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    if text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        return serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| error.to_string());
    }
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string().trim().replace('\n', " "))
}
