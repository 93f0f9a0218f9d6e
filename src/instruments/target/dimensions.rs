//! The columns to group by.

use super::joins::Joined;
use super::{Field, may_show, rows_about};
use crate::typeset::spelling::advice;
use crate::warehouse::catalog::{Column, Role, ValueKind};

/// Groups of a column beyond which it is no dimension.
const GROUPS_MAX: f64 = 60.0;
/// Values of a column beyond which none of them has rows enough, and columns with so many.
const MANY_MAX: f64 = 600.0;
const MANY_COLUMNS_MAX: usize = 3;
/// Rows of each value, on average, if single values are compared.
const ROWS_OF_GROUP_MIN: f64 = 5.0;
/// Columns that are taken up unasked.
const DIMENSIONS_MAX: usize = 12;

/// Returns the columns that somebody names.
pub(super) fn named(names: &[String], joined: &Joined) -> Result<Vec<Field>, String> {
    let known = |name: &String| {
        let name = name.trim().trim_matches('"');
        let bare = name.rsplit('.').next().unwrap_or(name);
        let (member, column) = joined.all_columns().find(|(_, column)| column.name == bare).ok_or_else(|| {
            let all = joined.all_columns().map(|(_, one)| one.name.as_str());
            format!("{} has no column {name}: {}", joined.own().name, advice(name, all))
        })?;
        if !may_show(column) {
            return Err(format!("{name} is sensitive, or set aside by the metadata: groups by it may not be shown"));
        }
        Ok(joined.field(member, column))
    };
    names.iter().map(known).collect()
}

/// Returns the columns with few values, those of the table itself and those with the fewest values first.
pub(super) fn offered(joined: &Joined) -> Vec<Field> {
    let found = joined.columns().filter(|(_, column)| is_dimension(column));
    let found = found.map(|(member, column)| (joined.field(member, column), !joined.is_own(member)));
    let mut found = found.collect::<Vec<_>>();
    found.sort_by(|(one, one_joined), (other, other_joined)| {
        one_joined.cmp(other_joined).then(groups(one).total_cmp(&groups(other)))
    });
    found.into_iter().map(|(field, _)| field).take(DIMENSIONS_MAX).collect()
}

/// Returns the columns with many values, each of which may still go another way than the whole: products, suppliers.
pub(super) fn with_many_values(joined: &Joined) -> Vec<Field> {
    named_by_many(joined, |groups| groups > GROUPS_MAX && groups <= MANY_MAX)
}

/// Returns the columns with many values and several rows for each: customers, batches.
pub(super) fn wide(joined: &Joined) -> Vec<Field> {
    let rows = rows_about(joined.own());
    named_by_many(joined, |groups| groups > GROUPS_MAX && rows / groups >= ROWS_OF_GROUP_MIN)
}

/// Returns the columns that name something, with a number of values that suits; entities and products first.
fn named_by_many(joined: &Joined, suits: impl Fn(f64) -> bool) -> Vec<Field> {
    let is_name = |column: &Column| match (column.kind_read(), column.role) {
        (ValueKind::Text, role) => !matches!(role, Some(Role::EntityName)),
        (ValueKind::Number, role) => matches!(
            role,
            Some(Role::Entity | Role::Product | Role::Region | Role::Batch | Role::Dimension | Role::Identifier)
        ),
        (ValueKind::Boolean | ValueKind::Moment | ValueKind::Other, _) => false,
    };
    let has_many = |column: &Column| is_name(column) && super::distinct(column).is_some_and(&suits);
    let found = joined.columns().filter(|(_, column)| has_many(column));
    let is_other = |column: &Column| !matches!(column.role, Some(Role::Product | Role::Entity | Role::Batch));
    let mut found = found.map(|(member, column)| (is_other(column), joined.field(member, column))).collect::<Vec<_>>();
    found.sort_by_key(|(is_other, _)| *is_other);
    found.into_iter().map(|(_, field)| field).take(MANY_COLUMNS_MAX).collect()
}

fn groups(field: &Field) -> f64 {
    field.groups.unwrap_or(GROUPS_MAX)
}

fn is_dimension(column: &Column) -> bool {
    let few = super::distinct(column).is_some_and(|distinct| (2.0..=GROUPS_MAX).contains(&distinct))
        || !column.enum_values.is_empty();
    few && match column.kind_read() {
        ValueKind::Text | ValueKind::Boolean => true,
        ValueKind::Number => matches!(column.role, Some(Role::Dimension | Role::Region | Role::Product | Role::Entity)),
        ValueKind::Moment | ValueKind::Other => false,
    }
}
