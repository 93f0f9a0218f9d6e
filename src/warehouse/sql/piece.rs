//! A piece of SQL that is no statement: a condition or an aggregate over the columns of a table, with the names in it.
//!
//! Reading says only what the piece looks like, so that its names can be changed. What it may call and read is decided by
//! [`super::validate`], when a statement is made with it.

use std::ops::{ControlFlow, Range};

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Query, SelectItem, SetExpr, Visit, Visitor,
};

use super::lexer::{self, Token};
use super::refusal::{Refusal, syntax};
use super::{check_size, functions, parse, statement};

/// What a piece is put into to be parsed. Its brackets are balanced, so that it cannot leave them.
const BEFORE: &str = "SELECT (\n";
const AFTER: &str = "\n)";

/// An expression that stands alone, as it was written.
#[derive(Debug)]
pub(crate) struct Piece<'text> {
    text: &'text str,
    names: Vec<Name>,
    aggregates: Vec<Aggregate>,
    is_name: bool,
}

/// A column in a piece, with what qualifies it, by PostgreSQL's rules of case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) parts: Vec<String>,
    range: Range<usize>,
}

/// Where a call of an aggregate stands, and the condition of its FILTER.
#[derive(Debug)]
struct Aggregate {
    range: Range<usize>,
    filter: Option<Range<usize>>,
}

/// Reads a text as one expression without a subquery or a window.
pub(crate) fn read(text: &str) -> Result<Piece<'_>, Refusal> {
    check_size(text)?;
    let own = lexer::tokens(text)?;
    let (Some(first), Some(last)) = (own.first(), own.last()) else {
        return Err(syntax("there is no expression"));
    };
    check_brackets(&own)?;
    let text = &text[first.start..last.end];
    let whole = format!("{BEFORE}{text}{AFTER}");
    let tokens = lexer::tokens(&whole)?;
    statement::check(statement::only(&tokens)?)?;
    let stack_bytes = statement::stack_bytes(&tokens)?;
    let (found, is_name) = stacker::maybe_grow(stack_bytes * 4, stack_bytes * 8, || {
        let query = parse::query(&tokens)?;
        let mut found = Found::default();
        let _ = query.visit(&mut found);
        let only = only(&query).ok_or_else(|| syntax("it is no single expression"))?;
        Ok::<_, Refusal>((found, matches!(only, Expr::Identifier(_))))
    })?;
    if found.queries > 1 || found.is_strange {
        return Err(syntax("a subquery, a window or a row of a table is no expression over columns"));
    }
    let names = found.names.iter().filter_map(|name| name.placed(&tokens)).collect();
    let aggregates = found.calls.iter().filter_map(|call| aggregate(&tokens, *call)).collect();
    Ok(Piece { text, names, aggregates, is_name })
}

impl Piece<'_> {
    /// Returns the text without comments and white space around it.
    pub(crate) fn text(&self) -> &str {
        self.text
    }

    /// Returns the columns that are named, in the order of the text or nearly so.
    pub(crate) fn names(&self) -> &[Name] {
        &self.names
    }

    /// Returns the column that is all of the piece.
    pub(crate) fn column(&self) -> Option<&str> {
        self.names.first().filter(|_| self.is_name)?.parts.first().map(String::as_str)
    }

    /// Returns whether it calls an aggregate.
    pub(crate) fn has_aggregate(&self) -> bool {
        !self.aggregates.is_empty()
    }

    /// Returns whether it makes one value of many rows: it calls aggregates, and all its columns are inside of them.
    pub(crate) fn is_aggregate(&self) -> bool {
        let is_inside = |name: &Name| self.aggregates.iter().any(|call| call.range.contains(&name.range.start));
        self.has_aggregate() && self.names.iter().all(is_inside)
    }

    /// Returns whether it is the call of an aggregate and nothing else.
    pub(crate) fn is_call(&self) -> bool {
        self.aggregates.iter().any(|call| call.range == (0..self.text.len()))
    }

    /// Returns the text with other texts in place of names. A name for which there is `None` stays.
    pub(crate) fn renamed(&self, instead: impl Fn(&Name) -> Option<String>) -> String {
        let edits = self.names.iter().filter_map(|name| Some((name.range.clone(), instead(name)?)));
        self.edited(edits.collect())
    }

    /// Returns the text with each aggregate over only the rows that meet a condition.
    pub(crate) fn filtered(&self, condition: &str) -> String {
        let mut edits = Vec::new();
        for call in &self.aggregates {
            match &call.filter {
                Some(filter) => {
                    edits.push((filter.start..filter.start, format!("({condition}) AND (")));
                    edits.push((filter.end..filter.end, ")".to_owned()));
                }
                None => edits.push((call.range.end..call.range.end, format!(" FILTER (WHERE {condition})"))),
            }
        }
        self.edited(edits)
    }

    fn edited(&self, edits: Vec<(Range<usize>, String)>) -> String {
        edited(self.text, edits)
    }
}

