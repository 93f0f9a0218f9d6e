//! A connection, and the locks that it can hold.
//!
//! On a server a lock is an advisory lock of the session, which ends with it. The engine inside the process has one
//! session for all, whose advisory locks would keep nobody out: there the locks are the process's own, which has the
//! engine to itself.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use tokio::sync::{Mutex, MutexGuard, OwnedMutexGuard};
use tokio_postgres::types::{FromSqlOwned, ToSql};
use tokio_postgres::{Client, Row, Transaction};

use super::Error;
use crate::warehouse::postgres::writable::describe;

/// What a session on a server begins with. A client that vanished is noticed within a minute, and with it its locks.
const SERVER_SETTINGS: &str = "SET application_name = 'explore';
    SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
    SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = '10min';";
/// What every session begins with. Of all names only those of the catalogue are found without their schema.
const SETTINGS: &str = "SET search_path = pg_catalog; SET TimeZone = 'UTC'; SET client_min_messages = warning;
    SET default_transaction_read_only = off";

/// A connection.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    client: Arc<Mutex<Client>>,
    /// The locks of the process, where it has the engine to itself.
    own_locks: Option<Arc<OwnLocks>>,
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

/// A lock that is held: until it is dropped in the process's own engine, until [`Session::unlock`] or the end of the
/// session on a server.
#[derive(Debug)]
pub(crate) struct Lock {
    name: String,
    _own: Option<OwnedMutexGuard<()>>,
}

impl Session {
    pub(super) async fn of_server(client: Client) -> Result<Self, Error> {
        let session = Self { client: Arc::new(Mutex::new(client)), own_locks: None };
        session.prepare(&format!("{SERVER_SETTINGS} {SETTINGS}")).await?;
        Ok(session)
    }

    /// The one session of an engine inside the process.
    #[cfg(feature = "embedded")]
    pub(super) async fn of_engine(client: Client) -> Result<Self, Error> {
        let session = Self { client: Arc::new(Mutex::new(client)), own_locks: Some(Arc::default()) };
        session.prepare(SETTINGS).await?;
        Ok(session)
    }

    async fn prepare(&self, settings: &str) -> Result<(), Error> {
        self.client.lock().await.batch_execute(settings).await.map_err(failed("prepare the session of the state"))
    }

    /// Waits for the lock of that name.
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

    /// The lock of that name, unless another has it.
    pub(crate) async fn try_lock(&self, name: &str) -> Result<Option<Lock>, Error> {
        if let Some(locks) = &self.own_locks {
            let own = locks.get(name).try_lock_owned().ok();
            return Ok(own.map(|own| Lock { name: name.to_owned(), _own: Some(own) }));
        }
        let is_mine: bool =
            self.one("ask for a lock", "SELECT pg_try_advisory_lock(hashtextextended($1, 0))", &[&name]).await?;
        Ok(is_mine.then(|| Lock { name: name.to_owned(), _own: None }))
    }

    /// Lets others have the lock.
    pub(super) async fn unlock(&self, lock: Lock) -> Result<(), Error> {
        if self.own_locks.is_none() {
            let statement = "SELECT pg_advisory_unlock(hashtextextended($1, 0))";
            let _: bool = self.one("release a lock", statement, &[&lock.name]).await?;
        }
        Ok(())
    }

    /// The connection, for several statements in a row.
    pub(crate) async fn client(&self) -> MutexGuard<'_, Client> {
        self.client.lock().await
    }

    /// Runs one statement; how many rows it touched.
    pub(crate) async fn execute(
        &self,
        what: &'static str,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, Error> {
        self.client.lock().await.execute(statement, parameters).await.map_err(failed(what))
    }

    /// The rows of one statement.
    pub(crate) async fn rows(
        &self,
        what: &'static str,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        self.client.lock().await.query(statement, parameters).await.map_err(failed(what))
    }

    /// The one cell of a statement that has one.
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

/// Turns an error of the driver into one that says what was tried.
pub(crate) fn failed(what: &'static str) -> impl Fn(tokio_postgres::Error) -> Error {
    move |error| Error::Statement { what, reason: describe(&error) }
}

/// Begins a transaction; one that is dropped is rolled back.
pub(crate) async fn begin<'c>(client: &'c mut Client, what: &'static str) -> Result<Transaction<'c>, Error> {
    client.transaction().await.map_err(failed(what))
}
