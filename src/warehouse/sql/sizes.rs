//! How large the values are that a statement makes out of constants, and how much work they are, before anything is sent.
//!
//! PostgreSQL computes what is constant while it plans, and most of its functions do not look for a request to cancel until
//! they are done: `strpos(repeat('a', 4000000), 'b' || repeat('a', 2000000))` holds a backend for hours, whatever the
//! time-out. So an upper bound is computed for every expression: the bytes of its value, and how large a number it may be.
//! Of a column nothing is known here, and it is taken for a small one: what this module bounds is what the statement's own
//! constants make, alone, of a column, or of rows that constants make.
//!
//! A pass of its own beside the walk, which has accepted every form and name already. It follows columns of subqueries and
//! CTEs by their names alone, whichever range has them: what it cannot tell apart it takes for the larger. What is constant
//! and cannot be bounded is refused where its size matters.

mod calls;
mod expression;
mod number;
mod query;

use std::collections::HashMap;

use sqlparser::ast::Query;

use super::TEXT_BYTES_MAX;
use super::refusal::{Refusal, size};

/// Bytes of a value that functions or operators may make larger than what they were given.
const VALUE_BYTES_MAX: f64 = (16 << 20) as f64;
/// Bytes of all values together that are made.
const TOTAL_BYTES_MAX: f64 = (64 << 20) as f64;
/// Bytes of a value, times the rows that may have one each, where PostgreSQL keeps them all: in an aggregate, a window, a sort.
pub(crate) const ROWS_BYTES_MAX: f64 = (256 << 20) as f64;
/// Values smaller than this are those that tables have too, in however many rows.
pub(crate) const WIDE_BYTES: f64 = (64 << 10) as f64;
/// What one call may do whose work grows with the product of its arguments: no more than with constants that fill a text.
#[expect(clippy::cast_precision_loss, reason = "a text has no more than some thousand bytes")]
const CALL_WORK_MAX: f64 = (TEXT_BYTES_MAX * TEXT_BYTES_MAX) as f64;
/// What all such calls may do together: a few seconds, in which a server cannot be made to stop.
const WORK_MAX: f64 = 3.0 * CALL_WORK_MAX;
/// Work below this does not count towards [`WORK_MAX`].
const WORK_COUNTED: f64 = 1e6;
/// Rows that WITH RECURSIVE is taken to make, which nobody can tell: more of them are left to the time limit.
const RECURSIVE_ROWS: f64 = 500.0;
/// Digits that a number counted up by WITH RECURSIVE is taken to have at the most.
const RECURSIVE_DIGITS: f64 = 6.0;
/// Expressions looked at, a text's parts more than once where WITH RECURSIVE is.
const STEPS_MAX: usize = 200_000;

/// An upper bound of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Size {
    /// Bytes in memory, or as text.
    bytes: f64,
    /// The decimal digits before the point that it has as a number, with a fraction: `10^digits` is above its amount.
    digits: f64,
    /// Whether it is made of constants alone, so that an unknown function of it could be anything.
    constant: bool,
    /// Whether it is one value of many rows.
    aggregate: bool,
    /// Whether constants alone tell how large a number it is.
    known: bool,
    /// Whether its bytes follow from a number that is not known, so that they say little.
    guessed: bool,
}

/// What a column of a table, or something computed from one, is taken for.
const COLUMN: Size = Size { bytes: 64.0, digits: 3.0, constant: false, aggregate: false, known: false, guessed: false };

impl Size {
    const fn constant(bytes: f64, digits: f64) -> Self {
        Self { bytes, digits, constant: true, aggregate: false, known: true, guessed: false }
    }

    fn amount(self) -> f64 {
        10_f64.powf(self.digits)
    }

