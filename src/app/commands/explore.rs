//! `explore`: explores a database once and delivers the report.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use rand::RngExt as _;

use super::interrupts::Interrupts;
use super::memory::{self, Recalled};
use super::{open, report};
use crate::agent::journal::{self, Event, FORMAT, Run, Started, StopReason};
use crate::agent::prompt::Library;
use crate::agent::runs;
use crate::agent::{Observer, Outcome};
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::{Destination, Output};
use crate::app::progress::Progress;
use crate::deliver::Channels;
use crate::exploration::{self, Options, Recorded, Resume, Scope};
use crate::semantic::{Joins, Opened};

/// The last day of the sample data, which is today's date for the demo.
const DEMO_TODAY: Date = date(2025, 11, 30);

pub(super) async fn run(config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let (library, focus) = config.area()?;
    library.focus(&focus)?;
    let as_of = day(config);
    let run_id = journal::run_id(Timestamp::now(), &focus, rand::rng().random());
    Box::pin(explore(Plan { library, focus, as_of, run_id, resume: None }, config, output)).await
}

/// Goes on with a run that was killed, interrupted, or stopped at a limit.
pub(super) async fn resume(id: &str, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let (config, plan) = resumed(id, config)?;
    if let Some(Resume { from, .. }) = &plan.resume {
        let what = if from.is_over { "remembering" } else { "going on with" };
        output.talk().note(&format!("{what} {}: {} of its turns are on record", plan.run_id, from.replies.len()));
    }
    Box::pin(explore(plan, &config, output)).await
}

/// Returns how a run goes on, with the configuration that it was begun with.
pub(super) fn resumed(id: &str, config: &Config) -> Result<(Config, Plan), Failure> {
    let found = runs::find_newest(&config.runs_dir, id).map_err(|error| Failure::new(Kind::Usage, error))?;
    let from = journal::resumable(&found.journal).map_err(|error| Failure::new(Kind::Usage, error))?;
    let from = from.ok_or_else(|| {
        Failure::usage("the journal does not contain the start of the run, so it cannot go on").hint("explore again")
    })?;
    let Started { run_id, focus, as_of, format, .. } = &from.started;
    if *format < FORMAT {
        return Err(Failure::usage("the run is of an older version, whose journals cannot go on").hint("explore again"));
    }
    let config = config.as_begun(&from.started.configuration);
    if from.is_over && (from.is_remembered || memory::is_off(&config)) {
        return Err(Failure::usage(format!("{run_id} ran to its end")).hint("`explore replay` shows its report"));
    }
    let (library, named) = config.area()?;
    if library.focus(focus).is_err() {
        return Err(Failure::usage(format!("the run explored {focus:?}, and {named:?} is given"))
            .hint("give the --focus, --focus-text and --prompts of the run again"));
    }
    let (focus, as_of, run_id) = (focus.clone(), *as_of, run_id.clone());
    let resume = Some(Resume { journal: found.journal, from });
    Ok((config, Plan { library, focus, as_of, run_id, resume }))
}

/// What is explored, and as which run.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) library: Library,
    pub(super) focus: String,
    pub(super) as_of: Date,
    pub(super) run_id: String,
    /// The run that goes on.
    pub(super) resume: Option<Resume>,
}

async fn explore(plan: Plan, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    config.source()?;
    config.player()?;
    config.check_format()?;
    let channels = memory::channels(config)?;
    let destination = Destination::prepare(config.output.as_deref())?;

    let mut progress = Progress::start(output.talk(), config.budget.iterations_max);
    let mut interrupts = Interrupts::listen()?;
    let opened = tokio::select! {
        opened = open(config, plan.as_of, output) => opened?,
        () = interrupts.next() => {
            drop(progress);
            output.talk().warn("interrupted before the exploration began: nothing was looked at, and there is no report");
            return Ok(ExitStatus::Interrupted);
        }
    };
    let database = Arc::clone(&opened.0.executor.database);
    let mut shown = ShowProgress(&mut progress);
    let plans = output.talk().verbosity() > 1;
    let exploring = explored((plan, plans), opened, (config, &channels), (interrupts.next(), &mut shown));
    let explored = Box::pin(exploring).await?;
    drop(progress);
    let Explored { journal, outcome, remembered } = explored;

    // The report is written first, because stopping the queries that still run may take a while.
    let unwritten = outcome.as_ref().err().map(ToString::to_string);
    let delivered = report::deliver(&journal, unwritten.as_deref(), destination, config, output);
    tokio::select! {
        () = database.close() => {}
        () = interrupts.next() => {}
    }
    if let (Some(unwritten), Err(_)) = (&unwritten, &delivered) {
        output.talk().warn(unwritten);
    }
    if let Err(error) = outcome {
        return Err(delivered.err().unwrap_or_else(|| error.into()));
    }
    // Who is to be told is told, even if the report could not be written.
    let sent = memory::notify(config, &channels, output).await;
    let ended = delivered.and_then(|run| {
        warn_of_nothing(&run, output);
        verdict(&run, config)
    });
    ending(ending(ended, remembered, output), sent, output)
}

