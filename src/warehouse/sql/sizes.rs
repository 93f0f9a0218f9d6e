//! Bounds the values that a statement makes from constants, and the work to make them, before the statement is sent.
//!
//! PostgreSQL evaluates constants while it plans, and most of its functions do not check for a cancel request until
//! they are done: `strpos(repeat('a', 4000000), 'b' || repeat('a', 2000000))` occupies a backend for hours, whatever
//! the time-out is. So an upper bound is computed for every expression: the bytes of its value, and how large a number
//! it may be. Nothing is known here of a column's values, so they are assumed to be small. The bounds apply to what the
//! statement's own constants make: alone, together with a column, or in rows that constants make.
//!
//! This is a separate pass after the walk, which has accepted every form and name already. It finds columns of
//! subqueries and CTEs by their names alone, whichever range has them. If it cannot tell two apart, it assumes the
//! larger. A constant value that cannot be bounded is refused if its size matters.

mod calls;
mod expression;
mod number;
mod query;

use std::collections::HashMap;

use sqlparser::ast::Query;

use super::TEXT_BYTES_MAX;
use super::refusal::{Refusal, size};

/// The maximum bytes of a value that functions or operators make larger than their inputs.
const VALUE_BYTES_MAX: f64 = (16 << 20) as f64;
/// The maximum bytes of all such values together, aggregates excepted.
const TOTAL_BYTES_MAX: f64 = (64 << 20) as f64;
/// The maximum bytes of a value times the rows that may have one each, where PostgreSQL keeps them all: in an
/// aggregate, a window or a sort.
pub(crate) const ROWS_BYTES_MAX: f64 = (256 << 20) as f64;
/// Values smaller than this, in bytes, are not limited by rows: tables have such values too, in any number of rows.
pub(crate) const WIDE_BYTES: f64 = (64 << 10) as f64;
/// The maximum work of one call whose work grows with the product of its arguments. It is the work on constants that
/// fill a text.
#[expect(clippy::cast_precision_loss, reason = "a text has only some thousand bytes")]
const CALL_WORK_MAX: f64 = (TEXT_BYTES_MAX * TEXT_BYTES_MAX) as f64;
/// The maximum work of all such calls together: a few seconds, during which a server cannot be made to stop.
const WORK_MAX: f64 = 3.0 * CALL_WORK_MAX;
/// Work below this does not count towards [`WORK_MAX`].
const WORK_COUNTED: f64 = 1e6;
/// The rows that WITH RECURSIVE is assumed to make, because their number is unknown. The time limit covers more of
/// them.
const RECURSIVE_ROWS: f64 = 500.0;
/// The maximum digits that a number counted up by WITH RECURSIVE is assumed to have.
const RECURSIVE_DIGITS: f64 = 6.0;
/// The maximum number of expressions visited. WITH RECURSIVE visits its parts more than once.
const STEPS_MAX: usize = 200_000;

/// An upper bound of a value, in bytes and as a number.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact about the value")]
struct Size {
    /// The size in bytes, in memory or as text.
    bytes: f64,
    /// The decimal digits before the point if it is a number, with a fraction: its amount is below `10^digits`.
    digits: f64,
    /// Whether it is made from constants alone, so that an unknown function of it could return anything.
    constant: bool,
    /// Whether it is one value computed from many rows.
    aggregate: bool,
    /// Whether constants alone determine how large a number it is.
    known: bool,
    /// Whether its bytes depend on an unknown number, so that they are only a guess.
    guessed: bool,
}

/// The size that a table's column, or a value computed from one, is assumed to have.
const COLUMN: Size = Size { bytes: 64.0, digits: 3.0, constant: false, aggregate: false, known: false, guessed: false };

impl Size {
    const fn constant(bytes: f64, digits: f64) -> Self {
        Self { bytes, digits, constant: true, aggregate: false, known: true, guessed: false }
    }

    fn amount(self) -> f64 {
        10_f64.powf(self.digits)
    }

    /// Returns the bound of a value that may be either of two.
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

    /// Returns the bound of a value computed from several. It is constant if all of them are, and has as many bytes as
    /// they have together.
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

    /// Returns the bound of a value whose count or length depends on a number.
    fn counted(self, number: Self) -> Self {
        Self { guessed: self.guessed || !number.known, ..self }
    }

    /// Returns the bound of a value if it is unknown how large a number it is.
    fn of_any_amount(self) -> Self {
        let digits = if self.constant { f64::INFINITY } else { self.digits.max(COLUMN.digits) };
        Self { digits, known: false, ..self }
    }

    /// Returns the bound of a boolean or another small value computed from it.
    fn small(self) -> Self {
        Self { bytes: 16.0, digits: 1.0, ..self }
    }
}

/// Refuses a query whose constants make too large values or too much work. Returns the bytes of the widest value that
/// the query makes for each row that it reads.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the size is bounded and not negative")]
pub(super) fn check(query: &Query) -> Result<u64, Refusal> {
    let mut sizes = Sizes { rows: 1.0, ..Sizes::default() };
    sizes.query(query)?;
    Ok(sizes.widest as u64)
}

#[derive(Debug, Default)]
struct Sizes {
    /// The columns of subqueries, CTEs and functions in FROM, by their names alone.
    columns: HashMap<String, Size>,
    /// The bound of all columns that have no name of their own.
    unnamed: Option<Size>,
    ctes: HashMap<String, query::Relation>,
    /// The rows that constants make in the FROM of the current SELECT, times those of the SELECTs around it.
    rows: f64,
    /// The rows that functions in the select list make from each of these rows.
    series: f64,
    work: f64,
    total: f64,
    widest: f64,
    steps: usize,
}

impl Sizes {
    /// Records a value that `what` makes from its inputs. Refuses it if it is too large.
    fn made(&mut self, what: &str, value: Size, inputs: &[Size]) -> Result<Size, Refusal> {
        let largest = inputs.iter().map(|input| input.bytes).fold(0.0, f64::max);
        if value.bytes <= largest || value.bytes < WIDE_BYTES {
            return Ok(value);
        }
        if value.bytes.is_infinite() {
            return Err(size(format!(
                "{what} makes a value whose size is unknown before it runs; write its numbers as constants"
            )));
        }
        let most = if value.aggregate { ROWS_BYTES_MAX } else { VALUE_BYTES_MAX };
        if value.bytes > most {
            return Err(size(format!(
                "{what} could make a value of {}; the limit is {}, make it smaller",
                bytes(value.bytes),
                bytes(most)
            )));
        }
        self.total += if value.aggregate { 0.0 } else { value.bytes };
        if self.total > TOTAL_BYTES_MAX {
            return Err(size(format!(
                "the constants of this statement make more than {} in all; make the values smaller",
                bytes(TOTAL_BYTES_MAX)
            )));
        }
        Ok(value)
    }

    /// Records work that `what` does and that the server would not interrupt. Refuses too much of it.
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
            return Err(size("WITH RECURSIVE is nested too deep to compute how much it makes; use only one"));
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

/// Converts a count to a number for arithmetic.
fn count(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

/// Formats a number of bytes, such as `12 MB`.
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
