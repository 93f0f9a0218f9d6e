//! Checks what the tokens alone show: that there is one statement, that it is a query, and that it is not too large.
//!
//! These rules hold whatever the parser makes of the text. Their messages also fit the writer's intent better than the
//! parser's errors do.

use super::lexer::{Kind, Token};
use super::refusal::{Refusal, one_statement, operator, read_only, row_lock, seen, size, syntax};
use super::{keywords, rewrite};

/// The maximum number of brackets that are open at once.
const NESTING_MAX: usize = 64;

/// The maximum number of operators and of words such as AND that join expressions. Each may make the tree one level
/// deeper.
const CHAIN_MAX: usize = 1_500;

/// Words that are followed by a table.
const TABLES: &[&str] = &["from", "join", "lateral"];

/// The words of a locking clause.
const LOCKS: &[&str] = &["NO", "KEY", "UPDATE", "SHARE"];

/// The bytes of stack that it takes to walk and drop one level of the parsed tree, in a debug build, with a margin.
const STACK_BYTES_PER_LEVEL: usize = 4 * 1024;

/// Returns the tokens of the one statement, without trailing semicolons.
pub(super) fn only<'tokens, 'text>(tokens: &'tokens [Token<'text>]) -> Result<&'tokens [Token<'text>], Refusal> {
    let length = tokens.iter().rposition(|token| !token.is_symbol(";")).map_or(0, |last| last + 1);
    let statement = &tokens[..length];
    if statement.is_empty() {
        return Err(syntax("there is nothing to run; send one SELECT"));
    }
    let semicolons = statement.iter().filter(|token| token.is_symbol(";")).count();
    if semicolons > 0 {
        return Err(one_statement(format!("{} statements found; send one SELECT", semicolons + 1)));
    }
    Ok(statement)
}

