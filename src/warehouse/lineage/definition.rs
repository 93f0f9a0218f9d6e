//! The definition of a measure as one text, whatever the statement around it looked like.

use sha2::{Digest as _, Sha256};

use super::expression::{Expression, Operator};
use super::measure::Measure;
use super::print;
use super::query::{Block, Item, Output, Query, Relation, Rows};
use crate::typeset::text::hex;

/// The bytes of a definition's hash.
const HASH_BYTES: usize = 8;

/// Returns the definition as SQL: the aggregate over its rows, without keys. Sources and conditions are in an order of
/// their own, and so are the sides of `=` and `<>`.
pub fn text(measure: &Measure) -> Result<String, String> {
    let output = Output { name: String::new(), value: Expression::Aggregate(Box::new(measure.aggregate.clone())) };
    let rows = ordered_sources(&measure.rows);
    let mut block = Block { rows, keys: Some(Vec::new()), outputs: vec![output], ..Block::default() };
    let mut conditions = std::mem::take(&mut block.rows.conditions);
    let printed = |condition: &Expression| print::expression(condition, &block).unwrap_or_default();
    for condition in &mut conditions {
        order_sides(condition, &printed);
    }
    conditions.sort_by_cached_key(|condition| printed(condition));
    conditions.dedup();
    let mut filter = Vec::new();
    if let Expression::Aggregate(aggregate) = &block.outputs[0].value {
        filter.clone_from(&aggregate.filter);
        for condition in &mut filter {
            order_sides(condition, &printed);
        }
        filter.sort_by_cached_key(|condition| printed(condition));
        filter.dedup();
    }
    if let Expression::Aggregate(aggregate) = &mut block.outputs[0].value {
        aggregate.filter = filter;
    }
    block.rows.conditions = conditions;
    print::query(&Query::Block(Box::new(block)))
}

/// Returns the hash of the definition, 16 hexadecimal digits. It changes if the measure's SQL does.
pub fn hash(measure: &Measure) -> Result<String, String> {
    Ok(hex(&Sha256::digest(text(measure)?)[..HASH_BYTES]))
}

/// Returns the rows with their sources in the order of their names, where the order does not matter.
fn ordered_sources(rows: &Rows) -> Rows {
    let mut rows = rows.clone();
    let is_free = |item: &Item| {
        matches!(item, Item::Source(source) if match &source.relation {
            Relation::Table { .. } => true,
            Relation::Query { query, .. } => query.is_closed(),
            Relation::Function { .. } => false,
        })
    };
    if rows.items.iter().all(is_free) {
        rows.items.sort_by_cached_key(name);
    }
    rows
}

fn name(item: &Item) -> String {
    match item {
        Item::Source(source) => match &source.relation {
            Relation::Table { schema, name } => format!("{schema}.{name}"),
            Relation::Query { query, .. } => print::query(query).unwrap_or_default(),
            Relation::Function { function, .. } => function.clone(),
        },
        Item::Outer(_) => String::new(),
    }
}

/// Puts the sides of a comparison that reads the same both ways into the order of their texts.
fn order_sides(condition: &mut Expression, printed: &dyn Fn(&Expression) -> String) {
    if let Expression::Operation { operator: Operator::Infix(sign), operands } = condition
        && matches!(sign.as_str(), "=" | "<>")
    {
        operands.sort_by_cached_key(|operand| printed(operand));
    }
}
