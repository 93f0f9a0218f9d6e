//! `explore sql`: one statement, the way a model's are run, so that the owner of a database can try the fence.

mod rows;

use std::io::Read as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::interrupts::Interrupts;
use super::open;
use crate::cli::SqlArguments;
use crate::config::Config;
use crate::database;
use crate::error::{ExitStatus, Failure, Kind};
use crate::executor::Executor;
use crate::output::{Destination, Output, counted};
use crate::progress::Waiting;
use crate::table::Table;

pub(super) async fn run(arguments: &SqlArguments, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let text = text(&arguments.text)?;
    let destination = Destination::prepare(arguments.to.as_deref())?;
    let mut interrupts = Interrupts::listen()?;
    let waiting = Waiting::start(output.talk(), "opening the database");
    let opened = async {
        let database = open::database(config, output).await?;
        open::executor(config, database).await
    };
    let (executor, _, warnings) = tokio::select! {
        opened = opened => opened?,
        () = interrupts.next() => return Ok(ExitStatus::Interrupted),
    };
    drop(waiting);
    let connection = executor.database.server().warnings.iter();
    connection.chain(&warnings).for_each(|warning| output.talk().warn(warning));

    let waiting = Waiting::start(output.talk(), "running the statement");
    let ran = tokio::select! {
        ran = ask(&executor, &text, arguments.check, output) => Some(ran),
        () = interrupts.next() => None,
    };
    drop(waiting);
    let database = Arc::clone(&executor.database);
    tokio::select! {
        () = database.close() => {}
        () = interrupts.next() => {}
    }
    let Some(ran) = ran else { return Ok(ExitStatus::Interrupted) };
    if let Some((table, elapsed)) = ran? {
        destination.deliver(&rows::written(&table, arguments.rows_format, output)?, output)?;
        output.talk().note(&footer(&table, elapsed));
    }
    Ok(ExitStatus::Done)
}

/// The statement: the argument, or standard input for `-`.
fn text(argument: &str) -> Result<String, Failure> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("cannot read the statement from standard input")?;
    Ok(text)
}

/// Validates the text and, unless that is all that is wanted, runs it.
async fn ask(
    executor: &Executor,
    text: &str,
    check: bool,
    output: &Output,
) -> Result<Option<(Table, Duration)>, Failure> {
    let select = executor.validate(text).await.map_err(|refusal| Failure::new(Kind::Refused, refusal))?;
    if check {
        output.talk().note("it passes");
        return Ok(None);
    }
    if output.talk().verbosity() > 0 {
        output.talk().line(&executor.database.explain(&select, &executor.limits).await?);
    }
    let started = Instant::now();
    match executor.run(&select, Duration::MAX).await {
        Ok(table) => Ok(Some((table, started.elapsed()))),
        Err(error @ database::Error::TooDear(_)) => Err(Failure::new(Kind::Refused, error)),
        Err(error) => Err(error.into()),
    }
}

/// `12 rows in 4 ms`.
fn footer(table: &Table, elapsed: Duration) -> String {
    let count = counted(table.rows.len(), "row");
    let milliseconds = elapsed.as_millis();
    if table.more_rows {
        return format!("the first {count} in {milliseconds} ms; there are more: --max-rows fetches them");
    }
    format!("{count} in {milliseconds} ms")
}
