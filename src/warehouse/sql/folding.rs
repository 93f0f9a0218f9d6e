//! Detects user code that PostgreSQL runs while it plans a query.
//!
//! For every statement that reads a relation, the planner evaluates the constants in the relation's index expressions,
//! statistics, CHECKs and partition keys. It does so before any part of the statement runs.
//!
//! The usual `CREATE INDEX ON t (f(name))` evaluates nothing at planning, but an index with `f(1)` runs `f`. So a call
//! passes if one of its arguments is a column, at most cast or within calls of one argument. PostgreSQL cannot reduce
//! such an argument to a constant.

use std::collections::BTreeSet;

use super::lexer::{self, Kind, Token};
use super::policy::{Allowed, is_allowed};
use crate::warehouse::catalog::code::{Code, Planned, Run};

/// Returns which function planning could run for the relation, and how the owner could allow it. Returns `None` if
/// every function is allowed or harmless.
pub(super) fn reason(planned: &Planned, code: &Code, allowed: &Allowed) -> Option<String> {
    let runs = |run: &&Run| !is_allowed(&run.function.schema, &run.function.name, allowed);
    let run = planned.runs.iter().filter(runs).find(|run| !is_harmless(run, planned, code))?;
    let name = format!("{}.{}", run.function.schema, run.function.name);
    Some(format!(
        "has an index, CHECK, partition key or statistics for which planning a query could run {name}; the owner can allow \
         it: [sql] allow_functions = [\"{name}\"]"
    ))
}

fn is_harmless(run: &Run, planned: &Planned, code: &Code) -> bool {
    let Ok(tokens) = lexer::tokens(&planned.definition) else { return false };
    let calls = (0..tokens.len()).filter(|index| tokens[*index].is_name() && tokens[*index].text == run.function.name);
    let calls = calls.filter(|index| tokens.get(index + 1).is_some_and(|next| next.is_symbol("("))).collect::<Vec<_>>();
    let columns = planned.columns.iter().map(String::as_str).collect::<BTreeSet<_>>();
    let held = |index: &usize| holds_column(&tokens[index + 2..], &columns);
    !run.hidden
        && !calls.is_empty()
        && calls.iter().all(held)
        && run.body.as_deref().is_none_or(|body| is_flat(body, code))
}

/// Returns whether a body in SQL names no function or operator that the database's users created. The planner may
/// inline such a body in place of a call.
fn is_flat(body: &str, code: &Code) -> bool {
    let body = with_named_parameters(body);
    let Ok(tokens) = lexer::tokens(&body) else { return false };
    let made = |token: &Token<'_>| match token.kind {
        Kind::Word | Kind::QuotedWord => {
            code.functions.iter().any(|function| !function.trusted && function.name == token.text)
        }
        Kind::Operator => code.operators.iter().any(|operator| operator.name == token.text),
        Kind::Number | Kind::Text | Kind::Parameter | Kind::Symbol => false,
    };
    !tokens.is_empty() && !tokens.iter().any(made) && code.casts.is_empty()
}

/// Replaces `$1` with `p1`, because the lexer refuses parameters.
fn with_named_parameters(body: &str) -> String {
    let mut named = String::with_capacity(body.len());
    let mut characters = body.chars().peekable();
    while let Some(character) = characters.next() {
        let within_name = named.ends_with(|last: char| last.is_alphanumeric() || last == '_' || last == '$');
        let parameter = character == '$' && !within_name && characters.peek().is_some_and(char::is_ascii_digit);
        named.push(if parameter { 'p' } else { character });
    }
    named
}

/// Returns whether one of the arguments is a column. The tokens begin after the opening parenthesis, and the arguments
/// end at the closing one.
fn holds_column(tokens: &[Token<'_>], columns: &BTreeSet<&str>) -> bool {
    let mut depth = 0_usize;
    let mut start = 0;
    for (index, token) in tokens.iter().enumerate() {
        if depth == 0 && (token.is_symbol(",") || token.is_symbol(")")) {
            if is_column(&tokens[start..index], columns) {
                return true;
            }
            start = index + 1;
        }
        match &*token.text {
            "(" | "[" if token.kind == Kind::Symbol => depth += 1,
            ")" | "]" if token.kind == Kind::Symbol => match depth.checked_sub(1) {
                Some(outer) => depth = outer,
                None => return false,
            },
            _ => {}
        }
    }
    false
}

/// Returns whether the tokens are a column, which may be cast, in parentheses, or within calls of one argument.
fn is_column(tokens: &[Token<'_>], columns: &BTreeSet<&str>) -> bool {
    match tokens {
        [name] => name.is_name() && columns.contains(&*name.text),
        [name, cast, ..] if name.is_name() && cast.is_symbol("::") => {
            columns.contains(&*name.text) && is_type(&tokens[2..])
        }
        [open, rest @ ..] if open.is_symbol("(") => wrapped(rest, columns),
        [name, open, rest @ ..] if name.kind == Kind::Word && open.is_symbol("(") => wrapped(rest, columns),
        _ => false,
    }
}

/// Returns whether a parenthesis contains only a column. The tokens begin after the opening parenthesis.
fn wrapped(tokens: &[Token<'_>], columns: &BTreeSet<&str>) -> bool {
    let mut depth = 0_usize;
    let close = tokens.iter().position(|token| {
        let closes = token.is_symbol(")") && depth == 0;
        depth = depth + usize::from(token.is_symbol("(")) - usize::from(token.is_symbol(")") && !closes);
        closes
    });
    let Some(close) = close else { return false };
    let cast = match &tokens[close + 1..] {
        [] => true,
        [cast, rest @ ..] => cast.is_symbol("::") && is_type(rest),
    };
    cast && is_column(&tokens[..close], columns)
}

fn is_type(tokens: &[Token<'_>]) -> bool {
    let part = |token: &Token<'_>| token.is_name() || matches!(&*token.text, "." | "(" | ")" | "[" | "]" | "," | "::");
    tokens.iter().all(|token| part(token) || token.kind == Kind::Number)
}
