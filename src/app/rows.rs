//! A result's rows as text to print, one file a format. Cells are data of the database: fit for a terminal only in
//! [`Format::Terminal`], as they are in the others.

mod csv;
mod json;
mod terminal;

use serde::Deserialize;

use crate::warehouse::table::Table;

/// A format that rows can be printed in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Aligned, for eyes.
    #[default]
    Terminal,
    /// Comma-separated values; NULL is empty, as empty text is.
    Csv,
    /// One object: columns with their types, rows, and whether there are more.
    Json,
}

/// For whose eyes [`Format::Terminal`] is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layout {
    /// Columns of the terminal; `None` where lines may be of any length.
    pub width: Option<usize>,
    /// Whether to colour.
    pub colours: bool,
}

/// Rows that could not be written: a fault of the program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// As CSV.
    #[error("cannot write the rows as CSV: {0}")]
    Csv(#[from] ::csv::Error),
    /// As JSON.
    #[error("cannot write the rows as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Renders `table`; `layout` is for [`Format::Terminal`] alone.
pub fn render(table: &Table, format: Format, layout: Layout) -> Result<String, Error> {
    match format {
        Format::Terminal => Ok(terminal::render(table, layout)),
        Format::Csv => Ok(csv::render(table)?),
        Format::Json => Ok(json::render(table)?),
    }
}
