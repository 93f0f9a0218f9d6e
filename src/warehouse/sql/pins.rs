//! Finds which entity a result is about: the literals that a plain SELECT restricts its columns to.
//!
//! A missing pin is better than a wrong one, because a pin vouches for every figure in a row. So nothing is pinned if a
//! figure may come from rows that the condition does not restrict (subqueries, CTEs, joins on other columns).

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, InTarget, Join,
    JoinConstraint, JoinOperator, ObjectNamePart, Query, Select, SelectItem, SetExpr, TableFactor, TableWithJoins,
    Value, visit_expressions,
};

/// A column that a query restricts to one literal: `customer_code = 'CUST004'`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The column's name, without its table.
    pub column: String,
    /// The literal's value: the content of a string, or a number as written.
    pub literal: String,
}

/// The literals that a query restricts its columns to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins {
    /// Pins of the outer WHERE, which hold for every row that the result is computed from.
    pub rows: Vec<Pin>,
    /// Pins of `aggregate(...) FILTER (WHERE ...)`, each with the index of its output column, counted from 0.
    pub columns: Vec<(usize, Pin)>,
}

/// Returns the pins of a query. There are none unless it is a plain SELECT over tables.
pub(super) fn of(query: &Query) -> Pins {
    let SetExpr::Select(select) = &*query.body else { return Pins::default() };
    if select.from.is_empty() || !select.from.iter().all(|tables| is_over_tables(tables, query)) {
        return Pins::default();
    }
    let mut pins = Pins::default();
    if let Some(condition) = &select.selection
        && !select.projection.iter().any(has_subquery)
    {
        collect(condition, &mut pins.rows);
        pins.rows.retain(|pin| reaches_all(&pin.column, select));
    }
    for (index, item) in select.projection.iter().enumerate() {
        let (SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. }) = item else {
            break; // after a wildcard, the index of an output column is unknown
        };
        if let Some(filter) = filter_of(expression) {
            let mut found = Vec::new();
            collect(filter, &mut found);
            found.retain(|pin| reaches_all(&pin.column, select));
            pins.columns.extend(found.into_iter().map(|pin| (index, pin)));
        }
    }
    pins
}

fn is_over_tables(tables: &TableWithJoins, query: &Query) -> bool {
    let ctes = query.with.iter().flat_map(|with| &with.cte_tables).map(|cte| &cte.alias.name.value);
    let ctes = ctes.collect::<Vec<_>>();
    let is_table = |factor: &TableFactor| match factor {
        TableFactor::Table { name, args: None, .. } => match &*name.0 {
            [ObjectNamePart::Identifier(name)] => !ctes.contains(&&name.value),
            _ => true,
        },
        _ => false,
    };
    is_table(&tables.relation) && tables.joins.iter().all(|join| is_table(&join.relation))
}

fn has_subquery(item: &SelectItem) -> bool {
    let found = visit_expressions(item, |expression: &Expr| match expression {
        Expr::Subquery(_)
        | Expr::Exists { .. }
        | Expr::In { target: InTarget::Subquery(_), .. }
        | Expr::Function(Function { args: FunctionArguments::Subquery(_), .. }) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// Returns whether a pin of the column holds for every table of FROM: there is only one table, or all are joined on
/// that column.
fn reaches_all(column: &str, select: &Select) -> bool {
    let [TableWithJoins { relation: _, joins }] = select.from.as_slice() else { return false };
    joins.iter().all(|join| joins_on(column, join))
}

fn joins_on(column: &str, join: &Join) -> bool {
    let (JoinOperator::Join(constraint)
    | JoinOperator::Inner(constraint)
    | JoinOperator::Left(constraint)
    | JoinOperator::LeftOuter(constraint)) = &join.join_operator
    else {
        return false;
    };
    match constraint {
        JoinConstraint::Using(columns) | JoinConstraint::UsingAlias(columns, _) => {
            columns.iter().any(|name| match &*name.0 {
                [ObjectNamePart::Identifier(name)] => name.value == column,
                _ => false,
            })
        }
        JoinConstraint::On(condition) => conjuncts(condition).into_iter().any(|condition| match condition {
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => match (&**left, &**right) {
                (Expr::CompoundIdentifier(left), Expr::CompoundIdentifier(right)) => match (&**left, &**right) {
                    ([left_table, left], [right_table, right]) => {
                        left.value == column && right.value == column && left_table.value != right_table.value
                    }
                    _ => false,
                },
                _ => false,
            },
            _ => false,
        }),
        JoinConstraint::Natural | JoinConstraint::None => false,
    }
}

/// Returns the conditions that AND joins at the top level.
fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    let (mut open, mut found) = (vec![condition], Vec::new());
    while let Some(condition) = open.pop() {
        match condition {
            Expr::Nested(inner) => open.push(inner),
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => open.extend([&**right, &**left]),
            other => found.push(other),
        }
    }
    found
}

fn collect(condition: &Expr, pins: &mut Vec<Pin>) {
    for condition in conjuncts(condition) {
        let pair = match condition {
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                column(left).zip(literal(right)).or_else(|| column(right).zip(literal(left)))
            }
            Expr::In { expr, target: InTarget::List(list), negated: false, global: false } if list.len() == 1 => {
                column(expr).zip(literal(&list[0]))
            }
            _ => None,
        };
        pins.extend(pair.map(|(column, literal)| Pin { column: column.to_owned(), literal: literal.to_owned() }));
    }
}

fn column(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Identifier(Ident { value, .. }) => Some(value),
        Expr::CompoundIdentifier(parts) => parts.last().map(|last| last.value.as_str()),
        _ => None,
    }
}

fn literal(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::Number(text, _) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the FILTER of an aggregate. Looks through parentheses, casts, and calls such as `coalesce(..., 0)` and
/// `round(..., 2)`.
fn filter_of(expression: &Expr) -> Option<&Expr> {
    match expression {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => filter_of(inner),
        Expr::Function(Function { filter: Some(filter), .. }) => Some(filter),
        Expr::Function(Function { args: FunctionArguments::List(list), over: None, .. }) => {
            let (FunctionArg::Unnamed(FunctionArgExpr::Expr(first)), rest) = list.args.split_first()? else {
                return None;
            };
            let constant = |argument: &FunctionArg| {
                matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(_))))
            };
            if rest.iter().all(constant) { filter_of(first) } else { None }
        }
        _ => None,
    }
}
