//! What is missing: NULLs that a condition leaves out, ends that have not come, partners that a join did not find.

use super::{Doubt, Look, column_in, doubt, joins};
use crate::warehouse::catalog::{Catalog, Column, ValueKind};
use crate::warehouse::lineage::expression::{Expression, Literal, Operator, SubqueryForm};
use crate::warehouse::lineage::query::{Query, Relation, Rows, Source};
use crate::warehouse::lineage::types::is_moment;

/// Signs of comparisons that say what a value is not, and hold for none that is missing.
const NEGATED: &[&str] = &["<>", "!~", "!~*", "NOT LIKE", "NOT ILIKE"];

/// Returns the columns of a value of which a missing one makes it missing. Those that something stands for are none.
fn bare_columns(value: &Expression) -> impl Iterator<Item = Expression> {
    fn collect(value: &Expression, found: &mut Vec<Expression>) {
        let stands_for = match value {
            Expression::Call { function, .. } => matches!(function.as_str(), "coalesce" | "concat" | "concat_ws"),
            Expression::Operation { operator: Operator::Postfix(_), .. } | Expression::Subquery(_) => true,
            _ => false,
        };
        if stands_for {
            return;
        }
        if let Expression::Column(_) = value {
            found.push(value.clone());
        }
        value.each_child(&mut |child| collect(child, found));
    }
    let mut found = Vec::new();
    collect(value, &mut found);
    found.into_iter()
}

/// The share of NULLs of a column that may have some; `None` if it has none.
fn missing_share(column: &Column) -> Option<f64> {
    let share = column.statistics.as_ref().map_or(1.0, |known| known.null_fraction);
    (column.nullable && share > 0.0).then_some(share)
}

