//! Measures: an aggregate over rows that meet conditions, by keys.

use std::sync::Arc;

use super::expression::{Aggregate, Expression, Literal};
use super::keys::pinned;
use super::presentation::{Step, presented};
use super::query::{Block, Output, Query, Rows};

/// An aggregate over rows that meet conditions, by keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measure {
    pub aggregate: Aggregate,
    /// What it is computed from.
    pub rows: Arc<Rows>,
    /// The keys of its groups. Keys that a condition on its rows holds at one value are left out.
    pub keys: Vec<Key>,
    /// Whether an outer join lies between it and the row, so that it is missing where there is no partner.
    pub optional: bool,
    /// Whether it may be missing although it has a value: the join has more conditions than equal keys, or its groups
    /// are cut.
    pub(super) left_out: bool,
}

impl Measure {
    /// Returns the measure with what its argument says of the rows as conditions: `count(x)` counts the rows with an x,
    /// `sum(CASE WHEN c THEN x ELSE 0 END)` adds up x where c holds. The values are the same, but for groups without such
    /// rows: there one may be 0 where the other is missing. `is_never_null` tells of an argument that it has a value in
    /// every row.
    #[must_use]
    pub fn plain(&self, is_never_null: impl Fn(&Expression) -> bool) -> Self {
        let mut plain = self.clone();
        let aggregate = &mut plain.aggregate;
        if let ([argument], true) = (aggregate.arguments.as_slice(), aggregate.within.is_empty())
            && let Some((condition, value)) = conditional(argument, &aggregate.function)
            && (value.is_some() || !aggregate.distinct)
        {
            let (condition, value) = (condition.clone(), value.cloned());
            aggregate.filter.extend(condition.conjuncts());
            if let Some(value) = value {
                aggregate.arguments = vec![value];
            } else {
                // Each row that meets the condition counts once.
                (aggregate.function, aggregate.arguments) = ("count".to_owned(), Vec::new());
            }
        }
        if let ("count", false, [argument]) =
            (aggregate.function.as_str(), aggregate.distinct, aggregate.arguments.as_slice())
        {
            if !is_never_null(argument) {
                aggregate.filter.push(Expression::postfix(argument.clone(), "IS NOT NULL"));
            }
            aggregate.arguments.clear();
        }
        plain
    }

    /// Returns the rows, with the conditions that hold keys at one value from outside them.
    pub(super) fn held_rows(&self) -> Arc<Rows> {
        let held = self.keys.iter().filter_map(Key::held).collect::<Vec<_>>();
        let mut rows = Arc::clone(&self.rows);
        if !held.is_empty() {
            Arc::make_mut(&mut rows).conditions.extend(held);
        }
        rows
    }

    /// Returns the query of which the measure is the last output, after its keys as they are shown.
    pub fn query(&self) -> Query {
        let shown = |key: &Key| presented(key.key.clone(), key.steps());
        let is_open = |key: &&Key| key.pinned.is_none();
        let values = self
            .keys
            .iter()
            .filter(is_open)
            .map(shown)
            .chain([Expression::Aggregate(Box::new(self.aggregate.clone()))]);
        let outputs = values.map(|value| Output { name: String::new(), value }).collect();
        let keys = self.keys.iter().filter(is_open).map(|key| key.key.clone()).collect();
        let rows = self.held_rows();
        Query::Block(Box::new(Block { rows, keys: Some(keys), outputs, ..Block::default() }))
    }
}

/// Returns the condition under which an argument has its value, and the value; `None` for a count of the rows that meet
/// the condition.
fn conditional<'e>(argument: &'e Expression, function: &str) -> Option<(&'e Expression, Option<&'e Expression>)> {
    let is = |value: &Expression, number: &str| matches!(value, Expression::Literal(Literal::Number(written)) if written == number);
    match argument {
        Expression::Cast { value, type_name, .. } if function == "sum" && type_name.starts_with("int") => {
            value.is_condition().then_some((&**value, None))
        }
        Expression::Case { operand: None, branches, otherwise } => {
            let [(condition, value)] = branches.as_slice() else { return None };
            let is_zero = otherwise.as_deref().is_some_and(|value| is(value, "0"));
            let is_null = otherwise.as_deref().is_none_or(|value| *value == Expression::null());
            match function {
                "sum" if is(value, "1") && (is_zero || is_null) => Some((condition, None)),
                "sum" if is_zero || is_null => Some((condition, Some(value))),
                "count" if is_null && matches!(value, Expression::Literal(Literal::Number(_) | Literal::Text(_))) => {
                    Some((condition, None))
                }
                _ if is_null => Some((condition, Some(value))),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A key of a measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key, over the measure's rows.
    pub key: Expression,
    /// The key, as the block that is looked at names it; `None` if it does not.
    pub(super) named: Option<Expression>,
    /// The value at which a condition outside the measure's rows holds it.
    pub pinned: Option<Expression>,
    /// The output that shows it, and how it presents it; `None` if none does.
    pub shown: Option<(usize, Vec<Step>)>,
}

impl Key {
    /// Notes the value at which conditions hold the key.
    pub(super) fn hold(&mut self, conditions: &[Expression]) {
        let named = self.named.as_ref().filter(|_| self.pinned.is_none());
        self.pinned = named.and_then(|named| pinned(named, conditions)).or(self.pinned.take());
    }

    /// Returns the condition that holds it at one value from outside the measure's rows.
    pub fn held(&self) -> Option<Expression> {
        Some(Expression::infix(self.key.clone(), "=", self.pinned.clone()?))
    }

    /// Returns what presents it in the output that shows it.
    pub fn steps(&self) -> &[Step] {
        self.shown.as_ref().map(|(_, steps)| steps.as_slice()).unwrap_or_default()
    }

    /// Returns whether the rows of the result tell its value.
    pub fn is_known(&self) -> bool {
        self.shown.is_some() || self.pinned.is_some()
    }
}

/// Returns whether the aggregate over parts of the rows adds up to the aggregate over all of them.
pub fn is_additive(aggregate: &Aggregate) -> bool {
    !aggregate.distinct && matches!(aggregate.function.as_str(), "count" | "sum" | "regr_count")
}
