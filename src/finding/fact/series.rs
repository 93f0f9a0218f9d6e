//! Series of whole periods: a direction, a change of level, an outlier.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::column::{Column, Group, decimals_of};
use super::condition::Named;
use super::groups::all_vary;
use super::period::{Period, Unit};
use super::quantity::{Part, Quantity, Scale, shown};
use super::sentence::{P_MAX, probability, quoted, sentence, what};
use super::time::{on_all_days, period_of};
use super::{Draft, Fact, Form, Stop, Test, Value, refused, select, value as named};
use crate::analysis::chance;
use crate::finding::CellReference;
use crate::finding::claim::{Operand, Reference, Span};
use crate::finding::workbook::Workbook;
use crate::typeset::text;

/// Periods below which a direction or a level says nothing.
const PERIODS_MIN: usize = 6;

/// Periods of a series.
const PERIODS_MAX: usize = 2_000;

/// Days of a series.
const DAYS_MAX: i32 = 200 * 366;

/// Robust standard deviations from which a value is unlike the others.
const OUTLIER_MIN: f64 = 3.5;

/// A series of whole periods.
pub(super) struct Series<'w> {
    pub(super) column: Column<'w>,
    pub(super) unit: Unit,
    pub(super) time: Named,
    pub(super) points: Vec<(Period, Quantity)>,
    /// Periods at the ends that the data cover only in part.
    partial: Vec<Period>,
}

/// Returns the series of a column: whole periods in their order, with 0 where a count or sum has no rows.
pub(super) fn series<'w>(span: &Span, book: &'w Workbook) -> Result<Series<'w>, Stop> {
    let (column, rows) = select::span(&span.of, book)?;
    let groups = column.groups()?;
    let Some(time) = groups.first().and_then(|group| column.time_of(group)) else {
        return refused(format!("{} has no period among its keys: group by date_trunc of a date", span.of));
    };
    let Some((moment, _)) = column.moment_of(time) else { return refused("it has no periods".to_owned()) };
    let table = &column.sheet.result.table;
    let others =
        groups.first().map(|group| group.keys.iter().map(|(output, _)| *output).filter(|output| *output != time));
    let others = others.into_iter().flatten().collect::<Vec<_>>();
    let fixed = |row: usize| others.iter().map(|output| table.cell(row, *output)).collect::<Vec<_>>();
    let Some(first) = rows.first().map(|row| fixed(*row)) else { return refused(format!("{} has no rows", span.of)) };
    if rows.iter().any(|row| fixed(*row) != first) {
        return refused(format!(
            "its rows have other keys too: name them, as in trend({}[{}].{})",
            span.of.query,
            first.iter().map(|value| value.unwrap_or("NULL")).collect::<Vec<_>>().join(", "),
            span.of.column
        ));
    }
    let own = |group: &Group| {
        others
            .iter()
            .zip(&first)
            .all(|(output, value)| group.keys.iter().any(|(known, text)| known == output && text.as_deref() == *value))
    };
    let decimals = rows.iter().filter_map(|row| table.cell(*row, column.index)).map(decimals_of).max().unwrap_or(0);
    let mut points = BTreeMap::new();
    for group in groups.iter().filter(|group| own(group)) {
        let (Some(_), Some(_)) = (group.key(time), group.value) else { continue };
        let quantity = column.quantity(group, decimals)?;
        let Some(period) = period_of(&quantity, &moment) else {
            return refused(format!("not every key of {} is a period", span.of));
        };
        points.insert(period, quantity);
    }
    for name in &span.except {
        let is_it = |period: &Period| period.words().eq_ignore_ascii_case(name) || names(name, *period);
        let before = points.len();
        points.retain(|period, _| !is_it(period));
        if points.len() == before {
            return refused(format!(
                "there is no period {name} to leave out: write it as a row has it, such as 2024-03-01"
            ));
        }
    }
    finished(column, moment, points.into_iter().collect())
}

