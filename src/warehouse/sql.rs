//! Turns text from a model into a validated SELECT. Pure: no I/O, no async, no database.
//!
//! Only this module can construct a [`Select`], and [`crate::warehouse::Database::select`] accepts nothing else. So
//! unchecked text cannot reach a database. The database executes the original text, never a printed form of the tree.
//!
//! A text passes through the following stages. The first one that objects refuses it, with a one-line message that says
//! what to write instead:
//!
//! ```text
//! lexer       text -> tokens, by PostgreSQL's rules; the parser gets these tokens and cannot split the text otherwise
//! operators   the list of PostgreSQL's own operators
//! statement   one statement, a query, no INTO, no locks, not too large: the checks that need only the tokens
//! calls       every name before a parenthesis or a string is explained; checks the tokens, independently of the walk
//! parse       tokens -> the parsed tree, by sqlparser's grammar, up to the end of the text
//!   rewrite     replaces PostgreSQL syntax that the parser does not know with syntax that it knows
//! walk        every relation, column, call and type in the tree is allowed; unknown forms are refused
//!   scope       what each name refers to: CTEs, tables, aliases
//! sizes       the values made from constants are not too large, and not too much work
//! overloads   no operator, familiar name or cast may resolve to code that the database's users created
//! policy      what may be read, called and run: decided once, from the catalog
//! functions, relations, types, keywords, names, rows
//!             the lists: allowed by name, never denied by name
//! fields, shapes, hidden
//!             the columns and their values, and which of them may not be shown
//! reading     the normal form of a statement that passed
//! ```
//!
//! Beside them, `piece` reads an expression that is no statement, to change the names in it, `narrowed` asks a
//! statement once more over fewer rows, and `moved` about later days.
//!
//! Facts that only the database knows arrive as plain data ([`crate::warehouse::catalog::code`]). The cost of a query
//! is not checked here. The session must set `standard_conforming_strings = on` and a search path that begins with
//! `pg_catalog`.

mod calls;
pub(crate) mod dates;
mod fields;
mod folding;
mod functions;
mod hidden;
mod keywords;
mod lexer;
mod moved;
mod names;
mod narrowed;
mod operators;
mod overloads;
mod parse;
pub(crate) mod piece;
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
use std::ops::Range;

use jiff::ZonedDateTime;

pub use self::fields::{Fields, Mask, Shape};
pub(crate) use self::moved::Move;
pub(crate) use self::names::{identifier, is_bare, quoted, relation};
pub use self::policy::{Allowed, Policy, Unseen};
pub use self::refusal::Refusal;
pub(crate) use self::relations::described;

/// The maximum length of a statement, in bytes.
const TEXT_BYTES_MAX: usize = 32 * 1024;

/// A statement that passed [`validate`]: one read-only SELECT (or VALUES, TABLE) over allowed relations and functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    text: String,
    relations: BTreeSet<(String, String)>,
    range: Option<[ZonedDateTime; 2]>,
    made_bytes: u64,
    /// How each column of the result is masked; empty if none is.
    masks: Vec<Option<Mask>>,
    /// Where tokens stand for personal values in the text.
    tokens: Vec<Range<usize>>,
}

impl Select {
    /// Returns the original text, without surrounding comments and trailing semicolons.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns how each column of the result is masked; empty if none is.
    pub(super) fn masks(&self) -> &[Option<Mask>] {
        &self.masks
    }

    /// Returns the statement with the values that its tokens stand for, and whether there are any. A text takes the place
    /// of a text, so that the statement says the same. A token whose value is not known stands for itself: nothing
    /// equals it.
    pub(super) fn with_values(&self, value: impl Fn(&str) -> Option<String>) -> (Self, bool) {
        let mut text = String::with_capacity(self.text.len());
        let (mut end, mut has_values) = (0, false);
        for token in &self.tokens {
            let written = self.text.get(token.clone()).unwrap_or_default();
            let known = written.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).and_then(&value);
            text.push_str(self.text.get(end..token.start).unwrap_or_default());
            match known {
                Some(known) => {
                    text.push_str(&quoted_text(&known));
                    has_values = true;
                }
                None => text.push_str(written),
            }
            end = token.end;
        }
        text.push_str(self.text.get(end..).unwrap_or_default());
        (Self { text, ..self.clone() }, has_values)
    }

    /// Returns the policy's relations that the statement reads, as (schema, name). System catalogues are not included.
    pub fn relations(&self) -> &BTreeSet<(String, String)> {
        &self.relations
    }

    /// Returns the bytes of the widest value that the statement makes from constants for each row that it reads. It is
    /// 0 if no such value is wide enough to count.
    #[expect(clippy::cast_precision_loss, reason = "the sizes that it is compared with are only megabytes")]
    pub(crate) fn made_bytes(&self) -> f64 {
        self.made_bytes as f64
    }

    /// Returns the statement with a time range bound to `$1` (inclusive) and `$2` (exclusive). Each bound takes the
    /// type that the statement expects there: date, timestamp (local time in the bound's own time zone) or timestamptz.
    #[must_use]
    pub fn between(&self, start: ZonedDateTime, end: ZonedDateTime) -> Self {
        Self { range: Some([start, end]), ..self.clone() }
    }

    /// Returns the values of `$1` and `$2`; `None` if no range is bound.
    pub fn range(&self) -> Option<&[ZonedDateTime; 2]> {
        self.range.as_ref()
    }

    /// Returns what `read` makes of the parsed tree; `None` if the tree differs from the text in a form that the parser
    /// does not know.
    pub(super) fn with_tree<T>(&self, read: impl FnOnce(&parse::Tree) -> T) -> Option<T> {
        let tokens = lexer::tokens_with_range(&self.text).ok()?;
        let stack_bytes = statement::stack_bytes(&tokens).ok()?;
        stacker::maybe_grow(stack_bytes * 4, stack_bytes * 8, || {
            if tokens.iter().any(|token| token.is_prefixed(&self.text)) {
                return None;
            }
            let tree = parse::literal_query(&tokens)?;
            Some(read(&tree))
        })
    }

    /// Returns a normal form of the text. Two texts have the same one if they differ only in white space, comments and
    /// the case of unquoted words.
    pub fn fingerprint(&self) -> String {
        lexer::tokens_with_range(&self.text).map(|tokens| reading::normal_form(&tokens)).unwrap_or_default()
    }
}

