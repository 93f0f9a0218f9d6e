//! Whose findings a command is about: the memory that the configuration names, or that of the database.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use super::monitor::outbox::tell;
use super::open;
use crate::agent::journal::{self, Event, FORGOTTEN};
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::Output;
use crate::deliver::settings::ChannelPrivacy;
use crate::deliver::{Channels, Pace, send_due};
use crate::exploration::Recorded;
use crate::exploration::digest::{self, Style, digest};
use crate::exploration::memory::{Conclusion, Found, Memory, Remembered};
use crate::finding::lifecycle::Remembrance;
use crate::state::{self, NewMessage, State, WrittenMessage};
use crate::warehouse::Database;
use crate::warehouse::privacy::{Marks, Masking, Mode};

/// How long a run waits for another process that has the state open in this machine's folder.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same once the run is over: what it found is not to be lost.
const PATIENCE_AT_END: Duration = Duration::from_secs(30);
/// The name that stands for no memory.
pub(super) const OFF: &str = "off";

/// Whose findings are remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Whose {
    pub(super) name: String,
    /// Where the database is, without user and secrets.
    pub(super) address: String,
    /// Whether somebody named it.
    pub(super) is_named: bool,
}

/// Returns whether a run remembers nothing: as somebody says, or because it explores the sample data.
pub(super) fn is_off(config: &Config) -> bool {
    config.memory.as_deref() == Some(OFF) || (config.memory.is_none() && config.is_demo())
}

/// Returns whose findings a run remembers; `None` if it remembers nothing.
pub(super) async fn whose(config: &Config, database: &Arc<dyn Database>) -> Result<Option<Whose>, Failure> {
    if is_off(config) {
        return Ok(None);
    }
    let address = open::address(&config.source()?.0)?;
    if let Some(name) = &config.memory {
        return Ok(Some(Whose { name: name.clone(), address, is_named: true }));
    }
    let place = open::identity(config, &**database).await?;
    let name = [place].into_iter().chain(scope(config)).collect::<Vec<_>>().join(", ");
    Ok(Some(Whose { name, address, is_named: false }))
}

