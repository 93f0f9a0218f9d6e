//! Facts over time: a change from one period to another, a direction, a change of level, an outlier, a pace.

use std::fmt::Write as _;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::column::{Column, Reach, decimals_of};
use super::compare::{Axis, difference};
use super::condition::{Condition, Named};
use super::period::{Period, Unit, date, day_words};
use super::quantity::{Part, Quantity, apart, percentage, shown};
use super::sentence::{sentence, signed_percent, size, tested, what, with};
use super::series::series_around;
use super::values::{quantity, relative, rows_of, test};
use super::{Draft, Fact, Form, Stop, refused, select, value as named};
use crate::finding::CellReference;
use crate::finding::claim::{Operand, Pace, Peer, Reference, Sign, Span};
use crate::finding::workbook::Workbook;
use crate::warehouse::lineage::expression::{Expression, Literal};

/// A period is compared if the data cover at least one in so many of its days.
const COVERED_MIN: i64 = 4;

/// Returns the first cell that an operand names.
pub(super) fn first_cell(operand: &Operand, book: &Workbook) -> Option<Reference> {
    match operand {
        Operand::Cell(reference) => Some(reference.clone()),
        Operand::Arithmetic(_, left, right) => first_cell(left, book).or_else(|| first_cell(right, book)),
        Operand::Share(part, _) | Operand::Per(_, part) => first_cell(part, book),
        Operand::Fact(id) => first_cell(&super::values::of_fact(id, book).ok()?, book),
        Operand::Number(_) | Operand::Assumption(_) => None,
    }
}

/// Returns the days over which the data behind an operand reach.
fn reach(time: &Named, operand: &Operand, book: &Workbook) -> Result<Option<Reach>, Stop> {
    let Some(reference) = first_cell(operand, book) else { return Ok(None) };
    select::cell(&reference, book)?.0.reach(time)
}

/// Returns the part of a period that the data behind an operand cover.
fn covered(period: Period, time: &Named, operand: &Operand, book: &Workbook) -> Result<Period, Stop> {
    let Some(Reach { data, .. }) = reach(time, operand, book)? else { return Ok(period) };
    period.and(data).ok_or_else(|| Stop::Refused(format!("there are no data {}", period.phrase())))
}

/// Returns the note that the data end within the last day of a period that they cover.
fn in_part(seen: Period, time: &Named, operand: &Operand, book: &Workbook) -> Result<&'static str, Stop> {
    let begun = reach(time, operand, book)?.and_then(|reach| reach.begun);
    Ok(if begun == Some(seen.last()) { ", the last of them in part" } else { "" })
}

/// Returns a period for which a row may stand, and the part of it that the data cover: a table with a row a month has it at
/// one day.
fn stamped(period: Period, time: &Named, operand: &Operand, book: &Workbook) -> Result<(Period, Period), Stop> {
    let seen = covered(period, time, operand, book)?;
    let unit = reach(time, operand, book)?.and_then(|reach| reach.stamps);
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
    let grows = |part: &Part| matches!(part.measure.function.as_str(), "count" | "sum");
    let mut noted: Vec<(Named, Period)> = Vec::new();
    for condition in known.parts.iter().filter(|part| grows(part)).flat_map(|part| &part.conditions) {
        let Some((time, period)) = condition.as_period().filter(|(_, period)| !period.is_open()) else { continue };
        if !noted.iter().any(|(known, other)| known == time && *other == period) {
            noted.push((time.clone(), period));
        }
    }
    let mut words = String::new();
    let is_one = noted.len() == 1;
    for (time, period) in &noted {
        let (whole, seen) = match stamped(*period, time, operand, book) {
            Ok(found) => found,
            Err(Stop::Needs(texts)) => return Err(Stop::Needs(texts)),
            Err(Stop::Refused(_)) => continue,
        };
        if !seen.is_nearly(whole) {
            let what = if is_one { "it".to_owned() } else { period.words() };
            let (first, last) = (day_words(seen.first), day_words(seen.last()));
            let _ = write!(words, "; the data cover {what} from {first} to {last}");
        }
    }
    Ok(words)
}

