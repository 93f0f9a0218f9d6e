//! Guesses where a column leads that no foreign key declares: by its name, and by a look at the data.
//!
//! A partitioned table cannot be referred to by its number alone, many warehouses declare no keys at all, and files have
//! none. A guess holds if no value is there twice on the side that it leads to, and almost all values of a sample are
//! found there.

use std::time::{Duration, Instant};

use super::metadata::Metadata;
use super::words::{singular, words};
use crate::warehouse::Limits;
use crate::warehouse::catalog::{Catalog, Column, ForeignKey, Origin, Table, TableKind, ValueKind};
use crate::warehouse::executor::Executor;
use crate::warehouse::sql::{identifier, relation};
use crate::warehouse::table::Table as Rows;

/// Guesses that are tried in one run.
const CANDIDATES_MAX: usize = 24;
/// Rows of a table beyond which it is not looked through for values that are there twice.
const ROWS_MAX: u64 = 5_000_000;
/// Rows whose values are looked for.
const SAMPLE_ROWS: u32 = 10_000;
/// The share of the values that must be found.
pub(super) const MATCHED_MIN: f64 = 0.95;
/// The time that all looks may take.
const TIME_MAX: Duration = Duration::from_secs(10);
/// Ends of a name that say that it is a key.
const KEY_ENDS: &[&str] = &["id", "key", "code", "no", "nr", "number", "uuid", "sk", "fk"];

/// A column that may lead to another table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    /// The index of the table in the catalog.
    from: usize,
    key: ForeignKey,
}

/// What a look at the data says of a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Whether a value is there twice on the side that it leads to.
    pub is_repeated: bool,
    /// Distinct values of the sample.
    pub values: u64,
    /// How many of them are found.
    pub matched: u64,
}

impl Look {
    /// Returns the share of the values that are found, from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "counts of a sample")]
    pub fn share(&self) -> f64 {
        self.matched as f64 / self.values.max(1) as f64
    }

    fn holds(&self) -> bool {
        !self.is_repeated && self.values > 1 && self.share() >= MATCHED_MIN
    }
}

/// Adds the keys that names suggest and data confirm. Keys that are known, or that the metadata say, are left alone.
pub async fn guess(executor: &Executor, catalog: &mut Catalog, metadata: &Metadata) {
    let started = Instant::now();
    for candidate in candidates(catalog, metadata) {
        let time_left = TIME_MAX.saturating_sub(started.elapsed());
        if time_left.is_zero() {
            tracing::info!("not all possible joins were looked at: declare them in the metadata");
            break;
        }
        let look = look(executor, &catalog.tables[candidate.from], &candidate.key, time_left).await;
        if look.is_ok_and(|look| look.holds()) {
            catalog.join(candidate.from, candidate.key);
        }
    }
}

/// Looks at the data of a key.
pub async fn look(executor: &Executor, from: &Table, key: &ForeignKey, time: Duration) -> Result<Look, String> {
    let select = executor.validate(&text(from, key)).await.map_err(|refusal| refusal.to_string())?;
    let limits = Limits::of_query(time, 2, None);
    let rows = executor.run_within(&select, &limits).await.map_err(|error| error.to_string())?;
    read(&rows).ok_or_else(|| "the look at the data returned no counts".to_owned())
}

fn read(rows: &Rows) -> Option<Look> {
    let number = |column: usize| rows.cell(0, column)?.parse::<u64>().ok();
    Some(Look { is_repeated: number(0)? > 0, values: number(1)?, matched: number(2)? })
}

/// Returns the statement that counts the values of a sample, and those that are found.
fn text(from: &Table, key: &ForeignKey) -> String {
    let list = |prefix: &str, names: &[String]| {
        names.iter().map(|name| format!("{prefix}{}", identifier(name))).collect::<Vec<_>>().join(", ")
    };
    let (to, referred) = (relation(&key.schema, &key.table), list("", &key.referred));
    let pairs = key.columns.iter().zip(&key.referred);
    let on = pairs.map(|(column, referred)| format!("r.{} = s.{}", identifier(referred), identifier(column)));
    let known = key.columns.iter().map(|column| format!("{} IS NOT NULL", identifier(column)));
    format!(
        "SELECT (SELECT count(*) FROM (SELECT 1 FROM {to} GROUP BY {referred} HAVING count(*) > 1 LIMIT 1) d), \
         count(*), count(r.{}) \
         FROM (SELECT DISTINCT {columns} FROM (SELECT {columns} FROM {} WHERE {} LIMIT {SAMPLE_ROWS}) f) s \
         LEFT JOIN {to} r ON {}",
        key.referred.first().map(|name| identifier(name)).unwrap_or_default(),
        relation(&from.schema, &from.name),
        known.collect::<Vec<_>>().join(" AND "),
        on.collect::<Vec<_>>().join(" AND "),
        columns = list("", &key.columns),
    )
}

