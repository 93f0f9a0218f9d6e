//! A PostgreSQL server, over the network or a socket.
//!
//! [`connect`] opens the first connection without the pool, so that it can report an error in the address, the network
//! or the settings in detail. After that, a pool opens the connections. If the server becomes unavailable, the pool
//! tries to reconnect for [`Options::reconnect_timeout`].

mod address;
mod code;
pub(super) mod connections;
mod cost;
mod diagnosis;
pub(super) mod failure;
mod introspect;
mod parameters;
mod plan;
pub(super) mod protocol;
pub(super) mod role;
#[cfg(feature = "embedded")]
pub(super) mod script;
pub(super) mod session;
#[cfg(test)]
mod session_tests;
pub(super) mod settings;
mod shown;
pub(crate) mod temporal;
mod tls;
pub(crate) mod writable;

use std::pin::{Pin, pin};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::Connect;
use deadpool_postgres::tokio_postgres::{self, Client};
use futures_util::future::{Either, select};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres_rustls::MakeRustlsConnect;

use self::address::Address;
use self::connections::{Bounds, Connections, Stop};
use self::protocol::{OWN_LIMITS, Postgres};
use self::session::{Session, Statement};
use super::table::Table;
use super::{Error, Limits, Server, SessionContext};

/// The time for a connection to close cleanly.
const FAREWELL_TIMEOUT: Duration = Duration::from_millis(500);

/// Options for a connection that the URL does not contain.
#[derive(Debug, Clone)]
pub struct Options {
    /// The schemas in which an unqualified name is looked up, after `pg_catalog`.
    pub schemas: Vec<String>,
    /// The role and the settings that every transaction begins with.
    pub context: SessionContext,
    /// The most connections that are open at the same time.
    pub connections_max: usize,
    /// The time-out of one attempt to connect, if the URL has no `connect_timeout`.
    pub connect_timeout: Duration,
    /// The time for which attempts to reconnect continue after the server became unavailable.
    pub reconnect_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            schemas: vec!["public".to_owned()],
            context: SessionContext::default(),
            connections_max: 4,
            connect_timeout: Duration::from_secs(10),
            reconnect_timeout: Duration::from_secs(15),
        }
    }
}

/// A connected PostgreSQL server with its connection pool.
#[derive(Debug)]
pub struct PostgresDatabase {
    server: Server,
    connections: Connections,
}

/// Connects to `url`, a `postgres://` URL or libpq's `key=value` pairs. Parts that it does not contain are taken from
/// the `PG*` variables and the password file. No error message contains the password.
pub async fn connect(url: &str, options: &Options) -> Result<PostgresDatabase, Error> {
    let address = Address::parse(url, &|name| std::env::var(name).ok(), options.connect_timeout)?;
    let connector = tls::connector(address.ssl_mode, address.root_certificates.as_ref())?;
    let connect_timeout = address.config.get_connect_timeout().copied().unwrap_or(options.connect_timeout);

    let (client, task) = dial(&address, &connector, connect_timeout).await?;
    let settings = settings::negotiate(&client, &options.schemas, &[]).await?;
    let preamble = options.context.statement();
    let mut server = describe(&client, Server::POSTGRESQL, &preamble).await?;
    server.warnings = settings.warnings;
    drop(client);
    task.abort();

    let bounds = Bounds {
        connections_max: options.connections_max,
        connect_timeout,
        reconnect_timeout: options.reconnect_timeout,
    };
    let dial = Dial { connector: connector.clone(), settings: settings.statement.clone() };
    let session = Session { settings: settings.statement, preamble };
    let connections = Connections::new(address.config, dial, session, Stop::Cancel(connector), bounds)?;
    server.grade = role::grade(&connections, &OWN_LIMITS).await?;
    server.warnings.extend(server.grade.warnings(&server.role));
    Ok(PostgresDatabase { server, connections })
}

/// Returns the hosts and ports of a connection string, such as `db.example.com:5432`, without user and secrets.
pub fn hosts(url: &str) -> Result<String, Error> {
    let options = Options::default();
    let address = Address::parse(url, &|name| std::env::var(name).ok(), options.connect_timeout)?;
    Ok(address.place.address)
}

