//! Tells whether more rows are begun than ended, and by which part of them: what is open piles up, or is worked off.
//!
//! A row is open from its beginning to its end; one without an end is open still. A week's net growth is what began in it
//! and was not ended in it, less what began before and ended in it. The latest 4 and 12 weeks are compared with all weeks
//! before.
//!
//! | what | test | source |
//! |---|---|---|
//! | all rows | Student's t of the weekly net growth, its variance drawn towards that of chance | [`Difference::drawn`] |
//! | a part | the same, and beside where it would be if it had grown with all others | |
//!
//! If rows begin at random times and last for times of their own, both terms of a week's net growth are independent and
//! Poisson (Eick, Massey and Whitt 1993), so that the usual variance is how many rows move in a week.
//!
//! Rows that never get an end, such as cancelled ones, make what is open grow by the same each week, which is no difference.
//! The first weeks are left out, until nine of ten rows have had the time to end: what was open when the data begin is not
//! known, so that at first it only seems to pile up.

mod flow;

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

use self::flow::{Flow, Growth};
use super::period::Range;
use super::reading::{count, number};
use super::target::{Averaged, Field, Measure, Span, Target};
use super::{Answered, Conclusion, Instrument, Observation, P_MAX, Step, dialect, grouping};
use crate::warehouse::table::Table;

/// Weeks of the latest period.
const WEEKS: [u32; 2] = [4, 12];
/// Weeks before it, at the least and at the most.
const BEFORE_MIN: u32 = 8;
const BEFORE_MAX: u32 = 52;
/// Durations that are looked at.
const SPANS_MAX: usize = 3;
/// Parts that are read: those with the most moves.
const PARTS_MAX: usize = 900;
/// Open rows, before or after, below which a part is not tested.
const OPEN_MIN: f64 = 10.0;
/// The share of open rows from which, if values that have nearly no end have them, a column says what became of a row.
const OUTCOME_MIN: f64 = 0.9;
const ENDED_MAX: f64 = 0.02;
/// Parts that are told of a duration; they are values of one column.
const TOLD_MAX: usize = 3;

/// From when to when rows are open, as it is called.
#[derive(Debug, Clone, Copy)]
struct Duration<'t> {
    /// Such as `from opened_at to closed_at`.
    name: &'t str,
    span: &'t Span,
}

fn durations<'t>(target: &'t Target) -> Vec<Duration<'t>> {
    let duration = |measure: &'t Measure| match measure {
        Measure::Mean { name, of: Averaged::Days(span), .. } => {
            Some(Duration { name: name.strip_prefix("days ").unwrap_or(name), span })
        }
        Measure::Rows | Measure::Sum { .. } | Measure::Mean { .. } | Measure::Share { .. } => None,
    };
    target.measures.iter().filter_map(duration).take(SPANS_MAX).collect()
}

/// Returns whether a table has what can be open.
pub fn is_offered(target: &Target) -> bool {
    !durations(target).is_empty()
}

/// Returns the statements: of each duration the weekly net growth of all parts.
pub fn steps(target: &Target) -> Vec<Step> {
    let Some(range) = target.range else { return Vec::new() };
    durations(target).into_iter().map(|duration| step(target, duration, range)).collect()
}

