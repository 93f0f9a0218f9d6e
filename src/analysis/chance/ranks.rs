//! Whether groups differ by their ranks, from what SQL aggregates, so that a single huge amount decides nothing.
//!
//! The rank of a value among all n is the average of those that equal values share. In SQL it is `rank() OVER (ORDER BY
//! x) + (count(*) OVER (PARTITION BY x) - 1) / 2.0`; `rank()` alone is not, and is refused here because its sum is not
//! n (n + 1) / 2. The correction for ties is the sum of t³ - t over the values that occur t times.
//!
//! Blocks, such as weeks with a value for each day, are given value by value.

use super::distribution::{chi_square_above, normal_two_sided};
use super::series::{ranks, ties};

/// Values of the smaller group up to which p of two groups is exact.
const EXACT_MAX: u64 = 8;
/// Values of the larger group up to which p is exact: its counts of orders then stay below 2^127.
const EXACT_OTHER_MAX: u64 = 2_000;
/// The share by which a sum of ranks may be off: SQL adds them up as floating-point numbers.
const SUM_WITHIN: f64 = 1e-9;

/// A group of values: how many they are, and the sum of their ranks among the values of all groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    pub count: u64,
    pub rank_sum: f64,
}

/// The test of groups by their ranks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankTest {
    /// H of Kruskal and Wallis, U of Mann and Whitney, or chi-square of Friedman.
    pub statistic: f64,
    pub p: f64,
    /// Epsilon squared, from 0 to 1, of several groups; of blocks Kendall's W, from 0 to 1; of two the rank-biserial correlation, from -1 to 1: how much
    /// more often a value of the first is above one of the second than below.
    pub effect: f64,
}

/// Returns the test of Kruskal and Wallis (1952) of several groups. H is 12 / (n (n + 1)) times the sum of count x
/// (average rank - (n + 1) / 2)², divided by 1 - ties / (n³ - n), against chi-square with one degree of freedom fewer
/// than groups. The effect is epsilon squared, H / (n - 1) (Kelley 1935).
///
/// `None` with fewer than two groups, an empty group, only equal values, or sums that are not those of ranks. With
/// fewer than five values in a group, p is too large rather than too small.
pub fn kruskal_wallis(groups: &[Ranked], ties: f64) -> Option<RankTest> {
    if groups.len() < 2 {
        return None;
    }
    let n = all_ranked(groups, ties)?;
    let middle = f64::midpoint(n, 1.0);
    let away = |group: &Ranked| {
        let away = group.rank_sum / group.count as f64 - middle;
        group.count as f64 * away * away
    };
    let untied = untied(n, ties)?;
    let statistic = 12.0 / (n * (n + 1.0)) * groups.iter().map(away).sum::<f64>() / untied;
    let p = chi_square_above(statistic, groups.len() as f64 - 1.0)?;
    Some(RankTest { statistic, p, effect: statistic / (n - 1.0) })
}

/// Returns the test of Mann and Whitney (1947) of two groups: U = rank sum - count (count + 1) / 2 of the first. p is
/// exact where the smaller group has at most 8 values, the larger at most 2,000 and there are no ties; else normal,
/// with the corrections for continuity and ties. The effect is the rank-biserial correlation, 2 U / (counts' product) -
/// 1 (Cureton 1956).
///
/// `None` with an empty group, only equal values, or sums that are not those of ranks. It tests whether one group tends
/// to be higher; groups of one middle and different spreads can give a small p.
pub fn mann_whitney(one: Ranked, other: Ranked, ties: f64) -> Option<RankTest> {
    let n = all_ranked(&[one, other], ties)?;
    let untied = untied(n, ties)?;
    let (first, second) = (one.count as f64, other.count as f64);
    let statistic = one.rank_sum - first * (first + 1.0) / 2.0;
    let pairs = first * second;
    let (fewer, more) = (one.count.min(other.count), one.count.max(other.count));
    let p = if ties == 0.0 && fewer <= EXACT_MAX && more <= EXACT_OTHER_MAX {
        exact(fewer as usize, more as usize, statistic.min(pairs - statistic))
    } else {
        let deviation = (pairs * (n + 1.0) / 12.0 * untied).sqrt();
        let away = ((statistic - pairs / 2.0).abs() - 0.5).max(0.0);
        normal_two_sided(away / deviation)
    };
    Some(RankTest { statistic, p, effect: 2.0 * statistic / pairs - 1.0 })
}

