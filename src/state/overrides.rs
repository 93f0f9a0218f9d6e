//! Thresholds that hold in place of those in a monitor's file: `explore.monitor_config`, which people edit by hand.

use tokio_postgres::Row;

use super::session::failed;
use super::{Error, Memory};
use crate::monitor::registry::Override;

impl Memory {
    /// What holds for the monitor's metrics, at most one for each; a row for this monitor goes before one for any.
    pub async fn overrides(&self) -> Result<Vec<Override>, Error> {
        let what = "read explore.monitor_config";
        let statement = "SELECT DISTINCT ON (metric)
                metric, enabled, probability_threshold, medium_deviation, critical_deviation
            FROM explore.monitor_config WHERE monitor IN ('', $1) ORDER BY metric, monitor DESC";
        let rows = self.session.rows(what, statement, &[&self.layout.monitor]).await?;
        rows.iter().map(held).collect::<Result<_, _>>().map_err(failed(what))
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
