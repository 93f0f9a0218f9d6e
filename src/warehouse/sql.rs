//! Text from a model -> a validated SELECT. Pure: no I/O, no async, no database.
//!
//! [`Select`] can be constructed only here, and [`crate::warehouse::Database::select`] takes nothing else: that is how
//! unchecked text cannot reach a database. What is executed is the original text, never the parsed tree printed again.
//!
//! A text passes through these, and the first that objects refuses it, in one line that says what to write instead:
//!
//! ```text
//! lexer       text -> tokens, by PostgreSQL's rules; the parser is given these, so it cannot split the text otherwise
//! operators   the operators that are PostgreSQL's own
//! statement   one statement, a query, no INTO, no locks, not too large: what tokens alone tell
//! calls       every name before a parenthesis or a string is explained; a second opinion beside the walk
//! parse       tokens -> the parsed tree, by sqlparser's grammar, ending where the text ends
//!   rewrite     what PostgreSQL has and the parser lacks, said in another way
//! walk        every relation, column, call and type in the tree is allowed; forms nobody thought about are refused
//!   scope       what a name stands for where: CTEs, tables, aliases
//! sizes       what its constants make is not too large, and not too much work
//! overloads   no operator, familiar name or cast in it may stand for code that the database's users made
//! policy      what may be read, called and run: decided once, from the catalog
//! functions, relations, types, keywords, names, rows
//!             the lists: allowed by name, never denied by name
//! fields, shapes, hidden
//!             what a column is, and which may not be shown
//! pins, reading
//!             what the checker of findings asks of a statement that passed
//! ```
//!
//! What only the database can tell comes in as plain data ([`crate::warehouse::catalog::code`]), and what a query costs is not
//! decided here. The session must set `standard_conforming_strings = on` and a search path that begins with `pg_catalog`.

mod calls;
mod fields;
mod folding;
mod functions;
mod hidden;
mod keywords;
mod lexer;
mod names;
mod operators;
mod overloads;
mod parse;
mod pins;
mod policy;
mod reach;
mod reading;
mod refusal;
mod relations;
mod rewrite;
mod rows;
mod shapes;
pub(crate) mod sizes;
mod statement;
mod types;
mod walk;

use std::collections::BTreeSet;

use jiff::ZonedDateTime;

pub use self::fields::{Fields, Shape};
pub(crate) use self::names::{is_bare, quoted};
pub use self::pins::{Pin, Pins};
pub use self::policy::{Allowed, Policy, Unseen};
pub use self::reading::Literal;
pub use self::refusal::Refusal;
pub(crate) use self::relations::described;

/// Bytes of a statement at the most.
const TEXT_BYTES_MAX: usize = 32 * 1024;

/// A statement that passed [`validate`]: one read-only SELECT (or VALUES, TABLE) over allowed relations and functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    text: String,
    relations: BTreeSet<(String, String)>,
    pins: Pins,
    range: Option<[ZonedDateTime; 2]>,
    made_bytes: u64,
}

impl Select {
    /// The original text, without comments around it and semicolons after it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The policy's relations that it reads, as (schema, name). System catalogues are not among them.
    pub fn relations(&self) -> &BTreeSet<(String, String)> {
        &self.relations
    }

    /// Bytes of the widest value that it makes, of its constants, for each row that it reads.
    #[expect(clippy::cast_precision_loss, reason = "it is compared with a few megabytes")]
    pub(crate) fn made_bytes(&self) -> f64 {
        self.made_bytes as f64
    }

    /// The columns that it holds to one literal.
    pub fn pins(&self) -> &Pins {
        &self.pins
    }

    /// The same statement with the bounds of a time range bound to `$1` (inclusive) and `$2` (exclusive), as values of
    /// whichever type the statement has there: date, timestamp (by the clock of their time zone) or timestamptz.
    #[must_use]
    pub fn between(&self, start: ZonedDateTime, end: ZonedDateTime) -> Self {
        Self { range: Some([start, end]), ..self.clone() }
    }

    /// The values of `$1` and `$2`.
    pub fn range(&self) -> Option<&[ZonedDateTime; 2]> {
        self.range.as_ref()
    }

    /// The same for two texts that differ only in white space, comments, and the case of what is not quoted.
    pub fn fingerprint(&self) -> String {
        lexer::tokens_with_range(&self.text).map(|tokens| reading::normal_form(&tokens)).unwrap_or_default()
    }

