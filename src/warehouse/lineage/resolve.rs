//! The parsed tree of a validated SELECT to a [`Query`].
//!
//! A CTE is resolved anew wherever it is read, in the scope in which it was written. What has no part of its own in the
//! result (a derived table that neither groups, cuts nor orders) becomes a part of the block that reads it.
//! A form that is not known becomes an unknown expression or query: nothing is guessed.

mod calls;
mod expression;
mod from;
mod grouping;
mod names;
mod scope;

use sqlparser::ast::{
    Cte, Distinct as ParsedDistinct, Expr, Fetch, GroupByExpr, LimitClause, OrderBy, OrderByExpr, OrderByKind,
    Query as ParsedQuery, Select as ParsedSelect, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator,
    SetQuantifier, Value, Values, With,
};

use self::calls::NamedWindow;
use self::scope::Scope;
use super::expression::{Column, Expression, Literal, Order, SourceId};
use super::normalize::normalize;
use super::query::{Block, Distinct, Item, Output, Query, Relation, Rows, Source};
use crate::warehouse::catalog::Catalog;
use crate::warehouse::sql::Select;

/// The most sources of one statement, those of a CTE counted each time it is read.
const SOURCES_MAX: usize = 200;

/// Turns the parsed tree into queries.
pub(super) struct Resolver<'q> {
    select: &'q Select,
    catalog: &'q Catalog,
    ctes: Vec<Entry<'q>>,
    windows: Vec<NamedWindow<'q>>,
    sources: SourceId,
}

/// A name that WITH made.
#[derive(Debug, Clone, Copy)]
enum Entry<'q> {
    Cte(&'q Cte),
    /// A CTE that may refer to itself.
    Recursive(&'q str),
}

impl Entry<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Cte(cte) => &cte.alias.name.value,
            Self::Recursive(name) => name,
        }
    }
}

/// The rows that a query leaves out.
#[derive(Debug, Clone, Copy, Default)]
struct Cut<'q> {
    limit: Option<&'q Expr>,
    offset: Option<&'q Expr>,
    /// Whether its meaning is not known.
    unknown: bool,
}

impl<'q> Resolver<'q> {
    pub(super) fn new(select: &'q Select, catalog: &'q Catalog) -> Self {
        Self { select, catalog, ctes: Vec::new(), windows: Vec::new(), sources: 0 }
    }

    /// Returns the whole statement. The order and the cut of its rows are left out, because they change no value.
    pub(super) fn statement(&mut self, query: &'q ParsedQuery) -> Query {
        self.within(query.with.as_ref(), |resolver| {
            if !is_plain(query) {
                return Query::Unknown("a clause that PostgreSQL does not have".to_owned());
            }
            resolver.body(&query.body, order_of(query), Cut::default(), None)
        })
    }

    /// Returns a query inside the statement.
    fn query(&mut self, query: &'q ParsedQuery, outer: Option<&Scope<'_>>) -> Query {
        self.within(query.with.as_ref(), |resolver| {
            let cut = cut_of(query);
            if !is_plain(query) || cut.unknown {
                return Query::Unknown("a cut of rows that is not traced".to_owned());
            }
            resolver.body(&query.body, order_of(query), cut, outer)
        })
    }

