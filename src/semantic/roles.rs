//! Guesses the roles that metadata does not define, from types, names, statistics and keys, and marks each guess.
//!
//! A table has at most one date, one entity, one net measure and so on. [`candidates`] scores the roles that each
//! column could have, and the best column gets the role. A role from the metadata is never changed, and no second
//! column gets it. A wrong guess costs more than none, so a number is a measure only if no evidence is against summing
//! it.

use super::words::{singular, words};
use crate::warehouse::catalog::{Catalog, Column, Role, Table, ValueKind};

mod candidates;
mod lexicon;
mod worth;

pub use worth::{Worth, worth};

use candidates::{Candidates, candidates};
use lexicon::{
    DOCUMENTS, GENERIC, IDENTIFIER_ENDS, LEVELS, NAME_ENDS, REGIONS, SENSITIVE, SENSITIVE_PAIRS, STATUS_VALUES,
};

/// The roles that only one column of a table gets, in the order in which they are assigned.
const SINGLE: [Role; 12] = [
    Role::Date,
    Role::EventType,
    Role::Currency,
    Role::Entity,
    Role::Batch,
    Role::Product,
    Role::Region,
    Role::Margin,
    Role::NetMeasure,
    Role::GrossMeasure,
    Role::Quantity,
    Role::EntityName,
];

/// Assigns its most likely role to every column without one; some columns stay without a role.
pub fn guess(catalog: &mut Catalog) {
    for table in &mut catalog.tables {
        for (index, role) in guess_table(table) {
            let column = &mut table.columns[index];
            column.role = Some(role);
            column.role_guessed = true;
        }
    }
    follow_entities(catalog);
    catalog.tables.iter_mut().for_each(mark_levels);
}

/// Marks the columns whose names indicate personal or secret values.
pub fn guess_sensitive(catalog: &mut Catalog) {
    for column in catalog.tables.iter_mut().flat_map(|table| &mut table.columns) {
        let words = words(&column.name).iter().map(|word| singular(word)).collect::<Vec<_>>();
        let pair =
            |pair: &[String]| SENSITIVE_PAIRS.iter().any(|(first, second)| pair[0] == *first && pair[1] == *second);
        if words.iter().any(|word| SENSITIVE.contains(&word.as_str())) || words.windows(2).any(pair) {
            column.sensitive_guessed = !column.sensitive;
            column.sensitive = true;
        }
    }
}

/// Marks as levels what holds a state and is dated: a sum over several days would count what stays several times.
fn mark_levels(table: &mut Table) {
    if table.dated_by().is_none() {
        return;
    }
    for column in &mut table.columns {
        let is_open = column.role.is_none() || column.role_guessed;
        let named = words(&column.name).iter().any(|word| LEVELS.contains(&singular(word).as_str()));
        if is_open && named && column.value_kind() == ValueKind::Number && !table.primary_key.contains(&column.name) {
            (column.role, column.role_guessed) = (Some(Role::Level), true);
        }
    }
}

/// The evidence from which a column's role is guessed.
#[derive(Debug)]
struct Facts<'table> {
    column: &'table Column,
    kind: ValueKind,
    /// The words of the column's name, in the singular. The table's words come first if the name is generic.
    words: Vec<String>,
    /// The words of the name without the conversion to the singular: `days` is a duration, `day` is not.
    plain_words: Vec<String>,
    /// Whether the column alone is the primary key.
    key: bool,
    /// The words of the table that a foreign key of this column refers to.
    refers_to: Option<Vec<String>>,
    /// The estimated number of rows; `None` if unknown.
    rows: Option<f64>,
    /// The estimated number of distinct values; `None` if unknown.
    distinct: Option<f64>,
    /// Whether another column names an area, so that `state` is probably one as well.
    beside_area: bool,
}

