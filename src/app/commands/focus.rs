//! `explore focus list`: lists the areas that `--focus` accepts.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::agent::prompt::Library;
use crate::app::cli::FocusCommand;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::Output;
use crate::typeset::text::printable;

/// The name of an area that the user wrote on the command line.
const OWN: &str = "own_question";

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

/// Returns the prompts with the area to explore, and its name: one of the library, a file's text, or a text of the user's.
pub(super) fn chosen(config: &Config) -> Result<(Library, String), Failure> {
    let mut library = library(config)?;
    if let Some(text) = &config.focus_text {
        if text.trim().is_empty() {
            return Err(Failure::usage(
                "--focus-text is empty: write what to explore, such as \"Why did returns rise?\"",
            ));
        }
        library.add(OWN, text.clone());
        return Ok((library, OWN.to_owned()));
    }
    let path = Path::new(&config.focus);
    let is_area = library.areas().any(|area| area.name == config.focus);
    if is_area || !path.is_file() {
        return Ok((library, config.focus.clone()));
    }
    let text =
        fs::read_to_string(path).map_err(|error| Failure::usage(format!("cannot read {}: {error}", path.display())))?;
    let name = path.file_stem().map_or_else(|| OWN.to_owned(), |name| name.to_string_lossy().into_owned());
    library.add(&name, text);
    Ok((library, name))
}

/// Returns the built-in prompts, replaced and extended by the files in the directory of `--prompts`.
pub(super) fn library(config: &Config) -> Result<Library, Failure> {
    Ok(match &config.prompts {
        Some(directory) => Library::with_directory(directory)?,
        None => Library::default(),
    })
}