/// A run that is over.
pub(super) struct Explored {
    pub(super) journal: PathBuf,
    /// An error means that the journal could not be written to its end.
    pub(super) outcome: io::Result<Outcome>,
    /// What came of remembering it.
    pub(super) remembered: Result<ExitStatus, Failure>,
}

/// Explores an opened database until `interrupt` completes, and remembers what was found. With `plans` the journal has the
/// plans of queries.
pub(super) async fn explored(
    (plan, plans): (Plan, bool),
    (mut opened, mut recalled): (Opened, Recalled),
    (config, channels): (&Config, &Channels),
    (interrupt, watch): (impl Future<Output = ()> + Send, &mut dyn Observer),
) -> Result<Explored, Failure> {
    let Plan { library, focus, as_of, run_id, resume } = plan;
    opened.warnings.extend(recalled.problem.clone());
    let marks = opened.executor.marks().clone().with_guesses(&opened.catalog);
    if let Some(resume) = &resume {
        if let (Some(problem), true) = (&recalled.problem, resume.from.is_over) {
            // Nothing else is left of it.
            return Err(anyhow::Error::msg(problem.clone()).into());
        }
        recalled.at_start = resume.from.recalled.clone();
    }
    let was_remembered = resume.as_ref().is_some_and(|resume| resume.from.was_remembered);
    let options = Options {
        run_id: run_id.clone(),
        recalled: recalled.at_start.clone(),
        resume,
        focus: &focus,
        library: &library,
        player: config.player()?,
        scope: Scope::Everything,
        as_of,
        budget: config.budget,
        caps: config.caps,
        spending_dir: &config.runs_dir,
        time_zone: open::time_zone(config),
        robustness: config.robustness,
        plans,
        runs_dir: &config.runs_dir,
        configuration: config.masked(),
    };
    let recorded = exploration::run(options, opened, interrupt, watch).await?;
    let remembered =
        memory::remember(config, (&recalled, channels, marks), &recorded, (&run_id, was_remembered, as_of)).await;
    let Recorded { journal, outcome, .. } = recorded;
    Ok(Explored { journal, outcome, remembered })
}

/// Returns what a run ended in. What failed after it is its end only if nothing else is; else it is said.
fn ending(
    ended: Result<ExitStatus, Failure>,
    after: Result<ExitStatus, Failure>,
    output: &Output,
) -> Result<ExitStatus, Failure> {
    match (ended, after) {
        (Ok(ExitStatus::Done), after) => after,
        (ended, Err(failure)) => {
            output.talk().failure(&failure);
            ended
        }
        (ended, Ok(_)) => ended,
    }
}

/// Warns if a limit kept the run from asking a model at all.
fn warn_of_nothing(run: &Run, output: &Output) {
    if run.totals.iterations == 0
        && run.stop_reason.is_limit()
        && let Some(detail) = &run.stop_detail
    {
        output.talk().warn(&format!("no model was asked, and nothing was looked at: {detail}"));
    }
}

/// Returns the day to use as today.
pub(super) fn day(config: &Config) -> Date {
    config.as_of.unwrap_or_else(|| if config.is_demo() { DEMO_TODAY } else { open::today(config) })
}

/// Opens the database, its catalog and its memory.
pub(super) async fn open(config: &Config, as_of: Date, output: &Output) -> Result<(Opened, Recalled), Failure> {
    let database = open::database(config, output).await?;
    let privacy = open::privacy(config, output).await;
    let opened = open::read_private(config, database, Joins::Guessed, privacy).await?;
    exploration::check(&opened)?;
    let newest = opened.executor.newest_dates(&opened.catalog, as_of).await;
    let mut recalled = memory::recall(config, &opened.executor.database, as_of).await?;
    recalled.at_start.newest = newest;
    Ok((opened, recalled))
}

/// Shows the events of a run as progress.
struct ShowProgress<'a>(&'a mut Progress);

impl Observer for ShowProgress<'_> {
    fn observe(&mut self, event: Event) -> io::Result<()> {
        self.0.observe(&event);
        Ok(())
    }
}

/// Returns the exit status of a run, or a failure if the model or the database ended it.
fn verdict(run: &Run, config: &Config) -> Result<ExitStatus, Failure> {
    let failed = |kind| {
        let detail = run.stop_detail.clone().unwrap_or_else(|| "the run ended early".to_owned());
        Err(Failure::new(kind, anyhow::Error::msg(detail)))
    };
    match run.stop_reason {
        StopReason::Interrupted => Ok(ExitStatus::Interrupted),
        StopReason::ModelFailed => failed(Kind::Model),
        StopReason::DatabaseLost => failed(Kind::Database),
        StopReason::Unfinished => failed(Kind::Unexpected),
        StopReason::Finished
        | StopReason::IterationLimit
        | StopReason::QueryLimit
        | StopReason::TokenLimit
        | StopReason::CostLimit
        | StopReason::DayCostLimit
        | StopReason::MonthCostLimit
        | StopReason::TimeLimit => Ok(report::status(run, config)),
    }
}
