//! Tells who stopped: entities, and whatever else comes back all the time, as products do. Each one is judged by its own
//! rhythm, and all of them together say what a rhythm is here.
//!
//! | gaps of all entities | probability of a silence | source |
//! |---|---|---|
//! | regular, or memoryless | of gamma-distributed gaps, on a fixed day, of the shapes that entities have here and its own gaps speak for | [`Shapes`] |
//! | in bursts | of log-normal gaps, on a fixed day | [`rhythm::log_normal_silence`] |
//!
//! Time is counted in rows of all entities together, as days: in a quiet season, or when all of them buy less, nobody stands
//! out for that. Of few entities it is counted in days, as each of them is much of all.
//!
//! Of all silences together at most one in fifty may be chance (Benjamini and Hochberg). Who was as quiet in the same weeks a
//! year before is out of season.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::period::{self, Range};
use super::reading::{as_f64, cell, count, number};
use super::target::{Field, Measure, Target};
use super::{Answered, Conclusion, Instrument, Observation, Step, dialect};
use crate::analysis::chance::control::benjamini_hochberg_among;
use crate::analysis::chance::rhythm::shapes::Shapes;
use crate::analysis::chance::rhythm::{self, Gaps, Unevenness};
use crate::warehouse::table::Table;

/// The share of those called silent who may be so by chance.
const SILENT_FALSE_MAX: f64 = 0.02;
/// Silences that are read: those that are longest by their own gaps.
const READ_MAX: usize = 400;
/// Silences in days that are spoken of: shorter ones may be a holiday, longer ones are history.
const DAYS: std::ops::RangeInclusive<i32> = 14..=365;
/// How many times its usual gap a silence lasts at least: who is very regular leaves out one or two as well.
const USUAL_MIN: f64 = 3.0;
/// The shape below which gaps come in bursts.
const SHAPE_MIN: f64 = 0.85;
/// The part of what its rhythm gives that an entity had in the same weeks a year before, if it has no season.
const SEASON_MIN: f64 = 0.25;
/// Entities up to which they are few.
const FEW: u64 = 20;
/// Rows that an entity has on average, if it is looked at.
const ROWS_OF_ENTITY_MIN: f64 = 3.0;
/// Columns that are looked at, how many values those beside the entity have, and rows of each on average.
const COLUMNS_MAX: usize = 3;
const GROUPS_MIN: f64 = 8.0;
const GROUPS_MAX: f64 = 5_000.0;
const ROWS_OF_GROUP_MIN: f64 = 20.0;
/// Cases that are told one by one; more are summed up.
const CASES_MAX: usize = 5;

/// Returns the statements: the gaps of each one, for each column whose values come back.
pub fn steps(target: &Target) -> Vec<Step> {
    let (Some(time), Some(range)) = (&target.time, target.range) else { return Vec::new() };
    returning(target).map(|field| gaps_step(target, time, field, range)).collect()
}

/// Returns whether there is something that may fall silent.
pub fn is_offered(target: &Target) -> bool {
    target.time.is_some() && returning(target).next().is_some()
}

/// Returns the columns whose values may fall silent: the entity, and what has so many values, and so many rows of each, that it
/// comes back all the time, as products do.
fn returning(target: &Target) -> impl Iterator<Item = &Field> {
    let rows = target.rows_estimate.map_or(f64::INFINITY, as_f64);
    let comes_back = move |field: &&Field| {
        let groups = field.groups.filter(|groups| (GROUPS_MIN..=GROUPS_MAX).contains(groups));
        !field.is_flag && groups.is_some_and(|groups| rows / groups >= ROWS_OF_GROUP_MIN)
    };
    let others = target.many.iter().chain(&target.wide).chain(&target.dimensions).filter(comes_back);
    let is_entity =
        move |field: &&Field| field.groups.is_none_or(|groups| groups >= 2.0 && rows / groups >= ROWS_OF_ENTITY_MIN);
    let mut known = BTreeSet::new();
    target.entity.iter().filter(is_entity).chain(others).filter(move |field| known.insert(&field.sql)).take(COLUMNS_MAX)
}

