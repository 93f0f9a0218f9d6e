//! Tells whether there are more rows, or more of the main total, on some days of the week than on others, and in some months of
//! the year.
//!
//! | places | blocks | test |
//! |---|---|---|
//! | days of the week | whole weeks that have rows, the latest five years of them | ranks within blocks ([`friedman`]) |
//! | months of the year, a day of each | twelve months, the latest ones, of three years or more | the same, without the slope of the whole |
//!
//! A week is compared with itself alone, so that growth from week to week is no season. Within a year it would be one: the
//! seasonal slope (Hirsch, Slack and Smith 1982) is taken off. Blocks, not rows, are what counts: a thousand rows of one Monday
//! say no more than one Monday does.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::period::{self, Range};
use super::reading::{as_f64, cell, number};
use super::target::{Field, Measure, Target};
use super::{Answered, Conclusion, Instrument, Observation, Step, dialect};
use crate::analysis::chance::ranks::friedman;
use crate::analysis::chance::series::seasonal_slope;
use crate::warehouse::table::Table;

/// Weeks that are looked at, the latest ones, and below which there is no season of them.
const WEEKS_MAX: i32 = 260;
const WEEKS_MIN: i32 = 12;
/// Years that are looked at, and below which months are not compared.
const YEARS_MAX: i32 = 20;
const YEARS_MIN: i32 = 3;
/// The part by which the lowest is below the highest under which a season is no news, however sure it is.
const EFFECT_MIN: f64 = 0.1;

/// What returns with each block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cycle {
    Week,
    Year,
}

/// The days of a cycle's whole blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    cycle: Cycle,
    first: Date,
    last: Date,
}

impl Cycle {
    const ALL: [Self; 2] = [Self::Week, Self::Year];

    /// Returns what its places are called.
    fn places(self) -> &'static str {
        match self {
            Self::Week => "day of the week",
            Self::Year => "month of the year",
        }
    }

    /// Returns the place of a row in it, from 1.
    fn place(self, time: &Field) -> String {
        match self {
            Self::Week => format!("extract(isodow FROM {})", time.sql),
            Self::Year => format!("extract(month FROM {})", time.sql),
        }
    }
}

impl Span {
    /// Returns the latest whole blocks that rows span. `None` if they are too few.
    fn of(cycle: Cycle, range: Range) -> Option<Self> {
        let after = range.last.tomorrow().ok()?;
        let (first, last) = match cycle {
            Cycle::Week => {
                let end = after.checked_sub(after.weekday().to_monday_zero_offset().days()).ok()?;
                let weeks = ((end - range.first).get_days() / 7).min(WEEKS_MAX);
                (weeks >= WEEKS_MIN).then_some(())?;
                (end.checked_sub((7 * weeks).days()).ok()?, end)
            }
            Cycle::Year => {
                let end = after.first_of_month();
                let is_spanned =
                    |years: &i32| end.checked_sub((12 * years).months()).is_ok_and(|first| first >= range.first);
                let years = (YEARS_MIN..=YEARS_MAX).rev().find(is_spanned)?;
                (end.checked_sub((12 * years).months()).ok()?, end)
            }
        };
        Some(Self { cycle, first, last: last.yesterday().ok()? })
    }

    fn condition(self, time: &Field) -> String {
        period::during(time, self.first, self.last)
    }

    /// Returns the beginnings of its months.
    fn months(self) -> Vec<Date> {
        let month = |place: i32| self.first.checked_add(place.months()).ok();
        (0..12 * YEARS_MAX).map_while(month).take_while(|month| *month <= self.last).collect()
    }
}

/// Returns the measures that may have a season: the rows, and the main total.
fn measures(target: &Target) -> Vec<&Measure> {
    let total = target.measures.iter().find(|measure| matches!(measure, Measure::Sum { .. }));
    target.measures.iter().find(|measure| **measure == Measure::Rows).into_iter().chain(total).collect()
}

fn spans(target: &Target) -> Vec<Span> {
    let Some(range) = target.range else { return Vec::new() };
    Cycle::ALL.into_iter().filter_map(|cycle| Span::of(cycle, range)).collect()
}

/// Returns the statements: weeks with a column for each day, and a row for each month.
pub fn steps(target: &Target) -> Vec<Step> {
    let Some(time) = &target.time else { return Vec::new() };
    spans(target).into_iter().map(|span| step(target, time, span)).collect()
}

fn step(target: &Target, time: &Field, span: Span) -> Step {
    let measures = measures(target);
    let (unit, columns) = match span.cycle {
        Cycle::Week => {
            let place = span.cycle.place(time);
            let day = |index: usize, measure: &Measure, day: u32| {
                format!(", {} AS m{index}_{day}", measure.aggregate_where(&format!("{place} = {day}")))
            };
            let days = measures.iter().enumerate();
            (
                "week",
                days.flat_map(|(index, measure)| (1..=7).map(move |one| day(index, measure, one))).collect::<String>(),
            )
        }
        Cycle::Year => {
            let months = measures.iter().enumerate();
            let months = months.map(|(index, measure)| format!(", {} AS m{index}", measure.aggregate()));
            ("month", months.collect::<String>())
        }
    };
    let period = dialect::period(unit, &time.sql);
    let end = format!(" GROUP BY {period} ORDER BY {period}");
    Step {
        question: format!("are there more {} by {}, {unit} after {unit}?", target.rows, span.cycle.places()),
        sql: target.select(&format!("{period} AS period{columns}"), &[span.condition(time)], &end),
    }
}