    /// Runs `work` with the names of WITH known.
    fn within(&mut self, with: Option<&'q With>, work: impl FnOnce(&mut Self) -> Query) -> Query {
        let known = self.ctes.len();
        if let Some(with) = with {
            let entry = |cte: &'q Cte| {
                if with.recursive { Entry::Recursive(&cte.alias.name.value) } else { Entry::Cte(cte) }
            };
            self.ctes.extend(with.cte_tables.iter().map(entry));
        }
        let query = work(self);
        self.ctes.truncate(known);
        query
    }

    fn body(&mut self, body: &'q SetExpr, order: &'q [OrderByExpr], cut: Cut<'q>, outer: Option<&Scope<'_>>) -> Query {
        let is_cut = cut.limit.is_some() || cut.offset.is_some();
        match body {
            SetExpr::Select(select) => self.select(select, order, &cut, outer),
            SetExpr::Query(query) if !is_cut => self.query(query, outer),
            SetExpr::SetOperation { left, op: SetOperator::Union, set_quantifier, right } if !is_cut => {
                let sides = [left, right].map(|side| self.body(side, &[], Cut::default(), outer));
                match set_quantifier {
                    SetQuantifier::All => union(sides),
                    SetQuantifier::None | SetQuantifier::Distinct => self.without_duplicates(union(sides)),
                    _ => Query::Unknown("a UNION by names".to_owned()),
                }
            }
            SetExpr::Values(values) if !is_cut => self.values(values, outer),
            SetExpr::SetOperation { op: SetOperator::Union, .. } => {
                Query::Unknown("the rows of a UNION are cut".to_owned())
            }
            SetExpr::SetOperation { op, .. } => Query::Unknown(format!("{op} compares whole rows")),
            _ => Query::Unknown("a query that is not a SELECT".to_owned()),
        }
    }

    /// Returns the distinct rows of a query: its groups by all columns.
    fn without_duplicates(&mut self, query: Query) -> Query {
        if query.unknown().is_some() {
            return query;
        }
        let Some(id) = self.next_source() else { return Query::Unknown("too many sources".to_owned()) };
        let names = query.names();
        let column =
            |(index, name): (usize, &String)| Expression::Column(Column { source: id, index, name: name.clone() });
        let keys = names.iter().enumerate().map(column).collect::<Vec<_>>();
        let outputs = names.iter().zip(&keys).map(|(name, value)| Output { name: name.clone(), value: value.clone() });
        let outputs = outputs.collect();
        let source = Source { id, relation: Relation::Query { query, names } };
        let rows = Rows { items: vec![Item::Source(source)], conditions: Vec::new() };
        normalize(
            Query::Block(Box::new(Block { rows: rows.into(), keys: Some(keys), outputs, ..Block::default() })),
            self.catalog,
        )
    }

    fn values(&mut self, values: &'q Values, outer: Option<&Scope<'_>>) -> Query {
        let scope = Scope { outer, ..Scope::default() };
        let rows = values.rows.iter().map(|row| self.expressions(&row.content, &scope));
        Query::Values(rows.collect())
    }

    /// Returns one SELECT, or the branches of its grouping sets.
    fn select(
        &mut self,
        select: &'q ParsedSelect,
        order: &'q [OrderByExpr],
        cut: &Cut<'q>,
        outer: Option<&Scope<'_>>,
    ) -> Query {
        if !is_plain_select(select) {
            return Query::Unknown("a clause that PostgreSQL does not have".to_owned());
        }
        if multiplies(select, order) {
            return Query::Unknown("a function in SELECT that may return several rows".to_owned());
        }
        let windows = self.windows.len();
        let (mut rows, scope) = self.from(&select.from, outer);
        self.name_windows(select);
        if let Some(condition) = &select.selection {
            rows.conditions.extend(self.expression(condition, &scope).conjuncts());
        }
        let mut block = Block { rows: rows.into(), ..Block::default() };
        block.outputs = self.outputs(&select.projection, &scope);
        if let Some(having) = &select.having {
            block.having = self.expression(having, &scope).conjuncts();
        }
        let sets = match &select.group_by {
            GroupByExpr::Expressions(expressions, modifiers) if modifiers.is_empty() => {
                self.grouping_sets(expressions, &block.outputs, &scope)
            }
            _ => None,
        };
        let Some(sets) = sets else { return Query::Unknown("a GROUP BY that is not traced".to_owned()) };
        block.distinct = match &select.distinct {
            None | Some(ParsedDistinct::All) => Distinct::No,
            Some(ParsedDistinct::Distinct) => Distinct::Rows,
            Some(ParsedDistinct::On(keys)) => {
                Distinct::On(keys.iter().map(|key| self.order_key(key, &block.outputs, &scope)).collect())
            }
        };
        block.limit = cut.limit.map(|limit| self.expression(limit, &scope));
        block.offset = cut.offset.map(|offset| self.expression(offset, &scope));
        if block.is_cut() {
            block.order = order.iter().map(|item| self.order_item(item, &block.outputs, &scope)).collect();
        }
        self.windows.truncate(windows);
        normalize(grouping::apply(block, sets), self.catalog)
    }

    fn order_item(&mut self, item: &'q OrderByExpr, outputs: &[Output], scope: &Scope<'_>) -> Order {
        calls::order_by(item, self.order_key(&item.expr, outputs, scope))
    }

    /// Returns a key of ORDER BY or DISTINCT ON: an output by its position or name comes before a column of FROM.
    fn order_key(&mut self, key: &'q Expr, outputs: &[Output], scope: &Scope<'_>) -> Expression {
        let named = |name: &str| outputs.iter().find(|output| output.name == name);
        let output = match key {
            Expr::Identifier(ident) => named(&ident.value),
            other => position(other).and_then(|position| outputs.get(position)),
        };
        output.map_or_else(|| self.expression(key, scope), |output| output.value.clone())
    }

    fn outputs(&mut self, items: &'q [SelectItem], scope: &Scope<'_>) -> Vec<Output> {
        let mut outputs = Vec::with_capacity(items.len());
        for item in items {
            match item {
                SelectItem::ExprWithAlias { expr, alias } => {
                    outputs.push(Output { name: alias.value.clone(), value: self.expression(expr, scope) });
                }
                SelectItem::UnnamedExpr(expr) => {
                    let value = self.expression(expr, scope);
                    outputs.push(Output { name: name_of(expr), value });
                }
                SelectItem::Wildcard(_) => outputs.extend(scope.all().map(Output::from)),
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                    let name = names::parts(name).and_then(|parts| parts.last().map(|name| (*name).to_owned()));
                    let mut ranges = scope.ranges.iter().filter(|range| Some(&range.name) == name.as_ref());
                    match (ranges.next(), ranges.next()) {
                        (Some(range), None) => outputs.extend(range.fields.iter().map(Output::from)),
                        _ => outputs.push(Output::unknown()),
                    }
                }
                _ => outputs.push(Output::unknown()),
            }
        }
        outputs
    }

    /// Returns the number of a new source; `None` if there are too many.
    fn next_source(&mut self) -> Option<SourceId> {
        self.sources += 1;
        (self.sources <= SOURCES_MAX).then_some(self.sources)
    }
}

