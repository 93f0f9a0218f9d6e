//! Protects columns whose values may not be shown. Nothing that is computed from single values of them may be shown
//! either.
//!
//! Such a column may be counted, summed and averaged, and joined by `=`. A subquery may return it unchanged. A column
//! that it is joined to has the same values, so it may not be shown either: [`super::check`] ensures that.
//!
//! These rules protect the values of one relation as a whole. So its values are never combined with others: a UNION
//! with constants, joined or counted, would reveal which value is which. They are not read row by row from a subquery
//! either. And they are not joined to values that the statement makes, or to relations that describe the database,
//! because those values are known.

use sqlparser::ast::{
    BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    ObjectNamePart,
};

use super::scope::Meaning;
use super::{Refusal, Walk, names};
use crate::warehouse::sql::fields::{Field, Fields, Secret, hidden};

/// Aggregates that reveal no single value, except in a group of one.
const OF_MANY: &[&str] =
    &["avg", "count", "stddev", "stddev_pop", "stddev_samp", "sum", "var_pop", "var_samp", "variance"];

/// Refuses columns that may not be shown.
pub(super) fn check_none(fields: &Fields) -> Result<(), Refusal> {
    fields.secret().map_or(Ok(()), |field| Err(hidden(field)))
}

/// Refuses columns of which not even tokens may be shown.
pub(super) fn check_showable(fields: &Fields) -> Result<(), Refusal> {
    fields.unshowable().map_or(Ok(()), |field| Err(hidden(field)))
}

/// Refuses a column that may not be shown, or a row that has one.
pub(super) fn check_field(field: Option<&Field>) -> Result<(), Refusal> {
    field.and_then(Field::secret).map_or(Ok(()), |field| Err(hidden(field)))
}

/// Refuses a name that refers to a column that may not be shown, or to a row that has one.
pub(super) fn check_meaning(meaning: &Meaning<'_>) -> Result<(), Refusal> {
    match meaning {
        Meaning::Field(field) => check_field(Some(field)),
        Meaning::Row(fields) => check_none(fields),
        Meaning::Unknown => Ok(()),
    }
}

/// Returns the expression without the parentheses around it.
pub(super) fn bare(expression: &Expr) -> &Expr {
    let mut expression = expression;
    while let Expr::Nested(inner) = expression {
        expression = inner;
    }
    expression
}

impl<'query> Walk<'query, '_> {
    /// Returns the column if the expression is nothing but a column, and `None` otherwise. The column's name is
    /// checked, but not whether its values may be shown. The exception is a column of an outer query, which is a single
    /// value here: it is refused if it may not be shown.
    pub(super) fn plain_column(&self, expression: &'query Expr) -> Result<Option<Field>, Refusal> {
        let (field, is_of_this_query) = match bare(expression) {
            Expr::Identifier(name) => match self.scope.meaning(&name.value) {
                Meaning::Field(field) => {
                    names::check(name)?;
                    (Some(field.clone()), self.scope.has_own_column(&name.value))
                }
                Meaning::Row(_) | Meaning::Unknown => (None, true),
            },
            Expr::CompoundIdentifier(parts) => {
                let range = parts.len().checked_sub(2).map(|range| &parts[range].value);
                (self.qualified(parts)?.cloned(), range.is_some_and(|range| self.scope.has_own_range(range)))
            }
            _ => (None, true),
        };
        if !is_of_this_query {
            check_field(field.as_ref())?;
        }
        Ok(field)
    }

    /// Returns whether the call is an aggregate of a column that may not be shown and reveals no single value of it.
    pub(super) fn tells_no_single_value(
        &mut self,
        call: &'query Function,
        list: &'query FunctionArgumentList,
    ) -> Result<bool, Refusal> {
        let FunctionArgumentList { duplicate_treatment, args, clauses } = list;
        if self.tells_which_are_grouped(call, list)? {
            return Ok(true);
        }
        let ([ObjectNamePart::Identifier(name)], [FunctionArg::Unnamed(FunctionArgExpr::Expr(value))]) =
            (&*call.name.0, args.as_slice())
        else {
            return Ok(false);
        };
        let distinct = matches!(duplicate_treatment, Some(DuplicateTreatment::Distinct));
        let is_of_many = OF_MANY.contains(&name.value.as_str())
            && clauses.is_empty()
            && call.within_group.is_empty()
            && (!distinct || name.value == "count")
            // Running sums, and sums of partitions with one row, reveal single values by subtraction.
            && call.over.is_none();
        if name.value == "count" && clauses.is_empty() && self.counts_masked(value)? {
            return Ok(true);
        }
        let field = if is_of_many { self.plain_column(value)? } else { None };
        // Sums and averages of numbers that are personal data, such as those of cards, have no meaning and may tell one.
        Ok(field.is_some_and(|field| field.secret.is_some_and(|secret| !secret.is_masked())))
    }

    /// Checks the condition of a join, in which columns that may not be shown may be compared with `=`.
    pub(super) fn join_condition(&mut self, condition: &'query Expr) -> Result<(), Refusal> {
        match bare(condition) {
            Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
                self.join_condition(left)?;
                self.join_condition(right)
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right }
                if self.masked(left).is_some() && self.masked(right).is_some() =>
            {
                self.comparison(left, right)
            }
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => {
                let fields = (self.plain_column(left)?, self.plain_column(right)?);
                match fields {
                    (Some(left), Some(right)) if left.secret.is_some() || right.secret.is_some() => {
                        self.check_equal(&left, &right)
                    }
                    _ => self.expression(condition),
                }
            }
            condition => self.expression(condition),
        }
    }

    /// Checks the columns that a join finds by their names.
    pub(super) fn check_joined(&mut self, names: &[&str], left: &Fields, right: &Fields) -> Result<(), Refusal> {
        for name in names {
            match (left.get(name), right.get(name)) {
                (Some(left), Some(right)) if left.secret.is_some() || right.secret.is_some() => {
                    self.check_equal(left, right)?;
                }
                (Some(field), None) | (None, Some(field)) => check_field(Some(field))?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Checks two equal columns of which one may not be shown. The other one then may not be shown either. It must come
    /// from a relation, but not from one that describes the database, because everybody knows the values there.
    fn check_equal(&mut self, left: &Field, right: &Field) -> Result<(), Refusal> {
        for (field, other) in [(left, right), (right, left)] {
            match (&field.secret, &field.origin) {
                (Some(_), _) => {}
                // A column that nobody marked would show which value each token stands for.
                (None, _) if other.secret.is_some_and(Secret::is_masked) => return Err(hidden(other)),
                (None, Some(origin)) if !origin.is_of_system() => {
                    self.joined.extend(self.policy.computed.with(origin));
                }
                (None, _) => return Err(hidden(other)),
            }
        }
        Ok(())
    }
}
