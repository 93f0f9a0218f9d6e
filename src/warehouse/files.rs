//! Reads data files, one table each: CSV, TSV, JSON lines, JSON arrays and Parquet, as they are or compressed.
//!
//! Each file is read twice. [`survey`] reads all of it once to learn the columns and their types, because a value near
//! the end decides as much as the first. [`copy`] reads it again and makes COPY's text format of it. Both keep no more
//! than a few megabytes in memory. Nothing here knows the database that the tables are for.

mod copy;
mod delimited;
mod find;
mod form;
mod json;
mod names;
mod open;
mod parquet;
mod problem;
mod survey;
mod tally;
mod text;

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::SystemTime;

pub(in crate::warehouse) use self::copy::copy;
pub use self::find::find;
pub use self::problem::{Error, Place, Problem};
pub use self::survey::survey;

use self::form::Form;

/// A data file that was found, and the table that it becomes.
#[derive(Debug, Clone)]
pub struct DataFile {
    pub path: PathBuf,
    /// The name of its table.
    pub table: String,
    format: Format,
    compression: Compression,
    /// The size and the time of the last change when it was found. A file that differs later is another file.
    stamp: Stamp,
}

/// A format of data files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// Values between separators; `None` is found out from the first lines.
    Delimited(Option<u8>),
    Json,
    Parquet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    None,
    Gzip,
    Zstandard,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    changed: Option<SystemTime>,
}

/// A file that was read once: the table that can hold it.
#[derive(Debug, Clone)]
pub struct Surveyed {
    pub file: DataFile,
    pub columns: Vec<Column>,
    pub rows: u64,
    /// What a reader should know about how the file was read, one sentence each.
    pub notes: Vec<String>,
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name in the table.
    pub name: String,
    pub kind: Kind,
    /// The position in the file's rows.
    position: usize,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    Bigint,
    Numeric,
    Double,
    Date,
    Timestamp,
    TimestampZone,
    Json,
    Text,
}

impl Kind {
    /// Returns the type's name in PostgreSQL.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Bigint => "bigint",
            Self::Numeric => "numeric",
            Self::Double => "double precision",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::TimestampZone => "timestamptz",
            Self::Json => "jsonb",
            Self::Text => "text",
        }
    }
}

impl DataFile {
    /// Returns the path for messages.
    pub fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Reads all rows in order. `visit` ends the reading by an error.
    fn read(&self, visit: &mut Visit<'_>) -> Result<Head, Problem> {
        match self.format {
            Format::Delimited(separator) => delimited::read(open::text(self)?, separator, visit),
            Format::Json => json::read(open::text(self)?, visit),
            Format::Parquet => parquet::read(open::seekable(self)?, visit),
        }
    }
}

/// What is called with each row: the place of the row, the cells, and the names of the columns so far. A row may have
/// fewer cells than there are columns.
type Visit<'v> = dyn FnMut(Place, &[Cell<'_>]) -> Result<(), Problem> + 'v;

/// What is known of a file's columns after it was read.
#[derive(Debug, Default)]
struct Head {
    /// The names as the file has them, in order.
    names: Vec<String>,
    /// The types that the file itself declares; empty if it declares none.
    declared: Vec<Kind>,
    notes: Vec<String>,
}

/// A value as a file has it.
#[derive(Debug, Clone)]
struct Cell<'a> {
    text: Cow<'a, str>,
    form: Form,
}

impl Cell<'_> {
    const NULL: Self = Self { text: Cow::Borrowed(""), form: Form::Null };
}
