//! The service: explorations, findings and what belongs to them over HTTP, as an API and as a page.
//!
//! The service explores nothing by itself. The program hands it [`runs::Prepare`], which makes a run of a request by the same
//! configuration as the command line; the journal of the run is what readers follow. What is remembered lies in the state.
//!
//! [`Service::new`] listens at once, so that a page can say what is still under way; [`Service::open`] gives it the state.

pub mod access;
mod api;
mod events;
mod frame;
mod page;
mod problem;
pub mod runs;
pub mod store;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::problem::{Kind, Problem};
use self::runs::{Bounds, Prepare, Runs};
use self::store::Store;
use crate::monitor::registry::Monitor;
use crate::semantic::Opened;
use crate::state::{self, State};

/// What the service is configured for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether it listens where only this machine can reach it.
    pub is_loopback: bool,
    pub runs_dir: PathBuf,
    pub bounds: Bounds,
    /// The zone in which days begin.
    pub time_zone: TimeZone,
    /// The day to take for today; `None` is the day of the clock.
    pub as_of: Option<Date>,
}

/// The service. Clones are handles of the same.
#[derive(Debug, Clone)]
pub struct Service {
    settings: Arc<Settings>,
    ready: Arc<OnceLock<Ready>>,
    /// What the service does until it is ready.
    doing: Arc<Mutex<String>>,
    tasks: TaskTracker,
    ending: CancellationToken,
    /// Held by whoever compares a finding with what a caller read, and says something of it.
    feedback: Arc<tokio::sync::Mutex<()>>,
    /// One permit for each open stream.
    streams: Arc<Semaphore>,
}

/// Streams that are open at a time.
const STREAMS_MAX: usize = 256;

/// What there is once the service has started.
struct Ready {
    store: Store,
    runs: Runs,
    /// The name of the memory whose findings it shows; `None` if nothing is remembered.
    memory: Option<String>,
    monitors: Vec<Monitor>,
    look: Look,
    /// The database as callers see it. It is read anew on demand.
    opened: RwLock<Arc<Opened>>,
}

impl fmt::Debug for Ready {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Ready").field("memory", &self.memory).finish_non_exhaustive()
    }
}

/// Reads the tables of the database.
pub type Look = Arc<dyn Fn() -> BoxFuture<'static, Result<Opened, String>> + Send + Sync>;

/// What the program hands to the service.
pub struct Parts {
    pub state: State,
    /// The name of the memory whose findings the service shows; `None` if nothing is remembered.
    pub memory: Option<String>,
    pub monitors: Vec<Monitor>,
    pub prepare: Prepare,
    pub look: Look,
    pub opened: Opened,
}

impl fmt::Debug for Parts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Parts").field("memory", &self.memory).finish_non_exhaustive()
    }
}

impl Service {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings: Arc::new(settings),
            ready: Arc::default(),
            doing: Arc::new(Mutex::new("opening the state".to_owned())),
            tasks: TaskTracker::new(),
            ending: CancellationToken::new(),
            feedback: Arc::default(),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
        }
    }

    /// Says what the service does until it is ready.
    pub fn say(&self, doing: &str) {
        doing.clone_into(&mut self.doing.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Returns the tables of the service; `None` before it is open.
    pub fn store(&self) -> Option<&Store> {
        self.ready.get().map(|ready| &ready.store)
    }

    /// Lets the service begin: what was asked of an earlier process goes on.
    pub async fn open(&self, parts: Parts) -> Result<(), state::Error> {
        let Parts { state, memory, monitors, prepare, look, opened } = parts;
        let store = Store::new(state);
        let (dir, bounds) = (self.settings.runs_dir.clone(), self.settings.bounds);
        let shared = (self.tasks.clone(), self.ending.clone());
        let runs = Runs::new(dir, store.clone(), (prepare, bounds), shared);
        runs.recover().await?;
        // Only this function sets it, and is called once.
        let opened = RwLock::new(Arc::new(opened));
        let _ = self.ready.set(Ready { store, runs, memory, monitors, look, opened });
        Ok(())
    }

    /// Explores for the service's own sake. An error is why it cannot.
    pub async fn explore(&self, request: runs::Request, asked_by: &str) -> Result<String, String> {
        let ready = self.ready().map_err(|problem| problem.detail().to_owned())?;
        let submitted = ready.runs.submit(runs::Task::Explore(request), None, asked_by).await;
        submitted.map_err(|problem| problem.detail().to_owned())
    }

    /// Answers requests until [`Service::end`] is called. Streams end first: no reader holds up the end.
    pub async fn serve(&self, listener: TcpListener) -> std::io::Result<()> {
        let app = api::router(self.clone()).into_make_service_with_connect_info::<SocketAddr>();
        let ending = self.ending.clone();
        axum::serve(listener, app).with_graceful_shutdown(async move { ending.cancelled().await }).await
    }

    /// Ends the service: streams close, runs that explore write their reports.
    pub async fn end(&self) {
        self.ending.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Returns today's date.
    fn today(&self) -> Date {
        self.settings
            .as_of
            .unwrap_or_else(|| Timestamp::now().to_zoned_datetime(self.settings.time_zone.clone()).date())
    }

    fn ready(&self) -> Result<&Ready, Problem> {
        self.ready.get().ok_or_else(|| {
            let doing = self.doing.lock().unwrap_or_else(PoisonError::into_inner).clone();
            Problem::new(Kind::Starting, format!("the service is starting: {doing}"))
        })
    }
}

impl Ready {
    /// Returns the database as it was read last.
    fn opened(&self) -> Arc<Opened> {
        Arc::clone(&self.opened.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the tables of the database anew.
    async fn refresh(&self) -> Result<Arc<Opened>, Problem> {
        let opened = (self.look)().await.map_err(|problem| Problem::new(Kind::Unavailable, problem))?;
        let opened = Arc::new(opened);
        *self.opened.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&opened);
        Ok(opened)
    }
}
