//! What of a statement reaches the columns that a claim names. A change elsewhere is no change of the claim's numbers.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use jiff::civil::Date;
use sqlparser::ast::{
    BinaryOperator, Expr, GroupByExpr, InTarget, JoinConstraint, JoinOperator, ObjectName, Query, Select, SelectItem,
    SetExpr, Value, Visit, VisitMut, Visitor, VisitorMut,
};

use super::changes::{column_of, expression_of, has_aggregate, is_literal, last};

/// What of a result a claim is about.
pub(super) struct About<'c> {
    /// The columns; `None` if it names none, so that it may be any.
    pub(super) columns: Option<BTreeSet<String>>,
    pub(super) extent: Extent,
    pub(super) claims: &'c [String],
}

/// How many rows of a result a claim is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// The cells that it names.
    Cells,
    /// These, and all rows together.
    CellsAndAll,
    /// All groups, each by itself.
    Groups,
}

/// The statement without what does not reach the claim, for comparison only:
///
/// - outputs that the claim does not name, the order of the rows, labels that no claim names;
/// - LIMIT and HAVING of the statement itself: the cells are whole, and of groups the engine asks anew;
/// - where all that it names are subqueries, the rows of the statement: they only list the keys;
/// - for a claim about cells, what holds in them anyway: `building = 'Museum'` for the cells of the key Museum, days that
///   begin or end outside the month of the cells; and the branches of CASE behind that of the cells.
pub(super) fn reaching(query: &Query, about: &About<'_>) -> String {
    let mut query = query.clone();
    (query.order_by, query.limit_clause) = (None, None);
    if let SetExpr::Select(select) = &mut *query.body {
        select.having = None;
        if let Some(columns) = &about.columns {
            select.projection.retain(|item| !is_measure(item) || columns.contains(&name_of(item)));
        }
        let measured = select.projection.iter().filter(|item| is_measure(item)).collect::<Vec<_>>();
        if !measured.is_empty() && measured.into_iter().all(is_subquery) {
            (select.from, select.selection) = (Vec::new(), None);
        }
        if about.extent != Extent::Groups && about.claims.iter().all(|claim| claim.contains('[')) {
            let keys = select.projection.iter().filter(|item| !is_measure(item)).filter_map(expression_of);
            let keys = keys.cloned().collect::<Vec<_>>();
            let holds = |condition: &Expr| holds_in_cells(condition, &keys, about);
            select.selection = select.selection.take().and_then(|condition| without(condition, &holds));
        }
    }
    if about.extent != Extent::Groups {
        let _ = VisitMut::visit(&mut query, &mut OwnBranches(about.claims));
    }
    if let SetExpr::Select(select) = &mut *query.body {
        select.projection.iter_mut().for_each(|item| without_labels(item, about.claims));
    }
    let _ = VisitMut::visit(&mut query, &mut Unordered);
    loop {
        let before = query.to_string();
        drop_unread_ctes(&mut query);
        let used = names(&query);
        let _ = VisitMut::visit(&mut query, &mut Unread { used: &used, depth: 0 });
        let after = query.to_string();
        if before == after {
            return after;
        }
    }
}

fn is_subquery(item: &SelectItem) -> bool {
    matches!(expression_of(item), Some(Expr::Subquery(_)))
}

/// Takes the labels from an output that is a CASE of texts.
fn without_labels(item: &mut SelectItem, claims: &[String]) {
    let (SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. }) = item else {
        return;
    };
    let Expr::Case { conditions, else_result, .. } = expression else { return };
    let results = conditions.iter_mut().map(|when| &mut when.result).chain(else_result.as_deref_mut());
    for result in results {
        if let Expr::Value(value) = result
            && let Value::SingleQuotedString(text) = &mut value.value
            && !claims.iter().any(|claim| claim.contains(text.as_str()))
        {
            text.clear();
        }
    }
}

fn drop_unread_ctes(query: &mut Query) {
    struct Relations(BTreeSet<String>);
    impl Visitor for Relations {
        type Break = ();
        fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
            self.0.insert(last(relation));
            ControlFlow::Continue(())
        }
    }
    let mut relations = Relations(BTreeSet::new());
    let _ = Visit::visit(query, &mut relations);
    if let Some(with) = &mut query.with {
        with.cte_tables.retain(|cte| relations.0.contains(&cte.alias.name.value));
        if with.cte_tables.is_empty() {
            query.with = None;
        }
    }
}

/// The condition without the conjuncts that hold anyway.
fn without(condition: Expr, holds: &impl Fn(&Expr) -> bool) -> Option<Expr> {
    match condition {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            match (without(*left, holds), without(*right, holds)) {
                (Some(left), Some(right)) => {
                    Some(Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::And, right: Box::new(right) })
                }
                (left, right) => left.or(right),
            }
        }
        other => (!holds(&other)).then_some(other),
    }
}

/// Whether a condition gives a key the value by which all claims name their cells, or bounds the days of a key outside
/// the month that they name.
fn holds_in_cells(condition: &Expr, keys: &[Expr], about: &About<'_>) -> bool {
    let is_key =
        |value: &Expr| column_of(value).is_some_and(|name| keys.iter().any(|key| column_of(key) == Some(name.clone())));
    let is_of_key =
        |value: &Expr| column_of(value).is_some_and(|name| keys.iter().any(|key| key.to_string().contains(&name)));
    let text_of = |literal: &Expr| literal.to_string().trim_matches('\'').to_owned();
    let is_named = |literal: &Expr| {
        let text = text_of(literal);
        is_literal(literal) && about.extent == Extent::Cells && about.claims.iter().all(|claim| claim.contains(&text))
    };
    match condition {
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => is_key(left) && is_named(right),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Lt | BinaryOperator::LtEq | BinaryOperator::Gt | BinaryOperator::GtEq,
            right,
        } if is_of_key(left) => {
            let text = text_of(right);
            let month = text.get(..7).filter(|_| text.get(..10).is_some_and(|day| day.parse::<Date>().is_ok()));
            month.is_some_and(|month| !about.claims.iter().any(|claim| claim.contains(month)))
        }
        Expr::In { expr, target: InTarget::List(list), negated: false, .. } => {
            is_key(expr) && list.iter().any(is_named)
        }
        _ => false,
    }
}

