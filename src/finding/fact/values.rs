//! A number, arithmetic over numbers, a share, a gap, and whether two numbers differ by more than chance.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::compare::{Axis, Difference, difference};
use super::condition::{Condition, has};
use super::quantity::{self, BASE_ROWS_MIN, Quantity, Scale, apart, compute, evaluate, shown};
use super::sentence::{
    P_MAX, interval, mean, more_or_less, percent, proportion, rows, sentence, side, size, tested, what, with,
};
use super::{Draft, Fact, Form, PARTS_MAX, Stop, Test, Value, refused, select, time, value as named};
use crate::analysis::chance;
use crate::finding::assumption::Assumption;
use crate::finding::claim::{Claim, Operand, Peer, Reference, Sign};
use crate::finding::workbook::Workbook;
use crate::typeset::text::group_digits;
use crate::warehouse::lineage::expression::{Expression, Literal};
use crate::warehouse::lineage::meaning::Kind;

/// Numbers that a claim may write: they only change the unit.
const UNITS: &[&str] = &["100", "60", "24", "7", "1000", "3600", "86400", "1000000"];

/// Returns a number as a fact.
pub(super) fn value(operand: &Operand, book: &Workbook) -> Result<Fact, Stop> {
    if let Some(reference) = select::cell_of(operand, book)? {
        let (column, row) = select::cell(&reference, book)?;
        if column.meaning().kind == Kind::Date {
            return time::moment(&column, row);
        }
    }
    let quantity = quantity(operand, book)?;
    let note = time::cover_note(&quantity, operand, book)?;
    Ok(of_quantity(&quantity, Form::Value, &note))
}

/// Returns the fact that a quantity is what it is.
fn of_quantity(quantity: &Quantity, form: Form, note: &str) -> Fact {
    let what = what(quantity, &[]);
    let text = quantity.text();
    let (words, mut values) = match quantity.share().filter(|_| quantity.parts.len() == 2) {
        Some((part, whole, _)) => {
            let of = |part: &super::quantity::Part| shown(part.value.unwrap_or_default(), decimals(part.value));
            let (part_text, whole_text) = (of(part), of(whole));
            let values = vec![
                named("part", part.value.unwrap_or_default(), part_text.clone()),
                named("whole", whole.value.unwrap_or_default(), whole_text.clone()),
            ];
            (format!("the {what} is {text} ({part_text} of {whole_text}){note}"), values)
        }
        None => (format!("the {what} is {text}{}{note}", rows(quantity)), Vec::new()),
    };
    values.insert(0, named("value", quantity.read(), text.clone()));
    let phrase = format!("the {what} ({text})");
    Draft { form, sentence: sentence(&words), phrase, values, quantities: vec![quantity], test: None }.fact()
}

fn decimals(value: Option<Decimal>) -> u32 {
    value.map_or(0, |value| value.normalize().scale().min(2))
}

/// Returns the number that an operand is.
pub(super) fn quantity(operand: &Operand, book: &Workbook) -> Result<Quantity, Stop> {
    match operand {
        Operand::Cell(reference) => {
            let (column, row) = select::cell(reference, book)?;
            if column.meaning().kind == Kind::Date {
                return refused(format!("{reference} is a date: it can be stated, but not computed with"));
            }
            column.cell(row).map(|(_, quantity)| quantity)
        }
        Operand::Fact(id) => quantity(&of_fact(id, book)?, book),
        Operand::Number(number) => refused(format!("{number} alone is no number of the data: name a cell")),
        Operand::Assumption(id) => {
            let known = assumption(id, book)?;
            refused(format!("{} is assumed and no number of the data: multiply a cell by it", known.id))
        }
        Operand::Arithmetic(sign, left, right) => arithmetic(*sign, left, right, book),
        Operand::Share(part, whole) => share_of(part, whole, book),
        Operand::Per(pace, operand) => time::per_quantity(*pace, operand, book),
    }
}