fn gaps_step(target: &Target, time: &Field, entity: &Field, range: Range) -> Step {
    let total = total(target).map_or_else(|| "1".to_owned(), |value| format!("({value})::float8"));
    let rows = target.select(
        &format!("{}::text AS entity, {}::date AS day, {total} AS value", entity.sql, time.sql),
        &[period::until(target, time), format!("{} IS NOT NULL", entity.sql)],
        "",
    );
    let end = dialect::date(range.last);
    let sql = format!(
        "WITH rows AS ({rows}), days AS (SELECT entity, day, sum(value) AS value FROM rows GROUP BY entity, day), \
         clock AS (SELECT day, CASE WHEN (SELECT count(DISTINCT entity) FROM days) > {FEW} \
         THEN (sum(count(*)) OVER (ORDER BY day))::float8 * {days} / (sum(count(*)) OVER ())::float8 \
         ELSE day - {first} + 1 END AS hour FROM days GROUP BY day), \
         gaps AS (SELECT entity, day, value, hour, hour - lag(hour) OVER (PARTITION BY entity ORDER BY day) AS gap \
         FROM days JOIN clock USING (day)), \
         habits AS (SELECT entity, count(gap) AS gaps, sum(gap) AS span, sum(gap * gap) AS squares, \
         avg(ln(gap)) AS log_mean, coalesce(var_samp(ln(gap)), 0) AS log_variance, max(day) AS last_day, \
         {days} - max(hour) AS silence, sum(value) FILTER (WHERE day > {end} - 730) AS value FROM gaps GROUP BY entity), \
         judged AS (SELECT habits.*, (SELECT count(*) FROM days WHERE days.entity = habits.entity \
         AND days.day > habits.last_day - 364 AND days.day <= {end} - 364) AS year_before \
         FROM habits WHERE gaps >= 3 AND {end} - last_day <= {longest}) \
         SELECT entity, gaps, span, squares, log_mean, log_variance, last_day, silence, value, year_before, \
         count(*) OVER () AS tested, sum(value) OVER () AS all_value, \
         sum(squares / (span::float8 * span)) OVER () AS uneven, sum(2.0 / (gaps + 1)) OVER () AS even \
         FROM judged ORDER BY gaps * ln(span / (span + silence::float8)), entity LIMIT {READ_MAX}",
        longest = DAYS.end(),
        first = dialect::date(range.first),
        days = range.days(),
    );
    Step { question: format!("who, by {}, is silent for longer than their own gaps explain?", entity.name), sql }
}

/// Returns the amount that an entity's rows add up to.
fn total(target: &Target) -> Option<&str> {
    target.measures.iter().find_map(|measure| match measure {
        Measure::Sum { value, .. } => Some(value.as_str()),
        Measure::Rows | Measure::Mean { .. } | Measure::Share { .. } => None,
    })
}

/// An entity that is silent.
#[derive(Debug, Clone, PartialEq)]
struct Silent {
    name: String,
    last_day: Date,
    p: f64,
    /// Its part of all that was added up.
    weight: f64,
}