/// Returns what the results say, in the order of [`steps`].
pub fn conclude(target: &Target, answered: &[Option<Answered<'_>>]) -> Conclusion {
    let Some(time) = &target.time else {
        return Conclusion::nothing("no season looked for: no column says when a row happened");
    };
    let spans = spans(target);
    if spans.is_empty() {
        return Conclusion::nothing("no season looked for: the rows span too few weeks");
    }
    let (mut observations, mut lines) = (Vec::new(), Vec::new());
    for (span, answered) in spans.into_iter().zip(answered) {
        let Some(Answered { table, .. }) = answered else { continue };
        let places = span.cycle.places();
        if span.cycle == Cycle::Week && days_with_rows(table) < 3 {
            lines.push(format!("no season by {places}: rows stand on fewer than three of them"));
            continue;
        }
        let seasons = measures(target).into_iter().enumerate().filter_map(|(index, measure)| {
            let blocks = match span.cycle {
                Cycle::Week => weeks(table, index),
                Cycle::Year => years(table, index, span),
            };
            View { target, time, span, measure }.observed(&blocks?)
        });
        observations.extend(seasons);
    }
    Conclusion::of(observations, lines)
}

/// Returns on how many days of the week there are rows.
fn days_with_rows(table: &Table) -> usize {
    let has_rows = |day: &u32| (0..table.rows.len()).any(|row| number(table, row, &format!("m0_{day}")) > Some(0.0));
    (1..=7).filter(has_rows).count()
}

/// Returns the weeks that have rows, each with the values of its days.
fn weeks(table: &Table, index: usize) -> Option<Vec<Vec<f64>>> {
    let week = |row: usize| (1..=7).map(|day| number(table, row, &format!("m{index}_{day}"))).collect();
    (0..table.rows.len()).map(week).collect()
}

/// Returns years of twelve months, from January on, each month with its value a day, without the slope of the whole.
fn years(table: &Table, index: usize, span: Span) -> Option<Vec<Vec<f64>>> {
    let months = span.months();
    let of_month = |month: &Date| {
        let is_it = |row: &usize| cell(table, *row, "period").and_then(period::date) == Some(*month);
        let value = (0..table.rows.len()).find(is_it).and_then(|row| number(table, row, &format!("m{index}")));
        value.unwrap_or_default() / f64::from(month.days_in_month())
    };
    let values = months.iter().map(of_month).collect::<Vec<_>>();
    let slope = seasonal_slope(&values, 12)? / 12.0;
    let middle = (as_f64(values.len() as u64) - 1.0) / 2.0;
    let level = values.iter().enumerate().map(|(place, value)| value - slope * (as_f64(place as u64) - middle));
    let level = level.collect::<Vec<_>>();
    let from_january = |year: &[f64]| {
        let mut year = year.to_vec();
        year.rotate_right(usize::try_from(span.first.month() - 1).unwrap_or_default());
        year
    };
    Some(level.chunks_exact(12).map(from_january).collect())
}

/// What is needed to word a season.
struct View<'t> {
    target: &'t Target,
    time: &'t Field,
    span: Span,
    measure: &'t Measure,
}

impl View<'_> {
    /// Returns the season of blocks with a value for each place. Places that have none in any block, such as days on which
    /// nothing is open, are left out.
    fn observed(&self, blocks: &[Vec<f64>]) -> Option<Observation> {
        let is_empty = |place: usize| blocks.iter().all(|block| block[place] == 0.0);
        let places = (0..blocks.first()?.len()).filter(|place| !is_empty(*place)).collect::<Vec<_>>();
        let of_places = |block: &Vec<f64>| places.iter().map(|place| block[*place]).collect::<Vec<_>>();
        let test = friedman(&blocks.iter().map(of_places).collect::<Vec<_>>())?;
        let sum = |place: &usize| (*place, blocks.iter().map(|block| block[*place]).sum::<f64>());
        let sums = places.iter().map(sum).collect::<Vec<_>>();
        let usual = sums.iter().map(|(_, sum)| sum).sum::<f64>() / as_f64(sums.len() as u64);
        let (highest, most) = *sums.iter().max_by(|one, other| one.1.total_cmp(&other.1))?;
        let (lowest, least) = *sums.iter().min_by(|one, other| one.1.total_cmp(&other.1))?;
        let effect = ((most - least) / most.abs().max(least.abs()).max(f64::MIN_POSITIVE)).min(1.0);
        let is_lower = usual - least > most - usual;
        let place = if is_lower { lowest } else { highest };
        // It is a comparison all the same.
        let p = if effect >= EFFECT_MIN { test.p } else { 1.0 };
        let cycle = self.span.cycle;
        let (least_or_most, measure) = (if is_lower { "least" } else { "most" }, self.measure.name());
        Some(Observation {
            instrument: Instrument::Season,
            table: self.target.table.clone(),
            measure: measure.to_owned(),
            by: Some(cycle.places().to_owned()),
            segment: Vec::new(),
            within: None,
            comes_from: None,
            p,
            effect,
            weight: 1.0,
            is_lower,
            statements: vec![self.by_place(place)],
            claims: vec!["rank({0}[#1].value)".to_owned(), self.all().to_owned()],
            impact: None,
            line: format!("{measure} by {}, {least_or_most} on one of them", cycle.places()),
        })
    }

    /// Returns the claim of all places.
    fn all(&self) -> &'static str {
        match self.span.cycle {
            Cycle::Week => "top(7, {0}.value)",
            Cycle::Year => "range({0}.value)",
        }
    }

    /// Returns the statement of all places, one of them first.
    fn by_place(&self, first: usize) -> Step {
        let place = self.span.cycle.place(self.time);
        let columns = format!("{place} AS place, {} AS value", self.measure.aggregate());
        let end = format!(" GROUP BY {place} ORDER BY {place} = {} DESC, {place}", first + 1);
        Step {
            question: format!("how is it by {}?", self.span.cycle.places()),
            sql: self.target.select(&columns, &[self.span.condition(self.time)], &end),
        }
    }
}
