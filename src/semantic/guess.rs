//! Guesses of a table that nobody wrote: what its rows are called, and which of them count. Each is marked as a guess.

use super::words::{singular, words};
use crate::warehouse::catalog::{Catalog, Column, Filter, Table, VOID_STEMS};
use crate::warehouse::sql::identifier;

/// Characters of such a value, at most.
const VALUE_CHARACTERS_MAX: usize = 40;
/// Values of a column that marks rows as void, at most: more are no states.
const STATES_MAX: f64 = 20.0;

/// Guesses what is missing of each table.
pub(super) fn complete(catalog: &mut Catalog) {
    let names = catalog.tables.iter().map(|table| table.name.clone()).collect::<Vec<_>>();
    for table in &mut catalog.tables {
        // Rows of two tables of one name are told apart by their schemas.
        let is_alone = names.iter().filter(|name| **name == table.name).count() == 1;
        if table.noun.is_none() && is_alone {
            table.noun = noun(table);
            table.noun_guessed = table.noun.is_some();
        }
        if table.declared.filter.is_none() {
            table.declared.filter = filter(table).map(|sql| Filter { sql, guessed: true, parts: Vec::new() });
        }
    }
}

/// Returns what the rows are called: the table's name, if it is a plural and the key says that a row is one of these.
fn noun(table: &Table) -> Option<String> {
    let [key] = table.primary_key.as_slice() else { return None };
    let name = words(&table.name);
    let one = name.iter().map(|word| singular(word)).collect::<Vec<_>>();
    let last = name.last()?;
    let is_plural = one.last() != Some(last) && name.iter().all(|word| word.chars().all(char::is_alphabetic));
    let key = words(key);
    let is_its_key = match key.split_last()? {
        (end, []) => matches!(end.as_str(), "id" | "no" | "nr" | "number" | "code" | "key"),
        (_, stem) => stem.iter().map(|word| singular(word)).eq(one.iter().cloned()) || stem.last() == one.last(),
    };
    (is_plural && is_its_key).then(|| name.join(" "))
}

/// Returns the rows that count: those that no column marks as void.
fn filter(table: &Table) -> Option<String> {
    let parts = table.columns.iter().filter_map(void).collect::<Vec<_>>();
    (!parts.is_empty()).then(|| parts.join(" AND "))
}

/// Returns the condition that a column does not mark the row as void; `None` if it marks none.
fn void(column: &Column) -> Option<String> {
    if column.sensitive {
        return None;
    }
    let statistics = column.statistics.as_ref();
    let is_state = statistics.and_then(|known| known.distinct).is_none_or(|distinct| distinct <= STATES_MAX);
    let known = statistics.iter().flat_map(|known| &known.common_values).chain(&column.enum_values);
    let is_void = |value: &&String| {
        let lower = value.to_lowercase();
        let is_plain = value.chars().count() <= VALUE_CHARACTERS_MAX && !value.chars().any(char::is_control);
        is_plain && (lower == "test" || VOID_STEMS.iter().any(|stem| lower.starts_with(stem)))
    };
    let literal = |value: &String| format!("'{}'", value.replace('\'', "''"));
    let mut values = known.filter(is_void).map(literal).collect::<Vec<_>>();
    values.sort();
    values.dedup();
    let name = identifier(&column.name);
    match values.as_slice() {
        [] => None,
        _ if !is_state => None,
        [only] => Some(format!("{name} IS DISTINCT FROM {only}")),
        several => Some(format!("({name} IS NULL OR {name} NOT IN ({}))", several.join(", "))),
    }
}
