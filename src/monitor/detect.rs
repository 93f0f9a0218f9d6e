//! Whether a value is out of the ordinary: two signals that must agree, and control of a day's false discoveries.
//!
//! A value is *suspected* when it lies outside of its interval and its anomaly probability reaches the metric's threshold.
//! Of the suspected values of a day those stay that the procedure of Benjamini and Hochberg (1995) keeps, so that watching
//! a thousand segments does not mean a false alarm a day by construction.
//!
//! No model is surer of a value than the value's own noise lets it be. A count varies by Poisson's law, a share of few by
//! the binomial one: their variance is the least that an interval is made for, and a count's probability is never taken
//! to be higher than Poisson's law has it.

use statrs::distribution::{DiscreteCDF as _, Poisson};

use super::day::{Expected, Score};
use super::registry::Thresholds;
use crate::analysis::forecast::{Fitted, Noise, Parts};

/// What a value is judged by.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// What makes up the expected value.
    pub parts: Parts,
    /// The model, which knows the errors that it made.
    pub fitted: &'a Fitted,
    /// What makes the value vary beside the errors of the model.
    pub noise: Noise,
    /// The least value that is possible, such as 0 of a count.
    pub floor: f64,
    /// Whether it is a count.
    pub is_count: bool,
}

/// A value, judged by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// How far off it is.
    pub score: Score,
    /// The probability of a value so far off, if nothing is the matter.
    pub p_value: f64,
    /// Whether both signals agree.
    pub is_suspected: bool,
}

impl Ground<'_> {
    /// The expected value, never below what is possible, with its interval.
    pub fn expected(&self, interval: f64) -> Expected {
        let Parts { trend, season, year, holiday } = self.parts;
        // What the floor takes away is taken from the trend, so that the parts go on adding up.
        let lifted = (self.floor - self.parts.sum()).max(0.0);
        let value = self.parts.sum() + lifted;
        let (lower, upper) = self.fitted.interval(value, 1, interval, self.noise);
        Expected { value, lower: lower.max(self.floor), upper, trend: trend + lifted, season, year, holiday }
    }

    /// Judges a value.
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

/// The probability that a count is at least as far from what was expected, on either side.
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

/// The largest p-value that is kept, of all those of a day, so that no more than `rate` of the kept are false on average;
/// 0 where none is.
pub fn discovery_threshold(p_values: &[f64], rate: f64) -> f64 {
    let mut ordered = p_values.to_vec();
    ordered.sort_unstable_by(f64::total_cmp);
    let count = ordered.len() as f64;
    let mut kept =
        ordered.iter().enumerate().filter(|(index, p_value)| **p_value <= rate * (*index as f64 + 1.0) / count);
    kept.next_back().map_or(0.0, |(_, p_value)| *p_value)
}
