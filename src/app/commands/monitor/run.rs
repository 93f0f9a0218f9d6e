//! `explore monitor run`: runs the monitors, delivers the report and sends the messages.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::investigate::Investigations;
use super::outbox::tell;
use super::{channels_of, chosen, problems, registry, state};
use crate::agent::Observer;
use crate::agent::journal::Event;
use crate::agent::prompt::Library;
use crate::agent::tools::Toolbox;
use crate::app::cli::monitor::MonitorRunArguments;
use crate::app::commands::interrupts::Interrupts;
use crate::app::commands::open;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::{Destination, Output, Talk};
use crate::app::progress::{Progress, Waiting};
use crate::deliver::{Channels, Pace, Report, send_due};
use crate::exploration::{Player as Chosen, PricedOptions};
use crate::model::{Model, openai};
use crate::monitor::commentary::BUDGET;
use crate::monitor::morning::{self, Morning, Notified};
use crate::monitor::registry::{Monitor, Problem, Registry, unmatched};
use crate::monitor::run::{self, ChartScope, DayRange, Outcome, Watch};
use crate::monitor::{pull, report};
use crate::sample::days::{self, Options};
use crate::semantic::{Joins, Opened};
use crate::state::{Entry, State};
use crate::typeset::format::Format;
use crate::typeset::layout::Layout;
use crate::typeset::text::counted;
use crate::warehouse::privacy::{Masking, Mode};
use crate::warehouse::table::Bounds;
use crate::warehouse::{Database, Error as Lost, Source};

/// Days of data after the day that the demo judges. The generated data of the last days is incomplete.
const DEMO_DAYS_AFTER: i64 = 4;
/// The anomalies in the last days of the demo's data.
const DEMO_INJECTIONS: [&str; 2] =
    ["ratio,requests,2025-11-29..2025-11-30,-45%,channel=paid", "drop,add_to_cart,2025-11-30,35%,device=mobile"];

pub(super) async fn run(
    arguments: &MonitorRunArguments,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    if let Some((from, to)) = arguments.from.zip(arguments.to).filter(|(from, to)| from > to) {
        return Err(Failure::usage(format!("there is no day from {from} to {to}: --to is before --from")));
    }
    let registry = registry(config, output)?;
    let monitors = chosen(&registry, &arguments.keys)?;
    let wrong = wrong(&problems(&registry, &arguments.keys));
    if monitors.is_empty() {
        return Err(wrong.unwrap_or_else(|| Failure::usage("there is no monitor to run")));
    }
    config.check_format()?;
    let destination = Destination::prepare(config.output.as_deref())?;
    // The demo sends no messages, because its data is generated.
    let notifies_nobody = arguments.dry_run || config.is_demo();
    let (channels, monitors, unable) = channels(monitors, notifies_nobody, config)?;
    let mut interrupts = Interrupts::listen()?;
    let (fired, mut failures) = tokio::select! {
        ran = ran((&monitors, &registry), &channels, destination, arguments, config, output) => ran?,
        () = interrupts.next() => return Ok(ExitStatus::Interrupted),
    };
    // A monitor that was left out is a failure. Otherwise it would look like one without alerts.
    failures.extend(unable);
    failures.extend(wrong);
    conclude(fired, failures, output)
}

/// Returns the result of the command and shows the other failures. An alert takes precedence over failures.
fn conclude(fired: bool, mut failures: Vec<Failure>, output: &Output) -> Result<ExitStatus, Failure> {
    let ended = match fired {
        true => Ok(ExitStatus::Found),
        false if failures.is_empty() => Ok(ExitStatus::Done),
        false => Err(failures.remove(0)),
    };
    for failure in &failures {
        output.talk().failure(failure);
    }
    ended
}

/// Returns a failure that names the first problem in the monitors' files; `None` if there is none.
fn wrong(problems: &[Problem]) -> Option<Failure> {
    let (first, others) = problems.split_first()?;
    let others = if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
    let failure = Failure::usage(format!("a monitor was not run: {first}{others}"));
    Some(failure.hint("`explore monitor check` lists all problems"))
}

