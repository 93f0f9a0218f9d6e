//! What is measured of which rows, by which columns: as somebody names it, or what a table offers by itself.

use super::dialect;
use crate::typeset::spelling::advice;
use crate::warehouse::catalog::{Catalog, Column, Role, Table, ValueKind};

/// Groups of a column beyond which it is no dimension.
const GROUPS_MAX: f64 = 50.0;
/// Dimensions and measures that are taken up unasked.
const DIMENSIONS_MAX: usize = 10;
const MEASURES_MAX: usize = 10;
/// Values of a column whose shares are measured unasked.
const STATES_MAX: f64 = 6.0;

/// What a measure is, and so how groups of it are tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// How many rows there are.
    Rows,
    /// The average of a value of each row, in SQL.
    Mean { name: String, value: String },
    /// The share of the rows that meet a condition, in SQL.
    Share { name: String, condition: String },
}

/// What is measured of which rows, by which columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The table as a statement names it.
    pub table: String,
    /// What the rows are called.
    pub rows: String,
    pub measures: Vec<Measure>,
    /// Columns to group by.
    pub dimensions: Vec<String>,
    /// Conditions that the rows meet.
    pub conditions: Vec<String>,
}

impl Measure {
    /// Returns what it is called in a line for the reader.
    pub fn name(&self) -> &str {
        match self {
            Self::Rows => "rows",
            Self::Mean { name, .. } | Self::Share { name, .. } => name,
        }
    }

    /// Returns whether groups by a column say something of it: it is not about that column itself.
    pub fn suits(&self, dimension: &str) -> bool {
        let own = dialect::name(dimension);
        match self {
            Self::Rows => true,
            Self::Mean { value, .. } => *value != own,
            Self::Share { condition, .. } => !condition.starts_with(&own),
        }
    }
}

impl Target {
    /// Returns the target that arguments name. Without a measure or columns it is all that the table offers.
    pub fn of(
        catalog: &Catalog,
        table: &str,
        measure: Option<&str>,
        by: &[String],
        condition: Option<&str>,
    ) -> Result<Self, String> {
        let table = find(catalog, table)?;
        let measures = match measure.map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => vec![named(text, table)?],
            None => measures(table),
        };
        let is_auto = by.is_empty() || by.iter().any(|name| name == "auto");
        let dimensions = if is_auto { dimensions(table) } else { columns(by, table)? };
        if dimensions.is_empty() {
            return Err(format!("{} has no column with few values to group by: name one in \"by\"", table.name));
        }
        let filter = table.declared.filter.as_ref().map(|filter| filter.sql.clone());
        let condition = condition.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        Ok(Self {
            table: dialect::table(table),
            rows: table.noun.clone().unwrap_or_else(|| format!("rows of {}", table.name)),
            measures,
            dimensions,
            conditions: filter.into_iter().chain(condition).collect(),
        })
    }
}

fn find<'c>(catalog: &'c Catalog, table: &str) -> Result<&'c Table, String> {
    let (schema, name) = match table.trim().split_once('.') {
        Some((schema, name)) => (Some(schema.trim_matches('"')), name),
        None => (None, table.trim()),
    };
    let known = catalog.table(schema, name.trim_matches('"'));
    known.ok_or_else(|| {
        format!("there is no table {table}: {}", advice(table, catalog.tables.iter().map(|table| table.name.as_str())))
    })
}

fn columns(names: &[String], table: &Table) -> Result<Vec<String>, String> {
    let known = |name: &String| {
        let name = name.trim().trim_matches('"');
        let column = table.column(name).ok_or_else(|| {
            format!(
                "{} has no column {name}: {}",
                table.name,
                advice(name, table.columns.iter().map(|one| one.name.as_str()))
            )
        })?;
        if column.is_withheld() {
            return Err(format!("{name} is sensitive: it may not be shown"));
        }
        Ok(column.name.clone())
    };
    names.iter().map(known).collect()
}

/// Returns the measure that a text names: a declared one, a column, `count`, or `avg(column)`.
fn named(text: &str, table: &Table) -> Result<Measure, String> {
    if matches!(text, "count" | "count(*)" | "rows" | "n") {
        return Ok(Measure::Rows);
    }
    let declared = table.declared.measures.iter().find(|measure| measure.name.eq_ignore_ascii_case(text));
    let sql = declared.map_or(text, |measure| measure.sql.trim());
    let inner = ["avg(", "AVG(", "mean("].iter().find_map(|call| sql.strip_prefix(call)?.strip_suffix(')'));
    if let Some(value) = inner {
        return Ok(Measure::Mean { name: format!("average of {value}"), value: value.to_owned() });
    }
    match table.column(sql.trim_matches('"')) {
        Some(column) if column.value_kind() == ValueKind::Number => Ok(mean(column)),
        Some(column) if column.value_kind() == ValueKind::Boolean => Ok(share_of_true(column)),
        Some(column) => Err(format!("{} is no number: name a number, avg(..) or count", column.name)),
        None => Err(format!(
            "{text} is neither count, nor avg(..), nor a column, nor a declared measure of {}; sums are compared by their \
             averages: avg(..)",
            table.name
        )),
    }
}

