//! Expressions over the columns of a query's sources, as [`super::resolve`] makes them of the parsed tree.
//!
//! Names are resolved: a column says which source it belongs to, whatever CTEs, subqueries and aliases lay between. Forms
//! that differ only in spelling are one form: `!=` is `<>`, BETWEEN is two comparisons, `position(a IN b)` is `strpos`.

use super::query::Query;

/// The number of a source, unique within one lineage.
pub type SourceId = usize;

/// What a value is computed from, with the names resolved.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Expression {
    Column(Column),
    Literal(Literal),
    /// A call of a function that depends on its arguments alone.
    Call {
        function: String,
        arguments: Vec<Expression>,
    },
    /// An operator with one operand (before or after it) or two.
    Operation {
        operator: Operator,
        operands: Vec<Expression>,
    },
    Case {
        operand: Option<Box<Expression>>,
        branches: Vec<(Expression, Expression)>,
        otherwise: Option<Box<Expression>>,
    },
    Cast {
        value: Box<Expression>,
        type_name: String,
        /// Whether a text that is no date is NULL instead of an error: [`crate::warehouse::sql::dates`].
        lenient: bool,
    },
    /// `value IN (list)`.
    In {
        value: Box<Expression>,
        list: Vec<Expression>,
    },
    /// `left operator ANY (right)`, or ALL.
    Quantified {
        left: Box<Expression>,
        operator: String,
        quantifier: &'static str,
        right: Box<Expression>,
    },
    Array(Vec<Expression>),
    Row(Vec<Expression>),
    Aggregate(Box<Aggregate>),
    Window(Box<Window>),
    /// A query with one column, or of whose rows only the existence matters.
    Subquery(Box<Subquery>),
    /// One of the measures of a meaning, by its index.
    Measure(usize),
    /// A value that cannot be traced, with the reason.
    Unknown(String),
}

/// A column of a source.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Column {
    pub source: SourceId,
    /// The position in the source, counted from 0.
    pub index: usize,
    /// The name in the source.
    pub name: String,
}

/// A constant written in the statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Literal {
    /// A number as written, without a sign.
    Number(String),
    Text(String),
    Boolean(bool),
    Null,
    /// A bound of the time range: `$1` or `$2`.
    Parameter(String),
}

/// An operator and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Before its operand: NOT, minus.
    Prefix(String),
    Infix(String),
    /// After its operand: IS NULL.
    Postfix(String),
}

/// An aggregate over the rows of a group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Aggregate {
    pub function: String,
    /// The arguments; empty for `count(*)`.
    pub arguments: Vec<Expression>,
    pub distinct: bool,
    /// The order of the rows, inside the call.
    pub order: Vec<Order>,
    /// The order of the rows of an ordered-set aggregate, such as `percentile_cont`.
    pub within: Vec<Order>,
    /// The conditions that a row must meet to count.
    pub filter: Vec<Expression>,
}

/// A function over the rows of a window.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Window {
    /// The aggregate or window function.
    pub function: Aggregate,
    pub partition: Vec<Expression>,
    pub order: Vec<Order>,
    /// The frame as SQL, such as `ROWS BETWEEN 2 PRECEDING AND CURRENT ROW`.
    pub frame: Option<String>,
}

/// A key of an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Order {
    pub key: Expression,
    pub descending: bool,
    pub nulls_first: Option<bool>,
}

/// A query inside an expression.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subquery {
    pub form: SubqueryForm,
    pub query: Query,
}

/// What an expression takes from a query.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SubqueryForm {
    /// The one value.
    Value,
    /// Whether there is a row.
    Exists,
    /// Whether the value is among the rows.
    In(Expression),
}

/// Operators whose result is true or false.
const CONDITIONS: &[&str] = &[
    "=",
    "<>",
    "<",
    ">",
    "<=",
    ">=",
    "AND",
    "OR",
    "LIKE",
    "ILIKE",
    "NOT LIKE",
    "NOT ILIKE",
    "IS DISTINCT FROM",
    "IS NOT DISTINCT FROM",
    "~",
    "~*",
    "!~",
    "!~*",
];

impl Expression {
    /// Returns NULL.
    pub fn null() -> Self {
        Self::Literal(Literal::Null)
    }

