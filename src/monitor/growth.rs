//! Growth over a year, split into what made it: traffic, conversion, monetisation.
//!
//! A total is a product along the funnel: revenue = visitors × requests per visitor × ... × revenue per contact. The
//! change of a product is the sum over its factors of `L × ln(now / before)`, where `L` is the logarithmic mean of the
//! total now and before (Ang, *Energy Policy* 32, 2004: LMDI). It adds up to the change, with no rest.

use serde::{Deserialize, Serialize};

use super::day::Day;
use super::registry::{Comparison, Formula, Monitor};

/// A total's growth over a year.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Growth {
    /// The metric's key.
    pub metric: String,
    /// What was measured.
    pub actual: f64,
    /// What was measured a year before.
    pub before: f64,
    /// What made the change; the amounts add up to it.
    pub parts: Vec<Part>,
}

/// One factor's part of a growth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Part {
    /// The metric's key.
    pub metric: String,
    /// What kind of factor it is.
    pub kind: Kind,
    /// The factor's own change, as a share.
    pub change: f64,
    /// What that did to the total, in the total's unit.
    pub amount: f64,
}

/// What kind of factor makes a total grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// How many come.
    Traffic,
    /// How many of them go on.
    Conversion,
    /// What one of them is worth.
    Monetisation,
}

impl Kind {
    /// `traffic`
    pub fn name(self) -> &'static str {
        match self {
            Self::Traffic => "traffic",
            Self::Conversion => "conversion",
            Self::Monetisation => "monetisation",
        }
    }
}

/// Splits the growth of the total that the longest chain of ratios leads to; `None` where no two ratios make a chain, or a
/// value is missing or not above 0.
pub fn split(monitor: &Monitor, day: &Day) -> Option<Growth> {
    let chains = monitor.metrics.iter().filter_map(|metric| match metric.formula {
        Formula::Sum(measure) => Some((metric.key.as_str(), chain(monitor, measure))),
        Formula::Ratio { .. } => None,
    });
    let longest = chains.fold(None, |longest: Option<(&str, Chain<'_>)>, next| match longest {
        Some(longest) if longest.1.ratios.len() >= next.1.ratios.len() => Some(longest),
        _ => Some(next),
    });
    let (metric, chain) = longest.filter(|(_, chain)| chain.ratios.len() >= 2)?;
    let (actual, before) = year(monitor, day, chain.total)?;
    let mean = logarithmic_mean(actual, before);
    let root = year(monitor, day, chain.root)?;
    let part = |metric: &str, kind, (now, before): (f64, f64)| Part {
        metric: metric.to_owned(),
        kind,
        change: now / before - 1.0,
        amount: mean * (now / before).ln(),
    };
    let mut parts = vec![part(sum_of(monitor, chain.root)?, Kind::Traffic, root)];
    for ratio in chain.ratios.iter().rev() {
        let (top, bottom) = (year(monitor, day, ratio.numerator)?, year(monitor, day, ratio.denominator)?);
        let counts = monitor.measures.get(ratio.numerator).is_some_and(|measure| measure.is_count);
        let kind = if counts { Kind::Conversion } else { Kind::Monetisation };
        parts.push(part(ratio.metric, kind, (top.0 / bottom.0, top.1 / bottom.1)));
    }
    Some(Growth { metric: metric.to_owned(), actual, before, parts })
}

/// Ratios each of which has the next one's numerator as its denominator.
struct Chain<'a> {
    total: usize,
    ratios: Vec<Ratio<'a>>,
    root: usize,
}

struct Ratio<'a> {
    metric: &'a str,
    numerator: usize,
    denominator: usize,
}

/// From a total down to what everything starts with; of several ratios of a measure the registry's first is taken.
fn chain(monitor: &Monitor, total: usize) -> Chain<'_> {
    let mut chain = Chain { total, ratios: Vec::new(), root: total };
    while let Some(ratio) = monitor.metrics.iter().find_map(|metric| match metric.formula {
        Formula::Ratio { numerator, denominator, .. } if numerator == chain.root => {
            Some(Ratio { metric: &metric.key, numerator, denominator })
        }
        Formula::Ratio { .. } | Formula::Sum(_) => None,
    }) {
        let seen = chain.ratios.iter().any(|known| known.numerator == ratio.denominator);
        if seen || ratio.denominator == ratio.numerator {
            break;
        }
        chain.root = ratio.denominator;
        chain.ratios.push(ratio);
    }
    chain
}

/// The key of the metric that is a measure's sum.
fn sum_of(monitor: &Monitor, measure: usize) -> Option<&str> {
    let is_it = |metric: &&super::registry::Metric| metric.formula == Formula::Sum(measure);
    monitor.metrics.iter().find(is_it).map(|metric| metric.key.as_str())
}

/// A measure's sum now and a year before, where both are above 0.
fn year(monitor: &Monitor, day: &Day, measure: usize) -> Option<(f64, f64)> {
    let key = sum_of(monitor, measure)?;
    let judgement = day.judgements.iter().find(|judgement| judgement.metric == key && judgement.segment.is_whole())?;
    let before = judgement.comparisons.iter().find(|compared| compared.comparison == Comparison::PreviousYear)?.value;
    let now = judgement.actual?;
    (now > 0.0 && before > 0.0 && now.is_finite() && before.is_finite()).then_some((now, before))
}

fn logarithmic_mean(one: f64, other: f64) -> f64 {
    let difference = one.ln() - other.ln();
    if difference.abs() < 1e-9 { one } else { (one - other) / difference }
}
