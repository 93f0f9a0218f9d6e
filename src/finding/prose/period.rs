//! The periods that a text or a row speaks of: months, quarters, years. July's figure is not to be told of August.

use std::ops::Range;
use std::sync::LazyLock;

use jiff::civil::Date;
use regex::Regex;

use super::text::{MONTHS, month_of, pattern};
use crate::finding::expression::{CellReference, date_of};
use crate::finding::results::{QueryResult, Results};

/// Months of a year, or of any year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) year: Option<i16>,
    first_month: i8,
    last_month: i8,
}

/// A period in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StatedPeriod {
    pub(super) span: Range<usize>,
    pub(super) period: Period,
}

static STATED: LazyLock<Regex> = LazyLock::new(|| {
    let month = format!(r"\b(?P<month>{MONTHS})\b(?:\.?,?[\s_-]+(?:of\s+)?(?P<month_year>[0-9]{{4}})\b)?");
    let iso = r"\b(?P<iso_year>[0-9]{4})[-_](?P<iso_month>0[1-9]|1[0-2])\b";
    let quarter = r"\bq(?P<quarter>[1-4])(?:[\s_-]*(?P<quarter_year>[0-9]{4}))?\b";
    pattern(&format!(r"(?i){month}|{iso}|{quarter}|\b(?P<year>(?:19|20)[0-9]{{2}})\b"))
});

impl Period {
    fn overlaps(self, other: Self) -> bool {
        let same_year = self.year.is_none() || other.year.is_none() || self.year == other.year;
        same_year && self.first_month <= other.last_month && other.first_month <= self.last_month
    }

    /// Whether some of it lies between two days.
    pub(super) fn touches(self, (first, last): (Date, Date)) -> bool {
        let Some(year) = self.year else { return true };
        let start = (year, self.first_month);
        (first.year(), first.month()) <= (year, self.last_month) && start <= (last.year(), last.month())
    }
}

/// The periods in `text`, of which the places in `taken` are something else; a bare number is a year where `years` has
/// its place.
pub(super) fn stated(text: &str, taken: &[Range<usize>], years: &[Range<usize>]) -> Vec<StatedPeriod> {
    let one = |found: regex::Captures<'_>| {
        let span = found.get(0)?.range();
        let number = |name: &str| found.name(name)?.as_str().parse::<i16>().ok();
        let month = |month: i8, year| Period { year, first_month: month, last_month: month };
        let period = if let Some(name) = found.name("month") {
            let is_verb = name.as_str() == "may" || name.as_str() == "march";
            (!is_verb).then(|| month_of(name.as_str()))?.map(|index| month(index, number("month_year")))?
        } else if let Some(index) = number("iso_month") {
            month(i8::try_from(index).ok()?, number("iso_year"))
        } else if let Some(quarter) = number("quarter") {
            let last_month = i8::try_from(quarter * 3).ok()?;
            Period { year: number("quarter_year"), first_month: last_month - 2, last_month }
        } else {
            let is_year = years.contains(&span);
            Period { year: is_year.then(|| number("year"))?, first_month: 1, last_month: 12 }
        };
        let is_free = taken.iter().all(|other| other.end <= span.start || span.end <= other.start);
        is_free.then_some(StatedPeriod { span, period })
    };
    STATED.captures_iter(text).filter_map(one).collect()
}

/// What a column of one of these names holds is the row's period.
fn of_row(result: &QueryResult, cell: &CellReference) -> Option<(Period, String)> {
    let column = result.table.columns.get(cell.column)?.name.replace('_', " ");
    let in_name = stated(&column, &[], &[]).into_iter().next();
    if let Some(found) = in_name {
        return Some((found.period, column));
    }
    for (index, column) in result.table.columns.iter().enumerate() {
        let name = column.name.to_lowercase();
        let months = match () {
            () if index == cell.column => continue,
            () if name.contains("month") && !name.ends_with('s') => 1,
            () if name.contains("quarter") && !name.ends_with('s') => 3,
            () if name.contains("year") && !name.ends_with('s') => 12,
            () => continue,
        };
        let Some(value) = result.table.cell(cell.row, index) else { continue };
        let whole = 0..value.len();
        let period = match date_of(value) {
            Some(day) => {
                Some(Period { year: Some(day.year()), first_month: day.month(), last_month: day.month() + months - 1 })
            }
            None => stated(value, &[], &[whole]).into_iter().next().map(|found| found.period),
        };
        let of_year =
            |period: Period| if months == 12 { Period { first_month: 1, last_month: 12, ..period } } else { period };
        if let Some(period) = period {
            return Some((of_year(period), value.get(..10).unwrap_or(value).to_owned()));
        }
    }
    None
}

/// The period of the rows behind a figure, if it is none of those that the text gives.
pub(super) fn contradiction(told: &[Period], groups: &[Vec<CellReference>], results: &Results) -> Option<String> {
    let single = groups.iter().filter(|group| group.len() == 1).flatten();
    let mut wrong = None;
    for cell in single {
        let Some((period, name)) = results.get(&cell.query).and_then(|result| of_row(result, cell)) else { continue };
        if told.iter().any(|told| told.overlaps(period)) {
            return None;
        }
        wrong = wrong.or(Some(name));
    }
    wrong.filter(|_| !told.is_empty())
}
