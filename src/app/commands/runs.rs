//! `explore runs list` and `explore runs show`: lists earlier runs, and reports one of them again. `costs` is a file of its
//! own.

mod diff;
mod prune;

use std::fmt::Write as _;

use serde_json::json;

use super::{costs, memory, report};
use crate::agent::journal::{self, StopReason};
use crate::agent::runs::{self, Entry, Summary};
use crate::app::cli::RunsCommand;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::{Destination, Output};
use crate::finding::Severity;
use crate::typeset::text::printable;

pub(super) async fn run(command: &RunsCommand, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    match command {
        RunsCommand::List { json, .. } => list(*json, config, output),
        RunsCommand::Show { sent: true, arguments } => show_sent(&arguments.id, config, output),
        RunsCommand::Show { sent: false, arguments } => show(&arguments.id, config, output),
        RunsCommand::Diff { first, second, json, .. } => diff::run((first, second), *json, config, output),
        RunsCommand::Costs { by, json, accepted, .. } => {
            let accepted = if *accepted { Some(memory::accepted(config).await?) } else { None };
            costs::run(*by, *json, accepted.as_ref(), config, output)
        }
        RunsCommand::Prune { retain, dry_run, .. } => prune::run(*retain, *dry_run, config, output).await,
    }
}

fn list(as_json: bool, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let entries = runs::list(&config.runs_dir).map_err(|error| Failure::new(Kind::Usage, error))?;
    if entries.is_empty() {
        output.talk().note(&format!("no run in {}", config.runs_dir.display()));
    }
    let text = if as_json {
        format!("{:#}\n", entries.iter().map(json).collect::<serde_json::Value>())
    } else {
        entries.iter().fold(String::new(), |mut lines, entry| {
            let _ = writeln!(lines, "{}", printable(&line(entry)));
            lines
        })
    };
    output.data(&text)?;
    Ok(ExitStatus::Done)
}

/// Prints the body of each request to a model, one on each line: JSON has no line breaks of its own.
fn show_sent(id: &str, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let found = runs::find(&config.runs_dir, id).map_err(|error| Failure::new(Kind::Usage, error))?;
    if let Some(remark) = &found.remark {
        output.talk().note(remark);
    }
    let destination = Destination::prepare(config.output.as_deref())?;
    let (bodies, lost) = journal::bodies(&found.journal).map_err(|error| Failure::new(Kind::Usage, error))?;
    if lost > 0 {
        output.talk().warn(&format!("{lost} requests cannot be shown, because the journal is damaged"));
    }
    if bodies.is_empty() {
        output
            .talk()
            .note("nothing was sent to a model, or a version recorded the run that did not keep what was sent");
    }
    let text = bodies.iter().fold(String::new(), |text, body| text + body + "\n");
    destination.deliver(&text, output)?;
    Ok(ExitStatus::Done)
}

/// Renders the report of a run from its journal.
pub(super) fn show(id: &str, config: &Config, output: &mut Output) -> Result<ExitStatus, Failure> {
    let found = runs::find(&config.runs_dir, id).map_err(|error| Failure::new(Kind::Usage, error))?;
    if let Some(remark) = &found.remark {
        output.talk().note(remark);
    }
    config.check_format()?;
    let destination = Destination::prepare(config.output.as_deref())?;
    let run = report::deliver(&found.journal, None, destination, config, output)?;
    Ok(report::status(&run, config))
}

fn line(entry: &Entry) -> String {
    match &entry.summary {
        Ok(summary) => {
            let damaged = match summary.damaged_lines {
                0 => String::new(),
                count => format!("  ({count} damaged lines)"),
            };
            let unfinished = if summary.stop_reason == StopReason::Unfinished {
                "  (killed, or still running)"
            } else if summary.complete {
                ""
            } else {
                "  (incomplete)"
            };
            let reason = summary.stop_reason.to_string();
            format!("{}  {reason:<15}  {}{unfinished}{damaged}", entry.id, findings(summary))
        }
        Err(problem) => format!("{}  {problem}", entry.id),
    }
}

/// Formats the counts of findings: `1 critical, 2 high`.
fn findings(summary: &Summary) -> String {
    let counts = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low].map(|severity| {
        let count = summary.findings.iter().filter(|found| **found == severity).count();
        (count > 0).then(|| format!("{count} {}", name(severity)))
    });
    let counts = counts.into_iter().flatten().collect::<Vec<_>>();
    if counts.is_empty() { "no findings".to_owned() } else { counts.join(", ") }
}

fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

fn json(entry: &Entry) -> serde_json::Value {
    match &entry.summary {
        Ok(summary) => json!({
            "run_id": entry.id,
            "journal": entry.journal,
            "started_at": summary.started_at,
            "focus": summary.focus,
            "model": summary.model,
            "stop_reason": summary.stop_reason,
            "complete": summary.complete,
            "findings": summary.findings,
            "damaged_lines": summary.damaged_lines,
        }),
        Err(problem) => json!({ "run_id": entry.id, "journal": entry.journal, "problem": problem }),
    }
}
