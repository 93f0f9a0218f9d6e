//! Tries on the data what the metadata say of keys: whether joins find their rows, and whether what should tell rows apart
//! does, and whether the database knows a time zone. For `explore schema check`.

use std::time::Duration;

use super::joins::{self, Look, MATCHED_MIN};
use crate::typeset::text::group_digits;
use crate::warehouse::Limits;
use crate::warehouse::catalog::{Catalog, Column, Origin, Table};
use crate::warehouse::executor::Executor;
use crate::warehouse::sql::{identifier, relation};
use crate::warehouse::table::Table as Rows;

/// The time for each look at the data.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Returns a sentence for each declared or guessed key that the data contradict, or that could not be tried.
pub async fn keys(executor: &Executor, catalog: &Catalog) -> Vec<String> {
    let mut problems = Vec::new();
    for table in &catalog.tables {
        for key in table.foreign_keys.iter().filter(|key| key.origin != Origin::Constraint) {
            let join = format!("{}.{}: the join by {}", table.schema, table.name, key.columns.join(", "));
            let to = format!("{}.{}", key.schema, key.table);
            match joins::look(executor, table, key, TIME_MAX).await {
                Ok(look) => problems
                    .extend(of_look(look, &key.referred.join(", ")).map(|fault| format!("{join} to {to} {fault}"))),
                Err(problem) => problems.push(format!("{join} to {to} could not be tried: {problem}")),
            }
        }
        for columns in &table.declared.unique {
            let what = format!("{}.{}: {}", table.schema, table.name, columns.join(", "));
            match is_repeated(executor, table, columns).await {
                Ok(false) => {}
                Ok(true) => problems.push(format!("{what} does not tell its rows apart: some values are there twice")),
                Err(problem) => problems.push(format!("{what} could not be tried: {problem}")),
            }
        }
    }
    problems
}

/// Returns a sentence for each time zone that the database does not know, or that no column has a use for.
pub async fn zones(executor: &Executor, catalog: &Catalog) -> Vec<String> {
    let mut problems = Vec::new();
    for table in &catalog.tables {
        let Some(zone) = &table.declared.time_zone else { continue };
        let what = format!("{}.{}: the time zone {zone}", table.schema, table.name);
        if !table.columns.iter().any(Column::is_zoned) {
            problems.push(format!("{what} is of no column: none is a timestamp with time zone"));
            continue;
        }
        let text = format!("SELECT timezone('{zone}', timestamptz '2000-01-01 00:00:00+00')");
        if let Err(problem) = answered(executor, &text).await {
            problems.push(format!("{what} cannot be used: {problem}"));
        }
    }
    problems
}

/// Returns what a look at the data gives.
async fn answered(executor: &Executor, text: &str) -> Result<Rows, String> {
    let select = executor.validate(text).await.map_err(|refusal| refusal.to_string())?;
    let rows = executor.run_within(&select, &Limits::of_query(TIME_MAX, 1, None)).await;
    rows.map_err(|error| error.to_string())
}

/// Returns what a look says against a join.
fn of_look(look: Look, referred: &str) -> Option<String> {
    if look.is_repeated {
        return Some(format!("may find several rows: some values of {referred} are there twice"));
    }
    (look.values > 0 && look.share() < MATCHED_MIN).then(|| {
        let count = |number: u64| group_digits(&number.to_string());
        format!("finds {:.0}% of the values ({} of {})", look.share() * 100.0, count(look.matched), count(look.values))
    })
}

/// Returns whether two rows of a table have the same values in these columns.
async fn is_repeated(executor: &Executor, table: &Table, columns: &[String]) -> Result<bool, String> {
    let list = columns.iter().map(|column| identifier(column)).collect::<Vec<_>>().join(", ");
    let text = format!(
        "SELECT count(*) FROM (SELECT 1 FROM {} GROUP BY {list} HAVING count(*) > 1 LIMIT 1) d",
        relation(&table.schema, &table.name)
    );
    Ok(answered(executor, &text).await?.cell(0, 0) != Some("0"))
}
