//! Why a file cannot be read: where, what, and what to do.

use std::fmt;
use std::io;

/// A file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{problem}")]
pub struct Error {
    /// The file as it was named.
    pub file: String,
    /// Why it cannot be read.
    pub problem: Problem,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A line of a text, from 1.
    Line(u64),
    /// An element of a JSON array, from 1.
    Item(u64),
    /// A row of a Parquet file, from 1.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(formatter, "line {number}"),
            Self::Item(number) => write!(formatter, "item {number}"),
            Self::Row(number) => write!(formatter, "row {number}"),
        }
    }
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where; `None` if it is the whole file.
    pub place: Option<Place>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub advice: Option<String>,
}

impl Problem {
    /// Creates the problem of a table that the database refuses.
    pub(in crate::warehouse) fn of_table(reason: &str) -> Self {
        Self::new(format!("its table cannot be created: {reason}"))
    }

    pub(super) fn new(what: impl Into<String>) -> Self {
        Self { place: None, what: what.into(), advice: None }
    }

    pub(super) fn at(place: Place, what: impl Into<String>) -> Self {
        Self { place: Some(place), ..Self::new(what) }
    }

    #[must_use]
    pub(super) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Returns the error that says which file it is.
    pub(in crate::warehouse) fn of(self, file: impl Into<String>) -> Error {
        Error { file: file.into(), problem: self }
    }
}

impl fmt::Display for Problem {
    /// Formats what follows the name of the file.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(place) => write!(formatter, ", {place}: {}", self.what),
            None => write!(formatter, ": {}", self.what),
        }
    }
}

impl std::error::Error for Problem {}

impl From<io::Error> for Problem {
    /// Finds the problem again that a reader below passed up as an error of reading.
    fn from(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(problem) => problem,
            Err(error) => Self::new(format!("cannot be read: {error}")),
        }
    }
}
