//! What an injection comes to: beside what there would have been without it, and beside what chance alone does.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Injection, Kind, Options, Table, World, date, events, funnel};

/// What was done, and its effect on the metric's sum over the segment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// What was done.
    pub kind: Kind,
    /// The measure's column, or event name.
    pub metric: String,
    /// The first day.
    pub from: Date,
    /// The last day, or that of the data.
    pub to: Date,
    /// The part of the whole that it was done to; everything where it is empty.
    pub segment: BTreeMap<String, String>,
    /// How much, as a share.
    pub size: f64,
    /// What was to be expected on an average day of it.
    pub expected: f64,
    /// What it adds to that; of a drift, on its last day.
    pub effect: f64,
    /// The standard deviation of what chance alone does to such a day.
    pub sigma: f64,
    /// The effect in standard deviations.
    pub effect_sigmas: f64,
}

/// Runs the segment without chance, with the injection and without, and without the injection with chance.
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

/// The measure's sum over the segment, a day each.
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

/// The standard deviation of drawn amounts over those to be expected.
fn relative_deviation(drawn: &[f64], expected: &[f64]) -> f64 {
    let ratios = drawn.iter().zip(expected).filter(|(_, expected)| **expected > 0.0).map(|(one, other)| one / other);
    let ratios = ratios.collect::<Vec<_>>();
    let mean = ratios.iter().sum::<f64>() / ratios.len().max(1) as f64;
    let squares = ratios.iter().map(|ratio| (ratio - mean) * (ratio - mean)).sum::<f64>();
    (squares / ratios.len().saturating_sub(1).max(1) as f64).sqrt()
}
