//! `explore sample generate`: a larger set of the sample's shape.

use anyhow::Context as _;

use crate::cli::{SampleArguments, SampleCommand};
use crate::error::{ExitStatus, Failure};
use crate::output::{Destination, Output, counted};
use crate::sample::{self, Options};

pub(super) fn run(command: &SampleCommand, output: &mut Output) -> Result<ExitStatus, Failure> {
    let SampleCommand::Generate(arguments) = command;
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
