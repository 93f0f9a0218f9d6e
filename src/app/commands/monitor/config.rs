//! `explore monitor config ...`: sets, lists and unsets thresholds that override those in the monitors' files.

use super::{chosen, print, registry, state};
use crate::app::cli::monitor::state::{ConfigCommand, ConfigSetArguments};
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::Output;
use crate::monitor::memory::KnownOverride;
use crate::monitor::registry::{Override, unmatched};

pub(super) async fn run(command: &ConfigCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    match command {
        ConfigCommand::Set(arguments) => set(arguments, config, output).await,
        ConfigCommand::List { json, .. } => list(*json, config, output).await,
        ConfigCommand::Unset { monitor, metric, .. } => unset(monitor, metric, config, output).await,
    }
}

async fn set(arguments: &ConfigSetArguments, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let ConfigSetArguments { monitor, metric, probability, medium, critical, enabled, .. } = arguments;
    let monitors = chosen(&registry(config, output)?, std::slice::from_ref(monitor))?;
    let state = state(config).await?;
    let rows = state.all_overrides().await?;
    let old = rows.into_iter().find(|row| row.monitor == *monitor && row.held.metric == *metric);
    let old = old.map(|row| row.held).unwrap_or_default();
    let held = Override {
        metric: metric.clone(),
        enabled: enabled.or(old.enabled),
        probability: probability.or(old.probability),
        medium_deviation: medium.or(old.medium_deviation),
        critical_deviation: critical.or(old.critical_deviation),
    };
    let rows = std::slice::from_ref(&held);
    let mut refused = unmatched(&monitors, monitor, metric).into_iter().collect::<Vec<_>>();
    refused.extend(monitors.into_iter().flat_map(|monitor| monitor.with_overrides(rows).1));
    let written = if refused.is_empty() {
        state.set_override(&KnownOverride { monitor: monitor.clone(), held }).await
    } else {
        Ok(())
    };
    state.close().await;
    written?;
    if !refused.is_empty() {
        return Err(Failure::usage(refused.join("; ")));
    }
    output.talk().note(&format!("this applies to {monitor}.{metric} from the next run on"));
    Ok(ExitStatus::Done)
}

async fn list(as_json: bool, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let state = state(config).await?;
    let rows = state.all_overrides().await?;
    state.close().await;
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let row = |KnownOverride { monitor, held }: &KnownOverride| {
        vec![
            if monitor.is_empty() { "all".to_owned() } else { monitor.clone() },
            held.metric.clone(),
            held.enabled.map(|enabled| enabled.to_string()).unwrap_or_default(),
            number(held.probability),
            number(held.medium_deviation),
            number(held.critical_deviation),
        ]
    };
    print(&rows, &["monitor", "metric", "enabled", "probability", "medium", "critical"], row, as_json, output)
}

async fn unset(monitor: &str, metric: &str, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let state = state(config).await?;
    let is_removed = state.remove_override(monitor, metric).await?;
    state.close().await;
    if !is_removed {
        return Err(
            Failure::usage(format!("nothing is set for {monitor}.{metric}")).hint("see `explore monitor config list`")
        );
    }
    output.talk().note(&format!("the values in the file apply again to {monitor}.{metric}"));
    Ok(ExitStatus::Done)
}
