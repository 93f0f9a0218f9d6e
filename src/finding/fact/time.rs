//! Facts over time: a change from one period to another, a direction, a change of level, an outlier, a pace.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::column::{Column, Group, Reach, decimals_of};
use super::compare::{Axis, difference};
use super::condition::{Condition, Named};
use super::period::{Period, Unit, date, day_words};
use super::quantity::{Quantity, Scale, apart, shown};
use super::sentence::{probability, quoted, sentence, signed_percent, size, tested, what};
use super::values::{quantity, relative, rows_of, test};
use super::{Draft, Fact, Form, Stop, Test, refused, select, value as named};
use crate::analysis::chance;
use crate::finding::CellReference;
use crate::finding::claim::{Operand, Pace, Peer, Reference, Span};
use crate::finding::workbook::Workbook;
use crate::warehouse::lineage::expression::{Expression, Literal};

/// Periods below which a direction or a level says nothing.
const PERIODS_MIN: usize = 6;
/// Periods of a series.
const PERIODS_MAX: usize = 2_000;
/// A period is compared if the data cover at least one in so many of its days.
const COVERED_MIN: i64 = 4;
/// Days of a series.
const DAYS_MAX: i32 = 200 * 366;
/// Robust standard deviations from which a value is unlike the others.
const OUTLIER_MIN: f64 = 3.5;

/// A series of whole periods.
struct Series<'w> {
    column: Column<'w>,
    unit: Unit,
    time: Named,
    points: Vec<(Period, Quantity)>,
    /// Periods at the ends that the data cover only in part.
    partial: Vec<Period>,
}

/// Returns the first cell that an operand names.
pub(super) fn first_cell(operand: &Operand, book: &Workbook) -> Option<Reference> {
    match operand {
        Operand::Cell(reference) => Some(reference.clone()),
        Operand::Arithmetic(_, left, right) => first_cell(left, book).or_else(|| first_cell(right, book)),
        Operand::Share(part, _) | Operand::Per(_, part) => first_cell(part, book),
        Operand::Fact(id) => first_cell(&super::values::of_fact(id, book).ok()?, book),
        Operand::Number(_) => None,
    }
}

/// Returns the part of a period that the data behind an operand cover.
fn covered(period: Period, time: &Named, operand: &Operand, book: &Workbook) -> Result<Period, Stop> {
    let Some(reference) = first_cell(operand, book) else { return Ok(period) };
    let (column, _) = select::cell(&reference, book)?;
    let Some(Reach { data, .. }) = column.reach(time)? else { return Ok(period) };
    period.and(data).ok_or_else(|| Stop::Refused(format!("there are no data {}", period.phrase())))
}

/// Returns a period for which a row may stand, and the part of it that the data cover: a table with a row a month has it at
/// one day.
fn stamped(period: Period, time: &Named, operand: &Operand, book: &Workbook) -> Result<(Period, Period), Stop> {
    let seen = covered(period, time, operand, book)?;
    let Some(reference) = first_cell(operand, book) else { return Ok((period, seen)) };
    let (column, _) = select::cell(&reference, book)?;
    let unit = column.reach(time)?.and_then(|reach| reach.stamps);
    match (unit, period.unit()) {
        (Some(Unit::Week), Some(Unit::Month | Unit::Quarter | Unit::Year)) => {
            refused("its rows stand for weeks, which belong to no month: group by week".to_owned())
        }
        (Some(unit), Some(Unit::Day)) => {
            let whole = unit.beginning(period.first).unwrap_or(period);
            Ok((whole, whole))
        }
        _ => Ok((period, seen)),
    }
}

