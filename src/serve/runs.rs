//! The explorations that run in the service: a bounded queue, a bounded number at a time, each with a journal that readers
//! follow. A run goes on when its readers leave; only a caller who cancels it, or the end of the service, ends it early.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::events::is_written;
use super::problem::{Kind, Problem};
use super::store::{Outcome, Store};
use crate::agent::runs::journal_of;
use crate::state::{self, session::Lock};

/// What a caller asks to explore. What is left out is as the service is configured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The name of a focus area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub focus: Option<String>,
    /// What to explore, in words, in place of an area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4000))]
    pub focus_text: Option<String>,
    /// The day to take for today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub as_of: Option<Date>,
    /// Turns of the model at most; not above what the service is configured for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub max_iterations: Option<u32>,
    /// Queries at most; not above what the service is configured for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub max_queries: Option<u32>,
    /// Seconds at most; not above what the service is configured for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4_294_967_295_u32))]
    pub time_limit_seconds: Option<u32>,
    /// Whether the built-in analyst looks, in place of a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline: Option<bool>,
}

impl Request {
    /// Returns which of its values is out of bounds; `None` if none is.
    pub fn fault(&self) -> Option<String> {
        let is_long = |text: &Option<String>, max: usize| {
            text.as_ref().is_some_and(|text| !(1..=max).contains(&text.chars().count()))
        };
        let limits = [
            ("max_iterations", self.max_iterations),
            ("max_queries", self.max_queries),
            ("time_limit_seconds", self.time_limit_seconds),
        ];
        let none = limits.iter().find(|(_, limit)| *limit == Some(0)).map(|(name, _)| format!("{name} is at least 1"));
        none.or_else(|| is_long(&self.focus, 200).then(|| "focus has 1 to 200 characters".to_owned()))
            .or_else(|| is_long(&self.focus_text, 4000).then(|| "focus_text has 1 to 4,000 characters".to_owned()))
    }
}

/// What a job is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    Explore(Request),
    /// A run that ended early goes on.
    Resume,
}

/// A run that can begin.
pub struct Prepared {
    pub run: String,
    /// Explores until the token is cancelled, and calls the second argument whenever the journal grew. It keeps a thread to
    /// itself, because statistics compute. An error is why there is no whole run.
    pub begin: Box<dyn FnOnce(CancellationToken, Grew) -> Result<(), String> + Send>,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Prepared").field("run", &self.run).finish_non_exhaustive()
    }
}

/// Prepares a run, under an id that it has already or a new one. An error is for the caller: what cannot be explored so.
pub type Prepare = Arc<dyn Fn(&Task, Option<&str>) -> Result<Prepared, String> + Send + Sync>;

/// Called whenever a journal grew.
pub type Grew = Arc<dyn Fn() + Send + Sync>;

/// How many runs there are at a time.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub running_max: usize,
    pub queued_max: usize,
}

/// The runs of this process.
#[derive(Clone)]
pub(crate) struct Runs {
    pub(crate) dir: PathBuf,
    store: Store,
    prepare: Prepare,
    bounds: Bounds,
    active: Arc<Mutex<HashMap<String, Active>>>,
    slots: Arc<Semaphore>,
    tasks: TaskTracker,
    /// The service ends.
    ending: CancellationToken,
}

impl fmt::Debug for Runs {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Runs").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// A run that waits or explores.
#[derive(Debug, Clone)]
struct Active {
    cancel: CancellationToken,
    is_running: bool,
    /// Sends whenever the journal grew; closed when the run is over.
    grew: watch::Sender<()>,
}

impl Runs {
    pub(crate) fn new(
        dir: PathBuf,
        store: Store,
        (prepare, bounds): (Prepare, Bounds),
        (tasks, ending): (TaskTracker, CancellationToken),
    ) -> Self {
        let slots = Arc::new(Semaphore::new(bounds.running_max));
        Self { dir, store, prepare, bounds, active: Arc::default(), slots, tasks, ending }
    }

    /// Queues an exploration, and returns its id. `run` is the run that goes on.
    pub(crate) async fn submit(&self, task: Task, run: Option<&str>, asked_by: &str) -> Result<String, Problem> {
        let kind = if run.is_some() { Kind::Conflict } else { Kind::Unprocessable };
        let prepared = (self.prepare)(&task, run).map_err(|error| Problem::new(kind, error))?;
        let run = prepared.run.clone();
        let (cancel, (grew, _)) = (self.ending.child_token(), watch::channel(()));
        self.admit(&run, Active { cancel, is_running: false, grew })?;
        let claimed = async {
            let claim = self.store.claim(&run).await?;
            let claim = claim.ok_or_else(|| Problem::new(Kind::Conflict, format!("another service has {run}")))?;
            self.store.add_job(&run, asked_by, Timestamp::now(), &task).await?;
            Ok::<_, Problem>(claim)
        };
        match claimed.await {
            Ok(claim) => self.spawn(prepared, claim),
            Err(problem) => {
                self.active().remove(&run);
                return Err(problem);
            }
        }
        Ok(run)
    }

