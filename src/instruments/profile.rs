//! Tells what a table is, and what is wrong with it.
//!
//! One statement tells the time that rows span and which pairs of moments are durations; every other instrument begins with
//! it, so that none measures days between moments that have nothing to do with each other. As an instrument of its own it
//! tells, without a test, of rows whose moments stand in the wrong order, rows of the future, rows that name nobody, and rows
//! that are there twice.

use super::period::{self, Range};
use super::reading::{as_f64, cell, count, number};
use super::target::{Averaged, Field, Measure, Span, Target};
use super::{Answered, Conclusion, Instrument, Observation, Step, dialect};

/// The slope of an end over its beginning outside of which the two are no duration: 1 if the days between them do not hang on
/// the beginning, 0 if the end has nothing to do with it.
const SLOPES: std::ops::RangeInclusive<f64> = 0.75..=2.5;
/// The share of ends before their beginnings above which the two are no duration.
const REVERSED_MAX: f64 = 0.1;
/// The share of rows that need no longer to come to their end than those of which averages over time are told: what tells long
/// cases from short ones, as fines of loans do, sits in the last few. Where too little time is left, of most rows.
const NEARLY_ALL: f64 = 0.98;
const MOST: f64 = 0.9;
/// The share of ends before their beginnings from which the two are a duration the other way round.
const SWAPPED_MIN: f64 = 0.9;
/// Ends below which a slope says nothing.
const ENDS_MIN: u64 = 20;
/// The share of copies above which rows are meant to be there more than once.
const COPIES_MAX: f64 = 0.15;
/// The pairs of equal rows that chance may give, above which equal rows are no copies.
const COPIES_BY_CHANCE_MAX: f64 = 0.5;

/// Returns the statement that tells rows, time, and of each duration whether it is one.
pub fn step(target: &Target) -> Step {
    let mut columns = vec!["count(*) AS rows".to_owned()];
    if let Some(time) = &target.time {
        let until = period::up_to(time, target.as_of);
        columns.push(format!("min({}) FILTER (WHERE {until}) AS first", time.sql));
        columns.push(format!("max({}) FILTER (WHERE {until}) AS last", time.sql));
        columns.push(format!("count({0}) FILTER (WHERE NOT ({until})) AS later", time.sql));
    }
    if let Some(entity) = &target.entity {
        columns.push(format!("count(*) FILTER (WHERE {} IS NULL) AS nameless", entity.sql));
    }
    if let Some(condition) = target.unconverted() {
        columns.push(format!("count(*) FILTER (WHERE {condition}) AS unconverted"));
    }
    for (index, span) in spans(target) {
        let [from, to] = &span.bare;
        let seconds = |moment: &str| format!("extract(epoch FROM {moment}::timestamp)");
        columns.push(format!("count(*) FILTER (WHERE {to} IS NOT NULL AND {from} IS NOT NULL) AS ends{index}"));
        columns.push(format!("count(*) FILTER (WHERE {to} < {from}) AS reversed{index}"));
        columns.push(format!("regr_slope({}, {}) AS slope{index}", seconds(to), seconds(from)));
        let lasted = format!("{} - {}", seconds(to), seconds(from));
        let within = |part: f64| format!("percentile_cont({part}) WITHIN GROUP (ORDER BY {lasted})");
        columns.push(format!("{} AS needed{index}, {} AS mostly{index}", within(NEARLY_ALL), within(MOST)));
        columns.push(format!("count({from}) FILTER (WHERE {to} IS NULL) AS open{index}"));
    }
    let question = format!("how many {} are there, and which time do they span?", target.rows);
    Step { question, sql: target.select(&columns.join(", "), &[], "") }
}

/// Returns the durations of a target, with their places among its measures.
fn spans(target: &Target) -> impl Iterator<Item = (usize, &Span)> {
    target.measures.iter().enumerate().filter_map(|(index, measure)| match measure {
        Measure::Mean { of: Averaged::Days(span), .. } => Some((index, span)),
        _ => None,
    })
}

/// Returns whether there is no row.
pub fn is_empty(profile: Answered<'_>) -> bool {
    count(profile.table, 0, "rows") == Some(0)
}

/// Returns the places of measures that are called durations, and are none; each with how many rows have the second moment
/// first, in words.
pub(super) fn no_durations(target: &Target, profile: Answered<'_>) -> Vec<(usize, String)> {
    let table = profile.table;
    let swapped = swapped(target, profile);
    let is_none = |index: usize| {
        if swapped.contains(&index) {
            return false;
        }
        let of = |name: &str| count(table, 0, &format!("{name}{index}"));
        let (Some(ends), Some(reversed)) = (of("ends"), of("reversed")) else { return false };
        let slope = number(table, 0, &format!("slope{index}"));
        as_f64(reversed) > REVERSED_MAX * as_f64(ends)
            || ends >= ENDS_MIN && slope.is_some_and(|slope| !SLOPES.contains(&slope))
    };
    let order = |index: usize| {
        let of = |name: &str| count(table, 0, &format!("{name}{index}")).unwrap_or(0);
        format!(" (in {} of {} rows the second comes first)", of("reversed"), of("ends"))
    };
    spans(target).map(|(index, _)| index).filter(|index| is_none(*index)).map(|index| (index, order(index))).collect()
}

