//! Bounds queries: what their columns are, and how many rows constants make.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, GroupByExpr, LimitClause, Query,
    Select, SelectItem, SetExpr, TableAlias, TableFactor, TableWithJoins, Value, Visit, Visitor, With,
};

use super::{COLUMN, RECURSIVE_DIGITS, RECURSIVE_ROWS, Size, Sizes};
use crate::warehouse::sql::refusal::Refusal;

/// How often a recursive term is applied to its own result, to see what it makes from it.
const ROUNDS: usize = 25;

/// The columns and rows that a query or a range returns.
#[derive(Debug, Clone, Default)]
pub(super) struct Relation {
    columns: Vec<(Option<String>, Size)>,
    /// Whether there are unknown columns among them, so that no position is certain.
    wildcard: bool,
    pub(super) rows: f64,
}

impl Relation {
    fn one(name: Option<String>, size: Size, rows: f64) -> Self {
        Self { columns: vec![(name, size)], wildcard: false, rows }
    }

    pub(super) fn first(&self) -> Size {
        let size = if self.wildcard { self.widest() } else { self.columns.first().map_or(COLUMN, |(_, size)| *size) };
        Size { aggregate: false, ..size }
    }

    fn widest(&self) -> Size {
        self.columns.iter().map(|(_, size)| *size).reduce(Size::or).unwrap_or(COLUMN)
    }
}

/// A visitor that bounds the outermost expressions of a part of the tree, and stops at the first refusal.
struct Outermost<'sizes> {
    sizes: &'sizes mut Sizes,
    depth: usize,
    /// The number of levels of expressions around those that are bounded.
    skipped: usize,
    found: Vec<Size>,
}

