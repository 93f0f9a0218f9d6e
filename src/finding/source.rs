//! What a finding's figures may equal: the cells that it cites, and the figures computed from them.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::expression::{CellReference, Evaluated, Kind, date_of, number_of};
use super::format;
use super::prose::text::{Bound, Constant, Stated};
use super::results::{QueryResult, Results, names};

/// A cell or a figure with a number in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Source {
    /// `q3[2].net_sales` or `{at_risk}`.
    pub(super) name: String,
    pub(super) value: Decimal,
    pub(super) kind: Kind,
    /// The cells behind it, in groups of one aggregate each.
    pub(super) groups: Vec<Vec<CellReference>>,
    /// Whether a fall is a positive number here: `net_sales_lost`.
    pub(super) counts_losses: bool,
    /// Whether it may be a percentage that its column does not call one: as a fraction, or as it is.
    may_be_percent: bool,
}

/// A cited cell with a date in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DateSource {
    pub(super) date: Date,
    pub(super) cell: CellReference,
}

impl Source {
    /// The number in a cell, if there is one.
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

    /// The same column's number in another row.
    pub(super) fn in_row(&self, result: &QueryResult, row: usize, column: usize) -> Option<Self> {
        let value = number_of(result.table.cell(row, column)?)?;
        let name = format!("{}[{}].{}", result.id, row + 1, result.table.columns.get(column)?.name);
        let groups = vec![vec![CellReference { query: result.id.clone(), row, column }]];
        Some(Self { name, value, groups, ..*self })
    }

    /// A figure, named or not.
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

    /// Whether its sign is a direction.
    pub(super) fn is_change(&self) -> bool {
        self.kind.is_change() || self.counts_losses
    }

    /// Whether it is a percentage by its column's name or its arithmetic.
    pub(super) fn is_percent(&self) -> bool {
        matches!(self.kind, Kind::Percent | Kind::PercentChange)
    }

    /// The values that a text may state for this, as it reads.
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

    /// How a stated figure equals this: `Some(true)` with its sign, `Some(false)` without it.
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

    /// How far a stated figure is from this, relative to its size.
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

/// The dates that a cited row holds.
pub(super) fn dates_of_row(result: &QueryResult, row: usize) -> Vec<DateSource> {
    let date = |column: usize| {
        let date = date_of(result.table.cell(row, column)?)?;
        Some(DateSource { date, cell: CellReference { query: result.id.clone(), row, column } })
    };
    (0..result.table.columns.len()).filter_map(date).collect()
}

/// Whether every cell behind a figure comes from results that were cut short.
pub(super) fn is_cut_short(groups: &[Vec<CellReference>], results: &Results) -> bool {
    let mut cells = groups.iter().flatten().peekable();
    cells.peek().is_some() && cells.all(|cell| results.get(&cell.query).is_some_and(|result| result.table.more_rows))
}
