//! A monitor's SELECT over a range of its steps -> observations, through the executor that every text goes through.
//!
//! A long range is read in parts. A part with more than [`CELLS_MAX`] cells, or that runs into the limits of time or cost,
//! is read in smaller ones; a single step that does so is an error.

use jiff::civil::DateTime;

use super::registry::{Grain, Monitor};
use super::series::Observation;
use super::series::rows::{self, Mismatch};
use crate::warehouse::executor::Executor;
use crate::warehouse::sql::{Refusal, Select};
use crate::warehouse::table::Table;
use crate::warehouse::{self, Limits};

/// Cells of one part of the result at the most.
pub const CELLS_MAX: usize = 1_000_000;
/// Observations of one range at the most.
pub const OBSERVATIONS_MAX: usize = 2_000_000;
/// Characters of a dimension's value that are read; two that differ only after them are one.
const CELL_CHARACTERS_MAX: usize = 10_000;
const BYTES_MAX: usize = 256 << 20;
/// How much smaller the next try is where a part was too much.
const SMALLER: i64 = 4;

/// Why there are no observations.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The SELECT may not be run.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The database failed it.
    #[error("{0}")]
    Database(#[from] warehouse::Error),
    /// The result is not what the TOML says.
    #[error("{0}")]
    Mismatch(#[from] Mismatch),
    /// There is too much of it.
    #[error("{0}")]
    TooMuch(String),
}

impl Error {
    /// Whether it is the monitor that cannot be run, and not the database that cannot be reached.
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

/// Reads all of a range, which ends before the step `until`.
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

/// What was observed in a part of a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its first step.
    pub from: DateTime,
    /// The step that it ends before.
    pub until: DateTime,
    /// All of it.
    pub observations: Vec<Observation>,
}

/// A range that is read part by part.
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
    /// A range of steps, which ends before `until`.
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

    /// The next part; `None` when all was read.
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

    /// Reads up to `end`; `None` where that is too much for one part.
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

/// Whether less of it might do.
fn is_too_much(error: &warehouse::Error) -> bool {
    match error {
        warehouse::Error::Timeout { .. } | warehouse::Error::TooDear(_) | warehouse::Error::TooLarge { .. } => true,
        // Nor where the server is still at it: what is smaller would come on top.
        warehouse::Error::Connect(_)
        | warehouse::Error::Gone(_)
        | warehouse::Error::GoesOn { .. }
        | warehouse::Error::Statement { .. } => false,
    }
}
