//! Reads the [`Catalog`] of a database: structure, statistics and code, with concurrent statements.
//!
//! The catalog contains only relations that the role may SELECT from, and no partitions, because their table stands for
//! them. Only the system catalog is read, never the rows of a table, so the cost does not depend on the amount of data.

use std::collections::HashMap;

use serde::Deserialize;

use super::code;
use super::protocol::{Postgres, own};
use crate::warehouse;
use crate::warehouse::catalog::{Catalog, Column, Error, Introspected, Selection, Statistics, Table, ValueKind};

/// The most common values that are kept per column. More would be of no use to the model.
const COMMON_VALUES_MAX: usize = 12;
/// The most characters of a value. A longer one is cut and ends in `…`.
const VALUE_CHARACTERS_MAX: usize = 80;

const STRUCTURE: &str = concat!(include_str!("introspect/relations.sql"), include_str!("introspect/structure.sql"));
const STATISTICS: &str = concat!(include_str!("introspect/relations.sql"), include_str!("introspect/statistics.sql"));
/// All relations that the role may read, regardless of the selection.
const READABLE: &str = include_str!("introspect/left_out.sql");
const UNMATCHED: &str = concat!(include_str!("introspect/relations.sql"), include_str!("introspect/unmatched.sql"));

/// Reads the catalog of `database`. Returns an error if an excluded name or pattern matches nothing.
pub(super) async fn introspect(database: &dyn Postgres, selection: &Selection) -> Result<Introspected, Error> {
    let patterns = |texts: &[String]| texts.iter().map(|text| like_pattern(text)).collect::<Vec<_>>();
    let (include, exclude) = (patterns(&selection.include), patterns(&selection.exclude));
    let parameters: [&[String]; 3] = [&selection.schemas, &include, &exclude];
    let (structure, statistics, unmatched, readable, code) = tokio::join!(
        own(database, STRUCTURE, &parameters),
        own(database, STATISTICS, &parameters),
        unmatched(database, selection, &parameters),
        readable(database, selection),
        code::read(database),
    );
    let mut warnings = unmatched?;
    let mut tables = documents(&structure?)?;
    match statistics {
        Ok(rows) => add_statistics(&mut tables, documents(&rows)?),
        Err(warehouse::Error::Statement { message }) => warnings.push(format!(
            "statistics cannot be read, so common values and ranges are unknown ({message}); grant SELECT on pg_stats"
        )),
        Err(error) => return Err(error.into()),
    }
    let mut left_out = readable?;
    left_out.retain(|(schema, name)| !tables.iter().any(|table| table.schema == *schema && table.name == *name));
    Ok(Introspected { catalog: Catalog { tables, business_context: None }, warnings, left_out, code: code? })
}

/// Returns all relations that the role may read, as (schema, name). Empty for the default selection, which leaves none
/// out.
async fn readable(database: &dyn Postgres, selection: &Selection) -> Result<Vec<(String, String)>, warehouse::Error> {
    if *selection == Selection::default() {
        return Ok(Vec::new());
    }
    let rows = own(database, READABLE, &[]).await?.rows;
    let named = |row: Vec<Option<String>>| match <[Option<String>; 2]>::try_from(row) {
        Ok([Some(schema), Some(name)]) => Some((schema, name)),
        Ok(_) | Err(_) => None,
    };
    Ok(rows.into_iter().filter_map(named).collect())
}

/// Returns warnings about names in the selection that match nothing. A misspelt exclusion is an error, because the
/// relation that must not be read would be shown.
async fn unmatched(
    database: &dyn Postgres,
    selection: &Selection,
    parameters: &[&[String]],
) -> Result<Vec<String>, Error> {
    if *selection == Selection::default() {
        return Ok(Vec::new());
    }
    let rows = own(database, UNMATCHED, parameters).await?.rows;
    let in_vain = |row: &Vec<Option<String>>| match row.as_slice() {
        [Some(kind), Some(pattern)] if kind == "exclusion" => {
            selection.exclude.iter().find(|text| like_pattern(text) == *pattern).cloned()
        }
        _ => None,
    };
    let in_vain = rows.iter().filter_map(in_vain).collect::<Vec<_>>();
    if !in_vain.is_empty() {
        return Err(Error::ExcludesNothing(in_vain.join(", ")));
    }
    let named = |row: &Vec<Option<String>>| match row.as_slice() {
        [Some(kind), Some(name)] if kind == "schema" => {
            Some(format!("schema {name} does not exist, or the role has no USAGE on it"))
        }
        [Some(_), Some(pattern)] => {
            let text = selection.include.iter().find(|text| like_pattern(text) == *pattern)?;
            Some(format!("no table that the role may read is called {text}"))
        }
        _ => None,
    };
    Ok(rows.iter().filter_map(named).collect())
}

