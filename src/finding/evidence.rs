//! What a finding cites of a query, and in which order its columns are worth showing. No markup.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::civil::Date;

use super::results::{QueryResult, Results};
use super::{CellReference, Finding, Used};
use crate::typeset::text;
use crate::warehouse::table::{Column, Table};

/// Columns that say whose numbers a row holds.
const LABELS_MAX: usize = 2;

/// The rows and columns that a finding cites of one query.
#[derive(Debug)]
pub(crate) struct Evidence<'a> {
    /// The id of the query.
    pub(crate) query: &'a str,
    /// Its result; `None` where the journal lost it.
    pub(crate) result: Option<&'a QueryResult>,
    /// Indices of the cited columns, in the order of citation; all of them where none was named. Where only numbers were
    /// named, the first column that is none stands before them, to say whose they are.
    pub(crate) columns: Vec<usize>,
    /// Indices of the columns that the finding uses: its impact, its figures, its text.
    pub(crate) used: Vec<usize>,
    /// Indices of all these, for people: what names the row, what the finding uses, the rest.
    pub(crate) reading: Vec<usize>,
    /// Indices of the cited rows, ascending.
    pub(crate) rows: Vec<usize>,
}

impl Evidence<'_> {
    /// What a table leaves out when it shows so many of the cited rows and columns.
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

    /// The columns in the order in which they deserve room: the first label, what the finding is about, the rest.
    pub(crate) fn by_weight(&self) -> Vec<usize> {
        let mut columns = Vec::new();
        extend(&mut columns, self.reading.iter().take(1).chain(self.used.iter().take(1)).chain(&self.reading).copied());
        columns
    }
}

/// What a finding cites, one entry a query.
pub(crate) fn of_finding<'a>(results: &'a Results, as_of: Date, finding: &'a Finding) -> Vec<Evidence<'a>> {
    let used = finding.used(results, as_of);
    let mut queries: Vec<&str> = Vec::new();
    for citation in &finding.evidence {
        if !queries.iter().any(|known| known.eq_ignore_ascii_case(&citation.query)) {
            queries.push(&citation.query);
        }
    }
    queries.into_iter().map(|query| of_query(results, finding, query, &used)).collect()
}

fn of_query<'a>(results: &'a Results, finding: &'a Finding, query: &'a str, used: &Used) -> Evidence<'a> {
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
    let used = used_columns(used, &result.id);
    let mut reading = labels(table, &columns);
    extend(&mut reading, used.iter().chain(&columns).copied());
    Evidence { query: &result.id, result: Some(result), columns, used, reading, rows: rows.into_iter().collect() }
}

/// The columns of the impact, then those of figures, then those that the text quotes, the most quoted first.
fn used_columns(used: &Used, query: &str) -> Vec<usize> {
    let of_query = |cells: &[CellReference]| {
        cells.iter().filter(|cell| cell.query == query).map(|cell| cell.column).collect::<Vec<_>>()
    };
    let quoted = of_query(&used.quoted);
    let mut most_quoted = quoted.clone();
    most_quoted.sort_by_key(|column| Reverse(quoted.iter().filter(|other| *other == column).count()));
    let mut columns = Vec::new();
    extend(&mut columns, [of_query(&used.impact), of_query(&used.figures), most_quoted].concat());
    columns
}

/// The cited columns that stand first and hold names or dates; where a number stands first, the first name after it.
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

/// Whether a column of numbers holds names rather than amounts.
pub(crate) fn is_identifier(column: &Column) -> bool {
    let name = column.name.to_ascii_lowercase();
    let last_word = name.rsplit('_').next().unwrap_or(&name);
    matches!(last_word, "id" | "code" | "number" | "no" | "key" | "year" | "rank")
}
