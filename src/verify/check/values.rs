//! The values of an answer: the rows that meet conditions, cells as decimals, sums over rows.

use rust_decimal::Decimal;

use super::Answers;
use crate::typeset::spelling::did_you_mean;
use crate::typeset::text::line;
use crate::verify::decimal::{self, add, subtract};
use crate::verify::expectation::{Condition, Fold, Sum, Term};
use crate::warehouse::table::Table;

/// The most characters of a cell or a name in a message.
const CELL_CHARACTERS: usize = 60;
/// The most cells that name a row.
const NAMING_CELLS: usize = 3;

/// Why there is no value.
pub(super) enum Failing {
    /// A cell is NULL, or there is no row: the expectation fails.
    NoValue(String),
    /// It cannot be told.
    Unknown(String),
}

/// The rows of an answer that an expectation is about.
pub(super) struct Rows<'a> {
    table: &'a Table,
    /// The places of the rows in the table.
    places: Vec<usize>,
    conditions: &'a [Condition],
    answers: &'a Answers,
}

/// One row of an answer.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    table: &'a Table,
    place: usize,
}

/// Returns the place of a column, or why there is none.
pub(super) fn column(table: &Table, name: &str) -> Result<usize, String> {
    table.column(name).ok_or_else(|| {
        let names = table.columns.iter().map(|column| line(&column.name, CELL_CHARACTERS)).collect::<Vec<_>>();
        let columns = || format!("its columns are {}", names.join(", "));
        format!("the SELECT has no column `{}`; {}", line(name, CELL_CHARACTERS), did_you_mean(name, &names, columns))
    })
}

/// Reads a cell as an exact decimal.
fn number(table: &Table, column: usize, text: &str) -> Result<Decimal, Failing> {
    decimal::read(text).ok_or_else(|| {
        let (name, kind) = (line(&table.columns[column].name, CELL_CHARACTERS), &table.columns[column].type_name);
        let text = line(text, CELL_CHARACTERS);
        Failing::Unknown(format!(
            "`{name}` ({kind}) is {text}, which is not a decimal number of at most 28 digits; compute one in the SELECT, \
             such as round({name}::numeric, 2)"
        ))
    })
}

impl<'a> Rows<'a> {
    /// Selects the rows that have the cells of all conditions.
    pub(super) fn of(table: &'a Table, conditions: &'a [Condition], answers: &'a Answers) -> Result<Self, String> {
        let mut places = (0..table.rows.len()).collect::<Vec<_>>();
        for condition in conditions {
            let column = column(table, &condition.column)?;
            let is_numeric = table.columns[column].is_numeric();
            let number = |text: &str| Decimal::from_str_exact(text).ok().filter(|_| is_numeric);
            let wanted = number(&condition.value);
            places.retain(|place| {
                table
                    .cell(*place, column)
                    .is_some_and(|cell| cell == condition.value || wanted.is_some() && number(cell) == wanted)
            });
        }
        Ok(Self { table, places, conditions, answers })
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Row<'a>> {
        self.places.iter().map(|place| Row { table: self.table, place: *place })
    }

