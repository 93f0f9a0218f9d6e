//! Data sets of five schemas with planted truth: signals that an analyst should find, and decoys that only look like some.
//!
//! Names of tables, columns and values are drawn by the seed, so that nobody can be tuned to one spelling. The same seed
//! gives the same names, sizes and effects in every draw, and each draw has noise of its own: what a finding says of one
//! draw is tried on others. Every decoy that is chance falls on somebody else there.
//!
//! A null twin has nothing planted, groups alike, and outcomes shuffled within each table: there is nothing to find.

mod chance;
mod expenses;
mod names;
mod plan;
mod sales;
mod shop;
mod table;
mod tickets;
mod visits;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use plan::{Decoy, DecoyKind, Direction, Mark, Named, Signal, SignalKind};

use chance::World;
use table::Table;

/// A schema that is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schema {
    /// One wide table of sales lines.
    Sales,
    /// A star of six tables without declared keys.
    Shop,
    /// Visits of a web shop, and payments.
    Visits,
    /// Expense claims in one table.
    Expenses,
    /// Tickets and their agents.
    Tickets,
}

impl Schema {
    pub const ALL: [Self; 5] = [Self::Sales, Self::Shop, Self::Visits, Self::Expenses, Self::Tickets];

    /// Returns the name in options and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sales => "sales",
            Self::Shop => "shop",
            Self::Visits => "visits",
            Self::Expenses => "expenses",
            Self::Tickets => "tickets",
        }
    }

    fn months(self) -> i64 {
        match self {
            Self::Sales => sales::MONTHS,
            Self::Shop => shop::MONTHS,
            Self::Visits => visits::MONTHS,
            Self::Expenses => expenses::MONTHS,
            Self::Tickets => tickets::MONTHS,
        }
    }

    fn content(self, world: &mut World) -> Content {
        match self {
            Self::Sales => sales::generate(world, false),
            Self::Shop => shop::generate(world),
            Self::Visits => visits::generate(world),
            Self::Expenses => expenses::generate(world),
            Self::Tickets => tickets::generate(world),
        }
    }
}

/// A generated data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    pub schema: Schema,
    pub seed: u64,
    /// The last day of the data.
    pub as_of: Date,
    pub signals: Vec<Signal>,
    pub decoys: Vec<Decoy>,
    tables: Vec<Table>,
}

/// What a generator makes.
struct Content {
    tables: Vec<Table>,
    signals: Vec<Signal>,
    decoys: Vec<Decoy>,
}

/// Generates a data set with signals and decoys. Draw 0 is the one to explore; others have the same truth and other noise.
pub fn generate(schema: Schema, seed: u64, draw: u64) -> Dataset {
    let mut world = World::new(seed, draw, schema.months(), true);
    let content = schema.content(&mut world);
    Dataset::new(schema, seed, &world, content)
}

/// Generates a data set in which nothing is planted and every outcome is shuffled within its table.
pub fn shuffled(schema: Schema, seed: u64) -> Dataset {
    let mut world = World::new(seed, 0, schema.months(), false);
    let mut content = schema.content(&mut world);
    for table in &mut content.tables {
        table.shuffle(&mut world.noise);
    }
    Dataset::null(schema, seed, &world, content.tables)
}

/// Generates sales to customers who all buy at random times, at a constant pace. Nobody leaves.
pub fn memoryless(seed: u64) -> Dataset {
    let mut world = World::new(seed, 0, sales::MONTHS, false);
    let content = sales::generate(&mut world, true);
    Dataset::null(Schema::Sales, seed, &world, content.tables)
}

impl Dataset {
    fn new(schema: Schema, seed: u64, world: &World, content: Content) -> Self {
        let Content { tables, signals, decoys } = content;
        Self { schema, seed, as_of: world.calendar.last, signals, decoys, tables }
    }

    fn null(schema: Schema, seed: u64, world: &World, tables: Vec<Table>) -> Self {
        Self::new(schema, seed, world, Content { tables, signals: Vec::new(), decoys: Vec::new() })
    }

    /// Returns the statements that create and fill the tables.
    pub fn sql(&self) -> String {
        let mut sql = String::new();
        self.tables.iter().for_each(|table| table.write_definition(&mut sql));
        sql + &self.rows_sql()
    }

    /// Returns the statements that fill the tables, in place of the rows that they had.
    pub fn rows_sql(&self) -> String {
        let mut sql = String::new();
        self.tables.iter().for_each(|table| table.write_rows(&mut sql));
        sql
    }

    /// Returns the names of the tables.
    pub fn table_names(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| table.name.as_str())
    }

    /// Returns the number of rows of all tables.
    pub fn rows(&self) -> usize {
        self.tables.iter().map(|table| table.rows.len()).sum()
    }
}

/// Returns the decoy that the last month is not over.
fn partial_month(world: &World, measures: &[&str]) -> Decoy {
    let month = world.calendar.last_month();
    let mark = Mark::of("", &[&format!("to {month}")]).going(Direction::Down).by(&["count("]);
    let mark = measures.iter().fold(mark, |mark, measure| mark.by(&[measure]));
    Decoy { kind: DecoyKind::PartialMonth, what: format!("{month} is not over"), mark: mark.over_time() }
}
