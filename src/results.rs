//! The results of a run, by id: what the checker, the compaction and repeated queries read.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sql::{self, Literal, Select};
use crate::table::Table;

/// A query that ran, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryResult {
    /// Such as `q7`; counted from 1 in the order of the calls.
    pub id: String,
    /// The statement, as the model wrote it, without what stands around it.
    pub sql: String,
    /// What the model wanted to know.
    pub question: String,
    /// What came back.
    pub table: Table,
    /// How long the database took.
    pub elapsed_milliseconds: u64,
    /// What the statement's conditions say of every row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<Pin>,
    /// The literals in the statement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub literals: Vec<String>,
}

impl QueryResult {
    /// A result and what its statement tells of it.
    pub fn new(id: String, question: String, select: &Select, table: Table, elapsed_milliseconds: u64) -> Self {
        let pin = |pin: &sql::Pin, result_column| Pin {
            column: pin.column.clone(),
            value: pin.literal.clone(),
            result_column,
        };
        let rows = select.pins().rows.iter().map(|row| pin(row, None));
        let columns = select.pins().columns.iter().map(|(index, column)| pin(column, Some(*index)));
        let literal = |literal: Literal| match literal {
            Literal::Number(text) | Literal::Text(text) | Literal::Interval(text) => text,
        };
        Self {
            id,
            sql: select.text().to_owned(),
            question,
            table,
            elapsed_milliseconds,
            pins: rows.chain(columns).collect(),
            literals: select.literals().into_iter().map(literal).collect(),
        }
    }
}

/// A value that a statement's conditions fix: `WHERE region = 'North'`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The column compared.
    pub column: String,
    /// The value it is compared with.
    pub value: String,
    /// The one result column it holds for, counted from 0 (`sum(x) FILTER (WHERE region = 'North')`); all when `None`.
    pub result_column: Option<usize>,
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
