//! The rows and columns that a finding cites of each query, and the order in which the columns are shown. It contains
//! no markup.

use std::collections::BTreeSet;

use super::CellReference;
use super::fact::Fact;
use super::results::{QueryResult, Results};
use super::told::Told;
use crate::typeset::text;
use crate::warehouse::table::{Column, Table};

/// The number of columns that name the subject of a row.
const LABELS_MAX: usize = 2;

/// The rows and columns that a finding cites of one query.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) query: &'a str,
    /// `None` if the journal lost the result.
    pub(crate) result: Option<&'a QueryResult>,
    /// Indices of the cited columns in the order of citation, or of all columns if none is named. If all named columns
    /// are numeric, the first column that is not comes before them, to name their subject.
    pub(crate) columns: Vec<usize>,
    /// Indices of the columns that the finding uses in its impact, its figures and its text, in this order.
    pub(crate) used: Vec<usize>,
    /// Indices of all these columns in the order for people: those that name the row, those that the finding uses, the
    /// rest.
    pub(crate) reading: Vec<usize>,
    /// Indices of the cited rows, ascending.
    pub(crate) rows: Vec<usize>,
}

impl Evidence<'_> {
    /// Describes what a table omits that shows this many of the cited rows and columns. Returns `None` if it omits
    /// nothing.
    pub(crate) fn cut_note(&self, rows: usize, columns: usize) -> Option<String> {
        let mut notes = Vec::new();
        if rows < self.rows.len() {
            notes.push(format!("{rows} of {} shown", text::count(self.rows.len(), "cited row", "cited rows")));
        }
        if columns < self.reading.len() {
            notes.push(text::count(self.reading.len() - columns, "more column", "more columns"));
        }
        if self.result.is_some_and(|result| result.table.more_rows) {
            notes.push("the query had more rows than were fetched".to_owned());
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }

    /// Returns the columns in the order in which they get space: the first label, the first column that the finding
    /// uses, the rest.
    pub(crate) fn by_weight(&self) -> Vec<usize> {
        let mut columns = Vec::new();
        extend(&mut columns, self.reading.iter().take(1).chain(self.used.iter().take(1)).chain(&self.reading).copied());
        columns
    }
}

/// Returns what a finding cites, one entry per query.
pub(crate) fn of_finding<'a>(results: &'a Results, finding: &'a Told) -> Vec<Evidence<'a>> {
    let mut queries: Vec<&str> = Vec::new();
    for citation in &finding.evidence {
        if !queries.iter().any(|known| known.eq_ignore_ascii_case(&citation.query)) {
            queries.push(&citation.query);
        }
    }
    queries.into_iter().map(|query| of_query(results, finding, query)).collect()
}

/// Returns what facts cite, one entry per query. The cells of a fact are those that its sentence rests on.
pub(crate) fn of_facts<'a>(results: &'a Results, facts: impl Iterator<Item = &'a Fact>) -> Vec<Evidence<'a>> {
    let mut queries: Vec<(&str, Vec<&CellReference>)> = Vec::new();
    for cell in facts.flat_map(|fact| &fact.cells) {
        match queries.iter_mut().find(|(query, _)| *query == cell.query) {
            Some((_, cells)) => cells.push(cell),
            None => queries.push((&cell.query, vec![cell])),
        }
    }
    queries.into_iter().map(|(query, cells)| of_cells(results, query, &cells)).collect()
}

fn of_cells<'a>(results: &'a Results, query: &'a str, cells: &[&CellReference]) -> Evidence<'a> {
    let Some(result) = results.get(query) else {
        let (columns, used, reading, rows) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        return Evidence { query, result: None, columns, used, reading, rows };
    };
    let mut used = Vec::new();
    extend(&mut used, cells.iter().map(|cell| cell.column).filter(|column| *column < result.table.columns.len()));
    let rows = cells.iter().map(|cell| cell.row).filter(|row| *row < result.table.rows.len()).collect::<BTreeSet<_>>();
    let columns = (0..result.table.columns.len()).collect::<Vec<_>>();
    let mut reading = labels(&result.table, &columns);
    extend(&mut reading, used.iter().chain(&columns).copied());
    Evidence { query: &result.id, result: Some(result), columns, used, reading, rows: rows.into_iter().collect() }
}

fn of_query<'a>(results: &'a Results, finding: &'a Told, query: &'a str) -> Evidence<'a> {
    let Some(result) = results.get(query) else {
        let (columns, used, reading, rows) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        return Evidence { query, result: None, columns, used, reading, rows };
    };
    let table = &result.table;
    let citations = finding.evidence.iter().filter(|citation| citation.query.eq_ignore_ascii_case(query));
    let mut rows = BTreeSet::new();
    let mut columns = Vec::new();
    let mut all_columns = false;
    for citation in citations {
        rows.extend(citation.rows.iter().filter(|row| (1..=table.rows.len()).contains(row)).map(|row| row - 1));
        all_columns |= citation.columns.is_empty();
        extend(&mut columns, citation.columns.iter().filter_map(|name| table.column(name)));
    }
    if all_columns || columns.is_empty() {
        columns = (0..table.columns.len()).collect();
    } else if columns.iter().all(|column| table.columns[*column].is_numeric()) {
        let name = table.columns.iter().position(|column| !column.is_numeric());
        columns.splice(0..0, name);
    }
    let mut reading = labels(table, &columns);
    extend(&mut reading, columns.iter().copied());
    let used = Vec::new();
    Evidence { query: &result.id, result: Some(result), columns, used, reading, rows: rows.into_iter().collect() }
}

/// Returns the leading cited columns that hold names or dates. If a numeric column leads, returns the first name after
/// it.
fn labels(table: &Table, columns: &[usize]) -> Vec<usize> {
    let is_label = |column: &usize| {
        let column = &table.columns[*column];
        !column.is_numeric() || is_identifier(column)
    };
    let leading = columns.iter().copied().take_while(is_label).take(LABELS_MAX).collect::<Vec<_>>();
    if leading.is_empty() { columns.iter().copied().find(is_label).into_iter().collect() } else { leading }
}

fn extend(columns: &mut Vec<usize>, more: impl IntoIterator<Item = usize>) {
    for column in more {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
}

/// Returns whether a numeric column holds identifiers, years or ranks rather than amounts.
pub(crate) fn is_identifier(column: &Column) -> bool {
    let name = column.name.to_ascii_lowercase();
    let last_word = name.rsplit('_').next().unwrap_or(&name);
    matches!(last_word, "id" | "code" | "number" | "no" | "key" | "year" | "rank")
}
