//! Adds what another source says of tables to the metadata files.
//!
//! It fills what is empty or guessed, and counts as written by people. Where the files say something else, they stay,
//! unless the caller replaces them; either way the difference is told. A folder with an invalid file is not changed.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::pull::{SCHEMA_FILE, skeleton, write};
use super::{
    ByName, ColumnMetadata, Error, FILE_BYTES_MAX, Guessed, JoinMetadata, MeasureMetadata, Metadata, TableFile,
    TableMetadata, file_name, metadata_schema,
};
use crate::semantic::render::role_name;
use crate::typeset::text::line;

/// The most characters of a description, a label or another text that are taken.
const TEXT_CHARACTERS_MAX: usize = 4_000;
/// The most characters of a text that a message repeats.
const SEEN_CHARACTERS_MAX: usize = 60;
/// The longest name of a file, in bytes; file systems take 255.
const FILE_NAME_BYTES_MAX: usize = 240;

/// What another source says of one table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableSaid {
    pub schema: Option<String>,
    pub name: String,
    pub content: TableMetadata,
}

/// The changes that [`merge`] made to a metadata directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// The files that are new or changed.
    pub written: Vec<PathBuf>,
    /// The number of tables whose files said all of it already.
    pub unchanged: usize,
    /// Where the files say something else, a line each.
    pub conflicts: Vec<String>,
    /// What could not be written, a line each.
    pub lost: Vec<String>,
}

/// Adds what is said of tables to the files of `directory`, and creates missing ones. Where the files say something
/// else, `replaces` decides.
pub fn merge(said: &[TableSaid], directory: &Path, replaces: bool) -> Result<Merged, Error> {
    let metadata = if directory.exists() { Metadata::read(directory)? } else { Metadata::default() };
    let mut merged = Merged::default();
    let mut drafts = Vec::<Draft>::new();
    let ambiguous = ambiguous(said.iter().map(|table| (&table.schema, &table.name)));
    for table in said {
        let path = match place(table, &metadata, directory, ambiguous.contains(&table.name)) {
            Ok(path) => path,
            Err(problem) => {
                merged.lost.push(problem);
                continue;
            }
        };
        let index = drafts.iter().position(|draft| draft.path == path).unwrap_or_else(|| {
            let present = metadata.files.iter().find(|file| file.path == path).map(|file| file.content.clone());
            drafts.push(Draft { path, content: present.clone().unwrap_or_else(skeleton), present });
            drafts.len() - 1
        });
        let conflicts = add(&mut drafts[index].content, &table.content, &table.name, replaces);
        merged.conflicts.extend(conflicts);
    }
    write(&directory.join(SCHEMA_FILE), &metadata_schema(), &mut merged.written)?;
    for draft in drafts {
        merged.finish(&draft)?;
    }
    Ok(merged)
}

/// A file as it will be.
struct Draft {
    path: PathBuf,
    present: Option<TableMetadata>,
    content: TableMetadata,
}

/// Returns the names that tables of several schemas have, of tables given as schema and name.
pub(in crate::semantic) fn ambiguous<'t>(
    tables: impl Iterator<Item = (&'t Option<String>, &'t String)>,
) -> HashSet<String> {
    let mut schemas = HashMap::<&str, HashSet<Option<&str>>>::new();
    for (schema, name) in tables {
        schemas.entry(name).or_default().insert(schema.as_deref());
    }
    schemas.into_iter().filter(|(_, schemas)| schemas.len() > 1).map(|(name, _)| name.to_owned()).collect()
}

/// Returns the file of a table: the present one, or the path of a new one. A file without a schema in its name means the
/// table, unless tables of several schemas have its name.
fn place(said: &TableSaid, metadata: &Metadata, directory: &Path, is_ambiguous: bool) -> Result<PathBuf, String> {
    let named = metadata.files.iter().filter(|file| file.table == said.name).collect::<Vec<_>>();
    let exact = named.iter().find(|file| file.schema == said.schema);
    let bare = named.iter().find(|file| file.schema.is_none()).filter(|_| !is_ambiguous);
    if let Some(file) = exact.or(bare) {
        return Ok(file.path.clone());
    }
    if let (None, [only]) = (&said.schema, named.as_slice()) {
        return Ok(only.path.clone());
    }
    let takes_schema = is_ambiguous || !named.is_empty();
    let stem = file_name::encode(said.schema.as_deref().filter(|_| takes_schema), &said.name);
    if said.name.is_empty() || stem.len() > FILE_NAME_BYTES_MAX {
        return Err(format!("{:?}: no file can be named after this table", line(&said.name, SEEN_CHARACTERS_MAX)));
    }
    Ok(directory.join(stem + ".json"))
}

