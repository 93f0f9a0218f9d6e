//! One change in a statement, at each place where there can be one. The same statement gives the same changes.
//!
//! What means the same by rule is not made: ORDER BY without LIMIT, DISTINCT in min and max or of a primary key,
//! `coalesce` within sum or of what is never NULL, an outer join along a complete foreign key, digits of `round`, a key
//! dropped of which WHERE leaves one value.

use std::ops::ControlFlow;

use jiff::ToSpan as _;
use jiff::civil::Date;
use sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr,
    Ident, InTarget, Join, JoinConstraint, JoinOperator, LimitClause, ObjectName, OrderByKind, OrderBySort, Query,
    Select, SelectItem, SetExpr, SetQuantifier, Statement, TableFactor, UnaryOperator, Value, Visit as _, VisitMut,
    Visitor, VisitorMut,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::known::{Kind, Known};

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    /// A condition is dropped or turned round.
    Condition,
    /// `<` is `<=`, `=` is `<>`.
    Comparison,
    /// A number, a text or a date that something is compared with.
    Literal,
    Aggregate,
    /// DISTINCT is added or dropped.
    Distinct,
    /// Another column of the same table and kind.
    Column,
    /// A measure is multiplied or divided.
    Unit,
    Limit,
    /// The direction of ORDER BY, where there is a LIMIT.
    Order,
    /// INNER is LEFT, and back.
    Join,
    /// A key is dropped with its output.
    Key,
    /// Months are quarters.
    Grain,
    /// The sides of a ratio or a difference.
    Sides,
    /// THEN and ELSE.
    Branches,
    /// What is missing counts as 0, or no longer.
    Missing,
}

/// A statement with one change.
#[derive(Debug, Clone)]
pub(super) struct Mutant {
    pub(super) change: Change,
    pub(super) query: Query,
}

/// The statement as a tree.
pub(super) fn parse(sql: &str) -> Query {
    let mut statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    match statements.pop() {
        Some(Statement::Query(query)) => *query,
        _ => panic!("no query: {sql}"),
    }
}

/// All statements with one change, in the order of the places.
pub(super) fn mutants(query: &Query, known: &Known) -> Vec<Mutant> {
    let known = known.of(query);
    let mut places = Places { known: &known, next: 0, found: Vec::new() };
    let _ = query.visit(&mut places);
    let change = |(place, change, node): (usize, Change, Node)| {
        let mut query = query.clone();
        let _ = VisitMut::visit(&mut query, &mut Replacing { place, next: 0, node: Some(node) });
        Mutant { change, query }
    };
    let mutants = places.found.into_iter().map(change);
    mutants.filter(|mutant| mutant.query != *query).collect()
}

/// What stands in a place instead.
enum Node {
    Expression(Box<Expr>),
    Select(Box<Select>),
    Query(Box<Query>),
    /// Instead of all expressions that are equal to the first.
    Everywhere(Box<Expr>, Box<Expr>),
}

/// Finds the places: all queries, selects and expressions are counted in the order of visiting.
struct Places<'k> {
    known: &'k Known,
    next: usize,
    found: Vec<(usize, Change, Node)>,
}

impl Places<'_> {
    fn add(&mut self, found: Vec<(Change, Node)>) -> ControlFlow<()> {
        let place = self.next;
        self.next += 1;
        self.found.extend(found.into_iter().map(|(change, node)| (place, change, node)));
        ControlFlow::Continue(())
    }
}

impl Visitor for Places<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let found = of_query(query);
        self.add(found)
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let found = of_select(select, self.known);
        self.add(found)
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        let found = of_expression(expression, self.known);
        self.add(found)
    }
}

struct Replacing {
    place: usize,
    next: usize,
    node: Option<Node>,
}

impl Replacing {
    fn node(&mut self) -> Option<Node> {
        self.next += 1;
        if self.next == self.place + 1 { self.node.take() } else { None }
    }
}

