//! Which output shows a key, also where a join made it equal to another column.

use super::expression::{Column, Expression, Literal};
use super::measure::Key;
use super::presentation::{Step, stripped_until};
use super::query::{Block, Item, Output, Rows};
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
    let links = links(&block.rows);
    let same = alike(named, &links, false);
    let either = alike(named, &links, true);
    let is_alike = |value: &Expression| same.contains(value) || is_one_of(value, &either);
    let find = |(index, output): (usize, &Output)| {
        let (value, steps) = stripped_until(&output.value, is_alike);
        let is_told = steps.iter().all(|step| is_one_to_one(step, &key.key));
        (is_alike(value) && is_told).then_some((index, steps))
    };
    block.outputs.iter().enumerate().find_map(find)
}

/// Returns whether two values of the key are never presented as the same text. What stands for a missing key is left to
/// the reader of a cell: a cell that equals it names no group.
fn is_one_to_one(step: &Step, key: &Expression) -> bool {
    match step {
        Step::Missing(_) => true,
        Step::Cast(type_name) => matches!(type_name.as_str(), "text" | "varchar" | "character varying"),
        Step::Format(format) => is_told_by(format, key),
        Step::Round(_) | Step::Truncate(_) | Step::Times(_) | Step::Over(_) => false,
    }
}

/// Returns whether a format of `to_char` has all parts of a key that is truncated to a unit of time.
fn is_told_by(format: &str, key: &Expression) -> bool {
    let plain = format.split('"').step_by(2).collect::<String>().to_uppercase();
    let has = |parts: &[&str]| parts.iter().any(|part| plain.contains(part));
    let (year, month) = (has(&["YYYY"]), has(&["MM", "MON"]));
    match unit(key) {
        Some("year") => year,
        Some("quarter") => year && (has(&["Q"]) || month),
        Some("month") => year && month,
        Some("week") => year && month && has(&["DD"]) || has(&["IYYY"]) && has(&["IW"]),
        Some("day") => year && (month && has(&["DD"]) || has(&["DDD"])),
        _ => false,
    }
}

/// Returns the unit to which a key is truncated.
fn unit(key: &Expression) -> Option<&str> {
    match key {
        Expression::Call { function, arguments } if function == "date_trunc" => match arguments.first()? {
            Expression::Literal(Literal::Text(unit)) => Some(unit),
            _ => None,
        },
        Expression::Cast { value, type_name, .. } if type_name == "date" => unit(value).or(Some("day")),
        _ => None,
    }
}

/// Two columns that a condition makes equal.
struct Link<'r> {
    from: &'r Expression,
    to: &'r Expression,
    /// Whether a FULL JOIN does, so that either of them may be missing where the other is not.
    full: bool,
}

/// Returns which column can stand for which other one. On the optional side of a LEFT JOIN a column is the other side's
/// or missing, so that the other side's stands for it, but not the other way round.
fn links(rows: &Rows) -> Vec<Link<'_>> {
    let mut found = Vec::new();
    for (left, right) in rows.conditions.iter().filter_map(equal_columns) {
        found.push(Link { from: left, to: right, full: false });
        found.push(Link { from: right, to: left, full: false });
    }
    for item in &rows.items {
        let Item::Outer(outer) = item else { continue };
        for (left, right) in outer.on.iter().filter_map(equal_columns) {
            let is_optional = |side: &Expression| match side {
                Expression::Column(column) => outer.right.source_of(column).is_some(),
                _ => false,
            };
            for (from, to) in [(left, right), (right, left)] {
                if outer.full || is_optional(from) {
                    found.push(Link { from, to, full: outer.full });
                }
            }
        }
        found.extend(links(&outer.left));
        // What is equal on the optional side is missing together.
        found.extend(links(&outer.right));
    }
    found
}

/// Returns the two columns that a condition makes equal.
fn equal_columns(condition: &Expression) -> Option<(&Expression, &Expression)> {
    let is_column = |side: &Expression| matches!(side, Expression::Column(_));
    condition.as_infix("=").filter(|(left, right)| is_column(left) && is_column(right))
}

/// Returns the columns that stand for the key, the key among them; with `full`, those of which one does at least.
fn alike(key: &Expression, links: &[Link<'_>], full: bool) -> Vec<Expression> {
    let mut alike = vec![key.clone()];
    let mut next = 0;
    while let Some(one) = alike.get(next).cloned() {
        for link in links.iter().filter(|link| *link.from == one && (full || !link.full)) {
            if !alike.contains(link.to) {
                alike.push(link.to.clone());
            }
        }
        next += 1;
    }
    alike
}

/// Returns whether the value is `coalesce` of all of the columns.
fn is_one_of(value: &Expression, alike: &[Expression]) -> bool {
    matches!(value, Expression::Call { function, arguments }
        if function == "coalesce"
            && arguments.iter().all(|argument| alike.contains(argument))
            && alike.iter().all(|column| arguments.contains(column)))
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
        let is_constant = other.columns().is_empty() && !other.has_aggregate() && !other.has_subquery();
        is_constant.then_some(other)
    })
}