    /// Says that there is no row.
    pub(super) fn none(&self) -> String {
        match self.conditions {
            [] => "there is no row".to_owned(),
            conditions => {
                let condition = |one: &Condition| format!("{} = {}", one.column, line(&one.value, CELL_CHARACTERS));
                format!("there is no row with {}", conditions.iter().map(condition).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Returns the value of a sum, of the row where it needs one.
    pub(super) fn value(&self, sum: &Sum, row: Option<Row<'_>>) -> Result<Decimal, Failing> {
        let mut total = Decimal::ZERO;
        for (is_subtracted, term) in &sum.terms {
            let value = self.term(term, row)?;
            let next = if *is_subtracted { subtract(total, value) } else { add(total, value) };
            total = next.ok_or_else(|| Failing::Unknown(format!("{sum} is too large to be computed exactly")))?;
        }
        Ok(total)
    }

    fn term(&self, term: &Term, row: Option<Row<'_>>) -> Result<Decimal, Failing> {
        match term {
            Term::Number(number) => Ok(*number),
            Term::Rows { of: None } => Ok(Decimal::from(self.places.len())),
            Term::Rows { of: Some(other) } => Ok(Decimal::from(self.other(other)?.rows.len())),
            Term::Cell { column, of: None } => match row {
                Some(row) => row.number(column),
                None => Err(Failing::NoValue(self.none())),
            },
            Term::Cell { column, of: Some(other) } => {
                let table = self.other(other)?;
                match table.rows.len() {
                    1 => Row { table, place: 0 }.number(column),
                    0 => Err(Failing::NoValue(format!("there is no row in {other}"))),
                    rows => Err(Failing::Unknown(format!(
                        "{other} has {rows} rows, so that `{column} in {other}` is no single value; write `sum of {column} \
                         in {other}`, or make it one row"
                    ))),
                }
            }
            Term::Whole { fold, column, of: None } => self.fold(*fold, column),
            Term::Whole { fold, column, of: Some(other) } => {
                Self::of(self.other(other)?, &[], self.answers).map_err(Failing::Unknown)?.fold(*fold, column)
            }
        }
    }

    fn other(&self, name: &str) -> Result<&'a Table, Failing> {
        let unknown = || {
            let advice = did_you_mean(name, self.answers.keys(), || "name a file of this folder".to_owned());
            Failing::Unknown(format!("there is no verified question `{name}`; {advice}"))
        };
        let answer = self.answers.get(name).ok_or_else(unknown)?;
        answer.as_ref().map_err(|reason| Failing::Unknown(format!("{name} has no answer: {reason}")))
    }

    /// Makes one number of a column's cells. Like SQL it leaves out NULL.
    fn fold(&self, fold: Fold, name: &str) -> Result<Decimal, Failing> {
        let column = column(self.table, name).map_err(Failing::Unknown)?;
        let mut whole: Option<Decimal> = None;
        for cell in self.places.iter().filter_map(|place| self.table.cell(*place, column)) {
            let value = number(self.table, column, cell)?;
            whole = Some(match (whole, fold) {
                (None, _) => value,
                (Some(whole), Fold::Lowest) => whole.min(value),
                (Some(whole), Fold::Highest) => whole.max(value),
                (Some(whole), Fold::Sum) => add(whole, value).ok_or_else(|| {
                    Failing::Unknown(format!("the sum of {name} is too large to be computed exactly"))
                })?,
            });
        }
        whole.ok_or_else(|| {
            let nothing = format!("{name} has no value: all its cells are NULL");
            Failing::NoValue(if self.places.is_empty() { self.none() } else { nothing })
        })
    }
}

impl<'a> Row<'a> {
    /// Returns the text of a cell; `None` for NULL.
    pub(super) fn text(self, column: usize) -> Option<&'a str> {
        self.table.cell(self.place, column)
    }

    fn number(self, name: &str) -> Result<Decimal, Failing> {
        let column = column(self.table, name).map_err(Failing::Unknown)?;
        match self.text(column) {
            Some(cell) => number(self.table, column, cell),
            None => Err(Failing::NoValue(format!("{name} has no value (NULL)"))),
        }
    }

    /// Names the row by its cells that are no numbers, else by its place.
    pub(super) fn name(self) -> String {
        let is_naming = |index: &usize| !self.table.columns[*index].is_numeric();
        let cell = |index: usize| {
            let value = self.table.cell(self.place, index).unwrap_or("NULL");
            let name = &self.table.columns[index].name;
            format!("{} = {}", line(name, CELL_CHARACTERS), line(value, CELL_CHARACTERS))
        };
        let cells = (0..self.table.columns.len()).filter(is_naming).take(NAMING_CELLS).map(cell);
        let cells = cells.collect::<Vec<_>>();
        if cells.is_empty() { format!("row {}", self.place + 1) } else { cells.join(", ") }
    }
}

impl Sum {
    /// Returns whether it is the number of rows of this answer.
    pub(super) fn is_the_rows(&self) -> bool {
        matches!(self.terms.as_slice(), [(false, Term::Rows { of: None })])
    }

    /// Returns whether it is a mere number.
    pub(super) fn is_a_number(&self) -> bool {
        self.terms.iter().all(|(_, term)| matches!(term, Term::Number(_)))
    }
}
