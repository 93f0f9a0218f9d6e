//! `explore doctor`: runs all checks and prints their results, with the statements for a read-only role if needed.

use std::sync::Arc;
use std::time::Instant;

use secrecy::ExposeSecret as _;
use serde_json::json;

use super::interrupts::Interrupts;
use super::open;
use crate::app::cli::{DoctorArguments, DoctorFormat};
use crate::app::config::choice::Source;
use crate::app::config::{Config, mask};
use crate::app::doctor::attack::{self, Outcome};
use crate::app::doctor::{self, Check, Status, grants};
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::Output;
use crate::app::progress::Waiting;
use crate::exploration::{Player, PricedOptions};
use crate::semantic::{Joins, Opened, drift};
use crate::typeset::text::counted;
use crate::warehouse::catalog::Catalog;
use crate::warehouse::executor::Executor;
use crate::warehouse::{Database, Server};

/// The results of all checks.
#[derive(Default)]
struct Examination {
    checks: Vec<Check>,
    /// The statements that create a read-only role; `None` if the session has one and it may read tables.
    grants: Option<String>,
    /// The results of the attack list; `None` if it was not run.
    outcomes: Option<Vec<Outcome>>,
}

pub(super) async fn run(
    arguments: &DoctorArguments,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let mut interrupts = Interrupts::listen()?;
    let waiting = Waiting::start(output.talk(), "opening the database");
    let started = Instant::now();
    let opened = tokio::select! {
        opened = open::ungraded_database(config, output) => opened,
        () = interrupts.next() => return Ok(ExitStatus::Interrupted),
    };
    if arguments.grants {
        let database = opened?;
        let script = grants::script(&doctor::ground(&*database, &config.selection.schemas, None).await?);
        database.close().await;
        drop(waiting);
        output.data(&script)?;
        return Ok(ExitStatus::Done);
    }
    let (connection, database) = match opened {
        Ok(database) => (doctor::connected(database.server(), address(config), started.elapsed()), Some(database)),
        Err(failure) => (doctor::unreachable(&failure), None),
    };
    let mut examination = Examination { checks: vec![connection], ..Examination::default() };
    let examined = tokio::select! {
        () = examine(database.clone(), arguments.attack, config, &waiting, &mut examination) => true,
        () = interrupts.next() => false,
    };
    if let Some(database) = database {
        tokio::select! {
            () = database.close() => {}
            () = interrupts.next() => {}
        }
    }
    drop(waiting);
    if examined { report(&examination, arguments.doctor_format, output) } else { Ok(ExitStatus::Interrupted) }
}

/// Returns the URL of the server without the password; `None` if the database is not a server.
fn address(config: &Config) -> Option<String> {
    match config.source() {
        Ok((Source::Server(url), _)) => Some(mask::secret(url.expose_secret())),
        _ => None,
    }
}

async fn examine(
    database: Option<Arc<dyn Database>>,
    attack: bool,
    config: &Config,
    waiting: &Waiting,
    examination: &mut Examination,
) {
    if let Some(database) = database {
        waiting.say("looking at the database");
        examination.checks.extend(doctor::check_database(&*database, config.allow_writable_role).await);
        examination.checks.extend(files(config, database.server()));
        examine_content(database, attack, config, waiting, examination).await;
    }
    waiting.say("asking the model");
    examination.checks.extend(model(config).await);
    examination.checks.push(doctor::check_runs_directory(&config.runs_dir));
}

/// Returns the check of how the files were read, with all notes on them; `None` if no files are explored.
fn files(config: &Config, server: &Server) -> Option<Check> {
    let Ok((Source::Files(_), _)) = config.source() else { return None };
    Some(match server.warnings.as_slice() {
        [] => Check::ok("files", "every value was read as its column's type"),
        notes => Check::warning("files", notes.join("; "), "change the files where this is not what they mean"),
    })
}

