//! Whether the share that a group has of all rows changed its level, by the counts of rows themselves. A dozen ranks say little
//! of a level that is four months old; hundreds of rows say more.
//!
//! Each place in the series may be the one: the difference of the shares before and since, in standard errors, is largest at
//! it (Levin and Kline 1985), and p is that of the largest among all places (Bonferroni). One period, such as a month of the
//! season, makes no level, so it has to stand without any of them; and where the same periods of the year before are known, it
//! has to stand beside them.

use std::ops::Range;

use crate::analysis::chance::distribution::normal_two_sided;

/// Rows that are expected on either side of the change at least.
const EXPECTED_MIN: f64 = 5.0;
/// The p up to which a change stands beside the same periods a year before: it is one question, asked once.
const YEAR_P_MAX: f64 = 0.1;

/// The counts of a group, period by period.
pub(super) struct Counted<'s> {
    pub(super) counts: &'s [f64],
    /// The rows of all, period by period.
    pub(super) rows: &'s [f64],
    /// How much more the counts differ than chance alone would have them, 1 where they do not.
    pub(super) spread: f64,
    /// The periods of a year.
    pub(super) year: Option<usize>,
}

/// A new level: the place of its first period, and how well chance explains it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Level {
    pub(super) at: usize,
    pub(super) p: f64,
}

impl Counted<'_> {
    /// Returns the new level that chance explains least. `None` where rows are too few on either side everywhere.
    pub(super) fn level(&self) -> Option<Level> {
        let periods = self.counts.len();
        let found = (1..periods).filter_map(|at| Some((at, self.away(0..at, at..periods, None)?)));
        let (at, away) = found.max_by(|(_, one), (_, other)| one.abs().total_cmp(&other.abs()))?;
        if !self.stands_beside_last_year(at, away) {
            return Some(Level { at, p: 1.0 });
        }
        let least = (0..periods).filter_map(|without| self.away(0..at, at..periods, Some(without)));
        // Where nothing is left without a period, it is all there is.
        let least = least.map(|one| one * away.signum()).fold(away.abs(), f64::min).max(0.0);
        let is_one = at == 1 || at + 1 == periods;
        let places = f64::from(u32::try_from(periods - 1).unwrap_or(u32::MAX));
        Some(Level { at, p: if is_one { 1.0 } else { (places * normal_two_sided(least)).min(1.0) } })
    }

    /// Returns how far the share since is from the share before, in standard errors, without one period.
    fn away(&self, before: Range<usize>, since: Range<usize>, without: Option<usize>) -> Option<f64> {
        let sums = |periods: Range<usize>| {
            let kept = periods.filter(|period| Some(*period) != without);
            kept.fold((0.0, 0.0), |(counts, rows), period| (counts + self.counts[period], rows + self.rows[period]))
        };
        let ((first, first_rows), (second, second_rows)) = (sums(before), sums(since));
        let share = (first + second) / (first_rows + second_rows);
        let is_enough = share * first_rows >= EXPECTED_MIN && share * second_rows >= EXPECTED_MIN && share < 1.0;
        let error = (share * (1.0 - share) * (1.0 / first_rows + 1.0 / second_rows)).sqrt() * self.spread.max(1.0);
        is_enough.then(|| (second / second_rows - first / first_rows) / error)
    }

    /// Returns whether the periods since a change are as far from the same ones a year before, where those are before it.
    fn stands_beside_last_year(&self, at: usize, away: f64) -> bool {
        let Some(year) = self.year else { return true };
        let before = at.saturating_sub(year)..at.min(self.counts.len().saturating_sub(year));
        let since = before.start + year..before.end + year;
        let beside = (!before.is_empty()).then(|| self.away(before, since, None)).flatten();
        beside.is_none_or(|beside| beside.signum() == away.signum() && normal_two_sided(beside) <= YEAR_P_MAX)
    }
}