/// Returns the note on a number of a period that the data cover in part.
pub(super) fn cover_note(known: &Quantity, operand: &Operand, book: &Workbook) -> Result<String, Stop> {
    let is_of_length = known.parts.iter().any(|part| matches!(part.function.as_str(), "count" | "sum"));
    let Ok(time) = only_time(known) else { return Ok(String::new()) };
    let period = period_of(known, &time).filter(|period| is_of_length && known.share().is_none() && !period.is_open());
    let Some(period) = period else { return Ok(String::new()) };
    let (whole, seen) = match stamped(period, &time, operand, book) {
        Ok(found) => found,
        Err(Stop::Needs(texts)) => return Err(Stop::Needs(texts)),
        Err(Stop::Refused(_)) => return Ok(String::new()),
    };
    if seen.is_nearly(whole) {
        return Ok(String::new());
    }
    Ok(format!("; the data cover it from {} to {}", day_words(seen.first), day_words(seen.last())))
}

/// Returns a date that is measured, such as the last day of something.
pub(super) fn moment(column: &Column<'_>, row: usize) -> Result<Fact, Stop> {
    let groups = column.groups()?;
    let table = &column.sheet.result.table;
    let Some(text) = table.cell(row, column.index) else {
        return refused(format!("row {} of {} has no date there", row + 1, column.sheet.result.id));
    };
    let is_it = |group: &&Group| group.keys.iter().all(|(output, value)| table.cell(row, *output) == value.as_deref());
    let Some(group) = groups.iter().find(is_it) else {
        return refused("the row cannot be found again by its keys; run the query anew".to_owned());
    };
    let [part] = group.parts.as_slice() else {
        return refused("a date that is computed from several: select the date itself".to_owned());
    };
    let Some(first) = text.get(..10).and_then(|day| day.parse::<Date>().ok()) else {
        return refused(format!("{text:?} is no date"));
    };
    if !matches!(column.formula(), Expression::Measure(0)) {
        return refused("a date that is computed on the way: select min or max of the date itself".to_owned());
    }
    let words = match date(text) {
        Some(day) => day_words(day),
        None => format!("{} {}", day_words(first), text[10..].trim_start_matches([' ', 'T'])),
    };
    let conditions = super::sentence::with(&part.conditions.iter().collect::<Vec<_>>());
    let cells = vec![CellReference { query: column.sheet.result.id.clone(), row, column: column.index }];
    let (formula, value) = (Expression::Measure(0), Decimal::ZERO);
    let quantity = Quantity { formula, parts: group.parts.clone(), value, decimals: 0, cells };
    let what = format!("{}{conditions}", part.name);
    let phrase = format!("the {what} ({words})");
    let sentence = sentence(&format!("the {what} is {words}"));
    Ok(Draft { form: Form::Value, sentence, phrase, values: Vec::new(), quantities: vec![&quantity], test: None }.fact())
}

