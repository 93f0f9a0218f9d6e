//! What there is to measure: rows, totals and averages of numbers, days between moments, shares of states.

use super::joins::Joined;
use super::{Averaged, Measure, Span, distinct, is_number, may_show};
use crate::instruments::dialect;
use crate::semantic::roles::{Worth, worth};
use crate::warehouse::catalog::{Column, Role, Table, ValueKind};

/// Measures that are taken up unasked, and of them totals.
const MEASURES_MAX: usize = 16;
const TOTALS_MAX: usize = 2;
/// Amounts of money that are measured by another.
const RATES_MAX: usize = 2;
/// Values of a column whose shares are measured unasked.
const STATES_MAX: f64 = 4.0;
/// Shares of values of columns, and averages, that are taken up: of more the first by the order of columns.
const STATES_TOLD_MAX: usize = 5;
const MEANS_MAX: usize = 5;
/// The shares of missing values between which they are measured.
const MISSING: std::ops::Range<f64> = 0.005..0.995;

/// What the share of the rows that the table's filter leaves out is called.
pub const VOID_SHARE: &str = "share that does not count";

/// Returns the measure that a text names: a declared one, a column, `count`, `sum(column)`, `avg(column)`, or what an answer
/// calls it.
pub(super) fn named(text: &str, table: &Table, joined: &Joined) -> Result<Measure, String> {
    if matches!(text, "count" | "count(*)" | "rows" | "n") {
        return Ok(Measure::Rows);
    }
    if text == VOID_SHARE {
        return void_share(table, joined);
    }
    let declared = table.declared.measures.iter().find(|measure| measure.name.eq_ignore_ascii_case(text));
    let (name, sql) = declared.map_or((text, text), |measure| (measure.name.as_str(), measure.sql.trim()));
    let inner = |calls: [&str; 2]| calls.iter().find_map(|call| sql.strip_prefix(call)?.strip_suffix(')'));
    if let Some(value) = inner(["avg(", "AVG("]) {
        let name = if declared.is_some() { name.to_owned() } else { format!("average of {value}") };
        return Ok(Measure::Mean { name, value: joined.qualified(value), of: Averaged::Number });
    }
    if let Some(value) = inner(["sum(", "SUM("]) {
        let name = if declared.is_some() { name.to_owned() } else { format!("total of {value}") };
        return Ok(Measure::Sum { name, value: joined.qualified(value) });
    }
    let called = || offered(table, joined, &mut Vec::new()).into_iter().find(|measure| measure.name() == text);
    if let Some(measure) = declared.is_none().then(called).flatten() {
        return Ok(measure);
    }
    match table.column(sql.trim_matches('"')) {
        Some(column) if is_number(column) => Ok(mean(column, joined)),
        Some(column) if column.value_kind() == ValueKind::Boolean => Ok(share_of_true(column, joined)),
        Some(column) => Err(format!("{} is no number: name a number, sum(..), avg(..) or count", column.name)),
        None => Err(format!(
            "{text} is neither count, nor sum(..), nor avg(..), nor a column, nor a declared measure of {}",
            table.name
        )),
    }
}

/// Returns the share of the rows that the filter leaves out, such as cancelled ones. A row may come to it late.
fn void_share(table: &Table, joined: &Joined) -> Result<Measure, String> {
    let filter = table.declared.filter.as_ref();
    let filter = filter.ok_or_else(|| format!("all rows of {} count: it has no filter", table.name))?;
    let condition = format!("NOT ({})", joined.qualified(&filter.sql));
    Ok(Measure::Share { name: VOID_SHARE.to_owned(), condition, column: None, waits: true })
}

