//! What the transcript says: the calls the analyst made, by the keys it gave them, and what was answered.
//!
//! The analyst keeps no state between turns; everything it knows is read back from the messages here.

use std::collections::BTreeMap;

use crate::model::Message;
use crate::warehouse::table::Table;

/// A query's result as the analyst saw it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// Such as `q7`.
    pub(super) id: String,
    /// The rows shown.
    pub(super) table: Table,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// A query gave rows.
    Rows(Answer),
    /// Anything else, as it was told.
    Text(String),
}

/// The answered calls, by key.
#[derive(Debug, Default)]
pub(super) struct Notebook {
    outcomes: BTreeMap<String, Outcome>,
}

impl Notebook {
    /// Reads the transcript.
    pub(super) fn read(messages: &[Message]) -> Self {
        let mut notebook = Self::default();
        for message in messages {
            if let Message::Tool { call_id, text } = message {
                notebook.outcomes.insert(call_id.clone(), outcome(text));
            }
        }
        notebook
    }

    /// What became of the call of that key; `None` where it was not made yet.
    pub(super) fn outcome(&self, key: &str) -> Option<&Outcome> {
        self.outcomes.get(key)
    }

    /// Whether the call of that key was made and no limit stood before it.
    pub(super) fn was_asked(&self, key: &str) -> bool {
        match self.outcomes.get(key) {
            Some(Outcome::Rows(_)) => true,
            Some(Outcome::Text(text)) => !is_of_a_limit(text),
            None => false,
        }
    }

    /// The rows that the call of that key gave.
    pub(super) fn answer(&self, key: &str) -> Option<&Answer> {
        match self.outcomes.get(key)? {
            Outcome::Rows(answer) => Some(answer),
            Outcome::Text(_) => None,
        }
    }
}

/// Whether the text says that a limit stood before the call.
pub(super) fn is_of_a_limit(text: &str) -> bool {
    text.starts_with("limit: ")
}

fn outcome(text: &str) -> Outcome {
    let id = text.split(|character: char| !character.is_ascii_alphanumeric()).next().unwrap_or_default();
    let is_result = id.strip_prefix('q').is_some_and(|number| number.parse::<u32>().is_ok());
    match Table::parse_rendered(text) {
        Some(table) if is_result => Outcome::Rows(Answer { id: id.to_owned(), table }),
        _ => Outcome::Text(text.to_owned()),
    }
}

impl Answer {
    /// How many rows were shown.
    pub(super) fn rows(&self) -> usize {
        self.table.rows.len()
    }

    /// The cell's text; rows count from 0.
    pub(super) fn text(&self, row: usize, column: &str) -> Option<&str> {
        self.table.cell(row, self.table.column(column)?)
    }

    /// The cell as a count.
    pub(super) fn count(&self, row: usize, column: &str) -> Option<u64> {
        self.text(row, column)?.parse().ok()
    }

    /// The cell as a number.
    pub(super) fn number(&self, row: usize, column: &str) -> Option<f64> {
        self.text(row, column)?.parse().ok().filter(|number: &f64| number.is_finite())
    }
}
