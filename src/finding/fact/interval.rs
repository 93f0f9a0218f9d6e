//! The interval of the difference that a fact states, at another level than its sentence has.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity::{Quantity, apart, shown};
use super::values::{bounds, compared, level_among};
use super::{Fact, Form, Stop, Value, refused, time, value as named};
use crate::finding::claim::{Claim, Operand, Peer};
use crate::finding::workbook::Workbook;

/// An interval of a difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Such as .997.
    pub level: f64,
    /// The lower end, in the unit of the difference.
    pub low: Value,
    /// The upper end.
    pub high: Value,
}

/// Returns the interval with this level of the difference of two shares (Newcombe 1998) or averages (Welch 1947) that a fact
/// states and tests, over the results and companions of its run. It is never narrower than the one of its sentence. `None` of
/// other facts.
pub fn interval(fact: &Fact, level: f64, book: &Workbook) -> Option<Interval> {
    let test = fact.test.as_ref()?;
    let level = if fact.form == Form::Differ { level.max(level_among(test.comparisons)) } else { level };
    let (to, from) = sides(fact, book).ok()?;
    let (to, from) = apart(to, from);
    let (low, high) = bounds(&to, &from, level)?;
    let places = to.places().max(from.places());
    let end = |name: &str, end: f64| {
        let end = Decimal::try_from(end).ok()?;
        Some(named(name, end, shown(end, places)))
    };
    Some(Interval { level, low: end("low", low)?, high: end("high", high)? })
}

/// Returns the two numbers whose difference a fact states: the first less the second.
fn sides(fact: &Fact, book: &Workbook) -> Result<(Quantity, Quantity), Stop> {
    let claim = Claim::parse(&fact.claim).map_err(Stop::Refused)?;
    let (left, peer) = match claim {
        Claim::Gap(left, peer) => (left, peer),
        Claim::Differ(left, right) => (left, Peer::Operand(right)),
        Claim::Change(from, to) => (to, Peer::Operand(from)),
        _ => return refused("it states no difference".to_owned()),
    };
    match (fact.form, &peer) {
        (Form::Change, Peer::Operand(right)) => in_time(&left, right, book),
        _ => compared(&left, &peer, book).map(|compared| (compared.left, compared.right)),
    }
}

/// Returns two numbers of two periods, the later one first.
fn in_time(one: &Operand, other: &Operand, book: &Workbook) -> Result<(Quantity, Quantity), Stop> {
    match time::step(one, other, book)? {
        Some(step) => Ok((step.other, step.one)),
        None => refused("the two are of one period".to_owned()),
    }
}
