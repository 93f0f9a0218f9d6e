//! The queries that answer what the cells of a measure do not hold: how many rows are behind a cell, the measure over
//! everything, over all but one group, and over which days it reaches.
//!
//! They have the rows and conditions of the measure, and go through the validator like any statement, as
//! [`super::print`] writes them.

use super::expression::{Aggregate, Expression, Literal};
use super::measure::Measure;
use super::query::{Block, Output, Query, Rows};

/// Returns the measure by its keys, and after it the count of the rows that are behind each value.
pub fn counted(measure: &Measure) -> Query {
    let Query::Block(mut block) = measure.query() else { return measure.query() };
    block.outputs.push(unnamed(behind(&measure.aggregate)));
    Query::Block(block)
}

/// Returns the measure over all groups, and the count of the rows behind it.
pub fn all(measure: &Measure) -> Query {
    over(measure, rows_of(measure))
}

/// Returns the measure over all groups but one, and the count of the rows behind it. `group` has a value for each key
/// that is not held at one, as text; `None` is a missing value.
pub fn rest(measure: &Measure, group: &[Option<&str>]) -> Query {
    let mut rows = rows_of(measure);
    let keys = measure.keys.iter().filter(|key| key.pinned.is_none());
    let is_other = keys.zip(group).map(|(key, value)| {
        let value = value.map_or_else(Expression::null, |text| Expression::Literal(Literal::Text(text.to_owned())));
        Expression::infix(key.key.clone(), "IS DISTINCT FROM", value)
    });
    rows.conditions.extend(is_other.reduce(|one, other| Expression::infix(one, "OR", other)));
    over(measure, rows)
}

/// Returns the first and the last moment of the rows behind the measure. `time` is a column of its rows.
pub fn span(measure: &Measure, time: &Expression) -> Query {
    let bound = |function: &str| {
        unnamed(Expression::Aggregate(Box::new(Aggregate {
            function: function.to_owned(),
            arguments: vec![time.clone()],
            ..empty(&measure.aggregate)
        })))
    };
    let outputs = vec![bound("min"), bound("max")];
    Query::Block(Box::new(Block { rows: rows_of(measure), keys: Some(Vec::new()), outputs, ..Block::default() }))
}

fn over(measure: &Measure, rows: Rows) -> Query {
    let value = Expression::Aggregate(Box::new(measure.aggregate.clone()));
    let outputs = vec![unnamed(value), unnamed(behind(&measure.aggregate))];
    Query::Block(Box::new(Block { rows, keys: Some(Vec::new()), outputs, ..Block::default() }))
}

/// Returns the rows of the measure with the conditions that hold its keys at one value.
fn rows_of(measure: &Measure) -> Rows {
    let mut rows = (*measure.rows).clone();
    rows.conditions.extend(measure.held());
    rows
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
