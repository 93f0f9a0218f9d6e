//! Scores the roles that one column could have, by the kind of its values, then by the words of its name.

use super::lexicon::{
    AMOUNTS, BATCHES, CHARGE, CLASSES, DATE_PARTS, DISCOUNTS, DOCUMENTS, ENTITIES, ENTITY_MODIFIERS, EVENT_DATES,
    EVENTS, EXCLUDING, FREE_TEXT, IDENTIFIER_ENDS, INCLUDING, LATER_DATES, MARGINS, MEANINGLESS, NAME_ENDS,
    OTHER_DATES, PRICES, PRODUCTS, QUANTITIES, RATES, REGION_MODIFIERS, REGIONS, RETURN_VALUES, SENSITIVE,
    STATUS_VALUES, TOTALS, Weighted,
};
use super::{Facts, Role, ValueKind, singular};

/// By how much the score of a text that is read as dates is lower: a date of the database is before all of them.
const BEHIND_DATES: i32 = 100;

/// The roles that a column competes for, and the role that it gets if it wins none.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    scores: Vec<(Role, i32)>,
    /// A role without competition, because several columns may have it. `None` leaves the column without a role.
    pub(super) otherwise: Option<Role>,
}

impl Candidates {
    fn only(role: Role) -> Self {
        Self { scores: Vec::new(), otherwise: Some(role) }
    }

    fn or(role: Role, score: Option<i32>, otherwise: Role) -> Self {
        Self { scores: score.map(|score| (role, score)).into_iter().collect(), otherwise: Some(otherwise) }
    }

    pub(super) fn score(&self, role: Role) -> Option<i32> {
        self.scores.iter().filter(|(scored, _)| *scored == role).map(|(_, score)| *score).max()
    }

    pub(super) fn remove(&mut self, role: Role) {
        self.scores.retain(|(scored, _)| *scored != role);
    }
}

/// Returns the candidate roles of a column.
pub(super) fn candidates(facts: &Facts<'_>) -> Candidates {
    match facts.kind {
        ValueKind::Moment => moment(facts),
        ValueKind::Number => number(facts),
        ValueKind::Text => text(facts),
        ValueKind::Boolean => Candidates::only(Role::Dimension),
        ValueKind::Other => Candidates::only(Role::Ignore),
    }
}

fn moment(facts: &Facts<'_>) -> Candidates {
    if facts.has(OTHER_DATES) {
        return Candidates::default();
    }
    let often_missing = facts.column.statistics.as_ref().is_some_and(|statistics| statistics.null_fraction > 0.5);
    let score = match weight(facts, EVENT_DATES) {
        _ if facts.has(LATER_DATES) => 2,
        Some(score) => score,
        None => 3,
    };
    let score = if often_missing { score - 6 } else { score };
    let score = if facts.column.text_dates.is_some() { score - BEHIND_DATES } else { score };
    Candidates { scores: vec![(Role::Date, score)], otherwise: None }
}

/// A constant is no measure: exports of reporting tools have a column of ones.
fn number(facts: &Facts<'_>) -> Candidates {
    let is_constant = facts.distinct == Some(1.0) && facts.rows.is_some_and(|rows| rows > 1.0);
    let candidates = number_that_varies(facts);
    let is_money =
        [Role::NetMeasure, Role::GrossMeasure, Role::Margin].iter().any(|role| candidates.score(*role).is_some());
    if is_constant && !is_money && candidates.otherwise == Some(Role::Measure) {
        return Candidates::only(Role::Ignore);
    }
    candidates
}

fn number_that_varies(facts: &Facts<'_>) -> Candidates {
    let counts = matches!(facts.plain_words.first().map(String::as_str), Some("number" | "num" | "no" | "count" | "n"))
        && facts.plain_words.len() > 1
        && !facts.ends_in(IDENTIFIER_ENDS);
    if counts {
        return Candidates::or(Role::Quantity, Some(5), Role::Measure);
    }
    if facts.key || facts.refers_to.is_some() || facts.ends_in(IDENTIFIER_ENDS) {
        return identity(facts);
    }
    if facts.has(MEANINGLESS) || facts.has(SENSITIVE) || facts.has(&["zip", "postal", "postcode", "pincode"]) {
        return Candidates::only(Role::Ignore);
    }
    if facts.has(RATES) {
        return Candidates::only(Role::Rate);
    }
    if facts.plain_words.last().is_some_and(|word| DATE_PARTS.contains(&word.as_str())) {
        return Candidates::only(Role::Dimension);
    }
    if let Some(role) = with_or_without(facts).filter(|_| !is_of_one(facts)) {
        return Candidates::or(role, Some(9), Role::Measure);
    }
    if facts.has(DISCOUNTS) {
        return Candidates::only(if is_percentage(facts) { Role::Rate } else { Role::Discount });
    }
    amount(facts)
}

