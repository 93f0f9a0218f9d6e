//! Tells whether newcomers come back less, or more, than those before them, and which of them do.
//!
//! An entity is new on the day of its first row, and came back if it has a row on another day within a window that is the
//! same for all: three quarters of all gaps are shorter.
//!
//! | what | test | source |
//! |---|---|---|
//! | the later half of the time beside the earlier one | two shares | [`two_proportions`] |
//! | cohorts of months or quarters | trend of a share, which is the correlation with the cohort's place | Armitage 1955 |
//! | by a column's value in the first row | chi-square | [`several_proportions`](crate::analysis::chance::several_proportions) |
//!
//! The first two count together: p is the smaller one, twice. Those whose window reaches beyond the data are left out, and
//! those whose first row lies in the first window: they may have been there before. Where fewer and fewer are new, the late
//! ones may be those who come seldom rather than new ones, and no half is compared.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::period::{self, Range};
use super::reading::{as_f64, cell, count};
use super::shares::{ROWS_MIN, Sizes, farthest, of_column, share};
use super::target::{Field, Target};
use super::{Answered, Conclusion, Instrument, Observation, Step, dialect, grouping};
use crate::analysis::chance::correlation::{Correlation, Of, Pairs};
use crate::analysis::chance::{Proportion, together, two_proportions};
use crate::finding::fact::Unit;
use crate::warehouse::table::Table;

/// The shortest and the longest window, in days.
const WINDOW: std::ops::RangeInclusive<i32> = 7..=180;
/// Days from which cohorts are of quarters.
const QUARTERS_FROM: i32 = 1_100;
/// The part of the earlier half's newcomers that the later one has at least, if they are new.
const LATER_MIN: f64 = 0.75;
/// Columns that newcomers are told apart by, and values of one.
const DIMENSIONS_MAX: usize = 6;
const GROUPS_MAX: f64 = 30.0;

/// Returns whether a table tells who comes when.
pub fn is_offered(target: &Target) -> bool {
    let many = |field: &Field| field.groups.is_none_or(|groups| groups >= 2.0 * as_f64(ROWS_MIN));
    target.time.is_some() && target.entity.as_ref().is_some_and(many)
}

/// Returns the unit of cohorts.
fn unit(range: Range) -> Unit {
    if range.days() >= QUARTERS_FROM { Unit::Quarter } else { Unit::Month }
}

fn columns<'t>(target: &'t Target, entity: &Field) -> Vec<&'t Field> {
    let suits = |field: &&Field| field.is_group_of_rows(GROUPS_MAX) && field.sql != entity.sql;
    target.dimensions.iter().filter(suits).take(DIMENSIONS_MAX).collect()
}

/// Returns the statement: of each cohort, and of each value of the columns, how many were new and how many came back.
pub fn steps(target: &Target) -> Vec<Step> {
    let (Some(time), Some(entity), Some(range)) = (&target.time, &target.entity, target.range) else {
        return Vec::new();
    };
    vec![step(target, time, entity, range)]
}

fn step(target: &Target, time: &Field, entity: &Field, range: Range) -> Step {
    let columns = columns(target, entity);
    let values = columns.iter().enumerate().map(|(place, field)| format!(", min({}::text) AS d{place}", field.sql));
    let days = days(target, (time, entity), &values.collect::<Vec<_>>().concat(), true);
    let unit = unit(range).name();
    let keys = grouping::keys(columns.len());
    let single = (0..columns.len()).map(|place| vec![place]).collect::<Vec<_>>();
    let sets = [format!("(days, cohort), {}", grouping::sets(&single, &["days"]))];
    let sql = format!(
        "WITH days AS ({days}), steps AS (SELECT days.*, row_number() OVER (PARTITION BY member ORDER BY day) AS n, \
         lead(day) OVER (PARTITION BY member ORDER BY day) - day AS gap FROM days), \
         reach AS (SELECT least({longest}, greatest({shortest}, coalesce(percentile_disc(0.75) WITHIN GROUP (ORDER BY gap), 0))) \
         AS days FROM steps WHERE gap IS NOT NULL), \
         firsts AS (SELECT {keys}{cohort}::date AS cohort, days, coalesce(gap <= days, false) AS is_back FROM steps, reach \
         WHERE n = 1 AND day >= {first} + days AND day <= {last} - days) \
         SELECT {level}{keys}cohort, days, count(*) AS members, count(*) FILTER (WHERE is_back) AS back FROM firsts \
         GROUP BY GROUPING SETS ({sets}) ORDER BY level DESC, cohort, {keys}days",
        shortest = WINDOW.start(),
        longest = WINDOW.end(),
        cohort = dialect::period(unit, "day"),
        first = dialect::date(range.first),
        last = dialect::date(range.last),
        level = grouping::level(columns.len()),
        sets = sets.concat().trim_end_matches(", "),
    );
    Step { question: format!("which new {} come back, of those who are new in each {unit}?", entity.name), sql }
}

