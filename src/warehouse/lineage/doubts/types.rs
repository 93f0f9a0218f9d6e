//! Which expressions are whole numbers.

use super::column_in;
use crate::warehouse::catalog::Catalog;
use crate::warehouse::lineage::expression::{Expression, Literal, Operator};
use crate::warehouse::lineage::measure::Measure;
use crate::warehouse::lineage::query::Rows;
use crate::warehouse::lineage::types::type_name;

/// Returns whether the expression divides a whole number by a whole number.
pub(super) fn is_integer_division(expression: &Expression, rows: &Rows, catalog: &Catalog) -> bool {
    expression
        .as_infix("/")
        .is_some_and(|(left, right)| is_integer(left, rows, catalog) && is_integer(right, rows, catalog))
}

fn is_integer(expression: &Expression, rows: &Rows, catalog: &Catalog) -> bool {
    let is = |expression: &Expression| is_integer(expression, rows, catalog);
    match expression {
        Expression::Column(_) => column_in(expression, rows, catalog)
            .is_some_and(|column| matches!(column.type_name.as_str(), "smallint" | "integer" | "bigint")),
        Expression::Literal(Literal::Number(number)) => number.bytes().all(|byte| byte.is_ascii_digit()),
        Expression::Cast { type_name, .. } => {
            matches!(type_name.as_str(), "int" | "integer" | "bigint" | "smallint" | "int8" | "int4")
        }
        Expression::Operation { operator: Operator::Infix(sign), operands } => {
            matches!(sign.as_str(), "+" | "-" | "*" | "/" | "%") && operands.iter().all(is)
        }
        Expression::Operation { operator: Operator::Prefix(sign), operands } => sign == "-" && operands.iter().all(is),
        Expression::Aggregate(aggregate) => aggregate.function == "count",
        _ => false,
    }
}

/// Returns whether the expression divides a whole number of measures by another one.
pub(super) fn divides_counts(expression: &Expression, measures: &[Measure], catalog: &Catalog) -> bool {
    expression
        .as_infix("/")
        .is_some_and(|(left, right)| is_count(left, measures, catalog) && is_count(right, measures, catalog))
}

fn is_count(expression: &Expression, measures: &[Measure], catalog: &Catalog) -> bool {
    match expression {
        Expression::Measure(index) => measures.get(*index).is_some_and(|measure| {
            let argument = measure.aggregate.arguments.first();
            match measure.aggregate.function.as_str() {
                "count" => true,
                "sum" => argument
                    .and_then(|one| type_name(one, &measure.rows, catalog))
                    .is_some_and(|name| name == "integer"),
                "min" | "max" => argument.is_some_and(|one| is_integer(one, &measure.rows, catalog)),
                _ => false,
            }
        }),
        Expression::Literal(Literal::Number(number)) => number.bytes().all(|byte| byte.is_ascii_digit()),
        Expression::Call { function, arguments } if function == "nullif" => {
            arguments.first().is_some_and(|one| is_count(one, measures, catalog))
        }
        Expression::Operation { operator: Operator::Infix(sign), operands } => {
            matches!(sign.as_str(), "+" | "-" | "*" | "/" | "%")
                && operands.iter().all(|operand| is_count(operand, measures, catalog))
        }
        _ => false,
    }
}