/// Refuses numbers of which a part is of periods of another date: a sentence would name one of them for all.
fn check_dates(points: &[(Period, Quantity)], time: &Named) -> Result<(), Stop> {
    let others = |quantity: &Quantity| {
        let conditions = quantity.conditions().filter(|condition| match condition.as_period() {
            Some((known, _)) => known != time,
            None => false,
        });
        conditions.map(|condition| condition.id.clone()).collect::<Vec<_>>()
    };
    let mut all = points.iter().map(|(_, quantity)| others(quantity));
    let first = all.next();
    if all.any(|other| Some(&other) != first.as_ref()) {
        return refused(
            "a part of it is by another date than the rest: select the parts as columns of their own".to_owned(),
        );
    }
    Ok(())
}

/// Returns whether a text names the period, and none of another length.
fn names(text: &str, period: Period) -> bool {
    super::period::named(text)
        .is_some_and(|(unit, first)| first == period.first && (unit == Unit::Day || Some(unit) == period.unit()))
}

fn finished(column: Column<'_>, time: Named, points: Vec<(Period, Quantity)>) -> Result<Series<'_>, Stop> {
    all_vary(&points.iter().map(|(_, quantity)| quantity).collect::<Vec<_>>())?;
    check_dates(&points, &time)?;
    let reach = column.reach(&time)?;
    // Days at the beginning of months stand for months.
    let stamped = |period: Period| {
        let unit = reach.and_then(|reach| reach.stamps).filter(|_| period.unit() == Some(Unit::Day));
        unit.and_then(|unit| unit.beginning(period.first)).unwrap_or(period)
    };
    let points = points.into_iter().map(|(period, quantity)| (stamped(period), quantity)).collect::<Vec<_>>();
    let is_weekly = reach.and_then(|reach| reach.stamps) == Some(Unit::Week);
    if is_weekly
        && points.iter().any(|(period, _)| matches!(period.unit(), Some(Unit::Month | Unit::Quarter | Unit::Year)))
    {
        return refused("its rows stand for weeks, which belong to no month: group by week".to_owned());
    }
    let units = points.iter().filter_map(|(period, _)| period.unit());
    let mut counts = BTreeMap::<Unit, usize>::new();
    for unit in units {
        *counts.entry(unit).or_default() += 1;
    }
    let Some((unit, _)) = counts.into_iter().max_by_key(|(_, count)| *count) else {
        return refused("its periods are of no known length".to_owned());
    };
    let data = reach.map(|reach| reach.data);
    let is_covered =
        |period: &Period| data.is_none_or(|data| period.and(data).is_some_and(|seen| seen.is_nearly(*period)));
    let is_whole = |period: &Period| period.unit() == Some(unit) && is_covered(period);
    let (whole, partial): (Vec<_>, Vec<_>) = points.into_iter().partition(|(period, _)| is_whole(period));
    let partial = partial.into_iter().map(|(period, _)| period).collect();
    let stated = column.stated(&time)?;
    let within = match (data, stated) {
        (Some(data), Some(stated)) => data.and(stated),
        (data, _) => data,
    };
    let points = filled(whole, unit, &time, within)?;
    Ok(Series { column, unit, time, points, partial })
}

/// Fills periods without rows: a count or a sum is 0 there; an average has no value, so that the series has a gap.
fn filled(
    points: Vec<(Period, Quantity)>,
    unit: Unit,
    time: &Named,
    within: Option<Period>,
) -> Result<Vec<(Period, Quantity)>, Stop> {
    let (Some((mut first, template)), Some((mut last, _))) = (points.first().cloned(), points.last().cloned()) else {
        return Ok(points);
    };
    // Periods without rows at the ends are within the data too.
    let may_fill = template.is_additive() && !template.parts.iter().any(|part| part.measure.is_dated);
    while let (true, Some(within)) = (may_fill, within) {
        let before = unit.before(first).filter(|period| period.and(within).is_some_and(|seen| seen.is_nearly(*period)));
        let after =
            unit.beginning(last.end).filter(|period| period.and(within).is_some_and(|seen| seen.is_nearly(*period)));
        match (before, after) {
            (Some(before), _) => first = before,
            (None, Some(after)) => last = after,
            (None, None) => break,
        }
        if first.first.until(last.end).map_or(0, |span| span.get_days()) > DAYS_MAX {
            break;
        }
    }
    let count = points.len();
    let known = points.into_iter().collect::<BTreeMap<_, _>>();
    let mut filled = Vec::new();
    let mut next = Some(first);
    while let Some(period) = next.filter(|period| *period <= last) {
        match known.get(&period) {
            Some(quantity) => filled.push((period, quantity.clone())),
            None if template.is_additive() => {
                on_all_days(&template, time)?;
                if template.parts.iter().any(|part| part.measure.is_dated) {
                    return refused(format!(
                        "{} has no row: a table with a row for each date may lack it",
                        period.words()
                    ));
                }
                let parts =
                    template.parts.iter().map(|part| Part { value: Some(Decimal::ZERO), rows: 0, ..part.clone() });
                filled.push((period, Quantity { value: Decimal::ZERO, parts: parts.collect(), ..template.clone() }));
            }
            None => return refused(format!("{} has no value: a direction needs every period", period.words())),
        }
        if filled.len() > 2 * count.max(PERIODS_MIN) {
            return refused("most of its periods have no rows: bound the date to where the data are".to_owned());
        }
        if filled.len() > PERIODS_MAX {
            return refused(format!("it has more than {PERIODS_MAX} periods: group by longer ones"));
        }
        next = unit.beginning(period.end);
    }
    Ok(filled)
}

impl Series<'_> {
    pub(super) fn numbers(&self) -> Vec<f64> {
        self.points.iter().filter_map(|(_, quantity)| quantity.read().to_f64()).collect()
    }

    /// Returns what is measured, without the period.
    pub(super) fn what(&self) -> String {
        let Some((_, quantity)) = self.points.first() else { return String::new() };
        let conditions = quantity.conditions();
        let told = conditions.filter(|condition| condition.as_period().is_some_and(|(time, _)| *time == self.time));
        what(quantity, &told.cloned().collect::<Vec<_>>())
    }

    fn time_name(&self) -> String {
        self.time.name.to_string()
    }

    fn enough(&self) -> Result<(), Stop> {
        if self.points.len() < PERIODS_MIN {
            return refused(format!(
                "it has {} whole {}s, and {PERIODS_MIN} are needed: use change between two of them",
                self.points.len(),
                self.unit.name()
            ));
        }
        Ok(())
    }

    fn left_out(&self) -> String {
        match self.partial.as_slice() {
            [] => String::new(),
            [only] => format!("; {} is covered in part and left out", only.words()),
            [first, .., last] => format!("; {} and {} are covered in part and left out", first.words(), last.words()),
        }
    }

    fn quantities(&self) -> Vec<&Quantity> {
        [self.points.first(), self.points.last()].into_iter().flatten().map(|(_, quantity)| quantity).collect()
    }

    /// Returns what was found of the series as a fact. What is found, and what else its sentence says of it.
    fn fact(&self, form: Form, (found, more): (&str, &str), values: Vec<Value>, test: Test) -> Fact {
        let what = self.what();
        let words = format!(
            "by {} ({}) the {what} {found}{more} ({}){}",
            self.unit.name(),
            self.time_name(),
            probability(test.p),
            self.left_out()
        );
        let ends = self.points.first().zip(self.points.last());
        let period = ends.map(|((first, _), (last, _))| format!("{} to {}", first.words(), last.words()));
        let (phrase, quantities) = (format!("the {what}, which {found}"), self.quantities());
        let draft = Draft { form, sentence: sentence(&words), phrase, values, quantities, test: Some(test) };
        Fact { cells: self.cells(), period, ..draft.fact() }
    }

    /// Returns the cells of the result that are points of the series.
    fn cells(&self) -> Vec<CellReference> {
        let result = &self.column.sheet.result;
        (0..result.table.rows.len())
            .map(|row| CellReference { query: result.id.clone(), row, column: self.column.index })
            .collect()
    }
}

