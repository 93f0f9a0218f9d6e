//! Observations in the state database: written row by row, read as one series for each combination of dimension values.
//!
//! Rows keep the order of dimensions and measures that the monitor had when they were first stored. [`Layout`] is the
//! order in today's registry; the two are matched by name. A new measure has no past until it is read again, and a
//! change of dimensions makes all stored series useless. [`MonitorLock::must_read_all`] reports both.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use jiff::civil::DateTime;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Transaction};

use super::{MonitorLock, days};
use crate::monitor::registry::Monitor;
use crate::monitor::series::Observation;
use crate::state::session::{begin, failed};
use crate::state::{Error, json};
use crate::warehouse::postgres::temporal::Sql;

/// The most observations that one statement writes.
const ROWS_MAX: usize = 20_000;
/// The most series that one statement reads, because the driver buffers the rows that the server sends.
const SERIES_MAX: usize = 500;
/// The tables are analysed at once if at least this many rows are new, so that the planner knows of them.
const ROWS_TO_ANALYZE: u64 = 10_000;

const READ: &str = "read the observations of a monitor";
const WRITE: &str = "write the observations of a monitor";

/// The dimensions and measures of a monitor, as in the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub monitor: String,
    /// The names of the dimensions, in order.
    pub dimensions: Vec<String>,
    /// The names of the measures, in order.
    pub measures: Vec<String>,
}

impl From<&Monitor> for Layout {
    fn from(monitor: &Monitor) -> Self {
        Self {
            monitor: monitor.key.clone(),
            dimensions: monitor.dimensions.clone(),
            measures: monitor.measures.iter().map(|measure| measure.key.clone()).collect(),
        }
    }
}

/// The changes that a replacement of observations made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Observations that are new.
    pub inserted: u64,
    /// Observations that were stored with other values.
    pub restated: u64,
    /// Observations that were removed.
    pub removed: u64,
}

/// The series of one combination of dimension values.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// The value of every dimension, in the order of the layout.
    pub dimensions: Vec<String>,
    /// When the steps begin, ascending. Series with the same steps share one array.
    pub at: Arc<[DateTime]>,
    /// The values of every measure, in the order of the layout, one for each step; `None` for NULL.
    pub measures: Vec<Vec<Option<f64>>>,
}

/// The order in which dimensions and measures are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stored {
    dimensions: Vec<String>,
    measures: Vec<String>,
}

impl Stored {
    fn has_dimensions_of(&self, layout: &Layout) -> bool {
        let has_all = layout.dimensions.iter().all(|name| self.dimensions.contains(name));
        has_all && self.dimensions.len() == layout.dimensions.len()
    }

    fn has_measures_of(&self, layout: &Layout) -> bool {
        layout.measures.iter().all(|name| self.measures.contains(name))
    }

    /// Returns the values of an observation in the order in which they are stored.
    fn dimensions<'v>(&self, layout: &Layout, values: &'v [String]) -> Vec<&'v str> {
        let value = |name: &String| {
            let place = layout.dimensions.iter().position(|wanted| wanted == name);
            place.and_then(|place| values.get(place)).map_or("", String::as_str)
        };
        self.dimensions.iter().map(value).collect()
    }
}

impl MonitorLock {
    /// Returns whether the stored observations are incomplete: there are none, a measure is new, or the dimensions
    /// changed. The next [`MonitorLock::replace_observations`] updates the columns and deletes the observations of
    /// other dimensions.
    pub async fn must_read_all(&self) -> Result<bool, Error> {
        let mut client = self.session.client().await;
        let transaction = begin(&mut client, READ).await?;
        let stored = stored(&transaction, &self.layout.monitor).await?;
        let is_whole = |stored: &Stored| stored.has_dimensions_of(&self.layout) && stored.has_measures_of(&self.layout);
        Ok(!stored.is_some_and(|stored| is_whole(&stored)))
    }

