//! The formats of a report, and the errors of rendering one.

use serde::{Deserialize, Serialize};

/// The format in which a report is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Text for a terminal.
    #[default]
    Terminal,
    /// GitHub Flavored Markdown.
    Markdown,
    /// A JSON document that follows the published schema.
    Json,
    /// A single HTML file.
    Html,
}

/// An error from rendering a report, which is a fault of the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot render the HTML report: {0}")]
    Html(#[from] minijinja::Error),
    #[error("cannot write the JSON report: {0}")]
    Json(#[from] serde_json::Error),
}
