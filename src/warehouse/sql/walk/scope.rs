//! What names stand for where: CTEs, and the tables and aliases of FROM.
//!
//! In PostgreSQL `x.name` is a column, or else the function `name` called with the row `x`, or a cast of that row to the type
//! `name`: `SELECT x.pg_read_file FROM unnest(ARRAY['/etc/passwd']) x` reads a file. So the name after a dot must be known to
//! be a column.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlparser::ast::Ident;

use crate::typeset::spelling::nearest;
use crate::warehouse::sql::fields::{Field, Fields};
use crate::warehouse::sql::refusal::{Refusal, column, seen};
use crate::warehouse::sql::{Policy, functions, names};

/// Columns that every table has.
const OF_SYSTEM: &[&str] = &["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"];

/// A table or alias of FROM.
#[derive(Debug)]
pub(super) struct Range<'query> {
    pub(super) name: &'query str,
    pub(super) fields: Arc<Fields>,
    /// Names that columns have for all that is known. They are taken for columns where nobody made what they could call.
    pub(super) likely: Vec<String>,
    /// Whether it is a table, with the system's columns.
    pub(super) is_table: bool,
}

impl Range<'_> {
    fn has(&self, name: &str, policy: &Policy) -> bool {
        self.fields.get(name).is_some()
            || (self.is_table && OF_SYSTEM.contains(&name))
            || (self.likely.iter().any(|likely| likely == name) && !policy.callable.contains(name))
    }
}

/// The columns of a CTE.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// Its own query was not walked yet.
    Unknown,
    /// They are these.
    Known(Arc<Fields>),
}

/// What a name without a dot stands for.
#[derive(Debug)]
pub(super) enum Meaning<'scope> {
    /// A column.
    Field(&'scope Field),
    /// The row of a table or alias.
    Row(&'scope Arc<Fields>),
    /// An output column, a column that is not known, or nothing.
    Unknown,
}

/// What is in scope at a point of the walk, innermost last.
#[derive(Debug, Default)]
pub(super) struct Scope<'query> {
    ctes: Vec<(&'query str, Known)>,
    ranges: Vec<Range<'query>>,
    /// Where the ranges of the innermost FROM begin.
    from: usize,
}

/// A point of the scope to return to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    ctes: usize,
    ranges: usize,
    from: usize,
}

/// The innermost FROM, as far as it was walked, put aside.
#[derive(Debug)]
pub(super) struct Aside<'query> {
    ranges: Vec<Range<'query>>,
    from: usize,
}

impl<'query> Scope<'query> {
    pub(super) fn mark(&self) -> Mark {
        Mark { ctes: self.ctes.len(), ranges: self.ranges.len(), from: self.from }
    }

    pub(super) fn leave(&mut self, mark: Mark) {
        self.ctes.truncate(mark.ctes);
        self.ranges.truncate(mark.ranges);
        self.from = mark.from;
    }

    pub(super) fn enter_from(&mut self) {
        self.from = self.ranges.len();
    }

