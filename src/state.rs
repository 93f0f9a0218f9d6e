//! PostgreSQL for what is remembered between runs, in a schema of its own: `explore`.
//!
//! This module knows connections, locks, migrations and the outbox. What a product keeps there lies with the product:
//! [`crate::monitor::memory`]. The schema stands on a server, or in an engine inside the process whose data are kept in a
//! directory. Migrations run by themselves, forward only. Nothing here reads a clock or decides anything.
//!
//! A lock belongs to the session that took it, so it ends with the process, however that ends. A pooler that shares
//! sessions between clients (PgBouncer in transaction mode) breaks this; connect to the server itself.

#[cfg(feature = "embedded")]
mod directory;
pub(crate) mod json;
mod migrate;
pub(crate) mod outbox;
pub(crate) mod session;

#[cfg(feature = "embedded")]
use std::path::Path;
#[cfg(feature = "embedded")]
use std::sync::Arc;
#[cfg(feature = "embedded")]
use std::time::Duration;

pub use self::outbox::{Claim, Delivery, Entry, NewMessage, Sender, Settled, Waiting, Which};

use self::session::Session;
use crate::warehouse;
use crate::warehouse::postgres::writable::Writable;

/// How long to wait for another process that has the directory.
#[cfg(feature = "embedded")]
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection, or no engine.
    #[error("the state cannot be opened: {0}")]
    Connect(#[from] warehouse::Error),
    /// The directory is no directory to write to.
    #[error("the state cannot be kept in {directory}: {reason}")]
    Directory {
        /// The directory.
        directory: String,
        /// What the system says.
        reason: String,
    },
    /// Another process has the directory, and went on having it.
    #[error(
        "another process keeps its state in {directory}; wait for it to end, or set EXPLORE_STATE_URL to a PostgreSQL \
         server, which several can share"
    )]
    Busy {
        /// The directory.
        directory: String,
    },
    /// A newer program has been here.
    #[error("the state has version {found}, and this program knows none after {known}; install a newer one")]
    Newer {
        /// The version of the schema.
        found: i32,
        /// The newest version that this program makes.
        known: i32,
    },
    /// The schema cannot be made.
    #[error(
        "the schema of the state cannot be made: {reason}; its role must own it: CREATE SCHEMA explore AUTHORIZATION role"
    )]
    Migration {
        /// What the server says.
        reason: String,
    },
    /// A statement failed.
    #[error("cannot {what}: {reason}")]
    Statement {
        /// What was tried.
        what: &'static str,
        /// What the server says.
        reason: String,
    },
    /// A document in the state is not what this program writes.
    #[error("cannot {what}: the state holds a document that does not read: {reason}")]
    Document {
        /// What was tried.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// What was to be written makes no sense.
    #[error("{0}")]
    Input(String),
}

/// The state, opened.
#[derive(Debug)]
pub struct State {
    engine: Engine,
}

/// Where the state stands.
#[derive(Debug)]
enum Engine {
    Server(Box<Writable>),
    #[cfg(feature = "embedded")]
    Kept(Arc<directory::KeptDirectory>),
}

impl State {
    /// Opens the state on the server at `url`, a `postgres://` URL or libpq's `key=value` pairs. The role must own the
    /// schema `explore`, or be allowed to make it.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self { engine: Engine::Server(Box::new(Writable::parse(url)?)) }.migrated().await
    }

    /// Opens the state that is kept in `directory`, which is made where there is none. One process has it at a time;
    /// another one waits some seconds.
    #[cfg(feature = "embedded")]
    pub async fn embedded(directory: &Path) -> Result<Self, Error> {
        Self::embedded_within(PATIENCE, directory).await
    }

    /// Opens the state that is kept in `directory`, waiting so long for another process that has it.
    #[cfg(feature = "embedded")]
    pub async fn embedded_within(patience: Duration, directory: &Path) -> Result<Self, Error> {
        let kept = directory::KeptDirectory::open(directory, patience).await?;
        Self { engine: Engine::Kept(Arc::new(kept)) }.migrated().await
    }

    async fn migrated(self) -> Result<Self, Error> {
        migrate::run(&self.session().await?).await?;
        Ok(self)
    }

    /// A connection of its own; of the engine inside the process, a share of the only one.
    pub(crate) async fn session(&self) -> Result<Session, Error> {
        match &self.engine {
            Engine::Server(server) => Session::of_server(server.connect().await?).await,
            #[cfg(feature = "embedded")]
            Engine::Kept(kept) => Ok(kept.session()),
        }
    }

    /// Closes the engine inside the process in good order. A server needs no farewell.
    pub async fn close(self) {
        match self.engine {
            Engine::Server(_) => {}
            #[cfg(feature = "embedded")]
            Engine::Kept(kept) => kept.close().await,
        }
    }
}
