//! `execute_sql`: runs a query through the executor and, if requested, fetches its plan.

use std::time::Duration;

use super::{Failure, Ran, Toolbox};
use crate::warehouse::sql::Select;

impl Toolbox {
    /// Runs a SELECT for at most `time_left`.
    pub async fn run(&self, select: &Select, time_left: Duration) -> Result<Ran, Failure> {
        let table = self.executor.run(select, time_left).await?;
        let executor = &self.executor;
        let proof = if self.plans { executor.database.prove(select, &executor.limits).await.ok() } else { None };
        let plan = proof.map(|proof| proof.plan);
        Ok(Ran { table, plan })
    }
}
