//! Ranks tables by their relevance to a focus.
//!
//! A table scores higher if its names, roles and descriptions contain words of the focus, if it has the columns that an
//! analysis needs, and if a foreign key joins it to such a table.

use std::collections::{HashMap, HashSet};

use super::role_name;
use crate::semantic::words::{singular, words};
use crate::warehouse::catalog::{Catalog, Role, Table};

/// Words that do not characterize a focus.
const COMMON_WORDS: &[&str] = &["and", "the", "for", "with", "from", "analysis", "performance", "data", "table"];
/// The share of a table's score that is added to the tables joined to it.
const NEIGHBOUR_SHARE: f64 = 0.4;

/// Returns the tables, the most relevant first.
pub(super) fn ranked<'catalog>(catalog: &'catalog Catalog, focus: &str) -> Vec<&'catalog Table> {
    let vocabularies = catalog.tables.iter().map(Vocabulary::of).collect::<Vec<_>>();
    let focus = telling_words(focus);
    let context = telling_words(catalog.business_context.as_deref().unwrap_or_default());
    let own = catalog.tables.iter().zip(&vocabularies).map(|(table, vocabulary)| {
        let of_focus =
            focus.iter().map(|word| vocabulary.weight_of_akin(word) * rarity(word, &vocabularies)).sum::<f64>();
        let of_context = context.iter().map(|word| vocabulary.weight(word) * rarity(word, &vocabularies)).sum::<f64>();
        3.0 * of_focus + 0.5 * of_context.min(10.0) + substance(table)
    });
    let own = own.collect::<Vec<_>>();
    let mut scores = own.clone();
    for (left, right) in joins(catalog) {
        scores[left] = scores[left].max(own[left] + NEIGHBOUR_SHARE * own[right]);
        scores[right] = scores[right].max(own[right] + NEIGHBOUR_SHARE * own[left]);
    }
    let mut order = (0..catalog.tables.len()).collect::<Vec<_>>();
    order.sort_by(|left, right| scores[*right].total_cmp(&scores[*left]).then(left.cmp(right)));
    order.into_iter().map(|index| &catalog.tables[index]).collect()
}

/// The words of a table's names, roles and descriptions, with their weights.
struct Vocabulary(HashMap<String, f64>);

impl Vocabulary {
    fn of(table: &Table) -> Self {
        let mut vocabulary = Self(HashMap::new());
        vocabulary.add(&table.name, 3.0);
        vocabulary.add(table.description.as_deref().unwrap_or_default(), 1.0);
        for column in &table.columns {
            vocabulary.add(&column.name, 1.0);
            vocabulary.add(column.description.as_deref().unwrap_or_default(), 0.5);
            vocabulary.add(&column.role.map(role_name).unwrap_or_default(), 1.0);
        }
        vocabulary
    }

    fn add(&mut self, text: &str, weight: f64) {
        for word in telling_words(text) {
            let known = self.0.entry(word).or_default();
            *known = known.max(weight);
        }
    }

    /// Returns the weight of a word; 0 if the table does not contain it.
    fn weight(&self, word: &str) -> f64 {
        self.0.get(word).copied().unwrap_or_default()
    }

    /// Returns the weight of a word, or of a word that extends or shortens it, such as `regional` for `region`.
    fn weight_of_akin(&self, word: &str) -> f64 {
        self.0.iter().filter(|(own, _)| *own == word || akin(own, word)).map(|(_, weight)| *weight).fold(0.0, f64::max)
    }
}

fn akin(left: &str, right: &str) -> bool {
    let (short, long) = if left.len() < right.len() { (left, right) } else { (right, left) };
    short.len() >= 5 && long.starts_with(short)
}

fn telling_words(text: &str) -> HashSet<String> {
    let words = words(text).into_iter().map(|word| singular(&word));
    words.filter(|word| word.chars().count() > 2 && !COMMON_WORDS.contains(&word.as_str())).collect()
}

/// Returns the weight of a word by its rarity: a word of every table does not distinguish them.
#[expect(clippy::cast_precision_loss, reason = "a count of tables is far below 2^52")]
fn rarity(word: &str, vocabularies: &[Vocabulary]) -> f64 {
    let speaking = vocabularies.iter().filter(|vocabulary| vocabulary.0.contains_key(word)).count();
    (1.0 + vocabularies.len() as f64 / (1.0 + speaking as f64)).ln()
}

/// Scores what an analysis needs: date, entity and measure columns, metadata that people wrote, and rows.
#[expect(clippy::cast_precision_loss, reason = "an estimate of the rows needs no more than 52 bits")]
fn substance(table: &Table) -> f64 {
    let has = |roles: &[Role]| roles.iter().any(|role| table.column_with(*role).is_some());
    let written = table.columns.iter().any(|column| column.role.is_some() && !column.role_guessed);
    let parts = [
        (has(&[Role::Date]), 2.0),
        (has(&[Role::Entity]), 2.0),
        (has(&[Role::NetMeasure, Role::Measure, Role::GrossMeasure, Role::Margin]), 3.0),
        (has(&[Role::Quantity, Role::EventType]), 1.0),
        (written || !table.warnings.is_empty(), 5.0),
        (table.description.is_some(), 1.0),
    ];
    let known = parts.iter().filter(|(present, _)| *present).map(|(_, weight)| weight).sum::<f64>();
    known + table.rows_estimate.map_or(0.0, |rows| (1.0 + rows as f64).log10())
}

/// Returns the pairs of tables that a foreign key joins, by index.
fn joins(catalog: &Catalog) -> Vec<(usize, usize)> {
    let places = catalog.tables.iter().enumerate();
    let places = places.map(|(index, table)| ((&table.schema, &table.name), index)).collect::<HashMap<_, _>>();
    let of_table = |(index, table): (usize, &Table)| {
        let referred = table.foreign_keys.iter().filter_map(|key| places.get(&(&key.schema, &key.table)).copied());
        referred.map(|other| (index, other)).filter(|(left, right)| left != right).collect::<Vec<_>>()
    };
    catalog.tables.iter().enumerate().flat_map(of_table).collect()
}
