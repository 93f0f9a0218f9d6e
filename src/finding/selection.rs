//! Selections: many conditions of a sentence, which a report unfolds beneath it.

use std::fmt::Write as _;

/// Conditions from which on they are unfolded.
const CONDITIONS_MIN: usize = 3;
/// Characters from which on they are unfolded, however few they are.
const CHARACTERS_MIN: usize = 160;

/// The selections of a finding, numbered from 1 in the order in which its sentences name them.
#[derive(Debug, Default)]
pub(crate) struct Selections {
    /// The conditions of each, as the sentences would say them.
    known: Vec<String>,
}

impl Selections {
    /// Returns the sentence with `[s1]` in place of many conditions. `conditions` are the words of each.
    pub(crate) fn fold(&mut self, sentence: &str, conditions: &[String]) -> String {
        let mut folded = String::new();
        let mut rest = sentence;
        while let Some((before, after)) = rest.split_once(WITH) {
            folded.push_str(before);
            let (count, length) = run(after, conditions);
            let words = &after[..length];
            if count >= CONDITIONS_MIN || words.chars().count() >= CHARACTERS_MIN {
                let _ = write!(folded, " [s{}]", self.number(words));
                rest = &after[length..];
            } else {
                folded.push_str(WITH);
                rest = after;
            }
        }
        folded + rest
    }

    fn number(&mut self, words: &str) -> usize {
        let known = self.known.iter().position(|known| known == words);
        known.unwrap_or_else(|| {
            self.known.push(words.to_owned());
            self.known.len() - 1
        }) + 1
    }

    /// Returns what each stands for: `[s1] with a and b and c`.
    pub(crate) fn unfolded(self) -> Vec<String> {
        self.known.iter().enumerate().map(|(index, words)| format!("[s{}]{WITH}{words}", index + 1)).collect()
    }
}

const WITH: &str = " with ";
const AND: &str = " and ";

/// Returns how many of the conditions stand one after the other at the beginning of a text, and how long they are.
fn run(text: &str, conditions: &[String]) -> (usize, usize) {
    let next = |text: &str| {
        let there = conditions.iter().filter(|words| !words.is_empty() && text.starts_with(words.as_str()));
        there.map(String::len).max()
    };
    let (mut count, mut length) = (0, 0);
    let mut rest = text;
    while let Some(own) = next(rest) {
        length = text.len() - rest.len() + own;
        count += 1;
        match text[length..].strip_prefix(AND) {
            Some(after) => rest = after,
            None => break,
        }
    }
    (count, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_conditions_are_one_selection() {
        let conditions = ["region 'North'", "status 'paid'", "no deleted_at", "kind 'a and b'"].map(str::to_owned);
        let mut selections = Selections::default();
        let one = "The count of rows with region 'North' and status 'paid' and no deleted_at is 3 with status 'paid'.";
        assert_eq!(selections.fold(one, &conditions), "The count of rows [s1] is 3 with status 'paid'.");
        let other = "It rose with region 'North' and kind 'a and b' and no deleted_at and more with region 'North' and \
                     status 'paid' and no deleted_at.";
        assert_eq!(selections.fold(other, &conditions), "It rose [s2] and more [s1].");
        assert_eq!(
            selections.unfolded(),
            [
                "[s1] with region 'North' and status 'paid' and no deleted_at",
                "[s2] with region 'North' and kind 'a and b' and no deleted_at"
            ]
        );
    }

    #[test]
    fn words_that_are_no_conditions_stay() {
        let mut selections = Selections::default();
        let sentence = "It is with region 'North' and status 'paid' and others.";
        assert_eq!(selections.fold(sentence, &["region 'North'".to_owned()]), sentence);
        assert!(selections.unfolded().is_empty());
    }
}
