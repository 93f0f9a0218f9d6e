//! Writes metadata files from an introspected catalog, for people to fill in.
//!
//! Existing text is never lost: columns are added and types are updated, and everything else stays. A directory with an
//! invalid file is not changed, and each file is replaced atomically. Guessed roles are not written, because a later
//! run could not tell them from roles that people wrote.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{ColumnMetadata, Error, Metadata, TableFile, TableMetadata, file_name, metadata_schema};
use crate::semantic::drift;
use crate::warehouse::catalog::{Catalog, Table};

/// The path of the JSON Schema, relative to the metadata directory. It is in a subdirectory, so that it is not read as
/// a table's file.
const SCHEMA_FILE: &str = "schema/table.json";

/// The changes that [`pull`] made to a metadata directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulled {
    /// The files that are new or changed.
    pub written: Vec<PathBuf>,
    /// The number of tables' files that were already up to date.
    pub unchanged: usize,
    /// Metadata of missing tables and columns, which was kept; one sentence for each.
    pub notes: Vec<String>,
}

/// Updates the files of `directory` from an introspected catalog, and creates missing ones.
///
/// Returns an error before any change if a file does not parse.
pub fn pull(catalog: &Catalog, directory: &Path) -> Result<Pulled, Error> {
    let metadata = if directory.exists() { Metadata::read(directory)? } else { Metadata::default() };
    let mut pulled = Pulled {
        notes: drift::absent(catalog, &metadata).iter().map(|drift| format!("{drift}; kept")).collect(),
        ..Pulled::default()
    };
    pulled.write(&directory.join(SCHEMA_FILE), &metadata_schema())?;
    for (index, table) in catalog.tables.iter().enumerate() {
        let file = metadata.files.iter().find(|file| file.tables_in(catalog) == [index]);
        match file {
            Some(TableFile { path, content, .. }) => {
                let merged = merge(content.clone(), table);
                if merged == *content {
                    pulled.unchanged += 1;
                } else {
                    pulled.write(path, &merged)?;
                }
            }
            None => pulled.write(&directory.join(new_file_name(catalog, table)), &merge(skeleton(), table))?,
        }
    }
    Ok(pulled)
}

fn new_file_name(catalog: &Catalog, table: &Table) -> String {
    let alone = catalog.table(None, &table.name).is_some();
    file_name::encode((!alone).then_some(&table.schema), &table.name) + ".json"
}

fn skeleton() -> TableMetadata {
    TableMetadata { schema: Some(SCHEMA_FILE.to_owned()), description: Some(String::new()), ..TableMetadata::default() }
}

/// Appends the table's new columns to the existing metadata, and updates the types of the known ones.
fn merge(mut content: TableMetadata, table: &Table) -> TableMetadata {
    for column in &table.columns {
        let known = content.columns.0.iter_mut().find(|(name, _)| *name == column.name);
        match known {
            Some((_, written)) => written.type_name = Some(column.type_name.clone()),
            None => content.columns.0.push((
                column.name.clone(),
                ColumnMetadata {
                    description: Some(String::new()),
                    type_name: Some(column.type_name.clone()),
                    ..ColumnMetadata::default()
                },
            )),
        }
    }
    content
}

impl Pulled {
    fn write(&mut self, path: &Path, content: &impl serde::Serialize) -> Result<(), Error> {
        let problem = |error: &dyn std::fmt::Display| Error {
            problems: vec![format!("{}: cannot be written: {error}", path.display())],
        };
        let text = serde_json::to_string_pretty(content).map_err(|error| problem(&error))? + "\n";
        if fs::read_to_string(path).is_ok_and(|present| present == text) {
            return Ok(());
        }
        replace(path, &text).map_err(|error| problem(&error))?;
        self.written.push(path.to_owned());
        Ok(())
    }
}

/// Writes a file beside `path` and renames it, so that a crash leaves either the old file or the new one.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = directory.join(format!(".{name}.{}.new", std::process::id()));
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&temporary, path));
    if renamed.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    renamed
}
