//! Decides whether a value is anomalous: two signals must agree, and a day's false discoveries are controlled.
//!
//! A value is *suspected* if it lies outside its interval and its anomaly probability reaches the metric's threshold.
//! Of a day's suspected values, only those that pass the procedure of Benjamini and Hochberg (1995) are kept, so that
//! watching a thousand segments does not raise a false alarm every day by construction.
//!
//! The noise of the value itself limits how certain a forecast can be. A count has Poisson noise and a share has
//! binomial noise: an interval never assumes a smaller variance, and the anomaly probability of a count is never higher
//! than the Poisson distribution gives.

use statrs::distribution::{DiscreteCDF as _, Poisson};

use super::day::{Expected, Score};
use super::registry::Thresholds;
use crate::analysis::forecast::{Fitted, Noise, Parts};

/// The forecast and noise by which a value is judged.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// The components of the expected value.
    pub parts: Parts,
    /// The fitted model with its past errors.
    pub fitted: &'a Fitted,
    /// Variation of the value in addition to the errors of the model.
    pub noise: Noise,
    /// The smallest possible value, such as 0 for a count.
    pub floor: f64,
    pub is_count: bool,
}

/// The result of judging one value by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    pub score: Score,
    /// Probability of a value this far off if nothing is wrong.
    pub p_value: f64,
    /// Whether the value is outside the interval and its probability reaches the threshold.
    pub is_suspected: bool,
}

impl Ground<'_> {
    /// Returns the expected value, never below `floor`, with its interval.
    pub fn expected(&self, interval: f64) -> Expected {
        let Parts { trend, season, year, holiday } = self.parts;
        // The trend absorbs the correction, so that the parts still add up to the value.
        let lifted = (self.floor - self.parts.sum()).max(0.0);
        let value = self.parts.sum() + lifted;
        let (lower, upper) = self.fitted.interval(value, 1, interval, self.noise);
        Expected { value, lower: lower.max(self.floor), upper, trend: trend + lifted, season, year, holiday }
    }

    pub fn judge(&self, actual: f64, thresholds: Thresholds) -> Verdict {
        let expected = self.expected(thresholds.interval);
        let difference = actual - expected.value;
        let mut p_value = self.fitted.p_value(actual, expected.value, 1, self.noise);
        if self.is_count {
            p_value = p_value.max(poisson(actual, expected.value));
        }
        let score = Score {
            difference,
            deviation: (expected.value.abs() > f64::EPSILON).then(|| difference / expected.value.abs()),
            z: self.fitted.z(actual, expected.value, 1, self.noise),
            probability: 1.0 - p_value,
        };
        let is_outside = actual < expected.lower || actual > expected.upper;
        let is_suspected = is_outside && score.probability >= thresholds.probability;
        Verdict { score, p_value, is_suspected }
    }
}

/// Returns the two-sided Poisson probability of a count at least as far from the expected one.
fn poisson(actual: f64, expected: f64) -> f64 {
    let Ok(law) = Poisson::new(expected.max(f64::MIN_POSITIVE)) else { return 0.0 };
    let count = actual.max(0.0).round() as u64;
    let tail = match count {
        _ if actual < expected => law.cdf(count),
        0 => 1.0,
        count => law.sf(count - 1),
    };
    (2.0 * tail).min(1.0)
}

/// Returns the largest p-value that is kept (Benjamini and Hochberg, 1995), or 0 if none is. On average, at most the
/// share `rate` of the kept values is false.
pub fn discovery_threshold(p_values: &[f64], rate: f64) -> f64 {
    let mut ordered = p_values.to_vec();
    ordered.sort_unstable_by(f64::total_cmp);
    let count = ordered.len() as f64;
    let mut kept =
        ordered.iter().enumerate().filter(|(index, p_value)| **p_value <= rate * (*index as f64 + 1.0) / count);
    kept.next_back().map_or(0.0, |(_, p_value)| *p_value)
}
