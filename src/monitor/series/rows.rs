//! Converts the rows of a result into observations.
//!
//! A missing, extra or mistyped column, a duplicate row and a row outside the requested range are errors that say what
//! to write instead. Nothing is guessed.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use sha2::{Digest as _, Sha256};

use super::Observation;
use crate::monitor::registry::{Calendar, Grain, Monitor, TIME_COLUMNS};
use crate::typeset::text::hex;
use crate::warehouse::table::{Column, Table};

/// The dimension value that stands for NULL.
pub const NO_VALUE: &str = "(none)";

/// Maximum length of a dimension's value in characters. A longer one is cut to its beginning and part of its hash.
const VALUE_CHARACTERS_MAX: usize = 120;
const BEGINNING_CHARACTERS: usize = 100;

const NUMBERS: [&str; 6] = ["int2", "int4", "int8", "numeric", "float4", "float8"];
const TIMES: [&str; 3] = ["date", "timestamp", "timestamptz"];

/// A result that does not match the monitor's TOML.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// All problems of the columns.
    #[error("{}", .0.join("; "))]
    Columns(Vec<String>),
    /// The problem of one row.
    #[error("row {row}: {message}")]
    Row {
        /// The number of the row, from 1.
        row: usize,
        /// What is wrong and what to write instead.
        message: String,
    },
}

/// The indexes of the time, dimension and measure columns in a result.
#[derive(Debug)]
struct Columns {
    time: usize,
    time_type: Time,
    dimensions: Vec<usize>,
    measures: Vec<usize>,
}

/// The type of the time column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    Date,
    /// A timestamp on the monitor's clock.
    Local,
    Instant,
}

/// Checks the columns of a result without its rows.
pub fn check_columns(columns: &[Column], monitor: &Monitor) -> Result<(), Mismatch> {
    Columns::of(columns, monitor).map(drop)
}

/// Converts a result into observations. Every row must belong to a step from `from` to before `until`.
///
/// An hour that the clocks show twice is one step, whose value is the mean of both hours. A column of type `timestamp`
/// cannot distinguish the two hours, so its value is taken as the sum of both.
pub fn observations(
    table: &Table,
    monitor: &Monitor,
    from: DateTime,
    until: DateTime,
) -> Result<Vec<Observation>, Mismatch> {
    let columns = Columns::of(&table.columns, monitor)?;
    let reader = Reader { table, monitor, columns, from, until };
    let mut seen = HashMap::with_capacity(table.rows.len());
    let mut both_hours = BTreeMap::<(DateTime, Vec<String>), Vec<Observation>>::new();
    let mut observations = Vec::with_capacity(table.rows.len());
    for row in 0..table.rows.len() {
        let mismatch = |message| Mismatch::Row { row: row + 1, message };
        let (instant, observation) = reader.observation(row).map_err(mismatch)?;
        if let Some(earlier) = seen.insert((instant, observation.dimensions.clone()), row + 1) {
            return Err(mismatch(reader.doubled(&observation, earlier)));
        }
        if monitor.calendar.is_double_hour(observation.at) {
            both_hours.entry((observation.at, observation.dimensions.clone())).or_default().push(observation);
        } else {
            observations.push(observation);
        }
    }
    let halves = if reader.columns.time_type == Time::Instant { 1.0 } else { 2.0 };
    observations.extend(both_hours.into_values().filter_map(|hours| mean(hours, halves)));
    Ok(observations)
}

impl Columns {
    fn of(columns: &[Column], monitor: &Monitor) -> Result<Self, Mismatch> {
        let mut problems = Vec::new();
        let mut named = BTreeMap::<&str, Vec<usize>>::new();
        for (index, column) in columns.iter().enumerate() {
            named.entry(&column.name).or_default().push(index);
        }
        problems.extend(named.iter().filter(|(_, places)| places.len() > 1).map(|(name, places)| {
            format!("{} columns are called `{name}`; give each a name of its own", places.len())
        }));
        let place = |name: &str| named.get(name).and_then(|places| places.first().copied());
        let mut required = |name: &str, what: &str| {
            let place = place(name);
            if place.is_none() {
                problems
                    .push(format!("there is no column `{name}`, which is a {what} in the TOML; select it AS {name}"));
            }
            place
        };
        let dimensions = monitor.dimensions.iter().map(|name| required(name, "dimension")).collect::<Vec<_>>();
        let measures = monitor.measures.iter().map(|measure| required(&measure.key, "measure")).collect::<Vec<_>>();
        let times = TIME_COLUMNS.iter().filter_map(|name| place(name)).collect::<Vec<_>>();
        match times[..] {
            [_] => {}
            [] => problems
                .push("there is no column `at`, which holds the start of a row's step; select it AS at".to_owned()),
            _ => problems.push("there is more than one of the columns `at`, `day` and `date`; keep one".to_owned()),
        }
        for (index, column) in columns.iter().enumerate() {
            if times.contains(&index) {
                problems.extend(time_problem(column, monitor.calendar.grain));
            } else if measures.contains(&Some(index)) {
                problems.extend(measure_problem(column));
            } else if !dimensions.contains(&Some(index)) {
                let name = &column.name;
                problems.push(format!(
                    "the column `{name}` is neither a dimension nor a measure; add it to the TOML or leave it out"
                ));
            }
        }
        let all = |places: Vec<Option<usize>>| places.into_iter().collect::<Option<Vec<_>>>();
        match (times.first(), all(dimensions), all(measures)) {
            (Some(time), Some(dimensions), Some(measures)) if problems.is_empty() => {
                Ok(Self { time: *time, time_type: time_type(&columns[*time].type_name), dimensions, measures })
            }
            _ => Err(Mismatch::Columns(problems)),
        }
    }
}

