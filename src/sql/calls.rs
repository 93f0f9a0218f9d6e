//! Calls and casts, found by the tokens alone: a second opinion beside the walk over the parsed tree.
//!
//! In PostgreSQL's grammar a function is called by a name with a parenthesis after it, and a string is cast by a name
//! with the string after it. Whatever the parser makes of the text, every such name must be explained: a key word, an
//! allowed function, a type, or (told by the walk) an alias that lists its columns.

use super::lexer::{Kind, Token};
use super::refusal::{Refusal, data_type, seen, syntax};
use super::{Policy, functions, keywords, types};

/// Refuses a string constant after a name that is no type: PostgreSQL would cast it to that type.
pub(super) fn check_typed_text(tokens: &[Token<'_>]) -> Result<(), Refusal> {
    for pair in tokens.windows(2) {
        let [before, text] = pair else { continue };
        if text.kind != Kind::Text {
            continue;
        }
        let fine = match before.kind {
            Kind::Word => keywords::takes_text(&before.text) || types::is_known(&before.text),
            Kind::QuotedWord | Kind::Number | Kind::Text | Kind::Parameter => false,
            Kind::Operator => true,
            Kind::Symbol => !matches!(&*before.text, ")" | "]" | "." | "::"),
        };
        if !fine && before.kind == Kind::Word {
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

/// The places of names before a parenthesis that neither the grammar nor the allow-lists explain.
pub(super) fn unexplained(tokens: &[Token<'_>], policy: &Policy) -> Vec<usize> {
    let open = |index: usize| tokens.get(index + 1).is_some_and(|token| token.is_symbol("("));
    (0..tokens.len())
        .filter(|index| tokens[*index].is_name() && open(*index) && !is_explained(tokens, *index, policy))
        .collect()
}

/// Whether a function that the owner of the database allowed is called.
pub(super) fn calls_allowed(tokens: &[Token<'_>], policy: &Policy) -> bool {
    let bare = |name: &str| policy.functions.iter().any(|allowed| allowed.rsplit('.').next() == Some(name));
    let open = |index: usize| tokens.get(index + 1).is_some_and(|token| token.is_symbol("("));
    !policy.functions.is_empty()
        && (0..tokens.len()).any(|index| tokens[index].is_name() && open(index) && bare(&tokens[index].text))
}

fn is_explained(tokens: &[Token<'_>], index: usize, policy: &Policy) -> bool {
    let name = &tokens[index];
    if index > 0 && tokens[index - 1].is_word("tablesample") {
        return true; // a sampling method; the walk knows which there are
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
