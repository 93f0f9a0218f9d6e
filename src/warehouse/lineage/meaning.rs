//! What each column of a block means: its kind, the measures that it is made of, and the keys of each measure.

use super::expression::{Column, Expression, Literal, Operator};
use super::keys::shown;
use super::measure::Measure;
use super::presentation::{Step, is_unit, stripped, stripped_until};
use super::query::{Block, Output, Query, Relation, Source};
use super::trace::{Trace, has_measure};
use super::types;
use crate::warehouse::catalog::Catalog;

/// What a column is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// It says what the row is about.
    Key,
    /// A measure, or arithmetic over measures.
    Measure,
    /// A value that depends on the order of the rows: a running total, a rank.
    Cumulative,
    /// A value of one row of the sources.
    Value,
    /// A date or time.
    Date,
    /// Nothing of the sources reaches it.
    Constant,
    /// It cannot be traced, with the reason.
    Unknown(String),
}

/// What a column means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    pub kind: Kind,
    /// The value, without what only presents it. [`Expression::Measure`] stands for each of the measures.
    pub value: Expression,
    /// What presents the value, from the innermost layer.
    pub steps: Vec<Step>,
    pub measures: Vec<Measure>,
}

/// Returns what each output of the block means.
pub fn of_block(block: &Block, catalog: &Catalog) -> Vec<Meaning> {
    let unknown_rows = block.unknown();
    let of_output = |output: &Output| {
        let is_key = |value: &Expression| block.keys.iter().flatten().any(|key| key == value);
        let (value, steps) = stripped_until(&output.value, is_key);
        let mut meaning = match unknown_rows {
            Some(reason) => unknown(reason),
            None => traced(value, block, catalog),
        };
        meaning.steps = steps;
        for measure in &mut meaning.measures {
            for key in &mut measure.keys {
                key.hold(&block.rows.conditions);
                key.shown = if key.pinned.is_none() { shown(key, block) } else { None };
            }
        }
        if let Some(reason) = hidden_key(&meaning).or_else(|| replaced(&meaning)) {
            meaning.kind = Kind::Unknown(reason);
        }
        meaning
    };
    block.outputs.iter().map(of_output).collect()
}

fn unknown(reason: &str) -> Meaning {
    let kind = Kind::Unknown(reason.to_owned());
    Meaning { kind, value: Expression::Unknown(reason.to_owned()), steps: Vec::new(), measures: Vec::new() }
}

fn hidden_key(meaning: &Meaning) -> Option<String> {
    let mut keys = meaning.measures.iter().flat_map(|measure| &measure.keys);
    keys.any(|key| !key.is_known()).then(|| "a key that groups it is not shown".to_owned())
}

/// Returns why a value that stands for a missing measure, or tells that it is missing, may be wrong: the measure may have
/// a value that is left out.
fn replaced(meaning: &Meaning) -> Option<String> {
    let is_left_out = meaning.measures.iter().any(|measure| measure.left_out);
    let is_replacement = |part: &Expression| {
        matches!(part, Expression::Call { function, .. } if function == "coalesce")
            || matches!(part, Expression::Case { .. } | Expression::Operation { operator: Operator::Postfix(_), .. })
    };
    let is_replaced = meaning.steps.iter().any(|step| matches!(step, Step::Missing(_)))
        || meaning.value.any(&mut |part| is_replacement(part));
    (is_left_out && is_replaced).then(|| "a replacement for a value that may only be left out".to_owned())
}

/// Returns what a value of a block means.
fn traced(value: &Expression, block: &Block, catalog: &Catalog) -> Meaning {
    let mut measures = Vec::new();
    let is_moment = types::is_moment(value, &block.rows, catalog);
    let value = Trace { measures: &mut measures }.value(value, block);
    if let Some(reason) = value.unknown() {
        return unknown(reason);
    }
    let kind = match kind(&value, block) {
        Kind::Measure | Kind::Value if is_moment => Kind::Date,
        other => other,
    };
    Meaning { kind, value, steps: Vec::new(), measures }
}

fn kind(value: &Expression, block: &Block) -> Kind {
    let has = |test: &mut dyn FnMut(&Expression) -> bool| value.any(test);
    let windows = has(&mut |part| matches!(part, Expression::Window(_)));
    let mut loose = Vec::new();
    loose_columns(value, block, &mut loose);
    if windows {
        return Kind::Cumulative;
    }
    if has_measure(value) {
        return if loose.iter().all(|column| is_key(column, block)) { Kind::Measure } else { Kind::Value };
    }
    let columns = value.columns();
    if columns.is_empty() {
        return if value.has_subquery() { Kind::Value } else { Kind::Constant };
    }
    match &block.keys {
        Some(_) if loose.is_empty() => Kind::Key,
        Some(keys) if loose.iter().all(|column| depends(column, keys)) => Kind::Key,
        Some(_) => Kind::Unknown("a column that is neither a key nor aggregated".to_owned()),
        None if columns.iter().all(|column| is_key(column, block)) => Kind::Key,
        None if columns.iter().all(|column| is_constant_column(column, block)) => Kind::Constant,
        None => Kind::Value,
    }
}

