//! `explore serve`: the service. It makes runs by the same configuration as `explore`.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use rand::RngExt as _;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::explore::{self, Explored, Plan};
use super::interrupts::Interrupts;
use super::{memory, monitor, open};
use crate::agent::Observer;
use crate::agent::journal::{self, Event};
use crate::app::config::{Config, Serve};
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::Output;
use crate::deliver::Channels;
use crate::exploration;
use crate::monitor::registry::Monitor;
use crate::semantic::Joins;
use crate::serve::access::Scope;
use crate::serve::runs::{Bounds, Grew, Prepare, Prepared, Request, Task};
use crate::serve::store::NewKey;
use crate::serve::{Look, Parts, Service, Settings};
use crate::warehouse::Database;

/// Connections to the state at a time.
const CONNECTIONS_MAX: usize = 24;
/// How long the end of the service may take.
const GRACE: Duration = Duration::from_secs(5);
/// The name of the memory of the sample data.
const DEMO_MEMORY: &str = "demo";

pub(super) async fn run(config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    config.source()?;
    config.player_without_key()?;
    let Serve { listen, max_runs, max_queued } = config.serve;
    let mut interrupts = Interrupts::listen()?;
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        Failure::usage(format!("cannot listen at {listen}: {error}")).hint("name another address with --listen")
    })?;
    let address = listener.local_addr()?;
    let service = Service::new(Settings {
        is_loopback: address.ip().is_loopback(),
        runs_dir: config.runs_dir.clone(),
        bounds: Bounds { running_max: max_runs as usize, queued_max: max_queued as usize },
        time_zone: open::time_zone(config),
        as_of: config.as_of.or_else(|| config.is_demo().then(|| explore::day(config))),
    });
    output.talk().note(&format!("listening at http://{address}"));
    let serving = tokio::spawn({
        let service = service.clone();
        async move { service.serve(listener).await }
    });
    let begun = tokio::select! {
        begun = begin(&service, config, output) => Some(begun),
        () = interrupts.next() => None,
    };
    if matches!(begun, Some(Ok(()))) {
        interrupts.next().await;
        output.talk().note("ending: runs write their reports; a second signal ends at once");
    }
    let ended = async {
        service.end().await;
        serving.await
    };
    tokio::select! {
        ended = ended => ended.map_err(anyhow::Error::from)??,
        () = interrupts.next() => return Ok(ExitStatus::Interrupted),
        // Whoever is slow to ask, or waits for a long statement, does not hold up the end.
        () = tokio::time::sleep(GRACE) => output.talk().warn("not everything had ended in time: callers were cut off"),
    }
    begun.unwrap_or(Ok(())).map(|()| ExitStatus::Done)
}

/// Opens what the service needs, and lets it begin.
async fn begin(service: &Service, config: &Config, output: &mut Output) -> Result<(), Failure> {
    let state = open::state(config).await?.bounded(CONNECTIONS_MAX);
    let mut config = config.with_state(state.clone());
    if config.is_demo() && config.memory.is_none() {
        config.memory = Some(DEMO_MEMORY.to_owned());
    }
    service.say("reading the tables of the database");
    let config = Arc::new(config);
    let database = open::database(&config, output).await?;
    let whose = memory::whose(&config, &database).await?;
    let opened =
        open::read_private(&config, Arc::clone(&database), Joins::Guessed, open::privacy(&config, output).await)
            .await?;
    exploration::check(&opened)?;
    let monitors = monitors(&config, output)?;
    let (is_demo, memory) = (config.is_demo(), whose.map(|whose| whose.name));
    let (prepare, look) = (preparing(Arc::clone(&config)), looking(config, database));
    service.open(Parts { state, memory, monitors, prepare, look, opened }).await?;
    if is_demo {
        demonstrate(service, output).await?;
    }
    output.talk().note("ready");
    Ok(())
}

