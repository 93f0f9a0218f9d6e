//! Values that never move: those of an answer beside those that are remembered.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Answers;
use super::values::{Rows, column};
use crate::typeset::text::{group_digits, line};
use crate::verify::decimal;
use crate::verify::expectation::{Claim, Expectation};
use crate::warehouse::table::Table;

/// The most bytes of the cells that tell a row apart, which are a key of the state.
const KEY_BYTES_MAX: usize = 1000;
const CELL_CHARACTERS: usize = 60;

/// A value that is watched, in one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// What is watched, by what: `revenue by month`. A change of either begins a new memory.
    pub series: String,
    /// The cells that tell the row apart, as JSON.
    pub key: String,
    /// The value, numbers without regard to how many zeros they end in; `None` for NULL.
    pub value: Option<String>,
}

/// A value as it was first seen, or accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    pub series: String,
    pub key: String,
    pub value: Option<String>,
    pub since: Timestamp,
}

/// A value that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// What is watched, by what.
    pub series: String,
    /// The cells that tell the row apart, in the order of the columns after `by`.
    pub key: Vec<Option<String>>,
    /// What is remembered; null for NULL.
    pub old: Option<String>,
    /// What the answer says; null for NULL, or if the row is gone.
    pub new: Option<String>,
    /// Whether the answer has no such row any more.
    pub is_gone: bool,
    /// Since when the old value was known.
    pub since: Timestamp,
}

/// An answer beside what is remembered of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves {
    pub moved: Vec<Moved>,
    /// Values that were not known before.
    pub new: Vec<Watched>,
    /// How many are as they were.
    pub same: usize,
}

/// Returns the values that the expectation watches. The error says why they cannot be told apart.
pub fn watched(expectation: &Expectation, answer: &Table) -> Result<Vec<Watched>, String> {
    let Claim::NeverMoves { columns, by } = &expectation.claim else { return Ok(Vec::new()) };
    let none = Answers::new();
    let rows = Rows::of(answer, &expectation.conditions, &none)?;
    let places = rows.iter().collect::<Vec<_>>();
    if by.is_empty() && places.len() > 1 {
        return Err(format!(
            "there are {} rows, and nothing says which is which; write `{} never moves by COLUMN`",
            places.len(),
            columns.join(", ")
        ));
    }
    let keys = by.iter().map(|name| column(answer, name)).collect::<Result<Vec<_>, _>>()?;
    let values = columns.iter().map(|name| column(answer, name)).collect::<Result<Vec<_>, _>>()?;
    let (mut seen, mut watched) = (BTreeSet::new(), Vec::new());
    for row in places {
        let cells = keys.iter().map(|index| row.text(*index)).collect::<Vec<_>>();
        let key = serde_json::json!(cells).to_string();
        if key.len() > KEY_BYTES_MAX {
            return Err(format!(
                "the cells of {} are longer than {KEY_BYTES_MAX} bytes; name shorter ones",
                by.join(", ")
            ));
        }
        if !seen.insert(key.clone()) {
            let twice = row_name(by, &cells);
            return Err(format!("two rows have {twice}; name further columns after `by`, or group by them"));
        }
        watched.extend(columns.iter().zip(&values).map(|(name, index)| Watched {
            series: series(name, by, expectation),
            key: key.clone(),
            value: row.text(*index).map(|text| canonical(text, answer.columns[*index].is_numeric())),
        }));
    }
    Ok(watched)
}

/// Returns the names of the series that the expectation watches.
pub(crate) fn series_of(expectation: &Expectation) -> Vec<String> {
    match &expectation.claim {
        Claim::NeverMoves { columns, by } => columns.iter().map(|name| series(name, by, expectation)).collect(),
        Claim::NoRows | Claim::Compared { .. } | Claim::Between { .. } => Vec::new(),
    }
}

fn series(column: &str, by: &[String], expectation: &Expectation) -> String {
    let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join(", ")) };
    let conditions = expectation.conditions.iter().map(|one| format!(" where {} = '{}'", one.column, one.value));
    format!("{column}{by}{}", conditions.collect::<String>())
}