/// Checks the catalog and the metadata as a run would read them, and runs the attack list if `attack` is set.
async fn examine_content(
    database: Arc<dyn Database>,
    attack: bool,
    config: &Config,
    waiting: &Waiting,
    examination: &mut Examination,
) {
    let read = async {
        let Opened { executor, catalog, warnings } = open::read(config, Arc::clone(&database), Joins::Guessed).await?;
        let disagreements = disagreements(config, &catalog, &executor.left_out)?;
        Ok((executor, catalog, warnings, disagreements))
    };
    let (executor, catalog, mut warnings, disagreements) = match read.await {
        Ok(read) => read,
        Err(failure) => {
            examination.checks.push(unreadable(&failure));
            return;
        }
    };
    warnings.retain(|warning| !disagreements.contains(warning));
    examination.checks.extend(doctor::check_catalog(&catalog, database.server(), &warnings));
    examination.checks.extend(doctor::check_privacy(&catalog, config.privacy));
    examination.checks.push(metadata(&disagreements));
    let server = database.server();
    if !server.is_embedded() && (!server.grade.is_good() || catalog.tables.is_empty()) {
        let ground = doctor::ground(&*database, &config.selection.schemas, Some(&catalog)).await;
        examination.grants = ground.ok().map(|ground| grants::script(&ground));
    }
    if attack && server.is_embedded() {
        examination.checks.push(attack::not_fired());
    } else if attack {
        let outcomes = fire(&executor, waiting).await;
        examination.checks.push(attack::verdict(&outcomes));
        examination.outcomes = Some(outcomes);
    }
}

/// Returns the check for a catalog or metadata that cannot be read.
fn unreadable(failure: &Failure) -> Check {
    let (name, remedy) = match failure.kind() {
        Kind::Usage => ("metadata", "correct the file that it names; tables and attacks were not checked"),
        _ => ("catalog", "check the server's log; tables and attacks were not checked"),
    };
    Check::failed(name, failure.kind(), failure.to_string(), remedy)
}

/// Runs the attack list. Stops early if the connection is lost.
async fn fire(executor: &Executor, waiting: &Waiting) -> Vec<Outcome> {
    let attacks = attack::attacks();
    let policy = executor.policy();
    let mut outcomes = Vec::with_capacity(attacks.len());
    for attack in &attacks {
        waiting.say(&format!("attack {} of {}", outcomes.len() + 1, attacks.len()));
        let outcome = attack::fire(attack, &policy, &*executor.database).await;
        let is_lost = outcome.layer == attack::Layer::Lost;
        outcomes.push(outcome);
        if is_lost {
            break;
        }
    }
    outcomes
}

/// Returns the disagreements between the metadata and the database.
fn disagreements(config: &Config, catalog: &Catalog, left_out: &[(String, String)]) -> Result<Vec<String>, Failure> {
    let drifts = drift::find(catalog, &open::metadata(config)?.without(left_out, catalog));
    Ok(drifts.iter().filter(|drift| drift.is_disagreement()).map(ToString::to_string).collect())
}

fn metadata(disagreements: &[String]) -> Check {
    match disagreements.first() {
        None => Check::ok("metadata", "the metadata agrees with the database"),
        Some(first) => Check::warning(
            "metadata",
            format!("{} with the database; the first: {first}", counted(disagreements.len(), "disagreement")),
            "`explore schema check` lists all of them, `explore schema pull` corrects what it can",
        ),
    }
}

async fn model(config: &Config) -> Vec<Check> {
    match config.player() {
        Ok(Player::Offline) => vec![doctor::check_offline()],
        Ok(Player::Models(first, others)) => {
            let mut checks = Vec::new();
            for PricedOptions { options, price } in [*first].into_iter().chain(others) {
                checks.extend(doctor::check_model(&options, price).await);
            }
            checks
        }
        Err(failure) => {
            let remedy = failure.advice().unwrap_or("see `explore --help`").to_owned();
            vec![Check::failed("model", failure.kind(), failure.to_string(), remedy)]
        }
    }
}

fn report(examination: &Examination, format: DoctorFormat, output: &mut Output) -> Result<ExitStatus, Failure> {
    let Examination { checks, grants, outcomes } = examination;
    let text = match format {
        DoctorFormat::Terminal => terminal(examination, output),
        DoctorFormat::Json => {
            let status = checks.iter().map(|check| check.status).max();
            let document = json!({ "status": status, "checks": checks, "grants": grants, "attacks": outcomes });
            format!("{document:#}\n")
        }
    };
    output.data(&text)?;
    match doctor::worst(checks) {
        None => Ok(ExitStatus::Done),
        Some(kind) => {
            let count = checks.iter().filter(|check| check.status == Status::Failed).count();
            Err(Failure::new(kind, anyhow::Error::msg(format!("{} failed", counted(count, "check")))))
        }
    }
}

fn terminal(examination: &Examination, output: &Output) -> String {
    let mut text = doctor::lines(&examination.checks, output.terminal_columns(), output.color());
    if let Some(outcomes) = &examination.outcomes {
        text.push_str("\nOf the attacks,\n");
        text.push_str(&attack::summary(outcomes));
    }
    if let Some(grants) = &examination.grants {
        text.push_str(
            "\n-- The statements that create a read-only role (`explore doctor --grants` prints only them):\n",
        );
        text.push_str(grants);
    }
    text
}