    /// Returns the first and the last observed step.
    pub async fn observed(&self) -> Result<Option<(DateTime, DateTime)>, Error> {
        let statement = "SELECT min(at), max(at) FROM explore.observations
            WHERE series IN (SELECT series FROM explore.series WHERE monitor = $1)";
        let rows = self.session.rows(READ, statement, &[&self.layout.monitor]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let step = |column| row.try_get::<_, Option<Sql<DateTime>>>(column).map_err(failed(READ));
        Ok(step(0)?.zip(step(1)?).map(|(first, last)| (first.0, last.0)))
    }

    /// Replaces all observations from `from` (inclusive) to `to` (exclusive).
    pub async fn replace_observations(
        &self,
        from: DateTime,
        to: DateTime,
        observations: &[Observation],
    ) -> Result<Replaced, Error> {
        self.replace(from, to, observations, None).await
    }

    /// Replaces observations that were read before. The judged days from the first change on, but none before
    /// `outdates_from`, are marked to be judged again; [`MonitorLock::first_outdated`] then returns the first of them.
    pub async fn restate_observations(
        &self,
        from: DateTime,
        to: DateTime,
        observations: &[Observation],
        outdates_from: DateTime,
    ) -> Result<Replaced, Error> {
        self.replace(from, to, observations, Some(outdates_from)).await
    }

    async fn replace(
        &self,
        from: DateTime,
        to: DateTime,
        observations: &[Observation],
        outdates_from: Option<DateTime>,
    ) -> Result<Replaced, Error> {
        self.check(from, to, observations)?;
        let mut client = self.session.client().await;
        let transaction = begin(&mut client, WRITE).await?;
        let stored = bring_up_to_date(&transaction, &self.layout).await?;
        let rows = Rows::new(&self.layout, &stored, observations);
        let series = series_of(&transaction, &self.layout.monitor, &rows.series).await?;
        rows.stage(&transaction, &series).await?;
        let (replaced, changed_from) = exchange(&transaction, &self.layout.monitor, from, to).await?;
        if let Some((changed, oldest)) = changed_from.zip(outdates_from) {
            days::outdate(&transaction, &self.layout.monitor, changed.max(oldest)).await?;
        }
        transaction.commit().await.map_err(failed(WRITE))?;
        if replaced.inserted >= ROWS_TO_ANALYZE {
            client.batch_execute("ANALYZE explore.series, explore.observations").await.map_err(failed(WRITE))?;
        }
        Ok(replaced)
    }

    fn check(&self, from: DateTime, to: DateTime, observations: &[Observation]) -> Result<(), Error> {
        let Layout { monitor, dimensions, measures } = &self.layout;
        let wrong = |observation: &&Observation| {
            observation.at < from
                || observation.at >= to
                || observation.dimensions.len() != dimensions.len()
                || observation.measures.len() != measures.len()
        };
        match observations.iter().find(wrong) {
            None => Ok(()),
            Some(Observation { at, dimensions, measures }) => Err(Error::Input(format!(
                "{monitor}: an observation of {at} with {} dimensions and {} measures does not belong to the steps from \
                 {from} to {to} of its monitor",
                dimensions.len(),
                measures.len()
            ))),
        }
    }

    /// Returns all series of the monitor from `from` (inclusive) to `to` (exclusive), sorted by their dimension values.
    pub async fn history(&self, from: DateTime, to: DateTime) -> Result<Vec<Leaf>, Error> {
        let mut client = self.session.client().await;
        let transaction = begin(&mut client, READ).await?;
        let Some(stored) = stored(&transaction, &self.layout.monitor).await? else { return Ok(Vec::new()) };
        if !stored.has_dimensions_of(&self.layout) {
            return Ok(Vec::new());
        }
        let statement = "SELECT series, dimensions FROM explore.series WHERE monitor = $1 ORDER BY series";
        let rows = transaction.query(statement, &[&self.layout.monitor]).await.map_err(failed(READ))?;
        let mut names = HashMap::with_capacity(rows.len());
        for row in &rows {
            let values: Vec<String> = row.try_get(1).map_err(failed(READ))?;
            let values = self.layout.dimensions.iter().map(|name| {
                let place = stored.dimensions.iter().position(|stored| stored == name);
                place.and_then(|place| values.get(place)).cloned().unwrap_or_default()
            });
            names.insert(row.try_get::<_, i32>(0).map_err(failed(READ))?, values.collect::<Vec<_>>());
        }
        let mut reading = Reading { statement: history_statement(&self.layout, &stored), names, leaves: Vec::new() };
        for chunk in rows.chunks(SERIES_MAX) {
            let series = chunk.iter().map(|row| row.get(0)).collect::<Vec<i32>>();
            reading.read(&transaction, &series, from, to).await?;
        }
        let mut leaves = reading.leaves;
        leaves.sort_unstable_by(|one, other| one.dimensions.cmp(&other.dimensions));
        Ok(leaves)
    }
}

/// The state of reading a history, chunk by chunk.
struct Reading {
    statement: String,
    names: HashMap<i32, Vec<String>>,
    leaves: Vec<Leaf>,
}

impl Reading {
    async fn read(
        &mut self,
        transaction: &Transaction<'_>,
        series: &[i32],
        from: DateTime,
        to: DateTime,
    ) -> Result<(), Error> {
        let parameters: [&(dyn ToSql + Sync); 3] = [&series, &Sql(from), &Sql(to)];
        let rows = transaction.query_raw(&self.statement, parameters).await.map_err(failed(READ))?;
        let mut rows = pin!(rows);
        while let Some(row) = rows.try_next().await.map_err(failed(READ))? {
            self.take(&row).map_err(failed(READ))?;
        }
        Ok(())
    }

