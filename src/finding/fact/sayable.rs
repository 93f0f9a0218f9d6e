//! Of which measures something can be said, and what their numbers are of.

use crate::finding::wording::yes_or_no;
use crate::finding::workbook::Workbook;
use crate::warehouse::catalog::{Catalog, Role, ValueKind};
use crate::warehouse::lineage::conversion;
use crate::warehouse::lineage::doubts::joins;
use crate::warehouse::lineage::expression::{Column, Expression, Literal, Operator};
use crate::warehouse::lineage::measure::Measure;
use crate::warehouse::lineage::query::{Item, Query, Relation, Rows, Source};
use crate::warehouse::lineage::{is_text, type_name};

use super::quantity::is_numeric;

/// Functions whose result depends on when the query runs.
const NOW: &[&str] =
    &["now", "current_date", "current_timestamp", "localtimestamp", "statement_timestamp", "transaction_timestamp"];

/// Functions whose texts only say which part or format of a date is meant.
const DATES: &[&str] = &["date_trunc", "to_char", "extract", "date_part", "timezone", "btrim", "lower", "upper"];

/// Returns why nothing can be stated of a measure, and what to write instead.
pub(super) fn unsayable(measure: &Measure, catalog: &Catalog) -> Option<String> {
    let arguments =
        || measure.aggregate.arguments.iter().chain(measure.aggregate.within.iter().map(|order| &order.key));
    let keys = || measure.keys.iter().map(|key| &key.key);
    let all = || arguments().chain(keys()).chain(&measure.rows.conditions).chain(&measure.aggregate.filter);
    let is_now =
        |part: &Expression| matches!(part, Expression::Call { function, .. } if NOW.contains(&function.as_str()));
    if all().any(|part| part.any(&mut |part| is_now(part))) {
        return Some("depends on the moment at which it runs: write the date, as in DATE '2025-11-30'".to_owned());
    }
    if arguments().chain(keys()).any(Expression::has_subquery) {
        return Some("has the value of another query inside: join that query by its keys".to_owned());
    }
    let conditions = || measure.rows.conditions.iter().chain(&measure.aggregate.filter).chain(keys());
    if conditions().any(|condition| condition.any(&mut |part| hides_its_row(part, &measure.rows))) {
        return Some(
            "has an EXISTS or IN that depends on the row through a computed column or over several tables: join that query by \
             its keys"
                .to_owned(),
        );
    }
    if !measure.rows.sources().into_iter().any(reaches_table) {
        return Some("reaches no table: it counts what the statement wrote".to_owned());
    }
    let is_written = |value: &Expression| {
        let columns = value.columns();
        !columns.is_empty()
            && columns.iter().all(|column| match measure.rows.source_of(column).map(|source| &source.relation) {
                Some(Relation::Query { query: Query::Values(_), .. } | Relation::Function { .. }) => true,
                Some(Relation::Query { .. } | Relation::Table { .. }) | None => false,
            })
    };
    if arguments().any(is_written) {
        return Some("is of rows that the statement wrote: no table holds them".to_owned());
    }
    let counts_answers = |argument: &Expression| {
        let is_case =
            matches!(argument, Expression::Case { otherwise: Some(value), .. } if **value != Expression::null());
        measure.aggregate.function == "count" && !measure.aggregate.distinct && (argument.is_condition() || is_case)
    };
    if arguments().any(counts_answers) {
        return Some("counts true and false alike: use count(*) FILTER (WHERE ...)".to_owned());
    }
    if all().any(|part| part.any(&mut |part| is_field(part))) {
        return Some(
            "takes one field of an interval, not its length: write extract(epoch FROM a - b) / 60 for minutes"
                .to_owned(),
        );
    }
    if arguments().any(|argument| is_over_totals(argument, &measure.rows)) {
        return Some(
            "is over running totals, which hold each row several times: aggregate the rows themselves".to_owned(),
        );
    }
    let takes_extreme = matches!(measure.aggregate.function.as_str(), "min" | "max" | "mode" | "percentile_disc");
    let is_of_text = |part: &Expression| is_text(type_name(part, &measure.rows, catalog).as_deref());
    if takes_extreme && arguments().any(is_of_text) {
        return Some("is of texts, which are no numbers: cast what it is of to numeric or date".to_owned());
    }
    let writes_text = |part: &Expression| match part {
        Expression::Call { function, arguments } if !DATES.contains(&function.as_str()) => {
            arguments.iter().any(|argument| matches!(argument, Expression::Literal(Literal::Text(_))))
        }
        Expression::Operation { operator: Operator::Infix(sign), operands } if sign == "||" => {
            operands.iter().any(|operand| matches!(operand, Expression::Literal(Literal::Text(_))))
        }
        _ => false,
    };
    if keys().any(|key| is_label(key, &measure.rows)) {
        return Some(
            "is grouped by a label that the statement wrote: ask for each part in a query of its own".to_owned(),
        );
    }
    if keys().any(|key| key.any(&mut |part| writes_text(part))) {
        return Some("has a key of which the statement wrote a part: group by the column itself".to_owned());
    }
    None
}

