//! FROM: tables, CTEs, derived tables, functions and their joins.

use std::rc::Rc;
use std::sync::Arc;

use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Join, JoinConstraint, JoinOperator, ObjectName, TableAlias, TableFactor,
    TableFunctionArgs, TableWithJoins,
};

use super::super::expression::{Column, Expression};
use super::super::functions::{self, Kind};
use super::super::query::{Block, Item, Outer, Query, Relation, Rows, Source};
use super::scope::{Field, Range, Scope};
use super::{Entry, Resolver, names};
use crate::warehouse::catalog::Table;

/// A part of FROM: its rows, and what may be named of it.
#[derive(Debug, Default)]
struct Part {
    rows: Rows,
    ranges: Vec<Rc<Range>>,
    merged: Vec<Field>,
}

/// Whether an outer join may fill a member of FROM with NULLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Optional {
    No,
    Yes,
    /// A FULL JOIN may, so that no condition on the member can be moved.
    Full,
}

/// Which rows without a partner a join keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Both,
    Left,
    Right,
    Neither,
}

impl<'q> Resolver<'q> {
    /// Returns the rows of FROM and the scope of the expressions over them.
    pub(super) fn from<'p>(&mut self, from: &'q [TableWithJoins], outer: Option<&'p Scope<'p>>) -> (Rows, Scope<'p>) {
        let mut whole = Part::default();
        for tables in from {
            let part = self.joined(tables, Optional::No, &whole, outer);
            whole.add(part);
        }
        (whole.rows, Scope { ranges: whole.ranges, merged: whole.merged, outer })
    }

    /// Returns a table with what is joined to it. `around` says whether a join around it may fill it with NULLs. `before` are the members of FROM that LATERAL may name.
    fn joined(
        &mut self,
        tables: &'q TableWithJoins,
        around: Optional,
        before: &Part,
        outer: Option<&Scope<'_>>,
    ) -> Part {
        let kept = tables.joins.iter().map(|join| kind(&join.join_operator)).collect::<Vec<_>>();
        let optional = |place: usize| {
            let is = |kind: &Option<(Kept, _)>, kept: Kept| matches!(kind, Some((known, _)) if *known == kept);
            let before = &kept[place.saturating_sub(1)..place];
            if before.iter().chain(&kept[place..]).any(|kind| is(kind, Kept::Both)) {
                return Optional::Full;
            }
            let is_filled = before.iter().any(|kind| is(kind, Kept::Left))
                || kept[place..].iter().any(|kind| is(kind, Kept::Right));
            if is_filled { around.max(Optional::Yes) } else { around }
        };
        let mut part = self.factor(&tables.relation, optional(0), &[before], outer);
        for (index, join) in tables.joins.iter().enumerate() {
            let right = self.factor(&join.relation, optional(index + 1), &[before, &part], outer);
            part = match kept[index] {
                Some((kind, constraint)) => self.join(part, right, kind, constraint, join, (before, outer)),
                None => Part::unknown("a join that is not traced"),
            };
        }
        part
    }

    fn join(
        &mut self,
        mut left: Part,
        mut right: Part,
        kept: Kept,
        constraint: &'q JoinConstraint,
        join: &'q Join,
        (before, outer): (&Part, Option<&Scope<'_>>),
    ) -> Part {
        let mut on = Vec::new();
        let mut merged = Vec::new();
        if join.global {
            return Part::unknown("a join that is not traced");
        }
        match constraint {
            JoinConstraint::None => {}
            JoinConstraint::On(condition) => {
                let scope = Scope::of(&[before, &left, &right], outer);
                on = self.expression(condition, &scope).conjuncts();
            }
            JoinConstraint::Using(columns) => {
                let columns = columns.iter().map(|name| match names::parts(name)?.as_slice() {
                    [name] => Some((*name).to_owned()),
                    _ => None,
                });
                let Some(columns) = columns.collect::<Option<Vec<_>>>() else {
                    return Part::unknown("a join that is not traced");
                };
                (on, merged) = using(&mut left, &mut right, &columns, kept);
            }
            JoinConstraint::Natural => {
                let columns = left.common(&right);
                (on, merged) = using(&mut left, &mut right, &columns, kept);
            }
            JoinConstraint::UsingAlias(..) => return Part::unknown("USING with an alias"),
        }
        merged.append(&mut left.merged);
        merged.append(&mut right.merged);
        let is_filtered = |rows: &Rows| rows.items.len() == 1 && !rows.conditions.is_empty();
        if kept == Kept::Both && (is_filtered(&left.rows) || is_filtered(&right.rows)) {
            return Part::unknown("a condition inside a FULL JOIN");
        }
        let ranges = left.ranges.into_iter().chain(right.ranges).collect();
        Part { rows: combined(left.rows, right.rows, kept, on), ranges, merged }
    }

    /// Returns one member of FROM. `optional` says whether an outer join may fill it with NULLs.
    fn factor(
        &mut self,
        factor: &'q TableFactor,
        optional: Optional,
        before: &[&Part],
        outer: Option<&Scope<'_>>,
    ) -> Part {
        let unknown = || Part::unknown("a member of FROM that is not traced");
        match factor {
            TableFactor::Table { name, alias, args: Some(TableFunctionArgs { args, settings: None }), .. } => {
                let ordinality = matches!(factor, TableFactor::Table { with_ordinality: true, .. });
                self.function(name, args, ordinality, alias.as_ref(), &Scope::of(before, outer))
            }
            TableFactor::Function { name, args, with_ordinality, alias, lateral: _ } => {
                self.function(name, args, *with_ordinality, alias.as_ref(), &Scope::of(before, outer))
            }
            TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_ordinality, .. } => {
                let scope = Scope::of(before, outer);
                let arguments = self.expressions(array_exprs, &scope);
                self.rows_of("unnest", arguments, *with_ordinality, alias.as_ref())
            }
            TableFactor::Table {
                name,
                alias,
                args: None,
                version: None,
                sample: None,
                json_path: None,
                inheritance: None,
                ..
            } => self.named(name, alias.as_ref(), optional),
            TableFactor::Derived { lateral, subquery, alias, sample: None } => {
                let scope = Scope::of(before, outer);
                let query = self.query(subquery, if *lateral { Some(&scope) } else { outer });
                self.derived(query, alias.as_ref(), optional)
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                let nothing = Part::default();
                self.joined(table_with_joins, optional, before.first().copied().unwrap_or(&nothing), outer)
            }
            _ => unknown(),
        }
    }

    /// Returns a CTE or a table.
    fn named(&mut self, name: &ObjectName, alias: Option<&TableAlias>, optional: Optional) -> Part {
        let Some(parts) = names::parts(name) else { return Part::unknown("a table without a name") };
        if let [only] = parts.as_slice()
            && let Some(place) = self.ctes.iter().rposition(|entry| entry.name() == *only)
        {
            return match self.ctes[place] {
                Entry::Recursive(name) => Part::unknown(&format!("{name} may refer to itself")),
                Entry::Cte(cte) => {
                    let later = self.ctes.split_off(place);
                    let query = self.query(&cte.query, None);
                    self.ctes.extend(later);
                    let mut part = self.derived(query, Some(&cte.alias), optional);
                    part.rename(alias);
                    part
                }
            };
        }
        let mut tables = self.catalog.tables.iter().filter(|table| match parts.as_slice() {
            [name] => table.name == *name && self.select.relations().contains(&key(table)),
            [schema, name] => table.schema == *schema && table.name == *name,
            _ => false,
        });
        let (Some(table), None) = (tables.next(), tables.next()) else {
            return Part::unknown("a relation that the catalog does not list");
        };
        let Some(id) = self.next_source() else { return Part::unknown("too many sources") };
        let relation = Relation::Table { schema: table.schema.clone(), name: table.name.clone() };
        let mut part = Part::source(Source { id, relation }, &table.name, table.columns.iter().map(|one| &one.name));
        part.rename(alias);
        part
    }

    fn function(
        &mut self,
        name: &ObjectName,
        arguments: &'q [FunctionArg],
        ordinality: bool,
        alias: Option<&TableAlias>,
        scope: &Scope<'_>,
    ) -> Part {
        let arguments = arguments.iter().map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        });
        let Some(name) = names::function(name).filter(|name| functions::kind(name) == Some(Kind::Rows)) else {
            return Part::unknown("a function of rows that is not traced");
        };
        let Some(arguments) = arguments.collect::<Option<Vec<&'q Expr>>>() else {
            return Part::unknown("an argument that is not traced");
        };
        let arguments = self.expressions(arguments, scope);
        self.rows_of(&name, arguments, ordinality, alias)
    }

    /// Returns a function that returns rows. Its column is called as the alias, or else as the function.
    fn rows_of(
        &mut self,
        function: &str,
        arguments: Vec<Expression>,
        ordinality: bool,
        alias: Option<&TableAlias>,
    ) -> Part {
        if function == "unnest" && arguments.len() != 1 {
            return Part::unknown("several arrays in one unnest");
        }
        let Some(id) = self.next_source() else { return Part::unknown("too many sources") };
        let name = alias.map_or(function, |alias| alias.name.value.as_str()).to_owned();
        // PostgreSQL names the one column of these by an argument, not by the alias.
        let column = match function {
            "json_array_elements"
            | "json_array_elements_text"
            | "jsonb_array_elements"
            | "jsonb_array_elements_text" => "value".to_owned(),
            _ => name.clone(),
        };
        let mut names = vec![column];
        names.extend(ordinality.then(|| "ordinality".to_owned()));
        let relation =
            Relation::Function { function: function.to_owned(), arguments, ordinality, names: names.clone() };
        let mut part = Part::source(Source { id, relation }, &name, &names);
        part.rename(alias);
        part
    }

    /// Returns a query that is read as a table. Where it is no more than rows of its sources, these take its place.
    fn derived(&mut self, query: Query, alias: Option<&TableAlias>, optional: Optional) -> Part {
        let mut part = match query {
            Query::Unknown(reason) => Part::unknown(&reason),
            Query::Block(block) if block.is_plain() && is_movable(&block, optional) => Part::merged(*block),
            query => match self.next_source() {
                Some(id) => {
                    let names = query.names();
                    let relation = Relation::Query { query, names: names.clone() };
                    Part::source(Source { id, relation }, "", &names)
                }
                None => Part::unknown("too many sources"),
            },
        };
        part.rename(alias);
        part
    }
}

