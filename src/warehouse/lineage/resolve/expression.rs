//! Expressions of the parsed tree to [`Expression`].

use sqlparser::ast::{
    Array, BinaryOperator, CaseWhen, CastKind, CeilFloorKind, DateTimeField, Expr, InTarget, Interval,
    Query as ParsedQuery, TrimWhereField, Value,
};

use super::super::expression::{Expression, Literal, Subquery, SubqueryForm};
use super::super::query::Query;
use super::scope::Scope;
use super::{Resolver, is_constant, names};
use crate::typeset::text::line;
use crate::warehouse::sql::dates;

/// Characters of a form that a reason names.
const FORM_CHARACTERS_MAX: usize = 60;

impl<'q> Resolver<'q> {
    /// Returns the expression, with unknown parts where a form or name is not known.
    pub(super) fn expression(&mut self, expr: &'q Expr, scope: &Scope<'_>) -> Expression {
        self.known(expr, scope).unwrap_or_else(|| {
            let form = line(&expr.to_string(), FORM_CHARACTERS_MAX);
            Expression::Unknown(format!("a form that is not traced, {form}"))
        })
    }

    fn boxed(&mut self, expr: &'q Expr, scope: &Scope<'_>) -> Box<Expression> {
        Box::new(self.expression(expr, scope))
    }

    pub(super) fn expressions(
        &mut self,
        list: impl IntoIterator<Item = &'q Expr>,
        scope: &Scope<'_>,
    ) -> Vec<Expression> {
        list.into_iter().map(|expr| self.expression(expr, scope)).collect()
    }