/// Returns the test of Friedman (1937) of places within blocks, such as days within weeks: whether values at one place tend to
/// be higher than at others, whatever the level of the block. The statistic is 12 / (n k (k + 1)) times the sum over k places of
/// the squared sums of ranks, less 3 n (k + 1), divided by 1 - ties / (n (k³ - k)), against chi-square with k - 1 degrees of
/// freedom. The effect is the concordance W, the statistic / (n (k - 1)) (Kendall and Babington Smith 1939).
///
/// `None` with fewer than two blocks or three places, blocks of unlike length, values that are no numbers, or only blocks of
/// equal values. It takes the blocks for independent. With few blocks, p is too large rather than too small.
pub fn friedman(blocks: &[Vec<f64>]) -> Option<RankTest> {
    let places = blocks.first()?.len();
    let is_sound = |block: &Vec<f64>| block.len() == places && block.iter().all(|value| !value.is_nan());
    if blocks.len() < 2 || places < 3 || !blocks.iter().all(is_sound) {
        return None;
    }
    let (n, k) = (blocks.len() as f64, places as f64);
    let mut sums = vec![0.0; places];
    let mut tied = 0.0;
    for block in blocks {
        for (sum, rank) in sums.iter_mut().zip(ranks(block)) {
            *sum += rank;
        }
        tied += ties(block).into_iter().map(|t| t * t * t - t).sum::<f64>();
    }
    let untied = 1.0 - tied / (n * (k * k * k - k));
    if untied <= 0.0 {
        return None;
    }
    let squares = sums.iter().map(|sum| sum * sum).sum::<f64>();
    let statistic = ((12.0 / (n * k * (k + 1.0)) * squares - 3.0 * n * (k + 1.0)) / untied).max(0.0);
    let p = chi_square_above(statistic, k - 1.0)?;
    Some(RankTest { statistic, p, effect: statistic / (n * (k - 1.0)) })
}

/// Returns the number of values. `None` if a group is empty, or the sums are not those of ranks.
fn all_ranked(groups: &[Ranked], ties: f64) -> Option<f64> {
    if groups.iter().any(|group| group.count == 0) || ties.is_nan() || ties < 0.0 {
        return None;
    }
    let n = groups.iter().map(|group| group.count as f64).sum::<f64>();
    let expected = n * (n + 1.0) / 2.0;
    let sum = groups.iter().map(|group| group.rank_sum).sum::<f64>();
    ((sum - expected).abs() <= expected * SUM_WITHIN).then_some(n)
}

/// Returns the share of the ranks' variance that ties leave. `None` if all values are equal.
fn untied(n: f64, ties: f64) -> Option<f64> {
    let untied = 1.0 - ties / (n * n * n - n);
    (untied > 0.0).then_some(untied)
}

/// Returns the probability of a U as far from the middle as `least`, the smaller of the two U, without ties.
fn exact(fewer: usize, more: usize, least: f64) -> f64 {
    let orders = orders(fewer, more);
    let all = orders.iter().map(|count| *count as f64).sum::<f64>();
    let until = (least.round().max(0.0) as usize).min(orders.len() - 1);
    let extreme = orders[..=until].iter().map(|count| *count as f64).sum::<f64>();
    (2.0 * extreme / all).min(1.0)
}

/// Returns in how many orders of both groups' values U is 0, 1, 2 ...: the coefficients of the Gaussian binomial, the
/// product of (1 - q^(more + i)) / (1 - q^i) for i from 1 to `fewer`. Each step leaves whole numbers.
fn orders(fewer: usize, more: usize) -> Vec<i128> {
    let size = fewer * more + 1;
    let mut counts = vec![0_i128; size];
    counts[0] = 1;
    for i in 1..=fewer {
        for at in (more + i..size).rev() {
            counts[at] -= counts[at - more - i];
        }
        for at in i..size {
            counts[at] += counts[at - i];
        }
    }
    counts
}
