//! `explore monitor outbox ...`: lists the messages about incidents, and sends those that failed again.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{print, state};
use crate::app::cli::monitor::state::OutboxCommand;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::Output;
use crate::deliver::{Channels, Pace, Report, Trouble, send_due};
use crate::state::{Entry, Which};

use crate::typeset::text::counted;

const COLUMNS: [&str; 10] =
    ["id", "day", "monitor", "incident", "part", "channel", "recipient", "state", "attempts", "problem"];

pub(super) async fn run(command: &OutboxCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    match command {
        OutboxCommand::List { all, json, .. } => list(*all, *json, config, output).await,
        OutboxCommand::Retry { ids, .. } => retry(ids, config, output).await,
    }
}

async fn list(all: bool, as_json: bool, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let state = state(config).await?;
    let entries = state.outbox(if all { Which::All } else { Which::Unsent }).await?;
    state.close().await;
    print(&entries, &COLUMNS, row, as_json, output)
}

fn row(entry: &Entry) -> Vec<String> {
    vec![
        entry.id.to_string(),
        entry.at.strftime("%Y-%m-%d %H:%M").to_string(),
        entry.monitor.clone(),
        entry.incident.clone(),
        entry.part.name().to_owned(),
        entry.channel.clone(),
        entry.recipient.clone(),
        entry.state.name().to_owned(),
        entry.attempts.to_string(),
        entry.problem.clone().unwrap_or_default(),
    ]
}

/// Opens the channels that can be opened. The messages of the others stay in the outbox.
fn openable(config: &Config, output: &Output) -> Result<Channels, Failure> {
    let open = |sections: &BTreeMap<_, _>| Channels::open(sections, &|name| std::env::var(name).ok(), Pace::default());
    let mut channels = open(&BTreeMap::new())?;
    for (name, section) in &config.channels {
        match open(&BTreeMap::from([(name.clone(), section.clone())])) {
            Ok(opened) => channels.add(opened),
            Err(invalid) => output.talk().warn(&format!("{invalid}; its messages stay in the outbox")),
        }
    }
    Ok(channels)
}

/// Queues messages again and sends all messages that are due. If `ids` is empty, queues every message that failed.
async fn retry(ids: &[i64], config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let channels = openable(config, output)?;
    let state = state(config).await?;
    let named = (!ids.is_empty()).then_some(ids);
    let queued = state.retry(named, named.is_some()).await?;
    let report = send_due(&state, &channels, Timestamp::now()).await?;
    state.close().await;
    let status = tell(&report, output)?;
    match ids.iter().find(|id| !queued.contains(id)) {
        Some(id) => Err(Failure::usage(format!("message {id} is not one that failed or that may have arrived"))
            .hint("`explore monitor outbox list --all` shows every message")),
        None => Ok(status),
    }
}

pub(in crate::app::commands) fn tell(report: &Report, output: &Output) -> Result<ExitStatus, Failure> {
    output.talk().note(&format!("{} sent", report.sent.len()));
    for Trouble { id, problem, .. } in &report.skipped {
        output.talk().note(&format!("message {id} stays in the outbox: {problem}"));
    }
    let kinds =
        [("is tried again later", &report.later), ("failed", &report.failed), ("may have arrived", &report.unknown)];
    for (kind, troubles) in kinds {
        for Trouble { id, channel, recipient, problem } in troubles {
            let to = if recipient.is_empty() { channel.clone() } else { format!("{channel}, {recipient}") };
            output.talk().warn(&format!("message {id} ({to}) {kind}: {problem}"));
        }
    }
    let count = report.later.len() + report.failed.len() + report.unknown.len();
    if count == 0 {
        return Ok(ExitStatus::Done);
    }
    let messages = counted(count, "message");
    Err(Failure::new(Kind::Unexpected, anyhow::anyhow!("{messages} may not have been sent"))
        .hint("see `explore monitor outbox list`"))
}
