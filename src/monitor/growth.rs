//! Splits the growth of revenue over a year into its factors: traffic, conversion and monetisation.
//!
//! Revenue is the product of traffic, conversions per visit and revenue per conversion. The change of a product is the
//! sum over its factors of `L × ln(now / before)`, where `L` is the logarithmic mean of the product now and before
//! (LMDI: Ang, *Energy Policy* 32, 2004). The parts add up to the change without a rest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::day::Day;
use super::description;
use super::registry::{Comparison, Formula, Metric, Monitor};

/// A revenue's growth over a year.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Growth {
    /// What grew, as people call it.
    pub label: String,
    /// What was measured.
    pub actual: f64,
    /// What was measured a year before.
    pub before: f64,
    /// What made the change; the amounts add up to it.
    pub parts: Vec<Part>,
}

/// One factor's part of a growth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// What kind of factor it is.
    pub kind: Kind,
    /// The factor, as people call it.
    pub label: String,
    /// The factor's own change, as a share.
    pub change: f64,
    /// What that did to the revenue, in its unit.
    pub amount: f64,
}

/// What kind of factor makes a revenue grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// How many come.
    Traffic,
    /// How many of them go on.
    Conversion,
    /// What one of them brings.
    Monetisation,
}

impl Kind {
    /// Returns the kind in lower case, such as `traffic`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Traffic => "traffic",
            Self::Conversion => "conversion",
            Self::Monetisation => "monetisation",
        }
    }
}

/// Splits the revenue growth of a day. Returns `None` if the monitor does not configure growth, or if a value is
/// missing or not above 0.
pub fn split(monitor: &Monitor, day: &Day) -> Option<Growth> {
    let measures = monitor.growth?;
    let revenue = year(monitor, day, measures.revenue)?;
    let traffic = year(monitor, day, measures.traffic)?;
    let conversions = year(monitor, day, measures.conversions)?;
    let mean = logarithmic_mean(revenue.0, revenue.1);
    let ratio = |top: (f64, f64), bottom: (f64, f64)| (top.0 / bottom.0, top.1 / bottom.1);
    let part = |kind, label, (now, before): (f64, f64)| Part {
        kind,
        label,
        change: now / before - 1.0,
        amount: mean * (now / before).ln(),
    };
    Some(Growth {
        label: label(monitor, measures.revenue),
        actual: revenue.0,
        before: revenue.1,
        parts: vec![
            part(Kind::Traffic, label(monitor, measures.traffic), traffic),
            part(
                Kind::Conversion,
                label_of_ratio(monitor, measures.conversions, measures.traffic),
                ratio(conversions, traffic),
            ),
            part(
                Kind::Monetisation,
                label_of_ratio(monitor, measures.revenue, measures.conversions),
                ratio(revenue, conversions),
            ),
        ],
    })
}

/// Returns the unit of the revenue.
pub(crate) fn unit(monitor: &Monitor) -> Option<&str> {
    sum_of(monitor, monitor.growth?.revenue)?.unit.as_deref()
}

/// Returns the metric that is the sum of a measure.
fn sum_of(monitor: &Monitor, measure: usize) -> Option<&Metric> {
    monitor.metrics.iter().find(|metric| metric.formula == Formula::Sum(measure))
}

fn label(monitor: &Monitor, measure: usize) -> String {
    let key = sum_of(monitor, measure).map(|metric| &metric.key);
    let key = key.or_else(|| monitor.measures.get(measure).map(|measure| &measure.key));
    key.map_or_else(String::new, |key| description::label(monitor, key))
}

/// Returns the label of the metric that is this ratio, or a label such as `Revenue per Projects` if there is none.
fn label_of_ratio(monitor: &Monitor, top: usize, bottom: usize) -> String {
    let is_it = |metric: &&Metric| matches!(metric.formula, Formula::Ratio { numerator, denominator, .. } if (numerator, denominator) == (top, bottom));
    let known = monitor.metrics.iter().find(is_it).map(|metric| description::label(monitor, &metric.key));
    known.unwrap_or_else(|| format!("{} per {}", label(monitor, top), label(monitor, bottom)))
}

/// Returns a measure's sum now and a year before, or `None` unless both are above 0 and finite.
fn year(monitor: &Monitor, day: &Day, measure: usize) -> Option<(f64, f64)> {
    let judgement = description::whole(day, &sum_of(monitor, measure)?.key)?;
    let before = judgement.comparisons.iter().find(|compared| compared.comparison == Comparison::PreviousYear)?.value;
    let now = judgement.actual?;
    (now > 0.0 && before > 0.0 && now.is_finite() && before.is_finite()).then_some((now, before))
}

fn logarithmic_mean(one: f64, other: f64) -> f64 {
    let difference = one.ln() - other.ln();
    if difference.abs() < 1e-9 { one } else { (one - other) / difference }
}
