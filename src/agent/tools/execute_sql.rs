//! `execute_sql`: through the executor, and with the plan where that is asked for.

use std::time::Duration;

use super::{Failure, Ran, Toolbox};
use crate::warehouse::sql::Select;

impl Toolbox {
    /// Runs a SELECT, for no longer than `time_left`.
    pub async fn run(&self, select: &Select, time_left: Duration) -> Result<Ran, Failure> {
        let table = self.executor.run(select, time_left).await?;
        let executor = &self.executor;
        let plan = if self.plans { executor.database.explain(select, &executor.limits).await.ok() } else { None };
        Ok(Ran { table, plan })
    }
}
