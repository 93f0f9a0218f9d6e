//! How far off the model usually is: the errors that it made from earlier origins of the same series.
//!
//! Split conformal prediction (Lei et al. 2018) over a rolling origin: an interval is as wide as the share of past
//! errors that it is to hold. Errors of different horizons are pooled after each was divided by its horizon's mean, so
//! that a quantile far out rests on all of them. Beyond the errors that were seen, an exponential tail is taken (peaks
//! over a threshold), so that one value a hundred errors away is told from one that is three away.

use std::collections::BTreeMap;

use super::clean::Prepared;
use super::{History, Model, effect};

/// Origins at the most, and the steps between two; not a multiple of seven, so that every weekday is one.
const ORIGINS_MAX: usize = 40;
const ORIGIN_STEPS: usize = 5;
/// Steps ahead that are tried from an origin.
const HORIZON_MAX: usize = 28;
/// The first step of each group of horizons.
const GROUPS: [usize; 5] = [1, 2, 4, 8, 15];
/// The largest part of a surprise that is expected to come again.
const CARRY_MAX: f64 = 0.6;
/// The share of errors beyond which the tail begins.
const TAIL: f64 = 0.1;

/// The errors of the past, by horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct Errors {
    /// The mean absolute error of each group of horizons, none smaller than the one before.
    scales: [f64; GROUPS.len()],
    /// The absolute errors over their scale, in order.
    normalised: Vec<f64>,
    /// Where the tail begins, and how long it is.
    tail: (f64, f64),
}

impl Errors {
    /// How far the true value may be from the expected one, `step` steps ahead (from 1), for it to lie within with
    /// `probability`. `noise` is the variance that counting alone gives the value, below which no model can come.
    pub fn half_width(&self, step: usize, probability: f64, noise: f64) -> f64 {
        let scale = self.scale(step, noise);
        let beyond = 1.0 - probability;
        if beyond < TAIL {
            let (start, length) = self.tail;
            return scale * (start + length * (TAIL / beyond).ln());
        }
        // The conformal quantile: the error that stands at this place of one more than were seen.
        let place = (probability * (self.normalised.len() + 1) as f64).ceil() as usize;
        scale * self.normalised.get(place.saturating_sub(1)).copied().unwrap_or(self.tail.0)
    }

    /// The probability of an error at least as large, if nothing is the matter.
    pub fn p_value(&self, error: f64, step: usize, noise: f64) -> f64 {
        let scale = self.scale(step, noise);
        if scale <= 0.0 {
            return if error == 0.0 { 1.0 } else { 0.0 };
        }
        let size = error.abs() / scale;
        let (start, length) = self.tail;
        if size > start {
            return if length > 0.0 { TAIL * (-(size - start) / length).exp() } else { 0.0 };
        }
        let beyond = self.normalised.len() - self.normalised.partition_point(|known| *known < size);
        ((beyond + 1) as f64 / (self.normalised.len() + 1) as f64).max(TAIL)
    }

    /// The mean absolute error to be expected.
    fn scale(&self, step: usize, noise: f64) -> f64 {
        let group = GROUPS.partition_point(|first| *first <= step).saturating_sub(1);
        let further = (step as f64 / HORIZON_MAX as f64).max(1.0).sqrt();
        // The mean absolute deviation of a normal variable is 0.798 of its standard deviation.
        (self.scales[group] * further).max(0.798 * noise.max(0.0).sqrt())
    }
}

/// Forecasts the series from origins in its past, and keeps by how much each was off; beside that, how much of an error
/// one step ahead the step after it has again.
pub(super) fn errors(
    history: History<'_>,
    prepared: &Prepared,
    effects: &BTreeMap<u16, f64>,
    model: Model<'_>,
) -> (Errors, f64) {
    let count = history.values.len();
    let first =
        (2 * model.options.longest_season()).max(count / 3).max(count.saturating_sub(ORIGINS_MAX * ORIGIN_STEPS));
    let mut misses = Vec::new();
    // By how much what was taken for the value of each step from the first origin on was off, one step ahead.
    let mut surprises = Vec::with_capacity(count.saturating_sub(first));
    for origin in first..count {
        let is_far = (count - origin) % ORIGIN_STEPS == 0;
        let horizon = if is_far { HORIZON_MAX.min(count - origin) } else { 1 };
        for (index, parts) in model.project(&prepared.values[..origin], horizon).iter().enumerate() {
            let step = origin + index;
            if index == 0 {
                surprises.push(prepared.values[step] - parts.sum());
            }
            let Some(value) = history.values[step] else { continue };
            let expected = parts.sum() + effect(effects, history.holidays.get(step));
            misses.push(Miss { origin, ahead: index + 1, error: value + prepared.moved[step] - expected });
        }
    }
    let carry = carry(&surprises);
    let mut by_group: [Vec<f64>; GROUPS.len()] = Default::default();
    for Miss { origin, ahead, error } in misses {
        let surprise = origin.checked_sub(first + 1).map_or(0.0, |place| surprises[place]);
        let group = GROUPS.partition_point(|first| *first <= ahead) - 1;
        by_group[group].push((error - carry.powf(ahead as f64) * surprise).abs());
    }
    (normalise(by_group), carry)
}

/// How far off a step was that was forecast from an origin.
struct Miss {
    origin: usize,
    ahead: usize,
    error: f64,
}

/// The part of a surprise that comes again on the step after: their first autocorrelation, where it is one.
fn carry(surprises: &[f64]) -> f64 {
    let products = surprises.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>();
    let squares = surprises.iter().map(|surprise| surprise * surprise).sum::<f64>();
    let share = if squares > 0.0 { products / squares } else { 0.0 };
    let noise = 2.0 / (surprises.len().max(1) as f64).sqrt();
    if share > noise { share.min(CARRY_MAX) } else { 0.0 }
}

fn normalise(by_group: [Vec<f64>; GROUPS.len()]) -> Errors {
    let mut scales = [0.0_f64; GROUPS.len()];
    let mut normalised = Vec::new();
    let mut least = 0.0_f64;
    for (scale, errors) in scales.iter_mut().zip(by_group) {
        let mean = errors.iter().sum::<f64>() / errors.len().max(1) as f64;
        least = least.max(mean);
        *scale = least;
        normalised.extend(errors.into_iter().map(|error| if least > 0.0 { error / least } else { 0.0 }));
    }
    normalised.sort_unstable_by(f64::total_cmp);
    let start = ((1.0 - TAIL) * normalised.len() as f64) as usize;
    let threshold = normalised.get(start).copied().unwrap_or_default();
    let beyond = &normalised[start.min(normalised.len())..];
    let length = beyond.iter().map(|size| size - threshold).sum::<f64>() / beyond.len().max(1) as f64;
    Errors { scales, normalised, tail: (threshold, length) }
}
