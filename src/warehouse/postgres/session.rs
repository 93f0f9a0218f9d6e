//! Runs one statement on one connection within its limits, on a server and on the embedded engine alike.
//!
//! The text is prepared by itself first, which proves that it is one complete statement and reports its columns. It is
//! then executed inside a SELECT of the program's own, over the extended protocol, in a READ ONLY transaction whose
//! first snapshot has been taken. This module knows nothing of pools, of time-outs on the client, or of the author of
//! the text.

use std::fmt::Write as _;
use std::pin::pin;
use std::time::{Duration, Instant};

use deadpool_postgres::tokio_postgres::types::{FromSql, Type};
use deadpool_postgres::tokio_postgres::{self, Client, Row};
use futures_util::TryStreamExt;
use futures_util::future::{Either, join, ready, select};
use tokio::time::timeout;

use super::failure::{self, Failure};
use super::parameters::Bound;
pub(in crate::warehouse) use super::parameters::Parameters;
use super::{cost, shown};
use crate::warehouse::sql::sizes::WIDE_BYTES;
use crate::warehouse::table::{Column, Table};
use crate::warehouse::{Error, Limits};

/// A statement to run inside the wrapper SELECT.
#[derive(Debug, Clone, Copy)]
pub(in crate::warehouse) struct Statement<'a> {
    /// The text, without a trailing semicolon.
    pub(in crate::warehouse) text: &'a str,
    /// The values of `$1`, `$2` ...
    pub(in crate::warehouse) parameters: Parameters<'a>,
    pub(in crate::warehouse) verb: Verb,
    /// Bytes of the widest value that the statement creates for each row that it reads.
    pub(in crate::warehouse) made_bytes: f64,
}

/// What to return for a [`Statement`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::warehouse) enum Verb {
    Run,
    /// The plan, one row per line.
    Explain,
    /// The plan, as one JSON document.
    ExplainTree,
}

/// The SQL that prepares every session and every transaction of a database.
#[derive(Debug, Clone)]
pub(in crate::warehouse) struct Session {
    /// One SELECT that applies the session's settings.
    pub(in crate::warehouse) settings: String,
    /// Statements at the start of every transaction, which set the role and the settings. May be empty.
    pub(in crate::warehouse) preamble: String,
}

/// Time-out of the reset after the rows have arrived.
const RESET_TIMEOUT: Duration = Duration::from_secs(5);

/// A statement's rows, and whether its session was reset.
#[derive(Debug)]
pub(in crate::warehouse) struct Answer {
    pub(super) table: Table,
    /// A session that was not reset must not be used again.
    pub(super) clean: bool,
}

impl Session {
    /// Runs the statement in a transaction of its own. If it fails, the caller has to end the transaction with
    /// [`Session::reset`].
    ///
    /// The reset is sent right behind the statement, in the same round trip. The server processes messages in order, so
    /// that the reset begins after the last row.
    pub(super) async fn run(
        &self,
        client: &Client,
        statement: &Statement<'_>,
        limits: &Limits,
    ) -> Result<Answer, Failure> {
        let (columns, types, bound) = begin(client, &self.preamble, statement, limits).await?;
        let wrapped = Wrapped::new(statement, &types, limits);
        let started = Instant::now();
        let explain = statement.verb != Verb::Run;
        let columns = if explain { vec![Column { name: "plan".into(), type_name: "text".into() }] } else { columns };
        let fetched = pin!(fetch(client, &bound, &wrapped, limits, columns));
        let reset = pin!(self.reset(client));
        // `select` polls its first argument first, so that the statement is sent before the reset.
        let (fetched, reset) = match select(fetched, reset).await {
            Either::Left((fetched, reset)) => (fetched, Either::Left(reset)),
            Either::Right((reset, fetched)) => (fetched.await, Either::Right(ready(reset))),
        };
        let table = fetched.map_err(|stopped| match stopped {
            Stopped::TooLarge => Failure::Answer(Error::TooLarge { bytes_max: limits.bytes_max }),
            Stopped::Failed(error) => {
                failure::while_running(&error, statement.text, wrapped.prefix_characters, started.elapsed(), limits)
            }
        })?;
        let clean = matches!(timeout(RESET_TIMEOUT, reset).await, Ok(Ok(())));
        Ok(Answer { table, clean })
    }

    /// Ends the transaction, discards the state of the session, and applies its settings again, because DISCARD ALL
    /// removes them too. A connection on which this fails must not be used again.
    pub(super) async fn reset(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        let (rolled_back, (discarded, set)) = join(
            client.batch_execute("ROLLBACK"),
            join(client.batch_execute("DISCARD ALL"), client.batch_execute(&self.settings)),
        )
        .await;
        rolled_back.and(discarded).and(set)
    }
}

/// Bytes of memory that a cell takes besides its text, so that a large number of small cells is not counted as nothing.
const CELL_BYTES: usize = 64;

