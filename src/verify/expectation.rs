//! What is expected of an answer, in a small closed language that reads as English: `total = sum of revenue`.

mod parse;
mod token;

use std::fmt;

use rust_decimal::Decimal;

use super::decimal;

pub use self::parse::parse;

/// One expectation, as a line of a question's file states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// The words of the file.
    pub text: String,
    /// The line in the file, from 1.
    pub line: usize,
    pub claim: Claim,
    /// The rows that it is about: those with all of these cells. All rows if it is empty.
    pub conditions: Vec<Condition>,
}

/// What must be true of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    NoRows,
    /// Of each row if a cell of the row is compared, else once.
    Compared {
        left: Sum,
        comparison: Comparison,
        right: Sum,
        /// How far apart the two may be.
        tolerance: Decimal,
    },
    /// The same of a range, whose ends belong to it.
    Between {
        value: Sum,
        low: Sum,
        high: Sum,
    },
    /// The value of each of the columns stays what it was first, row by row.
    NeverMoves {
        columns: Vec<String>,
        /// The columns that tell rows apart; empty for an answer of one row.
        by: Vec<String>,
    },
}

/// A cell that a row must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub column: String,
    pub value: String,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// Terms that are added and subtracted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// Whether the term is subtracted, and the term.
    pub terms: Vec<(bool, Term)>,
}

/// A value of the answer, or of the answer to another question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    Number(Decimal),
    Rows {
        /// The other question by its name; `None` is this one.
        of: Option<String>,
    },
    /// A cell of the row; of another question, the only row's.
    Cell {
        column: String,
        of: Option<String>,
    },
    /// One number of all rows.
    Whole {
        fold: Fold,
        column: String,
        of: Option<String>,
    },
}

/// How the cells of a column become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    Sum,
    Lowest,
    Highest,
}

impl Sum {
    /// Returns whether it has a cell of the row that is looked at.
    pub(crate) fn is_of_a_row(&self) -> bool {
        self.terms.iter().any(|(_, term)| matches!(term, Term::Cell { of: None, .. }))
    }

    /// Returns the names of the other questions in it.
    fn others(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter_map(|(_, term)| match term {
            Term::Number(_) => None,
            Term::Rows { of } | Term::Cell { of, .. } | Term::Whole { of, .. } => of.as_deref(),
        })
    }
}

impl Expectation {
    /// Returns the names of the other questions whose answers it needs.
    pub fn others(&self) -> Vec<&str> {
        match &self.claim {
            Claim::NoRows | Claim::NeverMoves { .. } => Vec::new(),
            Claim::Compared { left, right, .. } => left.others().chain(right.others()).collect(),
            Claim::Between { value, low, high } => value.others().chain(low.others()).chain(high.others()).collect(),
        }
    }
}

impl Comparison {
    /// Returns whether it is true of two values that may be `tolerance` apart.
    pub(crate) fn holds(self, left: Decimal, right: Decimal, tolerance: Decimal) -> Option<bool> {
        let difference = decimal::subtract(left, right)?;
        Some(match self {
            Self::Equal => difference.abs() <= tolerance,
            Self::Unequal => difference.abs() > tolerance,
            Self::Less => difference < tolerance,
            Self::AtMost => difference <= tolerance,
            Self::More => -difference < tolerance,
            Self::AtLeast => -difference <= tolerance,
        })
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (is_subtracted, term)) in self.terms.iter().enumerate() {
            match (index, is_subtracted) {
                (0, false) => {}
                (0, true) => write!(formatter, "-")?,
                (_, false) => write!(formatter, " + ")?,
                (_, true) => write!(formatter, " - ")?,
            }
            write!(formatter, "{term}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = match self {
            Self::Number(number) => return write!(formatter, "{number}"),
            Self::Rows { of } => {
                write!(formatter, "rows")?;
                of
            }
            Self::Cell { column, of } => {
                write!(formatter, "{column}")?;
                of
            }
            Self::Whole { fold, column, of } => {
                let fold = match fold {
                    Fold::Sum => "sum of",
                    Fold::Lowest => "lowest",
                    Fold::Highest => "highest",
                };
                write!(formatter, "{fold} {column}")?;
                of
            }
        };
        of.iter().try_for_each(|of| write!(formatter, " in {of}"))
    }
}