/// Opens one connection. An error says whether the address, the network or the server is the cause.
async fn dial(
    address: &Address,
    connector: &MakeRustlsConnect,
    connect_timeout: Duration,
) -> Result<(Client, JoinHandle<()>), Error> {
    let attempt = async {
        let (client, connection) = address.config.connect(connector.clone()).await?;
        Ok::<_, tokio_postgres::Error>((client, spawn(connection)))
    };
    let connected = timeout(connect_timeout, attempt).await.map_err(|_| {
        let seconds = connect_timeout.as_secs();
        let address = &address.place.address;
        Error::Connect(format!("{address} did not answer within {seconds} s; check the address and the network"))
    })?;
    connected.map_err(|error| failure::connecting(&error, &address.place))
}

/// Queries the version of the server, its database, and the role of a transaction that begins with `preamble`.
pub(super) async fn describe(client: &Client, engine: &str, preamble: &str) -> Result<Server, Error> {
    client
        .batch_execute(&format!("BEGIN READ ONLY; {preamble}"))
        .await
        .map_err(|error| Error::Connect(format!("the session cannot be made: {}", failure::describe(&error))))?;
    let statement = "SELECT current_setting('server_version'), current_database()::text, current_user::text";
    let rows = client.query_typed(statement, &[]).await;
    let ended = client.batch_execute("ROLLBACK").await;
    let rows = ended.and(rows);
    let rows =
        rows.map_err(|error| Error::Connect(format!("{engine} does not answer: {}", failure::describe(&error))))?;
    let text = |index| rows.first().and_then(|row| row.try_get::<_, String>(index).ok()).unwrap_or_default();
    // Packagers add their own words after the number: "15.18 (Debian 15.18-0+deb12u1)".
    let version = text(0).split_whitespace().next().unwrap_or_default().to_owned();
    Ok(Server { engine: engine.to_owned(), version, database: text(1), role: text(2), ..Server::default() })
}

/// Opens connections for the pool and applies the session's settings to them.
pub(super) struct Dial {
    pub(super) connector: MakeRustlsConnect,
    pub(super) settings: String,
}

impl Connect for Dial {
    fn connect(
        &self,
        config: &tokio_postgres::Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), tokio_postgres::Error>> + Send + '_>> {
        let config = config.clone();
        Box::pin(async move {
            let (client, connection) = config.connect(self.connector.clone()).await?;
            let task = spawn(connection);
            client.batch_execute(&self.settings).await?;
            Ok((client, task))
        })
    }
}

/// Drives a connection in a task. When the pool drops the client and aborts the returned task, the connection gets
/// [`FAREWELL_TIMEOUT`] to close cleanly and is then dropped.
pub(super) fn spawn(
    connection: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
) -> JoinHandle<()> {
    let (mut held, released) = oneshot::channel::<()>();
    tokio::spawn(async move {
        let abandoned = async {
            let _ = released.await;
            sleep(FAREWELL_TIMEOUT).await;
        };
        match select(pin!(connection), pin!(abandoned)).await {
            Either::Left((Err(error), _)) => tracing::debug!(error = failure::describe(&error), "connection ended"),
            Either::Left((Ok(()), _)) => {}
            Either::Right(_) => tracing::debug!("connection dropped while busy"),
        }
    });
    tokio::spawn(async move { held.closed().await })
}

impl PostgresDatabase {
    /// Runs a read-only statement of the program itself. All parameters have the type `text[]`.
    pub async fn own(&self, statement: &'static str, parameters: &[&[String]]) -> Result<Table, Error> {
        protocol::own(self, statement, parameters).await
    }
}

#[async_trait]
impl Postgres for PostgresDatabase {
    fn server(&self) -> &Server {
        &self.server
    }

    fn connections_max(&self) -> usize {
        self.connections.connections_max()
    }

    async fn run(&self, statement: &Statement<'_>, limits: &Limits) -> Result<Table, Error> {
        self.connections.run(statement, limits).await
    }

    async fn close(&self) {
        self.connections.close().await;
    }
}
