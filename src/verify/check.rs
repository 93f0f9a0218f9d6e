//! Compares answers with what is expected of them. Values are exact decimals, so that nothing is lost in rounding.

mod moves;
mod values;

use std::collections::BTreeMap;

use rust_decimal::Decimal;

pub use self::moves::{Moved, Moves, Remembered, Watched, compare, watched};
use self::values::{Failing, Row, Rows};
use super::decimal::{shown, subtract};
use super::expectation::{Claim, Comparison, Expectation, Sum};
use crate::warehouse::table::Table;

/// The most details of one expectation. The rest is counted.
const DETAILS_MAX: usize = 10;

/// The answers of a run by the names of their questions, or why there is none.
pub type Answers = BTreeMap<String, Result<Table, String>>;

/// What came of one expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Holds,
    Fails {
        /// What is otherwise than expected, one line each, at most ten.
        details: Vec<String>,
        /// How many more there are.
        more: usize,
    },
    /// It cannot be told whether it holds.
    Unknown(String),
}

impl Verdict {
    pub(crate) fn fails(details: Vec<String>) -> Self {
        let more = details.len().saturating_sub(DETAILS_MAX);
        Self::Fails { details: details.into_iter().take(DETAILS_MAX).collect(), more }
    }
}

/// Checks an expectation that needs no memory against the answer. Of [`Claim::NeverMoves`] it checks nothing, see
/// [`watched`] and [`compare`].
pub fn check(expectation: &Expectation, answer: &Table, answers: &Answers) -> Verdict {
    let rows = match Rows::of(answer, &expectation.conditions, answers) {
        Ok(rows) => rows,
        Err(reason) => return Verdict::Unknown(reason),
    };
    let details = match &expectation.claim {
        Claim::NeverMoves { .. } => Ok(Vec::new()),
        Claim::NoRows => Ok(rows.iter().map(|row| format!("there is {}", row.name())).collect()),
        Claim::Compared { left, comparison, right, tolerance } => {
            each(&rows, &[left, right], |row| compared(&rows, row, left, *comparison, right, *tolerance))
        }
        Claim::Between { value, low, high } => {
            each(&rows, &[value, low, high], |row| between(&rows, row, value, low, high))
        }
    };
    match details {
        Ok(details) if details.is_empty() => Verdict::Holds,
        Ok(details) => Verdict::fails(details),
        Err(reason) => Verdict::Unknown(reason),
    }
}

/// Looks at each row, or once if none of the sums is of a row. Returns what is otherwise than expected.
fn each(
    rows: &Rows<'_>,
    sums: &[&Sum],
    look: impl Fn(Option<Row<'_>>) -> Result<Option<String>, Failing>,
) -> Result<Vec<String>, String> {
    let is_of_rows = sums.iter().any(|sum| sum.is_of_a_row());
    if is_of_rows && rows.iter().next().is_none() {
        return Ok(vec![rows.none()]);
    }
    let places = if is_of_rows { rows.iter().map(Some).collect() } else { vec![None] };
    let mut details = Vec::new();
    for place in places {
        match look(place) {
            Ok(None) => {}
            Ok(Some(detail)) => details.push(detail),
            Err(Failing::NoValue(what)) => details.push(format!("{what}{}", at(place))),
            Err(Failing::Unknown(reason)) => return Err(reason),
        }
    }
    Ok(details)
}

fn at(row: Option<Row<'_>>) -> String {
    row.map_or(String::new(), |row| format!(" ({})", row.name()))
}

fn compared(
    rows: &Rows<'_>,
    row: Option<Row<'_>>,
    left: &Sum,
    comparison: Comparison,
    right: &Sum,
    tolerance: Decimal,
) -> Result<Option<String>, Failing> {
    let (here, there) = (rows.value(left, row)?, rows.value(right, row)?);
    let too_large = || Failing::Unknown(format!("{left} and {right} are too far apart to be compared"));
    if comparison.holds(here, there, tolerance).ok_or_else(too_large)? {
        return Ok(None);
    }
    let apart = subtract(here, there).map(|difference| difference.abs()).filter(|apart| !apart.is_zero());
    let apart = apart.filter(|_| !right.is_a_number()).map(|apart| format!(", {} apart", shown(apart)));
    let right = if right.is_a_number() { String::new() } else { format!(" and {right} is {}", shown(there)) };
    let is = if left.is_the_rows() {
        format!("there are {} rows", shown(here))
    } else {
        format!("{left} is {}", shown(here))
    };
    Ok(Some(format!("{is}{right}{}{}", apart.unwrap_or_default(), at(row))))
}

fn between(
    rows: &Rows<'_>,
    row: Option<Row<'_>>,
    value: &Sum,
    low: &Sum,
    high: &Sum,
) -> Result<Option<String>, Failing> {
    let (here, low, high) = (rows.value(value, row)?, rows.value(low, row)?, rows.value(high, row)?);
    let beside = match () {
        () if here < low => format!("below {}", shown(low)),
        () if here > high => format!("above {}", shown(high)),
        () => return Ok(None),
    };
    Ok(Some(format!("{value} is {}, {beside}{}", shown(here), at(row))))
}
