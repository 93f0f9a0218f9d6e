//! `explore monitor generate`: generates days of data for the monitors that come with the program.

use anyhow::Context as _;

use crate::app::cli::monitor::MonitorGenerateArguments;
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::{Destination, Output};
use crate::sample::days::{self, Options};
use crate::typeset::text::counted;

pub(super) fn run(arguments: &MonitorGenerateArguments, output: &mut Output) -> Result<ExitStatus, Failure> {
    let MonitorGenerateArguments { seed, days, until, ref inject, .. } = *arguments;
    let destination = Destination::prepare(arguments.sql.as_deref())?;
    let list = arguments.truth.as_deref().map(|path| Destination::prepare(Some(path))).transpose()?;

    let options = Options { seed, days, until, injections: inject.clone() };
    let dataset = days::generate(&options);
    let mut sql = Vec::new();
    dataset.write_sql(&mut sql)?;
    destination.deliver(&String::from_utf8_lossy(&sql), output)?;
    if let Some(list) = list {
        let lines = days::truths(&options).iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>();
        let lines = lines.context("cannot write what was injected")?;
        list.deliver(&(lines.join("\n") + "\n"), output)?;
    }
    let injected = counted(inject.len(), "injection");
    output.talk().note(&format!("{} of {}, {injected}", counted(dataset.rows(), "row"), counted(days as usize, "day")));
    Ok(ExitStatus::Done)
}
