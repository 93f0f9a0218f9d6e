//! `explore monitor ...`: metrics that are watched every morning.

mod check;
mod generate;
mod list;

use std::path::PathBuf;

use crate::cli::monitor::MonitorCommand;
use crate::config::Config;
use crate::error::{ExitStatus, Failure};
use crate::output::Output;

pub(super) async fn run(command: &MonitorCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    match command {
        MonitorCommand::List { json, .. } => list::run(*json, config, output),
        MonitorCommand::Check(arguments) => check::run(arguments, config, output).await,
        MonitorCommand::Generate(arguments) => generate::run(arguments, output),
    }
}

/// The folder that monitors are read from.
fn directory(config: &Config) -> PathBuf {
    config.monitors.monitors.clone().unwrap_or_else(|| config.database.metadata.join("monitors"))
}
