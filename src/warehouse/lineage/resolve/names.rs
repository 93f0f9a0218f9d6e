//! Names, types and operators of the parsed tree as text.

use sqlparser::ast::{BinaryOperator, DataType, Expr, ObjectName, ObjectNamePart, UnaryOperator};

use super::super::print::identifier;

/// Operators with one meaning whatever the types of their operands are called.
const INFIX: &[&str] = &[
    "+", "-", "*", "/", "%", "^", "=", "<>", "<", ">", "<=", ">=", "AND", "OR", "||", "->", "->>", "#>", "#>>", "@>",
    "<@", "&&", "~", "~*", "!~", "!~*", "~~", "~~*", "!~~", "!~~*", "&", "|", "#", "<<", ">>", "?",
];

/// Returns the parts of a dotted name; `None` for a name that is not made of names.
pub(super) fn parts(name: &ObjectName) -> Option<Vec<&str>> {
    let mut parts = Vec::with_capacity(name.0.len());
    for part in &name.0 {
        match part {
            ObjectNamePart::Identifier(ident) => parts.push(ident.value.as_str()),
            ObjectNamePart::Function(_) => return None,
        }
    }
    Some(parts)
}

/// Returns the name of a function of pg_catalog: a bare name, or one with that schema.
pub(super) fn function(name: &ObjectName) -> Option<String> {
    match parts(name)?.as_slice() {
        ["pg_catalog", name] | [name] => Some((*name).to_lowercase()),
        _ => None,
    }
}

/// Returns the operator as SQL; `None` for one whose meaning is not known.
pub(super) fn infix(operator: &BinaryOperator) -> Option<&'static str> {
    let text = match operator {
        BinaryOperator::PGCustomBinaryOperator(parts) => match parts.as_slice() {
            [schema, operator] if schema == "pg_catalog" => operator.clone(),
            _ => return None,
        },
        BinaryOperator::PGExp => "^".to_owned(),
        other => other.to_string(),
    };
    INFIX.iter().find(|sign| **sign == text).copied()
}

/// Returns the prefix operator as SQL.
pub(super) fn prefix(operator: UnaryOperator) -> Option<&'static str> {
    match operator {
        UnaryOperator::Minus => Some("-"),
        UnaryOperator::Plus => Some("+"),
        UnaryOperator::Not => Some("NOT"),
        _ => None,
    }
}

/// Operators that PostgreSQL ranks alike, above comparisons and below `+`.
const OTHERS: &[&str] =
    &["||", "->", "->>", "#>", "#>>", "@>", "<@", "&&", "~", "~*", "!~", "!~*", "&", "|", "#", "<<", ">>", "?"];
const COMPARISONS: &[&str] = &["=", "<>", "<", ">", "<=", ">="];

/// Returns whether PostgreSQL binds the operands of a binary operation in the same way. The parser ranks some operators
/// as other databases do.
pub(super) fn binds_as_postgres(left: &Expr, operator: &BinaryOperator, right: &Expr) -> bool {
    let Some(sign) = infix(operator) else { return false };
    let is_other = |expr: &Expr| bare(expr).is_some_and(|sign| OTHERS.contains(&sign));
    if OTHERS.contains(&sign) {
        return !is_comparison(left) && !is_comparison(right) && !is_other(right);
    }
    true
}

/// Returns whether PostgreSQL applies the sign to the same operand: it binds tighter than every binary operator. Before a
/// product both readings have the same value.
pub(super) fn signs_as_postgres(operator: UnaryOperator, operand: &Expr) -> bool {
    match operator {
        UnaryOperator::Minus | UnaryOperator::Plus => match operand {
            Expr::BinaryOp { .. } => bare(operand).is_some_and(|sign| matches!(sign, "*" | "/" | "%")),
            Expr::AtTimeZone { .. } => false,
            _ => true,
        },
        _ => true,
    }
}

/// Returns whether the expression is a comparison without brackets.
pub(super) fn is_comparison(expr: &Expr) -> bool {
    bare(expr).is_some_and(|sign| COMPARISONS.contains(&sign))
}

/// Returns the operator of a binary operation without brackets.
fn bare(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::BinaryOp { op, .. } => infix(op),
        _ => None,
    }
}

/// Returns the type's name as SQL; `None` for a name that cannot be printed as it is.
pub(super) fn type_name(data_type: &DataType) -> Option<String> {
    if let DataType::Custom(name, modifiers) = data_type {
        let parts = parts(name).filter(|_| modifiers.is_empty())?;
        return Some(parts.into_iter().map(identifier).collect::<Vec<_>>().join("."));
    }
    let name = data_type.to_string().to_lowercase();
    // The fields and the precision of an interval are not all printed.
    if name.starts_with("interval") && !matches!(data_type, DataType::Interval { fields: None, precision: None }) {
        return None;
    }
    let is_plain =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || " _(),[]".contains(character);
    name.chars().all(is_plain).then_some(name)
}
