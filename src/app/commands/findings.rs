//! `explore findings ...`: lists the findings that are remembered, and keeps what people say of them.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::memory::{self, OFF};
use super::open;
use crate::app::cli::memory::{Because, FindingsCommand, SaidArguments};
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::Output;
use crate::exploration::memory::listed::{InFull, Listed, Part, Which, silenced};
use crate::exploration::memory::{Feedback, Memory, Overview, Remembered, Said, Verdict};
use crate::finding::lifecycle::Point;
use crate::state::State;
use crate::typeset::text::{counted, line, printable};

/// Characters of a sentence in the list.
const SENTENCE_CHARACTERS: usize = 400;

pub(super) async fn run(
    command: &FindingsCommand,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    if let FindingsCommand::Memories { json, .. } = command {
        return memories(*json, config, output).await;
    }
    let name = name(config, output).await?;
    let state = memory::state_at_end(config).await?;
    let memory = Memory::existing(&state, &name).await?;
    let done = match &memory {
        Some(memory) => told(command, memory, config, output).await,
        None => Err(Failure::usage(format!("nothing is remembered under {name:?}"))
            .hint("`explore findings memories` lists what is; --memory NAME names one")),
    };
    state.close().await;
    done
}

/// Returns the name of the memory: the one that is named, or that of the database.
async fn name(config: &Config, output: &Output) -> Result<String, Failure> {
    match config.memory.as_deref() {
        Some(OFF) => {
            Err(Failure::usage("--memory off remembers nothing").hint("`explore findings memories` lists what is"))
        }
        Some(name) => Ok(name.to_owned()),
        None if config.is_demo() || !config.names_a_database() => Err(Failure::usage("whose findings?")
            .hint("name the database as for `explore`, or a memory with --memory NAME")),
        None => {
            let database = open::ungraded_database(config, output).await.map_err(without_a_database)?;
            let whose = memory::whose(config, &database).await?;
            database.close().await;
            Ok(whose.map(|whose| whose.name).unwrap_or_default())
        }
    }
}

/// Says how findings are shown of a database that cannot be reached.
fn without_a_database(failure: Failure) -> Failure {
    let other = "--memory NAME needs no database: `explore findings memories` lists the names";
    let hint = failure.advice().map_or_else(|| other.to_owned(), |advice| format!("{advice}; {other}"));
    failure.hint(hint)
}

async fn told(
    command: &FindingsCommand,
    memory: &Memory<'_>,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let today = config.as_of.unwrap_or_else(|| open::today(config));
    let day = match config.as_of {
        Some(day) => day,
        None => memory.day_of_verdicts(today).await?,
    };
    let kind = |because: Because| match because {
        Because::WrongFigure => Feedback::WrongFigure,
        Because::WrongConclusion => Feedback::WrongConclusion,
        Because::Known => Feedback::Known,
        Because::NotActionable => Feedback::NotActionable,
        Because::Duplicate => Feedback::Duplicate,
        Because::Other => Feedback::Dismissed,
    };
    let (said, verdict) = match command {
        FindingsCommand::List { all, json, .. } => return list(*all, *json, memory, today, output).await,
        FindingsCommand::Show { which, json } => return show(which.finding, *json, (memory, today), output).await,
        FindingsCommand::Memories { .. } => return Ok(ExitStatus::Done),
        FindingsCommand::Accept { said } => (said, verdict(Feedback::Useful, said, day)),
        FindingsCommand::Resolve { said } => (said, verdict(Feedback::Resolved, said, day)),
        FindingsCommand::Comment { said } => (said, verdict(Feedback::Comment, said, day)),
        FindingsCommand::Snooze { until, said } => {
            (said, Verdict { until: Some(*until), ..verdict(Feedback::Snoozed, said, day) })
        }
        FindingsCommand::Dismiss { because, until, unless_worse, said } => {
            (said, Verdict { until: *until, share: *unless_worse, ..verdict(kind(*because), said, day) })
        }
    };
    if let Some(fault) = verdict.fault() {
        return Err(Failure::usage(fault)
            .hint("--reason has the words, --until the day; --unless-worse belongs to --because known"));
    }
    let number = said.which.finding;
    let finding = memory.say(number, &verdict, Timestamp::now()).await?.ok_or_else(|| unknown(number))?;
    output.talk().note(&format!("{}: {}", finding.id(), verdict.words()));
    Ok(ExitStatus::Done)
}

fn unknown(number: i32) -> Failure {
    Failure::usage(format!("there is no finding M{number}")).hint("`explore findings list --all` lists all")
}