    /// The constants written in it, in their order.
    pub fn literals(&self) -> Vec<Literal> {
        lexer::tokens_with_range(&self.text).map(|tokens| reading::literals(&tokens)).unwrap_or_default()
    }
}

/// Checks that `text` is one SELECT that changes nothing and reads only what `policy` allows.
pub fn validate(text: &str, policy: &Policy) -> Result<Select, Refusal> {
    select(text, lexer::tokens, policy)
}

/// The same for a text in which `$1` and `$2` stand for a time range, which [`Select::between`] binds.
pub fn validate_with_range(text: &str, policy: &Policy) -> Result<Select, Refusal> {
    select(text, lexer::tokens_with_range, policy)
}

/// Checks as much of a text with a time range as can be told without a database: that it is one query, and that both
/// ends of the range are used.
pub fn check_form(text: &str) -> Result<(), Refusal> {
    check_size(text)?;
    let tokens = lexer::tokens_with_range(text)?;
    let tokens = statement::only(&tokens)?;
    statement::check(tokens)?;
    calls::check_typed_text(tokens, None)?;
    let stack_bytes = statement::stack_bytes(tokens)?;
    stacker::maybe_grow(stack_bytes, stack_bytes * 2, || parse::query(tokens).map(drop))?;
    let has = |name: &str| tokens.iter().any(|token| token.kind == lexer::Kind::Parameter && token.text == name);
    for (name, end) in [("$1", "start, which is part of it"), ("$2", "end, which is not")] {
        if !has(name) {
            return Err(refusal::syntax(format!("{name} is nowhere; compare with it: it is the range's {end}")));
        }
    }
    Ok(())
}

fn check_size(text: &str) -> Result<(), Refusal> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(refusal::size(format!("{} bytes of SQL; {TEXT_BYTES_MAX} is the most", text.len())));
    }
    if text.contains('\0') {
        return Err(refusal::syntax("the text has a NUL character in it; leave it out"));
    }
    Ok(())
}

/// How a text becomes tokens.
type Lex = for<'text> fn(&'text str) -> Result<Vec<lexer::Token<'text>>, Refusal>;

fn select(text: &str, lex: Lex, policy: &Policy) -> Result<Select, Refusal> {
    let Checked { text, relations, outputs, pins, made_bytes } = check(text, lex, policy)?;
    if let Some(secret) = outputs.secret() {
        return Err(fields::hidden(secret));
    }
    Ok(Select { text: text.to_owned(), relations, pins, range: None, made_bytes })
}

/// The columns of a view's body, which may be such as may not be shown.
fn outputs(body: &str, policy: &Policy) -> Result<Fields, Refusal> {
    check(body, lexer::tokens, policy).map(|checked| checked.outputs)
}

/// A text that passed, without comments around it and semicolons after it.
struct Checked<'text> {
    text: &'text str,
    relations: BTreeSet<(String, String)>,
    outputs: Fields,
    pins: Pins,
    made_bytes: u64,
}

fn check<'text>(text: &'text str, lex: Lex, policy: &Policy) -> Result<Checked<'text>, Refusal> {
    check_size(text)?;
    let tokens = lex(text)?;
    let tokens = statement::only(&tokens)?;
    statement::check(tokens)?;
    calls::check_typed_text(tokens, Some(policy))?;
    let stack_bytes = statement::stack_bytes(tokens)?;
    let (found, types, pins, made_bytes) = stacker::maybe_grow(stack_bytes * 4, stack_bytes * 8, || {
        let query = parse::query(tokens)?;
        let found = walk::check(&query, tokens, policy)?;
        Ok((found, types::made(&query, policy), pins::of(&query), sizes::check(&query)?))
    })?;
    let unexplained = calls::unexplained(tokens, policy);
    if let Some(index) = unexplained.into_iter().find(|index| !found.column_lists.contains(index)) {
        return Err(functions::refused(&tokens[index].text, policy));
    }
    overloads::check(tokens, &found, &types, policy)?;
    let text = match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => &text[first.start..last.end],
        _ => text,
    };
    Ok(Checked { text, relations: found.relations, outputs: found.outputs, pins, made_bytes })
}
