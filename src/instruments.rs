//! Instruments: each asks one question of a table, by SQL that the database answers, and tells by a test whether the answer
//! is more than chance. What they find is stated as facts, like anything else.
//!
//! ```text
//! dialect     how PostgreSQL writes names, literals, durations
//! target      what is measured of which rows, by which columns
//! compare     does a measure differ between groups
//! ```
//!
//! An instrument does no I/O: it returns the statements to run, and reads their results. The loop runs them like any query,
//! journalled and bounded.

pub mod compare;
pub mod dialect;
pub mod target;

use crate::warehouse::table::Table;

/// A statement of an instrument, with the question that it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub question: String,
    pub sql: String,
}

/// A result of a [`Step`], under its id.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'r> {
    /// Such as `q7`.
    pub id: &'r str,
    pub table: &'r Table,
}

/// What an instrument makes of its results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conclusion {
    /// What holds, as claims, the most telling first.
    pub claims: Vec<String>,
    /// What was compared and how well chance explains it, a line each.
    pub lines: Vec<String>,
}
