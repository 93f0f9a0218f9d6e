//! The connection pool: leases a connection, watches the statement on it, and resets the connection afterwards.
//!
//! A lease that ends early, because of a time-out or because the caller dropped its future, stops the statement in the
//! background. [`Connections::close`] waits for these tasks. The reset after a successful statement is part of the same
//! round trip. After a failed statement the reset runs in the background, and the pool gets the connection back when it
//! is done. A connection that cannot be reset is closed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::tokio_postgres::{self, CancelToken, Client};
use deadpool_postgres::{
    Connect, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType,
};
use futures_util::future::{Either, select};
use std::pin::pin;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::failure::{self, Failure};
use super::session::{Answer, Session, Statement};
use crate::warehouse::table::Table;
use crate::warehouse::{Error, Limits};

/// Time after [`Limits::timeout`] at which the watchdog stops a statement that `statement_timeout` did not stop.
const WATCHDOG_GRACE: Duration = Duration::from_millis(500);
/// Time-out of one cancel request, and the pause after it.
const CANCEL_INTERVAL: Duration = Duration::from_millis(500);
/// Cancel requests before the connection is dropped. The server notices that within half a second
/// (`client_connection_check_interval`).
const CANCEL_ATTEMPTS: u32 = 6;
/// Time to wait for the server to react to a cancel request before [`Error::GoesOn`] is returned.
const CANCEL_PATIENCE: Duration = Duration::from_secs(2);
/// Time that [`Connections::close`] waits for the tasks in the background.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time-out of a reset, so that a server that stopped responding does not occupy a slot of the pool.
const RESET_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest pause between two attempts to reconnect. Pauses double until they reach it.
const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(2);

/// How to stop a statement that exceeded its time-out.
#[derive(Clone)]
pub(in crate::warehouse) enum Stop {
    /// Send a CancelRequest over a separate connection.
    Cancel(MakeRustlsConnect),
    /// Wait for the statement to end, because the engine cannot cancel it. The connection is then used again.
    #[cfg(feature = "embedded")]
    Wait,
}

/// The size and the time-outs of a [`Connections`] pool.
#[derive(Debug, Clone, Copy)]
pub(in crate::warehouse) struct Bounds {
    pub(in crate::warehouse) connections_max: usize,
    /// Time-out of one attempt to connect.
    pub(in crate::warehouse) connect_timeout: Duration,
    /// Time for which attempts to reconnect continue after the server became unavailable.
    pub(in crate::warehouse) reconnect_timeout: Duration,
}

/// A pool of connections to one database.
pub(in crate::warehouse) struct Connections {
    pool: Pool,
    bounds: Bounds,
    keeper: Arc<Keeper>,
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connections").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

impl Connections {
    /// Creates a pool. `connect` must return connections with the settings applied. [`Session::reset`] applies them
    /// again after every statement.
    pub(in crate::warehouse) fn new(
        config: tokio_postgres::Config,
        connect: impl Connect + 'static,
        session: Session,
        stop: Stop,
        bounds: Bounds,
    ) -> Result<Self, Error> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_connect(config, connect, recycling);
        let pool = Pool::builder(manager)
            .max_size(bounds.connections_max.max(1))
            .runtime(Runtime::Tokio1)
            .create_timeout(Some(bounds.connect_timeout))
            .build()
            .map_err(|error| Error::Connect(format!("could not create a connection pool: {error}")))?;
        let keeper = Keeper { session, stop, handle: Handle::current(), tasks: Mutex::default() };
        Ok(Self { pool, bounds, keeper: Arc::new(keeper) })
    }

    pub(super) fn connections_max(&self) -> usize {
        self.bounds.connections_max.max(1)
    }

    /// Runs one statement. Dropping the returned future stops the statement.
    pub(in crate::warehouse) async fn run(&self, statement: &Statement<'_>, limits: &Limits) -> Result<Table, Error> {
        let mut unused = String::new();
        // Every connection in the pool may be stale. One more attempt makes a new connection.
        for _ in 0..=self.connections_max() {
            let lease = self.lease().await?;
            let watched =
                timeout(limits.timeout + WATCHDOG_GRACE, self.keeper.session.run(lease.client(), statement, limits))
                    .await;
            match watched {
                Err(_) => return Err(lease.overran(limits).await),
                Ok(Err(Failure::Unused(error))) => {
                    tracing::debug!(error = failure::describe(&error), "connection cannot be used, trying another");
                    unused = failure::describe(&error);
                    lease.discard();
                }
                // The server still sends rows: dropping the lease stops the statement.
                Ok(Err(Failure::Answer(error @ Error::TooLarge { .. }))) => return Err(error),
                Ok(Err(Failure::Answer(error))) => {
                    lease.give_back();
                    return Err(error);
                }
                Ok(Ok(Answer { table, clean })) => {
                    if clean {
                        lease.give_back_clean();
                    } else {
                        lease.discard();
                    }
                    return Ok(table);
                }
            }
        }
        Err(Error::Gone(unused))
    }

