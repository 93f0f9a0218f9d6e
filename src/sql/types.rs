//! Which types a value may be cast to, or a column of a record be declared as: PostgreSQL's own.
//!
//! A cast to another type runs that type's input function or a cast function, which may be anybody's code, so types of
//! the database's users are refused, but for enums that no cast function leads to, and those of trusted extensions. Of
//! the types that look names up in the catalogue, `regclass`, `regtype` and `regnamespace` are allowed, which tell no more
//! than `pg_class`, `pg_type` and `pg_namespace` do; those for functions, operators and roles are refused.

use sqlparser::ast::{ArrayElemTypeDef, DataType, ObjectName};

use super::refusal::{Refusal, data_type, seen};
use super::{Policy, names};

/// Names of types as they are written before a string constant or with a modifier in parentheses.
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
    "path",
    "point",
    "polygon",
    "real",
    "regclass",
    "regconfig",
    "regnamespace",
    "regtype",
    "smallint",
    "text",
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
    "uuid",
    "varbit",
    "varchar",
    "xid",
    "xid8",
    "xml",
];

/// Whether it is a type of PostgreSQL's own that may be cast to.
pub(super) fn is_known(name: &str) -> bool {
    NAMES.binary_search(&name).is_ok()
}

/// Refuses every type but PostgreSQL's own harmless ones and arrays of them.
pub(super) fn check(data_type: &DataType, policy: &Policy) -> Result<(), Refusal> {
    let mut element = data_type;
    while let DataType::Array(ArrayElemTypeDef::SquareBracket(inner, _) | ArrayElemTypeDef::Qualified(inner, _)) =
        element
    {
        element = inner;
    }
    match element {
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

fn check_named(name: &ObjectName, policy: &Policy) -> Result<(), Refusal> {
    match names::parts(name)?.as_slice() {
        [name] if is_known(&name.value) => Ok(()),
        [schema, name] if schema.value == "pg_catalog" && is_known(&name.value) => Ok(()),
        [name] if policy.castable.contains(&name.value) => Ok(()),
        [schema, name] if policy.castable.contains(&format!("{}.{}", schema.value, name.value)) => Ok(()),
        [.., name] => Err(data_type_refused(&name.value)),
        [] => Err(data_type_refused("that type")),
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
