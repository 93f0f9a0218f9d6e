//! A history made fit for the model: gaps filled, holidays, spikes and steps taken out, and what was taken remembered.

use super::holiday::Effects;
use super::window::{self, Window};
use super::{History, Options, Shift, median, season};

/// Values either side that a spike is judged by, and how many robust deviations away it lies.
pub(super) const SPIKE_REACH: usize = 14;
const SPIKE_DEVIATIONS: f64 = 5.0;
/// Values either side of a step whose medians are compared, and how many robust deviations they differ by.
const STEP_REACH: usize = 28;
const STEP_DEVIATIONS: f64 = 4.0;
/// Values right beside a step, which must show most of it already: a season's slow turn is no step.
const STEP_EDGE: usize = 7;
const STEP_EDGE_SHARE: f64 = 0.7;
const STEPS_MAX: usize = 4;
/// Values that bear out a young change of level, at the least and at the most, and how many robust deviations it must be
/// high while they are so few.
const SHIFT_MIN: usize = 4;
const SHIFT_MAX: usize = 20;
const SHIFT_DEVIATIONS: f64 = 4.0;
/// Makes a median absolute deviation comparable to a standard deviation.
pub(super) const MAD_TO_SIGMA: f64 = 1.4826;

/// A history that the model can take.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    /// A value for every step, without holidays, spikes and steps.
    pub(super) values: Vec<f64>,
    /// What was added to each step's value because the level changed later.
    pub(super) moved: Vec<f64>,
    /// Which values were spikes: what they were off by tells nothing of the noise.
    pub(super) is_spike: Vec<bool>,
    /// A change of level that is still young.
    pub(super) shift: Option<Shift>,
}

pub(super) fn prepare(history: History<'_>, options: &Options, effects: &Effects) -> Prepared {
    let mut values = fill(history.values, options.longest_season());
    for (step, value) in values.iter_mut().enumerate() {
        *value -= effects.of(history.holidays.get(step));
    }
    let mut rest = season::without(&values, &options.seasons);
    let mut moved = vec![0.0; values.len()];
    let shift = recent_shift(&rest);
    if let Some(shift) = shift {
        let at = values.len() - shift.steps;
        for step in 0..at {
            moved[step] = shift.height;
            rest[step] += shift.height;
        }
    }
    let smooth = without_spikes(&rest);
    let earlier = moves(&smooth);
    for (step, value) in values.iter_mut().enumerate() {
        let spike = smooth[step] - rest[step];
        moved[step] += earlier[step];
        *value += spike + moved[step];
    }
    let is_spike = smooth.iter().zip(&rest).map(|(smooth, rest)| (smooth - rest).abs() > 0.0).collect();
    Prepared { values, moved, is_spike, shift }
}

/// Gaps filled with the mean of the nearest values of the same phase, two either side.
pub(super) fn fill(values: &[Option<f64>], period: usize) -> Vec<f64> {
    let known = values.iter().flatten();
    let mean = known.clone().sum::<f64>() / known.count().max(1) as f64;
    let alike = |step: usize| {
        let before = (0..step).rev().skip(period - 1).step_by(period).filter_map(|step| values[step]).take(2);
        let after = (step + period..values.len()).step_by(period).filter_map(|step| values[step]).take(2);
        let (sum, count) = before.chain(after).fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        if count > 0.0 { sum / count } else { mean }
    };
    values.iter().enumerate().map(|(step, value)| value.unwrap_or_else(|| alike(step))).collect()
}

/// Values far from their neighbours are replaced by the neighbours' median (Hampel's filter).
fn without_spikes(values: &[f64]) -> Vec<f64> {
    let mut window = Window::default();
    values.iter().take(SPIKE_REACH).for_each(|value| window.insert(*value));
    let mut smooth = values.to_vec();
    for (step, value) in values.iter().enumerate() {
        if let Some(entering) = values.get(step + SPIKE_REACH) {
            window.insert(*entering);
        }
        if let Some(left) = step.checked_sub(SPIKE_REACH + 1) {
            window.remove(values[left]);
        }
        let middle = window.median();
        let sigma = MAD_TO_SIGMA * window.deviation(middle);
        if sigma > 0.0 && (value - middle).abs() > SPIKE_DEVIATIONS * sigma {
            smooth[step] = middle;
        }
    }
    smooth
}

/// What to add to each step so that all of them stand at the level of the last: 0 after the last lasting change.
fn moves(values: &[f64]) -> Vec<f64> {
    let mut moved = vec![0.0; values.len()];
    let mut level = values.to_vec();
    for _ in 0..STEPS_MAX {
        let Some((at, height)) = step(&level) else { break };
        for (value, moved) in level[..at].iter_mut().zip(&mut moved) {
            *value += height;
            *moved += height;
        }
    }
    moved
}

/// The level has changed if the last values, [`SHIFT_MIN`] of them at least, all lie nearer to the new level than to the
/// old, and the two are further apart than the old one's noise can be. Longer ago than a spike's neighbourhood reaches,
/// [`step`] finds it.
fn recent_shift(values: &[f64]) -> Option<Shift> {
    let shift = |steps: usize| {
        let at = values.len() - steps;
        let before = &values[at.checked_sub(STEP_REACH)?..at];
        let level = median(&mut before.to_vec());
        let sigma = MAD_TO_SIGMA * median(&mut before.iter().map(|value| (value - level).abs()).collect::<Vec<_>>());
        let height = median(&mut values[at..].to_vec()) - level;
        let is_there = |value: &f64| (value - level) / height > 0.5;
        let lasts = values[at..].iter().all(is_there) && !is_there(&values[at - 1]);
        (lasts && height.abs() > SHIFT_DEVIATIONS * sigma).then_some(Shift { steps, height })
    };
    (SHIFT_MIN..=SHIFT_MAX).rev().find_map(shift)
}

/// The highest step, and where the new level begins.
fn step(values: &[f64]) -> Option<(usize, f64)> {
    let mut differences =
        values.windows(2).map(|pair| (pair[1] - pair[0]).abs() / std::f64::consts::SQRT_2).collect::<Vec<_>>();
    let sigma = MAD_TO_SIGMA * median(&mut differences);
    let last = values.len().checked_sub(STEP_REACH / 2)?;
    let levels = window::medians(values, STEP_REACH);
    let height = |at: usize| {
        let level = levels.get(at).copied().unwrap_or_else(|| median(&mut values[at..].to_vec()));
        level - levels[at - STEP_REACH]
    };
    let abrupt = |at: usize, height: f64| {
        let before = median(&mut values[at - STEP_EDGE..at].to_vec());
        let edge = median(&mut values[at..(at + STEP_EDGE).min(values.len())].to_vec()) - before;
        edge.signum() == height.signum() && edge.abs() >= STEP_EDGE_SHARE * height.abs()
    };
    (STEP_REACH..=last)
        .map(|at| (at, height(at)))
        .filter(|(at, height)| sigma > 0.0 && height.abs() > STEP_DEVIATIONS * sigma && abrupt(*at, *height))
        .max_by(|left, right| left.1.abs().total_cmp(&right.1.abs()))
}
