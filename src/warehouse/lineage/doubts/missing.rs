//! What is missing: NULLs that a condition leaves out, ends that have not come, partners that a join did not find.

use super::{Doubt, Look, column_in, doubt};
use crate::warehouse::catalog::{Catalog, Column};
use crate::warehouse::lineage::expression::{Expression, Literal, Operator, SubqueryForm};
use crate::warehouse::lineage::query::{Item, Query, Relation, Rows, Source};
use crate::warehouse::lineage::types::is_moment;

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
                    let columns = operands.first()?.columns();
                    let mut columns = columns.into_iter().map(|column| Expression::Column(column.clone()));
                    return columns.find_map(|column| self.missing(&column));
                }
                other => {
                    let (left, right) = other.as_infix("<>")?;
                    if self.column(left).is_some_and(|column| column.nullable) { left } else { right }
                }
            };
            self.missing(value)
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

    /// A duration to an end that may be missing knows only what has ended.
    pub(super) fn closed_only(&self, keys: &[&Expression]) -> Option<Doubt> {
        let open = |part: &Expression| open_end(part, self.rows, self.catalog);
        let column = self.parts(keys).find_map(open)?;
        let sentence = format!("Rows without a value of {column} stand in no duration: it knows only the others.");
        Some(doubt("closed_only", sentence))
    }

    /// Whether a date comes in time is not known while it is missing, and such a row meets no comparison with it.
    pub(super) fn still_open(&self, keys: &[&Expression]) -> Option<Doubt> {
        let is_moment = |side: &Expression| is_moment(side, self.rows, self.catalog);
        let mut found = None;
        for part in self.parts(keys) {
            part.visit(&mut |part| {
                let sides = ["<", "<=", ">", ">="].iter().find_map(|sign| part.as_infix(sign));
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
        let asked = self.aggregate.filter.iter().chain(self.aggregate.arguments.iter().filter(|one| asks(one)));
        let other = asked.flat_map(moments).find(|one| !by.is_empty() && !by.contains(one))?;
        self.missing(&other)
    }

    /// A flag that is not known counts as not set.
    pub(super) fn unknown_flag(&self) -> Option<Doubt> {
        let name = self.aggregate.filter.iter().find_map(|condition| self.missing(condition))?;
        Some(doubt("unknown_flag", format!("Rows whose {name} is not known count as if it were false.")))
    }

    /// A row for which a LEFT JOIN finds no partner looks like one whose partner has no value.
    pub(super) fn no_partner(&self, keys: &[&Expression]) -> Option<Doubt> {
        let mut optional = Vec::new();
        for item in &self.rows.items {
            optional_of(item, &mut optional);
        }
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
                let Some(source) = self.rows.source_of(column).filter(|source| optional.contains(&source.id)) else {
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

/// Collects the sources of which an outer join may find no row.
fn optional_of(item: &Item, found: &mut Vec<usize>) {
    let Item::Outer(outer) = item else { return };
    found.extend(outer.right.sources().iter().map(|source| source.id));
    if outer.full {
        found.extend(outer.left.sources().iter().map(|source| source.id));
    }
    outer.left.items.iter().chain(&outer.right.items).for_each(|item| optional_of(item, found));
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
