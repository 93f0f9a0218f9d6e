//! Measures: an aggregate over rows that meet conditions, by keys.

use std::sync::Arc;

use super::expression::{Aggregate, Expression};
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
    /// Returns the conditions that hold keys at one value from outside the measure's rows.
    pub(super) fn held(&self) -> impl Iterator<Item = Expression> {
        let held = |key: &Key| Some(Expression::infix(key.key.clone(), "=", key.pinned.clone()?));
        self.keys.iter().filter_map(held)
    }

    /// Returns the query of which the measure is the last output, after its keys as they are shown.
    pub fn query(&self) -> Query {
        let shown = |key: &Key| {
            let steps = key.shown.as_ref().map(|(_, steps)| steps.as_slice()).unwrap_or_default();
            presented(key.key.clone(), steps)
        };
        let is_open = |key: &&Key| key.pinned.is_none();
        let values = self
            .keys
            .iter()
            .filter(is_open)
            .map(shown)
            .chain([Expression::Aggregate(Box::new(self.aggregate.clone()))]);
        let outputs = values.map(|value| Output { name: String::new(), value }).collect();
        let keys = self.keys.iter().filter(is_open).map(|key| key.key.clone()).collect();
        let mut rows = (*self.rows).clone();
        rows.conditions.extend(self.held());
        Query::Block(Box::new(Block { rows, keys: Some(keys), outputs, ..Block::default() }))
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

    /// Returns whether the rows of the result tell its value.
    pub fn is_known(&self) -> bool {
        self.shown.is_some() || self.pinned.is_some()
    }
}

/// Returns whether the aggregate over parts of the rows adds up to the aggregate over all of them.
pub fn is_additive(aggregate: &Aggregate) -> bool {
    !aggregate.distinct && matches!(aggregate.function.as_str(), "count" | "sum" | "regr_count")
}
