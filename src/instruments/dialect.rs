//! How statements of instruments are written: the SQL of PostgreSQL. Other engines get functions of the same names.

use crate::warehouse::catalog::Table;
use crate::warehouse::lineage::print::identifier;

/// Returns a table as a statement names it.
pub fn table(table: &Table) -> String {
    format!("{}.{}", name(&table.schema), name(&table.name))
}

/// Returns a name.
pub fn name(name: &str) -> String {
    identifier(name)
}

/// Returns a text.
pub fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// Returns the days between two moments, with a fraction.
pub fn days_between(from: &str, to: &str) -> String {
    format!("extract(epoch FROM ({}::timestamp - {}::timestamp)) / 86400", name(to), name(from))
}

/// Returns the conditions that all hold, as the end of a statement.
pub fn filtered(conditions: &[String]) -> String {
    if conditions.is_empty() {
        return String::new();
    }
    // A comment of a condition ends with its line.
    format!(
        " WHERE {}",
        conditions.iter().map(|condition| format!("({condition}\n)")).collect::<Vec<_>>().join(" AND ")
    )
}

/// Returns the share of the rows that meet a condition.
pub fn share(condition: &str) -> String {
    format!("1.0 * count(*) FILTER (WHERE {condition}) / count(*)")
}
