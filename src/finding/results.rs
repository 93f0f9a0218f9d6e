//! The results of a run by id, as the checker, the compaction and repeated queries need them.

pub(crate) mod names;

use std::sync::Arc;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::names::Names;
use crate::warehouse::sql::{self, Literal, Select};
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
    /// The values that the statement's conditions fix.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<Pin>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub literals: Vec<String>,
}

impl QueryResult {
    /// Creates a result, with the pins and literals of its statement.
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

/// The position of a cell: the query's id, the row counted from 0, and the index of the column.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct CellReference {
    pub query: String,
    pub row: usize,
    pub column: usize,
}

/// A value that a statement's conditions fix, as in `WHERE region = 'North'`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The compared column.
    pub column: String,
    pub value: String,
    /// The index of the only result column for which the condition holds, as for a FILTER clause: `sum(x) FILTER (WHERE
    /// region = 'North')`. `None` if the condition holds for all columns.
    pub result_column: Option<usize>,
}

/// All results of a run so far, with the names and days that the checker looks up in them.
#[derive(Debug, Clone, Default)]
pub struct Results {
    kept: Vec<Arc<QueryResult>>,
    names: Names,
    days: Option<(Date, Date)>,
}

impl Results {
    pub fn push(&mut self, result: Arc<QueryResult>) {
        self.names.add(&result);
        for day in days(&result) {
            let (first, last) = self.days.unwrap_or((day, day));
            self.days = Some((first.min(day), last.max(day)));
        }
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

    /// Returns the names that occur in the results.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// Returns the first and the last day that occur in the results or their statements.
    pub(crate) fn days(&self) -> Option<(Date, Date)> {
        self.days
    }
}

/// Returns the days that occur in a result or its statement. A year counts as its first and its last day.
fn days(result: &QueryResult) -> Vec<Date> {
    let day = |text: &str| text.get(..10).and_then(|day| day.parse::<Date>().ok());
    let mut days = result.literals.iter().filter_map(|literal| day(literal)).collect::<Vec<_>>();
    for (index, column) in result.table.columns.iter().enumerate() {
        let cells = result.table.rows.iter().filter_map(|row| row.get(index)?.as_deref());
        if matches!(column.type_name.as_str(), "date" | "timestamp" | "timestamptz" | "") {
            days.extend(cells.filter_map(day));
        } else if column.name.to_lowercase().contains("year") {
            let years = cells.filter_map(|cell| cell.parse::<i16>().ok()).filter(|year| (1900..2100).contains(year));
            days.extend(years.flat_map(|year| [Date::new(year, 1, 1), Date::new(year, 12, 31)]).flatten());
        }
    }
    days
}
