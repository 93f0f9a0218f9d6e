//! `explore schema`: writes the metadata files from the database or another tool's files, approves what was guessed, and
//! compares them with the database.

mod exchange;

use std::fmt::Write as _;
use std::path::PathBuf;

use super::open;
use crate::app::cli::SchemaCommand;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::Output;
use crate::semantic::metadata::{self, Approval, Metadata};
use crate::semantic::{self, drift, trial};
use crate::typeset::text::{count, counted, printable};
use crate::warehouse::catalog::{Catalog, Introspected};
use crate::warehouse::executor::Executor;

pub(super) async fn run(command: &SchemaCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    match command {
        SchemaCommand::Approve { names, by, .. } => approve(names, by, config, output),
        SchemaCommand::Import(command) => exchange::import(command, config, output),
        SchemaCommand::Export(command) => exchange::export(command, config, output),
        SchemaCommand::Pull { .. } => with_database(true, config, output).await,
        SchemaCommand::Check { .. } => with_database(false, config, output).await,
    }
}

/// Reads the catalogue, and pulls from it or compares with it.
async fn with_database(pulls: bool, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let database = open::database(config, output).await?;
    let (executor, introspected) = open::executor(config, database.clone()).await?;
    let Introspected { catalog, warnings, left_out, code: _ } = introspected;
    for warning in warnings {
        output.talk().warn(&warning);
    }
    let status = if pulls {
        pull(&executor, catalog, config, output).await
    } else {
        check(&executor, &catalog, &left_out, config, output).await
    };
    database.close().await;
    status
}

fn approve(names: &[String], by: &str, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let approval = Approval { by: by.trim().to_owned(), on: open::today(config) };
    if approval.by.is_empty() {
        return Err(Failure::usage("--by needs the name of the person who approves".to_owned()));
    }
    let approved = metadata::approve(&config.metadata, names, &approval).map_err(unusable)?;
    print_lines(approved.guesses.iter().map(String::as_str), output)?;
    output.talk().note(&format!(
        "{} approved in {}",
        count(approved.guesses.len(), "guess", "guesses"),
        counted(approved.written.len(), "file")
    ));
    Ok(ExitStatus::Done)
}

async fn pull(
    executor: &Executor,
    mut catalog: Catalog,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    if !config.approved_only {
        // Guesses of the files are made anew.
        semantic::look(executor, &mut catalog, &Metadata::default()).await;
    }
    let pulled = metadata::pull(&catalog, &config.metadata).map_err(unusable)?;
    for note in &pulled.notes {
        output.talk().warn(note);
    }
    print_paths(&pulled.written, output)?;
    output.talk().note(&format!(
        "{} written, {} unchanged",
        counted(pulled.written.len(), "file"),
        counted(pulled.unchanged, "table")
    ));
    Ok(ExitStatus::Done)
}

async fn check(
    executor: &Executor,
    catalog: &Catalog,
    left_out: &[(String, String)],
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let metadata = Metadata::read(&config.metadata).map_err(unusable)?.without(left_out, catalog);
    let drifts = drift::find(catalog, &metadata);
    let mut declared = catalog.clone();
    let mut problems = semantic::declare(executor, &mut declared, &metadata).await;
    problems.retain(|problem| !drifts.iter().any(|drift| drift.to_string() == *problem));
    problems.extend(trial::keys(executor, &declared).await);
    problems.extend(trial::zones(executor, &declared).await);
    let lines = drifts.iter().map(ToString::to_string).chain(problems.iter().cloned()).collect::<Vec<_>>();
    print_lines(lines.iter().map(String::as_str), output)?;
    let disagreements = drifts.iter().filter(|drift| drift.is_disagreement()).count() + problems.len();
    output.talk().note(&format!(
        "{}, {}",
        counted(catalog.tables.len(), "table"),
        counted(disagreements, "disagreement")
    ));
    Ok(if disagreements == 0 { ExitStatus::Done } else { ExitStatus::Found })
}

/// Prints the files that were written, a line each.
fn print_paths(paths: &[PathBuf], output: &mut Output) -> Result<(), Failure> {
    let paths = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
    print_lines(paths.iter().map(String::as_str), output)
}

fn print_lines<'line>(lines: impl Iterator<Item = &'line str>, output: &mut Output) -> Result<(), Failure> {
    let mut text = String::new();
    for line in lines {
        let _ = writeln!(text, "{}", printable(line));
    }
    Ok(output.data(&text)?)
}

fn unusable(error: metadata::Error) -> Failure {
    Failure::new(Kind::Usage, error)
}
