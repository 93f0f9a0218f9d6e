//! Tokens -> the parsed tree, with `sqlparser` as the grammar.
//!
//! What PostgreSQL has and the parser lacks is left out or replaced here where that changes no name, call or relation:
//! the tree is only looked at, and what is executed is the text. A place in the text is an index into the tokens, kept in
//! the column of the parser's locations.

use sqlparser::ast::Query;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token as ParserToken, TokenWithSpan};

use super::lexer::{Kind, Token};
use super::operators;
use super::refusal::{Refusal, seen, size, syntax};

/// Levels of recursion in the parser; every bracket takes a few.
const RECURSION_MAX: usize = 256;

/// Parses the tokens as one query that ends where they end.
pub(super) fn query(tokens: &[Token<'_>]) -> Result<Box<Query>, Refusal> {
    let dialect = PostgreSqlDialect {};
    let mut parser =
        Parser::new(&dialect).with_recursion_limit(RECURSION_MAX).with_tokens_with_locations(parser_tokens(tokens));
    let query = parser.parse_query();
    let place = parser.peek_token_ref();
    match query {
        Ok(query) if place.token == ParserToken::EOF => Ok(query),
        Ok(_) => Err(refused(tokens, index_of(place.span))),
        Err(ParserError::RecursionLimitExceeded) => Err(size("the statement is nested too deep; use WITH")),
        Err(_) => Err(refused(tokens, index_of(parser.get_current_token().span))),
    }
}

/// The index of the token where something parsed begins; `None` where the parser did not keep it.
pub(super) fn index_of(span: Span) -> Option<usize> {
    usize::try_from(span.start.column).ok()?.checked_sub(1)
}

fn parser_tokens(tokens: &[Token<'_>]) -> Vec<TokenWithSpan> {
    let mut parsed = Vec::with_capacity(tokens.len() + 8);
    let mut index = 0;
    while let Some(token) = tokens.get(index) {
        let location = Location { line: 1, column: index as u64 + 1 };
        let mut push = |token| parsed.push(TokenWithSpan { token, span: Span { start: location, end: location } });
        let left_out = left_out(tokens, index);
        if left_out > 0 {
            index += left_out;
            continue;
        }
        match token.kind {
            Kind::Word if token.text == "table" && !is_label(tokens, index) => {
                // TABLE name is short for SELECT * FROM name; the parser would swallow what follows the name. In lower
                // case, as all words are here, so that one taken for a name is known for a reserved word.
                push(ParserToken::make_keyword("select"));
                push(ParserToken::Mul);
                push(ParserToken::make_keyword("from"));
            }
            Kind::Word => push(ParserToken::make_word(&token.text, None)),
            Kind::QuotedWord => push(ParserToken::make_word(&token.text, Some('"'))),
            Kind::Number => push(ParserToken::Number(token.text.to_string(), false)),
            Kind::Text => push(ParserToken::SingleQuotedString(token.text.to_string())),
            Kind::Parameter => push(ParserToken::Placeholder(token.text.to_string())),
            Kind::Operator => push(operators::token(&token.text).unwrap_or(ParserToken::EOF)),
            Kind::Symbol => push(symbol(&token.text)),
        }
        index += 1;
    }
    parsed
}

/// Whether a word stands where PostgreSQL takes any key word as a name: after AS, or after a dot.
fn is_label(tokens: &[Token<'_>], index: usize) -> bool {
    index > 0 && (tokens[index - 1].is_word("as") || tokens[index - 1].is_symbol("."))
}

/// How many tokens from `index` on say something that the parser does not know and that names nothing.
fn left_out(tokens: &[Token<'_>], index: usize) -> usize {
    let is =
        |at: usize, words: &[&str]| tokens.get(at).is_some_and(|token| words.iter().any(|word| token.is_word(word)));
    let before = |words: &[&str]| index > 0 && is(index - 1, words);
    let closed = |at: usize| tokens.get(at).is_some_and(|token| token.is_symbol(")"));
    if is(index, &["symmetric", "asymmetric"]) && before(&["between"]) {
        return 1;
    }
    if is(index, &["distinct", "all"]) && before(&["by"]) && index > 1 && is(index - 2, &["group"]) {
        return 1;
    }
    if tokens[index].is_symbol("::") && is(index + 1, &["interval"]) && is(index + 2, &["preceding", "following"]) {
        return 2;
    }
    if is(index, &["exclude"]) && before(&["row", "preceding", "following"]) {
        let two_words = is(index + 1, &["current"]) && is(index + 2, &["row"])
            || is(index + 1, &["no"]) && is(index + 2, &["others"]);
        if two_words && closed(index + 3) {
            return 3;
        }
        if is(index + 1, &["group", "ties"]) && closed(index + 2) {
            return 2;
        }
    }
    0
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

/// The refusal of what the parser did not understand, which names what to write instead where that is known.
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

/// What PostgreSQL has, the parser lacks, and a query can do without.
fn known_gap(tokens: &[Token<'_>]) -> Option<&'static str> {
    let after =
        |index: usize, ahead: usize, word: &str| tokens.get(index + ahead).is_some_and(|token| token.is_word(word));
    let opens = |index: usize| tokens.get(index + 1).is_some_and(|token| token.is_symbol("("));
    (0..tokens.len()).find_map(|index| match &*tokens[index].text {
        "rows" if after(index, 1, "from") => {
            Some("ROWS FROM is not supported here; join the functions WITH ORDINALITY")
        }
        "search" if after(index, 1, "depth") || after(index, 1, "breadth") => {
            Some("SEARCH is not supported here; keep the path in an array column and ORDER BY it")
        }
        "cycle" if index > 0 && tokens[index - 1].is_symbol(")") => {
            Some("CYCLE is not supported here; keep the path in an array column and test NOT id = ANY (path)")
        }
        "json_value" | "json_query" | "json_exists" if opens(index) => Some(
            "this form of JSON_VALUE, JSON_QUERY or JSON_EXISTS is not supported here; write col -> 'key' ->> 'key'",
        ),
        "json_table" if opens(index) => {
            Some("this form of JSON_TABLE is not supported here; use jsonb_to_recordset or jsonb_path_query")
        }
        "xmlelement" | "xmlforest" | "xmlparse" | "xmlserialize" | "xmlpi" | "xmlroot" | "xmltable" if opens(index) => {
            Some("XML constructors are not supported here; select the columns themselves, or use row_to_json")
        }
        "variadic" => Some("VARIADIC is not supported here; pass the arguments one by one"),
        "treat" if opens(index) => Some("TREAT is not supported here; use CAST"),
        "collation" if after(index, 1, "for") => {
            Some("COLLATION FOR is not supported here; use pg_collation_for(value)")
        }
        _ => None,
    })
}
