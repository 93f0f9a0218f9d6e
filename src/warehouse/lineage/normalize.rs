//! Queries that say the same are made the same.
//!
//! - A block that only shows another query's rows is that query with other outputs. Its conditions are the inner
//!   block's: on rows where they name keys alone, on groups otherwise.
//! - A block over UNION ALL, or over rows written in the statement, is UNION ALL of blocks where no group spans two
//!   branches: without groups, or where each branch has a constant of its own among the keys (rows turned from columns).

use std::sync::Arc;

use super::expression::{Expression, SourceId};
use super::query::{Block, Distinct, Item, Output, Query, Relation, Rows};
use super::types::type_name;
use crate::warehouse::catalog::Catalog;

/// The most branches into which a block is split.
const BRANCHES_MAX: usize = 32;

/// Returns the query that a block is.
pub(super) fn normalize(query: Query, catalog: &Catalog) -> Query {
    match query {
        Query::Block(mut block) => {
            if let Some(split) = split(&block, catalog) {
                return split;
            }
            if let Some(composed) = composed(&block) {
                return composed;
            }
            move_conditions(&mut block);
            Query::Block(block)
        }
        Query::UnionAll(branches) => flat(branches.into_iter().map(|branch| normalize(branch, catalog))),
        other @ (Query::Values(_) | Query::Unknown(_)) => other,
    }
}

fn flat(branches: impl Iterator<Item = Query>) -> Query {
    let mut all = Vec::new();
    for branch in branches {
        match branch {
            Query::UnionAll(more) => all.extend(more),
            Query::Unknown(reason) => return Query::Unknown(reason),
            one @ (Query::Block(_) | Query::Values(_)) => all.push(one),
        }
    }
    Query::UnionAll(all)
}

/// Moves conditions on groups that name keys alone to the rows: they hold for all rows of a group or for none.
fn move_conditions(block: &mut Block) {
    if block.keys.as_ref().is_none_or(Vec::is_empty) {
        return;
    }
    let (groups, rows) = std::mem::take(&mut block.having)
        .into_iter()
        .partition(|condition| condition.has_aggregate() || condition.has_subquery());
    block.having = groups;
    Arc::make_mut(&mut block.rows).conditions.extend::<Vec<_>>(rows);
}

/// Returns the inner query with the block's outputs, if the block does no more than show its rows.
fn composed(block: &Block) -> Option<Query> {
    let [Item::Source(source)] = block.rows.items.as_slice() else { return None };
    let Relation::Query { query: Query::Block(inner), .. } = &source.relation else { return None };
    let is_whole = !inner.is_cut() && !inner.has_windows() && inner.distinct == Distinct::No;
    let needs_whole = !block.rows.conditions.is_empty() || block.has_windows() || block.is_cut();
    let can_compose = block.keys.is_none()
        && block.distinct == Distinct::No
        && inner.distinct != Distinct::Rows
        && (is_whole || !needs_whole)
        && (inner.keys.is_some() || block.rows.conditions.is_empty());
    if !can_compose {
        return None;
    }
    let mut uses_source = false;
    let parts = block.rows.conditions.iter().chain(block.outputs.iter().map(|output| &output.value));
    for part in parts.filter(|part| part.has_subquery()) {
        uses_source |= part.columns_of_subqueries().iter().any(|column| column.source == source.id);
    }
    if uses_source {
        return None;
    }
    let mut outer = block.clone();
    outer.rows = Rows { items: Vec::new(), conditions: block.rows.conditions.clone() }.into();
    outer.replace(&mut |expression| output_of(expression, source.id, &inner.outputs));
    let mut whole = (**inner).clone();
    whole.outputs = outer.outputs;
    whole.having.extend(Arc::unwrap_or_clone(outer.rows).conditions);
    if outer.limit.is_some() || outer.offset.is_some() {
        (whole.order, whole.limit, whole.offset) = (outer.order, outer.limit, outer.offset);
    }
    move_conditions(&mut whole);
    Some(Query::Block(Box::new(whole)))
}

/// Returns what a column of the source is, if the expression is one.
fn output_of(expression: &Expression, source: SourceId, outputs: &[Output]) -> Option<Expression> {
    match expression {
        Expression::Column(column) if column.source == source => {
            let missing = || Expression::Unknown(format!("{} is not listed", column.name));
            Some(outputs.get(column.index).map_or_else(missing, |output| output.value.clone()))
        }
        _ => None,
    }
}