/// Checks that `text` is one SELECT that changes nothing and reads only what `policy` allows.
pub fn validate(text: &str, policy: &Policy) -> Result<Select, Refusal> {
    select(text, lexer::tokens, policy)
}

/// Checks a text in which `$1` and `$2` stand for a time range, which [`Select::between`] binds.
pub fn validate_with_range(text: &str, policy: &Policy) -> Result<Select, Refusal> {
    select(text, lexer::tokens_with_range, policy)
}

/// Checks a text with a time range as far as possible without a database: that it is one query, and that it uses both
/// `$1` and `$2`.
pub fn check_form(text: &str) -> Result<(), Refusal> {
    check_size(text)?;
    let tokens = lexer::tokens_with_range(text)?;
    let tokens = statement::only(&tokens)?;
    statement::check(tokens)?;
    calls::check_typed_text(tokens, None)?;
    let stack_bytes = statement::stack_bytes(tokens)?;
    stacker::maybe_grow(stack_bytes, stack_bytes * 2, || parse::query(tokens).map(drop))?;
    let has = |name: &str| tokens.iter().any(|token| token.kind == lexer::Kind::Parameter && token.text == name);
    for (name, end) in [("$1", "inclusive start"), ("$2", "exclusive end")] {
        if !has(name) {
            return Err(refusal::syntax(format!(
                "{name} is not used; compare a time column with it, the {end} of the range"
            )));
        }
    }
    Ok(())
}

fn check_size(text: &str) -> Result<(), Refusal> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(refusal::size(format!("{} bytes of SQL; the limit is {TEXT_BYTES_MAX}", text.len())));
    }
    if text.contains('\0') {
        return Err(refusal::syntax("the text contains a NUL character; remove it"));
    }
    Ok(())
}

/// A function that splits a text into tokens.
type Lex = for<'text> fn(&'text str) -> Result<Vec<lexer::Token<'text>>, Refusal>;

fn select(text: &str, lex: Lex, policy: &Policy) -> Result<Select, Refusal> {
    let Checked { text, relations, outputs, made_bytes, tokens } = check(text, lex, policy)?;
    if let Some(secret) = outputs.unshowable() {
        return Err(fields::hidden(secret));
    }
    let masks = outputs.masks();
    if outputs.open && outputs.secret().is_some() {
        return Err(refusal::column(
            "the columns of this result are not all known, and some are personal data; list them",
        ));
    }
    Ok(Select { text: text.to_owned(), relations, range: None, made_bytes, masks, tokens })
}

/// Quotes a text as a literal.
fn quoted_text(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "''"))
}

/// Returns the columns of a view's body. Unlike in a statement, some of them may be columns that may not be shown.
fn outputs(body: &str, policy: &Policy) -> Result<Fields, Refusal> {
    check(body, lexer::tokens, policy).map(|checked| checked.outputs)
}

/// A text that passed, without surrounding comments and trailing semicolons.
struct Checked<'text> {
    text: &'text str,
    relations: BTreeSet<(String, String)>,
    outputs: Fields,
    made_bytes: u64,
    tokens: Vec<Range<usize>>,
}

fn check<'text>(text: &'text str, lex: Lex, policy: &Policy) -> Result<Checked<'text>, Refusal> {
    check_size(text)?;
    let tokens = lex(text)?;
    let tokens = statement::only(&tokens)?;
    statement::check(tokens)?;
    calls::check_typed_text(tokens, Some(policy))?;
    let stack_bytes = statement::stack_bytes(tokens)?;
    let (found, types, made_bytes) = stacker::maybe_grow(stack_bytes * 4, stack_bytes * 8, || {
        let query = parse::query(tokens)?;
        let found = walk::check(&query, tokens, policy)?;
        Ok((found, types::made(&query, policy), sizes::check(&query)?))
    })?;
    let unexplained = calls::unexplained(tokens, policy);
    if let Some(index) = unexplained.into_iter().find(|index| !found.column_lists.contains(index)) {
        return Err(functions::refused(&tokens[index].text, policy));
    }
    overloads::check(tokens, &found, &types, policy)?;
    let start = tokens.first().map_or(0, |first| first.start);
    let text = tokens.last().map_or(text, |last| &text[start..last.end]);
    let places = found.tokens.iter().filter_map(|index| tokens.get(*index));
    let places = places.map(|token| token.start - start..token.end - start).collect();
    Ok(Checked { text, relations: found.relations, outputs: found.outputs, made_bytes, tokens: places })
}