    fn take(&mut self, row: &Row) -> Result<(), tokio_postgres::Error> {
        let at: Vec<Sql<DateTime>> = row.try_get(1)?;
        let at = at.into_iter().map(|at| at.0).collect::<Vec<_>>();
        let at = match self.leaves.last() {
            Some(last) if *last.at == *at => Arc::clone(&last.at),
            _ => at.into(),
        };
        let measures = (2..row.len()).map(|column| row.try_get(column)).collect::<Result<_, _>>()?;
        let dimensions = self.names.remove(&row.try_get(0)?).unwrap_or_default();
        self.leaves.push(Leaf { dimensions, at, measures });
        Ok(())
    }
}

/// Builds the statement that returns each series as arrays of steps and measures. They are ordered by step because the
/// rows of the subquery are.
fn history_statement(layout: &Layout, stored: &Stored) -> String {
    let arrays = layout.measures.iter().map(|name| match stored.measures.iter().position(|stored| stored == name) {
        Some(place) => format!(", array_agg(measures[{}])", place + 1),
        None => ", array_agg(NULL::float8)".to_owned(),
    });
    format!(
        "SELECT series, array_agg(at){} FROM (
            SELECT series, at, measures FROM explore.observations
            WHERE series = ANY($1) AND at >= $2 AND at < $3 ORDER BY series, at) AS ordered
         GROUP BY series",
        arrays.collect::<String>()
    )
}

async fn stored(transaction: &Transaction<'_>, monitor: &str) -> Result<Option<Stored>, Error> {
    let statement = "SELECT dimensions, measures FROM explore.monitors WHERE monitor = $1";
    let row = transaction.query_opt(statement, &[&monitor]).await.map_err(failed(READ))?;
    let stored = |row: Row| Ok(Stored { dimensions: row.try_get(0)?, measures: row.try_get(1)? });
    row.map(stored).transpose().map_err(failed(READ))
}

