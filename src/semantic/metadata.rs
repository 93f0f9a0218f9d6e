//! The metadata files that people write: one `<table>.json` or `<schema>.<table>.json` for each table, and
//! `business_context.md`.
//!
//! No metadata is dropped silently: a file that does not parse is an error with file, line and column, and metadata of
//! missing tables is reported as a warning. Where a file has no description, the database's own comment is used.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use self::by_name::Object;
use super::drift;
use crate::typeset::spelling::{hint, nearest};
use crate::warehouse::catalog::{
    Catalog, Column, Currency, Declared, DeclaredMeasure, Filter, ForeignKey, MarkedColumn, NamedCondition,
    NamedDuration, Origin, Rates, Table,
};
use crate::warehouse::privacy::{Mark, Marks};

mod approve;
mod by_name;
mod file_name;
mod merge;
mod pull;
mod table;

pub use self::approve::{Approved, approve};
pub use self::by_name::ByName;
pub use self::merge::{Merged, TableSaid, merge};
pub(in crate::semantic) use self::merge::{add, ambiguous};
pub(in crate::semantic) use self::pull::replace;
pub use self::pull::{Pulled, pull};
pub use self::table::{
    Approval, ColumnMetadata, ConditionMetadata, CurrencyMetadata, DurationMetadata, Guessed, JoinMetadata,
    MeasureMetadata, Pii, RatesMetadata, TableMetadata,
};

/// The name of the file with the business context.
const BUSINESS_CONTEXT: &str = "business_context.md";
/// The most characters of the business context that are used, because it is in every prompt.
const BUSINESS_CONTEXT_CHARACTERS_MAX: usize = 12_000;
/// The largest file that is read, in bytes; more than people write by hand.
pub(in crate::semantic) const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The parsed content of a metadata directory.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    /// The tables' files, sorted by path.
    pub files: Vec<TableFile>,
    /// The domain as people describe it, cut to a limit; `None` if the file is missing or blank.
    pub business_context: Option<String>,
    /// One sentence for each file that could not be used in full.
    pub warnings: Vec<String>,
    /// Whether nothing may be guessed, see [`Metadata::approved_only`].
    pub approved_only: bool,
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

    /// Removes what was guessed and not approved. Nothing is guessed in its place.
    #[must_use]
    pub fn approved_only(mut self) -> Self {
        self.approved_only = true;
        for content in self.files.iter_mut().map(|file| &mut file.content) {
            for guessed in std::mem::take(&mut content.guessed) {
                match guessed {
                    Guessed::Noun => content.noun = None,
                    Guessed::Filter => content.filter = None,
                }
            }
            content.joins.retain(|join| !join.guessed);
            content
                .columns
                .0
                .iter_mut()
                .filter(|(_, column)| column.guessed)
                .for_each(|(_, column)| column.role = None);
        }
        self
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

    /// Returns what is written of columns with personal data. Guesses of `explore schema pull` count whether or not
    /// somebody approved them: they keep values back.
    pub fn personal(&self) -> Marks {
        let mut marks = Marks::default();
        for file in &self.files {
            for (column, content) in &file.content.columns.0 {
                let (schema, table) = (file.schema.clone(), file.table.clone());
                let marked = MarkedColumn { schema, table, column: column.clone() };
                if content.safe {
                    marks.safe.insert(marked.clone());
                }
                if let Some(pii) = content.pii {
                    marks.personal.insert(marked, Mark { kind: pii.kind(), is_guessed: content.pii_guessed });
                }
            }
        }
        marks
    }

    /// Adds the metadata to an introspected catalog, where it replaces the database's comments. Returns warnings, one
    /// sentence each, about metadata of missing tables and columns, duplicate files, and files that could not be used
    /// in full.
    pub fn apply(&self, catalog: &mut Catalog) -> Vec<String> {
        let mut warnings = self.warnings.clone();
        warnings.extend(drift::absent(catalog, self).iter().map(ToString::to_string));
        let mut described = HashSet::new();
        let mut keys = Vec::new();
        for file in &self.files {
            let [index] = file.tables_in(catalog)[..] else { continue };
            if !described.insert(index) {
                let path = file.path.display();
                warnings.push(format!("{path} is ignored: another file describes the same table; merge the two"));
                continue;
            }
            let table = &mut catalog.tables[index];
            table.description = written(file.content.description.as_deref()).or(table.description.take());
            file.content.apply(table);
            let (joins, problems) = file.content.keys(catalog, index);
            warnings.extend(problems.iter().map(|problem| format!("{}: {problem}", file.path.display())));
            keys.extend(joins.into_iter().map(|join| (index, join)));
        }
        // What they lead to has its own file, which may come later.
        for (index, key) in keys {
            catalog.join(index, key);
        }
        warnings.extend(self.convert(catalog));
        catalog.business_context.clone_from(&self.business_context);
        warnings
    }

    /// Adds how amounts are converted, once all tables are known. Returns what is wrong with it, a sentence each.
    fn convert(&self, catalog: &mut Catalog) -> Vec<String> {
        let mut problems = Vec::new();
        for file in &self.files {
            let (Some(currency), [index]) = (&file.content.currency, &file.tables_in(catalog)[..]) else { continue };
            match currency.declared(&catalog.tables[*index], catalog) {
                Ok(declared) => catalog.convert(*index, declared),
                Err(problem) => problems.push(format!("{}: {problem}", file.path.display())),
            }
        }
        problems
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

impl TableMetadata {
    /// Adds what is said of the table itself and its columns.
    fn apply(&self, table: &mut Table) {
        let is_guessed = |what: Guessed| self.guessed.contains(&what);
        table.noun = written(self.noun.as_deref());
        table.noun_guessed = is_guessed(Guessed::Noun);
        table.warnings.clone_from(&self.warnings);
        table.declared = Declared {
            filter: written(self.filter.as_deref()).map(|sql| Filter {
                sql,
                guessed: is_guessed(Guessed::Filter),
                parts: Vec::new(),
            }),
            measures: self.measures.0.iter().map(|(name, measure)| measure.declared(name)).collect(),
            conditions: self.conditions.0.iter().map(|(name, condition)| condition.declared(name)).collect(),
            durations: self.durations.0.iter().map(|(name, duration)| duration.declared(name)).collect(),
            unique: self.unique.clone(),
            arrival: self.arrival,
            time_zone: self.time_zone.clone(),
            currency: None,
        };
        let is_said = |key: &ForeignKey| self.joins.iter().any(|join| join.columns == key.columns);
        table.foreign_keys.retain(|key| key.origin != Origin::Guessed || !is_said(key));
        for (name, content) in &self.columns.0 {
            if let Some(column) = table.columns.iter_mut().find(|column| column.name == *name) {
                content.apply(column);
            }
        }
    }

    /// Returns the keys that lead from the table to others, and what is wrong with those that lead nowhere.
    fn keys(&self, catalog: &Catalog, from: usize) -> (Vec<ForeignKey>, Vec<String>) {
        let mut keys = Vec::new();
        let mut problems = Vec::new();
        for join in &self.joins {
            match join.key(&catalog.tables[from], catalog) {
                Ok(key) => keys.push(key),
                Err(problem) => problems.push(problem),
            }
        }
        (keys, problems)
    }
}

impl MeasureMetadata {
    fn declared(&self, name: &str) -> DeclaredMeasure {
        DeclaredMeasure {
            name: name.to_owned(),
            sql: self.sql.clone(),
            filter: written(self.filter.as_deref()),
            unit: written(self.unit.as_deref()),
            additive: self.additive,
            good: self.good,
            value: None,
            parts: Vec::new(),
        }
    }
}

impl ConditionMetadata {
    fn declared(&self, name: &str) -> NamedCondition {
        NamedCondition { name: name.to_owned(), sql: self.sql.clone(), text: None }
    }
}

impl DurationMetadata {
    fn declared(&self, name: &str) -> NamedDuration {
        NamedDuration { name: name.to_owned(), from: self.from.clone(), to: self.to.clone() }
    }
}

impl CurrencyMetadata {
    /// Returns how amounts are converted, or why they cannot be.
    fn declared(&self, of: &Table, catalog: &Catalog) -> Result<Currency, String> {
        let RatesMetadata { table, currency, rate, day } = &self.rates;
        let rates =
            referred(table, catalog).map_err(|problem| format!("the rates of the currency are in {problem}"))?;
        let of_rates = [Some(currency), Some(rate), day.as_ref()].into_iter().flatten().map(|column| (rates, column));
        for (table, column) in std::iter::once((of, &self.column)).chain(of_rates) {
            known(table, column).map_err(|problem| format!("the currency names {problem}"))?;
        }
        Ok(Currency {
            column: self.column.clone(),
            unit: self.unit.clone(),
            rates: Rates {
                schema: rates.schema.clone(),
                table: rates.name.clone(),
                currency: currency.clone(),
                rate: rate.clone(),
                day: day.clone(),
            },
        })
    }
}

/// Returns the table that a file names, or what is wrong with it.
fn referred<'c>(table: &str, catalog: &'c Catalog) -> Result<&'c Table, String> {
    let (schema, name) = match table.split_once('.') {
        Some((schema, name)) => (Some(schema), name),
        None => (None, table),
    };
    catalog.table(schema, name).ok_or_else(|| {
        let nearest = nearest(name, catalog.tables.iter().map(|table| table.name.as_str()));
        format!("{table}, which is no readable table{}", hint(nearest))
    })
}

