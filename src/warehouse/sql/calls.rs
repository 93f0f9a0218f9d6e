//! Checks calls and casts by the tokens alone, independently of the walk over the parsed tree.
//!
//! In PostgreSQL's grammar a name with a parenthesis after it calls a function, and a name with a string after it casts
//! the string. Whatever the parser makes of the text, every such name must be explained: as a key word, an allowed
//! function, a type, or an alias that lists its columns (which the walk reports).

use super::lexer::{Kind, Token};
use super::refusal::{Refusal, data_type, seen, syntax};
use super::{Policy, functions, keywords, rewrite, types};

/// Refuses a string constant after a name that is not a type, because PostgreSQL would cast it to that type. Without a
/// policy, any name counts as a type that may be cast to.
pub(super) fn check_typed_text(tokens: &[Token<'_>], policy: Option<&Policy>) -> Result<(), Refusal> {
    let castable = |name: &str| policy.is_none_or(|policy| policy.castable.contains_key(name));
    for index in 1..tokens.len() {
        let (before, text) = (&tokens[index - 1], &tokens[index]);
        if text.kind != Kind::Text {
            continue;
        }
        let fine = match before.kind {
            Kind::Word | Kind::QuotedWord if index > 2 && tokens[index - 2].is_symbol(".") => {
                let schema = &tokens[index - 3];
                schema.text == "pg_catalog" && types::is_known(&before.text)
                    || castable(&format!("{}.{}", schema.text, before.text))
            }
            Kind::Word => {
                keywords::takes_text(&before.text)
                    || types::is_known(&before.text)
                    || castable(&before.text)
                    || introduces(tokens, index - 1)
            }
            Kind::QuotedWord => types::is_known_in_quotes(&before.text) || castable(&before.text),
            Kind::Number | Kind::Text | Kind::Parameter => false,
            Kind::Operator => true,
            Kind::Symbol if before.is_symbol(")") => closes_type_or_operator(tokens, index - 1),
            Kind::Symbol => !matches!(&*before.text, "]" | "." | "::"),
        };
        if !fine && before.is_name() {
            return Err(data_type(format!(
                "{} before a string is not a type that may be cast to; put an operator between them",
                seen(&before.text)
            )));
        }
        if !fine {
            return Err(syntax(format!("a string cannot follow {}; put an operator between them", seen(&before.text))));
        }
    }
    Ok(())
}

/// Calls that take arguments after the word PASSING.
const PASSING: &[&str] = &["json_exists", "json_query", "json_value", "xmlexists", "xmltable"];

/// Returns whether the word is not a type there but part of a call that is written with words, so that any expression
/// may follow it.
fn introduces(tokens: &[Token<'_>], index: usize) -> bool {
    let follows = |symbol: &str| index > 0 && tokens[index - 1].is_symbol(symbol);
    let within = |words: &[&str]| rewrite::is_argument_of(tokens, index, words);
    match &*tokens[index].text {
        "content" | "document" => follows("(") && within(&["xmlparse", "xmlserialize"]),
        "passing" => index > 0 && rewrite::ends_operand(&tokens[index - 1]) && within(PASSING),
        "ref" | "value" if index > 1 && tokens[index - 1].is_word("by") && tokens[index - 2].is_word("passing") => {
            within(&["xmlexists", "xmltable"])
        }
        "value" => {
            // After another VALUE it would be a type.
            let after_key =
                index > 0 && rewrite::ends_operand(&tokens[index - 1]) && !tokens[index - 1].is_word("value");
            after_key && within(&["json_object", "json_objectagg"])
        }
        "similar" => rewrite::is_substring_pattern(tokens, index),
        "varying" => {
            index > 0 && ["bit", "char", "character", "nchar"].iter().any(|word| tokens[index - 1].is_word(word))
        }
        "version" => follows(",") && within(&["xmlroot"]),
        _ => false,
    }
}

/// Returns whether the parenthesis ends a type that may be cast to, such as `varchar(2)`, or `OPERATOR(pg_catalog.||)`.
fn closes_type_or_operator(tokens: &[Token<'_>], close: usize) -> bool {
    let inside = tokens[..close].iter().rev().take_while(|token| token.kind == Kind::Number || token.is_symbol(","));
    let open = (close - inside.count()).checked_sub(1).filter(|open| tokens[*open].is_symbol("("));
    let name = open.and_then(|open| open.checked_sub(1)).map(|name| &tokens[name]);
    let of_type = name.is_some_and(|name| {
        name.kind == Kind::Word && (types::is_known(&name.text) || matches!(&*name.text, "second" | "varying"))
    });
    of_type || [3, 5].iter().any(|back| close >= *back && rewrite::is_own_operator(tokens, close - back))
}

/// Returns the indexes of the names before a parenthesis that neither the grammar nor the allow-lists explain.
pub(super) fn unexplained(tokens: &[Token<'_>], policy: &Policy) -> Vec<usize> {
    let open = |index: usize| tokens.get(index + 1).is_some_and(|token| token.is_symbol("("));
    (0..tokens.len())
        .filter(|index| tokens[*index].is_name() && open(*index) && !is_explained(tokens, *index, policy))
        .collect()
}

/// Returns whether the statement calls a function that the owner of the database allowed.
pub(super) fn calls_allowed(tokens: &[Token<'_>], policy: &Policy) -> bool {
    let bare = |name: &str| policy.functions.iter().any(|allowed| allowed.rsplit('.').next() == Some(name));
    let open = |index: usize| tokens.get(index + 1).is_some_and(|token| token.is_symbol("("));
    !policy.functions.is_empty()
        && (0..tokens.len()).any(|index| tokens[index].is_name() && open(index) && bare(&tokens[index].text))
}

fn is_explained(tokens: &[Token<'_>], index: usize, policy: &Policy) -> bool {
    let name = &tokens[index];
    if index > 0 && tokens[index - 1].is_word("tablesample") {
        return true; // a sampling method, which the walk checks
    }
    if rewrite::is_own_operator(tokens, index) || is_precision(tokens, index) || introduces(tokens, index) {
        return true;
    }
    if index > 0 && tokens[index - 1].is_symbol(".") {
        let further = index >= 3 && tokens[index - 3].is_symbol(".");
        return index >= 2
            && !further
            && tokens[index - 2].is_name()
            && functions::is_allowed_in(&tokens[index - 2].text, &name.text, policy);
    }
    (name.kind == Kind::Word && keywords::takes_parenthesis(&name.text))
        || functions::is_allowed(&name.text, policy)
        || types::is_known(&name.text)
}

/// Returns whether the word is the field of an interval with the number of its digits, as in `INTERVAL '1' SECOND (2)`.
fn is_precision(tokens: &[Token<'_>], index: usize) -> bool {
    let before = |back: usize, word: &str| index >= back && tokens[index - back].is_word(word);
    let after_text = index > 0 && tokens[index - 1].kind == Kind::Text && before(2, "interval");
    let digits = tokens.get(index + 2).is_some_and(|digits| digits.kind == Kind::Number)
        && tokens.get(index + 3).is_some_and(|close| close.is_symbol(")"));
    tokens[index].is_word("second") && digits && (before(1, "interval") || before(1, "to") || after_text)
}
