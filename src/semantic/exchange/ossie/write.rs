//! Metadata as a document of Ossie.

use std::collections::HashSet;
use std::path::Path;

use serde::Serialize;

use super::document::{
    Context, Dataset, Dimension, Document, Expression, Extension, Field, Metric, Model, Relationship, VENDOR, VERSION,
};
use super::{MeasureExtension, TableExtension};
use crate::semantic::exchange::spoken;
use crate::semantic::metadata::{ByName, ColumnMetadata, MeasureMetadata, Metadata, TableFile, replace};
use crate::warehouse::catalog::Role;
use crate::warehouse::sql::{self, piece};

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Yaml,
    Json,
}

impl Format {
    /// Returns the format that the name of a file asks for.
    pub fn of(path: &Path) -> Self {
        match path.extension() {
            Some(ending) if ending.eq_ignore_ascii_case("json") => Self::Json,
            _ => Self::Yaml,
        }
    }
}

impl Exported {
    /// Writes the document into a file, which is there whole or not at all.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        replace(path, &self.text)
    }
}

/// A document, and what it does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    pub text: String,
    /// The number of its datasets.
    pub tables: usize,
    /// What others cannot read of it or what is left out, a line each.
    pub lost: Vec<String>,
}

/// Returns the document that says what metadata say. Guesses that nobody approved are left out.
pub fn export(metadata: Metadata, format: Format) -> Result<Exported, String> {
    let guesses = guesses(&metadata);
    let metadata = metadata.approved_only();
    if metadata.files.is_empty() {
        return Err("there is no table in the metadata; run `explore schema pull` first".to_owned());
    }
    let mut writing = Writing::of(&metadata);
    if guesses > 0 {
        writing.lost.push(format!("{guesses} guesses that nobody approved: see `explore schema approve`"));
    }
    for (index, file) in metadata.files.iter().enumerate() {
        writing.table(index, file);
    }
    let context = metadata.business_context.clone().map(|instructions| Context::Lists {
        instructions: Some(instructions),
        synonyms: Vec::new(),
        examples: Vec::new(),
    });
    let model = Model { name: "explore".to_owned(), ai_context: context, ..writing.model };
    let tables = model.datasets.len();
    let document = Document { version: Some(VERSION.to_owned()), semantic_model: vec![model] };
    let text = match format {
        Format::Yaml => serde_saphyr::to_string(&document).map_err(|error| error.to_string())?,
        Format::Json => serde_json::to_string_pretty(&document).map_err(|error| error.to_string())? + "\n",
    };
    Ok(Exported { text, tables, lost: writing.lost })
}

fn guesses(metadata: &Metadata) -> usize {
    let of_file = |file: &TableFile| {
        let joins = file.content.joins.iter().filter(|join| join.guessed).count();
        let columns = file.content.columns.0.iter().filter(|(_, column)| column.guessed).count();
        file.content.guessed.len() + joins + columns
    };
    metadata.files.iter().map(of_file).sum()
}

struct Writing<'metadata> {
    files: &'metadata [TableFile],
    /// The name of each file's dataset.
    names: Vec<String>,
    model: Model,
    taken: HashSet<String>,
    lost: Vec<String>,
}

impl<'metadata> Writing<'metadata> {
    fn of(metadata: &'metadata Metadata) -> Self {
        let files = metadata.files.as_slice();
        let is_alone = |file: &TableFile| files.iter().filter(|other| other.table == file.table).count() == 1;
        let names = files.iter().map(|file| if is_alone(file) { file.table.clone() } else { file.reference() });
        let names = names.collect();
        Self { files, names, model: Model::default(), taken: HashSet::new(), lost: Vec::new() }
    }

    fn table(&mut self, index: usize, file: &TableFile) {
        let name = self.names[index].clone();
        let content = &file.content;
        let mut own = TableExtension {
            noun: content.noun.clone(),
            filter: content.filter.clone(),
            arrival: content.arrival,
            time_zone: content.time_zone.clone(),
            currency: content.currency.clone(),
            warnings: content.warnings.clone(),
            conditions: content.conditions.clone(),
            durations: content.durations.clone(),
            measures: ByName::default(),
        };
        for (measure, said) in &content.measures.0 {
            match self.metric(&name, measure, said, content.filter.as_deref()) {
                Ok(metric) => self.model.metrics.push(metric),
                Err(why) => {
                    self.lost.push(format!("{name}: measure {measure:?} is for explore alone: {why}"));
                    own.measures.0.push((measure.clone(), said.clone()));
                }
            }
        }
        self.model.datasets.push(Dataset {
            name: name.clone(),
            source: source(file.schema.as_deref(), &file.table),
            unique_keys: content.unique.iter().filter(|key| !key.is_empty()).cloned().collect(),
            description: written(content.description.as_deref()),
            fields: content.columns.0.iter().map(|(name, column)| field(name, column)).collect(),
            custom_extensions: extension(&own),
            ..Dataset::default()
        });
        for join in &content.joins {
            let to = self.target(&join.table);
            let name = self.unique(&format!("{name}_to_{to}"));
            self.model.relationships.push(Relationship {
                name,
                from: self.names[index].clone(),
                to,
                from_columns: join.columns.clone(),
                to_columns: join.referred.clone(),
                ..Relationship::default()
            });
        }
    }

