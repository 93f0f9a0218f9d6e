//! Which expressions are dates or times.

use super::expression::{Expression, Operator};
use super::query::{Query, Relation, Rows};
use crate::warehouse::catalog::{Catalog, ValueKind};

/// Functions that return a date or a time.
const MOMENTS: &[&str] = &[
    "date_trunc",
    "date_bin",
    "make_date",
    "make_timestamp",
    "make_timestamptz",
    "to_date",
    "to_timestamp",
    "date",
    "timestamp",
    "timestamptz",
    "timezone",
];

/// Returns whether the value is a date or a date with a time of day.
pub(super) fn is_moment(value: &Expression, rows: &Rows, catalog: &Catalog) -> bool {
    let is = |value: &Expression| is_moment(value, rows, catalog);
    match value {
        Expression::Column(column) => match rows.source_of(column).map(|source| &source.relation) {
            Some(Relation::Table { schema, name }) => {
                let table = catalog.table(Some(schema), name);
                let column = table.and_then(|table| table.column(&column.name));
                column.is_some_and(|column| column.value_kind() == ValueKind::Moment)
            }
            Some(Relation::Query { query: Query::Block(block), .. }) => {
                block.outputs.get(column.index).is_some_and(|output| is_moment(&output.value, &block.rows, catalog))
            }
            Some(Relation::Function { function, arguments, .. }) => {
                function == "generate_series" && arguments.first().is_some_and(is)
            }
            Some(Relation::Query { .. }) | None => false,
        },
        Expression::Call { function, arguments } => match function.as_str() {
            "coalesce" | "greatest" | "least" | "nullif" => arguments.first().is_some_and(is),
            name => MOMENTS.contains(&name),
        },
        Expression::Cast { type_name, .. } => type_name == "date" || type_name.starts_with("timestamp"),
        Expression::Operation { operator: Operator::Infix(sign), operands } => match operands.as_slice() {
            [left, right] if sign == "+" => is(left) || is(right),
            [left, right] if sign == "-" => is(left) && !is(right),
            _ => false,
        },
        Expression::Case { branches, .. } => branches.first().is_some_and(|(_, value)| is(value)),
        Expression::Aggregate(aggregate) => {
            matches!(aggregate.function.as_str(), "min" | "max" | "any_value")
                && aggregate.arguments.first().is_some_and(is)
        }
        _ => false,
    }
}
