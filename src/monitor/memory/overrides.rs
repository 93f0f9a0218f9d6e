//! Thresholds that hold in place of those in a monitor's file: `explore.monitor_config`, which people edit by command or by hand.

use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::Memory;
use crate::monitor::registry::Override;
use crate::state::session::failed;
use crate::state::{Error, State};

const READ: &str = "read explore.monitor_config";
const WRITE: &str = "write explore.monitor_config";

/// A row of `explore.monitor_config`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KnownOverride {
    /// The monitor's key; empty for any.
    pub monitor: String,
    /// What holds.
    #[serde(flatten)]
    pub held: Override,
}

impl State {
    /// What holds for any monitor's metrics.
    pub async fn all_overrides(&self) -> Result<Vec<KnownOverride>, Error> {
        let statement = "SELECT metric, enabled, probability_threshold, medium_deviation, critical_deviation, monitor
            FROM explore.monitor_config ORDER BY monitor, metric";
        let rows = self.session().await?.rows(READ, statement, &[]).await?;
        let known = |row: &Row| Ok(KnownOverride { monitor: row.try_get(5)?, held: held(row)? });
        rows.iter().map(known).collect::<Result<_, _>>().map_err(failed(READ))
    }

    /// Makes this hold for a monitor's metric, and nothing else.
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

    /// Lets the file hold again for a monitor's metric; whether anything else did.
    pub async fn remove_override(&self, monitor: &str, metric: &str) -> Result<bool, Error> {
        let statement = "DELETE FROM explore.monitor_config WHERE monitor = $1 AND metric = $2";
        Ok(self.session().await?.execute(WRITE, statement, &[&monitor, &metric]).await? > 0)
    }
}

impl Memory {
    /// What holds for the monitor's metrics, at most one for each; a row for this monitor goes before one for any.
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
