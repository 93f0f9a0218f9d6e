//! `explore`: one run, from the configuration to a report.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, date};
use rand::RngExt as _;

use super::interrupts::Interrupts;
use super::{focus, open, report};
use crate::agent::journal::{self, Event, Journal, Run, Started, StopReason};
use crate::agent::prompt::{Briefing, Library, Material};
use crate::agent::tools::{self, Toolbox};
use crate::agent::{self, Budget, Observer, Setup};
use crate::app::config::Config;
use crate::app::config::choice::Player;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::{Destination, Output};
use crate::app::progress::Progress;
use crate::exploration::analyst::OfflineAnalyst;
use crate::model::price::Price;
use crate::model::{Model, openai};
use crate::semantic::render;
use crate::warehouse::Server;
use crate::warehouse::catalog::Catalog;
use crate::warehouse::executor::Executor;
use crate::warehouse::table::Bounds;

/// The sample data end on this day, so the demo takes it for today.
const DEMO_TODAY: Date = date(2025, 11, 30);
/// The first request is kept below this: under 8,000 tokens even where a token is little more than three characters.
const FIRST_REQUEST_CHARACTERS_MAX: usize = 26_000;
/// The catalog gets at least this much of it.
const CATALOG_CHARACTERS_MIN: usize = 4_000;
/// The business context gets at most this much of it.
const CONTEXT_CHARACTERS_MAX: usize = 8_000;

pub(super) async fn run(config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let library = focus::library(config)?;
    library.focus(&config.exploration.focus)?;
    config.source()?;
    let player = config.player()?;
    config.check_format()?;
    let destination = Destination::prepare(config.report.output.as_deref())?;

    let today =
        config.exploration.as_of.unwrap_or_else(|| if config.is_demo() { DEMO_TODAY } else { open::today(config) });
    let started_at = Timestamp::now();
    let run_id = journal::run_id(started_at, &config.exploration.focus, rand::rng().random());
    let mut progress = Progress::start(output.talk(), config.limits.max_iterations);
    let mut interrupts = Interrupts::listen()?;
    let (executor, catalog, newest, warnings) = tokio::select! {
        opened = open(config, today, output) => opened?,
        () = interrupts.next() => return Ok(ExitStatus::Interrupted),
    };
    let (model, price) = model(player, config, &catalog, today)?;

    let journal = Journal::create(&config.runs.runs_dir, &run_id).map_err(|error| Failure::new(Kind::Usage, error))?;
    let path = journal.path().to_owned();
    let mut recorder = Recorder { journal, progress: &mut progress };
    recorder.observe(Event::Started(Box::new(Started {
        run_id,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        focus: config.exploration.focus.clone(),
        as_of: today,
        model: model.name().to_owned(),
        server: executor.database.server().clone(),
        tables: catalog.tables.len(),
        configuration: config.masked(),
    })))?;
    for message in warnings.into_iter().chain(newest.and_then(|newest| stale(newest, today))) {
        recorder.observe(Event::Warned { message })?;
    }
    let budget = budget(config);
    let briefing = brief(&library, config, &catalog, (today, newest), budget)?;
    let database = Arc::clone(&executor.database);
    let plans = output.talk().verbosity() > 1;
    let toolbox = Toolbox { executor, catalog, bounds: Bounds::default(), plans };
    let setup =
        Setup { model: &*model, toolbox: &toolbox, briefing: &briefing, given: &[], budget, price, as_of: today };
    let outcome = agent::explore(setup, interrupts.next(), &mut recorder).await;
    drop(progress);

    // What still runs in the database is stopped after the report is written, which is not to wait for it.
    let unwritten = outcome.as_ref().err().map(ToString::to_string);
    let delivered = report::deliver(&path, unwritten.as_deref(), destination, config, output);
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

/// What to say where the data end long before the day that is taken for today.
fn stale(newest: Date, today: Date) -> Option<String> {
    /// Data that are loaded once a month are not stale.
    const DAYS_MAX: i32 = 45;
    let days = (today - newest).get_days();
    (days > DAYS_MAX).then(|| {
        format!(
            "the newest date in the data is {newest}, {days} days before {today}; --as-of {newest} judges as of then"
        )
    })
}

/// The way to the database, its catalog, the newest day in it where that can be known, and what the user should know.
async fn open(
    config: &Config,
    today: Date,
    output: &Output,
) -> Result<(Executor, Arc<Catalog>, Option<Date>, Vec<String>), Failure> {
    let database = open::database(config, output).await?;
    let (executor, catalog, warnings) = open::executor(config, database).await?;
    if catalog.tables.is_empty() {
        return Err(nothing_to_explore(executor.database.server(), &warnings));
    }
    let newest = executor.newest_date(&catalog, today).await;
    Ok((executor, Arc::new(catalog), newest, warnings))
}

/// A job whose role lost its rights must not end as if nothing had been found.
fn nothing_to_explore(server: &Server, warnings: &[String]) -> Failure {
    let Server { database, role, .. } = server;
    let nothing = format!("there is no table in database {database:?} that role {role:?} may read");
    let error = [&[nothing], warnings].concat().join("; ");
    Failure::new(Kind::Database, anyhow::Error::msg(error)).hint(format!(
        "GRANT USAGE ON SCHEMA public TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}; or check \
         --schema, --tables and the name of the database"
    ))
}

/// Writes every event to the journal, then shows it.
struct Recorder<'a> {
    journal: Journal,
    progress: &'a mut Progress,
}