/// Adds the new measures of the layout to the stored columns. Deletes all observations if the dimensions changed.
async fn bring_up_to_date(transaction: &Transaction<'_>, layout: &Layout) -> Result<Stored, Error> {
    let mut wanted = Stored { dimensions: layout.dimensions.clone(), measures: layout.measures.clone() };
    match stored(transaction, &layout.monitor).await? {
        Some(stored) if stored.has_dimensions_of(layout) && stored.has_measures_of(layout) => return Ok(stored),
        Some(stored) if stored.has_dimensions_of(layout) => {
            let added = layout.measures.iter().filter(|name| !stored.measures.contains(name)).cloned();
            let measures = stored.measures.iter().cloned().chain(added).collect();
            wanted = Stored { dimensions: stored.dimensions, measures };
        }
        Some(_) => {
            let forget = "DELETE FROM explore.monitors WHERE monitor = $1";
            transaction.execute(forget, &[&layout.monitor]).await.map_err(failed(WRITE))?;
        }
        None => {}
    }
    let statement = "INSERT INTO explore.monitors (monitor, dimensions, measures) VALUES ($1, $2, $3)
        ON CONFLICT (monitor) DO UPDATE SET dimensions = excluded.dimensions, measures = excluded.measures";
    let parameters: [&(dyn ToSql + Sync); 3] = [&layout.monitor, &wanted.dimensions, &wanted.measures];
    transaction.execute(statement, &parameters).await.map_err(failed(WRITE))?;
    Ok(wanted)
}

/// Observations as arrays, one for each column of the staging table.
struct Rows<'o> {
    /// The distinct combinations of dimension values, in stored order.
    series: Vec<Vec<&'o str>>,
    /// For each observation, the index of its combination in `series`.
    places: Vec<usize>,
    at: Vec<DateTime>,
    /// For each stored measure, one value for each observation.
    measures: Vec<Vec<Option<f64>>>,
}

impl<'o> Rows<'o> {
    fn new(layout: &Layout, stored: &Stored, observations: &'o [Observation]) -> Self {
        let mut known = HashMap::new();
        let mut series = Vec::new();
        let places = observations.iter().map(|observation| {
            *known.entry(observation.dimensions.as_slice()).or_insert_with(|| {
                series.push(stored.dimensions(layout, &observation.dimensions));
                series.len() - 1
            })
        });
        let places = places.collect();
        let column = |name: &String| {
            let place = layout.measures.iter().position(|wanted| wanted == name);
            let value = |observation: &Observation| place.and_then(|place| observation.measures[place]);
            observations.iter().map(value).collect()
        };
        let measures = stored.measures.iter().map(column).collect();
        Self { series, places, at: observations.iter().map(|observation| observation.at).collect(), measures }
    }

    /// Writes the rows to a temporary table.
    async fn stage(&self, transaction: &Transaction<'_>, series: &[i32]) -> Result<(), Error> {
        let table = "CREATE TEMPORARY TABLE incoming (series integer, at timestamp, measures float8[]) ON COMMIT DROP";
        transaction.batch_execute(table).await.map_err(failed(WRITE))?;
        let numbers = 3..3 + self.measures.len();
        let arrays = numbers.clone().map(|number| format!("${number}::float8[]"));
        let arrays = ["$1::int4[]".to_owned(), "$2::timestamp[]".to_owned()].into_iter().chain(arrays);
        let arrays = arrays.collect::<Vec<_>>().join(", ");
        let columns = numbers.map(|number| format!("m{number}")).collect::<Vec<_>>().join(", ");
        let statement = format!(
            "INSERT INTO pg_temp.incoming SELECT series, at, ARRAY[{columns}]::float8[]
             FROM unnest({arrays}) AS row (series, at{comma}{columns})",
            comma = if columns.is_empty() { "" } else { ", " }
        );
        let statement = transaction.prepare(&statement).await.map_err(failed(WRITE))?;
        for start in (0..self.at.len()).step_by(ROWS_MAX) {
            let range = start..(start + ROWS_MAX).min(self.at.len());
            let ids = self.places[range.clone()].iter().map(|place| series[*place]).collect::<Vec<_>>();
            let at = self.at[range.clone()].iter().copied().map(Sql).collect::<Vec<_>>();
            let measures = self.measures.iter().map(|values| &values[range.clone()]).collect::<Vec<_>>();
            let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&ids, &at];
            parameters.extend(measures.iter().map(|values| values as &(dyn ToSql + Sync)));
            transaction.execute(&statement, &parameters).await.map_err(failed(WRITE))?;
        }
        transaction.batch_execute("ANALYZE pg_temp.incoming").await.map_err(failed(WRITE))
    }
}

