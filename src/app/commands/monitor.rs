//! `explore monitor ...`: the commands that run monitors and manage their state, and what they share.

mod backtest;
mod check;
mod config;
mod context;
mod generate;
mod investigate;
mod list;
pub(super) mod outbox;
mod run;
mod snooze;
mod why;

use anyhow::Context as _;
use serde::Serialize;

use crate::app::cli::monitor::MonitorCommand;
use crate::app::commands::open::state;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::Output;
use crate::app::rows::{self, Format, Layout};
use crate::deliver::{Channels, Invalid, Pace};
use crate::monitor::registry::{Monitor, Problem, Registry};
use crate::typeset::spelling::advice;
use crate::warehouse::table::{Column, Table};

pub(super) async fn run(command: &MonitorCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    // A monitor has its own time zone for its steps. Its SELECT runs in the server's time zone.
    let config = &config.in_server_time_zone();
    match command {
        MonitorCommand::Run(arguments) => run::run(arguments, config, output).await,
        MonitorCommand::Why(arguments) => why::run(arguments, config, output).await,
        MonitorCommand::List { json, .. } => list::run(*json, config, output),
        MonitorCommand::Check(arguments) => check::run(arguments, config, output).await,
        MonitorCommand::Backtest(arguments) => backtest::run(arguments, config, output).await,
        MonitorCommand::Outbox(command) => outbox::run(command, config, output).await,
        MonitorCommand::Snooze(arguments) => snooze::run(arguments, config, output).await,
        MonitorCommand::Context(command) => context::run(command, config, output).await,
        MonitorCommand::Config(command) => config::run(command, config, output).await,
        MonitorCommand::Generate(arguments) => generate::run(arguments, output),
    }
}

/// Opens the channels of a monitor. A missing secret or an unknown channel is an error.
fn channels_of(monitor: &Monitor, config: &Config) -> Result<Channels, Invalid> {
    let named = monitor.channels.iter().filter_map(|name| Some((name.clone(), config.channels.get(name)?.clone())));
    let opened = Channels::open(&named.collect(), &|name| std::env::var(name).ok(), Pace::default())?;
    opened.check(&monitor.key, &monitor.channels).map(|()| opened)
}

/// Prints rows as a table, or as a JSON array.
pub(super) fn print<T: Serialize>(
    entries: &[T],
    columns: &[&str],
    row: impl Fn(&T) -> Vec<String>,
    as_json: bool,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let text = if as_json {
        format!("{:#}\n", serde_json::json!(entries))
    } else {
        let column = |name: &&str| Column { name: (*name).to_owned(), type_name: "text".to_owned() };
        let rows = entries.iter().map(|entry| row(entry).into_iter().map(Some).collect());
        let table = Table {
            columns: columns.iter().map(column).collect(),
            rows: rows.collect(),
            more_rows: false,
            suppressed: 0,
        };
        let layout = Layout { width: output.terminal_columns(), colours: output.color() };
        rows::render(&table, Format::Terminal, layout).context("the list cannot be printed")?
    };
    output.data(&text)?;
    Ok(ExitStatus::Done)
}

/// Reads the monitors of the folder. If the folder is not configured and does not exist, returns the monitors that come
/// with the program.
pub(super) fn registry(config: &Config, output: &Output) -> Result<Registry, Failure> {
    let named = config.monitors.is_some() || !config.is_default("metadata");
    let directory = config.monitors_dir();
    if !named && !directory.exists() {
        let message = format!("{} does not exist; using the monitors that come with the program", directory.display());
        output.talk().note(&message);
        return Ok(Registry::shipped());
    }
    Registry::read(&directory).map_err(|problem| Failure::new(Kind::Usage, problem))
}

/// Returns the problems in the files of the monitors with these keys, or of all monitors if `keys` is empty.
fn problems(registry: &Registry, keys: &[String]) -> Vec<Problem> {
    let is_chosen = |problem: &&Problem| {
        let key = problem.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        keys.is_empty() || keys.iter().any(|chosen| chosen == key)
    };
    registry.problems.iter().filter(is_chosen).cloned().collect()
}

/// Returns the monitors with these keys, or all if `keys` is empty. An unknown key is an error. A monitor whose files
/// have errors is left out, because the registry lists it among its problems.
fn chosen(registry: &Registry, keys: &[String]) -> Result<Vec<Monitor>, Failure> {
    let known = registry.keys();
    if let Some(unknown) = keys.iter().find(|key| !known.contains(*key)) {
        let advice = advice(unknown, &known);
        return Err(Failure::usage(format!("there is no monitor `{unknown}`; {advice}")));
    }
    let is_chosen = |monitor: &&Monitor| keys.is_empty() || keys.contains(&monitor.key);
    Ok(registry.monitors.iter().filter(is_chosen).cloned().collect())
}
