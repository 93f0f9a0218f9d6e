//! Tells whether few have much: the share of the largest customer, product or batch in all rows or in the main total, and
//! whether the share of the largest ones moved.
//!
//! | what | test | source |
//! |---|---|---|
//! | the largest has a tenth or more, and three equal parts | none: it is what it is | |
//! | the share of the largest tenth (five to ten of them) between the latest year, or half of the time, and the one before | Welch's t of each one's change of its share, the largest against all others | [`two_means`] |
//!
//! A share of the largest is a ratio of sums over all of them, so that its change is the sum of their changes (the delta
//! method), and its error follows from how these differ: ten customers whose shares all fell say more than one that halved.
//! One large row says nothing: a share is told if it is one without its largest row too.
//!
//! The largest are those of both periods together. Those of one period would have more in it by chance alone.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::period::{self, Range};
use super::reading::{as_f64, cell, count, number};
use super::target::{Field, Measure, Target};
use super::{Answered, Conclusion, Instrument, Observation, Step, dialect};
use crate::analysis::chance::{Mean, two_means};
use crate::warehouse::table::Table;

/// Columns that are looked at, and values that one has at least.
const COLUMNS_MAX: usize = 4;
const MEMBERS_MIN: u64 = 30;
/// Rows of each value, on average: where nearly every row has its own, a large one is a large row.
const ROWS_OF_MEMBER_MIN: f64 = 2.0;
/// The largest ones: a tenth, between these numbers.
const LARGEST: std::ops::RangeInclusive<u64> = 5..=10;
/// The share from which the largest one is told of, and how many equal parts it is.
const SHARE_MIN: f64 = 0.1;
const EQUAL_PARTS_MIN: f64 = 3.0;
/// The share of negative amounts in a total above which parts of it are no shares.
const NEGATIVE_MAX: f64 = 0.01;
/// Values up to which all are ranked in a sentence.
const RANKED_MAX: u64 = 600;
/// Days of a year, in whole weeks, and those below which a half of the time is too short.
const YEAR_DAYS: i32 = 364;
const HALF_DAYS_MIN: i32 = 90;

/// Returns the columns that name those who may have much.
fn columns(target: &Target) -> Vec<&Field> {
    let rows = target.rows_estimate.map_or(f64::INFINITY, as_f64);
    let suits = |field: &&Field| {
        field.groups.is_none_or(|groups| groups >= as_f64(MEMBERS_MIN) && rows / groups >= ROWS_OF_MEMBER_MIN)
    };
    let all = target.entity.iter().chain(&target.wide).chain(&target.many).chain(&target.dimensions);
    let mut found = Vec::<&Field>::new();
    for field in all.filter(suits) {
        if found.len() < COLUMNS_MAX && found.iter().all(|known| known.sql != field.sql) {
            found.push(field);
        }
    }
    found
}

/// Returns whether a table names those who may have much.
pub fn is_offered(target: &Target) -> bool {
    !columns(target).is_empty()
}

/// Returns what is shared out: the main total, or rows.
fn measured(target: &Target) -> &Measure {
    target.measures.iter().find(|one| matches!(one, Measure::Sum { .. })).unwrap_or(&Measure::Rows)
}

/// Two periods of the same length, by their first days; the later one ends on the last day.
#[derive(Debug, Clone, Copy)]
struct Periods {
    before: Date,
    latest: Date,
    last: Date,
}

impl Periods {
    fn of(range: Range) -> Option<Self> {
        // Whole weeks have the same weekdays.
        let days = if range.days() >= 2 * YEAR_DAYS { YEAR_DAYS } else { range.days() / 14 * 7 };
        let earlier = |days: i32| range.last.checked_sub((days - 1).days()).ok();
        let (latest, before) = (earlier(days)?, earlier(2 * days)?);
        (days >= HALF_DAYS_MIN).then_some(Self { before, latest, last: range.last })
    }

    fn latest(self, time: &Field) -> String {
        period::during(time, self.latest, self.last)
    }

    fn before(self, time: &Field) -> String {
        period::during(time, self.before, self.latest.yesterday().unwrap_or(self.latest))
    }
}

/// Returns the conditions that a row is of the latest period and of the one before; `None` without two of them.
fn periods(target: &Target) -> Option<[String; 2]> {
    let (time, periods) = (target.time.as_ref()?, Periods::of(target.range?)?);
    Some([periods.latest(time), periods.before(time)])
}

/// Returns the statements, one for each column.
pub fn steps(target: &Target) -> Vec<Step> {
    columns(target).into_iter().map(|field| step(target, field)).collect()
}

