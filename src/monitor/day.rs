//! The engine's result for one step of a monitor, as plain data: judgements, incidents, and a decision on each
//! incident.
//!
//! The state stores it, reports show it and channels send it. Only the engine changes it.

use jiff::civil::DateTime;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::series::{Segment, Status};

/// One step of a monitor ("day" by its usual length).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Day {
    /// The monitor's key.
    pub monitor: String,
    /// The monitor's label.
    pub label: String,
    /// When the step begins.
    #[schemars(with = "String")]
    pub at: DateTime,
    /// A special day's name.
    pub holiday: Option<String>,
    /// Every metric of every segment that was looked at, the whole first.
    pub judgements: Vec<Judgement>,
    /// The incidents that were open when the day began or opened on it, the worst first.
    pub incidents: Vec<Incident>,
    /// What else should be known: data that are late, series too short to judge.
    pub notes: Vec<String>,
}

/// A value beside what was to be expected of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judgement {
    /// The metric's key.
    pub metric: String,
    /// The part of the whole.
    pub segment: Segment,
    /// What is known of the value.
    pub status: Status,
    /// What was measured.
    pub actual: Option<f64>,
    /// What the gap was filled with for the days after, where it is one.
    pub filled: Option<f64>,
    /// What was to be expected; `None` where the series is too short.
    pub forecast: Option<Expected>,
    /// How far off it is; `None` without value or forecast.
    pub score: Option<Score>,
    /// Values of other times.
    pub comparisons: Vec<Compared>,
    /// Why it is anomalous or not, a sentence each, in the order in which it was decided.
    pub reasons: Vec<String>,
    /// Whether it is out of the ordinary, all things considered.
    pub is_anomalous: bool,
}

/// What was to be expected; the parts add up to the value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Expected {
    /// The expected value.
    pub value: f64,
    /// The interval's lower end.
    pub lower: f64,
    /// The interval's upper end.
    pub upper: f64,
    /// The level and its drift.
    pub trend: f64,
    /// The short seasons.
    pub season: f64,
    /// The yearly season.
    pub year: f64,
    /// The special day.
    pub holiday: f64,
}

/// How far off a value is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// Measured less expected.
    pub difference: f64,
    /// The difference over what was expected; `None` where that is 0.
    pub deviation: Option<f64>,
    /// The difference in standard deviations.
    pub z: f64,
    /// One less the probability of a value so far off, if nothing is the matter.
    pub probability: f64,
}

/// A value of another time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Compared {
    /// Which time.
    pub comparison: super::registry::Comparison,
    /// The value then.
    pub value: f64,
    /// The change since, as a share of it; `None` where it was 0.
    pub change: Option<f64>,
    /// What the metric's rule of thumb says, where it has one and it speaks.
    pub rule: Option<String>,
}

/// Anomalies that have one cause, as far as can be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    /// Unique and the same in every run: monitor, first broken metric and the step on which it opened.
    pub id: String,
    /// What is the matter.
    #[serde(default)]
    pub kind: IncidentKind,
    /// The step on which it opened.
    #[schemars(with = "String")]
    pub opened: DateTime,
    /// The metric that it is named by: the first of the funnel that is broken.
    pub metric: String,
    /// All metrics that are part of it, in the order of the funnel.
    pub metrics: Vec<String>,
    /// Whether values are below what was expected.
    pub is_fall: bool,
    /// The segments that make the deviation; none where it is everywhere alike.
    pub segments: Vec<Contribution>,
    /// The part of the difference that is in no segment.
    pub rest: f64,
    /// How bad it is.
    pub severity: Severity,
    /// How much is at stake.
    pub impact: Impact,
    /// The value that determines the severity; `None` in incidents stored before this field existed.
    pub severity_by: Option<GradedBy>,
    /// The value that the impact comes from.
    pub impact_by: Option<GradedBy>,
    /// Money at stake, with its unit, where the metric has a worth.
    pub money: Option<Money>,
    /// What it comes from, in a sentence, by the engine.
    pub cause: String,
    /// How bad it was when somebody was last told; `None` where nobody was.
    pub told: Option<Severity>,
    /// Judged steps in a row on which nothing of it was anomalous any more.
    pub quiet_steps: u32,
    /// Whether it is over.
    pub is_closed: bool,
    /// Whether somebody is told.
    pub decision: Decision,
}