/// Returns the number that a fact states.
pub(super) fn of_fact(id: &str, book: &Workbook) -> Result<Operand, Stop> {
    let fact = book.fact(id).ok_or_else(|| Stop::Refused(select::unknown_fact(id, book)))?;
    if fact.form == Form::Expected {
        return refused(format!(
            "{id} is what a monitor measured: it can be named, and not computed with; query the database for the number"
        ));
    }
    let operand = match Claim::parse(&fact.claim).map_err(Stop::Refused)? {
        Claim::Value(operand) => operand,
        Claim::Share(part, whole) => Operand::Share(Box::new(part), Box::new(whole)),
        Claim::Per(pace, operand) => Operand::Per(pace, Box::new(operand)),
        _ => return refused(format!("{id} is no single number: name the cell")),
    };
    // A fact names only facts that were stated before it.
    match &operand {
        Operand::Fact(other) if other == id => refused(format!("{id} names itself")),
        _ => Ok(operand),
    }
}

/// Returns the assumption of an id.
fn assumption<'b>(id: &str, book: &'b Workbook) -> Result<&'b Assumption, Stop> {
    let known = book.assumptions().iter().find(|known| known.id == id);
    known.ok_or_else(|| Stop::Refused(format!("there is no assumption {id}: call assume first")))
}

/// Returns a number that is multiplied or divided by what is assumed.
fn estimated(sign: Sign, known: Quantity, assumed: &Assumption) -> Result<Quantity, Stop> {
    let symbol = if sign == Sign::Times { "*" } else { "/" };
    let value = compute(symbol, known.value, assumed.value).map_err(Stop::Refused)?;
    let formula = Expression::infix((*known.formula).clone(), symbol, quantity::assumed(assumed)).into();
    let assumes = known.assumes.iter().chain([assumed]).cloned().collect();
    let decimals = value.normalize().scale().min(2).max(known.decimals.min(2));
    Ok(Quantity { formula, value, decimals, assumes, ..known })
}

fn arithmetic(sign: Sign, left: &Operand, right: &Operand, book: &Workbook) -> Result<Quantity, Stop> {
    match (sign, left, right) {
        (Sign::Times, Operand::Assumption(id), other) | (Sign::Times | Sign::Over, other, Operand::Assumption(id)) => {
            return estimated(sign, quantity(other, book)?, assumption(id, book)?);
        }
        (_, Operand::Assumption(id), _) | (_, _, Operand::Assumption(id)) => {
            return refused(format!("{id} is assumed: a number of the data is multiplied or divided by it, no more"));
        }
        _ => {}
    }
    for (number, other) in [(left, right), (right, left)] {
        let Operand::Number(number) = number else { continue };
        let is_unit = UNITS.contains(&number.normalize().to_string().as_str());
        let is_divided = sign == Sign::Over && matches!(right, Operand::Number(_));
        if !is_unit || !(sign == Sign::Times || is_divided) {
            return refused(format!(
                "{number} is written in the claim, and no table holds it: only factors of units are ({})",
                UNITS.join(", ")
            ));
        }
        let known = quantity(other, book)?;
        let factor = Expression::Literal(Literal::Number(number.to_string()));
        let symbol = if sign == Sign::Times { "*" } else { "/" };
        let value = compute(symbol, known.value, *number).map_err(Stop::Refused)?;
        let formula = Expression::infix((*known.formula).clone(), symbol, factor).into();
        let decimals = if known.decimals == 0 { 1 } else { known.decimals };
        return Ok(Quantity { formula, value, decimals, ..known });
    }
    combined(sign, &quantity(left, book)?, &quantity(right, book)?)
}

