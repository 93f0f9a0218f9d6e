//! The answer to an introspection, and why there is none.

use super::{Catalog, Code};
use crate::warehouse;

/// A catalog, with what a reader of it should know.
#[derive(Debug, Clone, PartialEq)]
pub struct Introspected {
    /// The tables, as the database alone describes them.
    pub catalog: Catalog,
    /// What the user should know, a sentence each: statistics that may not be read, selections that match nothing.
    pub warnings: Vec<String>,
    /// The relations that the role may read and that are not in the catalog on purpose, as (schema, name).
    pub left_out: Vec<(String, String)>,
    /// The code that the database's users made.
    pub code: Code,
}

/// A catalog that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused or failed.
    #[error("the catalog could not be read: {0}")]
    Database(#[from] warehouse::Error),
    /// What is to be kept out is not there under that name.
    #[error(
        "there is no table to exclude called {0}; write it as the database spells it, without quotes, as table or \
         schema.table"
    )]
    ExcludesNothing(String),
    /// What is marked as sensitive is not there under that name.
    #[error(
        "the metadata mark {0} as sensitive, and the database has no such column; write table and column as the database \
         spells them, in the file's name too, or take the mark away"
    )]
    MarksNothing(String),
    /// The answer is not what the statement gives.
    #[error("the catalog could not be read: the server's description of it is damaged ({0})")]
    Document(#[from] serde_json::Error),
}