    /// Returns `left operator right`.
    pub fn infix(left: Self, operator: &str, right: Self) -> Self {
        Self::Operation { operator: Operator::Infix(operator.to_owned()), operands: vec![left, right] }
    }

    /// Returns `operator operand`.
    pub fn prefix(operator: &str, operand: Self) -> Self {
        Self::Operation { operator: Operator::Prefix(operator.to_owned()), operands: vec![operand] }
    }

    /// Returns `operand operator`.
    pub fn postfix(operand: Self, operator: &str) -> Self {
        Self::Operation { operator: Operator::Postfix(operator.to_owned()), operands: vec![operand] }
    }

    /// Returns the operands if this is a binary operation with the operator.
    pub fn as_infix(&self, sign: &str) -> Option<(&Self, &Self)> {
        match self {
            Self::Operation { operator: Operator::Infix(operator), operands } if operator == sign => {
                Some((operands.first()?, operands.get(1)?))
            }
            _ => None,
        }
    }

    /// Returns the operands if this compares two values by size or order.
    pub fn as_ordering(&self) -> Option<(&Self, &Self)> {
        ["<", "<=", ">", ">="].iter().find_map(|sign| self.as_infix(sign))
    }

    /// Returns whether the value is true or false by its form.
    pub fn is_condition(&self) -> bool {
        match self {
            Self::In { .. } | Self::Quantified { .. } => true,
            Self::Operation { operator: Operator::Infix(sign), .. } => CONDITIONS.contains(&sign.as_str()),
            Self::Operation { operator: Operator::Prefix(sign), .. } => sign == "NOT",
            Self::Operation { operator: Operator::Postfix(sign), .. } => sign.starts_with("IS "),
            _ => false,
        }
    }

    /// Returns the conditions that all must hold for this one to hold.
    pub fn conjuncts(self) -> Vec<Self> {
        match self {
            Self::Operation { operator: Operator::Infix(operator), operands } if operator == "AND" => {
                operands.into_iter().flat_map(Self::conjuncts).collect()
            }
            other => vec![other],
        }
    }

    /// Returns whether the test holds for an expression directly below this one. Those inside a subquery are not among
    /// them.
    pub fn any_child<'e>(&'e self, test: &mut dyn FnMut(&'e Self) -> bool) -> bool {
        match self {
            Self::Column(_) | Self::Literal(_) | Self::Measure(_) | Self::Unknown(_) => false,
            Self::Call { arguments: list, .. }
            | Self::Operation { operands: list, .. }
            | Self::Array(list)
            | Self::Row(list) => list.iter().any(test),
            Self::Case { operand, branches, otherwise } => {
                operand.as_deref().is_some_and(&mut *test)
                    || branches.iter().any(|(condition, value)| test(condition) || test(value))
                    || otherwise.as_deref().is_some_and(test)
            }
            Self::Cast { value, .. } => test(value),
            Self::In { value, list } => test(value) || list.iter().any(test),
            Self::Quantified { left, right, .. } => test(left) || test(right),
            Self::Aggregate(aggregate) => aggregate.parts().any(test),
            Self::Window(window) => {
                let order = window.order.iter().map(|order| &order.key);
                window.function.parts().chain(&window.partition).chain(order).any(test)
            }
            Self::Subquery(subquery) => match &subquery.form {
                SubqueryForm::In(value) => test(value),
                SubqueryForm::Value | SubqueryForm::Exists => false,
            },
        }
    }

    /// Calls `visit` with each expression directly below this one.
    pub fn each_child<'e>(&'e self, visit: &mut dyn FnMut(&'e Self)) {
        self.any_child(&mut |child| {
            visit(child);
            false
        });
    }

