//! `find_values`: finds the text columns that contain a text, by a query that is validated like every other.

use super::{FindValues, Toolbox};
use crate::warehouse::catalog::{Table, TableKind};

/// The number of text columns searched in one call.
const COLUMNS_MAX: usize = 40;
/// Tables with more rows are searched only if the call names them.
const ROWS_MAX: u64 = 5_000_000;
/// The number of values shown per column.
const VALUES_MAX: usize = 5;

impl Toolbox {
    /// Returns the statement that answers the call, or one line on why there is none.
    pub fn find_values_sql(&self, arguments: &FindValues) -> Result<String, String> {
        if self.executor.is_aggregate() {
            return Err(
                "find_values: only aggregates are shown; group by a column and count to see its values".to_owned()
            );
        }
        let text = arguments.text.trim();
        if text.is_empty() {
            return Err("find_values: `text` is empty; write a part of the value to look for".to_owned());
        }
        let tables = match &arguments.table {
            Some(name) => vec![self.find_table(name)?],
            None => self.catalog.tables.iter().filter(|table| is_small(table)).collect(),
        };
        let branches = tables.into_iter().flat_map(|table| branches(table, text)).take(COLUMNS_MAX).collect::<Vec<_>>();
        if branches.is_empty() {
            return Err("find_values: there is no text column to look through; name another table".to_owned());
        }
        Ok(branches.join("\nUNION ALL\n"))
    }
}

fn is_small(table: &Table) -> bool {
    table.kind != TableKind::Foreign && table.rows_estimate.is_none_or(|rows| rows <= ROWS_MAX)
}

fn branches(table: &Table, text: &str) -> Vec<String> {
    let pattern = literal(&format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")));
    let relation = format!("{}.{}", identifier(&table.schema), identifier(&table.name));
    let named = literal(&format!("{}.{}", table.schema, table.name));
    let is_text = |type_name: &str| {
        type_name == "text" || type_name == "citext" || type_name == "name" || type_name.starts_with("character")
    };
    let columns = table.columns.iter().filter(|column| !column.sensitive && !column.masked);
    columns
        .filter(|column| is_text(&column.type_name) || !column.enum_values.is_empty())
        .map(|column| {
            let (name, shown) = (identifier(&column.name), literal(&column.name));
            format!(
                "(SELECT {named} AS table_name, {shown} AS column_name, {name}::text AS value, count(*) AS rows \
                 FROM {relation} WHERE {name}::text ILIKE {pattern} GROUP BY 3 ORDER BY 4 DESC, 3 LIMIT {VALUES_MAX})"
            )
        })
        .collect()
}

/// Quotes an identifier.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes a string so that it reads the same under any setting of `standard_conforming_strings`.
fn literal(text: &str) -> String {
    if text.contains('\\') {
        format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}
