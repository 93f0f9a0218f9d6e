//! A measure without the condition that tells two numbers apart, by what that condition is about: the series behind a
//! change between two cells, the groups behind a gap, that each came from a row of their own.

use std::sync::Arc;

use super::column::Column;
use super::condition::{self, Condition, Ground};
use super::period::Unit;
use super::{Stop, refused};
use crate::finding::workbook::Sheet;
use crate::warehouse::lineage::companion;
use crate::warehouse::lineage::definition::Base;
use crate::warehouse::lineage::expression::{Expression, Literal};
use crate::warehouse::lineage::measure::{Key, Measure};
use crate::warehouse::lineage::{Lineage, is_never_null};

/// What a column is asked by instead of a condition.
#[derive(Debug, Clone, Copy)]
pub(super) enum Axis {
    /// The key that the condition holds at a value.
    Key,
    /// The period in which it holds a moment.
    Time(Unit),
}

/// Returns the sheet of a column whose rows are all of one kind, without the condition, and the index of an output that would
/// show the key in its place. Refuses a column of which a measure does not have the condition.
pub(super) fn along(column: &Column<'_>, held: &Condition, axis: Axis) -> Result<(Sheet, usize), Stop> {
    let mut branch = column.branch().clone();
    let output = branch.columns.len();
    let Some(meaning) = branch.columns.get_mut(column.index) else {
        return refused("there is no such column".to_owned());
    };
    for measure in &mut meaning.measures {
        *measure = without(measure, held, axis, output, column)?;
    }
    let lineage = Lineage { branches: vec![branch], unknown: None, is_limited: column.sheet.lineage.is_limited };
    Ok((Sheet::new(Arc::clone(&column.sheet.result), lineage), output))
}

fn without(
    measure: &Measure,
    held: &Condition,
    axis: Axis,
    output: usize,
    column: &Column<'_>,
) -> Result<Measure, Stop> {
    let plain = measure.plain(|value| is_never_null(value, &measure.rows, &column.book.catalog));
    let base = Base::of(&plain).map_err(Stop::Refused)?;
    let ground = Ground { base: &base, rows: &plain.rows, catalog: &column.book.catalog };
    let key = match axis {
        Axis::Time(unit) => moment(&plain, held, ground).map(|moment| Expression::Call {
            function: "date_trunc".to_owned(),
            arguments: vec![Expression::Literal(Literal::Text(unit.name().to_owned())), moment],
        }),
        Axis::Key => key(&plain, held, ground),
    };
    let Some(key) = key else { return refused("not each of its measures has the condition".to_owned()) };
    Ok(companion::by(&plain, key, output, |condition| is_about(condition, held, ground)))
}

/// Returns whether a condition of a statement is about the same key or moment.
fn is_about(condition: &Expression, held: &Condition, ground: Ground<'_>) -> bool {
    let found = condition::of_conditions(std::iter::once(condition), ground).unwrap_or_default();
    found.iter().any(|other| match (held.as_period(), other.as_period()) {
        (Some((time, _)), Some((other, _))) => time.id == other.id,
        (None, None) => held.as_key().is_some() && held.as_key() == other.as_key(),
        _ => false,
    })
}

/// Returns the conditions of a measure, those that hold its keys among them.
fn conditions(plain: &Measure) -> impl Iterator<Item = Expression> {
    let own = plain.rows.conditions.iter().chain(&plain.aggregate.filter).cloned();
    own.chain(plain.keys.iter().filter_map(Key::held))
}

/// Returns the moment that the condition bounds.
fn moment(plain: &Measure, held: &Condition, ground: Ground<'_>) -> Option<Expression> {
    conditions(plain).find(|condition| is_about(condition, held, ground))?;
    let (time, _) = held.as_period()?;
    let is_it = |moment: &&&Expression| ground.moment(moment).is_ok_and(|named| named.id == time.id);
    condition::moments(plain, ground).iter().find(is_it).map(|moment| (*moment).clone())
}

/// Returns the key that the condition holds at a value.
fn key(plain: &Measure, held: &Condition, ground: Ground<'_>) -> Option<Expression> {
    let named = held.as_key()?;
    let about = conditions(plain).find(|condition| is_about(condition, held, ground))?;
    let sides = about.as_infix("=").map(|(left, right)| vec![left.clone(), right.clone()]);
    let columns = || about.columns().into_iter().map(|column| Expression::Column(column.clone())).collect();
    let is_it = |key: &Expression| ground.named(key).is_ok_and(|known| known == *named);
    sides.unwrap_or_else(columns).into_iter().find(is_it)
}
