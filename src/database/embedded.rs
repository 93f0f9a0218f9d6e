//! PostgreSQL inside the process, in memory: for the demo, quick tries, and tests without a server.
//!
//! It is PostgreSQL itself, compiled to WebAssembly (`oliphaunt-wasix`), and is spoken to as a server is: the engine
//! takes protocol messages and gives protocol messages, and a bridge carries them to and from the same driver, pool
//! and wrapper. What it does not have, and what stands in for it:
//!
//! - *One backend*, so one connection: statements side by side wait for one another.
//! - *No `statement_timeout` and no cancel.* Nothing can stop a statement that has begun. The planner's cost is
//!   looked at first, and a statement beyond [`COST_MAX`] is refused. One that overruns all the same is answered with
//!   [`Error::Timeout`] in time, but the engine goes on computing, and what comes next waits for it, within its own
//!   limit. The end of the process ends it.
//! - *No roles to keep apart.* Statements run as a role that may read every table and nothing else; the sandbox has no
//!   network and none of the machine's files but its own.
//!
//! The first start on a machine unpacks the engine into the user's cache directory (`~/.cache/oliphaunt-wasix`, or
//! under `XDG_CACHE_HOME`), some 100 MB, which must be writable.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::Connect;
use deadpool_postgres::tokio_postgres::config::SslMode;
use deadpool_postgres::tokio_postgres::{self, Client, NoTls};
use oliphaunt_wasix::AsyncOliphaunt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::connections::{Bounds, Connections, Stop};
use super::postgres::{describe, spawn};
use super::session::{Statement, Verb};
use super::{Database, Error, Limits, OWN_LIMITS, Server, failure, script, settings};
use crate::sql::Select;
use crate::table::Table;

/// The planner's cost of the dearest step of a plan, beyond which a statement is refused: minutes of computing.
const COST_MAX: f64 = 5e6;
/// Bytes of disk, which here is memory, that one statement may sort or keep in.
const TEMPORARY_FILES_MAX: &str = "256MB";
/// The role that statements run as.
const READER: &str = "explore_reader";
/// Time for the engine to close; there is nothing to lose in memory.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Bytes under way between the engine and the driver.
const PIPE_BYTES: usize = 1 << 16;
/// Chunks of an answer under way before the engine waits for the reader.
const CHUNKS_MAX: usize = 16;

/// An embedded PostgreSQL, started.
#[derive(Debug)]
pub struct EmbeddedDatabase {
    server: Server,
    connections: Connections,
    engine: Engine,
}

#[derive(Clone)]
struct Engine(AsyncOliphaunt);

impl std::fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Engine")
    }
}

/// Starts an empty database in memory.
pub async fn start() -> Result<EmbeddedDatabase, Error> {
    let opened = AsyncOliphaunt::builder().startup_guc("temp_file_limit", TEMPORARY_FILES_MAX).open().await;
    let engine = Engine(opened.map_err(|error| {
        let reason = failure::one_line(&format!("{error:#}"));
        Error::Connect(format!(
            "the embedded PostgreSQL did not start: {reason}; it unpacks itself into ~/.cache, which must be writable: \
             set XDG_CACHE_HOME to a directory that is"
        ))
    })?);
    let mut config = tokio_postgres::Config::new();
    config.user("postgres").dbname("postgres").ssl_mode(SslMode::Disable);

    let reader = format!("CREATE ROLE {READER}; GRANT pg_read_all_data TO {READER}");
    let (client, task) = bridge(&engine, &config).await.map_err(|error| failed("start", &error))?;
    client.batch_execute(&reader).await.map_err(|error| failed("start", &error))?;
    let settings = settings::negotiate(&client, &["public".to_owned()], &[("role", READER)]).await?;
    let mut server = describe(&client, "embedded PostgreSQL").await?;
    server.warnings = settings.warnings;
    drop(client);
    task.abort();

    let minute = Duration::from_mins(1);
    let bounds = Bounds { connections_max: 1, connect_timeout: minute, reconnect_timeout: Duration::ZERO };
    let dial = Dial { engine: engine.clone(), settings: settings.statement.clone() };
    let connections = Connections::new(config, dial, settings.statement, Stop::Wait, bounds)?;
    Ok(EmbeddedDatabase { server, connections, engine })
}

