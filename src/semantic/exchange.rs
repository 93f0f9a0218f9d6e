//! What other tools know of the tables: dbt's manifests, and documents of Apache Ossie.
//!
//! A reader here makes metadata of a file, and lists what it cannot make any of, a line each with the reason;
//! [`merge`] adds them to the folder. Texts and SQL are hostile: SQL is only read as an expression here, and validated
//! like all SQL of the metadata when it is used.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::Path;

pub use super::metadata::{Merged, TableSaid, merge};
use super::metadata::{TableMetadata, add, ambiguous};

pub mod dbt;
pub mod ossie;

/// What was read of a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// The tables of which something is said.
    pub tables: Vec<TableSaid>,
    /// What is not taken, a line each: what it is, and why.
    pub lost: Vec<String>,
}

/// A file that cannot be read as what it should be: `file: problem`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

/// Reads a file of at most so many bytes as text.
fn read_text(path: &Path, bytes_max: u64) -> Result<String, Error> {
    let problem = |problem: &dyn std::fmt::Display| Error(format!("{}: {problem}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| problem(&format!("cannot be read: {error}")))?;
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| problem(&format!("cannot be read: {error}")))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > bytes_max) {
        return Err(problem(&format!("has more than {bytes_max} bytes, the most that are read")));
    }
    String::from_utf8(bytes).map_err(|_| problem(&"is not text in UTF-8"))
}

/// A table: its schema, if known, and its name.
type Place = (Option<String>, String);

/// The tables of an import, as they are being put together.
#[derive(Debug, Default)]
struct Gathering {
    tables: Vec<TableSaid>,
    index: HashMap<Place, usize>,
    lost: Vec<String>,
}

impl Gathering {
    fn lose(&mut self, what: impl std::fmt::Display, why: impl std::fmt::Display) {
        self.lost.push(format!("{what}: {why}"));
    }

    fn table(&mut self, place: &Place) -> &mut TableMetadata {
        let index = *self.index.entry(place.clone()).or_insert_with(|| {
            let (schema, name) = place.clone();
            self.tables.push(TableSaid { schema, name, content: TableMetadata::default() });
            self.tables.len() - 1
        });
        &mut self.tables[index].content
    }

    /// Adds what is said of a table. What was said of it before stays, and the difference is lost.
    fn add(&mut self, place: &Place, said: &TableMetadata) {
        let name = &place.1;
        let conflicts = add(self.table(place), said, name, false);
        self.lost.extend(conflicts);
    }

    /// Returns the tables of which anything is said.
    fn imported(self) -> Imported {
        let is_said = |table: &TableSaid| table.content != TableMetadata::default();
        Imported { tables: self.tables.into_iter().filter(is_said).collect(), lost: self.lost }
    }
}

/// The names that tables of several schemas have, so that a join has to name the schema.
#[derive(Debug, Default)]
struct Names(HashSet<String>);

impl Names {
    fn of<'place>(places: impl Iterator<Item = &'place Place>) -> Self {
        Self(ambiguous(places.map(|(schema, name)| (schema, name))))
    }

    /// Returns a table as a join names it.
    fn reference(&self, (schema, name): &Place) -> String {
        match schema {
            Some(schema) if self.0.contains(name) || name.contains('.') => format!("{schema}.{name}"),
            _ => name.clone(),
        }
    }
}

/// Returns the name of a measure as a sentence uses it: `order_total` is the order total.
fn spoken(name: &str) -> String {
    name.replace('_', " ").trim().to_owned()
}
