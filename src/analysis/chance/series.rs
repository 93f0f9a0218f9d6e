//! Series of values at equal steps, oldest first: do they rise or fall, and where does their level change.
//!
//! All by ranks of pairs, so that one wild value decides nothing. Time and memory grow with the square of the length.

use super::Z_95;
use super::distribution::{normal_reach, normal_two_sided};

/// Values below which a series has no direction.
const VALUES_MIN: usize = 4;

/// The direction of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Direction {
    /// The median of the slopes between all pairs, a step (Theil 1950, Sen 1968).
    pub slope: f64,
    /// Whether more pairs rise than fall.
    pub rises: bool,
    pub p: f64,
}

/// A point at which the level of a series changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Break {
    /// The index of the first value of the new level.
    pub at: usize,
    pub p: f64,
    /// Whether a steady rise or fall fits better than two levels.
    pub is_steady: bool,
}

/// The test of Mann and Kendall of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kendall {
    /// The pairs that rise less those that fall, S.
    pub score: f64,
    /// The score over all pairs, from -1 to 1: Kendall's tau-a.
    pub tau: f64,
    /// The variance of the score under chance, as corrected.
    pub variance: f64,
    pub p: f64,
}

/// The slope of a series, in its unit a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    pub slope: f64,
    pub low: f64,
    pub high: f64,
}

/// Returns the direction of a series: the test of Mann (1945) and Kendall (1975), its variance widened by the
/// correlation of neighbours. `None` with fewer than four values.
pub fn direction(values: &[f64]) -> Option<Direction> {
    if values.len() < VALUES_MIN {
        return None;
    }
    let slope = median(&mut slopes(values));
    let (score, variance) = (score(values), variance(values));
    if variance <= 0.0 {
        return Some(Direction { slope: 0.0, rises: false, p: 1.0 });
    }
    let p = normal_two_sided(z(score, variance * inflation(&without_slope(values, slope))));
    Some(Direction { slope, rises: score > 0.0, p })
}

/// Returns the test of Mann (1945) and Kendall (1975): S over all pairs against a normal distribution with the variance
/// (n (n - 1)(2 n + 5) - Σ t (t - 1)(2 t + 5)) / 18, t values being equal, corrected for continuity. `None` with fewer
/// than four values, or if all are equal.
///
/// It takes the values for independent. Where neighbours are alike, p is too small: see [`hamed_rao`] and
/// [`direction`].
pub fn mann_kendall(values: &[f64]) -> Option<Kendall> {
    corrected(values, 1.0)
}

/// Returns the test of Mann and Kendall, its variance corrected for the correlation of values up to `lags` steps apart
/// (Hamed and Rao 1998): times 1 + 2 / (n (n - 1)(n - 2)) Σ (n - i)(n - i - 1)(n - i - 2) r(i), with the correlations r
/// of the ranks of what remains without the slope, as far as they are beyond 1.96 / sqrt(n).
///
/// One lag to three, as the authors advise: a sum over many lags is noise. `None` with fewer than four values, if all
/// are equal, or where negative correlations leave no variance.
pub fn hamed_rao(values: &[f64], lags: usize) -> Option<Kendall> {
    let slope = median(&mut slopes(values));
    let ranks = ranks(&without_slope(values, slope));
    let n = values.len() as f64;
    let limit = Z_95 / n.sqrt();
    let term = |lag: usize| {
        let (correlation, rest) = (correlation_at(&ranks, lag), n - lag as f64);
        if correlation.abs() > limit { rest * (rest - 1.0) * (rest - 2.0) * correlation } else { 0.0 }
    };
    let sum = (1..=lags.min(values.len().saturating_sub(1))).map(term).sum::<f64>();
    corrected(values, 1.0 + 2.0 / (n * (n - 1.0) * (n - 2.0)) * sum)
}

/// Returns the test with its variance times `factor`.
fn corrected(values: &[f64], factor: f64) -> Option<Kendall> {
    if values.len() < VALUES_MIN {
        return None;
    }
    kendall(score(values), variance(values) * factor, pairs(values))
}

