//! `explore recheck`: runs the evidence of findings again.

use std::fmt::Write as _;
use std::sync::Arc;

use super::{memory, open};
use crate::agent::{journal, runs};
use crate::app::cli::RecheckArguments;
use crate::app::cli::values;
use crate::app::config::Config;
use crate::app::error::{ExitStatus, Failure, Kind};
use crate::app::output::Output;
use crate::app::progress::Waiting;
use crate::exploration::memory::Remembered;
use crate::exploration::recheck::{self, Ground, Outcome, Rechecked, Verdict};
use crate::semantic::{Joins, Opened};
use crate::typeset::text::printable;

/// What is checked.
enum What {
    Run(Box<journal::Run>),
    Remembered(Vec<Remembered>),
}

pub(super) async fn run(
    arguments: &RecheckArguments,
    config: &Config,
    output: &mut Output,
) -> Result<ExitStatus, Failure> {
    let named = (!arguments.all).then_some(arguments.what.as_str());
    let finding = named.filter(|what| what.starts_with(['M', 'm'])).and_then(|what| values::finding(what).ok());
    let of_run = match named.filter(|_| finding.is_none()) {
        Some(what) => Some(read(what, config, output)?),
        None => None,
    };
    let database = open::database(config, output).await?;
    let what = match of_run {
        Some(run) => What::Run(Box::new(run)),
        None => What::Remembered(remembered(finding, config, &database).await?),
    };
    let Opened { executor, catalog, .. } = open::read(config, database, Joins::Guessed).await?;
    let catalog = Arc::new(catalog);
    let waiting = Waiting::start(output.talk(), "running the evidence again");
    let mut rechecked = Vec::new();
    match &what {
        What::Run(run) => {
            let ground = Ground { executor: &executor, catalog: &catalog, as_of: run.as_of() };
            let was = recheck::workbook(run, ground).await;
            for finding in &run.findings {
                waiting.say(&format!("running the evidence of {} again", finding.id));
                rechecked.push(recheck::finding(finding, &was, ground).await);
            }
        }
        What::Remembered(findings) => {
            for known in findings {
                waiting.say(&format!("running the evidence of {} again", known.id()));
                let ground = Ground { executor: &executor, catalog: &catalog, as_of: known.last_day };
                let facts = recheck::basis_again(&known.basis, &[&known.told_lead], ground).await;
                rechecked.push(Rechecked { finding: known.id(), facts });
            }
        }
    }
    drop(waiting);
    executor.database.close().await;
    let text = if arguments.json {
        format!("{:#}\n", serde_json::json!({ "findings": rechecked }))
    } else {
        printable(&in_words(&rechecked)).into_owned()
    };
    if rechecked.is_empty() {
        output.talk().note("there is no finding to check");
    }
    output.data(&text)?;
    let has = |verdict| rechecked.iter().flat_map(|one| &one.facts).any(|fact| fact.verdict == verdict);
    Ok(match () {
        () if has(Verdict::Changed) => ExitStatus::Found,
        () if has(Verdict::CannotBeChecked) => ExitStatus::Incomplete,
        () => ExitStatus::Done,
    })
}

/// Returns whether this is how a report names a finding within a run, such as `F1`.
fn is_of_report(what: &str) -> bool {
    let number = what.strip_prefix(['F', 'f']).unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn read(what: &str, config: &Config, output: &Output) -> Result<journal::Run, Failure> {
    let unknown = |error: runs::Error| {
        let failure = Failure::new(Kind::Usage, error);
        if is_of_report(what) {
            failure.hint(
                "findings are named as they are remembered, such as M12 (the report and `explore findings list` say so); a run's id \
                 checks all that it found",
            )
        } else {
            failure
        }
    };
    let found = runs::find(&config.runs_dir, what).map_err(unknown)?;
    if let Some(remark) = &found.remark {
        output.talk().note(remark);
    }
    let run = journal::read(&found.journal).map_err(|error| Failure::new(Kind::Usage, error))?;
    if run.findings.is_empty() && !run.told.is_empty() {
        return Err(Failure::usage("the findings of this run are in words, which cannot be checked again"));
    }
    Ok(run)
}

/// Returns the findings that are remembered: one, or all that are open.
async fn remembered(
    finding: Option<i32>,
    config: &Config,
    database: &Arc<dyn crate::warehouse::Database>,
) -> Result<Vec<Remembered>, Failure> {
    let whose = memory::whose(config, database).await?;
    let whose =
        whose.ok_or_else(|| Failure::usage("nothing is remembered of this database; --memory NAME names a memory"))?;
    let state = memory::state_at_end(config).await?;
    let findings = match memory::opened(&state, &whose).await {
        Ok(memory) => memory.findings().await,
        Err(error) => Err(error),
    };
    state.close().await;
    let mut findings = findings?;
    findings.retain(|one| finding.map_or(one.is_open(), |number| one.number == number));
    match finding {
        Some(number) if findings.is_empty() => {
            Err(Failure::usage(format!("there is no finding M{number}"))
                .hint("`explore findings list --all` lists all"))
        }
        Some(_) | None => Ok(findings),
    }
}

fn in_words(rechecked: &[Rechecked]) -> String {
    let mut text = String::new();
    for Rechecked { finding, facts } in rechecked {
        for Outcome { sentence, verdict, now, why } in facts {
            let _ = match (verdict, now, why) {
                (Verdict::Holds, ..) => writeln!(text, "{finding}  holds    \u{25c6} {sentence}"),
                (Verdict::Changed, now, _) => writeln!(
                    text,
                    "{finding}  CHANGED  \u{25c6} {sentence}\n{:width$}now    \u{25c6} {}",
                    "",
                    now.as_deref().unwrap_or_default(),
                    width = finding.len() + 4
                ),
                (Verdict::CannotBeChecked, _, why) => writeln!(
                    text,
                    "{finding}  cannot be checked: {}\n{:width$}was    \u{25c6} {sentence}",
                    why.as_deref().unwrap_or_default(),
                    "",
                    width = finding.len() + 4
                ),
            };
        }
    }
    let count = |verdict| rechecked.iter().flat_map(|one| &one.facts).filter(|fact| fact.verdict == verdict).count();
    let _ = writeln!(
        text,
        "\n{} hold, {} changed, {} cannot be checked",
        count(Verdict::Holds),
        count(Verdict::Changed),
        count(Verdict::CannotBeChecked)
    );
    text
}