/// Returns the branches of a block over several branches of rows, if no row or group of it spans two of them.
fn split(block: &Block, catalog: &Catalog) -> Option<Query> {
    if block.distinct != Distinct::No || block.is_cut() || block.has_windows() {
        return None;
    }
    let is_alone = block.rows.items.len() == 1;
    let place = block.rows.items.iter().position(|item| {
        let Item::Source(source) = item else { return false };
        let Some(branches) = branches(source.query()) else { return false };
        match &block.keys {
            None => is_alone && matches!(source.query(), Some(Query::UnionAll(_))),
            Some(keys) => keys.iter().any(|key| tells_apart(key, source.id, &branches)),
        }
    })?;
    let Item::Source(source) = &block.rows.items[place] else { return None };
    let branches = branches(source.query())?;
    if !has_same_types(block, source.id, &branches, catalog) {
        return None;
    }
    Some(flat(
        branches.into_iter().map(|branch| normalize(Query::Block(Box::new(of_branch(block, place, branch))), catalog)),
    ))
}

/// Returns whether the columns of the source that the block computes with have the same type in each branch. UNION ALL
/// would give them one type; taken apart they would keep their own.
fn has_same_types(block: &Block, source: SourceId, branches: &[Block], catalog: &Catalog) -> bool {
    let mut used = Vec::new();
    let mut note = |part: &Expression| {
        used.extend(part.columns().iter().filter(|column| column.source == source).map(|column| column.index));
    };
    block.rows.conditions.iter().chain(&block.having).chain(block.keys.iter().flatten()).for_each(&mut note);
    // A column that is only shown is in UNION ALL again.
    let is_shown = |value: &&Expression| matches!(value, Expression::Column(_));
    block.outputs.iter().map(|output| &output.value).filter(|value| !is_shown(value)).for_each(&mut note);
    used.into_iter().all(|index| {
        let types = branches.iter().map(|branch| type_name(&branch.outputs.get(index)?.value, &branch.rows, catalog));
        let types = types.collect::<Option<Vec<_>>>();
        types.is_some_and(|types| types.windows(2).all(|pair| pair[0] == pair[1]))
    })
}

/// Returns the branches of a query: those of UNION ALL, or a block for each written row.
fn branches(query: Option<&Query>) -> Option<Vec<Block>> {
    let blocks = match query? {
        Query::UnionAll(branches) => branches.iter().map(|branch| match branch {
            Query::Block(block) => Some((**block).clone()),
            Query::UnionAll(_) | Query::Values(_) | Query::Unknown(_) => None,
        }),
        Query::Values(rows) => {
            let block = |row: &Vec<Expression>| {
                let outputs = row.iter().map(|value| Output { name: String::new(), value: value.clone() });
                Block { outputs: outputs.collect(), ..Block::default() }
            };
            return (rows.len() <= BRANCHES_MAX).then(|| rows.iter().map(block).collect());
        }
        Query::Block(_) | Query::Unknown(_) => return None,
    };
    blocks.collect::<Option<Vec<_>>>().filter(|blocks| blocks.len() <= BRANCHES_MAX)
}

/// Returns whether the key is a column of the source that is another constant in each branch.
fn tells_apart(key: &Expression, source: SourceId, branches: &[Block]) -> bool {
    let Expression::Column(column) = key else { return false };
    let mut seen = Vec::new();
    column.source == source
        && branches.iter().all(|branch| {
            let label = branch.outputs.get(column.index).map(|output| &output.value);
            let is_new = matches!(label, Some(Expression::Literal(_))) && !seen.contains(&label);
            seen.push(label);
            is_new
        })
}

/// Returns the block over one branch of the source at `place`.
fn of_branch(block: &Block, place: usize, branch: Block) -> Block {
    let mut whole = block.clone();
    let rows = Arc::make_mut(&mut whole.rows);
    let Item::Source(source) = &mut rows.items[place] else { return whole };
    let id = source.id;
    if !branch.is_plain() {
        if let Relation::Query { query, .. } = &mut source.relation {
            *query = Query::Block(Box::new(branch.clone()));
        }
        // A constant is told here, so that it is one outside too.
        whole.replace(&mut |expression| {
            output_of(expression, id, &branch.outputs).filter(|value| matches!(value, Expression::Literal(_)))
        });
        return whole;
    }
    let own = Arc::unwrap_or_clone(branch.rows);
    rows.items.splice(place..=place, own.items);
    rows.conditions.extend(own.conditions);
    whole.replace(&mut |expression| output_of(expression, id, &branch.outputs));
    whole
}
