//! Writes metadata files from an introspected catalog, for people to fill in.
//!
//! Existing text is never lost: columns are added, types and guesses are updated, and everything else stays. A directory
//! with an invalid file is not changed, and each file is replaced atomically. What nobody wrote is guessed and marked as
//! such, so that a person can look at it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{
    ColumnMetadata, Error, Guessed, JoinMetadata, Metadata, Pii, TableFile, TableMetadata, file_name, metadata_schema,
};
use crate::semantic::{complete, dates, drift};
use crate::warehouse::catalog::{Catalog, ForeignKey, Origin, Table};

/// The path of the JSON Schema, relative to the metadata directory. It is in a subdirectory, so that it is not read as
/// a table's file.
pub(super) const SCHEMA_FILE: &str = "schema/table.json";

/// The changes that [`pull`] made to a metadata directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pulled {
    /// The files that are new or changed.
    pub written: Vec<PathBuf>,
    /// The number of tables' files that were already up to date.
    pub unchanged: usize,
    /// Metadata of missing tables and columns, which was kept, and texts that are read as dates; one sentence for each.
    pub notes: Vec<String>,
}

/// Updates the files of `directory` from an introspected catalog, which may have guessed keys, and creates missing ones.
///
/// Returns an error before any change if a file does not parse.
pub fn pull(catalog: &Catalog, directory: &Path) -> Result<Pulled, Error> {
    let metadata = if directory.exists() { Metadata::read(directory)? } else { Metadata::default() };
    let mut pulled = Pulled {
        notes: drift::absent(catalog, &metadata).iter().map(|drift| format!("{drift}; kept")).collect(),
        ..Pulled::default()
    };
    write(&directory.join(SCHEMA_FILE), &metadata_schema(), &mut pulled.written)?;
    let completed = guessed(catalog, &metadata);
    pulled.notes.extend(dates::told(&completed));
    for (index, table) in completed.tables.iter().enumerate() {
        let file = metadata.files.iter().find(|file| file.tables_in(catalog) == [index]);
        let Some(TableFile { path, content, .. }) = file else {
            let path = directory.join(new_file_name(catalog, table));
            write(&path, &merge(skeleton(), table), &mut pulled.written)?;
            continue;
        };
        let merged = merge(content.clone(), table);
        if merged == *content {
            pulled.unchanged += 1;
        } else {
            write(path, &merged, &mut pulled.written)?;
        }
    }
    Ok(pulled)
}

/// Returns the catalog with what people wrote, and with guesses where nobody did.
fn guessed(catalog: &Catalog, metadata: &Metadata) -> Catalog {
    let written = Metadata { approved_only: false, ..metadata.clone().approved_only() };
    let mut completed = catalog.clone();
    // What is wrong with the files is noted by the caller.
    let _ = complete(&mut completed, &written);
    completed
}

fn new_file_name(catalog: &Catalog, table: &Table) -> String {
    let alone = catalog.table(None, &table.name).is_some();
    file_name::encode((!alone).then_some(&table.schema), &table.name) + ".json"
}

pub(super) fn skeleton() -> TableMetadata {
    TableMetadata { schema: Some(SCHEMA_FILE.to_owned()), description: Some(String::new()), ..TableMetadata::default() }
}

/// Appends the table's new columns to the existing metadata, and updates the types of the known ones and the guesses.
fn merge(mut content: TableMetadata, table: &Table) -> TableMetadata {
    for column in &table.columns {
        if content.columns.get(&column.name).is_none() {
            let skeleton = ColumnMetadata { description: Some(String::new()), ..ColumnMetadata::default() };
            content.columns.0.push((column.name.clone(), skeleton));
        }
        let Some(written) = content.columns.get_mut(&column.name) else { continue };
        written.type_name = Some(column.type_name.clone());
        if written.guessed || written.role.is_none() {
            written.role = column.role;
            written.guessed = column.role.is_some();
        }
        if written.pii_guessed || written.pii.is_none() {
            written.pii = column.personal.filter(|_| column.personal_guessed).and_then(Pii::of);
            written.pii_guessed = written.pii.is_some();
        }
    }
    merge_guesses(&mut content, table);
    content
}

/// Updates what is guessed of the table itself.
fn merge_guesses(content: &mut TableMetadata, table: &Table) {
    let is_open = |what: Guessed, is_written: bool| content.guessed.contains(&what) || !is_written;
    let (noun, filter) =
        (is_open(Guessed::Noun, content.noun.is_some()), is_open(Guessed::Filter, content.filter.is_some()));
    content.guessed.clear();
    if noun {
        content.noun.clone_from(&table.noun);
        content.guessed.extend(table.noun.as_ref().map(|_| Guessed::Noun));
    }
    if filter {
        content.filter = table.declared.filter.as_ref().map(|filter| filter.sql.clone());
        content.guessed.extend(content.filter.as_ref().map(|_| Guessed::Filter));
    }
    content.joins.retain(|join| !join.guessed);
    let guesses = table.foreign_keys.iter().filter(|key| key.origin == Origin::Guessed);
    content.joins.extend(guesses.map(join));
}

fn join(key: &ForeignKey) -> JoinMetadata {
    JoinMetadata {
        columns: key.columns.clone(),
        table: format!("{}.{}", key.schema, key.table),
        referred: key.referred.clone(),
        guessed: true,
        approved: None,
    }
}

/// Writes a file and adds it to those that were written, unless it holds this already.
pub(super) fn write(path: &Path, content: &impl serde::Serialize, written: &mut Vec<PathBuf>) -> Result<(), Error> {
    let problem = |error: &dyn std::fmt::Display| Error {
        problems: vec![format!("{}: cannot be written: {error}", path.display())],
    };
    let text = serde_json::to_string_pretty(content).map_err(|error| problem(&error))? + "\n";
    if fs::read_to_string(path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    replace(path, &text).map_err(|error| problem(&error))?;
    written.push(path.to_owned());
    Ok(())
}

/// Writes a file beside `path` and renames it, so that a crash leaves either the old file or the new one.
pub(in crate::semantic) fn replace(path: &Path, text: &str) -> io::Result<()> {
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