/// Opens the channels of the monitors before any of them runs. A monitor whose channels cannot be opened is left out,
/// and its failure is returned with the rest. If no monitor is left, the first failure is the error.
fn channels(
    monitors: Vec<Monitor>,
    notifies_nobody: bool,
    config: &Config,
) -> Result<(Channels, Vec<Monitor>, Vec<Failure>), Failure> {
    let mut channels = Channels::open(&BTreeMap::new(), &|_| None, Pace::default())?;
    if notifies_nobody {
        return Ok((channels, monitors, Vec::new()));
    }
    let (mut able, mut failures) = (Vec::with_capacity(monitors.len()), Vec::new());
    for monitor in monitors {
        match channels_of(&monitor, config) {
            Ok(opened) => {
                channels.add(opened);
                able.push(monitor);
            }
            Err(invalid) => {
                let error = anyhow::Error::from(invalid).context(format!("{} was not run", monitor.key));
                failures.push(Failure::new(Kind::Usage, error));
            }
        }
    }
    if able.is_empty() {
        return Err(failures.remove(0));
    }
    Ok((channels, able, failures))
}

/// Runs the monitors, delivers the report and sends the messages. Returns whether an alert fired, and the failures.
async fn ran(
    (monitors, registry): (&[Monitor], &Registry),
    channels: &Channels,
    destination: Destination,
    arguments: &MonitorRunArguments,
    config: &Config,
    output: &mut Output,
) -> Result<(bool, Vec<Failure>), Failure> {
    let database = database(config, output).await?;
    // Warnings about the catalog and the metadata are not shown, because a monitor names its own columns.
    let Opened { executor, catalog, .. } = open::read(config, database, Joins::Guessed).await?;
    let temporary = config.is_demo().then(tempfile::tempdir).transpose()?;
    let state = match &temporary {
        #[cfg(feature = "embedded")]
        Some(directory) if !config.is_flag("state_url") && !config.is_flag("data_dir") => {
            State::embedded(directory.path()).await?
        }
        Some(_) | None => state(config).await?,
    };
    for row in state.all_overrides().await? {
        if let Some(problem) = unmatched(&registry.monitors, &row.monitor, &row.held.metric) {
            output.talk().warn(&problem);
        }
    }
    let library = config.library()?;
    let model = model(arguments, config, output)?;
    let toolbox = Toolbox { executor, catalog: Arc::new(catalog), bounds: Bounds::default(), plans: false };
    let morning = Morning {
        toolbox: &toolbox,
        library: &library,
        model: model.as_ref().map(|(client, price)| (client as &dyn Model, *price)),
        state: &state,
        channels,
        as_of: if config.is_demo() { demo_now() } else { Timestamp::now() },
        is_dry: arguments.dry_run,
        day_range: day_range(arguments),
        chart_scope: if config.format == Format::Html { ChartScope::Metrics } else { ChartScope::Alerts },
    };
    let mut seen = ShowProgress(Progress::start(output.talk(), BUDGET.iterations_max));
    let mut watch = ShowSteps { waiting: None, talk: output.talk() };
    let ran = morning::run(monitors, morning, &mut seen, &mut watch).await;
    drop((seen, watch));
    let fired = ran.fired();
    let mut failures = failure(ran.failures).into_iter().collect::<Vec<_>>();
    if !ran.outcomes.is_empty() {
        // A report that cannot be written must not keep the messages from being sent.
        failures.extend(deliver_report(&ran.outcomes, destination, config, output).err());
    }
    if !arguments.dry_run {
        let told = Told { toolbox: &toolbox, library: &library, state: &state, channels, has_model: model.is_some() };
        failures.extend(told.run(&ran.outcomes, config, output).await);
    }
    toolbox.executor.database.close().await;
    state.close().await;
    Ok((fired, failures))
}

/// What the messages of a morning need.
struct Told<'a> {
    toolbox: &'a Toolbox,
    library: &'a Library,
    state: &'a State,
    channels: &'a Channels,
    has_model: bool,
}

