//! `explore`: one run, from the configuration to a report.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use rand::RngExt as _;

use super::interrupts::Interrupts;
use super::{focus, open, report};
use crate::agent::Observer;
use crate::agent::journal::{self, Event, Run, StopReason};
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::{Destination, Output};
use crate::app::progress::Progress;
use crate::exploration::{self, Order, Recorded};
use crate::semantic::Opened;

/// The sample data end on this day, so the demo takes it for today.
const DEMO_TODAY: Date = date(2025, 11, 30);

pub(super) async fn run(config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let library = focus::library(config)?;
    library.focus(&config.focus)?;
    config.source()?;
    let player = config.player()?;
    config.check_format()?;
    let destination = Destination::prepare(config.output.as_deref())?;

    let as_of = config.as_of.unwrap_or_else(|| if config.is_demo() { DEMO_TODAY } else { open::today(config) });
    let run_id = journal::run_id(Timestamp::now(), &config.focus, rand::rng().random());
    let mut progress = Progress::start(output.talk(), config.budget.iterations_max);
    let mut interrupts = Interrupts::listen()?;
    let (opened, newest) = tokio::select! {
        opened = open(config, as_of, output) => opened?,
        () = interrupts.next() => return Ok(ExitStatus::Interrupted),
    };
    let database = Arc::clone(&opened.executor.database);
    let order = Order {
        run_id,
        focus: &config.focus,
        library: &library,
        player,
        as_of,
        budget: config.budget,
        plans: output.talk().verbosity() > 1,
        runs_dir: &config.runs_dir,
        configuration: config.masked(),
    };
    let mut shown = Shown(&mut progress);
    let Recorded { journal, outcome } = exploration::run(order, opened, newest, interrupts.next(), &mut shown).await?;
    drop(progress);

    // What still runs in the database is stopped after the report is written, which is not to wait for it.
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

/// Opens the database and its catalog. Returns the newest day in the data too, if it can be known.
async fn open(config: &Config, as_of: Date, output: &Output) -> Result<(Opened, Option<Date>), Failure> {
    let database = open::database(config, output).await?;
    let opened = open::read(config, database).await?;
    exploration::check(&opened)?;
    let newest = opened.executor.newest_date(&opened.catalog, as_of).await;
    Ok((opened, newest))
}

/// Shows the events of a run as progress.
struct Shown<'a>(&'a mut Progress);

impl Observer for Shown<'_> {
    fn observe(&mut self, event: Event) -> io::Result<()> {
        self.0.observe(&event);
        Ok(())
    }
}

/// How the run ended, for the exit code.
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
