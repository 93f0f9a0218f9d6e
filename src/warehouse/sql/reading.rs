//! Reads a statement's normal form and its literals from the tokens alone.

use std::fmt::Write;

use super::lexer::{Kind, Token};

/// A constant written in a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// A number, as written, without a sign.
    Number(String),
    /// The value of a string. A date is a string too, with or without a cast.
    Text(String),
    /// The text of an interval, with its unit if that follows the string: `90 days`, `1 month`.
    Interval(String),
}

/// Returns the tokens with one space between them. Two texts have the same normal form if they differ only in white
/// space, comments and the case of unquoted words.
pub(super) fn normal_form(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    for token in tokens {
        if !text.is_empty() {
            text.push(' ');
        }
        // Writing to a string cannot fail.
        let _ = match token.kind {
            Kind::QuotedWord => write!(text, "\"{}\"", token.text.replace('"', "\"\"")),
            Kind::Text => write!(text, "'{}'", token.text.replace('\'', "''")),
            Kind::Number => write!(text, "{}", token.text.to_ascii_lowercase()),
            Kind::Word | Kind::Parameter | Kind::Operator | Kind::Symbol => write!(text, "{}", token.text),
        };
    }
    text
}

/// Returns the literals in textual order.
pub(super) fn literals(tokens: &[Token<'_>]) -> Vec<Literal> {
    let literal = |(index, token): (usize, &Token<'_>)| match token.kind {
        Kind::Number => Some(Literal::Number(token.text.to_string())),
        Kind::Text => Some(text_literal(tokens, index)),
        Kind::Word | Kind::QuotedWord | Kind::Parameter | Kind::Operator | Kind::Symbol => None,
    };
    tokens.iter().enumerate().filter_map(literal).collect()
}

fn text_literal(tokens: &[Token<'_>], index: usize) -> Literal {
    const UNITS: &[&str] = &["year", "month", "day", "hour", "minute", "second"];
    let text = tokens[index].text.to_string();
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(word));
    if index > 0 && is(index - 1, "interval") {
        let unit = UNITS.iter().find(|unit| is(index + 1, unit));
        return Literal::Interval(unit.map_or_else(|| text.clone(), |unit| format!("{text} {unit}")));
    }
    let cast = tokens.get(index + 1).is_some_and(|token| token.is_symbol("::")) && is(index + 2, "interval");
    if cast { Literal::Interval(text) } else { Literal::Text(text) }
}
