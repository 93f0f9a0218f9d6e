//! The pool and what happens around a statement: a connection is leased, watched, and given back clean or not at all.
//!
//! A lease that ends early, because the time is up or because the caller dropped its future, stops the statement in
//! the background; [`Connections::close`] waits for that. The reset of a connection whose statement gave rows came with
//! them; after a statement that failed it runs in the background, and the connection is free for others once it is done.

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

/// How long after [`Limits::timeout`] the watchdog stops what `statement_timeout` did not.
const WATCHDOG_GRACE: Duration = Duration::from_millis(500);
/// Time between two requests to cancel the same statement.
const CANCEL_INTERVAL: Duration = Duration::from_millis(500);
/// Requests to cancel before the connection is dropped, which the server notices within half a second.
const CANCEL_ATTEMPTS: u32 = 6;
/// Time that a server has to react to a request to cancel before it is said that it does not.
const CANCEL_PATIENCE: Duration = Duration::from_secs(2);
/// Time that [`Connections::close`] gives to what is still being stopped.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time to clean a connection before it is dropped, so that a server that went silent holds no place in the pool.
const RESET_TIMEOUT: Duration = Duration::from_secs(5);
/// Pauses between attempts to connect again grow up to this.
const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(2);

/// How a statement that overran is stopped.
#[derive(Clone)]
pub(in crate::warehouse) enum Stop {
    /// By a CancelRequest over a connection of its own.
    Cancel(MakeRustlsConnect),
    /// Not at all: its end is waited for, and the connection is used again.
    #[cfg(feature = "embedded")]
    Wait,
}

/// The bounds of [`Connections`].
#[derive(Debug, Clone, Copy)]
pub(in crate::warehouse) struct Bounds {
    pub(in crate::warehouse) connections_max: usize,
    /// To make one connection.
    pub(in crate::warehouse) connect_timeout: Duration,
    /// To go on trying after the server went away.
    pub(in crate::warehouse) reconnect_timeout: Duration,
}

/// A pool of connections of one database.
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
    /// A pool whose connections `connect` makes, with the settings already applied; [`Session::reset`] applies them again.
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
            .map_err(|error| Error::Connect(format!("could not make a pool of connections: {error}")))?;
        let keeper = Keeper { session, stop, handle: Handle::current(), tasks: Mutex::default() };
        Ok(Self { pool, bounds, keeper: Arc::new(keeper) })
    }

    pub(super) fn connections_max(&self) -> usize {
        self.bounds.connections_max.max(1)
    }

    /// Runs one statement. When the returned future is dropped, the statement is stopped.
    pub(in crate::warehouse) async fn run(&self, statement: &Statement<'_>, limits: &Limits) -> Result<Table, Error> {
        let mut unused = String::new();
        for _ in 0..=self.connections_max() {
            let lease = self.lease().await?;
            let watched =
                timeout(limits.timeout + WATCHDOG_GRACE, self.keeper.session.run(lease.client(), statement, limits))
                    .await;
            match watched {
                Err(_) => return Err(lease.overran(limits).await),
                Ok(Err(Failure::Unused(error))) => {
                    tracing::debug!(error = failure::describe(&error), "connection is of no use, trying another");
                    unused = failure::describe(&error);
                    lease.discard();
                }
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

    /// A connection of the pool, made anew if need be, for as long as [`Bounds::reconnect_timeout`] allows.
    pub(in crate::warehouse) async fn lease(&self) -> Result<Lease, Error> {
        let started = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            let reason = match self.pool.get().await {
                Ok(object) => return Ok(Lease { object: Some(object), keeper: Arc::clone(&self.keeper) }),
                Err(PoolError::Backend(error)) if failure::is_transient(&error) => failure::describe(&error),
                Err(PoolError::Timeout(TimeoutType::Create)) => "no connection in time".to_owned(),
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

    /// Waits, for a bounded time, until everything dropped is stopped, then closes the connections.
    pub(in crate::warehouse) async fn close(&self) {
        let mut tasks = std::mem::take(&mut *self.keeper.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let all_done = async { while tasks.join_next().await.is_some() {} };
        if timeout(CLOSE_TIMEOUT, all_done).await.is_err() {
            tracing::warn!("a statement could not be stopped in time, its connection is dropped");
        }
        self.pool.close();
    }
}

/// A connection in use. Dropped before it is given back, its statement is stopped.
pub(in crate::warehouse) struct Lease {
    object: Option<Object>,
    keeper: Arc<Keeper>,
}

impl Lease {
    #[expect(clippy::expect_used, reason = "only the methods that consume the lease, and drop, take the object")]
    pub(in crate::warehouse) fn client(&self) -> &Client {
        self.object.as_ref().expect("a lease holds its connection")
    }

    /// Lets others have the connection, which was reset.
    fn give_back_clean(mut self) {
        drop(self.object.take());
    }

    /// Cleans the connection, then lets others have it.
    pub(in crate::warehouse) fn give_back(mut self) {
        if let Some(object) = self.object.take() {
            let keeper = Arc::clone(&self.keeper);
            self.keeper.spawn(async move { keeper.clean(object).await });
        }
    }

    /// Stops the statement, which goes on in the background, and says whether the server reacted.
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

/// Looks after connections whose caller has left.
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
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::debug!(reason, "connection could not be reset, it is dropped");
        drop(Object::take(object));
    }

    /// Until the server is done the connection keeps its place in the pool, so that no more than its size are open.
    /// Tells whether the server stopped.
    async fn stop(&self, object: Object) -> bool {
        match &self.stop {
            Stop::Cancel(tls) => {
                let stopped = cancel(&object, &object.cancel_token(), tls).await;
                // A late CancelRequest must never meet another statement.
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

/// Asks the server to stop what runs on `client` until it has; `false` where it does not react.
///
/// Several requests, because one that arrives before the statement does is lost without a word.
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
    tracing::warn!("the server did not stop a statement when asked, its connection is dropped");
    false
}
