//! What claims are evaluated over: the results of a run with what their cells mean, the engine's own queries, and the
//! facts that were stated.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::civil::Date;

use super::assumption::{Assuming, Assumption};
use super::fact::{Fact, Read};
use super::results::QueryResult;
use crate::warehouse::catalog::Catalog;
use crate::warehouse::lineage::{self, Branch, Lineage};
use crate::warehouse::sql::Select;
use crate::warehouse::table::Table;

/// A result, and what its rows and columns mean.
#[derive(Debug)]
pub struct Sheet {
    pub result: Arc<QueryResult>,
    pub lineage: Lineage,
    /// What was read off each column, for each kind of rows.
    pub(super) read: Vec<Vec<Read>>,
}

impl Sheet {
    /// Creates the sheet of a result.
    pub fn new(result: Arc<QueryResult>, lineage: Lineage) -> Self {
        let mut sheet = Self { result, lineage, read: Vec::new() };
        sheet.forget();
        sheet
    }

    /// Creates the sheet of rows that a statement returned, under an id.
    pub fn of_rows(id: String, question: String, select: &Select, rows: Table, catalog: &Catalog) -> Self {
        Self::new(Arc::new(QueryResult::new(id, question, select, rows, 0)), lineage::of(select, catalog))
    }

    fn forget(&mut self) {
        let unread = |branch: &Branch| branch.columns.iter().map(|_| Read::default()).collect();
        self.read = self.lineage.branches.iter().map(unread).collect();
    }
}

/// The results of a run, with what is known about them.
#[derive(Debug)]
pub struct Workbook {
    pub catalog: Arc<Catalog>,
    /// The date that the run treats as today.
    pub as_of: Date,
    sheets: Vec<Sheet>,
    /// What the engine's own queries returned, by their SQL.
    companions: HashMap<String, Answer>,
    facts: Vec<Fact>,
    assumptions: Vec<Assumption>,
}

/// What a query of the engine returned.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The id, such as `e3`.
    pub id: String,
    /// The rows, or why there are none.
    pub table: Result<Table, String>,
}

impl Workbook {
    /// Returns a workbook without results.
    pub fn new(catalog: Arc<Catalog>, as_of: Date) -> Self {
        Self {
            catalog,
            as_of,
            sheets: Vec::new(),
            companions: HashMap::new(),
            facts: Vec::new(),
            assumptions: Vec::new(),
        }
    }

    /// Adds a result.
    pub fn push(&mut self, sheet: Sheet) {
        self.sheets.push(sheet);
    }

    /// Returns the result with this id. Upper and lower case are the same.
    pub fn sheet(&self, id: &str) -> Option<&Sheet> {
        self.sheets.iter().rev().find(|sheet| sheet.result.id.eq_ignore_ascii_case(id))
    }

    /// Returns all results, the oldest first.
    pub fn sheets(&self) -> impl Iterator<Item = &Sheet> {
        self.sheets.iter()
    }

    /// Keeps what a query of the engine returned.
    pub fn answer(&mut self, sql: String, answer: Answer) {
        if self.companions.insert(sql, answer).is_some() {
            self.sheets.iter_mut().for_each(Sheet::forget);
        }
    }

    /// Returns what a query of the engine returned; `None` if it was not run.
    pub fn answered(&self, sql: &str) -> Option<&Answer> {
        self.companions.get(sql)
    }

    /// Returns the number of the engine's queries.
    pub fn companions(&self) -> usize {
        self.companions.len()
    }

    /// Keeps a fact and gives it an id. A sentence that was stated before keeps its id.
    pub fn state(&mut self, mut fact: Fact) -> Fact {
        if let Some(known) = self.facts.iter().find(|known| known.sentence == fact.sentence) {
            return known.clone();
        }
        fact.id = format!("f{}", self.facts.len() + 1);
        self.facts.push(fact.clone());
        fact
    }

    /// Returns the fact with this id. Upper and lower case are the same.
    pub fn fact(&self, id: &str) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.id.eq_ignore_ascii_case(id))
    }

    /// Keeps an assumption and gives it an id. The same number under the same name keeps its id.
    pub fn assume(&mut self, given: &Assuming) -> Result<Assumption, String> {
        let made = Assumption::new(format!("a{}", self.assumptions.len() + 1), given)?;
        let is_it = |known: &&Assumption| known.name == made.name && known.amount() == made.amount();
        if let Some(known) = self.assumptions.iter().find(is_it) {
            return Ok(known.clone());
        }
        self.assumptions.push(made.clone());
        Ok(made)
    }

    /// Returns the assumptions, the oldest first.
    pub fn assumptions(&self) -> &[Assumption] {
        &self.assumptions
    }

    /// Returns the facts, the oldest first.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }
}
