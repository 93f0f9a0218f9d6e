//! The results of a run, by id: what the checker, the compaction and repeated queries read.

pub(crate) mod names;

use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use self::names::Names;
use crate::warehouse::sql::{self, Literal, Select};
use crate::warehouse::table::Table;

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

/// All results of a run so far, with what the checker of findings looks up in them.
#[derive(Debug, Clone, Default)]
pub struct Results {
    kept: Vec<Arc<QueryResult>>,
    names: Names,
    days: Option<(Date, Date)>,
}

impl Results {
    /// Keeps a result.
    pub fn push(&mut self, result: Arc<QueryResult>) {
        self.names.add(&result);
        for day in days(&result) {
            let (first, last) = self.days.unwrap_or((day, day));
            self.days = Some((first.min(day), last.max(day)));
        }
        self.kept.push(result);
    }

    /// The result of that id; case does not count.
    pub fn get(&self, id: &str) -> Option<&Arc<QueryResult>> {
        let is_it = |result: &&Arc<QueryResult>| result.id.eq_ignore_ascii_case(id);
        let place =
            id.get(1..).and_then(|digits| digits.parse::<usize>().ok()).and_then(|number| number.checked_sub(1));
        place.and_then(|place| self.kept.get(place)).filter(is_it).or_else(|| self.kept.iter().find(is_it))
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<QueryResult>> {
        self.kept.iter()
    }

    /// The names in them.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// The first and the last day that they and their statements speak of.
    pub(crate) fn days(&self) -> Option<(Date, Date)> {
        self.days
    }
}

/// The days in a result and in its statement; of a year, the first and the last.
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
