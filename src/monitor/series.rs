//! Rows of a monitor's SELECT -> an even series of each measure and segment, in which nothing is made up: what is
//! missing is missing, what is late is late, and neither is a zero.

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

/// What was measured of one combination of dimension values in one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// When the step begins, by the monitor's own clock.
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

/// Values on an even grid of steps. There is a value only where it was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// When each step begins, by the monitor's own clock.
    pub steps: Arc<[DateTime]>,
    /// The value of each step. One that was measured has none where a ratio's denominator is too small to tell anything.
    pub values: Vec<Option<f64>>,
    /// What is known of each step.
    pub statuses: Vec<Status>,
}

impl Series {
    /// This over another series of the same grid; no value where the other one is below `denominator_min`, or 0.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a smallest denominator is no such number")]
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
    /// Whether it is everything.
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something can be part of both: no dimension has one value here and another there.
    pub fn can_overlap(&self, other: &Self) -> bool {
        self.0.iter().all(|(dimension, value)| other.0.get(dimension).is_none_or(|other| other == value))
    }
}

impl std::fmt::Display for Segment {
    /// `channel = paid, device = mobile`; `all` for the whole.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_whole() {
            return formatter.write_str("all");
        }
        let values = self.0.iter().map(|(dimension, value)| format!("{dimension} = {value}"));
        formatter.write_str(&values.collect::<Vec<_>>().join(", "))
    }
}
