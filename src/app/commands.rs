//! The commands of the program, one file per command, all with the same structure. Only they connect the parts of the
//! library with each other.

mod completions;
mod config;
mod costs;
mod doctor;
mod dry_run;
mod eval;
mod explore;
mod findings;
mod focus;
mod health;
mod interrupts;
mod json_schema;
mod key;
mod memory;
mod monitor;
mod open;
mod recheck;
mod report;
mod runs;
mod sample;
mod schema;
mod serve;
mod sql;
mod verify;

use super::cli::{Cli, Command};
use super::config::Config;
use super::error::{ExitStatus, Failure};
use super::output::Output;

/// Runs the command that the command line names.
pub async fn run(cli: Cli, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    for warning in &config.warnings {
        output.talk().warn(warning);
    }
    match cli.command {
        None if cli.dry_run => dry_run::run(config, output).await,
        Some(_) if cli.dry_run => {
            Err(Failure::usage("--dry-run stands before a command").hint("write it after the command, if that has one"))
        }
        None => explore::run(config, output).await,
        Some(Command::Focus(command)) => focus::run(&command, config, output),
        Some(Command::Schema(command)) => schema::run(&command, config, output).await,
        Some(Command::Sql(arguments)) => sql::run(&arguments, config, output).await,
        Some(Command::Doctor(arguments)) => doctor::run(&arguments, config, output).await,
        Some(Command::Runs(command)) => runs::run(&command, config, output).await,
        Some(Command::Replay(arguments)) => runs::show(&arguments.id, config, output),
        Some(Command::Resume { id, .. }) => explore::resume(&id, config, output).await,
        Some(Command::Recheck(arguments)) => recheck::run(&arguments, config, output).await,
        Some(Command::Findings(command)) => findings::run(&command, config, output).await,
        Some(Command::Monitor(command)) => monitor::run(&command, config, output).await,
        Some(Command::Verify(arguments)) => verify::run(&arguments, config, output).await,
        Some(Command::Serve(_)) => serve::run(config, output).await,
        Some(Command::Health { url }) => health::run(url.as_ref(), config, output).await,
        Some(Command::Key(command)) => key::run(&command, config, output).await,
        Some(Command::Sample(command)) => sample::run(&command, config, output),
        Some(Command::Eval(arguments)) => eval::run(&arguments, config, output).await,
        Some(Command::JsonSchema { document }) => json_schema::run(document, output),
        Some(Command::Config(command)) => config::run(&command, config, output),
        Some(Command::Completions { shell }) => completions::run(shell, output),
    }
}
