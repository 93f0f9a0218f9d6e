//! Amounts of money in a table whose rows have a currency each.

use super::{Doubt, Look, doubt};
use crate::warehouse::catalog::{Column, Role, ValueKind};
use crate::warehouse::lineage::expression::Expression;
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
        let columns = values.flat_map(Expression::columns).collect::<Vec<_>>();
        self.tables().find_map(|(source, table)| {
            let currency = table.column_with(Role::Currency)?;
            let known = currency.statistics.as_ref().and_then(|known| known.distinct);
            let is_named = columns
                .iter()
                .any(|column| column.source == source.id && table.column(&column.name).is_some_and(is_money));
            (is_named && known.is_none_or(|count| count > 1.0)).then_some((source, currency))
        })
    }

    /// Amounts of several currencies in one number, or compared with one bound.
    pub(super) fn mixed_currencies(&self, keys: &[&Expression]) -> Option<Doubt> {
        let within = self.aggregate.within.iter().map(|order| &order.key);
        let measured = self.currency(self.aggregate.arguments.iter().chain(within));
        let compared = || self.currency(self.conditions().filter(|condition| is_comparison(condition)));
        let (source, currency) = measured.or_else(compared)?;
        let mut named = self.aggregate.arguments.iter().flat_map(Expression::columns);
        if self.is_named(source, &currency.name, keys)
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

fn is_comparison(condition: &Expression) -> bool {
    condition.any(&mut |part| ["<", "<=", ">", ">="].iter().any(|sign| part.as_infix(sign).is_some()))
}