fn step(target: &Target, field: &Field) -> Step {
    let value = match measured(target) {
        Measure::Sum { value, .. } => value,
        Measure::Rows | Measure::Mean { .. } | Measure::Share { .. } => "1",
    };
    let [latest, before] = periods(target).unwrap_or_else(|| ["false", "false"].map(str::to_owned));
    let list =
        format!("{}::text AS member, ({value})::float8 AS value, {latest} AS latest, {before} AS before", field.sql);
    let rows = target.select(&list, &[], "");
    let (least, most) = (LARGEST.start(), LARGEST.end());
    let sql = format!(
        "WITH rows AS ({rows}), members AS (SELECT member, coalesce(sum(value), 0) AS value, max(value) AS row_value, \
         coalesce(sum(value) FILTER (WHERE latest), 0) AS latest, coalesce(sum(value) FILTER (WHERE before), 0) AS before \
         FROM rows GROUP BY member), \
         placed AS (SELECT members.*, row_number() OVER (ORDER BY member IS NULL, value DESC, member) AS place, \
         row_number() OVER (ORDER BY member IS NULL, latest + before DESC, member) AS place_of_both, \
         count(member) OVER () AS members, sum(value) OVER () AS all_value, sum(latest) OVER () AS all_latest, \
         sum(before) OVER () AS all_before, sum(greatest(-value, 0)) OVER () AS negative FROM members), \
         changes AS (SELECT place_of_both <= least({most}, greatest({least}, members / 10)) AS is_large, count(*) AS n, \
         avg(latest / all_latest - before / all_before) AS m, \
         var_samp(latest / all_latest - before / all_before) AS s \
         FROM placed WHERE all_latest > 0 AND all_before > 0 AND latest + before <> 0 GROUP BY 1) \
         SELECT member, place, place_of_both, members, value, row_value, latest, before, all_value, all_latest, all_before, negative, \
         large.n AS large_n, large.m AS large_m, large.s AS large_s, others.n AS others_n, others.m AS others_m, \
         others.s AS others_s FROM placed LEFT JOIN changes AS large ON large.is_large \
         LEFT JOIN changes AS others ON NOT others.is_large \
         WHERE member IS NOT NULL AND (place <= {most} OR place_of_both <= {most}) ORDER BY place"
    );
    let question = format!("how much of {} do the largest have, by {}?", called(target), field.name);
    Step { question, sql }
}

/// Returns what is shared out, as a question calls it.
fn called(target: &Target) -> String {
    match measured(target) {
        Measure::Rows => target.rows.clone(),
        other => format!("the {} of {}", other.name(), target.rows),
    }
}

/// Returns what the results say, in the order of [`steps`].
pub fn conclude(target: &Target, answered: &[Option<Answered<'_>>]) -> Conclusion {
    let columns = columns(target);
    if columns.is_empty() {
        return Conclusion::nothing(
            "no concentration looked for: no column has many values that stand in several rows each",
        );
    }
    let (mut observations, mut lines, mut tested) = (Vec::new(), Vec::new(), 0);
    for (field, answered) in columns.into_iter().zip(answered) {
        let Some(Answered { table, .. }) = answered else { continue };
        let view = View { target, field, measure: measured(target), table };
        match view.largest() {
            Ok(found) => observations.push(found),
            Err(why) => lines.push(format!("no concentration of {} by {}: {why}", view.measure.name(), field.name)),
        }
        let moved = view.moved();
        tested += usize::from(moved.is_some());
        observations.extend(moved);
    }
    Conclusion { tested, ..Conclusion::of(observations, lines) }
}

/// What is needed to word the shares by a column.
struct View<'t> {
    target: &'t Target,
    field: &'t Field,
    measure: &'t Measure,
    table: &'t Table,
}

