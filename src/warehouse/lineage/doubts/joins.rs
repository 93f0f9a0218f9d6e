//! Whether a join can multiply the rows that a measure adds up.

use std::collections::BTreeSet;

use super::{Doubt, Look, doubt, table_of};
use crate::warehouse::catalog::Catalog;
use crate::warehouse::lineage::expression::{Expression, SourceId};
use crate::warehouse::lineage::query::{Block, Distinct, Item, Query, Relation, Rows, Source};
use crate::warehouse::lineage::resolve::is_constant;

/// A count, sum or average over rows of one source that another source can repeat.
pub(super) fn multiplied(look: &Look<'_>, keys: &[&Expression]) -> Option<Doubt> {
    let aggregate = look.aggregate;
    if aggregate.distinct || !matches!(aggregate.function.as_str(), "count" | "sum" | "avg" | "stddev" | "variance") {
        return None;
    }
    let sources = look.rows.sources();
    let equal = look.rows.equalities();
    // A share counts rows, wherever its condition stands.
    let valued = aggregate.arguments.iter().filter(|value| !is_of_condition(value));
    let named = valued.flat_map(Expression::columns).map(|column| column.source).collect::<BTreeSet<_>>();
    let starts = sources.iter().filter(|source| named.is_empty() || named.contains(&source.id));
    let repeated = starts.map(|start| repeating(start, &sources, &equal, look.catalog, keys));
    let fewest = repeated.min_by_key(Vec::len).filter(|repeating| !repeating.is_empty())?;
    Some(doubt(
        "multiplied",
        format!(
            "A join may count a row several times: there can be more than one row of {} for it.",
            fewest.join(", ")
        ),
    ))
}

/// Returns whether a value is a condition as 1 or 0.
fn is_of_condition(value: &Expression) -> bool {
    matches!(value, Expression::Cast { value, .. } if value.is_condition())
}

/// Returns the source for each row of which there is one row at most of every other source; `None` if there is none.
pub(crate) fn grain<'r>(rows: &'r Rows, catalog: &Catalog) -> Option<&'r Source> {
    let (sources, equal) = (rows.sources(), rows.equalities());
    sources.iter().find(|start| repeating(start, &sources, &equal, catalog, &[]).is_empty()).copied()
}

/// Returns whether at most one foreign key leads from a table to another, so that it need not be said which one joins
/// them.
pub(crate) fn is_only_way(main: &Source, other: &Source, catalog: &Catalog) -> bool {
    let (Some((schema, name)), Some((to_schema, to_name))) = (table_of(main), table_of(other)) else { return true };
    let keys = catalog.table(Some(schema), name).map(|table| table.foreign_keys.as_slice()).unwrap_or_default();
    keys.iter().filter(|key| (key.schema.as_str(), key.table.as_str()) == (to_schema, to_name)).count() <= 1
}

/// Returns whether a source is on the side of an outer join that may have no row.
pub(crate) fn is_optional(source: SourceId, rows: &Rows) -> bool {
    let mut optional = Vec::new();
    rows.items.iter().for_each(|item| optional_of(item, &mut optional));
    optional.contains(&source)
}

/// Collects the sources of which an outer join may find no row.
fn optional_of(item: &Item, found: &mut Vec<SourceId>) {
    let Item::Outer(outer) = item else { return };
    found.extend(outer.right.sources().iter().map(|source| source.id));
    if outer.full {
        found.extend(outer.left.sources().iter().map(|source| source.id));
    }
    outer.left.items.iter().chain(&outer.right.items).for_each(|item| optional_of(item, found));
}