/// Returns two numbers as one.
pub(super) fn combined(sign: Sign, left: &Quantity, right: &Quantity) -> Result<Quantity, Stop> {
    match sign {
        Sign::Plus => addable(left, right)?,
        Sign::Minus => subtractable(left, right)?,
        Sign::Times => {
            return refused("two numbers of the data are multiplied: let a query multiply row by row".to_owned());
        }
        Sign::Over => {}
    }
    let (one, other) = (left.currencies(), right.currencies());
    if !one.is_empty() && !other.is_empty() && one != other {
        return refused(super::column::different_currencies());
    }
    let symbol = match sign {
        Sign::Plus => "+",
        Sign::Minus => "-",
        Sign::Times | Sign::Over => "/",
    };
    if left.parts.len() + right.parts.len() > PARTS_MAX {
        return refused(format!("it is made of more than {PARTS_MAX} numbers: let a query compute it"));
    }
    let mut shifted = (*right.formula).clone();
    shift(&mut shifted, left.parts.len());
    let formula = Expression::infix((*left.formula).clone(), symbol, shifted);
    let parts = left.parts.iter().chain(&*right.parts).cloned().collect::<Arc<[_]>>();
    let values = parts.iter().map(|part| part.value).collect::<Vec<_>>();
    let value = evaluate(&formula, &values).map_err(Stop::Refused)?;
    let value = value.ok_or_else(|| Stop::Refused("one of the numbers is missing".to_owned()))?;
    let own = value.normalize().scale();
    let decimals = if sign == Sign::Over { own.min(3) } else { left.decimals.max(right.decimals) };
    let cells = left.cells.iter().chain(&right.cells).cloned().collect();
    let assumes = left.assumes.iter().chain(&right.assumes).cloned().collect();
    Ok(Quantity { formula: formula.into(), parts, value, decimals, cells, assumes })
}

fn shift(formula: &mut Expression, by: usize) {
    formula.replace(&mut |part| match part {
        Expression::Measure(index) => Some(Expression::Measure(index + by)),
        _ => None,
    });
}

/// Refuses a sum of numbers that do not add up.
fn addable(left: &Quantity, right: &Quantity) -> Result<(), Stop> {
    let all_additive = left.parts.iter().chain(&*right.parts).all(|part| part.measure.is_additive);
    if !all_additive || left.scale() != Scale::Plain || right.scale() != Scale::Plain {
        return refused(
            "averages, shares and distinct counts do not add up: let a query compute it over both".to_owned(),
        );
    }
    for one in &*left.parts {
        for other in &*right.parts {
            let same = one.measure.base == other.measure.base;
            let more = one.conditions.iter().filter(|condition| !has(&other.conditions, condition));
            let others = other.conditions.iter().filter(|condition| !has(&one.conditions, condition));
            let others = others.collect::<Vec<_>>();
            let are_apart = more.into_iter().any(|one| others.iter().any(|other| are_apart(one, other)));
            if same && !are_apart {
                return refused("the two may count the same rows twice: add groups that exclude each other".to_owned());
            }
            if !same && (one.adds_with().is_none() || one.adds_with() != other.adds_with()) {
                return refused(format!(
                    "the {} and the {} may have different units",
                    one.measure.name, other.measure.name
                ));
            }
        }
    }
    Ok(())
}

/// Returns whether no row meets both conditions: two values of one key, two periods without a common day.
fn are_apart(one: &Condition, other: &Condition) -> bool {
    match (one.as_period(), other.as_period()) {
        (Some((time, period)), Some((other_time, other))) => time == other_time && period.and(other).is_none(),
        (None, None) => one.as_key().is_some() && one.as_key() == other.as_key() && one.id != other.id,
        _ => false,
    }
}

fn subtractable(left: &Quantity, right: &Quantity) -> Result<(), Stop> {
    let same_unit = left.parts.iter().all(|one| {
        right.parts.iter().all(|other| {
            one.measure.base == other.measure.base || one.adds_with().is_some() && one.adds_with() == other.adds_with()
        })
    });
    if left.scale() == right.scale() && (same_unit || left.scale() != Scale::Plain) {
        return Ok(());
    }
    refused(format!("the {} and the {} may have different units", what(left, &[]), what(right, &[])))
}

