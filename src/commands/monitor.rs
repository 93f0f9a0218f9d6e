//! `explore monitor ...`: metrics that are watched every morning.

mod backtest;
mod check;
mod generate;
mod list;

use crate::cli::monitor::MonitorCommand;
use crate::config::Config;
use crate::error::{ExitStatus, Failure, Kind};
use crate::monitor::registry::{Monitor, Registry};
use crate::output::Output;
use crate::prompt::nearest;

pub(super) async fn run(command: &MonitorCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    match command {
        MonitorCommand::List { json, .. } => list::run(*json, config, output),
        MonitorCommand::Check(arguments) => check::run(arguments, config, output).await,
        MonitorCommand::Backtest(arguments) => backtest::run(arguments, config, output).await,
        MonitorCommand::Generate(arguments) => generate::run(arguments, output),
    }
}

/// The monitors of the folder; where nobody named one and there is none, those that come with the program.
fn registry(config: &Config, output: &Output) -> Result<Registry, Failure> {
    let named = config.monitors.monitors.is_some() || !config.is_default("metadata");
    let directory = config.monitors.monitors.clone().unwrap_or_else(|| config.database.metadata.join("monitors"));
    if !named && !directory.exists() {
        let message = format!("there is no {}; these are the monitors that come with the program", directory.display());
        output.talk().note(&message);
        return Ok(Registry::shipped());
    }
    Registry::read(&directory).map_err(|problem| Failure::new(Kind::Usage, problem))
}

/// The monitors of these keys, or all. A key that there is no monitor of is an error; one whose files are wrong is among
/// the registry's problems.
fn chosen(registry: &Registry, keys: &[String]) -> Result<Vec<Monitor>, Failure> {
    let known = registry.keys();
    if let Some(unknown) = keys.iter().find(|key| !known.contains(*key)) {
        let advice = match nearest(unknown, known.iter()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("there are {}", known.into_iter().collect::<Vec<_>>().join(", ")),
        };
        return Err(Failure::usage(format!("there is no monitor `{unknown}`; {advice}")));
    }
    let is_chosen = |monitor: &&Monitor| keys.is_empty() || keys.contains(&monitor.key);
    Ok(registry.monitors.iter().filter(is_chosen).cloned().collect())
}