/// Returns the statement of the days on which each entity has rows, with further columns.
fn days(target: &Target, (time, entity): (&Field, &Field), further: &str, is_filtered: bool) -> String {
    let list = format!("{} AS member, {}::date AS day{further}", entity.sql, time.sql);
    let mut conditions = vec![format!("{} IS NOT NULL", entity.sql)];
    if is_filtered {
        conditions.push(period::until(target, time));
    }
    target.select(&list, &conditions, &format!(" GROUP BY {}, {}::date", entity.sql, time.sql))
}

/// Newcomers, and how many of them came back.
#[derive(Debug, Clone, PartialEq)]
struct Cohort {
    first: Date,
    size: Proportion,
}

/// Returns what the result says.
pub fn conclude(target: &Target, answered: &[Option<Answered<'_>>]) -> Conclusion {
    let (Some(time), Some(entity)) = (&target.time, &target.entity) else {
        return Conclusion::nothing("no newcomers followed: no column says when a row happened, or whom it is about");
    };
    let (Some(range), [Some(Answered { table, .. })]) = (target.range, answered) else {
        return Conclusion::nothing("no newcomers followed: it is not known who came when");
    };
    let Some(window) = cell(table, 0, "days").and_then(|days| days.parse::<i32>().ok()) else {
        return Conclusion::nothing(
            "no newcomers followed: nobody is new within the data and has had the time to come back",
        );
    };
    let columns = columns(target, entity);
    let Some(span) = Spans::of(range, window) else {
        return Conclusion::nothing("no newcomers followed: the rows span too few windows");
    };
    let view = View { target, time, entity, window, span, columns: &columns, table };
    let mut lines = vec![format!("{} are followed for {window} days after their first row", entity.name)];
    let halves = view.halves().unwrap_or_else(|why| {
        lines.push(format!("no halves of the time compared: {why}"));
        None
    });
    let by_column = (0..columns.len()).filter_map(|place| view.by(place));
    Conclusion::of(halves.into_iter().chain(by_column).collect(), lines)
}

/// The days on which those who are followed were new: from the first to the one before the end, in two halves.
#[derive(Debug, Clone, Copy)]
struct Spans {
    first: Date,
    middle: Date,
    end: Date,
}

impl Spans {
    fn of(range: Range, window: i32) -> Option<Self> {
        let first = range.first.checked_add(window.days()).ok()?;
        let end = range.last.checked_sub((window - 1).days()).ok()?;
        let days = (end - first).get_days();
        let middle = period::floor(unit(range), first.checked_add((days / 2).days()).ok()?);
        (days >= 2 * window.max(28) && middle > first).then_some(Self { first, middle, end })
    }
}

/// What is needed to word who came back.
struct View<'t> {
    target: &'t Target,
    time: &'t Field,
    entity: &'t Field,
    window: i32,
    span: Spans,
    columns: &'t [&'t Field],
    table: &'t Table,
}