/// Returns the share of a part of its whole.
pub(super) fn share_of(part: &Operand, whole: &Peer, book: &Workbook) -> Result<Quantity, Stop> {
    let part_quantity = quantity(part, book)?;
    let whole_quantity = match whole {
        Peer::Operand(operand) => quantity(operand, book)?,
        Peer::All => everything(part, &part_quantity, book)?,
        Peer::Rest => return refused("a share is of a whole: share(q1[a].n, all), or gap(q1[a].n, rest)".to_owned()),
    };
    let mut combined = combined(Sign::Over, &part_quantity, &whole_quantity)?;
    if combined.share().is_none() {
        return refused(format!(
            "the {} does not contain the {}: a share is of the same measure with fewer conditions, and it adds up; for \
             several groups together use top(3, q1.n); otherwise divide (a / b)",
            what(&whole_quantity, &[]),
            what(&part_quantity, &[])
        ));
    }
    let is_within = combined.value >= Decimal::ZERO && combined.value <= Decimal::ONE;
    if !is_within {
        return refused("the parts have both signs, so that one is no share of the whole: use gap".to_owned());
    }
    combined.decimals = 3;
    Ok(combined)
}

/// Returns the number over all values of the keys of a cell, but for the period.
fn everything(part: &Operand, quantity: &Quantity, book: &Workbook) -> Result<Quantity, Stop> {
    let Some(reference) = select::cell_of(part, book)? else {
        return refused("`all` needs a cell before it: share(q1[North].sales, all)".to_owned());
    };
    let (column, row) = select::cell(&reference, book)?;
    let groups = column.groups()?;
    let (group, _) = column.cell_among(row, groups)?;
    let time = column.time_of(&group);
    let has_others = group.keys.iter().any(|(output, _)| Some(*output) != time);
    let holds = group.keys.iter().filter(|(output, _)| has_others && Some(*output) == time);
    let holds = holds.map(|(output, value)| (*output, value.clone(), true)).collect::<Vec<_>>();
    if group.keys.is_empty() {
        return refused(format!("{reference} is over all rows already: group by a key"));
    }
    if groups.iter().filter_map(|group| group.value).any(|value| value.is_sign_negative() && !value.is_zero()) {
        return refused("some groups are below 0, so that a part is no share of the whole: use gap".to_owned());
    }
    column.over(&holds, quantity.decimals)
}

/// Returns the share of a part of a whole as a fact; of two differences between periods the part of a move.
pub(super) fn share(part: &Operand, whole: &Peer, book: &Workbook) -> Result<Fact, Stop> {
    if let (Some(part), Some(whole)) = (time::ends(part), time::ends_of_peer(whole))
        && let Some(fact) = time::share_of_move(part, whole, book)?
    {
        return Ok(fact);
    }
    let quantity = share_of(part, whole, book)?;
    let note = time::cover_note(&quantity, part, book)?;
    let Some((part, whole, _)) = quantity.share() else { return refused("it is no share".to_owned()) };
    let more = part.conditions.iter().filter(|condition| !has(&whole.conditions, condition));
    let more = with(&more.collect::<Vec<_>>());
    let whole_words = with(&whole.conditions.iter().collect::<Vec<_>>());
    let text = |part: &super::quantity::Part| {
        let number = shown(part.value.unwrap_or_default(), decimals(part.value));
        part.measure.unit.as_ref().map_or(number.clone(), |unit| format!("{number} {unit}"))
    };
    let (part_text, whole_text) = (text(part), text(whole));
    let percent = quantity.text();
    let words = match whole.measure.name.strip_prefix("count of ") {
        Some(rows) => {
            let are = if part.value == Some(Decimal::ONE) { "is" } else { "are" };
            format!("{part_text} of {whole_text} {rows}{whole_words} ({percent}) {are}{more}{note}")
        }
        None => {
            format!("{percent} of the {}{whole_words} is{more}: {part_text} of {whole_text}{note}", whole.measure.name)
        }
    };
    let values = vec![
        named("value", quantity.read(), percent.clone()),
        named("part", part.value.unwrap_or_default(), part_text),
        named("whole", whole.value.unwrap_or_default(), whole_text),
    ];
    let phrase = format!("the {} ({percent})", what(&quantity, &[]));
    Ok(Draft { form: Form::Share, sentence: sentence(&words), phrase, values, quantities: vec![&quantity], test: None }
        .fact())
}

