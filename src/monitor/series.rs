//! Converts the rows of a monitor's SELECT into an even series for each measure and segment.
//!
//! No value is invented: a missing or late value is marked as such and is never 0.

mod observed;
pub mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

pub use self::observed::{LeafValues, MetricSeries, Observed};

/// A part of the whole, as values by dimension; nothing for the whole itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Segment(pub BTreeMap<String, String>);

/// The measured values of one combination of dimension values in one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The start of the step on the monitor's clock.
    pub at: DateTime,
    /// The value of every dimension, in the order of [`super::registry::Monitor::dimensions`].
    pub dimensions: Vec<String>,
    /// The value of every measure, in the order of [`super::registry::Monitor::measures`]; `None` for NULL.
    pub measures: Vec<Option<f64>>,
}

/// What is known of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It was measured.
    Measured,
    /// No row came although it is due: a gap.
    Missing,
    /// No row came, and it is not due yet.
    Late,
    /// It is not over yet.
    Partial,
    /// The clocks went over it: there is no such hour on that day.
    Skipped,
}

/// Values on an even grid of steps. Only measured steps have values.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The start of each step on the monitor's clock.
    pub steps: Arc<[DateTime]>,
    /// The value of each step. A measured step has none if a ratio's denominator is too small.
    pub values: Vec<Option<f64>>,
    pub statuses: Vec<Status>,
}

impl Series {
    /// Divides this series by another one on the same grid. A step has no value if the denominator is below
    /// `denominator_min` or not positive.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a minimum denominator is far below 2^52")]
    pub fn over(&self, denominators: &Self, denominator_min: u64) -> Self {
        let ratio = |(numerator, denominator): (&Option<f64>, &Option<f64>)| {
            let (numerator, denominator) = numerator.zip(*denominator)?;
            (denominator > 0.0 && denominator >= denominator_min as f64).then(|| numerator / denominator)
        };
        let status = |(numerator, denominator): (&Status, &Status)| match (numerator, denominator) {
            (Status::Measured, denominator) => *denominator,
            (numerator, _) => *numerator,
        };
        Self {
            steps: Arc::clone(&self.steps),
            values: self.values.iter().zip(&denominators.values).map(ratio).collect(),
            statuses: self.statuses.iter().zip(&denominators.statuses).map(status).collect(),
        }
    }
}

impl Segment {
    /// Returns whether the segment is the whole.
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a row can be part of both segments: no dimension has different values in them.
    pub fn can_overlap(&self, other: &Self) -> bool {
        self.0.iter().all(|(dimension, value)| other.0.get(dimension).is_none_or(|other| other == value))
    }
}

impl std::fmt::Display for Segment {
    /// Formats the segment as `channel = paid, device = mobile`, or as `all` for the whole.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_whole() {
            return formatter.write_str("all");
        }
        let values = self.0.iter().map(|(dimension, value)| format!("{dimension} = {value}"));
        formatter.write_str(&values.collect::<Vec<_>>().join(", "))
    }
}
