//! Renders a run for people and programs, from its journal and nothing else.
//!
//! One file a format; `view` is what they share. Whatever a model or a database wrote is hostile here: it is bounded,
//! stripped of what drives terminals or reorders text, and escaped for where it stands. Nothing is printed or saved.

mod chart;
mod covered;
mod evidence;
pub mod html;
pub mod json;
pub mod markdown;
pub(crate) mod markup;
pub(crate) mod page;
mod stake;
pub(crate) mod svg;
pub mod terminal;
pub(crate) mod text;
mod view;

use serde::{Deserialize, Serialize};

pub(crate) use self::text::wrap;
pub(crate) use self::view::confidence;
use crate::agent::journal::Run;

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

/// Renders `run`; `layout` is for [`Format::Terminal`] alone.
pub fn render(run: &Run, format: Format, layout: terminal::Layout) -> Result<String, Error> {
    match format {
        Format::Terminal => Ok(terminal::render(run, layout)),
        Format::Markdown => Ok(markdown::render(run)),
        Format::Json => Ok(json::render(run)?),
        Format::Html => Ok(html::render(run)?),
    }
}
