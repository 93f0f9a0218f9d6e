//! `explore`: explores a database once and delivers the report.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use rand::RngExt as _;

use super::interrupts::Interrupts;
use super::{open, report};
use crate::agent::Observer;
use crate::agent::journal::{self, Event, Run, StopReason};
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::{Destination, Output};
use crate::app::progress::Progress;
use crate::exploration::{self, Options, Recorded};
use crate::semantic::{Joins, Opened};

/// The last day of the sample data, which is today's date for the demo.
const DEMO_TODAY: Date = date(2025, 11, 30);

pub(super) async fn run(config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let (library, focus) = config.area()?;
    library.focus(&focus)?;
    config.source()?;
    let player = config.player()?;
    config.check_format()?;
    let destination = Destination::prepare(config.output.as_deref())?;

    let as_of = config.as_of.unwrap_or_else(|| if config.is_demo() { DEMO_TODAY } else { open::today(config) });
    let run_id = journal::run_id(Timestamp::now(), &focus, rand::rng().random());
    let mut progress = Progress::start(output.talk(), config.budget.iterations_max);
    let mut interrupts = Interrupts::listen()?;
    let (opened, newest) = tokio::select! {
        opened = open(config, as_of, output) => opened?,
        () = interrupts.next() => {
            drop(progress);
            output.talk().warn("interrupted before the exploration began: nothing was looked at, and there is no report");
            return Ok(ExitStatus::Interrupted);
        }
    };
    let database = Arc::clone(&opened.executor.database);
    let options = Options {
        run_id,
        focus: &focus,
        library: &library,
        player,
        as_of,
        budget: config.budget,
        robustness: config.robustness,
        plans: output.talk().verbosity() > 1,
        runs_dir: &config.runs_dir,
        configuration: config.masked(),
    };
    let mut shown = ShowProgress(&mut progress);
    let Recorded { journal, outcome } =
        exploration::run(options, opened, newest, interrupts.next(), &mut shown).await?;
    drop(progress);

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
    let run = delivered?;
    outcome?;
    verdict(&run, config)
}

/// Opens the database and its catalog. Also returns the newest day in the data; `None` if it is unknown.
async fn open(config: &Config, as_of: Date, output: &Output) -> Result<(Opened, Option<Date>), Failure> {
    let database = open::database(config, output).await?;
    let privacy = open::privacy(config, output).await;
    let opened = open::read_private(config, database, Joins::Guessed, privacy).await?;
    exploration::check(&opened)?;
    let newest = opened.executor.newest_date(&opened.catalog, as_of).await;
    Ok((opened, newest))
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
        | StopReason::TimeLimit => Ok(report::status(run, config)),
    }
}