impl<'table> Facts<'table> {
    #[expect(clippy::cast_precision_loss, reason = "an estimate of the rows needs no more than 52 bits")]
    fn of(table: &'table Table, column: &'table Column) -> Self {
        let plain_words = words(&column.name);
        let mut singulars = plain_words.iter().map(|word| singular(word)).collect::<Vec<_>>();
        if singulars.iter().all(|word| GENERIC.contains(&word.as_str())) {
            singulars.splice(0..0, table_words(&table.name));
        }
        Self {
            column,
            kind: column.kind_read(),
            words: singulars,
            plain_words,
            key: matches!(table.primary_key.as_slice(), [only] if *only == column.name),
            refers_to: table.foreign_key_of(&column.name).map(|key| table_words(&key.table)),
            rows: table.rows_estimate.map(|rows| rows as f64),
            distinct: column.statistics.as_ref().and_then(|statistics| statistics.distinct),
            beside_area: table.columns.iter().any(|other| {
                other.name != column.name
                    && words(&other.name).iter().any(|word| REGIONS.iter().any(|(area, _)| area == word))
            }),
        }
    }

    fn has(&self, known: &[&str]) -> bool {
        self.words.iter().any(|word| known.contains(&word.as_str()))
    }

    fn ends_in(&self, known: &[&str]) -> bool {
        self.words.last().is_some_and(|word| known.contains(&word.as_str()))
    }

    /// Returns the words of the column's subject, without endings such as `id` or `name`.
    fn stem(&self) -> &[String] {
        let is_ending = |word: &String| {
            [IDENTIFIER_ENDS, NAME_ENDS, &["full", "display"]].iter().any(|ends| ends.contains(&word.as_str()))
        };
        let end = self.words.iter().rposition(|word| !is_ending(word)).map_or(0, |last| last + 1);
        &self.words[..end]
    }

    /// Returns whether almost all values are distinct.
    fn unique(&self) -> bool {
        self.key || self.rows.zip(self.distinct).is_some_and(|(rows, distinct)| rows >= 20.0 && distinct >= rows * 0.98)
    }

    /// Returns whether the column is known to have at most `most` distinct values. An enum always is.
    fn few(&self, most: f64) -> bool {
        self.distinct.is_some_and(|distinct| distinct <= most) || !self.column.enum_values.is_empty()
    }
}

/// Returns the words of a table's subject: `customer` for `dim_customers` and `tbl_customer`.
pub(super) fn table_words(name: &str) -> Vec<String> {
    words(name)
        .iter()
        .map(|word| singular(word))
        .filter(|word| !["dim", "fact", "tbl", "t", "v", "vw", "stg", "raw", "master", "list"].contains(&word.as_str()))
        .collect()
}

fn guess_table(table: &Table) -> Vec<(usize, Role)> {
    let facts = table.columns.iter().map(|column| Facts::of(table, column)).collect::<Vec<_>>();
    let mut open = facts
        .iter()
        .enumerate()
        .filter(|(_, facts)| facts.column.role.is_none() && !facts.column.is_withheld())
        .map(|(index, facts)| (index, candidates(facts)))
        .collect::<Vec<_>>();
    let mut guessed: Vec<(usize, Role)> = Vec::new();
    for role in SINGLE {
        if table.column_with(role).is_some() {
            continue;
        }
        if role == Role::EntityName {
            let entity = guessed.iter().find(|(_, role)| *role == Role::Entity).map(|(index, _)| *index);
            let entity = entity.or_else(|| table.columns.iter().position(|column| column.role == Some(Role::Entity)));
            let named_after = |index: usize| entity.is_some_and(|entity| facts[index].stem() == facts[entity].stem());
            open.iter_mut().filter(|(index, _)| !named_after(*index)).for_each(|(_, column)| column.remove(role));
        }
        let best = best_for(role, &open).or_else(|| match role {
            Role::Entity => fallback_entity(&facts, &open),
            _ => None,
        });
        if let Some(place) = best {
            guessed.push((open.remove(place).0, role));
        }
    }
    guessed.extend(open.into_iter().filter_map(|(index, column)| Some((index, column.otherwise?))));
    guessed
}

