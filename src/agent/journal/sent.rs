//! What models were sent, byte for byte. A request repeats the conversation so far, so the journal keeps only what differs
//! from the request before.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Error, Event, scan};

/// A text as its difference from the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The bytes at the start that are those of the text before.
    pub start: usize,
    /// What comes between.
    pub text: String,
    /// The bytes at the end that are those of the text before.
    pub end: usize,
}

impl Change {
    /// Returns how `text` differs from `before`.
    pub fn between(before: &str, text: &str) -> Self {
        let start = common(before.bytes(), text.bytes());
        let start = (0..=start).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        let end = common(before[start..].bytes().rev(), text[start..].bytes().rev());
        let end = (0..=end).rev().find(|length| text.is_char_boundary(text.len() - length)).unwrap_or_default();
        Self { start, text: text[start..text.len() - end].to_owned(), end }
    }

    /// Returns the text; `None` if this is no change of `before`.
    pub fn of(&self, before: &str) -> Option<String> {
        let start = before.get(..self.start)?;
        let end = before.get(before.len().checked_sub(self.end)?..)?;
        Some(format!("{start}{}{end}", self.text))
    }
}

fn common(one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).count()
}

/// Returns the bodies that models were sent in a run, and how many cannot be read because the journal is damaged before
/// them.
pub fn bodies(journal: &Path) -> Result<(Vec<String>, usize), Error> {
    let (mut bodies, mut lost, mut before) = (Vec::new(), 0, Some(String::new()));
    scan(
        journal,
        |event| event == "sent",
        |line| {
            let Event::Sent(change) = line.event else { return };
            // A change of nothing holds the whole body, whatever was lost before it.
            let known = before.take().or_else(|| (change.start == 0 && change.end == 0).then(String::new));
            before = known.and_then(|before| change.of(&before));
            match &before {
                Some(body) => bodies.push(body.clone()),
                None => lost += 1,
            }
        },
    )?;
    Ok((bodies, lost))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_makes_the_text_again() {
        let texts = ["", "aäb", "aöb", "aööb", "aöb", "x", "", "日本", "日木"];
        for before in texts {
            for text in texts {
                assert_eq!(Change::between(before, text).of(before).as_deref(), Some(text), "{before} {text}");
            }
        }
        assert_eq!(Change::between("ab", "acb"), Change { start: 1, text: "c".to_owned(), end: 1 });
    }
}
