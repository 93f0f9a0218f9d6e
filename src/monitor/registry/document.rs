//! The TOML document of a monitor, `<key>.toml`, from which its JSON Schema is generated.
//!
//! Every setting except the measures has a default.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Comparison, Direction, Grain, SeverityBy};

/// A monitor: what is measured by the SELECT beside it, and when to speak up.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Monitor")]
pub(super) struct Document {
    /// What people call it; made of the file's name by default.
    pub(super) label: Option<String>,
    /// Whom to ask about it.
    pub(super) owner: Option<String>,
    /// Whose days they are, such as "Europe/Paris"; UTC by default.
    pub(super) time_zone: Option<String>,
    /// When a day begins, such as "06:00"; midnight by default.
    pub(super) day_starts: Option<String>,
    /// How long a step is.
    #[serde(default)]
    pub(super) grain: Grain,
    /// Time after the end of a step until its data should be there, such as "6h"; 1h of hours and 6h of others by default.
    pub(super) delay: Option<String>,
    /// Steps before the latest that are read again for late and restated data; 48 hours, 3 days or 1 week by default.
    #[schemars(range(max = 1000))]
    pub(super) restated_steps: Option<u32>,
    /// How far back the first reading goes, such as "2 years"; 45 days of hours, 3 years of days, 5 years of weeks by
    /// default.
    pub(super) history: Option<String>,
    /// The columns that break it down.
    #[serde(default)]
    pub(super) dimensions: Vec<String>,
    /// Channels that alerts go to, by their names in explore.toml.
    #[serde(default)]
    pub(super) channels: Vec<String>,
    /// Whether a short exploration looks behind each P0 and P1 after its alert was sent, and answers in the alert's thread;
    /// of steps of a day or a week.
    #[serde(default)]
    pub(super) investigate: bool,
    /// When a value is out of the ordinary, of all metrics.
    #[serde(default)]
    pub(super) thresholds: ThresholdsDocument,
    /// Which deviations are how bad, of all metrics.
    #[serde(default)]
    pub(super) severity: SeverityDocument,
    /// Which shares at stake are how much, of all metrics.
    #[serde(default)]
    pub(super) impact: ImpactDocument,
    /// The columns that are measured, each watched as a sum, in the order of the funnel.
    pub(super) measures: BTreeMap<String, MeasureDocument>,
    /// Metrics that are one measure over another, among the measures where they stand in the funnel.
    #[serde(default)]
    pub(super) ratios: BTreeMap<String, RatioDocument>,
    /// How it is forecast.
    #[serde(default)]
    pub(super) forecast: ForecastDocument,
    /// The measures that year-over-year growth is split by.
    pub(super) growth: Option<GrowthDocument>,
    /// Rules of thumb, which are told beside a decision.
    #[serde(default)]
    pub(super) rules: Vec<RuleDocument>,
}

/// A column that is measured.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MeasureDocument {
    /// Whether it counts things, and so has Poisson noise; true by default where it has no unit.
    pub(super) count: Option<bool>,
    /// What people call it; made of its name by default.
    pub(super) label: Option<String>,
    /// Which way is good.
    pub(super) direction: Option<Direction>,
    /// Whether it is watched at all; true by default.
    pub(super) enabled: Option<bool>,
    /// What it is counted in, such as "EUR".
    pub(super) unit: Option<String>,
    /// Money that one of it is worth.
    #[schemars(range(min = 0))]
    pub(super) value: Option<f64>,
    /// The metrics before it in the funnel: if one of them is broken, this one follows.
    #[serde(default)]
    pub(super) after: Vec<String>,
    /// When a value is out of the ordinary.
    #[serde(default)]
    pub(super) thresholds: ThresholdsDocument,
    /// Which deviations are how bad.
    #[serde(default)]
    pub(super) severity: SeverityDocument,
    /// Which shares at stake are how much.
    #[serde(default)]
    pub(super) impact: ImpactDocument,
}

/// One measure's sum over another's.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RatioDocument {
    /// The measure that is divided.
    pub(super) numerator: String,
    /// The measure that it is divided by.
    pub(super) denominator: String,
    /// A denominator below this is too small to tell anything; 30 by default.
    pub(super) denominator_min: Option<u32>,
    /// What people call it; made of its name by default.
    pub(super) label: Option<String>,
    /// Which way is good.
    pub(super) direction: Option<Direction>,
    /// Whether it is watched at all; true by default.
    pub(super) enabled: Option<bool>,
    /// What it is counted in, such as "EUR".
    pub(super) unit: Option<String>,
    /// The metrics before it in the funnel: if one of them is broken, this one follows.
    #[serde(default)]
    pub(super) after: Vec<String>,
    /// When a value is out of the ordinary.
    #[serde(default)]
    pub(super) thresholds: ThresholdsDocument,
    /// Which deviations are how bad.
    #[serde(default)]
    pub(super) severity: SeverityDocument,
    /// Which shares at stake are how much.
    #[serde(default)]
    pub(super) impact: ImpactDocument,
}

