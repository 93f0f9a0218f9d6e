//! A finding as a JSON document, with its evidence in full.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::Finding;
use super::related::Related;
use super::results::Results;
use super::told::{Action, Category, Figure, Impact, Told};
use super::{Confidence, Severity, evidence};

/// A finding with its evidence in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Told")]
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

/// A finding of facts, with the rows that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FactFinding {
    #[serde(flatten)]
    pub finding: Finding,
    /// The finding that it follows in a report, and in what it belongs to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related: Option<Related>,
    /// The cited rows of each query.
    pub evidence: Vec<EvidenceDocument>,
}

impl FactFinding {
    /// Returns the document of a finding, with the rows of `results` that its facts rest on.
    pub fn of(results: &Results, finding: &Finding) -> Self {
        let evidence = evidence::of_facts(results, finding.all_facts());
        Self { finding: finding.clone(), related: None, evidence: evidence.iter().map(evidence_document).collect() }
    }
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

/// A column of a cited result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Column")]
pub struct ColumnDocument {
    /// Its name, not necessarily unique.
    pub name: String,
    /// PostgreSQL's name of its type.
    pub type_name: String,
}

/// A cited row of a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Row")]
pub struct RowDocument {
    /// Its number in the result, from 1.
    pub row: usize,
    /// A cell for each column, as PostgreSQL writes it; null for NULL.
    pub cells: Vec<Option<String>>,
}

/// Returns the document of a finding, with the cells that it cites.
pub fn finding_document(results: &Results, finding: &Told) -> FindingDocument {
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
        evidence: evidence::of_finding(results, finding).iter().map(evidence_document).collect(),
        confidence: finding.confidence,
        recommended_actions: finding.recommended_actions.clone(),
        falsified_by: finding.falsified_by.clone(),
    }
}

/// Returns the document of what a finding cites of one query.
pub(crate) fn evidence_document(evidence: &evidence::Evidence<'_>) -> EvidenceDocument {
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