impl Look<'_> {
    /// A negated condition is not met where the column is NULL.
    pub(super) fn nulls_dropped(&self, keys: &[&Expression]) -> Option<Doubt> {
        let dropped = |condition: &Expression| {
            let value = match condition {
                Expression::Operation { operator: Operator::Prefix(sign), operands } if sign == "NOT" => {
                    operands.first()?
                }
                Expression::Quantified { left, operator, .. } if operator == "<>" => left,
                other => {
                    let sides = NEGATED.iter().find_map(|sign| other.as_infix(sign));
                    let (left, right) = sides?;
                    return bare_columns(left).chain(bare_columns(right)).find_map(|column| self.missing(&column));
                }
            };
            bare_columns(value).find_map(|column| self.missing(&column))
        };
        // IS NULL is known of each row.
        let is_known = |key: &Expression| matches!(key, Expression::Operation { operator: Operator::Postfix(_), .. });
        let conditions = keys.iter().filter(|key| key.is_condition() && !is_known(key));
        let of_keys = conditions.flat_map(|key| key.columns().into_iter().cloned());
        let of_keys = || of_keys.clone().find_map(|column| self.missing(&Expression::Column(column)));
        let name = self.conditions().find_map(dropped).or_else(of_keys)?;
        Some(doubt(
            "nulls_dropped",
            format!(
                "Rows without a value of {name} are not among \"all others\": a negated condition leaves them out."
            ),
        ))
    }

    /// Returns the name of a column that may be NULL.
    pub(super) fn missing(&self, value: &Expression) -> Option<String> {
        let column = self.column(value)?;
        missing_share(column).map(|_| column.name.clone())
    }

    /// `NOT IN (SELECT ...)` holds for no row if the inner query has a NULL.
    pub(super) fn not_in(&self) -> Option<Doubt> {
        let is_negated = |part: &Expression| match part {
            Expression::Operation { operator: Operator::Prefix(sign), operands } if sign == "NOT" => {
                matches!(operands.first(), Some(Expression::Subquery(subquery)) if matches!(subquery.form, SubqueryForm::In(_)))
            }
            _ => false,
        };
        self.conditions()
            .any(|condition| condition.any(&mut |part| is_negated(part)))
            .then(|| doubt("not_in", "NOT IN leaves out every row if a single value of the inner query is missing."))
    }

    /// A group of rows whose key is missing is counted as a group like the others.
    pub(super) fn missing_group(&self) -> Option<Doubt> {
        let of_source = |source: &Source| {
            let Some(Query::Block(block)) = source.query() else { return None };
            let inner = Look { aggregate: self.aggregate, rows: &block.rows, catalog: self.catalog };
            let is_excluded = |key: &Expression| {
                block.rows.conditions.iter().any(|condition| {
                    condition.columns().iter().any(|column| Expression::Column((*column).clone()) == *key)
                })
            };
            let keys = block.keys.iter().flatten().filter(|key| !is_excluded(key));
            keys.into_iter().find_map(|key| inner.missing(key))
        };
        let name = self.rows.sources().into_iter().find_map(of_source)?;
        Some(doubt("missing_group", format!("Rows without a {name} are counted as one group like the others.")))
    }

    /// Where one term of a sum is missing, the others of the row count for nothing either.
    pub(super) fn missing_term(&self) -> Option<Doubt> {
        let argument = self.aggregate.arguments.first().filter(|_| self.sums_or_averages())?;
        let (left, right) = argument.as_infix("+").or_else(|| argument.as_infix("-"))?;
        let columns = [left, right].into_iter().flat_map(bare_columns).collect::<Vec<_>>();
        let are_several = columns.iter().any(|column| column != &columns[0]);
        if !are_several || columns.iter().any(|column| is_moment(column, self.rows, self.catalog)) {
            return None;
        }
        let name = columns.iter().find_map(|column| self.missing(column))?;
        Some(doubt(
            "missing_term",
            format!("Rows without a value of {name} count for nothing, although other terms of theirs may be known."),
        ))
    }

    /// A duration to an end that may be missing knows only what has ended.
    pub(super) fn closed_only(&self, keys: &[&Expression]) -> Option<Doubt> {
        let open = |part: &Expression| open_end(part, self.rows, self.catalog);
        let column = self.parts(keys).find_map(open)?;
        let stands_for = |part: &Expression| {
            matches!(part, Expression::Call { function, .. } if function == "coalesce") && open(part).is_some()
        };
        let has_number = self.parts(keys).any(|part| part.any(&mut |part| stands_for(part)));
        let sentence = if has_number {
            format!(
                "Rows without a value of {column} have not ended: they count with a number that the statement puts there."
            )
        } else {
            format!("Rows without a value of {column} stand in no duration: it knows only the others.")
        };
        Some(doubt("closed_only", sentence))
    }

    /// Whether a date comes in time is not known while it is missing, and such a row meets no comparison with it.
    pub(super) fn still_open(&self, keys: &[&Expression]) -> Option<Doubt> {
        let is_moment = |side: &Expression| is_moment(side, self.rows, self.catalog);
        let mut found = None;
        for part in self.parts(keys) {
            part.visit(&mut |part| {
                let sides = part.as_ordering();
                let Some((left, right)) = sides.filter(|(left, right)| is_moment(left) && is_moment(right)) else {
                    return;
                };
                if left.columns().is_empty() || right.columns().is_empty() {
                    return;
                }
                found = found.take().or_else(|| most_missing(&[right, left], self.rows, self.catalog));
            });
        }
        let name = found.or_else(|| self.younger(keys))?;
        Some(doubt(
            "still_open",
            format!(
                "Rows without a value of {name} meet no comparison with it: what may still come counts as not come."
            ),
        ))
    }

    /// A date that may still come, counted by periods of another date: the younger rows had less time.
    fn younger(&self, keys: &[&Expression]) -> Option<String> {
        let moments = |value: &Expression| {
            let columns = value.columns().into_iter().map(|column| Expression::Column(column.clone()));
            columns.filter(|column| is_moment(column, self.rows, self.catalog)).collect::<Vec<_>>()
        };
        let by = keys.iter().flat_map(|key| moments(key)).collect::<Vec<_>>();
        let counts = self.aggregate.function == "count" && !self.aggregate.distinct;
        let asked = self.aggregate.arguments.iter().filter(|one| counts || asks(one));
        let asked = self.aggregate.filter.iter().chain(asked);
        let other = asked.flat_map(moments).find(|one| !by.is_empty() && !by.contains(one))?;
        self.missing(&other)
    }

    /// A value that is not known meets no condition on it: it counts as one that does not.
    pub(super) fn unknown_value(&self) -> Option<Doubt> {
        let mut conditions = self.aggregate.filter.iter().collect::<Vec<_>>();
        for argument in &self.aggregate.arguments {
            argument.visit(&mut |part| {
                if let Expression::Case { operand: None, branches, .. } = part {
                    conditions.extend(branches.iter().map(|(condition, _)| condition));
                }
            });
        }
        let is_required = |column: &Expression| {
            self.rows.conditions.iter().chain(&self.aggregate.filter).any(|condition| {
                matches!(condition, Expression::Operation { operator: Operator::Postfix(sign), operands }
                    if sign == "IS NOT NULL" && operands.first() == Some(column))
            })
        };
        let of_condition = |condition: &&Expression| {
            let sides = condition.as_ordering();
            let equals = condition.as_infix("=").map(|(left, right)| vec![left, right]);
            let mut values = match (sides, condition) {
                // Two moments have a doubt of their own.
                (Some((left, _)), _) if is_moment(left, self.rows, self.catalog) => Vec::new(),
                (Some((left, right)), _) => vec![left, right],
                (None, Expression::Operation { operator: Operator::Postfix(sign), operands })
                    if !sign.ends_with("NULL") =>
                {
                    operands.iter().collect()
                }
                // A text is one or another; a number that is not known may be any.
                (None, Expression::In { value, .. }) if self.is_number(value) => vec![&**value],
                (None, _) => match equals {
                    Some(sides) => sides.into_iter().filter(|side| self.is_number(side)).collect(),
                    None => vec![*condition],
                },
            };
            values.retain(|value| matches!(value, Expression::Column(_)) && !is_required(value));
            values.into_iter().find_map(|value| self.missing(value))
        };
        let name = conditions.iter().find_map(of_condition)?;
        Some(doubt(
            "unknown_value",
            format!("Rows without a value of {name} count as if they did not meet the condition."),
        ))
    }

    fn is_number(&self, value: &Expression) -> bool {
        self.column(value).is_some_and(|column| column.value_kind() == ValueKind::Number)
    }

    /// Periods without a row have no group, so that an average over groups does not count them as 0.
    pub(super) fn empty_periods(&self) -> Option<Doubt> {
        if !matches!(self.aggregate.function.as_str(), "avg" | "min" | "max" | "percentile_cont" | "percentile_disc") {
            return None;
        }
        let within = self.aggregate.within.iter().map(|order| &order.key);
        let mut values = self.aggregate.arguments.iter().chain(within).flat_map(Expression::columns);
        let of_column = |column: &crate::warehouse::lineage::expression::Column| {
            let Some(Query::Block(inner)) = self.rows.source_of(column).and_then(Source::query) else { return false };
            let counts = inner.outputs.get(column.index).is_some_and(|output| {
                output.value.any(&mut |part| matches!(part, Expression::Aggregate(one) if matches!(one.function.as_str(), "count" | "sum")))
            });
            counts && inner.keys.iter().flatten().any(|key| is_moment(key, &inner.rows, self.catalog))
        };
        values.any(of_column).then(|| {
            doubt("empty_periods", "It is over the periods that have rows: those without one are not 0, and the first and last may not be whole.")
        })
    }

    /// A row for which a LEFT JOIN finds no partner looks like one whose partner has no value.
    pub(super) fn no_partner(&self, keys: &[&Expression]) -> Option<Doubt> {
        let joined = self.rows.equalities().into_iter().flat_map(|(left, right)| [left, right]).collect::<Vec<_>>();
        let mut found = None;
        for part in self.parts(keys) {
            part.visit(&mut |part| {
                let value = match part {
                    Expression::Operation { operator: Operator::Postfix(sign), operands } if sign == "IS NULL" => {
                        operands.first()
                    }
                    Expression::Call { function, arguments }
                        if function == "coalesce" && matches!(arguments.get(1), Some(Expression::Literal(literal)) if *literal != Literal::Null) =>
                    {
                        arguments.first()
                    }
                    _ => None,
                };
                let Some(value @ Expression::Column(column)) = value else { return };
                let Some(source) = self.rows.source_of(column).filter(|source| joins::is_optional(source.id, self.rows)) else {
                    return;
                };
                let Relation::Table { schema, name } = &source.relation else { return };
                let is_key = self
                    .catalog
                    .table(Some(schema), name)
                    .is_some_and(|table| table.primary_key.contains(&column.name));
                if !is_key && !joined.contains(&value) {
                    found.get_or_insert((name.clone(), column.name.clone()));
                }
            });
        }
        let (table, column) = found?;
        Some(doubt(
            "no_partner",
            format!("What has no row of {table} at all counts as one without a value of {column}."),
        ))
    }
}