    /// Returns the dataset that a join leads to. One of which nothing is known has only a name.
    fn target(&mut self, reference: &str) -> String {
        let known = self.files.iter().position(|file| file.reference() == reference).or_else(|| {
            let table = reference.split_once('.').map_or(reference, |(_, table)| table);
            let mut named = self.files.iter().enumerate().filter(|(_, file)| file.table == table);
            let (index, file) = named.next().filter(|_| named.next().is_none())?;
            (file.schema.is_none() || !reference.contains('.')).then_some(index)
        });
        if let Some(index) = known {
            return self.names[index].clone();
        }
        if !self.model.datasets.iter().any(|dataset| dataset.name == reference) {
            let (schema, table) = match reference.split_once('.') {
                Some((schema, table)) => (Some(schema), table),
                None => (None, reference),
            };
            let dataset = Dataset { name: reference.to_owned(), source: source(schema, table), ..Dataset::default() };
            self.model.datasets.push(dataset);
        }
        reference.to_owned()
    }

    fn unique(&mut self, name: &str) -> String {
        let numbered = (2_u64..).map(|number| format!("{name}_{number}"));
        let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| !self.taken.contains(name));
        let free = free.unwrap_or_default();
        self.taken.insert(free.clone());
        free
    }

    /// Returns a measure as others read it: the rows that count are a part of the expression.
    fn metric(
        &mut self,
        dataset: &str,
        name: &str,
        measure: &MeasureMetadata,
        counted: Option<&str>,
    ) -> Result<Metric, String> {
        let read = piece::read(&measure.sql).map_err(|refusal| refusal.message)?;
        if !read.is_aggregate() {
            return Err("it is no aggregate".to_owned());
        }
        let filter = measure.filter.as_deref().or(counted);
        let whole = match filter {
            None => read.text().to_owned(),
            Some(filter) => read.filtered(piece::read(filter).map_err(|refusal| refusal.message)?.text()),
        };
        let qualified = |name: &piece::Name| {
            let column = name.parts.last()?;
            Some(format!("{}.{}", sql::identifier(dataset), sql::identifier(column)))
        };
        let expression = piece::read(&whole).map_err(|refusal| refusal.message)?.renamed(qualified);
        let taken = self.unique(&name.replace(' ', "_"));
        let is_same = filter.is_none()
            && read.renamed(|name| name.parts.last().map(|column| sql::identifier(column))) == measure.sql;
        let own = MeasureExtension {
            dataset: read.names().is_empty().then(|| dataset.to_owned()),
            name: (spoken(&taken) != name).then(|| name.to_owned()),
            sql: (!is_same).then(|| measure.sql.clone()),
            filter: measure.filter.clone(),
            unit: measure.unit.clone(),
            additive: measure.additive,
            good: measure.good,
        };
        Ok(Metric {
            name: taken,
            expression: Expression::of(expression),
            description: written(measure.description.as_deref()),
            custom_extensions: extension(&own),
            ..Metric::default()
        })
    }
}

fn field(name: &str, column: &ColumnMetadata) -> Field {
    let is_hidden = column.sensitive == Some(true);
    let own = ColumnMetadata {
        unit: written(column.unit.as_deref()),
        role: column.role.filter(|role| *role != Role::Date),
        type_name: column.type_name.clone(),
        examples: if is_hidden { Vec::new() } else { column.examples.clone() },
        sensitive: column.sensitive.filter(|is_sensitive| *is_sensitive),
        ..ColumnMetadata::default()
    };
    Field {
        name: name.to_owned(),
        expression: Expression::of(sql::identifier(name)),
        dimension: Some(Dimension { is_time: Some(column.role == Some(Role::Date)) }),
        label: written(column.label.as_deref()),
        description: written(column.description.as_deref()),
        datatype: column.type_name.as_deref().and_then(datatype).map(str::to_owned),
        custom_extensions: extension(&own),
        ..Field::default()
    }
}

/// Returns the logical type of a type of PostgreSQL.
fn datatype(type_name: &str) -> Option<&'static str> {
    let known = [
        ("timestamp with time zone", "DateTimeTz"),
        ("timestamp", "DateTime"),
        ("time", "Time"),
        ("date", "Date"),
        ("numeric", "Decimal"),
        ("double precision", "Float"),
        ("real", "Float"),
        ("smallint", "Integer"),
        ("integer", "Integer"),
        ("bigint", "Integer"),
        ("boolean", "Boolean"),
        ("text", "String"),
        ("character", "String"),
    ];
    let is_list = type_name.ends_with("[]") || type_name.contains("range");
    known.iter().find(|(start, _)| type_name.starts_with(start) && !is_list).map(|(_, datatype)| *datatype)
}

/// Returns what only explore knows, if there is any.
fn extension<T: Serialize + Default + PartialEq>(own: &T) -> Vec<Extension> {
    if *own == T::default() {
        return Vec::new();
    }
    let data = serde_json::to_string(own).unwrap_or_default();
    vec![Extension { vendor_name: VENDOR.to_owned(), data }]
}

fn source(schema: Option<&str>, table: &str) -> String {
    schema.map(quoted).into_iter().chain([quoted(table)]).collect::<Vec<_>>().join(".")
}

/// Returns a part of a source, in quotes if it has what would end it.
fn quoted(name: &str) -> String {
    let is_plain = |character: char| character.is_alphanumeric() || "_$-".contains(character);
    if name.chars().all(is_plain) { name.to_owned() } else { format!("\"{name}\"") }
}

fn written(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}
