//! Snoozes in the state database: metrics that fire no alerts for a while.

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

/// A snooze that is not stored yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSnooze {
    /// The monitor's key; `None` for every monitor.
    pub monitor: Option<String>,
    pub metric: String,
    /// The first day, included.
    pub starts: Date,
    /// The last day, included.
    pub until: Date,
    pub reason: Option<String>,
}

/// A snooze that is stored in the state database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snooze {
    /// The key in `explore.snoozes`.
    pub id: i32,
    /// The monitor's key; `None` for every monitor.
    pub monitor: Option<String>,
    pub metric: String,
    /// The first day, included.
    pub starts: Date,
    /// The last day, included.
    pub until: Date,
    pub reason: Option<String>,
}

impl Snooze {
    /// Returns whether the snooze applies to the metric on that day. The monitor is not compared.
    pub fn covers(&self, metric: &str, day: Date) -> bool {
        self.metric == metric && (self.starts..=self.until).contains(&day)
    }
}

impl MonitorLock {
    /// Returns the snoozes for this monitor or for every monitor, including past and future ones.
    pub async fn snoozes(&self) -> Result<Vec<Snooze>, Error> {
        let statement = format!("{SNOOZE} WHERE monitor IN ('', $1) ORDER BY snooze");
        let rows = self.session.rows(READ, &statement, &[&self.layout.monitor]).await?;
        rows.iter().map(snooze).collect::<Result<_, _>>().map_err(failed(READ))
    }
}

impl State {
    /// Returns all snoozes that end on `day` or later.
    pub async fn snoozes_after(&self, day: Date) -> Result<Vec<Snooze>, Error> {
        let statement = format!("{SNOOZE} WHERE until >= $1 ORDER BY snooze");
        let rows = self.session().await?.rows(READ, &statement, &[&Sql(day)]).await?;
        rows.iter().map(snooze).collect::<Result<_, _>>().map_err(failed(READ))
    }

    /// Adds a snooze and returns its id.
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

    /// Removes a snooze. Returns whether it existed.
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
