//! Counts and rates: whether shares, tables of counts and counts over time differ by more than chance.
//!
//! Every test takes counts of rows, never sums of amounts: a chi-square over amounts grows with their unit.

use std::ops::RangeInclusive;

use statrs::function::factorial::{ln_binomial, ln_factorial};

use super::Z_95;
use super::distribution::{chi_square_above, normal_reach, normal_two_sided};

/// Tables of counts up to which Fisher's test sums up all of them.
const EXACT_MAX: u64 = 10_000;
/// Outcomes up to which the test of several rates is summed up exactly.
const OUTCOMES_MAX: f64 = 100_000.0;
/// The expected count of a cell below which the approximation by chi-square is not used.
const EXPECTED_MIN: f64 = 5.0;
/// The same of a group of several shares, in whole numbers.
const EXPECTED_IN_GROUP_MIN: u128 = 5;
/// Probabilities that differ by less than this share are taken for equal: rounding alone does not order them.
const EQUAL_WITHIN: f64 = 1e-7;

/// A count of rows that meet a condition, and the count of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proportion {
    pub part: u64,
    pub whole: u64,
}

/// A count of events, and what it was counted over: days, customers, machine hours. The unit is the same for all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    pub count: u64,
    pub exposure: f64,
}

/// The test of a table of counts for independence of its rows and columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Contingency {
    /// Pearson's chi-square, without a correction for continuity.
    pub statistic: f64,
    pub freedom: f64,
    pub p: f64,
    /// Cramér's V, from 0 (independent) to 1 (one decides the other). Chance alone makes it about
    /// `sqrt(freedom / n / (min(rows, columns) - 1))`.
    pub cramers_v: f64,
    /// What each cell would hold if rows and columns were independent.
    pub expected: Vec<Vec<f64>>,
}

impl Proportion {
    fn share(self) -> f64 {
        self.part as f64 / self.whole as f64
    }

    fn is_sound(self) -> bool {
        self.whole > 0 && self.part <= self.whole
    }
}

impl Contingency {
    /// Returns whether p can be relied upon: all cells expect at least 1, and four of five expect at least 5 (Cochran
    /// 1954).
    pub fn is_reliable(&self) -> bool {
        let cells = self.expected.iter().flatten();
        let small = cells.clone().filter(|cell| **cell < EXPECTED_MIN).count();
        cells.clone().all(|cell| *cell >= 1.0) && small * 5 <= cells.count()
    }
}

/// Returns p of two shares being one: Fisher's exact test where up to 10,000 tables of counts have these sums, as with few rows
/// on one side; beyond them the test with the pooled share (Pearson 1900). `None` if a whole is empty.
pub fn two_proportions(one: Proportion, other: Proportion) -> Option<f64> {
    if !one.is_sound() || !other.is_sound() {
        return None;
    }
    let whole = (one.whole + other.whole) as f64;
    let pooled = (one.part + other.part) as f64 / whole;
    if pooled == 0.0 || pooled >= 1.0 {
        return Some(1.0);
    }
    let possible = possible_parts(one, other);
    if possible.end() - possible.start() <= EXACT_MAX {
        return Some(fisher(one, other));
    }
    let error = (pooled * (1.0 - pooled) * (1.0 / one.whole as f64 + 1.0 / other.whole as f64)).sqrt();
    Some(normal_two_sided((one.share() - other.share()) / error))
}

/// Returns the parts of the first that both sums allow.
fn possible_parts(one: Proportion, other: Proportion) -> RangeInclusive<u64> {
    let parts = one.part + other.part;
    parts.saturating_sub(other.whole)..=parts.min(one.whole)
}

/// Sums up the probabilities of all tables that are at most as likely as this one (Fisher 1922).
fn fisher(one: Proportion, other: Proportion) -> f64 {
    let (parts, whole) = (one.part + other.part, one.whole + other.whole);
    let all = ln_binomial(whole, parts);
    let likely = |part: u64| libm::exp(ln_binomial(one.whole, part) + ln_binomial(other.whole, parts - part) - all);
    let seen = likely(one.part) * (1.0 + EQUAL_WITHIN);
    let p = possible_parts(one, other).map(likely).filter(|likely| *likely <= seen).sum::<f64>();
    p.min(1.0)
}

/// Returns the least p that the order of rows can have of which so many meet a condition: that of all of them coming first or last,
/// 2 over the ways to place them (Wilcoxon 1945). Approximations of few rows go below it.
pub fn least_of_order(proportion: Proportion) -> f64 {
    let Proportion { part, whole } = proportion;
    if part > whole { 1.0 } else { (2.0 * libm::exp(-ln_binomial(whole, part))).min(1.0) }
}

