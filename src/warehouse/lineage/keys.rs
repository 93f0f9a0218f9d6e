//! Which output shows a key, also where a join made it equal to another column.

use super::expression::{Column, Expression};
use super::measure::Key;
use super::presentation::{Step, stripped_until};
use super::query::{Block, Output, Rows};
use super::resolve::is_constant;

/// The most conditions from one to the next of which a key is held.
const PINS_MAX: usize = 3;

/// Returns the column of the source that shows a key of the query that it is.
pub(super) fn lifted(named: &Expression, inner: &Block, column: &Column) -> Option<Expression> {
    let index = inner.outputs.iter().position(|output| output.value == *named)?;
    let name = inner.outputs[index].name.clone();
    Some(Expression::Column(Column { source: column.source, index, name }))
}

/// Returns the output that shows the key, and what presents it there.
pub(super) fn shown(key: &Key, block: &Block) -> Option<(usize, Vec<Step>)> {
    let named = key.named.as_ref()?;
    let alike = alike(named, &block.rows);
    let find = |(index, output): (usize, &Output)| {
        let is_alike = |value: &Expression| alike.contains(value) || is_one_of(value, &alike);
        let (value, steps) = stripped_until(&output.value, is_alike);
        is_alike(value).then_some((index, steps))
    };
    block.outputs.iter().enumerate().find_map(find)
}

/// Returns the columns that are equal to the key in every row of the block, or missing, the key among them.
fn alike(key: &Expression, rows: &Rows) -> Vec<Expression> {
    let is_column = |side: &Expression| matches!(side, Expression::Column(_));
    let equal = rows.equalities().into_iter().filter(|(left, right)| is_column(left) && is_column(right));
    let equal = equal.collect::<Vec<_>>();
    let mut alike = vec![key.clone()];
    let mut next = 0;
    while let Some(one) = alike.get(next).cloned() {
        for (left, right) in &equal {
            for (this, other) in [(left, right), (right, left)] {
                if **this == one && !alike.contains(other) {
                    alike.push((*other).clone());
                }
            }
        }
        next += 1;
    }
    alike
}

/// Returns whether the value is `coalesce` of equal columns.
fn is_one_of(value: &Expression, alike: &[Expression]) -> bool {
    matches!(value, Expression::Call { function, arguments }
        if function == "coalesce" && arguments.iter().all(|argument| alike.contains(argument)))
}

/// Returns the value at which conditions hold the key, in terms of constants: `year = 2024`, or `a.year = b.year - 1`
/// where another condition holds `b.year`.
pub(super) fn pinned(key: &Expression, conditions: &[Expression]) -> Option<Expression> {
    pinned_within(key, conditions, PINS_MAX)
}

fn pinned_within(key: &Expression, conditions: &[Expression], pins_max: usize) -> Option<Expression> {
    conditions.iter().find_map(|condition| {
        let (left, right) = condition.as_infix("=")?;
        let mut other = match key {
            key if left == key => right.clone(),
            key if right == key => left.clone(),
            _ => return None,
        };
        if !is_constant(&other) {
            let pins_max = pins_max.checked_sub(1)?;
            other.replace(&mut |part| match part {
                Expression::Column(_) if part != key => pinned_within(part, conditions, pins_max),
                _ => None,
            });
        }
        let is_constant = other.columns().is_empty() && !other.has_aggregate() && !has_subquery(&other);
        is_constant.then_some(other)
    })
}

fn has_subquery(expression: &Expression) -> bool {
    expression.any(&mut |part| matches!(part, Expression::Subquery(_)))
}
