//! Renders the rows of a result, one file per format. Only [`Format::Terminal`] strips control characters; the other
//! formats contain the cells as they are in the database.

mod terminal;

use serde::Deserialize;

use crate::warehouse::table::{Table, csv, json};

/// An output format for rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Aligned columns for people.
    #[default]
    Terminal,
    /// Comma-separated values. NULL and empty text are both written as an empty cell.
    Csv,
    /// One object with the columns and their types, the rows, and whether there are more rows.
    Json,
}

/// The width and the colours of [`Format::Terminal`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layout {
    /// The width of the terminal in columns; `None` for lines of any length.
    pub width: Option<usize>,
    pub colours: bool,
}

/// An error while rows are written. Each is a bug in the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot write the rows as CSV: {0}")]
    Csv(#[from] ::csv::Error),
    #[error("cannot write the rows as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Renders `table`. `layout` applies to [`Format::Terminal`] only.
pub fn render(table: &Table, format: Format, layout: Layout) -> Result<String, Error> {
    match format {
        Format::Terminal => Ok(terminal::render(table, layout)),
        Format::Csv => Ok(csv::render(table)?),
        Format::Json => Ok(json::render(table)?),
    }
}