impl Told<'_> {
    /// Sends the alerts, then looks behind those whose monitors ask for it. Returns what went wrong.
    async fn run(&self, outcomes: &[Outcome], config: &Config, output: &Output) -> Vec<Failure> {
        let Self { toolbox, library, state, channels, has_model } = *self;
        let marks = toolbox.executor.marks().clone().with_guesses(&toolbox.catalog);
        let masking = match open::masking(marks, state).await {
            Ok(masking) => masking,
            Err(failure) => return vec![failure],
        };
        let mut failures = Vec::from_iter(send(state, channels, outcomes, &masking, output).await.err());
        match player(has_model, config) {
            Ok(player) => {
                let (database, player) = (&toolbox.executor.database, &player);
                let looks = Investigations { database, player, library, state, channels, masking: &masking, config };
                looks.run(outcomes, output).await;
            }
            Err(failure) => failures.push(failure),
        }
        failures
    }
}

/// Opens the configured database. The demo opens an embedded one with generated days for the shipped monitors.
async fn database(config: &Config, output: &Output) -> Result<Arc<dyn Database>, Failure> {
    if !config.is_demo() {
        return open::database(config, output).await;
    }
    let injections = DEMO_INJECTIONS.iter().map(|text| text.parse()).collect::<Result<_, _>>();
    let until = Options::default().until.saturating_add(DEMO_DAYS_AFTER.days());
    let options = Options { injections: injections.map_err(Failure::usage)?, until, ..Options::default() };
    let mut script = Vec::new();
    days::generate(&options).write_sql(&mut script)?;
    let sql = String::from_utf8_lossy(&script).into_owned();
    let source = Source::Script { name: "the generated days".to_owned(), sql };
    Ok(source.open(&config.session, &|_| {}).await?)
}

/// Returns the current time of the demo: the morning after the day that it judges.
fn demo_now() -> Timestamp {
    let next = Options::default().until.saturating_add(1.day());
    next.at(9, 0, 0, 0).to_zoned_datetime(TimeZone::UTC).map_or(Timestamp::MAX, |now| now.timestamp())
}

fn day_range(arguments: &MonitorRunArguments) -> DayRange {
    match (arguments.date, arguments.from.zip(arguments.to)) {
        (Some(date), _) => DayRange::Days(date, date),
        (None, Some((from, to))) => DayRange::Days(from, to),
        (None, None) => DayRange::Latest,
    }
}