/// Returns a date that is measured, such as the last day of something.
pub(super) fn moment(column: &Column<'_>, row: usize) -> Result<Fact, Stop> {
    let groups = column.groups()?;
    let Some(text) = column.sheet.result.table.cell(row, column.index) else {
        return refused(format!("row {} of {} has no date there", row + 1, column.sheet.result.id));
    };
    let Some(group) = column.group_of(row, groups) else {
        return refused("the row cannot be found again by its keys; run the query anew".to_owned());
    };
    let [part] = &*group.parts else {
        return refused("a date that is computed from several: select the date itself".to_owned());
    };
    let Some(first) = text.get(..10).and_then(|day| day.parse::<Date>().ok()) else {
        return refused(format!("{text:?} is no date"));
    };
    if !matches!(**column.formula(), Expression::Measure(0)) {
        return refused("a date that is computed on the way: select min or max of the date itself".to_owned());
    }
    let words = match date(text) {
        Some(day) => day_words(day),
        None => format!("{} {}", day_words(first), text[10..].trim_start_matches([' ', 'T'])),
    };
    let conditions = super::sentence::with(&part.conditions.iter().collect::<Vec<_>>());
    let cells = vec![CellReference { query: column.sheet.result.id.clone(), row, column: column.index }];
    let (formula, value) = (Expression::Measure(0).into(), Decimal::ZERO);
    let quantity = Quantity { formula, parts: group.parts.clone(), value, decimals: 0, cells, assumes: Vec::new() };
    let what = format!("{}{conditions}", part.measure.name);
    let phrase = format!("the {what} ({words})");
    let sentence = sentence(&format!("the {what} is {words}"));
    Ok(Draft { form: Form::Value, sentence, phrase, values: Vec::new(), quantities: vec![&quantity], test: None }
        .fact())
}

/// Two numbers that differ in the period alone, the earlier one first.
pub(super) struct Step {
    pub(super) one: Quantity,
    pub(super) other: Quantity,
    first: Period,
    second: Period,
    time: Named,
    /// The conditions in which they differ.
    told: Vec<Condition>,
}

/// Returns two numbers as a step in time; `None` if they differ in something else.
pub(super) fn step(from: &Operand, to: &Operand, book: &Workbook) -> Result<Option<Step>, Stop> {
    let (one, other) = (quantity(from, book)?, quantity(to, book)?);
    let found = difference(&one, &other)?;
    let Axis::Time(first, second) = found.axis()? else { return Ok(None) };
    if first.and(second).is_some() {
        return refused(format!("{} and {} have days in common", first.words(), second.words()));
    }
    let Some(time) = found.left.first().and_then(Condition::as_period).map(|(time, _)| time.clone()) else {
        return refused("the two have no period".to_owned());
    };
    let told = found.all();
    Ok(Some(if first.first <= second.first {
        Step { one, other, first, second, time, told }
    } else {
        Step { one: other, other: one, first: second, second: first, time, told }
    }))
}

impl Step {
    /// Returns by how much the number moved.
    fn moved(&self) -> Decimal {
        self.other.value - self.one.value
    }

    /// Returns the note that the periods need not have equally many of the days or rows that count.
    fn uneven(&self, from: &Operand, book: &Workbook) -> Result<String, Stop> {
        if !self.one.depends_on_length() || per_words(&self.one).is_some() {
            return Ok(String::new());
        }
        let reach = reach(&self.time, from, book)?;
        let begun = reach.and_then(|reach| reach.begun);
        let is_it = |period: Period| period.unit() == Some(Unit::Day) && begun == Some(period.first);
        if is_it(self.first) || is_it(self.second) {
            return Ok("; the data end within the last of these days".to_owned());
        }
        if on_all_days(&self.one, &self.time).is_err() {
            return Ok("; it is of some days of a period only, of which the two need not have equally many".to_owned());
        }
        let stamps = reach.and_then(|reach| reach.stamps);
        let is_mixed = stamps == Some(Unit::Week) && self.first.unit() != Some(Unit::Week);
        let note = "; its rows stand for weeks, of which the two need not have equally many";
        Ok(if is_mixed && self.first.unit() != Some(Unit::Day) { note.to_owned() } else { String::new() })
    }

