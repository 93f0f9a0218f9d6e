//! The state that is remembered between runs, in a PostgreSQL schema of its own: `explore`.
//!
//! This module contains connections, locks, migrations and the outbox. The code for a product's own tables is part of
//! the product: [`crate::monitor::memory`]. The database is a server, or an embedded engine whose data are kept in a
//! directory. Migrations run automatically and only forward. Nothing here reads a clock or makes decisions.
//!
//! A lock belongs to the session that took it, so it is released when the process ends, for whatever reason. A pooler
//! that shares sessions between clients (PgBouncer in transaction mode) breaks this: connect to the server itself.

#[cfg(feature = "embedded")]
mod directory;
pub(crate) mod json;
mod migrate;
pub(crate) mod outbox;
mod privacy;
pub(crate) mod session;

#[cfg(feature = "embedded")]
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use self::outbox::{
    Claim, Delivery, Entry, Investigation, NewMessage, Part, Sender, Settled, Waiting, Which, WrittenMessage,
};

use tokio::sync::Semaphore;

use self::session::Session;
use crate::warehouse;
use crate::warehouse::postgres::writable::Writable;

/// The time to wait for another process that uses the directory.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// An error while the state is opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot open the state: {0}")]
    Connect(#[from] warehouse::Error),
    #[error("cannot keep the state in {directory}: {reason}")]
    Directory { directory: String, reason: String },
    /// Another process used the directory during the whole time of waiting.
    #[error(
        "another process keeps its state in {directory}; wait for it to end, or set EXPLORE_STATE_URL to a PostgreSQL \
         server, which several processes can share"
    )]
    Busy { directory: String },
    /// A newer version of this program has migrated the schema.
    #[error("the state has version {found}, and this program supports versions up to {known}; install a newer version")]
    Newer {
        /// The version of the schema.
        found: i32,
        /// The newest version that this program supports.
        known: i32,
    },
    #[error(
        "cannot create or upgrade the schema of the state: {reason}; the role must own the schema: CREATE SCHEMA explore \
         AUTHORIZATION role"
    )]
    Migration { reason: String },
    #[error("cannot {what}: {reason}")]
    Statement {
        /// The attempted action, as a verb with its object.
        what: &'static str,
        reason: String,
    },
    /// A document cannot be serialized, or one in the state cannot be parsed.
    #[error("cannot {what}: the state contains a document that cannot be parsed: {reason}")]
    Document {
        /// The attempted action, as a verb with its object.
        what: &'static str,
        reason: String,
    },
    /// The input to be written is invalid.
    #[error("{0}")]
    Input(String),
}

/// The opened state, on a server or in a directory. Clones are handles of the same.
#[derive(Debug, Clone)]
pub struct State {
    engine: Engine,
    /// One permit for each connection; `None` without a bound.
    permits: Option<Arc<Semaphore>>,
}

/// The database that contains the state.
#[derive(Debug, Clone)]
enum Engine {
    Server(Arc<Writable>),
    #[cfg(feature = "embedded")]
    Kept(Arc<directory::KeptDirectory>),
}

impl State {
    /// Opens the state on the server at `url`, a `postgres://` URL or libpq's `key=value` pairs. The role must own the
    /// schema `explore`, or have the right to create it.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Self { engine: Engine::Server(Arc::new(Writable::parse(url)?)), permits: None }.migrated().await
    }

    /// Opens the state in `directory`, which is created if it does not exist. Only one process can use the directory at
    /// a time. This function waits up to 10 seconds for another one to end.
    #[cfg(feature = "embedded")]
    pub async fn embedded(directory: &Path) -> Result<Self, Error> {
        Self::embedded_within(PATIENCE, directory).await
    }

    /// Opens the state in `directory`, waiting up to `patience` for another process that uses it.
    #[cfg(feature = "embedded")]
    pub async fn embedded_within(patience: Duration, directory: &Path) -> Result<Self, Error> {
        let kept = directory::KeptDirectory::open(directory, patience).await?;
        Self { engine: Engine::Kept(Arc::new(kept)), permits: None }.migrated().await
    }

    /// Bounds how many connections to a server are open at a time; more wait. Whoever holds one must not wait for another.
    #[must_use]
    pub fn bounded(self, connections_max: usize) -> Self {
        Self { permits: Some(Arc::new(Semaphore::new(connections_max))), ..self }
    }

    async fn migrated(self) -> Result<Self, Error> {
        migrate::run(&self.session().await?).await?;
        Ok(self)
    }

    /// Returns a new connection to the server, or a handle of the embedded engine's only connection.
    pub(crate) async fn session(&self) -> Result<Session, Error> {
        match &self.engine {
            Engine::Server(server) => {
                let permit = match &self.permits {
                    Some(permits) => Arc::clone(permits).acquire_owned().await.ok(),
                    None => None,
                };
                Session::of_server(server.connect().await?, permit).await
            }
            #[cfg(feature = "embedded")]
            Engine::Kept(kept) => Ok(kept.session()),
        }
    }

    /// Gives the handle back. With the last one an embedded engine is shut down cleanly; on a server there is nothing to shut
    /// down.
    pub async fn close(self) {
        match self.engine {
            Engine::Server(_) => {}
            #[cfg(feature = "embedded")]
            Engine::Kept(kept) => {
                if let Some(kept) = Arc::into_inner(kept) {
                    kept.close().await;
                }
            }
        }
    }
}
