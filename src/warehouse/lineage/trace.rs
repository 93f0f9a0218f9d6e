//! Finds the measures that a value is made of, through the queries that are read as tables.

use std::sync::Arc;

use super::expression::{Aggregate, Column, Expression, Subquery, SubqueryForm, Window};
use super::functions::{self, Kind};
use super::keys::{lifted, pinned};
use super::measure::{Key, Measure, is_additive};
use super::query::{Block, Distinct, Item, Query, Relation, Rows, Source};
use super::resolve::is_constant;

/// Finds the measures that a value is made of.
pub(super) struct Trace<'m> {
    pub(super) measures: &'m mut Vec<Measure>,
}

impl Trace<'_> {
    /// Returns the value with its measures replaced.
    pub(super) fn value(&mut self, value: &Expression, block: &Block) -> Expression {
        let mut value = value.clone();
        self.follow(&mut value, block);
        value
    }

    /// Replaces the measures of a value.
    fn follow(&mut self, value: &mut Expression, block: &Block) {
        if block.keys.iter().flatten().any(|key| key == value) {
            return;
        }
        *value = match value {
            Expression::Aggregate(aggregate) => {
                self.measure(aggregate, block, block.keys.as_deref().unwrap_or_default())
            }
            Expression::Window(window) => self.window(window, block),
            Expression::Column(column) => self.column(column, block),
            Expression::Subquery(subquery) => self.subquery(subquery),
            Expression::Call { function, .. } if functions::kind(function) == Some(Kind::Moment) => {
                Expression::Unknown(format!("{function} depends on when the statement runs"))
            }
            other => return other.each_child_mut(&mut |child| self.follow(child, block)),
        };
    }

    /// Follows a subquery that is one aggregate. Its conditions on columns of the row are the keys of a measure.
    fn subquery(&mut self, subquery: &Subquery) -> Expression {
        let Query::Block(inner) = &subquery.query else { return value_of(subquery) };
        let is_aggregate = inner.keys.as_ref().is_some_and(Vec::is_empty) && inner.having.is_empty() && !inner.is_cut();
        if subquery.form != SubqueryForm::Value || !is_aggregate || inner.unknown().is_some() {
            return value_of(subquery);
        }
        let Some(value) = inner.outputs.first().map(|output| &output.value) else { return value_of(subquery) };
        let is_own = |part: &Expression| part.columns().iter().all(|column| inner.rows.source_of(column).is_some());
        let is_outer = |part: &Expression| {
            !part.has_subquery() && part.columns().iter().all(|column| inner.rows.source_of(column).is_none())
        };
        let mut alone = (**inner).clone();
        let mut keys = Vec::new();
        Arc::make_mut(&mut alone.rows).conditions.retain(|condition| match condition.as_infix("=") {
            Some((left, right)) if !is_own(condition) => {
                let sides = [(left, right), (right, left)];
                let key = sides.into_iter().find(|(own, outer)| is_own(own) && is_outer(outer));
                keys.extend(key.map(|(own, outer)| (own.clone(), outer.clone())));
                key.is_none()
            }
            _ => true,
        });
        alone.keys = Some(keys.iter().map(|(own, _)| own.clone()).collect());
        let known = self.measures.len();
        let value = self.value(value, &alone);
        for measure in &mut self.measures[known..] {
            measure.optional |= !keys.is_empty();
            for key in &mut measure.keys {
                let outer = keys.iter().find(|(own, _)| *own == key.key).map(|(_, outer)| outer.clone());
                key.named = outer;
            }
        }
        value
    }

    /// Adds a measure, unless it depends on rows around its own, and returns what stands for it.
    fn measure(&mut self, aggregate: &Aggregate, block: &Block, keys: &[Expression]) -> Expression {
        let unknown = aggregate.parts().find_map(Expression::unknown).map(str::to_owned);
        if let Some(reason) = unknown.or_else(|| aggregate.parts().find_map(|part| untraced(part, &block.rows))) {
            return Expression::Unknown(reason);
        }
        if let Some(reason) = block.rows.conditions.iter().find_map(|condition| untraced(condition, &block.rows)) {
            return Expression::Unknown(reason);
        }
        let rows = Arc::clone(&block.rows);
        let keys = keys.iter().filter(|key| !is_constant(key) && pinned(key, &block.rows.conditions).is_none());
        let key = |key: &Expression| Key { key: key.clone(), named: Some(key.clone()), pinned: None, shown: None };
        let aggregate = aggregate.clone();
        let measure = Measure { aggregate, rows, keys: keys.map(key).collect(), optional: false, left_out: false };
        if let Some(reason) = measure.rows.sources().into_iter().filter_map(Source::query).find_map(Query::unlisted) {
            return Expression::Unknown(reason.to_owned());
        }
        if !measure.query().is_closed() {
            return Expression::Unknown("a subquery that depends on the row".to_owned());
        }
        let index = self.measures.iter().position(|known| *known == measure).unwrap_or_else(|| {
            self.measures.push(measure);
            self.measures.len() - 1
        });
        Expression::Measure(index)
    }

    /// A window without an order is an aggregate by the keys of its partition. Over groups this holds for sums.
    fn window(&mut self, window: &Window, block: &Block) -> Expression {
        let as_is = || Expression::Window(Box::new(window.clone()));
        if let Some(reason) = as_is().unknown() {
            return Expression::Unknown(reason.to_owned());
        }
        let is_whole = window.order.is_empty() && window.frame.is_none() && block.having.is_empty();
        let is_aggregate = functions::kind(&window.function.function) == Some(Kind::Aggregate);
        if !is_whole || !is_aggregate || block.distinct != Distinct::No {
            return as_is();
        }
        match (&block.keys, window.function.arguments.as_slice()) {
            (None, _) => self.measure(&window.function, block, &window.partition),
            (Some(_), [Expression::Aggregate(inner)])
                if window.function.function == "sum"
                    && window.function.filter.is_empty()
                    && !window.function.distinct
                    && is_additive(inner) =>
            {
                self.measure(inner, block, &window.partition)
            }
            (Some(_), _) => as_is(),
        }
    }

    /// Follows a column into the query that its source is.
    fn column(&mut self, column: &Column, block: &Block) -> Expression {
        let as_is = Expression::Column(column.clone());
        let Some(source) = block.rows.source_of(column) else {
            return Expression::Unknown(format!("{} belongs to another query", column.name));
        };
        let inner = match source.query() {
            Some(Query::Block(inner)) => inner,
            None | Some(Query::UnionAll(_) | Query::Values(_)) => return as_is,
            Some(Query::Unknown(reason)) => return Expression::Unknown(reason.clone()),
        };
        if block.keys.is_some() {
            return as_is;
        }
        let Some(output) = inner.outputs.get(column.index) else {
            return Expression::Unknown(format!("{} is not listed", column.name));
        };
        let known = self.measures.len();
        let value = self.value(&output.value, inner);
        if let Some(reason) = value.unknown() {
            return Expression::Unknown(reason.to_owned());
        }
        if self.measures.len() == known && !has_measure(&value) {
            return as_is;
        }
        if is_nullable(column, &block.rows.items) && !is_single(&value) {
            return Expression::Unknown("arithmetic on the optional side of an outer join".to_owned());
        }
        let optional = is_nullable(column, &block.rows.items);
        let is_filtered = inner.keys.is_none() && (inner.rows.items.len() > 1 || !inner.rows.conditions.is_empty());
        let may_drop = is_filtered || !inner.having.is_empty() || inner.is_cut() || may_drop(column, &block.rows.items);
        for measure in &mut self.measures[known..] {
            measure.optional |= optional;
            measure.left_out |= optional && may_drop;
            for key in &mut measure.keys {
                key.hold(&inner.rows.conditions);
                key.named = key.named.take().and_then(|named| lifted(&named, inner, column));
            }
        }
        value
    }
}