/// Returns a change from one period to another, the earlier one first.
pub(super) fn change(from: &Operand, to: &Operand, book: &Workbook) -> Result<Fact, Stop> {
    let (mut one, mut other) = (quantity(from, book)?, quantity(to, book)?);
    let mut found = difference(&one, &other)?;
    let Axis::Time(mut first, mut second) = found.axis()? else {
        return super::values::gap(to, &Peer::Operand(from.clone()), book);
    };
    if first.first > second.first {
        std::mem::swap(&mut one, &mut other);
        std::mem::swap(&mut first, &mut second);
        std::mem::swap(&mut found.left, &mut found.right);
    }
    if first.and(second).is_some() {
        return refused(format!("{} and {} have days in common", first.words(), second.words()));
    }
    let Some(time) = found.left.first().and_then(Condition::as_period).map(|(time, _)| time.clone()) else {
        return refused("the two have no period".to_owned());
    };
    let seen = |period: Period| covered(period, &time, from, book);
    let (first_seen, second_seen) = (seen(first)?, seen(second)?);
    let mut cover = String::new();
    let is_whole = |period: Period, seen: Period| period.is_open() || seen.is_nearly(period);
    let is_whole = is_whole(first, first_seen) && is_whole(second, second_seen);
    let same_unit = first.unit().is_some() && first.unit() == second.unit();
    if !(is_whole && same_unit || first_seen.days() == second_seen.days()) {
        on_all_days(&one, &time)?;
        let is_of_length = one.parts.iter().any(|part| matches!(part.function.as_str(), "count" | "sum"));
        if !(one.is_additive() && other.is_additive()) && is_of_length && one.share().is_none() {
            return refused(format!(
                "{} and {} are of different length, or covered in part, and such a number depends on it: compare whole periods",
                first.words(),
                second.words()
            ));
        }
        if !(one.is_additive() && other.is_additive()) && !is_whole {
            return refused(format!(
                "{} is covered by the data from {} to {} only: compare whole periods",
                if first_seen == first { second.words() } else { first.words() },
                day_words(if first_seen == first { second_seen.first } else { first_seen.first }),
                day_words(if first_seen == first { second_seen.last() } else { first_seen.last() })
            ));
        }
        for (period, seen) in [(first, first_seen), (second, second_seen)] {
            if !period.is_open() && seen.days() * COVERED_MIN < period.days() {
                return refused(format!("the data cover {} of the {} days of {} only", seen.days(), period.days(), period.words()));
            }
            if !period.is_open() && seen != period {
                cover = format!("{cover}; {} is covered from {} to {}", period.words(), day_words(seen.first), day_words(seen.last()));
            }
        }
        if one.is_additive() && other.is_additive() {
            one = spread(&one, first_seen, Pace::Day)?;
            other = spread(&other, second_seen, Pace::Day)?;
        }
    }
    let pace = if per_words(&one).is_some() { " a day" } else { "" };
    let (one, other) = apart(one, other);
    let context = series_context(from, to, first, second, book)?;
    let test = test(&one, &other, 1);
    let told = found.all();
    let what = what(&without_pace(&one), &told);
    let (a, b) = (one.text(), other.text());
    let (sides, verb) = (periods(first, second), verb(&one, &other));
    let step = if one.value == other.value {
        String::new()
    } else {
        let percent = relative(&one, &other).map(|share| format!(", {}", signed_percent(share))).unwrap_or_default();
        format!(": by {}{percent}", size(&one, &other))
    };
    let words = format!(
        "{} ({}) the {what}{pace} {verb} from {a} to {b}{step}{context}{cover}{}{}",
        sides.0,
        time.name,
        rows_of(&one, &other),
        tested(test.as_ref())
    );
    let mut values = vec![named("from", one.read(), a.clone()), named("to", other.read(), b.clone())];
    values.push(named("difference", other.read() - one.read(), size(&one, &other)));
    values.extend(relative(&one, &other).map(|share| named("percent", share * Decimal::ONE_HUNDRED, signed_percent(share))));
    let step = match verb {
        "rose" => "rise",
        "fell" => "fall",
        _ => "level",
    };
    let phrase = format!("the {step} of the {what}{pace} {} ({a} to {b})", sides.0);
    let quantities = vec![&other, &one];
    Ok(Draft { form: Form::Change, sentence: sentence(&words), phrase, values, quantities, test }.fact())
}

/// Returns both periods as the beginning of a sentence, and the second one after a number.
fn periods(first: Period, second: Period) -> (String, String) {
    let both = match (first.is_open(), second.is_open()) {
        (false, false) => format!("from {} to {}", first.words(), second.words()),
        _ => format!("{}, against {}", second.phrase(), first.phrase()),
    };
    (both, second.phrase())
}

fn verb(from: &Quantity, to: &Quantity) -> &'static str {
    match to.value.cmp(&from.value) {
        std::cmp::Ordering::Greater => "rose",
        std::cmp::Ordering::Less => "fell",
        std::cmp::Ordering::Equal => "is unchanged",
    }
}

