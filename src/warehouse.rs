//! A SELECT to a bounded table: [`sql`] validates the text, [`executor`] is the one path to a [`Database`], which runs it
//! within [`Limits`] and returns a [`Table`].
//!
//! Two engines implement [`Database`]: a PostgreSQL server, and a PostgreSQL embedded in the process. Both run a [`Select`]
//! wrapped, in a READ ONLY transaction that is always rolled back. What the rest of the program asks of a database is in
//! the trait's words; the statements that answer it lie with the engine.

pub mod catalog;
mod diagnosis;
#[cfg(feature = "embedded")]
pub mod embedded;
pub mod executor;
#[cfg(feature = "embedded")]
pub mod files;
pub mod lineage;
pub mod postgres;
pub mod privacy;
pub mod scratch;
mod source;
pub mod sql;
pub mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use self::catalog::{Introspected, Selection};
pub use self::diagnosis::{Encryption, Product, PublicRights};
pub use self::postgres::role::{Grade, Names};
use self::postgres::settings;
pub use self::source::{OpenError, Source, Step, Watch};
use self::sql::Select;
use self::table::Table;

/// The limits of one query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The time after which the server is asked to stop the query.
    pub timeout: Duration,
    /// The most rows that are fetched. [`Table::more_rows`] says whether there were more.
    pub rows_max: usize,
    /// The most characters of one cell.
    pub cell_characters_max: usize,
    /// The most bytes of all cells together, including the memory that a cell takes besides its text.
    pub bytes_max: usize,
    /// The highest cost, in the planner's units, of a step of the plan; `None` accepts any.
    pub plan_cost_max: Option<f64>,
}

impl Limits {
    /// The characters of one cell that a query of a model, a person or a monitor returns.
    const CELL_CHARACTERS_MAX: usize = 10_000;
    /// The bytes of its result.
    const BYTES_MAX: usize = 64 << 20;

    /// Returns the limits of a query that the program did not write itself.
    pub fn of_query(timeout: Duration, rows_max: usize, plan_cost_max: Option<f64>) -> Self {
        let (cell_characters_max, bytes_max) = (Self::CELL_CHARACTERS_MAX, Self::BYTES_MAX);
        Self { timeout, rows_max, cell_characters_max, bytes_max, plan_cost_max }
    }
}

/// The role and the settings with which every transaction begins, the program's own included. Row-level policies read
/// them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionContext {
    /// The role that statements run as; `None` is the role that logged in.
    pub role: Option<String>,
    /// The settings, by name.
    pub settings: BTreeMap<String, String>,
}

impl SessionContext {
    /// Returns the statement that sets them until the transaction ends; empty if there is nothing to set.
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

/// The server at the other end of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// `PostgreSQL` or `embedded PostgreSQL`.
    pub engine: String,
    /// Such as `15.18`.
    pub version: String,
    pub database: String,
    /// The role that the session runs as.
    pub role: String,
    /// The rights of the role beyond reading.
    #[serde(default)]
    pub grade: Grade,
    /// Warnings about the connection or the role, one sentence each: superuser, may write, may read files, settings that
    /// the engine does not know.
    pub warnings: Vec<String>,
}

impl Server {
    /// The engine of a server that is reached over a connection.
    const POSTGRESQL: &str = "PostgreSQL";
    /// The engine inside this process.
    #[cfg(feature = "embedded")]
    const EMBEDDED: &str = "embedded PostgreSQL";
    /// Some hours of a server's computing. No useful query costs this much, even if the planner errs by a factor of a
    /// hundred.
    const PLAN_COST_MAX: f64 = 1e9;

    /// Returns whether this is the embedded engine, which runs inside the process.
    pub fn is_embedded(&self) -> bool {
        self.engine != Self::POSTGRESQL
    }

    /// Returns the plan cost above which a query is refused by default.
    pub fn plan_cost_max(&self) -> f64 {
        #[cfg(feature = "embedded")]
        if self.is_embedded() {
            return embedded::PLAN_COST_MAX;
        }
        Self::PLAN_COST_MAX
    }
}

/// Why a statement has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No connection could be made: wrong address, password, certificate or database.
    #[error("{0}")]
    Connect(String),
    /// The connection was lost and could not be made again. This ends a run.
    #[error("the database is gone: {0}")]
    Gone(String),
    /// The server refused the statement or failed to run it. The fault is the statement's.
    #[error("{message}")]
    Statement {
        /// The message with SQLSTATE, detail, hint and position, on one line.
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
    /// Returns the server at the other end, as it was when the connection was made.
    fn server(&self) -> &Server;

    /// Returns how many statements can run side by side.
    fn connections_max(&self) -> usize;

    /// Reads the catalog of the selected relations that the role may read, and the code of the database's users.
    async fn introspect(&self, selection: &Selection) -> Result<Introspected, catalog::Error>;

    /// Returns a text that differs once the schema has changed.
    async fn version(&self) -> Result<String, Error>;

    /// Asks the planner what the SELECT would read and cost. The SELECT does not run.
    async fn prove(&self, select: &Select, limits: &Limits) -> Result<Proof, Error>;

    /// Runs one validated SELECT. Dropping the returned future stops the query on the server.
    async fn select(&self, select: &Select, limits: &Limits) -> Result<Table, Error>;

    /// Returns the identifier that a cluster keeps for its life; `None` if the role may not read it.
    async fn cluster(&self) -> Result<Option<String>, Error>;

    /// Returns how the connection is encrypted.
    async fn encryption(&self) -> Result<Encryption, Error>;

    /// Returns the signs by which the product behind the protocol is recognised.
    async fn product(&self) -> Result<Product, Error>;

    /// Returns what every role may do beyond reading.
    async fn public_rights(&self) -> Result<PublicRights, Error>;

    /// Returns whether a statement whose text contains `mark` is still running on the server.
    async fn is_running(&self, mark: &str) -> Result<bool, Error>;

    /// Waits until dropped queries are stopped on the server, then closes the connections.
    async fn close(&self);
}

/// The planner's answer about a SELECT.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Proof {
    /// The plan, as the server prints it.
    pub plan: String,
    /// The relations that the plan reads, as (schema, name). A view appears as the tables below it.
    pub relations: BTreeSet<(String, String)>,
    /// The cost of the dearest step of the plan, in the planner's units.
    pub cost: f64,
}
