//! Generates the daily tables that the shipped monitors read, seeded, with known changes injected into some of the
//! days.
//!
//! The traffic resembles real traffic: a week, a year and holidays, growth that differs by channel, returning visitors,
//! counts with more noise than independent events have, noise that lasts from one day to the next, days without rows,
//! and late rows. The injections are known, so that a monitor's results can be compared with them. The same options
//! produce the same bytes on every machine.

#![expect(
    clippy::cast_precision_loss,
    reason = "generated amounts are computed in f64 and rounded to whole numbers far below 2^52"
)]

mod calendar;
mod chance;
mod effect;
mod events;
mod funnel;
mod inject;
mod traffic;

use std::io::{self, Write};

use jiff::ToSpan;
use jiff::civil::Date;

pub use calendar::special_day;
pub use effect::Truth;
pub use inject::{Injection, Kind};

use chance::Chance;

/// Rows of one INSERT statement.
const ROWS_PER_INSERT: usize = 500;
/// Probability that a day has no rows.
const GAP_CHANCE: f64 = 0.005;
/// Probabilities that a channel's rows are late, by days before the last day.
const LATE_CHANCES: [f64; 3] = [0.5, 0.25, 0.1];

/// The options of the generator of daily tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The same seed produces the same data.
    pub seed: u64,
    pub days: u32,
    /// The last day.
    pub until: Date,
    /// Changes to inject into some of the days.
    pub injections: Vec<Injection>,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, days: 1_096, until: jiff::civil::date(2025, 11, 30), injections: Vec::new() }
    }
}

/// A generated table, with one row for each day and combination of dimension values.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub name: &'static str,
    /// The names of the dimensions, besides the day.
    pub dimensions: &'static [&'static str],
    /// The names of the measures, in the order of the funnel.
    pub measures: &'static [&'static str],
    /// The rows, ordered by day.
    pub rows: Vec<Row>,
}

/// The measures of one combination of dimension values on one day.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub day: Date,
    /// The value of each of [`Table::dimensions`].
    pub dimensions: Vec<&'static str>,
    /// The value of each of [`Table::measures`].
    pub measures: Vec<f64>,
}

/// Both generated tables, and the options that they were generated with.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    options: Options,
    /// The table `funnel_daily`.
    pub funnel: Table,
    /// The table `ga4_events_daily`, here with a column for each event name.
    pub events: Table,
}

/// Generates both tables.
pub fn generate(options: &Options) -> Dataset {
    Dataset { options: options.clone(), funnel: funnel(options), events: events(options) }
}

/// Generates `funnel_daily` alone.
pub fn funnel(options: &Options) -> Table {
    let mut table = funnel::table(&World { options, is_noisy: true });
    remove_what_is_missing(&mut table, options, 1);
    table
}

/// Generates `ga4_events_daily` alone.
pub fn events(options: &Options) -> Table {
    let mut table = events::table(&World { options, is_noisy: true });
    remove_what_is_missing(&mut table, options, 2);
    table
}

/// Returns each injection with its effect, in the order of the injections.
pub fn truths(options: &Options) -> Vec<Truth> {
    options.injections.iter().map(|injection| effect::truth(injection, options)).collect()
}

impl Dataset {
    /// Writes both tables as SQL for `psql` or for the embedded database.
    pub fn write_sql(&self, writer: &mut impl Write) -> io::Result<()> {
        let Options { seed, days, until, injections } = &self.options;
        writeln!(writer, "-- Generated: seed {seed}, {days} days up to {until}.")?;
        for injection in injections {
            writeln!(writer, "-- Injected: {injection}")?;
        }
        writeln!(writer, "\nBEGIN;\n")?;
        write_rows(writer, funnel::DEFINITION, self.funnel.name, &funnel::rows(&self.funnel))?;
        write_rows(writer, events::DEFINITION, self.events.name, &events::rows(&self.events))?;
        writeln!(writer, "COMMIT;\n\nANALYZE {};\nANALYZE {};", self.funnel.name, self.events.name)
    }

    /// Returns the number of rows that the tables have in the database, where `ga4_events_daily` has one for each event
    /// name.
    pub fn rows(&self) -> usize {
        self.funnel.rows.len() + self.events.rows.len() * self.events.measures.len()
    }
}

fn write_rows(writer: &mut impl Write, definition: &str, name: &str, rows: &[String]) -> io::Result<()> {
    writeln!(writer, "{definition}")?;
    for rows in rows.chunks(ROWS_PER_INSERT) {
        writeln!(writer, "INSERT INTO {name} VALUES\n{};", rows.join(",\n"))?;
    }
    writeln!(writer)
}

/// The input from which a table is simulated.
#[derive(Debug, Clone, Copy)]
struct World<'a> {
    options: &'a Options,
    /// Without noise, every amount is its expected value.
    is_noisy: bool,
}

impl World<'_> {
    fn days(&self) -> usize {
        self.options.days as usize
    }

    fn date(&self, day: usize) -> Date {
        date(self.options, day)
    }

    /// Returns the source of chance of one day of a series. Every day has its own, so that an injection shifts no other
    /// draw.
    fn chance(&self, series: u64, day: usize) -> Chance {
        self.stream(series * 100_000 + 1 + day as u64)
    }

    /// Returns the source of chance for draws that concern a whole series.
    fn chance_of_series(&self, series: u64) -> Chance {
        self.stream(series * 100_000)
    }

    fn stream(&self, stream: u64) -> Chance {
        if self.is_noisy { Chance::drawn(self.options.seed, stream) } else { Chance::Mean }
    }

    /// Returns the factor of all injections on a measure.
    fn factor(&self, measure: &str, dimensions: &[(&str, &str)], day: usize) -> f64 {
        let date = self.date(day);
        self.options.injections.iter().map(|injection| injection.factor(measure, dimensions, date)).product()
    }
}

fn date(options: &Options, day: usize) -> Date {
    let back = i64::from(options.days) - 1 - i64::try_from(day).unwrap_or_default();
    options.until.saturating_sub(back.days())
}

/// Removes whole days, and of the last days the rows of single channels.
fn remove_what_is_missing(table: &mut Table, options: &Options, number: u64) {
    let mut chance = Chance::drawn(options.seed, number);
    let gaps = (0..options.days as usize).filter(|_| chance.happens(GAP_CHANCE)).map(|day| date(options, day));
    let gaps = gaps.collect::<Vec<_>>();
    let mut late = Vec::new();
    for (back, probability) in LATE_CHANCES.into_iter().enumerate() {
        let day = options.until.saturating_sub(i64::try_from(back).unwrap_or_default().days());
        let channels = traffic::CHANNELS.iter().filter(|_| chance.happens(probability));
        late.extend(channels.map(|channel| (day, channel.name)));
    }
    let is_missing = |row: &Row| gaps.contains(&row.day) || late.contains(&(row.day, row.dimensions[0]));
    table.rows.retain(|row| !is_missing(row));
}