/// Returns whether each row of a table has a row of another one: a valid foreign key without NULL leads there, and the
/// rows are joined by it.
pub(crate) fn is_referred(main: &Source, other: &Source, rows: &Rows, catalog: &Catalog) -> bool {
    let table = |source: &Source| match &source.relation {
        Relation::Table { schema, name } => catalog.table(Some(schema), name),
        Relation::Query { .. } | Relation::Function { .. } => None,
    };
    let (Some(from), Some(to)) = (table(main), table(other)) else { return false };
    let is_joined = |column: &str, referred: &str| {
        rows.equalities().into_iter().any(|(left, right)| {
            let is = |side: &Expression, source: &Source, name: &str| {
                matches!(side, Expression::Column(column) if column.source == source.id && column.name == name)
            };
            is(left, main, column) && is(right, other, referred) || is(right, main, column) && is(left, other, referred)
        })
    };
    from.foreign_keys.iter().filter(|key| key.is_valid && (&key.schema, &key.table) == (&to.schema, &to.name)).any(
        |key| {
            let is_known = |name: &String| from.column(name).is_some_and(|column| !column.nullable);
            key.columns.iter().all(is_known)
                && key.columns.iter().zip(&key.referred).all(|(column, referred)| is_joined(column, referred))
        },
    )
}

/// Returns the sources of which there may be several rows for one row of `start`.
fn repeating(
    start: &Source,
    sources: &[&Source],
    equal: &[(&Expression, &Expression)],
    catalog: &Catalog,
    keys: &[&Expression],
) -> Vec<String> {
    let mut known = BTreeSet::from([start.id]);
    loop {
        let next = sources.iter().find(|source| {
            !known.contains(&source.id) && (is_single(source, &known, equal, catalog) || is_one_a_group(source, keys))
        });
        match next {
            Some(source) => known.insert(source.id),
            None => break,
        };
    }
    sources.iter().filter(|source| !known.contains(&source.id)).map(|source| name(source)).collect()
}

/// Returns whether a key tells the rows of a source apart that the statement writes or counts: within a group there is
/// one of them.
fn is_one_a_group(source: &Source, keys: &[&Expression]) -> bool {
    let is_written = match &source.relation {
        Relation::Query { query: Query::Values(_), .. } => true,
        Relation::Function { function, .. } => function == "generate_series",
        Relation::Query { .. } | Relation::Table { .. } => false,
    };
    is_written
        && keys.iter().any(|key| key.columns().iter().any(|column| column.source == source.id && column.index == 0))
}

/// Returns whether there is at most one row of the source for known rows: its key equals what is known.
fn is_single(
    source: &Source,
    known: &BTreeSet<SourceId>,
    equal: &[(&Expression, &Expression)],
    catalog: &Catalog,
) -> bool {
    let is_known = |expression: &Expression| {
        is_constant(expression) || expression.columns().iter().all(|column| known.contains(&column.source))
    };
    let is_held = |index: usize, name: &str| {
        let is_it = |side: &Expression| matches!(side, Expression::Column(column) if column.source == source.id && column.index == index && column.name == name);
        equal.iter().any(|(left, right)| is_it(left) && is_known(right) || is_it(right) && is_known(left))
    };
    match &source.relation {
        Relation::Table { schema, name } => {
            let Some(table) = catalog.table(Some(schema), name) else { return false };
            let place = |key: &String| table.columns.iter().position(|column| column.name == *key);
            let are_held =
                |key: &[String]| key.iter().all(|column| place(column).is_some_and(|index| is_held(index, column)));
            table.unique_keys().any(are_held)
        }
        Relation::Query { query: Query::Block(inner), names } => {
            let held = |index: usize| names.get(index).is_some_and(|name| is_held(index, name));
            is_single_block(inner, &held)
        }
        Relation::Query { query: Query::Values(rows), .. } => rows.len() <= 1,
        Relation::Query { .. } | Relation::Function { .. } => false,
    }
}

/// Returns whether the block has at most one row where the columns for which `held` returns true have one value.
fn is_single_block(block: &Block, held: &dyn Fn(usize) -> bool) -> bool {
    let shown = |key: &Expression| block.outputs.iter().position(|output| output.value == *key);
    let is_held = |key: &Expression| is_constant(key) || shown(key).is_some_and(held);
    match (&block.keys, &block.distinct) {
        (Some(keys), _) | (None, Distinct::On(keys)) => keys.iter().all(is_held),
        (None, Distinct::Rows) => (0..block.outputs.len()).all(held),
        (None, Distinct::No) => false,
    }
}

fn name(source: &Source) -> String {
    match &source.relation {
        Relation::Table { name, .. } => name.clone(),
        Relation::Query { .. } => "a query".to_owned(),
        Relation::Function { function, .. } => function.clone(),
    }
}
