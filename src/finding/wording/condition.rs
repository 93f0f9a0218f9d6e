//! Conditions in words: all of them, each as `with status 'paid'`.

use super::expression::{Names, phrase};
use super::literal;
use crate::warehouse::lineage::expression::{Expression, Literal, Operator};
use crate::warehouse::lineage::{is_constant, is_text};

/// Returns all conditions, after `with`.
pub(super) fn conditions(all: &[&Expression], names: &Names) -> String {
    let words = all.iter().map(|condition| one(condition, names)).collect::<Vec<_>>();
    format!("with {}", words.join(" and "))
}

/// Returns one condition.
pub(super) fn one(condition: &Expression, names: &Names) -> String {
    let of = |value: &Expression| bracketed(&phrase(value, names), value);
    match condition {
        Expression::Operation { operator: Operator::Infix(sign), operands } => {
            let [left, right] = operands.as_slice() else { return of(condition) };
            comparison(sign, left, right, names).unwrap_or_else(|| phrase(condition, names))
        }
        Expression::Operation { operator: Operator::Prefix(sign), operands } if sign == "NOT" => {
            let inner = operands.first().map(|inner| one(inner, names)).unwrap_or_default();
            format!("not ({inner})")
        }
        Expression::Operation { operator: Operator::Postfix(sign), operands } => {
            let value = operands.first().map(of).unwrap_or_default();
            match sign.as_str() {
                "IS NULL" => format!("no {value}"),
                "IS NOT NULL" => format!("a value of {value}"),
                sign => format!("{value} {}", sign.to_lowercase()),
            }
        }
        Expression::In { value, list } => {
            let values = list.iter().map(|bound| bound_words(bound, names)).collect::<Vec<_>>();
            format!("{} among {}", of(value), values.join(", "))
        }
        Expression::Literal(Literal::Boolean(value)) => format!("a condition that is always {value}"),
        other => phrase(other, names),
    }
}

/// Returns a value as the condition names it that a constant is equal to it.
pub(super) fn compared(value: &Expression, names: &Names) -> String {
    cast_words(value, false, true, names).unwrap_or_else(|| bracketed(&phrase(value, names), value))
}

/// Returns the condition that a constant is equal to what [`compared`] returned.
pub(super) fn equal(compared: &str, constant: &str) -> String {
    if compared.contains(' ') { format!("{compared} equal to {constant}") } else { format!("{compared} {constant}") }
}

fn comparison(sign: &str, left: &Expression, right: &Expression, names: &Names) -> Option<String> {
    let is_ordered = matches!(sign, "<" | "<=" | ">" | ">=");
    let is_constant = is_constant(right);
    let cast = |side: &Expression| cast_words(side, is_ordered, is_constant, names);
    let value = cast(left).unwrap_or_else(|| bracketed(&phrase(left, names), left));
    let bound = cast(right).unwrap_or_else(|| bound_words(right, names));
    Some(match sign {
        "=" if is_constant => equal(&value, &bound),
        "=" => format!("{value} equal to {bound}"),
        "<>" => format!("{value} other than {bound}"),
        "<" | "<=" | ">" | ">=" if names.is_enum(left) => {
            let way = match sign {
                "<" => "before",
                "<=" => "up to",
                ">" => "after",
                _ => "from",
            };
            format!("{value} {way} {bound} in the order of its type")
        }
        "<" => format!("{value} below {bound}"),
        "<=" => format!("{value} up to {bound}"),
        ">" => format!("{value} above {bound}"),
        ">=" if is_constant => format!("{value} from {bound}"),
        ">=" => format!("{value} of at least {bound}"),
        "LIKE" => format!("{value} like {bound}"),
        "ILIKE" => format!("{value} like {bound} in any case"),
        "AND" => format!("({} and {})", one(left, names), one(right, names)),
        "OR" => format!("({} or {})", one(left, names), one(right, names)),
        "IS DISTINCT FROM" => format!("{value} other than {bound} or missing"),
        _ => return None,
    })
}

/// Returns a value with the type that it is cast to, where that may change what the comparison says: in the order of
/// texts, and between two values of the data. `None` where it does not, or where the phrase says so itself.
fn cast_words(value: &Expression, is_ordered: bool, with_constant: bool, names: &Names) -> Option<String> {
    let Expression::Cast { value, type_name, lenient: false } = value else { return None };
    let is_silent = matches!(
        type_name.as_str(),
        "text" | "varchar" | "character varying" | "interval" | "timestamp" | "timestamptz" | "boolean"
    );
    let matters = is_text(Some(type_name)) && is_ordered || is_silent && !with_constant;
    (matters && !is_constant(value)).then(|| format!("({} as {type_name})", phrase(value, names)))
}

/// Puts brackets around what is more than a name.
pub(super) fn bracketed(words: &str, value: &Expression) -> String {
    if matches!(value, Expression::Literal(_)) || is_in_zone(value) || !words.contains(' ') || is_bracketed(words) {
        words.to_owned()
    } else {
        format!("({words})")
    }
}

/// Returns whether a value is a column in a time zone, which is called by both: `opened_at in 'Europe/Paris'`.
fn is_in_zone(value: &Expression) -> bool {
    match value {
        Expression::Call { function, arguments } if function == "timezone" => match arguments.as_slice() {
            [Expression::Literal(Literal::Text(zone)), Expression::Column(_)] => !zone.starts_with(['+', '-']),
            _ => false,
        },
        _ => false,
    }
}

/// Returns whether the first bracket closes at the end, as in `(a and b)` and not in `(a) and (b)`.
fn is_bracketed(words: &str) -> bool {
    let mut depth = 0_usize;
    for (at, character) in words.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at > 0 && at + character.len_utf8() == words.len();
        }
    }
    false
}

/// Returns what a value is compared with.
pub(super) fn bound_words(bound: &Expression, names: &Names) -> String {
    match bound {
        Expression::Literal(Literal::Text(text)) if is_date(text) => text.clone(),
        Expression::Literal(Literal::Null) => "NULL (which nothing equals)".to_owned(),
        Expression::Literal(value) => literal(value),
        Expression::Cast { value, .. } if is_constant(value) => bound_words(value, names),
        other => bracketed(&phrase(other, names), other),
    }
}

fn is_date(text: &str) -> bool {
    text.len() >= 10
        && text.is_char_boundary(10)
        && text[..10].parse::<jiff::civil::Date>().is_ok()
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"-: .+TZ".contains(&byte))
}
