//! Finds disagreements between the metadata files and the database, for `schema check` and the warnings of a run.

use std::fmt;
use std::path::PathBuf;

use super::metadata::{Metadata, TableFile};
use crate::typeset::spelling::{hint, nearest};
use crate::warehouse::catalog::{Catalog, Table};

/// One disagreement between metadata and database, or a missing description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// A file describes a table that does not exist, may not be read, or is excluded.
    MissingTable {
        path: PathBuf,
        /// The table that the file's name refers to.
        table: String,
        /// The table with the most similar name, for the hint; `None` if none is similar.
        nearest: Option<String>,
    },
    /// A file without a schema in its name describes a table that exists in several schemas.
    AmbiguousTable { path: PathBuf, table: String, schemas: Vec<String> },
    /// A file describes a column that does not exist or may not be read.
    MissingColumn {
        path: PathBuf,
        column: String,
        /// The column with the most similar name, for the hint; `None` if none is similar.
        nearest: Option<String>,
    },
    /// A column's type differs from the type in the file.
    ChangedType {
        /// The qualified name, `schema.name`.
        table: String,
        column: String,
        /// The type in the file.
        recorded: String,
        /// The type in the database.
        actual: String,
    },
    /// A table that neither a file nor the database describes.
    UndescribedTable {
        /// The qualified name, `schema.name`.
        table: String,
    },
    /// A column of a described table that neither its file nor the database describes.
    UndescribedColumn {
        /// The qualified name, `schema.name`.
        table: String,
        column: String,
    },
}

impl Drift {
    /// Returns whether metadata and database disagree; false for a missing description.
    pub fn is_disagreement(&self) -> bool {
        match self {
            Self::MissingTable { .. }
            | Self::AmbiguousTable { .. }
            | Self::MissingColumn { .. }
            | Self::ChangedType { .. } => true,
            Self::UndescribedTable { .. } | Self::UndescribedColumn { .. } => false,
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingTable { path, table, nearest } => {
                write!(formatter, "{}: there is no readable table {table}{}", path.display(), hint(nearest.as_ref()))
            }
            Self::AmbiguousTable { path, table, schemas } => write!(
                formatter,
                "{}: {table} is in the schemas {}; name the file <schema>.<table>.json",
                path.display(),
                schemas.join(", ")
            ),
            Self::MissingColumn { path, column, nearest } => {
                write!(formatter, "{}: there is no readable column {column}{}", path.display(), hint(nearest.as_ref()))
            }
            Self::ChangedType { table, column, recorded, actual } => {
                write!(formatter, "{table}.{column} is {actual}, no longer {recorded}")
            }
            Self::UndescribedTable { table } => write!(formatter, "{table} has no description"),
            Self::UndescribedColumn { table, column } => write!(formatter, "{table}.{column} has no description"),
        }
    }
}

/// Returns all disagreements between an introspected catalog and the metadata, and all missing descriptions.
pub fn find(catalog: &Catalog, metadata: &Metadata) -> Vec<Drift> {
    let mut drifts = absent(catalog, metadata);
    for (index, table) in catalog.tables.iter().enumerate() {
        let file = metadata.files.iter().find(|file| file.tables_in(catalog) == [index]);
        drifts.extend(of_table(table, file));
    }
    drifts
}

/// Returns the metadata of missing and ambiguous tables and of missing columns.
pub(super) fn absent(catalog: &Catalog, metadata: &Metadata) -> Vec<Drift> {
    metadata.files.iter().flat_map(|file| absent_of(catalog, file)).collect()
}

fn absent_of(catalog: &Catalog, file: &TableFile) -> Vec<Drift> {
    let (path, table) = (file.path.clone(), file.table.clone());
    match file.tables_in(catalog)[..] {
        [] => {
            let qualified = |schema: &str, name: &str| match file.schema {
                Some(_) => format!("{schema}.{name}"),
                None => name.to_owned(),
            };
            let likely = nearest(&table, catalog.tables.iter().map(|known| known.name.as_str()));
            let likely = catalog.tables.iter().find(|known| Some(known.name.as_str()) == likely);
            let nearest = likely.map(|known| qualified(&known.schema, &known.name));
            let table = qualified(file.schema.as_deref().unwrap_or_default(), &table);
            vec![Drift::MissingTable { path, table, nearest }]
        }
        [index] => {
            let columns = &catalog.tables[index].columns;
            let missing =
                file.content.columns.0.iter().filter(|(name, _)| !columns.iter().any(|column| column.name == *name));
            missing
                .map(|(name, _)| Drift::MissingColumn {
                    path: path.clone(),
                    column: name.clone(),
                    nearest: nearest(name, columns.iter().map(|column| column.name.as_str())).map(str::to_owned),
                })
                .collect()
        }
        [..] => {
            let schemas = catalog.tables.iter().filter(|known| known.name == table).map(|known| known.schema.clone());
            vec![Drift::AmbiguousTable { schemas: schemas.collect(), path, table }]
        }
    }
}

fn of_table(table: &Table, file: Option<&TableFile>) -> Vec<Drift> {
    let name = format!("{}.{}", table.schema, table.name);
    let says = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
    let mut drifts = Vec::new();
    let mut undescribed = Vec::new();
    for column in &table.columns {
        let written = file.and_then(|file| file.content.columns.get(&column.name));
        if let Some(recorded) = written.and_then(|written| written.type_name.as_ref())
            && *recorded != column.type_name
        {
            drifts.push(Drift::ChangedType {
                table: name.clone(),
                column: column.name.clone(),
                recorded: recorded.clone(),
                actual: column.type_name.clone(),
            });
        }
        if !says(&column.description) && !written.is_some_and(|written| says(&written.description)) {
            undescribed.push(Drift::UndescribedColumn { table: name.clone(), column: column.name.clone() });
        }
    }
    let described = says(&table.description) || file.is_some_and(|file| says(&file.content.description));
    if !described {
        drifts.push(Drift::UndescribedTable { table: name });
    }
    // A table without any description is reported once, not column by column.
    if described || undescribed.len() < table.columns.len() {
        drifts.extend(undescribed);
    }
    drifts
}