/// Returns what a caller sees of the database: its schemas and tables, its role, its settings.
fn scope(config: &Config) -> Vec<String> {
    let selection = &config.selection;
    let list = |name: &str, values: &[String]| (!values.is_empty()).then(|| format!("{name} {}", values.join("+")));
    let settings = config.sql.set_local.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
    [
        list("schemas", &selection.schemas),
        list("tables", &selection.include),
        list("without", &selection.exclude),
        config.session.role.as_ref().map(|role| format!("role {role}")),
        list("settings", &settings),
        // What a mode hides is in no memory that another mode reads.
        (config.privacy != Mode::Full).then(|| format!("privacy {}", config.privacy.name())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Opens the state for a run that begins.
pub(super) async fn state(config: &Config) -> Result<State, Failure> {
    open::state_within(config, PATIENCE).await
}

/// Opens the state for a run that is over.
pub(super) async fn state_at_end(config: &Config) -> Result<State, Failure> {
    open::state_within(config, PATIENCE_AT_END).await
}

/// Opens a memory in a state.
pub(super) async fn opened<'s>(state: &'s State, whose: &Whose) -> Result<Memory<'s>, state::Error> {
    if whose.is_named {
        Memory::named(state, &whose.name, &whose.address).await
    } else {
        Memory::open(state, &whose.name, &whose.address).await
    }
}

/// What is remembered when a run begins.
#[derive(Debug, Default)]
pub(super) struct Recalled {
    /// Whose findings these are; `None` if the run remembers nothing.
    whose: Option<Whose>,
    /// What the run knows from its start.
    pub(super) at_start: journal::Recalled,
    /// Why nothing is remembered that should be.
    pub(super) problem: Option<String>,
}

/// Reads what is remembered of the database. What keeps a run from remembering does not keep it from running, but for a
/// database that was at another address.
pub(super) async fn recall(config: &Config, database: &Arc<dyn Database>, as_of: Date) -> Result<Recalled, Failure> {
    let Some(whose) = whose(config, database).await? else { return Ok(Recalled::default()) };
    let forgetful =
        |problem: String| Recalled { problem: Some(format!("{FORGOTTEN}: {problem}")), ..Recalled::default() };
    let state = match state(config).await {
        Ok(state) => state,
        Err(failure) => return Ok(forgetful(failure.to_string())),
    };
    let read = async {
        let memory = opened(&state, &whose).await?;
        Ok((memory.findings().await?, memory.nights().await?))
    };
    let read = read.await;
    state.close().await;
    match read {
        Ok((_, nights)) if nights.last().is_some_and(|last| *last > as_of) => Ok(forgetful(format!(
            "it is of {as_of}, and the memory goes on to later days; --memory NAME keeps another one for earlier ones"
        ))),
        Ok((findings, nights)) => {
            let known = in_order(&findings).map(Remembered::known).collect();
            let is_of_month = |day: Date| day < as_of && (as_of - day).get_days().unsigned_abs() < journal::MONTH;
            let count = |days: usize| u32::try_from(days).unwrap_or(u32::MAX);
            let nights = count(nights.into_iter().filter(|night| is_of_month(*night)).count());
            let discoveries = count(findings.iter().filter(|one| is_of_month(one.first_seen)).count());
            let at_start = journal::Recalled { known, newest: None, nights, discoveries };
            Ok(Recalled { whose: Some(whose), at_start, problem: None })
        }
        Err(state::Error::Input(problem)) => Err(Failure::usage(problem)),
        Err(error) => Ok(forgetful(error.to_string())),
    }
}

/// Returns findings in the order in which they are measured again: the gravest first.
fn in_order(findings: &[Remembered]) -> impl Iterator<Item = &Remembered> {
    let mut findings = findings.iter().collect::<Vec<_>>();
    findings.sort_by_key(|one| (std::cmp::Reverse(one.severity), one.number));
    findings.into_iter()
}

/// Remembers a run that is over, and writes into its journal how each finding stands, or why nothing is remembered. The
/// report is not to be lost with the memory: the error is for the run's exit status. What was found since the run `was_remembered`
/// is remembered by itself, under a name that tells how many turns there were by then.
pub(super) async fn remember(
    config: &Config,
    (recalled, channels, marks): (&Recalled, &Channels, Marks),
    recorded: &Recorded,
    (run_id, was_remembered, as_of): (&str, bool, Date),
) -> Result<ExitStatus, Failure> {
    let (Some(whose), Ok(outcome)) = (&recalled.whose, &recorded.outcome) else { return Ok(ExitStatus::Done) };
    let found =
        Found { run_id, as_of, findings: &outcome.findings, bases: &outcome.bases, remeasured: &outcome.remeasured };
    let turns = outcome.stopped.totals.iterations;
    let name = if was_remembered { format!("{run_id}+{turns}") } else { run_id.to_owned() };
    let concluded = async {
        let state = state_at_end(config).await?;
        let concluded = concluded(&state, whose, (&name, found, recorded), (channels, marks, config)).await;
        state.close().await;
        concluded
    };
    let again = || format!("`explore resume {run_id}` makes up for it");
    let (event, problem) = match concluded.await {
        Ok(remembrance) => (Event::Remembered(Box::new(remembrance)), None),
        Err(failure) => {
            let message = format!("{FORGOTTEN}: {failure}");
            let problem = Failure::new(failure.kind(), anyhow::Error::msg(message.clone()));
            (Event::Warned { message }, Some(problem.hint(again())))
        }
    };
    let noted = recorded.note(&event).map_err(|error| Failure::from(anyhow::Error::from(error)).hint(again()));
    problem.map_or(noted.map(|()| ExitStatus::Done), Err)
}

/// Remembers a run, with the messages about it.
async fn concluded(
    state: &State,
    whose: &Whose,
    (name, found, recorded): (&str, Found<'_>, &Recorded),
    (channels, marks, config): (&Channels, Marks, &Config),
) -> Result<Remembrance, Failure> {
    let is_told = !config.notify.is_empty();
    let masking = if is_told { open::masking(marks, state).await? } else { Masking::default() };
    let messages = |remembrance: &Remembrance| {
        if is_told {
            messages((name, &recorded.journal), remembrance, (channels, &masking), config)
        } else {
            Ok(Vec::new())
        }
    };
    let conclusion = Conclusion { name, found, definitions: &recorded.definitions, messages: &messages };
    Ok(opened(state, whose).await?.conclude(conclusion).await?)
}

/// Opens the channels of `--notify`. A missing secret or an unknown channel is an error before anything runs.
pub(super) fn channels(config: &Config) -> Result<Channels, Failure> {
    if !config.notify.is_empty() && is_off(config) {
        return Err(Failure::usage("--notify sends what is new, and this run remembers nothing")
            .hint("name a memory with --memory NAME"));
    }
    let named = config.notify.iter().filter_map(|name| Some((name.clone(), config.channels.get(name)?.clone())));
    let channels = Channels::open(&named.collect(), &|name| std::env::var(name).ok(), Pace::default())?;
    match config.notify.iter().find(|name| !config.channels.contains_key(*name)) {
        Some(name) => Err(Failure::usage(format!("--notify names {name}, but explore.toml has no [channels.{name}]"))),
        None => Ok(channels),
    }
}

/// Returns the messages about a run, one for each recipient: with the values of personal data where the channel is to have
/// them, else with tokens.
fn messages(
    (name, journal): (&str, &Path),
    remembrance: &Remembrance,
    (channels, masking): (&Channels, &Masking),
    config: &Config,
) -> Result<Vec<WrittenMessage>, String> {
    let run = journal::read(journal).map_err(|error| error.to_string())?;
    let sent = journal::read_as_sent(journal).map_err(|error| error.to_string())?;
    let style = Style { is_always: config.notify_always, link: config.report_link.as_deref() };
    let mut written = Vec::new();
    for channel in &config.notify {
        let message = match channels.privacy(channel) {
            ChannelPrivacy::Full => {
                let remembrance = journal::with_values(journal, remembrance).map_err(|error| error.to_string())?;
                digest(&run, &remembrance, style)
            }
            ChannelPrivacy::Masked => {
                let (sent, remembrance) =
                    digest::masked(masking, &sent, remembrance).map_err(|error| error.to_string())?;
                digest(&sent, &remembrance, style)
            }
        };
        let Some(message) = message.map_err(|error| error.to_string())? else { continue };
        let content = serde_json::to_value(message).map_err(|error| error.to_string())?;
        let (recipients, _) = channels.recipients(channel).unwrap_or_default();
        written.extend(recipients.into_iter().map(|recipient| {
            let (incident, channel) = (name.to_owned(), channel.clone());
            let rows = vec![NewMessage { incident, channel, recipient, is_digest: false }];
            WrittenMessage { rows, content: content.clone() }
        }));
    }
    Ok(written)
}

/// Sends the messages that are due through the channels of `--notify`.
pub(super) async fn notify(config: &Config, channels: &Channels, output: &Output) -> Result<ExitStatus, Failure> {
    if config.notify.is_empty() {
        return Ok(ExitStatus::Done);
    }
    let state = state_at_end(config).await?;
    let report = send_due(&state, channels, Timestamp::now()).await;
    state.close().await;
    tell(&report?, output)
}

/// Returns how many findings that a run told first were accepted, by the run's id.
pub(super) async fn accepted(config: &Config) -> Result<BTreeMap<String, u64>, Failure> {
    let state = state_at_end(config).await?;
    let accepted = Memory::accepted(&state).await;
    state.close().await;
    Ok(accepted?)
}

/// Returns the runs that told findings first which are open.
pub(super) async fn needed(config: &Config) -> Result<BTreeSet<String>, Failure> {
    let state = state_at_end(config).await?;
    let needed = Memory::needed(&state).await;
    state.close().await;
    Ok(needed?)
}
