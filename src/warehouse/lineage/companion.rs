//! The queries that answer what the cells of a measure do not hold: how many rows are behind a cell, the measure over
//! everything, over all but one group, and over which days it reaches.
//!
//! They have the rows and conditions of the measure, and go through the validator like any statement, as
//! [`super::print`] writes them.

use std::sync::Arc;

use super::expression::{Aggregate, Expression, Literal};
use super::measure::{Key, Measure};
use super::presentation::presented;
use super::query::{Block, Output, Query, is_link};

/// Holds a key of a measure at a value, or away from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The index of the key in [`Measure::keys`].
    pub key: usize,
    /// The value as the statement shows it; `None` is a missing value.
    pub value: Option<String>,
    /// Whether the key has the value; otherwise it has any other.
    pub is: bool,
}

/// Returns the measure by its keys, and after it the count of the rows that are behind each value. An average is
/// followed by the variance of its values.
pub fn counted(measure: &Measure) -> Query {
    let Query::Block(mut block) = measure.query() else { return measure.query() };
    block.outputs.extend(about(measure));
    Query::Block(block)
}

/// Returns the measure without the conditions for which `is_dropped` returns true, by one more key that an output shows.
pub fn by(measure: &Measure, key: Expression, output: usize, is_dropped: impl Fn(&Expression) -> bool) -> Measure {
    let mut by = measure.clone();
    let mut rows = (*by.rows).clone();
    rows.conditions.retain(|condition| !is_dropped(condition));
    by.rows = Arc::new(rows);
    by.aggregate.filter.retain(|condition| !is_dropped(condition));
    by.keys.retain(|known| known.held().is_none_or(|condition| !is_dropped(&condition)));
    by.keys.push(Key { key, named: None, pinned: None, shown: Some((output, Vec::new())) });
    by
}

/// Returns the measure over all rows that the holds leave, with what [`counted`] adds to it.
pub fn over(measure: &Measure, holds: &[Hold]) -> Query {
    let mut rows = measure.held_rows();
    Arc::make_mut(&mut rows).conditions.extend(holds.iter().filter_map(|hold| {
        let key = measure.keys.get(hold.key)?;
        let value = hold.value.clone().map_or_else(Expression::null, |text| Expression::Literal(Literal::Text(text)));
        let operator = if hold.is { "IS NOT DISTINCT FROM" } else { "IS DISTINCT FROM" };
        Some(Expression::infix(presented(key.key.clone(), key.steps()), operator, value))
    }));
    let value = Expression::Aggregate(Box::new(measure.aggregate.clone()));
    let outputs = std::iter::once(unnamed(value)).chain(about(measure)).collect();
    Query::Block(Box::new(Block { rows, keys: Some(Vec::new()), outputs, ..Block::default() }))
}

/// The units at whose beginning all moments may lie, the longest first.
pub const STAMPS: &[&str] = &["year", "quarter", "month", "week"];

/// Returns the first and the last moment of all rows of the measure's sources, whatever its conditions, and whether all lie
/// at the beginning of each of [`STAMPS`], and at the end of months. `time` is a value of its rows.
pub fn span(measure: &Measure, time: &Expression) -> Query {
    let bound = |function: &str| {
        unnamed(Expression::Aggregate(Box::new(Aggregate {
            function: function.to_owned(),
            arguments: vec![time.clone()],
            filter: Vec::new(),
            ..empty(&measure.aggregate)
        })))
    };
    let text = |text: &str| Expression::Literal(Literal::Text(text.to_owned()));
    let all_begin = |unit: &str, moment: Expression| {
        let start = Expression::Call { function: "date_trunc".to_owned(), arguments: vec![text(unit), moment.clone()] };
        unnamed(Expression::Aggregate(Box::new(Aggregate {
            function: "bool_and".to_owned(),
            arguments: vec![Expression::infix(moment, "=", start)],
            filter: Vec::new(),
            ..empty(&measure.aggregate)
        })))
    };
    let mut outputs = vec![bound("min"), bound("max")];
    outputs.extend(STAMPS.iter().map(|unit| all_begin(unit, time.clone())));
    let day = Expression::Cast { value: Box::new(text("1 day")), type_name: "interval".to_owned(), lenient: false };
    outputs.push(all_begin("month", Expression::infix(time.clone(), "+", day)));
    let mut rows = Arc::clone(&measure.rows);
    Arc::make_mut(&mut rows).conditions.retain(is_link);
    Query::Block(Box::new(Block { rows, keys: Some(Vec::new()), outputs, ..Block::default() }))
}

/// Returns the count of the rows behind an aggregate, and the variance of what an average is of.
fn about(measure: &Measure) -> Vec<Output> {
    let aggregate = &measure.plain(|_| false).aggregate;
    let mut outputs = vec![unnamed(behind(aggregate))];
    if aggregate.function == "avg" && !aggregate.distinct {
        let variance = Aggregate { function: "var_samp".to_owned(), ..aggregate.clone() };
        outputs.push(unnamed(Expression::Aggregate(Box::new(variance))));
    }
    outputs
}

/// Returns the count of the rows that are behind an aggregate: those that meet its conditions and have its values.
fn behind(aggregate: &Aggregate) -> Expression {
    let mut counted = empty(aggregate);
    let values = aggregate.arguments.iter().chain(aggregate.within.iter().map(|order| &order.key));
    let values = values.filter(|value| !value.columns().is_empty());
    counted.filter.extend(values.map(|value| Expression::postfix(value.clone(), "IS NOT NULL")));
    Expression::Aggregate(Box::new(counted))
}

/// Returns `count(*)` with the conditions of an aggregate.
fn empty(aggregate: &Aggregate) -> Aggregate {
    Aggregate {
        function: "count".to_owned(),
        arguments: Vec::new(),
        distinct: false,
        order: Vec::new(),
        within: Vec::new(),
        filter: aggregate.filter.clone(),
    }
}

fn unnamed(value: Expression) -> Output {
    Output { name: String::new(), value }
}