fn verdict(kind: Feedback, said: &SaidArguments, at: Date) -> Verdict {
    let user = || std::env::var("USER").ok().filter(|user| !user.is_empty()).unwrap_or_else(|| "somebody".to_owned());
    let (by, reason) = (said.by.clone().unwrap_or_else(user), said.reason.clone());
    Verdict { kind, by, reason, at, until: None, size: None, share: None }
}

async fn list(
    all: bool,
    as_json: bool,
    memory: &Memory<'_>,
    today: Date,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let which = Which { all, today, skip: 0, limit: usize::MAX };
    let Part { findings, hidden, .. } = memory.part(which).await?;
    let text = if as_json {
        format!("{:#}\n", json!(findings.iter().map(|one| Listed::of(one, today)).collect::<Vec<_>>()))
    } else {
        findings.iter().map(|one| row(one, silenced(one, today))).collect()
    };
    if findings.is_empty() && !as_json {
        output.talk().note(&format!("no finding is open in the memory {:?}", memory.name));
    }
    output.data(&text)?;
    if hidden > 0 {
        output.talk().note(&format!("{hidden} more that are over or silenced; --all lists them"));
    }
    Ok(ExitStatus::Done)
}

fn row(finding: &Remembered, silenced: Option<String>) -> String {
    let silenced = silenced.map(|why| format!("  ({why})")).unwrap_or_default();
    let Remembered { standing, severity, first_seen, lead, .. } = finding;
    let sentence = line(&lead.sentence, SENTENCE_CHARACTERS);
    let text = format!(
        "{:<5} {:<18} {:<8} since {first_seen}  {sentence}{silenced}",
        finding.id(),
        standing.word(),
        severity.name(),
    );
    format!("{}\n", printable(&text))
}

async fn show(
    number: i32,
    as_json: bool,
    (memory, today): (&Memory<'_>, Date),
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let finding = memory.finding(number).await?;
    let finding = finding.ok_or_else(|| unknown(number))?;
    let said = memory.said(number).await?;
    let text = if as_json {
        format!("{:#}\n", json!(InFull::of(&finding, said, today)))
    } else {
        printable(&in_full(&finding, &said)).into_owned()
    };
    output.data(&text)?;
    Ok(ExitStatus::Done)
}

fn in_full(finding: &Remembered, said: &[Said]) -> String {
    let Remembered { standing, severity, first_seen, since, lead, series, basis, first_run, .. } = finding;
    let mut text =
        format!("{}  {}  {}\n\u{25c6} {}\n\n", finding.id(), standing.word(), severity.name(), lead.sentence);
    let _ = writeln!(text, "First seen   {first_seen}, in run {first_run}");
    let _ = writeln!(text, "Stands so    since {since}");
    for (index, Point { as_of, text: size, .. }) in series.iter().enumerate() {
        let _ = writeln!(text, "{}{as_of}  {size}", if index == 0 { "Went on      " } else { "             " });
    }
    for (index, Said { at, kind, by, reason, until }) in said.iter().enumerate() {
        let label = if index == 0 { "Said         " } else { "             " };
        let until = until.map(|until| format!(", until {until}")).unwrap_or_default();
        let reason =
            reason.as_ref().map(|reason| format!(": {}", line(reason, SENTENCE_CHARACTERS))).unwrap_or_default();
        let day = at.strftime("%Y-%m-%d");
        let _ = writeln!(text, "{label}{day} {by}: {}{until}{reason}", kind.replace('_', " "));
    }
    for statement in &basis.statements {
        let _ = writeln!(
            text,
            "\n{} with data to {}: {}\n{}",
            statement.id, finding.last_day, statement.question, statement.sql
        );
    }
    text
}

async fn memories(as_json: bool, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let state: State = memory::state_at_end(config).await?;
    let all = Memory::all(&state).await?;
    state.close().await;
    let text = if as_json {
        format!("{}\n", serde_json::to_string_pretty(&all).map_err(anyhow::Error::from)?)
    } else {
        let one = |Overview { memory, address, findings, open }: &Overview| {
            let findings = counted(usize::try_from(*findings).unwrap_or(usize::MAX), "finding");
            format!("{}\n", printable(&format!("{memory}  ({findings}, {open} open; at {address})")))
        };
        all.iter().map(one).collect()
    };
    if all.is_empty() {
        output.talk().note("nothing is remembered yet");
    }
    output.data(&text)?;
    Ok(ExitStatus::Done)
}
