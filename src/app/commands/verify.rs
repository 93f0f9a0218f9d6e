//! `explore verify`: checks the verified questions, sends the messages about them, and accepts values that moved.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::interrupts::Interrupts;
use super::monitor::outbox::tell;
use super::open;
use crate::app::cli::verify::{VERIFY_FORMATS, VerifyArguments};
use crate::app::config::{Config, ending};
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::{Destination, Output};
use crate::app::progress::Waiting;
use crate::deliver::{self, Channels, Pace, send_due};
use crate::semantic::{Joins, Opened};
use crate::state::State;
use crate::typeset::layout::Layout;
use crate::typeset::spelling::advice;
use crate::typeset::text::counted;
use crate::verify::folder::{self, Entry};
use crate::verify::memory::Status;
use crate::verify::report::{self, Format};
use crate::verify::run::{self, Acceptance, Checked, Context};

pub(super) async fn run(
    arguments: &VerifyArguments,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let entries = entries(config, output)?;
    let chosen = chosen(&entries, arguments)?;
    let format = ending::choose(arguments.output.as_deref(), arguments.format, &VERIFY_FORMATS)?;
    let destination = Destination::prepare(arguments.output.as_deref())?;
    let mut interrupts = Interrupts::listen()?;
    tokio::select! {
        ended = verify((&entries, &chosen), (format, destination), arguments, config, output) => ended,
        () = interrupts.next() => Ok(ExitStatus::Interrupted),
    }
}

/// Reads the questions in `verified` in the metadata folder; for the demo those that come with the program. That there
/// is none is an error, because nothing would be verified.
fn entries(config: &Config, output: &Output) -> Result<Vec<Entry>, Failure> {
    let directory = config.metadata.join("verified");
    if config.is_demo() && config.is_default("metadata") {
        output.talk().note("verifying the questions about the sample data that come with the program");
        return Ok(folder::shipped());
    }
    let shown = directory.display();
    let hint = format!(
        "write one: {shown}/NAME.sql begins with `-- question: ...` and `-- expect: ...`, see `explore verify --help`"
    );
    if !directory.exists() {
        return Err(Failure::usage(format!("there is no verified question: {shown} does not exist")).hint(hint));
    }
    let entries = folder::read(&directory).map_err(|problem| Failure::new(Kind::Usage, problem))?;
    if entries.is_empty() {
        return Err(Failure::usage(format!("there is no verified question: no .sql file is in {shown}")).hint(hint));
    }
    Ok(entries)
}

/// Returns the names of the questions to verify. An unknown name is an error.
fn chosen(entries: &[Entry], arguments: &VerifyArguments) -> Result<BTreeSet<String>, Failure> {
    let known = || entries.iter().map(|entry| entry.name.as_str());
    let named = arguments.names.iter().chain(&arguments.accept);
    let mut chosen = BTreeSet::new();
    for given in named {
        let name = given.rsplit(['/', '\\']).next().unwrap_or(given);
        let name = name.strip_suffix(".sql").unwrap_or(name);
        if !known().any(|known| known == name) {
            return Err(Failure::usage(format!("there is no verified question `{name}`; {}", advice(name, known()))));
        }
        chosen.insert(name.to_owned());
    }
    Ok(if chosen.is_empty() { known().map(str::to_owned).collect() } else { chosen })
}

async fn verify(
    (entries, chosen): (&[Entry], &BTreeSet<String>),
    (format, destination): (Format, Destination),
    arguments: &VerifyArguments,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    // The demo's data are generated, and a dry run tells nobody.
    let tells_nobody = arguments.dry_run || config.is_demo();
    let (channels, unsendable) = if tells_nobody {
        (Channels::open(&BTreeMap::new(), &|_| None, Pace::default())?, BTreeMap::new())
    } else {
        channels(entries, chosen, config)?
    };
    let waiting = Waiting::start(output.talk(), "opening the database");
    let database = open::database(config, output).await?;
    let identity = open::identity(config, &*database).await?;
    let Opened { executor, .. } = open::read(config, database, Joins::AsDeclared).await?;
    let (state, _temporary) = state(config).await?;
    waiting.say("verifying questions");
    let context = Context {
        executor: &executor,
        state: &state,
        database: &identity,
        now: Timestamp::now(),
        time_zone: open::time_zone(config),
        is_dry: arguments.dry_run,
        acceptance: arguments.accept.as_ref().map(|_| Acceptance { reason: arguments.reason.clone() }),
        unsendable,
        recipients: &|name| {
            // A dry run sends nothing, so it does not matter to whom.
            let would_be = || config.channels.contains_key(name).then(|| (Vec::new(), false));
            if arguments.dry_run { would_be() } else { channels.recipients(name) }
        },
        notify: &config.verify.notify,
    };
    let verified = run::run(entries, chosen, &context).await;
    drop(waiting);
    let ended = match verified {
        Ok(all) => {
            say_acceptance(&all, arguments, output);
            let delivered = deliver_report(&all, &context, format, destination, output);
            let sent = if tells_nobody { Ok(ExitStatus::Done) } else { send(&state, &channels, output).await };
            conclude(&all, [delivered, sent], output)
        }
        Err(error) => Err(failure(error)),
    };
    executor.database.close().await;
    state.close().await;
    ended
}

