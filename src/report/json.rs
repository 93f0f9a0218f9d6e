//! The report as JSON for programs. Cells and texts stand in it as they were, bounded only where the run bounded them.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};

use super::text::is_deceptive;
use super::{evidence, view};
use crate::agent::journal::{Coverage, Run, StopReason, Totals};
use crate::finding::results::Results;
use crate::finding::{Action, Category, Confidence, Figure, Finding, Impact, Severity};

/// The version of [`Document`]: raised when a field changes its meaning or goes away, not when one is added.
pub const SCHEMA_VERSION: u32 = 1;

/// A report.
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
    /// The model's name.
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
    /// The findings, the gravest first.
    pub findings: Vec<FindingDocument>,
    /// How many findings of the model were sent back because they did not check.
    pub findings_refused: u32,
    /// How many queries were refused or failed.
    pub queries_failed: u32,
    /// What was looked at without a finding.
    pub looked_at: Vec<String>,
    /// What the reader should know of the connection and the run.
    pub warnings: Vec<String>,
    /// Where the run's journal is.
    pub journal: String,
}

/// A database.
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

/// A finding with its evidence in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub struct FindingDocument {
    /// Its id within the run.
    pub id: String,
    /// The same matter has the same fingerprint in every run.
    pub fingerprint: String,
    /// One line: who or what, what happened, how much.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// What kind of matter it is.
    pub category: Category,
    /// Whom or what it is about.
    pub segment: String,
    /// The dates it covers.
    pub period: String,
    /// What was seen.
    pub narrative: String,
    /// What it is worth.
    pub impact: Impact,
    /// The figures that the program computed.
    pub figures: Vec<Figure>,
    /// The rows it rests on.
    pub evidence: Vec<EvidenceDocument>,
    /// How sure one can be.
    pub confidence: Confidence,
    /// What to do about it.
    pub recommended_actions: Vec<Action>,
    /// What would prove it wrong.
    pub falsified_by: String,
}

/// What a finding cites of one query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Evidence")]
pub struct EvidenceDocument {
    /// The query's id within the run.
    pub query: String,
    /// What it was to answer; null, like all below, where the journal lost the result.
    pub question: Option<String>,
    /// The statement.
    pub sql: Option<String>,
    /// The cited columns.
    pub columns: Vec<ColumnDocument>,
    /// The cited rows.
    pub rows: Vec<RowDocument>,
    /// Whether the query had more rows than were fetched.
    pub more_rows: bool,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Column")]
pub struct ColumnDocument {
    /// Its name, not necessarily unique.
    pub name: String,
    /// PostgreSQL's name of its type.
    pub type_name: String,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Row")]
pub struct RowDocument {
    /// Its number in the result, from 1.
    pub row: usize,
    /// A cell for each column, as PostgreSQL writes it; null for NULL.
    pub cells: Vec<Option<String>>,
}

/// The JSON Schema of [`Document`].
pub fn schema() -> Schema {
    schema_for!(Document)
}

/// Renders a run. What could drive a terminal or reorder text is written as `\u` escapes, so nothing is lost.
pub fn render(run: &Run) -> serde_json::Result<String> {
    Ok(escaped(&serde_json::to_string_pretty(&document(run))?))
}

/// JSON in which what could drive a terminal or reorder text is written as `\u` escapes.
pub(crate) fn escaped(plain: &str) -> String {
    let mut text = String::with_capacity(plain.len() + 1);
    for character in plain.chars() {
        if character != '\n' && (character.is_control() || is_deceptive(character)) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        } else {
            text.push(character);
        }
    }
    text.push('\n');
    text
}

/// The report of a run as a value.
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
        findings: view::ordered(&run.findings)
            .into_iter()
            .map(|finding| finding_document(&run.results, run.as_of(), finding))
            .collect(),
        findings_refused: run.findings_refused,
        queries_failed: run.queries_failed,
        looked_at: run.looked_at.clone(),
        warnings: view::remarks(run).into_iter().chain(view::cautions(run)).collect(),
        journal: run.journal.display().to_string(),
    }
}

/// A finding with what it cites.
pub fn finding_document(results: &Results, as_of: Date, finding: &Finding) -> FindingDocument {
    FindingDocument {
        id: finding.id.clone(),
        fingerprint: finding.fingerprint.clone(),
        title: finding.title.clone(),
        severity: finding.severity,
        category: finding.category,
        segment: finding.segment.clone(),
        period: finding.period.clone(),
        narrative: finding.narrative.clone(),
        impact: finding.impact.clone(),
        figures: finding.figures.clone(),
        evidence: evidence::of_finding(results, as_of, finding).iter().map(evidence_document).collect(),
        confidence: finding.confidence,
        recommended_actions: finding.recommended_actions.clone(),
        falsified_by: finding.falsified_by.clone(),
    }
}

fn evidence_document(evidence: &evidence::Evidence<'_>) -> EvidenceDocument {
    let table = evidence.result.map(|result| &result.table);
    let column = |index: &usize| {
        let column = table?.columns.get(*index)?;
        Some(ColumnDocument { name: column.name.clone(), type_name: column.type_name.clone() })
    };
    let cell = |row: usize, column: usize| table?.cell(row, column).map(str::to_owned);
    let row = |row: &usize| RowDocument {
        row: row + 1,
        cells: evidence.columns.iter().map(|column| cell(*row, *column)).collect(),
    };
    EvidenceDocument {
        query: evidence.query.to_owned(),
        question: evidence.result.map(|result| result.question.clone()),
        sql: evidence.result.map(|result| result.sql.clone()),
        columns: evidence.columns.iter().filter_map(column).collect(),
        rows: evidence.rows.iter().map(row).collect(),
        more_rows: table.is_some_and(|table| table.more_rows),
    }
}