    /// Returns the expression; `None` for a form that is not known.
    fn known(&mut self, expr: &'q Expr, scope: &Scope<'_>) -> Option<Expression> {
        let postfix = |value, operator| Some(Expression::postfix(value, operator));
        match expr {
            Expr::Identifier(ident) => Some(scope.name(&ident.value)),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [range, name] | [_, range, name] => Some(scope.qualified(&range.value, &name.value)),
                _ => None,
            },
            Expr::Nested(inner) => Some(self.expression(inner, scope)),
            Expr::Value(value) => literal(&value.value).map(Expression::Literal),
            Expr::IsNull(value) => postfix(self.expression(value, scope), "IS NULL"),
            Expr::IsNotNull(value) => postfix(self.expression(value, scope), "IS NOT NULL"),
            Expr::IsTrue(value) => postfix(self.expression(value, scope), "IS TRUE"),
            Expr::IsNotTrue(value) => postfix(self.expression(value, scope), "IS NOT TRUE"),
            Expr::IsFalse(value) => postfix(self.expression(value, scope), "IS FALSE"),
            Expr::IsNotFalse(value) => postfix(self.expression(value, scope), "IS NOT FALSE"),
            Expr::IsUnknown(value) => postfix(self.expression(value, scope), "IS UNKNOWN"),
            Expr::IsNotUnknown(value) => postfix(self.expression(value, scope), "IS NOT UNKNOWN"),
            Expr::IsDistinctFrom(left, right) => Some(self.infix(left, "IS DISTINCT FROM", right, scope)),
            Expr::IsNotDistinctFrom(left, right) => Some(self.infix(left, "IS NOT DISTINCT FROM", right, scope)),
            Expr::BinaryOp { left, op, right } if names::binds_as_postgres(left, op, right) => {
                Some(self.infix(left, names::infix(op)?, right, scope))
            }
            Expr::UnaryOp { op, expr } if names::signs_as_postgres(*op, expr) => {
                Some(Expression::prefix(names::prefix(*op)?, self.expression(expr, scope)))
            }
            Expr::Between { expr, negated, low, high } => Some(self.between(expr, low, high, *negated, scope)),
            Expr::In { expr, target, negated, global: false } => self.membership(expr, target, *negated, scope),
            Expr::Like { negated, any: false, expr, pattern, escape_char: None } if !names::is_comparison(expr) => {
                Some(negate(self.infix(expr, "LIKE", pattern, scope), *negated))
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char: None } if !names::is_comparison(expr) => {
                Some(negate(self.infix(expr, "ILIKE", pattern, scope), *negated))
            }
            Expr::SimilarTo { negated, expr, pattern, escape_char: None } if !names::is_comparison(expr) => {
                Some(negate(self.infix(expr, "SIMILAR TO", pattern, scope), *negated))
            }
            Expr::AnyOp { left, compare_op, right, is_some: _ } => {
                self.quantified(left, compare_op, "ANY", right, scope)
            }
            Expr::AllOp { left, compare_op, right } => self.quantified(left, compare_op, "ALL", right, scope),
            Expr::Case { operand, conditions, else_result, .. } => {
                Some(self.case(operand.as_deref(), conditions, else_result.as_deref(), scope))
            }
            Expr::Exists { subquery, negated } => {
                Some(negate(self.subquery(subquery, SubqueryForm::Exists, scope), *negated))
            }
            Expr::Subquery(query) => Some(self.subquery(query, SubqueryForm::Value, scope)),
            Expr::Tuple(list) => Some(Expression::Row(self.expressions(list, scope))),
            Expr::Array(Array { elem, named: true }) => Some(Expression::Array(self.expressions(elem, scope))),
            Expr::Function(function) => self.call(function, scope),
            other => self.special(other, scope),
        }
    }

    /// Returns the forms with a syntax of their own that are calls or casts.
    fn special(&mut self, expr: &'q Expr, scope: &Scope<'_>) -> Option<Expression> {
        match expr {
            Expr::Cast { kind: CastKind::Cast | CastKind::DoubleColon, expr, data_type, format: None } => {
                Some(cast(self.expression(expr, scope), names::type_name(data_type)?))
            }
            Expr::TypedString(typed) => {
                let text = Expression::Literal(literal(&typed.value.value)?);
                Some(cast(text, names::type_name(&typed.data_type)?))
            }
            Expr::Interval(interval) => interval_text(interval)
                .map(|text| cast(Expression::Literal(Literal::Text(text)), "interval".to_owned())),
            Expr::Extract { field, syntax: _, expr } => {
                let field = Expression::Literal(Literal::Text(field.to_string().to_lowercase()));
                Some(call("extract", vec![field, self.expression(expr, scope)]))
            }
            Expr::AtTimeZone { timestamp, time_zone } => {
                Some(call("timezone", self.expressions([&**time_zone, timestamp], scope)))
            }
            Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                Some(call("ceil", vec![self.expression(expr, scope)]))
            }
            Expr::Floor { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                Some(call("floor", vec![self.expression(expr, scope)]))
            }
            Expr::Position { expr, r#in } => Some(call("strpos", self.expressions([&**r#in, expr], scope))),
            Expr::Substring { expr, substring_from: Some(from), substring_for, .. } => {
                let list = [&**expr, from].into_iter().chain(substring_for.as_deref());
                Some(call("substring", self.expressions(list, scope)))
            }
            Expr::Trim { trim_where, trim_what, expr, trim_characters } => {
                let function = match trim_where {
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                    Some(TrimWhereField::Both) | None => "btrim",
                };
                let characters = trim_characters.iter().flatten().chain(trim_what.as_deref());
                Some(call(function, self.expressions(std::iter::once(&**expr).chain(characters), scope)))
            }
            _ => None,
        }
    }

    fn infix(&mut self, left: &'q Expr, operator: &str, right: &'q Expr, scope: &Scope<'_>) -> Expression {
        let (left, right) = (self.expression(left, scope), self.expression(right, scope));
        // `5 <= x` says `x >= 5`, and is called so.
        let mirrored = [("<", ">"), ("<=", ">="), (">", "<"), (">=", "<="), ("=", "="), ("<>", "<>")];
        match mirrored.iter().find(|(written, _)| *written == operator) {
            Some((_, sign)) if is_constant(&left) && !is_constant(&right) => Expression::infix(right, sign, left),
            _ => Expression::infix(left, operator, right),
        }
    }

    fn between(
        &mut self,
        value: &'q Expr,
        low: &'q Expr,
        high: &'q Expr,
        negated: bool,
        scope: &Scope<'_>,
    ) -> Expression {
        let above = self.infix(value, ">=", low, scope);
        let below = self.infix(value, "<=", high, scope);
        negate(Expression::infix(above, "AND", below), negated)
    }

    fn membership(
        &mut self,
        value: &'q Expr,
        target: &'q InTarget,
        negated: bool,
        scope: &Scope<'_>,
    ) -> Option<Expression> {
        let value = self.expression(value, scope);
        let member = match target {
            InTarget::List(list) => Expression::In { value: Box::new(value), list: self.expressions(list, scope) },
            InTarget::Subquery(query) => self.subquery(query, SubqueryForm::In(value), scope),
            InTarget::Unnest(_) | InTarget::Table { .. } => return None,
        };
        Some(negate(member, negated))
    }

    fn quantified(
        &mut self,
        left: &'q Expr,
        operator: &BinaryOperator,
        quantifier: &'static str,
        right: &'q Expr,
        scope: &Scope<'_>,
    ) -> Option<Expression> {
        let operator = names::infix(operator)?;
        let is_query = |expr: &'q Expr| match expr {
            Expr::Subquery(query) => Some(&**query),
            Expr::Nested(inner) => match &**inner {
                Expr::Subquery(query) => Some(&**query),
                _ => None,
            },
            _ => None,
        };
        if let Some(query) = is_query(right) {
            let value = self.expression(left, scope);
            return (operator == "=" && quantifier == "ANY")
                .then(|| self.subquery(query, SubqueryForm::In(value), scope));
        }
        Some(Expression::Quantified {
            left: self.boxed(left, scope),
            operator: operator.to_owned(),
            quantifier,
            right: self.boxed(right, scope),
        })
    }

    fn case(
        &mut self,
        operand: Option<&'q Expr>,
        conditions: &'q [CaseWhen],
        otherwise: Option<&'q Expr>,
        scope: &Scope<'_>,
    ) -> Expression {
        let branches = conditions
            .iter()
            .map(|branch| (self.expression(&branch.condition, scope), self.expression(&branch.result, scope)));
        let branches = branches.collect::<Vec<_>>();
        let operand = operand.map(|operand| self.boxed(operand, scope));
        let otherwise = otherwise.map(|otherwise| self.boxed(otherwise, scope));
        match (&operand, branches.as_slice(), &otherwise) {
            (None, [(condition, value)], None) => lenient_cast(condition, value),
            _ => None,
        }
        .unwrap_or(Expression::Case { operand, branches, otherwise })
    }

    pub(super) fn subquery(&mut self, query: &'q ParsedQuery, form: SubqueryForm, scope: &Scope<'_>) -> Expression {
        match self.query(query, Some(scope)) {
            Query::Unknown(reason) => Expression::Unknown(reason),
            query => Expression::Subquery(Box::new(Subquery { form, query })),
        }
    }
}

