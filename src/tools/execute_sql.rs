//! `execute_sql`: text -> validator -> executor.

use crate::sql::{self, Refusal, Select};
use crate::tools::{Failure, Ran, Toolbox};

impl Toolbox {
    /// Makes a SELECT of a model's text, or says why not.
    pub fn validate(&self, text: &str) -> Result<Select, Refusal> {
        sql::validate(text, &self.policy)
    }

    /// Runs a SELECT.
    pub async fn run(&self, select: &Select) -> Result<Ran, Failure> {
        let table = self.database.select(select, &self.limits).await?;
        let plan = if self.plans { self.database.explain(select, &self.limits).await.ok() } else { None };
        Ok(Ran { table, plan })
    }
}
