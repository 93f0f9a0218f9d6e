//! Turns what was guessed in the metadata files into what somebody approved.

use std::path::{Path, PathBuf};

use super::{Approval, Error, Metadata, TableFile, pull};
use crate::typeset::spelling::{hint, nearest};
use crate::warehouse::catalog::Personal;

/// What [`approve`] changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approved {
    /// The files that were changed.
    pub written: Vec<PathBuf>,
    /// What was approved: `orders: filter status <> 'cancelled'`.
    pub guesses: Vec<String>,
}

/// Approves the guesses in the files of a directory: those of these tables, or `table.column`; all if none is named.
/// Returns an error before any change if a file does not parse or a name means nothing.
pub fn approve(directory: &Path, names: &[String], approval: &Approval) -> Result<Approved, Error> {
    let metadata = Metadata::read(directory)?;
    check(&metadata, names)?;
    let mut approved = Approved::default();
    for file in &metadata.files {
        let mut changed = file.clone();
        let guesses = changed.approve(names, approval);
        if guesses.is_empty() {
            continue;
        }
        pull::write(&file.path, &changed.content, &mut approved.written)?;
        approved.guesses.extend(guesses);
    }
    Ok(approved)
}

/// Reports names that are no table's and no column's.
fn check(metadata: &Metadata, names: &[String]) -> Result<(), Error> {
    let known = metadata.files.iter().flat_map(|file| {
        let columns = file.content.columns.0.iter().map(|(column, _)| format!("{}.{column}", file.reference()));
        std::iter::once(file.reference()).chain(columns)
    });
    let known = known.collect::<Vec<_>>();
    let unknown = names.iter().filter(|name| !known.contains(name)).map(|name| {
        let nearest = nearest(name, known.iter().map(String::as_str));
        format!("{name} is no table or table.column of the metadata{}", hint(nearest))
    });
    let problems = unknown.collect::<Vec<_>>();
    if problems.is_empty() { Ok(()) } else { Err(Error { problems }) }
}

impl TableFile {
    /// Approves what is guessed of the table or a column that is named. Returns a line for each.
    fn approve(&mut self, names: &[String], approval: &Approval) -> Vec<String> {
        let table = self.reference();
        let is_whole = names.is_empty() || names.contains(&table);
        let mut found = Vec::new();
        let content = &mut self.content;
        for guessed in std::mem::take(&mut content.guessed) {
            if !is_whole {
                content.guessed.push(guessed);
                continue;
            }
            let (what, value) = match guessed {
                super::Guessed::Noun => ("noun", &content.noun),
                super::Guessed::Filter => ("filter", &content.filter),
            };
            found.push(format!("{table}: {what} {}", value.as_deref().unwrap_or_default()));
            content.approved = Some(approval.clone());
        }
        for join in content.joins.iter_mut().filter(|join| join.guessed && is_whole) {
            (join.guessed, join.approved) = (false, Some(approval.clone()));
            found.push(format!("{table}: join of {} to {}", join.columns.join(", "), join.table));
        }
        for (name, column) in content.columns.0.iter_mut().filter(|(_, column)| column.pii_guessed) {
            if is_whole || names.contains(&format!("{table}.{name}")) {
                (column.pii_guessed, column.approved) = (false, Some(approval.clone()));
                let kind = column.pii.and_then(super::Pii::kind).map_or("none", Personal::name);
                found.push(format!("{table}.{name}: pii {kind}"));
            }
        }
        for (name, column) in content.columns.0.iter_mut().filter(|(_, column)| column.guessed) {
            if is_whole || names.contains(&format!("{table}.{name}")) {
                (column.guessed, column.approved) = (false, Some(approval.clone()));
                let role = column.role.map(crate::semantic::render::role_name).unwrap_or_default();
                found.push(format!("{table}.{name}: {role}"));
            }
        }
        found
    }
}
