//! What the tables mean: what people wrote about them, the role of each column, and how a model is shown both.

pub mod drift;
pub mod metadata;
pub mod render;
pub mod roles;
mod words;

use self::metadata::Metadata;
use crate::warehouse::catalog::Catalog;

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
