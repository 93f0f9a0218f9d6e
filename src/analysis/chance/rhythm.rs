//! How well chance explains that an entity has been silent for so long, given the gaps between its earlier events.
//!
//! Five models of its rhythm, each with unknown parameters that only its own gaps tell, so that few gaps give no
//! small p:
//!
//! | function | the silence is | p is uniform for | p is too small for |
//! |---|---|---|---|
//! | [`memoryless`] | of exponential gaps | memoryless events | bursts: six times, at p = .05 |
//! | [`gamma`] | a whole gap of a known shape | gamma-distributed gaps that have ended | bursts |
//! | [`gamma_silence`] | a gap of a known shape on a fixed day | gamma-distributed gaps | gaps of a lower shape |
//! | [`log_normal_gap`] | a whole log-normal gap | a gap that has ended | uneven gaps, on a fixed day |
//! | [`log_normal_silence`] | a log-normal gap on a fixed day | regular rhythms | none that was simulated |
//!
//! A fixed day (today, the end of the data) falls into long gaps more often than into short ones. An entity with bursts
//! and pauses is mostly seen in a pause, and a test that compares that pause with all its gaps is wrong for it.
//! [`log_normal_silence`] is right for it, but hardly finds that a memoryless entity stopped. What rhythm the entities
//! of a table have, few gaps of one do not tell, those of all do: [`unevenness`], and of several rhythms [`shapes`].

pub mod shapes;

use std::f64::consts::PI;

use super::distribution::{beta_above, normal_above, t_above};

/// Gaps below which a rhythm is not known.
const GAPS_MIN: u64 = 3;
/// Points of the sum over possible deviations.
const POINTS: u32 = 64;

/// The gaps between an entity's events. In SQL, over one row a gap: `count(*)`, `sum(gap)`, `avg(ln(gap))` and
/// `var_samp(ln(gap))`. Events of one time are one event: a gap of 0 has no logarithm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gaps {
    pub count: u64,
    /// In any unit of time: that of the silence.
    pub sum: f64,
    pub log_mean: f64,
    pub log_variance: f64,
    /// The step in which times are known, 1 for days counted in days, 0 if they are exact. Gaps that seem equal may
    /// differ by as much.
    pub step: f64,
}

impl Gaps {
    /// Sums up gaps. `None` with fewer than three, or if one is not positive.
    pub fn of(gaps: &[f64], step: f64) -> Option<Self> {
        if gaps.iter().any(|gap| !gap.is_finite() || *gap <= 0.0) {
            return None;
        }
        let logs = gaps.iter().map(|gap| libm::log(*gap)).collect::<Vec<_>>();
        let log_mean = logs.iter().sum::<f64>() / logs.len() as f64;
        let squares = logs.iter().map(|log| (log - log_mean) * (log - log_mean)).sum::<f64>();
        let log_variance = squares / (logs.len() as f64 - 1.0);
        let gaps = Self { count: gaps.len() as u64, sum: gaps.iter().sum(), log_mean, log_variance, step };
        gaps.is_sound().then_some(gaps)
    }

    fn is_sound(&self) -> bool {
        self.count >= GAPS_MIN
            && self.sum > 0.0
            && [self.sum, self.log_mean, self.step].iter().all(|number| number.is_finite())
            && self.log_variance >= 0.0
            && self.step >= 0.0
    }

    /// Returns the variance of the gaps' logarithms, at least what rounding makes of equal gaps: both ends of a gap are
    /// rounded to a step, each with variance step² / 12 (Sheppard 1898).
    fn spread(&self) -> f64 {
        let rounded = self.step / libm::exp(self.log_mean);
        self.log_variance.max(rounded * rounded / 6.0)
    }
}

/// The gaps of one entity: in SQL `count(*)`, `sum(gap)` and `sum(gap * gap)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spacing {
    pub count: u64,
    pub sum: f64,
    pub squares: f64,
}

/// How uneven the gaps of many entities are, each entity by its own rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unevenness {
    /// The sum of the squared shares of gaps over what memoryless events give: below 1 for regular rhythms, above 1 for
    /// bursts.
    pub ratio: f64,
    /// p of gaps being no more uneven than memoryless ones; one-sided. Where it is large, [`memoryless`] may be used.
    pub p: f64,
}

