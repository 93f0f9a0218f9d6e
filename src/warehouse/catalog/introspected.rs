//! The result of an introspection, and its error.

use super::{Catalog, Code};
use crate::warehouse;

/// A catalog as it was read from a database, with warnings and the code of the database's users.
#[derive(Debug, Clone, PartialEq)]
pub struct Introspected {
    /// The tables as the database describes them, without the metadata.
    pub catalog: Catalog,
    /// Warnings for the user: statistics that may not be read, selections that match nothing.
    pub warnings: Vec<String>,
    /// The relations that the role may read but that are left out of the catalog on purpose, as (schema, name).
    pub left_out: Vec<(String, String)>,
    pub code: Code,
}

/// An error while a catalog is read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the catalog could not be read: {0}")]
    Database(#[from] warehouse::Error),
    /// No relation matches a name or pattern to exclude.
    #[error(
        "there is no table to exclude called {0}; write it as the database spells it, without quotes, as table or \
         schema.table"
    )]
    ExcludesNothing(String),
    /// A column that is marked as sensitive or personal does not exist.
    #[error(
        "the metadata mark {0} as sensitive or pii, and the database has no such column; write table and column as the database \
         spells them, in the file's name too, or take the mark away"
    )]
    MarksNothing(String),
    /// The server's answer cannot be parsed.
    #[error("the catalog could not be read: the server's description of it is damaged ({0})")]
    Document(#[from] serde_json::Error),
}
