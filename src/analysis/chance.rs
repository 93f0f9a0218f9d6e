//! How well chance explains a difference, a direction or a change of level.
//!
//! p is the probability of such a result, or a stronger one, if there is nothing but chance; always two-sided.

use statrs::distribution::{ChiSquared, ContinuousCDF as _, FisherSnedecor, Normal, StudentsT};
use statrs::function::factorial::ln_binomial;

/// The z of a 95% interval.
const Z_95: f64 = 1.959_963_984_540_054;
/// Counts up to which Fisher's test is summed up exactly.
const EXACT_MAX: u64 = 10_000;

/// The expected count of a cell below which the approximation of several shares is not used.
const EXPECTED_MIN: f64 = 5.0;
/// Values below which an average is not compared.
const VALUES_MIN: u64 = 5;

/// A count of rows that meet a condition, and the count of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proportion {
    pub part: u64,
    pub whole: u64,
}

/// The average of values, their sample variance, and how many they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    pub mean: f64,
    pub variance: f64,
    pub count: u64,
}

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

impl Proportion {
    fn share(self) -> f64 {
        self.part as f64 / self.whole as f64
    }
}

/// Returns p of two shares being one: Fisher's exact test up to 10,000 rows, beyond them the test with the pooled share
/// (Pearson 1900). `None` if a whole is empty.
pub fn two_proportions(one: Proportion, other: Proportion) -> Option<f64> {
    if one.whole == 0 || other.whole == 0 || one.part > one.whole || other.part > other.whole {
        return None;
    }
    let whole = (one.whole + other.whole) as f64;
    let pooled = (one.part + other.part) as f64 / whole;
    if pooled == 0.0 || pooled >= 1.0 {
        return Some(1.0);
    }
    if one.whole + other.whole <= EXACT_MAX {
        return Some(fisher(one, other));
    }
    let error = (pooled * (1.0 - pooled) * (1.0 / one.whole as f64 + 1.0 / other.whole as f64)).sqrt();
    Some(two_sided((one.share() - other.share()) / error))
}

/// Sums up the probabilities of all tables that are at most as likely as this one (Fisher 1922).
fn fisher(one: Proportion, other: Proportion) -> f64 {
    let (parts, whole) = (one.part + other.part, one.whole + other.whole);
    let (first, last) = (parts.saturating_sub(other.whole), parts.min(one.whole));
    let all = ln_binomial(whole, parts);
    let likely = |part: u64| (ln_binomial(one.whole, part) + ln_binomial(other.whole, parts - part) - all).exp();
    let seen = likely(one.part) * (1.0 + 1e-7);
    let p = (first..=last).map(likely).filter(|likely| *likely <= seen).sum::<f64>();
    p.min(1.0)
}

/// Returns the 95% interval of the difference of two shares (Newcombe 1998, method 10). `None` if a whole is empty.
pub fn interval_of_proportions(one: Proportion, other: Proportion) -> Option<(f64, f64)> {
    if one.whole == 0 || other.whole == 0 {
        return None;
    }
    let ((low, high), (other_low, other_high)) = (wilson(one), wilson(other));
    let (share, other_share) = (one.share(), other.share());
    let difference = share - other_share;
    let below = (share - low).hypot(other_high - other_share);
    let above = (high - share).hypot(other_share - other_low);
    Some((difference - below, difference + above))
}

/// Returns the 95% interval of a share (Wilson 1927).
pub fn wilson(proportion: Proportion) -> (f64, f64) {
    let (share, count) = (proportion.share(), proportion.whole as f64);
    let squared = Z_95 * Z_95;
    let middle = share + squared / (2.0 * count);
    let reach = Z_95 * (share * (1.0 - share) / count + squared / (4.0 * count * count)).sqrt();
    let scale = 1.0 + squared / count;
    ((middle - reach) / scale, (middle + reach) / scale)
}

/// Returns p of two averages being one (Welch 1947). `None` with fewer than five values on a side, or without variance.
pub fn two_means(one: Mean, other: Mean) -> Option<f64> {
    let (error, freedom) = welch(one, other)?;
    let t = (one.mean - other.mean) / error;
    let distribution = StudentsT::new(0.0, 1.0, freedom).ok()?;
    Some((2.0 * distribution.sf(t.abs())).min(1.0))
}