fn kendall(score: f64, variance: f64, pairs: f64) -> Option<Kendall> {
    let is_sound = variance > 0.0 && variance.is_finite();
    is_sound.then(|| Kendall { score, tau: score / pairs, variance, p: normal_two_sided(z(score, variance)) })
}

/// Returns the test of Mann and Kendall of a series with a season of `period` steps: the scores and variances of each
/// place in the season, added up (Hirsch, Slack and Smith 1982). `None` with a period of 0, fewer than two whole
/// periods, or values that are equal at each place.
///
/// It takes the places for independent: if whole years are high or low, p is too small.
pub fn seasonal_mann_kendall(values: &[f64], period: usize) -> Option<Kendall> {
    let places = places(values, period)?;
    let sum = |part: fn(&[f64]) -> f64| places.iter().map(|place| part(place)).sum::<f64>();
    kendall(sum(score), sum(variance), sum(pairs))
}

/// Returns the median of the slopes between all pairs of one place in the season, in the unit of the series a *period*
/// (Hirsch, Slack and Smith 1982). `None` with a period of 0, or fewer than two whole periods.
pub fn seasonal_slope(values: &[f64], period: usize) -> Option<f64> {
    let mut slopes = places(values, period)?.iter().flat_map(|place| slopes(place)).collect::<Vec<_>>();
    Some(median(&mut slopes))
}

/// Splits a series by the places in its season. `None` with a period of 0, or fewer than two whole periods.
fn places(values: &[f64], period: usize) -> Option<Vec<Vec<f64>>> {
    if period == 0 || values.len() / period < 2 {
        return None;
    }
    Some((0..period).map(|place| values.iter().skip(place).step_by(period).copied().collect()).collect())
}

/// Returns the median of the slopes between all pairs (Theil 1950, Sen 1968) and its interval with this level: the
/// slopes whose places, of N in order, are (N - z sqrt(variance of S)) / 2 and (N + z sqrt(variance of S)) / 2 (Sen
/// 1968). `None` with fewer than four values, or unless the level is between 0 and 1.
///
/// The interval takes the values for independent: where neighbours are alike, it is too narrow.
pub fn theil_sen(values: &[f64], level: f64) -> Option<Slope> {
    if values.len() < VALUES_MIN {
        return None;
    }
    let mut slopes = slopes(values);
    let slope = median(&mut slopes);
    let (pairs, reach) = (slopes.len() as f64, normal_reach(level)? * variance(values).max(0.0).sqrt());
    // Halves go to the even place, as in SciPy.
    let high = (f64::midpoint(pairs, reach).round_ties_even() as usize).min(slopes.len() - 1);
    let low = (((pairs - reach) / 2.0).round_ties_even() - 1.0).max(0.0) as usize;
    Some(Slope { slope, low: slopes[low], high: slopes[high] })
}

/// Returns the slopes between all pairs.
fn slopes(values: &[f64]) -> Vec<f64> {
    let later = |from: usize| values.iter().enumerate().skip(from + 1);
    let from = |(from, one): (usize, &f64)| {
        let one = *one;
        later(from).map(move |(to, other)| (other - one) / (to - from) as f64)
    };
    values.iter().enumerate().flat_map(from).collect()
}

/// Returns the number of pairs that rise less that of those that fall.
fn score(values: &[f64]) -> f64 {
    let mut score = 0_i64;
    for (from, one) in values.iter().enumerate() {
        score += values[from + 1..].iter().map(|other| i64::from(other > one) - i64::from(other < one)).sum::<i64>();
    }
    score as f64
}

fn pairs(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    n * (n - 1.0) / 2.0
}

/// Returns the variance of the score of independent values.
fn variance(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let tied = ties(values).into_iter().map(|t| t * (t - 1.0) * (2.0 * t + 5.0)).sum::<f64>();
    (n * (n - 1.0) * (2.0 * n + 5.0) - tied) / 18.0
}

/// Returns the score in standard deviations, moved towards 0 by one: scores are whole numbers.
fn z(score: f64, variance: f64) -> f64 {
    (score.abs() - 1.0).max(0.0) / variance.sqrt()
}

fn without_slope(values: &[f64], slope: f64) -> Vec<f64> {
    values.iter().enumerate().map(|(index, value)| value - slope * index as f64).collect()
}