fn failed(what: &str, error: &tokio_postgres::Error) -> Error {
    Error::Connect(format!("the embedded PostgreSQL did not {what}: {}", failure::describe(error)))
}

impl EmbeddedDatabase {
    /// Runs a SQL script as the database's owner, statement by statement, then ANALYZE, so that the planner's
    /// statistics are there. An error names the line on which the failing statement begins, and the statement.
    pub async fn load(&self, sql: &str) -> Result<(), Error> {
        let lease = self.connections.lease().await?;
        let client = lease.client();
        let loaded = run_script(client, sql).await;
        lease.give_back();
        loaded
    }

    /// Refuses what would keep the engine busy for minutes, since nothing can stop it.
    async fn check_cost(&self, statement: &Statement<'_>, limits: &Limits) -> Result<(), Error> {
        let plan = Limits { rows_max: 10_000, cell_characters_max: 10_000, ..OWN_LIMITS };
        let explain = Statement { verb: Verb::Explain, ..*statement };
        let plan = self.bounded(&explain, &Limits { timeout: limits.timeout, ..plan }).await?;
        let cost = super::lines(plan).lines().filter_map(cost_of).fold(0.0, f64::max);
        if cost <= COST_MAX {
            return Ok(());
        }
        let message = format!(
            "cost: the planner expects {cost:.1e}, the embedded engine is given at most {COST_MAX:.0e}; filter \
             earlier, join on a condition, or generate fewer rows"
        );
        Err(Error::Statement { message })
    }

    /// The limit holds for the wait for the engine too, which may be busy with a statement that overran.
    async fn bounded(&self, statement: &Statement<'_>, limits: &Limits) -> Result<Table, Error> {
        let run = self.connections.run(statement, limits);
        let overrun = |_| Err(Error::Timeout { seconds: limits.timeout.as_secs().max(1) });
        timeout(limits.timeout, run).await.unwrap_or_else(overrun)
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

/// `1234.56` of a plan's line `Seq Scan on t  (cost=0.00..1234.56 rows=9 width=4)`.
fn cost_of(line: &str) -> Option<f64> {
    let (_, costs) = line.split_once("(cost=")?;
    let (_, total) = costs.split_once("..")?;
    total.split(' ').next()?.parse().ok()
}

#[async_trait]
impl Database for EmbeddedDatabase {
    fn server(&self) -> &Server {
        &self.server
    }

    fn connections_max(&self) -> usize {
        self.connections.connections_max()
    }

    async fn select(&self, select: &Select, limits: &Limits) -> Result<Table, Error> {
        let statement = Statement { text: select.text(), parameters: &[], verb: Verb::Run };
        self.check_cost(&statement, limits).await?;
        self.bounded(&statement, limits).await
    }

    async fn explain(&self, select: &Select, limits: &Limits) -> Result<String, Error> {
        let statement = Statement { text: select.text(), parameters: &[], verb: Verb::Explain };
        self.bounded(&statement, limits).await.map(super::lines)
    }

    async fn own(&self, statement: &'static str, parameters: &[&[String]]) -> Result<Table, Error> {
        self.bounded(&Statement { text: statement, parameters, verb: Verb::Run }, &OWN_LIMITS).await
    }

    async fn close(&self) {
        let closing = async {
            self.connections.close().await;
            self.engine.0.close().await
        };
        // An engine that still computes is left to the end of the process.
        match timeout(CLOSE_TIMEOUT, closing).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the embedded engine did not close"),
            Err(_) => tracing::debug!("the embedded engine is still busy"),
        }
    }
}

/// Makes connections to the engine with the session's settings applied.
struct Dial {
    engine: Engine,
    settings: String,
}

impl Connect for Dial {
    fn connect(
        &self,
        config: &tokio_postgres::Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), tokio_postgres::Error>> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let (client, task) = bridge(&self.engine, &config).await?;
            client.batch_execute(&self.settings).await?;
            Ok((client, task))
        })
    }
}

