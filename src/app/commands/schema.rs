//! `explore schema pull` and `explore schema check`: update the metadata files from the database, and compare the two.

use std::fmt::Write as _;

use super::open;
use crate::app::cli::SchemaCommand;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::Output;
use crate::semantic::drift;
use crate::semantic::metadata::{self, Metadata};
use crate::typeset::text::{counted, printable};
use crate::warehouse::catalog::{Catalog, Introspected};

pub(super) async fn run(command: &SchemaCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let database = open::database(config, output).await?;
    let introspected = database.introspect(&config.selection).await;
    database.close().await;
    let Introspected { catalog, warnings, left_out, code: _ } = introspected?;
    for warning in warnings {
        output.talk().warn(&warning);
    }
    match command {
        SchemaCommand::Pull { .. } => pull(&catalog, config, output),
        SchemaCommand::Check { .. } => check(&catalog, &left_out, config, output),
    }
}

fn pull(catalog: &Catalog, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let pulled = metadata::pull(catalog, &config.metadata).map_err(unusable)?;
    for note in &pulled.notes {
        output.talk().warn(note);
    }
    let mut lines = String::new();
    for path in &pulled.written {
        let _ = writeln!(lines, "{}", printable(&path.display().to_string()));
    }
    output.data(&lines)?;
    output.talk().note(&format!(
        "{} written, {} unchanged",
        counted(pulled.written.len(), "file"),
        counted(pulled.unchanged, "table")
    ));
    Ok(ExitStatus::Done)
}

fn check(
    catalog: &Catalog,
    left_out: &[(String, String)],
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let metadata = Metadata::read(&config.metadata).map_err(unusable)?.without(left_out, catalog);
    let drifts = drift::find(catalog, &metadata);
    let mut lines = String::new();
    for drift in &drifts {
        let _ = writeln!(lines, "{}", printable(&drift.to_string()));
    }
    output.data(&lines)?;
    let disagreements = drifts.iter().filter(|drift| drift.is_disagreement()).count();
    output.talk().note(&format!(
        "{}, {}",
        counted(catalog.tables.len(), "table"),
        counted(disagreements, "disagreement")
    ));
    Ok(if disagreements == 0 { ExitStatus::Done } else { ExitStatus::Found })
}

fn unusable(error: metadata::Error) -> Failure {
    Failure::new(Kind::Usage, error)
}