/// Returns the range of the series between two periods that are neither neighbours, nor a year apart, nor its ends: they
/// may have been picked.
fn series_context(from: &Operand, to: &Operand, first: Period, second: Period, book: &Workbook) -> Result<String, Stop> {
    let year_apart = first.first.checked_add(jiff::Span::new().years(1)).is_ok_and(|day| day == second.first);
    if first.end == second.first || year_apart {
        return Ok(String::new());
    }
    let (Operand::Cell(reference), Operand::Cell(other)) = (from, to) else { return Ok(String::new()) };
    if reference.query != other.query || reference.column != other.column {
        return Ok(String::new());
    }
    let (column, row) = select::cell(reference, book)?;
    let (group, _) = column.cell(row)?;
    let Some(time) = column.time_of(&group) else { return Ok(String::new()) };
    let Some((named, _)) = column.moment_of(time) else { return Ok(String::new()) };
    let span = Span { of: reference.clone(), except: Vec::new() };
    let series = match series_around(&span, &group, time, &named, &column) {
        Ok(series) => series,
        Err(Stop::Needs(texts)) => return Err(Stop::Needs(texts)),
        Err(Stop::Refused(_)) => return Ok(String::new()),
    };
    let seen = series.points;
    let (Some((start, _)), Some((end, _))) = (seen.first(), seen.last()) else { return Ok(String::new()) };
    if *start == first && *end == second {
        return Ok(String::new());
    }
    let least = seen.iter().min_by_key(|(_, quantity)| quantity.value);
    let most = seen.iter().max_by_key(|(_, quantity)| quantity.value);
    let (Some((_, least)), Some((_, most))) = (least, most) else { return Ok(String::new()) };
    let decimals = column.sheet.result.table.cell(row, column.index).map_or(0, decimals_of);
    let text = |quantity: &Quantity| Quantity { decimals, ..quantity.clone() }.text();
    Ok(format!("; over all {} periods it ranges from {} to {}", seen.len(), text(least), text(most)))
}

/// Returns the period of a moment that a condition or key says.
fn period_of(quantity: &Quantity, time: &Named) -> Option<Period> {
    let conditions = quantity.parts.iter().flat_map(|part| &part.conditions);
    conditions.filter_map(Condition::as_period).find(|(known, _)| *known == time).map(|(_, period)| period)
}

/// Returns the moment of the only period that conditions and keys say.
fn only_time(quantity: &Quantity) -> Result<Named, Stop> {
    let mut times = quantity.shared().into_iter().filter_map(Condition::as_period).map(|(time, _)| time);
    match (times.next(), times.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) => refused(
            "no condition or key says of which period it is: group by a period, or bound the date on both sides".to_owned(),
        ),
        (Some(one), Some(other)) => refused(format!("{} and {} both bound it, so that it has no single period", one.name, other.name)),
    }
}

/// Refuses what is counted on some days of a period only, such as Mondays.
fn on_all_days(quantity: &Quantity, time: &Named) -> Result<(), Stop> {
    let conditions = quantity.parts.iter().flat_map(|part| &part.conditions);
    let mut others = conditions.filter(|condition| condition.as_period().is_none() && condition.id.contains(&time.id));
    match others.next() {
        Some(condition) => refused(format!("with {} it is of some days of the period only", condition.words)),
        None => Ok(()),
    }
}

/// Returns a number for each day or month of its period.
pub(super) fn per_quantity(pace: Pace, operand: &Operand, book: &Workbook) -> Result<Quantity, Stop> {
    let known = quantity(operand, book)?;
    if !known.is_additive() {
        return refused(format!("the {} does not add up over days: it has no pace", what(&known, &[])));
    }
    let time = only_time(&known)?;
    on_all_days(&known, &time)?;
    let Some(period) = period_of(&known, &time).filter(|period| !period.is_open()) else {
        return refused("its period has no end: bound the date on both sides".to_owned());
    };
    let (period, seen) = stamped(period, &time, operand, book)?;
    if pace == Pace::Month && seen != period {
        return refused(format!("{} is covered in part only: use per_day", period.words()));
    }
    spread(&known, seen, pace)
}

