//! Tells how a measure develops, as a whole and in its groups.
//!
//! | series | test | source |
//! |---|---|---|
//! | the whole | direction, corrected for neighbours that are alike | [`direction`] |
//! | | change of level | [`change_point`] |
//! | | one period with far more or fewer rows than the others | binomial or Poisson, widened where periods differ by more |
//! | a group's count or total | the same, of its share of the whole | |
//! | a group's average or share | the same, of its distance from all others | |
//! | averages and shares besides | the slope of rows over time, a group's against that of all | [`rows`] |
//! | a group's count besides | whether its rows are later than those of the others; a new level of its share | [`rows`], [`level`] |
//! | an average of one of very many values | the slope of its rows, against that of all | [`rows`] |
//!
//! A group is so told of for what it did beside the whole, not with it, if its own series shows it too. The tests of a series count together: its p is the
//! smallest times their number. A dozen periods say little where hundreds of rows say much, so that a slope of rows decides
//! where the series does not speak against it. Periods that the rows span in part are left out.

mod level;
mod rows;

use std::collections::BTreeMap;

use jiff::civil::Date;

use self::level::{Counted, Level};
use self::rows::Rows;
use super::period::{self, Range};
use super::reading::{as_f64, cell, count, number};
use super::target::{Field, Measure, Target};
use super::{Answered, Conclusion, Instrument, Observation, P_MAX, Step, dialect};
use crate::analysis::chance::distribution::{normal_two_sided, t_two_sided};
use crate::analysis::chance::series::{Break, change_point, direction, median};
use crate::finding::fact::Unit;

/// Periods below which a series is not tested.
const PERIODS_MIN: usize = 8;
/// Columns by which a measure is told apart, and values of one.
const DIMENSIONS_MAX: usize = 9;
const GROUPS_MAX: f64 = 60.0;
/// Rows of a result: more groups in more periods are not told apart.
const CELLS_MAX: f64 = 900.0;
/// The p of a series up to which it does not speak against the slope of its rows.
const SERIES_P_MAX: f64 = 0.1;
/// The spread of counts, in standard deviations of chance, up to which chance alone makes it.
const SCALE_OF_CHANCE_MAX: f64 = 1.5;
/// Rows that a period of a group has at least, on average; where rows are counted, fewer will do.
const ROWS_MIN: f64 = 4.0;
const COUNTED_MIN: f64 = 2.0;

/// Returns the statements: the slopes of rows over time, a series of all, and one by each column.
pub fn steps(target: &Target) -> Vec<Step> {
    let unit = target.range.and_then(Range::unit);
    let (Some(time), Some(unit)) = (&target.time, unit) else { return Vec::new() };
    let by = grouped(target).map(|dimension| step(target, time, unit, Some(dimension)));
    [rows::step(target, time), step(target, time, unit, None)].into_iter().chain(by).collect()
}

/// Returns the columns that series are told apart by.
fn grouped(target: &Target) -> impl Iterator<Item = &Field> {
    let periods = target.range.and_then(|range| Some(range.whole(range.unit()?, target.last_day).len())).unwrap_or(1);
    let groups_max = (CELLS_MAX / as_f64(periods.max(1) as u64)).min(GROUPS_MAX);
    target.dimensions.iter().filter(move |field| field.is_group_of_rows(groups_max)).take(DIMENSIONS_MAX)
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
    /// What the rows say one by one.
    rows: Option<Rows<'t>>,
}

/// A series that is tested.
struct Tested<'s> {
    index: usize,
    measure: &'s Measure,
    /// The place of a column, the column, and its value.
    group: Option<(usize, &'s Field, &'s str)>,
    /// The points as they were read, and of whole periods its values, those beside all others, and the rows of all.
    points: &'s Points,
    own: &'s [f64],
    values: &'s [f64],
    rows_of_all: &'s [f64],
    /// The part of the rows that it is about.
    weight: f64,
    /// What is usual, against which a distance from others is large.
    usual: f64,
}

