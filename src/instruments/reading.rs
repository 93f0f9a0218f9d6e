//! Numbers of results, by the names of their columns.

use crate::warehouse::table::Table;

/// Returns the cell of a row.
pub(super) fn cell<'t>(table: &'t Table, row: usize, column: &str) -> Option<&'t str> {
    table.cell(row, table.column(column)?)
}

pub(super) fn count(table: &Table, row: usize, column: &str) -> Option<u64> {
    cell(table, row, column)?.parse().ok()
}

pub(super) fn number(table: &Table, row: usize, column: &str) -> Option<f64> {
    cell(table, row, column)?.parse().ok().filter(|number: &f64| number.is_finite())
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are below 2^53")]
pub(super) fn as_f64(count: u64) -> f64 {
    count as f64
}
