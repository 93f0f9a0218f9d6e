//! `explore monitor check`: checks the files of the monitors. If a database is configured, also checks that the SELECTs
//! return the columns that the files declare.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{channels_of, chosen, problems, registry};
use crate::app::cli::monitor::MonitorCheckArguments;
use crate::app::commands::interrupts::Interrupts;
use crate::app::commands::open;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::Output;
use crate::monitor::pull::{self, pull};
use crate::monitor::registry::{Monitor, Problem};
use crate::semantic::{Joins, Opened};
use crate::typeset::text::{counted, printable};

pub(super) async fn run(
    arguments: &MonitorCheckArguments,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let registry = registry(config, output)?;
    let monitors = chosen(&registry, &arguments.keys)?;
    let mut problems = problems(&registry, &arguments.keys);
    problems.extend(monitors.iter().flat_map(|monitor| channel_problems(monitor, config)));
    if config.names_a_database() {
        let mut interrupts = Interrupts::listen()?;
        problems.extend(tokio::select! {
            checked = check_results(&monitors, config, output) => checked?,
            () = interrupts.next() => return Ok(ExitStatus::Interrupted),
        });
    } else {
        output.talk().note("no database is configured, so the SELECTs were not run; set one with --database-url");
    }
    report(&monitors, &problems, output)
}

/// Returns the problems of the channels that a monitor sends to.
fn channel_problems(monitor: &Monitor, config: &Config) -> Vec<Problem> {
    let unknown = monitor.channels.iter().filter(|name| !config.channels.contains_key(*name));
    let problem = |message: String| Problem { path: monitor.sql_path.with_extension("toml"), line: None, message };
    let problems = unknown.map(|name| problem(format!("`channels`: explore.toml has no [channels.{name}]")));
    let problems = problems.collect::<Vec<_>>();
    if problems.is_empty() {
        // Mostly secrets that are not set. `explore monitor run` would leave the monitor out.
        return channels_of(monitor, config).err().map(|invalid| problem(invalid.to_string())).into_iter().collect();
    }
    problems
}

fn report(monitors: &[Monitor], problems: &[Problem], output: &mut Output) -> Result<ExitStatus, Failure> {
    let mut lines = String::new();
    for problem in problems {
        let _ = writeln!(lines, "{}", printable(&problem.to_string()));
    }
    output.data(&lines)?;
    if !problems.is_empty() {
        return Err(Failure::usage(format!("{} in the monitors", counted(problems.len(), "problem"))));
    }
    output.talk().note(&format!("{}, no problem", counted(monitors.len(), "monitor")));
    Ok(ExitStatus::Done)
}

/// Runs the SELECT of every monitor for the latest step whose data is due. Returns the problems of the SELECTs.
async fn check_results(monitors: &[Monitor], config: &Config, output: &Output) -> Result<Vec<Problem>, Failure> {
    let database = open::database(config, output).await?;
    let Opened { executor, .. } = open::read(config, database, Joins::AsDeclared).await?;
    let now = Timestamp::now();
    let mut problems = Vec::new();
    for monitor in monitors {
        let step = monitor.calendar.last_due(now);
        match pull(&executor, monitor, step, monitor.calendar.shifted(step, 1)).await {
            Ok(observations) => {
                let rows = counted(observations.len(), "row");
                output.talk().note(&format!("{}: {rows} of {}", monitor.key, step.date()));
            }
            Err(pull::Error::Database(
                error @ (crate::warehouse::Error::Connect(_) | crate::warehouse::Error::Gone(_)),
            )) => {
                return Err(error.into());
            }
            Err(error) => {
                problems.push(Problem { path: monitor.sql_path.clone(), line: None, message: error.to_string() });
            }
        }
    }
    executor.database.close().await;
    Ok(problems)
}
