//! The metadata files that people write: one `<table>.json` or `<schema>.<table>.json` for each table, and
//! `business_context.md`.
//!
//! No metadata is dropped silently: a file that does not parse is an error with file, line and column, and metadata of
//! missing tables is reported as a warning. Where a file has no description, the database's own comment is used.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::drift;
use crate::typeset::spelling::{hint, nearest};
use crate::warehouse::catalog::{Catalog, Column, MarkedColumn, Role};

mod file_name;
mod pull;

pub use pull::{Pulled, pull};

/// The name of the file with the business context.
const BUSINESS_CONTEXT: &str = "business_context.md";
/// The most characters of the business context that are used, because it is in every prompt.
const BUSINESS_CONTEXT_CHARACTERS_MAX: usize = 12_000;
/// The largest file that is read, in bytes; more than people write by hand.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What people wrote about one table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableMetadata {
    /// Where the JSON Schema of this file is, for editors.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// What a row is, and where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What its rows are called in a sentence, in the plural: incidents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noun: Option<String>,
    /// What to beware of when reading the table, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The columns, by name as in the database.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ColumnMetadata>")]
    pub columns: Columns,
}

/// What people wrote about one column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnMetadata {
    /// What the values mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The column's type when the file was pulled; a check tells when the database's differs.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_name: Option<String>,
    /// What it is called in a sentence: net sales. Where it is missing, it is called by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The unit of the values: INR, litre, %.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What the column is for. Where it is missing, it is guessed from type, name and statistics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Values to filter by, exactly as they are stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
    /// Whether the values are personal or secret: no prompt contains examples of them, and queries may only count, sum,
    /// average and join them. Where it is missing, it is guessed from the name, and only the prompts leave them out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<bool>,
}

/// The columns of a metadata file, in the file's order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns(pub Vec<(String, ColumnMetadata)>);

/// The parsed content of a metadata directory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// The tables' files, sorted by path.
    pub files: Vec<TableFile>,
    /// The domain as people describe it, cut to a limit; `None` if the file is missing or blank.
    pub business_context: Option<String>,
    /// One sentence for each file that could not be used in full.
    pub warnings: Vec<String>,
}

/// One table's metadata file with its parsed content.
#[derive(Debug, Clone, PartialEq)]
pub struct TableFile {
    pub path: PathBuf,
    /// The schema in the file's name; `None` refers to any schema.
    pub schema: Option<String>,
    /// The table in the file's name.
    pub table: String,
    pub content: TableMetadata,
}

/// All problems that make a metadata directory unusable, one line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.join("\n"))]
pub struct Error {
    /// Each is `file:line:column: problem` or `file: problem`.
    pub problems: Vec<String>,
}

/// Returns the JSON Schema of a table's file.
pub fn metadata_schema() -> serde_json::Value {
    schemars::schema_for!(TableMetadata).to_value()
}

impl Metadata {
    /// Reads a metadata directory. A missing directory is an error; callers for which it is optional check first.
    pub fn read(directory: &Path) -> Result<Self, Error> {
        let mut texts = Vec::new();
        let mut problems = Vec::new();
        for path in files(directory).map_err(|problem| Error { problems: vec![problem] })? {
            match read_text(&path) {
                Ok(text) => texts.push((path, text)),
                Err(problem) => problems.push(problem),
            }
        }
        match Self::parse(texts) {
            Ok(metadata) if problems.is_empty() => Ok(metadata),
            Ok(_) => Err(Error { problems }),
            Err(error) => Err(Error { problems: [problems, error.problems].concat() }),
        }
    }

    /// Returns the metadata of the built-in sample.
    pub fn sample() -> Result<Self, Error> {
        let text = |name: &str, text: &str| (PathBuf::from(name), text.to_owned());
        Self::parse(vec![
            text("metadata/primary_sales.json", include_str!("../../metadata/primary_sales.json")),
            text("metadata/business_context.md", include_str!("../../metadata/business_context.md")),
        ])
    }

