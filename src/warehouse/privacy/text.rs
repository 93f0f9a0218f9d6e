//! Tokens within texts.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::guess::is_card;
use super::masker::{Masker, is_token};
use crate::warehouse::catalog::Personal;

/// Personal data that are known by their shape alone, wherever they stand in a text.
static SHAPES: LazyLock<Vec<(Personal, Regex)>> = LazyLock::new(|| {
    let shapes = [
        (Personal::Mail, r"[\w.+%-]+@[\w-]+(\.[\w-]+)*\.[A-Za-z]{2,}"),
        (Personal::Card, r"\b[0-9]([ -]?[0-9]){12,18}\b"),
        (Personal::NationalId, r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b"),
        (Personal::Phone, r"\+[0-9][0-9 ()./-]{6,18}[0-9]"),
    ];
    shapes.into_iter().filter_map(|(kind, pattern)| Some((kind, Regex::new(pattern).ok()?))).collect()
});

/// Returns a text that people wrote with tokens in the place of what has the shape of a mail address, a card, a telephone
/// number or a number of social security. Names have no shape.
pub fn without_shapes(text: &str, masker: &Masker) -> String {
    SHAPES.iter().fold(text.to_owned(), |text, (kind, shape)| {
        let token = |found: &Captures<'_>| {
            let value = &found[0];
            if *kind == Personal::Card && !is_card(value) { value.to_owned() } else { masker.token(*kind, value) }
        };
        shape.replace_all(&text, token).into_owned()
    })
}

/// Returns the text with values in the place of the tokens of which one is known; `None` if there is no such token.
pub fn with_values(text: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let (mut replaced, mut rest, mut any) = (String::new(), text, false);
    while let Some(start) = rest.find(is_part) {
        let end = rest[start..].find(|character| !is_part(character)).map_or(rest.len(), |length| start + length);
        let word = &rest[start..end];
        replaced.push_str(&rest[..start]);
        match Some(word).filter(|word| is_token(word)).and_then(&value) {
            Some(known) => {
                replaced.push_str(&known);
                any = true;
            }
            None => replaced.push_str(word),
        }
        rest = &rest[end..];
    }
    replaced.push_str(rest);
    any.then_some(replaced)
}

/// Returns the masked form of a text: tokens in the place of the values that are known, given as (value, token). A value
/// is replaced where it stands as a whole, not within a longer word; the longest one first.
pub fn masked_text(text: &str, known: &[(String, String)]) -> String {
    let mut known = known.iter().filter(|(value, _)| !value.trim().is_empty()).collect::<Vec<_>>();
    known.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
    let mut pieces = vec![Piece::Open(text.to_owned())];
    for (value, token) in known {
        pieces = pieces.into_iter().flat_map(|piece| piece.split(value, token)).collect();
    }
    pieces.into_iter().map(Piece::into_text).collect()
}

/// A part of a text: a token that was put there, or what may still hold values.
enum Piece {
    Open(String),
    Token(String),
}

impl Piece {
    fn into_text(self) -> String {
        match self {
            Self::Open(text) | Self::Token(text) => text,
        }
    }

    fn split(self, value: &str, token: &str) -> Vec<Self> {
        let Self::Open(text) = self else { return vec![self] };
        let (mut pieces, mut open, mut from) = (Vec::new(), 0, 0);
        while let Some(found) = text[from..].find(value).map(|at| from + at) {
            let end = found + value.len();
            if stands_alone(&text, found, end, value) {
                pieces.push(Self::Open(text[open..found].to_owned()));
                pieces.push(Self::Token(token.to_owned()));
                open = end;
                from = end;
            } else {
                from = found + text[found..].chars().next().map_or(1, char::len_utf8);
            }
        }
        pieces.push(Self::Open(text[open..].to_owned()));
        pieces
    }
}

fn stands_alone(text: &str, start: usize, end: usize, value: &str) -> bool {
    let is_word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    let joins = |outer: Option<char>, inner: Option<char>| is_word(outer) && is_word(inner);
    !joins(text[..start].chars().next_back(), value.chars().next())
        && !joins(text[end..].chars().next(), value.chars().next_back())
}

/// Returns a document with tokens in the place of values, wherever they stand in its texts.
pub fn masked_document<T: Serialize + DeserializeOwned>(of: &T, known: &[(String, String)]) -> serde_json::Result<T> {
    let mut value = serde_json::to_value(of)?;
    replace(&mut value, known);
    serde_json::from_value(value)
}

/// Puts tokens in the place of values.
fn replace(value: &mut Value, known: &[(String, String)]) {
    match value {
        Value::String(text) => *text = masked_text(text, known),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, known)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, known)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_that_are_known_become_values() {
        let value = |token: &str| (token == "person_0123456789ab").then(|| "Ann".to_owned());
        let text = "q1[person_0123456789ab].n, person_ba9876543210";
        assert_eq!(with_values(text, value).as_deref(), Some("q1[Ann].n, person_ba9876543210"));
        assert_eq!(with_values("nothing", value), None);
    }

    #[test]
    fn what_has_a_shape_becomes_a_token() {
        let masker = Masker::new(super::super::Key([1; 32]));
        let text =
            "Ask ann.smith@x.example or +49 30 1234567; card 4111 1111 1111 1111, order 1234567890123, 078-05-1120.";
        let masked = without_shapes(text, &masker);
        for value in ["ann.smith", "1234567;", "4111", "078-05"] {
            assert!(!masked.contains(value), "{masked}");
        }
        assert!(masked.contains("order 1234567890123"), "{masked}");
    }

    #[test]
    fn values_become_tokens_where_they_stand_alone() {
        let known = [("Ann", "person_1"), ("Ann Smith", "person_2"), ("a@b.org", "mail_3")];
        let known = known.map(|(value, token)| (value.to_owned(), token.to_owned()));
        let text = "Ann Smith (a@b.org), Ann, Annabel";
        assert_eq!(masked_text(text, &known), "person_2 (mail_3), person_1, Annabel");
    }
}
