//! Conditions in words: all of them, each as `with status 'paid'`.

use super::expression::{Names, phrase};
use super::literal;
use crate::warehouse::lineage::expression::{Expression, Literal, Operator};
use crate::warehouse::lineage::is_constant;

/// Returns all conditions, after `with` or `where`.
pub(super) fn conditions(all: &[&Expression], names: &Names) -> String {
    let words = all.iter().map(|condition| one(condition, names)).collect::<Vec<_>>();
    format!("with {}", words.join(" and "))
}

/// Returns one condition.
pub(super) fn one(condition: &Expression, names: &Names) -> String {
    let of = |value: &Expression| phrase(value, names);
    match condition {
        Expression::Operation { operator: Operator::Infix(sign), operands } => {
            match (sign.as_str(), operands.as_slice()) {
                ("=", [value, bound]) if is_constant(bound) => format!("{} {}", of(value), bound_words(bound, names)),
                ("=", [value, bound]) => format!("{} equal to {}", of(value), bound_words(bound, names)),
                ("<>", [value, bound]) => format!("{} other than {}", of(value), bound_words(bound, names)),
                ("<", [value, bound]) => format!("{} below {}", of(value), bound_words(bound, names)),
                ("<=", [value, bound]) => format!("{} up to {}", of(value), bound_words(bound, names)),
                (">", [value, bound]) => format!("{} above {}", of(value), bound_words(bound, names)),
                (">=", [value, bound]) => format!("{} from {}", of(value), bound_words(bound, names)),
                ("LIKE" | "ILIKE", [value, pattern]) => format!("{} like {}", of(value), of(pattern)),
                ("AND", [left, right]) => format!("({} and {})", one(left, names), one(right, names)),
                ("OR", [left, right]) => format!("({} or {})", one(left, names), one(right, names)),
                ("IS DISTINCT FROM", [value, bound]) => {
                    format!("{} other than {} or missing", of(value), bound_words(bound, names))
                }
                _ => of(condition),
            }
        }
        Expression::Operation { operator: Operator::Prefix(sign), operands } if sign == "NOT" => {
            let inner = operands.first().map(|inner| one(inner, names)).unwrap_or_default();
            format!("not ({inner})")
        }
        Expression::Operation { operator: Operator::Postfix(sign), operands } => {
            let value = operands.first().map(of).unwrap_or_default();
            match sign.as_str() {
                "IS NULL" => format!("no {value}"),
                "IS NOT NULL" => format!("a {value}"),
                sign => format!("{value} {}", sign.to_lowercase()),
            }
        }
        Expression::In { value, list } => {
            let values = list.iter().map(|bound| bound_words(bound, names)).collect::<Vec<_>>();
            format!("{} {}", of(value), values.join(" or "))
        }
        Expression::Literal(Literal::Boolean(value)) => format!("a condition that is always {value}"),
        other => of(other),
    }
}

/// Returns what a value is compared with.
fn bound_words(bound: &Expression, names: &Names) -> String {
    match bound {
        Expression::Literal(Literal::Text(text)) if is_date(text) => text.clone(),
        Expression::Literal(value) => literal(value),
        Expression::Cast { value, .. } => bound_words(value, names),
        other => phrase(other, names),
    }
}

fn is_date(text: &str) -> bool {
    text.len() >= 10
        && text.is_char_boundary(10)
        && text[..10].parse::<jiff::civil::Date>().is_ok()
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"-: .+TZ".contains(&byte))
}
