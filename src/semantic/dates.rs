//! Finds text columns whose values are dates, by a look at the data: files and old exports have no other dates.
//!
//! A column is read as dates if almost all values of a sample are dates as ISO 8601 writes them. Instruments then use it by
//! a cast that makes NULL of what is no date, see [`crate::warehouse::sql::dates`].

use std::time::{Duration, Instant};

use super::joins::MATCHED_MIN;
use super::metadata::Metadata;
use crate::typeset::text::group_digits;
use crate::warehouse::Limits;
use crate::warehouse::catalog::{Catalog, Column, Role, Table, TableKind, TextDates, ValueKind};
use crate::warehouse::executor::Executor;
use crate::warehouse::sql::{dates, identifier, relation};
use crate::warehouse::table::Table as Rows;

/// Tables that are looked at in one run, and columns of each.
const TABLES_MAX: usize = 40;
const COLUMNS_MAX: usize = 12;
/// Rows of a table whose values are looked at.
const SAMPLE_ROWS: u32 = 10_000;
/// The time that all looks may take.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Marks the text columns that are read as dates. What people wrote decides: a column with another role is left alone, and
/// where only what is approved counts, one with no role too.
pub async fn find(executor: &Executor, catalog: &mut Catalog, metadata: &Metadata) {
    let started = Instant::now();
    let candidates = (0..catalog.tables.len()).map(|index| (index, candidates(catalog, index, metadata)));
    let candidates = candidates.filter(|(_, columns)| !columns.is_empty()).take(TABLES_MAX).collect::<Vec<_>>();
    for (index, columns) in candidates {
        let time_left = TIME_MAX.saturating_sub(started.elapsed());
        if time_left.is_zero() {
            tracing::info!("not all texts were looked at: declare the role `date` in the metadata");
            break;
        }
        let found = look(executor, &catalog.tables[index], &columns, time_left).await.unwrap_or_default();
        for (name, look) in columns.iter().zip(found) {
            let column = catalog.tables[index].columns.iter_mut().find(|column| column.name == *name);
            if let Some(column) = column.filter(|_| look.holds()) {
                look.mark(column);
            }
        }
    }
}

/// What a look at a column says.
struct Look {
    dates: TextDates,
    /// Values that are not NULL, blank ones too.
    known: u64,
}

impl Look {
    #[expect(clippy::cast_precision_loss, reason = "counts of a sample")]
    fn holds(&self) -> bool {
        self.dates.values > 1 && self.dates.dates as f64 >= MATCHED_MIN * self.dates.values as f64
    }

    /// Marks the column. What is no date is missing, as the cast makes NULL of it.
    #[expect(clippy::cast_precision_loss, reason = "counts of a sample")]
    fn mark(&self, column: &mut Column) {
        column.text_dates = Some(self.dates);
        column.nullable |= self.dates.dates < self.known;
        if let Some(statistics) = &mut column.statistics {
            statistics.null_fraction =
                1.0 - (1.0 - statistics.null_fraction) * self.dates.dates as f64 / self.known as f64;
        }
    }
}

/// Returns a sentence for each text that is read as dates.
pub(super) fn told(catalog: &Catalog) -> Vec<String> {
    let of_table = |table: &Table| table.columns.iter().filter_map(|column| words(table, column)).collect::<Vec<_>>();
    catalog.tables.iter().flat_map(of_table).collect()
}

/// Returns what a guess says of a text that is read as dates.
pub(super) fn words(table: &Table, column: &Column) -> Option<String> {
    let dates = column.text_dates?;
    let strays = match dates.values - dates.dates {
        0 => String::new(),
        1 => format!("; 1 of {} values is none and counts as missing", group_digits(&dates.values.to_string())),
        strays => {
            let [strays, values] = [strays, dates.values].map(|count| group_digits(&count.to_string()));
            format!("; {strays} of {values} values are none and count as missing")
        }
    };
    let (name, type_name) = (identifier(&column.name), dates.type_name());
    Some(format!("the text of {}.{} is read as dates, as {name}::{type_name}{strays}", table.name, column.name))
}

/// Returns the text columns of a table that may hold dates.
fn candidates(catalog: &Catalog, index: usize, metadata: &Metadata) -> Vec<String> {
    let table = &catalog.tables[index];
    if table.kind == TableKind::Foreign {
        return Vec::new();
    }
    let file = metadata.files.iter().find(|file| file.tables_in(catalog) == [index]);
    let written = |column: &Column| {
        let content = file?.content.columns.get(&column.name)?;
        content.role.filter(|_| !content.guessed)
    };
    let is_open = |column: &&Column| match written(column) {
        Some(role) => role == Role::Date,
        None => !metadata.approved_only,
    };
    let may_be =
        |column: &&Column| is_text(column) && !column.is_withheld() && !column.masked && may_hold_dates(column);
    let found = table.columns.iter().filter(may_be).filter(is_open);
    found.map(|column| column.name.clone()).take(COLUMNS_MAX).collect()
}

/// Returns whether the type is a text of PostgreSQL, whose operators are the server's own.
fn is_text(column: &Column) -> bool {
    let base = column.type_name.split('(').next().unwrap_or_default();
    column.value_kind() == ValueKind::Text && matches!(base, "text" | "character varying" | "character")
}

/// Returns whether what the statistics know of the values does not speak against dates.
fn may_hold_dates(column: &Column) -> bool {
    let statistics = column.statistics.iter();
    let known = statistics.flat_map(|known| known.common_values.iter().chain(&known.minimum).chain(&known.maximum));
    let known = known.collect::<Vec<_>>();
    known.iter().filter(|value| looks_like_date(value)).count() * 2 >= known.len()
}

fn looks_like_date(value: &str) -> bool {
    let day = value.as_bytes().get(..10);
    day.is_some_and(|day| {
        day.iter().enumerate().all(|(at, byte)| if matches!(at, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() })
    })
}

/// Returns what a sample of the rows says of each column; `None` if it cannot be asked for.
async fn look(executor: &Executor, table: &Table, columns: &[String], time: Duration) -> Option<Vec<Look>> {
    let select = executor.validate(&text(table, columns)).await.ok()?;
    let rows = executor.run_within(&select, &Limits::of_query(time, 2, None)).await.ok()?;
    (0..columns.len()).map(|place| read(&rows, place * 4)).collect()
}

/// Returns the counts of a column, of which the first stands in this place.
fn read(rows: &Rows, place: usize) -> Option<Look> {
    let number = |column: usize| rows.cell(0, place + column)?.parse::<u64>().ok();
    let dates = TextDates { values: number(1)?, dates: number(2)?, has_time: number(3)? > 0 };
    Some(Look { dates, known: number(0)? })
}

/// Returns the statement that counts values, dates, and dates with a time of day of each column.
fn text(table: &Table, columns: &[String]) -> String {
    let names = columns.iter().map(|name| identifier(name)).collect::<Vec<_>>();
    let counts = names.iter().map(|name| {
        let is_date = format!("{name} ~ '{}'", dates::MOMENT);
        format!(
            "count({name}), count(nullif(btrim({name}), '')), count(*) FILTER (WHERE {is_date}), \
             count(*) FILTER (WHERE {is_date} AND {name} LIKE '%:%')"
        )
    });
    format!(
        "SELECT {} FROM (SELECT {} FROM {} LIMIT {SAMPLE_ROWS}) AS s",
        counts.collect::<Vec<_>>().join(", "),
        names.join(", "),
        relation(&table.schema, &table.name)
    )
}
