//! Measures how far off the model usually is, by the errors that it made from earlier origins of the same series.
//!
//! Split conformal prediction (Lei et al. 2018) over a rolling origin: an interval is wide enough to contain the
//! required share of past errors. Errors of different horizons are divided by the mean error of their horizon and then
//! pooled, so that a quantile far out rests on all of them. Beyond the observed errors the tail is exponential (peaks
//! over a threshold), so that a value a hundred errors away is distinguished from one that is three away.

use super::clean::Prepared;
use super::holiday::Effects;
use super::{History, Model, median};

/// Origins from which the whole horizon is forecast, at most. One step is forecast from every origin.
const ORIGINS_MAX: usize = 40;
/// Steps between two such origins. Not a multiple of seven, so that every weekday becomes one.
const ORIGIN_STEPS: usize = 5;
/// Steps of the whole horizon.
const HORIZON_MAX: usize = 28;
/// The first step of each group of horizons.
const GROUPS: [usize; 5] = [1, 2, 4, 8, 15];
/// The largest share of a surprise that is expected to recur.
const CARRY_MAX: f64 = 0.6;
/// Rounding error of sums, as a share of a series' size.
const ROUNDING: f64 = 1e-9;
/// Share of the errors that forms the tail of each side.
const TAIL: f64 = 0.05;
/// The length of a normal variable's tail, in mean absolute errors.
const LENGTH_NORMAL: f64 = 0.52;

/// The mean absolute deviation of a normal variable, in standard deviations.
const MEAN_NORMAL: f64 = 0.798;

/// The variance of a value that the model's errors do not show, on the scale of the model.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Variance {
    /// The least variance of the model's errors.
    pub(super) least: f64,
    /// The variance to add to that of the model's errors.
    pub(super) more: f64,
}

/// The model's errors in the past, by horizon.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Errors {
    /// The size up to which an error is only the rounding of a sum.
    rounding: f64,
    /// The mean absolute error of each group of horizons, none smaller than the one before.
    scales: [f64; GROUPS.len()],
    /// The two sides are kept apart, because the noise of counts and of logarithms differs between them.
    below: Side,
    above: Side,
}

impl Errors {
    /// Returns how far below and above the expected value the interval reaches that contains the true value with
    /// `probability`, `step` steps ahead (from 1).
    pub(super) fn reach(&self, step: usize, probability: f64, noise: Variance) -> (f64, f64) {
        let scale = self.scale(step, noise);
        let beyond = (1.0 - probability) / 2.0;
        (scale * self.below.size(beyond), scale * self.above.size(beyond))
    }

    /// Returns one standard deviation on the side of `error`: the reach of the 95% interval, divided by 1.96.
    pub(super) fn sigma(&self, error: f64, step: usize, noise: Variance) -> f64 {
        let (below, above) = self.reach(step, 0.95, noise);
        (if error < 0.0 { below } else { above }) / 1.96
    }

    /// Returns the probability of an error at least as improbable, on either side, by chance alone.
    pub(super) fn p_value(&self, error: f64, step: usize, noise: Variance) -> f64 {
        let scale = self.scale(step, noise);
        if error.abs() <= self.rounding {
            return 1.0;
        }
        if scale <= 0.0 {
            return 0.0;
        }
        let side = if error < 0.0 { &self.below } else { &self.above };
        (2.0 * side.beyond(error.abs() / scale)).min(1.0)
    }

    /// Returns the mean absolute error to expect.
    fn scale(&self, step: usize, noise: Variance) -> f64 {
        let group = GROUPS.partition_point(|first| *first <= step).saturating_sub(1);
        let further = (step as f64 / HORIZON_MAX as f64).max(1.0).sqrt();
        let scale = (self.scales[group] * further).max(MEAN_NORMAL * noise.least.max(0.0).sqrt());
        scale.hypot(MEAN_NORMAL * noise.more.sqrt())
    }
}

/// The errors on one side of the expected value.
#[derive(Debug, Clone, Default, PartialEq)]
struct Side {
    /// The sizes of the errors over their scale, in ascending order.
    sizes: Vec<f64>,
    /// The number of errors on both sides together.
    count: usize,
    /// The size at which the tail begins.
    start: f64,
    /// The share of all errors that the tail contains.
    share: f64,
    /// The mean excess of the errors in the tail over its beginning, drawn towards that of a normal variable.
    length: f64,
}

impl Side {
    /// Keeps the positive ones of `errors`, which are the errors of both sides over their scale.
    fn of(errors: impl ExactSizeIterator<Item = f64>) -> Self {
        let count = errors.len();
        let mut sizes = errors.filter(|size| *size > 0.0).collect::<Vec<_>>();
        sizes.sort_unstable_by(f64::total_cmp);
        let kept = ((TAIL * count as f64) as usize).min(sizes.len());
        let (inner, tail) = sizes.split_at(sizes.len() - kept);
        let start = inner.last().copied().unwrap_or_default();
        let mean = tail.iter().map(|size| size - start).sum::<f64>() / kept.max(1) as f64;
        let share = (kept + 1) as f64 / (count + 1) as f64;
        // The few errors in a tail come from even fewer days, so that half of their mean is chance.
        let length = f64::midpoint(mean, LENGTH_NORMAL).max(LENGTH_NORMAL);
        Self { sizes, count, start, share, length }
    }

