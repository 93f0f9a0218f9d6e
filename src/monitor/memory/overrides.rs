//! Overrides of the thresholds in a monitor's file. They are rows of `explore.monitor_config`, which people edit by
//! `explore monitor config` or with SQL.

use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::Memory;
use crate::monitor::registry::Override;
use crate::state::session::failed;
use crate::state::{Error, State};

const READ: &str = "read explore.monitor_config";
const WRITE: &str = "write explore.monitor_config";

/// An override that is stored as a row of `explore.monitor_config`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KnownOverride {
    /// The monitor's key; empty for every monitor.
    pub monitor: String,
    #[serde(flatten)]
    pub held: Override,
}

impl State {
    /// Returns the overrides of all monitors.
    pub async fn all_overrides(&self) -> Result<Vec<KnownOverride>, Error> {
        let statement = "SELECT metric, enabled, probability_threshold, medium_deviation, critical_deviation, monitor
            FROM explore.monitor_config ORDER BY monitor, metric";
        let rows = self.session().await?.rows(READ, statement, &[]).await?;
        let known = |row: &Row| Ok(KnownOverride { monitor: row.try_get(5)?, held: held(row)? });
        rows.iter().map(known).collect::<Result<_, _>>().map_err(failed(READ))
    }

    /// Sets the override of a monitor's metric. Every value that is `None` falls back to the monitor's file.
    pub async fn set_override(&self, known: &KnownOverride) -> Result<(), Error> {
        let statement = "INSERT INTO explore.monitor_config
                (monitor, metric, enabled, probability_threshold, medium_deviation, critical_deviation)
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (monitor, metric) DO UPDATE SET enabled = excluded.enabled,
                probability_threshold = excluded.probability_threshold,
                medium_deviation = excluded.medium_deviation, critical_deviation = excluded.critical_deviation";
        let KnownOverride { monitor, held } = known;
        let Override { metric, enabled, probability, medium_deviation, critical_deviation } = held;
        let parameters: [&(dyn ToSql + Sync); 6] =
            [monitor, metric, enabled, probability, medium_deviation, critical_deviation];
        self.session().await?.execute(WRITE, statement, &parameters).await.map(drop)
    }

    /// Removes the override of a monitor's metric. Returns whether there was one.
    pub async fn remove_override(&self, monitor: &str, metric: &str) -> Result<bool, Error> {
        let statement = "DELETE FROM explore.monitor_config WHERE monitor = $1 AND metric = $2";
        Ok(self.session().await?.execute(WRITE, statement, &[&monitor, &metric]).await? > 0)
    }
}

impl Memory {
    /// Returns the overrides for this monitor, at most one for each metric. A row for this monitor goes before one for
    /// every monitor.
    pub async fn overrides(&self) -> Result<Vec<Override>, Error> {
        let statement = "SELECT DISTINCT ON (metric)
                metric, enabled, probability_threshold, medium_deviation, critical_deviation
            FROM explore.monitor_config WHERE monitor IN ('', $1) ORDER BY metric, monitor DESC";
        let rows = self.session.rows(READ, statement, &[&self.layout.monitor]).await?;
        rows.iter().map(held).collect::<Result<_, _>>().map_err(failed(READ))
    }
}

fn held(row: &Row) -> Result<Override, tokio_postgres::Error> {
    Ok(Override {
        metric: row.try_get(0)?,
        enabled: row.try_get(1)?,
        probability: row.try_get(2)?,
        medium_deviation: row.try_get(3)?,
        critical_deviation: row.try_get(4)?,
    })
}
