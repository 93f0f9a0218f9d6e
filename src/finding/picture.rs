//! What a chart of a finding is drawn of: the series or the groups behind its lead, in the words of the fact.
//!
//! It is made when the finding is recorded ([`fact::picture`](super::fact::picture)) and kept with it, so that a report of
//! an old run draws the same chart.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a chart is drawn of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Picture {
    pub shape: Shape,
    /// What is measured, in the words of the fact.
    pub measure: String,
    /// What tells the points apart, such as `month of opened_at`; empty where there is one point.
    pub axis: String,
    /// The points, periods in their order and groups from the largest.
    pub points: Vec<Point>,
    /// How many points there are, with those that are not kept.
    pub points_total: usize,
    /// Numbers that are drawn as lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
    /// The ids of the engine's own queries that it rests on, such as `e2`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub companions: Vec<String>,
}

/// How a chart looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A line over periods.
    Series,
    /// A bar for each group.
    Bars,
    /// A dot for each group, on a scale from zero.
    Dots,
    /// For each group the step from one number to another.
    Steps,
    /// A number with its interval, beside zero.
    Interval,
}

/// A period, a group, or a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Point {
    /// The period or the group, in the words of the fact.
    pub label: String,
    #[schemars(with = "String")]
    pub value: Decimal,
    /// The value as a sentence shows it.
    pub text: String,
    /// Whether the fact is about it.
    pub cited: bool,
    /// Where a step begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Mark>,
    /// The lower end of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<Mark>,
    /// The upper end of the interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<Mark>,
}

/// A number beside a point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    #[schemars(with = "String")]
    pub value: Decimal,
    /// As a sentence shows it.
    pub text: String,
}

/// A number that is drawn as a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    /// What the number is, such as `all others`.
    pub name: String,
    #[schemars(with = "String")]
    pub value: Decimal,
    /// As a sentence shows it.
    pub text: String,
    /// The index of the first point over which it holds.
    pub from: usize,
    /// The index after the last one.
    pub to: usize,
}
