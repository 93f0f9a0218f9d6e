//! The time that rows span, the unit in which a series of them is told, and which of its periods are whole.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::reading::cell;
use super::target::{Field, Target};
use super::{Answered, dialect};
use crate::finding::fact::Unit;

/// The first and the last day of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub first: Date,
    pub last: Date,
}

/// Returns the condition that a row is not later than the last day that is looked at over time.
pub(super) fn until(target: &Target, time: &Field) -> String {
    up_to(time, target.last_day)
}

/// Returns the condition that a row is not later than a day.
pub(super) fn up_to(time: &Field, last: Date) -> String {
    let after = last.tomorrow().unwrap_or(last);
    format!("{} < {}", time.sql, dialect::date(after))
}

/// Returns the condition that a row is of these days, of which the last counts.
pub(super) fn during(time: &Field, first: Date, last: Date) -> String {
    let after = last.tomorrow().unwrap_or(last);
    format!("{0} >= {1} AND {0} < {2}", time.sql, dialect::date(first), dialect::date(after))
}

impl Range {
    pub(super) fn read(answered: Answered<'_>) -> Option<Self> {
        let day = |column: &str| date(cell(answered.table, 0, column)?);
        Some(Self { first: day("first")?, last: day("last")? })
    }

    pub(super) fn days(self) -> i32 {
        (self.last - self.first).get_days() + 1
    }

    /// Returns the last day of which the rows have had so many days to come to their end. `None` if that leaves less than half
    /// of the days: then it is no matter of the latest ones.
    pub(super) fn settled(self, days: f64) -> Option<Date> {
        #[expect(clippy::cast_possible_truncation, reason = "days that rows span")]
        let days = days.ceil().min(1e6) as i32;
        (days > 0 && days <= self.days() / 2).then(|| self.last.checked_sub(days.days()).unwrap_or(self.first))
    }

    /// Returns the first and the second half of the days, each as its first and its last day.
    pub(super) fn halves(self) -> [(Date, Date); 2] {
        self.parted(self.first.checked_add((self.days() / 2).days()).unwrap_or(self.last))
    }

    /// Returns the days before one and those since then, each as its first and its last day.
    pub(super) fn parted(self, since: Date) -> [(Date, Date); 2] {
        [(self.first, since.yesterday().unwrap_or(since)), (since, self.last)]
    }

    /// Returns the unit that gives enough periods, and not too many.
    pub(super) fn unit(self) -> Option<Unit> {
        match self.days() {
            ..12 => None,
            12..56 => Some(Unit::Day),
            56..240 => Some(Unit::Week),
            240..2200 => Some(Unit::Month),
            _ => Some(Unit::Quarter),
        }
    }

    /// Returns the beginnings of the periods that the rows span as a whole and that have ended with a day.
    pub(super) fn whole(self, unit: Unit, until: Date) -> Vec<Date> {
        let mut start = floor(unit, self.first);
        // A period in which the first days lack is one that begins late, not one without rows.
        if (self.first - start).get_days() > slack(unit) {
            start = after(unit, start);
        }
        let mut found = Vec::new();
        loop {
            let next = after(unit, start);
            // A period whose last days are without rows may be whole, but not before they are over.
            let is_over = next.yesterday().is_ok_and(|last| last <= until);
            if (next - self.last).get_days() - 1 > slack(unit) || !is_over || next <= start {
                return found;
            }
            found.push(start);
            start = next;
        }
    }
}

/// Returns the days at an end that may be without rows in a whole period.
fn slack(unit: Unit) -> i32 {
    match unit {
        Unit::Day => 0,
        Unit::Week => 1,
        Unit::Month => 2,
        Unit::Quarter | Unit::Year => 4,
    }
}

/// Returns the beginning of the period that a day is in.
pub(super) fn floor(unit: Unit, day: Date) -> Date {
    let month = day.first_of_month();
    let back = match unit {
        Unit::Day => return day,
        Unit::Week => return day.checked_sub(day.weekday().to_monday_zero_offset().days()).unwrap_or(day),
        Unit::Month => return month,
        Unit::Quarter => (day.month() - 1) % 3,
        Unit::Year => day.month() - 1,
    };
    month.checked_sub(back.months()).unwrap_or(month)
}

/// Returns the beginning of the period after the one that begins on a day.
fn after(unit: Unit, start: Date) -> Date {
    start.checked_add(unit.span()).unwrap_or(start)
}

/// Returns the day of a date or timestamp as PostgreSQL writes it.
pub(super) fn date(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}
