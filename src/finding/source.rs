//! The values that a finding's figures may state: the cells that it cites, and the figures computed from them.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::expression::{CellReference, Evaluated, Kind, date_of, number_of};
use super::format;
use super::prose::text::{Bound, Constant, Stated};
use super::results::{QueryResult, Results, names};

/// A cell or a figure that contains a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Source {
    /// The name in messages, such as `q3[2].net_sales` or `{at_risk}`.
    pub(super) name: String,
    pub(super) value: Decimal,
    pub(super) kind: Kind,
    /// The cells behind the number, one group per aggregate.
    pub(super) groups: Vec<Vec<CellReference>>,
    /// Whether a fall is a positive number, as in `net_sales_lost`.
    pub(super) counts_losses: bool,
    /// Whether the number may be a percentage although its column's name does not say so, either as a fraction or as it
    /// is.
    may_be_percent: bool,
}

/// A cited cell that contains a date.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DateSource {
    pub(super) date: Date,
    pub(super) cell: CellReference,
}

impl Source {
    /// Returns the number in a cell, or `None` if the cell has none or its column holds identifiers.
    pub(super) fn of_cell(result: &QueryResult, row: usize, column: usize) -> Option<Self> {
        let column_name = &result.table.columns.get(column)?.name;
        let text = result.table.cell(row, column).filter(|_| !names::is_identifier(column_name))?;
        let value = number_of(text)?;
        Some(Self {
            name: format!("{}[{}].{column_name}", result.id, row + 1),
            value,
            kind: format::kind_of(column_name),
            groups: vec![vec![CellReference { query: result.id.clone(), row, column }]],
            counts_losses: format::counts_losses(column_name),
            may_be_percent: format::may_be_percent(column_name),
        })
    }

    /// Returns the number of the same column in another row.
    pub(super) fn in_row(&self, result: &QueryResult, row: usize, column: usize) -> Option<Self> {
        let value = number_of(result.table.cell(row, column)?)?;
        let name = format!("{}[{}].{}", result.id, row + 1, result.table.columns.get(column)?.name);
        let groups = vec![vec![CellReference { query: result.id.clone(), row, column }]];
        Some(Self { name, value, groups, ..*self })
    }

    /// Returns the number of a figure.
    pub(super) fn of_figure(name: &str, evaluated: &Evaluated) -> Self {
        Self {
            name: format!("{{{name}}}"),
            value: evaluated.value,
            kind: evaluated.kind,
            groups: evaluated.groups.clone(),
            counts_losses: evaluated.counts_losses,
            may_be_percent: evaluated.may_be_percent,
        }
    }

    /// Returns whether the sign of the number is a direction.
    pub(super) fn is_change(&self) -> bool {
        self.kind.is_change() || self.counts_losses
    }

    /// Returns whether the number is a percentage by its column's name or its arithmetic.
    pub(super) fn is_percent(&self) -> bool {
        matches!(self.kind, Kind::Percent | Kind::PercentChange)
    }

    /// Returns the values that a text may state for this number, as a percentage or not.
    fn readings(&self, percent: bool) -> Vec<Decimal> {
        let hundredfold = self.value.checked_mul(Decimal::ONE_HUNDRED).unwrap_or(self.value);
        let is_fraction = self.value.abs() <= Decimal::new(15, 1);
        match (percent, self.kind) {
            (false, _) | (true, Kind::Percent | Kind::PercentChange) => vec![self.value],
            (true, Kind::Ratio) if is_fraction => vec![hundredfold],
            (true, Kind::Ratio) => vec![hundredfold, self.value],
            (true, Kind::Level | Kind::Change) if self.may_be_percent && is_fraction => vec![hundredfold, self.value],
            (true, Kind::Level | Kind::Change) if self.may_be_percent => vec![self.value],
            (true, Kind::Level | Kind::Change) if self.value.abs() < Decimal::ONE => vec![hundredfold],
            (true, Kind::Level | Kind::Change | Kind::Count) => Vec::new(),
        }
    }

    /// Compares a stated figure with this number. Returns `Some(true)` if they are equal, `Some(false)` if they are
    /// equal only without the sign, and `None` if they differ.
    pub(super) fn equals(&self, stated: &Stated) -> Option<bool> {
        let is_ratio = self.kind == Kind::Ratio;
        if stated.multiple && !is_ratio || stated.constant == Some(Constant::Count) && is_ratio {
            return None;
        }
        let readings = self.readings(stated.percent);
        if readings.iter().any(|value| is_within(*value, stated)) {
            return Some(true);
        }
        let unsigned = !stated.value.is_sign_negative() && readings.iter().any(|value| is_within(value.abs(), stated));
        unsigned.then_some(false)
    }

    /// Returns the distance between a stated figure and this number, relative to the figure.
    pub(super) fn distance(&self, stated: &Stated) -> Decimal {
        let away = |value: &Decimal| (value.abs() - stated.value.abs()).abs();
        let least = self.readings(stated.percent).iter().map(away).min().unwrap_or(Decimal::MAX);
        least.checked_div(stated.value.abs().max(Decimal::ONE)).unwrap_or(Decimal::MAX)
    }
}

fn is_within(value: Decimal, stated: &Stated) -> bool {
    let Some(away) = value.checked_sub(stated.value) else { return false };
    match stated.bound {
        Bound::Exact | Bound::About => away.abs() <= stated.tolerance,
        Bound::AtLeast => away >= Decimal::ZERO && away < stated.tolerance.max(Decimal::new(1, 9)),
        Bound::AtMost => away <= Decimal::ZERO && away.abs() < stated.tolerance.max(Decimal::new(1, 9)),
    }
}

/// Returns the dates in a row.
pub(super) fn dates_of_row(result: &QueryResult, row: usize) -> Vec<DateSource> {
    let date = |column: usize| {
        let date = date_of(result.table.cell(row, column)?)?;
        Some(DateSource { date, cell: CellReference { query: result.id.clone(), row, column } })
    };
    (0..result.table.columns.len()).filter_map(date).collect()
}

/// Returns whether all cells behind a figure come from truncated results.
pub(super) fn is_cut_short(groups: &[Vec<CellReference>], results: &Results) -> bool {
    let mut cells = groups.iter().flatten().peekable();
    cells.peek().is_some() && cells.all(|cell| results.get(&cell.query).is_some_and(|result| result.table.more_rows))
}
