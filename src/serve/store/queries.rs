//! The statements of callers: who, what, with which verdict. No value of a row is kept.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::Store;
use crate::state::session::failed;
use crate::state::{Error, json};
use crate::warehouse::postgres::temporal::Sql;

const READ: &str = "read the log of statements";
const WRITE: &str = "log a statement";

/// What became of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Ran,
    /// The validator refused it.
    Refused,
    /// The database failed to answer it.
    Failed,
}

/// A statement of a caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LoggedQuery {
    /// Counted up.
    pub id: i64,
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The name of the key.
    pub caller: String,
    /// The id of the request.
    pub request: String,
    pub sql: String,
    pub verdict: Verdict,
    /// The rule that refused it.
    pub rule: Option<String>,
    /// How many rows were returned.
    pub rows: Option<i64>,
    pub milliseconds: i64,
}

impl Store {
    pub(crate) async fn log_query(&self, query: &LoggedQuery) -> Result<(), Error> {
        let LoggedQuery { at, caller, request, sql, verdict, rule, rows, milliseconds, .. } = query;
        let statement = "INSERT INTO explore.query_log (at, caller, request, sql, verdict, rule, rows, milliseconds)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let verdict = json::name_of(verdict);
        // PostgreSQL has no text with a NUL, which the validator refuses, and the log still tells of.
        let sql = sql.replace('\0', "\u{fffd}");
        let parameters: [&(dyn ToSql + Sync); 8] =
            [&Sql(*at), caller, request, &sql, &verdict, rule, rows, milliseconds];
        self.state.session().await?.execute(WRITE, statement, &parameters).await.map(drop)
    }

    /// Returns the statements before this id, the latest first.
    pub(crate) async fn queries(&self, before: Option<i64>, limit: usize) -> Result<Vec<LoggedQuery>, Error> {
        let statement = "SELECT id, at, caller, request, sql, verdict, rule, rows, milliseconds FROM explore.query_log
            WHERE id < $1 ORDER BY id DESC LIMIT $2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.state.session().await?.rows(READ, statement, &[&before.unwrap_or(i64::MAX), &limit]).await?;
        rows.iter().map(|row| read(row).map_err(failed(READ))).collect()
    }
}

fn read(row: &Row) -> Result<LoggedQuery, tokio_postgres::Error> {
    let verdict = match row.try_get::<_, &str>(5)? {
        "ran" => Verdict::Ran,
        "refused" => Verdict::Refused,
        _ => Verdict::Failed,
    };
    Ok(LoggedQuery {
        id: row.try_get(0)?,
        at: row.try_get::<_, Sql<Timestamp>>(1)?.0,
        caller: row.try_get(2)?,
        request: row.try_get(3)?,
        sql: row.try_get(4)?,
        verdict,
        rule: row.try_get(6)?,
        rows: row.try_get(7)?,
        milliseconds: row.try_get(8)?,
    })
}
