//! PostgreSQL inside the process, in memory: for the demo, quick tries, and tests without a server.
//!
//! It is PostgreSQL itself, compiled to WebAssembly (`oliphaunt-wasix`), and is spoken to as a server is: the engine
//! takes protocol messages and gives protocol messages, and a bridge carries them to and from the same driver, pool
//! and wrapper. What it does not have, and what stands in for it:
//!
//! - *One backend*, so one connection: statements side by side wait for one another.
//! - *No `statement_timeout` and no cancel.* Nothing can stop a statement that has begun, so [`PLAN_COST_MAX`] is meant
//!   for [`Limits::plan_cost_max`]. One that overruns all the same is answered with [`Error::Timeout`], its engine is
//!   left behind, computing until it is done, and another one is started with the same content; so it is after a
//!   statement that brings the engine down.
//! - *No roles to keep apart.* Statements run as a role that may read every table and nothing else; the sandbox has no
//!   network and none of the machine's files but its own.
//!
//! The first start on a machine unpacks the engine into the user's cache directory (`~/.cache/oliphaunt-wasix`, or
//! under `XDG_CACHE_HOME`), some 100 MB, which must be writable.

mod bridge;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::tokio_postgres::config::SslMode;
use deadpool_postgres::tokio_postgres::{self, Client};
use oliphaunt_wasix::{AsyncOliphaunt, DatabaseStorage, StorageErrorCode};
use tokio::sync::Mutex;
use tokio::time::timeout;

use self::bridge::{Dial, bridge};
use super::postgres::connections::{Bounds, Connections, Stop};
use super::postgres::protocol::{self, Postgres};
use super::postgres::session::{Session, Statement};
use super::postgres::{describe, failure, script, settings};
use super::table::Table;
use super::{Error, Limits, Server, SessionContext};

/// A plan dearer than this would keep the engine, which cannot be stopped, busy for minutes.
pub const PLAN_COST_MAX: f64 = 5e6;
/// Bytes of disk, which here is memory, that one statement may sort or keep in.
const TEMPORARY_FILES_MAX: &str = "256MB";
/// What is said of a statement that brought the engine down.
const BROUGHT_DOWN: &str = "this brought the embedded engine down, and was not repeated; another one was started with the \
     same content; what is nested less deep, or is smaller, may pass";
/// The role that statements run as.
const READER: &str = "explore_reader";
/// Time for the engine to close; there is nothing to lose in memory.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Time for an engine to close whose data are kept: what it writes then, the next start need not make up for.
const KEPT_CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
/// Engines that may be left behind and still compute; each keeps a core busy and holds its memory until it is done.
const ABANDONED_MAX: usize = 3;

/// An embedded PostgreSQL, started.
#[derive(Debug)]
pub struct EmbeddedDatabase {
    server: Server,
    context: SessionContext,
    /// What made the database, to make it again.
    scripts: std::sync::Mutex<Vec<String>>,
    running: Mutex<Running>,
}

/// The engine in use; who holds the lock has it for himself.
#[derive(Debug)]
struct Running {
    backend: Backend,
    /// Engines that were left behind; they are gone once what they computed is done.
    abandoned: Vec<Weak<AtomicBool>>,
}

#[derive(Debug)]
struct Backend {
    engine: Engine,
    connections: Connections,
}

/// The engine, which computes on a thread of its own, and whose memory is given back when the last of its clones is gone.
#[derive(Clone)]
struct Engine {
    database: AsyncOliphaunt,
    /// Whether a statement brought it down.
    failed: Arc<AtomicBool>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Engine")
    }
}

impl Engine {
    async fn open(storage: DatabaseStorage) -> Result<Self, oliphaunt_wasix::Error> {
        let builder = AsyncOliphaunt::builder().storage(storage);
        builder
            .startup_guc("temp_file_limit", TEMPORARY_FILES_MAX)
            .open()
            .await
            .map(|database| Self { database, failed: Arc::default() })
    }

