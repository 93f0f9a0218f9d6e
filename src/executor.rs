//! The executor: text that a model or a person wrote -> the validator -> the database. Every command that runs such a
//! text does it here, so that there is one path to look at.

use std::sync::Arc;
use std::time::Duration;

use crate::database::{self, Database, Limits};
use crate::sql::{self, Policy, Refusal, Select};
use crate::table::Table;

/// The one path from a text to a database.
#[derive(Debug, Clone)]
pub struct Executor {
    /// The database.
    pub database: Arc<dyn Database>,
    /// What a SELECT may read and call.
    pub policy: Policy,
    /// The bounds of one query.
    pub limits: Limits,
}

impl Executor {
    /// Makes a SELECT of a text, or says why not.
    pub fn validate(&self, text: &str) -> Result<Select, Refusal> {
        sql::validate(text, &self.policy)
    }

    /// Runs a SELECT, for no longer than `time_left`, or a second where less is left.
    pub async fn run(&self, select: &Select, time_left: Duration) -> Result<Table, database::Error> {
        let timeout = self.limits.timeout.min(time_left.max(Duration::from_secs(1)));
        self.database.select(select, &Limits { timeout, ..self.limits }).await
    }
}