impl View<'_> {
    fn size(&self, row: usize) -> Option<Proportion> {
        Some(Proportion { part: count(self.table, row, "back")?, whole: count(self.table, row, "members")? })
    }

    /// Returns the cohorts in their order.
    fn cohorts(&self) -> Vec<Cohort> {
        let cohort = |row: usize| {
            let first = period::date(cell(self.table, row, "cohort")?)?;
            Some(Cohort { first, size: self.size(row)? })
        };
        (0..self.table.rows.len()).filter_map(cohort).collect()
    }

    /// Returns the observation of the later half beside the earlier one; or why there is none.
    fn halves(&self) -> Result<Option<Observation>, &'static str> {
        let cohorts = self.cohorts();
        let (earlier, later) = cohorts.iter().partition::<Vec<_>, _>(|cohort| cohort.first < self.span.middle);
        let size = |cohorts: Vec<&Cohort>| together(cohorts.into_iter().map(|cohort| cohort.size));
        let (earlier, later) = (size(earlier), size(later));
        if earlier.whole.min(later.whole) < ROWS_MIN {
            return Err("too few are new");
        }
        let days = |from: Date, to: Date| f64::from((to - from).get_days());
        let (before, after) = (days(self.span.first, self.span.middle), days(self.span.middle, self.span.end));
        if as_f64(later.whole) / after < LATER_MIN * as_f64(earlier.whole) / before {
            return Err("fewer and fewer are new, so that the late ones may be those who come seldom");
        }
        let sizes = cohorts.iter().map(|cohort| cohort.size).collect::<Vec<_>>();
        let p = [two_proportions(earlier, later), trend(&sizes)].into_iter().flatten().fold(1.0, f64::min);
        let change = share(later) - share(earlier);
        let both = [(self.span.first, self.span.middle), (self.span.middle, self.span.end)];
        let columns = both.map(|(from, to)| {
            let condition = format!("day >= {} AND day < {}", dialect::date(from), dialect::date(to));
            format!("{} FILTER (WHERE {condition})", self.is_back())
        });
        let columns = format!("{} AS before, {} AS after", columns[0], columns[1]);
        let step = Step {
            question: format!("how many of the new {} came back, early and late?", self.entity.name),
            sql: self.over_firsts(&columns, "", ""),
        };
        let sizes = Sizes { p: (2.0 * p).min(1.0), change, weight: 1.0 };
        let claims = vec!["differ({0}[#1].after, {0}[#1].before)".to_owned()];
        Ok(Some(self.observation(None, sizes, (vec![step], claims))))
    }

    /// Returns the observation of the value of a column whose newcomers are farthest from all others; `None` if too few of
    /// them are known.
    fn by(&self, place: usize) -> Option<Observation> {
        let groups = of_column(self.table, (place, self.columns.len()), |row| self.size(row));
        let (value, sizes) = farthest(groups)?;
        let field = self.columns[place];
        let period =
            format!(" AND day >= {} AND day < {}", dialect::date(self.span.first), dialect::date(self.span.end));
        let end = format!("{period} GROUP BY value ORDER BY {}", grouping::first("value", &value));
        let step = Step {
            question: format!("how many of the new {} came back, by {}?", self.entity.name, field.name),
            sql: self.over_firsts(
                &format!("value, {} AS share", self.is_back()),
                &format!(", min({}::text) AS value", field.sql),
                &end,
            ),
        };
        let (statements, claims) = (vec![step], vec!["gap({0}[#1].share, rest)".to_owned()]);
        Some(self.observation(Some((field, &value)), sizes, (statements, claims)))
    }

    /// Returns the share of those who came back, in SQL.
    fn is_back(&self) -> String {
        dialect::share(&format!("(gap <= {}) IS TRUE", self.window))
    }

    /// Returns a statement over the first days of all, with further columns of a day, and how it ends.
    fn over_firsts(&self, columns: &str, further: &str, end: &str) -> String {
        let days = days(self.target, (self.time, self.entity), further, false);
        let kept = if further.is_empty() { "" } else { ", value" };
        format!(
            "SELECT {columns} FROM (SELECT day{kept}, row_number() OVER (PARTITION BY member ORDER BY day) AS n, \
             lead(day) OVER (PARTITION BY member ORDER BY day) - day AS gap FROM ({days}) AS days) AS steps \
             WHERE n = 1{end}"
        )
    }

    fn observation(&self, of: Option<(&Field, &str)>, sizes: Sizes, told: (Vec<Step>, Vec<String>)) -> Observation {
        let whom = of.map(|(field, value)| format!(" with {} {value}", field.name)).unwrap_or_default();
        let line = format!("share of new {}{whom} that come back", self.entity.name);
        let measure = format!("share of new {} that come back", self.entity.name);
        Observation { line, ..sizes.observation((Instrument::Retention, self.target), measure, of, told) }
    }
}

/// Returns how well chance explains the trend of a share over cohorts (Cochran 1954, Armitage 1955): the correlation, over
/// all members, of having come back with the place of the cohort.
fn trend(cohorts: &[Proportion]) -> Option<f64> {
    let all = together(cohorts.iter().copied());
    let places = || (0_u32..).map(f64::from).zip(cohorts);
    let n = as_f64(all.whole);
    let middle = places().map(|(place, size)| place * as_f64(size.whole)).sum::<f64>() / n;
    let pairs = Pairs {
        count: all.whole,
        xx: places().map(|(place, size)| as_f64(size.whole) * (place - middle).powi(2)).sum(),
        yy: n * share(all) * (1.0 - share(all)),
        xy: places().map(|(place, size)| as_f64(size.part) * (place - middle)).sum(),
    };
    Correlation::within(&[pairs], Of::Values)?.p()
}
