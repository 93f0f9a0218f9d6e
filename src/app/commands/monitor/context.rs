//! `explore monitor context ...`: imports, lists and removes events that may explain a deviation.

use std::fs::File;
use std::path::Path;

use jiff::ZonedDateTime;
use jiff::civil::Date;

use super::{print, registry, state};
use crate::app::cli::monitor::state::ContextCommand;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::Output;
use crate::monitor::context::read_csv;
use crate::monitor::memory::KnownEvent;

const COLUMNS: [&str; 9] = ["id", "starts", "ends", "kind", "label", "monitor", "metric", "segment", "source"];

pub(super) async fn run(command: &ContextCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    match command {
        ContextCommand::Import { file, .. } => import(file, config, output).await,
        ContextCommand::Remove { ids, .. } => remove(ids, config, output).await,
        ContextCommand::List { after, json, .. } => {
            list(after.unwrap_or_else(|| ZonedDateTime::now().date()), *json, config, output).await
        }
    }
}

async fn import(path: &Path, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let shown = path.display();
    let file = File::open(path).map_err(|error| Failure::usage(format!("cannot read {shown}: {error}")))?;
    let source = path.file_name().unwrap_or_default().to_string_lossy();
    let monitors = registry(config, output)?.monitors;
    let events = read_csv(file, &source, &monitors).map_err(|problems| {
        let lines = problems.iter().map(|problem| format!("{shown}: {problem}"));
        Failure::usage(lines.collect::<Vec<_>>().join("; ")).hint("nothing was imported")
    })?;
    let state = state(config).await?;
    let added = state.add_context_events(&events).await?;
    state.close().await;
    output.talk().note(&format!("{added} of {} events are new", events.len()));
    Ok(ExitStatus::Done)
}

async fn remove(ids: &[i32], config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let state = state(config).await?;
    let unknown = state.remove_context_events(ids).await?;
    state.close().await;
    let listed = |ids: &[i32]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if !unknown.is_empty() {
        let failure = Failure::usage(format!("there is no event {}; nothing was removed", listed(&unknown)));
        return Err(failure.hint("see `explore monitor context list --after 2000-01-01`"));
    }
    output.talk().note(&format!("removed: event {}", listed(ids)));
    Ok(ExitStatus::Done)
}

async fn list(after: Date, as_json: bool, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let state = state(config).await?;
    let events = state.context_events_after(after).await?;
    state.close().await;
    output.talk().note(&format!("events that ended before {after} are left out; --after DATE shows them"));
    let any = |name: &Option<String>| name.clone().unwrap_or_else(|| "all".to_owned());
    let row = |KnownEvent { id, event }: &KnownEvent| {
        vec![
            id.to_string(),
            event.starts.to_string(),
            event.ends.to_string(),
            format!("{:?}", event.kind).to_lowercase(),
            event.label.clone(),
            any(&event.monitor),
            any(&event.metric),
            event.segment.to_string(),
            event.source.clone(),
        ]
    };
    print(&events, &COLUMNS, row, as_json, output)
}
