//! A database session, and the locks that it can hold.
//!
//! On a server, a lock is an advisory lock of the session and ends with it. The embedded engine has a single session,
//! whose advisory locks would exclude nobody. Its locks are those of the process, which is the engine's only user.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use tokio::sync::{Mutex, MutexGuard, OwnedMutexGuard, OwnedSemaphorePermit};
use tokio_postgres::types::{FromSqlOwned, ToSql};
use tokio_postgres::{Client, Row, Transaction};

use super::Error;
use crate::warehouse::postgres::writable::describe;

/// The settings of a session on a server. The server notices a vanished client within a minute, and releases its locks.
const SERVER_SETTINGS: &str = "SET application_name = 'explore';
    SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
    SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = '10min';";
/// The settings of every session. Only names in the system catalogue are found without their schema.
const SETTINGS: &str = "SET search_path = pg_catalog; SET TimeZone = 'UTC'; SET client_min_messages = warning;
    SET default_transaction_read_only = off";

/// A connection with the session settings applied.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    client: Arc<Mutex<Client>>,
    /// The locks of the process, for an embedded engine; `None` on a server.
    own_locks: Option<Arc<OwnLocks>>,
    /// Given back with the connection; `None` where connections have no bound.
    _permit: Option<Arc<OwnedSemaphorePermit>>,
}

/// The locks of one process, by name.
#[derive(Debug, Default)]
pub(super) struct OwnLocks(std::sync::Mutex<HashMap<String, Arc<Mutex<()>>>>);

impl OwnLocks {
    fn get(&self, name: &str) -> Arc<Mutex<()>> {
        let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(locks.entry(name.to_owned()).or_default())
    }
}

/// A held lock. In the embedded engine it is released when it is dropped, on a server by [`Session::unlock`] or at the
/// end of the session.
#[derive(Debug)]
pub(crate) struct Lock {
    name: String,
    _own: Option<OwnedMutexGuard<()>>,
}

impl Session {
    pub(super) async fn of_server(client: Client, permit: Option<OwnedSemaphorePermit>) -> Result<Self, Error> {
        let permit = permit.map(Arc::new);
        let session = Self { client: Arc::new(Mutex::new(client)), own_locks: None, _permit: permit };
        session.prepare(&format!("{SERVER_SETTINGS} {SETTINGS}")).await?;
        Ok(session)
    }

    /// Creates the only session of an embedded engine.
    #[cfg(feature = "embedded")]
    pub(super) async fn of_engine(client: Client) -> Result<Self, Error> {
        let session = Self { client: Arc::new(Mutex::new(client)), own_locks: Some(Arc::default()), _permit: None };
        session.prepare(SETTINGS).await?;
        Ok(session)
    }

    async fn prepare(&self, settings: &str) -> Result<(), Error> {
        self.client.lock().await.batch_execute(settings).await.map_err(failed("prepare the session of the state"))
    }

    /// Waits for the lock called `name`.
    pub(crate) async fn lock(&self, name: &str) -> Result<Lock, Error> {
        if let Some(lock) = self.try_lock(name).await? {
            return Ok(lock);
        }
        tracing::info!(lock = name, "waiting for another process that has the lock");
        if let Some(locks) = &self.own_locks {
            return Ok(Lock { name: name.to_owned(), _own: Some(locks.get(name).lock_owned().await) });
        }
        let statement = "SELECT pg_advisory_lock(hashtextextended($1, 0))";
        self.client.lock().await.execute(statement, &[&name]).await.map_err(failed("wait for a lock"))?;
        Ok(Lock { name: name.to_owned(), _own: None })
    }

    /// Takes the lock called `name`. Returns `None` if it is held elsewhere.
    pub(crate) async fn try_lock(&self, name: &str) -> Result<Option<Lock>, Error> {
        if let Some(locks) = &self.own_locks {
            let own = locks.get(name).try_lock_owned().ok();
            return Ok(own.map(|own| Lock { name: name.to_owned(), _own: Some(own) }));
        }
        let is_mine: bool =
            self.one("ask for a lock", "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", &[&name]).await?;
        Ok(is_mine.then(|| Lock { name: name.to_owned(), _own: None }))
    }

    /// Releases a lock.
    pub(crate) async fn unlock(&self, lock: Lock) -> Result<(), Error> {
        if self.own_locks.is_none() {
            let statement = "SELECT pg_advisory_unlock(hashtextextended($1, 0))";
            let _: bool = self.one("release a lock", statement, &[&lock.name]).await?;
        }
        Ok(())
    }

    /// Locks the connection for several statements in a row.
    pub(crate) async fn client(&self) -> MutexGuard<'_, Client> {
        self.client.lock().await
    }

    /// Runs one statement and returns the number of rows affected.
    pub(crate) async fn execute(
        &self,
        what: &'static str,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        self.client.lock().await.execute(statement, parameters).await.map_err(failed(what))
    }

    /// Runs one statement and returns its rows.
    pub(crate) async fn rows(
        &self,
        what: &'static str,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        self.client.lock().await.query(statement, parameters).await.map_err(failed(what))
    }

    /// Runs one statement and returns its only cell.
    pub(crate) async fn one<T: FromSqlOwned>(
        &self,
        what: &'static str,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<T, Error> {
        let row = self.client.lock().await.query_one(statement, parameters).await.map_err(failed(what))?;
        row.try_get(0).map_err(failed(what))
    }
}

/// Converts an error of the driver into one that names the attempted action.
pub(crate) fn failed(what: &'static str) -> impl Fn(tokio_postgres::Error) -> Error {
    move |error| Error::Statement { what, reason: describe(&error) }
}

/// Begins a transaction, which is rolled back if it is dropped.
pub(crate) async fn begin<'c>(client: &'c mut Client, what: &'static str) -> Result<Transaction<'c>, Error> {
    client.transaction().await.map_err(failed(what))
}
