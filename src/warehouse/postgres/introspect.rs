//! A database -> a [`Catalog`], in one trip: what there is and what the planner knows of it are asked side by side.
//!
//! Only what the role may SELECT is in it; partitions are hidden behind their table. It reads the system's catalog
//! alone, never a table's rows, so its cost does not depend on how much is stored.

use std::collections::HashMap;

use serde::Deserialize;

use super::code;
use super::protocol::{Postgres, own};
use crate::warehouse;
use crate::warehouse::catalog::{Catalog, Column, Error, Introspected, Selection, Statistics, Table, ValueKind};

/// How many common values a column keeps: what the model can make use of.
const COMMON_VALUES_MAX: usize = 12;
/// Characters of a value kept; what is longer ends in `…`.
const VALUE_CHARACTERS_MAX: usize = 80;

const STRUCTURE: &str = concat!(include_str!("introspect/relations.sql"), include_str!("introspect/structure.sql"));
const STATISTICS: &str = concat!(include_str!("introspect/relations.sql"), include_str!("introspect/statistics.sql"));
/// Of every selection.
const READABLE: &str = include_str!("introspect/left_out.sql");
const UNMATCHED: &str = concat!(include_str!("introspect/relations.sql"), include_str!("introspect/unmatched.sql"));

/// Reads the catalog of `database`.
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

/// All relations that the role may read, where the selection may leave some out.
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

/// What the selection names in vain. A misspelt exclusion is an error: it would show what must not be seen.
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

/// `*` to LIKE's `%`, everything else to itself.
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
        // Without a histogram, values that are not common may be beyond those that are.
        let all_known = !ends.is_empty() || distinct.is_some_and(|distinct| common.len() as f64 >= distinct);
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

/// The smallest and the largest. The histogram's ends leave the common values out, so numbers and dates are compared;
/// text, whose order is the server's, has the histogram's ends or nothing.
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