impl Merged {
    fn finish(&mut self, draft: &Draft) -> Result<(), Error> {
        if draft.present.as_ref() == Some(&draft.content) {
            self.unchanged += 1;
            return Ok(());
        }
        let bytes = serde_json::to_string_pretty(&draft.content).map_or(usize::MAX, |text| text.len());
        if u64::try_from(bytes).is_ok_and(|bytes| bytes < FILE_BYTES_MAX) {
            return write(&draft.path, &draft.content, &mut self.written);
        }
        let path = draft.path.display();
        self.lost.push(format!("{path} would have {bytes} bytes; a file has at most {FILE_BYTES_MAX}"));
        Ok(())
    }
}

/// Adds what is said to the metadata of a table. Returns a line for each thing that the two say differently.
pub(in crate::semantic) fn add(
    present: &mut TableMetadata,
    said: &TableMetadata,
    table: &str,
    replaces: bool,
) -> Vec<String> {
    let mut adding = Adding { place: table.to_owned(), replaces, conflicts: Vec::new() };
    adding.text("description", &mut present.description, said.description.as_deref());
    adding.guessable(Guessed::Noun, present, said);
    adding.guessable(Guessed::Filter, present, said);
    adding.value("arrival", &mut present.arrival, said.arrival.as_ref());
    adding.value("time zone", &mut present.time_zone, said.time_zone.as_ref());
    adding.value("currency", &mut present.currency, said.currency.as_ref());
    for columns in &said.unique {
        if !present.unique.iter().any(|known| is_same_set(known, columns)) {
            present.unique.push(columns.clone());
        }
    }
    let news = said.warnings.iter().filter(|warning| !present.warnings.contains(warning));
    let news = news.cloned().collect::<Vec<_>>();
    present.warnings.extend(news);
    for (name, measure) in &said.measures.0 {
        adding.measure(name, &mut present.measures, measure);
    }
    adding.named("condition", &mut present.conditions, &said.conditions);
    adding.named("duration", &mut present.durations, &said.durations);
    for join in &said.joins {
        adding.join(&mut present.joins, join);
    }
    for (name, column) in &said.columns.0 {
        adding.place = format!("{table}.{name}");
        if present.columns.get(name).is_none() {
            present.columns.0.push((name.clone(), ColumnMetadata::default()));
        }
        if let Some(known) = present.columns.get_mut(name) {
            adding.column(known, column);
        }
    }
    adding.conflicts
}

/// What is going on while something is added to one table.
struct Adding {
    /// The table or column that messages name.
    place: String,
    replaces: bool,
    conflicts: Vec<String>,
}

impl Adding {
    /// Notes that two things differ. Returns whether the new one is taken.
    fn differs(&mut self, what: &str, present: &str, said: &str) -> bool {
        let seen = |text: &str| format!("\"{}\"", line(text.trim(), SEEN_CHARACTERS_MAX));
        let (present, said, place) = (seen(present), seen(said), &self.place);
        self.conflicts.push(if self.replaces {
            format!("{place}: {what} was {present}; it is now {said}")
        } else {
            format!("{place}: {what} stays {present}; the import says {said}")
        });
        self.replaces
    }

    fn text(&mut self, what: &str, present: &mut Option<String>, said: Option<&str>) {
        let Some(said) = super::written(said).map(|said| said.chars().take(TEXT_CHARACTERS_MAX).collect::<String>())
        else {
            return;
        };
        let is_taken = match super::written(present.as_deref()) {
            None => true,
            Some(known) => known != said && self.differs(what, &known, &said),
        };
        if is_taken {
            *present = Some(said);
        }
    }

    fn value<T: Clone + PartialEq + serde::Serialize>(
        &mut self,
        what: &str,
        present: &mut Option<T>,
        said: Option<&T>,
    ) {
        let Some(said) = said else { return };
        let is_taken = match present {
            None => true,
            Some(known) => known != said && self.differs(what, &json(known), &json(said)),
        };
        if is_taken {
            *present = Some(said.clone());
        }
    }

