//! A small table in memory, and plain computations over it: what the numbers of a ground truth are checked with.

#![expect(clippy::cast_precision_loss, reason = "tables of some thousand rows")]

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use jiff::Unit;
use jiff::civil::DateTime;

/// Values of a column above which it names nothing.
const VALUES_MAX: usize = 60;

/// A table of text.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    kinds: Vec<Kind>,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Time,
    Text,
}

/// What is computed over rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    Rows,
    /// The percentage of the rows among those that lack the last condition, or among all.
    Share,
    Average(String),
    Sum(String),
    /// The average time from one column to another, in days or hours.
    Days(String, String),
    Hours(String, String),
    /// The average of whole days, without what is beyond them.
    WholeDays(String, String),
}

impl fmt::Display for Measure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows => formatter.write_str("number of rows"),
            Self::Share => formatter.write_str("percentage of rows"),
            Self::Average(column) => write!(formatter, "average of {column}"),
            Self::Sum(column) => write!(formatter, "sum of {column}"),
            Self::Days(from, to) => write!(formatter, "average days from {from} to {to}"),
            Self::Hours(from, to) => write!(formatter, "average hours from {from} to {to}"),
            Self::WholeDays(from, to) => write!(formatter, "average whole days from {from} to {to}"),
        }
    }
}

/// A column and the value that rows have.
type Condition = (String, String);

