//! Whether a value is out of the ordinary: two signals that must agree, and control of the false discoveries of a day.
//!
//! A value is *suspected* when it lies outside of its interval and its anomaly probability reaches the metric's threshold.
//! Of all values judged on a day, suspected ones stay *anomalous* only if the procedure of Benjamini and Hochberg (1995)
//! keeps them, so that watching a thousand segments does not mean a false alarm a day by construction.

use super::forecast::Forecast;

/// The share of false discoveries that is put up with among those of a day.
pub const FALSE_DISCOVERY_RATE: f64 = 0.05;

/// When a value is suspected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// How much of the past the interval holds: 0.95.
    pub interval: f64,
    /// The anomaly probability from which a value is suspected: 0.99.
    pub probability: f64,
}

/// A value beside what was to be expected of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// What was measured.
    pub actual: f64,
    /// What was to be expected.
    pub expected: f64,
    /// The interval's lower end.
    pub lower: f64,
    /// The interval's upper end.
    pub upper: f64,
    /// How improbable a value so far off is, if nothing is the matter: the p-value.
    pub p_value: f64,
    /// Whether both signals agree.
    pub suspected: bool,
}

impl Score {
    /// Judges the value `step` steps (from 1) after the history that was forecast. `noise` is the variance that counting
    /// alone gives it; no less than `floor` is possible, such as 0 of a count.
    pub fn of(actual: f64, forecast: &Forecast, step: usize, noise: f64, floor: f64, thresholds: Thresholds) -> Self {
        let expected =
            forecast.steps.get(step.saturating_sub(1)).map_or(f64::NAN, super::forecast::Parts::sum).max(floor);
        let half_width = forecast.errors.half_width(step, thresholds.interval, noise);
        let (lower, upper) = ((expected - half_width).max(floor), expected + half_width);
        let p_value = forecast.errors.p_value(actual - expected, step, noise);
        let outside = actual < lower || actual > upper;
        Self { actual, expected, lower, upper, p_value, suspected: outside && 1.0 - p_value >= thresholds.probability }
    }

    /// Measured less expected, over expected; `None` where nothing was to be expected.
    pub fn deviation(&self) -> Option<f64> {
        (self.expected.abs() > f64::EPSILON).then(|| (self.actual - self.expected) / self.expected.abs())
    }

    /// The anomaly probability.
    pub fn probability(&self) -> f64 {
        1.0 - self.p_value
    }

    /// The deviation in standard deviations, of which the interval's half width is 1.96.
    pub fn z(&self, half_width: f64) -> f64 {
        if half_width > 0.0 { 1.96 * (self.actual - self.expected) / half_width } else { 0.0 }
    }
}

/// The largest p-value that is kept, of all those of a day, so that no more than `rate` of the kept are false on average.
pub fn discovery_threshold(p_values: &[f64], rate: f64) -> f64 {
    let mut ordered = p_values.to_vec();
    ordered.sort_unstable_by(f64::total_cmp);
    let count = ordered.len() as f64;
    let kept = ordered.iter().enumerate().filter(|(index, p_value)| **p_value <= rate * (*index as f64 + 1.0) / count);
    kept.last().map_or(0.0, |(_, p_value)| *p_value)
}
