//! Reads a statement's normal form from the tokens alone.

use std::fmt::Write;

use super::lexer::{Kind, Token};

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