/// Returns p of several averages being one (Welch 1951). `None` with fewer than two groups of five values, or where one has
/// no variance.
pub fn several_means(groups: &[Mean]) -> Option<f64> {
    if groups.len() < 2 || groups.iter().any(|group| group.count < VALUES_MIN || group.variance <= 0.0) {
        return None;
    }
    let k = groups.len() as f64;
    let weights = groups.iter().map(|group| group.count as f64 / group.variance).collect::<Vec<_>>();
    let total = weights.iter().sum::<f64>();
    let mean = groups.iter().zip(&weights).map(|(group, weight)| group.mean * weight).sum::<f64>() / total;
    let between = groups.iter().zip(&weights).map(|(group, weight)| weight * (group.mean - mean).powi(2)).sum::<f64>();
    let spread =
        groups.iter().zip(&weights).map(|(group, weight)| (1.0 - weight / total).powi(2) / (group.count - 1) as f64);
    let spread = spread.sum::<f64>();
    let f = between / (k - 1.0) / (1.0 + 2.0 * (k - 2.0) / (k * k - 1.0) * spread);
    let freedom = (k * k - 1.0) / (3.0 * spread);
    Some(FisherSnedecor::new(k - 1.0, freedom).ok()?.sf(f))
}

/// Returns p of several shares being one (Pearson 1900). `None` where fewer than five are expected in a cell.
pub fn several_proportions(groups: &[Proportion]) -> Option<f64> {
    let (parts, whole) = groups.iter().fold((0, 0), |(parts, whole), group| (parts + group.part, whole + group.whole));
    if groups.len() < 2 || whole == 0 {
        return None;
    }
    let share = parts as f64 / whole as f64;
    let expected = |group: &Proportion| (group.whole as f64 * share, group.whole as f64 * (1.0 - share));
    if groups.iter().map(expected).any(|(part, rest)| part < EXPECTED_MIN || rest < EXPECTED_MIN) {
        return None;
    }
    let cell = |group: &Proportion| {
        let (part, rest) = expected(group);
        (group.part as f64 - part).powi(2) * (1.0 / part + 1.0 / rest)
    };
    let statistic = groups.iter().map(cell).sum::<f64>();
    Some(ChiSquared::new(groups.len() as f64 - 1.0).ok()?.sf(statistic))
}

/// Returns the 95% interval of the difference of two averages (Welch 1947).
pub fn interval_of_means(one: Mean, other: Mean) -> Option<(f64, f64)> {
    let (error, freedom) = welch(one, other)?;
    let reach = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(0.975) * error;
    let difference = one.mean - other.mean;
    Some((difference - reach, difference + reach))
}

/// Returns the standard error of the difference and the degrees of freedom.
fn welch(one: Mean, other: Mean) -> Option<(f64, f64)> {
    if one.count < VALUES_MIN || other.count < VALUES_MIN {
        return None;
    }
    let (first, second) = (one.variance / one.count as f64, other.variance / other.count as f64);
    let error = (first + second).sqrt();
    let freedom =
        (first + second).powi(2) / (first.powi(2) / (one.count - 1) as f64 + second.powi(2) / (other.count - 1) as f64);
    (error > 0.0 && freedom.is_finite()).then_some((error, freedom))
}

/// Returns the direction of a series: the test of Mann (1945) and Kendall (1975), its variance widened by the correlation
/// of neighbours. `None` with fewer than four values.
pub fn direction(values: &[f64]) -> Option<Direction> {
    let count = values.len();
    if count < 4 {
        return None;
    }
    let mut slopes = Vec::new();
    let mut score = 0_i64;
    for (from, one) in values.iter().enumerate() {
        for (to, other) in values.iter().enumerate().skip(from + 1) {
            slopes.push((other - one) / (to - from) as f64);
            score += i64::from(other > one) - i64::from(other < one);
        }
    }
    let slope = median(&mut slopes);
    let n = count as f64;
    let tied = ties(values).into_iter().map(|t| t * (t - 1.0) * (2.0 * t + 5.0)).sum::<f64>();
    let variance = (n * (n - 1.0) * (2.0 * n + 5.0) - tied) / 18.0;
    if variance <= 0.0 {
        return Some(Direction { slope: 0.0, rises: false, p: 1.0 });
    }
    let residuals = values.iter().enumerate().map(|(index, value)| value - slope * index as f64).collect::<Vec<_>>();
    let z = (score.abs() - 1).max(0) as f64 / (variance * inflation(&residuals)).sqrt();
    Some(Direction { slope, rises: score > 0, p: two_sided(z) })
}

/// Returns by how much fewer a series' values are independent than there are: (1 + r) / (1 - r), with the correlation r of
/// neighbours (Bayley and Hammersley 1946).
fn inflation(residuals: &[f64]) -> f64 {
    let correlation = neighbours(&ranks(residuals)).min(0.99);
    // A smaller correlation is what chance gives.
    let is_seen = correlation > Z_95 / (residuals.len() as f64).sqrt();
    if is_seen { (1.0 + correlation) / (1.0 - correlation) } else { 1.0 }
}