/// Returns how uneven gaps are: Greenwood's statistic (1946), Σ (gap / S)² of each entity. Memoryless gaps over their
/// sum are uniform spacings, whatever the rate, so that it has the mean 2 / (n + 1) and the variance 4 (n - 1) / ((n +
/// 1)² (n + 2)(n + 3)) (Moran 1947); those of all entities add up, and their sum is about normal.
///
/// Entities with fewer than two gaps say nothing and are left out; `None` if no other is there, or a sum is not
/// positive. With few entities p is somewhat too small: the statistic is skew.
pub fn unevenness(entities: &[Spacing]) -> Option<Unevenness> {
    let (mut seen, mut mean, mut variance) = (0.0, 0.0, 0.0);
    for entity in entities.iter().filter(|entity| entity.count > 1) {
        let n = entity.count as f64;
        if entity.sum.is_nan() || entity.sum <= 0.0 {
            return None;
        }
        seen += entity.squares / entity.sum / entity.sum;
        mean += 2.0 / (n + 1.0);
        variance += 4.0 * (n - 1.0) / ((n + 1.0) * (n + 1.0) * (n + 2.0) * (n + 3.0));
    }
    let is_sound = mean > 0.0 && seen.is_finite();
    is_sound.then(|| Unevenness { ratio: seen / mean, p: normal_above((seen - mean) / variance.sqrt()) })
}

/// Returns the shape of gamma-distributed gaps that are as uneven as these, if all entities have one shape: with shape k,
/// Greenwood's statistic of n gaps has the mean (k + 1) / (n k + 1), which is solved for k at the entities' mean n. 1 is
/// memoryless, more is regular. `None` where the gaps are more even than any shape gives, or less.
pub fn shape(unevenness: Unevenness, gaps_mean: f64) -> Option<f64> {
    let (ratio, n) = (unevenness.ratio, gaps_mean);
    let shape = (n + 1.0 - 2.0 * ratio) / (2.0 * ratio * n - n - 1.0);
    (shape.is_finite() && shape > 0.0).then_some(shape)
}

/// Returns the probability of a silence of at least this length under gamma-distributed gaps of a known shape k and an
/// unknown rate: with n gaps that sum up to S, silence / (S + silence) is Beta(k, n k). With k = 1 it is [`memoryless`].
///
/// It is that of a whole gap. Of a silence that has not ended it is cautious if k is above 1, and too small if k is below.
/// `None` with fewer than three gaps, a shape that is not positive, or if the silence is negative.
pub fn gamma(gaps: Gaps, silence: f64, shape: f64) -> Option<f64> {
    if !gaps.is_sound() || silence.is_nan() || silence < 0.0 || shape.is_nan() || shape <= 0.0 {
        return None;
    }
    beta_above(silence / (gaps.sum + silence), shape, gaps.count as f64 * shape)
}

/// Returns the probability that a fixed day falls into a gap that has lasted at least this long by then, of gamma-distributed
/// gaps of a known shape k and an unknown rate.
///
/// A day falls into a gap by its length, so a silence beyond t has the probability ∫ P(gap > u) du from t, over the average
/// gap (Cox 1962). With n gaps that sum up to S and x = t / (S + t), over the rate's distribution, that is the part of
/// Beta(k + 1, n k) above x, less n t / S times that of Beta(k, n k + 1). With k = 1 it is [`memoryless`]. `None` as [`gamma`].
pub fn gamma_silence(gaps: Gaps, silence: f64, shape: f64) -> Option<f64> {
    if !gaps.is_sound() || silence.is_nan() || silence < 0.0 || shape.is_nan() || shape <= 0.0 {
        return None;
    }
    let (n, x) = (gaps.count as f64, silence / (gaps.sum + silence));
    let beyond = beta_above(x, shape + 1.0, n * shape)?;
    let passed = n * silence / gaps.sum * beta_above(x, shape, n * shape + 1.0)?;
    Some((beyond - passed).clamp(0.0, 1.0))
}

/// Returns the probability of a silence of at least this length under a memoryless rhythm: with n gaps that sum up to S
/// and the prior 1 / rate, the rate is Gamma(n, S) and the silence Lomax, so p = (S / (S + silence))^n (Lawless 1971 by
/// Fisher's F with 2 and 2 n degrees of freedom, which is the same).
///
/// p is exactly uniform for memoryless events, at any n, on a fixed day as well: given how many events there were, the
/// last of them is the largest of n uniform times. `None` with fewer than three gaps, or if the silence is negative.
pub fn memoryless(gaps: Gaps, silence: f64) -> Option<f64> {
    if !gaps.is_sound() || silence.is_nan() || silence < 0.0 {
        return None;
    }
    Some(libm::exp(-(gaps.count as f64) * libm::log1p(silence / gaps.sum)))
}