/// Returns the role of an amount that is called by what is in it and what is not: `amount_incl_tax` is gross,
/// `amount_after_discount` net.
fn with_or_without(facts: &Facts<'_>) -> Option<Role> {
    facts.plain_words.windows(2).skip(1).find_map(|pair| {
        let part = singular(&pair[1]);
        let is_discount = DISCOUNTS.contains(&part.as_str());
        let is_charge = AMOUNTS.contains(&(part.as_str(), CHARGE));
        let says = |before: &[&str], discounts: &str| {
            before.contains(&pair[0].as_str()) && (is_discount || is_charge) || is_discount && pair[0] == discounts
        };
        match () {
            () if says(INCLUDING, "after") => Some(if is_discount { Role::NetMeasure } else { Role::GrossMeasure }),
            () if says(EXCLUDING, "before") => Some(if is_discount { Role::GrossMeasure } else { Role::NetMeasure }),
            () => None,
        }
    })
}

/// Returns whether it is the price or cost of one unit.
fn is_of_one(facts: &Facts<'_>) -> bool {
    let is_price = facts.has(PRICES) || (facts.has(&["unit"]) && facts.has(&["cost", "value", "rate"]));
    is_price && !facts.has(TOTALS)
}

fn is_called_amount(facts: &Facts<'_>) -> bool {
    weight(facts, AMOUNTS).is_some()
}

fn amount(facts: &Facts<'_>) -> Candidates {
    if is_of_one(facts) {
        return Candidates::only(Role::UnitPrice);
    }
    if let Some(score) = weight(facts, MARGINS) {
        return Candidates::or(Role::Margin, Some(score), Role::Measure);
    }
    if facts.has(&["weight", "volume"]) {
        return Candidates::or(Role::Quantity, weight(facts, QUANTITIES), Role::Measure);
    }
    if facts.has(&["net", "netto"]) {
        return Candidates::or(Role::NetMeasure, Some(10 + last_digit(facts)), Role::Measure);
    }
    if facts.has(&["gross", "brutto"]) {
        return Candidates::or(Role::GrossMeasure, Some(10), Role::Measure);
    }
    if let Some(score) = weight(facts, QUANTITIES).filter(|_| !is_called_amount(facts)) {
        return Candidates::or(Role::Quantity, Some(score), Role::Measure);
    }
    if is_called_amount(facts) || !is_whole(facts) {
        return Candidates::only(Role::Measure);
    }
    let flag = facts.column.statistics.as_ref().is_some_and(|statistics| {
        statistics.minimum.as_deref() == Some("0") && statistics.maximum.as_deref() == Some("1")
    });
    let classes = facts.few(12.0) && facts.rows.is_some_and(|rows| rows >= 50.0);
    Candidates::only(match () {
        () if facts.has(CLASSES) || flag || classes => Role::Dimension,
        () if facts.unique() => Role::Identifier,
        () => Role::Measure,
    })
}

fn text(facts: &Facts<'_>) -> Candidates {
    if facts.has(SENSITIVE) || facts.has(MEANINGLESS) {
        return Candidates::only(Role::Ignore);
    }
    if facts.has(&["currency", "ccy", "curr"]) {
        return Candidates::or(Role::Currency, Some(10), Role::Dimension);
    }
    let event = event_type(facts);
    if event.is_some() || facts.ends_in(CLASSES) {
        return Candidates::or(Role::EventType, event, Role::Dimension);
    }
    if facts.words == ["state"] && (has_value(facts, STATUS_VALUES) || !facts.beside_area) {
        return Candidates::only(Role::Dimension);
    }
    let mut candidates = identity(facts);
    let of_events = facts.stem().last().is_some_and(|word| DOCUMENTS.contains(&word.as_str()));
    let identifies = facts.ends_in(IDENTIFIER_ENDS) || of_events || facts.column.type_name == "uuid";
    candidates.otherwise = Some(match () {
        () if identifies && !facts.few(12.0) => Role::Identifier,
        () if facts.has(FREE_TEXT) && !facts.few(30.0) => Role::Ignore,
        () if facts.unique() && !facts.ends_in(NAME_ENDS) => Role::Ignore,
        () => Role::Dimension,
    });
    candidates
}

/// Returns the candidate roles of an identifier or a name.
fn identity(facts: &Facts<'_>) -> Candidates {
    let scores = [
        entity(facts).map(|score| (Role::Entity, score)),
        entity_name(facts).map(|score| (Role::EntityName, score)),
        product(facts).map(|score| (Role::Product, score)),
        subject(facts, BATCHES, &["production", "manufacturing"]).map(|score| (Role::Batch, score)),
        region(facts).map(|score| (Role::Region, score)),
    ];
    Candidates { scores: scores.into_iter().flatten().collect(), otherwise: Some(Role::Identifier) }
}

