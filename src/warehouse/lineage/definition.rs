//! The definition of a measure as one text, whatever the statement around it looked like.

use sha2::{Digest as _, Sha256};

use super::expression::{Aggregate, Expression, Operator};
use super::measure::Measure;
use super::print;
use super::query::{Block, Item, Output, Query, Relation, Rows, Source, is_link};
use crate::typeset::text::hex;

/// The bytes of a definition's hash.
const HASH_BYTES: usize = 8;

/// A measure without its conditions, as text: two measures with the same base differ in conditions and keys alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The aggregate over its joined sources, as SQL.
    pub text: String,
    /// The sources in an order of their own; it names them in what is printed.
    block: Block,
}

impl Base {
    /// Returns the base of a measure, or why it cannot be printed.
    pub fn of(measure: &Measure) -> Result<Self, String> {
        let mut rows = ordered_sources(&measure.rows);
        rows.conditions.clear();
        let names = Block { rows: rows.into(), ..Block::default() };
        let links = measure.rows.conditions.iter().filter(|condition| is_link(condition)).cloned().collect::<Vec<_>>();
        let rows = Rows { conditions: ordered(&links, &names), ..(*names.rows).clone() }.into();
        let value = Expression::Aggregate(Box::new(Aggregate { filter: Vec::new(), ..measure.aggregate.clone() }));
        let outputs = vec![Output { name: String::new(), value }];
        let whole = Block { rows, keys: Some(Vec::new()), outputs, ..Block::default() };
        let text = print::query(&Query::Block(Box::new(whole)))?;
        Ok(Self { text, block: names })
    }

    /// Returns an expression over the measure's rows as SQL, the same for each measure with this base.
    pub fn print(&self, expression: &Expression) -> Result<String, String> {
        let mut expression = expression.clone();
        order_sides(&mut expression, &|part| print::expression(part, &self.block).unwrap_or_default());
        print::expression(&expression, &self.block)
    }
}

/// Returns the definition as SQL: the aggregate over its rows, without keys. Sources and conditions are in an order of
/// their own, and so are the sides of `=` and `<>`.
pub fn text(measure: &Measure) -> Result<String, String> {
    let rows = ordered_sources(&measure.rows);
    let names = Block { rows: rows.into(), ..Block::default() };
    let mut rows = (*names.rows).clone();
    rows.conditions = ordered(&measure.rows.conditions, &names);
    rows.items.iter_mut().for_each(|item| order_joins(item, &names));
    let filter = ordered(&measure.aggregate.filter, &names);
    let value = Expression::Aggregate(Box::new(Aggregate { filter, ..measure.aggregate.clone() }));
    let outputs = vec![Output { name: String::new(), value }];
    let block = Block { rows: rows.into(), keys: Some(Vec::new()), outputs, ..Block::default() };
    print::query(&Query::Block(Box::new(block)))
}

/// Returns the hash of the definition, 16 hexadecimal digits. It changes if the measure's SQL does.
pub fn hash(measure: &Measure) -> Result<String, String> {
    Ok(hex(&Sha256::digest(text(measure)?)[..HASH_BYTES]))
}

/// Returns an expression over one source as SQL, whatever other sources are joined to it; `None` if it names another one, or
/// cannot be printed.
pub fn alone(expression: &Expression, source: &Source) -> Option<String> {
    if expression.columns().iter().any(|column| column.source != source.id) || expression.has_subquery() {
        return None;
    }
    let rows = Rows { items: vec![Item::Source(source.clone())], conditions: Vec::new() };
    let block = Block { rows: rows.into(), ..Block::default() };
    let mut expression = expression.clone();
    order_sides(&mut expression, &|part| print::expression(part, &block).unwrap_or_default());
    print::expression(&expression, &block).ok()
}

/// Returns the aggregate of a measure over one source, without its conditions, as [`alone`] prints it.
pub fn value_alone(measure: &Measure, source: &Source) -> Option<String> {
    let aggregate = Aggregate { filter: Vec::new(), ..measure.aggregate.clone() };
    alone(&Expression::Aggregate(Box::new(aggregate)), source)
}

/// Returns conditions in the order of their texts, each once. `block` names the sources.
fn ordered(conditions: &[Expression], block: &Block) -> Vec<Expression> {
    let printed = |part: &Expression| print::expression(part, block).unwrap_or_default();
    let mut conditions = conditions.to_vec();
    for condition in &mut conditions {
        order_sides(condition, &printed);
    }
    conditions.sort_by_cached_key(printed);
    conditions.dedup();
    conditions
}

/// Puts the conditions of outer joins, also within each other, into the order of their texts.
fn order_joins(item: &mut Item, names: &Block) {
    let Item::Outer(outer) = item else { return };
    outer.on = ordered(&outer.on, names);
    for side in [&mut outer.left, &mut outer.right] {
        side.conditions = ordered(&side.conditions, names);
        side.items.iter_mut().for_each(|item| order_joins(item, names));
    }
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
