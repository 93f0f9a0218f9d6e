//! Where the metadata and the database disagree: `schema check`, and the warnings of a run.

use std::fmt;
use std::path::PathBuf;

use super::metadata::{Metadata, TableFile};
use crate::typeset::spelling::nearest;
use crate::warehouse::catalog::{Catalog, Table};

/// One disagreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// A file describes a table that is not there, or may not be read, or is excluded.
    MissingTable {
        /// The file.
        path: PathBuf,
        /// The table that its name tells.
        table: String,
        /// The table that was probably meant.
        nearest: Option<String>,
    },
    /// A file describes a table whose name is in several schemas.
    AmbiguousTable {
        /// The file.
        path: PathBuf,
        /// The table that its name tells.
        table: String,
        /// The schemas that have it.
        schemas: Vec<String>,
    },
    /// A file describes a column that is not there, or may not be read.
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The column that was probably meant.
        nearest: Option<String>,
    },
    /// A column's type is not the one that the file has on record.
    ChangedType {
        /// The table, with its schema.
        table: String,
        /// The column.
        column: String,
        /// The type in the file.
        recorded: String,
        /// The type in the database.
        actual: String,
    },
    /// A table that neither a file nor the database describes.
    UndescribedTable {
        /// The table, with its schema.
        table: String,
    },
    /// A column of a described table that neither its file nor the database describes.
    UndescribedColumn {
        /// The table, with its schema.
        table: String,
        /// The column.
        column: String,
    },
}

impl Drift {
    /// Whether metadata and database disagree; what is described nowhere is only worth knowing.
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
        let meant = |nearest: &Option<String>| match nearest {
            Some(nearest) => format!("; did you mean {nearest}?"),
            None => String::new(),
        };
        match self {
            Self::MissingTable { path, table, nearest } => {
                write!(formatter, "{}: there is no table {table} to read{}", path.display(), meant(nearest))
            }
            Self::AmbiguousTable { path, table, schemas } => write!(
                formatter,
                "{}: {table} is in the schemas {}; name the file <schema>.<table>.json",
                path.display(),
                schemas.join(", ")
            ),
            Self::MissingColumn { path, column, nearest } => {
                write!(formatter, "{}: there is no column {column} to read{}", path.display(), meant(nearest))
            }
            Self::ChangedType { table, column, recorded, actual } => {
                write!(formatter, "{table}.{column} is {actual}, no longer {recorded}")
            }
            Self::UndescribedTable { table } => write!(formatter, "{table} is described nowhere"),
            Self::UndescribedColumn { table, column } => write!(formatter, "{table}.{column} is described nowhere"),
        }
    }
}

/// All disagreements between a catalog, introspected from the database, and what people wrote.
pub fn find(catalog: &Catalog, metadata: &Metadata) -> Vec<Drift> {
    let mut drifts = absent(catalog, metadata);
    for (index, table) in catalog.tables.iter().enumerate() {
        let file = metadata.files.iter().find(|file| file.tables_in(catalog) == [index]);
        drifts.extend(of_table(table, file));
    }
    drifts
}

/// What is written about tables and columns that are not there.
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
    if described || undescribed.len() < table.columns.len() {
        drifts.extend(undescribed);
    }
    drifts
}
