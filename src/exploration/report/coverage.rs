//! Describes in words what a run looked at and what it did not, which is the first statement of a report.

use super::view::{self, LINE_CHARACTERS};
use crate::agent::journal::{Coverage, Gap, Run, StopReason, UNREAD};
use crate::typeset::text::{self, count, line};

/// The number of tables named per reason, at the head of a report and in its list of gaps.
const NAMED_AT_THE_HEAD: usize = 3;
const NAMED: usize = 20;
/// The number of reasons, at the head of a report and in its list of gaps.
const REASONS_AT_THE_HEAD: usize = 3;
const REASONS: usize = 12;
/// The number of guesses that are listed.
const GUESSES: usize = 12;
/// The number of failed queries that are listed.
const FAILURES: usize = 5;

/// Returns whether the run is complete, in one word.
pub(super) fn label(run: &Run) -> &'static str {
    if run.complete { "Complete." } else { "Incomplete." }
}

/// Returns why the run is not complete, what it looked at, and what it did not. Empty for a complete run whose journal
/// records no coverage.
pub(in crate::exploration) fn verdict(run: &Run) -> String {
    let mut sentences = Vec::new();
    if run.stop_reason != StopReason::Finished {
        sentences.push(view::outcome(run));
    }
    if let Some(coverage) = &run.coverage {
        sentences.extend(failed(coverage));
        sentences.extend(looked_at(coverage));
        let groups = not_looked_at(coverage, NAMED_AT_THE_HEAD, REASONS_AT_THE_HEAD);
        if !groups.is_empty() {
            sentences.push(format!("Not looked at: {}.", groups.join("; ")));
        }
        if run.stop_reason == StopReason::Finished && coverage.incomplete_because.contains(&Gap::TablesLeftOut) {
            sentences.push("--tables chooses what a run looks at.".to_owned());
        }
    }
    sentences.join(" ")
}

fn failed(coverage: &Coverage) -> Option<String> {
    let all = coverage.queries_failed_count + coverage.queries_answered;
    coverage
        .incomplete_because
        .contains(&Gap::QueriesFailed)
        .then(|| format!("{} of {} failed or were refused.", coverage.queries_failed_count, queries(all)))
}

/// Returns a sentence such as `It looked at 3 of 12 tables.`
fn looked_at(coverage: &Coverage) -> Option<String> {
    let tables = count(coverage.tables, "table", "tables");
    match (coverage.tables_looked_at_count, coverage.tables) {
        (_, 0) => None,
        (0, 1) => Some(format!("The only table there is {}.", not_looked(coverage)[0])),
        (0, _) => Some(format!("None of {tables} {}.", not_looked(coverage)[1])),
        (1, 1) => Some("It looked at the only table there is.".to_owned()),
        (looked_at, all) if looked_at == all => Some(format!("It looked at all of {tables}.")),
        (looked_at, _) => Some(format!("It looked at {} of {tables}.", text::group_digits(&looked_at.to_string()))),
    }
}

/// Returns why no table was looked at, as the end of a sentence about the only table and of one about none of several.
fn not_looked(coverage: &Coverage) -> [&'static str; 2] {
    let tables = &coverage.tables_not_looked_at;
    if tables.iter().any(|table| table.left_out) {
        ["was not looked at in full", "was looked at in full"]
    } else if tables.iter().all(|table| table.why == UNREAD) {
        ["was not looked at", "was looked at"]
    } else {
        ["could not be looked at", "could be looked at"]
    }
}

/// Returns the tables that were not looked at, by reason: `public.a, public.b and 7 more (no query read it)`.
fn not_looked_at(coverage: &Coverage, names_max: usize, reasons_max: usize) -> Vec<String> {
    let mut groups = Vec::<(&str, Vec<&str>)>::new();
    for table in &coverage.tables_not_looked_at {
        match groups.iter_mut().find(|(why, _)| *why == table.why) {
            Some((_, tables)) => tables.push(&table.table),
            None => groups.push((&table.why, vec![&table.table])),
        }
    }
    let told = groups.iter().take(reasons_max).map(|(_, tables)| tables.len()).sum::<usize>();
    let mut parts =
        groups.iter().take(reasons_max).map(|(why, tables)| group(why, tables, names_max)).collect::<Vec<_>>();
    let more = coverage.tables_not_looked_at_count.saturating_sub(told);
    if more > 0 {
        parts.push(if told == 0 {
            count(more, "table", "tables")
        } else {
            format!("{} more", text::group_digits(&more.to_string()))
        });
    }
    parts
}