/// Returns whether a key is a text that the statement wrote for each part of a UNION ALL.
fn is_label(key: &Expression, rows: &Rows) -> bool {
    let Expression::Column(column) = key else { return false };
    let Some(Relation::Query { query: Query::UnionAll(branches), .. }) =
        rows.source_of(column).map(|source| &source.relation)
    else {
        return false;
    };
    branches.iter().any(|branch| branch.writes_text(column.index))
}

/// Returns whether a query inside depends on the row around it in a way that words do not tell: by a column that the
/// statement computes, or beside a join of its own.
fn hides_its_row(part: &Expression, rows: &Rows) -> bool {
    let Expression::Subquery(subquery) = part else { return false };
    let outer = part.columns_of_subqueries().into_iter().filter_map(|column| rows.source_of(column));
    let mut outer = outer.peekable();
    if outer.peek().is_none() {
        return false;
    }
    let is_joined = match &subquery.query {
        Query::Block(block) => block.rows.sources().len() > 1,
        Query::UnionAll(_) | Query::Values(_) | Query::Unknown(_) => true,
    };
    is_joined || outer.any(|source| !matches!(source.relation, Relation::Table { .. }))
}

/// Returns whether a value is a running total of a query inside.
fn is_over_totals(value: &Expression, rows: &Rows) -> bool {
    value.columns().into_iter().any(|column| match rows.source_of(column).map(|source| &source.relation) {
        Some(Relation::Query { query: Query::Block(inner), .. }) => {
            inner.outputs.get(column.index).is_some_and(|output| output.value.any(&mut |part| is_total(part)))
        }
        _ => false,
    })
}

/// Returns whether it is a running total: a sum or count over a window with an order.
fn is_total(part: &Expression) -> bool {
    matches!(part, Expression::Window(window)
        if matches!(window.function.function.as_str(), "sum" | "count") && !window.order.is_empty())
}

/// Returns whether it is one field of an interval, such as the days beside its months.
fn is_field(part: &Expression) -> bool {
    let Expression::Call { function, arguments } = part else { return false };
    let ("extract" | "date_part", [Expression::Literal(Literal::Text(field)), value]) =
        (function.as_str(), arguments.as_slice())
    else {
        return false;
    };
    let is_between = |end: &Expression, start: &Expression| !end.columns().is_empty() && !start.columns().is_empty();
    match value {
        Expression::Call { function, .. } if function == "age" => !field.starts_with("epoch"),
        other => {
            let is_part = matches!(
                field.as_str(),
                "minute" | "minutes" | "hour" | "hours" | "second" | "seconds" | "day" | "days"
            );
            is_part && other.as_infix("-").is_some_and(|(end, start)| is_between(end, start))
        }
    }
}

/// Returns whether what the measure is of belongs to a source of which several rows are the same: they are no independent
/// cases.
pub(super) fn is_clustered(plain: &Measure, book: &Workbook) -> bool {
    let sources = plain.rows.sources();
    let Some(grain) = joins::grain(&plain.rows, &book.catalog).filter(|_| sources.len() > 1) else {
        return sources.len() > 1;
    };
    let rates = conversion::rates(&plain.rows, &book.catalog);
    let parts = plain.aggregate.arguments.iter().chain(&plain.aggregate.filter);
    let columns = parts.map(|part| conversion::columns(part, &rates));
    columns
        .flat_map(|columns| columns.converted.into_iter().chain(columns.others))
        .any(|column| column.source != grain.id)
}

