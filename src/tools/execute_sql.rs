//! `execute_sql`: text -> validator -> executor.

use std::time::Duration;

use crate::database::Limits;
use crate::sql::{self, Refusal, Select};
use crate::tools::{Failure, Ran, Toolbox};

impl Toolbox {
    /// Makes a SELECT of a model's text, or says why not.
    pub fn validate(&self, text: &str) -> Result<Select, Refusal> {
        sql::validate(text, &self.policy)
    }

    /// Runs a SELECT, for no longer than `time_left`, or a second where less is left.
    pub async fn run(&self, select: &Select, time_left: Duration) -> Result<Ran, Failure> {
        let timeout = self.limits.timeout.min(time_left.max(Duration::from_secs(1)));
        let limits = Limits { timeout, ..self.limits };
        let table = self.database.select(select, &limits).await?;
        let plan = if self.plans { self.database.explain(select, &limits).await.ok() } else { None };
        Ok(Ran { table, plan })
    }
}
