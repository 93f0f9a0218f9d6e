//! PostgreSQL inside the process, in memory: for the demo, data files, quick tries, and tests without a server.
//!
//! It is PostgreSQL compiled to WebAssembly (`oliphaunt-wasix`). It understands the same protocol as a server, so the
//! same driver, pool and wrapper are used. A bridge carries the protocol messages between them and the engine. The
//! engine differs from a server in these points:
//!
//! - *One backend*, and therefore one connection. Concurrent statements wait for each other.
//! - *No `statement_timeout` and no cancel.* Nothing can stop a statement that has begun. [`Limits::plan_cost_max`]
//!   should be [`PLAN_COST_MAX`], which rejects expensive statements. If a statement overruns nevertheless, the call
//!   returns [`Error::Timeout`]. Its engine is abandoned and computes until it is done, and another engine with the
//!   same content is started. The engine is also replaced after a statement that crashes it.
//! - *No separate roles.* Statements run as a role that may read every table and do nothing else. The sandbox has no
//!   network and cannot access the machine's files except its own.
//!
//! The first start on a machine unpacks the engine, about 100 MB, into the user's cache directory, which must be
//! writable: `~/.cache/oliphaunt-wasix`, or a directory under `XDG_CACHE_HOME`.

mod bridge;
mod content;

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
use self::content::Content;
use super::files::DataFile;
use super::postgres::connections::{Bounds, Connections, Stop};
use super::postgres::protocol::{self, Postgres};
use super::postgres::session::{Session, Statement};
use super::postgres::{describe, failure, settings};
use super::source::{OpenError, Watch};
use super::table::Table;
use super::{Error, Limits, Server, SessionContext};

/// The highest cost of a plan, in the planner's units. A more expensive one would keep the engine busy for minutes, and
/// nothing can stop it.
pub const PLAN_COST_MAX: f64 = 5e6;
/// The most temporary file space of one statement. The files are in memory.
const TEMPORARY_FILES_MAX: &str = "256MB";
/// The error message of a statement that crashed the engine.
const BROUGHT_DOWN: &str = "this brought the embedded engine down, and was not repeated; another one was started with the \
     same content; what is nested less deep, or is smaller, may pass";
/// The role as which statements run.
const READER: &str = "explore_reader";
/// The time for an engine in memory to close. There is nothing to lose in it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The time for an engine with a directory to close. After a clean close, the next start needs no recovery.
const KEPT_CLOSE_TIMEOUT: Duration = Duration::from_secs(10);
/// The most abandoned engines that may still compute. Each keeps a core busy and holds its memory until it is done.
const ABANDONED_MAX: usize = 3;

/// A running embedded PostgreSQL whose data is in memory.
#[derive(Debug)]
pub struct EmbeddedDatabase {
    server: Server,
    context: SessionContext,
    /// What was loaded, in order. It is loaded into a new engine again.
    contents: std::sync::Mutex<Vec<Content>>,
    running: Mutex<Running>,
}

/// The engine in use. Its lock gives exclusive access, because there is only one connection.
#[derive(Debug)]
struct Running {
    backend: Backend,
    /// The abandoned engines. A reference dangles once its engine is done.
    abandoned: Vec<Weak<AtomicBool>>,
}

#[derive(Debug)]
struct Backend {
    engine: Engine,
    connections: Connections,
}

/// A handle of an engine, which computes on its own thread. Its memory is freed when the last handle is dropped.
#[derive(Clone)]
struct Engine {
    database: AsyncOliphaunt,
    /// Whether a statement crashed it.
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

    /// Records that a statement crashed the engine.
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

/// An engine that stores its data in a directory, for the program's own state. If the process is killed, committed data
/// is not lost: the next start recovers it, as a server does. Two processes cannot open the same directory.
#[derive(Debug)]
pub(crate) struct KeptEngine(Engine);

impl KeptEngine {
    /// Opens the directory, which is created if it does not exist. Returns `None` while another engine uses it, even if
    /// that one is closing.
    pub(crate) async fn open(directory: &Path) -> Result<Option<Self>, Error> {
        match Engine::open(DatabaseStorage::Directory(directory.to_owned())).await {
            Ok(engine) => Ok(Some(Self(engine))),
            Err(error) if error.storage_error().is_some_and(|details| details.code() == StorageErrorCode::Busy) => {
                Ok(None)
            }
            Err(error) => Err(not_started(&error)),
        }
    }

    /// Opens the engine's only connection, as the owner of the database.
    pub(crate) async fn connect(&self) -> Result<Client, Error> {
        let (client, _) = bridge(&self.0, &config()).await.map_err(|error| failed("start", &error))?;
        Ok(client)
    }

