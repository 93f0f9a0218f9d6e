//! The rows of a statement, for eyes, for a spreadsheet, or for a program.

use anyhow::Context as _;
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table as Grid, TableStyle};
use serde_json::{Map, Value, json};

use crate::cli::RowsFormat;
use crate::error::Failure;
use crate::output::{Output, printable};
use crate::table::Table;

const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// PostgreSQL's names of the types whose values are numbers.
const NUMBERS: &[&str] = &["int2", "int4", "int8", "numeric", "float4", "float8", "money", "oid"];

pub(super) fn written(table: &Table, format: RowsFormat, output: &Output) -> Result<String, Failure> {
    match format {
        RowsFormat::Terminal => Ok(grid(table, output.columns())),
        RowsFormat::Csv => csv(table),
        RowsFormat::Json => Ok(format!("{:#}\n", object(table))),
    }
}

/// Columns side by side within the terminal's width, numbers to the right.
fn grid(table: &Table, width: usize) -> String {
    let mut grid = Grid::new();
    grid.load_style(STYLE).set_content_arrangement(ContentArrangement::Dynamic);
    grid.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    grid.set_header(table.columns.iter().map(|column| Cell::new(printable(&column.name))));
    for row in &table.rows {
        grid.add_row(row.iter().zip(&table.columns).map(|(cell, column)| {
            let number = NUMBERS.contains(&column.type_name.as_str());
            let alignment = if number { CellAlignment::Right } else { CellAlignment::Left };
            let text = cell.as_deref().map_or("NULL".into(), printable);
            Cell::new(text).set_alignment(alignment)
        }));
    }
    grid.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// A header and the rows; NULL is an empty field.
fn csv(table: &Table) -> Result<String, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = || {
        writer.write_record(table.columns.iter().map(|column| &column.name))?;
        table.rows.iter().try_for_each(|row| writer.write_record(row.iter().map(|cell| cell.as_deref().unwrap_or(""))))
    };
    write().context("cannot write the rows as CSV")?;
    let bytes = writer.into_inner().context("cannot write the rows as CSV")?;
    Ok(String::from_utf8(bytes).context("cannot write the rows as CSV")?)
}

/// Columns with their types, and rows as arrays, because two columns may have one name. Values are PostgreSQL's text.
fn object(table: &Table) -> Value {
    let column = |column: &crate::table::Column| {
        Map::from_iter([
            ("name".to_owned(), column.name.clone().into()),
            ("type".to_owned(), column.type_name.clone().into()),
        ])
    };
    let columns = table.columns.iter().map(column).collect::<Vec<_>>();
    json!({ "columns": columns, "rows": table.rows, "more_rows": table.more_rows })
}