/// Returns what a table offers to measure. What is left out for a reason is said.
pub(super) fn offered(table: &Table, joined: &Joined, left_out: &mut Vec<String>) -> Vec<Measure> {
    let is_mixed = mixed_currency(table);
    let may_measure = |column: &&Column| may_show(column) && distinct(column) != Some(1.0);
    let amounts = table.columns.iter().filter(may_measure).filter(|column| is_amount(column));
    let amounts = amounts.filter(|column| {
        let is_left_out = is_mixed.is_some() && is_money(column) && !is_converted(column, joined);
        if let (true, Some(currency)) = (is_left_out, is_mixed) {
            left_out
                .push(format!("{}: amounts of several currencies ({currency}) are not taken together", column.name));
        }
        !is_left_out
    });
    let amounts = amounts.collect::<Vec<_>>();
    // What two amounts of a row are of each other hangs on no rate.
    let as_they_are = amounts.iter().copied().filter(|column| !is_converted(column, joined)).collect::<Vec<_>>();
    let declared = table.declared.measures.iter().filter_map(|measure| named(&measure.name, table, joined).ok());
    let flags = table.columns.iter().filter(may_measure).filter(|column| column.value_kind() == ValueKind::Boolean);
    let mut all = vec![Measure::Rows];
    let further = declared
        .chain(totals(table, &amounts, joined))
        .chain(durations(table, joined))
        .chain(rates(&as_they_are, joined))
        .chain(of_one_unit(&as_they_are, joined))
        .chain(flags.map(|column| share_of_true(column, joined)))
        .chain(states(table, joined).into_iter().take(STATES_TOLD_MAX))
        .chain(amounts.iter().map(|column| mean(column, joined)).take(MEANS_MAX))
        .chain(missing(table, joined));
    for measure in further {
        let sql = measure.aggregate();
        if all.len() < MEASURES_MAX && all.iter().all(|known| known.aggregate() != sql) {
            all.push(measure);
        }
    }
    all
}

/// Returns the column of currencies if there are several.
fn mixed_currency(table: &Table) -> Option<&str> {
    let column = table.column_with(Role::Currency)?;
    distinct(column).is_none_or(|count| count > 1.0).then_some(column.name.as_str())
}

fn is_money(column: &Column) -> bool {
    matches!(
        column.role,
        Some(Role::Measure | Role::NetMeasure | Role::GrossMeasure | Role::Margin | Role::Discount | Role::UnitPrice)
    )
}

/// Returns whether a column holds money that is converted into one currency.
fn is_converted(column: &Column, joined: &Joined) -> bool {
    // Any number may be called a measure.
    let is_sure = is_money(column) && (column.role != Some(Role::Measure) || worth(column) != Worth::Other);
    is_sure && joined.converted("").is_some()
}

/// Returns what a value of a column is called and what it is in SQL, as it is converted if it is.
fn value_of(column: &Column, joined: &Joined) -> (String, String) {
    in_one_currency(column, &column.name, &joined.sql(&joined.tables[0], &column.name), joined)
}

/// Returns what is called so and stands for an amount of a column, as it is converted if that is.
fn in_one_currency(column: &Column, name: &str, value: &str, joined: &Joined) -> (String, String) {
    match joined.converted(value).filter(|_| is_converted(column, joined)) {
        Some((value, unit)) => (format!("{name} in {unit}"), value),
        None => (name.to_owned(), value.to_owned()),
    }
}

fn is_amount(column: &Column) -> bool {
    is_number(column)
        && !matches!(
            column.role,
            Some(Role::Identifier | Role::Entity | Role::Ignore | Role::Dimension | Role::Product | Role::Region)
        )
}

/// The places of totals that are not what rows are worth.
const PLACE_OF_MARGIN: usize = 4;
const PLACE_OF_CHARGE: usize = 5;

fn is_charge(column: &Column) -> bool {
    worth(column) == Worth::Charge
}

/// Returns the place of a column's total among those of a table, the one that matters most first: net before plain before
/// gross amounts of money, and then what comes on top of them; `None` if it has none.
fn place(column: &Column) -> Option<usize> {
    match (column.role?, worth(column)) {
        (Role::NetMeasure, _) => Some(0),
        (Role::Measure, Worth::Money) => Some(1),
        (Role::GrossMeasure, _) => Some(2),
        (Role::Measure, Worth::LikelyMoney) => Some(3),
        (Role::Margin, _) => Some(PLACE_OF_MARGIN),
        (Role::Measure, Worth::Charge) => Some(PLACE_OF_CHARGE),
        (Role::Measure, Worth::Other) => Some(6),
        (Role::Quantity, _) => Some(7),
        _ => None,
    }
}