/// Returns a text with other texts in some of its places. Of two that overlap the first stands.
pub(super) fn edited(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut told = String::with_capacity(text.len());
    let mut done = 0;
    for (range, instead) in edits.iter().filter(|(range, _)| range.end <= text.len()) {
        if range.start >= done {
            told.push_str(&text[done..range.start]);
            told.push_str(instead);
            done = range.end;
        }
    }
    told + &text[done..]
}

/// Refuses brackets that close what was not opened, or that stay open.
fn check_brackets(tokens: &[Token<'_>]) -> Result<(), Refusal> {
    let mut open = Vec::new();
    for token in tokens {
        let closes = match () {
            () if token.is_symbol("(") => {
                open.push(")");
                continue;
            }
            () if token.is_symbol("[") => {
                open.push("]");
                continue;
            }
            () if token.is_symbol(")") => ")",
            () if token.is_symbol("]") => "]",
            () => continue,
        };
        if open.pop() != Some(closes) {
            return Err(syntax(format!("{closes} closes nothing")).at(token.start));
        }
    }
    if open.is_empty() { Ok(()) } else { Err(syntax("a bracket stays open")) }
}

/// Returns the one expression between the brackets around a piece.
fn only(query: &Query) -> Option<&Expr> {
    let SetExpr::Select(select) = &*query.body else { return None };
    match select.projection.as_slice() {
        [SelectItem::UnnamedExpr(Expr::Nested(only))] => Some(only),
        _ => None,
    }
}

/// What the tree of a piece has, by the indexes of tokens.
#[derive(Debug, Default)]
struct Found {
    names: Vec<FoundName>,
    calls: Vec<usize>,
    queries: usize,
    is_strange: bool,
}

#[derive(Debug)]
struct FoundName {
    parts: Vec<String>,
    first: usize,
    last: usize,
}

impl FoundName {
    fn placed(&self, tokens: &[Token<'_>]) -> Option<Name> {
        let (first, last) = (tokens.get(self.first)?, tokens.get(self.last)?);
        Some(Name { parts: self.parts.clone(), range: within(first.start)..within(last.end) })
    }
}

/// Returns an offset in the piece, given one in the statement around it.
fn within(offset: usize) -> usize {
    offset.saturating_sub(BEFORE.len())
}

impl Found {
    fn name(&mut self, parts: &[Ident]) {
        let place = |part: Option<&Ident>| parse::index_of(part?.span);
        match (place(parts.first()), place(parts.last())) {
            (Some(first), Some(last)) => {
                let parts = parts.iter().map(|part| part.value.clone()).collect();
                self.names.push(FoundName { parts, first, last });
            }
            _ => self.is_strange = true,
        }
    }

    fn call(&mut self, function: &Function) {
        self.is_strange |= function.over.is_some() || has_rows(&function.args);
        let parts = function.name.0.iter().filter_map(|part| part.as_ident());
        let parts = parts.collect::<Vec<_>>();
        if let (Some(first), Some(last)) = (parts.first(), parts.last())
            && functions::is_aggregate(&last.value)
            && let Some(index) = parse::index_of(first.span)
        {
            self.calls.push(index);
        }
    }
}

/// Returns whether a call takes whole rows of a table: `count(orders.*)`.
fn has_rows(arguments: &FunctionArguments) -> bool {
    let FunctionArguments::List(list) = arguments else { return false };
    let is_rows =
        |argument: &FunctionArg| matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(_)));
    list.args.iter().any(is_rows)
}

impl Visitor for Found {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        match expression {
            Expr::Identifier(name) => self.name(std::slice::from_ref(name)),
            Expr::CompoundIdentifier(parts) => self.name(parts),
            Expr::Function(function) => self.call(function),
            Expr::CompoundFieldAccess { .. } | Expr::QualifiedWildcard(..) => self.is_strange = true,
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Returns the place of the call that begins at a token, up to the end of its FILTER.
fn aggregate(tokens: &[Token<'_>], start: usize) -> Option<Aggregate> {
    let opens = (start..tokens.len()).find(|index| tokens[*index].is_symbol("("))?;
    let mut last = closing(tokens, opens)?;
    let mut filter = None;
    let is_word = |index: usize, word: &str| tokens.get(index).is_some_and(|token| token.is_word(word));
    if is_word(last + 1, "within") && is_word(last + 2, "group") {
        last = closing(tokens, last + 3)?;
    }
    if is_word(last + 1, "filter") {
        let (opens, closes) = (last + 2, closing(tokens, last + 2)?);
        filter = Some(within(tokens.get(opens + 2)?.start)..within(tokens[closes].start));
        last = closes;
    }
    Some(Aggregate { range: within(tokens[start].start)..within(tokens[last].end), filter })
}

/// Returns the index of the bracket that closes the one at an index.
pub(super) fn closing(tokens: &[Token<'_>], opens: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(opens) {
        if token.is_symbol("(") {
            depth += 1;
        } else if token.is_symbol(")") {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(index);
            }
        } else if depth == 0 {
            return None;
        }
    }
    None
}
