//! `explore sql`: validates and runs one statement in the same way as a query of the model.

use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::interrupts::Interrupts;
use super::open;
use crate::app::cli::{ROWS_FORMATS, SqlArguments};
use crate::app::config::{Config, ending};
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::{Destination, Output};
use crate::app::progress::Waiting;
use crate::app::rows::{self, Format, Layout};
use crate::finding::companions::Evaluator;
use crate::finding::results::QueryResult;
use crate::finding::wording;
use crate::finding::workbook::{Sheet, Workbook};
use crate::semantic::{Joins, Opened};
use crate::typeset::text::{counted, printable};
use crate::warehouse::executor::Executor;
use crate::warehouse::table::Table;
use crate::warehouse::{Database, lineage};

/// The most bytes of a statement that are read from standard input. The validator refuses statements far shorter.
const STATEMENT_BYTES_MAX: u64 = 1 << 20;

/// The result of a statement that was not refused.
enum Answer {
    /// The statement was only checked.
    Passed,
    /// What its columns mean, or what was stated of its cells, a line each.
    Lines(Vec<String>),
    /// The statement ran. `plan` is `None` unless `-vv` is given.
    Ran { table: Table, elapsed: Duration, plan: Option<String> },
}

pub(super) async fn run(arguments: &SqlArguments, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let format = ending::choose(arguments.output.as_deref(), arguments.format, &ROWS_FORMATS)?;
    let text = statement(&arguments.statement)?;
    let destination = Destination::prepare(arguments.output.as_deref())?;
    let mut interrupts = Interrupts::listen()?;
    let waiting = Waiting::start(output.talk(), "opening the database");
    let database = tokio::select! {
        opened = open::database(config, output) => opened?,
        () = interrupts.next() => return Ok(ExitStatus::Interrupted),
    };
    let answered = tokio::select! {
        answered = answer(&text, arguments, config, Arc::clone(&database), output, &waiting) => answered.map(Some),
        () = interrupts.next() => Ok(None),
    };
    // When this returns, the server has stopped an interrupted statement.
    tokio::select! {
        () = database.close() => {}
        () = interrupts.next() => {}
    }
    drop(waiting);
    match answered? {
        None => return Ok(ExitStatus::Interrupted),
        Some(Answer::Passed) => output.talk().note("not refused"),
        Some(Answer::Lines(lines)) => destination.deliver(&(lines.join("\n") + "\n"), output)?,
        Some(Answer::Ran { table, elapsed, plan }) => {
            destination.deliver(&render(&table, format, arguments, output)?, output)?;
            tell(&table, elapsed, plan.as_deref(), config, output);
        }
    }
    Ok(ExitStatus::Done)
}

/// Returns the statement. Reads it from standard input if `argument` is `-`.
fn statement(argument: &str) -> Result<String, Failure> {
    if !argument.contains(char::is_whitespace) && Path::new(argument).is_file() {
        return Err(Failure::usage(format!("{argument} is a file, and the statement is missing")).hint(format!(
            "explore sql {argument} \"SELECT ...\"; options stand before the file or after the statement"
        )));
    }
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut text = String::new();
    let read = io::stdin().lock().take(STATEMENT_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|error| Failure::usage(format!("cannot read the statement from standard input: {error}")))?;
    Ok(text)
}

async fn answer(
    text: &str,
    arguments: &SqlArguments,
    config: &Config,
    database: Arc<dyn Database>,
    output: &Output,
    waiting: &Waiting,
) -> Result<Answer, Failure> {
    let warnings = database.server().warnings.clone();
    let says = arguments.meaning || !arguments.claims.is_empty();
    let joins = if says { Joins::Guessed } else { Joins::AsDeclared };
    let Opened { executor, catalog, warnings: of_catalog } = open::read(config, database, joins).await?;
    // Warnings about the catalog and the metadata are shown only with `-v`, because they do not affect the statement.
    let of_catalog = if output.talk().verbosity() > 0 { of_catalog } else { Vec::new() };
    warnings.iter().chain(&of_catalog).for_each(|warning| output.talk().warn(warning));

    let select = executor.validate(text).await?;
    if arguments.meaning {
        return Ok(Answer::Lines(wording::statement(&lineage::of(&select, &catalog), &catalog)));
    }
    if arguments.check {
        return Ok(Answer::Passed);
    }
    waiting.say("waiting for the statement");
    let started = Instant::now();
    let table = executor.run(&select, executor.limits.timeout).await?;
    let elapsed = started.elapsed();
    if !arguments.claims.is_empty() {
        let result = QueryResult::new(
            "q1".to_owned(),
            String::new(),
            &select,
            table,
            u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        );
        let lineage = lineage::of(&select, &catalog);
        let mut book = Workbook::new(Arc::new(catalog), open::today(config));
        book.push(Sheet::new(Arc::new(result), lineage));
        return Ok(Answer::Lines(stated(&arguments.claims, &mut book, &executor).await));
    }
    let plan = match output.talk().verbosity() {
        0 | 1 => None,
        _ => Some(executor.database.prove(&select, &executor.limits).await?.plan),
    };
    Ok(Answer::Ran { table, elapsed, plan })
}

/// Returns what the claims state, a line each, with the doubts about each below.
async fn stated(claims: &[String], book: &mut Workbook, executor: &Executor) -> Vec<String> {
    let mut evaluator = Evaluator::new(book, executor, executor.limits.timeout);
    let mut lines = Vec::new();
    for claim in claims {
        match evaluator.evaluate(claim).await {
            Ok(fact) => {
                lines.push(format!("\u{25c6} {}", fact.sentence));
                lines.extend(fact.doubts.iter().map(|doubt| format!("    doubt {}: {}", doubt.id, doubt.sentence)));
            }
            Err(reason) => lines.push(format!("refused: {claim}: {reason}")),
        }
    }
    lines
}

/// Formats the rows. On a terminal, control characters in values are replaced. A file receives the values unchanged.
fn render(table: &Table, format: Format, arguments: &SqlArguments, output: &Output) -> Result<String, Failure> {
    let on_terminal = output.terminal_columns().filter(|_| arguments.output.is_none());
    let layout = Layout { width: on_terminal, colours: arguments.output.is_none() && output.color() };
    let text = rows::render(table, format, layout).context("the rows cannot be printed")?;
    let drives = on_terminal.is_some() && format != Format::Terminal;
    Ok(if drives { printable(&text).into_owned() } else { text })
}

fn tell(table: &Table, elapsed: Duration, plan: Option<&str>, config: &Config, output: &Output) {
    let talk = output.talk();
    if let Some(plan) = plan {
        talk.line(plan);
    }
    let rows = counted(table.rows.len(), "row");
    let more = if table.more_rows {
        format!("; there are more than --max-rows {}", config.query.rows_max)
    } else {
        String::new()
    };
    let time = if talk.verbosity() > 0 { format!(" in {} ms", elapsed.as_millis()) } else { String::new() };
    talk.note(&format!("{rows}{time}{more}"));
}