    /// Takes note that a statement brought it down.
    fn fails(&self) {
        self.failed.store(true, Ordering::SeqCst);
    }

    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::SeqCst)
    }
}

fn not_started(error: &oliphaunt_wasix::Error) -> Error {
    let reason = failure::one_line(&format!("{error:#}"));
    Error::Connect(format!(
        "the embedded PostgreSQL did not start: {reason}; it unpacks itself into ~/.cache, which must be writable: set \
         XDG_CACHE_HOME to a directory that is"
    ))
}

/// An engine whose data are kept in a directory, for the program's own state. A process that is killed loses nothing that
/// was committed: the next start recovers it, as a server does. No two processes may open one directory.
#[derive(Debug)]
pub(crate) struct KeptEngine(Engine);

impl KeptEngine {
    /// Opens the directory, which is made where there is none; `None` where another engine has it, if only until it has
    /// closed.
    pub(crate) async fn open(directory: &Path) -> Result<Option<Self>, Error> {
        match Engine::open(DatabaseStorage::Directory(directory.to_owned())).await {
            Ok(engine) => Ok(Some(Self(engine))),
            Err(error) if error.storage_error().is_some_and(|details| details.code() == StorageErrorCode::Busy) => {
                Ok(None)
            }
            Err(error) => Err(not_started(&error)),
        }
    }

    /// The one connection that it has, as its owner.
    pub(crate) async fn connect(&self) -> Result<Client, Error> {
        let (client, _) = bridge(&self.0, &config()).await.map_err(|error| failed("start", &error))?;
        Ok(client)
    }

    /// Closes it in good order.
    pub(crate) async fn close(&self) {
        in_time(KEPT_CLOSE_TIMEOUT, self.0.database.close()).await;
    }
}

fn config() -> tokio_postgres::Config {
    let mut config = tokio_postgres::Config::new();
    config.user("postgres").dbname("postgres").ssl_mode(SslMode::Disable);
    config
}

/// Starts an empty database in memory.
pub async fn start(context: &SessionContext) -> Result<EmbeddedDatabase, Error> {
    let (backend, server) = Backend::start(context).await?;
    let running = Mutex::new(Running { backend, abandoned: Vec::new() });
    Ok(EmbeddedDatabase { server, context: context.clone(), scripts: std::sync::Mutex::default(), running })
}

impl Backend {
    async fn start(context: &SessionContext) -> Result<(Self, Server), Error> {
        let engine = Engine::open(DatabaseStorage::Memory).await.map_err(|error| not_started(&error))?;
        let config = config();

        let reader = format!("CREATE ROLE {READER}; GRANT pg_read_all_data TO {READER}");
        let (client, task) = bridge(&engine, &config).await.map_err(|error| failed("start", &error))?;
        client.batch_execute(&reader).await.map_err(|error| failed("start", &error))?;
        let settings = settings::negotiate(&client, &["public".to_owned()], &[("role", READER)]).await?;
        let mut server = describe(&client, "embedded PostgreSQL", "").await?;
        server.warnings = settings.warnings;
        drop(client);
        task.abort();

        let minute = Duration::from_mins(1);
        let bounds = Bounds { connections_max: 1, connect_timeout: minute, reconnect_timeout: Duration::ZERO };
        let dial = Dial { engine: engine.clone(), settings: settings.statement.clone() };
        let session = Session { settings: settings.statement, preamble: context.statement() };
        let connections = Connections::new(config, dial, session, Stop::Wait, bounds)?;
        Ok((Self { engine, connections }, server))
    }

    async fn load(&self, sql: &str) -> Result<(), Error> {
        let lease = self.connections.lease().await?;
        let loaded = run_script(lease.client(), sql).await;
        lease.give_back();
        loaded
    }
}

fn failed(what: &str, error: &tokio_postgres::Error) -> Error {
    Error::Connect(format!("the embedded PostgreSQL did not {what}: {}", failure::describe(error)))
}