    /// Hides the innermost FROM, which a subquery beside it cannot see unless it is LATERAL.
    pub(super) fn hide_from(&mut self) -> Aside<'query> {
        Aside { ranges: self.ranges.split_off(self.from), from: self.from }
    }

    pub(super) fn show_from(&mut self, aside: Aside<'query>) {
        self.from = aside.from;
        self.ranges.extend(aside.ranges);
    }

    pub(super) fn add_cte(&mut self, name: &'query str, fields: Known) {
        self.ctes.push((name, fields));
    }

    /// The columns of the CTE of that name, if there is one.
    pub(super) fn cte(&self, name: &str) -> Option<&Known> {
        self.ctes.iter().rev().find(|(known, _)| *known == name).map(|(_, fields)| fields)
    }

    /// Tells the columns of a CTE that was added before they were known.
    pub(super) fn set_cte(&mut self, name: &str, fields: Fields) {
        if let Some((_, known)) = self.ctes.iter_mut().rev().find(|(known, _)| *known == name) {
            *known = Known::Known(fields.into());
        }
    }

    pub(super) fn add_range(&mut self, range: Range<'query>) {
        self.ranges.push(range);
    }

    /// Whether a table or alias of the innermost FROM has that name.
    pub(super) fn has_own_range(&self, name: &str) -> bool {
        self.own().iter().any(|range| range.name == name)
    }

    /// Whether the innermost FROM has a column of that name.
    pub(super) fn has_own_column(&self, name: &str) -> bool {
        self.own().iter().any(|range| range.fields.get(name).is_some())
    }

    fn own(&self) -> &[Range<'query>] {
        &self.ranges[self.from.min(self.ranges.len())..]
    }

    /// Whether the name stands for a table or alias of FROM.
    pub(super) fn has_range(&self, name: &str) -> bool {
        self.range(name).is_some()
    }

    /// The columns of the table or alias of that name; of several, of one with a column that may not be shown.
    pub(super) fn range(&self, name: &str) -> Option<&Arc<Fields>> {
        let mut alike = self.ranges.iter().rev().filter(|range| range.name == name).map(|range| &range.fields);
        let first = alike.next();
        alike.find(|fields| fields.secret().is_some()).or(first)
    }

    /// What a name without a dot stands for: a column of the innermost FROM that has one, or a row. Of several columns
    /// the one that may not be shown.
    pub(super) fn meaning(&self, name: &str) -> Meaning<'_> {
        let (outer, inner) = self.ranges.split_at(self.from.min(self.ranges.len()));
        for ranges in [inner, outer] {
            let mut fields = ranges.iter().rev().filter_map(|range| range.fields.get(name));
            if let Some(first) = fields.next() {
                return Meaning::Field(fields.find(|field| field.secret.is_some()).unwrap_or(first));
            }
        }
        self.range(name).map_or(Meaning::Unknown, Meaning::Row)
    }

    /// The column `range.name`, whichever table of that name PostgreSQL takes: within a join's condition it may look
    /// past the innermost one. `None` is one of which no more is known than that it is a column.
    pub(super) fn column(&self, range: &Ident, name: &Ident, policy: &Policy) -> Result<Option<&Field>, Refusal> {
        let (range, name) = (range.value.as_str(), name.value.as_str());
        let mut alike = self.ranges.iter().rev().filter(|known| known.name == range).peekable();
        if alike.peek().is_none() {
            return Err(column(format!("{} is no table or alias of this FROM", seen(range))));
        }
        let meanings = alike.clone().count();
        match alike.clone().find(|known| !known.has(name, policy)) {
            Some(_) if meanings > 1 => Err(column(format!(
                "{} stands for {meanings} tables here, and not all have {}; give each its own alias",
                seen(range),
                seen(name)
            ))),
            Some(known) => Err(missing(range, &known.fields, name, policy)),
            None => {
                let mut fields = alike.filter_map(|known| known.fields.get(name));
                let first = fields.next();
                Ok(fields.find(|field| field.secret.is_some()).or(first))
            }
        }
    }
}

/// The refusal of `row.name`, which is no column: what it would call, or what to write instead.
pub(super) fn missing(row: &str, fields: &Fields, name: &str, policy: &Policy) -> Refusal {
    let (row, shown) = (seen(row), seen(name));
    if policy.made.contains_key(name) {
        return column(format!(
            "{row}.{shown} is no column and would call {shown}, a function of this database; write a column of {row}"
        ));
    }
    if policy.callable.contains(name) {
        return column(format!(
            "{row}.{shown} is no column and would cast to {shown}, a type of this database; write a column of {row}"
        ));
    }
    if functions::is_harmless(name) {
        return column(format!(
            "{row}.{shown} is no column and would call {shown}; write {shown}({row}) if that is meant"
        ));
    }
    let known = fields.list.iter().map(|field| field.name.as_str()).collect::<BTreeSet<_>>();
    match nearest(name, &known) {
        Some(known) => column(format!("{row} has no column {shown}; did you mean {}", names::quoted(known))),
        None if fields.open => {
            column(format!("{row} is not known to have {shown}; list its columns: {row}({shown}, ...)"))
        }
        None => column(format!("{row} has no column {shown}; {}", listed(&known))),
    }
}

/// Some of the columns that there are.
fn listed(known: &BTreeSet<&str>) -> String {
    const NAMES_MAX: usize = 12;
    let shown = known.iter().take(NAMES_MAX).map(|name| names::quoted(name)).collect::<Vec<_>>().join(", ");
    match known.len().saturating_sub(NAMES_MAX) {
        0 if shown.is_empty() => "it has none".to_owned(),
        0 => format!("it has {shown}"),
        more => format!("it has {shown} and {more} more"),
    }
}