fn spread(known: &Quantity, period: Period, pace: Pace) -> Result<Quantity, Stop> {
    let count = match pace {
        Pace::Day => Decimal::from(period.days()),
        Pace::Month => {
            let months = period.first.until((jiff::Unit::Month, period.end)).map_err(|error| Stop::Refused(error.to_string()))?;
            if months.get_days() != 0 || months.get_months() == 0 {
                return refused(format!("{} is no whole number of months: use per_day", period.words()));
            }
            Decimal::from(months.get_months())
        }
    };
    let value = known.value.checked_div(count).ok_or_else(|| Stop::Refused("its period has no days".to_owned()))?;
    let formula = Expression::Call {
        function: match pace {
            Pace::Day => "per_day".to_owned(),
            Pace::Month => "per_month".to_owned(),
        },
        arguments: vec![known.formula.clone(), Expression::Literal(Literal::Number(count.to_string()))],
    };
    Ok(Quantity { formula, value, decimals: known.decimals.max(2), ..known.clone() })
}

/// Returns the pace and the number of its units, if the number is one for each.
fn per_words(quantity: &Quantity) -> Option<(&'static str, String)> {
    let Expression::Call { function, arguments } = &quantity.formula else { return None };
    let unit = match function.as_str() {
        "per_day" => "day",
        "per_month" => "month",
        _ => return None,
    };
    match arguments.get(1)? {
        Expression::Literal(Literal::Number(count)) => Some((unit, count.clone())),
        _ => None,
    }
}

fn without_pace(quantity: &Quantity) -> Quantity {
    match (&quantity.formula, per_words(quantity)) {
        (Expression::Call { arguments, .. }, Some(_)) => Quantity { formula: arguments[0].clone(), ..quantity.clone() },
        _ => quantity.clone(),
    }
}

/// Returns a number for each day or month of its period as a fact.
pub(super) fn per(pace: Pace, operand: &Operand, book: &Workbook) -> Result<Fact, Stop> {
    let known = per_quantity(pace, operand, book)?;
    let Some((unit, count)) = per_words(&known) else { return refused("it has no pace".to_owned()) };
    let what = what(&without_pace(&known), &[]);
    let text = shown(known.value, known.places());
    let words = format!("the {what} is {text} a {unit} on average, over {count} {unit}s");
    let phrase = format!("the {what} a {unit} ({text})");
    let values = vec![named("value", known.value, text)];
    Ok(Draft { form: Form::Per, sentence: sentence(&words), phrase, values, quantities: vec![&known], test: None }.fact())
}

/// Returns the series of a column: whole periods in their order, with 0 where a count or sum has no rows.
fn series<'w>(span: &Span, book: &'w Workbook) -> Result<Series<'w>, Stop> {
    let (column, rows) = select::span(&span.of, book)?;
    let groups = column.groups()?;
    let Some(time) = groups.first().and_then(|group| column.time_of(group)) else {
        return refused(format!("{} has no period among its keys: group by date_trunc of a date", span.of));
    };
    let Some((moment, _)) = column.moment_of(time) else { return refused("it has no periods".to_owned()) };
    let table = &column.sheet.result.table;
    let others = groups.first().map(|group| group.keys.iter().map(|(output, _)| *output).filter(|output| *output != time));
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
        others.iter().zip(&first).all(|(output, value)| group.keys.iter().any(|(known, text)| known == output && text.as_deref() == *value))
    };
    let decimals = rows.iter().filter_map(|row| table.cell(*row, column.index)).map(decimals_of).max().unwrap_or(0);
    let mut points = BTreeMap::new();
    for group in groups.iter().filter(|group| own(group)) {
        let key = group.keys.iter().find(|(output, _)| *output == time).and_then(|(_, value)| value.clone());
        let (Some(_), Some(_)) = (key, group.value) else { continue };
        let quantity = column.quantity(group, decimals)?;
        let Some(period) = period_of(&quantity, &moment) else {
            return refused(format!("not every key of {} is a period", span.of));
        };
        points.insert(period, quantity);
    }
    let points = points.into_iter().filter(|(period, _)| !span.except.iter().any(|left_out| period.words() == *left_out));
    finished(column, moment, points.collect())
}

