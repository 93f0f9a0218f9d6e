//! What the tables mean: what people wrote about them, the role of each column, and how a model is shown both.

pub mod drift;
pub mod metadata;
pub mod render;
pub mod roles;
mod words;

use std::sync::Arc;

use self::metadata::Metadata;
use crate::warehouse::catalog::{self, Catalog, Introspected};
use crate::warehouse::executor::{Executor, Rules};
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

/// Reads the catalog of a database and completes it by the metadata. The metadata also decide which columns queries may
/// not show, whatever `rules` say.
pub async fn open(
    database: Arc<dyn Database>,
    metadata: Metadata,
    rules: Rules,
    limits: Limits,
) -> Result<Opened, catalog::Error> {
    let rules = Rules { sensitive: metadata.sensitive(), ..rules };
    let (executor, introspected) = Executor::open(database, rules, limits).await?;
    let Introspected { mut catalog, mut warnings, left_out, code: _ } = introspected;
    let metadata = metadata.without(&left_out, &catalog);
    warnings.extend(complete(&mut catalog, &metadata));
    Ok(Opened { executor, catalog, warnings })
}

/// Adds to an introspected catalog what people wrote, guesses the roles that nobody wrote, and removes the values of
/// sensitive columns. Returns a sentence for each table or column that people wrote about and that does not exist.
pub fn complete(catalog: &mut Catalog, metadata: &Metadata) -> Vec<String> {
    roles::guess_sensitive(catalog);
    let warnings = metadata.apply(catalog);
    roles::guess(catalog);
    for column in catalog.tables.iter_mut().flat_map(|table| &mut table.columns).filter(|column| column.sensitive) {
        column.hide_values();
    }
    warnings
}