    fn parse(texts: Vec<(PathBuf, String)>) -> Result<Self, Error> {
        let mut metadata = Self::default();
        let mut problems = Vec::new();
        for (path, text) in texts {
            if path.file_name().is_some_and(|name| name == BUSINESS_CONTEXT) {
                metadata.set_business_context(&text, &path);
                continue;
            }
            match TableFile::parse(path, &text) {
                Ok(file) => metadata.files.push(file),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(metadata) } else { Err(Error { problems }) }
    }

    /// Removes the files of tables that are left out on purpose, given as (schema, name), which would be reported as
    /// missing.
    #[must_use]
    pub fn without(mut self, left_out: &[(String, String)], catalog: &Catalog) -> Self {
        let is_left_out = |file: &TableFile| {
            let means = |(schema, name): &(String, String)| {
                file.table == *name && file.schema.as_ref().is_none_or(|named| named == schema)
            };
            file.tables_in(catalog).is_empty() && left_out.iter().any(means)
        };
        self.files.retain(|file| !is_left_out(file));
        self
    }

    /// Returns the columns that people marked as sensitive.
    pub fn sensitive(&self) -> BTreeSet<MarkedColumn> {
        let marked = |file: &TableFile| {
            let columns = file.content.columns.0.iter().filter(|(_, column)| column.sensitive == Some(true));
            let (schema, table) = (file.schema.clone(), file.table.clone());
            let marked = columns.map(|(column, _)| MarkedColumn {
                schema: schema.clone(),
                table: table.clone(),
                column: column.clone(),
            });
            marked.collect::<Vec<_>>()
        };
        self.files.iter().flat_map(marked).collect()
    }

    /// Adds the metadata to an introspected catalog, where it replaces the database's comments. Returns warnings, one
    /// sentence each, about metadata of missing tables and columns, duplicate files, and files that could not be used
    /// in full.
    pub fn apply(&self, catalog: &mut Catalog) -> Vec<String> {
        let mut warnings = self.warnings.clone();
        warnings.extend(drift::absent(catalog, self).iter().map(ToString::to_string));
        let mut described = HashSet::new();
        for file in &self.files {
            let [index] = file.tables_in(catalog)[..] else { continue };
            if !described.insert(index) {
                let path = file.path.display();
                warnings.push(format!("{path} is ignored: another file describes the same table; merge the two"));
                continue;
            }
            let table = &mut catalog.tables[index];
            table.description = written(file.content.description.as_deref()).or(table.description.take());
            table.noun = written(file.content.noun.as_deref());
            table.warnings.clone_from(&file.content.warnings);
            for (name, content) in &file.content.columns.0 {
                if let Some(column) = table.columns.iter_mut().find(|column| column.name == *name) {
                    content.apply(column);
                }
            }
        }
        catalog.business_context.clone_from(&self.business_context);
        warnings
    }

    fn set_business_context(&mut self, text: &str, path: &Path) {
        let text = text.trim();
        let characters = text.chars().count();
        if characters > BUSINESS_CONTEXT_CHARACTERS_MAX {
            let path = path.display();
            self.warnings.push(format!(
                "{path} has {characters} characters; only the first {BUSINESS_CONTEXT_CHARACTERS_MAX} are used"
            ));
        }
        let used = text.chars().take(BUSINESS_CONTEXT_CHARACTERS_MAX).collect::<String>();
        self.business_context = (!used.is_empty()).then_some(used);
    }
}

impl ColumnMetadata {
    fn apply(&self, column: &mut Column) {
        column.description = written(self.description.as_deref()).or(column.description.take());
        column.label = written(self.label.as_deref());
        column.unit = written(self.unit.as_deref());
        column.role = self.role;
        column.role_guessed = false;
        column.examples.clone_from(&self.examples);
        // `false` corrects only a guess: a view that shows a marked column stays sensitive, whatever its own file says.
        if self.sensitive == Some(true) || (self.sensitive == Some(false) && column.sensitive_guessed) {
            column.sensitive = self.sensitive == Some(true);
            column.sensitive_guessed = false;
        }
    }
}

impl TableFile {
    fn parse(path: PathBuf, text: &str) -> Result<Self, String> {
        let content = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map(|Object(content)| content)
            .map_err(|error| format!("{}:{}", path.display(), located(&error)))?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let (schema, table) = file_name::decode(&stem);
        Ok(Self { path, schema, table, content })
    }

    /// Returns the indexes of the catalog's tables that the file's name matches: one, unless it is wrong or ambiguous.
    pub(super) fn tables_in(&self, catalog: &Catalog) -> Vec<usize> {
        let meant = |table: &crate::warehouse::catalog::Table| {
            table.name == self.table && self.schema.as_ref().is_none_or(|schema| table.schema == *schema)
        };
        catalog.tables.iter().enumerate().filter(|(_, table)| meant(table)).map(|(index, _)| index).collect()
    }
}

impl Columns {
    /// Returns the metadata of a column.
    pub fn get(&self, name: &str) -> Option<&ColumnMetadata> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, column)| column)
    }
}

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, column) in &self.0 {
            map.serialize_entry(name, column)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ColumnsVisitor)
    }
}

struct ColumnsVisitor;

impl<'de> Visitor<'de> for ColumnsVisitor {
    type Value = Columns;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of columns by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Columns, A::Error> {
        let mut columns = Columns::default();
        while let Some(name) = map.next_key::<String>()? {
            if columns.get(&name).is_some() {
                return Err(de::Error::custom(format_args!("the column `{name}` appears twice")));
            }
            columns.0.push((name, map.next_value::<Object<ColumnMetadata>>()?.0));
        }
        Ok(columns)
    }
}

/// A value that is read only from a JSON object; serde also reads structs from arrays, by position.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// Returns the trimmed text; `None` if it is blank.
fn written(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Returns the paths of the tables' files and the business context, sorted.
fn files(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let problem = |error| format!("{}: cannot be read as a metadata directory: {error}", directory.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(problem)? {
        let path = entry.map_err(problem)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_json = path.extension().is_some_and(|extension| extension == "json") && !name.starts_with('.');
        if (is_json || name == BUSINESS_CONTEXT) && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read_text(path: &Path) -> Result<String, String> {
    let problem = |error| format!("{}: cannot be read: {error}", path.display());
    let bytes = std::fs::metadata(path).map_err(problem)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(format!("{}: has {bytes} bytes; at most {FILE_BYTES_MAX} are read", path.display()));
    }
    std::fs::read_to_string(path).map_err(problem)
}

/// Formats an error as `line:column: problem`, with a hint to the most similar known key.
fn located(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let message = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text);
    let meant = unknown_and_known(message).and_then(|(unknown, known)| nearest(unknown, known));
    format!("{line}:{column}: {message}{}", hint(meant))
}

/// Extracts the unknown name and the known names from serde's message: unknown field `x`, expected one of `a`, `b`.
fn unknown_and_known(message: &str) -> Option<(&str, Vec<&str>)> {
    let quoted = message.strip_prefix("unknown field `").or_else(|| message.strip_prefix("unknown variant `"))?;
    let (unknown, expected) = quoted.split_once("`, expected ")?;
    Some((unknown, expected.split('`').skip(1).step_by(2).collect()))
}