impl From<&scope::Field> for Output {
    fn from(field: &scope::Field) -> Self {
        Self { name: field.name.clone(), value: field.value.clone() }
    }
}

impl Output {
    /// Returns outputs that cannot be listed. A result has more or fewer columns than the block then.
    fn unknown() -> Self {
        Self { name: String::new(), value: Expression::Unknown("columns that are not listed".to_owned()) }
    }
}

/// Returns whether an expression of a SELECT may return several rows for one.
fn multiplies(select: &ParsedSelect, order: &[OrderByExpr]) -> bool {
    let projection = select.projection.iter().filter_map(|item| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    });
    let keys = match &select.group_by {
        GroupByExpr::Expressions(keys, _) => keys.as_slice(),
        GroupByExpr::All(_) => &[],
    };
    let order = order.iter().map(|item| &item.expr);
    projection.chain(keys).chain(order).any(calls::may_return_rows)
}

/// Returns the rows of both sides.
fn union(sides: [Query; 2]) -> Query {
    let mut branches = Vec::new();
    for side in sides {
        match side {
            Query::Unknown(reason) => return Query::Unknown(reason),
            Query::UnionAll(more) => branches.extend(more),
            one @ (Query::Block(_) | Query::Values(_)) => branches.push(one),
        }
    }
    Query::UnionAll(branches)
}

/// Returns whether a query has only clauses that PostgreSQL has.
fn is_plain(query: &ParsedQuery) -> bool {
    query.locks.is_empty()
        && query.for_clause.is_none()
        && query.settings.is_none()
        && query.format_clause.is_none()
        && query.pipe_operators.is_empty()
}

fn is_plain_select(select: &ParsedSelect) -> bool {
    select.optimizer_hints.is_empty()
        && select.select_modifiers.is_none()
        && select.top.is_none()
        && select.exclude.is_none()
        && select.into.is_none()
        && select.lateral_views.is_empty()
        && select.prewhere.is_none()
        && select.connect_by.is_empty()
        && select.cluster_by.is_empty()
        && select.distribute_by.is_empty()
        && select.sort_by.is_empty()
        && select.qualify.is_none()
        && select.value_table_mode.is_none()
}

fn order_of(query: &ParsedQuery) -> &[OrderByExpr] {
    match &query.order_by {
        Some(OrderBy { kind: OrderByKind::Expressions(list), interpolate: None }) => list,
        _ => &[],
    }
}

fn cut_of(query: &ParsedQuery) -> Cut<'_> {
    let mut cut = Cut::default();
    match &query.limit_clause {
        Some(LimitClause::LimitOffset { limit, offset, limit_by }) => {
            cut.limit = limit.as_ref();
            cut.offset = offset.as_ref().map(|offset| &offset.value);
            cut.unknown = !limit_by.is_empty();
        }
        Some(LimitClause::OffsetCommaLimit { .. }) => cut.unknown = true,
        None => {}
    }
    match &query.fetch {
        Some(Fetch { with_ties: false, percent: false, quantity: Some(quantity) }) if cut.limit.is_none() => {
            cut.limit = Some(quantity);
        }
        Some(_) => cut.unknown = true,
        None => {}
    }
    cut
}

/// Returns the index of the output that a number in GROUP BY or ORDER BY stands for.
fn position(expr: &Expr) -> Option<usize> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(number, false) => number.parse::<usize>().ok()?.checked_sub(1),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the name that PostgreSQL gives to an output without an alias, where it can matter: a column's or function's.
fn name_of(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(ident) => ident.value.clone(),
        Expr::CompoundIdentifier(parts) => parts.last().map(|part| part.value.clone()).unwrap_or_default(),
        Expr::Nested(inner) => name_of(inner),
        Expr::Cast { expr, data_type, .. } => match name_of(expr) {
            name if name.is_empty() => data_type.to_string().to_lowercase(),
            name => name,
        },
        Expr::Function(function) => names::function(&function.name).unwrap_or_default(),
        Expr::Case { else_result: Some(otherwise), .. } => match name_of(otherwise) {
            name if name.is_empty() => "case".to_owned(),
            name => name,
        },
        Expr::Case { .. } => "case".to_owned(),
        Expr::Extract { .. } => "extract".to_owned(),
        Expr::Subquery(query) => match &*query.body {
            SetExpr::Select(select) => match select.projection.first() {
                Some(SelectItem::ExprWithAlias { alias, .. }) => alias.value.clone(),
                Some(SelectItem::UnnamedExpr(expr)) => name_of(expr),
                _ => String::new(),
            },
            _ => String::new(),
        },
        _ => String::new(),
    }
}

/// Returns whether the expression is a constant.
pub(crate) fn is_constant(expression: &Expression) -> bool {
    match expression {
        Expression::Literal(literal) => !matches!(literal, Literal::Parameter(_)),
        Expression::Cast { value, .. } => is_constant(value),
        _ => false,
    }
}