/// Two numbers that are compared, and how many groups could have been.
pub(super) struct Compared {
    pub(super) left: Quantity,
    pub(super) right: Quantity,
    difference: Difference,
    comparisons: u64,
    /// Whether the right one is all other groups together.
    is_rest: bool,
    /// Whether no row is behind both.
    are_disjoint: bool,
}

/// Returns the numbers that a gap compares.
pub(super) fn compared(left: &Operand, peer: &Peer, book: &Workbook) -> Result<Compared, Stop> {
    let one = quantity(left, book)?;
    let reference = select::cell_of(left, book)?;
    let mut comparisons = 1;
    if let Some(reference) = &reference.clone().or_else(|| time::first_cell(left, book)) {
        let (column, row) = select::cell(reference, book)?;
        let groups = column.groups()?;
        let (group, _) = column.cell_among(row, groups)?;
        let time = column.time_of(&group);
        let groups = groups.iter().filter(|other| group.shares(other, |output| Some(output) == time)).count();
        // Against the rest each group could have been taken; of two groups, each pair.
        let pairs = match peer {
            Peer::Rest | Peer::All if groups == 2 => 1,
            Peer::Rest | Peer::All => groups,
            Peer::Operand(_) => groups * groups.saturating_sub(1) / 2,
        };
        comparisons = u64::try_from(pairs.max(1)).unwrap_or(1);
    }
    let other = match peer {
        Peer::Operand(operand) => quantity(operand, book)?,
        Peer::Rest | Peer::All => {
            let Some(reference) = &reference else {
                return refused("`rest` and `all` need a cell before them: gap(q3[Hardware].days, rest)".to_owned());
            };
            let (column, row) = select::cell(reference, book)?;
            let (group, _) = column.cell(row)?;
            let time = column.time_of(&group);
            let others = group.keys.iter().filter(|(output, _)| Some(*output) != time).collect::<Vec<_>>();
            let others = match column.identifying(&group, time)? {
                Some(key) => others.into_iter().filter(|(output, _)| *output == key).collect(),
                None => others,
            };
            let [(key, value)] = others.as_slice() else {
                return refused(format!(
                    "{reference} has {} keys besides the period, and `rest` needs one: compare with another cell",
                    others.len()
                ));
            };
            if *peer == Peer::Rest && one.depends_on_length() && comparisons > 1 {
                return refused(
                    "all others together are several groups, so that any one has less: use share(.., all) or rank(..), or \
                     compare it with another cell"
                        .to_owned(),
                );
            }
            let mut holds = group.keys.iter().filter(|(output, _)| output != key && Some(*output) == time);
            let mut holds = holds.by_ref().map(|(output, value)| (*output, value.clone(), true)).collect::<Vec<_>>();
            if *peer == Peer::Rest {
                holds.push((*key, value.clone(), false));
            } else if one.is_additive() {
                return refused("a part is always less than all: use share(.., all)".to_owned());
            }
            column.over(&holds, one.decimals)?
        }
    };
    let difference = difference(&one, &other)?;
    let are_disjoint = match (difference.left.as_slice(), difference.right.as_slice()) {
        ([left], [right]) => *peer == Peer::Rest || are_apart(left, right) || are_groups(reference.as_ref(), peer),
        _ => false,
    };
    Ok(Compared { left: one, right: other, difference, comparisons, is_rest: *peer == Peer::Rest, are_disjoint })
}

/// Returns whether both are cells of one column, so that they are of different groups.
fn are_groups(left: Option<&Reference>, peer: &Peer) -> bool {
    match (left, peer) {
        (Some(left), Peer::Operand(Operand::Cell(right))) => left.query == right.query && left.column == right.column,
        _ => false,
    }
}