    /// Closes the engine cleanly, within [`KEPT_CLOSE_TIMEOUT`].
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
    Ok(EmbeddedDatabase { server, context: context.clone(), contents: std::sync::Mutex::default(), running })
}

impl Backend {
    async fn start(context: &SessionContext) -> Result<(Self, Server), Error> {
        let engine = Engine::open(DatabaseStorage::Memory).await.map_err(|error| not_started(&error))?;
        let config = config();

        let reader = format!("CREATE ROLE {READER}; GRANT pg_read_all_data TO {READER}");
        let (client, task) = bridge(&engine, &config).await.map_err(|error| failed("start", &error))?;
        client.batch_execute(&reader).await.map_err(|error| failed("start", &error))?;
        let settings = settings::negotiate(&client, &["public".to_owned()], &[("role", READER)]).await?;
        let mut server = describe(&client, Server::EMBEDDED, "").await?;
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

    async fn load(&self, content: &Content, watch: Watch<'_>) -> Result<(), OpenError> {
        let lease = self.connections.lease().await?;
        let loaded = content::load(&self.engine, lease.client(), content, watch).await;
        lease.give_back();
        loaded
    }
}

fn failed(what: &str, error: &tokio_postgres::Error) -> Error {
    Error::Connect(format!("the embedded PostgreSQL did not {what}: {}", failure::describe(error)))
}

impl EmbeddedDatabase {
    /// Runs a SQL script as the database's owner, statement by statement, then runs ANALYZE, so that the planner has
    /// statistics. An error names the failing statement and the line on which it begins. The data of `COPY ... FROM
    /// STDIN` follow their statement, as in a plain dump.
    pub async fn load(&self, sql: &str) -> Result<(), Error> {
        self.fill(Content::Script(sql.to_owned()), &|_| {}).await.map_err(OpenError::into_database)
    }

    /// Creates a table of each file and loads its rows: all files, or none of them. Then runs ANALYZE. What a reader
    /// should know about how the files were read is among the warnings of [`Server`] then.
    pub async fn load_files(&mut self, files: Vec<DataFile>, watch: Watch<'_>) -> Result<(), OpenError> {
        let surveyed = content::survey(files, watch).await?;
        let notes = |file: &super::files::Surveyed| {
            let name = file.file.name();
            file.notes.iter().map(|note| format!("{name}: {note}")).collect::<Vec<_>>()
        };
        let notes = surveyed.iter().flat_map(notes).collect::<Vec<_>>();
        self.fill(Content::Files(surveyed), watch).await?;
        self.server.warnings.extend(notes);
        Ok(())
    }

    async fn fill(&self, content: Content, watch: Watch<'_>) -> Result<(), OpenError> {
        self.running.lock().await.backend.load(&content, watch).await?;
        self.contents.lock().unwrap_or_else(PoisonError::into_inner).push(content);
        // Fails unless statements can run as the role of the session context, which a script may have created.
        self.own("SELECT", &[]).await?;
        Ok(())
    }

    /// Runs a read-only statement of the program itself. All parameters have the type `text[]`.
    pub async fn own(&self, statement: &'static str, parameters: &[&[String]]) -> Result<Table, Error> {
        protocol::own(self, statement, parameters).await
    }

    /// Replaces the engine by a new one with the same content, and abandons the old one.
    async fn restart(&self, running: &mut Running) -> Result<(), Error> {
        running.abandoned.retain(|engine| engine.strong_count() > 0);
        if running.abandoned.len() == ABANDONED_MAX {
            return Err(Error::Gone(format!(
                "{ABANDONED_MAX} statements overran and still compute, which the embedded engine cannot stop; load the data into a \
                 PostgreSQL server, or raise --query-timeout"
            )));
        }
        let gone = |error: OpenError| Error::Gone(format!("the embedded engine could not be started again: {error}"));
        let (backend, _) = Backend::start(&self.context).await.map_err(|error| gone(error.into()))?;
        let contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for content in contents {
            backend.load(&content, &|_| {}).await.map_err(gone)?;
        }
        running.abandoned.push(Arc::downgrade(&running.backend.engine.failed));
        running.backend = backend;
        Ok(())
    }
}

#[async_trait]
impl Postgres for EmbeddedDatabase {
    fn server(&self) -> &Server {
        &self.server
    }

    fn connections_max(&self) -> usize {
        1
    }

    /// Runs one statement after the earlier ones are done. The engine is replaced if the statement overruns, or if it
    /// crashes the engine, as an expression does that is nested too deep for its stack.
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

/// Waits at most `patience` for an engine to close. One that is still computing runs until the process ends.
async fn in_time<E: std::fmt::Display>(patience: Duration, closing: impl Future<Output = Result<(), E>>) {
    match timeout(patience, closing).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the embedded engine did not close"),
        Err(_) => tracing::debug!("the embedded engine is still busy"),
    }
}