    /// Makes numbers of periods of unlike length comparable, a day, or refuses them. Returns what the data do not cover.
    fn level(&mut self, from_operand: &Operand, book: &Workbook) -> Result<String, Stop> {
        let seen = |period: Period| covered(period, &self.time, from_operand, book);
        let (first_seen, second_seen) = (seen(self.first)?, seen(self.second)?);
        let both = [(self.first, first_seen), (self.second, second_seen)];
        let is_whole = both.iter().all(|(period, seen)| period.is_open() || seen.is_nearly(*period));
        let same_unit = self.first.unit().is_some() && self.first.unit() == self.second.unit();
        let same_length = self.first.days() == self.second.days();
        if is_whole && (same_unit || same_length) || first_seen.days() == second_seen.days() {
            return Ok(String::new());
        }
        on_all_days(&self.one, &self.time)?;
        let are_additive = self.one.is_additive() && self.other.is_additive();
        if !are_additive && (self.one.depends_on_length() || !is_whole) {
            return refused(format!(
                "{} and {} are of different length, or the data cover one in part: compare whole periods",
                self.first.words(),
                self.second.words()
            ));
        }
        let mut cover = String::new();
        for (period, seen) in both.into_iter().filter(|(period, _)| !period.is_open()) {
            if seen.days() * COVERED_MIN < period.days() {
                let (seen, all) = (seen.days(), period.days());
                return refused(format!("the data cover {seen} of the {all} days of {} only", period.words()));
            }
            if seen != period {
                let (from, to) = (day_words(seen.first), day_words(seen.last()));
                let last = in_part(seen, &self.time, from_operand, book)?;
                cover = format!("{cover}; {} is covered from {from} to {to}{last}", period.words());
            }
        }
        if are_additive {
            self.one = spread(&self.one, first_seen, Pace::Day)?;
            self.other = spread(&self.other, second_seen, Pace::Day)?;
        }
        Ok(cover)
    }
}

/// Returns a change from one period to another, the earlier one first.
pub(super) fn change(from: &Operand, to: &Operand, book: &Workbook) -> Result<Fact, Stop> {
    let Some(mut found) = step(from, to, book)? else {
        return super::values::gap(to, &Peer::Operand(from.clone()), book);
    };
    let mut cover = found.level(from, book)?;
    cover.push_str(&found.uneven(from, book)?);
    let is_plain = cover.is_empty() && per_words(&found.one).is_none();
    let context = if is_plain { series_context(from, to, found.first, found.second, book)? } else { String::new() };
    let Step { one, other, first, second, time, told } = found;
    let pace = if per_words(&one).is_some() { " a day" } else { "" };
    let (one, other) = apart(one, other);
    let test = test(&one, &other, 1);
    let what = what(&without_pace(&one), &told);
    let (a, b) = (one.text(), other.text());
    let sides = periods(first, second);
    let (verb, noun) = match other.value.cmp(&one.value) {
        std::cmp::Ordering::Greater => ("rose", "rise"),
        std::cmp::Ordering::Less => ("fell", "fall"),
        std::cmp::Ordering::Equal => ("is unchanged", "level"),
    };
    let percent = relative(&one, &other).map(|share| (share, signed_percent(share)));
    let mut size_words = String::new();
    if one.value != other.value {
        let percent = percent.as_ref().map(|(_, text)| format!(", {text}")).unwrap_or_default();
        size_words = format!(": by {}{percent}", size(&one, &other));
    }
    let words = format!(
        "{sides} ({}) the {what}{pace} {verb} from {a} to {b}{size_words}{context}{cover}{}{}",
        time.name,
        rows_of(&one, &other),
        tested(test.as_ref())
    );
    let mut values = vec![named("from", one.read(), a.clone()), named("to", other.read(), b.clone())];
    values.push(named("difference", other.read() - one.read(), size(&one, &other)));
    values.extend(percent.map(|(share, text)| named("percent", share * Decimal::ONE_HUNDRED, text)));
    let phrase = format!("the {noun} of the {what}{pace} {sides} ({a} to {b})");
    let quantities = vec![&other, &one];
    Ok(Draft { form: Form::Change, sentence: sentence(&words), phrase, values, quantities, test }.fact())
}