/// Returns a call of a function that depends on its arguments alone.
pub(super) fn call(function: &str, arguments: Vec<Expression>) -> Expression {
    Expression::Call { function: function.to_owned(), arguments }
}

/// Returns a cast. Some words become the moment at which the statement runs.
fn cast(value: Expression, type_name: String) -> Expression {
    const MOMENTS: &[&str] = &["now", "today", "tomorrow", "yesterday"];
    if let Expression::Literal(Literal::Text(text)) = &value
        && MOMENTS.contains(&text.trim().to_lowercase().as_str())
        && (type_name.starts_with("date") || type_name.starts_with("time"))
    {
        return Expression::Unknown(format!("'{}' depends on when the statement runs", text.trim()));
    }
    Expression::Cast { value: Box::new(value), type_name, lenient: false }
}

/// Returns the cast of a text that is NULL for what is no date, where a CASE is one.
fn lenient_cast(condition: &Expression, value: &Expression) -> Option<Expression> {
    let (text, pattern) = condition.as_infix("~")?;
    let Expression::Cast { value, type_name, .. } = value else { return None };
    let Expression::Literal(Literal::Text(pattern)) = pattern else { return None };
    let is_pattern = dates::pattern(type_name) == Some(pattern.as_str());
    (is_pattern && **value == *text).then(|| Expression::Cast {
        value: value.clone(),
        type_name: type_name.clone(),
        lenient: true,
    })
}

fn negate(condition: Expression, negated: bool) -> Expression {
    if negated { Expression::prefix("NOT", condition) } else { condition }
}

fn literal(value: &Value) -> Option<Literal> {
    match value {
        Value::Number(number, false) => Some(Literal::Number(number.clone())),
        Value::SingleQuotedString(text) => Some(Literal::Text(text.clone())),
        Value::Boolean(value) => Some(Literal::Boolean(*value)),
        Value::Null => Some(Literal::Null),
        Value::Placeholder(name) => Some(Literal::Parameter(name.clone())),
        _ => None,
    }
}

/// Returns the text of an interval, with the unit that follows the string: `90 days`, `1 month`.
fn interval_text(interval: &Interval) -> Option<String> {
    let Expr::Value(value) = &*interval.value else { return None };
    let Value::SingleQuotedString(text) = &value.value else { return None };
    match (&interval.leading_field, &interval.last_field, interval.leading_precision) {
        (None, None, None) => Some(text.clone()),
        (Some(unit), None, None) if text.trim().bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(format!("{} {}", text.trim(), unit.to_string().to_lowercase()))
        }
        _ => None,
    }
}