/// Returns how well chance explains that two shares or averages differ.
pub(super) fn test(left: &Quantity, right: &Quantity, comparisons: u64) -> Option<Test> {
    // Rows that may be there several times are no independent cases.
    if left.is_repeated() || right.is_repeated() {
        return None;
    }
    // Two parts of one whole are no independent cases either.
    let whole = |quantity: &Quantity| quantity.share().map(|(_, whole, _)| whole.conditions.clone());
    if whole(left).is_some() && whole(left) == whole(right) {
        return None;
    }
    let (name, p) = if let (Some(one), Some(other)) = (proportion(left), proportion(right)) {
        ("two proportions", chance::two_proportions(one, other)?)
    } else {
        ("Welch", chance::two_means(mean(left)?, mean(right)?)?)
    };
    #[expect(clippy::cast_precision_loss, reason = "a count of groups is far below 2^52")]
    let p = (p * comparisons as f64).min(1.0);
    Some(Test { name: name.to_owned(), p, comparisons })
}

/// Returns one group against another, the rest, or everything.
pub(super) fn gap(left: &Operand, peer: &Peer, book: &Workbook) -> Result<Fact, Stop> {
    let compared = compared(left, peer, book)?;
    if let (Axis::Time(..), Peer::Operand(right)) = (compared.difference.axis()?, peer) {
        return time::change(left, right, book);
    }
    let Compared { left, right, difference, comparisons, is_rest, are_disjoint } = compared;
    let (left, right) = apart(left, right);
    let (left, right) = (&left, &right);
    let test = if are_disjoint { test(left, right, comparisons) } else { None };
    let other = if is_rest { " over all others".to_owned() } else { side(&difference.right) };
    let what = what(left, &difference.all());
    let (one_text, other_text) = (left.text(), right.text());
    let size_words = if left.value == right.value {
        "the two are equal".to_owned()
    } else {
        format!("{}{}", more_or_less(right, left), times(left, right).map(|(_, words)| words).unwrap_or_default())
    };
    let rows = rows_of(left, right);
    let words = format!(
        "the {what} is {one_text}{}, against {other_text}{other}: {size_words}{rows}{}",
        side(&difference.left),
        tested(test.as_ref())
    );
    let mut values = vec![named("from", right.read(), other_text.clone()), named("to", left.read(), one_text.clone())];
    values.push(named("difference", left.read() - right.read(), size(right, left)));
    values.extend(times(left, right).map(|(times, _)| named("times", times, shown(times, 1))));
    let phrase = format!("the {what}{} ({one_text}, against {other_text})", side(&difference.left));
    let draft =
        Draft { form: Form::Gap, sentence: sentence(&words), phrase, values, quantities: vec![left, right], test };
    Ok(draft.fact())
}

/// Returns how many rows are behind two numbers, where that does not follow from them.
pub(super) fn rows_of(left: &Quantity, right: &Quantity) -> String {
    let tells = left.single().is_some_and(|part| part.measure.function != "count") || left.share().is_some();
    let count = |quantity: &Quantity| group_digits(&quantity.rows().to_string());
    if tells { format!(" (over {} and {} rows)", count(left), count(right)) } else { String::new() }
}

/// Returns how many times the larger number is the smaller one, where the base is above 0 and has enough rows.
fn times(left: &Quantity, right: &Quantity) -> Option<(Decimal, String)> {
    let (more, base) = if left.value >= right.value { (left, right) } else { (right, left) };
    let is_enough = base.rows() >= BASE_ROWS_MIN && base.value > Decimal::ZERO;
    let times = more.value.checked_div(base.value).filter(|_| is_enough)?;
    let text = shown(times, 1);
    let words = if left.value >= right.value {
        format!(", {text} times as much")
    } else {
        format!("; the second is {text} times the first")
    };
    (times >= Decimal::new(15, 1)).then_some((times, words))
}

