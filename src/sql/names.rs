//! The parser's names, less what PostgreSQL has not: names made by calls, and strings as names.

use sqlparser::ast::{Ident, ObjectName, ObjectNamePart};

use super::keywords;
use super::refusal::{Refusal, seen, syntax};

/// The parts of a dotted name.
pub(super) fn parts(name: &ObjectName) -> Result<Vec<&Ident>, Refusal> {
    let parts = name.0.iter().map(|part| match part {
        ObjectNamePart::Identifier(ident) => Ok(ident),
        ObjectNamePart::Function(_) => Err(syntax("a name made by a call is not SQL of PostgreSQL")),
    });
    parts.collect()
}

/// The parts of the dotted name of a relation or column, of which the first is no key word that cannot be one.
pub(super) fn checked_parts(name: &ObjectName) -> Result<Vec<&Ident>, Refusal> {
    let parts = parts(name)?;
    parts.first().map_or(Ok(()), |first| check(first))?;
    Ok(parts)
}

/// Refuses a name that PostgreSQL would not read as one: a reserved word without quotes, or a string.
pub(super) fn check(name: &Ident) -> Result<(), Refusal> {
    match name.quote_style {
        Some('"') => Ok(()),
        None if keywords::is_name(&name.value) => Ok(()),
        None => Err(syntax(format!(
            "{} is a key word and cannot be a name here; if it is a column, write \"{}\"",
            name.value.to_uppercase(),
            name.value
        ))),
        Some(_) => {
            Err(syntax(format!("'{}' is a string where a name belongs; names take double quotes", seen(&name.value))))
        }
    }
}

/// The name as a query has to write it.
pub(super) fn quoted(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(|character| matches!(character, 'a'..='z' | '0'..='9' | '_'));
    if plain && keywords::is_name(name) { name.to_owned() } else { format!("\"{}\"", seen(name).replace('"', "\"\"")) }
}