/// Returns p of several shares being one (Pearson 1900). Groups in which fewer than five are expected, on either side of the
/// share, are taken together, and left out if they are too few together too. `None` where that leaves fewer than two groups,
/// or fewer than five expected of one that is left.
pub fn several_proportions(groups: &[Proportion]) -> Option<f64> {
    let groups = &with_small_ones_together(groups);
    let all = together(groups.iter().copied());
    if groups.len() < 2 || !groups.iter().all(|group| expects_enough(*group, all)) {
        return None;
    }
    let share = all.share();
    let cell = |group: &Proportion| {
        let (part, rest) = (group.whole as f64 * share, group.whole as f64 * (1.0 - share));
        let away = group.part as f64 - part;
        away * away * (1.0 / part + 1.0 / rest)
    };
    chi_square_above(groups.iter().map(cell).sum(), groups.len() as f64 - 1.0)
}

/// Returns the groups with those together of which too few are expected; left out if they are too few together too (Cochran
/// 1954). One group of a few rows would keep all others from being tested.
fn with_small_ones_together(groups: &[Proportion]) -> Vec<Proportion> {
    let all = together(groups.iter().copied());
    let (mut enough, small): (Vec<_>, Vec<_>) = groups.iter().copied().partition(|group| expects_enough(*group, all));
    enough.extend(Some(together(small)).filter(|one| expects_enough(*one, all)));
    enough
}

/// Returns whether at least five are expected of a group on both sides of the share of all; in whole numbers, as rounding
/// must not decide which side is the small one.
fn expects_enough(group: Proportion, all: Proportion) -> bool {
    let fewer = all.part.min(all.whole.saturating_sub(all.part));
    let (group, fewer, whole) = (u128::from(group.whole), u128::from(fewer), u128::from(all.whole));
    whole > 0 && group * fewer >= EXPECTED_IN_GROUP_MIN * whole
}

/// Returns groups as one.
pub fn together(groups: impl IntoIterator<Item = Proportion>) -> Proportion {
    groups.into_iter().fold(Proportion { part: 0, whole: 0 }, |all, group| Proportion {
        part: all.part + group.part,
        whole: all.whole + group.whole,
    })
}

/// Returns the test of a table of counts, row by row: the sum over the cells of (count - expected)² / expected, where
/// expected is row total x column total / total, against chi-square with (rows - 1)(columns - 1) degrees of freedom
/// (Pearson 1900); Cramér's V is the root of statistic / total / (min(rows, columns) - 1) (Cramér 1946).
///
/// `None` with fewer than two rows or columns, rows of different lengths, or a row or column without any count. p is an
/// approximation: see [`Contingency::is_reliable`].
pub fn contingency(rows: &[Vec<u64>]) -> Option<Contingency> {
    let columns = rows.first()?.len();
    if rows.len() < 2 || columns < 2 || rows.iter().any(|row| row.len() != columns) {
        return None;
    }
    let row_totals = rows.iter().map(|row| row.iter().map(|count| *count as f64).sum::<f64>()).collect::<Vec<_>>();
    let column_total = |column: usize| rows.iter().map(|row| row[column] as f64).sum::<f64>();
    let column_totals = (0..columns).map(column_total).collect::<Vec<_>>();
    if row_totals.iter().chain(&column_totals).any(|total| *total <= 0.0) {
        return None;
    }
    let total = row_totals.iter().sum::<f64>();
    let expected_row = |row: &f64| column_totals.iter().map(|column| row * column / total).collect::<Vec<_>>();
    let expected = row_totals.iter().map(expected_row).collect::<Vec<_>>();
    let pairs = rows.iter().flatten().zip(expected.iter().flatten());
    let statistic = pairs.map(|(count, expected)| square(*count as f64 - expected) / expected).sum::<f64>();
    let (height, width) = (rows.len() as f64 - 1.0, columns as f64 - 1.0);
    let freedom = height * width;
    let p = chi_square_above(statistic, freedom)?;
    let cramers_v = (statistic / total / height.min(width)).sqrt().min(1.0);
    Some(Contingency { statistic, freedom, p, cramers_v, expected })
}

