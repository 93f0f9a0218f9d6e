//! Metrics that nobody is told of for a while.

use jiff::civil::Date;
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::MonitorLock;
use crate::state::session::failed;
use crate::state::{Error, State};
use crate::warehouse::postgres::temporal::Sql;

const READ: &str = "read the snoozes";
const WRITE: &str = "write a snooze";
const SNOOZE: &str = "SELECT snooze, monitor, metric, starts, until, reason FROM explore.snoozes";

/// A metric that nobody is to be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSnooze {
    /// The monitor's key; `None` for any.
    pub monitor: Option<String>,
    /// The metric's key.
    pub metric: String,
    /// The first day.
    pub starts: Date,
    /// The last day.
    pub until: Date,
    /// Why.
    pub reason: Option<String>,
}

/// A metric that nobody is told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snooze {
    /// Its number.
    pub id: i32,
    /// The monitor's key; `None` for any.
    pub monitor: Option<String>,
    /// The metric's key.
    pub metric: String,
    /// The first day.
    pub starts: Date,
    /// The last day.
    pub until: Date,
    /// Why.
    pub reason: Option<String>,
}

impl Snooze {
    /// Whether it holds for the metric on that day.
    pub fn covers(&self, metric: &str, day: Date) -> bool {
        self.metric == metric && (self.starts..=self.until).contains(&day)
    }
}

impl MonitorLock {
    /// The snoozes of the monitor, past and future ones too.
    pub async fn snoozes(&self) -> Result<Vec<Snooze>, Error> {
        let statement = format!("{SNOOZE} WHERE monitor IN ('', $1) ORDER BY snooze");
        let rows = self.session.rows(READ, &statement, &[&self.layout.monitor]).await?;
        rows.iter().map(snooze).collect::<Result<_, _>>().map_err(failed(READ))
    }
}

impl State {
    /// All snoozes that end on that day or after it.
    pub async fn snoozes_after(&self, day: Date) -> Result<Vec<Snooze>, Error> {
        let statement = format!("{SNOOZE} WHERE until >= $1 ORDER BY snooze");
        let rows = self.session().await?.rows(READ, &statement, &[&Sql(day)]).await?;
        rows.iter().map(snooze).collect::<Result<_, _>>().map_err(failed(READ))
    }

    /// Adds a snooze; its number.
    pub async fn add_snooze(&self, new: &NewSnooze) -> Result<i32, Error> {
        let NewSnooze { monitor, metric, starts, until, reason } = new;
        if starts > until {
            return Err(Error::Input(format!("a snooze from {starts} cannot end on {until}, which is before")));
        }
        let statement = "INSERT INTO explore.snoozes (monitor, metric, starts, until, reason)
            VALUES (coalesce($1, ''), $2, $3, $4, $5) RETURNING snooze";
        let parameters: [&(dyn ToSql + Sync); 5] = [monitor, metric, &Sql(*starts), &Sql(*until), reason];
        self.session().await?.one(WRITE, statement, &parameters).await
    }

    /// Removes a snooze; whether there was one.
    pub async fn remove_snooze(&self, id: i32) -> Result<bool, Error> {
        let statement = "DELETE FROM explore.snoozes WHERE snooze = $1";
        Ok(self.session().await?.execute(WRITE, statement, &[&id]).await? > 0)
    }
}

fn snooze(row: &Row) -> Result<Snooze, tokio_postgres::Error> {
    Ok(Snooze {
        id: row.try_get(0)?,
        monitor: Some(row.try_get(1)?).filter(|monitor: &String| !monitor.is_empty()),
        metric: row.try_get(2)?,
        starts: row.try_get::<_, Sql<_>>(3)?.0,
        until: row.try_get::<_, Sql<_>>(4)?.0,
        reason: row.try_get(5)?,
    })
}