/// The branches of CASE up to the last whose label a claim names.
struct OwnBranches<'c>(&'c [String]);

impl VisitorMut for OwnBranches<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        let is_named = |label: &Expr| match label {
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(text) => self.0.iter().any(|claim| claim.contains(text.as_str())),
                _ => false,
            },
            _ => false,
        };
        if let Expr::Case { conditions, else_result, .. } = expression
            && !else_result.as_deref().is_some_and(is_named)
            && let Some(last) = conditions.iter().rposition(|when| is_named(&when.result))
        {
            conditions.truncate(last + 1);
            *else_result = None;
        }
        ControlFlow::Continue(())
    }
}

fn is_measure(item: &SelectItem) -> bool {
    expression_of(item).is_some_and(has_aggregate)
}

/// The name that PostgreSQL gives an output.
pub(super) fn name_of(item: &SelectItem) -> String {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => alias.value.clone(),
        SelectItem::UnnamedExpr(expression) => name_of_expression(expression),
        _ => "*".to_owned(),
    }
}

fn name_of_expression(expression: &Expr) -> String {
    match expression {
        Expr::Identifier(name) => name.value.clone(),
        Expr::CompoundIdentifier(parts) => parts.last().map(|name| name.value.clone()).unwrap_or_default(),
        Expr::Function(function) => last(&function.name).to_lowercase(),
        Expr::Cast { expr, .. } | Expr::Nested(expr) => name_of_expression(expr),
        Expr::Case { .. } => "case".to_owned(),
        Expr::Extract { .. } => "extract".to_owned(),
        _ => "?column?".to_owned(),
    }
}

/// ORDER BY without LIMIT is dropped.
struct Unordered;

impl VisitorMut for Unordered {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if query.limit_clause.is_none() {
            query.order_by = None;
        }
        ControlFlow::Continue(())
    }
}

/// All names in expressions and USING; an asterisk where all columns are read.
fn names(query: &Query) -> BTreeSet<String> {
    struct Names(BTreeSet<String>);
    impl Visitor for Names {
        type Break = ();
        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            match expression {
                Expr::Identifier(name) => self.0.extend([name.value.clone()]),
                Expr::CompoundIdentifier(parts) => self.0.extend(parts.last().map(|name| name.value.clone())),
                _ => {}
            }
            ControlFlow::Continue(())
        }
        fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
            let joins = select.from.iter().flat_map(|table| &table.joins);
            for join in joins {
                if let JoinOperator::Join(JoinConstraint::Using(columns))
                | JoinOperator::Inner(JoinConstraint::Using(columns))
                | JoinOperator::Left(JoinConstraint::Using(columns)) = &join.join_operator
                {
                    self.0.extend(columns.iter().map(last));
                }
            }
            let is_all = |item: &SelectItem| expression_of(item).is_none();
            if select.projection.iter().any(is_all) {
                self.0.insert("*".to_owned());
            }
            ControlFlow::Continue(())
        }
    }
    let mut names = Names(BTreeSet::new());
    let _ = query.visit(&mut names);
    names.0
}

/// Outputs of nested queries that nothing reads are dropped: aggregates, and columns of what has no groups.
struct Unread<'n> {
    used: &'n BTreeSet<String>,
    depth: usize,
}

impl VisitorMut for Unread<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        if self.depth > 1 && !self.used.contains("*") {
            let unread = unread(&query.body, self.used);
            drop_outputs(&mut query.body, &unread);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

/// The indexes of the outputs that can go. The names are those of the first branch.
fn unread(body: &SetExpr, used: &BTreeSet<String>) -> Vec<usize> {
    match body {
        SetExpr::Select(select) if select.distinct.is_none() && select.projection.len() > 1 => {
            let is_grouped = matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if !keys.is_empty());
            let is_unread = |item: &SelectItem| {
                !used.contains(&name_of(item))
                    && matches!(item, SelectItem::ExprWithAlias { .. })
                    && (is_measure(item) || !is_grouped)
            };
            (0..select.projection.len()).filter(|index| is_unread(&select.projection[*index])).collect()
        }
        SetExpr::SetOperation { left, right, .. } if all(right) => unread(left, used),
        _ => Vec::new(),
    }
}

/// Whether the rows of a branch are neither grouped nor made distinct.
fn all(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => {
            select.distinct.is_none()
                && matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty())
        }
        SetExpr::SetOperation { left, right, .. } => all(left) && all(right),
        _ => false,
    }
}

fn drop_outputs(body: &mut SetExpr, indexes: &[usize]) {
    match body {
        SetExpr::Select(select) if select.projection.len() > indexes.len() => {
            let mut index = 0;
            select.projection.retain(|_| {
                index += 1;
                !indexes.contains(&(index - 1))
            });
        }
        SetExpr::SetOperation { left, right, .. } => {
            drop_outputs(left, indexes);
            drop_outputs(right, indexes);
        }
        _ => {}
    }
}
