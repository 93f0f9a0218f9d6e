//! What a monitor is: a metric or several, where they come from, what is expected of them, and when to speak up.
//!
//! A monitor is two files, `metadata/monitors/<key>.toml` and `<key>.sql`; here is what they come to once both were read
//! and checked. These are plain values; only [`Registry::read`] reads files, and nothing asks a database.

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

/// A monitor, checked.
#[derive(Debug, Clone)]
pub struct Monitor {
    /// Its name: that of its files.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// Whom to ask about it.
    pub owner: Option<String>,
    /// Its steps of time.
    pub calendar: Calendar,
    /// The columns that break it down, in the order of the TOML.
    pub dimensions: Vec<String>,
    /// The columns that are measured, in the order of the TOML.
    pub measures: Vec<Measure>,
    /// What is watched, in the order of the funnel: a later one can be broken by an earlier one.
    pub metrics: Vec<Metric>,
    /// How it is forecast.
    pub forecasting: Forecasting,
    /// How its growth is split, where it tells.
    pub growth: Option<Growth>,
    /// Rules of thumb, which are told beside a decision.
    pub rules: Vec<Rule>,
    /// Channels that alerts go to, by their name in `explore.toml`.
    pub channels: Vec<String>,
    /// The file that the SELECT is in.
    pub sql_path: PathBuf,
    /// The SELECT: one row a step and combination of dimension values.
    pub sql: String,
}

/// A column that is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    /// The column's name.
    pub key: String,
    /// Whether it counts things, whose number alone makes it vary (Poisson).
    pub is_count: bool,
}

/// What is watched.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its name.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// How it comes from the measures.
    pub formula: Formula,
    /// Which way is good.
    pub direction: Direction,
    /// Whether it is watched at all.
    pub enabled: bool,
    /// What it is counted in, such as `EUR`.
    pub unit: Option<String>,
    /// Money that one of it is worth, where it has a worth.
    pub value: Option<f64>,
    /// When it is out of the ordinary.
    pub thresholds: Thresholds,
    /// Which deviations are how bad.
    pub severity: SeverityBands,
    /// Which shares at stake are how much.
    pub impact: ImpactBands,
    /// The metrics that come before it in the funnel: if one of them is broken, this one follows.
    pub after: Vec<String>,
}

/// How a metric comes from the measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formula {
    /// The sum of a measure, by its place in [`Monitor::measures`].
    Sum(usize),
    /// One measure's sum over another's.
    Ratio {
        /// The place of the measure that is divided.
        numerator: usize,
        /// The place of the measure that it is divided by.
        denominator: usize,
        /// A denominator below this is too small to tell anything.
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

/// When a value is out of the ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// How much of the past the interval holds: 0.95.
    pub interval: f64,
    /// The anomaly probability from which a value is suspected: 0.99.
    pub probability: f64,
    /// The share by which a value has to be off to matter, however sure it is.
    pub deviation_min: f64,
}

/// From where on a deviation is how bad, either way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SeverityBands {
    /// What the bands are in.
    pub by: SeverityBy,
    /// Of values below what was expected.
    pub fall: Bands,
    /// Of values above it.
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

/// Where a band begins; anything anomalous below the first is low.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bands {
    /// From where it is medium.
    pub medium: f64,
    /// From where it is high.
    pub high: f64,
    /// From where it is critical.
    pub critical: f64,
}

/// Shares of the metric's whole volume or revenue at stake from which an impact holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ImpactBands {
    /// From which share it is medium; anything below is low.
    pub medium: f64,
    /// From which share it is high.
    pub high: f64,
    /// From which share it is very high.
    pub very_high: f64,
}

/// How a monitor is forecast.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Forecasting {
    /// Short seasons in steps, shortest first.
    pub seasons: Vec<usize>,
    /// Whether the year is a season too.
    pub yearly: bool,
    /// Special days by the date of their step, which of a week is its Monday: the name under which their effect is learned.
    pub holidays: BTreeMap<Date, String>,
    /// Days for which a fitted model is kept.
    pub retrain_days: u32,
}

/// The measures whose product is revenue, by their places in [`Monitor::measures`]: traffic, times conversions per visit,
/// times revenue per conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Growth {
    /// What comes: visitors, sessions.
    pub traffic: usize,
    /// What becomes of it: orders, projects.
    pub conversions: usize,
    /// What that brings.
    pub revenue: usize,
}

/// A row of the table `explore.monitor_config`: what the business turned without a deployment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// The metric's key.
    pub metric: String,
    /// Whether it is watched.
    pub enabled: Option<bool>,
    /// The anomaly probability from which a value is suspected.
    pub probability: Option<f64>,
    /// From which deviation it is medium.
    pub medium_deviation: Option<f64>,
    /// From which deviation it is critical.
    pub critical_deviation: Option<f64>,
}

/// A rule of thumb about one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The metric's key.
    pub metric: String,
    /// What it is compared with.
    pub comparison: Comparison,
    /// The change, as a share, from which the rule speaks.
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
    /// A metric by its key.
    pub fn metric(&self, key: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.key == key)
    }

    /// Whether `metric` comes after the one called `earlier` in the funnel, at once or by way of others.
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