/// Converts a pattern to one of LIKE: `*` becomes `%`, and all other characters are literal.
fn like_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '*' => pattern.push('%'),
            '%' | '_' | '\\' => pattern.extend(['\\', character]),
            character => pattern.push(character),
        }
    }
    pattern
}

fn documents<Document: for<'text> Deserialize<'text>>(
    rows: &crate::warehouse::table::Table,
) -> Result<Vec<Document>, serde_json::Error> {
    rows.rows.iter().flatten().flatten().map(|text| serde_json::from_str(text)).collect()
}

#[derive(Deserialize)]
struct Analysed {
    schema: String,
    name: String,
    columns: Vec<AnalysedColumn>,
}

#[derive(Deserialize)]
struct AnalysedColumn {
    name: String,
    null_fraction: f64,
    distinct: f64,
    common_values: Option<Vec<Option<String>>>,
    common_shares: Option<Vec<f64>>,
    lowest: Option<String>,
    highest: Option<String>,
}

fn add_statistics(tables: &mut [Table], analysed: Vec<Analysed>) {
    let mut columns_of = analysed
        .into_iter()
        .map(|table| ((table.schema, table.name), table.columns))
        .collect::<HashMap<_, Vec<AnalysedColumn>>>();
    for table in tables {
        let Some(analysed) = columns_of.remove(&(table.schema.clone(), table.name.clone())) else { continue };
        for statistics in analysed {
            if let Some(column) = table.columns.iter_mut().find(|column| column.name == statistics.name) {
                column.statistics = Some(statistics.into_statistics(column, table.rows_estimate));
            }
        }
    }
}

impl AnalysedColumn {
    #[expect(clippy::cast_precision_loss, reason = "an estimate of the rows needs no more than 52 bits")]
    fn into_statistics(self, column: &Column, rows_estimate: Option<u64>) -> Statistics {
        let distinct = match self.distinct {
            0.0 => None,
            share if share < 0.0 => rows_estimate.map(|rows| (-share * rows as f64).round()),
            count => Some(count),
        };
        let common = self.common_values.unwrap_or_default().into_iter().flatten().collect::<Vec<_>>();
        let ends = self.lowest.into_iter().chain(self.highest).collect::<Vec<_>>();
        // Without a histogram, values that are not common may lie outside the range of the common ones. PostgreSQL makes one
        // of two values or more.
        let all_known = !ends.is_empty() || distinct.is_some_and(|distinct| common.len() as f64 + 1.0 >= distinct);
        let (minimum, maximum) = if all_known { range(column.value_kind(), &common, &ends) } else { (None, None) };
        let common = common.into_iter().take(COMMON_VALUES_MAX).map(cut).collect::<Vec<_>>();
        let shares = self.common_shares.unwrap_or_default().into_iter().take(common.len()).collect();
        Statistics {
            null_fraction: self.null_fraction,
            distinct,
            common_values: common,
            common_shares: shares,
            minimum: minimum.map(cut),
            maximum: maximum.map(cut),
        }
    }
}

/// Returns the smallest and the largest value, if they are known. The histogram does not contain the common values, so
/// numbers and dates are compared with both. Text is not compared, because its order depends on the server's collation:
/// its range is that of the histogram.
fn range(kind: ValueKind, common: &[String], ends: &[String]) -> (Option<String>, Option<String>) {
    let mut candidates = common.iter().chain(ends).collect::<Vec<_>>();
    match kind {
        ValueKind::Number => {
            let number = |text: &&String| text.parse::<f64>().ok().filter(|number| !number.is_nan());
            candidates.retain(|text| number(text).is_some());
            candidates
                .sort_by(|left, right| number(left).partial_cmp(&number(right)).unwrap_or(std::cmp::Ordering::Equal));
        }
        ValueKind::Moment => {
            candidates.retain(|text| text.starts_with(|first: char| first.is_ascii_digit()) && !text.ends_with("BC"));
            candidates.sort();
        }
        ValueKind::Text => candidates = ends.iter().collect(),
        ValueKind::Boolean | ValueKind::Other => candidates.clear(),
    }
    (candidates.first().map(|text| (*text).clone()), candidates.last().map(|text| (*text).clone()))
}

fn cut(value: String) -> String {
    match value.char_indices().nth(VALUE_CHARACTERS_MAX) {
        Some((end, _)) => value[..end].to_owned() + "…",
        None => value,
    }
}