fn finished(column: Column<'_>, time: Named, points: Vec<(Period, Quantity)>) -> Result<Series<'_>, Stop> {
    let reach = column.reach(&time)?;
    // Days at the beginning of months stand for months.
    let stamped = |period: Period| {
        let unit = reach.and_then(|reach| reach.stamps).filter(|_| period.unit() == Some(Unit::Day));
        unit.and_then(|unit| unit.beginning(period.first)).unwrap_or(period)
    };
    let points = points.into_iter().map(|(period, quantity)| (stamped(period), quantity)).collect::<Vec<_>>();
    let is_weekly = reach.and_then(|reach| reach.stamps) == Some(Unit::Week);
    if is_weekly && points.iter().any(|(period, _)| matches!(period.unit(), Some(Unit::Month | Unit::Quarter | Unit::Year))) {
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
    let is_covered = |period: &Period| data.is_none_or(|data| period.and(data).is_some_and(|seen| seen.is_nearly(*period)));
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
    let may_fill = template.is_additive() && !template.parts.iter().any(|part| part.is_dated);
    while let (true, Some(within)) = (may_fill, within) {
        let before = unit.before(first).filter(|period| period.and(within).is_some_and(|seen| seen.is_nearly(*period)));
        let after = unit.beginning(last.end).filter(|period| period.and(within).is_some_and(|seen| seen.is_nearly(*period)));
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
                if template.parts.iter().any(|part| part.is_dated) {
                    return refused(format!("{} has no row: a table with a row for each date may lack it", period.words()));
                }
                let parts = template.parts.iter().map(|part| super::quantity::Part { value: Some(Decimal::ZERO), rows: 0, ..part.clone() });
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
    fn numbers(&self) -> Vec<f64> {
        self.points.iter().filter_map(|(_, quantity)| quantity.read().to_f64()).collect()
    }

    /// Returns what is measured, without the period.
    fn what(&self) -> String {
        let Some((_, quantity)) = self.points.first() else { return String::new() };
        let conditions = quantity.parts.iter().flat_map(|part| &part.conditions);
        let told = conditions.filter(|condition| condition.as_period().is_some_and(|(time, _)| *time == self.time));
        what(quantity, &told.cloned().collect::<Vec<_>>())
    }

    fn time_name(&self) -> String {
        self.time.name.clone()
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
    let range = format!("over {count} {}s, from {} ({}) to {} ({})", series.unit.name(), first.words(), one.text(), last.words(), other.text());
    let direction_words = if test.p > super::sentence::P_MAX {
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
    let what = series.what();
    let words = format!(
        "by {} ({}) the {what} {direction_words} {range} ({}){}",
        series.unit.name(),
        series.time_name(),
        probability(test.p),
        series.left_out()
    );
    let values = vec![
        named("from", one.read(), one.text()),
        named("to", other.read(), other.text()),
        named("slope", slope, slope_text),
    ];
    let phrase = format!("the {what}, which {direction_words}");
    let draft = Draft { form: Form::Trend, sentence: sentence(&words), phrase, values, quantities: series.quantities(), test: Some(test) };
    Ok(Fact { cells: series.cells(), period: Some(format!("{} to {}", first.words(), last.words())), ..draft.fact() })
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
    if found.is_steady && found.p <= super::sentence::P_MAX {
        return refused("a steady rise or fall fits it better than two levels: use trend".to_owned());
    }
    let test = Test { name: "Pettitt".to_owned(), p: found.p, comparisons: 1 };
    let (Some((first, one)), Some((last, _))) = (series.points.first(), series.points.last()) else {
        return refused("it has no periods".to_owned());
    };
    let middle = |values: &[f64]| Decimal::try_from(chance::median(&mut values.to_vec())).unwrap_or_default();
    let (before, after) = (middle(&numbers[..found.at]), middle(&numbers[found.at..]));
    let text = |value: Decimal| format!("{}{}", step_text(value, one).trim_end_matches(" points"), if one.scale() == Scale::Plain { "" } else { "%" });
    let (unit, count) = (series.unit.name(), series.points.len());
    let what = series.what();
    let at = series.points[found.at].0;
    let change = if test.p > super::sentence::P_MAX {
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
    let words = format!("by {unit} ({}) the {what} {change} ({}){}", series.time_name(), probability(test.p), series.left_out());
    let values = vec![named("before", before, text(before)), named("after", after, text(after))];
    let phrase = format!("the {what}, which {change}");
    let draft = Draft { form: Form::Since, sentence: sentence(&words), phrase, values, quantities: series.quantities(), test: Some(test) };
    Ok(Fact { cells: series.cells(), period: Some(format!("{} to {}", first.words(), last.words())), ..draft.fact() })
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
        Some((_, time)) => {
            let span = Span { of: reference.clone(), except: Vec::new() };
            let series = series_around(&span, &group, axis, time, &column)?;
            let Some(own) = period_of(&one, time) else { return refused("it has no period".to_owned()) };
            let own = if series.unit == Unit::Day { own } else { series.unit.beginning(own.first).unwrap_or(own) };
            if series.partial.contains(&own) {
                return refused(format!("{} is covered by the data in part only", own.words()));
            }
            let others = series.points.iter().filter(|(period, _)| *period != own).map(|(_, quantity)| quantity.value);
            (others.collect::<Vec<_>>(), own.words())
        }
        None => {
            let own = |other: &&Group| {
                **other != group
                    && group.keys.iter().all(|(output, value)| *output == axis || other.keys.contains(&(*output, value.clone())))
            };
            let key = group.keys.iter().find(|(output, _)| *output == axis).and_then(|(_, value)| value.clone());
            (column.groups()?.iter().filter(own).filter_map(|other| other.value).collect(), quoted(key.as_deref()))
        }
    };
    let numbers = others.iter().filter_map(rust_decimal::prelude::ToPrimitive::to_f64).collect::<Vec<_>>();
    let Some(z) = one.value.to_f64().and_then(|value| chance::robust_z(value, &numbers)) else {
        return refused("five others that differ are needed to call one unlike them: use rank or gap".to_owned());
    };
    let middle = Decimal::try_from(chance::median(&mut numbers.clone())).unwrap_or_default();
    let middle_text = Quantity { value: middle, ..one.clone() }.text();
    let what = what(&one, &[]);
    let size = format!("{} robust standard deviations", Decimal::try_from(z.abs()).map_or_else(|_| String::new(), |z| shown(z, 1)));
    let verdict = if z.abs() >= OUTLIER_MIN { "is unlike the others" } else { "is not unlike the others" };
    let way = if z < 0.0 { "below" } else { "above" };
    let words = format!(
        "the {what} is {}, and {label} {verdict}: {size} {way} the median ({middle_text}) of the other {}",
        one.text(),
        others.len()
    );
    let values = vec![named("value", one.read(), one.text()), named("median", middle, middle_text)];
    let phrase = format!("the {what} ({})", one.text());
    Ok(Draft { form: Form::Outlier, sentence: sentence(&words), phrase, values, quantities: vec![&one], test: None }.fact())
}

/// Returns the series of periods to which a group belongs, its other keys fixed.
fn series_around<'w>(span: &Span, group: &Group, axis: usize, time: &Named, column: &Column<'w>) -> Result<Series<'w>, Stop> {
    let own = |other: &&Group| {
        group.keys.iter().all(|(output, value)| *output == axis || other.keys.contains(&(*output, value.clone())))
    };
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