/// When a value is out of the ordinary.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ThresholdsDocument {
    /// How much of the past the interval holds; 0.95 by default.
    #[schemars(range(min = 0.5, max = 0.9999))]
    pub(super) interval: Option<f64>,
    /// The anomaly probability from which a value is suspected; 0.99 by default.
    #[schemars(range(min = 0.5, max = 0.999_999))]
    pub(super) probability: Option<f64>,
    /// The share by which a value has to be off to matter, however sure it is; 0.05 by default.
    #[schemars(range(min = 0, max = 10))]
    pub(super) deviation_min: Option<f64>,
}

/// From where on a deviation is how bad.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SeverityDocument {
    /// What the bands are in: shares of what was expected (by default), or standard deviations.
    pub(super) by: Option<SeverityBy>,
    /// From where it is medium, either way; 0.1 by default, or 4 standard deviations.
    #[schemars(range(min = 0, max = 100))]
    pub(super) medium: Option<f64>,
    /// From where it is high, either way; 0.2 by default, or 6 standard deviations.
    #[schemars(range(min = 0, max = 100))]
    pub(super) high: Option<f64>,
    /// From where it is critical, either way; 0.4 by default, or 10 standard deviations.
    #[schemars(range(min = 0, max = 100))]
    pub(super) critical: Option<f64>,
    /// Other bands for values below what was expected.
    #[serde(default)]
    pub(super) fall: BandsDocument,
    /// Other bands for values above what was expected.
    #[serde(default)]
    pub(super) rise: BandsDocument,
}

/// Where a band of severity begins, of one direction.
#[derive(Debug, Default, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BandsDocument {
    /// From where it is medium.
    #[schemars(range(min = 0, max = 100))]
    pub(super) medium: Option<f64>,
    /// From where it is high.
    #[schemars(range(min = 0, max = 100))]
    pub(super) high: Option<f64>,
    /// From where it is critical.
    #[schemars(range(min = 0, max = 100))]
    pub(super) critical: Option<f64>,
}

impl SeverityDocument {
    /// Returns the bands of one direction, as far as they are set.
    pub(super) fn bands(&self, one_way: BandsDocument) -> BandsDocument {
        BandsDocument {
            medium: one_way.medium.or(self.medium),
            high: one_way.high.or(self.high),
            critical: one_way.critical.or(self.critical),
        }
    }
}

/// Shares of the whole volume or revenue at stake from which an impact holds.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImpactDocument {
    /// From which share it is medium; 0.02 by default.
    #[schemars(range(min = 0, max = 1))]
    pub(super) medium: Option<f64>,
    /// From which share it is high; 0.05 by default.
    #[schemars(range(min = 0, max = 1))]
    pub(super) high: Option<f64>,
    /// From which share it is very high; 0.2 by default.
    #[schemars(range(min = 0, max = 1))]
    pub(super) very_high: Option<f64>,
}

/// How it is forecast.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ForecastDocument {
    /// Short seasons in steps, shortest first; [24, 168] of hours, [7] of days and none of weeks by default.
    pub(super) seasons: Option<Vec<u32>>,
    /// Whether the year is a season too; of days and weeks by default.
    pub(super) yearly: Option<bool>,
    /// Days for which a fitted model is kept; 30 by default.
    #[schemars(range(min = 1, max = 366))]
    pub(super) retrain_days: Option<u32>,
    /// Countries whose public holidays count, such as `["FR"]`.
    #[serde(default)]
    pub(super) holidays: Vec<String>,
    /// Days before a public holiday that have an effect of their own; 1 by default.
    #[schemars(range(max = 30))]
    pub(super) holidays_before: Option<u32>,
    /// Days after a public holiday that have an effect of their own; 1 by default.
    #[schemars(range(max = 30))]
    pub(super) holidays_after: Option<u32>,
    /// Special days of one's own, which come before public holidays.
    #[serde(default)]
    pub(super) events: Vec<EventDocument>,
}

/// Special days of one's own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EventDocument {
    /// The name that their effect is learned by.
    pub(super) name: String,
    /// The days, past and to come, such as `[2025-11-28, 2026-11-27]`.
    #[schemars(extend("items" = { "type": "string", "format": "date" }))]
    pub(super) dates: Vec<String>,
    /// Days before that have an effect of their own; none by default.
    #[serde(default)]
    #[schemars(range(max = 30))]
    pub(super) before: u32,
    /// Days after that have an effect of their own; none by default.
    #[serde(default)]
    #[schemars(range(max = 30))]
    pub(super) after: u32,
}

/// The measures that year-over-year growth is split by: traffic, conversions for each of it, revenue for each of these.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GrowthDocument {
    /// The measure of what comes, such as visitors.
    pub(super) traffic: String,
    /// The measure of what becomes of it, such as orders.
    pub(super) conversions: String,
    /// The measure of what that brings.
    pub(super) revenue: String,
}

/// A rule of thumb about one metric.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleDocument {
    /// The metric.
    pub(super) metric: String,
    /// What it is compared with.
    pub(super) comparison: Comparison,
    /// The change, as a share, from which the rule speaks.
    #[schemars(range(min = 0.001, max = 100))]
    pub(super) change_min: f64,
}

/// Returns the JSON Schema of a monitor's TOML.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Document).to_value()
}
