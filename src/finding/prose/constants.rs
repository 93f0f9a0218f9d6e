//! What in a text needs no cell: constants of the question, days that a statement asked for, periods.

use std::ops::Range;

use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::claims::{Checker, has_number, says, words};
use super::reading::Reading;
use super::text::{self, Claims, Constant, Stated, StatedDate, TimeUnit};
use crate::finding::Citation;
use crate::finding::expression::date_of;

/// Words for what is counted that name no column.
const GENERIC: [&str; 12] =
    ["account", "client", "compan", "entit", "other", "case", "name", "item", "group", "segment", "of", "largest"];
/// Words of a clause in which a day is an event, so that it has to stand in a row.
const EVENTS: [&str; 10] = ["no", "not", "never", "none", "nothing", "stopped", "silent", "ordered", "bought", "last"];

impl Checker<'_> {
    pub(super) fn is_constant(&self, reading: &Reading, stated: &Stated) -> bool {
        let in_literals = || self.literals.iter().any(|literal| has_number(literal, stated.value));
        let count = |citation: &Citation| Decimal::from(citation.rows.len()) == stated.value;
        match stated.constant {
            None => false,
            Some(Constant::Rank) => in_literals() || self.citations.iter().any(count),
            Some(Constant::Duration(unit)) => in_literals() || is_length(self.period, unit, stated.value),
            Some(Constant::Count) => self.is_count(reading, &stated.span, stated.value),
        }
    }

    /// Whether that many of what is named behind the number are named in the sentence, or are all rows of a cited result.
    fn is_count(&self, reading: &Reading, span: &Range<usize>, count: Decimal) -> bool {
        let nouns = words(&reading.text[span.end..]).take(2).collect::<Vec<_>>();
        let is_noun = |column: &str| {
            let column = column.to_lowercase();
            let fits = |noun: &String| {
                let noun = noun.strip_suffix("ies").or_else(|| noun.strip_suffix('s')).unwrap_or(noun);
                column.contains(noun) && noun.len() > 2 || GENERIC.contains(&noun)
            };
            nouns.iter().any(fits)
        };
        let listed = reading.listed(span);
        let names = self.results.names();
        let columns = listed.iter().filter_map(|mention| names.columns(&mention.name)).flatten();
        let mut columns = columns.filter(|column| is_noun(column));
        let of_column = |column: &String| {
            let mut of_it =
                listed.iter().filter(|one| names.columns(&one.name).is_some_and(|known| known.contains(column)));
            let mut distinct = of_it.by_ref().map(|mention| &mention.name).collect::<Vec<_>>();
            distinct.sort();
            distinct.dedup();
            Decimal::from(distinct.len())
        };
        let is_whole = |citation: &Citation| {
            let Some(result) = self.results.get(&citation.query) else { return false };
            let table = &result.table;
            let counted = Decimal::from(citation.rows.len()) == count && table.rows.len() == citation.rows.len();
            let first = table.columns.first().is_some_and(|column| is_noun(&column.name));
            counted && !table.more_rows && first && listed.is_empty()
        };
        columns.any(|column| of_column(column) == count) || self.citations.iter().any(is_whole)
    }

    /// A day stands in a cited row, or is one that the question is about.
    pub(super) fn check_date(&mut self, reading: &Reading, stated: &StatedDate) {
        let is_it = |date: Date| {
            date.month() == stated.month
                && date.day() == stated.day
                && stated.year.is_none_or(|year| year == date.year())
        };
        if self.is_of_the_question(reading, stated, &is_it) {
            return;
        }
        let mut problem = None;
        for source in self.dates.iter().filter(|source| is_it(source.date) || is_it(source.date.last_of_month())) {
            let groups = [vec![source.cell.clone()]];
            let place = format!("{}[{}]", source.cell.query, source.cell.row + 1);
            match self.judge_subject(reading, &stated.span, &groups, &place) {
                Ok(()) => return,
                Err(found) => problem = problem.or(Some(found)),
            }
        }
        let date = &reading.text[stated.span.clone()];
        let problem = problem.unwrap_or_else(|| "this day stands in no cited row and in no cited statement".to_owned());
        self.refuse(reading.label, format!("{date}: {problem}"));
    }

    /// Whether a day is the run's, a cited statement's, or an end of the finding's period told as such.
    fn is_of_the_question(&self, reading: &Reading, stated: &StatedDate, is_it: &dyn Fn(Date) -> bool) -> bool {
        let clause = &reading.text[reading.subject(&stated.span).clause];
        if says(clause, &EVENTS) && !reading.text[..stated.span.start].to_lowercase().ends_with("as of ") {
            return is_it(self.as_of) && !says(clause, &["last", "ordered", "bought", "since"]);
        }
        let in_literals = self.literals.iter().filter_map(|literal| date_of(literal));
        let ends = |date: Date| [Some(date), date.checked_sub(1.day()).ok(), Some(date.last_of_month())];
        let period = text::claims(self.period, &[]).dates;
        let in_period = period.iter().any(|date| (date.month, date.day) == (stated.month, stated.day));
        is_it(self.as_of) || in_period || in_literals.flat_map(ends).flatten().any(is_it)
    }

    /// A year, and a month of one, must lie where the results or their statements reach.
    pub(super) fn check_periods(&mut self, reading: &Reading) {
        let Some(days) = self.days() else { return };
        for stated in reading.claims.periods.iter().filter(|stated| !stated.period.touches(days)) {
            let words = &reading.text[stated.span.clone()];
            let (first, last) = days;
            self.refuse(reading.label, format!("{words}: the results speak of {first} to {last} alone"));
        }
    }

    /// The first and the last day that the results and the finding's period speak of, today included.
    fn days(&self) -> Option<(Date, Date)> {
        let told = days_of(&text::claims(self.period, &[])).unwrap_or((self.as_of, self.as_of));
        self.results.days().map(|(first, last)| (first.min(self.as_of).min(told.0), last.max(self.as_of).max(told.1)))
    }
}

/// The first and the last day that a text gives with their years.
pub(super) fn days_of(claims: &Claims) -> Option<(Date, Date)> {
    let days = claims.dates.iter().filter_map(|date| Date::new(date.year?, date.month, date.day).ok());
    days.fold(None, |range, day| {
        let (first, last) = range.unwrap_or((day, day));
        Some((first.min(day), last.max(day)))
    })
}

/// Whether the finding's period is that long.
pub(super) fn is_length(period: &str, unit: TimeUnit, length: Decimal) -> bool {
    let Some((first, last)) = days_of(&text::claims(period, &[])) else { return false };
    let days = (last - first).get_days();
    let months = i32::from(last.year() - first.year()) * 12 + i32::from(last.month() - first.month()) + 1;
    let lengths = match unit {
        TimeUnit::Day => vec![days, days + 1],
        TimeUnit::Week => vec![days / 7, (days + 6) / 7],
        TimeUnit::Month => vec![months, days / 30],
        TimeUnit::Quarter => vec![months / 3],
        TimeUnit::Year => vec![months / 12],
    };
    lengths.into_iter().any(|found| found > 0 && Decimal::from(found) == length)
}
