//! The demo's data: the small set in `data/sample_data.sql`, and a seeded generator of a larger one of the same shape.
//!
//! The generator plants signals and lists them, and adds what only looks like them: slow customers, late ones, key
//! accounts with better terms, a region with a season, trial batches of a few units. [`score`] compares findings with
//! the list. The same options give the same bytes on every machine: only integers, and floating-point operations that
//! IEEE 754 rounds exactly, are used.

pub mod days;
mod invoices;
mod market;
mod score;

use std::io::{self, Write};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use score::{KindScore, Score, score};

use invoices::Invoice;
use market::Market;

/// The sixteen invoices that a person can check by hand.
pub const SAMPLE_SQL: &str = include_str!("../data/sample_data.sql");

/// Rows of one INSERT statement.
const ROWS_PER_INSERT: usize = 500;

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The same seed gives the same data.
    pub seed: u64,
    /// How many customers.
    pub customers: u32,
    /// How many months of invoices.
    pub months: u32,
    /// The last day of the data.
    pub as_of: Date,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, customers: 3000, months: 24, as_of: jiff::civil::date(2025, 11, 30) }
    }
}

/// The kinds of signal that are planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A customer who ordered regularly and stopped.
    Churn,
    /// A batch of which far more comes back than of others.
    Returns,
    /// A customer whose discounts are far above those of its segment.
    Discount,
    /// A region most of whose customers stopped.
    SilentRegion,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Churn, Self::Returns, Self::Discount, Self::SilentRegion];

    /// The column in which the entity's value stands.
    pub fn column(self) -> &'static str {
        match self {
            Self::Churn | Self::Discount => "customer_code",
            Self::Returns => "batch",
            Self::SilentRegion => "region",
        }
    }

    /// The name, as in the list.
    pub fn name(self) -> &'static str {
        match self {
            Self::Churn => "churn",
            Self::Returns => "returns",
            Self::Discount => "discount",
            Self::SilentRegion => "silent_region",
        }
    }
}

/// A planted signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planted {
    /// What kind it is.
    pub kind: Kind,
    /// The value of [`Kind::column`].
    pub entity: String,
    /// What it is worth in INR: net sales value 2 in the year before the stop (of all who stopped, for a region), of
    /// the goods returned, or discounts given in the last year.
    pub amount: i64,
    /// The customers of a region who stopped: naming one as churned is no mistake.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
}

/// A generated set of invoices, and what is planted in it.
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
    /// What is planted, the most money first within each kind. As JSON it is the list to score against.
    pub fn planted(&self) -> &[Planted] {
        &self.planted
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.invoices.len()
    }

    /// Writes the table and its rows as SQL, ready for `psql` or for the embedded database.
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

/// The sample's own statements from BEGIN up to its first row: both sets have one definition.
fn table_definition() -> &'static str {
    let start = SAMPLE_SQL.find("BEGIN;").unwrap_or_default();
    let end = SAMPLE_SQL.find("INSERT INTO").unwrap_or(SAMPLE_SQL.len());
    &SAMPLE_SQL[start..end]
}