/// Returns how many days nearly all rows need from one of their moments to another, and how many most of them do: the most of
/// those that some rows still wait for; `None` where no row waits. Durations that are none are left out.
pub(super) fn days_to_settle(target: &Target, profile: Answered<'_>) -> [Option<f64>; 2] {
    let table = profile.table;
    let none = no_durations(target, profile);
    let is_one = |index: &usize| !none.iter().any(|(other, _)| other == index);
    let days = |index: usize, name: &str| {
        let waits = count(table, 0, &format!("open{index}"))? > 0;
        let needed = number(table, 0, &format!("{name}{index}"))?;
        (waits && needed > 0.0).then_some(needed / 86_400.0)
    };
    let most = |name: &str| {
        let indexes = spans(target).map(|(index, _)| index).filter(is_one);
        indexes.filter_map(|index| days(index, name)).max_by(f64::total_cmp)
    };
    ["needed", "mostly"].map(most)
}

/// Returns the places of durations whose moments come the other way round, as a day of request before an appointment.
pub(super) fn swapped(target: &Target, Answered { table, .. }: Answered<'_>) -> Vec<usize> {
    let is_swapped = |index: &usize| {
        let of = |name: &str| count(table, 0, &format!("{name}{index}"));
        let (Some(ends), Some(reversed)) = (of("ends"), of("reversed")) else { return false };
        let slope = number(table, 0, &format!("slope{index}"));
        ends >= ENDS_MIN
            && as_f64(reversed) >= SWAPPED_MIN * as_f64(ends)
            && slope.is_some_and(|slope| SLOPES.contains(&slope))
    };
    spans(target).map(|(index, _)| index).filter(is_swapped).collect()
}

/// Returns the further statements of the instrument: how many rows are there more than once, as a whole or by one column, and
/// whose they are.
pub fn steps(target: &Target) -> Vec<Step> {
    let copied = copied(target);
    if copied.is_empty() {
        return Vec::new();
    }
    let columns = copied.iter().enumerate().map(|(index, fields)| format!("{} AS copies{index}, ", copies_of(fields)));
    let question = format!("how many {} are there more than once?", target.rows);
    let sql = target.select(&format!("{}count(*) AS rows", columns.collect::<String>()), &[], "");
    let whose = copied.iter().filter_map(|fields| Some(by_whom(target, copied_by(target, fields)?, fields)));
    std::iter::once(Step { question, sql }).chain(whose).collect()
}

/// Returns the statement that tells whose rows are copied, the most first.
fn by_whom(target: &Target, whose: &Field, fields: &[Field]) -> Step {
    let columns = format!("{} AS whose, {} AS value", whose.sql, copies_of(fields));
    let end = format!(" GROUP BY {0} ORDER BY value DESC, {0}", whose.sql);
    Step {
        question: format!("of which {} are rows there more than once?", whose.name),
        sql: target.select(&columns, &[], &end),
    }
}

/// Returns the lists of columns by which rows should not be there more than once.
fn copied(target: &Target) -> Vec<Vec<Field>> {
    let nearly_unique = target.nearly_unique.iter().map(|field| vec![field.clone()]);
    let content = Some(target.content.clone()).filter(|content| !content.is_empty());
    nearly_unique.chain(content).collect()
}

fn copies_of(fields: &[Field]) -> String {
    match fields {
        [only] => format!("count({0}) - count(DISTINCT {0})", only.sql),
        several => format!("count(*) - count(DISTINCT ({}))", names(several)),
    }
}

/// Returns the column that tells best whose rows are copied: the entity, or else that of the few-valued ones with the most
/// values.
fn copied_by<'t>(target: &'t Target, fields: &[Field]) -> Option<&'t Field> {
    let groups = |field: &Field| field.groups.unwrap_or(0.0);
    let most = || target.dimensions.iter().max_by(|one, other| groups(one).total_cmp(&groups(other)));
    let is_told = |field: &&Field| fields.len() > 1 || fields.iter().all(|known| known.sql != field.sql);
    target.entity.as_ref().or_else(most).filter(is_told)
}

fn names(fields: &[Field]) -> String {
    fields.iter().map(|field| field.sql.as_str()).collect::<Vec<_>>().join(", ")
}