/// Shows the service at work on the sample data: a key for whoever looks, and an exploration.
async fn demonstrate(service: &Service, output: &mut Output) -> Result<(), Failure> {
    let Some(store) = service.store() else { return Ok(()) };
    let random = (rand::rng().random(), rand::rng().random());
    let key = NewKey { name: "demo".to_owned(), scopes: Scope::ALL.to_vec(), expires_at: None, random };
    let (_, shown) = store.create_key(&key, Timestamp::now()).await?;
    output.talk().note(&format!("a key for all there is to try, shown only now: {shown}"));
    service.explore(Request::default(), "demo").await.map_err(Failure::usage)?;
    Ok(())
}

/// Returns the monitors of the folder; those that come with the program only for the sample data.
fn monitors(config: &Config, output: &Output) -> Result<Vec<Monitor>, Failure> {
    if !config.is_demo() && !config.monitors_dir().exists() {
        return Ok(Vec::new());
    }
    let registry = monitor::registry(config, output)?;
    for problem in &registry.problems {
        output.talk().warn(&problem.to_string());
    }
    Ok(registry.monitors)
}

/// Returns what reads the tables of the database.
fn looking(config: Arc<Config>, database: Arc<dyn Database>) -> Look {
    Arc::new(move || {
        let (config, database) = (Arc::clone(&config), Arc::clone(&database));
        async move {
            let privacy = open::privacy(&config, &Output::new(config.talk)).await;
            let opened = open::read_private(&config, database, Joins::Guessed, privacy).await;
            opened.map_err(|failure| told(&failure))
        }
        .boxed()
    })
}

/// Returns what makes a run of a request.
fn preparing(config: Arc<Config>) -> Prepare {
    Arc::new(move |task, run| prepare(&config, task, run).map_err(|failure| told(&failure)))
}

/// Returns a failure with its hint, in a sentence.
fn told(failure: &Failure) -> String {
    failure.advice().map_or_else(|| failure.to_string(), |hint| format!("{failure}; {hint}"))
}

fn prepare(config: &Config, task: &Task, run: Option<&str>) -> Result<Prepared, Failure> {
    let (config, plan) = match (task, run) {
        (Task::Explore(request), run) => {
            let config = config.asked(request)?;
            let (library, focus) = config.area()?;
            library.focus(&focus)?;
            let as_of = explore::day(&config);
            let fresh = || journal::run_id(Timestamp::now(), &focus, rand::rng().random());
            let run_id = run.map_or_else(fresh, str::to_owned);
            (config, Plan { library, focus, as_of, run_id, resume: None })
        }
        (Task::Resume, Some(run)) => explore::resumed(run, config)?,
        (Task::Resume, None) => return Err(Failure::usage("which run goes on?")),
    };
    config.player()?;
    let channels = memory::channels(&config)?;
    let run = plan.run_id.clone();
    let begin = move |cancel: CancellationToken, grew: Grew| {
        let exploring = explored(plan, &config, &channels, (cancel, grew));
        Handle::current().block_on(exploring).map_err(|failure| told(&failure))
    };
    Ok(Prepared { run, begin: Box::new(begin) })
}

/// Explores, remembers, and tells whom it concerns.
async fn explored(
    plan: Plan,
    config: &Config,
    channels: &Channels,
    (cancel, grew): (CancellationToken, Grew),
) -> Result<(), Failure> {
    let output = Output::new(config.talk);
    let opened = tokio::select! {
        opened = explore::open(config, plan.as_of, &output) => opened?,
        () = cancel.cancelled() => return Ok(()),
    };
    let database = Arc::clone(&opened.0.executor.database);
    let mut watch = Telling(grew);
    let until = (cancel.cancelled_owned(), &mut watch as &mut dyn Observer);
    let explored = Box::pin(explore::explored((plan, false), opened, (config, channels), until)).await;
    database.close().await;
    let Explored { outcome, remembered, .. } = explored?;
    outcome?;
    let sent = memory::notify(config, channels, &output).await;
    remembered?;
    sent.map(drop)
}

/// Tells whenever the journal grew.
struct Telling(Grew);

impl Observer for Telling {
    fn observe(&mut self, _: Event) -> io::Result<()> {
        (self.0)();
        Ok(())
    }
}