/// Joins the driver to the engine by a pipe.
async fn bridge(
    engine: &Engine,
    config: &tokio_postgres::Config,
) -> Result<(Client, JoinHandle<()>), tokio_postgres::Error> {
    let (near, far) = tokio::io::duplex(PIPE_BYTES);
    let engine = engine.clone();
    tokio::spawn(async move {
        if let Err(error) = serve(engine, far).await {
            tracing::debug!(%error, "bridge to the embedded engine ended");
        }
    });
    let (client, connection) = config.connect_raw(near, NoTls).await?;
    Ok((client, spawn(connection)))
}

/// Carries requests to the engine and its answers back until the driver hangs up.
async fn serve(engine: Engine, pipe: DuplexStream) -> io::Result<()> {
    let (mut reader, mut writer) = tokio::io::split(pipe);
    read_startup(&mut reader).await?;
    writer.write_all(&welcome()).await?;
    while let Some(request) = read_request(&mut reader).await? {
        let (sender, mut chunks) = mpsc::channel::<Vec<u8>>(CHUNKS_MAX);
        let on_chunk = move |chunk: &[u8]| sender.blocking_send(chunk.to_vec());
        let (ran, written) =
            tokio::join!(engine.0.exec_protocol_raw_stream(request, on_chunk), forward(&mut chunks, &mut writer));
        ran.map_err(|error| io::Error::other(error.to_string()))?;
        written?;
    }
    Ok(())
}

async fn forward(chunks: &mut mpsc::Receiver<Vec<u8>>, writer: &mut WriteHalf<DuplexStream>) -> io::Result<()> {
    let mut result = Ok(());
    while let Some(chunk) = chunks.recv().await {
        // When the driver has hung up, the rest of the answer is still taken: the engine waits for its reader.
        if result.is_ok() {
            result = writer.write_all(&chunk).await;
        }
    }
    result
}

async fn read_startup(reader: &mut ReadHalf<DuplexStream>) -> io::Result<()> {
    let length = reader.read_u32().await?;
    let mut message = vec![0; (length as usize).saturating_sub(4)];
    reader.read_exact(&mut message).await.map(drop)
}

/// What a server says to a client that it lets in: no password, the parameters that the driver reads, no key to cancel
/// by, and that it is idle.
fn welcome() -> Vec<u8> {
    let mut bytes = message(b'R', &0_u32.to_be_bytes());
    bytes.extend(message(b'S', b"client_encoding\0UTF8\0"));
    bytes.extend(message(b'K', &[0; 8]));
    bytes.extend(message(b'Z', b"I"));
    bytes
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let mut bytes = vec![tag];
    bytes.extend(length.to_be_bytes());
    bytes.extend(body);
    bytes
}

/// The messages up to one that the engine answers to, a Sync or a simple query; `None` once the driver is done.
async fn read_request(reader: &mut ReadHalf<DuplexStream>) -> io::Result<Option<Vec<u8>>> {
    let mut request = Vec::new();
    loop {
        let tag = match reader.read_u8().await {
            Ok(b'X') => return Ok(None),
            Ok(tag) => tag,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = reader.read_u32().await?;
        let start = request.len();
        request.push(tag);
        request.extend(length.to_be_bytes());
        request.resize(start + 1 + (length as usize).max(4), 0);
        reader.read_exact(&mut request[start + 5..]).await?;
        if matches!(tag, b'S' | b'Q') {
            return Ok(Some(request));
        }
    }
}