impl Visitor for Outermost<'_> {
    type Break = Refusal;

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<Refusal> {
        self.depth += 1;
        if self.depth == self.skipped + 1 {
            match self.sizes.expression(expression) {
                Ok(size) => self.found.push(size),
                Err(refusal) => return ControlFlow::Break(refusal),
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<Refusal> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

impl Sizes {
    /// Returns the bounds of the outermost expressions of a part of the tree, whatever it is.
    pub(super) fn each(&mut self, part: &impl Visit) -> Result<Vec<Size>, Refusal> {
        self.within(part, 0)
    }

    /// Checks the outermost expressions of a part whose values are kept for all rows at once.
    pub(super) fn kept(&mut self, part: &impl Visit) -> Result<(), Refusal> {
        let rows = self.rows;
        self.each(part)?.into_iter().try_for_each(|size| self.check_rows(size, rows))
    }

    /// Returns the bounds of the outermost expressions within an expression.
    pub(super) fn children(&mut self, expression: &Expr) -> Result<Vec<Size>, Refusal> {
        self.within(expression, 1)
    }

    fn within(&mut self, part: &impl Visit, skipped: usize) -> Result<Vec<Size>, Refusal> {
        let mut visitor = Outermost { sizes: self, depth: 0, skipped, found: Vec::new() };
        match part.visit(&mut visitor) {
            ControlFlow::Continue(()) => Ok(visitor.found),
            ControlFlow::Break(refusal) => Err(refusal),
        }
    }

    pub(super) fn query(&mut self, query: &Query) -> Result<Relation, Refusal> {
        self.step()?;
        let outside = (self.rows, self.series);
        if let Some(with) = &query.with {
            self.with(with)?;
        }
        let mut rows = self.set_expression(&query.body)?;
        let sorted = self.each(&query.order_by)?;
        let count = self.rows * rows.rows;
        sorted.into_iter().try_for_each(|size| self.check_rows(size, count))?;
        self.each(&query.limit_clause)?;
        self.each(&query.fetch)?;
        if let Some(limit) = limit(query.limit_clause.as_ref()) {
            rows.rows = rows.rows.min(limit);
        }
        (self.rows, self.series) = outside;
        Ok(rows)
    }

    fn with(&mut self, with: &With) -> Result<(), Refusal> {
        for cte in &with.cte_tables {
            let mut rows = match (&*cte.query.body, with.recursive) {
                (SetExpr::SetOperation { left, right, .. }, true) => {
                    let base = self.set_expression(left)?;
                    self.recursive(&cte.alias, base, right)?
                }
                _ => self.query(&cte.query)?,
            };
            self.name(&mut rows, Some(&cte.alias));
            self.ctes.insert(cte.alias.name.value.clone(), rows);
        }
        Ok(())
    }

    /// Applies the recursive term to its own result several times, because a value that doubles each time soon exceeds
    /// a limit.
    fn recursive(&mut self, alias: &TableAlias, base: Relation, term: &SetExpr) -> Result<Relation, Refusal> {
        let outside = self.rows;
        let mut rows = Relation { rows: RECURSIVE_ROWS, ..base };
        for _ in 0..ROUNDS {
            self.name(&mut rows, Some(alias));
            self.ctes.insert(alias.name.value.clone(), rows.clone());
            self.rows = outside;
            let next = self.set_expression(term)?;
            let before = rows.columns.clone();
            rows = united(rows, &next);
            rows.rows = RECURSIVE_ROWS;
            // The number of applications is unknown, and so is how large a number becomes.
            for (_, size) in &mut rows.columns {
                size.known = false;
                size.digits = size.digits.min(RECURSIVE_DIGITS);
            }
            for (_, size) in &rows.columns {
                self.check_rows(*size, RECURSIVE_ROWS)?;
            }
            if rows.columns == before {
                break;
            }
        }
        self.rows = outside;
        Ok(rows)
    }

    fn set_expression(&mut self, body: &SetExpr) -> Result<Relation, Refusal> {
        let outside = (self.rows, self.series);
        let rows = match body {
            SetExpr::Select(select) => self.select(select)?,
            SetExpr::Query(query) => self.query(query)?,
            SetExpr::SetOperation { left, right, .. } => {
                let left = self.set_expression(left)?;
                let right = self.set_expression(right)?;
                united(left, &right)
            }
            SetExpr::Values(values) => {
                let mut all = Relation::default();
                for row in &values.rows {
                    let sizes = row.content.iter().map(|cell| self.expression(cell)).collect::<Result<Vec<_>, _>>()?;
                    let named = (1..).zip(sizes).map(|(number, size)| (Some(format!("column{number}")), size));
                    all = united(all, &Relation { columns: named.collect(), wildcard: false, rows: 1.0 });
                }
                all
            }
            other => {
                self.each(other)?;
                Relation { rows: 1.0, wildcard: true, ..Relation::default() }
            }
        };
        (self.rows, self.series) = outside;
        Ok(rows)
    }

    fn select(&mut self, select: &Select) -> Result<Relation, Refusal> {
        let rows = self.from(&select.from)?;
        self.rows *= rows;
        self.series = 1.0;
        let mut result = Relation { rows, ..Relation::default() };
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expression) => {
                    let size = self.expression(expression)?;
                    result.columns.push((own_name(expression), size));
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    let size = self.expression(expr)?;
                    result.columns.push((Some(alias.value.clone()), size));
                }
                other => {
                    self.each(other)?;
                    result.wildcard = true;
                    result.columns.extend(self.columns.iter().map(|(name, size)| (Some(name.clone()), *size)));
                }
            }
        }
        let (series, around) = (self.series, self.rows);
        for (_, size) in &result.columns {
            self.check_rows(*size, around * series)?;
        }
        self.kept(&select.distinct)?;
        self.each(&select.selection)?;
        self.each(&select.having)?;
        self.kept(&select.group_by)?;
        self.kept(&select.named_window)?;
        let grouped = !matches!(&select.group_by, GroupByExpr::Expressions(by, _) if by.is_empty());
        let one = !grouped && result.columns.iter().any(|(_, size)| size.aggregate);
        result.rows = if one { 1.0 } else { rows * series };
        Ok(result)
    }

    /// Returns how many rows constants make in FROM. A table counts as one, because the planner knows its rows.
    fn from(&mut self, from: &[TableWithJoins]) -> Result<f64, Refusal> {
        let mut rows = 1.0;
        for tables in from {
            rows *= self.joined(tables)?;
        }
        Ok(rows)
    }

    fn joined(&mut self, tables: &TableWithJoins) -> Result<f64, Refusal> {
        let mut rows = self.factor(&tables.relation)?;
        for join in &tables.joins {
            rows *= self.factor(&join.relation)?.max(1.0);
            self.each(&join.join_operator)?;
        }
        Ok(rows)
    }

    fn factor(&mut self, factor: &TableFactor) -> Result<f64, Refusal> {
        let (mut rows, alias) = match factor {
            TableFactor::Table { name, alias, args: None, .. } => {
                let name = name.0.last().and_then(|part| part.as_ident());
                let cte = name.and_then(|name| self.ctes.get(&name.value)).cloned();
                (cte.unwrap_or(Relation { rows: 1.0, ..Relation::default() }), alias.as_ref())
            }
            TableFactor::Table { name, alias, args: Some(list), .. } => {
                (self.function_range(&last(name), &list.args)?, alias.as_ref())
            }
            TableFactor::Function { name, args, alias, .. } => {
                (self.function_range(&last(name), args)?, alias.as_ref())
            }
            TableFactor::Derived { subquery, alias, .. } => (self.query(subquery)?, alias.as_ref()),
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let rows = self.joined(table_with_joins)?;
                let columns = self.columns.iter().map(|(name, size)| (Some(name.clone()), *size)).collect();
                (Relation { columns, wildcard: true, rows }, alias.as_ref())
            }
            TableFactor::UNNEST { alias, array_exprs, .. } => {
                let sizes = self.each(array_exprs)?;
                (
                    Relation::one(Some("unnest".to_owned()), Size { guessed: true, ..Size::of(&sizes) }, 1.0),
                    alias.as_ref(),
                )
            }
            other => {
                let sizes = self.each(other)?;
                (Relation { wildcard: true, ..Relation::one(None, Size::of(&sizes).of_any_amount(), 1.0) }, None)
            }
        };
        self.name(&mut rows, alias);
        Ok(rows.rows)
    }

    /// Returns the columns and rows of a function in FROM.
    fn function_range(&mut self, name: &str, arguments: &[FunctionArg]) -> Result<Relation, Refusal> {
        let list = FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments.to_vec(),
            clauses: Vec::new(),
        });
        let outside = std::mem::replace(&mut self.series, 1.0);
        let size = self.call_of(name, &list)?;
        let series = std::mem::replace(&mut self.series, outside);
        // A function that takes a value apart returns no more bytes than the value, in all of its rows together.
        let size = Size { guessed: size.guessed || name != "generate_series", ..size };
        Ok(Relation::one(Some(name.to_owned()), size, series))
    }

    /// Records the columns of a range by their names, and the range's own name for its whole row.
    fn name(&mut self, rows: &mut Relation, alias: Option<&TableAlias>) {
        if let Some(alias) = alias {
            let widest = rows.widest();
            for (index, column) in alias.columns.iter().enumerate() {
                match rows.columns.get_mut(index) {
                    Some((name, _)) if !rows.wildcard => *name = Some(column.name.value.clone()),
                    _ => rows.columns.push((Some(column.name.value.clone()), widest)),
                }
            }
            if !rows.columns.is_empty() {
                let whole = rows.columns.iter().map(|(_, size)| *size).collect::<Vec<_>>();
                self.column(&alias.name.value, Size::of(&whole));
            }
        }
        for (name, size) in &rows.columns {
            match name {
                Some(name) => self.column(name, *size),
                None => self.unnamed = Some(self.unnamed.map_or(*size, |unnamed| unnamed.or(*size))),
            }
        }
    }

    fn column(&mut self, name: &str, size: Size) {
        let size = Size { aggregate: false, ..size };
        self.columns.entry(name.to_owned()).and_modify(|known| *known = known.or(size)).or_insert(size);
    }
}