    /// Adds a noun or a filter, before which a guess gives way.
    fn guessable(&mut self, what: Guessed, present: &mut TableMetadata, said: &TableMetadata) {
        let (word, known, said) = match what {
            Guessed::Noun => ("noun", &mut present.noun, &said.noun),
            Guessed::Filter => ("filter", &mut present.filter, &said.filter),
        };
        if super::written(said.as_deref()).is_some() && present.guessed.contains(&what) {
            present.guessed.retain(|guessed| *guessed != what);
            *known = None;
        }
        self.text(word, known, said.as_deref());
    }

    fn measure(&mut self, name: &str, present: &mut ByName<MeasureMetadata>, said: &MeasureMetadata) {
        let Some(known) = present.get_mut(name) else {
            present.0.push((name.to_owned(), said.clone()));
            return;
        };
        let what = format!("measure {name:?}");
        if (&known.sql, &known.filter) == (&said.sql, &said.filter) {
            self.text(&format!("description of {what}"), &mut known.description, said.description.as_deref());
            self.text(&format!("unit of {what}"), &mut known.unit, said.unit.as_deref());
            self.value(&format!("additive of {what}"), &mut known.additive, said.additive.as_ref());
            self.value(&format!("good of {what}"), &mut known.good, said.good.as_ref());
        } else if self.differs(&what, &of_rows(known), &of_rows(said)) {
            *known = said.clone();
        }
    }

    /// Adds conditions or durations.
    fn named<T: Clone + PartialEq + serde::Serialize>(
        &mut self,
        kind: &str,
        present: &mut ByName<T>,
        said: &ByName<T>,
    ) {
        for (name, said) in &said.0 {
            match present.get_mut(name) {
                None => present.0.push((name.clone(), said.clone())),
                Some(known) if known == said => {}
                Some(known) => {
                    if self.differs(&format!("{kind} {name:?}"), &json(known), &json(said)) {
                        *known = said.clone();
                    }
                }
            }
        }
    }

    /// Adds a join. A guess about the same columns gives way; a written one that leads elsewhere is another one.
    fn join(&mut self, present: &mut Vec<JoinMetadata>, said: &JoinMetadata) {
        present.retain(|known| !known.guessed || known.columns != said.columns);
        let is_same =
            |known: &&mut JoinMetadata| known.columns == said.columns && is_same_table(&known.table, &said.table);
        match present.iter_mut().find(is_same) {
            None => present.push(said.clone()),
            Some(known) if known.referred == said.referred => {}
            Some(known) => {
                let what = format!("the join of {} to {}", said.columns.join(", "), said.table);
                if self.differs(&what, &known.referred.join(", "), &said.referred.join(", ")) {
                    *known = said.clone();
                }
            }
        }
    }

    fn column(&mut self, known: &mut ColumnMetadata, said: &ColumnMetadata) {
        self.text("description", &mut known.description, said.description.as_deref());
        self.text("label", &mut known.label, said.label.as_deref());
        self.text("unit", &mut known.unit, said.unit.as_deref());
        if let Some(role) = said.role {
            if known.guessed {
                (known.role, known.guessed) = (None, false);
            }
            let is_taken = known
                .role
                .is_none_or(|present| present != role && self.differs("role", &role_name(present), &role_name(role)));
            if is_taken {
                (known.role, known.approved) = (Some(role), None);
            }
        }
        if !said.examples.is_empty() && known.examples != said.examples {
            let is_taken = known.examples.is_empty()
                || self.differs("examples", &known.examples.join(", "), &said.examples.join(", "));
            if is_taken {
                known.examples.clone_from(&said.examples);
            }
        }
        self.value("sensitive", &mut known.sensitive, said.sensitive.as_ref());
        self.value("pii", &mut known.pii, said.pii.as_ref());
        known.safe |= said.safe;
        known.type_name = known.type_name.take().or_else(|| said.type_name.clone());
    }
}

/// Returns a measure in one line.
fn of_rows(measure: &MeasureMetadata) -> String {
    match &measure.filter {
        Some(filter) => format!("{} WHERE {filter}", measure.sql),
        None => measure.sql.clone(),
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn is_same_set(left: &[String], right: &[String]) -> bool {
    left.len() == right.len() && left.iter().all(|name| right.contains(name))
}

/// Returns whether two joins lead to one table, of which either may leave out the schema.
fn is_same_table(left: &str, right: &str) -> bool {
    match (left.split_once('.'), right.split_once('.')) {
        (Some((_, name)), None) => name == right,
        (None, Some((_, name))) => name == left,
        _ => left == right,
    }
}

impl TableFile {
    /// Returns the table as a join names it.
    pub(in crate::semantic) fn reference(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.table),
            None => self.table.clone(),
        }
    }
}
