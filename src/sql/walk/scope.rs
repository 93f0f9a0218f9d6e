//! What names stand for where: CTEs, and the tables and aliases of FROM.
//!
//! In PostgreSQL `x.name` is a column, or else the function `name` called with the row `x`, and `(value).name` likewise:
//! `SELECT x.pg_read_file FROM unnest(ARRAY['/etc/passwd']) x` reads a file. So the name after a dot must be known to be
//! a column, or a harmless function.

use std::collections::BTreeSet;

use sqlparser::ast::{Ident, TableAlias};

use crate::sql::functions;
use crate::sql::refusal::{Refusal, column, seen};

/// Columns that PostgreSQL gives to the functions that return rows.
const OF_FUNCTIONS: &[&str] = &["key", "lexeme", "ordinality", "positions", "value", "weights"];

/// Columns that every table has.
const OF_SYSTEM: &[&str] = &["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"];

/// Functions whose rows are bare values, in one column that takes the alias's name where it has none listed.
const OF_ONE_COLUMN: &[&str] = &[
    "generate_series",
    "generate_subscripts",
    "json_object_keys",
    "jsonb_object_keys",
    "jsonb_path_query",
    "regexp_matches",
    "regexp_split_to_table",
    "string_to_table",
    "unnest",
];

/// What a name of FROM stands for, as far as the names after its dot are concerned.
#[derive(Debug, Clone, Copy)]
pub(super) enum Columns<'query> {
    /// One of the policy's relations, which has these. A function may take its row, so no other name will do.
    Relation(&'query BTreeSet<String>),
    /// The function of that name, whose rows may be bare values of any type. Any function of one argument may take
    /// those, so a name that is no column for sure will not do: not the alias's own where it lists other columns.
    Function(&'query str),
    /// A subquery, CTE, JSON_TABLE or system catalogue: a record, which no function of PostgreSQL's own takes but
    /// harmless ones.
    Record,
}

/// A table or alias of FROM.
#[derive(Debug)]
struct Range<'query> {
    name: &'query str,
    columns: Columns<'query>,
    alias: Option<&'query TableAlias>,
}

impl Range<'_> {
    fn has(&self, name: &str) -> bool {
        let listed = self.alias.map_or(&[][..], |alias| &alias.columns);
        if listed.iter().any(|column| column.name.value == name) {
            return true;
        }
        match self.columns {
            Columns::Relation(columns) => columns.contains(name) || OF_SYSTEM.contains(&name),
            Columns::Function(function) => {
                let bare = listed.is_empty() && OF_ONE_COLUMN.contains(&function);
                (bare && name == self.name) || OF_FUNCTIONS.contains(&name)
            }
            Columns::Record => true,
        }
    }
}

/// What is in scope at a point of the walk, innermost last.
#[derive(Debug, Default)]
pub(super) struct Scope<'query> {
    ctes: Vec<&'query str>,
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

    pub(super) fn add_cte(&mut self, name: &'query str) {
        self.ctes.push(name);
    }

    pub(super) fn has_cte(&self, name: &str) -> bool {
        self.ctes.contains(&name)
    }

    pub(super) fn add_range(&mut self, name: &'query str, columns: Columns<'query>, alias: Option<&'query TableAlias>) {
        self.ranges.push(Range { name, columns, alias });
    }

    /// Whether the name stands for a table or alias of FROM.
    pub(super) fn has_range(&self, name: &str) -> bool {
        self.ranges.iter().any(|range| range.name == name)
    }

    /// Refuses `range.name` unless it is known to be a column, whichever table of that name PostgreSQL takes: within
    /// a join's condition it may look past the innermost one.
    pub(super) fn check_column(&self, range: &Ident, name: &Ident) -> Result<(), Refusal> {
        if functions::is_harmless(&name.value) && self.has_range(&range.value) {
            return Ok(());
        }
        let mut alike = self.ranges.iter().filter(|known| known.name == range.value).peekable();
        if alike.peek().is_none() {
            return Err(column(format!("{} is no table or alias of this FROM", seen(&range.value))));
        }
        let meanings = alike.clone().count();
        match alike.find(|known| !known.has(&name.value)) {
            None => Ok(()),
            Some(_) if meanings > 1 => Err(column(format!(
                "{} stands for {meanings} tables here, and not all have {}; give each its own alias",
                seen(&range.value),
                seen(&name.value)
            ))),
            Some(known) => Err(missing(known, &name.value)),
        }
    }
}

/// Refuses `(value).name` unless it is the column of a function's rows, or a harmless function.
pub(super) fn check_field(name: &Ident) -> Result<(), Refusal> {
    if OF_FUNCTIONS.contains(&name.value.as_str()) || functions::is_harmless(&name.value) {
        return Ok(());
    }
    Err(column(format!(
        "(value).{} cannot be told from a call; put the function in FROM with an alias that lists its columns",
        seen(&name.value)
    )))
}

fn missing(range: &Range<'_>, name: &str) -> Refusal {
    let (table, name) = (seen(range.name), seen(name));
    match range.columns {
        Columns::Relation(columns) => {
            let alike = columns.iter().map(|known| (strsim::jaro_winkler(known, &name), known));
            match alike.max_by(|left, right| left.0.total_cmp(&right.0)) {
                Some((likeness, known)) if likeness > 0.75 => {
                    column(format!("{table} has no column {name}; did you mean {}", seen(known)))
                }
                _ => column(format!("{table} has no column {name}; use describe_table")),
            }
        }
        Columns::Function(_) | Columns::Record => {
            column(format!("{table} is not known to have {name}; list its columns: {table}({name}, ...)"))
        }
    }
}