/// Returns what the rows say.
pub fn conclude(target: &Target, profile: Answered<'_>, answered: &[Option<Answered<'_>>]) -> Conclusion {
    let table = profile.table;
    let rows = count(table, 0, "rows").unwrap_or(0);
    let mut lines = vec![format!("{rows} {}", target.rows)];
    if let Some(range) = Range::read(profile) {
        lines.push(format!("from {} to {}", range.first, range.last));
    }
    let mut observations = Vec::new();
    let mut of_rows = |column: &str, condition: String, what: String| {
        let part = count(table, 0, column).unwrap_or(0);
        if part > 0 && part < rows {
            observations.push(view(target, as_f64(part) / as_f64(rows), &condition, what));
        }
    };
    if let Some(entity) = &target.entity {
        of_rows("nameless", format!("{} IS NULL", entity.sql), format!("rows without {}", entity.name));
    }
    if let Some(time) = &target.time {
        let later = format!("NOT ({})", period::up_to(time, target.as_of));
        of_rows("later", later, format!("rows with {} after today", time.name));
    }
    let swapped = swapped(target, profile);
    for (index, Span { bare: [from, to], .. }) in spans(target).filter(|(index, _)| !swapped.contains(index)) {
        let (first, second) = target.measures[index].moments().unwrap_or((from, to));
        of_rows(&format!("reversed{index}"), format!("{to} < {from}"), format!("rows with {second} before {first}"));
    }
    if let [Some(answered), whose @ ..] = answered {
        let copied = copied(target);
        let mut whose = whose.iter();
        for (index, fields) in copied.iter().enumerate() {
            let by = copied_by(target, fields).and_then(|field| Some((field, (*whose.next()?)?)));
            observations.extend(copies(target, *answered, (index, fields), by));
        }
    }
    Conclusion { observations, lines, ..Conclusion::default() }
}

/// Returns the observation of rows that meet a condition which few should.
fn view(target: &Target, share: f64, condition: &str, what: String) -> Observation {
    let columns = format!("count(*) FILTER (WHERE {condition}) AS part, count(*) AS rows");
    let statement = Step { question: format!("how many are {what}?"), sql: target.select(&columns, &[], "") };
    observation(target, share, vec![statement], vec!["share({0}[#1].part, {0}[#1].rows)".to_owned()], what)
}

/// Returns the observation of rows that are there more than once, unless chance may give them.
fn copies(
    target: &Target,
    Answered { table, id }: Answered<'_>,
    (index, fields): (usize, &Vec<Field>),
    by: Option<(&Field, Answered<'_>)>,
) -> Option<Observation> {
    let (copies, rows) = (count(table, 0, &format!("copies{index}"))?, as_f64(count(table, 0, "rows")?));
    let kinds = fields.iter().map(|field| field.groups.unwrap_or(1.0).max(1.0)).product::<f64>();
    let is_chance = fields.len() > 1 && rows * rows / 2.0 / kinds > COPIES_BY_CHANCE_MAX;
    let what = format!("rows that are there more than once, by {}", names(fields));
    let mut claims = vec![format!("{id}[#1].copies{index}")];
    let mut statements = Vec::new();
    if let (Some(time), Some(unit)) = (&target.time, target.range.and_then(Range::unit)) {
        let period = dialect::period(unit.name(), &time.sql);
        let columns = format!("{period} AS period, {} AS value", copies_of(fields));
        let end = format!(" GROUP BY {period} ORDER BY {period}");
        let sql = target.select(&columns, &[period::until(target, time)], &end);
        statements.push(Step { question: "since when are they there more than once?".to_owned(), sql });
        claims.push("since({0}.value)".to_owned());
    }
    let mut segment = Vec::new();
    if let Some((field, whose)) = by {
        let most = count(whose.table, 0, "value").unwrap_or(0);
        // Of one alone it is told first.
        if as_f64(most) >= MOST * as_f64(copies) {
            segment.extend(cell(whose.table, 0, "whose").map(|name| (field.name.clone(), name.to_owned())));
            claims.insert(0, format!("rank({}[#1].value)", whose.id));
        } else {
            claims.push(format!("top(1, {}.value)", whose.id));
        }
    }
    let is_few = as_f64(copies) <= COPIES_MAX * rows;
    let observed = || observation(target, as_f64(copies) / rows, statements, claims, what);
    (copies > 0 && is_few && !is_chance).then(|| Observation { segment, ..observed() })
}

fn observation(target: &Target, share: f64, statements: Vec<Step>, claims: Vec<String>, line: String) -> Observation {
    Observation {
        instrument: Instrument::Profile,
        table: target.table.clone(),
        measure: line.clone(),
        by: None,
        segment: Vec::new(),
        within: None,
        comes_from: None,
        // It is no comparison that chance could explain.
        p: 0.0,
        effect: share,
        weight: share,
        is_lower: false,
        statements,
        claims,
        impact: None,
        line,
    }
}