/// Returns the two numbers of which one is taken from the other.
pub(super) fn ends(operand: &Operand) -> Option<[&Operand; 2]> {
    match operand {
        Operand::Arithmetic(Sign::Minus, one, other) => Some([one, other]),
        _ => None,
    }
}

pub(super) fn ends_of_peer(peer: &Peer) -> Option<[&Operand; 2]> {
    match peer {
        Peer::Operand(operand) => ends(operand),
        Peer::Rest | Peer::All => None,
    }
}

/// Returns which part the move of a part of a whole, from one period to another, is of that of the whole. `None` if one of
/// the two is no move in time.
pub(super) fn share_of_move(part: [&Operand; 2], whole: [&Operand; 2], book: &Workbook) -> Result<Option<Fact>, Stop> {
    let (Some(mut own), Some(mut all)) = (step(part[1], part[0], book)?, step(whole[1], whole[0], book)?) else {
        return Ok(None);
    };
    if (own.first, own.second, &own.time) != (all.first, all.second, &all.time) {
        return refused("the part and the whole moved between other periods".to_owned());
    }
    let is_part = |own: &Quantity, all: &Quantity| {
        let parts = own.single().zip(all.single());
        parts.is_some_and(|(own, all)| own.measure.is_additive && own.is_of(all))
    };
    if !is_part(&own.one, &all.one) || !is_part(&own.other, &all.other) {
        return refused(format!(
            "the {} does not contain the {}: a part of a move is of the same count or sum with more conditions",
            what(&all.one, &all.told),
            what(&own.one, &own.told)
        ));
    }
    let cover = [own.level(part[1], book)?, all.level(whole[1], book)?].concat();
    if !cover.is_empty() || per_words(&own.one).is_some() || per_words(&all.one).is_some() {
        return refused(
            "the periods are of different length, or the data cover one in part: compare whole ones".to_owned(),
        );
    }
    let uneven = all.uneven(whole[1], book)?;
    let (part_moved, moved) = (own.moved(), all.moved());
    let share = part_moved.checked_div(moved).filter(|share| (Decimal::ZERO..=Decimal::ONE).contains(share));
    let Some(share) = share else {
        return refused(
            "the part did not move with the whole, or moved by more than it: use change for each".to_owned(),
        );
    };
    let more = own.one.conditions().filter(|condition| !super::condition::has(&own.told, condition));
    let more = more.filter(|condition| !all.one.conditions().any(|known| known.id == condition.id)).collect::<Vec<_>>();
    let noun = if moved.is_sign_negative() { "fall" } else { "rise" };
    let percent = format!("{}%", percentage(share * Decimal::ONE_HUNDRED, 1));
    let (part_text, text) = (size(&own.one, &own.other), size(&all.one, &all.other));
    let what = format!("{noun} of the {} {}", what(&all.one, &all.told), periods(all.first, all.second));
    let words =
        format!("of the {what} ({}), {percent} is{}: {part_text} of {text}{uneven}", all.time.name, with(&more));
    let values = vec![
        named("value", share * Decimal::ONE_HUNDRED, percent.clone()),
        named("part", part_moved.abs(), part_text),
        named("whole", moved.abs(), text),
    ];
    let phrase = format!("the part{} of the {what} ({percent})", with(&more));
    let quantities = vec![&own.other, &own.one, &all.other, &all.one];
    let draft = Draft { form: Form::Share, sentence: sentence(&words), phrase, values, quantities, test: None };
    Ok(Some(draft.fact()))
}

