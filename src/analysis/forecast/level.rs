//! Projects the level of a series without seasons, and its drift: the mean of three members.

use super::median;

/// Steps of the shorter median beside Theta: two weeks of days.
const SHORT: usize = 14;
/// Steps of the longer median beside Theta: eight weeks of days.
const LONG: usize = 56;
/// Steps whose mean is the first level of exponential smoothing, and whose errors do not count.
const WARM_UP: usize = 14;
/// Number of candidates for the smoothing constant, which are evenly spaced.
const CANDIDATES: u32 = 25;

/// The constant of exponential smoothing: the share of the last error that the level takes up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Smoothing(f64);

impl Smoothing {
    /// Returns the constant with the least squared error one step ahead.
    pub(super) fn fit(values: &[f64]) -> Self {
        let candidates = (0..CANDIDATES).map(|index| Self(0.02 + 0.96 * f64::from(index) / f64::from(CANDIDATES - 1)));
        let scored = candidates.map(|candidate| (candidate.run(values).1, candidate));
        scored.min_by(|left, right| left.0.total_cmp(&right.0)).map_or(Self(0.5), |(_, best)| best)
    }

    /// Returns the last level, and the sum of squared errors one step ahead after the warm-up.
    fn run(self, values: &[f64]) -> (f64, f64) {
        let warm_up = &values[..WARM_UP.min(values.len())];
        let mut level = warm_up.iter().sum::<f64>() / warm_up.len().max(1) as f64;
        let mut squares = 0.0;
        for (step, value) in values.iter().enumerate() {
            let error = value - level;
            squares += if step >= WARM_UP { error * error } else { 0.0 };
            level += self.0 * error;
        }
        (level, squares)
    }
}

/// Returns the level of each of the `horizon` steps after `values`, which must have no seasons.
pub(super) fn project(values: &[f64], horizon: usize, smoothing: Smoothing) -> Vec<f64> {
    let (level, _) = smoothing.run(values);
    let recent = |steps: usize| median(&mut values[values.len().saturating_sub(steps)..].to_vec());
    let medians = recent(SHORT) + recent(LONG);
    let drift = slope(values) / 2.0;
    // The smoothed level lags behind the trend, and Theta's forecast makes up for the lag.
    let lag = (1.0 - (1.0 - smoothing.0).powf(values.len() as f64)) / smoothing.0;
    (0..horizon).map(|step| (level + drift * (step as f64 + lag) + medians) / 3.0).collect()
}

/// Returns the slope of the least-squares line.
fn slope(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / count;
    let covariance =
        values.iter().enumerate().map(|(step, value)| (step as f64 - middle) * (value - mean)).sum::<f64>();
    let variance = count * (count * count - 1.0) / 12.0;
    if variance > 0.0 { covariance / variance } else { 0.0 }
}
