//! How does a measure develop, as a whole and in its groups?
//!
//! | series | test | source |
//! |---|---|---|
//! | the whole | direction, corrected for neighbours that are alike | [`direction`] |
//! | | change of level | [`change_point`] |
//! | a group's count or total | the same, of its share of the whole | |
//! | a group's average or share | the same, of its distance from all others | |
//!
//! A group is so told of for what it did beside the whole, not with it. Both tests of a series count: its p is twice the
//! smaller one. Periods that the rows span in part are left out.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::period::{self, Range, Unit};
use super::reading::{as_f64, cell, count, number};
use super::target::{Field, Measure, Target};
use super::{Answered, Conclusion, Instrument, Observation, Step, dialect};
use crate::analysis::chance::series::{change_point, direction};

/// Periods below which a series is not tested.
const PERIODS_MIN: usize = 8;
/// Columns by which a measure is told apart, and values of one.
const DIMENSIONS_MAX: usize = 6;
const GROUPS_MAX: f64 = 20.0;
/// Rows that a period of a group has at least, on average.
const ROWS_MIN: f64 = 4.0;

/// Returns the next statements: the time that rows span, then a series of all, and one by each column.
pub fn steps(target: &Target, answered: &[Option<Answered<'_>>]) -> Vec<Step> {
    let Some(time) = &target.time else { return Vec::new() };
    match answered {
        [] => vec![period::range_step(target, time)],
        [Some(range)] => {
            let Some(unit) = Range::read(*range).and_then(|range| range.unit()) else { return Vec::new() };
            let by = grouped(target).map(|dimension| step(target, time, unit, Some(dimension)));
            std::iter::once(step(target, time, unit, None)).chain(by).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the columns that series are told apart by.
fn grouped(target: &Target) -> impl Iterator<Item = &Field> {
    let is_few = |field: &&Field| field.groups.is_none_or(|groups| groups <= GROUPS_MAX);
    target.dimensions.iter().filter(is_few).take(DIMENSIONS_MAX)
}

fn step(target: &Target, time: &Field, unit: Unit, by: Option<&Field>) -> Step {
    let period = dialect::period(unit.name(), &time.sql);
    let key = by.map(|by| format!("{}, ", by.sql)).unwrap_or_default();
    let measures = target.measures.iter().enumerate().map(|(index, measure)| match measure {
        Measure::Rows => String::new(),
        Measure::Mean { value, .. } => format!(", count({value}) AS n{index}, avg({value}) AS m{index}"),
        Measure::Sum { .. } | Measure::Share { .. } => format!(", {} AS m{index}", measure.aggregate()),
    });
    let columns = format!("{key}{period} AS period, count(*) AS rows{}", measures.collect::<String>());
    let end = format!(" GROUP BY {key}{period} ORDER BY {key}{period}");
    let by = by.map(|by| format!(", by {}", by.name)).unwrap_or_default();
    Step {
        question: format!("how do {} develop by {}{by}?", target.rows, unit.name()),
        sql: target.select(&columns, &[period::until(target, time)], &end),
    }
}

/// A measure's value and the rows behind it, in a period.
type Point = (f64, f64);

/// The points of a measure by period.
type Points = BTreeMap<Date, Point>;

/// What is needed to word a series.
struct View<'t> {
    target: &'t Target,
    time: &'t Field,
    unit: Unit,
    whole: Vec<Date>,
}

/// Returns what the series say, in the order of [`steps`].
pub fn conclude(target: &Target, answered: &[Option<Answered<'_>>]) -> Conclusion {
    let Some(time) = &target.time else {
        return Conclusion::nothing("not looked at over time: no column says when a row happened");
    };
    let [Some(range), all, groups @ ..] = answered else {
        return Conclusion::nothing("not looked at over time: too few days with rows");
    };
    let Some((range, unit)) = Range::read(*range).and_then(|range| Some((range, range.unit()?))) else {
        return Conclusion::nothing("not looked at over time: too few days with rows");
    };
    let whole = range.whole(unit);
    if whole.len() < PERIODS_MIN {
        return Conclusion::nothing("not looked at over time: too few whole periods");
    }
    let view = View { target, time, unit, whole };
    let (mut all_tested, mut lines) = (Vec::new(), Vec::new());
    for (index, measure) in target.measures.iter().enumerate() {
        let points = all.as_ref().and_then(|all| view.points(*all, index, measure, None));
        all_tested.extend(points.and_then(|points| view.tested(measure, None, &view.values(measure, &points)?, 1.0)));
    }
    for (dimension, answered) in grouped(target).zip(groups) {
        let Some(answered) = answered else { continue };
        if answered.table.more_rows {
            lines.push(format!("not looked at over time by {}: it has too many groups", dimension.name));
            continue;
        }
        for (index, measure) in target.suited(dimension) {
            all_tested.extend(view.of_groups(dimension, (index, measure), *answered));
        }
    }
    Conclusion::of(all_tested, lines)
}

impl View<'_> {
    /// Returns the points of a measure in whole periods, of one group or of all.
    fn points(&self, answered: Answered<'_>, index: usize, measure: &Measure, group: Option<&str>) -> Option<Points> {
        let table = answered.table;
        let is_group = |row: &usize| group.is_none_or(|group| table.cell(*row, 0) == Some(group));
        let mut points = Points::new();
        for row in (0..table.rows.len()).filter(is_group) {
            let Some(day) = period::date(cell(table, row, "period").unwrap_or_default()) else { continue };
            let rows = as_f64(count(table, row, "rows")?);
            let column = format!("m{index}");
            let point = match measure {
                Measure::Rows => Some((rows, rows)),
                Measure::Sum { .. } | Measure::Share { .. } => number(table, row, &column).map(|value| (value, rows)),
                Measure::Mean { .. } => {
                    let values = as_f64(count(table, row, &format!("n{index}"))?);
                    number(table, row, &column).map(|value| (value, values))
                }
            };
            points.extend(point.map(|point| (day, point)));
        }
        Some(points)
    }

    /// Returns the values of all whole periods; 0 where a total has no rows. `None` where averages lack.
    fn values(&self, measure: &Measure, points: &Points) -> Option<Vec<f64>> {
        let value = |day: &Date| match points.get(day) {
            Some((value, _)) => Some(*value),
            None => measure.is_total().then_some(0.0),
        };
        self.whole.iter().map(value).collect()
    }

    fn of_groups(
        &self,
        dimension: &Field,
        (index, measure): (usize, &Measure),
        answered: Answered<'_>,
    ) -> Vec<Observation> {
        let table = answered.table;
        let mut names = (0..table.rows.len()).filter_map(|row| table.cell(row, 0)).collect::<Vec<_>>();
        names.dedup();
        let groups = names.iter().filter_map(|name| Some((*name, self.points(answered, index, measure, Some(name))?)));
        let groups = groups.collect::<Vec<_>>();
        if groups.len() < 2 {
            return Vec::new();
        }
        let observed = groups.iter().enumerate().filter_map(|(place, (name, own))| {
            let others = groups.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, (_, points))| points);
            let others = others.collect::<Vec<_>>();
            let beside = self.whole.iter().map(|day| beside(measure, own.get(day), &others, day));
            let beside = beside.collect::<Option<Vec<_>>>()?;
            let rows = own.values().map(|(_, rows)| rows).sum::<f64>();
            let all = groups.iter().flat_map(|(_, points)| points.values()).map(|(_, rows)| rows).sum::<f64>();
            let is_enough = rows / as_f64(self.whole.len() as u64) >= ROWS_MIN;
            is_enough.then(|| self.tested(measure, Some((dimension, name)), &beside, rows / all))?
        });
        observed.collect()
    }

    /// Tests a series, and returns what can be stated of it.
    fn tested(
        &self,
        measure: &Measure,
        group: Option<(&Field, &str)>,
        values: &[f64],
        weight: f64,
    ) -> Option<Observation> {
        let (direction, level) = (direction(values)?, change_point(values)?);
        let p = (2.0 * direction.p.min(level.p)).min(1.0);
        let is_steady = level.is_steady || direction.p < level.p / 100.0;
        let (before, since) = values.split_at(level.at);
        let (before, since) = (mean(before), mean(since));
        let size = before.abs().max(since.abs()).max(f64::MIN_POSITIVE);
        let column = if is_steady { "trend" } else { "since" };
        let (statements, claims) = self.told(measure, group, column);
        let whom = group.map(|(field, name)| format!(" of {} {name}", field.name)).unwrap_or_default();
        Some(Observation {
            instrument: Instrument::Trend,
            table: self.target.table.clone(),
            measure: measure.name().to_owned(),
            by: group.map(|(field, _)| field.name.clone()),
            segment: group.map(|(field, name)| (field.name.clone(), name.to_owned())).into_iter().collect(),
            p,
            effect: ((since - before).abs() / size).min(1.0),
            weight,
            is_lower: if is_steady { !direction.rises } else { since < before },
            statements,
            claims,
            line: format!("{}{whom} over time", measure.name()),
        })
    }

    /// Returns the statements of a series and what is claimed of them.
    fn told(&self, measure: &Measure, group: Option<(&Field, &str)>, form: &str) -> (Vec<Step>, Vec<String>) {
        let condition = group.map(|(field, name)| dialect::is(&field.sql, Some(name)));
        let mut statements = vec![self.series(&measure.aggregate(), condition.as_slice())];
        let mut claims = vec![format!("{form}({{0}}.value)")];
        if let (Some(condition), Measure::Rows) = (&condition, measure) {
            statements.push(self.series(&dialect::share(condition), &[]));
            claims.push(format!("{form}({{1}}.value)"));
        }
        (statements, claims)
    }

    fn series(&self, aggregate: &str, conditions: &[String]) -> Step {
        let period = dialect::period(self.unit.name(), &self.time.sql);
        let columns = format!("{period} AS period, {aggregate} AS value");
        let conditions = conditions.iter().cloned().chain([period::until(self.target, self.time)]).collect::<Vec<_>>();
        let sql = self.target.select(&columns, &conditions, &format!(" GROUP BY {period} ORDER BY {period}"));
        Step { question: format!("how does it develop by {}?", self.unit.name()), sql }
    }
}

/// Returns how a group stands beside the others in a period: its share of a total, or its distance from their average.
fn beside(measure: &Measure, own: Option<&Point>, others: &[&Points], day: &Date) -> Option<f64> {
    let others = others.iter().filter_map(|points| points.get(day));
    if measure.is_total() {
        let own = own.map_or(0.0, |(value, _)| *value);
        let all = own + others.map(|(value, _)| value).sum::<f64>();
        return Some(if all == 0.0 { 0.0 } else { own / all });
    }
    let (sum, rows) = others.fold((0.0, 0.0), |(sum, rows), (value, own)| (sum + value * own, rows + own));
    (rows > 0.0).then(|| own.map(|(value, _)| value - sum / rows))?
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / as_f64(values.len().max(1) as u64)
}