/// Returns the keys that names suggest, those of the largest tables first.
fn candidates(catalog: &Catalog, metadata: &Metadata) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (from, table) in catalog.tables.iter().enumerate().filter(|(_, table)| is_plain(table)) {
        let file = metadata.files.iter().find(|file| file.tables_in(catalog) == [from]);
        let said = file.map(|file| file.content.joins.as_slice()).unwrap_or_default();
        let is_open = |column: &&Column| {
            let is_key = is_own_number(table, column);
            let leads = table.foreign_keys.iter().any(|key| key.columns.contains(&column.name))
                || said.iter().any(|join| join.columns == [column.name.as_str()]);
            !is_key && !leads && !column.is_withheld() && is_key_kind(column)
        };
        for column in table.columns.iter().filter(is_open) {
            found.extend(target(catalog, from, column).map(|key| Candidate { from, key }));
        }
    }
    found.sort_by_key(|candidate| std::cmp::Reverse(catalog.tables[candidate.from].rows_estimate));
    found.truncate(CANDIDATES_MAX);
    found
}

fn is_plain(table: &Table) -> bool {
    matches!(table.kind, TableKind::Table | TableKind::Partitioned)
}

fn is_key_kind(column: &Column) -> bool {
    matches!(column.value_kind(), ValueKind::Number | ValueKind::Text)
}

/// Returns the one table to which a column leads by its name: the table that is called so, or else the one whose rows are
/// numbered by a column of the same name.
fn target(catalog: &Catalog, from: usize, column: &Column) -> Option<ForeignKey> {
    by_table(catalog, from, column).or_else(|| by_number(catalog, from, column))
}

/// Returns the one table whose rows are numbered by a column of the same name: `basket_lines.order_id` leads to `baskets`.
fn by_number(catalog: &Catalog, from: usize, column: &Column) -> Option<ForeignKey> {
    let name = words(&column.name);
    let is_named = name.len() > 1 && name.last().is_some_and(|end| KEY_ENDS.contains(&end.as_str()));
    let numbers = |table: &Table| {
        let known = table.column(&column.name)?;
        let is_it = is_own_number(table, known) && known.value_kind() == column.value_kind() && !known.is_withheld();
        (is_it && is_plain(table) && table.rows_estimate.is_none_or(|rows| rows <= ROWS_MAX)).then(|| known.clone())
    };
    let others = catalog.tables.iter().enumerate().filter(|(index, _)| *index != from && is_named);
    let mut targets = others.filter_map(|(_, table)| Some((table, numbers(table)?)));
    let (Some((table, referred)), None) = (targets.next(), targets.next()) else { return None };
    Some(guessed(column, table, &referred))
}

/// Returns whether a column numbers the rows of its own table: its key, or, where none is declared, the first column if it
/// tells all rows apart.
fn is_own_number(table: &Table, column: &Column) -> bool {
    let is_first = table.columns.first().is_some_and(|first| first.name == column.name);
    let distinct = column.statistics.as_ref().and_then(|known| known.distinct);
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let tells_apart = distinct.zip(table.rows_estimate).is_some_and(|(distinct, rows)| distinct >= 0.99 * rows as f64);
    match table.primary_key.as_slice() {
        [only] => *only == column.name,
        [] => is_first && tells_apart && is_key_kind(column),
        _ => false,
    }
}

fn guessed(column: &Column, table: &Table, referred: &Column) -> ForeignKey {
    ForeignKey {
        columns: vec![column.name.clone()],
        schema: table.schema.clone(),
        table: table.name.clone(),
        referred: vec![referred.name.clone()],
        is_valid: false,
        origin: Origin::Guessed,
    }
}

/// Returns the one table that is called as a column that leads to it.
fn by_table(catalog: &Catalog, from: usize, column: &Column) -> Option<ForeignKey> {
    let mut name = words(&column.name);
    if !KEY_ENDS.contains(&name.last()?.as_str()) || name.len() < 2 {
        return None;
    }
    name.pop();
    let subject = name.iter().map(|word| singular(word)).collect::<Vec<_>>();
    let reaches = |index: usize, table: &Table| {
        let called = super::roles::table_words(&table.name);
        let is_subject = called == subject || (called.len() == 1 && called.last() == subject.last());
        let is_small = table.rows_estimate.is_none_or(|rows| rows <= ROWS_MAX);
        index != from && is_subject && is_plain(table) && is_small
    };
    let targets = catalog.tables.iter().enumerate();
    let mut targets = targets.filter(|(index, table)| reaches(*index, table)).map(|(_, table)| table);
    let (Some(table), None) = (targets.next(), targets.next()) else { return None };
    let referred = table.columns.iter().find(|known| is_its_number(known, column, &subject))?;
    Some(guessed(column, table, referred))
}

/// Returns whether a column of the table that is led to is the number by which its rows are referred to.
fn is_its_number(known: &Column, column: &Column, subject: &[String]) -> bool {
    let mut name = words(&known.name);
    let is_key = name.pop().is_some_and(|end| KEY_ENDS.contains(&end.as_str()));
    let is_named = known.name == column.name
        || is_key && (name.is_empty() || name.iter().map(|word| singular(word)).eq(subject.iter().cloned()));
    is_named && known.value_kind() == column.value_kind() && !known.is_withheld()
}
