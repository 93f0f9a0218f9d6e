//! Resolves names: CTEs, and the tables and aliases of FROM.
//!
//! In PostgreSQL `x.name` is a column, or else a call of the function `name` with the row `x`, or a cast of that row to
//! the type `name`: `SELECT x.pg_read_file FROM unnest(ARRAY['/etc/passwd']) x` reads a file. So the name after a dot
//! must be known to be a column.

use std::collections::BTreeSet;
use std::sync::Arc;

use sqlparser::ast::Ident;

use crate::typeset::spelling::nearest;
use crate::warehouse::sql::fields::{Field, Fields};
use crate::warehouse::sql::refusal::{Refusal, column, seen};
use crate::warehouse::sql::{Policy, functions, names};

/// The system columns, which every table has.
const OF_SYSTEM: &[&str] = &["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"];

/// A table or alias of FROM, with its columns.
#[derive(Debug)]
pub(super) struct Range<'query> {
    pub(super) name: &'query str,
    pub(super) fields: Arc<Fields>,
    /// Names that its unknown columns may have. Such a name counts as a column unless the database's users created
    /// something that it could call.
    pub(super) likely: Vec<String>,
    /// Whether it is a table, which has the system columns too.
    pub(super) is_table: bool,
}

impl Range<'_> {
    fn has(&self, name: &str, policy: &Policy) -> bool {
        self.fields.get(name).is_some()
            || (self.is_table && OF_SYSTEM.contains(&name))
            || (self.likely.iter().any(|likely| likely == name) && !policy.callable.contains(name))
    }
}

/// The columns of a CTE, if they are known yet.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// The CTE's own query was not walked yet.
    Unknown,
    Known(Arc<Fields>),
}

/// What a name without a dot refers to.
#[derive(Debug)]
pub(super) enum Meaning<'scope> {
    Field(&'scope Field),
    /// The row of a table or alias.
    Row(&'scope Arc<Fields>),
    /// An output column, an unknown column, or nothing.
    Unknown,
}

/// The names in scope at a point of the walk, innermost last.
#[derive(Debug, Default)]
pub(super) struct Scope<'query> {
    ctes: Vec<(&'query str, Known)>,
    ranges: Vec<Range<'query>>,
    /// The index at which the ranges of the innermost FROM begin.
    from: usize,
}

/// A point of the scope to return to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    ctes: usize,
    ranges: usize,
    from: usize,
}

/// The ranges of the innermost FROM walked so far, put aside.
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

    /// Hides the innermost FROM. A subquery in it cannot see it unless the subquery is LATERAL.
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

    /// Returns the columns of the CTE of that name; `None` if there is no such CTE.
    pub(super) fn cte(&self, name: &str) -> Option<&Known> {
        self.ctes.iter().rev().find(|(known, _)| *known == name).map(|(_, fields)| fields)
    }

    /// Sets the columns of a CTE that was added before they were known.
    pub(super) fn set_cte(&mut self, name: &str, fields: Fields) {
        if let Some((_, known)) = self.ctes.iter_mut().rev().find(|(known, _)| *known == name) {
            *known = Known::Known(fields.into());
        }
    }

    pub(super) fn add_range(&mut self, range: Range<'query>) {
        self.ranges.push(range);
    }

    /// Returns whether a table or alias of the innermost FROM has that name.
    pub(super) fn has_own_range(&self, name: &str) -> bool {
        self.own().iter().any(|range| range.name == name)
    }

    /// Returns whether the innermost FROM has a column of that name.
    pub(super) fn has_own_column(&self, name: &str) -> bool {
        self.own().iter().any(|range| range.fields.get(name).is_some())
    }

    fn own(&self) -> &[Range<'query>] {
        &self.ranges[self.from.min(self.ranges.len())..]
    }

    /// Returns whether any table or alias in scope has that name.
    pub(super) fn has_range(&self, name: &str) -> bool {
        self.range(name).is_some()
    }

    /// Returns the columns of the table or alias of that name. If there are several, one with a column that may not be
    /// shown is preferred.
    pub(super) fn range(&self, name: &str) -> Option<&Arc<Fields>> {
        let mut alike = self.ranges.iter().rev().filter(|range| range.name == name).map(|range| &range.fields);
        let first = alike.next();
        alike.find(|fields| fields.secret().is_some()).or(first)
    }

    /// Returns what a name without a dot refers to: a column of the innermost FROM, a column of an outer FROM, or a
    /// row. If there are several columns of that name, one that may not be shown is preferred.
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

    /// Returns the column `range.name`, whichever table of that name PostgreSQL takes: within a join's condition it may
    /// look past the innermost one. Returns `None` for a name that is a column of which nothing more is known.
    pub(super) fn column(&self, range: &Ident, name: &Ident, policy: &Policy) -> Result<Option<&Field>, Refusal> {
        let (range, name) = (range.value.as_str(), name.value.as_str());
        let mut alike = self.ranges.iter().rev().filter(|known| known.name == range).peekable();
        if alike.peek().is_none() {
            return Err(column(format!("{} is not a table or alias in this FROM", seen(range))));
        }
        let meanings = alike.clone().count();
        match alike.clone().find(|known| !known.has(name, policy)) {
            Some(_) if meanings > 1 => Err(column(format!(
                "{} names {meanings} tables here, and not all have {}; give each its own alias",
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

/// Returns the refusal of `row.name`, which is not a column. It says what the name would call, or what to write
/// instead.
pub(super) fn missing(row: &str, fields: &Fields, name: &str, policy: &Policy) -> Refusal {
    let (row, shown) = (seen(row), seen(name));
    if policy.made.contains_key(name) {
        return column(format!(
            "{row}.{shown} is not a column and would call {shown}, a function of this database; write a column of {row}"
        ));
    }
    if policy.callable.contains(name) {
        return column(format!(
            "{row}.{shown} is not a column and would cast to {shown}, a type of this database; write a column of {row}"
        ));
    }
    if functions::is_harmless(name) {
        return column(format!(
            "{row}.{shown} is not a column and would call {shown}; write {shown}({row}) if that is intended"
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

/// Lists some of the known columns for a message.
fn listed(known: &BTreeSet<&str>) -> String {
    const NAMES_MAX: usize = 12;
    let shown = known.iter().take(NAMES_MAX).map(|name| names::quoted(name)).collect::<Vec<_>>().join(", ");
    match known.len().saturating_sub(NAMES_MAX) {
        0 if shown.is_empty() => "it has none".to_owned(),
        0 => format!("it has {shown}"),
        more => format!("it has {shown} and {more} more"),
    }
}