    /// Calls `change` with each expression directly below this one.
    pub(super) fn each_child_mut(&mut self, change: &mut dyn FnMut(&mut Self)) {
        match self {
            Self::Column(_) | Self::Literal(_) | Self::Measure(_) | Self::Unknown(_) => {}
            Self::Call { arguments: list, .. }
            | Self::Operation { operands: list, .. }
            | Self::Array(list)
            | Self::Row(list) => list.iter_mut().for_each(change),
            Self::Case { operand, branches, otherwise } => {
                operand.as_deref_mut().into_iter().for_each(&mut *change);
                for (condition, value) in branches {
                    change(condition);
                    change(value);
                }
                otherwise.as_deref_mut().into_iter().for_each(change);
            }
            Self::Cast { value, .. } => change(value),
            Self::In { value, list } => {
                change(value);
                list.iter_mut().for_each(change);
            }
            Self::Quantified { left, right, .. } => {
                change(left);
                change(right);
            }
            Self::Aggregate(aggregate) => aggregate.parts_mut().for_each(change),
            Self::Window(window) => {
                let order = window.order.iter_mut().map(|order| &mut order.key);
                window.function.parts_mut().chain(&mut window.partition).chain(order).for_each(change);
            }
            Self::Subquery(subquery) => match &mut subquery.form {
                SubqueryForm::In(value) => change(value),
                SubqueryForm::Value | SubqueryForm::Exists => {}
            },
        }
    }

    /// Returns whether the predicate holds for this expression or one below it. Subqueries are not entered.
    pub fn any(&self, predicate: &mut dyn FnMut(&Self) -> bool) -> bool {
        predicate(self) || self.any_child(&mut |child| child.any(predicate))
    }

    /// Calls `visit` with this expression and all below it, those of subqueries included.
    pub fn visit<'e>(&'e self, visit: &mut dyn FnMut(&'e Self)) {
        visit(self);
        self.each_child(&mut |child| child.visit(visit));
        if let Self::Subquery(subquery) = self {
            subquery.query.visit(visit);
        }
    }

    /// Replaces each expression for which `replace` returns another one, from the top down, those of subqueries
    /// included. What was put in is not looked at again.
    pub fn replace(&mut self, replace: &mut dyn FnMut(&Self) -> Option<Self>) {
        if let Some(other) = replace(self) {
            *self = other;
            return;
        }
        self.each_child_mut(&mut |child| child.replace(replace));
        if let Self::Subquery(subquery) = self {
            subquery.query.replace(replace);
        }
    }

    /// Replaces each expression directly below this one.
    pub fn map_children(&mut self, map: &mut dyn FnMut(&Self) -> Self) {
        self.each_child_mut(&mut |child| *child = map(child));
    }

    /// Returns the columns of this expression, those of subqueries included.
    pub fn columns(&self) -> Vec<&Column> {
        let mut columns = Vec::new();
        self.visit(&mut |expression| {
            if let Self::Column(column) = expression {
                columns.push(column);
            }
        });
        columns
    }

    /// Returns why the value cannot be traced; `None` if it can.
    pub fn unknown(&self) -> Option<&str> {
        let mut reason = None;
        self.visit(&mut |expression| {
            if let Self::Unknown(why) = expression {
                reason.get_or_insert(why.as_str());
            }
        });
        reason
    }

    /// Returns whether there is an aggregate outside windows and subqueries, or as a window's argument.
    pub fn has_aggregate(&self) -> bool {
        match self {
            Self::Aggregate(_) => true,
            _ => self.any_child(&mut Self::has_aggregate),
        }
    }

    /// Returns whether there is a subquery.
    pub fn has_subquery(&self) -> bool {
        self.any(&mut |expression| matches!(expression, Self::Subquery(_)))
    }

    /// Returns the columns in subqueries of this expression.
    pub fn columns_of_subqueries(&self) -> Vec<&Column> {
        let mut columns = Vec::new();
        self.visit(&mut |expression| {
            if let Self::Subquery(subquery) = expression {
                subquery.query.visit(&mut |inner| {
                    if let Self::Column(column) = inner {
                        columns.push(column);
                    }
                });
            }
        });
        columns
    }

    /// Returns whether there is a window.
    pub fn has_window(&self) -> bool {
        self.any(&mut |expression| matches!(expression, Self::Window(_)))
    }
}

impl Aggregate {
    /// Returns what it is computed from.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Expression> {
        let order = self.order.iter().chain(&self.within).map(|order| &order.key);
        self.arguments.iter().chain(order).chain(&self.filter)
    }

    fn parts_mut(&mut self) -> impl Iterator<Item = &mut Expression> {
        let order = self.order.iter_mut().chain(&mut self.within).map(|order| &mut order.key);
        self.arguments.iter_mut().chain(order).chain(&mut self.filter)
    }

    /// Returns whether this is `count(*)`.
    pub fn counts_rows(&self) -> bool {
        self.function == "count" && self.arguments.is_empty()
    }
}
