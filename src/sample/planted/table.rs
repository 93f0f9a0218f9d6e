//! A generated table, and how it is written as SQL.

use std::fmt::Write as _;

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime};

use super::chance::index;
use crate::analysis::dice::Dice;
use crate::warehouse::sql::identifier;

/// Rows of one INSERT statement.
const ROWS_PER_INSERT: usize = 500;

/// A table with its rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// A column of a generated table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    type_name: &'static str,
    /// Whether it is an outcome, which a null twin shuffles.
    is_outcome: bool,
    /// The column after which its time lies, if its cells are hours.
    after: Option<usize>,
}

impl Column {
    pub(super) fn new(name: impl Into<String>, type_name: &'static str) -> Self {
        Self { name: name.into(), type_name, is_outcome: false, after: None }
    }

    /// Makes it an outcome.
    pub(super) fn outcome(self) -> Self {
        Self { is_outcome: true, ..self }
    }

    /// Makes its cells hours after those of another column.
    pub(super) fn after(self, column: usize) -> Self {
        Self { after: Some(column), ..self }
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Text(String),
    Whole(i64),
    /// A number with two decimals.
    Hundredths(i64),
    Date(Date),
    Time(DateTime),
    Flag(bool),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Whole(number)
    }
}

impl From<Date> for Cell {
    fn from(date: Date) -> Self {
        Self::Date(date)
    }
}

impl From<DateTime> for Cell {
    fn from(time: DateTime) -> Self {
        Self::Time(time)
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl Table {
    pub(super) fn new(name: impl Into<String>, columns: Vec<Column>) -> Self {
        Self { name: name.into(), columns, rows: Vec::new() }
    }

    /// Shuffles each outcome by itself, so that it depends on nothing.
    pub(super) fn shuffle(&mut self, dice: &mut Dice) {
        let outcomes = self.columns.iter().enumerate().filter(|(_, column)| column.is_outcome);
        for outcome in outcomes.map(|(index, _)| index).collect::<Vec<_>>() {
            for row in (1..self.rows.len()).rev() {
                let other = index(row + 1, dice);
                let moved = std::mem::replace(&mut self.rows[row][outcome], Cell::Null);
                let moved = std::mem::replace(&mut self.rows[other][outcome], moved);
                self.rows[row][outcome] = moved;
            }
        }
    }

    /// Appends the statement that creates it.
    pub(super) fn write_definition(&self, sql: &mut String) {
        let column = |column: &Column| format!("{} {}", identifier(&column.name), column.type_name);
        let columns = self.columns.iter().map(column).collect::<Vec<_>>().join(", ");
        let _ = writeln!(sql, "CREATE TABLE {} ({columns});", identifier(&self.name));
    }

    /// Appends the statements that fill it, in place of the rows that it had.
    pub(super) fn write_rows(&self, sql: &mut String) {
        let name = identifier(&self.name);
        let _ = writeln!(sql, "TRUNCATE {name};");
        for rows in self.rows.chunks(ROWS_PER_INSERT) {
            let rows = rows.iter().map(|row| self.row(row)).collect::<Vec<_>>().join(",\n");
            let _ = writeln!(sql, "INSERT INTO {name} VALUES\n{rows};");
        }
    }

    fn row(&self, row: &[Cell]) -> String {
        let cells = self.columns.iter().zip(row).map(|(column, cell)| match (column.after, cell) {
            (Some(other), Cell::Whole(hours)) => later(&row[other], *hours),
            _ => literal(cell),
        });
        format!("({})", cells.collect::<Vec<_>>().join(", "))
    }
}

/// Returns the time that many hours after another one.
fn later(cell: &Cell, hours: i64) -> String {
    let start = match cell {
        Cell::Time(time) => *time,
        Cell::Date(date) => date.to_datetime(jiff::civil::Time::midnight()),
        Cell::Null | Cell::Text(_) | Cell::Whole(_) | Cell::Hundredths(_) | Cell::Flag(_) => return "NULL".to_owned(),
    };
    literal(&Cell::Time(start.saturating_add(hours.hours())))
}

fn literal(cell: &Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Cell::Whole(number) => number.to_string(),
        Cell::Hundredths(number) => {
            let sign = if *number < 0 { "-" } else { "" };
            format!("{sign}{}.{:02}", number.abs() / 100, number.abs() % 100)
        }
        Cell::Date(date) => format!("'{date}'"),
        Cell::Time(time) => format!("'{time}'"),
        Cell::Flag(flag) => flag.to_string(),
    }
}