/// Returns the totals that matter most, or units times their price. A charge beside a price is the total of nothing that
/// rows are worth, so it is left to the averages.
fn totals(table: &Table, amounts: &[&Column], joined: &Joined) -> Vec<Measure> {
    let own = |column: &Column| joined.sql(&joined.tables[0], &column.name);
    let of = |role: Role| amounts.iter().filter(move |column| column.role == Some(role));
    let (quantity, price) = (of(Role::Quantity).next(), of(Role::UnitPrice).min_by_key(|price| is_charge(price)));
    let placed = amounts.iter().filter_map(|column| Some((place(column)?, column)));
    let mut placed = placed.collect::<Vec<_>>();
    placed.sort_by_key(|(place, _)| *place);
    // Beside a price, what comes on top of it is not what rows are worth.
    let is_beside_price = price.is_some_and(|price| !is_charge(price));
    let place_end = if is_beside_price { PLACE_OF_MARGIN } else { PLACE_OF_CHARGE + 1 };
    let has_money = placed.first().is_some_and(|(place, _)| *place < place_end);
    let told = placed.into_iter().filter(|(place, _)| has_money || *place != PLACE_OF_CHARGE);
    let sum = |column: &Column| {
        let (name, value) = value_of(column, joined);
        Measure::Sum { name: format!("total of {name}"), value }
    };
    let mut found = told.map(|(_, column)| sum(column)).take(TOTALS_MAX).collect::<Vec<_>>();
    if let (false, Some(quantity), Some(price)) = (has_money, quantity, price) {
        let rate = table.columns.iter().find(|column| is_discount_rate(column));
        let less = rate.map(|rate| format!(" * (1 - {})", own(rate))).unwrap_or_default();
        let value = format!("{} * {}{less}", own(quantity), own(price));
        let name = format!("{} times {}", quantity.name, price.name);
        let (name, value) = in_one_currency(price, &name, &value, joined);
        found.insert(0, Measure::Sum { name: format!("total of {name}"), value });
    }
    found
}

/// Returns what other amounts of money are of the one that matters most: what is taken off, what it costs, what is left.
fn rates(amounts: &[&Column], joined: &Joined) -> Vec<Measure> {
    const BASES: [Role; 3] = [Role::GrossMeasure, Role::NetMeasure, Role::Measure];
    const PARTS: [Role; 4] = [Role::Discount, Role::Margin, Role::NetMeasure, Role::Measure];
    let mut amounts = amounts.to_vec();
    amounts.sort_by_key(|column| worth(column));
    let of = |role: Role| amounts.iter().filter(move |column| column.role == Some(role));
    let Some(base) = BASES.into_iter().flat_map(of).next() else { return Vec::new() };
    // An amount that no role calls money is one if it is called as the other is: cost_amount beside net_amount.
    let is_alike = |part: &Column| {
        let words = |name: &str| name.to_lowercase().split('_').map(str::to_owned).collect::<Vec<_>>();
        part.role != Some(Role::Measure) || words(&part.name).iter().any(|word| words(&base.name).contains(word))
    };
    let parts = PARTS.into_iter().flat_map(of).filter(|part| part.name != base.name && is_alike(part));
    parts.map(|part| of_each(part, base, joined)).take(RATES_MAX).collect()
}

/// Returns what one number is of another that is called alike and ends in the same word, which is their unit: billed_kg for
/// each measured_kg.
fn of_one_unit(amounts: &[&Column], joined: &Joined) -> Vec<Measure> {
    let unit = |column: &Column| column.name.rsplit_once('_').map(|(_, unit)| unit.to_lowercase());
    let others = amounts.iter().filter(|column| !is_money(column) || column.role == Some(Role::Measure));
    let others = others.collect::<Vec<_>>();
    let pairs =
        others.iter().enumerate().flat_map(|(place, one)| others[place + 1..].iter().map(move |other| (*one, *other)));
    let is_alike = |(one, other): &(&&Column, &&Column)| unit(one).is_some() && unit(one) == unit(other);
    pairs.filter(is_alike).map(|(base, part)| of_each(part, base, joined)).take(RATES_MAX).collect()
}

/// Returns what a part is of each unit of a base. Two whole numbers are divided with a fraction.
fn of_each(part: &Column, base: &Column, joined: &Joined) -> Measure {
    let own = |column: &Column| joined.sql(&joined.tables[0], &column.name);
    Measure::Mean {
        name: format!("{} for each {}", part.name, base.name),
        value: format!("{}::numeric / nullif({}, 0)", own(part), own(base)),
        of: Averaged::Rate,
    }
}

