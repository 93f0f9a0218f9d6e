//! Walks the parsed tree and checks every relation, column, function, operator and type in it. Every form of the
//! grammar that is not known here is refused.
//!
//! The walk is written by hand instead of with the parser's visitor, for two reasons. It must know what is in scope at
//! each point. And a form that a later version of the parser adds must be refused until somebody has reviewed it:
//! structs are destructured field by field, and `_` refuses.

mod expression;
mod from;
mod masked;
mod naming;
mod query;
mod scope;
mod sensitive;

use std::collections::BTreeSet;

use sqlparser::ast::{Ident, Query, SetExpr, TableAlias};

use super::fields::{Fields, Origin};
use super::lexer::Token;
use super::parse::index_of;
use super::refusal::{Refusal, syntax};
use super::{Policy, functions, keywords, names, types};
use scope::Scope;

/// What the walk found in a query that it did not refuse.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The policy's relations that the query reads, by schema and name.
    pub(super) relations: BTreeSet<(String, String)>,
    /// The indexes of the tokens that are aliases with a list of columns in parentheses.
    pub(super) column_lists: BTreeSet<usize>,
    /// Whether the query makes rows or uses whole rows, which PostgreSQL would turn into values of any row type.
    pub(super) rows: bool,
    /// The indexes of the tokens that stand for personal values in the text, see [`masked`].
    pub(super) tokens: BTreeSet<usize>,
    pub(super) outputs: Fields,
}

/// Refuses the query unless everything in it is known to be harmless and allowed.
///
/// A column that is joined to a sensitive one shows its values, so it is sensitive in the whole query. When a walk
/// finds such columns, the query is walked again.
pub(super) fn check(query: &Query, tokens: &[Token<'_>], policy: &Policy) -> Result<Found, Refusal> {
    let mut joined = BTreeSet::new();
    loop {
        let mut walk = Walk {
            policy,
            tokens,
            scope: Scope::default(),
            found: Found::default(),
            joined: joined.clone(),
            recursions: Vec::new(),
        };
        walk.found.outputs = walk.query(query)?;
        if walk.joined == joined {
            return Ok(walk.found);
        }
        joined = walk.joined;
    }
}

struct Walk<'query, 'tokens> {
    policy: &'query Policy,
    tokens: &'tokens [Token<'tokens>],
    scope: Scope<'query>,
    found: Found,
    /// Columns that are joined to sensitive ones.
    joined: BTreeSet<Origin>,
    /// The CTEs being walked that may read themselves, with their bodies.
    recursions: Vec<(&'query SetExpr, &'query TableAlias)>,
}

impl<'query> Walk<'query, '_> {
    /// Checks an alias of a table, with the names and types of the columns that it lists.
    fn table_alias(&mut self, alias: &'query TableAlias) -> Result<(), Refusal> {
        let TableAlias { explicit: _, name, columns, at } = alias;
        names::check(name)?;
        if at.is_some() {
            return Err(unknown("AT in an alias"));
        }
        if !columns.is_empty()
            && let Some(index) = index_of(name.span)
        {
            self.found.column_lists.insert(index);
        }
        for column in columns {
            names::check(&column.name)?;
            if let Some(data_type) = &column.data_type {
                types::check(data_type, self.policy)?;
            }
        }
        Ok(())
    }

    /// Checks an output column's name, which may be any word after AS.
    fn label(&self, label: &Ident) -> Result<(), Refusal> {
        let after_as = index_of(label.span)
            .and_then(|index| self.tokens.get(index.checked_sub(1)?))
            .is_some_and(|before| before.is_word("as"));
        match (after_as, label.quote_style) {
            (true, None) => Ok(()),
            (false, None) if keywords::needs_as(&label.value) => Err(syntax(format!(
                "{} is a key word that names a column only after AS; write AS",
                label.value.to_uppercase()
            ))),
            _ => names::check(label),
        }
    }
}

/// Returns the refusal of a form that the parser knows and PostgreSQL does not, or that nobody has reviewed.
fn unknown(form: &str) -> Refusal {
    syntax(format!("{form} is not supported here; write it another way"))
}

/// Returns the names that an alias gives to columns.
fn column_names(alias: &TableAlias) -> Vec<&str> {
    alias.columns.iter().map(|column| column.name.value.as_str()).collect()
}