/// Returns whether a value is a condition, as a number or as it is.
fn asks(value: &Expression) -> bool {
    match value {
        Expression::Cast { value, .. } => asks(value),
        other => other.is_condition(),
    }
}

/// Returns the column that a moment is, or is computed from with an interval. What stands for a missing one has none.
fn moment_column(moment: &Expression) -> Option<&Expression> {
    match moment {
        Expression::Column(_) => Some(moment),
        Expression::Cast { value, .. } => moment_column(value),
        Expression::Call { function, arguments } if matches!(function.as_str(), "date_trunc" | "timezone") => {
            moment_column(arguments.get(1)?)
        }
        Expression::Operation { operator: Operator::Infix(sign), operands } if matches!(sign.as_str(), "+" | "-") => {
            moment_column(operands.first()?)
        }
        _ => None,
    }
}

/// Returns the column of these moments that is missing most often, the last one of equals; `None` if none is.
fn most_missing(moments: &[&Expression], rows: &Rows, catalog: &Catalog) -> Option<String> {
    let columns = moments.iter().filter_map(|moment| column_in(moment_column(moment)?, rows, catalog));
    let missing = columns.filter_map(|column| Some((missing_share(column)?, column)));
    missing.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, column)| column.name.clone())
}

/// Returns the column at either end of a duration that may be missing, also in the queries that an expression reads.
fn open_end(expression: &Expression, rows: &Rows, catalog: &Catalog) -> Option<String> {
    let mut found = None;
    expression.visit(&mut |part| {
        if found.is_some() {
            return;
        }
        let ends = match part {
            Expression::Call { function, arguments } if function == "age" => arguments.first().zip(arguments.get(1)),
            other => other.as_infix("-"),
        };
        if let Some((end, start)) = ends
            && is_moment(end, rows, catalog)
            && is_moment(start, rows, catalog)
            && !start.columns().is_empty()
        {
            found = most_missing(&[start, end], rows, catalog);
        }
        if let Expression::Column(column) = part
            && let Some(Query::Block(inner)) = rows.source_of(column).and_then(Source::query)
        {
            let output = inner.outputs.get(column.index);
            found = output.and_then(|output| open_end(&output.value, &inner.rows, catalog));
        }
    });
    found
}
