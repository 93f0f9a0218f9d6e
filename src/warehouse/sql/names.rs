//! Checks the parser's names and refuses those that PostgreSQL does not have: names made by calls, and strings as
//! names.

use sqlparser::ast::{Ident, ObjectName, ObjectNamePart};

use super::keywords;
use super::refusal::{Refusal, seen, syntax};

/// Returns the parts of a dotted name.
pub(super) fn parts(name: &ObjectName) -> Result<Vec<&Ident>, Refusal> {
    let parts = name.0.iter().map(|part| match part {
        ObjectNamePart::Identifier(ident) => Ok(ident),
        ObjectNamePart::Function(_) => {
            Err(syntax("a name made by a call is not PostgreSQL syntax; write the name itself"))
        }
    });
    parts.collect()
}

/// Returns the parts of the dotted name of a relation or column. Refuses the name if its first part does not pass
/// [`check`].
pub(super) fn checked_parts(name: &ObjectName) -> Result<Vec<&Ident>, Refusal> {
    let parts = parts(name)?;
    parts.first().map_or(Ok(()), |first| check(first))?;
    Ok(parts)
}

/// Refuses a name that PostgreSQL would not read as a name: a reserved word without quotes, or a string.
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

/// Formats a name as SQL, for use in a message: bare if PostgreSQL would read it back unchanged, and in double quotes
/// otherwise.
pub(crate) fn quoted(name: &str) -> String {
    if is_bare(name) { seen(name) } else { format!("\"{}\"", seen(name).replace('"', "\"\"")) }
}

/// Writes a name as SQL that PostgreSQL reads back unchanged, whatever is in it.
pub(crate) fn identifier(name: &str) -> String {
    if is_bare(name) { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Writes the name of a relation with its schema, each as [`identifier`] does.
pub(crate) fn relation(schema: &str, name: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(name))
}

/// Returns whether PostgreSQL reads the name back unchanged if it is written without quotes.
pub(crate) fn is_bare(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name
            .chars()
            .all(|character| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_')
        && !is_reserved(name)
}

/// Returns whether PostgreSQL reads the bare word as something other than a name in at least one place.
fn is_reserved(name: &str) -> bool {
    const RESERVED: &str = "all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both \
        case cast char character check coalesce collate collation column concurrently constraint create cross \
        current_catalog current_date current_role current_schema current_time current_timestamp current_user dec \
        decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign \
        freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect \
        interval into is isnull join lateral leading least left like limit localtime localtimestamp national natural \
        nchar none normalize not notnull null nullif numeric offset on only or order out outer overlaps overlay \
        placing position precision primary real references returning right row select session_user setof similar \
        smallint some substring symmetric system_user table tablesample then time timestamp to trailing treat trim \
        true union unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat \
        xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable";
    RESERVED.split(' ').any(|word| word == name)
}