impl View<'_> {
    fn members(&self) -> u64 {
        count(self.table, 0, "members").unwrap_or(0)
    }

    /// Returns how many the largest tenth are.
    fn largest_count(&self) -> u64 {
        (self.members() / 10).clamp(*LARGEST.start(), *LARGEST.end())
    }

    /// Returns whether parts are shares of the whole.
    fn has_shares(&self) -> bool {
        let of = |column: &str| number(self.table, 0, column).unwrap_or(0.0);
        of("all_value") > 0.0 && of("negative") <= NEGATIVE_MAX * of("all_value")
    }

    /// Returns the names of the largest by a place.
    fn names(&self, place: &str) -> Vec<&str> {
        let is_large = |row: &usize| count(self.table, *row, place).is_some_and(|place| place <= self.largest_count());
        (0..self.table.rows.len()).filter(is_large).filter_map(|row| cell(self.table, row, "member")).collect()
    }

    /// Returns the observation of the largest one; or why there is none.
    fn largest(&self) -> Result<Observation, &'static str> {
        const NONE: &str = "no total to be shared out";
        if self.members() < MEMBERS_MIN {
            return Err("too few of them");
        }
        if !self.has_shares() {
            return Err("amounts below zero make no shares");
        }
        let of = |column: &str| number(self.table, 0, column).ok_or(NONE);
        let (share, equal) = (of("value")? / of("all_value")?, 1.0 / as_f64(self.members()));
        let name = cell(self.table, 0, "member").ok_or(NONE)?;
        // What one row makes says nothing of whom it is of.
        let row = of("row_value")?;
        let rest = (of("value")? - row) / (of("all_value")? - row);
        if share.min(rest) < SHARE_MIN.max(EQUAL_PARTS_MIN * equal) {
            return Err("the largest has less than a tenth, or less than three equal parts");
        }
        let aggregate = format!("{} AS value", self.measure.aggregate());
        let step = |question: &str, columns: &str, conditions: &[String], end: &str| Step {
            question: question.to_owned(),
            sql: self.target.select(columns, conditions, end),
        };
        let own = dialect::is(&self.field.sql, Some(name));
        let mut statements =
            vec![step("how much has the largest?", &aggregate, &[own], ""), step("and all?", &aggregate, &[], "")];
        let mut claims = vec!["share({0}[#1].value, {1}[#1].value)".to_owned()];
        if self.members() <= RANKED_MAX {
            let key = &self.field.sql;
            let end = format!(" GROUP BY {key} ORDER BY value DESC, {key}");
            statements.push(step(
                "how much has each?",
                &format!("{key}, {aggregate}"),
                &[format!("{key} IS NOT NULL")],
                &end,
            ));
            claims.push(format!("top({}, {{2}}.value)", self.largest_count()));
        } else {
            statements.push(step("how much have the largest?", &aggregate, &[self.among(&self.names("place"))], ""));
            claims.push("share({2}[#1].value, {1}[#1].value)".to_owned());
        }
        let whom = vec![(self.field.name.clone(), name.to_owned())];
        let line = format!("{name} has much of {} by {}", self.measure.name(), self.field.name);
        // It is no comparison that chance could explain.
        let sizes = Sizes { p: 0.0, effect: share - equal, weight: share, is_lower: false };
        Ok(self.observation(whom, sizes, (statements, claims), line))
    }

    /// Returns the observation of how the share of the largest moved, if that can be tested.
    fn moved(&self) -> Option<Observation> {
        let [latest, before] = periods(self.target).filter(|_| self.has_shares())?;
        let p = two_means(self.mean("large")?, self.mean("others")?)?;
        let change = number(self.table, 0, "large_m")? * number(self.table, 0, "large_n")?;
        let names = self.names("place_of_both");
        let is_large = |row: &usize| cell(self.table, *row, "member").is_some_and(|name| names.contains(&name));
        let held = (0..self.table.rows.len()).filter(is_large).filter_map(|row| number(self.table, row, "latest"));
        let weight = held.sum::<f64>() / number(self.table, 0, "all_latest")?;
        let columns = format!(
            "{} AS before, {} AS latest",
            self.measure.aggregate_where(&before),
            self.measure.aggregate_where(&latest)
        );
        let step = |question: &str, conditions: &[String]| Step {
            question: question.to_owned(),
            sql: self.target.select(&columns, conditions, ""),
        };
        let statements =
            vec![step("how much had the largest in both periods?", &[self.among(&names)]), step("and all?", &[])];
        let claims =
            vec!["change(share({0}[#1].before, {1}[#1].before), share({0}[#1].latest, {1}[#1].latest))".to_owned()];
        let line = format!("share of the largest in {} by {}", self.measure.name(), self.field.name);
        let sizes = Sizes { p, effect: change.abs().min(1.0), weight: weight.clamp(0.0, 1.0), is_lower: change < 0.0 };
        Some(self.observation(Vec::new(), sizes, (statements, claims), line))
    }

    /// Returns the changes of shares of the largest, or of the others.
    fn mean(&self, name: &str) -> Option<Mean> {
        let of = |column: &str| number(self.table, 0, &format!("{name}_{column}"));
        Some(Mean { mean: of("m")?, variance: of("s")?, count: count(self.table, 0, &format!("{name}_n"))? })
    }

    fn among(&self, names: &[&str]) -> String {
        let names = names.iter().map(|name| dialect::text(name)).collect::<Vec<_>>();
        format!("{} IN ({})", self.field.sql, names.join(", "))
    }

    fn observation(
        &self,
        segment: Vec<(String, String)>,
        Sizes { p, effect, weight, is_lower }: Sizes,
        (statements, claims): (Vec<Step>, Vec<String>),
        line: String,
    ) -> Observation {
        Observation {
            instrument: Instrument::Concentration,
            table: self.target.table.clone(),
            measure: self.measure.name().to_owned(),
            by: Some(self.field.name.clone()),
            segment,
            within: None,
            comes_from: None,
            p,
            effect,
            weight,
            is_lower,
            statements,
            claims,
            impact: None,
            line,
        }
    }
}

/// How sure and how large an observation is.
struct Sizes {
    p: f64,
    effect: f64,
    weight: f64,
    is_lower: bool,
}
