//! The results of a run, by id: what the checker, the compaction and repeated queries read.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::table::Table;

/// A query that ran, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryResult {
    /// Such as `q7`; counted from 1 in the order of the calls.
    pub id: String,
    /// The statement, as the model wrote it.
    pub sql: String,
    /// What the model wanted to know.
    pub question: String,
    /// What came back.
    pub table: Table,
    /// How long the database took.
    pub elapsed_milliseconds: u64,
}

/// All results of a run so far.
#[derive(Debug, Clone, Default)]
pub struct Results {
    results: Vec<Arc<QueryResult>>,
}

impl Results {
    /// Keeps a result.
    pub fn push(&mut self, result: Arc<QueryResult>) {
        self.results.push(result);
    }

    /// The result of that id; case does not count.
    pub fn get(&self, id: &str) -> Option<&Arc<QueryResult>> {
        self.results.iter().find(|result| result.id.eq_ignore_ascii_case(id))
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<QueryResult>> {
        self.results.iter()
    }
}