impl VisitorMut for Replacing {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let Some(Node::Everywhere(old, new)) = &self.node {
            let (old, new) = ((**old).clone(), (**new).clone());
            let _ = VisitMut::visit(query, &mut Everywhere(old, new));
            return ControlFlow::Break(());
        }
        match self.node() {
            Some(Node::Query(changed)) => {
                *query = *changed;
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        match self.node() {
            Some(Node::Select(changed)) => {
                *select = *changed;
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        match self.node() {
            Some(Node::Expression(changed)) => {
                *expression = *changed;
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

struct Everywhere(Expr, Expr);

impl VisitorMut for Everywhere {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if *expression == self.0 {
            *expression = self.1.clone();
        }
        ControlFlow::Continue(())
    }
}

fn of_query(query: &Query) -> Vec<(Change, Node)> {
    let mut found = Vec::new();
    let mut add = |change, changed: Query| found.push((change, Node::Query(Box::new(changed))));
    if query.limit_clause.is_some() {
        add(Change::Limit, Query { limit_clause: None, ..query.clone() });
        let mut turned = query.clone();
        if let Some(first) = turned.order_by.as_mut().and_then(|order| match &mut order.kind {
            OrderByKind::Expressions(expressions) => expressions.first_mut(),
            OrderByKind::All(_) => None,
        }) {
            let falls = matches!(first.options.sort, Some(OrderBySort::Desc));
            first.options.sort = Some(if falls { OrderBySort::Asc } else { OrderBySort::Desc });
            add(Change::Order, turned);
        }
    } else if !is_one_row(&query.body) {
        let limit = Some(LimitClause::LimitOffset { limit: Some(number("3")), offset: None, limit_by: Vec::new() });
        add(Change::Limit, Query { limit_clause: limit, ..query.clone() });
    }
    if let SetExpr::SetOperation { left, op, set_quantifier, right } = &*query.body {
        let is_all = matches!(set_quantifier, SetQuantifier::All);
        let set_quantifier = if is_all { SetQuantifier::None } else { SetQuantifier::All };
        let body = SetExpr::SetOperation { left: left.clone(), op: *op, set_quantifier, right: right.clone() };
        add(Change::Distinct, Query { body: Box::new(body), ..query.clone() });
        add(Change::Condition, Query { body: left.clone(), ..query.clone() });
    }
    if query.limit_clause.is_none()
        && let SetExpr::Select(select) = &*query.body
    {
        for select in without_a_key(select) {
            let body = Box::new(SetExpr::Select(Box::new(select)));
            add(Change::Key, Query { body, order_by: None, ..query.clone() });
        }
    }
    found
}

/// Whether there is never more than one row: aggregates without keys.
pub(super) fn is_one_row(body: &SetExpr) -> bool {
    let SetExpr::Select(select) = body else { return false };
    let is_grouped = matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if !keys.is_empty());
    !is_grouped && select.projection.iter().any(|item| expression_of(item).is_some_and(has_aggregate))
}

fn without_a_key(select: &Select) -> Vec<Select> {
    let GroupByExpr::Expressions(keys, modifiers) = &select.group_by else { return Vec::new() };
    if !modifiers.is_empty() {
        return Vec::new();
    }
    let place = |key: &Expr| output_of(key, select);
    let without = |(index, key): (usize, &Expr)| {
        let shown = place(key).and_then(|place| expression_of(&select.projection[place])).unwrap_or(key);
        if select.selection.as_ref().is_some_and(|condition| fixes(condition, shown)) {
            return None;
        }
        let mut changed = select.clone();
        let mut keys = keys.clone();
        keys.remove(index);
        if let Some(place) = place(key) {
            changed.projection.remove(place);
            for other in &mut keys {
                *other = match ordinal(other) {
                    Some(at) if at > place => number(&at.to_string()),
                    _ => other.clone(),
                };
            }
        }
        changed.group_by = GroupByExpr::Expressions(keys, Vec::new());
        (!changed.projection.is_empty()).then_some(changed)
    };
    keys.iter().enumerate().filter_map(without).collect()
}

/// Whether the condition leaves one value of the key.
fn fixes(condition: &Expr, key: &Expr) -> bool {
    match condition {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => fixes(left, key) || fixes(right, key),
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
            column_of(left).is_some() && column_of(left) == column_of(key) && is_literal(right)
        }
        _ => false,
    }
}

/// The index of the output that a key of GROUP BY is.
fn output_of(key: &Expr, select: &Select) -> Option<usize> {
    ordinal(key).or_else(|| {
        let is_it = |item: &SelectItem| match item {
            SelectItem::UnnamedExpr(expression) => expression == key,
            SelectItem::ExprWithAlias { expr, alias } => {
                expr == key || matches!(key, Expr::Identifier(name) if name.value == alias.value)
            }
            _ => false,
        };
        select.projection.iter().position(is_it)
    })
}

fn ordinal(key: &Expr) -> Option<usize> {
    numeral(key)?.parse::<usize>().ok()?.checked_sub(1)
}

fn of_select(select: &Select, known: &Known) -> Vec<(Change, Node)> {
    let mut found = Vec::new();
    let mut add = |change, changed: Select| found.push((change, Node::Select(Box::new(changed))));
    if select.selection.as_ref().is_some_and(is_single) {
        add(Change::Condition, Select { selection: None, ..select.clone() });
    }
    if select.having.as_ref().is_some_and(is_single) {
        add(Change::Condition, Select { having: None, ..select.clone() });
    }
    if select.distinct.is_some() {
        add(Change::Distinct, Select { distinct: None, ..select.clone() });
    }
    for (source, table) in select.from.iter().enumerate() {
        for (index, join) in table.joins.iter().enumerate() {
            if let Some(join_operator) = other_join(join, known) {
                let mut changed = select.clone();
                changed.from[source].joins[index].join_operator = join_operator;
                add(Change::Join, changed);
            }
        }
    }
    found
}

/// Whether a condition has no conjuncts, which are changed each by itself.
fn is_single(condition: &Expr) -> bool {
    !matches!(condition, Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, .. })
}

fn other_join(join: &Join, known: &Known) -> Option<JoinOperator> {
    let other = match &join.join_operator {
        JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => JoinOperator::Left(constraint.clone()),
        JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => JoinOperator::Inner(constraint.clone()),
        _ => return None,
    };
    (!is_complete(join, known)).then_some(other)
}

/// Whether a foreign key finds a row of the joined table for each row.
fn is_complete(join: &Join, known: &Known) -> bool {
    let TableFactor::Table { name, .. } = &join.relation else { return false };
    let table = last(name);
    let (JoinOperator::Join(constraint)
    | JoinOperator::Inner(constraint)
    | JoinOperator::Left(constraint)
    | JoinOperator::LeftOuter(constraint)) = &join.join_operator
    else {
        return false;
    };
    let columns = match constraint {
        JoinConstraint::Using(names) if names.len() == 1 => vec![last(&names[0])],
        JoinConstraint::On(Expr::BinaryOp { left, op: BinaryOperator::Eq, right }) => {
            [left, right].iter().filter_map(|side| column_of(side)).collect()
        }
        _ => return false,
    };
    columns.iter().any(|column| known.is_complete(&table, column))
}

fn of_expression(expression: &Expr, known: &Known) -> Vec<(Change, Node)> {
    if let Some((change, coarser)) = other_grain(expression) {
        return vec![(change, Node::Everywhere(Box::new(expression.clone()), Box::new(coarser)))];
    }
    let changed = match expression {
        Expr::BinaryOp { left, op, right } => of_operation(left, op, right, known),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => vec![(Change::Condition, (**expr).clone())],
        Expr::IsNull(inner) => vec![(Change::Comparison, Expr::IsNotNull(inner.clone()))],
        Expr::IsNotNull(inner) => vec![(Change::Comparison, Expr::IsNull(inner.clone()))],
        Expr::In { expr, target, negated, .. } => of_membership(expr, target, *negated, known),
        Expr::Exists { subquery, negated } => {
            vec![(Change::Comparison, Expr::Exists { subquery: subquery.clone(), negated: !negated })]
        }
        Expr::Between { expr, negated, low, high } => {
            let between = |low: Expr, high: Expr| Expr::Between {
                expr: expr.clone(),
                negated: *negated,
                low: Box::new(low),
                high: Box::new(high),
            };
            let lower = other_literal(low, expr, known).map(|other| between(other, (**high).clone()));
            let upper = other_literal(high, expr, known).map(|other| between((**low).clone(), other));
            lower.into_iter().chain(upper).map(|changed| (Change::Literal, changed)).collect()
        }
        Expr::Function(function) => of_function(function, known),
        Expr::Case { operand: None, conditions, else_result: Some(otherwise), .. } if conditions.len() == 1 => {
            let mut swapped = expression.clone();
            if let Expr::Case { conditions: own, else_result: Some(own_otherwise), .. } = &mut swapped {
                own[0].result = (**otherwise).clone();
                **own_otherwise = conditions[0].result.clone();
            }
            vec![(Change::Branches, swapped)]
        }
        _ => Vec::new(),
    };
    changed.into_iter().map(|(change, expression)| (change, Node::Expression(Box::new(expression)))).collect()
}

fn of_operation(left: &Expr, op: &BinaryOperator, right: &Expr, known: &Known) -> Vec<(Change, Expr)> {
    let operation = |left: &Expr, op: BinaryOperator, right: &Expr| Expr::BinaryOp {
        left: Box::new(left.clone()),
        op,
        right: Box::new(right.clone()),
    };
    let flipped = match op {
        BinaryOperator::And | BinaryOperator::Or => {
            return vec![(Change::Condition, left.clone()), (Change::Condition, right.clone())];
        }
        BinaryOperator::Minus | BinaryOperator::Divide if !is_literal(left) && !is_literal(right) => {
            return vec![(Change::Sides, operation(&nested(right), op.clone(), &nested(left)))];
        }
        BinaryOperator::Multiply | BinaryOperator::Divide => {
            let other = |literal: &str| number(if literal.starts_with("60") { "3600" } else { "60" });
            return match (numeral(left), numeral(right)) {
                (_, Some(literal)) => vec![(Change::Unit, operation(left, op.clone(), &other(literal)))],
                (Some(literal), _) => vec![(Change::Unit, operation(&other(literal), op.clone(), right))],
                _ => Vec::new(),
            };
        }
        BinaryOperator::Eq => BinaryOperator::NotEq,
        BinaryOperator::NotEq => BinaryOperator::Eq,
        BinaryOperator::Lt => BinaryOperator::LtEq,
        BinaryOperator::LtEq => BinaryOperator::Lt,
        BinaryOperator::Gt => BinaryOperator::GtEq,
        BinaryOperator::GtEq => BinaryOperator::Gt,
        _ => return Vec::new(),
    };
    let mut found = vec![(Change::Comparison, operation(left, flipped, right))];
    found.extend(other_literal(right, left, known).map(|other| (Change::Literal, operation(left, op.clone(), &other))));
    found
        .extend(other_literal(left, right, known).map(|other| (Change::Literal, operation(&other, op.clone(), right))));
    found
}

fn of_membership(expr: &Expr, target: &InTarget, negated: bool, known: &Known) -> Vec<(Change, Expr)> {
    let with = |target, negated| Expr::In { expr: Box::new(expr.clone()), target, negated, global: false };
    let mut found = vec![(Change::Comparison, with(target.clone(), !negated))];
    let InTarget::List(list) = target else { return found };
    if list.len() > 1 {
        found.push((Change::Literal, with(InTarget::List(list[1..].to_vec()), negated)));
    }
    if let Some(other) = list.last().and_then(|last| other_literal(last, expr, known)).filter(|it| !list.contains(it)) {
        let mut list = list.clone();
        list.pop();
        list.push(other);
        found.push((Change::Literal, with(InTarget::List(list), negated)));
    }
    found
}

/// Another literal of the same kind: a text or a number that occurs in the column, a date a month later.
fn other_literal(literal: &Expr, compared: &Expr, known: &Known) -> Option<Expr> {
    let (mut changed, mut typed) = (literal.clone(), literal.clone());
    let value = match &mut changed {
        Expr::Value(value) => &mut value.value,
        Expr::TypedString(_) => match &mut typed {
            Expr::TypedString(text) => &mut text.value.value,
            _ => return None,
        },
        _ => return None,
    };
    let occurring = column_of(compared).and_then(|name| known.column(&name));
    let occurring = occurring.map(|column| column.values.as_slice()).unwrap_or_default();
    let after = |text: &str| {
        let place = occurring.iter().position(|known| known == text);
        occurring.get(place.map_or(0, |place| (place + 1) % occurring.len())).filter(|other| *other != text)
    };
    *value = match &*value {
        Value::SingleQuotedString(text) => Value::SingleQuotedString(match a_month_later(text) {
            Some(later) => later,
            None => after(text)?.clone(),
        }),
        Value::Number(text, long) => {
            let number = text.parse::<f64>().ok()?;
            let other = after(text).filter(|other| other.parse::<f64>().is_ok());
            Value::Number(other.map_or_else(|| (number + 1.0).to_string(), Clone::clone), *long)
        }
        Value::Boolean(value) => Value::Boolean(!value),
        _ => return None,
    };
    Some(if matches!(literal, Expr::Value(_)) { changed } else { typed })
}

fn a_month_later(text: &str) -> Option<String> {
    let (day, rest) = text.split_at_checked(10)?;
    let later = day.parse::<Date>().ok()?.checked_add(1.month()).ok()?;
    Some(format!("{later}{rest}"))
}

const SUMMARIES: &[&str] = &["sum", "avg", "min", "max"];

fn of_function(function: &Function, known: &Known) -> Vec<(Change, Expr)> {
    let name = last(&function.name).to_lowercase();
    if !is_aggregate(function) {
        return Vec::new();
    }
    let mut found = Vec::new();
    if let Some(filter) = function.filter.as_deref().filter(|filter| is_single(filter)) {
        found.push((Change::Condition, Expr::Function(Function { filter: None, ..function.clone() })));
        if column_of(filter).is_some() {
            let turned = Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(filter.clone()) };
            found.push((Change::Condition, with_filter(function, turned)));
        }
    }
    found.extend(other_aggregates(function, &name, known));
    found.extend(other_column(function, known).map(|changed| (Change::Column, changed)));
    found.extend(with_missing(function, &name, known).map(|changed| (Change::Missing, changed)));
    if function.over.is_none() {
        for (op, factor) in
            [(BinaryOperator::Divide, "60"), (BinaryOperator::Multiply, "100"), (BinaryOperator::Divide, "1000")]
        {
            let (left, right) = (Box::new(Expr::Function(function.clone())), Box::new(number(factor)));
            found.push((Change::Unit, Expr::Nested(Box::new(Expr::BinaryOp { left, op, right }))));
        }
    }
    found
}

fn with_filter(function: &Function, filter: Expr) -> Expr {
    Expr::Function(Function { filter: Some(Box::new(filter)), ..function.clone() })
}

fn other_aggregates(function: &Function, name: &str, known: &Known) -> Vec<(Change, Expr)> {
    let mut found = Vec::new();
    let FunctionArguments::List(list) = &function.args else { return found };
    let named = |name: &str, treatment: Option<DuplicateTreatment>, argument: Option<FunctionArgExpr>| {
        let mut list = list.clone();
        list.duplicate_treatment = treatment;
        if let Some(argument) = argument {
            list.args = vec![FunctionArg::Unnamed(argument)];
        }
        let name = ObjectName::from(vec![Ident::new(name)]);
        Expr::Function(Function { name, args: FunctionArguments::List(list), ..function.clone() })
    };
    let distinct = Some(DuplicateTreatment::Distinct);
    let is_distinct = list.duplicate_treatment == distinct;
    let column = only_argument(function).and_then(column_of).and_then(|name| known.column(&name));
    let is_unique = column.is_some_and(|column| column.is_key);
    if SUMMARIES.contains(&name) {
        let others = SUMMARIES.iter().filter(|other| **other != name);
        found.extend(others.map(|other| (Change::Aggregate, named(other, list.duplicate_treatment, None))));
        found.push((Change::Aggregate, named("count", list.duplicate_treatment, None)));
        if matches!(name, "sum" | "avg") && !is_unique {
            found.push((Change::Distinct, named(name, if is_distinct { None } else { distinct }, None)));
        }
    }
    if name == "count" {
        if only_argument(function).is_none() {
            let counted = known.columns().find(|column| !column.is_key);
            let counted = counted.map(|column| FunctionArgExpr::Expr(identifier(&column.name)));
            found.extend(counted.map(|counted| (Change::Aggregate, named("count", distinct, Some(counted)))));
        } else if !is_unique {
            found.push((Change::Distinct, named(name, if is_distinct { None } else { distinct }, None)));
        }
        if only_argument(function).is_some()
            && (is_distinct && !is_unique || column.is_some_and(|column| column.nullable))
        {
            found.push((Change::Aggregate, named("count", None, Some(FunctionArgExpr::Wildcard))));
        }
    }
    found
}

/// The aggregate of another column of the same table.
fn other_column(function: &Function, known: &Known) -> Option<Expr> {
    struct First<'k>(&'k Known);
    impl VisitorMut for First<'_> {
        type Break = ();
        fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
            let name = match expression {
                Expr::Identifier(name) => name,
                Expr::CompoundIdentifier(parts) => match parts.last_mut() {
                    Some(name) => name,
                    None => return ControlFlow::Continue(()),
                },
                _ => return ControlFlow::Continue(()),
            };
            match self.0.sibling(&name.value) {
                Some(other) => {
                    *name = Ident::with_quote('"', other.name.clone());
                    ControlFlow::Break(())
                }
                None => ControlFlow::Continue(()),
            }
        }
    }
    let mut changed = function.clone();
    let is_changed = if changed.within_group.is_empty() {
        VisitMut::visit(&mut changed.args, &mut First(known)).is_break()
    } else {
        VisitMut::visit(&mut changed.within_group, &mut First(known)).is_break()
    };
    is_changed.then_some(Expr::Function(changed))
}

