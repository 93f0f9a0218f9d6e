//! Parses tokens into a tree, with `sqlparser` as the grammar.
//!
//! PostgreSQL syntax that the parser does not know is rewritten first, by `rewrite`. This is safe because the tree is
//! only inspected; the database executes the text. A position in the text is an index into the tokens, which is kept in
//! the column of the parser's locations.

use sqlparser::ast::Query;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token as ParserToken, TokenWithSpan};

use super::lexer::{Kind, Token};
use super::operators;
use super::refusal::{Refusal, seen, size, syntax};
use super::rewrite::{self, Edits};

/// The parsed tree of a statement, as [`crate::warehouse::lineage`] reads it.
pub(crate) type Tree = Query;

/// The maximum levels of recursion in the parser. Every bracket takes a few.
const RECURSION_MAX: usize = 256;

/// Parses the tokens as one query that ends where they end.
pub(super) fn query(tokens: &[Token<'_>]) -> Result<Box<Query>, Refusal> {
    edited_query(tokens, &rewrite::edits(tokens))
}

/// Parses the tokens as [`query`] does; `None` if it fails, or if the tree would differ from the text, because the parser
/// does not know a form in it.
pub(super) fn literal_query(tokens: &[Token<'_>]) -> Option<Box<Query>> {
    // The parser reads over the precision of an interval.
    let has_precision = tokens.windows(2).any(|pair| pair[0].is_word("interval") && pair[1].is_symbol("("));
    let edits = rewrite::edits(tokens);
    if has_precision || !edits.is_empty() {
        return None;
    }
    edited_query(tokens, &edits).ok()
}

fn edited_query(tokens: &[Token<'_>], edits: &Edits) -> Result<Box<Query>, Refusal> {
    let dialect = PostgreSqlDialect {};
    let tokens_edited = parser_tokens(tokens, edits);
    let mut parser =
        Parser::new(&dialect).with_recursion_limit(RECURSION_MAX).with_tokens_with_locations(tokens_edited);
    let query = parser.parse_query();
    let place = parser.peek_token_ref();
    match query {
        Ok(query) if place.token == ParserToken::EOF => Ok(query),
        Ok(_) => Err(refused(tokens, index_of(place.span))),
        Err(ParserError::RecursionLimitExceeded) => Err(size("the statement is nested too deep; use WITH")),
        Err(_) => Err(refused(tokens, index_of(parser.get_current_token().span))),
    }
}

/// Returns the index of the token where a parsed item begins; `None` if the parser did not keep it.
pub(super) fn index_of(span: Span) -> Option<usize> {
    usize::try_from(span.start.column).ok()?.checked_sub(1)
}

fn parser_tokens(tokens: &[Token<'_>], edits: &Edits) -> Vec<TokenWithSpan> {
    let mut parsed = Vec::with_capacity(tokens.len() + 8);
    for (index, token) in tokens.iter().enumerate() {
        let location = Location { line: 1, column: index as u64 + 1 };
        let mut push = |token| parsed.push(TokenWithSpan { token, span: Span { start: location, end: location } });
        match edits.instead(index) {
            Some(instead) => instead.iter().cloned().for_each(&mut push),
            None => push(parser_token(token)),
        }
        edits.after(index).iter().cloned().for_each(&mut push);
    }
    parsed
}

fn parser_token(token: &Token<'_>) -> ParserToken {
    match token.kind {
        Kind::Word => ParserToken::make_word(&token.text, None),
        Kind::QuotedWord => ParserToken::make_word(&token.text, Some('"')),
        Kind::Number => ParserToken::Number(token.text.to_string(), false),
        Kind::Text => ParserToken::SingleQuotedString(token.text.to_string()),
        Kind::Parameter => ParserToken::Placeholder(token.text.to_string()),
        Kind::Operator => operators::token(&token.text).unwrap_or(ParserToken::EOF),
        Kind::Symbol => symbol(&token.text),
    }
}

fn symbol(text: &str) -> ParserToken {
    match text {
        "(" => ParserToken::LParen,
        ")" => ParserToken::RParen,
        "[" => ParserToken::LBracket,
        "]" => ParserToken::RBracket,
        "," => ParserToken::Comma,
        "." => ParserToken::Period,
        ":" => ParserToken::Colon,
        "::" => ParserToken::DoubleColon,
        "=>" => ParserToken::RArrow,
        _ => ParserToken::SemiColon,
    }
}

/// Returns the refusal of a text that the parser did not understand. It says what to write instead if that is known.
fn refused(tokens: &[Token<'_>], index: Option<usize>) -> Refusal {
    if let Some(instead) = known_gap(tokens) {
        return syntax(instead);
    }
    let index = index.unwrap_or(tokens.len()).min(tokens.len());
    let near = tokens[index.saturating_sub(1)..tokens.len().min(index + 4)].iter().map(|token| &*token.text);
    let near = near.collect::<Vec<_>>().join(" ");
    match tokens.get(index) {
        Some(token) => syntax(format!("not understood near \"{}\"; write it another way", seen(&near))).at(token.start),
        None => syntax(format!("the statement ends too early, after \"{}\"; complete it", seen(&near))),
    }
}

/// Returns the message for a PostgreSQL form that the parser does not know and that a query can do without.
fn known_gap(tokens: &[Token<'_>]) -> Option<&'static str> {
    let after =
        |index: usize, ahead: usize, word: &str| tokens.get(index + ahead).is_some_and(|token| token.is_word(word));
    let opens = |index: usize| tokens.get(index + 1).is_some_and(|token| token.is_symbol("("));
    (0..tokens.len()).find_map(|index| match &*tokens[index].text {
        "rows" if after(index, 1, "from") => {
            Some("this form of ROWS FROM is not supported here; join the functions WITH ORDINALITY")
        }
        "search" if after(index, 1, "depth") || after(index, 1, "breadth") => {
            Some("this form of SEARCH is not supported here; keep the path in an array column and ORDER BY it")
        }
        "cycle" if index > 0 && tokens[index - 1].is_symbol(")") => Some(
            "this form of CYCLE is not supported here; keep the path in an array column and test NOT id = ANY (path)",
        ),
        "json_value" | "json_query" | "json_exists" if opens(index) => Some(
            "this form of JSON_VALUE, JSON_QUERY or JSON_EXISTS is not supported here; write col -> 'key' ->> 'key'",
        ),
        "json_table" if opens(index) => {
            Some("this form of JSON_TABLE is not supported here; use jsonb_to_recordset or jsonb_path_query")
        }
        "xmlelement" | "xmlforest" | "xmlparse" | "xmlserialize" | "xmlpi" | "xmlroot" | "xmltable" if opens(index) => {
            Some(
                "this form of XML constructor is not supported here; select the columns themselves, or use row_to_json",
            )
        }
        "variadic" => Some("VARIADIC must precede the last argument of a call; write f(a, VARIADIC array)"),
        "treat" if opens(index) => Some("TREAT is not supported here; use CAST"),
        _ => None,
    })
}