    /// A value that may be one or the other.
    fn or(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.max(other.bytes),
            digits: self.digits.max(other.digits),
            constant: self.constant || other.constant,
            aggregate: self.aggregate && other.aggregate,
            known: self.known && other.known,
            guessed: self.guessed && other.guessed,
        }
    }

    /// A value computed from several: of constants where all of them are, with as many bytes as they have together.
    fn of(inputs: &[Self]) -> Self {
        Self {
            bytes: inputs.iter().map(|input| input.bytes).sum(),
            digits: inputs.iter().map(|input| input.digits).fold(0.0, f64::max),
            constant: inputs.iter().all(|input| input.constant),
            aggregate: inputs.iter().any(|input| input.aggregate),
            known: inputs.iter().all(|input| input.known),
            guessed: inputs.iter().any(|input| input.guessed),
        }
    }

    fn with_bytes(self, bytes: f64) -> Self {
        Self { bytes, ..self }
    }

    fn with_digits(self, digits: f64) -> Self {
        Self { digits, ..self }
    }

    /// The same, made as often or as long as a number says.
    fn counted(self, number: Self) -> Self {
        Self { guessed: self.guessed || !number.known, ..self }
    }

    /// The same where it is not known how large a number it is.
    fn of_any_amount(self) -> Self {
        let digits = if self.constant { f64::INFINITY } else { self.digits.max(COLUMN.digits) };
        Self { digits, known: false, ..self }
    }

    /// A yes or no, or another small value, computed from it.
    fn small(self) -> Self {
        Self { bytes: 16.0, digits: 1.0, ..self }
    }
}

/// Refuses a query whose constants make too much, or make too much work; tells the bytes of the widest value that it makes
/// for each row that it reads.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is bounded, and not negative")]
pub(super) fn check(query: &Query) -> Result<u64, Refusal> {
    let mut sizes = Sizes { rows: 1.0, ..Sizes::default() };
    sizes.query(query)?;
    Ok(sizes.widest as u64)
}

#[derive(Debug, Default)]
struct Sizes {
    /// The columns of subqueries, CTEs and functions in FROM, by their names alone.
    columns: HashMap<String, Size>,
    /// What a column may be that has no name of its own.
    unnamed: Option<Size>,
    ctes: HashMap<String, query::Relation>,
    /// Rows that constants make in the FROM of the SELECT that is looked at, and of those around it.
    rows: f64,
    /// Rows that functions make of each of them, in what is selected.
    series: f64,
    work: f64,
    total: f64,
    widest: f64,
    steps: usize,
}

impl Sizes {
    /// Takes note of a value that `what` makes out of others.
    fn made(&mut self, what: &str, value: Size, inputs: &[Size]) -> Result<Size, Refusal> {
        let largest = inputs.iter().map(|input| input.bytes).fold(0.0, f64::max);
        if value.bytes <= largest || value.bytes < WIDE_BYTES {
            return Ok(value);
        }
        if value.bytes.is_infinite() {
            return Err(size(format!(
                "{what} makes a value whose size cannot be told before it runs; write its numbers out, as constants"
            )));
        }
        let most = if value.aggregate { ROWS_BYTES_MAX } else { VALUE_BYTES_MAX };
        if value.bytes > most {
            return Err(size(format!(
                "{what} could make a value of {}, and {} is the most; make less of it",
                bytes(value.bytes),
                bytes(most)
            )));
        }
        self.total += if value.aggregate { 0.0 } else { value.bytes };
        if self.total > TOTAL_BYTES_MAX {
            return Err(size(format!(
                "the constants of this statement make more than {} in all; make less of them",
                bytes(TOTAL_BYTES_MAX)
            )));
        }
        Ok(value)
    }

    /// Takes note of work that `what` does and that the server would not stop.
    fn works(&mut self, what: &str, work: f64) -> Result<(), Refusal> {
        if work > WORK_COUNTED {
            self.work += work;
        }
        if work > CALL_WORK_MAX || self.work > WORK_MAX {
            return Err(size(format!(
                "{what} would compute for too long on constants of this size, and the server could not stop it; use \
                 smaller ones"
            )));
        }
        Ok(())
    }

    /// Refuses a wide value that each of many rows would have.
    fn check_rows(&mut self, value: Size, rows: f64) -> Result<(), Refusal> {
        if value.aggregate || value.guessed || value.bytes < WIDE_BYTES {
            return Ok(());
        }
        self.widest = self.widest.max(value.bytes);
        if value.bytes * rows > ROWS_BYTES_MAX {
            return Err(too_many_rows(value.bytes, rows));
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Refusal> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Err(size("WITH RECURSIVE is nested too deep to tell how much it makes; use one of them"));
        }
        Ok(())
    }
}

fn too_many_rows(width: f64, rows: f64) -> Refusal {
    size(format!(
        "values of {} in {rows:.0} rows are more than {}; make fewer or smaller ones",
        bytes(width),
        bytes(ROWS_BYTES_MAX)
    ))
}

/// A count as a number to compute with.
fn count(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

/// Such as `12 MB`.
fn bytes(bytes: f64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"];
    let mut value = bytes;
    let mut unit = 0;
    while value >= 9_999.5 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.0} {}", units[unit])
}