/// Begins the transaction, prepares the statement and checks its cost, in one round trip. Two are needed if the server
/// has to report the types of parameters first. Returns the columns, their types and the parameters.
///
/// The `SELECT 1` takes the transaction's snapshot: from then on PostgreSQL refuses to make it READ WRITE. If the text
/// is not one complete statement, its preparation fails and aborts the transaction, so that no plan is made.
async fn begin<'a>(
    client: &Client,
    preamble: &str,
    statement: &Statement<'a>,
    limits: &Limits,
) -> Result<(Vec<Column>, Vec<Type>, Vec<Bound<'a>>), Failure> {
    let milliseconds = limits.timeout.as_millis().clamp(1, i32::MAX.unsigned_abs().into());
    let begin = format!("BEGIN READ ONLY; SET LOCAL statement_timeout = {milliseconds}; {preamble} SELECT 1");
    let known = statement.parameters.known();
    let types = known.iter().flatten().map(Bound::data_type).collect::<Vec<_>>();
    let started = Instant::now();
    let cost = async {
        match &known {
            Some(bound) => check_cost(client, statement, bound, limits).await,
            None => Ok(()),
        }
    };
    let (begun, (prepared, costs)) =
        join(client.batch_execute(&begin), join(client.prepare_typed(statement.text, &types), cost)).await;
    begun.map_err(failure::beginning)?;
    let prepared =
        prepared.map_err(|error| failure::before_running(error, statement.text, started.elapsed(), limits))?;
    let bound = statement.parameters.bind(prepared.params());
    let bound = bound.map_err(|message| Failure::Answer(Error::Statement { message }))?;
    costs?;
    if known.is_none() {
        check_cost(client, statement, &bound, limits).await?;
    }
    let column = |column: &tokio_postgres::Column| Column {
        name: column.name().to_owned(),
        type_name: column.type_().name().to_owned(),
    };
    let types = prepared.columns().iter().map(|column| column.type_().clone()).collect();
    Ok((prepared.columns().iter().map(column).collect(), types, bound))
}

/// Checks the plan if its cost is limited, or if the statement creates a wide value for each row.
async fn check_cost(
    client: &Client,
    statement: &Statement<'_>,
    bound: &[Bound<'_>],
    limits: &Limits,
) -> Result<(), Failure> {
    if statement.verb != Verb::Run || (limits.plan_cost_max.is_none() && statement.made_bytes < WIDE_BYTES) {
        return Ok(());
    }
    let cost_max = limits.plan_cost_max.unwrap_or(f64::INFINITY);
    let (explain, prefix_characters) = cost::explain(statement.text, limits);
    let started = Instant::now();
    let parameters = bound.iter().map(Bound::typed).collect::<Vec<_>>();
    let rows = client.query_typed(&explain, &parameters).await.map_err(|error| {
        failure::while_running(&error, statement.text, prefix_characters, started.elapsed(), limits)
    })?;
    let lines = rows.iter().filter_map(|row| row.try_get::<_, &str>(0).ok());
    cost::check(lines, cost_max, statement.made_bytes).map_err(Failure::Answer)
}

enum Stopped {
    TooLarge,
    Failed(tokio_postgres::Error),
}

impl From<tokio_postgres::Error> for Stopped {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Failed(error)
    }
}

async fn fetch(
    client: &Client,
    bound: &[Bound<'_>],
    wrapped: &Wrapped,
    limits: &Limits,
    columns: Vec<Column>,
) -> Result<Table, Stopped> {
    let mut table = Table { columns, ..Table::default() };
    let mut rows = pin!(client.query_typed_raw(&wrapped.sql, bound.iter().map(Bound::typed)).await?);
    let mut bytes = 0;
    while let Some(row) = rows.try_next().await? {
        if table.rows.len() == limits.rows_max {
            table.more_rows = true;
            continue;
        }
        let cells = cells(&row, limits.cell_characters_max)?;
        bytes += cells.iter().map(|cell| CELL_BYTES + cell.as_ref().map_or(0, String::len)).sum::<usize>();
        if bytes > limits.bytes_max {
            return Err(Stopped::TooLarge);
        }
        table.rows.push(cells);
    }
    Ok(table)
}

fn cells(row: &Row, characters_max: usize) -> Result<Vec<Option<String>>, tokio_postgres::Error> {
    let cell = |index| {
        let text: Option<Bytes<'_>> = row.try_get(index)?;
        Ok(text.map(|Bytes(bytes)| cut(String::from_utf8_lossy(bytes).into_owned(), characters_max)))
    };
    (0..row.len()).map(cell).collect()
}

fn cut(mut text: String, characters_max: usize) -> String {
    if text.len() > characters_max
        && let Some((end, _)) = text.char_indices().nth(characters_max)
    {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The bytes of a value as received: a database with the encoding SQL_ASCII may contain text that is not UTF-8.
struct Bytes<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Bytes<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The text inside the program's own SELECT, which converts cells to text, cuts them, and limits the rows.
struct Wrapped {
    sql: String,
    /// Characters before the text, by which the positions that PostgreSQL reports are off.
    prefix_characters: usize,
}

impl Wrapped {
    fn new(statement: &Statement<'_>, types: &[Type], limits: &Limits) -> Self {
        let mut sql = String::from(match statement.verb {
            Verb::Run => "SELECT ",
            Verb::Explain => "EXPLAIN SELECT ",
            Verb::ExplainTree => "EXPLAIN (VERBOSE, FORMAT JSON) SELECT ",
        });
        // One character more than is kept shows that a cell was cut.
        let one_more = limits.cell_characters_max.saturating_add(1).min(i32::MAX as usize);
        let mut names = String::new();
        for (number, data_type) in (1..).zip(types) {
            let comma = if number > 1 { ", " } else { "" };
            let name = format!("c{number}");
            let _ = write!(sql, "{comma}pg_catalog.\"left\"({}, {one_more})", shown::as_text(data_type, &name));
            let _ = write!(names, "{comma}{name}");
        }
        sql.push_str(" FROM (");
        let prefix_characters = sql.chars().count();
        sql.push_str(statement.text);
        sql.push_str("\n) AS q");
        if !types.is_empty() {
            let _ = write!(sql, "({names})");
        }
        // One row more than is kept shows that there are more.
        let _ = write!(sql, " LIMIT {}", limits.rows_max.saturating_add(1));
        Self { sql, prefix_characters }
    }
}
