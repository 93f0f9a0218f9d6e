//! Figures: arithmetic over cells, parsed and evaluated in decimal arithmetic.
//!
//! ```text
//! q3[2].net_sales / 12        row 2 of q3
//! q3['CUST004'].net_sales     the only row of q3 in which a cell equals the text
//! q4.total                    the only row of q4
//! sum(q3.net_sales)           the whole column; rejected if the result was truncated
//! sum(q3[2..5].net_sales)     some of its rows
//! days_between(q3[2].last_order, as_of)
//! ```
//!
//! A literal may only multiply or divide, or stand before a minus as 1 or 100. Otherwise a model could write any figure
//! and call it arithmetic.

mod evaluate;
mod parse;

use jiff::civil::Date;
use rust_decimal::Decimal;

pub(super) use self::evaluate::{unknown_column, unknown_query};
pub(crate) use super::results::CellReference;
use super::results::Results;

/// A parsed arithmetic expression over cells.
#[derive(Debug, Clone, PartialEq)]
enum Expression {
    Literal(Decimal),
    Date(Date),
    AsOf,
    Figure(String),
    Cells(Cells),
    Negated(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    Call(Function, Vec<Expression>),
}

/// A reference to cells: a query, some of its rows, and a column (absent in `count(q3)`).
#[derive(Debug, Clone, PartialEq)]
struct Cells {
    query: String,
    rows: Rows,
    column: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Rows {
    All,
    Numbers(usize, usize),
    Holding(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    Abs,
    Change,
    PercentChange,
    Ratio,
    Share,
    PerMonth,
    Annualised,
    DaysBetween,
}

/// The kind of quantity of a value, which decides how a text may describe it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An amount or another level.
    Level,
    /// A level in percent.
    Percent,
    /// One level divided by another.
    Ratio,
    /// A change, whose sign is its direction.
    Change,
    /// A change in percent.
    PercentChange,
    /// A number of rows.
    Count,
}

impl Kind {
    /// Returns whether the sign of the value is a direction.
    pub(super) fn is_change(self) -> bool {
        matches!(self, Self::Change | Self::PercentChange)
    }
}

/// The value of an expression, with the cells behind it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Evaluated {
    pub(super) value: Decimal,
    pub(super) kind: Kind,
    /// The cells behind the value, in groups: a single cell, or the rows of one aggregate.
    pub(super) groups: Vec<Vec<CellReference>>,
    /// The literals that the expression multiplies or divides by.
    pub(super) literals: Vec<Decimal>,
    /// The dates written in the expression, as opposed to those in cells.
    pub(super) dates: Vec<Date>,
    /// Whether the value is a cell of a column in which a fall is a positive number.
    pub(super) counts_losses: bool,
    /// Whether the value is a cell of a column that may contain percentages.
    pub(super) may_be_percent: bool,
    /// The expression with the cells' values filled in, and its value.
    pub(super) arithmetic: String,
}

/// The named figures that were evaluated before.
pub(super) type Known<'a> = &'a [(String, Evaluated)];

/// Parses and evaluates an expression. The error is one line that says what to write instead.
pub(super) fn evaluate(text: &str, results: &Results, as_of: Date, known: Known<'_>) -> Result<Evaluated, String> {
    let expression = parse::parse(text)?;
    let evaluated = evaluate::Evaluator { results, as_of, known }.run(&expression)?;
    if evaluated.groups.is_empty() {
        return Err(format!("{text:?} names no cell; a figure is computed from cells such as q3[2].column"));
    }
    Ok(evaluated)
}

/// Returns the date at the start of a cell's text.
pub(super) fn date_of(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}

/// Parses a cell's text as a number, which may be in scientific notation.
pub(super) fn number_of(text: &str) -> Option<Decimal> {
    let text = text.trim();
    text.parse().ok().or_else(|| Decimal::from_scientific(text).ok())
}
