//! The results of a run by id.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::warehouse::sql::Select;
use crate::warehouse::table::Table;

/// A query that ran, with its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryResult {
    /// The id, such as `q7`. Queries are counted from 1 in the order of the calls.
    pub id: String,
    /// The statement as the model wrote it, without surrounding text.
    pub sql: String,
    /// The question that the query is meant to answer.
    pub question: String,
    pub table: Table,
    /// The time that the database took.
    pub elapsed_milliseconds: u64,
}

impl QueryResult {
    /// Creates the result of a statement.
    pub fn new(id: String, question: String, select: &Select, table: Table, elapsed_milliseconds: u64) -> Self {
        Self { id, sql: select.text().to_owned(), question, table, elapsed_milliseconds }
    }
}

/// The position of a cell: the query's id, the row counted from 0, and the index of the column.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct CellReference {
    pub query: String,
    pub row: usize,
    pub column: usize,
}

/// All results of a run so far.
#[derive(Debug, Clone, Default)]
pub struct Results {
    kept: Vec<Arc<QueryResult>>,
}

impl Results {
    pub fn push(&mut self, result: Arc<QueryResult>) {
        self.kept.push(result);
    }

    /// Returns the result with the given id. Upper and lower case are the same.
    pub fn get(&self, id: &str) -> Option<&Arc<QueryResult>> {
        let is_it = |result: &&Arc<QueryResult>| result.id.eq_ignore_ascii_case(id);
        let place =
            id.get(1..).and_then(|digits| digits.parse::<usize>().ok()).and_then(|number| number.checked_sub(1));
        place.and_then(|place| self.kept.get(place)).filter(is_it).or_else(|| self.kept.iter().find(is_it))
    }

    /// Returns all results, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<QueryResult>> {
        self.kept.iter()
    }
}