/// Returns whether a table is read by a source, or within it.
fn reaches_table(source: &Source) -> bool {
    let within = |query: &Query| match query {
        Query::Block(block) => block.rows.sources().into_iter().any(reaches_table),
        Query::UnionAll(branches) => branches.iter().any(|branch| match branch {
            Query::Block(block) => block.rows.sources().into_iter().any(reaches_table),
            Query::UnionAll(_) | Query::Values(_) | Query::Unknown(_) => false,
        }),
        Query::Values(_) | Query::Unknown(_) => false,
    };
    match &source.relation {
        Relation::Table { .. } => true,
        Relation::Query { query, .. } => within(query),
        Relation::Function { .. } => false,
    }
}

/// Returns whether each source is joined to another one by equal columns, or is the only one.
pub(super) fn is_joined(measure: &Measure) -> bool {
    let items = &measure.rows.items;
    if !items.iter().all(is_outer_joined) {
        return false;
    }
    if items.len() < 2 {
        return true;
    }
    let sources = |item: &Item| match item {
        Item::Source(source) => vec![source.id],
        Item::Outer(outer) => {
            outer.left.sources().iter().chain(&outer.right.sources()).map(|source| source.id).collect()
        }
    };
    let members = items.iter().map(sources).collect::<Vec<_>>();
    let mut reached = vec![0];
    let mut next = 0;
    while let Some(from) = reached.get(next).copied() {
        for (left, right) in measure.rows.equalities() {
            let (Expression::Column(left), Expression::Column(right)) = (left, right) else { continue };
            for (one, other) in [(left, right), (right, left)] {
                let to = members.iter().position(|sources| sources.contains(&other.source));
                if let Some(to) = to.filter(|to| members[from].contains(&one.source) && !reached.contains(to)) {
                    reached.push(to);
                }
            }
        }
        next += 1;
    }
    reached.len() == items.len()
}

/// Returns whether the sides of an outer join, and of those within it, are joined by equal columns.
fn is_outer_joined(item: &Item) -> bool {
    let Item::Outer(outer) = item else { return true };
    let belongs =
        |rows: &Rows, column: &crate::warehouse::lineage::expression::Column| rows.source_of(column).is_some();
    let joins = |condition: &Expression| match condition.as_infix("=") {
        Some((Expression::Column(one), Expression::Column(other))) => {
            belongs(&outer.left, one) && belongs(&outer.right, other)
                || belongs(&outer.left, other) && belongs(&outer.right, one)
        }
        _ => false,
    };
    let is_joined = outer.on.iter().chain(&outer.right.conditions).any(joins);
    is_joined && outer.left.items.iter().chain(&outer.right.items).all(is_outer_joined)
}

/// Returns the unit of what is added up or averaged, as the metadata name it.
pub(super) fn unit_of(measure: &Measure, book: &Workbook) -> Option<String> {
    if !matches!(
        measure.aggregate.function.as_str(),
        "sum" | "avg" | "min" | "max" | "percentile_cont" | "percentile_disc"
    ) {
        return None;
    }
    let value = measure.aggregate.within.first().map(|order| &order.key).or(measure.aggregate.arguments.first())?;
    if let Some(currency) = converted_into(value, measure, book) {
        return Some(currency);
    }
    let Expression::Column(column) = value else { return None };
    match &measure.rows.source_of(column)?.relation {
        Relation::Table { schema, name } => {
            let table = book.catalog.table(Some(schema), name)?;
            let column = table.column(&column.name)?;
            let is_quantity = !matches!(column.role, Some(Role::Identifier | Role::Entity));
            column.unit.clone().filter(|_| is_quantity)
        }
        Relation::Query { query: Query::Block(_), .. } | Relation::Query { .. } | Relation::Function { .. } => None,
    }
}

/// Returns whether the value is a column of a table, not of a query that computes it.
pub(super) fn is_of_table(value: &Expression, measure: &Measure) -> bool {
    value.columns().into_iter().all(|column| {
        matches!(measure.rows.source_of(column).map(|source| &source.relation), Some(Relation::Table { .. }))
    })
}