fn united(left: Relation, right: &Relation) -> Relation {
    let mut columns = left.columns;
    for (index, (name, size)) in right.columns.iter().enumerate() {
        match columns.get_mut(index) {
            Some((_, known)) => *known = known.or(*size),
            None => columns.push((name.clone(), *size)),
        }
    }
    Relation { columns, wildcard: left.wildcard || right.wildcard, rows: left.rows + right.rows }
}

fn limit(clause: Option<&LimitClause>) -> Option<f64> {
    let Some(LimitClause::LimitOffset { limit: Some(Expr::Value(value)), .. }) = clause else { return None };
    match &value.value {
        Value::Number(number, _) => number.parse().ok(),
        _ => None,
    }
}

/// Returns the name of an output column without an alias, if it is a name that can be written.
fn own_name(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Identifier(name) => Some(name.value.clone()),
        Expr::CompoundIdentifier(parts) => parts.last().map(|name| name.value.clone()),
        Expr::Function(function) => Some(last(&function.name)),
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } => own_name(inner),
        Expr::Cast { expr, .. } => own_name(expr),
        _ => None,
    }
}

pub(super) fn last(name: &sqlparser::ast::ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map_or_else(String::new, |name| name.value.clone())
}

/// Returns the expression of a call's argument; `None` for `*`.
pub(super) fn argument(argument: &FunctionArg) -> Option<&Expr> {
    let (FunctionArg::Unnamed(value)
    | FunctionArg::Named { arg: value, .. }
    | FunctionArg::ExprNamed { arg: value, .. }) = argument;
    match value {
        FunctionArgExpr::Expr(expression) => Some(expression),
        FunctionArgExpr::QualifiedWildcard(_) | FunctionArgExpr::Wildcard | FunctionArgExpr::WildcardWithOptions(_) => {
            None
        }
    }
}
