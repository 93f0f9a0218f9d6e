//! Renders days as JSON for programs. Names and texts are not shortened or stripped.

use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;

use super::{Reported, headline};
use crate::monitor::commentary::Analysis;
use crate::monitor::context::Influence;
use crate::monitor::day::Day;
use crate::monitor::growth::{self, Growth};
use crate::monitor::registry::{Grain, Metric};
use crate::typeset::text::escaped;

/// The version of [`Document`]'s schema. It increases when a field changes its meaning or is removed, not when one is
/// added.
pub const SCHEMA_VERSION: u32 = 2;

/// The report of one or several days.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(title = "Report of explore monitor")]
pub struct Document {
    /// The version of this document's schema.
    pub schema_version: u32,
    /// The days, in the order that they were asked for.
    pub days: Vec<DayDocument>,
}

/// A day and what is reported with it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "ReportedDay")]
pub struct DayDocument {
    /// The day in a line: `2 alerts, 14 metrics as expected`.
    pub headline: String,
    /// How long a step of the monitor is.
    pub grain: Grain,
    /// The metrics, in the order of the funnel.
    pub metrics: Vec<MetricDocument>,
    /// The engine's results for the day: judgements, incidents, decisions.
    pub day: Day,
    /// Whether events influenced its incidents.
    pub influences: Vec<Influence>,
    /// The growth over a year, split into what made it.
    pub growth: Option<Growth>,
    /// What the analyst says.
    pub analysis: Option<Analysis>,
}

/// A metric with its label and its unit.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Metric")]
pub struct MetricDocument {
    /// Its key.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// What it is counted in.
    pub unit: Option<String>,
}

impl MetricDocument {
    /// Copies the names and the unit of a metric.
    pub fn of(metric: &Metric) -> Self {
        Self { key: metric.key.clone(), label: metric.label.clone(), unit: metric.unit.clone() }
    }
}

/// Returns the JSON Schema of [`Document`].
pub fn schema() -> Schema {
    schema_for!(Document)
}

/// Renders days as JSON. Control and reordering characters are written as `\u` escapes, so that no information is lost.
pub fn render(days: &[Reported<'_>]) -> serde_json::Result<String> {
    let document = Document {
        schema_version: SCHEMA_VERSION,
        days: days.iter().map(|reported| day_document(*reported)).collect(),
    };
    Ok(escaped(&serde_json::to_string_pretty(&document)?))
}

/// Builds the document of one day.
pub fn day_document(reported: Reported<'_>) -> DayDocument {
    DayDocument {
        headline: headline(reported.day),
        grain: reported.monitor.calendar.grain,
        metrics: reported.monitor.metrics.iter().map(MetricDocument::of).collect(),
        day: reported.day.clone(),
        influences: reported.influences.to_vec(),
        growth: growth::split(reported.monitor, reported.day),
        analysis: reported.analysis.cloned(),
    }
}