/// Scores a column as the entity: an identifier before a bare name, and both before a readable name, which several
/// persons may share.
fn entity(facts: &Facts<'_>) -> Option<i32> {
    let score = subject(facts, ENTITIES, ENTITY_MODIFIERS).or_else(|| referred(facts, ENTITIES))?;
    let named = facts.ends_in(NAME_ENDS);
    let varied = facts.distinct.is_none_or(|distinct| distinct > 1.0);
    let form = match () {
        () if named => -6,
        () if facts.ends_in(IDENTIFIER_ENDS) => 2,
        () => 1,
    };
    let repeated = if facts.unique() && !facts.key { -3 } else { 0 };
    varied.then_some(score + form + repeated)
}

fn entity_name(facts: &Facts<'_>) -> Option<i32> {
    (facts.kind == ValueKind::Text && !facts.ends_in(IDENTIFIER_ENDS)).then_some(if facts.ends_in(NAME_ENDS) {
        2
    } else {
        1
    })
}

/// Scores a column as the product: a readable name before a bare name or a code, because people read the findings, and
/// free text last.
fn product(facts: &Facts<'_>) -> Option<i32> {
    let score = subject(facts, PRODUCTS, &["description"]).or_else(|| referred(facts, PRODUCTS))?;
    Some(score + if facts.ends_in(NAME_ENDS) { 3 } else { 0 } - if facts.has(FREE_TEXT) { 6 } else { 0 })
}

fn region(facts: &Facts<'_>) -> Option<i32> {
    let score = subject(facts, REGIONS, REGION_MODIFIERS)?;
    Some(score - if facts.kind == ValueKind::Number { 6 } else { 0 })
}

/// Returns the weight of the subject, if the name has no other words than the subject's and its modifiers.
fn subject(facts: &Facts<'_>, known: Weighted, modifiers: &[&str]) -> Option<i32> {
    let stem = facts.stem();
    let weight_of = |word: &String| known.iter().find(|(known, _)| known == word).map(|(_, weight)| *weight);
    let alone = stem.iter().all(|word| weight_of(word).is_some() || modifiers.contains(&word.as_str()));
    alone.then(|| stem.iter().filter_map(weight_of).max())?
}

/// Returns the weight of the subject of the table that the column refers to.
fn referred(facts: &Facts<'_>, known: Weighted) -> Option<i32> {
    let last = facts.refers_to.as_ref()?.last()?;
    known.iter().find(|(known, _)| known == last).map(|(_, weight)| *weight)
}

/// Scores a column as the event type, which distinguishes returns from sales: by its values, or else by its name.
fn event_type(facts: &Facts<'_>) -> Option<i32> {
    if facts.few(20.0) && has_value(facts, RETURN_VALUES) {
        return Some(8);
    }
    let of_events = facts.has(EVENTS);
    let unknown = facts.distinct.is_none() && facts.column.enum_values.is_empty();
    match () {
        () if of_events && facts.ends_in(&["type", "kind", "indicator"]) && (unknown || facts.few(20.0)) => Some(5),
        () if of_events && facts.ends_in(&["code"]) && facts.few(12.0) => Some(4),
        () => None,
    }
}

fn has_value(facts: &Facts<'_>, known: &[&str]) -> bool {
    let common = facts.column.statistics.iter().flat_map(|statistics| &statistics.common_values);
    common.chain(&facts.column.enum_values).chain(&facts.column.examples).any(|value| {
        let value = value.to_lowercase();
        known.contains(&value.as_str()) || value.split([' ', '_', '-']).any(|word| known.contains(&word))
    })
}

fn weight(facts: &Facts<'_>, known: Weighted) -> Option<i32> {
    known.iter().filter(|(word, _)| facts.words.iter().any(|own| own == word)).map(|(_, weight)| *weight).max()
}

/// Returns the digit at the name's end: `net_sales_value_2` has more deductions than `net_sales_value_1`.
fn last_digit(facts: &Facts<'_>) -> i32 {
    facts.words.last().and_then(|word| word.parse::<i32>().ok()).filter(|digit| (0..10).contains(digit)).unwrap_or(0)
}

/// Returns whether a discount is a share and not an amount: at most 1, or at most 100 in few round steps.
fn is_percentage(facts: &Facts<'_>) -> bool {
    let Some(statistics) = facts.column.statistics.as_ref().filter(|_| !is_called_amount(facts)) else { return false };
    let number = |text: &String| text.parse::<f64>().unwrap_or(f64::NAN);
    let round = |text: &String| (number(text) * 2.0).fract() == 0.0;
    let largest = statistics.maximum.as_ref().map_or(f64::NAN, number);
    let smallest = statistics.minimum.as_ref().map_or(f64::NAN, number);
    let in_steps =
        facts.few(101.0) && !statistics.common_values.is_empty() && statistics.common_values.iter().all(round);
    smallest >= 0.0 && (largest <= 1.0 || (largest <= 100.0 && in_steps))
}

fn is_whole(facts: &Facts<'_>) -> bool {
    let type_name = facts.column.type_name.as_str();
    matches!(type_name, "smallint" | "integer" | "bigint") || type_name.ends_with(",0)")
}
