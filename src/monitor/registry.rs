//! The definition of a monitor: its metrics, the SELECT that measures them, the forecast, and when to alert.
//!
//! A monitor is two files, `metadata/monitors/<key>.toml` and `<key>.sql`. The types in this module are plain values
//! that hold the content of both files after it was checked. Only [`Registry::read`] reads files, and nothing here
//! queries a database.

mod build;
mod calendar;
mod document;
mod folder;
mod overrides;
mod problem;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub(crate) use self::build::TIME_COLUMNS;
pub use self::build::{Text, parse};
pub use self::calendar::{Calendar, Grain};
pub use self::document::schema;
pub use self::folder::Registry;
pub use self::overrides::unmatched;
pub use self::problem::Problem;

/// A monitor whose two files passed all checks.
#[derive(Debug, Clone)]
pub struct Monitor {
    /// The name of the two files without their extensions.
    pub key: String,
    pub label: String,
    /// The contact for questions about the monitor.
    pub owner: Option<String>,
    pub calendar: Calendar,
    /// The columns by which metrics are broken down, in the order of the TOML.
    pub dimensions: Vec<String>,
    /// The measured columns, in the order of the TOML.
    pub measures: Vec<Measure>,
    /// The metrics in the order of the funnel: a later metric can be broken by an earlier one.
    pub metrics: Vec<Metric>,
    pub forecasting: Forecasting,
    /// The measures by which growth is split; `None` if it is not split.
    pub growth: Option<Growth>,
    /// Rules of thumb, which are reported beside a decision and do not affect it.
    pub rules: Vec<Rule>,
    /// The channels for alerts, by their names in `explore.toml`.
    pub channels: Vec<String>,
    /// Whether a short exploration looks behind its alerts.
    pub investigates: bool,
    pub sql_path: PathBuf,
    /// The SELECT, which returns one row per step and combination of dimension values.
    pub sql: String,
}

/// A numeric column that the SELECT returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// The name of the column.
    pub key: String,
    /// Whether the column counts things, and so has Poisson noise.
    pub is_count: bool,
}

/// A watched quantity that is computed from one or two measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub key: String,
    pub label: String,
    pub formula: Formula,
    pub direction: Direction,
    /// Whether the metric is judged.
    pub enabled: bool,
    /// The unit of the values, such as `EUR`.
    pub unit: Option<String>,
    /// The worth in money of one unit of the metric; `None` if it has no worth.
    pub value: Option<f64>,
    pub thresholds: Thresholds,
    pub severity: SeverityBands,
    pub impact: ImpactBands,
    /// Keys of earlier metrics in the funnel. If one of them is broken, this metric follows.
    pub after: Vec<String>,
}

/// The computation of a metric from the measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formula {
    /// The sum of a measure, by its index in [`Monitor::measures`].
    Sum(usize),
    /// The sum of one measure divided by the sum of another.
    Ratio {
        /// Index in [`Monitor::measures`].
        numerator: usize,
        /// Index in [`Monitor::measures`].
        denominator: usize,
        /// With a smaller denominator, the ratio has no value.
        denominator_min: u64,
    },
}

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A fall is bad, a rise is not.
    UpIsGood,
    /// A rise is bad, a fall is not.
    DownIsGood,
    /// Both are bad.
    BothBad,
}

/// The thresholds from which a value is anomalous.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Coverage of the forecast interval, such as 0.95.
    pub interval: f64,
    /// Anomaly probability from which a value is suspected, such as 0.99.
    pub probability: f64,
    /// Minimum relative deviation of an anomaly, regardless of its probability.
    pub deviation_min: f64,
}

/// The deviations at which each severity begins, for falls and rises.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SeverityBands {
    /// The quantity that the bands measure.
    pub by: SeverityBy,
    /// The bands of values below the expected one.
    pub fall: Bands,
    /// The bands of values above the expected one.
    pub rise: Bands,
}

/// What bands of severity are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeverityBy {
    /// The absolute deviation, as a share of what was expected.
    Deviation,
    /// The deviation in standard deviations.
    Z,
}

/// Lower bounds of the severity bands. An anomaly below `medium` has low severity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bands {
    pub medium: f64,
    pub high: f64,
    pub critical: f64,
}

/// Lower bounds of the impact bands, as shares of the metric's whole volume or revenue. A share below `medium` has low
/// impact.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ImpactBands {
    pub medium: f64,
    pub high: f64,
    pub very_high: f64,
}

/// The forecast settings of a monitor.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Forecasting {
    /// Lengths of the short seasons in steps, shortest first.
    pub seasons: Vec<usize>,
    /// Whether the year is also a season.
    pub yearly: bool,
    /// The names of special days by the date of their step, which is the Monday for a week. Days with one name share
    /// one learned effect.
    pub holidays: BTreeMap<Date, String>,
    /// Number of days for which a fitted model is used.
    pub retrain_days: u32,
}

/// The measures by which revenue growth is split, as indexes into [`Monitor::measures`]. Revenue is traffic, times
/// conversions per visit, times revenue per conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// Such as visitors or sessions.
    pub traffic: usize,
    /// Such as orders or projects.
    pub conversions: usize,
    pub revenue: usize,
}

/// A row of the table `explore.monitor_config`, which changes settings of a metric without a deployment. `None` leaves
/// the setting of the file unchanged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Override {
    pub metric: String,
    pub enabled: Option<bool>,
    /// Anomaly probability from which a value is suspected.
    pub probability: Option<f64>,
    /// Relative deviation from which the severity is medium.
    pub medium_deviation: Option<f64>,
    /// Relative deviation from which the severity is critical.
    pub critical_deviation: Option<f64>,
}

/// A rule of thumb about the change of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub metric: String,
    pub comparison: Comparison,
    /// Minimum relative change for which the rule is reported.
    pub change_min: f64,
}

/// What a value is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// The same weekday of the week before.
    PreviousWeek,
    /// The same weekday 52 weeks before.
    PreviousYear,
}

impl Monitor {
    pub fn metric(&self, key: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.key == key)
    }

    /// Returns whether `metric` comes after the metric `earlier` in the funnel, directly or through other metrics.
    pub fn follows(&self, metric: &Metric, earlier: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut left = metric.after.iter().collect::<Vec<_>>();
        while let Some(key) = left.pop() {
            if key == earlier {
                return true;
            }
            if seen.insert(key)
                && let Some(metric) = self.metric(key)
            {
                left.extend(&metric.after);
            }
        }
        false
    }
}
