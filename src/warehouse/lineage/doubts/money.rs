//! Amounts of money in a table whose rows have a currency each.

use super::{Doubt, Look, doubt};
use crate::warehouse::catalog::{Column, Role, Table, ValueKind};
use crate::warehouse::lineage::conversion;
use crate::warehouse::lineage::expression::Expression;
use crate::warehouse::lineage::is_constant;
use crate::warehouse::lineage::query::Source;

/// Parts of a name by which a whole number is an amount of money beside a currency.
const AMOUNTS: &[&str] = &["amount", "cent", "cost", "fee", "paid", "price", "revenue", "sales", "total", "value"];

/// Returns whether the column holds money, given that its table has a currency.
fn is_money(column: &Column) -> bool {
    let is_amount = matches!(
        column.role,
        Some(Role::Measure | Role::NetMeasure | Role::GrossMeasure | Role::Margin | Role::Discount | Role::UnitPrice)
    );
    let is_whole = matches!(column.type_name.as_str(), "smallint" | "integer" | "bigint");
    let name = column.name.to_lowercase();
    is_amount
        && column.value_kind() == ValueKind::Number
        && (!is_whole || AMOUNTS.iter().any(|part| name.contains(part)))
}

impl Look<'_> {
    /// The currency of the money that expressions name: its source and column; `None` if there is none, or one alone.
    pub(super) fn currency<'e>(&self, values: impl Iterator<Item = &'e Expression>) -> Option<(&Source, &Column)> {
        let rates = conversion::rates(self.rows, self.catalog);
        let columns = values.flat_map(|value| conversion::columns(value, &rates).others).collect::<Vec<_>>();
        let measured = |source: &Source, table: &Table| {
            columns.iter().any(|column| column.source == source.id && table.column(&column.name).is_some_and(is_money))
        };
        let own = self.tables().find(|(source, table)| measured(source, table))?;
        // Lines of an invoice are in the invoice's currency.
        let tables = std::iter::once(own).chain(self.tables().filter(|(source, _)| source.id != own.0.id));
        let mut currencies = tables.filter_map(|(source, table)| Some((source, table.column_with(Role::Currency)?)));
        let (source, currency) = currencies.next()?;
        let known = currency.statistics.as_ref().and_then(|known| known.distinct);
        known.is_none_or(|count| count > 1.0).then_some((source, currency))
    }

    /// Amounts of several currencies in one number, or compared with one bound.
    pub(super) fn mixed_currencies(&self, keys: &[&Expression]) -> Option<Doubt> {
        let within = self.aggregate.within.iter().map(|order| &order.key);
        let measured = self.currency(self.aggregate.arguments.iter().chain(within));
        let compared = || self.currency(self.conditions().filter(|condition| is_comparison(condition)));
        let (source, currency) = measured.or_else(compared)?;
        let is_it = |part: &Expression| matches!(part, Expression::Column(column) if column.source == source.id && column.name == currency.name);
        let is_held = |condition: &Expression| {
            condition
                .as_infix("=")
                .is_some_and(|(left, right)| is_it(left) && is_constant(right) || is_it(right) && is_constant(left))
        };
        let rates = conversion::rates(self.rows, self.catalog);
        let named = self.aggregate.arguments.iter();
        let mut named = named.flat_map(|argument| conversion::columns(argument, &rates).others);
        if keys.iter().any(|key| is_it(key))
            || self.conditions().any(is_held)
            || named.any(|column| column.source == source.id && column.name == currency.name)
        {
            return None;
        }
        let does = match self.aggregate.function.as_str() {
            "sum" | "avg" if measured.is_some() => "adds up",
            _ => "compares",
        };
        Some(doubt("several_currencies", format!("It {does} amounts whatever their {} is.", currency.name)))
    }
}

/// Returns the names that a column of units beside a column may have.
fn unit_names(column: &str) -> [String; 5] {
    let stem = column.strip_suffix("_value").unwrap_or(column);
    [
        format!("{column}_unit"),
        format!("{stem}_unit"),
        "unit".to_owned(),
        "uom".to_owned(),
        "unit_of_measure".to_owned(),
    ]
}

impl Look<'_> {
    /// Numbers of several units, which another column names.
    pub(super) fn mixed_units(&self, keys: &[&Expression]) -> Option<Doubt> {
        let within = self.aggregate.within.iter().map(|order| &order.key);
        let compared = self.conditions().filter(|condition| is_comparison(condition));
        let values = self.aggregate.arguments.iter().chain(within).chain(compared);
        let columns = values.flat_map(Expression::columns).collect::<Vec<_>>();
        let unit_of = |(source, table): (&Source, &Table)| {
            let own = columns.iter().filter(|column| column.source == source.id);
            let numbers = own.filter_map(|column| table.column(&column.name));
            let mut numbers = numbers.filter(|column| column.value_kind() == ValueKind::Number);
            numbers.find_map(|column| {
                let unit = unit_names(&column.name).iter().find_map(|name| table.column(name))?;
                let several = unit.statistics.as_ref().and_then(|known| known.distinct).is_none_or(|count| count > 1.0);
                let is_used = columns.iter().any(|other| other.source == source.id && other.name == unit.name);
                (several && !is_used && !self.is_named(source, &unit.name, keys))
                    .then(|| (column.name.clone(), unit.name.clone()))
            })
        };
        let (column, unit) = self.tables().find_map(unit_of)?;
        Some(doubt("several_units", format!("It takes {column} whatever its {unit} is.")))
    }
}

fn is_comparison(condition: &Expression) -> bool {
    condition.any(&mut |part| part.as_ordering().is_some())
}
