//! `explore eval`: explores data whose truth is known, and reports what was found of it and what should not have been.

mod evaluation;

use std::path::PathBuf;

use anyhow::Context as _;

use self::evaluation::Evaluation;
use super::interrupts::Interrupts;
use crate::app::cli::eval::{EVAL_FORMATS, EvalArguments, EvalFormat};
use crate::app::config::{Config, ending};
use crate::app::error::{ExitStatus, Failure};
use crate::app::output::{Destination, Output};
use crate::sample::eval::report::{Report, compare, comparison_text};

pub(super) async fn run(
    arguments: &EvalArguments,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let format = ending::choose(arguments.output.as_deref(), arguments.format, &EVAL_FORMATS)?;
    let destination = Destination::prepare(arguments.output.as_deref())?;
    if let Some(paths) = &arguments.compare {
        let text = compared(paths, format)?;
        destination.deliver(&text, output)?;
        return Ok(ExitStatus::Done);
    }
    let talk = output.talk().clone();
    let evaluation = Evaluation::new(arguments, config, &talk)?;
    let mut interrupts = Interrupts::listen()?;
    let mut report = Report::new(String::new());
    let ended = tokio::select! {
        ended = evaluation.fill(&mut report, arguments) => ended.map(|()| ExitStatus::Done),
        () = interrupts.next() => Ok(ExitStatus::Interrupted),
    };
    let report = report.summed();
    if !report.is_empty() || ended.is_ok() {
        destination.deliver(&rendered(&report, format)?, output)?;
    }
    ended
}

fn rendered(report: &Report, format: EvalFormat) -> Result<String, Failure> {
    Ok(match format {
        EvalFormat::Terminal => report.text(),
        EvalFormat::Json => serde_json::to_string_pretty(report).context("cannot write the report")? + "\n",
    })
}

/// Compares two reports.
fn compared(paths: &[PathBuf], format: EvalFormat) -> Result<String, Failure> {
    let read = |path: &PathBuf| {
        let failed = |error: String| Failure::usage(format!("cannot read {}: {error}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        serde_json::from_str::<Report>(&text).map_err(|error| failed(error.to_string()))
    };
    let reports = paths.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let [first, second] = reports.as_slice() else { return Err(Failure::usage("--compare takes two reports")) };
    Ok(match format {
        EvalFormat::Terminal => comparison_text(first, second),
        EvalFormat::Json => {
            serde_json::to_string_pretty(&compare(first, second)).context("cannot write the comparison")? + "\n"
        }
    })
}