/// Returns what the gaps say, in the order of [`steps`].
pub fn conclude(target: &Target, answered: &[Option<Answered<'_>>]) -> Conclusion {
    let (Some(time), Some(range)) = (&target.time, target.range) else {
        return Conclusion::nothing("no silences looked for: no column says when a row happened");
    };
    let mut all = Conclusion::default();
    for (field, answered) in returning(target).zip(answered) {
        let Some(gaps) = answered else {
            all.lines.push(format!("no silences of {} looked for: the gaps between rows are not known", field.name));
            continue;
        };
        let found = of_column(target, (time, field), range, *gaps);
        all.observations.extend(found.observations);
        all.lines.extend(found.lines);
        all.tested += found.tested;
    }
    if answered.is_empty() {
        return Conclusion::nothing("no silences looked for: no column says whom a row is about, or what comes back");
    }
    all
}

fn of_column(target: &Target, (time, field): (&Field, &Field), range: Range, gaps: Answered<'_>) -> Conclusion {
    let tested = count(gaps.table, 0, "tested").unwrap_or(0);
    if tested == 0 {
        let nobody =
            format!("no silences of {} looked for: too few intervals to test, none came back three times", field.name);
        return Conclusion::nothing(&nobody);
    }
    let silent = silent(gaps, range, tested);
    let view = View { target, time, entity: field, range, is_of_few: tested <= FEW };
    let mut observations = Vec::new();
    if silent.len() > CASES_MAX {
        observations.extend(view.summary(&silent));
    } else {
        observations.extend(silent.iter().map(|one| view.case(one)));
    }
    let line = format!("{tested} of {} were tested for a silence beyond their own rhythm", field.name);
    let tested = usize::try_from(tested).unwrap_or(usize::MAX);
    Conclusion { observations, tested, lines: vec![line], ..Conclusion::default() }
}

/// Returns those whose silence is more than chance, what they brought most first.
fn silent(Answered { table, .. }: Answered<'_>, range: Range, tested: u64) -> Vec<Silent> {
    let Some(rhythm) = Rhythm::of(table, tested) else { return Vec::new() };
    let read = (0..table.rows.len()).filter_map(|row| judged(table, row, range, &rhythm)).collect::<Vec<_>>();
    // Those who were not read are silent for less: as tests they count, as silences they are none.
    let p = read.iter().map(|(one, _)| one.p).collect::<Vec<_>>();
    let adjusted = benjamini_hochberg_among(&p, usize::try_from(tested).unwrap_or(0)).unwrap_or_default();
    let found = read.into_iter().zip(adjusted).filter(|((_, is_news), p)| *is_news && *p <= SILENT_FALSE_MAX);
    let mut found = found.map(|((one, _), _)| one).collect::<Vec<_>>();
    found.sort_by(|one, other| other.weight.total_cmp(&one.weight));
    found
}

/// How the silence of one is judged.
enum Rhythm {
    /// By what its own gaps and those of all say of how regular it is.
    Mixed(Shapes),
    /// By its own gaps, which come in bursts as those of all do.
    Bursts,
}

impl Rhythm {
    fn of(table: &Table, tested: u64) -> Option<Self> {
        let (uneven, even) = (number(table, 0, "uneven")?, number(table, 0, "even")?);
        let gaps_mean = 2.0 * as_f64(tested) / even - 1.0;
        let unevenness = Unevenness { ratio: uneven / even, p: 1.0 };
        // More even than any shape gives is as regular as can be.
        let shape = rhythm::shape(unevenness, gaps_mean).unwrap_or(if unevenness.ratio < 1.0 { 1.0 } else { 0.0 });
        if shape < SHAPE_MIN {
            return Some(Self::Bursts);
        }
        let gaps = (0..table.rows.len()).filter_map(|row| gaps(table, row)).collect::<Vec<_>>();
        Some(Self::Mixed(Shapes::of(&gaps)))
    }

    fn p(&self, gaps: Gaps, silence: f64) -> Option<f64> {
        match self {
            Self::Mixed(shapes) => shapes.silence(gaps, silence),
            Self::Bursts => rhythm::log_normal_silence(gaps, silence),
        }
    }
}

fn gaps(table: &Table, row: usize) -> Option<Gaps> {
    let of = |column: &str| number(table, row, column);
    Some(Gaps {
        count: count(table, row, "gaps")?,
        sum: of("span")?,
        log_mean: of("log_mean")?,
        log_variance: of("log_variance")?,
        step: 1.0,
    })
}

/// Returns an entity with the probability of its silence, and whether it is one to speak of.
fn judged(table: &Table, row: usize, range: Range, rhythm: &Rhythm) -> Option<(Silent, bool)> {
    let of = |column: &str| number(table, row, column);
    let (gaps, silence) = (gaps(table, row)?, of("silence")?);
    let p = rhythm.p(gaps, silence)?;
    let last_day = period::date(cell(table, row, "last_day")?)?;
    let days = (range.last - last_day).get_days();
    let usual = silence / (gaps.sum / as_f64(gaps.count));
    let reaches_back = (last_day - range.first).get_days() >= 364;
    let is_off_season = reaches_back && of("year_before")? < SEASON_MIN * usual;
    let weight = of("value").unwrap_or(0.0) / of("all_value").filter(|all| *all > 0.0).unwrap_or(1.0);
    let name = cell(table, row, "entity")?.to_owned();
    Some((Silent { name, last_day, p, weight }, DAYS.contains(&days) && usual >= USUAL_MIN && !is_off_season))
}

/// What is needed to word a silence.
struct View<'t> {
    target: &'t Target,
    time: &'t Field,
    entity: &'t Field,
    range: Range,
    /// Whether there are so few that one of them is a large part of all.
    is_of_few: bool,
}