/// Returns by how much fewer a series' values are independent than there are: (1 + r) / (1 - r), with the correlation r
/// of neighbours (Bayley and Hammersley 1946).
fn inflation(residuals: &[f64]) -> f64 {
    let correlation = correlation_at(&ranks(residuals), 1).min(0.99);
    // A smaller correlation is what chance gives.
    let is_seen = correlation > Z_95 / (residuals.len() as f64).sqrt();
    if is_seen { (1.0 + correlation) / (1.0 - correlation) } else { 1.0 }
}

/// Returns the point at which the level changes most, and p of there being none (Pettitt 1979), with as many values as
/// are independent. `None` with fewer than six values.
pub fn change_point(values: &[f64]) -> Option<Break> {
    let count = values.len();
    if count < 6 {
        return None;
    }
    let score = |at: usize| {
        let pairs = values[..at].iter().flat_map(|one| values[at..].iter().map(move |other| (one, other)));
        pairs.map(|(one, other)| if one < other { 1_i64 } else { -i64::from(one > other) }).sum::<i64>().abs()
    };
    let (at, most) = (1..count).map(|at| (at, score(at))).max_by_key(|(at, score)| (*score, std::cmp::Reverse(*at)))?;
    let levels = from_means(&values[..at]).chain(from_means(&values[at..])).collect::<Vec<_>>();
    let (n, most) = (count as f64, most as f64);
    let p = 2.0 * libm::exp(-6.0 * most * most / (n * n * n + n * n) / inflation(&levels));
    let is_steady = squares(&from_line(values)) < squares(&levels);
    Some(Break { at, p: p.min(1.0), is_steady })
}

/// Returns how many robust standard deviations a value is above the median of others: 1.4826 median absolute deviations
/// are one (Hampel 1974). `None` if half of the others are equal, or they are fewer than five.
pub fn robust_z(value: f64, others: &[f64]) -> Option<f64> {
    if others.len() < 5 {
        return None;
    }
    let middle = median(&mut others.to_vec());
    let mut away = others.iter().map(|other| (other - middle).abs()).collect::<Vec<_>>();
    let deviation = 1.4826 * median(&mut away);
    (deviation > 0.0).then(|| (value - middle) / deviation)
}

/// Returns the median; 0 of nothing.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values {
        [] => 0.0,
        values if values.len() % 2 == 1 => values[middle],
        values => f64::midpoint(values[middle - 1], values[middle]),
    }
}

fn from_means(values: &[f64]) -> impl Iterator<Item = f64> {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    values.iter().map(move |value| value - mean)
}

/// Returns how far values are from the line that fits them best.
fn from_line(values: &[f64]) -> Vec<f64> {
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let place = |index: usize| index as f64 - middle;
    let (products, widths) = values.iter().enumerate().fold((0.0, 0.0), |(products, widths), (index, value)| {
        (products + place(index) * (value - mean), widths + place(index) * place(index))
    });
    let slope = if widths > 0.0 { products / widths } else { 0.0 };
    values.iter().enumerate().map(|(index, value)| value - mean - slope * place(index)).collect()
}

fn squares(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum()
}

/// Returns the sizes of the groups of equal values.
pub(super) fn ties(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.chunk_by(|one, other| one >= other).map(|group| group.len() as f64).filter(|size| *size > 1.0).collect()
}

/// Returns the rank of each value, that of equal ones the average of their ranks.
pub(super) fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count() as f64;
        let above = values.iter().filter(|other| *other > value).count() as f64;
        below + f64::midpoint(values.len() as f64 - below - above, 1.0)
    };
    values.iter().map(rank).collect()
}

/// Returns the correlation of each value with the one `lag` steps later; 0 if they do not vary.
fn correlation_at(values: &[f64], lag: usize) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let away = values.iter().map(|value| value - mean).collect::<Vec<_>>();
    let variance = away.iter().map(|value| value * value).sum::<f64>();
    let products = away.iter().zip(away.iter().skip(lag)).map(|(one, other)| one * other).sum::<f64>();
    if variance == 0.0 { 0.0 } else { products / variance }
}