/// Returns whether a table of the measure has a row for each date: the date is a part of its key.
pub(super) fn is_dated(measure: &Measure, book: &Workbook) -> bool {
    let rates = conversion::rates(&measure.rows, &book.catalog);
    let mut sources = measure.rows.sources().into_iter().filter(|source| !conversion::is_of(&rates, source));
    sources.any(|source| match &source.relation {
        Relation::Table { schema, name } => book.catalog.table(Some(schema), name).is_some_and(|table| {
            let is_moment =
                |name: &String| table.column(name).is_some_and(|column| column.kind_read() == ValueKind::Moment);
            table.primary_key.iter().any(is_moment)
        }),
        Relation::Query { .. } | Relation::Function { .. } => false,
    })
}

/// Returns what numbers that can be added to this one have in common: the unit, or the one column that they are made of.
pub(super) fn adds_with(measure: &Measure, book: &Workbook) -> Option<String> {
    let [argument] = measure.aggregate.arguments.as_slice() else { return None };
    unit_or_column(argument, measure, book)
}

/// Returns the currency into which a value converts an amount.
fn converted_into(value: &Expression, measure: &Measure, book: &Workbook) -> Option<String> {
    let rates = conversion::rates(&measure.rows, &book.catalog);
    conversion::converted(value, &rates).map(|(_, currency)| currency.to_owned())
}

/// Returns the unit or the column of a value that is made of one unit.
fn unit_or_column(value: &Expression, measure: &Measure, book: &Workbook) -> Option<String> {
    if let Some(currency) = converted_into(value, measure, book) {
        return Some(format!("in {currency}"));
    }
    match value {
        Expression::Column(column) => match &measure.rows.source_of(column)?.relation {
            Relation::Table { schema, name } => {
                let unit = book.catalog.table(Some(schema), name)?.column(&column.name)?.unit.clone();
                unit.map(|unit| format!("in {unit}")).or_else(|| Some(format!("{schema}.{name}.{}", column.name)))
            }
            Relation::Query { .. } | Relation::Function { .. } => None,
        },
        Expression::Operation { operator: Operator::Infix(sign), operands } if matches!(sign.as_str(), "+" | "-") => {
            let units =
                operands.iter().map(|operand| unit_or_column(operand, measure, book)).collect::<Option<Vec<_>>>()?;
            let first = units.first()?.clone();
            units.iter().all(|unit| *unit == first).then_some(first)
        }
        Expression::Cast { value, type_name, .. } if is_numeric(type_name) => unit_or_column(value, measure, book),
        _ => None,
    }
}

/// Ends of names by which a guess that a column identifies something is believed.
const IDENTIFIER_ENDS: &[&str] = &["id", "code", "number", "no", "key"];

/// Returns whether the measure is the share of the rows that meet a condition.
pub(super) fn is_of_condition(measure: &Measure) -> bool {
    let aggregate = &measure.aggregate;
    aggregate.function == "avg" && !aggregate.distinct && aggregate.arguments.first().and_then(yes_or_no).is_some()
}

/// Returns whether the aggregate is over numbers of an identifier, which are no quantity.
pub(super) fn is_of_identifiers(measure: &Measure, book: &Workbook) -> bool {
    let is_identifier = |column: &&Column| {
        let Some(Relation::Table { schema, name }) = measure.rows.source_of(column).map(|source| &source.relation)
        else {
            return false;
        };
        let Some(table) = book.catalog.table(Some(schema), name) else { return false };
        let Some(known) = table.column(&column.name) else { return false };
        let is_key = table.primary_key.contains(&known.name)
            || table.foreign_keys.iter().any(|key| key.columns.contains(&known.name));
        let last_word = known.name.rsplit('_').next().unwrap_or_default().to_lowercase();
        let is_certain = !known.role_guessed || is_key || IDENTIFIER_ENDS.contains(&last_word.as_str());
        matches!(known.role, Some(Role::Identifier | Role::Entity)) && is_certain
    };
    let adds = matches!(measure.aggregate.function.as_str(), "sum" | "avg");
    // Whether there is one, or which one it is, is no number of it.
    let numbers = measure.aggregate.arguments.iter().filter(|argument| yes_or_no(argument).is_none());
    adds && numbers.flat_map(Expression::columns).any(|column| is_identifier(&column))
}