    /// Queues what an earlier process was asked for and did not begin. What has a journal stays interrupted.
    pub(crate) async fn recover(&self) -> Result<(), state::Error> {
        for job in self.store.open_jobs().await? {
            // Another service that is alive has it, or has ended it meanwhile.
            let Some(claim) = self.store.claim(&job.run).await? else { continue };
            let now = self.store.jobs(std::slice::from_ref(&job.run)).await?;
            let is_over = now.iter().any(|job| job.outcome.is_some());
            if is_over || is_begun(&journal_of(&self.dir, &job.run)) {
                self.store.release(claim).await?;
                continue;
            }
            match (self.prepare)(&job.task, Some(&job.run)) {
                Ok(prepared) => {
                    let (cancel, (grew, _)) = (self.ending.child_token(), watch::channel(()));
                    self.active().insert(job.run.clone(), Active { cancel, is_running: false, grew });
                    self.spawn(prepared, claim);
                }
                Err(problem) => {
                    let now = Timestamp::now();
                    self.store.job_ended(&job.run, now, (Outcome::Failed, Some(&problem))).await?;
                }
            }
        }
        Ok(())
    }

    /// Makes room for a run, or says that there is none.
    fn admit(&self, run: &str, active: Active) -> Result<(), Problem> {
        let mut all = self.active();
        if all.contains_key(run) {
            return Err(Problem::new(Kind::Conflict, format!("{run} runs already")));
        }
        if self.ending.is_cancelled() {
            return Err(Problem::new(Kind::Unavailable, "the service is being stopped"));
        }
        let Bounds { running_max, queued_max } = self.bounds;
        if all.len() >= running_max + queued_max {
            return Err(Problem::new(
                Kind::Busy,
                format!("{running_max} explorations run and {queued_max} wait; ask again when one has ended"),
            ));
        }
        all.insert(run.to_owned(), active);
        Ok(())
    }

    fn spawn(&self, prepared: Prepared, claim: Lock) {
        let runs = self.clone();
        self.tasks.spawn(async move {
            let run = prepared.run.clone();
            runs.work(prepared).await;
            noted(&run, runs.store.release(claim).await);
        });
    }

    /// Waits for a slot, explores, and notes how it ended.
    async fn work(&self, Prepared { run, begin }: Prepared) {
        let Some(Active { cancel, grew, .. }) = self.active().get(&run).cloned() else { return };
        let slot = tokio::select! {
            slot = self.slots.acquire() => slot.ok(),
            () = cancel.cancelled() => None,
        };
        let ended = if slot.is_some() {
            self.active().entry(run.clone()).and_modify(|active| active.is_running = true);
            noted(&run, self.store.job_started(&run, Timestamp::now()).await);
            let told = grew.clone();
            let until = cancel.clone();
            let exploring =
                tokio::task::spawn_blocking(move || begin(until, Arc::new(move || told.send_modify(|()| ()))));
            let panicked = |_| Err("the program failed while it explored; the log says where".to_owned());
            exploring.await.unwrap_or_else(panicked)
        } else {
            Ok(())
        };
        drop(slot);
        let is_queued_still =
            self.ending.is_cancelled() && self.active().get(&run).is_none_or(|active| !active.is_running);
        if let Err(problem) = &ended {
            tracing::error!(run, problem, "an exploration failed");
        }
        // What was not begun waits for the next process; what was begun and cut off by the end of the service is interrupted.
        if !is_queued_still && !self.ending.is_cancelled() {
            let outcome = match &ended {
                Err(_) => Outcome::Failed,
                Ok(()) if cancel.is_cancelled() => Outcome::Cancelled,
                Ok(()) => Outcome::Completed,
            };
            let problem = ended.err();
            noted(&run, self.store.job_ended(&run, Timestamp::now(), (outcome, problem.as_deref())).await);
        }
        self.active().remove(&run);
    }

    /// Cancels a run. One that is over stays as it is. Returns whether it was active.
    pub(crate) fn cancel(&self, run: &str) -> bool {
        let active = self.active().get(run).cloned();
        if let Some(active) = &active {
            active.cancel.cancel();
        }
        active.is_some()
    }

    /// Returns whether a run of this process explores or, `Some(false)`, waits; `None` if it does neither.
    pub(crate) fn is_running(&self, run: &str) -> Option<bool> {
        self.active().get(run).map(|active| active.is_running)
    }

    /// Returns how many explore, and how many wait.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let active = self.active();
        let running = active.values().filter(|active| active.is_running).count();
        (running, active.len() - running)
    }

    /// Returns what tells when a run's journal grew, until the run is over; `None` if it is not active.
    pub(crate) fn follow(&self, run: &str) -> Option<watch::Receiver<()>> {
        self.active().get(run).map(|active| active.grew.subscribe())
    }

    fn active(&self) -> MutexGuard<'_, HashMap<String, Active>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether a run's journal says anything. One that was cut off before its first line is removed: nothing was done, and
/// the run begins anew.
fn is_begun(journal: &Path) -> bool {
    let Ok(text) = std::fs::read(journal) else { return journal.exists() };
    let is_begun = text.contains(&b'\n') || is_written(journal);
    if !is_begun && let Err(error) = std::fs::remove_file(journal) {
        tracing::error!(%error, path = %journal.display(), "an empty journal could not be removed");
        return true;
    }
    is_begun
}

fn noted(run: &str, noted: Result<(), state::Error>) {
    if let Err(error) = noted {
        tracing::error!(run, %error, "what became of an exploration could not be noted");
    }
}
