//! One statement on one connection: begun, pinned, wrapped, read within its limits. What both engines share.
//!
//! The text is prepared by itself first, which proves it to be one complete statement and tells its columns. What is
//! executed is the text within a SELECT of the program's own, over the extended protocol, in a READ ONLY transaction
//! whose first snapshot is already taken. It knows nothing of pools, time-outs of the client, or who wrote the text.

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

/// A statement to be run within the wrapper.
#[derive(Debug, Clone, Copy)]
pub(in crate::warehouse) struct Statement<'a> {
    /// The text, without a trailing semicolon.
    pub(in crate::warehouse) text: &'a str,
    /// The values of `$1`, `$2` ...
    pub(in crate::warehouse) parameters: Parameters<'a>,
    /// What is asked of it.
    pub(in crate::warehouse) verb: Verb,
    /// Bytes of the widest value that it makes for each row that it reads.
    pub(in crate::warehouse) made_bytes: f64,
}

/// What is asked of a [`Statement`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::warehouse) enum Verb {
    /// Its rows.
    Run,
    /// Its plan, one row a line.
    Explain,
}

/// What every session of a database is given.
#[derive(Debug, Clone)]
pub(in crate::warehouse) struct Session {
    /// One SELECT that makes the session's settings.
    pub(in crate::warehouse) settings: String,
    /// What every transaction begins with: the role and the settings that it runs with. May be empty.
    pub(in crate::warehouse) preamble: String,
}

/// Time for the session to be cleaned once the answer is there.
const RESET_TIMEOUT: Duration = Duration::from_secs(5);

/// A statement's rows, and what became of its session.
#[derive(Debug)]
pub(in crate::warehouse) struct Answer {
    pub(super) table: Table,
    /// Whether the session was reset: without that it must not be used again.
    pub(super) clean: bool,
}

impl Session {
    /// Runs the statement in a transaction of its own. Where it fails, [`Session::reset`] has still to end that.
    ///
    /// The reset is sent right behind the statement, over the same round trip. The server takes messages in their order,
    /// so that it begins after the last row.
    pub(super) async fn run(
        &self,
        client: &Client,
        statement: &Statement<'_>,
        limits: &Limits,
    ) -> Result<Answer, Failure> {
        let (columns, types, bound) = begin(client, &self.preamble, statement, limits).await?;
        let wrapped = Wrapped::new(statement, &types, limits);
        let started = Instant::now();
        let explain = statement.verb == Verb::Explain;
        let columns = if explain { vec![Column { name: "plan".into(), type_name: "text".into() }] } else { columns };
        let fetched = pin!(fetch(client, &bound, &wrapped, limits, columns));
        let reset = pin!(self.reset(client));
        // The first of both is polled, and thereby sent, first.
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

    /// Ends the transaction and takes from the session whatever it gained, then makes its settings anew: DISCARD ALL
    /// takes them too. A connection on which this fails must not be used again.
    pub(super) async fn reset(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        let (rolled_back, (discarded, set)) = join(
            client.batch_execute("ROLLBACK"),
            join(client.batch_execute("DISCARD ALL"), client.batch_execute(&self.settings)),
        )
        .await;
        rolled_back.and(discarded).and(set)
    }
}

/// Bytes that a cell takes in memory besides its text, so that a great many small ones are not taken for nothing.
const CELL_BYTES: usize = 64;

/// Begins the transaction, learns the statement's columns and looks at what it would cost, in one round trip; in two
/// where the server has to tell the types of parameters first.
///
/// The `SELECT 1` takes the transaction's snapshot: from then on PostgreSQL refuses to make it READ WRITE. Were the
/// statement no complete one, its preparation would end the transaction, and its plan would not be made.
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

/// Asks for the plan, if there is a limit to what it may cost, or if each of its rows would have a wide value.
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

/// A value's bytes as they came: a database of encoding SQL_ASCII may hold text that is no UTF-8.
struct Bytes<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Bytes<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// The text within the program's own SELECT, which makes every cell text, cuts it, and caps the rows.
struct Wrapped {
    sql: String,
    /// Characters before the text: what a position that PostgreSQL reports is off by.
    prefix_characters: usize,
}

impl Wrapped {
    fn new(statement: &Statement<'_>, types: &[Type], limits: &Limits) -> Self {
        let mut sql = String::from(match statement.verb {
            Verb::Run => "SELECT ",
            Verb::Explain => "EXPLAIN SELECT ",
        });
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
        let _ = write!(sql, " LIMIT {}", limits.rows_max.saturating_add(1));
        Self { sql, prefix_characters }
    }
}