/// The aggregate with what is missing as 0, or no longer so.
fn with_missing(function: &Function, name: &str, known: &Known) -> Option<Expr> {
    if !matches!(name, "avg" | "min" | "max" | "count") {
        return None;
    }
    let argument = only_argument(function)?;
    let changed = if let Expr::Function(inner) = argument {
        let FunctionArguments::List(list) = &inner.args else { return None };
        match (last(&inner.name).to_lowercase().as_str(), list.args.first()) {
            ("coalesce", Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(first)))) => first.clone(),
            _ => return None,
        }
    } else {
        let column = known.column(&column_of(argument)?)?;
        if !column.nullable || column.kind != Kind::Number {
            return None;
        }
        let mut coalesce = function.clone();
        coalesce.name = ObjectName::from(vec![Ident::new("coalesce")]);
        (coalesce.filter, coalesce.over) = (None, None);
        if let FunctionArguments::List(list) = &mut coalesce.args {
            list.duplicate_treatment = None;
            list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Expr(number("0"))));
        }
        Expr::Function(coalesce)
    };
    let mut function = function.clone();
    if let FunctionArguments::List(list) = &mut function.args {
        list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(changed))];
    }
    Some(Expr::Function(function))
}

fn other_grain(expression: &Expr) -> Option<(Change, Expr)> {
    let Expr::Function(function) = expression else { return None };
    let place = match last(&function.name).to_lowercase().as_str() {
        "date_trunc" => 0,
        "to_char" => 1,
        _ => return None,
    };
    let mut changed = function.clone();
    let FunctionArguments::List(list) = &mut changed.args else { return None };
    let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(grain)))) = list.args.get_mut(place) else {
        return None;
    };
    let Value::SingleQuotedString(text) = &mut grain.value else { return None };
    *text = match text.as_str() {
        "month" => "quarter",
        "day" => "week",
        "week" | "quarter" | "year" => "month",
        "YYYY-MM" => "YYYY-\"Q\"Q",
        "YYYY-\"Q\"Q" | "YYYY" => "YYYY-MM",
        _ => return None,
    }
    .to_owned();
    Some((Change::Grain, Expr::Function(changed)))
}

