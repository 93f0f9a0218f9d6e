//! Whether all rows and groups are there that the conditions allow.

use std::collections::BTreeSet;

use super::expression::Expression;
use super::query::{Block, Distinct, Query, Rows, Source};

/// Why rows or groups are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// LIMIT or OFFSET.
    Limit,
    /// Only the first rows of each group are kept: DISTINCT ON, or a place in a window.
    First,
    /// A condition on a measure: HAVING, or WHERE around a grouped query.
    Measure,
}

/// Returns the cuts of the rows that a block shows.
pub fn of_block(block: &Block) -> BTreeSet<Cut> {
    let mut cuts = of_rows(&block.rows);
    if block.limit.is_some() || block.offset.is_some() {
        cuts.insert(Cut::Limit);
    }
    if matches!(block.distinct, Distinct::On(_)) {
        cuts.insert(Cut::First);
    }
    if !block.having.is_empty() {
        cuts.insert(Cut::Measure);
    }
    cuts
}

/// Returns the cuts of the rows that a measure is computed from.
pub fn of_rows(rows: &Rows) -> BTreeSet<Cut> {
    let mut cuts = BTreeSet::new();
    for query in rows.sources().into_iter().filter_map(Source::query) {
        of_query(query, &mut cuts);
    }
    for column in rows.conditions.iter().flat_map(Expression::columns) {
        let source = rows.source_of(column).and_then(Source::query);
        let Some(Query::Block(inner)) = source else { continue };
        let Some(output) = inner.outputs.get(column.index) else { continue };
        if is_place(&output.value) {
            cuts.insert(Cut::First);
        } else if output.value.has_aggregate() {
            cuts.insert(Cut::Measure);
        }
    }
    cuts
}

/// Returns whether the value is a place in an order.
fn is_place(value: &Expression) -> bool {
    value.any(&mut |part| match part {
        Expression::Window(window) => {
            matches!(window.function.function.as_str(), "row_number" | "rank" | "dense_rank" | "percent_rank" | "ntile")
        }
        _ => false,
    })
}

fn of_query(query: &Query, cuts: &mut BTreeSet<Cut>) {
    match query {
        Query::Block(block) => cuts.extend(of_block(block)),
        Query::UnionAll(branches) => branches.iter().for_each(|branch| of_query(branch, cuts)),
        Query::Values(_) | Query::Unknown(_) => {}
    }
}
