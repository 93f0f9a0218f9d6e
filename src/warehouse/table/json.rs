//! Renders rows as one JSON object. Numbers keep all digits that PostgreSQL returns, as in its own `to_json`.

use serde::Serialize;
use serde_json::Error;
use serde_json::value::RawValue;

use super::{Column, Table};

#[derive(Debug, Serialize)]
struct Document<'a> {
    columns: &'a [Column],
    /// Arrays instead of objects, because two columns may have the same name.
    rows: Vec<Vec<Cell<'a>>>,
    more_rows: bool,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Cell<'a> {
    Value(Box<RawValue>),
    Text(&'a str),
    Null,
}

/// Renders a table with its columns and their types, and whether there are more rows.
pub fn render(table: &Table) -> Result<String, Error> {
    let rows = table.rows.iter().map(|row| cells(&table.columns, row)).collect();
    let document = Document { columns: &table.columns, rows, more_rows: table.more_rows };
    Ok(serde_json::to_string(&document)? + "\n")
}

fn cells<'a>(columns: &[Column], row: &'a [Option<String>]) -> Vec<Cell<'a>> {
    let cells = columns.iter().zip(row);
    cells.map(|(column, text)| text.as_deref().map_or(Cell::Null, |text| cell(column, text))).collect()
}

/// Returns a number or boolean as a JSON value, anything else as text. `NaN` and `Infinity` are text, because JSON has
/// no number for them.
fn cell<'a>(column: &Column, text: &'a str) -> Cell<'a> {
    let is_own = matches!(
        column.type_name.as_str(),
        "int2" | "int4" | "int8" | "oid" | "numeric" | "float4" | "float8" | "bool"
    );
    let value = if is_own { RawValue::from_string(text.to_owned()).ok() } else { None };
    value.map_or(Cell::Text(text), Cell::Value)
}