impl View<'_> {
    /// Returns the days up to a stop, and as many up to the end of the data; at most a year each.
    fn around(&self, first_stop: Date, last_stop: Date) -> [String; 2] {
        let days = (self.range.last - last_stop).get_days().min((first_stop - self.range.first).get_days() + 1);
        let days = days.clamp(1, 364);
        let up_to = |last: Date| {
            let first = last.checked_sub((days - 1).days()).unwrap_or(last);
            period::during(self.time, first, last)
        };
        [up_to(first_stop), up_to(self.range.last)]
    }

    fn statement(&self, [before, after]: &[String; 2], condition: Option<String>) -> Step {
        let value =
            total(self.target).map(|value| format!(", coalesce(sum({value}) FILTER (WHERE {before}), 0) AS value"));
        let columns = format!(
            "count(*) FILTER (WHERE {before}) AS before, count(*) FILTER (WHERE {after}) AS after, max({}) AS last_day{}",
            self.time.sql,
            value.unwrap_or_default()
        );
        let conditions = condition.into_iter().chain([period::until(self.target, self.time)]).collect::<Vec<_>>();
        Step { question: "how did the rows end?".to_owned(), sql: self.target.select(&columns, &conditions, "") }
    }

    fn case(&self, silent: &Silent) -> Observation {
        let periods = self.around(silent.last_day, silent.last_day);
        let own = self.statement(&periods, Some(dialect::is(&self.entity.sql, Some(&silent.name))));
        let count = "change({0}[#1].before, {0}[#1].after)".to_owned();
        let share = "change(share({0}[#1].before, {1}[#1].before), share({0}[#1].after, {1}[#1].after))".to_owned();
        // One of many has a share too small to be told.
        let (first, second) = if self.is_of_few { (share, count) } else { (count, share) };
        let mut claims = vec![first, second, "{0}[#1].last_day".to_owned()];
        claims.extend(self.value_claim());
        self.observation(silent, vec![own, self.statement(&periods, None)], claims)
    }

    fn summary(&self, silent: &[Silent]) -> Option<Observation> {
        let stops = || silent.iter().map(|one| one.last_day);
        let periods = self.around(stops().min()?, stops().max()?);
        let names = silent.iter().map(|one| dialect::text(&one.name)).collect::<Vec<_>>().join(", ");
        let own = self.statement(&periods, Some(format!("{} IN ({names})", self.entity.sql)));
        let mut claims = vec![
            "change(share({0}[#1].before, {1}[#1].before), share({0}[#1].after, {1}[#1].after))".to_owned(),
            "change({0}[#1].before, {0}[#1].after)".to_owned(),
        ];
        claims.extend(self.value_claim());
        let all = Silent {
            name: format!("{} of {}", silent.len(), self.entity.name),
            last_day: stops().max()?,
            // Each of them held among all; that there are any is as sure as the surest.
            p: silent.iter().map(|one| one.p).fold(1.0, f64::min),
            weight: silent.iter().map(|one| one.weight).sum(),
        };
        Some(self.observation(&all, vec![own, self.statement(&periods, None)], claims))
    }

    fn value_claim(&self) -> Option<String> {
        total(self.target).map(|_| "share({0}[#1].value, {1}[#1].value)".to_owned())
    }

    fn observation(&self, silent: &Silent, statements: Vec<Step>, claims: Vec<String>) -> Observation {
        Observation {
            instrument: Instrument::Silent,
            table: self.target.table.clone(),
            measure: "rows".to_owned(),
            by: Some(self.entity.name.clone()),
            segment: vec![(self.entity.name.clone(), silent.name.clone())],
            within: None,
            comes_from: None,
            p: silent.p,
            effect: 1.0,
            weight: silent.weight,
            is_lower: true,
            statements,
            claims,
            impact: total(self.target).map(|_| "{0}[#1].value".to_owned()),
            line: format!("{} of {} is silent", silent.name, self.entity.name),
        }
    }
}
