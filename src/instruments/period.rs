//! The time that rows span, the unit in which a series of them is told, and which of its periods are whole.

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};

use super::reading::{cell, count};
use super::target::{Field, Target};
use super::{Answered, dialect};

/// The first and the last day of rows, and how many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub first: Date,
    pub last: Date,
    pub rows: u64,
}

/// A step of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Week,
    Month,
    Quarter,
}

/// Returns the condition that a row is not later than the target's last day.
pub(super) fn until(target: &Target, time: &Field) -> String {
    let after = target.as_of.tomorrow().unwrap_or(target.as_of);
    format!("{} < DATE {}", time.sql, dialect::text(&after.to_string()))
}

/// Returns the condition that a row is of these days, of which the last counts.
pub(super) fn during(time: &Field, first: Date, last: Date) -> String {
    let day = |day: Date| format!("DATE {}", dialect::text(&day.to_string()));
    let after = last.tomorrow().unwrap_or(last);
    format!("{0} >= {1} AND {0} < {2}", time.sql, day(first), day(after))
}

impl Range {
    pub(super) fn read(answered: Answered<'_>) -> Option<Self> {
        let day = |column: &str| date(cell(answered.table, 0, column)?);
        Some(Self { first: day("first")?, last: day("last")?, rows: count(answered.table, 0, "dated")? })
    }

    pub(super) fn days(&self) -> i32 {
        (self.last - self.first).get_days() + 1
    }

    /// Returns the unit that gives enough periods, and not too many.
    pub(super) fn unit(&self) -> Option<Unit> {
        match self.days() {
            ..12 => None,
            12..56 => Some(Unit::Day),
            56..240 => Some(Unit::Week),
            240..2200 => Some(Unit::Month),
            _ => Some(Unit::Quarter),
        }
    }

    /// Returns the beginnings of the periods that the rows span as a whole.
    pub(super) fn whole(&self, unit: Unit) -> Vec<Date> {
        let mut start = unit.floor(self.first);
        // A period in which the first days lack is one that begins late, not one without rows.
        if (self.first - start).get_days() > unit.slack() {
            start = unit.after(start);
        }
        let mut found = Vec::new();
        loop {
            let next = unit.after(start);
            if (next - self.last).get_days() - 1 > unit.slack() || next <= start {
                return found;
            }
            found.push(start);
            start = next;
        }
    }
}

impl Unit {
    /// Returns what PostgreSQL calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
        }
    }

    /// Days at an end that may be without rows in a whole period.
    fn slack(self) -> i32 {
        match self {
            Self::Day => 0,
            Self::Week => 1,
            Self::Month => 2,
            Self::Quarter => 4,
        }
    }

    fn floor(self, day: Date) -> Date {
        let first = day.first_of_month();
        let back = |days: i32| day.checked_sub(days.days()).unwrap_or(day);
        match self {
            Self::Day => day,
            Self::Week => back(i32::from(day.weekday().to_monday_zero_offset())),
            Self::Month => first,
            Self::Quarter => first.checked_sub(i32::from((day.month() - 1) % 3).months()).unwrap_or(first),
        }
    }

    fn after(self, start: Date) -> Date {
        let step: Span = match self {
            Self::Day => 1.day(),
            Self::Week => 1.week(),
            Self::Month => 1.month(),
            Self::Quarter => 3.months(),
        };
        start.checked_add(step).unwrap_or(start)
    }
}

/// Returns the day of a date or timestamp as PostgreSQL writes it.
pub(super) fn date(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}
