//! Prepares a history for the model: fills gaps, takes out holidays, spikes and steps, and records what was taken out.

use super::holiday::Effects;
use super::window::{self, Window};
use super::{History, Options, Shift, median, season};

/// Values on either side with which a value is compared to find spikes.
pub(super) const SPIKE_REACH: usize = 14;
/// Robust standard deviations beyond which a value is a spike.
const SPIKE_DEVIATIONS: f64 = 5.0;
/// Values on either side of a step whose medians are compared.
const STEP_REACH: usize = 28;
/// Robust standard deviations by which the two medians must differ.
const STEP_DEVIATIONS: f64 = 4.0;
/// Values next to a step that must show most of it already: the slow turn of a season is not a step.
const STEP_EDGE: usize = 7;
/// Share of the step's height that these values must show.
const STEP_EDGE_SHARE: f64 = 0.7;
/// Steps that are taken out at most.
const STEPS_MAX: usize = 4;
/// Values that a recent change of level needs at least.
const SHIFT_MIN: usize = 4;
/// Values up to which a change of level is a recent one.
const SHIFT_MAX: usize = 20;
/// Robust standard deviations that a recent change of level must exceed, because its values are few.
const SHIFT_DEVIATIONS: f64 = 4.0;
/// Factor that makes a median absolute deviation comparable to a standard deviation.
pub(super) const MAD_TO_SIGMA: f64 = 1.4826;

/// A history that is prepared for the model.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    /// A value for every step, without holidays, spikes and steps.
    pub(super) values: Vec<f64>,
    /// The amount added to each step's value because the level changed later.
    pub(super) moved: Vec<f64>,
    /// Whether each value was a spike. The errors of spikes say nothing about the noise.
    pub(super) is_spike: Vec<bool>,
    /// A change of level that is still recent.
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

/// Fills gaps with the mean of the nearest values of the same phase, up to two on either side.
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

/// Replaces values far from their neighbours by the median of the neighbours (Hampel's filter).
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

/// Returns what to add to each step so that all steps have the level of the last: 0 after the last lasting change.
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

/// Returns the recent change of level, if there is one.
///
/// The level has changed if the last values, at least [`SHIFT_MIN`], are all nearer to the new level than to the old
/// one, and the two levels are further apart than the noise of the old one explains. [`step`] finds changes that are
/// further back than the neighbourhood of a spike reaches.
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

/// Returns where the new level of the highest step begins, and the height of the step.
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
