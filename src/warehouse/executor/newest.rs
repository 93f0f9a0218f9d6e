//! The newest day in the data, asked of the data: the planner's statistics are a sample that leaves the ends out.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::civil::Date;

use super::Executor;
use crate::warehouse::Limits;
use crate::warehouse::catalog::{Catalog, Column, Role, Table, ValueKind};

/// Tables that are asked at the most; of a database with more dates than that the newest is not told.
const TABLES_MAX: usize = 40;
/// What a plan may cost: an index, or some million rows.
const PLAN_COST_MAX: f64 = 100_000.0;
/// Time for each, and for all together.
const TIMEOUT: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(5);

/// A column that was refused, too dear, or not answered in time.
struct Unasked;

impl Executor {
    /// The newest day of the columns that say when something happened, days after `today` aside, since due dates lie in
    /// the future. `None` where one of them would take long to ask, or may not be: what is newest of the others alone may
    /// be older than that. Sensitive columns are not asked.
    pub async fn newest_date(&self, catalog: &Catalog, today: Date) -> Option<Date> {
        let dates = catalog.tables.iter().filter_map(date_of).collect::<Vec<_>>();
        if dates.len() > TABLES_MAX {
            return None;
        }
        let asked = join_all(dates.into_iter().map(|(table, column)| self.newest_of(table, column, today)));
        let newest = tokio::time::timeout(PATIENCE, asked).await.ok()?;
        newest.into_iter().collect::<Result<Vec<_>, Unasked>>().ok()?.into_iter().flatten().max()
    }

    /// The newest day of a column, which may have none.
    async fn newest_of(&self, table: &Table, column: &Column, today: Date) -> Result<Option<Date>, Unasked> {
        let name = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let column = name(&column.name);
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
        let answer = self.run_within(&select, &limits).await.map_err(|_| Unasked)?;
        Ok(answer.cell(0, 0).and_then(|text| text.parse().ok()))
    }
}

/// The column that says when the table's rows happened.
fn date_of(table: &Table) -> Option<(&Table, &Column)> {
    let column = table.column_with(Role::Date)?;
    (column.value_kind() == ValueKind::Moment && !column.sensitive).then_some((table, column))
}
