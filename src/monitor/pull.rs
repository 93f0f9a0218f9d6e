//! Runs a monitor's SELECT over a range of steps and returns observations. The executor validates the SELECT.
//!
//! A long range is read in parts. A part with more than [`CELLS_MAX`] cells, or one that exceeds the limits of time,
//! cost or size, is read again in smaller parts. A single step that exceeds them is an error.

use jiff::civil::DateTime;

use super::registry::{Grain, Monitor};
use super::series::Observation;
use super::series::rows::{self, Mismatch};
use crate::warehouse::executor::Executor;
use crate::warehouse::sql::{Refusal, Select};
use crate::warehouse::table::Table;
use crate::warehouse::{self, Limits};

/// Maximum number of cells in one part of the result.
pub const CELLS_MAX: usize = 1_000_000;
/// Maximum number of observations in one range.
pub const OBSERVATIONS_MAX: usize = 2_000_000;
/// Maximum number of characters read of a dimension's value. Values that differ only beyond it are the same.
const CELL_CHARACTERS_MAX: usize = 10_000;
const BYTES_MAX: usize = 256 << 20;
/// Factor by which a part is reduced after it was too large.
const SMALLER: i64 = 4;

/// The reasons why a range cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The validator rejected the SELECT.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The SELECT failed in the database.
    #[error("{0}")]
    Database(#[from] warehouse::Error),
    /// The result does not match the TOML.
    #[error("{0}")]
    Mismatch(#[from] Mismatch),
    /// The result exceeds a limit.
    #[error("{0}")]
    TooMuch(String),
}

impl Error {
    /// Returns whether the monitor cannot be run, as opposed to a database that cannot be reached.
    pub fn is_of_monitor(&self) -> bool {
        match self {
            Self::Database(warehouse::Error::Connect(_) | warehouse::Error::Gone(_)) => false,
            Self::Refused(_)
            | Self::Mismatch(_)
            | Self::TooMuch(_)
            | Self::Database(
                warehouse::Error::Timeout { .. }
                | warehouse::Error::GoesOn { .. }
                | warehouse::Error::TooDear(_)
                | warehouse::Error::TooLarge { .. }
                | warehouse::Error::Statement { .. },
            ) => true,
        }
    }
}

/// Reads a whole range, which ends before the step `until`.
pub async fn pull(
    executor: &Executor,
    monitor: &Monitor,
    from: DateTime,
    until: DateTime,
) -> Result<Vec<Observation>, Error> {
    let mut parts = Parts::new(executor, monitor, from, until).await?;
    let mut observations = Vec::new();
    while let Some(part) = parts.next().await? {
        observations.extend(part.observations);
        if observations.len() > OBSERVATIONS_MAX {
            return Err(Error::TooMuch(format!(
                "more than {OBSERVATIONS_MAX} rows from {from} to {until}; leave out a dimension, group rare values \
                 together in the SQL, or shorten history"
            )));
        }
    }
    Ok(observations)
}

/// The observations in one part of a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The first step of the part.
    pub from: DateTime,
    /// The step before which the part ends.
    pub until: DateTime,
    pub observations: Vec<Observation>,
}

/// A range of steps that is read part by part.
#[derive(Debug)]
pub struct Parts<'a> {
    executor: &'a Executor,
    monitor: &'a Monitor,
    select: Select,
    next: DateTime,
    until: DateTime,
    steps: i64,
}

impl<'a> Parts<'a> {
    /// Validates the SELECT for a range of steps, which ends before `until`. Rows are read by [`Parts::next`].
    pub async fn new(
        executor: &'a Executor,
        monitor: &'a Monitor,
        from: DateTime,
        until: DateTime,
    ) -> Result<Self, Error> {
        let select = executor.validate_with_range(&monitor.sql).await?;
        let steps = match monitor.calendar.grain {
            Grain::Hour => 31 * 24,
            Grain::Day => 366,
            Grain::Week => 260,
        };
        Ok(Self { executor, monitor, select, next: from, until, steps })
    }

    /// Reads the next part, or returns `None` at the end of the range.
    pub async fn next(&mut self) -> Result<Option<Part>, Error> {
        while self.next < self.until {
            let end = self.monitor.calendar.shifted(self.next, self.steps).min(self.until);
            let Some(table) = self.read(end).await? else {
                self.steps = (self.steps / SMALLER).max(1);
                continue;
            };
            let observations = rows::observations(&table, self.monitor, self.next, end)?;
            let from = std::mem::replace(&mut self.next, end);
            return Ok(Some(Part { from, until: end, observations }));
        }
        Ok(None)
    }

    /// Reads the steps before `end`, or returns `None` if they are too many for one part.
    async fn read(&self, end: DateTime) -> Result<Option<Table>, Error> {
        let calendar = &self.monitor.calendar;
        let select = self.select.between(calendar.start_zoned(self.next), calendar.start_zoned(end));
        let columns = 1 + self.monitor.dimensions.len() + self.monitor.measures.len();
        let limits = Limits {
            rows_max: CELLS_MAX / columns,
            cell_characters_max: CELL_CHARACTERS_MAX,
            bytes_max: BYTES_MAX,
            ..self.executor.limits
        };
        let is_one_step = self.steps <= 1;
        match self.executor.run_within(&select, &limits).await {
            Ok(table) if !table.more_rows => Ok(Some(table)),
            Ok(_) if is_one_step => Err(Error::TooMuch(format!(
                "more than {} rows in the {} of {}; aggregate in the SQL, or leave out a dimension",
                limits.rows_max, calendar.grain, self.next
            ))),
            Err(error) if is_one_step || !is_too_much(&error) => Err(error.into()),
            Ok(_) | Err(_) => Ok(None),
        }
    }
}

/// Returns whether a smaller part may succeed after this error.
fn is_too_much(error: &warehouse::Error) -> bool {
    match error {
        warehouse::Error::Timeout { .. } | warehouse::Error::TooDear(_) | warehouse::Error::TooLarge { .. } => true,
        // After `GoesOn`, the server is still running the statement: a smaller one would add to its load.
        warehouse::Error::Connect(_)
        | warehouse::Error::Gone(_)
        | warehouse::Error::GoesOn { .. }
        | warehouse::Error::Statement { .. } => false,
    }
}
