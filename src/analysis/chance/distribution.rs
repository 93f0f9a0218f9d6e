//! The tails and quantiles that the tests need, from `statrs`, for every finite argument.
//!
//! `statrs` panics where an argument is no number, and its quantiles of Student's t are wrong with many degrees of freedom
//! (1.83 for 1.96 with ten million); both are dealt with here and nowhere else.

use statrs::distribution::{Beta, ChiSquared, ContinuousCDF as _, FisherSnedecor, Normal, StudentsT};

/// Degrees of freedom from which Student's t is computed from the normal distribution.
const FREEDOM_LARGE: f64 = 3_000.0;
/// Improvements of a quantile by Newton's method; each doubles the digits that are right.
const NEWTON_STEPS: usize = 4;

/// Returns the probability of a normal value at least as far from 0 as `z`.
pub(crate) fn normal_two_sided(z: f64) -> f64 {
    Normal::standard().sf(z.abs()) * 2.0
}

/// Returns the probability of a normal value above `z`.
pub(super) fn normal_above(z: f64) -> f64 {
    Normal::standard().sf(z)
}

/// Returns the z of a two-sided interval with this level, such as 1.96 of 0.95. `None` unless the level is between 0
/// and 1.
pub(super) fn normal_reach(level: f64) -> Option<f64> {
    (level > 0.0 && level < 1.0).then(|| -Normal::standard().inverse_cdf((1.0 - level) / 2.0))
}

/// Returns the probability of a value of Student's t above `t`. `None` unless `t` is a number and the freedom positive.
pub(super) fn t_above(t: f64, freedom: f64) -> Option<f64> {
    if t.is_nan() || freedom.is_nan() || freedom <= 0.0 {
        return None;
    }
    if freedom > FREEDOM_LARGE {
        return Some(normal_above(normal_of_t(t, freedom)));
    }
    Some(StudentsT::new(0.0, 1.0, freedom).ok()?.sf(t))
}

/// Returns the probability of a value of Student's t at least as far from 0 as `t`.
pub(crate) fn t_two_sided(t: f64, freedom: f64) -> Option<f64> {
    Some((2.0 * t_above(t.abs(), freedom)?).min(1.0))
}

/// Returns the t of a two-sided interval with this level. `None` unless the level is between 0 and 1.
pub(super) fn t_reach(level: f64, freedom: f64) -> Option<f64> {
    let tail = (1.0 - level) / 2.0;
    let mut t = if freedom > FREEDOM_LARGE {
        normal_reach(level)?
    } else {
        normal_reach(level)?;
        StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(1.0 - tail)
    };
    // Both are near: a few steps give all digits.
    for _ in 0..NEWTON_STEPS {
        t += (t_above(t, freedom)? - tail) / t_density(t, freedom);
    }
    t.is_finite().then_some(t)
}

/// Returns the density of Student's t.
fn t_density(t: f64, freedom: f64) -> f64 {
    let half = f64::midpoint(freedom, 1.0);
    let log = libm::lgamma(half)
        - libm::lgamma(freedom / 2.0)
        - 0.5 * libm::log(freedom * std::f64::consts::PI)
        - half * libm::log1p(t * t / freedom);
    libm::exp(log)
}

/// Returns the normal value with the tail of this t: the expansion of Hill (1970, Algorithm 395), whose error with more
/// than 3,000 degrees of freedom is below 1e-12.
fn normal_of_t(t: f64, freedom: f64) -> f64 {
    let a = freedom - 0.5;
    let b = 48.0 * a * a;
    let squared = a * libm::log1p(t * t / freedom);
    let z = squared.sqrt();
    let first = (squared + 3.0) / b;
    let second = (((4.0 * squared + 33.0) * squared + 240.0) * squared + 855.0)
        / (10.0 * b * (b + 0.8 * squared * squared + 100.0));
    let value = z * (1.0 + first - second);
    if t < 0.0 { -value } else { value }
}

/// Returns the probability of a chi-square value above `statistic`. `None` unless the statistic is a number and the
/// freedom positive.
pub(super) fn chi_square_above(statistic: f64, freedom: f64) -> Option<f64> {
    if statistic.is_nan() {
        return None;
    }
    Some(ChiSquared::new(freedom).ok()?.sf(statistic))
}

/// Returns the probability of an F value above `statistic`, right to eight digits with a million degrees of freedom and
/// to nine and more with fewer. `None` unless the statistic is a number and both freedoms are positive.
pub(super) fn f_above(statistic: f64, between: f64, within: f64) -> Option<f64> {
    if statistic.is_nan() {
        return None;
    }
    Some(FisherSnedecor::new(between, within).ok()?.sf(statistic))
}

/// Returns the probability of a Beta value above `x`. `None` unless `x` is between 0 and 1 and both shapes are positive.
pub(super) fn beta_above(x: f64, one: f64, other: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&x) {
        return None;
    }
    Some(Beta::new(one, other).ok()?.sf(x).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The values are those of SciPy (`scipy.stats.beta.sf`).
    #[test]
    fn the_tail_of_a_beta_value_is_that_of_scipy() {
        let text = include_str!("../../../tests/material/statistics/expected.json");
        let all = serde_json::from_str::<Value>(text).unwrap();
        let cases = all["beta"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let of = |value: &Value| value.as_f64().unwrap();
            let (p, expected) =
                (beta_above(of(&case["x"]), of(&case["shapes"][0]), of(&case["shapes"][1])).unwrap(), of(&case["p"]));
            assert!((p - expected).abs() <= 1e-9 * expected, "{case}: {p:e}");
        }
        for x in [-0.1, 1.1, f64::NAN] {
            assert_eq!(beta_above(x, 2.0, 3.0), None);
        }
        assert_eq!((beta_above(0.5, 0.0, 3.0), beta_above(0.5, 2.0, f64::NAN)), (None, None));
    }
}