/// Returns the probability of a gap of at least this length under log-normal gaps: with m and s² the mean and variance
/// of n logarithms, (log gap - m) / (s sqrt(1 + 1/n)) is Student's t with n - 1 degrees of freedom (the predictive
/// distribution, Aitchison and Dunsmore 1975).
///
/// Exactly uniform for the next whole gap, of a regular rhythm or not. Of a silence that has not ended it is cautious
/// if gaps are regular, and too small if they are uneven (s above .7): see [`log_normal_silence`]. `None` with fewer
/// than three gaps, gaps without variance where times are exact, or if the silence is negative.
pub fn log_normal_gap(gaps: Gaps, silence: f64) -> Option<f64> {
    let (n, variance, log) = arguments(gaps, silence)?;
    t_above((log - gaps.log_mean) / (variance * (1.0 + 1.0 / n)).sqrt(), n - 1.0)
}

/// Returns the probability that a fixed day falls into a gap of log-normal gaps that has lasted at least this long by
/// then.
///
/// A day falls into a gap by its length, so a silence beyond t has the probability ∫ P(gap > u) du from t, over the
/// average gap (Cox 1962, the backward recurrence time). With m and s of the logarithms that is Φ((m + s² - log t) / s),
/// less t / exp(m + s² / 2) times Φ((m - log t) / s). m and s are not known. With the prior 1 / s, m is normal around
/// the mean with variance s² / n, which leaves a formula, and s² is (n - 1) variance / chi-square: 64 points are summed
/// up.
///
/// By simulation it is at most the level for regular, memoryless, clustered and heavy-tailed gaps, about the level for
/// log-normal ones of any spread, and far below it for memoryless ones. Gaps are taken for alike and independent: a
/// season or a slow decline of the rhythm is neither. `None` with fewer than three gaps, gaps without variance where
/// times are exact, or if the silence is negative.
pub fn log_normal_silence(gaps: Gaps, silence: f64) -> Option<f64> {
    let (n, variance, log) = arguments(gaps, silence)?;
    let freedom = n - 1.0;
    // The logarithm of chi-square over its freedom, from where its density is negligible to where it is so again.
    let deviation = (2.0 / freedom).sqrt();
    let low = -(9.0 * deviation).max(56.0 / freedom);
    let high = (7.0 * deviation).min(libm::log1p(56.0 / freedom) + 1.5);
    let (mut total, mut weights) = (0.0, 0.0);
    for point in 0..POINTS {
        let w = low + (high - low) * f64::from(point) / f64::from(POINTS - 1);
        let weight = libm::exp(freedom / 2.0 * (w - libm::expm1(w)));
        total += weight * beyond(n, gaps.log_mean, variance * libm::exp(-w), log).clamp(0.0, 1.0);
        weights += weight;
    }
    Some(total / weights)
}

/// Returns the probability of a silence beyond the one with this logarithm, for log-normal gaps with this variance.
fn beyond(n: f64, log_mean: f64, variance: f64, log: f64) -> f64 {
    let deviation = (variance * (1.0 + 1.0 / n)).sqrt();
    let within = normal_above((log - log_mean - variance) / deviation);
    let factor = log - log_mean + variance / (2.0 * n) - variance / 2.0;
    let z = (log - log_mean + variance / n) / deviation;
    within - libm::exp(factor + log_normal_above(z))
}

/// Returns the logarithm of the probability of a normal value above `z`, also where that underflows.
fn log_normal_above(z: f64) -> f64 {
    if z < 30.0 {
        return libm::log(normal_above(z));
    }
    // The first terms of Mills' ratio: right to 1e-8 from 30 on.
    -z * z / 2.0 - libm::log(z * (2.0 * PI).sqrt()) + libm::log1p(-1.0 / (z * z) + 3.0 / (z * z * z * z))
}

/// Returns n, the variance of the logarithms and the logarithm of the silence, as floating-point numbers.
fn arguments(gaps: Gaps, silence: f64) -> Option<(f64, f64, f64)> {
    let variance = gaps.spread();
    let is_sound = gaps.is_sound() && silence >= 0.0 && silence.is_finite() && variance > 0.0 && variance.is_finite();
    // A silence of 0 has the probability 1; a tiny one stands in for it.
    is_sound.then(|| (gaps.count as f64, variance, libm::log(silence.max(f64::MIN_POSITIVE))))
}
