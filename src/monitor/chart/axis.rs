//! The axes of a chart: round numbers along the side and dates along the bottom.

use jiff::civil::{Date, DateTime};

/// The value axis: its range and its marks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) marks: Vec<f64>,
}

/// The approximate number of marks on the value axis.
const MARKS: f64 = 4.0;
/// The axis begins at 0 if the lowest value is below this share of the highest.
const ZERO_SHARE: f64 = 0.6;

impl Axis {
    /// Creates an axis that contains all of `values`. Returns `None` if there are none, or if their span overflows.
    pub(super) fn holding(values: impl Iterator<Item = f64>) -> Option<Self> {
        let range = values.fold(None, |range: Option<(f64, f64)>, value| {
            let (lowest, highest) = range.unwrap_or((value, value));
            Some((lowest.min(value), highest.max(value)))
        });
        let (mut lowest, mut highest) = range?;
        if lowest > 0.0 && lowest < ZERO_SHARE * highest {
            lowest = 0.0;
        }
        if highest - lowest <= f64::EPSILON * highest.abs().max(1.0) {
            let room = if highest == 0.0 { 1.0 } else { highest.abs() * 0.1 };
            (lowest, highest) = (lowest - room, highest + room);
        }
        let span = highest - lowest;
        if !span.is_finite() {
            return None;
        }
        let step = round_step(span / MARKS);
        let (first, last) = ((lowest / step).floor(), (highest / step).ceil());
        let mut marks = Vec::new();
        let mut place = first;
        while place <= last && marks.len() < 12 {
            marks.push(place * step);
            place += 1.0;
        }
        Some(Self { from: first * step, to: last * step, marks })
    }

    /// Returns the position of a value on the axis, from 0 at the bottom to 1 at the top.
    pub(super) fn place(&self, value: f64) -> f64 {
        ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0)
    }
}

/// Rounds to the nearest of 1, 2 or 5 times a power of ten.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let round = match step / power {
        ..1.414 => 1.0,
        ..3.162 => 2.0,
        ..7.071 => 5.0,
        _ => 10.0,
    };
    round * power
}

/// Chooses at most `count` steps to label with a date. Returns their indices and labels.
pub(super) fn dates(steps: &[DateTime], count: usize) -> Vec<(usize, String)> {
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return Vec::new() };
    let days = (last.date() - first.date()).get_days();
    let candidates: Vec<usize> = match days {
        0..=2 => (0..steps.len()).collect(),
        3..=13 => begins(steps, |date| date),
        14..=120 => begins(steps, |date| date.checked_sub(weekday_offset(date)).unwrap_or(date)),
        _ => begins(steps, Date::first_of_month),
    };
    let pitch = candidates.len().div_ceil(count).max(1);
    let format = match days {
        0..=2 => "%H:%M",
        3..=400 => "%-d %b",
        _ => "%b %Y",
    };
    let chosen = candidates.into_iter().step_by(pitch);
    chosen.map(|index| (index, steps[index].strftime(format).to_string())).collect()
}

fn weekday_offset(date: Date) -> jiff::Span {
    jiff::Span::new().days(date.weekday().to_monday_zero_offset())
}

/// Returns the indices at which a new period begins. The first step counts only if it is the first day of its period.
fn begins(steps: &[DateTime], period: impl Fn(Date) -> Date) -> Vec<usize> {
    let date = |index: usize| steps[index].date();
    let is_begin = |index: &usize| match index.checked_sub(1) {
        Some(before) => period(date(before)) != period(date(*index)),
        None => period(date(0)) == date(0),
    };
    (0..steps.len()).filter(is_begin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_marks_that_hold_every_value() {
        let check = |values: &[f64], expected: &[f64]| {
            assert_eq!(Axis::holding(values.iter().copied()).unwrap().marks, expected, "{values:?}");
        };
        check(&[0.0, 97.0], &[0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        check(&[0.0, 2_100.0], &[0.0, 500.0, 1_000.0, 1_500.0, 2_000.0, 2_500.0]);
        check(&[12_000.0, 61_000.0], &[0.0, 20_000.0, 40_000.0, 60_000.0, 80_000.0]);
        check(&[95.0, 103.0], &[94.0, 96.0, 98.0, 100.0, 102.0, 104.0]);
        check(&[50.0, 50.0], &[44.0, 46.0, 48.0, 50.0, 52.0, 54.0, 56.0]);
        check(&[-40.0, 35.0], &[-40.0, -20.0, 0.0, 20.0, 40.0]);
        assert_eq!(Axis::holding(std::iter::empty()), None);
        assert_eq!(Axis::holding([-f64::MAX, f64::MAX].into_iter()), None);
    }

    #[test]
    fn dates_are_mondays_firsts_of_months_or_hours() {
        let steps = |count: i64| -> Vec<DateTime> {
            let first = jiff::civil::date(2026, 9, 3).at(0, 0, 0, 0);
            (0..count).map(|day| first + jiff::Span::new().days(day)).collect()
        };
        let check = |count, expected: &[(usize, &str)]| {
            let found = dates(&steps(count), 6);
            assert_eq!(found.iter().map(|(index, text)| (*index, text.as_str())).collect::<Vec<_>>(), expected);
        };
        check(5, &[(0, "3 Sep"), (1, "4 Sep"), (2, "5 Sep"), (3, "6 Sep"), (4, "7 Sep")]);
        check(20, &[(4, "7 Sep"), (11, "14 Sep"), (18, "21 Sep")]);
        check(170, &[(28, "1 Oct"), (59, "1 Nov"), (89, "1 Dec"), (120, "1 Jan"), (151, "1 Feb")]);
    }
}