/// Returns whether a column says which part of the price is taken off, from 0 to 1.
fn is_discount_rate(column: &Column) -> bool {
    let bound = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<f64>().ok());
    let known = column.statistics.as_ref();
    let is_part = known.is_some_and(|known| {
        bound(&known.minimum).is_some_and(|least| least >= 0.0) && bound(&known.maximum).is_some_and(|most| most <= 1.0)
    });
    column.role == Some(Role::Rate) && is_part && column.name.to_lowercase().contains("discount")
}

fn mean(column: &Column, joined: &Joined) -> Measure {
    let (name, value) = value_of(column, joined);
    // Any number may be called a measure: days listed, floor space.
    let is_amount = is_money(column) && column.role != Some(Role::Measure) || column.role == Some(Role::Quantity);
    let of = if is_amount { Averaged::Amount } else { Averaged::Number };
    Measure::Mean { name: format!("average of {name}"), value, of }
}

fn share_of_true(column: &Column, joined: &Joined) -> Measure {
    let condition = format!("{} = true", joined.sql(&joined.tables[0], &column.name));
    Measure::Share { name: format!("share with {}", column.name), condition, column: None, waits: false }
}

/// Returns the times from when a row happened to its other moments.
fn durations(table: &Table, joined: &Joined) -> Vec<Measure> {
    let is_moment = |column: &&Column| may_show(column) && column.kind_read() == ValueKind::Moment;
    let mut moments = table.columns.iter().filter(is_moment).collect::<Vec<_>>();
    moments.sort_by_key(|column| column.role != Some(Role::Date));
    let Some((first, others)) = moments.split_first() else { return Vec::new() };
    let sql = |column: &Column| joined.sql(&joined.tables[0], &column.name);
    let read = |column: &Column| joined.read(&joined.tables[0], &column.name);
    let duration = |to: &&Column| {
        let (from, end) = (sql(first), sql(to));
        // What has no zone of its own is of the table's.
        let are_zoned = first.is_zoned() && to.is_zoned();
        let bare = if are_zoned { [read(first), read(to)] } else { [from.clone(), end.clone()] };
        let span = Span { from, to: end, bare };
        let name = format!("days from {} to {}", first.name, to.name);
        Measure::Mean { name, value: span.days(), of: Averaged::Days(span) }
    };
    others.iter().map(duration).collect()
}

/// Returns the shares of the values of columns with few of them. The most common one follows from the others.
fn states(table: &Table, joined: &Joined) -> Vec<Measure> {
    let is_state = |column: &&Column| {
        may_show(column)
            && column.kind_read() == ValueKind::Text
            && distinct(column).is_some_and(|count| (2.0..=STATES_MAX).contains(&count))
    };
    let of_column = |column: &Column| {
        let values = column.statistics.iter().flat_map(|known| known.common_values.iter().skip(1)).cloned();
        let (name, sql) = (column.name.clone(), joined.sql(&joined.tables[0], &column.name));
        // What becomes of a row is told of its groups; what it is of makes a group itself.
        let is_event = column.role == Some(Role::EventType);
        let shares = values.map(move |value| Measure::Share {
            name: format!("share with {name} {value:?}"),
            condition: format!("{sql} = {}", dialect::text(&value)),
            column: (!is_event).then(|| sql.clone()),
            waits: false,
        });
        shares.collect::<Vec<_>>()
    };
    let mut found = table.columns.iter().filter(is_state).collect::<Vec<_>>();
    // What kind of event a row is comes before what it is of.
    found.sort_by_key(|column| column.role != Some(Role::EventType));
    found.into_iter().flat_map(of_column).collect()
}

/// Returns the shares of rows without a value.
fn missing(table: &Table, joined: &Joined) -> Vec<Measure> {
    let is_partly = |column: &&Column| {
        may_show(column) && column.statistics.as_ref().is_some_and(|known| MISSING.contains(&known.null_fraction))
    };
    let share = |column: &Column| Measure::Share {
        name: format!("share without {}", column.name),
        condition: format!("{} IS NULL", joined.read(&joined.tables[0], &column.name)),
        column: None,
        waits: column.kind_read() == ValueKind::Moment,
    };
    table.columns.iter().filter(is_partly).map(share).collect()
}