impl Observer for Recorder<'_> {
    fn observe(&mut self, event: Event) -> io::Result<()> {
        self.journal.append(Timestamp::now(), &event).map_err(io::Error::other)?;
        self.progress.observe(&event);
        Ok(())
    }
}

fn model(
    player: Player,
    config: &Config,
    catalog: &Catalog,
    today: Date,
) -> Result<(Box<dyn Model>, Option<Price>), Failure> {
    match player {
        Player::Offline => {
            let analyst = OfflineAnalyst::new(catalog, &config.exploration.focus, today);
            Ok((Box::new(analyst), Some(Price::NOTHING)))
        }
        Player::Model(options) => {
            let price = config.price(&options.model);
            let client = openai::Client::new(*options).map_err(|error| Failure::new(Kind::Usage, error))?;
            Ok((Box::new(client), price))
        }
    }
}

fn budget(config: &Config) -> Budget {
    Budget {
        iterations_max: config.limits.max_iterations,
        queries_max: Some(config.limits.max_queries),
        tokens_max: Some(config.limits.max_tokens_total),
        cost_max_usd: config.limits.max_cost,
        time_max: Some(config.limits.time_limit),
    }
}

/// What the model is told first, within its bound: the catalog takes what the rest leaves.
fn brief(
    library: &Library,
    config: &Config,
    catalog: &Catalog,
    (today, newest): (Date, Option<Date>),
    budget: Budget,
) -> Result<Briefing, Failure> {
    let focus = library.focus(&config.exploration.focus)?;
    let context = catalog.business_context.as_deref().map(|text| shortened(text, CONTEXT_CHARACTERS_MAX));
    let limits = budget.describe();
    let mut material = Material {
        focus: focus.name,
        catalog: "",
        business_context: context.as_deref(),
        as_of: today,
        data_end: newest.filter(|date| *date < today),
        limits: &limits,
    };
    let frame = library.brief(material)?;
    let tools = serde_json::to_string(&tools::specs(false)).map_or(0, |specs| specs.chars().count());
    let used = frame.system.chars().count() + frame.first.chars().count() + tools;
    let room = FIRST_REQUEST_CHARACTERS_MAX.saturating_sub(used).max(CATALOG_CHARACTERS_MIN);
    let overview = render::overview(catalog, &format!("{} {}", focus.name, focus.text), room);
    material.catalog = &overview;
    Ok(library.brief(material)?)
}

fn shortened(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}… (cut short)", &text[..end]),
        None => text.to_owned(),
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