/// Compares the values of an answer with those that are remembered of the same series.
pub fn compare(expectation: &Expectation, watched: Vec<Watched>, remembered: &[Remembered]) -> Moves {
    let series = series_of(expectation);
    let known = remembered.iter().filter(|old| series.contains(&old.series));
    let mut left = known.map(|old| ((old.series.clone(), old.key.clone()), old)).collect::<BTreeMap<_, _>>();
    let mut moves = Moves::default();
    for new in watched {
        match left.remove(&(new.series.clone(), new.key.clone())) {
            None => moves.new.push(new),
            Some(old) if old.value == new.value => moves.same += 1,
            Some(old) => moves.moved.push(moved(old, new.value, false)),
        }
    }
    moves.moved.extend(left.into_values().map(|old| moved(old, None, true)));
    moves
}

fn moved(old: &Remembered, new: Option<String>, is_gone: bool) -> Moved {
    Moved {
        series: old.series.clone(),
        key: serde_json::from_str(&old.key).unwrap_or_default(),
        old: old.value.clone(),
        new,
        is_gone,
        since: old.since,
    }
}

impl Moved {
    /// Says what moved, on one line, with the names of the columns that tell rows apart. `since` is the day and time in
    /// the reader's time zone.
    pub(crate) fn sentence(&self, expectation: &Expectation, since: &str) -> String {
        let Claim::NeverMoves { by, .. } = &expectation.claim else { return self.plain(since) };
        let at = if by.is_empty() { String::new() } else { format!("{}: ", row_name(by, &self.key)) };
        format!("{at}{}", self.change(since))
    }

    /// Says the same without those names.
    pub(crate) fn plain(&self, since: &str) -> String {
        let cells = self.key.iter().map(|cell| cell.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join(", ");
        let at = if cells.is_empty() { String::new() } else { format!("{}: ", line(&cells, CELL_CHARACTERS)) };
        format!("{at}{}", self.change(since))
    }

    fn change(&self, since: &str) -> String {
        let value = |value: &Option<String>| match value {
            Some(text) => line(&group_digits(text), CELL_CHARACTERS),
            None => "NULL".to_owned(),
        };
        let column = line(self.series.split(" by ").next().unwrap_or(&self.series), CELL_CHARACTERS);
        let old = value(&self.old);
        let now = if self.is_gone { "the row is gone".to_owned() } else { format!("is {} now", value(&self.new)) };
        let difference = match self.difference() {
            Some(difference) if difference.is_sign_positive() => format!(" (+{})", decimal::shown(difference)),
            Some(difference) => format!(" ({})", decimal::shown(difference)),
            None => String::new(),
        };
        format!("{column} was {old} since {since}, and {now}{difference}")
    }

    fn difference(&self) -> Option<Decimal> {
        let number = |text: &Option<String>| decimal::read(text.as_deref()?);
        decimal::subtract(number(&self.new)?, number(&self.old)?)
    }
}

fn row_name<T: AsRef<str>>(by: &[String], cells: &[Option<T>]) -> String {
    let cell = |(name, cell): (&String, &Option<T>)| {
        let cell = cell.as_ref().map_or("NULL".to_owned(), |cell| line(cell.as_ref(), CELL_CHARACTERS));
        format!("{} = {cell}", line(name, CELL_CHARACTERS))
    };
    by.iter().zip(cells).map(cell).collect::<Vec<_>>().join(", ")
}

/// Returns a text that is the same for the same value: of `1.50` and `1.5`, and of `1e3` and `1000`.
fn canonical(text: &str, is_numeric: bool) -> String {
    if !is_numeric {
        return text.to_owned();
    }
    match decimal::read(text) {
        Some(number) if number.is_zero() => "0".to_owned(),
        Some(number) => number.normalize().to_string(),
        // More digits than a decimal has, or NaN: the zeros at the end of a fraction still say nothing.
        None if text.contains('.') && !text.contains(['e', 'E']) => {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn numbers_are_the_same_however_they_are_written() {
        let check = |text: &str, expected: &str| assert_eq!(canonical(text, true), expected, "{text}");
        check("1.50", "1.5");
        check("1e3", "1000");
        check("-0.00", "0");
        check("123456789012345678901234567890.500", "123456789012345678901234567890.5");
        check("NaN", "NaN");
        assert_eq!(canonical("1.50", false), "1.50", "a text is a text");
    }
}