impl Part {
    fn unknown(reason: &str) -> Self {
        let relation = Relation::Query { query: Query::Unknown(reason.to_owned()), names: Vec::new() };
        Self::source(Source { id: 0, relation }, "", std::iter::empty::<&String>())
    }

    fn source<'n>(source: Source, name: &str, columns: impl IntoIterator<Item = &'n String>) -> Self {
        let field = |(index, name): (usize, &String)| {
            let column = Column { source: source.id, index, name: name.clone() };
            Field { name: name.clone(), value: Expression::Column(column), is_merged: false }
        };
        let fields = columns.into_iter().enumerate().map(field).collect();
        let rows = Rows { items: vec![Item::Source(source)], conditions: Vec::new() };
        Self { rows, ranges: vec![Rc::new(Range { name: name.to_owned(), fields })], merged: Vec::new() }
    }

    /// Returns the sources of a plain block in its place.
    fn merged(block: Block) -> Self {
        let field = |output: super::Output| Field { name: output.name, value: output.value, is_merged: false };
        let fields = block.outputs.into_iter().map(field).collect();
        let ranges = vec![Rc::new(Range { name: String::new(), fields })];
        Self { rows: Arc::unwrap_or_clone(block.rows), ranges, merged: Vec::new() }
    }

    /// Gives the one range its alias, and its columns theirs.
    fn rename(&mut self, alias: Option<&TableAlias>) {
        let (Some(alias), [range]) = (alias, self.ranges.as_mut_slice()) else { return };
        let range = Rc::make_mut(range);
        range.name.clone_from(&alias.name.value);
        for (field, column) in range.fields.iter_mut().zip(&alias.columns) {
            field.name.clone_from(&column.name.value);
        }
    }

    fn add(&mut self, other: Self) {
        self.rows.items.extend(other.rows.items);
        self.rows.conditions.extend(other.rows.conditions);
        self.ranges.extend(other.ranges);
        self.merged.extend(other.merged);
    }

    /// Returns the names that both sides have, in the order of this one.
    fn common(&self, other: &Self) -> Vec<String> {
        let theirs = other.scope().all().map(|field| field.name.clone()).collect::<Vec<_>>();
        self.scope().all().map(|field| field.name.clone()).filter(|name| theirs.contains(name)).collect()
    }

    fn scope(&self) -> Scope<'static> {
        Scope { ranges: self.ranges.clone(), merged: self.merged.clone(), outer: None }
    }

    /// Takes a column out of what can be named without a range, and returns it.
    fn take(&mut self, name: &str) -> Option<Expression> {
        let value = self.scope().own_name(name)?;
        self.merged.retain(|field| field.name != name);
        let fields = self.ranges.iter_mut().flat_map(|range| &mut Rc::make_mut(range).fields);
        fields.filter(|field| field.name == name).for_each(|field| field.is_merged = true);
        Some(value)
    }
}

