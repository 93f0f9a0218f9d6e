//! What the transcript says: the calls the analyst made, by the keys it gave them, and what was answered.
//!
//! The analyst keeps no state between turns; everything it knows is read back from the messages here.

use std::collections::BTreeMap;

use crate::agent::facts::Verdict;
use crate::instruments::Conclusion;
use crate::model::Message;
use crate::warehouse::table::Table;

/// What became of a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// A query gave rows, under an id such as `q7`.
    Rows(String),
    /// An instrument looked.
    Seen(Conclusion),
    /// Claims were worded.
    Stated(Vec<Verdict>),
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
            Some(Outcome::Rows(_) | Outcome::Seen(_) | Outcome::Stated(_)) => true,
            Some(Outcome::Text(text)) => !is_of_a_limit(text),
            None => false,
        }
    }

    /// The id of the result that the call of that key gave.
    pub(super) fn result(&self, key: &str) -> Option<&str> {
        match self.outcomes.get(key)? {
            Outcome::Rows(id) => Some(id),
            Outcome::Seen(_) | Outcome::Stated(_) | Outcome::Text(_) => None,
        }
    }

    /// What came of the claims of the call of that key.
    pub(super) fn verdicts(&self, key: &str) -> Option<&[Verdict]> {
        match self.outcomes.get(key)? {
            Outcome::Stated(verdicts) => Some(verdicts),
            Outcome::Rows(_) | Outcome::Seen(_) | Outcome::Text(_) => None,
        }
    }

    /// What the instrument of that key saw.
    pub(super) fn conclusion(&self, key: &str) -> Option<&Conclusion> {
        match self.outcomes.get(key)? {
            Outcome::Seen(conclusion) => Some(conclusion),
            Outcome::Rows(_) | Outcome::Stated(_) | Outcome::Text(_) => None,
        }
    }
}

/// Whether the text says that a limit stood before the call.
pub(super) fn is_of_a_limit(text: &str) -> bool {
    text.starts_with("limit: ")
}

fn outcome(text: &str) -> Outcome {
    if let Ok(conclusion) = serde_json::from_str(text) {
        return Outcome::Seen(conclusion);
    }
    if let Ok(verdicts) = serde_json::from_str(text) {
        return Outcome::Stated(verdicts);
    }
    let id = text.split(|character: char| !character.is_ascii_alphanumeric()).next().unwrap_or_default();
    let is_result = id.strip_prefix('q').is_some_and(|number| number.parse::<u32>().is_ok());
    if is_result && Table::parse_rendered(text).is_some() {
        return Outcome::Rows(id.to_owned());
    }
    Outcome::Text(text.to_owned())
}