/// Returns the direction of a series.
pub(super) fn trend(span: &Span, book: &Workbook) -> Result<Fact, Stop> {
    let series = series(span, book)?;
    series.enough()?;
    let Some(direction) = chance::direction(&series.numbers()) else {
        return refused("it has too few periods".to_owned());
    };
    let test = Test { name: "Mann-Kendall".to_owned(), p: direction.p, comparisons: 1 };
    let (Some((first, one)), Some((last, other))) = (series.points.first(), series.points.last()) else {
        return refused("it has no periods".to_owned());
    };
    let slope = Decimal::try_from(direction.slope).unwrap_or_default();
    let slope_text = step_text(slope.abs(), one);
    let count = series.points.len();
    let range = format!(
        "over {count} {}s, from {} ({}) to {} ({})",
        series.unit.name(),
        first.words(),
        one.text(),
        last.words(),
        other.text()
    );
    let direction_words = if test.p > P_MAX {
        "has no direction beyond chance".to_owned()
    } else {
        let verb = if direction.rises { "rises" } else { "falls" };
        let unit = series.unit.name();
        if slope.is_zero() {
            format!("{verb} (between most {unit}s; the median step is 0)")
        } else {
            format!("{verb} by {slope_text} a {unit}")
        }
    };
    let mut values = vec![named("from", one.read(), one.text()), named("to", other.read(), other.text())];
    if direction_words.contains(&slope_text) {
        values.push(named("slope", slope, slope_text));
    }
    Ok(series.fact(Form::Trend, (&direction_words, &format!(" {range}")), values, test))
}