/// Returns the model that explains the days; `None` if no model is configured or wanted.
fn model(
    arguments: &MonitorRunArguments,
    config: &Config,
    output: &Output,
) -> Result<Option<(openai::Client, Option<crate::model::price::Price>)>, Failure> {
    if arguments.no_ai {
        return Ok(None);
    }
    if config.privacy != Mode::Full {
        // A model that explains a day looks into the database, whose segments the monitors remember as they are.
        output.talk().note(&format!("with --privacy {} no model explains the days; the engine does", config.privacy));
        return Ok(None);
    }
    match config.player() {
        Ok(Chosen::Offline) => Ok(None),
        // Of several models the first explains: there are no questions that it could leave open.
        Ok(Chosen::Models(first, _)) => {
            let PricedOptions { options, price } = *first;
            let client = openai::Client::new(options).map_err(|error| Failure::new(Kind::Usage, error))?;
            Ok(Some((client, price)))
        }
        Err(_) if config.is_default("model") && config.is_default("base_url") => {
            output.talk().note("no model is configured, so the engine writes the explanations");
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

fn deliver_report(
    outcomes: &[Outcome],
    destination: Destination,
    config: &Config,
    output: &mut Output,
) -> Result<(), Failure> {
    let layout = match destination {
        Destination::Stdout => Layout { width: output.columns(), colours: output.color() },
        Destination::Special(_) | Destination::File { .. } => Layout::default(),
    };
    let days = outcomes.iter().flat_map(Outcome::reported).collect::<Vec<_>>();
    let text = report::render(&days, config.format, layout).map_err(anyhow::Error::from)?;
    destination.deliver(&text, output)
}

/// Returns who looks behind alerts: the model that explains the days, or the built-in analyst.
fn player(has_model: bool, config: &Config) -> Result<Chosen, Failure> {
    if has_model { config.player() } else { Ok(Chosen::Offline) }
}

/// Sends the messages that are due, and shows those that were not sent.
async fn send(
    state: &State,
    channels: &Channels,
    outcomes: &[Outcome],
    masking: &Masking,
    output: &Output,
) -> Result<ExitStatus, Failure> {
    let notified = morning::notify(state, channels, outcomes, masking, Timestamp::now()).await;
    let Notified { report, left_over } = notified.map_err(unsent)?;
    warn_of(&left_over, output);
    told(&report, output)
}

/// Sends what became due since the alerts were sent.
pub(super) async fn send_out(state: &State, channels: &Channels, output: &Output) -> Result<ExitStatus, Failure> {
    told(&send_due(state, channels, Timestamp::now()).await?, output)
}

/// Shows what became of messages, if there were any.
fn told(report: &Report, output: &Output) -> Result<ExitStatus, Failure> {
    if *report == Report::default() { Ok(ExitStatus::Done) } else { tell(report, output) }
}

fn unsent(error: morning::Error) -> Failure {
    match error {
        morning::Error::State(error) => error.into(),
        morning::Error::Content(_) => anyhow::Error::from(error).into(),
    }
}

/// Warns about messages that earlier runs could not send and that this run did not try. No other output mentions them.
fn warn_of(left_over: &[Entry], output: &Output) {
    let Some(oldest) = left_over.iter().map(|entry| entry.at.date()).min() else { return };
    let (messages, have) = (counted(left_over.len(), "message"), if left_over.len() == 1 { "has" } else { "have" });
    output.talk().warn(&format!(
        "{messages} of earlier runs, the oldest from {oldest}, {have} not been sent: see `explore monitor outbox \
         list`, and `explore monitor outbox retry`, which sends those that failed"
    ));
}

/// Returns the first failure, with a hint that lists the others.
fn failure(failures: Vec<(String, run::Error)>) -> Option<Failure> {
    let mut failures = failures.into_iter();
    let (monitor, error) = failures.next()?;
    let others = failures.map(|(monitor, error)| format!("{monitor}: {error}")).collect::<Vec<_>>();
    let kind = match &error {
        run::Error::Pull(pull::Error::Database(Lost::Connect(_) | Lost::Gone(_) | Lost::Timeout { .. }))
        | run::Error::State(_) => Kind::Database,
        // The monitor's files are what has to be changed.
        run::Error::Pull(_) | run::Error::Usage(_) => Kind::Usage,
        run::Error::Analyst(_) => Kind::Unexpected,
    };
    let failure = Failure::new(kind, anyhow::Error::from(error).context(monitor));
    Some(if others.is_empty() { failure } else { failure.hint(format!("these failed too: {}", others.join("; "))) })
}

/// Shows the events of the analyst as progress.
struct ShowProgress(Progress);

impl Observer for ShowProgress {
    fn observe(&mut self, event: Event) -> io::Result<()> {
        self.0.observe(&event);
        Ok(())
    }
}

/// Shows the progress of each monitor.
struct ShowSteps<'a> {
    waiting: Option<Waiting>,
    talk: &'a Talk,
}

impl Watch for ShowSteps<'_> {
    fn begins(&mut self, monitor: &str) {
        self.waiting = Some(Waiting::start(self.talk, &format!("reading {monitor}")));
    }

    fn ended(&mut self, notes: &[String]) {
        self.waiting = None;
        for note in notes {
            self.talk.warn(note);
        }
    }

    fn waits(&mut self, monitor: &str) {
        self.talk.note(&format!("waiting for another run of {monitor} to end"));
    }

    fn done(&mut self, monitor: &str, days: usize, of: usize) {
        if let Some(waiting) = &self.waiting {
            waiting.say(&format!("{monitor}: {days} of {of} days"));
        }
    }
}
