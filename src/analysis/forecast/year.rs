//! The yearly season: a share of the move that the level made at this time last year.
//!
//! Two years of days are too few for indices by day of the year. Only the move of the level is used, and only if it
//! would have improved forecasts from recent origins.

use super::level::Smoothing;
use super::{Model, Options};

/// Steps over which the level a year ago is averaged.
const WINDOW: usize = 29;
/// Shares of last year's move that are tried.
const SHARES: [f64; 3] = [0.0, 0.25, 0.5];
/// Share of the error that the move must save to be used.
const GAIN_MIN: f64 = 0.03;
/// Origins in the past from which the shares are tried.
const ORIGINS: usize = 6;
/// Steps between two origins, and steps forecast from each.
const ORIGIN_STEPS: usize = 28;

/// Returns what the yearly season adds to each of the `horizon` steps after `values`.
pub(super) fn project(values: &[f64], horizon: usize, options: &Options, share: f64) -> Vec<f64> {
    let moves = (share > 0.0).then(|| moves(values, horizon, options)).flatten();
    moves.map_or_else(|| vec![0.0; horizon], |moves| moves.into_iter().map(|step| share * step).collect())
}

/// Returns how far the level of each step a year ago was from its level at the origin a year ago. Returns `None` if
/// there is no yearly season or the history is too short.
fn moves(values: &[f64], horizon: usize, options: &Options) -> Option<Vec<f64>> {
    let count = values.len();
    let origin = count.checked_sub(options.year?)?;
    let before = values.get(origin.checked_sub(WINDOW - 1)?..origin)?;
    let base = mean(before);
    let level = |step: usize| {
        let middle = origin + step;
        mean(&values[middle.saturating_sub(WINDOW / 2)..(middle + WINDOW / 2 + 1).min(count)])
    };
    Some((0..horizon).map(|step| level(step) - base).collect())
}

/// Returns the share of last year's move to use.
pub(super) fn share(values: &[f64], options: &Options, smoothing: Smoothing) -> f64 {
    let Some(year) = options.year else { return 0.0 };
    let model = Model { options, smoothing, year_share: 0.0 };
    let mut errors = [0.0; SHARES.len()];
    for origin in (1..=ORIGINS).filter_map(|number| values.len().checked_sub(number * ORIGIN_STEPS)) {
        let (known, to_come) = values.split_at(origin);
        let to_come = &to_come[..ORIGIN_STEPS];
        let Some(moves) = (origin >= year + 2 * WINDOW).then(|| moves(known, ORIGIN_STEPS, options)).flatten() else {
            break;
        };
        for ((parts, moved), value) in model.project(known, ORIGIN_STEPS).iter().zip(moves).zip(to_come) {
            for (error, share) in errors.iter_mut().zip(SHARES) {
                *error += (value - parts.sum() - share * moved).abs();
            }
        }
    }
    let (best, share) =
        errors.into_iter().zip(SHARES).min_by(|left, right| left.0.total_cmp(&right.0)).unwrap_or_default();
    if best < (1.0 - GAIN_MIN) * errors[0] { share } else { 0.0 }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
