//! What the program asks of a database. Two engines answer: a PostgreSQL server, and one embedded in the process.
//!
//! A [`Select`] is run wrapped, in a READ ONLY transaction that is always rolled back, within [`Limits`]. The
//! program's own statements (introspection, plans) are `&'static str`, so nothing a model wrote can be among them.

pub mod catalog;
#[cfg(feature = "embedded")]
pub mod embedded;
pub mod executor;
pub mod postgres;
pub mod sql;
pub mod table;

use self::postgres::settings;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use self::postgres::role::{Grade, Names};
use self::sql::Select;
use self::table::Table;

/// The bounds of one query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Time until the server is told to stop it.
    pub timeout: Duration,
    /// Rows fetched; whether there were more is told by [`Table::more_rows`].
    pub rows_max: usize,
    /// Characters of one cell.
    pub cell_characters_max: usize,
    /// Bytes of all cells together, with what a cell takes in memory besides its text.
    pub bytes_max: usize,
    /// The planner's cost of the dearest step of the plan; `None` where nothing is too dear.
    pub plan_cost_max: Option<f64>,
}

/// What every transaction begins with, the program's own too: the role and the settings that row-level policies read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionContext {
    /// The role that statements run as, where it is not the one that logged in.
    pub role: Option<String>,
    /// Settings, by name.
    pub settings: BTreeMap<String, String>,
}

impl SessionContext {
    /// The statement that makes them until the transaction ends; empty where there is nothing to make.
    fn statement(&self) -> String {
        let role = self.role.iter().map(|role| ("role", role.as_str()));
        let settings = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let calls = settings.chain(role).map(|(name, value)| {
            format!("pg_catalog.set_config({}, {}, true)", settings::literal(name), settings::literal(value))
        });
        let calls = calls.collect::<Vec<_>>();
        if calls.is_empty() { String::new() } else { format!("SELECT {};", calls.join(", ")) }
    }
}

/// The bounds of the program's own statements, which read the catalogue of a database of any size. A cell may hold all
/// columns of a table as one document, so that it is bounded by the bytes of all cells alone.
const OWN_LIMITS: Limits = Limits {
    timeout: Duration::from_mins(1),
    rows_max: 1_000_000,
    cell_characters_max: 256 << 20,
    bytes_max: 256 << 20,
    plan_cost_max: None,
};

/// What is at the other end of the connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// `PostgreSQL` or `embedded PostgreSQL`.
    pub engine: String,
    /// Such as `15.18`.
    pub version: String,
    /// The database's name.
    pub database: String,
    /// The role that the session runs as.
    pub role: String,
    /// What it may do beyond reading.
    #[serde(default)]
    pub grade: Grade,
    /// What is wrong with the connection or the role, a sentence each: superuser, may write, may read files, settings
    /// that the engine does not know.
    pub warnings: Vec<String>,
}

/// A statement that did not give a result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No connection could be made: wrong address, password, certificate, database.
    #[error("{0}")]
    Connect(String),
    /// The connection was lost and could not be made again. It stops a run.
    #[error("the database is gone: {0}")]
    Gone(String),
    /// The server refused or failed the statement: a fault of the statement.
    #[error("{message}")]
    Statement {
        /// Message with SQLSTATE, detail, hint and position, on one line.
        message: String,
    },
    /// Stopped at [`Limits::timeout`].
    #[error("timeout: stopped after {seconds} s; filter earlier or aggregate")]
    Timeout {
        /// The limit, in seconds.
        seconds: u64,
    },
    /// Not stopped: the server does not react when it is asked to.
    #[error(
        "timeout: {seconds} s are over, and the server does not stop when asked: it goes on computing this until it is \
         done; do not send it again, make its values smaller"
    )]
    GoesOn {
        /// The limit, in seconds.
        seconds: u64,
    },
    /// Refused at [`Limits::plan_cost_max`], before it ran.
    #[error("{0}")]
    TooDear(String),
    /// Stopped at [`Limits::bytes_max`].
    #[error("bytes: the result is larger than {bytes_max} bytes; select fewer columns or rows")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
}

/// A database that can be explored.
#[async_trait]
pub trait Database: Send + Sync + Debug {
    /// What is at the other end.
    fn server(&self) -> &Server;

    /// How many statements can run side by side.
    fn connections_max(&self) -> usize;

    /// Runs one validated SELECT. When the returned future is dropped, the query is stopped on the server.
    async fn select(&self, select: &Select, limits: &Limits) -> Result<Table, Error>;

    /// The planner's view of it, by plain EXPLAIN, for debugging.
    async fn explain(&self, select: &Select, limits: &Limits) -> Result<String, Error>;

    /// Runs a read-only statement of the program's own, whose parameters are all of type `text[]`.
    async fn own(&self, statement: &'static str, parameters: &[&[String]]) -> Result<Table, Error>;

    /// Waits until what was dropped is stopped on the server, then closes the connections.
    async fn close(&self);
}

/// The cells of a table of one column, a line each.
fn lines(table: Table) -> String {
    table.rows.into_iter().flatten().flatten().collect::<Vec<_>>().join("\n")
}