fn step(target: &Target, Duration { name, span: Span { from, to, .. } }: Duration<'_>, range: Range) -> Step {
    let columns = grouping::columns(target);
    let end = dialect::date(range.last);
    let list = format!(
        "{}{from}::date AS begun, CASE WHEN {to}::date <= {end} THEN {to}::date END AS ended, \
         {to}::date > {end} AS is_planned",
        grouping::named(&columns)
    );
    let in_order = format!("{to} IS NULL OR {to} >= {from}");
    let rows = target.select(&list, &[format!("{from} < {}", dialect::date(after(range.last))), in_order], "");
    let keys = grouping::keys(columns.len());
    let sets = std::iter::once(Vec::new()).chain((0..columns.len()).map(|place| vec![place])).collect::<Vec<_>>();
    let week = |moment: &str| format!("({end} - {moment}) / 7");
    let (begun, ended) = (week("begun"), week("ended"));
    let sums = WEEKS.iter().map(|weeks| {
        let of = |name: &str, value: &str, filter: &str| {
            format!(", coalesce(sum({value}) FILTER (WHERE {filter}), 0) AS {name}{weeks}")
        };
        let (latest, before) = (format!("week BETWEEN 0 AND {}", weeks - 1), format!("week >= {weeks}"));
        [
            of("latest", "net", &latest),
            of("latest_squares", "net * net", &latest),
            of("before", "net", &before),
            of("before_squares", "net * net", &before),
            of("before_moves", "moves", &before),
        ]
        .concat()
    });
    let sql = format!(
        "WITH rows AS ({rows}), reach AS (SELECT least({history}, ({end} - min(begun) - coalesce(percentile_disc(0.9) \
         WITHIN GROUP (ORDER BY ended - begun), 0)) / 7) AS weeks, count(*) FILTER (WHERE is_planned) AS planned FROM rows), \
         flows AS (SELECT {keys}{begun} AS week, 1 AS net FROM rows WHERE ended IS NULL OR {ended} < {begun} \
         UNION ALL SELECT {keys}{ended} AS week, -1 AS net FROM rows WHERE {ended} < {begun} \
         UNION ALL SELECT {keys}-1 AS week, 1 AS net FROM rows WHERE ended IS NULL AND is_planned IS NOT TRUE \
         UNION ALL SELECT {keys}-2 AS week, 1 AS net FROM rows WHERE ended IS NOT NULL), \
         weekly AS (SELECT {level}{keys}week, sum(net) AS net, count(*) AS moves FROM flows, reach WHERE week < weeks \
         GROUP BY GROUPING SETS ({sets})) \
         SELECT {keys}level, weeks, planned, coalesce(sum(moves) FILTER (WHERE week >= 0), 0) AS moves, \
         coalesce(sum(net) FILTER (WHERE week = -1), 0) AS open, coalesce(sum(net) FILTER (WHERE week = -2), 0) AS ended{sums} \
         FROM weekly, reach GROUP BY {keys}level, weeks, planned ORDER BY 4 DESC, level DESC LIMIT {PARTS_MAX}",
        history = BEFORE_MAX + WEEKS[1],
        level = grouping::level(columns.len()),
        sets = grouping::sets(&sets, &["week"]),
        sums = sums.collect::<String>(),
    );
    Step { question: format!("do {} that are open {name} pile up, and which of them?", target.rows), sql }
}

fn after(day: Date) -> Date {
    day.tomorrow().unwrap_or(day)
}

/// The rows with one value of a column, or all.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    /// Places of columns with their values; empty for all rows.
    values: Vec<(usize, String)>,
    /// Rows that are open at the end, and that were ended.
    open: f64,
    ended: f64,
    /// By the places of [`WEEKS`].
    flows: [Option<Flow>; 2],
}

impl Part {
    fn read(table: &Table, row: usize, columns: usize) -> Option<Self> {
        let of = |name: &str| number(table, row, name);
        let (weeks, moves) = (of("weeks")?, of("moves")?);
        let flow = |latest: u32| {
            let of = |name: &str| of(&format!("{name}{latest}"));
            let before = weeks - f64::from(latest);
            if before < f64::from(BEFORE_MIN) {
                return None;
            }
            let (latest, usual) = (f64::from(latest), moves / weeks);
            let latest = (latest, of("latest")?, of("latest_squares")?);
            Flow::of(latest, (before, of("before")?, of("before_squares")?), of("before_moves")?, usual)
        };
        let flows = WEEKS.map(flow);
        Some(Self { values: grouping::values(table, row, columns)?, open: of("open")?, ended: of("ended")?, flows })
    }

    /// Returns how many were open before the latest weeks.
    fn open_before(&self, flow: &Flow) -> f64 {
        (self.open - flow.net()).max(0.0)
    }

