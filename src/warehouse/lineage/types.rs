//! The types of expressions, as far as they can be told from the statement and the catalog.

use super::expression::{Aggregate, Expression, Literal, Operator};
use super::measure::Measure;
use super::query::{Item, Query, Relation, Rows};
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

/// Returns whether the value is a column that is never NULL. A column on the optional side of a join may be.
pub(crate) fn is_never_null(value: &Expression, rows: &Rows, catalog: &Catalog) -> bool {
    let Expression::Column(column) = value else { return false };
    let plain = rows.items.iter().find_map(|item| match item {
        Item::Source(source) if source.id == column.source => Some(&source.relation),
        Item::Source(_) | Item::Outer(_) => None,
    });
    let Some(Relation::Table { schema, name }) = plain else { return false };
    let column = catalog.table(Some(schema), name).and_then(|table| table.column(&column.name));
    column.is_some_and(|column| !column.nullable)
}

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

/// Functions that return text, whatever they are given.
const TEXTS: &[&str] = &[
    "btrim",
    "concat",
    "concat_ws",
    "format",
    "initcap",
    "left",
    "lower",
    "lpad",
    "ltrim",
    "md5",
    "regexp_replace",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "split_part",
    "substr",
    "substring",
    "to_char",
    "translate",
    "upper",
];
/// Functions that return a whole number.
const WHOLE_NUMBERS: &[&str] = &["length", "char_length", "strpos", "array_length", "cardinality"];
/// Types of numbers, the narrowest first: arithmetic over two has the wider one.
const NUMBERS: &[&str] = &["smallint", "integer", "bigint", "numeric", "real", "double precision"];

/// Returns the type's name as `format_type` writes it, without a length or scale; `None` if it cannot be told.
pub(crate) fn type_name(value: &Expression, rows: &Rows, catalog: &Catalog) -> Option<String> {
    typed(value, &|leaf| {
        let Expression::Column(column) = leaf else { return None };
        match &rows.source_of(column)?.relation {
            Relation::Table { schema, name } => {
                Some(plain(&catalog.table(Some(schema), name)?.column(&column.name)?.type_name))
            }
            Relation::Query { query: Query::Block(block), .. } => {
                type_name(&block.outputs.get(column.index)?.value, &block.rows, catalog)
            }
            Relation::Query { .. } | Relation::Function { .. } => None,
        }
    })
}

/// Returns what [`type_name`] returns of arithmetic over measures.
pub(super) fn type_of_measures(value: &Expression, measures: &[Measure], catalog: &Catalog) -> Option<String> {
    typed(value, &|leaf| {
        let Expression::Measure(index) = leaf else { return None };
        let measure = measures.get(*index)?;
        aggregate_type(&measure.aggregate, &|value| type_name(value, &measure.rows, catalog))
    })
}

/// Returns the type without a length or scale: `numeric` for `numeric(14,2)`.
fn plain(type_name: &str) -> String {
    let (base, rest) = type_name.split_once('(').unwrap_or((type_name, ""));
    let after = rest.split_once(')').map_or("", |(_, after)| after);
    format!("{}{after}", base.trim_end())
}

/// Returns whether the type is a whole number's.
pub(super) fn is_whole(type_name: Option<&str>) -> bool {
    matches!(type_name, Some("smallint" | "integer" | "bigint"))
}

/// Returns whether the type is a text's.
pub(crate) fn is_text(type_name: Option<&str>) -> bool {
    matches!(type_name, Some("text" | "character varying" | "character" | "varchar" | "bpchar" | "name"))
}

/// Returns the type of a value, given those of columns and measures.
fn typed(value: &Expression, leaf: &dyn Fn(&Expression) -> Option<String>) -> Option<String> {
    let of = |value: &Expression| typed(value, leaf);
    let named = |name: &str| Some(name.to_owned());
    match value {
        Expression::Column(_) | Expression::Measure(_) => leaf(value),
        Expression::Literal(literal) => match literal {
            Literal::Text(_) => named("text"),
            Literal::Boolean(_) => named("boolean"),
            Literal::Number(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => named("integer"),
            Literal::Number(_) => named("numeric"),
            Literal::Null | Literal::Parameter(_) => None,
        },
        Expression::Cast { type_name, .. } => match plain(type_name).as_str() {
            "int" | "int4" => named("integer"),
            "int8" => named("bigint"),
            "int2" => named("smallint"),
            "float8" | "float" => named("double precision"),
            "decimal" => named("numeric"),
            other => named(other),
        },
        Expression::Aggregate(aggregate) => aggregate_type(aggregate, &of),
        Expression::Call { function, arguments } => match function.as_str() {
            "coalesce" | "nullif" | "greatest" | "least" | "abs" => of(arguments.first()?),
            "round" | "trunc" | "floor" | "ceil" => {
                of(arguments.first()?).map(|name| if name == "numeric" { name } else { "double precision".to_owned() })
            }
            "extract" => named("numeric"),
            "timezone" => named(match of(arguments.get(1)?)?.as_str() {
                "timestamp with time zone" | "timestamptz" => "timestamp without time zone",
                _ => "timestamp with time zone",
            }),
            name if TEXTS.contains(&name) => named("text"),
            name if WHOLE_NUMBERS.contains(&name) => named("integer"),
            _ => None,
        },
        Expression::Operation { operator: Operator::Infix(sign), operands } => {
            let [left, right] = operands.as_slice() else { return None };
            operation_type(sign, &|| of(left), &|| of(right))
        }
        Expression::Operation { operator: Operator::Prefix(sign), operands } if sign == "-" => of(operands.first()?),
        Expression::Case { branches, otherwise, .. } => {
            let values = branches.iter().map(|(_, value)| value).chain(otherwise.as_deref());
            let types = values.map(of).collect::<Option<Vec<_>>>()?;
            let first = types.first()?.clone();
            types.iter().all(|name| *name == first).then_some(first)
        }
        _ => None,
    }
}

fn operation_type(sign: &str, left: &dyn Fn() -> Option<String>, right: &dyn Fn() -> Option<String>) -> Option<String> {
    let named = |name: &str| Some(name.to_owned());
    match sign {
        "||" | "->>" | "#>>" => named("text"),
        "=" | "<>" | "<" | ">" | "<=" | ">=" | "AND" | "OR" | "LIKE" => named("boolean"),
        "+" | "-" | "*" | "/" | "%" => {
            let (left, right) = (left()?, right()?);
            match (left.as_str(), sign, right.as_str()) {
                ("date", "-", "date") => return named("integer"),
                ("date", "+" | "-", "integer") => return named("date"),
                _ => {}
            }
            let width = |name: &str| NUMBERS.iter().position(|known| *known == name);
            let widest = width(&left)?.max(width(&right)?);
            NUMBERS.get(widest).map(|name| (*name).to_owned())
        }
        _ => None,
    }
}

fn aggregate_type(aggregate: &Aggregate, of: &dyn Fn(&Expression) -> Option<String>) -> Option<String> {
    if aggregate.function == "count" {
        return Some("bigint".to_owned());
    }
    let within = aggregate.within.first().map(|order| &order.key);
    let argument = of(within.or(aggregate.arguments.first())?)?;
    let name = match (aggregate.function.as_str(), argument.as_str()) {
        ("min" | "max" | "mode" | "percentile_disc", _) => return Some(argument),
        ("sum", "integer" | "smallint") => "bigint",
        ("sum" | "avg", "bigint" | "numeric") | ("avg", "integer" | "smallint") => "numeric",
        ("sum" | "avg", "double precision") => "double precision",
        _ => return None,
    };
    Some(name.to_owned())
}
