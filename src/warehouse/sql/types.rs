//! Decides which types a value may be cast to, or a column of a record be declared as: PostgreSQL's own.
//!
//! A cast to another type runs that type's input function or a cast function, which may be anybody's code. So types of
//! the database's users are refused, except those that the policy found to run no such code: enums, types of trusted
//! extensions, domains whose CHECK passes as a SELECT, and rows of such types. A value that was cast to such a type, or
//! declared as one, may be passed to code that takes it; [`made`] returns these types.
//!
//! Of the types that look up names in the catalogue, `regclass`, `regtype` and `regnamespace` are allowed, because they
//! reveal no more than `pg_class`, `pg_type` and `pg_namespace` do. The types for functions, operators and roles are
//! refused.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    ArrayElemTypeDef, DataType, Expr, Function, FunctionArgumentClause, FunctionArguments, JsonTableColumn, ObjectName,
    Query, TableAlias, TableFactor, TypedString, Visit, Visitor, XmlTableColumnOption,
};

use super::refusal::{Refusal, data_type, seen};
use super::{Policy, names};

/// Names of types as written before a string constant or with a modifier in parentheses.
const NAMES: &[&str] = &[
    "bigint",
    "bit",
    "bool",
    "boolean",
    "box",
    "bpchar",
    "bytea",
    "char",
    "character",
    "cid",
    "cidr",
    "circle",
    "date",
    "datemultirange",
    "daterange",
    "dec",
    "decimal",
    "float",
    "float4",
    "float8",
    "inet",
    "int",
    "int2",
    "int2vector",
    "int4",
    "int4multirange",
    "int4range",
    "int8",
    "int8multirange",
    "int8range",
    "integer",
    "interval",
    "json",
    "jsonb",
    "jsonpath",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "nchar",
    "numeric",
    "nummultirange",
    "numrange",
    "oid",
    "oidvector",
    "path",
    "pg_lsn",
    "pg_snapshot",
    "point",
    "polygon",
    "real",
    "regclass",
    "regcollation",
    "regconfig",
    "regnamespace",
    "regtype",
    "smallint",
    "text",
    "tid",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "txid_snapshot",
    "uuid",
    "varbit",
    "varchar",
    "xid",
    "xid8",
    "xml",
];

/// Names that are types only in PostgreSQL's grammar. In quotes they name no type, or a user's.
const WITHOUT_QUOTES: &[&str] =
    &["bigint", "boolean", "character", "dec", "decimal", "float", "int", "integer", "nchar", "real", "smallint"];

/// Returns whether the name is a type of PostgreSQL's own that may be cast to.
pub(super) fn is_known(name: &str) -> bool {
    NAMES.binary_search(&name).is_ok()
}

/// Returns whether the name in double quotes is a type of PostgreSQL's own that may be cast to.
pub(super) fn is_known_in_quotes(name: &str) -> bool {
    is_known(name) && !WITHOUT_QUOTES.contains(&name)
}

/// Refuses every type except PostgreSQL's own harmless ones, the users' types that the policy allows, and arrays of
/// either.
pub(super) fn check(data_type: &DataType, policy: &Policy) -> Result<(), Refusal> {
    match element(data_type) {
        DataType::Character(_)
        | DataType::Char(_)
        | DataType::CharacterVarying(_)
        | DataType::CharVarying(_)
        | DataType::Varchar(_)
        | DataType::Uuid
        | DataType::Numeric(_)
        | DataType::Decimal(_)
        | DataType::Dec(_)
        | DataType::Float(_)
        | DataType::Int2(_)
        | DataType::SmallInt(_)
        | DataType::Int(_)
        | DataType::Int4(_)
        | DataType::Int8(_)
        | DataType::Integer(_)
        | DataType::BigInt(_)
        | DataType::Float4
        | DataType::Real
        | DataType::Float8
        | DataType::DoublePrecision
        | DataType::Bool
        | DataType::Boolean
        | DataType::Date
        | DataType::Time(..)
        | DataType::Timestamp(..)
        | DataType::Interval { .. }
        | DataType::JSON
        | DataType::JSONB
        | DataType::Regclass
        | DataType::Text
        | DataType::Bytea
        | DataType::Bit(_)
        | DataType::BitVarying(_)
        | DataType::VarBit(_)
        | DataType::GeometricType(_)
        | DataType::TsVector
        | DataType::TsQuery => Ok(()),
        DataType::Custom(name, _) => check_named(name, policy),
        _ => Err(data_type_refused("that type")),
    }
}

