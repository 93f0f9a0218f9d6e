//! Periods of time, as keys and conditions name them.

use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::{Span, ToSpan as _};

use crate::warehouse::lineage::presentation::format_letters;

/// The days from `first` to the one before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Period {
    pub(super) first: Date,
    /// The day after the last one.
    pub(super) end: Date,
}

/// What a key of time is truncated to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    /// Returns the unit that `date_trunc` calls so.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.to_lowercase().as_str() {
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "quarter" => Self::Quarter,
            "year" => Self::Year,
            _ => return None,
        })
    }

    /// Returns the unit to which a format of `to_char` tells a moment, if it tells all of it.
    pub(super) fn of_format(format: &str) -> Option<Self> {
        Some(match format_letters(format).as_str() {
            "YYYY" => Self::Year,
            "YYYYQ" => Self::Quarter,
            "YYYYMM" | "MONYYYY" | "MONTHYYYY" | "FMMONTHYYYY" => Self::Month,
            "YYYYMMDD" => Self::Day,
            "IYYYIW" => Self::Week,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    pub(crate) fn span(self) -> Span {
        match self {
            Self::Day => 1.day(),
            Self::Week => 1.week(),
            Self::Month => 1.month(),
            Self::Quarter => 3.months(),
            Self::Year => 1.year(),
        }
    }

    /// Returns the period of this unit that begins on a day; `None` if none does.
    pub(super) fn beginning(self, first: Date) -> Option<Period> {
        let begins = match self {
            Self::Day => true,
            Self::Week => first.weekday() == Weekday::Monday,
            Self::Month => first.day() == 1,
            Self::Quarter => first.day() == 1 && (first.month() - 1) % 3 == 0,
            Self::Year => first.day() == 1 && first.month() == 1,
        };
        let end = first.checked_add(self.span()).ok()?;
        begins.then_some(Period { first, end })
    }

    /// Returns the period of this unit before another one.
    pub(super) fn before(self, period: Period) -> Option<Period> {
        self.beginning(period.first.checked_sub(self.span()).ok()?)
    }

    /// Reads the text of a cell as a period of this unit: `2024-03-01`, `2024-03-01 00:00:00+00`, `2024-03`, `2024-Q1`,
    /// `2024`.
    pub(super) fn read(self, text: &str) -> Option<Period> {
        let first = match self {
            Self::Year => year(text).or_else(|| date(text)),
            Self::Quarter => quarter(text).or_else(|| date(text)),
            Self::Month => month(text).or_else(|| date(text)).or_else(|| named_month(text)),
            Self::Week => date(text).or_else(|| iso_week(text)),
            Self::Day => date(text).or_else(|| compact(text)),
        };
        self.beginning(first?)
    }
}

impl Period {
    /// Whether it has no first or no last day.
    pub(super) fn is_open(self) -> bool {
        self.first == Date::MIN || self.end == Date::MAX
    }

    pub(super) fn days(self) -> i64 {
        i64::from(self.first.until(self.end).map_or(0, |span| span.get_days()))
    }

    /// Returns whether it is a whole period but for one day in thirty: the first of January has no rows in many data.
    pub(super) fn is_nearly(self, whole: Self) -> bool {
        let missing = whole.days() - self.days();
        missing == 0 || missing * 28 <= whole.days()
    }

    /// Returns the last day.
    pub(super) fn last(self) -> Date {
        self.end.yesterday().unwrap_or(self.end)
    }

    /// Returns the days that both have; `None` if they have none in common.
    pub(super) fn and(self, other: Self) -> Option<Self> {
        let both = Self { first: self.first.max(other.first), end: self.end.min(other.end) };
        (both.first < both.end).then_some(both)
    }

    /// Returns the unit of which it is one whole period.
    pub(super) fn unit(self) -> Option<Unit> {
        if self.is_open() {
            return None;
        }
        let units = [Unit::Day, Unit::Week, Unit::Month, Unit::Quarter, Unit::Year];
        units.into_iter().find(|unit| unit.beginning(self.first) == Some(self))
    }

    /// Returns the period in words: `January 2024`, `2024-Q1`, `the week from 1 January 2024`, `2 January 2024 – 5 March 2024`.
    pub(super) fn words(self) -> String {
        let first = self.first;
        if self.is_open() {
            let after = if first == Date::MIN { String::new() } else { format!("since {}", day_words(first)) };
            return if self.end == Date::MAX { after } else { format!("before {}", day_words(self.end)) };
        }
        match self.unit() {
            Some(Unit::Year) => first.year().to_string(),
            Some(Unit::Quarter) => format!("{}-Q{}", first.year(), (first.month() - 1) / 3 + 1),
            Some(Unit::Month) => first.strftime("%B %Y").to_string(),
            Some(Unit::Week) => format!("the week from {}", day_words(first)),
            Some(Unit::Day) => day_words(first),
            None => format!("{} \u{2013} {}", day_words(first), day_words(self.last())),
        }
    }

    /// Returns the words with the preposition that a sentence needs: `in January 2024`, `on 2 January 2024`.
    pub(super) fn phrase(self) -> String {
        if self.is_open() {
            return self.words();
        }
        let preposition = match self.unit() {
            Some(Unit::Day) => "on",
            Some(_) | None => "in",
        };
        format!("{preposition} {}", self.words())
    }
}

/// Returns a day as people write it: `2 January 2024`.
pub(super) fn day_words(day: Date) -> String {
    day.strftime("%-d %B %Y").to_string()
}

/// Returns the date at the beginning of a text, if nothing but midnight follows.
pub(super) fn date(text: &str) -> Option<Date> {
    let day = text.get(..10)?.parse::<Date>().ok()?;
    let rest = text.get(10..)?;
    let time = rest.trim_start_matches([' ', 'T']);
    let clock = time.split(['+', 'Z', '-']).next()?;
    let is_midnight = clock.chars().all(|c| matches!(c, '0' | ':' | '.'));
    is_midnight.then_some(day)
}

/// Returns the unit and the first day of the period that a text names, in any of the forms in which sentences and people
/// write it.
pub(super) fn named(text: &str) -> Option<(Unit, Date)> {
    type Read = fn(&str) -> Option<Date>;
    let forms: [(Unit, Read); 5] = [
        (Unit::Day, date),
        (Unit::Quarter, quarter),
        (Unit::Month, month),
        (Unit::Month, named_month),
        (Unit::Year, year),
    ];
    let text = text.trim();
    forms.into_iter().find_map(|(unit, read)| Some((unit, read(text)?)))
}

/// Reads `2024-W07`, `2024-07` and `202407` as a week of ISO 8601: its Monday.
fn iso_week(text: &str) -> Option<Date> {
    let (year, week) = text.split_at_checked(4)?;
    let digits = week.trim_start_matches(['-', ' ', 'W', 'w', '/']);
    let week = digits.parse::<i8>().ok().filter(|_| digits.len() == 2)?;
    Some(ISOWeekDate::new(year.parse().ok()?, week, Weekday::Monday).ok()?.date())
}

/// Reads `March 2024`, `Mar 2024` and `MAR-2024`.
fn named_month(text: &str) -> Option<Date> {
    let words = text.replace(['-', '/', '.', ','], " ");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    ["%B %Y", "%b %Y"].iter().find_map(|format| {
        let read = jiff::fmt::strtime::parse(format, &words).ok()?;
        Date::new(read.year()?, read.month()?, 1).ok()
    })
}

fn year(text: &str) -> Option<Date> {
    let digits = text.split('.').next()?;
    let is_year = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_year { Date::new(digits.parse().ok()?, 1, 1).ok() } else { None }
}

fn quarter(text: &str) -> Option<Date> {
    let (start, quarter) = text.split_at_checked(4)?;
    let digit = quarter.trim_start_matches(['-', ' ', 'Q', 'q']);
    let quarter = digit.parse::<i8>().ok().filter(|quarter| (1..=4).contains(quarter) && digit.len() == 1)?;
    Date::new(start.parse().ok()?, quarter * 3 - 2, 1).ok()
}

fn month(text: &str) -> Option<Date> {
    let (start, month) = text.split_at_checked(4)?;
    let digits = month.trim_start_matches(['-', '/', '.', ' ']);
    let month = digits.parse::<i8>().ok().filter(|_| digits.len() == 2)?;
    Date::new(start.parse().ok()?, month, 1).ok()
}

fn compact(text: &str) -> Option<Date> {
    let is_compact = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_compact {
        return None;
    }
    Date::new(text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..].parse().ok()?).ok()
}
