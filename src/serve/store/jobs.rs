//! The explorations that the service was asked for.

use jiff::Timestamp;
use tokio_postgres::Row;

use super::Store;
use crate::serve::runs::Task;
use crate::state::session::failed;
use crate::state::{Error, json};
use crate::warehouse::postgres::temporal::Sql;

const READ: &str = "read the explorations that were asked for";
const WRITE: &str = "note an exploration";
const COLUMNS: &str = "run, asked_by, asked_at, request::text, started_at, ended_at, outcome, problem";

/// An exploration that the service was asked for.
#[derive(Debug, Clone)]
pub struct JobRow {
    pub run: String,
    pub asked_by: String,
    pub asked_at: Timestamp,
    pub task: Task,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// `None` until it ends.
    pub outcome: Option<Outcome>,
    /// Why it failed.
    pub problem: Option<String>,
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Completed,
    Failed,
    Cancelled,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Completed, Self::Failed, Self::Cancelled];

    fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Store {
    /// Notes that an exploration was asked for. One that goes on begins anew.
    pub(crate) async fn add_job(&self, run: &str, asked_by: &str, at: Timestamp, task: &Task) -> Result<(), Error> {
        let statement =
            "INSERT INTO explore.jobs (run, asked_by, asked_at, request) VALUES ($1, $2, $3, $4::text::jsonb)
            ON CONFLICT (run) DO UPDATE SET (asked_by, asked_at, request, started_at, ended_at, outcome, problem)
                = (EXCLUDED.asked_by, EXCLUDED.asked_at, EXCLUDED.request, NULL, NULL, NULL, NULL)";
        let task = json::write(WRITE, task)?;
        self.state.session().await?.execute(WRITE, statement, &[&run, &asked_by, &Sql(at), &task]).await.map(drop)
    }

    pub(crate) async fn job_started(&self, run: &str, at: Timestamp) -> Result<(), Error> {
        let statement = "UPDATE explore.jobs SET started_at = $2 WHERE run = $1";
        self.state.session().await?.execute(WRITE, statement, &[&run, &Sql(at)]).await.map(drop)
    }

    pub(crate) async fn job_ended(
        &self,
        run: &str,
        at: Timestamp,
        (outcome, problem): (Outcome, Option<&str>),
    ) -> Result<(), Error> {
        let statement = "UPDATE explore.jobs SET (ended_at, outcome, problem) = ($2, $3, $4) WHERE run = $1";
        let session = self.state.session().await?;
        session.execute(WRITE, statement, &[&run, &Sql(at), &outcome.name(), &problem]).await.map(drop)
    }

    /// Returns the jobs of these runs.
    pub(crate) async fn jobs(&self, runs: &[String]) -> Result<Vec<JobRow>, Error> {
        let statement = format!("SELECT {COLUMNS} FROM explore.jobs WHERE run = ANY ($1)");
        let rows = self.state.session().await?.rows(READ, &statement, &[&runs]).await?;
        rows.iter().map(read).collect()
    }

    /// Returns the jobs that have not ended, the oldest first.
    pub(crate) async fn open_jobs(&self) -> Result<Vec<JobRow>, Error> {
        let statement = format!("SELECT {COLUMNS} FROM explore.jobs WHERE outcome IS NULL ORDER BY asked_at, run");
        let rows = self.state.session().await?.rows(READ, &statement, &[]).await?;
        rows.iter().map(read).collect()
    }

    /// Returns the runs that may have no journal: those that did not end well.
    pub(crate) async fn jobs_without_end(&self) -> Result<Vec<String>, Error> {
        let statement = "SELECT run FROM explore.jobs WHERE outcome IS DISTINCT FROM 'completed'";
        let rows = self.state.session().await?.rows(READ, statement, &[]).await?;
        rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>().map_err(failed(READ))
    }
}

fn read(row: &Row) -> Result<JobRow, Error> {
    let text = |index| row.try_get::<_, Option<String>>(index).map_err(failed(READ));
    let time =
        |index| row.try_get::<_, Option<Sql<Timestamp>>>(index).map(|at| at.map(|at| at.0)).map_err(failed(READ));
    let outcome = text(6)?.and_then(|name| Outcome::ALL.into_iter().find(|outcome| outcome.name() == name));
    Ok(JobRow {
        run: text(0)?.unwrap_or_default(),
        asked_by: text(1)?.unwrap_or_default(),
        asked_at: time(2)?.unwrap_or_default(),
        task: json::read(READ, &text(3)?.unwrap_or_default())?,
        started_at: time(4)?,
        ended_at: time(5)?,
        outcome,
        problem: text(7)?,
    })
}