/// Returns p of several counts having one rate for their exposures. Given their total n, independent Poisson counts
/// with one rate are multinomial with the shares of the exposures (Przyborowski and Wilenski 1940), so p sums up the
/// probabilities of all outcomes that are at most as likely as this one. With more than 100,000 outcomes, Pearson's
/// chi-square.
///
/// `None` with fewer than two groups, an exposure that is not positive, or, where there are too many outcomes, fewer
/// than five expected in a group. Counts that come in clusters (items of one order) vary more than Poisson's: count the
/// clusters.
pub fn equal_rates(groups: &[Rate]) -> Option<f64> {
    let exposure = groups.iter().map(|group| group.exposure).sum::<f64>();
    let is_unsound = |group: &Rate| group.exposure.is_nan() || group.exposure <= 0.0;
    if groups.len() < 2 || groups.iter().any(is_unsound) || !exposure.is_finite() {
        return None;
    }
    let counts = groups.iter().map(|group| group.count).collect::<Vec<_>>();
    let shares = groups.iter().map(|group| group.exposure / exposure).collect::<Vec<_>>();
    let total = counts.iter().sum::<u64>();
    let free = groups.len() as u64 - 1;
    // The number of ways in which the total is split, as a logarithm: it overflows early.
    if ln_binomial(total.checked_add(free)?, free) <= libm::log(OUTCOMES_MAX) + EQUAL_WITHIN {
        return Some(multinomial(&counts, &shares, total));
    }
    let expected = shares.iter().map(|share| share * total as f64).collect::<Vec<_>>();
    if expected.iter().any(|expected| *expected < EXPECTED_MIN) {
        return None;
    }
    let cells = counts.iter().zip(&expected);
    chi_square_above(cells.map(|(count, expected)| square(*count as f64 - expected) / expected).sum(), free as f64)
}

/// Sums up the probabilities of all outcomes that are at most as likely as these counts.
fn multinomial(counts: &[u64], shares: &[f64], total: u64) -> f64 {
    let logs = shares.iter().map(|share| libm::log(*share)).collect::<Vec<_>>();
    let terms = counts.iter().zip(&logs).map(|(count, log)| *count as f64 * log - ln_factorial(*count));
    let seen = ln_factorial(total) + terms.sum::<f64>();
    sum_unlikely(&logs, total, ln_factorial(total), seen + EQUAL_WITHIN).min(1.0)
}

/// Sums up what the groups with these logarithms of shares can make of the rest of a total, as far as it is no more
/// likely than `most`; `so_far` is the logarithm of what the groups before them contribute.
fn sum_unlikely(logs: &[f64], rest: u64, so_far: f64, most: f64) -> f64 {
    let term = |log: f64, count: u64| count as f64 * log - ln_factorial(count);
    match logs {
        [] => 0.0,
        [last] => {
            let log = so_far + term(*last, rest);
            if log <= most { libm::exp(log) } else { 0.0 }
        }
        [first, others @ ..] => {
            (0..=rest).map(|count| sum_unlikely(others, rest - count, so_far + term(*first, count), most)).sum()
        }
    }
}

/// Returns Cohen's h, an effect size of two shares that does not depend on how common they are: the difference of
/// 2 asin(sqrt(share)) (Cohen 1988); .2 is small, .5 medium, .8 large. `None` if a whole is empty.
pub fn cohens_h(one: Proportion, other: Proportion) -> Option<f64> {
    let angle = |proportion: Proportion| 2.0 * libm::asin(proportion.share().sqrt());
    (one.is_sound() && other.is_sound()).then(|| angle(one) - angle(other))
}

/// Returns the 95% interval of the difference of two shares (Newcombe 1998, method 10). `None` if a whole is empty.
pub fn interval_of_proportions(one: Proportion, other: Proportion) -> Option<(f64, f64)> {
    newcombe(one, other, Z_95)
}

/// Returns the interval with this level of the difference of two shares (Newcombe 1998, method 10). `None` if a whole
/// is empty, or the level is not between 0 and 1.
pub fn interval_of_proportions_at(one: Proportion, other: Proportion, level: f64) -> Option<(f64, f64)> {
    newcombe(one, other, normal_reach(level)?)
}

fn newcombe(one: Proportion, other: Proportion, z: f64) -> Option<(f64, f64)> {
    if one.whole == 0 || other.whole == 0 {
        return None;
    }
    let ((low, high), (other_low, other_high)) = (score_interval(one, z), score_interval(other, z));
    let (share, other_share) = (one.share(), other.share());
    let difference = share - other_share;
    let below = libm::hypot(share - low, other_high - other_share);
    let above = libm::hypot(high - share, other_share - other_low);
    Some((difference - below, difference + above))
}

/// Returns the 95% interval of a share (Wilson 1927).
pub fn wilson(proportion: Proportion) -> (f64, f64) {
    score_interval(proportion, Z_95)
}

/// Returns the interval of a share with this level (Wilson 1927). `None` if the whole is empty, or the level is not
/// between 0 and 1.
pub fn wilson_at(proportion: Proportion, level: f64) -> Option<(f64, f64)> {
    proportion.is_sound().then_some(())?;
    Some(score_interval(proportion, normal_reach(level)?))
}

fn score_interval(proportion: Proportion, z: f64) -> (f64, f64) {
    let (share, count) = (proportion.share(), proportion.whole as f64);
    let squared = z * z;
    let middle = share + squared / (2.0 * count);
    let reach = z * (share * (1.0 - share) / count + squared / (4.0 * count * count)).sqrt();
    let scale = 1.0 + squared / count;
    ((middle - reach) / scale, (middle + reach) / scale)
}

fn square(value: f64) -> f64 {
    value * value
}