impl<'p> Scope<'p> {
    /// Returns the scope in which the parts of FROM can be named.
    fn of(parts: &[&Part], outer: Option<&'p Scope<'p>>) -> Self {
        let ranges = parts.iter().flat_map(|part| part.ranges.clone()).collect();
        let merged = parts.iter().flat_map(|part| part.merged.clone()).collect();
        Scope { ranges, merged, outer }
    }
}

/// Returns the conditions of USING, and the columns that it makes.
fn using(left: &mut Part, right: &mut Part, columns: &[String], kept: Kept) -> (Vec<Expression>, Vec<Field>) {
    let mut on = Vec::new();
    let mut merged = Vec::new();
    for name in columns {
        let sides = [left.take(name), right.take(name)]
            .map(|side| side.unwrap_or_else(|| Expression::Unknown(format!("USING ({name})"))));
        let [ours, theirs] = sides;
        on.push(Expression::infix(ours.clone(), "=", theirs.clone()));
        let value = match kept {
            Kept::Neither | Kept::Left => ours,
            Kept::Right => theirs,
            Kept::Both => super::expression::call("coalesce", vec![ours, theirs]),
        };
        merged.push(Field { name: name.clone(), value, is_merged: false });
    }
    (on, merged)
}

/// Returns the rows of a join.
fn combined(left: Rows, right: Rows, kept: Kept, on: Vec<Expression>) -> Rows {
    let (mut left, right, full) = match kept {
        Kept::Neither => {
            let mut rows = left;
            rows.items.extend(right.items);
            rows.conditions.extend(right.conditions);
            rows.conditions.extend(on);
            return rows;
        }
        Kept::Left => (left, right, false),
        Kept::Right => (right, left, false),
        Kept::Both => (left, right, true),
    };
    // A condition on the side whose rows are all kept holds for the joined rows too.
    let conditions = if full { Vec::new() } else { std::mem::take(&mut left.conditions) };
    Rows { items: vec![Item::Outer(Box::new(Outer { full, left, right, on }))], conditions }
}

/// Returns whether the sources of a plain block can take its place. Where an outer join fills them with NULLs, its
/// outputs must be filled too: they are columns.
fn is_movable(block: &Block, optional: Optional) -> bool {
    if optional == Optional::No {
        return true;
    }
    let own = |column: &Column| block.rows.source_of(column).is_some();
    block.outputs.iter().all(|output| matches!(&output.value, Expression::Column(column) if own(column)))
        && block.rows.items.len() == 1
        && (optional == Optional::Yes || block.rows.conditions.is_empty())
}

/// Returns which rows without a partner a join keeps, and on what it joins; `None` for a join that PostgreSQL does not
/// have.
fn kind(operator: &JoinOperator) -> Option<(Kept, &JoinConstraint)> {
    Some(match operator {
        JoinOperator::Join(on) | JoinOperator::Inner(on) | JoinOperator::CrossJoin(on) => (Kept::Neither, on),
        JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (Kept::Left, on),
        JoinOperator::Right(on) | JoinOperator::RightOuter(on) => (Kept::Right, on),
        JoinOperator::FullOuter(on) => (Kept::Both, on),
        _ => return None,
    })
}

fn key(table: &Table) -> (String, String) {
    (table.schema.clone(), table.name.clone())
}