/// Refuses a statement that is not a query, writes, or takes locks.
pub(super) fn check(tokens: &[Token<'_>]) -> Result<(), Refusal> {
    check_start(tokens)?;
    let words = tokens.iter().enumerate().filter(|(_, token)| token.kind == Kind::Word);
    for (index, token) in words {
        check_word(tokens, index).map_err(|refusal| refusal.at(token.start))?;
    }
    Ok(())
}

/// Refuses the word at `index` if it turns the query into something else, or begins a form that is not supported.
fn check_word(tokens: &[Token<'_>], index: usize) -> Result<(), Refusal> {
    let token = &tokens[index];
    let next = |ahead: usize, words: &[&str]| {
        tokens.get(index + ahead).is_some_and(|token| words.iter().any(|word| token.is_word(word)))
    };
    let before =
        |back: usize, words: &[&str]| index >= back && words.iter().any(|word| tokens[index - back].is_word(word));
    match &*token.text {
        "into" => return Err(read_only("SELECT INTO creates a table; remove INTO")),
        "only"
            if !(before(1, &["row", "rows"]) || before(1, TABLES) || index > 0 && tokens[index - 1].is_symbol(",")) =>
        {
            return Err(syntax("ONLY must precede a table in FROM; leave it out"));
        }
        "for" if next(1, &["update", "share"]) || next(1, &["no", "key"]) && next(2, &["key", "update", "share"]) => {
            let lock = tokens[index + 1..].iter().map(|token| token.text.to_uppercase());
            let lock = lock.take_while(|word| LOCKS.contains(&word.as_str())).collect::<Vec<_>>().join(" ");
            return Err(row_lock(format!("FOR {lock} takes locks; remove it")));
        }
        "insert" | "update" | "delete" | "merge"
            if index >= 2 && tokens[index - 1].is_symbol("(") && before(2, &["as", "materialized"]) =>
        {
            return Err(read_only(format!(
                "CTE {}is {}; only SELECT is allowed inside WITH",
                cte_name(&tokens[..index - 2]),
                token.text.to_uppercase()
            )));
        }
        "table" if tokens.get(index + 1).is_some_and(|token| token.is_symbol("(")) => {
            return Err(syntax("TABLE takes a table's name; write the SELECT alone"));
        }
        "table" if !rewrite::is_label(tokens, index) && !is_whole_table(&tokens[index + 1..]) => {
            return Err(syntax("TABLE takes a table's name, and only ORDER BY, LIMIT or UNION may follow it"));
        }
        "fetch" if !is_whole_fetch(&tokens[index + 1..]) => {
            return Err(syntax("FETCH must end in ROWS ONLY or ROWS WITH TIES; complete it, or use LIMIT"));
        }
        "operator"
            if tokens.get(index + 1).is_some_and(|token| token.is_symbol("("))
                && !rewrite::is_own_operator(tokens, index) =>
        {
            return Err(operator(
                "only PostgreSQL's own operators may be used; write the operator itself, or OPERATOR(pg_catalog.+)",
            ));
        }
        _ => {}
    }
    Ok(())
}

/// Returns whether a table's name follows, and after it only what may follow a query. The parser would accept an alias
/// and clauses there.
fn is_whole_table(rest: &[Token<'_>]) -> bool {
    const AFTER: &[&str] = &["except", "fetch", "for", "intersect", "limit", "offset", "order", "union"];
    let mut rest = rest.iter().skip_while(|token| token.is_word("only")).peekable();
    let mut is_named = rest.next().is_some_and(Token::is_name);
    while rest.peek().is_some_and(|token| token.is_symbol(".")) {
        rest.next();
        is_named &= rest.next().is_some_and(Token::is_name);
    }
    if rest.peek().is_some_and(|token| token.kind == Kind::Operator && token.text == "*") {
        rest.next();
    }
    let ends = |token: &&Token<'_>| token.is_symbol(")") || AFTER.iter().any(|word| token.is_word(word));
    is_named && rest.peek().is_none_or(ends)
}

/// Returns whether `FIRST 3 ROWS ONLY`, or another of its forms, follows. The parser accepts it without the last words.
fn is_whole_fetch(rest: &[Token<'_>]) -> bool {
    let mut depth = 0_usize;
    let mut rows = None;
    for (index, token) in rest.iter().enumerate() {
        match (&*token.text, token.kind) {
            ("(", Kind::Symbol) => depth += 1,
            (")", Kind::Symbol) if depth == 0 => break,
            (")", Kind::Symbol) => depth -= 1,
            ("row" | "rows", Kind::Word) if depth == 0 => {
                rows = Some(index);
                break;
            }
            _ => {}
        }
    }
    let is = |index: usize, word: &str| rest.get(index).is_some_and(|token| token.is_word(word));
    (is(0, "first") || is(0, "next"))
        && rows.is_some_and(|at| is(at + 1, "only") || is(at + 1, "with") && is(at + 2, "ties"))
}

fn check_start(tokens: &[Token<'_>]) -> Result<(), Refusal> {
    let Some(first) = tokens.iter().find(|token| !token.is_symbol("(")) else {
        return Err(syntax("there is nothing to run; send one SELECT"));
    };
    match (first.kind, &*first.text) {
        (Kind::Word, "select" | "with" | "values" | "table") => Ok(()),
        (Kind::Word, "explain") => Err(read_only("EXPLAIN is not run here; send the SELECT itself")),
        (Kind::Word, "show") => Err(read_only("SHOW reads the server's settings; only SELECT is allowed")),
        (Kind::Word, word) => {
            Err(read_only(format!("{} is not a query; only SELECT is allowed", seen(&word.to_uppercase()))))
        }
        _ => Err(syntax(format!("a query starts with SELECT or WITH, not with {}", seen(&first.text)))),
    }
}

/// Returns the name before `AS (` of a CTE for a message, in quotes and with a space after it. Returns an empty string
/// if there is no name.
fn cte_name(before: &[Token<'_>]) -> String {
    let name =
        before.iter().rev().find(|token| token.is_name() && !matches!(&*token.text, "as" | "not" | "materialized"));
    name.map_or_else(String::new, |name| format!("\"{}\" ", seen(&name.text)))
}

/// Returns the bytes of stack that suffice to walk and drop the parsed tree, whose depth the operators and brackets
/// bound. Refuses a text with too many of them. (The parser itself allocates more stack where it needs it.)
pub(super) fn stack_bytes(tokens: &[Token<'_>]) -> Result<usize, Refusal> {
    let (mut nesting, mut deepest, mut chain) = (0_usize, 0_usize, 0_usize);
    for token in tokens {
        match token.kind {
            Kind::Operator => chain += 1,
            Kind::Word => chain += usize::from(keywords::chains(&token.text)),
            Kind::Symbol => match &*token.text {
                "(" | "[" => {
                    nesting += 1;
                    chain += usize::from(token.text == "[");
                    deepest = deepest.max(nesting);
                }
                ")" | "]" => nesting = nesting.saturating_sub(1),
                "::" => chain += 1,
                _ => {}
            },
            Kind::QuotedWord | Kind::Number | Kind::Text | Kind::Parameter => {}
        }
    }
    if deepest > NESTING_MAX {
        return Err(size(format!("brackets are nested {deepest} deep; the limit is {NESTING_MAX}, use WITH")));
    }
    if chain > CHAIN_MAX {
        return Err(size(format!(
            "{chain} operators in one statement; the limit is {CHAIN_MAX}, use IN (...) or VALUES for long lists"
        )));
    }
    Ok((chain + deepest * 8 + 32) * STACK_BYTES_PER_LEVEL)
}
