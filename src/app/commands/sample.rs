//! `explore sample`: generates a larger set of sample data with planted signals, and scores a run on it.

use std::path::Path;

use anyhow::Context as _;

use crate::agent::{journal, runs};
use crate::app::cli::{SampleArguments, SampleCommand};
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::{Destination, Output};
use crate::sample::{self, Options, Planted};
use crate::typeset::text::counted;

pub(super) fn run(command: &SampleCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    match command {
        SampleCommand::Generate(arguments) => generate(arguments, output),
        SampleCommand::Score { planted, id, .. } => score(planted, id, config, output),
    }
}

fn score(planted: &Path, id: &str, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let unreadable = |problem: String| Failure::usage(format!("cannot read {}: {problem}", planted.display()));
    let text = std::fs::read_to_string(planted).map_err(|error| unreadable(error.to_string()))?;
    let planted: Vec<Planted> = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
    let found = runs::find(&config.runs_dir, id).map_err(|error| Failure::new(Kind::Usage, error))?;
    if let Some(remark) = &found.remark {
        output.talk().note(remark);
    }
    let run = journal::read(&found.journal).map_err(|error| Failure::new(Kind::Usage, error))?;
    output.data(&format!("{}\n", sample::score(&planted, &run.findings, &run.results)))?;
    Ok(ExitStatus::Done)
}

fn generate(arguments: &SampleArguments, output: &mut Output) -> Result<ExitStatus, Failure> {
    let SampleArguments { seed, customers, months, until, .. } = *arguments;
    let destination = Destination::prepare(arguments.sql.as_deref())?;
    let list = arguments.planted.as_deref().map(|path| Destination::prepare(Some(path))).transpose()?;

    let dataset = sample::generate(Options { seed, customers, months, as_of: until });
    let mut sql = Vec::new();
    dataset.write_sql(&mut sql)?;
    destination.deliver(&String::from_utf8_lossy(&sql), output)?;
    let planted = dataset.planted();
    if let Some(list) = list {
        let json = serde_json::to_string_pretty(planted).context("cannot write the list of what is planted")?;
        list.deliver(&(json + "\n"), output)?;
    }
    output.talk().note(&format!("{}, {} planted", counted(dataset.rows(), "row"), counted(planted.len(), "signal")));
    Ok(ExitStatus::Done)
}
