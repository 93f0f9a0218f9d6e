//! What the tables mean: what people wrote about them, the role of each column, and how a model is shown both.

pub mod dates;
mod declared;
pub mod drift;
pub mod exchange;
mod guess;
pub mod joins;
pub mod metadata;
pub mod render;
pub mod roles;
pub mod trial;
mod words;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::metadata::Metadata;
use crate::warehouse::catalog::{self, Catalog, Introspected, Origin, Table};
use crate::warehouse::executor::{Executor, Rules};
use crate::warehouse::privacy::Privacy;
use crate::warehouse::{Database, Limits};

/// A database that can be explored: the path to it, and what its tables mean.
#[derive(Debug)]
pub struct Opened {
    pub executor: Executor,
    /// The catalog with what people wrote, and with guesses where nobody did.
    pub catalog: Catalog,
    /// Warnings for the user, one sentence each.
    pub warnings: Vec<String>,
}

/// Where joins that nobody declared come from, and which texts are dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joins {
    /// From a look at the data. Joins are guessed unless only what is approved may be used.
    Guessed,
    /// There are none: nothing needs them.
    AsDeclared,
}

/// Reads the catalog of a database and completes it by the metadata. The metadata also decide which columns queries may
/// not show, whatever `rules` say.
pub async fn open(
    database: Arc<dyn Database>,
    metadata: Metadata,
    rules: Rules,
    limits: Limits,
    joins: Joins,
) -> Result<Opened, catalog::Error> {
    let privacy = Privacy { marks: metadata.personal(), ..rules.privacy };
    let rules = Rules { sensitive: metadata.sensitive(), privacy, ..rules };
    let (executor, introspected) = Executor::open(database, rules, limits).await?;
    let Introspected { mut catalog, mut warnings, left_out, code: _ } = introspected;
    let metadata = metadata.without(&left_out, &catalog);
    if joins == Joins::Guessed {
        look(&executor, &mut catalog, &metadata).await;
    }
    warnings.extend(declare(&executor, &mut catalog, &metadata).await);
    if executor.masker.is_some() {
        catalog.reword(|text| executor.masked_text(text));
    }
    if executor.is_aggregate() {
        // Common values, and those at the ends, are of few.
        catalog.hide_all_values();
        executor.guard(&Arc::new(catalog.clone()));
    }
    Ok(Opened { executor, catalog, warnings })
}

/// Looks at the data for what the database does not say: which texts are dates, and, unless only what is approved may be
/// used, where columns lead.
pub async fn look(executor: &Executor, catalog: &mut Catalog, metadata: &Metadata) {
    dates::find(executor, catalog, metadata).await;
    if !metadata.approved_only {
        joins::guess(executor, catalog, metadata).await;
    }
}

/// Reads what people wrote into a catalog, and traces what they declared in SQL. Returns a sentence for each piece that
/// cannot be used.
pub async fn declare(executor: &Executor, catalog: &mut Catalog, metadata: &Metadata) -> Vec<String> {
    let warnings = complete(catalog, metadata);
    warnings.into_iter().chain(declared::trace(executor, catalog).await).collect()
}

/// Adds to an introspected catalog what people wrote, guesses what nobody wrote unless only what is approved may be used,
/// and removes the values of sensitive columns. Returns a sentence for each table or column that people wrote about and that does not exist.
pub fn complete(catalog: &mut Catalog, metadata: &Metadata) -> Vec<String> {
    roles::guess_sensitive(catalog);
    let warnings = metadata.apply(catalog);
    if !metadata.approved_only {
        roles::guess(catalog);
        guess::complete(catalog);
    }
    for column in catalog
        .tables
        .iter_mut()
        .flat_map(|table| &mut table.columns)
        .filter(|column| column.sensitive || column.masked)
    {
        column.hide_values();
    }
    warnings
}

/// Something about a table that nobody wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Guess {
    /// The table, with its schema.
    pub table: String,
    pub kind: GuessKind,
    /// What was guessed: `order_items.order_id leads to orders.order_id`.
    pub text: String,
}

/// What a guess is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GuessKind {
    /// Where a column leads.
    Join,
    /// Which rows count.
    Filter,
    /// What rows are called.
    Noun,
    /// What columns are for.
    Roles,
    /// Which text is read as dates.
    Dates,
}

/// Returns what was guessed about the tables: their keys, the rows that count, what rows are called, which texts are dates,
/// the roles of their columns.
pub fn guesses(catalog: &Catalog) -> Vec<Guess> {
    let of_table = |table: &Table| {
        let table_name = format!("{}.{}", table.schema, table.name);
        let guess = |(kind, text)| Guess { table: table_name.clone(), kind, text };
        guesses_of(table).into_iter().map(guess).collect::<Vec<_>>()
    };
    catalog.tables.iter().flat_map(of_table).collect()
}

fn guesses_of(table: &Table) -> Vec<(GuessKind, String)> {
    let name = &table.name;
    let joins = table.foreign_keys.iter().filter(|key| key.origin == Origin::Guessed);
    let joins = joins
        .map(|key| format!("{name}.{} leads to {}.{}", key.columns.join(", "), key.table, key.referred.join(", ")));
    let filter = table.declared.filter.as_ref().filter(|filter| filter.guessed);
    let filter = filter.map(|filter| format!("rows of {name} count with {}", filter.sql));
    let noun = table.noun.as_ref().filter(|_| table.noun_guessed);
    let noun = noun.map(|noun| format!("a row of {name} is one of the {noun}"));
    let roles = table.columns.iter().filter(|column| column.role_guessed);
    let roles = roles.filter_map(|column| Some(format!("{} is {}", column.name, render::role_words(column.role?)?)));
    let roles = roles.collect::<Vec<_>>();
    let roles = (!roles.is_empty()).then(|| format!("in {name} {}", roles.join(", ")));
    let dates = table.columns.iter().filter_map(|column| dates::words(table, column));
    let joins = joins.map(|text| (GuessKind::Join, text));
    let filter = filter.map(|text| (GuessKind::Filter, text));
    let noun = noun.map(|text| (GuessKind::Noun, text));
    let dates = dates.map(|text| (GuessKind::Dates, text));
    joins.chain(filter).chain(noun).chain(dates).chain(roles.map(|text| (GuessKind::Roles, text))).collect()
}
