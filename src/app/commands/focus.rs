//! `explore focus list` and `focus show`: the areas that `--focus` accepts, and what their files say.

use std::fmt::Write as _;

use crate::agent::prompt::Focus;
use crate::app::cli::FocusCommand;
use crate::app::config::Config;
use crate::app::config::focus::{self, Front};
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::Output;
use crate::typeset::text::{self, printable};

pub(super) fn run(command: &FocusCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let text = match command {
        FocusCommand::List { .. } => list(config)?,
        FocusCommand::Show { area, .. } => show(area, config)?,
    };
    output.data(&printable(&text))?;
    Ok(ExitStatus::Done)
}

/// Returns a line for each area, and one below it for what its file sets.
fn list(config: &Config) -> Result<String, Failure> {
    let library = config.library()?;
    let width = library.areas().map(|area| area.name.chars().count()).max().unwrap_or_default();
    let mut lines = String::new();
    for area in library.areas() {
        let front = focus::read(area)?;
        let _ = writeln!(lines, "{:<width$}  {}", area.name, area.summary);
        let set = keys(&front);
        if !set.is_empty() {
            let _ = writeln!(lines, "{:<width$}  sets {}", "", set.join(", "));
        }
    }
    Ok(lines)
}

fn show(wanted: &str, config: &Config) -> Result<String, Failure> {
    let (mut library, name) = config.find(wanted)?;
    let front = focus::read(library.focus(&name)?)?;
    library.aim(&name, front.aims.clone());
    let area = library.focus(&name)?;
    let mut text = format!("{name} ({})\n", place(area));
    for key in keys(&front) {
        let _ = writeln!(text, "{key}");
    }
    text.push_str("\nQuestions:\n");
    for question in area.questions() {
        let _ = writeln!(text, "{}. {}", question.number, question.text);
    }
    let _ = writeln!(text, "\nWhat a model is told:\n{}", area.told());
    Ok(text)
}

fn place(area: Focus<'_>) -> String {
    area.path.map_or_else(|| "built in".to_owned(), |path| path.display().to_string())
}

/// Returns the keys of the front matter with their values, but the number of its questions.
fn keys(front: &Front) -> Vec<String> {
    let questions = front.aims.questions.len();
    let measures = &front.aims.measures;
    let mut keys = Vec::new();
    keys.extend((questions > 0).then(|| text::counted(questions, "question")));
    keys.extend((!measures.is_empty()).then(|| format!("measures = {}", toml::Value::from(measures.clone()))));
    keys.extend(front.settings.iter().map(|setting| format!("{} = {}", setting.key, setting.toml())));
    keys
}
