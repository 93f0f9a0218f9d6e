//! Measures the effect of an injection: against the data without it, and against what chance alone does.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Injection, Kind, Options, Table, World, date, events, funnel};

/// An injection, and its effect on the metric's sum over the segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    pub kind: Kind,
    /// The measure's column, or the event name.
    pub metric: String,
    pub from: Date,
    /// The last day of the injection, at most that of the data.
    pub to: Date,
    /// The segment with the injection, as values by dimension; empty for the whole.
    pub segment: BTreeMap<String, String>,
    /// The size of the injection as a share.
    pub size: f64,
    /// The expected value without the injection on an average day of it; for a drift, on its last day.
    pub expected: f64,
    /// What the injection adds to `expected`.
    pub effect: f64,
    /// The standard deviation of such a day's value by chance alone.
    pub sigma: f64,
    /// The effect in standard deviations.
    pub effect_sigmas: f64,
}

/// Simulates the segment without chance, with and without the injection, and with chance and without the injection.
pub(super) fn truth(injection: &Injection, options: &Options) -> Truth {
    let alone = Options { injections: vec![injection.clone()], ..options.clone() };
    let none = Options { injections: Vec::new(), ..options.clone() };
    let with = sums(injection, &World { options: &alone, is_noisy: false });
    let without = sums(injection, &World { options: &none, is_noisy: false });
    let drawn = sums(injection, &World { options: &none, is_noisy: true });

    let last = injection.to.map_or(options.until, |to| to.min(options.until));
    let is_measured = |day: &usize| {
        let day = date(options, *day);
        day <= last && if injection.kind == Kind::Drift { day == last } else { day >= injection.from }
    };
    let days = (0..without.len()).filter(is_measured).collect::<Vec<_>>();
    let mean = |values: &[f64]| days.iter().map(|day| values[*day]).sum::<f64>() / days.len().max(1) as f64;
    let expected = mean(&without);
    let effect = mean(&with) - expected;
    let sigma = expected * relative_deviation(&drawn, &without);
    Truth {
        kind: injection.kind,
        metric: injection.measure.clone(),
        from: injection.from,
        to: last,
        segment: injection.segment.clone(),
        size: injection.size,
        expected,
        effect,
        sigma,
        effect_sigmas: if sigma > 0.0 { effect / sigma } else { 0.0 },
    }
}

/// Returns the measure's sum over the segment for each day.
fn sums(injection: &Injection, world: &World<'_>) -> Vec<f64> {
    let is_event = events::MEASURES.contains(&injection.measure.as_str());
    let Table { dimensions, measures, rows, .. } = if is_event { events::table(world) } else { funnel::table(world) };
    let measure = measures.iter().position(|measure| *measure == injection.measure).unwrap_or_default();
    let mut sums = BTreeMap::<Date, f64>::new();
    for row in rows {
        let mut values = dimensions.iter().zip(&row.dimensions);
        let is_inside = values.all(|(name, value)| injection.segment.get(*name).is_none_or(|its| its == value));
        *sums.entry(row.day).or_default() += if is_inside { row.measures[measure] } else { 0.0 };
    }
    sums.into_values().collect()
}

/// Returns the standard deviation of the ratio of drawn to expected amounts.
fn relative_deviation(drawn: &[f64], expected: &[f64]) -> f64 {
    let ratios = drawn.iter().zip(expected).filter(|(_, expected)| **expected > 0.0).map(|(one, other)| one / other);
    let ratios = ratios.collect::<Vec<_>>();
    let mean = ratios.iter().sum::<f64>() / ratios.len().max(1) as f64;
    let squares = ratios.iter().map(|ratio| (ratio - mean) * (ratio - mean)).sum::<f64>();
    (squares / ratios.len().saturating_sub(1).max(1) as f64).sqrt()
}