    fn has_enough(&self, flow: &Flow) -> bool {
        self.open.max(self.open_before(flow)) >= OPEN_MIN
    }
}

/// A growth that may be more than chance.
#[derive(Debug, Clone, Copy)]
struct Grown<'p> {
    part: &'p Part,
    flow: &'p Flow,
    weeks: u32,
    growth: Growth,
    p: f64,
}

/// Returns what the results say, in the order of [`steps`].
pub fn conclude(target: &Target, answered: &[Option<Answered<'_>>]) -> Conclusion {
    let durations = durations(target);
    let Some(range) = target.range.filter(|_| !durations.is_empty()) else {
        return Conclusion::nothing("no backlog looked for: no two columns say when a row begins and when it ends");
    };
    let columns = grouping::columns(target);
    let (mut observations, mut lines, mut tested) = (Vec::new(), Vec::new(), 0);
    for (duration, answered) in durations.into_iter().zip(answered) {
        let Some(Answered { table, .. }) = answered else { continue };
        match backlog(table, columns.len()) {
            Err(why) => lines.push(format!("no backlog {}: {why}", duration.name)),
            Ok((whole, parts)) => {
                let view = View { target, duration, range, columns: &columns, whole: &whole };
                let (found, compared) = grown(&whole, &parts);
                tested += compared;
                observations.extend(found.iter().map(|grown| view.observation(grown)));
            }
        }
    }
    Conclusion { tested, ..Conclusion::of(observations, lines) }
}

/// Returns all rows, and the parts that say something; or why nothing piles up here.
fn backlog(table: &Table, columns: usize) -> Result<(Part, Vec<Part>), &'static str> {
    let parts = (0..table.rows.len()).filter_map(|row| Part::read(table, row, columns)).collect::<Vec<_>>();
    let (whole, parts) = parts.into_iter().partition::<Vec<_>, _>(|part| part.values.is_empty());
    let Some(whole) = whole.into_iter().next() else { return Err("no row begins and ends in different weeks") };
    let planned = number(table, 0, "planned").unwrap_or(0.0);
    if whole.open == 0.0 {
        return Err("every row has an end");
    }
    if planned * 2.0 > whole.open {
        return Err("ends lie ahead, so that they are planned ones");
    }
    if count(table, 0, "weeks").is_none_or(|weeks| weeks < u64::from(WEEKS[0] + BEFORE_MIN)) {
        return Err("the rows span too few weeks");
    }
    let mut by_column = BTreeMap::<usize, Vec<Part>>::new();
    for part in parts {
        by_column.entry(part.values[0].0).or_default().push(part);
    }
    by_column.retain(|_, parts| !is_outcome(parts, whole.open));
    Ok((whole, by_column.into_values().flatten().collect()))
}

/// Returns whether a column says what became of a row, as a status does: its values are open or ended.
fn is_outcome(parts: &[Part], open: f64) -> bool {
    let is_never_ended = |part: &&Part| part.ended <= ENDED_MAX * (part.open + part.ended);
    parts.iter().filter(is_never_ended).map(|part| part.open).sum::<f64>() >= OUTCOME_MIN * open
}

/// Returns what grew or shrank, and how many comparisons that took. The parts that are told are values of one column, so that
/// no row is told of twice.
fn grown<'p>(whole: &'p Part, parts: &'p [Part]) -> (Vec<Grown<'p>>, usize) {
    let of_whole = tested(whole, |flow, _| flow.growth());
    let beside = |part: &'p Part, told: &[&Part]| {
        tested(part, |flow, place| {
            let apart = told.iter().filter_map(|known| known.flows[place].as_ref());
            let rest = apart.fold(whole.flows[place]?, Flow::without);
            flow.beside(&rest)
        })
    };
    let all = parts.iter().flat_map(|part| beside(part, &[])).collect::<Vec<_>>();
    let compared = of_whole.len() + all.len();
    let (mut told, mut found) = (Vec::<&Part>::new(), Vec::new());
    let column = surest(all).map(|one| one.part.values[0].0);
    while told.len() < TOLD_MAX {
        let others = parts.iter().filter(|part| Some(part.values[0].0) == column && !told.contains(part));
        let Some(next) = surest(others.flat_map(|part| beside(part, &told)).collect()) else { break };
        told.push(next.part);
        found.push(next);
    }
    // What a part makes alone is told of the part.
    let is_made = |one: &Grown<'_>| found.first().is_some_and(|part| part.growth.amount / one.growth.amount >= 0.5);
    let whole = surest(of_whole).filter(|one| !is_made(one));
    (whole.into_iter().chain(found).collect(), compared)
}