impl Tested<'_> {
    /// Returns whether the group itself moved, rather than the others away from it. A total stands as its share.
    fn is_own_move(&self, at: usize) -> bool {
        let moved = |values: &[f64]| {
            let (before, since) = values.split_at(at);
            mean(since) - mean(before)
        };
        let (own, away) = (moved(self.own), moved(self.values));
        self.measure.is_total() || own.signum() == away.signum() && own.abs() >= rows::OWN_MIN * away.abs()
    }
}

/// Returns what the series say, in the order of [`steps`].
pub fn conclude(target: &Target, answered: &[Option<Answered<'_>>]) -> Conclusion {
    let Some(time) = &target.time else {
        return Conclusion::nothing("not looked at over time: no column says when a row happened");
    };
    let (Some(range), [slopes, all, groups @ ..]) = (target.range, answered) else {
        return Conclusion::nothing("not looked at over time: too few days with rows");
    };
    let Some(unit) = range.unit() else {
        return Conclusion::nothing("not looked at over time: too few days with rows");
    };
    let whole = range.whole(unit, target.last_day);
    if whole.len() < PERIODS_MIN {
        return Conclusion::nothing("not looked at over time: too few whole periods");
    }
    let rows = slopes.map(|answered| Rows::new(target, answered));
    let view = View { target, time, unit, whole, rows };
    let (mut all_tested, mut lines) = (Vec::new(), Vec::new());
    // How many rows have a value is told as the rows of that group.
    let is_group = |measure: &Measure| grouped(target).any(|field| measure.is_of(field));
    for (index, measure) in target.over_time().filter(|(_, measure)| !is_group(measure)) {
        let Some(points) = all.as_ref().and_then(|all| View::points(*all, index, measure, None)) else { continue };
        let Some(values) = view.values(measure, &points) else { continue };
        let (points, own, values) = (&points, &values[..], &values[..]);
        let (group, rows_of_all) = (None, &[][..]);
        let tested = Tested { index, measure, group, points, own, values, rows_of_all, weight: 1.0, usual: 0.0 };
        all_tested.extend(view.tested(&tested));
    }
    for ((place, dimension), answered) in grouped(target).enumerate().zip(groups) {
        let Some(answered) = answered else { continue };
        if answered.table.more_rows {
            lines.push(format!("not looked at over time by {}: it has too many groups", dimension.name));
            continue;
        }
        for (index, measure) in target.over_time().filter(|(_, measure)| measure.suits(dimension) && !is_group(measure))
        {
            all_tested.extend(view.of_groups((place, dimension), (index, measure), *answered));
        }
    }
    all_tested.extend(rows.iter().flat_map(|rows| rows.of_sparse(time)));
    Conclusion::of(all_tested, lines)
}

impl View<'_> {
    /// Returns the points of a measure in whole periods, of one group or of all.
    fn points(answered: Answered<'_>, index: usize, measure: &Measure, group: Option<&str>) -> Option<Points> {
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
        (place, dimension): (usize, &Field),
        (index, measure): (usize, &Measure),
        answered: Answered<'_>,
    ) -> Vec<Observation> {
        let table = answered.table;
        let mut names = (0..table.rows.len()).filter_map(|row| table.cell(row, 0)).collect::<Vec<_>>();
        names.dedup();
        let groups = names.iter().filter_map(|name| Some((*name, Self::points(answered, index, measure, Some(name))?)));
        let groups = groups.collect::<Vec<_>>();
        if groups.len() < 2 {
            return Vec::new();
        }
        let observed = groups.iter().enumerate().filter_map(|(own_place, (name, own))| {
            let others =
                groups.iter().enumerate().filter(|(other, _)| *other != own_place).map(|(_, (_, points))| points);
            let others = others.collect::<Vec<_>>();
            let group = (place, dimension, *name);
            let rows = own.values().map(|(_, rows)| rows).sum::<f64>();
            let enough = if *measure == Measure::Rows { COUNTED_MIN } else { ROWS_MIN };
            if rows / as_f64(self.whole.len() as u64) < enough {
                return self.of_few(group, (index, measure));
            }
            self.of_group(group, (index, measure), own, &others)
        });
        observed.collect()
    }

    /// Tests the series of a group beside all others.
    fn of_group(
        &self,
        group: (usize, &Field, &str),
        (index, measure): (usize, &Measure),
        points: &Points,
        others: &[&Points],
    ) -> Option<Observation> {
        let beside = self.whole.iter().map(|day| beside(measure, points.get(day), others, *day));
        let beside = beside.collect::<Option<Vec<_>>>()?;
        let own = self.values(measure, points)?;
        if measure.is_total() && own.iter().any(|value| *value < 0.0) {
            return None;
        }
        let rows_of_all = self.whole.iter().map(|day| rows_in(*day, others) + rows_in(*day, &[points]));
        let rows_of_all = rows_of_all.collect::<Vec<_>>();
        let sum = |points: &Points| points.values().map(|(_, rows)| rows).sum::<f64>();
        let all = sum(points) + others.iter().map(|points| sum(points)).sum::<f64>();
        // A distance from others is as large as it is against what the group has.
        let usual = if measure.is_total() { 0.0 } else { average(points.values()) };
        let (own, values, rows_of_all) = (&own[..], &beside[..], &rows_of_all[..]);
        let (group, weight) = (Some(group), sum(points) / all);
        self.tested(&Tested { index, measure, group, points, own, values, rows_of_all, weight, usual })
    }

    /// Tests the average of a group with too few rows for a series, by the slope of its rows.
    fn of_few(&self, group: (usize, &Field, &str), measure: (usize, &Measure)) -> Option<Observation> {
        self.rows.filter(|_| !measure.1.is_total())?.of_group(group, measure, self.time)
    }

    /// Tests a series, and returns what can be stated of it.
    fn tested(&self, series: &Tested<'_>) -> Option<Observation> {
        let Tested { measure, values, usual, .. } = *series;
        let (towards, mut level) = (direction(values)?, change_point(values)?);
        let (own_towards, mut own_level) = (direction(series.own)?, change_point(series.own)?);
        let counted = self.counted(series);
        for (level, counted) in [&mut level, &mut own_level].into_iter().zip(counted.into_iter().flatten()) {
            if counted.p < level.p {
                *level = Break { at: counted.at, p: counted.p, ..*level };
            }
        }
        let peak = self.peak(series);
        let tests = if *measure == Measure::Rows { 3.0 } else { 2.0 };
        let surest = towards.p.min(level.p).min(peak.map_or(1.0, |(_, p)| p));
        let of_series = (tests * surest).min(1.0);
        let of_rows = match (self.rows_p(series), counted) {
            (Some(later), Some([beside, _])) => Some((2.0 * later.min(beside.p)).min(1.0)),
            (of_rows, _) => of_rows,
        };
        let p = match of_rows {
            Some(of_rows) if surest <= SERIES_P_MAX => of_rows,
            Some(of_rows) => of_rows.max(of_series),
            None => of_series,
        };
        let (before, since) = values.split_at(level.at);
        let (before, since) = (mean(before), mean(since));
        let is_steady = (own_level.is_steady || own_towards.p < own_level.p / 100.0) && own_towards.p <= P_MAX;
        let form = match peak {
            Some((row, p)) if p < towards.p.min(level.p) => format!("outlier({{0}}[#{}].value)", row + 1),
            _ if is_steady => "trend({0}.value)".to_owned(),
            _ => "since({0}.value)".to_owned(),
        };
        // What its own series does not show cannot be told of it.
        let moved = series.is_own_move(level.at);
        let is_shown = form.starts_with("outlier") || own_towards.p.min(own_level.p) <= P_MAX && moved;
        let p = if is_shown { p } else { 1.0 };
        let size = before.abs().max(since.abs()).max(usual.abs()).max(f64::MIN_POSITIVE);
        let (statements, claims) = self.told(series, &form, (!is_steady).then(|| self.whole[level.at]));
        let group = series.group.map(|(_, field, name)| (field.name.clone(), name.to_owned()));
        let whom = group.as_ref().map(|(field, name)| format!(" of {field} {name}")).unwrap_or_default();
        Some(Observation {
            instrument: Instrument::Trend,
            table: self.target.table.clone(),
            measure: measure.name().to_owned(),
            by: group.as_ref().map(|(field, _)| field.clone()),
            segment: group.into_iter().collect(),
            within: None,
            comes_from: None,
            p,
            effect: ((since - before).abs() / size).min(1.0),
            weight: series.weight,
            is_lower: if is_steady { !own_towards.rises } else { since < before },
            statements,
            claims,
            impact: None,
            line: format!("{}{whom} over time", measure.name()),
        })
    }

    /// Returns the period that has far more or fewer rows than it would have with the share of all periods, as the row of
    /// its series, with the probability that any is as far.
    fn peak(&self, series: &Tested<'_>) -> Option<(usize, f64)> {
        if *series.measure != Measure::Rows {
            return None;
        }
        let residuals = residuals(series.own, series.rows_of_all)?;
        let (at, most) = residuals.iter().enumerate().max_by(|one, other| one.1.abs().total_cmp(&other.1.abs()))?;
        let periods = as_f64(residuals.len() as u64);
        // 1.4826 median absolute deviations are one standard deviation (Hampel 1974), and as uncertain as one of .37 times
        // as many values.
        let scale = 1.4826 * median(&mut residuals.iter().map(|residual| residual.abs()).collect::<Vec<_>>());
        let p = if scale <= SCALE_OF_CHANCE_MAX {
            normal_two_sided(*most)
        } else {
            t_two_sided(most / scale, 0.37 * (periods - 1.0))?
        };
        let row = series.points.keys().position(|day| *day == self.whole[at])?;
        Some((row, (periods * p).min(1.0)))
    }

    /// Returns the new level of a group's share of all rows, and of its own counts.
    fn counted(&self, series: &Tested<'_>) -> Option<[Level; 2]> {
        if *series.measure != Measure::Rows || series.group.is_none() {
            return None;
        }
        let year = match self.unit {
            Unit::Month => Some(12),
            Unit::Quarter => Some(4),
            Unit::Week => Some(52),
            Unit::Day | Unit::Year => None,
        };
        let of = |rows: &[f64], residuals: &[f64]| {
            Counted { counts: series.own, rows, spread: rows::spread(residuals), year }.level()
        };
        // Counts are small among very many: then their share is a rate.
        let many = vec![1e9; series.own.len()];
        let beside = of(series.rows_of_all, &residuals(series.own, series.rows_of_all)?)?;
        Some([beside, of(&many, &residuals(series.own, &[])?)?])
    }

    /// Returns how well chance explains what the rows say: of a count, whether its rows are later than those of the others;
    /// of an average, its slope.
    fn rows_p(&self, series: &Tested<'_>) -> Option<f64> {
        let group = series.group.map(|(place, _, name)| (place, name));
        let rows = self.rows?;
        if *series.measure == Measure::Rows {
            let spread = rows::spread(&residuals(series.own, series.rows_of_all)?);
            return rows.later_p(group?, spread);
        }
        rows.slope_p(series.index, group)
    }

    /// Returns the statements of a series and what is claimed of them.
    fn told(&self, series: &Tested<'_>, form: &str, since: Option<Date>) -> (Vec<Step>, Vec<String>) {
        let condition = series.group.map(|(_, field, name)| dialect::is(&field.sql, Some(name)));
        let mut statements = vec![self.series(&series.measure.aggregate(), condition.as_slice())];
        let mut claims = vec![form.to_owned()];
        if let (Some(condition), Measure::Rows) = (&condition, series.measure)
            && !form.starts_with("outlier")
        {
            statements.push(self.series(&dialect::share(condition), &[]));
            claims.push(form.replace("{0}", "{1}"));
        }
        // What the rows show need not show in the few periods of a series.
        if let (Some(condition), Some(_)) = (condition, self.rows_p(series))
            && !form.starts_with("outlier")
        {
            claims.push(format!("change({{{0}}}[#1].before, {{{0}}}[#1].after)", statements.len()));
            statements.extend(self.parted(series.measure, condition, since));
        }
        (statements, claims)
    }

    /// Returns the statement of a group before and since a day, or in both halves of the time: of its rows their share of all.
    fn parted(&self, measure: &Measure, condition: String, since: Option<Date>) -> Option<Step> {
        let range = self.target.range?;
        let parts = since.map_or_else(|| range.halves(), |since| range.parted(since));
        if *measure != Measure::Rows {
            return Some(rows::parted(self.target, parts, measure, self.time, &[condition]));
        }
        let share = Measure::Share { name: String::new(), condition, column: None, waits: false };
        Some(rows::parted(self.target, parts, &share, self.time, &[]))
    }

    fn series(&self, aggregate: &str, conditions: &[String]) -> Step {
        let period = dialect::period(self.unit.name(), &self.time.sql);
        let columns = format!("{period} AS period, {aggregate} AS value");
        let conditions = conditions.iter().cloned().chain([period::until(self.target, self.time)]).collect::<Vec<_>>();
        let sql = self.target.select(&columns, &conditions, &format!(" GROUP BY {period} ORDER BY {period}"));
        Step { question: format!("how does it develop by {}?", self.unit.name()), sql }
    }
}