/// Opens the state; for the demo one of its own, which is gone afterwards, unless a flag names another.
async fn state(config: &Config) -> Result<(State, Option<tempfile::TempDir>), Failure> {
    #[cfg(feature = "embedded")]
    if config.is_demo() && !config.is_flag("state_url") && !config.is_flag("data_dir") {
        let directory = tempfile::tempdir()?;
        return Ok((State::embedded(directory.path()).await?, Some(directory)));
    }
    Ok((open::state(config).await?, None))
}

/// Opens the channels that the chosen questions use. Also returns the questions whose channels cannot be opened, with
/// the reasons.
fn channels(
    entries: &[Entry],
    chosen: &BTreeSet<String>,
    config: &Config,
) -> Result<(Channels, BTreeMap<String, String>), Failure> {
    let open = |sections: &BTreeMap<_, _>| Channels::open(sections, &|name| std::env::var(name).ok(), Pace::default());
    let mut channels = open(&BTreeMap::new())?;
    let mut unsendable = BTreeMap::new();
    for entry in entries.iter().filter(|entry| chosen.contains(&entry.name)) {
        let own = entry.question.as_ref().map_or(&[][..], |question| &question.notify);
        for name in if own.is_empty() { &config.verify.notify } else { own } {
            let opened = match config.channels.get(name) {
                Some(section) => {
                    open(&BTreeMap::from([(name.clone(), section.clone())])).map_err(|invalid| invalid.to_string())
                }
                None => Err(format!("explore.toml has no [channels.{name}]")),
            };
            match opened {
                Ok(opened) => channels.add(opened),
                Err(reason) => {
                    unsendable.entry(entry.name.clone()).or_insert(reason);
                }
            }
        }
    }
    Ok((channels, unsendable))
}

/// Says what was taken as right, whatever the format of the results.
fn say_acceptance(all: &[Checked], arguments: &VerifyArguments, output: &Output) {
    let Some(name) = &arguments.accept else { return };
    let taken = all.iter().map(|checked| checked.accepted.len()).sum::<usize>();
    let is_known = all.iter().any(|checked| checked.status != Status::Unchecked);
    let (would, nothing) = if arguments.dry_run { ("would be ", "") } else { ("", "; nothing was to be taken") };
    match taken {
        0 if !is_known => {
            output.talk().warn(&format!("{name}: nothing was taken as right, because it cannot be checked"));
        }
        0 => output.talk().note(&format!("{name}: no remembered value moved{nothing}")),
        taken => output.talk().note(&format!("{name}: {} that moved {would}taken as right", counted(taken, "value"))),
    }
}

fn deliver_report(
    all: &[Checked],
    context: &Context<'_>,
    format: Format,
    destination: Destination,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let layout = match destination {
        Destination::Stdout => Layout { width: output.columns(), colours: output.color() },
        Destination::Special(_) | Destination::File { .. } => Layout::default(),
    };
    let text = match format {
        Format::Terminal => report::terminal(all, context, layout),
        Format::Json => report::json(all, context).map_err(anyhow::Error::from)?,
    };
    destination.deliver(&text, output)?;
    Ok(ExitStatus::Done)
}

/// Sends the messages that are due. What is not sent stays in the outbox.
async fn send(state: &State, channels: &Channels, output: &Output) -> Result<ExitStatus, Failure> {
    let report = send_due(state, channels, Timestamp::now()).await?;
    if report == deliver::Report::default() { Ok(ExitStatus::Done) } else { tell(&report, output) }
}

/// Returns the exit status. A failed question takes precedence over what went wrong afterwards, which is shown.
fn conclude(
    all: &[Checked],
    afterwards: [Result<ExitStatus, Failure>; 2],
    output: &Output,
) -> Result<ExitStatus, Failure> {
    let mut failures = afterwards.into_iter().filter_map(Result::err).collect::<Vec<_>>();
    let ended = match () {
        () if report::count(all, Status::Failed) > 0 => Ok(ExitStatus::Found),
        () if !failures.is_empty() => Err(failures.remove(0)),
        () if report::count(all, Status::Unchecked) > 0 => Ok(ExitStatus::Incomplete),
        () => Ok(ExitStatus::Done),
    };
    for failure in &failures {
        output.talk().failure(failure);
    }
    ended
}

fn failure(error: run::Error) -> Failure {
    match error {
        run::Error::Database(error) => error.into(),
        run::Error::State(error) => error.into(),
        run::Error::Message(_) => anyhow::Error::from(error).into(),
    }
}