/// What is the matter in an incident.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum IncidentKind {
    /// Values are off what was expected.
    #[default]
    Deviation,
    /// Expected data does not arrive: what was measured before is no longer known.
    NoData {
        /// What does not come.
        what: Silent,
        /// The last step that has data.
        #[schemars(with = "String")]
        since: DateTime,
        /// The first step whose data are missed.
        #[schemars(with = "String")]
        missing: DateTime,
        /// When those were due, by the monitor's clock.
        #[schemars(with = "String")]
        due: DateTime,
        /// Whether they nearly always arrive; of others no single step is due, and only the length of a silence counts.
        #[serde(default = "always")]
        is_regular: bool,
    },
    /// The monitor cannot be run: its SELECT fails, or gives what the monitor's file does not say.
    Failed {
        /// What the database or the program says of it.
        problem: String,
    },
}

/// Returns the default for incidents that were stored before [`IncidentKind::NoData::is_regular`] existed.
fn always() -> bool {
    true
}

/// What data do not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Silent {
    /// Any: no row, or none with anything but 0 and NULL.
    All,
    /// A measure: rows come, and it is NULL in them.
    Measure,
    /// Those of segments, while others come.
    Segments,
}

impl IncidentKind {
    /// Returns whether the incident is about values, rather than missing data or a monitor that cannot be run.
    pub fn is_deviation(&self) -> bool {
        match self {
            Self::Deviation => true,
            Self::NoData { .. } | Self::Failed { .. } => false,
        }
    }
}

impl Incident {
    /// Returns whether the incident is open and has had no quiet step since its last anomaly.
    pub fn is_going_on(&self) -> bool {
        !self.is_closed && self.quiet_steps == 0
    }

    /// Returns whether the segment can overlap with the incident. An incident without segments overlaps with every
    /// segment.
    pub fn can_overlap(&self, segment: &Segment) -> bool {
        self.segments.is_empty() || self.segments.iter().any(|part| part.segment.can_overlap(segment))
    }
}

/// What one segment holds of a deviation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Contribution {
    /// The segment.
    pub segment: Segment,
    /// What was measured in it.
    pub actual: f64,
    /// What was to be expected in it.
    pub expected: f64,
    /// The share of the whole difference that it holds.
    pub share: f64,
}

/// The value that determines a grade of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GradedBy {
    /// The metric's key.
    pub metric: String,
    /// The part of the whole.
    pub segment: Segment,
    /// How far off it is.
    pub score: Score,
    /// The share of what was expected of the metric's whole that it is off by.
    pub share: f64,
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// How much; negative is a loss.
    pub amount: f64,
    /// Such as `EUR`.
    pub unit: String,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing is the matter.
    None,
    /// Out of the ordinary, and small.
    Low,
    /// Worth a look.
    Medium,
    /// Bad.
    High,
    /// As bad as it gets.
    Critical,
}

/// How much is at stake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// Hardly anything.
    Low,
    /// Something.
    Medium,
    /// Much.
    High,
    /// Very much.
    VeryHigh,
}

/// How urgent an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Priority {
    /// Now: critical.
    P0,
    /// Today: high, with much at stake.
    P1,
}

/// Whether somebody is told, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// The alert that fires; `None` where none does.
    pub fires: Option<Priority>,
    /// Why, or why not: a sentence each, in the order in which it was decided.
    pub reasons: Vec<String>,
}

impl std::fmt::Display for Severity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        })
    }
}

impl std::fmt::Display for Impact {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::VeryHigh => "very high",
        })
    }
}

impl std::fmt::Display for Priority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::P0 => "P0",
            Self::P1 => "P1",
        })
    }
}
