//! What every generator draws: the days of its data, numbers, and which draw is structure and which is noise.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "amounts are small, and are rounded on purpose"
)]

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, date};

use crate::analysis::dice::Dice;

/// The stream of a seed of which names and effects are drawn. The noise of draw n comes from the n-th stream after it.
const STRUCTURE: u64 = 1;
/// Days of the last month, which the data cover in part.
const LAST_MONTH_DAYS: (i64, i64) = (8, 17);

/// What a generator begins with.
#[derive(Debug)]
pub(super) struct World {
    /// The source of names, sizes and effects: the same in every draw.
    pub(super) plan: Dice,
    /// The source of everything else.
    pub(super) noise: Dice,
    pub(super) calendar: Calendar,
    /// Whether signals and decoys are planted.
    pub(super) is_planted: bool,
}

impl World {
    pub(super) fn new(seed: u64, draw: u64, months: i64, is_planted: bool) -> Self {
        let mut plan = Dice::new(seed, STRUCTURE);
        let calendar = Calendar::new(months, &mut plan);
        Self { plan, noise: Dice::new(seed, STRUCTURE + 1 + draw), calendar, is_planted }
    }

    /// Returns how many times as much a thing is once its effect has begun; 1 where nothing is planted.
    pub(super) fn factor(&self, day: i64, since: i64, factor: f64) -> f64 {
        if self.is_planted && day >= since { factor } else { 1.0 }
    }

    /// Returns a share of its own, or the usual one.
    pub(super) fn share(&self, applies: bool, own: f64, usual: f64) -> f64 {
        if self.is_planted && applies { own } else { usual }
    }

    /// Returns weights for drawing groups: uneven, or all the same where nothing is planted.
    pub(super) fn weights(&mut self, count: usize) -> Vec<f64> {
        let is_planted = self.is_planted;
        (0..count).map(|_| self.plan.between(0.7, 1.5)).map(|weight| if is_planted { weight } else { 1.0 }).collect()
    }
}

/// The days of the data, counted from the first as 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calendar {
    pub(super) first: Date,
    pub(super) last: Date,
}

impl Calendar {
    /// Draws a last day; the data begin on the first of a month `months` before.
    fn new(months: i64, dice: &mut Dice) -> Self {
        let month = date(i16::try_from(dice.whole(2022, 2026)).unwrap_or(2024), 1, 1)
            .saturating_add(dice.whole(0, 11).months());
        let last = month.saturating_add(dice.whole(LAST_MONTH_DAYS.0, LAST_MONTH_DAYS.1).days());
        Self { first: month.saturating_sub(months.months()), last }
    }

    /// Returns the number of days.
    pub(super) fn days(self) -> i64 {
        self.number(self.last) + 1
    }

    pub(super) fn number(self, day: Date) -> i64 {
        i64::from(self.first.until(day).map_or(0, |span| span.get_days()))
    }

    pub(super) fn date(self, day: i64) -> Date {
        self.first.saturating_add(day.days())
    }

    /// Returns the first day of the month that many whole months before the last, partial one.
    pub(super) fn months_before(self, months: i64) -> i64 {
        self.number(self.last.first_of_month().saturating_sub(months.months()))
    }

    /// Returns the month of a day, counted from the first as 0.
    pub(super) fn month(self, day: i64) -> i64 {
        let date = self.date(day);
        let months = |date: Date| i64::from(date.year()) * 12 + i64::from(date.month());
        months(date) - months(self.first)
    }

    /// Returns a random time of a day.
    pub(super) fn time(self, day: i64, dice: &mut Dice) -> DateTime {
        let minutes = dice.whole(0, 24 * 60 - 1);
        self.date(day).to_datetime(jiff::civil::Time::midnight()).saturating_add(minutes.minutes())
    }

    /// Returns the last month, as sentences name it: `November 2025`.
    pub(super) fn last_month(self) -> String {
        self.last.strftime("%B %Y").to_string()
    }
}

/// Draws a place of a list of this length.
pub(super) fn index(length: usize, dice: &mut Dice) -> usize {
    let last = i64::try_from(length).unwrap_or(1).max(1) - 1;
    usize::try_from(dice.whole(0, last)).unwrap_or(0)
}

/// Draws a place by weights.
pub(super) fn weighted(weights: &[f64], dice: &mut Dice) -> usize {
    let mut left = dice.unit() * weights.iter().sum::<f64>();
    let place = weights.iter().position(|weight| {
        left -= weight;
        left < 0.0
    });
    place.unwrap_or(weights.len().saturating_sub(1))
}

/// Draws a time until the next event that does not depend on the time since the last one.
pub(super) fn memoryless(mean: f64, dice: &mut Dice) -> f64 {
    -mean * libm::log(1.0 - dice.unit())
}

/// Draws a positive number with this median whose logarithm is normal.
pub(super) fn log_normal(median: f64, spread: f64, dice: &mut Dice) -> f64 {
    median * libm::exp(spread * dice.normal())
}

/// Rounds to a whole number.
pub(super) fn rounded(number: f64) -> i64 {
    number.round() as i64
}

/// Returns a number in hundredths.
pub(super) fn hundredths(number: f64) -> i64 {
    rounded(number * 100.0)
}

/// Returns a small whole number as one with decimals.
pub(super) fn real(number: i64) -> f64 {
    number as f64
}