fn step_text(step: Decimal, like: &Quantity) -> String {
    let places = if step < Decimal::ONE { like.places().max(2) } else { like.places().max(1) };
    let number = shown(step, places);
    match (like.scale(), like.unit()) {
        (Scale::Share | Scale::Percent, _) => format!("{number} points"),
        (Scale::Plain, Some(unit)) => format!("{number} {unit}"),
        (Scale::Plain, None) => number,
    }
}

/// Returns the point at which the level of a series changed.
pub(super) fn since(span: &Span, book: &Workbook) -> Result<Fact, Stop> {
    let series = series(span, book)?;
    series.enough()?;
    let numbers = series.numbers();
    let Some(found) = chance::change_point(&numbers) else {
        return refused("it has too few periods".to_owned());
    };
    if found.is_steady && found.p <= P_MAX {
        return refused("a steady rise or fall fits it better than two levels: use trend".to_owned());
    }
    let test = Test { name: "Pettitt".to_owned(), p: found.p, comparisons: 1 };
    let (Some((first, one)), Some((last, _))) = (series.points.first(), series.points.last()) else {
        return refused("it has no periods".to_owned());
    };
    let middle = |values: &[f64]| Decimal::try_from(chance::median(&mut values.to_vec())).unwrap_or_default();
    let (before, after) = (middle(&numbers[..found.at]), middle(&numbers[found.at..]));
    let text = |value: Decimal| {
        format!(
            "{}{}",
            step_text(value, one).trim_end_matches(" points"),
            if one.scale() == Scale::Plain { "" } else { "%" }
        )
    };
    let (unit, count) = (series.unit.name(), series.points.len());
    let at = series.points[found.at].0;
    let change = if test.p > P_MAX {
        format!("has no change of level beyond chance over {count} {unit}s, {} to {}", first.words(), last.words())
    } else {
        format!(
            "has another level since {}: a median of {} over {} {unit}s before, of {} over {} {unit}s since",
            at.words(),
            text(before),
            found.at,
            text(after),
            count - found.at
        )
    };
    let mut values = Vec::new();
    if test.p <= P_MAX {
        values = vec![named("before", before, text(before)), named("after", after, text(after))];
    }
    Ok(series.fact(Form::Since, (&change, ""), values, test))
}

