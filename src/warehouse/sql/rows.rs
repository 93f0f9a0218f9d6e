//! The columns that PostgreSQL's own functions return in FROM.
//!
//! The lists come from `pg_proc` (`proargnames`, `proargmodes`) of PostgreSQL 15, for every function of
//! `functions.txt`. The other functions return bare values, in one column that takes the alias's name.

use super::fields::{Field, Fields, Shape};

/// Functions that return columns with names of their own.
const OF_FUNCTIONS: &[(&str, &[&str])] = &[
    ("json_array_elements", &["value"]),
    ("json_array_elements_text", &["value"]),
    ("json_each", &["key", "value"]),
    ("json_each_text", &["key", "value"]),
    ("jsonb_array_elements", &["value"]),
    ("jsonb_array_elements_text", &["value"]),
    ("jsonb_each", &["key", "value"]),
    ("jsonb_each_text", &["key", "value"]),
    ("pg_timezone_abbrevs", &["abbrev", "utc_offset", "is_dst"]),
    ("pg_timezone_names", &["name", "abbrev", "utc_offset", "is_dst"]),
];

/// The columns of `unnest` of a text search vector.
const OF_VECTORS: &[&str] = &["lexeme", "positions", "weights"];

/// Functions whose columns are those of their first argument or of the alias's column list.
const AS_ARGUED: &[&str] = &[
    "json_populate_record",
    "json_populate_recordset",
    "json_to_record",
    "json_to_recordset",
    "jsonb_populate_record",
    "jsonb_populate_recordset",
    "jsonb_to_record",
    "jsonb_to_recordset",
];

/// Returns the shape of a call used as a value: a row with the function's own columns, the shape of its argument, or
/// plain.
pub(super) fn shape(name: &str, argument: impl FnOnce() -> Shape) -> Shape {
    if let Some((_, columns)) = OF_FUNCTIONS.iter().find(|(known, columns)| *known == name && columns.len() > 1) {
        return Shape::Row(Fields::plain(columns.iter().copied()).into());
    }
    match name {
        "unnest" => argument().element(),
        _ if AS_ARGUED.contains(&name) => argument(),
        _ => Shape::Plain,
    }
}

/// Returns the columns of a function in FROM under an alias, and the names that unknown columns may have. Such names
/// are returned for bare values of unknown type, which may be rows.
pub(super) fn fields(function: &str, alias: &str, arguments: &[Shape]) -> (Fields, Vec<String>) {
    if let Some((_, columns)) = OF_FUNCTIONS.iter().find(|(known, _)| *known == function) {
        return (Fields::plain(columns.iter().copied()), Vec::new());
    }
    match (function, arguments) {
        ("unnest", [argument]) => match argument.element() {
            Shape::Row(fields) => ((*fields).clone(), Vec::new()),
            shape @ Shape::Array(_) => (Fields { list: vec![named(alias, shape)], open: false }, Vec::new()),
            Shape::Plain => (Fields::unknown(), OF_VECTORS.iter().copied().chain([alias]).map(str::to_owned).collect()),
        },
        ("unnest", _) => (Fields::unknown(), vec!["unnest".to_owned()]),
        (_, [Shape::Row(fields), ..]) if AS_ARGUED.contains(&function) => ((**fields).clone(), Vec::new()),
        _ if AS_ARGUED.contains(&function) => (Fields::unknown(), Vec::new()),
        _ => (Fields::unknown(), vec![alias.to_owned()]),
    }
}

fn named(name: &str, shape: Shape) -> Field {
    Field { shape, ..Field::plain(name) }
}