/// Returns whether two shares or averages differ by more than chance.
pub(super) fn differ(left: &Operand, right: &Operand, book: &Workbook) -> Result<Fact, Stop> {
    let compared = compared(left, &Peer::Operand(right.clone()), book)?;
    let axis = compared.difference.axis()?;
    let Compared { left, right, difference, comparisons, are_disjoint, .. } = compared;
    let (left, right) = apart(left, right);
    let (left, right) = (&left, &right);
    if !are_disjoint && !matches!(axis, Axis::Time(..)) {
        return refused("the two may have rows in common: compare groups of one key, or periods apart".to_owned());
    }
    let Some(test) = test(left, right, comparisons) else {
        return refused(
            "only two shares of counts (part of different wholes) or two averages of at least five rows each can be tested: \
             for others use gap or change"
                .to_owned(),
        );
    };
    let places = left.places().max(right.places());
    let bounds = bounds(left, right, level_among(comparisons));
    let words_of = |(low, high)| format!(", {}", interval(low, high, places));
    let interval = bounds.map(words_of).unwrap_or_default();
    let what = what(left, &difference.all());
    let verdict = if test.p > P_MAX { "do not differ by more than chance" } else { "differ by more than chance" };
    let preposition = if matches!(axis, Axis::Time(..)) { "between the periods" } else { "between the groups" };
    let words = format!(
        "the {what} is {}{} and {}{}; these {verdict} {preposition}: {}{interval}{}{}",
        left.text(),
        side(&difference.left),
        right.text(),
        side(&difference.right),
        more_or_less(right, left),
        rows_of(left, right),
        tested(Some(&test)),
    );
    let mut values: Vec<Value> = vec![
        named("from", right.read(), right.text()),
        named("to", left.read(), left.text()),
        named("difference", left.read() - right.read(), size(right, left)),
    ];
    for (name, end) in bounds.into_iter().flat_map(|(low, high)| [("low", low), ("high", high)]) {
        values.extend(Decimal::try_from(end).map(|value| named(name, value, shown(value, places))));
    }
    let phrase = format!("the {what}{} ({})", side(&difference.left), left.text());
    let quantities = vec![left, right];
    let draft = Draft { form: Form::Differ, sentence: sentence(&words), phrase, values, quantities, test: Some(test) };
    Ok(draft.fact())
}

/// Returns the level of an interval that is as wide as p is large: for all comparisons together (Bonferroni).
pub(super) fn level_among(comparisons: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a count of groups is far below 2^52")]
    let comparisons = comparisons.max(1) as f64;
    1.0 - P_MAX / comparisons
}

/// Returns the interval with this level of the difference of two shares, in points or as parts of 1, or of two averages, in their unit; `None`
/// if they are neither.
pub(super) fn bounds(left: &Quantity, right: &Quantity, level: f64) -> Option<(f64, f64)> {
    if let (Some(one), Some(other)) = (proportion(left), proportion(right)) {
        let (low, high) = chance::counts::interval_of_proportions_at(one, other, level)?;
        // The average of a condition is told as the part of 1 that it is.
        let unit = if left.share().is_some() { 100.0 } else { 1.0 };
        return Some((unit * low, unit * high));
    }
    chance::means::Difference::of(mean(left)?, mean(right)?)?.interval(level)
}

/// Returns the relative change, where the base is above 0 and has enough rows.
pub(super) fn relative(from: &Quantity, to: &Quantity) -> Option<Decimal> {
    let is_enough = from.scale() == Scale::Plain
        && from.rows() >= BASE_ROWS_MIN
        && from.value > Decimal::ZERO
        && to.value >= Decimal::ZERO;
    (to.value - from.value).checked_div(from.value).filter(|_| is_enough)
}

/// Returns a share of a sum in percent.
pub(super) fn part_of(part: Decimal, whole: Decimal) -> Option<String> {
    (whole > Decimal::ZERO).then(|| part.checked_div(whole).map(percent))?
}