/// Returns whether a group or period is unlike the others.
pub(super) fn outlier(operand: &Operand, book: &Workbook) -> Result<Fact, Stop> {
    let Some(reference) = select::cell_of(operand, book)? else {
        return refused("outlier takes one cell, as in outlier(q5[2023-07-01].n)".to_owned());
    };
    let (column, row) = select::cell(&reference, book)?;
    let (group, one) = column.cell(row)?;
    let time = column.time_of(&group).and_then(|output| Some((output, column.moment_of(output)?.0)));
    let axis = time.as_ref().map(|(output, _)| *output).or_else(|| group.keys.first().map(|(output, _)| *output));
    let Some(axis) = axis else { return refused(format!("{reference} has no other groups: group by a key")) };
    let (others, label) = match &time {
        Some((_, time)) => other_periods((&column, &group, &one), axis, time, &reference)?,
        None => other_groups(&column, &group, axis)?,
    };
    let numbers = others.iter().filter_map(rust_decimal::prelude::ToPrimitive::to_f64).collect::<Vec<_>>();
    let Some(z) = one.value.to_f64().and_then(|value| chance::robust_z(value, &numbers)) else {
        return refused("five others that differ are needed to call one unlike them: use rank or gap".to_owned());
    };
    let middle = Decimal::try_from(chance::median(&mut numbers.clone())).unwrap_or_default();
    let middle_text = Quantity { value: middle, ..one.clone() }.text();
    let what = what(&one, &[]);
    let size = format!(
        "{} robust standard deviations",
        Decimal::try_from(z.abs()).map_or_else(|_| String::new(), |z| shown(z, 1))
    );
    let verdict = match (z.abs() >= OUTLIER_MIN, as_far(z, one.value, middle, &others)) {
        (false, _) => "is not unlike the others".to_owned(),
        (true, 0) => "is unlike the others".to_owned(),
        (true, count) => format!("is unlike most others, as {} too", text::count(count, "of them is", "of them are")),
    };
    let way = if z < 0.0 { "below" } else { "above" };
    let words = format!(
        "the {what} is {}, and {label} {verdict}: {size} {way} the median ({middle_text}) of the other {}",
        one.text(),
        others.len()
    );
    let mut values = vec![named("value", one.read(), one.text()), named("median", middle, middle_text)];
    values.push(named("deviations", Decimal::try_from(z.abs()).unwrap_or_default().round_dp(4), size));
    let phrase = format!("the {what} ({})", one.text());
    Ok(Draft { form: Form::Outlier, sentence: sentence(&words), phrase, values, quantities: vec![&one], test: None }
        .fact())
}

/// Returns the robust standard deviations from which a value is unlike the others.
pub(super) fn unlike_from() -> Decimal {
    Decimal::try_from(OUTLIER_MIN).unwrap_or_default()
}

/// Returns how many of the others lie as far from the median as makes one unlike the others, given how far one lies.
fn as_far(z: f64, value: Decimal, middle: Decimal, others: &[Decimal]) -> usize {
    let scale = ((value - middle).to_f64().unwrap_or_default() / z).abs();
    let distance = |other: &&Decimal| (**other - middle).to_f64().unwrap_or_default().abs() / scale;
    others.iter().filter(|other| distance(other) >= OUTLIER_MIN).count()
}

/// Returns the values of the other whole periods, and the words of the group's own.
fn other_periods(
    (column, group, one): (&Column<'_>, &Group, &Quantity),
    axis: usize,
    time: &Named,
    reference: &Reference,
) -> Result<(Vec<Decimal>, String), Stop> {
    let span = Span { of: reference.clone(), except: Vec::new() };
    let series = series_around(&span, group, axis, time, column)?;
    let Some(own) = period_of(one, time) else { return refused("it has no period".to_owned()) };
    let own = if series.unit == Unit::Day { own } else { series.unit.beginning(own.first).unwrap_or(own) };
    if series.partial.contains(&own) {
        return refused(format!("{} is covered by the data in part only", own.words()));
    }
    let others = series.points.iter().filter(|(period, _)| *period != own).map(|(_, quantity)| quantity.value);
    Ok((others.collect(), own.words()))
}

/// Returns the values of the other groups along a key, and the group's own value of it.
fn other_groups(column: &Column<'_>, group: &Group, axis: usize) -> Result<(Vec<Decimal>, String), Stop> {
    let is_other = |other: &&Group| **other != *group && group.shares(other, |output| output != axis);
    let groups = column.groups()?;
    Ok((groups.iter().filter(is_other).filter_map(|other| other.value).collect(), quoted(group.key(axis))))
}

/// Returns the series of periods to which a group belongs, its other keys fixed.
pub(super) fn series_around<'w>(
    span: &Span,
    group: &Group,
    axis: usize,
    time: &Named,
    column: &Column<'w>,
) -> Result<Series<'w>, Stop> {
    let own = |other: &&Group| group.shares(other, |output| output != axis);
    let mut points = BTreeMap::new();
    for other in column.groups()?.iter().filter(own).filter(|other| other.value.is_some()) {
        let quantity = column.quantity(other, 0)?;
        let Some(period) = period_of(&quantity, time) else {
            return refused(format!("not every key of {} is a period", span.of));
        };
        points.insert(period, quantity);
    }
    finished(*column, time.clone(), points.into_iter().collect())
}
