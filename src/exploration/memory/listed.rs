//! Remembered findings as lists and documents show them.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::remembered::{Remembered, Verdict};
use super::store::Said;
use crate::finding::Severity;
use crate::finding::fact::Fact;
use crate::finding::lifecycle::{Point, Standing, size};

/// A remembered finding in a list.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Listed {
    /// Such as `M12`.
    pub id: String,
    pub standing: Standing,
    pub is_open: bool,
    pub severity: Severity,
    #[schemars(with = "String")]
    pub first_seen: Date,
    /// The day since which it stands so.
    #[schemars(with = "String")]
    pub since: Date,
    /// Its lead, as it was measured last.
    pub sentence: String,
    /// How its size went on.
    pub series: Vec<Point>,
    /// The tables that its statements read, as `schema.name`.
    pub tables: Vec<String>,
    /// The run that told it first.
    pub first_run: String,
    /// What somebody decided on it.
    pub verdict: Option<Verdict>,
    /// Why nobody is told of it; null if it is told.
    pub silenced: Option<String>,
}

/// A remembered finding with all that it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct InFull {
    #[serde(flatten)]
    pub listed: Listed,
    pub lead: Fact,
    /// The statements that its claims read.
    pub statements: Vec<Asked>,
    /// What was said of it, the oldest first.
    pub said: Vec<Said>,
}

/// A statement of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Asked {
    /// Such as `q7`.
    pub id: String,
    /// The question that it was meant to answer.
    pub question: String,
    pub sql: String,
}

impl Listed {
    pub fn of(finding: &Remembered, today: Date) -> Self {
        Self {
            id: finding.id(),
            standing: finding.standing,
            is_open: finding.is_open(),
            severity: finding.severity,
            first_seen: finding.first_seen,
            since: finding.since,
            sentence: finding.lead.sentence.clone(),
            series: finding.series.clone(),
            tables: finding.tables.clone(),
            first_run: finding.first_run.clone(),
            verdict: finding.verdict.clone(),
            silenced: silenced(finding, today),
        }
    }
}

impl InFull {
    pub fn of(finding: &Remembered, said: Vec<Said>, today: Date) -> Self {
        let asked = finding.basis.statements.iter().map(|statement| Asked {
            id: statement.id.clone(),
            question: statement.question.clone(),
            sql: statement.sql.clone(),
        });
        Self { listed: Listed::of(finding, today), lead: finding.lead.clone(), statements: asked.collect(), said }
    }
}

/// Returns why nobody is told of a finding; `None` if it is told.
pub fn silenced(finding: &Remembered, today: Date) -> Option<String> {
    finding.verdict.as_ref()?.silences(size(&finding.lead), today)
}

/// Which findings a list shows.
#[derive(Debug, Clone, Copy)]
pub struct Which {
    /// Whether those that are over or silenced are shown too.
    pub all: bool,
    pub today: Date,
    /// How many are left out at the beginning, and how many are shown at most.
    pub skip: usize,
    pub limit: usize,
}

/// A part of the findings: open ones first, silenced ones after others, the gravest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub findings: Vec<Remembered>,
    /// How many there are in all parts.
    pub total: usize,
    /// How many are not shown because they are over or silenced.
    pub hidden: usize,
}

/// What the place of a finding in a list depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) number: i32,
    pub(super) is_open: bool,
    pub(super) severity: Severity,
    pub(super) is_silenced: bool,
}

/// Returns the numbers of the findings that a part shows, in its order; how many there are in all parts; and how many are hidden.
pub(super) fn chosen(mut places: Vec<Place>, which: Which) -> (Vec<i32>, usize, usize) {
    let is_told = |place: &Place| place.is_open && !place.is_silenced;
    let told = places.iter().filter(|place| is_told(place)).count();
    let hidden = if which.all { 0 } else { places.len() - told };
    places.retain(|place| which.all || is_told(place));
    places.sort_by_key(|place| (!place.is_open, place.is_silenced, std::cmp::Reverse(place.severity), place.number));
    let numbers = places.iter().skip(which.skip).take(which.limit).map(|place| place.number).collect();
    (numbers, places.len(), hidden)
}