/// Returns how many standard deviations of chance each count is from its share of all rows; of all rows themselves, from
/// their average.
fn residuals(counts: &[f64], rows_of_all: &[f64]) -> Option<Vec<f64>> {
    let sum = counts.iter().sum::<f64>();
    if rows_of_all.is_empty() {
        let usual = mean(counts);
        return (usual > 0.0).then(|| counts.iter().map(|count| (count - usual) / usual.sqrt()).collect());
    }
    let share = sum / rows_of_all.iter().sum::<f64>();
    let variance = share * (1.0 - share);
    let of =
        |(count, rows): (&f64, &f64)| if *rows > 0.0 { (count - rows * share) / (rows * variance).sqrt() } else { 0.0 };
    (variance > 0.0).then(|| counts.iter().zip(rows_of_all).map(of).collect())
}

fn rows_in(day: Date, points: &[&Points]) -> f64 {
    points.iter().filter_map(|points| points.get(&day)).map(|(_, rows)| rows).sum()
}

/// Returns how a group stands beside the others in a period: its share of a total, or its distance from their average.
fn beside(measure: &Measure, own: Option<&Point>, others: &[&Points], day: Date) -> Option<f64> {
    let others = others.iter().filter_map(|points| points.get(&day));
    if measure.is_total() {
        let own = own.map_or(0.0, |(value, _)| *value);
        let all = own + others.map(|(value, _)| value).sum::<f64>();
        return Some(if all == 0.0 { 0.0 } else { own / all });
    }
    let others = others.collect::<Vec<_>>();
    (!others.is_empty()).then(|| own.map(|(value, _)| value - average(others.into_iter())))?
}

fn average<'p>(points: impl Iterator<Item = &'p Point>) -> f64 {
    let (sum, rows) = points.fold((0.0, 0.0), |(sum, rows), (value, own)| (sum + value * own, rows + own));
    if rows > 0.0 { sum / rows } else { 0.0 }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / as_f64(values.len().max(1) as u64)
}
