//! Renders rows as CSV by RFC 4180, except that lines end with a line feed alone.

use ::csv::{Error, IntoInnerError, Writer};

use super::Table;

/// Renders a table. NULL and empty text are both written as an empty cell.
pub fn render(table: &Table) -> Result<String, Error> {
    if table.columns.is_empty() {
        return Ok(String::new());
    }
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(table.columns.iter().map(|column| &column.name))?;
    for row in &table.rows {
        writer.write_record(row.iter().map(|cell| cell.as_deref().unwrap_or_default()))?;
    }
    let bytes = writer.into_inner().map_err(IntoInnerError::into_error)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
