//! Days of the tables that the shipped monitors read, seeded, and with them what was done to some of those days.
//!
//! The traffic has what real traffic has: a week, a year and holidays, growth that differs by channel, visitors who come
//! back for having come before, counts whose noise is that of counts and more, noise that lasts from one day to the
//! next, days without rows, and late rows. What is injected is known, so that what a monitor says can be held against
//! it. The same options give the same bytes on every machine.

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
/// The share of days of which no row is there.
const GAP_CHANCE: f64 = 0.005;
/// The chance of a channel's rows to be late, by days before the last.
const LATE_CHANCES: [f64; 3] = [0.5, 0.25, 0.1];

/// What to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The same seed gives the same data.
    pub seed: u64,
    /// How many days.
    pub days: u32,
    /// The last of them.
    pub until: Date,
    /// What to do to some of them.
    pub injections: Vec<Injection>,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, days: 1_096, until: jiff::civil::date(2025, 11, 30), injections: Vec::new() }
    }
}

/// A generated table, in rows of one day and one combination of dimension values.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name in the database.
    pub name: &'static str,
    /// What breaks it down, besides the day.
    pub dimensions: &'static [&'static str],
    /// What is measured, in the order of the funnel.
    pub measures: &'static [&'static str],
    /// Its rows, by day.
    pub rows: Vec<Row>,
}

/// What was measured of one combination of dimension values on one day.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The day.
    pub day: Date,
    /// The value of each of [`Table::dimensions`].
    pub dimensions: Vec<&'static str>,
    /// The value of each of [`Table::measures`].
    pub measures: Vec<f64>,
}

/// Both tables.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    options: Options,
    /// `funnel_daily`.
    pub funnel: Table,
    /// `ga4_events_daily`, with a column for each event name.
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

/// What was done to the days, and what it comes to: one for each injection, in their order.
pub fn truths(options: &Options) -> Vec<Truth> {
    options.injections.iter().map(|injection| effect::truth(injection, options)).collect()
}

impl Dataset {
    /// Writes both tables as SQL, ready for `psql` or for the embedded database.
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

    /// How many rows the tables have in the database.
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

/// What a table is simulated from.
#[derive(Debug, Clone, Copy)]
struct World<'a> {
    options: &'a Options,
    /// Without noise, every amount is the one to be expected.
    is_noisy: bool,
}

impl World<'_> {
    fn days(&self) -> usize {
        self.options.days as usize
    }

    fn date(&self, day: usize) -> Date {
        date(self.options, day)
    }

    /// A source of chance for each day of each series, so that what is injected shifts no other draw.
    fn chance(&self, series: u64, day: usize) -> Chance {
        self.stream(series * 100_000 + 1 + day as u64)
    }

    /// The source of chance of what a whole series has.
    fn chance_of_series(&self, series: u64) -> Chance {
        self.stream(series * 100_000)
    }

    fn stream(&self, stream: u64) -> Chance {
        if self.is_noisy { Chance::drawn(self.options.seed, stream) } else { Chance::Mean }
    }

    /// By what a measure is multiplied.
    fn factor(&self, measure: &str, dimensions: &[(&str, &str)], day: usize) -> f64 {
        let date = self.date(day);
        self.options.injections.iter().map(|injection| injection.factor(measure, dimensions, date)).product()
    }
}

fn date(options: &Options, day: usize) -> Date {
    let back = i64::from(options.days) - 1 - i64::try_from(day).unwrap_or_default();
    options.until.saturating_sub(back.days())
}

/// Whole days, and of the last ones the rows of single channels.
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
