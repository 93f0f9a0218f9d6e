//! The types of expressions, as far as they can be told from the statement and the catalog.

use super::expression::{Aggregate, Expression, Literal, Operator};
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

/// Returns the type's name as `format_type` writes it; `None` if it cannot be told.
pub(crate) fn type_name(value: &Expression, rows: &Rows, catalog: &Catalog) -> Option<String> {
    let of = |value: &Expression| type_name(value, rows, catalog);
    let named = |name: &str| Some(name.to_owned());
    match value {
        Expression::Column(column) => match &rows.source_of(column)?.relation {
            Relation::Table { schema, name } => {
                Some(catalog.table(Some(schema), name)?.column(&column.name)?.type_name.clone())
            }
            Relation::Query { query: Query::Block(block), .. } => {
                type_name(&block.outputs.get(column.index)?.value, &block.rows, catalog)
            }
            Relation::Query { .. } | Relation::Function { .. } => None,
        },
        Expression::Literal(literal) => match literal {
            Literal::Text(_) => named("text"),
            Literal::Boolean(_) => named("boolean"),
            Literal::Number(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => named("integer"),
            Literal::Number(_) => named("numeric"),
            Literal::Null | Literal::Parameter(_) => None,
        },
        Expression::Cast { type_name, .. } => match type_name.as_str() {
            "int" | "int4" => named("integer"),
            "int8" => named("bigint"),
            "float8" | "float" => named("double precision"),
            "decimal" => named("numeric"),
            other => named(other),
        },
        Expression::Aggregate(aggregate) => aggregate_type(aggregate, &of),
        Expression::Call { function, arguments } => match function.as_str() {
            "coalesce" | "nullif" | "greatest" | "least" | "abs" => of(arguments.first()?),
            "round" | "trunc" => of(arguments.first()?).filter(|name| name == "numeric"),
            "upper" | "lower" | "to_char" | "concat" | "btrim" | "initcap" => named("text"),
            "extract" => named("numeric"),
            _ => None,
        },
        Expression::Operation { operator: Operator::Infix(sign), operands } => match operands.as_slice() {
            [left, right] if matches!(sign.as_str(), "+" | "-" | "*" | "/") => {
                let (left, right) = (of(left)?, of(right)?);
                let is_number = matches!(left.as_str(), "integer" | "bigint" | "numeric" | "double precision");
                (is_number && left == right).then_some(left)
            }
            [_, _] if sign == "||" => named("text"),
            [_, _] if matches!(sign.as_str(), "=" | "<>" | "<" | ">" | "<=" | ">=" | "AND" | "OR" | "LIKE") => {
                named("boolean")
            }
            _ => None,
        },
        Expression::Case { branches, otherwise, .. } => {
            let values = branches.iter().map(|(_, value)| value).chain(otherwise.as_deref());
            let types = values.map(of).collect::<Option<Vec<_>>>()?;
            let first = types.first()?.clone();
            types.iter().all(|name| *name == first).then_some(first)
        }
        _ => None,
    }
}

fn aggregate_type(aggregate: &Aggregate, of: &dyn Fn(&Expression) -> Option<String>) -> Option<String> {
    if aggregate.function == "count" {
        return Some("bigint".to_owned());
    }
    let argument = of(aggregate.arguments.first()?)?;
    let name = match (aggregate.function.as_str(), argument.as_str()) {
        ("min" | "max", _) => return Some(argument),
        ("sum", "integer" | "smallint") => "bigint",
        ("sum" | "avg", "bigint" | "numeric") | ("avg", "integer" | "smallint") => "numeric",
        ("sum" | "avg", "double precision") => "double precision",
        _ => return None,
    };
    Some(name.to_owned())
}
