//! The columns to group by.

use super::joins::Joined;
use super::{Field, may_show};
use crate::typeset::spelling::advice;
use crate::warehouse::catalog::{Column, Role, ValueKind};

/// Groups of a column beyond which it is no dimension.
const GROUPS_MAX: f64 = 60.0;
/// Columns that are taken up unasked.
const DIMENSIONS_MAX: usize = 12;

/// Returns the columns that somebody names.
pub(super) fn named(names: &[String], joined: &Joined) -> Result<Vec<Field>, String> {
    let known = |name: &String| {
        let name = name.trim().trim_matches('"');
        let bare = name.rsplit('.').next().unwrap_or(name);
        let mut columns = joined.tables.iter().flat_map(|member| member.table.columns.iter().map(move |one| (member, one)));
        let (member, column) = columns.find(|(_, column)| column.name == bare).ok_or_else(|| {
            let all = joined.tables.iter().flat_map(|member| &member.table.columns).map(|one| one.name.as_str());
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
    let mut found = found.map(|(member, column)| (joined.field(member, column), member.table != *joined.own()));
    let mut found = found.by_ref().collect::<Vec<_>>();
    found.sort_by(|(one, one_joined), (other, other_joined)| {
        one_joined.cmp(other_joined).then(groups(one).total_cmp(&groups(other)))
    });
    found.into_iter().map(|(field, _)| field).take(DIMENSIONS_MAX).collect()
}

fn groups(field: &Field) -> f64 {
    field.groups.unwrap_or(GROUPS_MAX)
}

fn is_dimension(column: &Column) -> bool {
    let few = super::distinct(column).is_some_and(|distinct| (2.0..=GROUPS_MAX).contains(&distinct))
        || !column.enum_values.is_empty();
    few && match column.value_kind() {
        ValueKind::Text | ValueKind::Boolean => true,
        ValueKind::Number => matches!(column.role, Some(Role::Dimension | Role::Region | Role::Product | Role::Entity)),
        ValueKind::Moment | ValueKind::Other => false,
    }
}