/// Returns the point at which the level changes most, and p of there being none (Pettitt 1979), with as many values as are
/// independent. `None` with fewer than six values.
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
    let p = 2.0 * (-6.0 * most * most / (n.powi(3) + n.powi(2)) / inflation(&levels)).exp();
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
        (products + place(index) * (value - mean), widths + place(index).powi(2))
    });
    let slope = if widths > 0.0 { products / widths } else { 0.0 };
    values.iter().enumerate().map(|(index, value)| value - mean - slope * place(index)).collect()
}

fn squares(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum()
}

fn two_sided(z: f64) -> f64 {
    Normal::standard().sf(z.abs()) * 2.0
}

/// Returns the sizes of the groups of equal values.
fn ties(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.chunk_by(|one, other| one >= other).map(|group| group.len() as f64).filter(|size| *size > 1.0).collect()
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count() as f64;
        let above = values.iter().filter(|other| *other > value).count() as f64;
        below + f64::midpoint(values.len() as f64 - below - above, 1.0)
    };
    values.iter().map(rank).collect()
}

/// Returns the correlation of each value with the next one.
fn neighbours(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let away = values.iter().map(|value| value - mean).collect::<Vec<_>>();
    let variance = away.iter().map(|value| value * value).sum::<f64>();
    if variance == 0.0 { 0.0 } else { away.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / variance }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 5e-4, "{actual} is not {expected}");
    }

    /// The values are those of R: `fisher.test`, `prop.test(correct = FALSE)`, `t.test`.
    #[test]
    fn tests_give_what_r_gives() {
        let p = |a, b, c, d| two_proportions(Proportion { part: a, whole: b }, Proportion { part: c, whole: d });
        near(p(2, 10, 9, 12).unwrap_or_default(), 0.029_97);
        near(p(4_000, 10_000, 4_200, 10_000).unwrap_or_default(), 0.004_035);
        near(p(0, 3_000, 1, 3_000).unwrap_or_default(), 1.0);
        assert_eq!(p(0, 10, 0, 12), Some(1.0));
        assert_eq!(p(1, 0, 0, 12), None);
        let one = Mean { mean: 10.0, variance: 4.0, count: 12 };
        let other = Mean { mean: 8.0, variance: 9.0, count: 20 };
        near(two_means(one, other).unwrap_or_default(), 0.031_37);
    }

    /// The values are those of SciPy (`chi2_contingency`) and of R (`oneway.test`).
    #[test]
    fn several_groups_are_tested_at_once() {
        let shares = [(20, 100), (30, 100), (25, 120)].map(|(part, whole)| Proportion { part, whole });
        near(several_proportions(&shares).unwrap_or_default(), 0.172_7);
        assert_eq!(several_proportions(&shares[..1]), None);
        let means = [(5.0, 1.0), (5.1, 1.2), (4.9, 0.9)].map(|(mean, variance)| Mean { mean, variance, count: 50 });
        assert!(several_means(&means).is_some_and(|p| p > 0.5));
        let means = [(5.0, 1.0), (8.0, 1.2), (4.9, 0.9)].map(|(mean, variance)| Mean { mean, variance, count: 50 });
        assert!(several_means(&means).is_some_and(|p| p < 0.001));
    }

    #[test]
    fn a_direction_is_that_of_the_values() {
        let rising = (0..12).map(|month| f64::from(month) * 3.0 + f64::from(month % 3)).collect::<Vec<_>>();
        let direction = direction(&rising).unwrap_or(Direction { slope: 0.0, rises: false, p: 1.0 });
        near(direction.slope, 3.0);
        assert!(direction.p < 0.001);
        assert_eq!(super::direction(&[5.0; 8]).map(|direction| direction.p), Some(1.0));
    }

    #[test]
    fn a_level_changes_where_it_does() {
        let stepped = [1.0, 2.0, 1.5, 2.0, 1.0, 1.7, 8.0, 9.0, 8.5, 9.2, 8.1, 8.8];
        assert_eq!(change_point(&stepped).map(|found| found.at), Some(6));
        assert!(change_point(&stepped).is_some_and(|found| found.p < 0.05));
        assert!(robust_z(20.0, &stepped).is_some_and(|z| z > 2.0));
        let steady = (0..20).map(f64::from).collect::<Vec<_>>();
        assert!(change_point(&steady).is_some_and(|found| found.is_steady));
        assert!(!change_point(&stepped).is_some_and(|found| found.is_steady));
    }
}
