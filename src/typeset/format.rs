//! The formats of a report, and why one could not be rendered.

use serde::{Deserialize, Serialize};

/// What a report is written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Text for a terminal.
    #[default]
    Terminal,
    /// GitHub flavoured Markdown.
    Markdown,
    /// JSON, of [`json::schema`].
    Json,
    /// One HTML file.
    Html,
}

/// A report that could not be rendered: a fault of the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The template failed.
    #[error("cannot render the HTML report: {0}")]
    Html(#[from] minijinja::Error),
    /// The document could not be written.
    #[error("cannot write the JSON report: {0}")]
    Json(#[from] serde_json::Error),
}
