//! Renders the report as JSON for programs. Cells and texts are unchanged, and bounded only where the run bounded them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use super::{remembered, stated, view};
use crate::agent::journal::{Answered, Companion, Coverage, ModelPart, Run, StopReason, Totals};
use crate::agent::robustness::Shuffled;
use crate::finding::document::{FactFinding, FindingDocument, finding_document};
use crate::finding::lifecycle::Remembrance;
use crate::finding::record::Finding;
use crate::semantic::Guess;
use crate::typeset::text::escaped;

/// The version of [`Document`]. It is raised when a field changes its meaning or is removed, not when one is added.
pub const SCHEMA_VERSION: u32 = 2;

/// The report of an exploration.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "Report of explore")]
pub struct Document {
    /// The version of this document's schema.
    pub schema_version: u32,
    /// The run's id.
    pub run_id: String,
    /// The focus area; null where the journal lost it.
    pub focus: Option<String>,
    /// The day that the run took for today, `YYYY-MM-DD`.
    #[schemars(with = "Option<String>")]
    pub as_of: Option<Date>,
    /// When it started.
    #[schemars(with = "Option<String>")]
    pub started_at: Option<Timestamp>,
    /// The model's name; of several, their names.
    pub model: Option<String>,
    /// The version of the program.
    pub version: Option<String>,
    /// The database.
    pub database: Option<Database>,
    /// Whether it saw what it set out to see. Where it did not, that there are no findings says nothing about the data.
    pub complete: bool,
    /// What it looked at, what it did not, and why it is not complete; null where the journal is of an older program.
    pub coverage: Option<Coverage>,
    /// Why it ended; everything but `finished` means that it saw less than it wanted.
    pub stop_reason: StopReason,
    /// What a reader should know beyond the reason.
    pub stop_detail: Option<String>,
    /// What it used. Null is unknown, not nothing.
    pub usage: Totals,
    /// What each model did and used, where several were named.
    pub models: Vec<ModelPart>,
    /// The answers to the questions of the focus.
    pub answers: Vec<Answered>,
    /// The findings, those of facts before those in words, the gravest first; one that belongs to another follows it.
    pub findings: Vec<Reported>,
    /// How many findings of the run are silenced, as people said, and so not among `findings`.
    pub findings_silenced: usize,
    /// The engine's own queries on which facts rest.
    pub companions: Vec<Companion>,
    /// How many claims of the model were refused.
    pub claims_refused: u32,
    /// How many findings of the model were sent back because they did not check.
    pub findings_refused: u32,
    /// How many queries were refused or failed.
    pub queries_failed: u32,
    /// What was looked at without a finding.
    pub looked_at: Vec<String>,
    /// How each finding stands beside those of earlier runs; missing where nothing was remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remembrance: Option<Remembrance>,
    /// What instruments found in shuffled data, with --robustness all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shuffled: Option<Shuffled>,
    /// What was guessed about the tables, and nobody approved.
    pub guesses: Vec<Guess>,
    /// What the reader should know of the connection and the run.
    pub warnings: Vec<String>,
    /// Where the run's journal is.
    pub journal: String,
}

/// A finding, by how it was recorded.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "recorded_as", rename_all = "snake_case")]
pub enum Reported {
    /// It consists of facts, which the engine worded.
    Facts(Box<FactFinding>),
    /// It is in words, which were checked.
    Words(Box<FindingDocument>),
}

/// The database of an exploration.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Database {
    /// `PostgreSQL` or `embedded PostgreSQL`.
    pub engine: String,
    /// Such as `15.18`.
    pub version: String,
    /// Its name.
    pub name: String,
    /// The role that the session ran as.
    pub role: String,
    /// Whether it could have written, which was allowed by `--allow-writable-role`.
    pub role_may_write: bool,
}

/// Returns the JSON Schema of [`Document`].
pub fn schema() -> Schema {
    schema_for!(Document)
}

/// Renders a run. Characters that control a terminal or reorder text are written as `\u` escapes, so nothing is lost.
pub fn render(run: &Run) -> serde_json::Result<String> {
    Ok(escaped(&serde_json::to_string_pretty(&document(run))?))
}

fn of_facts(run: &Run) -> impl Iterator<Item = Reported> {
    stated::findings(run).into_iter().map(|stated| {
        let mut document = FactFinding::of(&run.results, stated.finding);
        document.finding.severity = remembered::severity(run, stated.finding);
        Reported::Facts(Box::new(FactFinding { related: stated.related, ..document }))
    })
}

fn in_words(run: &Run) -> impl Iterator<Item = Reported> {
    let findings = view::ordered(&run.told).into_iter();
    findings.map(|finding| Reported::Words(Box::new(finding_document(&run.results, finding))))
}

/// Returns the engine's queries that a finding, its chart or an answer rests on.
fn companions(run: &Run) -> Vec<Companion> {
    let facts = run.findings.iter().flat_map(Finding::all_facts);
    let facts = facts.chain(run.answers.iter().flat_map(|answer| &answer.facts));
    let pictures = run.findings.iter().filter_map(|finding| finding.picture.as_ref());
    let pictures = pictures.flat_map(|picture| &picture.companions);
    let used = facts.flat_map(|fact| &fact.companions).chain(pictures).collect::<BTreeSet<_>>();
    run.companions.iter().filter(|companion| used.contains(&companion.id)).cloned().collect()
}

/// Returns the report of a run as a value.
pub fn document(run: &Run) -> Document {
    let started = run.started.as_ref();
    Document {
        schema_version: SCHEMA_VERSION,
        run_id: run.run_id.clone(),
        focus: started.map(|started| started.focus.clone()),
        as_of: started.map(|started| started.as_of),
        started_at: run.started_at,
        model: started.map(|started| started.model.clone()),
        version: started.map(|started| started.version.clone()),
        database: started.map(|started| Database {
            engine: started.server.engine.clone(),
            version: started.server.version.clone(),
            name: started.server.database.clone(),
            role: started.server.role.clone(),
            role_may_write: started.server.grade.may_write(),
        }),
        complete: run.complete,
        coverage: run.coverage.clone(),
        stop_reason: run.stop_reason,
        stop_detail: run.stop_detail.clone(),
        usage: run.totals,
        models: run.models.clone(),
        answers: stated::answered(run),
        findings: of_facts(run).chain(in_words(run)).collect(),
        findings_silenced: remembered::silenced(run),
        companions: companions(run),
        claims_refused: run.claims_refused,
        findings_refused: run.findings_refused,
        queries_failed: run.queries_failed,
        looked_at: run.looked_at.clone(),
        remembrance: run.remembrance.clone(),
        shuffled: run.shuffled.clone(),
        guesses: started.map(|started| started.guesses.clone()).unwrap_or_default(),
        warnings: view::remarks(run).into_iter().chain(view::cautions(run)).collect(),
        journal: run.journal.display().to_string(),
    }
}
