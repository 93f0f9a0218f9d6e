//! A document of Ossie, version 0.2.0.dev0, as far as it is read and written. Other keys are passed over.

use serde::{Deserialize, Serialize};

/// The version that is written.
pub(super) const VERSION: &str = "0.2.0.dev0";
/// The dialect that is read and written.
pub(super) const DIALECT: &str = "ANSI_SQL";
/// The name under which what only explore knows stands in a document.
pub(super) const VENDOR: &str = "EXPLORE";

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) version: Option<String>,
    #[serde(default)]
    pub(super) semantic_model: Vec<Model>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Model {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ai_context: Option<Context>,
    #[serde(default)]
    pub(super) datasets: Vec<Dataset>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) relationships: Vec<Relationship>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) metrics: Vec<Metric>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) custom_extensions: Vec<Extension>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Dataset {
    pub(super) name: String,
    pub(super) source: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) primary_key: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) unique_keys: Vec<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ai_context: Option<Context>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) fields: Vec<Field>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) custom_extensions: Vec<Extension>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) expression: Expression,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dimension: Option<Dimension>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) datatype: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ai_context: Option<Context>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) custom_extensions: Vec<Extension>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Dimension {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) is_time: Option<bool>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Relationship {
    pub(super) name: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) from_columns: Vec<String>,
    pub(super) to_columns: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ai_context: Option<Context>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) custom_extensions: Vec<Extension>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) expression: Expression,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ai_context: Option<Context>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) custom_extensions: Vec<Extension>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Expression {
    #[serde(default)]
    pub(super) dialects: Vec<Dialect>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Dialect {
    pub(super) dialect: String,
    pub(super) expression: String,
}

/// What is said for models: a text, or lists.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Context {
    Text(String),
    Lists {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instructions: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        synonyms: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        examples: Vec<String>,
    },
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Extension {
    pub(super) vendor_name: String,
    pub(super) data: String,
}

impl Expression {
    /// Returns an expression in the dialect that is written.
    pub(super) fn of(sql: String) -> Self {
        Self { dialects: vec![Dialect { dialect: DIALECT.to_owned(), expression: sql }] }
    }

    /// Returns the expression in the dialect that is read.
    pub(super) fn sql(&self) -> Option<&str> {
        self.dialects.iter().find(|known| known.dialect == DIALECT).map(|known| known.expression.as_str())
    }

    /// Returns the dialects that are not read.
    pub(super) fn others(&self) -> Vec<&str> {
        self.dialects.iter().map(|known| known.dialect.as_str()).filter(|known| *known != DIALECT).collect()
    }
}

impl Context {
    pub(super) fn synonyms(&self) -> &[String] {
        match self {
            Self::Text(_) => &[],
            Self::Lists { synonyms, .. } => synonyms,
        }
    }

    /// Returns what of it is more than synonyms, by name.
    pub(super) fn others(&self) -> Vec<&'static str> {
        match self {
            Self::Text(_) => vec!["a text"],
            Self::Lists { instructions, examples, .. } => {
                let instructions = instructions.as_ref().map(|_| "instructions");
                instructions.into_iter().chain((!examples.is_empty()).then_some("examples")).collect()
            }
        }
    }
}