impl Frame {
    pub(super) fn read(path: &Path) -> Result<Self, csv::Error> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path)?;
        let columns = reader.headers()?.iter().map(str::to_owned).collect::<Vec<_>>();
        let mut rows = Vec::new();
        for record in reader.records() {
            let mut row = record?.iter().map(str::to_owned).collect::<Vec<_>>();
            row.resize(columns.len(), String::new());
            rows.push(row);
        }
        let kinds = (0..columns.len()).map(|column| kind(&rows, column)).collect();
        Ok(Self { columns, rows, kinds })
    }

    /// Returns the number of rows.
    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Returns the values that a passage names, each with its column.
    pub(super) fn named(&self, passage: &str) -> Vec<Condition> {
        let text = passage.to_lowercase();
        let mut named = Vec::new();
        for (index, column) in self.columns.iter().enumerate().filter(|(index, _)| self.kinds[*index] == Kind::Text) {
            let values =
                self.rows.iter().map(|row| &row[index]).filter(|value| !value.is_empty()).collect::<BTreeSet<_>>();
            if !(2..=VALUES_MAX).contains(&values.len()) {
                continue;
            }
            let is_named = |value: &&&String| stands(&text, &value.to_lowercase());
            // `Web Server` is no `Server`.
            let here = values.iter().filter(is_named).map(|value| (*value).clone()).collect::<Vec<_>>();
            let is_part = |value: &String| here.iter().any(|other| other != value && other.contains(value.as_str()));
            let whole = here.iter().filter(|value| !is_part(value));
            named.extend(whole.map(|value| (column.clone(), value.clone())));
        }
        named
    }

    /// Returns everything that can be computed.
    pub(super) fn measures(&self) -> Vec<Measure> {
        let of_kind = |kind: Kind| {
            let columns = self.columns.iter().zip(&self.kinds).filter(move |(_, own)| **own == kind);
            columns.map(|(column, _)| column.clone())
        };
        let mut measures = vec![Measure::Rows, Measure::Share];
        for column in of_kind(Kind::Number) {
            measures.push(Measure::Average(column.clone()));
            measures.push(Measure::Sum(column));
        }
        for from in of_kind(Kind::Time) {
            for to in of_kind(Kind::Time).filter(|to| *to != from) {
                measures.push(Measure::Days(from.clone(), to.clone()));
                measures.push(Measure::WholeDays(from.clone(), to.clone()));
                measures.push(Measure::Hours(from.clone(), to));
            }
        }
        measures
    }

    /// Computes a measure over the rows with these values; `None` if there is nothing to compute.
    pub(super) fn value(&self, measure: &Measure, named: &[Condition]) -> Option<f64> {
        let rows = self.rows.iter().filter(|row| self.meets(row, named)).collect::<Vec<_>>();
        match measure {
            Measure::Share => {
                let (last, others) = named.split_last()?;
                let of = self.rows.iter().filter(|row| self.meets(row, others)).count();
                (of > 0 && !last.1.is_empty()).then(|| rows.len() as f64 * 100.0 / of as f64)
            }
            Measure::Rows
            | Measure::Average(_)
            | Measure::Sum(_)
            | Measure::Days(..)
            | Measure::WholeDays(..)
            | Measure::Hours(..) => self.over(measure, &rows),
        }
    }

    /// Returns whether a measure is more than over the rows without the last value.
    pub(super) fn is_more(&self, measure: &Measure, named: &[Condition]) -> Option<bool> {
        let (last, others) = named.split_last()?;
        let own = self.value(measure, named)?;
        let is_other = |row: &&Vec<String>| self.meets(row, others) && !self.meets(row, std::slice::from_ref(last));
        let rest = self.over(measure, &self.rows.iter().filter(is_other).collect::<Vec<_>>())?;
        let groups = match measure {
            Measure::Rows | Measure::Sum(_) => self.distinct(&last.0).saturating_sub(1).max(1),
            Measure::Share | Measure::Average(_) | Measure::Days(..) | Measure::WholeDays(..) | Measure::Hours(..) => 1,
        };
        let rest = rest / groups as f64;
        (own - rest).abs().gt(&f64::EPSILON).then_some(own > rest)
    }

    fn over(&self, measure: &Measure, rows: &[&Vec<String>]) -> Option<f64> {
        let cells = |column: &String| {
            let index = self.columns.iter().position(|name| name == column);
            rows.iter().filter_map(move |row| row[index?].parse::<f64>().ok()).collect::<Vec<_>>()
        };
        match measure {
            Measure::Rows => Some(rows.len() as f64),
            Measure::Share => None,
            Measure::Average(column) => mean(&cells(column)),
            Measure::Sum(column) => Some(cells(column).iter().sum()),
            Measure::Days(from, to) => mean(&self.hours(from, to, rows)).map(|hours| hours / 24.0),
            Measure::Hours(from, to) => mean(&self.hours(from, to, rows)),
            Measure::WholeDays(from, to) => {
                let days = self.hours(from, to, rows).into_iter().map(|hours| (hours / 24.0).floor());
                mean(&days.collect::<Vec<_>>())
            }
        }
    }

    fn hours(&self, from: &str, to: &str, rows: &[&Vec<String>]) -> Vec<f64> {
        let index = |column: &str| self.columns.iter().position(|name| name == column);
        let (Some(from), Some(to)) = (index(from), index(to)) else { return Vec::new() };
        let between = |row: &&Vec<String>| {
            let (start, end) = (time(&row[from])?, time(&row[to])?);
            let span = start.until((Unit::Hour, end)).ok()?;
            span.total((Unit::Hour, jiff::SpanRelativeTo::days_are_24_hours())).ok()
        };
        rows.iter().filter_map(between).collect()
    }

    fn distinct(&self, column: &str) -> usize {
        let Some(index) = self.columns.iter().position(|name| name == column) else { return 0 };
        self.rows.iter().map(|row| &row[index]).collect::<BTreeSet<_>>().len()
    }

    fn meets(&self, row: &[String], named: &[Condition]) -> bool {
        named.iter().all(|(column, value)| {
            self.columns.iter().position(|name| name == column).is_some_and(|index| row[index] == *value)
        })
    }
}

/// Returns whether a text has a value as a word of its own, in the plural too.
fn stands(text: &str, value: &str) -> bool {
    let mut from = 0;
    while let Some(start) = text[from..].find(value).map(|place| from + place) {
        let before = text[..start].chars().next_back();
        let after = &text[start + value.len()..];
        let after = after.strip_prefix('s').unwrap_or(after).chars().next();
        let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        if is_edge(before) && is_edge(after) {
            return true;
        }
        from = start + value.len().max(1);
        if !text.is_char_boundary(from) {
            return false;
        }
    }
    false
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn time(text: &str) -> Option<DateTime> {
    text.parse::<DateTime>().ok()
}

fn kind(rows: &[Vec<String>], column: usize) -> Kind {
    let mut values = rows.iter().map(|row| row[column].as_str()).filter(|value| !value.is_empty()).peekable();
    if values.peek().is_none() {
        return Kind::Text;
    }
    if values.clone().all(|value| value.parse::<f64>().is_ok()) {
        return Kind::Number;
    }
    if values.all(|value| value.contains('-') && time(value).is_some()) { Kind::Time } else { Kind::Text }
}
