//! Amounts that a statement converts into one currency, by rates that people declared.

use super::expression::{Column, Expression, Literal};
use super::query::{Relation, Rows, Source};
use crate::warehouse::catalog::{self, Catalog, Role, Table};

/// A rate that is joined to the rows whose amounts it converts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rate {
    column: Column,
    /// The column of the currency, beside the amounts.
    currency: Column,
    /// The currency into which it converts.
    unit: String,
}

/// The columns of a value, but those of rates and currencies by which it converts amounts.
#[derive(Debug, Default)]
pub(crate) struct Columns<'e> {
    /// Those of the amounts that it converts.
    pub(crate) converted: Vec<&'e Column>,
    pub(crate) others: Vec<&'e Column>,
}

/// Returns the rates that are joined as their declaration says.
pub(crate) fn rates(rows: &Rows, catalog: &Catalog) -> Vec<Rate> {
    let sources = rows.sources();
    let tables = sources.iter().filter_map(|source| Some((*source, table_of(source, catalog)?))).collect::<Vec<_>>();
    let pairs = tables.iter().flat_map(|own| tables.iter().map(move |other| (own, other)));
    pairs.filter_map(|(own, other)| rate(*own, *other, rows)).collect()
}

/// Returns whether one of the rates is of this source.
pub(crate) fn is_of(rates: &[Rate], source: &Source) -> bool {
    rates.iter().any(|rate| rate.column.source == source.id)
}

/// Returns the amount that a value converts, and the currency into which it does.
pub(crate) fn converted<'e, 'r>(value: &'e Expression, rates: &'r [Rate]) -> Option<(&'e Expression, &'r str)> {
    if let Expression::Case { operand: None, branches, otherwise: Some(otherwise) } = value {
        // What is in that currency already needs no rate.
        let [(condition, amount)] = branches.as_slice() else { return None };
        let (other, rate) = by_rate(otherwise, rates)?;
        return (amount == other && rate.is_of_unit(condition)).then_some((amount, rate.unit.as_str()));
    }
    by_rate(value, rates).map(|(amount, rate)| (amount, rate.unit.as_str()))
}

/// Returns the columns of a value.
pub(crate) fn columns<'e>(value: &'e Expression, rates: &[Rate]) -> Columns<'e> {
    if let Some((amount, _)) = converted(value, rates) {
        return Columns { converted: amount.columns(), others: Vec::new() };
    }
    let mut found = Columns::default();
    if let Expression::Column(column) = value {
        found.others.push(column);
    }
    value.each_child(&mut |child| {
        let Columns { converted, others } = columns(child, rates);
        found.converted.extend(converted);
        found.others.extend(others);
    });
    found
}

fn by_rate<'e, 'r>(value: &'e Expression, rates: &'r [Rate]) -> Option<(&'e Expression, &'r Rate)> {
    let (left, right) = value.as_infix("*")?;
    [(left, right), (right, left)].into_iter().find_map(|(amount, rate)| {
        let Expression::Column(rate) = rate else { return None };
        let rate = rates.iter().find(|known| known.column == *rate)?;
        let is_own = amount.columns().iter().all(|column| column.source == rate.currency.source);
        is_own.then_some((amount, rate))
    })
}

impl Rate {
    /// Returns whether a condition says that an amount is in the currency into which the rate converts.
    fn is_of_unit(&self, condition: &Expression) -> bool {
        let is_unit =
            |side: &Expression| matches!(side, Expression::Literal(Literal::Text(text)) if *text == self.unit);
        let is_currency = |side: &Expression| matches!(side, Expression::Column(column) if *column == self.currency);
        condition
            .as_infix("=")
            .is_some_and(|(left, right)| is_currency(left) && is_unit(right) || is_unit(left) && is_currency(right))
    }
}

/// Returns the rate of a table for the amounts of another one, if it is declared and the two are joined so.
fn rate((own, table): (&Source, &Table), (other, rates): (&Source, &Table), rows: &Rows) -> Option<Rate> {
    let declared = table.declared.currency.as_ref().filter(|declared| is_in(declared, rates))?;
    let column = |source: &Source, table: &Table, name: &str| {
        let index = table.columns.iter().position(|column| column.name == name)?;
        Some(Column { source: source.id, index, name: name.to_owned() })
    };
    let currency = column(own, table, &declared.column)?;
    let code = column(other, rates, &declared.rates.currency)?;
    let equal = rows.equalities();
    let is_joined = |column: &Column, is_partner: &dyn Fn(&Expression) -> bool| {
        let is_it = |side: &Expression| matches!(side, Expression::Column(known) if known == column);
        equal.iter().any(|(left, right)| is_it(left) && is_partner(right) || is_it(right) && is_partner(left))
    };
    let is_of_currency = is_joined(&code, &|side| matches!(side, Expression::Column(column) if *column == currency));
    let is_date = |known: &&Column| {
        known.source == own.id && table.columns.get(known.index).is_some_and(|column| column.role == Some(Role::Date))
    };
    let is_of_day = match &declared.rates.day {
        None => true,
        Some(day) => is_joined(&column(other, rates, day)?, &|side| {
            let columns = side.columns();
            !columns.is_empty() && columns.iter().all(is_date)
        }),
    };
    let rate = column(other, rates, &declared.rates.rate)?;
    (is_of_currency && is_of_day).then(|| Rate { column: rate, currency, unit: declared.unit.clone() })
}

fn is_in(declared: &catalog::Currency, rates: &Table) -> bool {
    (&declared.rates.schema, &declared.rates.table) == (&rates.schema, &rates.name)
}

fn table_of<'c>(source: &Source, catalog: &'c Catalog) -> Option<&'c Table> {
    match &source.relation {
        Relation::Table { schema, name } => catalog.table(Some(schema), name),
        Relation::Query { .. } | Relation::Function { .. } => None,
    }
}
