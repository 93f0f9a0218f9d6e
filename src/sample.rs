//! The demo's data: the small set in `data/sample_data.sql`, and a seeded generator of a larger set of the same shape.
//!
//! The generator plants signals and lists them. It also adds data that only looks like signals: slow customers, late
//! ones, key accounts with better terms, a region with a season, and trial batches of a few units. [`score`] compares
//! findings with the list. The same options produce the same bytes on every machine: only integers, and floating-point
//! operations that IEEE 754 rounds exactly, are used.

pub mod days;
pub mod eval;
mod invoices;
mod market;
pub mod planted;
mod score;

use std::io::{self, Write};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use score::{KindScore, Score, score};

use invoices::Invoice;
use market::Market;

/// The small set: twenty-one invoices and a return that a person can check by hand.
pub const SAMPLE_SQL: &str = include_str!("../data/sample_data.sql");

/// Rows of one INSERT statement.
const ROWS_PER_INSERT: usize = 500;

/// The options of the generator of invoices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The same seed produces the same data.
    pub seed: u64,
    pub customers: u32,
    /// The number of months with invoices.
    pub months: u32,
    /// The last day of the data.
    pub as_of: Date,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, customers: 3000, months: 24, as_of: jiff::civil::date(2025, 11, 30) }
    }
}

/// A kind of signal that the generator plants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A customer who ordered regularly and stopped.
    Churn,
    /// A batch that is returned far more often than others.
    Returns,
    /// A customer whose discounts are far above those of its segment.
    Discount,
    /// A region in which most customers stopped ordering.
    SilentRegion,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Churn, Self::Returns, Self::Discount, Self::SilentRegion];

    /// Returns the column that contains the entity's value.
    pub fn column(self) -> &'static str {
        match self {
            Self::Churn | Self::Discount => "customer_code",
            Self::Returns => "batch",
            Self::SilentRegion => "region",
        }
    }

    /// Returns the name in the list of planted signals.
    pub fn name(self) -> &'static str {
        match self {
            Self::Churn => "churn",
            Self::Returns => "returns",
            Self::Discount => "discount",
            Self::SilentRegion => "silent_region",
        }
    }
}

/// A signal that the generator planted, and the money that it is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planted {
    pub kind: Kind,
    /// The entity's value in the column [`Kind::column`].
    pub entity: String,
    /// The amount in INR. For a customer who stopped: net sales value 2 in the year before the stop. For a region: the
    /// sum of that over all customers who stopped. For a batch: the returned goods. For discounts: those given in the
    /// last year.
    pub amount: i64,
    /// The customers of a region who stopped. A finding that names one of them as churned is not a mistake.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
}

/// A generated set of invoices, and the signals that are planted in it.
#[derive(Debug, Clone)]
pub struct Dataset {
    options: Options,
    market: Market,
    invoices: Vec<Invoice>,
    planted: Vec<Planted>,
}

/// Generates a set of invoices.
pub fn generate(options: Options) -> Dataset {
    let market = Market::new(options);
    let (invoices, bad_batches) = invoices::generate(&market, options);
    let planted = invoices::planted(&market, &invoices, &bad_batches);
    Dataset { options, market, invoices, planted }
}

impl Dataset {
    /// Returns the planted signals, sorted by kind and then by amount, the largest first. As JSON they are the list to
    /// score against.
    pub fn planted(&self) -> &[Planted] {
        &self.planted
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.invoices.len()
    }

    /// Writes the table and its rows as SQL for `psql` or for the embedded database.
    pub fn write_sql(&self, writer: &mut impl Write) -> io::Result<()> {
        let Options { seed, customers, months, as_of } = self.options;
        writeln!(
            writer,
            "-- Generated: seed {seed}, {customers} customers, {months} months up to {as_of}, {} rows.\n",
            self.rows()
        )?;
        writer.write_all(table_definition().as_bytes())?;
        for rows in self.invoices.chunks(ROWS_PER_INSERT) {
            writeln!(writer, "INSERT INTO primary_sales VALUES")?;
            for (index, invoice) in rows.iter().enumerate() {
                invoice.write_row(writer, &self.market)?;
                writeln!(writer, "{}", if index + 1 == rows.len() { ";" } else { "," })?;
            }
        }
        writeln!(writer, "\nCOMMIT;\n\nANALYZE primary_sales;")
    }
}

/// Returns the small set's statements from BEGIN up to its first row, so that both sets share one definition.
fn table_definition() -> &'static str {
    let start = SAMPLE_SQL.find("BEGIN;").unwrap_or_default();
    let end = SAMPLE_SQL.find("INSERT INTO").unwrap_or(SAMPLE_SQL.len());
    &SAMPLE_SQL[start..end]
}