impl EmbeddedDatabase {
    /// Runs a SQL script as the database's owner, statement by statement, then ANALYZE, so that the planner's
    /// statistics are there. An error names the line on which the failing statement begins, and the statement.
    pub async fn load(&self, sql: &str) -> Result<(), Error> {
        self.running.lock().await.backend.load(sql).await?;
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner).push(sql.to_owned());
        // The script may have made the role that statements run as.
        self.own("SELECT", &[]).await.map(drop)
    }

    /// Runs a read-only statement of the program's own, whose parameters are all of type `text[]`.
    pub async fn own(&self, statement: &'static str, parameters: &[&[String]]) -> Result<Table, Error> {
        protocol::own(self, statement, parameters).await
    }

    /// Starts another engine with the same content.
    async fn restart(&self, running: &mut Running) -> Result<(), Error> {
        running.abandoned.retain(|engine| engine.strong_count() > 0);
        if running.abandoned.len() == ABANDONED_MAX {
            return Err(Error::Gone(format!(
                "{ABANDONED_MAX} statements overran and still compute, which the embedded engine cannot stop; load the data into a \
                 PostgreSQL server, or raise --query-timeout"
            )));
        }
        let gone = |error: Error| Error::Gone(format!("the embedded engine could not be started again: {error}"));
        let (backend, _) = Backend::start(&self.context).await.map_err(gone)?;
        let scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for script in scripts {
            backend.load(&script).await.map_err(gone)?;
        }
        running.abandoned.push(Arc::downgrade(&running.backend.engine.failed));
        running.backend = backend;
        Ok(())
    }
}

async fn run_script(client: &Client, sql: &str) -> Result<(), Error> {
    let owner = "RESET role; SET default_transaction_read_only = off; SET search_path = public";
    client.batch_execute(owner).await.map_err(|error| failed("prepare for the script", &error))?;
    for part in script::parts(sql) {
        client.batch_execute(part.text).await.map_err(|error| {
            let beginning = failure::one_line(&part.text.chars().take(80).collect::<String>());
            let reason = failure::describe(&error);
            Error::Statement { message: format!("line {}: {reason}; in: {beginning}", part.line) }
        })?;
    }
    client.batch_execute("ANALYZE").await.map_err(|error| failed("analyze", &error))
}

#[async_trait]
impl Postgres for EmbeddedDatabase {
    fn server(&self) -> &Server {
        &self.server
    }

    fn connections_max(&self) -> usize {
        1
    }

    /// Runs one statement when those before it are done. Where it overruns, the engine is left behind, still computing;
    /// where it brings the engine down, as what is nested too deep for its stack does, another one takes its place too.
    async fn run(&self, statement: &Statement<'_>, limits: &Limits) -> Result<Table, Error> {
        let mut running = self.running.lock().await;
        match timeout(limits.timeout, running.backend.connections.run(statement, limits)).await {
            Ok(result) if !running.backend.engine.has_failed() => result,
            Ok(_) => {
                tracing::warn!("a statement brought the embedded engine down; another engine is started");
                self.restart(&mut running).await?;
                Err(Error::Statement { message: BROUGHT_DOWN.to_owned() })
            }
            Err(_) => {
                tracing::warn!("a statement overran and the embedded engine cannot stop it; another engine is started");
                self.restart(&mut running).await?;
                Err(Error::Timeout { seconds: limits.timeout.as_secs().max(1) })
            }
        }
    }

    async fn close(&self) {
        let closing = async {
            let running = self.running.lock().await;
            running.backend.connections.close().await;
            running.backend.engine.database.close().await
        };
        in_time(CLOSE_TIMEOUT, closing).await;
    }
}

/// Waits for an engine to close; one that still computes is left to the end of the process.
async fn in_time<E: std::fmt::Display>(patience: Duration, closing: impl Future<Output = Result<(), E>>) {
    match timeout(patience, closing).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the embedded engine did not close"),
        Err(_) => tracing::debug!("the embedded engine is still busy"),
    }
}
