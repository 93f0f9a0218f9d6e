//! `explore monitor snooze`: suspends the alerts on a metric for a range of days.

use jiff::ZonedDateTime;
use jiff::civil::Date;

use super::{print, registry, state};
use crate::app::cli::monitor::state::{SnoozeArguments, SnoozeCommand};
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::Output;
use crate::monitor::memory::{NewSnooze, Snooze};
use crate::monitor::registry::{Metric, Monitor};
use crate::typeset::spelling::did_you_mean;

pub(super) async fn run(
    arguments: &SnoozeArguments,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let today = ZonedDateTime::now().date();
    match (&arguments.command, &arguments.metric, arguments.until) {
        (Some(SnoozeCommand::List { json, .. }), ..) => list(*json, today, config, output).await,
        (Some(SnoozeCommand::Remove { id, .. }), ..) => remove(*id, config, output).await,
        (None, Some(metric), Some(until)) => {
            let new = NewSnooze {
                monitor: arguments.monitor.clone(),
                metric: metric.clone(),
                starts: arguments.from.unwrap_or(today),
                until,
                reason: arguments.reason.clone(),
            };
            add(&new, config, output).await
        }
        (None, ..) => Err(Failure::usage("a snooze needs a metric and its last day, --until")),
    }
}

async fn add(new: &NewSnooze, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    check(new, &registry(config, output)?.monitors)?;
    let state = state(config).await?;
    let id = state.add_snooze(new).await?;
    state.close().await;
    let NewSnooze { metric, starts, until, .. } = new;
    output.talk().note(&format!("alerts on {metric} are snoozed from {starts} to {until}; this is snooze {id}"));
    Ok(ExitStatus::Done)
}

/// Rejects a metric that no monitor has. Otherwise nobody would notice that the intended metric is not snoozed.
fn check(new: &NewSnooze, monitors: &[Monitor]) -> Result<(), Failure> {
    let is_meant = |monitor: &&Monitor| new.monitor.as_ref().is_none_or(|key| *key == monitor.key);
    let metrics = monitors.iter().filter(is_meant).flat_map(|monitor| &monitor.metrics);
    let known = metrics.map(|metric: &Metric| metric.key.clone()).collect::<Vec<_>>();
    if known.contains(&new.metric) {
        return Ok(());
    }
    let owner = new.monitor.as_ref().map_or("no monitor has a".to_owned(), |key| format!("monitor {key} has no"));
    let advice = did_you_mean(&new.metric, &known, || "see `explore monitor list --json`".to_owned());
    Err(Failure::usage(format!("{owner} metric `{}`; {advice}", new.metric)))
}

async fn list(as_json: bool, today: Date, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let state = state(config).await?;
    let snoozes = state.snoozes_after(today).await?;
    state.close().await;
    let row = |snooze: &Snooze| {
        vec![
            snooze.id.to_string(),
            snooze.metric.clone(),
            snooze.monitor.clone().unwrap_or_else(|| "all".to_owned()),
            snooze.starts.to_string(),
            snooze.until.to_string(),
            snooze.reason.clone().unwrap_or_default(),
        ]
    };
    print(&snoozes, &["id", "metric", "monitor", "from", "until", "reason"], row, as_json, output)
}

async fn remove(id: i32, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let state = state(config).await?;
    let is_removed = state.remove_snooze(id).await?;
    state.close().await;
    if !is_removed {
        return Err(Failure::usage(format!("there is no snooze {id}")).hint("see `explore monitor snooze list`"));
    }
    output.talk().note(&format!("snooze {id} is removed"));
    Ok(ExitStatus::Done)
}
