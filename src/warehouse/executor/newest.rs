//! Queries the newest day in the data. The planner's statistics are a sample that omits the extremes.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::civil::Date;

use super::Executor;
use crate::warehouse::Limits;
use crate::warehouse::catalog::{Catalog, Column, Role, Table, ValueKind};
use crate::warehouse::sql::dates;

/// Tables that are queried at most. If a database has more tables with dates, no newest day is returned.
const TABLES_MAX: usize = 40;
/// Cost of a plan at most: an index scan, or a scan of some million rows.
const PLAN_COST_MAX: f64 = 100_000.0;
/// Time-out of one query.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Time-out of all queries together.
const PATIENCE: Duration = Duration::from_secs(5);

/// A column whose query was refused, too expensive, or not answered in time.
struct Unasked;

impl Executor {
    /// Returns the newest day of each table in the column that says when something happened, by `schema.name`. Ignores days after `today`, because due
    /// dates lie in the future. Sensitive columns are not queried.
    ///
    /// Returns `None` if one of the columns takes too long or may not be queried: the newest day of the others may be
    /// older.
    pub async fn newest_dates(&self, catalog: &Catalog, today: Date) -> Option<BTreeMap<String, Date>> {
        let dates = catalog.tables.iter().filter_map(date_of).collect::<Vec<_>>();
        if dates.len() > TABLES_MAX {
            return None;
        }
        let newest = async |(table, column): (&Table, &Column)| {
            let day = self.newest_of(table, column, today).await?;
            Ok(day.map(|day| (format!("{}.{}", table.schema, table.name), day)))
        };
        let asked = join_all(dates.into_iter().map(newest));
        let newest = tokio::time::timeout(PATIENCE, asked).await.ok()?;
        Some(newest.into_iter().collect::<Result<Vec<_>, Unasked>>().ok()?.into_iter().flatten().collect())
    }

    /// Returns the newest day of a column, or `None` if the column has none.
    async fn newest_of(&self, table: &Table, column: &Column, today: Date) -> Result<Option<Date>, Unasked> {
        let name = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let column = match column.text_dates {
            Some(dates) => dates::read(&name(&column.name), dates.has_time),
            None => name(&column.name),
        };
        let after = today.tomorrow().unwrap_or(today);
        let text = format!(
            "SELECT max({column})::date FROM {}.{} WHERE {column} < DATE '{after}'",
            name(&table.schema),
            name(&table.name)
        );
        let select = self.validate(&text).await.map_err(|_| Unasked)?;
        let plan_cost_max = self.limits.plan_cost_max.map_or(PLAN_COST_MAX, |cost| cost.min(PLAN_COST_MAX));
        let limits =
            Limits { timeout: TIMEOUT.min(self.limits.timeout), plan_cost_max: Some(plan_cost_max), ..self.limits };
        let answer = self.run_masked(&select, &limits).await.map_err(|_| Unasked)?;
        Ok(answer.cell(0, 0).and_then(|text| text.parse().ok()))
    }
}

/// Returns the column that says when the table's rows happened.
fn date_of(table: &Table) -> Option<(&Table, &Column)> {
    let column = table.column_with(Role::Date)?;
    (column.kind_read() == ValueKind::Moment && !column.sensitive).then_some((table, column))
}