fn mean(column: &Column) -> Measure {
    Measure::Mean { name: format!("average of {}", column.name), value: dialect::name(&column.name) }
}

fn share_of_true(column: &Column) -> Measure {
    Measure::Share { name: format!("share with {}", column.name), condition: dialect::name(&column.name) }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "a filter passes a reference to what it iterates over")]
fn may_show(column: &&Column) -> bool {
    !column.is_withheld() && !column.sensitive
}

/// Returns what a table offers to measure: rows, averages of numbers, days between moments, shares of states.
fn measures(table: &Table) -> Vec<Measure> {
    let columns = || table.columns.iter().filter(may_show);
    let is_amount = |column: &&Column| {
        column.value_kind() == ValueKind::Number
            && !matches!(
                column.role,
                Some(Role::Identifier | Role::Entity | Role::Ignore | Role::Dimension | Role::Product | Role::Region)
            )
    };
    let means = columns().filter(is_amount).map(mean);
    let flags = columns().filter(|column| column.value_kind() == ValueKind::Boolean).map(share_of_true);
    let all = std::iter::once(Measure::Rows).chain(durations(table)).chain(means).chain(flags).chain(states(table));
    all.take(MEASURES_MAX).collect()
}

/// Returns the times from when a row happened to its other moments.
fn durations(table: &Table) -> Vec<Measure> {
    let is_moment = |column: &&Column| column.value_kind() == ValueKind::Moment;
    let mut moments = table.columns.iter().filter(may_show).filter(is_moment).collect::<Vec<_>>();
    moments.sort_by_key(|column| column.role != Some(Role::Date));
    let Some((first, others)) = moments.split_first() else { return Vec::new() };
    let duration = |to: &&Column| Measure::Mean {
        name: format!("days from {} to {}", first.name, to.name),
        value: dialect::days_between(&first.name, &to.name),
    };
    others.iter().map(duration).collect()
}

/// Returns the shares of the values of columns with few of them. The most common one follows from the others.
fn states(table: &Table) -> Vec<Measure> {
    let is_state = |column: &&Column| {
        column.value_kind() == ValueKind::Text
            && column
                .statistics
                .as_ref()
                .and_then(|known| known.distinct)
                .is_some_and(|distinct| distinct <= STATES_MAX)
    };
    let of_column = |column: &Column| {
        let values = column.statistics.iter().flat_map(|known| known.common_values.iter().skip(1)).cloned();
        let name = column.name.clone();
        let shares = values.map(move |value| Measure::Share {
            name: format!("share with {name} {value:?}"),
            condition: format!("{} = {}", dialect::name(&name), dialect::text(&value)),
        });
        shares.collect::<Vec<_>>()
    };
    table.columns.iter().filter(may_show).filter(is_state).flat_map(of_column).collect()
}

/// Returns the columns with few values.
fn dimensions(table: &Table) -> Vec<String> {
    let is_dimension = |column: &&Column| {
        let few = column.statistics.as_ref().and_then(|known| known.distinct);
        let few = few.is_some_and(|distinct| (2.0..=GROUPS_MAX).contains(&distinct)) || !column.enum_values.is_empty();
        let is_kind = match column.value_kind() {
            ValueKind::Text | ValueKind::Boolean => true,
            ValueKind::Number => matches!(column.role, Some(Role::Dimension | Role::Region | Role::Product)),
            ValueKind::Moment | ValueKind::Other => false,
        };
        few && is_kind && !matches!(column.role, Some(Role::Ignore))
    };
    let mut found = table.columns.iter().filter(may_show).filter(is_dimension).collect::<Vec<_>>();
    let groups = |column: &Column| column.statistics.as_ref().and_then(|known| known.distinct).unwrap_or(GROUPS_MAX);
    found.sort_by(|one, other| groups(one).total_cmp(&groups(other)));
    found.into_iter().take(DIMENSIONS_MAX).map(|column| column.name.clone()).collect()
}