    /// Returns a connection from the pool. While the server is unavailable, retries for at most
    /// [`Bounds::reconnect_timeout`].
    pub(in crate::warehouse) async fn lease(&self) -> Result<Lease, Error> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let reason = match self.pool.get().await {
                Ok(object) => return Ok(Lease { object: Some(object), keeper: Arc::clone(&self.keeper) }),
                Err(PoolError::Backend(error)) if failure::is_transient(&error) => failure::describe(&error),
                Err(PoolError::Timeout(TimeoutType::Create)) => "no connection within the time limit".to_owned(),
                Err(PoolError::Backend(error)) => return Err(Error::Gone(failure::describe(&error))),
                Err(error) => return Err(Error::Gone(error.to_string())),
            };
            if started.elapsed() + pause > self.bounds.reconnect_timeout {
                return Err(Error::Gone(reason));
            }
            tracing::warn!(reason, "no connection to the database, trying again");
            sleep(pause).await;
            pause = (pause * 2).min(RECONNECT_PAUSE_MAX);
        }
    }

    /// Waits at most [`CLOSE_TIMEOUT`] for the tasks in the background, then closes the connections.
    pub(in crate::warehouse) async fn close(&self) {
        let mut tasks = std::mem::take(&mut *self.keeper.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let all_done = async { while tasks.join_next().await.is_some() {} };
        if timeout(CLOSE_TIMEOUT, all_done).await.is_err() {
            tracing::warn!("a statement could not be stopped in time, dropping its connection");
        }
        self.pool.close();
    }
}

/// A connection in use. Dropping it before it is given back stops its statement.
pub(in crate::warehouse) struct Lease {
    object: Option<Object>,
    keeper: Arc<Keeper>,
}

impl Lease {
    #[expect(clippy::expect_used, reason = "only the methods that consume the lease, and drop, take the object")]
    pub(in crate::warehouse) fn client(&self) -> &Client {
        self.object.as_ref().expect("a lease holds its connection")
    }

    /// Returns the connection, which has been reset, to the pool.
    fn give_back_clean(mut self) {
        drop(self.object.take());
    }

    /// Resets the connection in the background, then returns it to the pool.
    pub(in crate::warehouse) fn give_back(mut self) {
        if let Some(object) = self.object.take() {
            let keeper = Arc::clone(&self.keeper);
            self.keeper.spawn(async move { keeper.clean(object).await });
        }
    }

    /// Stops the statement in the background. Returns [`Error::Timeout`] if the server reacted, and [`Error::GoesOn`]
    /// if it did not react in time.
    async fn overran(mut self, limits: &Limits) -> Error {
        let (sender, reacted) = oneshot::channel();
        if let Some(object) = self.object.take() {
            let keeper = Arc::clone(&self.keeper);
            self.keeper.spawn(async move {
                let _ = sender.send(keeper.stop(object).await);
            });
        }
        let seconds = limits.timeout.as_secs().max(1);
        match timeout(CANCEL_PATIENCE, reacted).await {
            Ok(Ok(true)) => Error::Timeout { seconds },
            Ok(Ok(false) | Err(_)) | Err(_) => Error::GoesOn { seconds },
        }
    }

    /// Closes the connection.
    fn discard(mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            let keeper = Arc::clone(&self.keeper);
            self.keeper.spawn(async move {
                keeper.stop(object).await;
            });
        }
    }
}

/// Resets connections, and stops their statements, after their leases have ended.
struct Keeper {
    session: Session,
    stop: Stop,
    handle: Handle,
    tasks: Mutex<JoinSet<()>>,
}

impl Keeper {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(task, &self.handle);
    }

    async fn clean(&self, object: Object) {
        let patience = match self.stop {
            Stop::Cancel(_) => RESET_TIMEOUT,
            #[cfg(feature = "embedded")]
            Stop::Wait => Duration::MAX,
        };
        let reason = match timeout(patience, self.session.reset(&object)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => failure::describe(&error),
            Err(_) => "no answer within the time limit".to_owned(),
        };
        tracing::debug!(reason, "connection could not be reset, dropping it");
        drop(Object::take(object));
    }

    /// Stops the statement on the connection. Returns whether the server stopped it.
    ///
    /// The connection keeps its slot in the pool until then, so that no more connections are open than the size of the
    /// pool.
    async fn stop(&self, object: Object) -> bool {
        match &self.stop {
            Stop::Cancel(tls) => {
                let stopped = cancel(&object, &object.cancel_token(), tls).await;
                // A late CancelRequest must never reach another statement.
                drop(Object::take(object));
                stopped
            }
            #[cfg(feature = "embedded")]
            Stop::Wait => {
                self.clean(object).await;
                true
            }
        }
    }
}

/// Sends cancel requests until the statement on `client` has ended. Returns `false` if the server does not react.
///
/// Several requests are sent because one that arrives before its statement has no effect and is not reported.
async fn cancel(client: &Client, token: &CancelToken, tls: &MakeRustlsConnect) -> bool {
    let mut idle = pin!(client.check_connection());
    for _ in 0..CANCEL_ATTEMPTS {
        let request = async {
            if let Ok(Err(error)) = timeout(CANCEL_INTERVAL, token.cancel_query(tls.clone())).await {
                tracing::debug!(error = failure::describe(&error), "cancel request failed");
            }
            sleep(CANCEL_INTERVAL).await;
        };
        match select(idle, pin!(request)).await {
            Either::Left(_) => return true,
            Either::Right(((), still)) => idle = still,
        }
    }
    tracing::warn!("the server did not stop a statement when asked, dropping its connection");
    false
}