    /// Returns the probability of a larger error on this side.
    fn beyond(&self, size: f64) -> f64 {
        if size > self.start {
            return self.share * (-(size - self.start) / self.length).exp();
        }
        let larger = self.sizes.len() - self.sizes.partition_point(|known| *known < size);
        ((larger + 1) as f64 / (self.count + 1) as f64).max(self.share)
    }

    /// Returns the size that an error on this side exceeds with probability `beyond`.
    fn size(&self, beyond: f64) -> f64 {
        if beyond < self.share {
            return self.start + self.length * (self.share / beyond.max(f64::MIN_POSITIVE)).ln();
        }
        // The conformal quantile: the rank is among one error more than were observed.
        let larger = (beyond * (self.count + 1) as f64) as usize;
        self.sizes.len().checked_sub(larger).and_then(|place| self.sizes.get(place)).copied().unwrap_or_default()
    }
}

/// Forecasts the series from origins in its past. Returns the errors, and the share of an error one step ahead that
/// recurs at the next step.
pub(super) fn errors(history: History<'_>, prepared: &Prepared, effects: &Effects, model: Model<'_>) -> (Errors, f64) {
    let count = history.values.len();
    let first =
        (2 * model.options.longest_season()).max(count / 3).max(count.saturating_sub(ORIGINS_MAX * ORIGIN_STEPS));
    let mut misses = Vec::new();
    // One-step errors of the prepared values, for each step from the first origin on.
    let mut surprises = Vec::with_capacity(count.saturating_sub(first));
    for origin in first..count {
        let is_far = (count - origin).is_multiple_of(ORIGIN_STEPS);
        let horizon = if is_far { HORIZON_MAX.min(count - origin) } else { 1 };
        for (index, parts) in model.project(&prepared.values[..origin], horizon).iter().enumerate() {
            let step = origin + index;
            if index == 0 {
                surprises.push(prepared.values[step] - parts.sum());
            }
            let Some(value) = history.values[step].filter(|_| !prepared.is_spike[step]) else { continue };
            let expected = parts.sum() + effects.of(history.holidays.get(step));
            misses.push(Miss { origin, ahead: index + 1, error: value + prepared.moved[step] - expected });
        }
    }
    let carry = carry(&surprises);
    let mut by_group: [Vec<f64>; GROUPS.len()] = Default::default();
    for Miss { origin, ahead, error } in misses {
        let surprise = origin.checked_sub(first + 1).map_or(0.0, |place| surprises[place]);
        let group = GROUPS.partition_point(|first| *first <= ahead) - 1;
        by_group[group].push(error - carry.powf(ahead as f64) * surprise);
    }
    let size = prepared.values.iter().map(|value| value.abs()).sum::<f64>() / count.max(1) as f64;
    (normalise(by_group, ROUNDING * size), carry)
}

/// The error of one step that was forecast from an origin.
struct Miss {
    origin: usize,
    ahead: usize,
    error: f64,
}

/// Returns the share of a surprise that recurs at the next step: the first autocorrelation, or 0 if it may be chance.
fn carry(surprises: &[f64]) -> f64 {
    let products = surprises.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>();
    let squares = surprises.iter().map(|surprise| surprise * surprise).sum::<f64>();
    let share = if squares > 0.0 { products / squares } else { 0.0 };
    let noise = 2.0 / (surprises.len().max(1) as f64).sqrt();
    if share > noise { share.min(CARRY_MAX) } else { 0.0 }
}

fn normalise(by_group: [Vec<f64>; GROUPS.len()], rounding: f64) -> Errors {
    let mut scales = [0.0_f64; GROUPS.len()];
    let mut normalised = Vec::new();
    let mut least = 0.0_f64;
    let mean_size = |errors: &[f64]| errors.iter().map(|error| error.abs()).sum::<f64>() / errors.len().max(1) as f64;
    for (scale, mut errors) in scales.iter_mut().zip(by_group) {
        least = least.max(mean_size(&errors));
        *scale = least;
        // Errors that were on one side for a while, such as in spring, say nothing about the side of future errors.
        let middle = median(&mut errors);
        for error in &mut errors {
            *error -= middle;
        }
        let size = mean_size(&errors);
        normalised.extend(errors.into_iter().map(|error| if size > 0.0 { error / size } else { 0.0 }));
    }
    let below = Side::of(normalised.iter().map(|error| -error));
    Errors { rounding, scales, below, above: Side::of(normalised.into_iter()) }
}