/// Returns the ids of the series with these dimension values, in the same order. Creates those that do not exist.
async fn series_of(transaction: &Transaction<'_>, monitor: &str, wanted: &[Vec<&str>]) -> Result<Vec<i32>, Error> {
    let document = json::write(WRITE, &wanted)?;
    let statement = "WITH wanted AS (
            SELECT place, ARRAY(SELECT jsonb_array_elements_text(value)) AS dimensions
            FROM jsonb_array_elements($2::text::jsonb) WITH ORDINALITY AS given (value, place)),
        made AS (
            INSERT INTO explore.series (monitor, dimensions)
            SELECT $1, dimensions FROM wanted AS new
            WHERE NOT EXISTS (SELECT FROM explore.series WHERE monitor = $1 AND dimensions = new.dimensions)
            RETURNING series, dimensions)
        SELECT coalesce(made.series, known.series) FROM wanted
        LEFT JOIN made USING (dimensions)
        LEFT JOIN explore.series AS known ON known.monitor = $1 AND known.dimensions = wanted.dimensions
        ORDER BY place";
    let rows = transaction.query(statement, &[&monitor, &document]).await.map_err(failed(WRITE))?;
    rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(failed(WRITE))
}

/// Deletes stored observations that are not among the staged rows, and writes those that are new or different. Also
/// returns the first step that changed.
async fn exchange(
    transaction: &Transaction<'_>,
    monitor: &str,
    from: DateTime,
    to: DateTime,
) -> Result<(Replaced, Option<DateTime>), Error> {
    let remove = "WITH removed AS (
            DELETE FROM explore.observations AS old
            WHERE series IN (SELECT series FROM explore.series WHERE monitor = $1) AND at >= $2 AND at < $3
            AND NOT EXISTS (SELECT FROM pg_temp.incoming WHERE series = old.series AND at = old.at)
            RETURNING at)
        SELECT min(at), count(*) FROM removed";
    let removed = transaction.query_one(remove, &[&monitor, &Sql(from), &Sql(to)]).await.map_err(failed(WRITE))?;
    // The system column `xmax` is 0 in a row that was inserted, and not in one that was updated.
    let write = "WITH written AS (
            INSERT INTO explore.observations AS old (series, at, measures)
            SELECT series, at, measures FROM pg_temp.incoming
            ON CONFLICT (series, at) DO UPDATE SET measures = excluded.measures
            WHERE old.measures IS DISTINCT FROM excluded.measures
            RETURNING at, xmax = 0 AS is_new)
        SELECT min(at), count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written";
    let written = transaction.query_one(write, &[]).await.map_err(|error| match error.code() {
        Some(code) if *code == SqlState::CARDINALITY_VIOLATION => Error::Input(format!(
            "{monitor}: two observations of one step have the same dimension values; one of them has to go"
        )),
        _ => failed(WRITE)(error),
    })?;
    let count = |row: &Row, column| row.try_get::<_, i64>(column).map(i64::unsigned_abs).map_err(failed(WRITE));
    let first = |row: &Row| row.try_get::<_, Option<Sql<_>>>(0).map(|at| at.map(|at| at.0)).map_err(failed(WRITE));
    let replaced =
        Replaced { inserted: count(&written, 1)?, restated: count(&written, 2)?, removed: count(&removed, 1)? };
    Ok((replaced, [first(&removed)?, first(&written)?].into_iter().flatten().min()))
}