fn time_problem(column: &Column, grain: Grain) -> Option<String> {
    let Column { name, type_name } = column;
    if !TIMES.contains(&type_name.as_str()) {
        return Some(format!("the column `{name}` is of type {type_name}; a date, timestamp or timestamptz is needed"));
    }
    (grain == Grain::Hour && type_name == "date")
        .then(|| format!("the column `{name}` is of type date, which has no hours; select date_trunc('hour', ...)"))
}

fn measure_problem(Column { name, type_name }: &Column) -> Option<String> {
    (!NUMBERS.contains(&type_name.as_str()))
        .then(|| format!("the column `{name}` is of type {type_name}, but a measure is numeric; cast it to numeric"))
}

fn time_type(type_name: &str) -> Time {
    match type_name {
        "timestamptz" => Time::Instant,
        "timestamp" => Time::Local,
        _ => Time::Date,
    }
}

struct Reader<'a> {
    table: &'a Table,
    monitor: &'a Monitor,
    columns: Columns,
    from: DateTime,
    until: DateTime,
}

impl Reader<'_> {
    /// Returns a row's observation and the instant at which its hour, day or week begins. The instant distinguishes the
    /// two hours of a double hour.
    fn observation(&self, row: usize) -> Result<(Timestamp, Observation), String> {
        let (at, instant) = self.time(row)?;
        if at < self.from || at >= self.until {
            let (from, until) = (self.from, self.until);
            return Err(format!(
                "{at} is outside of the range from {from} to {until}; compare with $1 and $2: at >= $1 AND at < $2"
            ));
        }
        let dimension = |column: &usize| dimension(self.table.cell(row, *column).unwrap_or(NO_VALUE));
        let dimensions = self.columns.dimensions.iter().map(dimension).collect();
        let measures =
            self.columns.measures.iter().map(|column| self.measure(row, *column)).collect::<Result<_, _>>()?;
        Ok((instant, Observation { at, dimensions, measures }))
    }

    fn time(&self, row: usize) -> Result<(DateTime, Timestamp), String> {
        let calendar = &self.monitor.calendar;
        let name = &self.table.columns[self.columns.time].name;
        let text = self.table.cell(row, self.columns.time).ok_or_else(|| format!("`{name}` is NULL"))?;
        let unread = || format!("`{name}` is {text}, which is not a usable point in time");
        match self.columns.time_type {
            Time::Date => {
                let at = text.parse::<Date>().map_err(|_| unread())?.to_datetime(calendar.day_starts);
                if calendar.floor(at) == at { Ok((at, calendar.start(at))) } else { Err(off_grid(text, calendar)) }
            }
            Time::Local => {
                let at = text.parse::<DateTime>().map_err(|_| unread())?;
                if calendar.floor(at) == at { Ok((at, calendar.start(at))) } else { Err(off_grid(text, calendar)) }
            }
            Time::Instant => {
                let instant = text.parse::<Timestamp>().map_err(|_| unread())?;
                let at = calendar.step_of(instant);
                let begins = instant == calendar.start(at) || (calendar.is_double_hour(at) && is_full_hour(instant));
                if begins { Ok((at, instant)) } else { Err(off_grid(text, calendar)) }
            }
        }
    }

    fn measure(&self, row: usize, column: usize) -> Result<Option<f64>, String> {
        let Some(text) = self.table.cell(row, column) else { return Ok(None) };
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        let name = &self.table.columns[column].name;
        number.map(Some).ok_or_else(|| format!("`{name}` is {text}, which is not a finite number"))
    }

    fn doubled(&self, observation: &Observation, earlier: usize) -> String {
        let values = self.monitor.dimensions.iter().zip(&observation.dimensions);
        let values = values.map(|(name, value)| format!(" {name} = {value}")).collect::<Vec<_>>().join(",");
        let at = observation.at;
        format!(
            "{at}{values} is already in row {earlier}; one row per step and dimension values is needed: GROUP BY them"
        )
    }
}

/// Returns a dimension's value, cut if it is too long. A cut value ends in the beginning of its SHA-256, so that
/// different values stay different.
fn dimension(value: &str) -> String {
    if value.chars().nth(VALUE_CHARACTERS_MAX).is_none() {
        return value.to_owned();
    }
    let beginning = value.chars().take(BEGINNING_CHARACTERS).collect::<String>();
    let hash = Sha256::digest(value.as_bytes());
    format!("{beginning}…{}", hex(&hash[..6]))
}

fn is_full_hour(instant: Timestamp) -> bool {
    instant.as_second() % 3600 == 0 && instant.subsec_nanosecond() == 0
}

fn off_grid(text: &str, calendar: &Calendar) -> String {
    let zone = calendar.time_zone.iana_name().unwrap_or("UTC");
    let grain = calendar.grain;
    let (step, begins) = match grain {
        Grain::Hour => ("an hour", "on the full hour".to_owned()),
        Grain::Day => ("a day", format!("at {}", calendar.day_starts)),
        Grain::Week => ("a week", format!("on Monday at {}", calendar.day_starts)),
    };
    format!(
        "{text} is not the start of {step}, which begins {begins} in {zone}: \
         select date_trunc('{grain}', ..., '{zone}')"
    )
}

/// Returns the mean of the hours that the clocks show as one. A measure is unknown if it is NULL in one of them.
fn mean(hours: Vec<Observation>, halves: f64) -> Option<Observation> {
    let count = hours.iter().fold(0.0, |count, _| count + halves);
    let mut sum = hours.into_iter().reduce(|mut sum, hour| {
        for (total, value) in sum.measures.iter_mut().zip(hour.measures) {
            *total = total.zip(value).map(|(total, value)| total + value);
        }
        sum
    })?;
    sum.measures.iter_mut().flatten().for_each(|value| *value /= count);
    Some(sum)
}