fn only_argument(function: &Function) -> Option<&Expr> {
    match &function.args {
        FunctionArguments::List(list) => match list.args.as_slice() {
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] => Some(argument),
            _ => None,
        },
        _ => None,
    }
}

/// The last name of the column that an expression is, without casts.
pub(super) fn column_of(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Identifier(name) => Some(name.value.clone()),
        Expr::CompoundIdentifier(parts) => parts.last().map(|name| name.value.clone()),
        Expr::Cast { expr, .. } | Expr::Nested(expr) => column_of(expr),
        _ => None,
    }
}

pub(super) fn last(name: &ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map(|name| name.value.clone()).unwrap_or_default()
}

pub(super) fn expression_of(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

/// Whether an aggregate stands in it, those of subqueries included.
pub(super) fn has_aggregate(expression: &Expr) -> bool {
    struct Aggregates;
    impl Visitor for Aggregates {
        type Break = ();
        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            match expression {
                Expr::Function(function) if is_aggregate(function) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expression.visit(&mut Aggregates).is_break()
}

fn is_aggregate(function: &Function) -> bool {
    const OTHERS: &[&str] =
        &["count", "stddev", "percentile_cont", "percentile_disc", "corr", "regr_slope", "regr_intercept", "regr_r2"];
    let name = last(&function.name).to_lowercase();
    SUMMARIES.contains(&name.as_str()) || OTHERS.contains(&name.as_str())
}

pub(super) fn is_literal(expression: &Expr) -> bool {
    match expression {
        Expr::Value(_) | Expr::TypedString(_) | Expr::Interval(_) => true,
        Expr::Cast { expr, .. } | Expr::Nested(expr) => is_literal(expr),
        _ => false,
    }
}

fn numeral(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn number(text: &str) -> Expr {
    Expr::value(Value::Number(text.to_owned(), false))
}

fn identifier(name: &str) -> Expr {
    Expr::Identifier(Ident::with_quote('"', name))
}

fn nested(expression: &Expr) -> Expr {
    match expression {
        Expr::BinaryOp { .. } => Expr::Nested(Box::new(expression.clone())),
        _ => expression.clone(),
    }
}
