//! Rows of a monitor's SELECT -> an even series of each measure and segment, in which nothing is made up: what is
//! missing is missing, what is late is late, and neither is a zero.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

/// A part of the whole, as values by dimension; nothing for the whole itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