fn group(why: &str, tables: &[&str], names_max: usize) -> String {
    let named = tables.iter().take(names_max).map(|table| line(table, LINE_CHARACTERS)).collect::<Vec<_>>().join(", ");
    let more = match tables.len().saturating_sub(names_max) {
        0 => String::new(),
        more => format!(" and {} more", text::group_digits(&more.to_string())),
    };
    format!("{named}{more} ({})", line(why, LINE_CHARACTERS))
}

/// Returns the tables that were not looked at, at greater length than [`verdict`].
pub(super) fn gaps(run: &Run) -> Vec<String> {
    run.coverage.as_ref().map_or_else(Vec::new, |coverage| not_looked_at(coverage, NAMED, REASONS))
}

/// Returns what was guessed about the tables that were looked at.
pub(super) fn guesses(run: &Run) -> Vec<String> {
    let unseen = run.coverage.iter().flat_map(|coverage| &coverage.tables_not_looked_at);
    let unseen = unseen.map(|table| table.table.as_str()).collect::<Vec<_>>();
    let guesses = run.started.iter().flat_map(|started| &started.guesses);
    let guesses = guesses.filter(|guess| !unseen.contains(&guess.table.as_str()));
    let mut lines = guesses.map(|guess| line(&guess.text, LINE_CHARACTERS)).collect::<Vec<_>>();
    let more = lines.len().saturating_sub(GUESSES);
    lines.truncate(GUESSES);
    lines.extend((more > 0).then(|| {
        format!("and {} more: `explore schema pull` writes them down", text::group_digits(&more.to_string()))
    }));
    lines
}

/// Returns the queries that failed, with their errors.
pub(super) fn failures(run: &Run) -> Vec<String> {
    let Some(coverage) = &run.coverage else { return Vec::new() };
    let name = |query: &Option<String>| query.as_deref().map_or_else(|| "refused".to_owned(), |query| line(query, 20));
    let told = coverage.queries_failed.iter().take(FAILURES);
    let mut failures = told
        .map(|failed| format!("{}: {}", name(&failed.query), line(&failed.why, LINE_CHARACTERS)))
        .collect::<Vec<_>>();
    let count = usize::try_from(coverage.queries_failed_count).unwrap_or(usize::MAX);
    if count > failures.len() {
        failures.push(format!("and {} more", count - failures.len()));
    }
    if coverage.queries_unanswered > 0 {
        failures.push(format!("{} dropped when the run ended", were(coverage.queries_unanswered)));
    }
    failures
}

fn were(count: u32) -> String {
    if count == 1 { "1 query was".to_owned() } else { format!("{} were", queries(count)) }
}

fn queries(number: u32) -> String {
    count(number as usize, "query", "queries")
}

/// Returns why there is nothing to report. It says that nothing stood out only if the run was complete and no draft was
/// refused.
pub(super) fn why_nothing(run: &Run) -> String {
    let queries = queries(run.totals.queries);
    let gaps = run.coverage.as_ref().map_or(&[][..], |coverage| &coverage.incomplete_because);
    let refused = match run.findings_refused {
        0 => String::new(),
        1 => " The only draft was sent back, because figures or rows did not check.".to_owned(),
        drafts => format!(" All {drafts} drafts were sent back, because figures or rows did not check."),
    };
    let reason = run.stop_reason;
    let why = if reason.is_limit() {
        format!("The run reached its limit after {queries}, before anything was recorded; this is no all-clear.")
    } else if reason != StopReason::Finished {
        format!("The run ended early, after {queries}; this says nothing about the data.")
    } else if gaps.contains(&Gap::NothingLookedAt) {
        let looked = run.coverage.as_ref().map_or("was looked at", |coverage| not_looked(coverage)[1]);
        format!("No table {looked}; this says nothing about the data.")
    } else if gaps.contains(&Gap::QueriesFailed) {
        "Nothing was recorded, but most of the queries gave nothing to look at; this is no all-clear.".to_owned()
    } else if gaps.contains(&Gap::TablesLeftOut) {
        let looked_at = run.coverage.as_ref().map_or(0, |coverage| coverage.tables_looked_at_count);
        let looked_at = count(looked_at, "table", "tables");
        format!(
            "After {queries} nothing was recorded of the {looked_at} looked at; of those left out nothing is known."
        )
    } else if run.findings_refused > 0 {
        format!("After {queries} nothing was recorded; this is no all-clear.")
    } else {
        format!("After {queries} nothing stood out that is worth acting on.")
    };
    format!("{why}{refused}")
}
