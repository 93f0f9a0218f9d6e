//! `explore doctor`: is everything there that a run needs, and is it safe?

use std::sync::Arc;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::interrupts::Interrupts;
use super::open;
use crate::catalog::{Catalog, drift};
use crate::cli::{DoctorArguments, DoctorFormat};
use crate::config::Config;
use crate::config::choice::Player;
use crate::doctor::attack::{self, Outcome};
use crate::doctor::{self, Check, Status, grants};
use crate::error::{ExitStatus, Failure, Kind};
use crate::executor::Executor;
use crate::output::Output;
use crate::progress::Waiting;

/// What was found out.
#[derive(Default)]
struct Examination {
    checks: Vec<Check>,
    grants: Option<String>,
    outcomes: Option<Vec<Outcome>>,
}

pub(super) async fn run(
    arguments: &DoctorArguments,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let mut interrupts = Interrupts::listen()?;
    let examination = tokio::select! {
        examination = examine(arguments, config, output) => examination,
        () = interrupts.next() => return Ok(ExitStatus::Interrupted),
    };
    let text = match arguments.doctor_format {
        DoctorFormat::Terminal => terminal(&examination, output.color()),
        DoctorFormat::Json => format!(
            "{:#}\n",
            json!({
                "checks": examination.checks,
                "grants": examination.grants,
                "attacks": examination.outcomes,
            })
        ),
    };
    output.data(&text)?;
    match doctor::worst(&examination.checks) {
        None => Ok(ExitStatus::Done),
        Some(kind) => {
            let count = examination.checks.iter().filter(|check| check.status == Status::Failed).count();
            let noun = if count == 1 { "check" } else { "checks" };
            Err(Failure::new(kind, anyhow::Error::msg(format!("{count} {noun} failed"))))
        }
    }
}

async fn examine(arguments: &DoctorArguments, config: &Config, output: &Output) -> Examination {
    let mut examination = Examination::default();
    let waiting = Waiting::start(output.talk(), "opening the database");
    let started = Instant::now();
    let opened = async {
        let database = open::ungraded_database(config, output).await?;
        open::executor(config, database).await
    };
    match opened.await {
        Err(failure) => examination.checks.push(doctor::unreachable(&failure)),
        Ok((executor, catalog, warnings)) => {
            let elapsed = started.elapsed();
            waiting.say("looking at the database");
            examination.checks = doctor::check_database(&executor, &catalog, &warnings, elapsed).await;
            examination.checks.extend(metadata(config, &catalog));
            let server = executor.database.server();
            if arguments.grants || (server.engine == "PostgreSQL" && !server.grade.is_good()) {
                examination.grants = Some(grants::script(&doctor::ground(&executor, &catalog).await));
            }
            if arguments.attack {
                attack(&executor, &mut examination, output).await;
            }
            executor.database.close().await;
        }
    }
    waiting.say("asking the model");
    examination.checks.extend(model(config).await);
    examination.checks.push(runs_directory(config));
    examination
}

async fn attack(executor: &Executor, examination: &mut Examination, output: &Output) {
    let attacks = attack::attacks();
    let style = ProgressStyle::with_template("{spinner} {pos} of {len} attacks")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = output.talk().bars().add(ProgressBar::new(attacks.len() as u64).with_style(style));
    let (policy, database) = (executor.policy(), Arc::clone(&executor.database));
    let mut outcomes = Vec::with_capacity(attacks.len());
    for attack in &attacks {
        outcomes.push(attack::fire(attack, &policy, &*database).await);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let escaped = outcomes.iter().filter(|outcome| outcome.escaped).map(|outcome| outcome.id.to_string());
    let escaped = escaped.collect::<Vec<_>>();
    examination.checks.push(if escaped.is_empty() {
        Check::ok("attack", format!("none of {} strings did what it should not", outcomes.len()))
    } else {
        let ids = escaped.join(", ");
        Check::failed("attack", Kind::Database, format!("strings ran that should not: {ids}"), "report it, please")
    });
    examination.outcomes = Some(outcomes);
}

fn metadata(config: &Config, catalog: &Catalog) -> Option<Check> {
    let metadata = match open::metadata(config) {
        Ok(metadata) => metadata,
        Err(failure) => {
            return Some(Check::failed("metadata", Kind::Usage, failure.to_string(), "mend the file that it names"));
        }
    };
    let drifts = drift::find(catalog, &metadata);
    let disagreements = drifts.iter().filter(|drift| drift.is_disagreement()).collect::<Vec<_>>();
    Some(match disagreements.first() {
        None => Check::ok("metadata", "what people wrote agrees with the database"),
        Some(first) => Check::warning(
            "metadata",
            format!("{} disagreements with the database, the first: {first}", disagreements.len()),
            "`explore schema check` names all of them, `explore schema pull` mends what it can",
        ),
    })
}

async fn model(config: &Config) -> Vec<Check> {
    match config.player() {
        Ok(Player::Offline) => vec![doctor::check_offline()],
        Ok(Player::Model(options)) => doctor::check_model(&options, config.price(&options.model)).await,
        Err(failure) => {
            let remedy = failure.advice().unwrap_or("see `explore --help`").to_owned();
            vec![Check::failed("model", failure.kind(), failure.to_string(), remedy)]
        }
    }
}

/// Whether a journal can be written.
fn runs_directory(config: &Config) -> Check {
    let directory = &config.runs.runs_dir;
    let shown = directory.display();
    // A directory that is not there yet is made by the first run, in the nearest one that is.
    let existing = directory.ancestors().find(|path| path.is_dir()).filter(|path| !path.as_os_str().is_empty());
    match tempfile::tempfile_in(existing.unwrap_or_else(|| ".".as_ref())) {
        Ok(_) => Check::ok("runs", format!("journals can be written to {shown}")),
        Err(error) => Check::failed(
            "runs",
            Kind::Usage,
            format!("journals cannot be written to {shown}: {error}"),
            "give --runs-dir a directory that can be written to",
        ),
    }
}

fn terminal(examination: &Examination, color: bool) -> String {
    let mut text = doctor::lines(&examination.checks, color);
    if let Some(outcomes) = &examination.outcomes {
        text.push_str("\nOf the attacks,\n");
        text.push_str(&attack::summary(outcomes));
    }
    if let Some(grants) = &examination.grants {
        text.push_str("\n-- The statements that make a role which may only read:\n");
        text.push_str(grants);
    }
    text
}
