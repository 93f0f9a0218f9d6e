//! Estimates the effects of special days, and the uncertainty of these effects.

use std::collections::BTreeMap;

use super::clean::{MAD_TO_SIGMA, SPIKE_REACH, fill};
use super::{History, Options, median, season};

/// The effect of each special day, by the number of the day's name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Effects {
    known: BTreeMap<u16, Effect>,
    /// The variance of the effect of a day that has not been seen before.
    unknown: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Effect {
    height: f64,
    /// The variance of `height` around the true effect.
    variance: f64,
}

impl Effects {
    /// Returns the usual effect of a step's special day, or 0 if there is none.
    pub(super) fn of(&self, holiday: Option<&Option<u16>>) -> f64 {
        let effect = holiday.copied().flatten().and_then(|name| self.known.get(&name));
        effect.map_or(0.0, |effect| effect.height)
    }

    /// Returns the variance of that effect, or 0 for a step without a special day.
    pub(super) fn variance(&self, holiday: Option<u16>) -> f64 {
        holiday.map_or(0.0, |name| self.known.get(&name).map_or(self.unknown, |effect| effect.variance))
    }
}

/// Estimates how much each named day differs from its neighbourhood, shrunk towards 0 as far as noise alone would
/// explain it.
pub(super) fn effects(history: History<'_>, options: &Options) -> Effects {
    let mut seen: BTreeMap<u16, Vec<f64>> = BTreeMap::new();
    if history.holidays.iter().all(Option::is_none) {
        return Effects::default();
    }
    let values = fill(history.values, options.longest_season());
    let rest = season::without(&values, &options.seasons);
    let is_plain = |step: usize| history.holidays.get(step).is_none_or(Option::is_none);
    let mut noise = Vec::with_capacity(values.len());
    for step in 0..values.len() {
        let around = step.saturating_sub(SPIKE_REACH)..(step + SPIKE_REACH + 1).min(values.len());
        let mut plain = around.filter(|step| is_plain(*step)).map(|step| rest[step]).collect::<Vec<_>>();
        let deviation = rest[step] - median(&mut plain);
        match history.holidays.get(step).copied().flatten() {
            Some(name) if history.values[step].is_some() => seen.entry(name).or_default().push(deviation),
            Some(_) => {}
            None => noise.push(deviation.abs()),
        }
    }
    let sigma = MAD_TO_SIGMA * median(&mut noise);
    let effect = |deviations: &Vec<f64>| {
        let count = deviations.len() as f64;
        let mean = deviations.iter().sum::<f64>() / count;
        let variance = sigma * sigma / count;
        Effect { height: mean * (1.0 - variance / (mean * mean)).max(0.0), variance }
    };
    let known = seen.iter().map(|(name, deviations)| (*name, effect(deviations))).collect::<BTreeMap<_, _>>();
    let squares = known.values().map(|effect| effect.height * effect.height).sum::<f64>();
    Effects { unknown: squares / known.len().max(1) as f64, known }
}