/// Collects the columns outside the block's keys.
fn loose_columns<'e>(value: &'e Expression, block: &Block, found: &mut Vec<&'e Column>) {
    if block.keys.iter().flatten().any(|key| key == value) {
        return;
    }
    if let Expression::Column(column) = value {
        found.push(column);
    }
    value.each_child(&mut |child| loose_columns(child, block, found));
}

/// Returns whether PostgreSQL takes the column as depending on the keys: they name its table's primary key.
fn depends(column: &Column, keys: &[Expression]) -> bool {
    keys.iter().any(|key| matches!(key, Expression::Column(known) if known.source == column.source))
}

/// Returns whether the column is a key of the grouped query that its source is.
fn is_key(column: &Column, block: &Block) -> bool {
    let Some(Query::Block(inner)) = block.rows.source_of(column).and_then(Source::query) else {
        return false;
    };
    let Some(output) = inner.outputs.get(column.index) else { return false };
    let value = stripped(&output.value).0;
    match &inner.keys {
        Some(keys) => keys.contains(value) || keys.contains(&output.value),
        None => matches!(value, Expression::Column(column) if is_key(column, inner)),
    }
}

/// Returns whether every row of the source has the same constant there.
fn is_constant_column(column: &Column, block: &Block) -> bool {
    let Some(source) = block.rows.source_of(column) else { return false };
    match &source.relation {
        Relation::Query { query: Query::Block(inner), .. } => inner
            .outputs
            .get(column.index)
            .is_some_and(|output| output.value.columns().is_empty() && !output.value.has_aggregate()),
        Relation::Query { query: Query::Values(_), .. } | Relation::Function { .. } => true,
        Relation::Query { .. } | Relation::Table { .. } => false,
    }
}

/// Returns the literals that can become a part of the value: somebody wrote them, and no table holds them. 0, 1 and steps
/// from one unit to another are none.
pub fn typed(meaning: &Meaning) -> Vec<&Literal> {
    let mut found = Vec::new();
    collect_typed(&meaning.value, &mut found);
    // The argument of an ordered-set aggregate says which quantile it is.
    let measures = meaning.measures.iter().filter(|measure| measure.aggregate.within.is_empty());
    for argument in measures.flat_map(|measure| &measure.aggregate.arguments) {
        collect_typed(argument, &mut found);
    }
    found.extend(meaning.steps.iter().filter_map(|step| match step {
        Step::Missing(literal) => Some(literal),
        _ => None,
    }));
    let is_free = |literal: &Literal| match literal {
        Literal::Number(number) => {
            let plain = match number.split_once('.') {
                Some((whole, rest)) if rest.bytes().all(|digit| digit == b'0') => whole,
                _ => number.as_str(),
            };
            matches!(plain, "" | "0" | "1") || is_unit(&Expression::Literal(literal.clone()))
        }
        _ => false,
    };
    found.retain(|literal| !is_free(literal));
    found
}

fn collect_typed<'e>(value: &'e Expression, found: &mut Vec<&'e Literal>) {
    match value {
        Expression::Literal(literal @ (Literal::Number(_) | Literal::Parameter(_))) => found.push(literal),
        Expression::Case { branches, otherwise, .. } => {
            for (_, value) in branches {
                collect_typed(value, found);
            }
            if let Some(value) = otherwise {
                collect_typed(value, found);
            }
        }
        Expression::Call { function, arguments } if matches!(function.as_str(), "coalesce" | "greatest" | "least") => {
            for argument in arguments {
                collect_typed(argument, found);
            }
        }
        Expression::Operation { operator: Operator::Infix(sign), operands }
            if matches!(sign.as_str(), "+" | "-" | "*" | "/" | "%" | "^") =>
        {
            let operands = operands.iter().filter(|operand| !is_unit(operand));
            operands.for_each(|operand| collect_typed(operand, found));
        }
        Expression::Operation { operator: Operator::Prefix(sign), operands } if sign != "NOT" => {
            for operand in operands {
                collect_typed(operand, found);
            }
        }
        Expression::Cast { value, type_name, .. } => match &**value {
            // A text that is cast is a value that somebody wrote: a date, a number.
            Expression::Literal(literal @ Literal::Text(_)) if !type_name.starts_with("text") => found.push(literal),
            value => collect_typed(value, found),
        },
        // What is computed from constants alone is one.
        Expression::Call { .. } if value.columns().is_empty() && !has_measure(value) => {
            value.visit(&mut |part| {
                if let Expression::Literal(literal @ (Literal::Number(_) | Literal::Text(_))) = part {
                    found.push(literal);
                }
            });
        }
        Expression::Aggregate(aggregate) => {
            for argument in &aggregate.arguments {
                collect_typed(argument, found);
            }
        }
        _ => {}
    }
}