fn value_of(subquery: &Subquery) -> Expression {
    let reason = match subquery.form {
        SubqueryForm::Value => "a subquery that depends on the row",
        _ => return Expression::Subquery(Box::new(subquery.clone())),
    };
    Expression::Unknown(reason.to_owned())
}

fn is_single(value: &Expression) -> bool {
    matches!(value, Expression::Measure(_))
}

/// Returns whether a measure is a part of the value.
pub(super) fn has_measure(value: &Expression) -> bool {
    value.any(&mut |part| matches!(part, Expression::Measure(_)))
}

/// Returns whether an outer join may fill the column's source with NULLs.
fn is_nullable(column: &Column, items: &[Item]) -> bool {
    items.iter().any(|item| match item {
        Item::Source(_) => false,
        Item::Outer(outer) => {
            let has = |rows: &Rows| rows.source_of(column).is_some();
            has(&outer.right) || outer.full && has(&outer.left) || is_nullable(column, &outer.left.items)
        }
    })
}

/// Returns whether an outer join may leave out the column's row although its keys have a partner.
fn may_drop(column: &Column, items: &[Item]) -> bool {
    let is_column = |side: &Expression| matches!(side, Expression::Column(_));
    let is_plain = |condition: &Expression| {
        condition.as_infix("=").is_some_and(|(left, right)| is_column(left) && is_column(right))
    };
    items.iter().any(|item| match item {
        Item::Source(_) => false,
        Item::Outer(outer) => {
            let is_here = [&outer.left, &outer.right].iter().any(|side| side.source_of(column).is_some());
            let has_more = !outer.on.iter().all(is_plain) || !outer.right.conditions.is_empty();
            is_here && (has_more || may_drop(column, &outer.left.items) || may_drop(column, &outer.right.items))
        }
    })
}

/// Returns why an expression cannot be traced through the sources that it names.
fn untraced(expression: &Expression, rows: &Rows) -> Option<String> {
    expression.columns().into_iter().find_map(|column| {
        let source = rows.source_of(column)?;
        match &source.relation {
            Relation::Table { .. } | Relation::Function { .. } => None,
            Relation::Query { query, .. } => untraced_output(query, column.index),
        }
    })
}

fn untraced_output(query: &Query, index: usize) -> Option<String> {
    match query {
        Query::Block(block) => {
            let value = &block.outputs.get(index)?.value;
            value.unknown().map(str::to_owned).or_else(|| untraced(value, &block.rows))
        }
        Query::UnionAll(branches) => branches.iter().find_map(|branch| untraced_output(branch, index)),
        Query::Values(_) => None,
        Query::Unknown(reason) => Some(reason.clone()),
    }
}