/// Returns the type of an array's elements, at any depth, or the type itself if it is not an array.
fn element(data_type: &DataType) -> &DataType {
    let mut element = data_type;
    while let DataType::Array(ArrayElemTypeDef::SquareBracket(inner, _) | ArrayElemTypeDef::Qualified(inner, _)) =
        element
    {
        element = inner;
    }
    element
}

fn check_named(name: &ObjectName, policy: &Policy) -> Result<(), Refusal> {
    match names::parts(name)?.as_slice() {
        [name] if name.quote_style.is_none() && is_known(&name.value) => Ok(()),
        [name] if is_known_in_quotes(&name.value) => Ok(()),
        [schema, name] if schema.value == "pg_catalog" && is_known(&name.value) => Ok(()),
        _ if castable(name, policy).is_some() => Ok(()),
        [.., name] => Err(data_type_refused(&name.value)),
        [] => Err(data_type_refused("that type")),
    }
}

/// Returns the types that values of a user's type hold, including the type itself; `None` if it may not be cast to.
fn castable<'policy>(name: &ObjectName, policy: &'policy Policy) -> Option<&'policy BTreeSet<u32>> {
    match names::parts(name).ok()?.as_slice() {
        [name] => policy.castable.get(&name.value),
        [schema, name] => policy.castable.get(&format!("{}.{}", schema.value, name.value)),
        _ => None,
    }
}

/// Returns the users' types, by oid, that the query makes values of, and the types that such values hold. Looks at
/// every place where the walk accepts a type.
pub(super) fn made(query: &Query, policy: &Policy) -> BTreeSet<u32> {
    let mut made = Made { policy, types: BTreeSet::new() };
    if !policy.castable.is_empty() {
        let _ = query.visit(&mut made);
    }
    made.types
}

struct Made<'policy> {
    policy: &'policy Policy,
    types: BTreeSet<u32>,
}

impl Visitor for Made<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Cast { data_type, .. } | Expr::TypedString(TypedString { data_type, .. }) => self.add(data_type),
            Expr::Function(Function { args: FunctionArguments::List(list), .. }) => {
                for clause in &list.clauses {
                    if let FunctionArgumentClause::JsonReturningClause(returning) = clause {
                        self.add(&returning.data_type);
                    }
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        match factor {
            TableFactor::Table { alias, .. }
            | TableFactor::Derived { alias, .. }
            | TableFactor::Function { alias, .. }
            | TableFactor::UNNEST { alias, .. }
            | TableFactor::NestedJoin { alias, .. } => self.add_listed(alias.as_ref()),
            TableFactor::JsonTable { columns, alias, .. } => {
                for column in columns {
                    self.add_json(column);
                }
                self.add_listed(alias.as_ref());
            }
            TableFactor::XmlTable { columns, alias, .. } => {
                for column in columns {
                    if let XmlTableColumnOption::NamedInfo { r#type, .. } = &column.option {
                        self.add(r#type);
                    }
                }
                self.add_listed(alias.as_ref());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Made<'_> {
    fn add(&mut self, data_type: &DataType) {
        if let DataType::Custom(name, _) = element(data_type) {
            self.types.extend(castable(name, self.policy).into_iter().flatten());
        }
    }

    fn add_listed(&mut self, alias: Option<&TableAlias>) {
        let listed = alias.into_iter().flat_map(|alias| &alias.columns);
        listed.filter_map(|column| column.data_type.as_ref()).for_each(|data_type| self.add(data_type));
    }

    fn add_json(&mut self, column: &JsonTableColumn) {
        match column {
            JsonTableColumn::Named(column) => self.add(&column.r#type),
            JsonTableColumn::ForOrdinality(_) => {}
            JsonTableColumn::Nested(nested) => nested.columns.iter().for_each(|column| self.add_json(column)),
        }
    }
}

fn data_type_refused(name: &str) -> Refusal {
    data_type(format!(
        "{} is not a type that may be cast to; compare an enum with plain text, and cast to PostgreSQL's own types",
        seen(name)
    ))
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_sorted_so_that_they_can_be_searched() {
        assert!(super::NAMES.is_sorted());
    }
}