/// Returns both periods as the beginning of a sentence.
fn periods(first: Period, second: Period) -> String {
    match (first.is_open(), second.is_open()) {
        (false, false) => format!("from {} to {}", first.words(), second.words()),
        _ => format!("{}, against {}", second.phrase(), first.phrase()),
    }
}

/// Returns the range of the series between two periods that are neither neighbours, nor a year apart, nor its ends: they
/// may have been picked.
fn series_context(
    from: &Operand,
    to: &Operand,
    first: Period,
    second: Period,
    book: &Workbook,
) -> Result<String, Stop> {
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
    // A day may stand for the month that it begins.
    let has = |period: Period| seen.iter().any(|(known, _)| known.first == period.first);
    if start.first == first.first && end.first == second.first || !has(first) || !has(second) {
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
pub(super) fn period_of(quantity: &Quantity, time: &Named) -> Option<Period> {
    let conditions = quantity.conditions();
    conditions.filter_map(Condition::as_period).find(|(known, _)| *known == time).map(|(_, period)| period)
}

/// Returns the moment of the only period that conditions and keys say.
fn only_time(quantity: &Quantity) -> Result<Named, Stop> {
    let mut times = quantity.shared().into_iter().filter_map(Condition::as_period).map(|(time, _)| time);
    match (times.next(), times.next()) {
        (Some(only), None) => Ok(only.clone()),
        (None, _) => refused(
            "no condition or key says of which period it is: group by a period, or bound the date on both sides"
                .to_owned(),
        ),
        (Some(one), Some(other)) => {
            refused(format!("{} and {} both bound it, so that it has no single period", one.name, other.name))
        }
    }
}

/// Refuses what is counted on some days of a period only, such as Mondays.
pub(super) fn on_all_days(quantity: &Quantity, time: &Named) -> Result<(), Stop> {
    let conditions = quantity.conditions();
    let is_known = format!("{} IS NOT NULL", time.id);
    let mut others = conditions.filter(|condition| {
        condition.as_period().is_none() && condition.id.contains(&*time.id) && *condition.id != *is_known
    });
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
    if reach(&time, operand, book)?.is_none() {
        return refused(
            "over which days its data reach is not known, as a query of the statement makes them: ask for each table in a query \
             of its own"
                .to_owned(),
        );
    }
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
            let months = period
                .first
                .until((jiff::Unit::Month, period.end))
                .map_err(|error| Stop::Refused(error.to_string()))?;
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
        arguments: vec![(*known.formula).clone(), Expression::Literal(Literal::Number(count.to_string()))],
    };
    Ok(Quantity { formula: formula.into(), value, decimals: known.decimals.max(2), ..known.clone() })
}

/// Returns the pace and the number of its units, if the number is one for each.
fn per_words(quantity: &Quantity) -> Option<(&'static str, String)> {
    let Expression::Call { function, arguments } = &*quantity.formula else { return None };
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
    match (&*quantity.formula, per_words(quantity)) {
        (Expression::Call { arguments, .. }, Some(_)) => {
            Quantity { formula: arguments[0].clone().into(), ..quantity.clone() }
        }
        _ => quantity.clone(),
    }
}

/// Returns a number for each day or month of its period as a fact.
pub(super) fn per(pace: Pace, operand: &Operand, book: &Workbook) -> Result<Fact, Stop> {
    let known = per_quantity(pace, operand, book)?;
    let Some((unit, count)) = per_words(&known) else { return refused("it has no pace".to_owned()) };
    let what = what(&without_pace(&known), &[]);
    let text = shown(known.value, known.places());
    let time = only_time(&known)?;
    let last = match period_of(&known, &time) {
        Some(period) => in_part(covered(period, &time, operand, book)?, &time, operand, book)?,
        None => "",
    };
    let words = format!("the {what} is {text} a {unit} on average, over {count} {unit}s{last}");
    let phrase = format!("the {what} a {unit} ({text})");
    let values = vec![named("value", known.value, text)];
    Ok(Draft { form: Form::Per, sentence: sentence(&words), phrase, values, quantities: vec![&known], test: None }
        .fact())
}