/// Returns the index in `open` of the column with the highest score for the role; the first of equals.
fn best_for(role: Role, open: &[(usize, Candidates)]) -> Option<usize> {
    let scored = open.iter().enumerate().filter_map(|(place, (_, column))| Some((column.score(role)?, place)));
    scored.max_by_key(|(score, place)| (*score, std::cmp::Reverse(*place))).map(|(_, place)| place)
}

/// Returns the index in `open` of the entity if no name indicates one: a foreign key, or an identifier that repeats. Of
/// several, the column with the most distinct values is chosen.
fn fallback_entity(facts: &[Facts<'_>], open: &[(usize, Candidates)]) -> Option<usize> {
    let may_be = |facts: &Facts<'_>| {
        let subject = facts.refers_to.as_deref().unwrap_or_else(|| facts.stem());
        let repeats =
            facts.rows.zip(facts.distinct).is_some_and(|(rows, distinct)| distinct >= 5.0 && distinct <= rows * 0.5);
        let identifies = matches!(facts.kind, ValueKind::Number | ValueKind::Text) && facts.ends_in(IDENTIFIER_ENDS);
        let document = subject.last().is_some_and(|word| DOCUMENTS.contains(&word.as_str()));
        !facts.key && !document && (facts.refers_to.is_some() || (identifies && repeats))
    };
    let taken = |column: &Candidates| {
        [Role::Product, Role::Region, Role::Batch].iter().any(|role| column.score(*role).is_some())
    };
    open.iter()
        .enumerate()
        .filter(|(_, (index, column))| may_be(&facts[*index]) && !taken(column))
        .max_by(|(left_place, (left, _)), (right_place, (right, _))| {
            let values = |index: usize| facts[index].distinct.unwrap_or_default();
            values(*left).total_cmp(&values(*right)).then(right_place.cmp(left_place))
        })
        .map(|(place, _)| place)
}

/// Assigns the entity and its name in tables that another table's entity refers to.
fn follow_entities(catalog: &mut Catalog) {
    let referred = catalog
        .tables
        .iter()
        .filter_map(|table| {
            let key = table.foreign_key_of(&table.column_with(Role::Entity)?.name)?;
            Some((key.schema.clone(), key.table.clone(), key.referred.first()?.clone()))
        })
        .collect::<Vec<_>>();
    for (schema, name, column) in referred {
        let Some(table) = catalog.tables.iter_mut().find(|table| table.schema == schema && table.name == name) else {
            continue;
        };
        let entity = table.column_with(Role::Entity).map(|entity| entity.name.clone());
        if entity.is_none() {
            take(table, &column, Role::Entity);
        }
        if entity.is_none_or(|entity| entity == column) && table.column_with(Role::EntityName).is_none() {
            let called = |column: &&Column| {
                column.value_kind() == ValueKind::Text
                    && words(&column.name).last().is_some_and(|word| NAME_ENDS.contains(&word.as_str()))
            };
            if let Some(column) = table.columns.iter().find(called).map(|column| column.name.clone()) {
                take(table, &column, Role::EntityName);
            }
        }
    }
}

/// Assigns a role to a column, unless the metadata defines one.
fn take(table: &mut Table, name: &str, role: Role) {
    let column = table.columns.iter_mut().find(|column| column.name == name);
    if let Some(column) = column.filter(|column| column.role.is_none() || column.role_guessed) {
        column.role = Some(role);
        column.role_guessed = true;
    }
}

/// Returns whether a column says what has become of a row so far, by its name or its values: the same row has another value
/// later.
pub fn is_status(column: &Column) -> bool {
    let name = words(&column.name);
    let is_called = |ends: &[&str]| name.last().is_some_and(|word| ends.contains(&word.as_str()));
    let values = column.statistics.iter().flat_map(|known| &known.common_values);
    let of_status = values.filter(|value| STATUS_VALUES.contains(&value.to_lowercase().as_str())).count();
    is_called(&["status", "stage"]) || of_status > 1 || is_called(&["state"]) && of_status > 0
}