/// Returns what is wrong with a column that a file names, if there is none.
fn known(table: &Table, column: &str) -> Result<(), String> {
    if table.column(column).is_some() {
        return Ok(());
    }
    let nearest = nearest(column, table.columns.iter().map(|column| column.name.as_str()));
    Err(format!("{}.{column}, which does not exist{}", table.name, hint(nearest)))
}

impl JoinMetadata {
    /// Returns the key, or why it leads nowhere.
    fn key(&self, from: &Table, catalog: &Catalog) -> Result<ForeignKey, String> {
        let to = referred(&self.table, catalog).map_err(|problem| format!("a join leads to {problem}"))?;
        if self.columns.is_empty() || self.columns.len() != self.referred.len() {
            return Err(format!("the join to {} needs as many columns as referred columns", self.table));
        }
        for (table, column) in
            self.columns.iter().map(|one| (from, one)).chain(self.referred.iter().map(|one| (to, one)))
        {
            known(table, column).map_err(|problem| format!("a join names {problem}"))?;
        }
        Ok(ForeignKey {
            columns: self.columns.clone(),
            schema: to.schema.clone(),
            table: to.name.clone(),
            referred: self.referred.clone(),
            is_valid: false,
            origin: if self.guessed { Origin::Guessed } else { Origin::Written },
        })
    }
}

impl ColumnMetadata {
    fn apply(&self, column: &mut Column) {
        column.description = written(self.description.as_deref()).or(column.description.take());
        column.label = written(self.label.as_deref());
        column.unit = written(self.unit.as_deref());
        column.role = self.role;
        column.role_guessed = self.guessed;
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
