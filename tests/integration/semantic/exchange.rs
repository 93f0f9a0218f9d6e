//! Metadata from and for other tools: dbt's manifests, documents of Ossie, and how they are added to the files.

mod command;
mod dbt;
mod merging;
mod ossie;

use std::path::{Path, PathBuf};

use explore::semantic::exchange::{Imported, TableSaid};
use explore::semantic::metadata::{Metadata, TableMetadata};
use tempfile::TempDir;

fn material(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/material/exchange").join(name)
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// What is said of a table.
#[track_caller]
fn said<'imported>(imported: &'imported Imported, schema: Option<&str>, name: &str) -> &'imported TableMetadata {
    let is_meant = |table: &&TableSaid| table.schema.as_deref() == schema && table.name == name;
    &imported.tables.iter().find(is_meant).unwrap_or_else(|| panic!("{name} of {imported:?}")).content
}

/// The measures of a table, each as `name: sql WHERE filter`.
fn measures(table: &TableMetadata) -> Vec<String> {
    let line = |(name, measure): &(String, explore::semantic::metadata::MeasureMetadata)| match &measure.filter {
        Some(filter) => format!("{name}: {} WHERE {filter}", measure.sql),
        None => format!("{name}: {}", measure.sql),
    };
    table.measures.0.iter().map(line).collect()
}

/// The joins of a table, each as `columns -> table.columns`.
fn joins(table: &TableMetadata) -> Vec<String> {
    let line = |join: &explore::semantic::metadata::JoinMetadata| {
        format!("{} -> {}.{}", join.columns.join(", "), join.table, join.referred.join(", "))
    };
    table.joins.iter().map(line).collect()
}

/// The files of a folder by name, with what they say.
fn contents(directory: &Path) -> Vec<(String, TableMetadata)> {
    let metadata = Metadata::read(directory).unwrap();
    let named = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    metadata.files.iter().map(|file| (named(&file.path), file.content.clone())).collect()
}
