//! Finds the name that PostgreSQL gives to an output column without an alias.
//!
//! The rule is `FigureColname` in `src/backend/parser/parse_target.c`: the name of a column, a function or a type, or
//! that of the expression's form. A strong name beats the name of a cast or CASE around it.

use sqlparser::ast::{
    AccessExpr, CastKind, DataType, Expr, Function, ObjectNamePart, Query, SelectItem, SetExpr, TrimWhereField,
    TypedString,
};

/// The name that PostgreSQL gives to a column that has no other.
pub(super) const NONE: &str = "?column?";

/// A name, and whether it beats that of a cast or CASE around it.
struct Label {
    name: String,
    is_strong: bool,
}

/// Returns the name of an expression as an output column.
pub(super) fn of(expression: &Expr) -> String {
    label(expression).map_or_else(|| NONE.to_owned(), |label| label.name)
}

fn label(expression: &Expr) -> Option<Label> {
    match expression {
        Expr::Identifier(name) => Some(strong(&name.value)),
        Expr::CompoundIdentifier(parts) => parts.last().map(|last| strong(&last.value)),
        Expr::CompoundFieldAccess { root, access_chain } => {
            let field = access_chain.iter().rev().find_map(|step| match step {
                AccessExpr::Dot(Expr::Identifier(name)) => Some(&name.value),
                AccessExpr::Dot(_) | AccessExpr::Subscript(_) => None,
            });
            field.map_or_else(|| label(root), |name| Some(strong(name)))
        }
        Expr::Nested(inner) | Expr::Collate { expr: inner, collation: _ } => label(inner),
        Expr::Function(Function { name, .. }) => match name.0.last() {
            Some(ObjectNamePart::Identifier(name)) => Some(strong(&name.value)),
            _ => None,
        },
        Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type, .. } => {
            Some(around(expr, data_type))
        }
        Expr::TypedString(TypedString { data_type, .. }) => Some(weak(type_name(data_type))),
        Expr::Interval(_) => Some(weak("interval".to_owned())),
        Expr::Case { else_result, .. } => match else_result.as_deref().and_then(label) {
            Some(label) if label.is_strong => Some(label),
            _ => Some(weak("case".to_owned())),
        },
        Expr::Exists { .. } => Some(strong("exists")),
        Expr::Subquery(query) => of_subquery(query),
        Expr::Array(_) => Some(strong("array")),
        Expr::Tuple(_) => Some(strong("row")),
        _ => of_keywords(expression),
    }
}

/// Returns the name of a form that PostgreSQL's grammar turns into a call.
fn of_keywords(expression: &Expr) -> Option<Label> {
    match expression {
        Expr::AtTimeZone { .. } => Some(strong("timezone")),
        Expr::Extract { .. } => Some(strong("extract")),
        Expr::Ceil { .. } => Some(strong("ceil")),
        Expr::Floor { .. } => Some(strong("floor")),
        Expr::Position { .. } => Some(strong("position")),
        Expr::Substring { shorthand: true, .. } => Some(strong("substr")),
        Expr::Substring { shorthand: false, .. } => Some(strong("substring")),
        Expr::Overlay { .. } => Some(strong("overlay")),
        Expr::Trim { trim_where, .. } => Some(strong(match trim_where {
            Some(TrimWhereField::Leading) => "ltrim",
            Some(TrimWhereField::Trailing) => "rtrim",
            Some(TrimWhereField::Both) | None => "btrim",
        })),
        Expr::IsNormalized { .. } => Some(strong("is_normalized")),
        _ => None,
    }
}

fn around(inner: &Expr, data_type: &DataType) -> Label {
    match label(inner) {
        Some(label) if label.is_strong => label,
        _ => weak(type_name(data_type)),
    }
}

/// Returns the name of a subquery used as a value, which is that of its column.
fn of_subquery(query: &Query) -> Option<Label> {
    let mut body = &*query.body;
    while let SetExpr::Query(inner) = body {
        body = &inner.body;
    }
    while let SetExpr::SetOperation { left, .. } = body {
        body = left;
    }
    let SetExpr::Select(select) = body else { return None };
    match select.projection.as_slice() {
        [SelectItem::UnnamedExpr(expression)] => Some(strong(&of(expression))),
        [SelectItem::ExprWithAlias { alias, .. }] => Some(strong(&alias.value)),
        _ => None,
    }
}

/// Returns the name of the type in PostgreSQL's catalogue.
fn type_name(data_type: &DataType) -> String {
    let name = match data_type {
        DataType::Character(_) | DataType::Char(_) => "bpchar",
        DataType::CharacterVarying(_) | DataType::CharVarying(_) | DataType::Varchar(_) => "varchar",
        DataType::Numeric(_) | DataType::Decimal(_) | DataType::Dec(_) => "numeric",
        DataType::Int2(_) | DataType::SmallInt(_) => "int2",
        DataType::Int(_) | DataType::Int4(_) | DataType::Integer(_) => "int4",
        DataType::Int8(_) | DataType::BigInt(_) => "int8",
        DataType::Float4 | DataType::Real => "float4",
        DataType::Float(_) | DataType::Float8 | DataType::DoublePrecision => "float8",
        DataType::Bool | DataType::Boolean => "bool",
        DataType::Interval { .. } => "interval",
        DataType::BitVarying(_) | DataType::VarBit(_) => "varbit",
        DataType::Custom(name, _) => match name.0.last() {
            Some(ObjectNamePart::Identifier(name)) => return name.value.clone(),
            _ => NONE,
        },
        other => return plain_type_name(other),
    };
    name.to_owned()
}

/// Returns the name of a type whose catalogue name is the first word that it is written with, or `timestamptz` or
/// `timetz`.
fn plain_type_name(data_type: &DataType) -> String {
    let written = data_type.to_string().to_lowercase();
    let zone = written.contains("with time zone");
    let first = written.split(['(', ' ']).next().unwrap_or_default();
    match first {
        "timestamp" if zone => "timestamptz".to_owned(),
        "time" if zone => "timetz".to_owned(),
        first => first.to_owned(),
    }
}

fn strong(name: &str) -> Label {
    Label { name: name.to_owned(), is_strong: true }
}

fn weak(name: String) -> Label {
    Label { name, is_strong: false }
}
