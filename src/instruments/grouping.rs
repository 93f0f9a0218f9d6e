//! Groups by several sets of columns in one statement, and which of them a row of its result is.
//!
//! The columns are called `d0`, `d1` and so on.

use super::dialect;
use super::reading::{cell, count};
use super::target::{Field, Target};
use crate::warehouse::table::Table;

/// Columns with few values that parts are made by, and values of one.
const DIMENSIONS_MAX: usize = 8;
pub(super) const GROUPS_MAX: f64 = 60.0;

/// Returns the columns that parts of the rows are made by.
pub(super) fn columns(target: &Target) -> Vec<&Field> {
    let few = target.dimensions.iter().filter(|field| field.is_group_of_rows(GROUPS_MAX));
    few.take(DIMENSIONS_MAX).chain(&target.many).collect()
}

/// Returns the columns as texts, under their names, for a select list that goes on.
pub(super) fn named(columns: &[&Field]) -> String {
    let column = |(place, field): (usize, &&Field)| format!("{}::text AS d{place}, ", field.sql);
    columns.iter().enumerate().map(column).collect::<Vec<_>>().concat()
}

/// Returns the order by a column in which the row of a value comes first.
pub(super) fn first(column: &str, value: &str) -> String {
    format!("({}) IS TRUE DESC, {column}", dialect::is(column, Some(value)))
}

/// Returns the columns for a select list that goes on.
pub(super) fn keys(columns: usize) -> String {
    (0..columns).map(|place| format!("d{place}, ")).collect::<Vec<_>>().concat()
}

/// Returns the columns for an order that goes on after others: of equally many rows, by name rather than as they come.
pub(super) fn order(columns: usize) -> String {
    (0..columns).map(|place| format!(", d{place}")).collect::<Vec<_>>().concat()
}

/// Returns the column `level` for a select list that goes on: which columns are keys of the row.
pub(super) fn level(columns: usize) -> String {
    if columns == 0 {
        return "0 AS level, ".to_owned();
    }
    format!("grouping({}) AS level, ", keys(columns).trim_end_matches(", "))
}

/// Returns the sets of columns, given by their places, each with further columns.
pub(super) fn sets(sets: &[Vec<usize>], further: &[&str]) -> String {
    let set = |set: &Vec<usize>| {
        let keys = set.iter().map(|place| format!("d{place}"));
        let keys = further.iter().map(|&key| key.to_owned()).chain(keys);
        format!("({})", keys.collect::<Vec<_>>().join(", "))
    };
    sets.iter().map(set).collect::<Vec<_>>().join(", ")
}

/// Returns the places of a row's keys with their values. `None` if a key has none: it is nobody that could be acted on.
pub(super) fn values(table: &Table, row: usize, columns: usize) -> Option<Vec<(usize, String)>> {
    let level = count(table, row, "level")?;
    // The bit of a column is set where it is not among the keys; the first column has the highest bit.
    let is_key = |place: &usize| level & (1 << (columns - 1 - place)) == 0;
    let places = (0..columns).filter(is_key);
    places.map(|place| Some((place, cell(table, row, &format!("d{place}"))?.to_owned()))).collect()
}
