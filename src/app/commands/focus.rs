//! `explore focus list`: lists the areas that `--focus` accepts.

use std::fmt::Write as _;

use crate::agent::prompt::Library;
use crate::app::cli::FocusCommand;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::Output;
use crate::typeset::text::printable;

pub(super) fn run(command: &FocusCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let FocusCommand::List { .. } = command;
    let library = library(config)?;
    let width = library.areas().map(|area| area.name.chars().count()).max().unwrap_or_default();
    let mut lines = String::new();
    for area in library.areas() {
        let _ = writeln!(lines, "{:<width$}  {}", printable(area.name), printable(area.summary));
    }
    output.data(&lines)?;
    Ok(ExitStatus::Done)
}

/// Returns the built-in prompts, replaced and extended by the files in the directory of `--prompts`.
pub(super) fn library(config: &Config) -> Result<Library, Failure> {
    Ok(match &config.prompts {
        Some(directory) => Library::with_directory(directory)?,
        None => Library::default(),
    })
}