/// Returns the tests of a part, one for each length of the latest period.
fn tested(part: &Part, growth: impl Fn(&Flow, usize) -> Option<Growth>) -> Vec<Grown<'_>> {
    let of = |(place, weeks): (usize, &u32)| {
        let flow = part.flows[place].as_ref().filter(|flow| part.has_enough(flow))?;
        let growth = growth(flow, place)?;
        Some(Grown { part, flow, weeks: *weeks, p: growth.p()?, growth })
    };
    WEEKS.iter().enumerate().filter_map(of).collect()
}

/// Returns the surest of those that may be more than chance.
fn surest(found: Vec<Grown<'_>>) -> Option<Grown<'_>> {
    found.into_iter().filter(|one| one.p <= P_MAX).min_by(|one, other| one.p.total_cmp(&other.p))
}

/// What is needed to word a growth.
struct View<'t> {
    target: &'t Target,
    duration: Duration<'t>,
    range: Range,
    columns: &'t [&'t Field],
    whole: &'t Part,
}

impl View<'_> {
    fn observation(&self, grown: &Grown<'_>) -> Observation {
        let Grown { part, flow, weeks, growth, p } = grown;
        let named = part.values.iter().map(|(place, value)| (self.columns[*place], value.as_str())).collect::<Vec<_>>();
        let conditions = named.iter().map(|(field, value)| dialect::is(&field.sql, Some(value))).collect::<Vec<_>>();
        let segment = named.iter().map(|(field, value)| (field.name.clone(), (*value).to_owned())).collect::<Vec<_>>();
        let whom = named.iter().map(|(field, value)| format!(" of {} {value}", field.name));
        let whom = whom.collect::<Vec<_>>().concat();
        let (open, before) = (part.open, part.open_before(flow));
        let mut statements = vec![self.at_both_ends(*weeks, &conditions)];
        let mut claims = vec!["change({0}[#1].before, {0}[#1].after)".to_owned()];
        if !part.values.is_empty() {
            statements.push(self.at_both_ends(*weeks, &[]));
            claims.push("share({0}[#1].after, {1}[#1].after)".to_owned());
        }
        Observation {
            instrument: Instrument::Backlog,
            table: self.target.table.clone(),
            measure: format!("backlog {}", self.duration.name),
            by: segment.first().map(|(column, _)| column.clone()),
            p: *p,
            effect: (growth.amount.abs() / open.max(before)).min(1.0),
            weight: (open / self.whole.open).min(1.0),
            is_lower: growth.amount < 0.0,
            statements,
            claims,
            impact: None,
            line: format!("backlog {}{whom} in the latest {weeks} weeks", self.duration.name),
            segment,
            within: None,
            comes_from: None,
        }
    }

    /// Returns the statement of how many were open before the latest weeks, and at their end.
    fn at_both_ends(&self, weeks: u32, conditions: &[String]) -> Step {
        let Span { from, to, .. } = self.duration.span;
        let end = after(self.range.last);
        let start = end.checked_sub(i64::from(7 * weeks).days()).unwrap_or(end);
        let open = |day: Date| {
            let day = dialect::date(day);
            format!("count(*) FILTER (WHERE {from} < {day} AND ({to} IS NULL OR {to} >= {day}))")
        };
        let columns = format!("{} AS before, {} AS after", open(start), open(end));
        let question = format!("how many were open {weeks} weeks before the end, and at the end?");
        Step { question, sql: self.target.select(&columns, conditions, "") }
    }
}
