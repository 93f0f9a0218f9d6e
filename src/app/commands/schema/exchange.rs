//! `explore schema import` and `export`: the metadata files from and for other tools. No database is needed.

use super::{print_paths, unusable};
use crate::app::cli::{ExportCommand, ImportCommand, ImportOptions};
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::Output;
use crate::semantic::exchange::{Imported, dbt, merge, ossie};
use crate::semantic::metadata::Metadata;
use crate::typeset::text::counted;

pub(super) fn import(command: &ImportCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let (imported, options) = match command {
        ImportCommand::Dbt { manifest, options } => (dbt::import(manifest), options),
        ImportCommand::Ossie { file, options } => (ossie::import(file), options),
    };
    let imported = imported.map_err(|error| Failure::new(Kind::Usage, error))?;
    write(&imported, options, config, output)
}

fn write(
    imported: &Imported,
    options: &ImportOptions,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let merged = merge(&imported.tables, &config.metadata, options.replace).map_err(unusable)?;
    print_paths(&merged.written, output)?;
    for lost in imported.lost.iter().chain(&merged.lost) {
        output.talk().note(&format!("not taken: {lost}"));
    }
    for conflict in &merged.conflicts {
        output.talk().warn(conflict);
    }
    output.talk().note(&format!(
        "{} read: {} written, {} unchanged; {} not taken, {}",
        counted(imported.tables.len(), "table"),
        counted(merged.written.len(), "file"),
        merged.unchanged,
        counted(imported.lost.len() + merged.lost.len(), "thing"),
        counted(merged.conflicts.len(), "conflict"),
    ));
    if !merged.conflicts.is_empty() && !options.replace {
        output.talk().note("--replace takes what is imported instead");
    }
    Ok(ExitStatus::Done)
}

pub(super) fn export(command: &ExportCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let ExportCommand::Ossie { file, .. } = command;
    let metadata = Metadata::read(&config.metadata).map_err(unusable)?;
    let exported = ossie::export(metadata, ossie::Format::of(file)).map_err(Failure::usage)?;
    let problem = |error| Failure::usage(format!("{}: cannot be written: {error}", file.display()));
    exported.write(file).map_err(problem)?;
    print_paths(std::slice::from_ref(file), output)?;
    for lost in &exported.lost {
        output.talk().note(&format!("left out: {lost}"));
    }
    output.talk().note(&format!("{} written", counted(exported.tables, "table")));
    Ok(ExitStatus::Done)
}
