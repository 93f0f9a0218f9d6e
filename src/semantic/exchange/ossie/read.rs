//! A document of Ossie as metadata.

use serde::de::DeserializeOwned;

use super::document::{
    Context, Dataset, Document, Expression, Extension, Field, Metric, Model, Relationship, VENDOR, VERSION,
};
use super::{MeasureExtension, TableExtension};
use crate::semantic::exchange::{Gathering, Imported, Names, Place, spoken};
use crate::semantic::metadata::{ColumnMetadata, JoinMetadata, MeasureMetadata, TableMetadata};
use crate::warehouse::catalog::Role;
use crate::warehouse::sql::{self, piece};

/// The types by which a field is a time unless it says otherwise.
const TEMPORAL: [&str; 4] = ["Date", "Time", "DateTime", "DateTimeTz"];
/// The types of which a table's date can be.
const DATED: [&str; 3] = ["Date", "DateTime", "DateTimeTz"];

/// Returns what a document says of tables.
pub(super) fn imported(document: Document) -> Imported {
    let mut found = Gathering::default();
    if let Some(version) = document.version.filter(|version| version != VERSION) {
        found.lose("version", format!("{version} is read as if it were {VERSION}"));
    }
    for model in &document.semantic_model {
        Reading::of(model, &mut found).read();
    }
    found.imported()
}

/// A dataset that is a table.
struct Table<'document> {
    dataset: &'document Dataset,
    place: Place,
}

/// One semantic model, as it is being read.
struct Reading<'document, 'found> {
    model: &'document Model,
    tables: Vec<Table<'document>>,
    names: Names,
    found: &'found mut Gathering,
}

impl<'document, 'found> Reading<'document, 'found> {
    fn of(model: &'document Model, found: &'found mut Gathering) -> Self {
        let mut tables = Vec::new();
        for dataset in &model.datasets {
            match place(&dataset.source) {
                Some(place) => tables.push(Table { dataset, place }),
                None => found.lose(format!("dataset {}", dataset.name), "its source is a query and no table"),
            }
        }
        let names = Names::of(tables.iter().map(|table| &table.place));
        Self { model, tables, names, found }
    }

    fn read(mut self) {
        let name = format!("semantic model {}", self.model.name);
        if self.model.description.is_some() {
            self.found.lose(&name, "its description is of no table; business_context.md has room for it");
        }
        self.lose_context(&name, self.model.ai_context.as_ref());
        let tables = std::mem::take(&mut self.tables);
        for table in &tables {
            self.read_table(table);
        }
        for relationship in &self.model.relationships {
            self.read_relationship(relationship, &tables);
        }
        for metric in &self.model.metrics {
            self.read_metric(metric, &tables);
        }
        self.lose_extensions(&name, &self.model.custom_extensions);
    }

    fn read_table(&mut self, table: &Table<'_>) {
        let dataset = table.dataset;
        let what = format!("dataset {}", dataset.name);
        let own = self.extension::<TableExtension>(&what, &dataset.custom_extensions);
        let mut said = TableMetadata {
            description: described(dataset.description.as_deref(), dataset.ai_context.as_ref()),
            noun: own.noun,
            filter: own.filter,
            arrival: own.arrival,
            time_zone: own.time_zone,
            currency: own.currency,
            warnings: own.warnings,
            measures: own.measures,
            conditions: own.conditions,
            durations: own.durations,
            ..TableMetadata::default()
        };
        let keys = std::iter::once(&dataset.primary_key).chain(&dataset.unique_keys);
        for key in keys.filter(|key| !key.is_empty()) {
            said.unique.push(key.iter().map(|name| table.column(name)).collect());
        }
        self.lose_context(&what, dataset.ai_context.as_ref());
        self.found.add(&table.place, &said);
        self.read_fields(table);
    }

    fn read_fields(&mut self, table: &Table<'_>) {
        let dataset = table.dataset;
        let date = dataset.fields.iter().position(is_date);
        for (index, field) in dataset.fields.iter().enumerate() {
            let what = format!("{}: field {}", dataset.name, field.name);
            self.lose_dialects(&what, &field.expression);
            let Some(sql) = field.expression.sql() else { continue };
            let Some(column) = table.bare(sql) else {
                self.found.lose(&what, format!("{sql} is no column"));
                continue;
            };
            let mut said = self.extension::<ColumnMetadata>(&what, &field.custom_extensions);
            said.description = described(field.description.as_deref(), field.ai_context.as_ref());
            said.label.clone_from(&field.label);
            if said.sensitive == Some(false) {
                said.sensitive = None;
                self.found.lose(&what, "that its values are not personal; a person has to say so in the metadata");
            }
            if said.role.is_none() && date == Some(index) {
                said.role = Some(Role::Date);
            }
            if is_time(field) && date != Some(index) {
                self.found.lose(&what, "that it is a time; a table has one date");
            }
            self.lose_context(&what, field.ai_context.as_ref());
            if said != ColumnMetadata::default() {
                let mut content = TableMetadata::default();
                content.columns.0.push((column, said));
                self.found.add(&table.place, &content);
            }
        }
    }

    fn read_relationship(&mut self, relationship: &Relationship, tables: &[Table<'_>]) {
        let what = format!("relationship {}", relationship.name);
        let known = |name: &str| tables.iter().find(|table| table.dataset.name == name);
        let (columns, referred) = (&relationship.from_columns, &relationship.to_columns);
        match (known(&relationship.from), known(&relationship.to)) {
            (Some(from), Some(to)) if !columns.is_empty() && columns.len() == referred.len() => {
                let join = JoinMetadata {
                    columns: columns.iter().map(|name| from.column(name)).collect(),
                    table: self.names.reference(&to.place),
                    referred: referred.iter().map(|name| to.column(name)).collect(),
                    ..JoinMetadata::default()
                };
                self.found.add(&from.place, &TableMetadata { joins: vec![join], ..TableMetadata::default() });
            }
            (Some(_), Some(_)) => self.found.lose(&what, "it has not as many columns on both sides"),
            _ => self.found.lose(&what, "it leads from or to no table of the document"),
        }
        if relationship.ai_context.as_ref().is_some_and(|context| !context.synonyms().is_empty()) {
            self.found.lose(&what, "ai_context: synonyms; a join has no description");
        }
        self.lose_context(&what, relationship.ai_context.as_ref());
        self.lose_extensions(&what, &relationship.custom_extensions);
    }

    fn read_metric(&mut self, metric: &Metric, tables: &[Table<'_>]) {
        let what = format!("metric {}", metric.name);
        self.lose_dialects(&what, &metric.expression);
        let Some(sql) = metric.expression.sql() else { return };
        let extension = self.extension::<MeasureExtension>(&what, &metric.custom_extensions);
        let (table, sql) = match aggregate(sql, extension.dataset.as_deref(), tables) {
            Ok(read) => read,
            Err(why) => {
                self.found.lose(&what, why);
                return;
            }
        };
        self.lose_context(&what, metric.ai_context.as_ref());
        let measure = MeasureMetadata {
            sql: extension.sql.unwrap_or(sql),
            filter: extension.filter,
            description: described(metric.description.as_deref(), metric.ai_context.as_ref()),
            unit: extension.unit,
            additive: extension.additive,
            good: extension.good,
        };
        let mut said = TableMetadata::default();
        said.measures.0.push((extension.name.unwrap_or_else(|| spoken(&metric.name)), measure));
        self.found.add(&table.place, &said);
    }

    /// Returns what explore itself wrote, and lists what is for others.
    fn extension<T: DeserializeOwned + Default>(&mut self, what: &str, extensions: &[Extension]) -> T {
        self.lose_extensions(what, extensions);
        let Some(own) = extensions.iter().find(|extension| extension.vendor_name == VENDOR) else {
            return T::default();
        };
        serde_json::from_str(&own.data).unwrap_or_else(|error| {
            self.found.lose(what, format!("custom_extensions of {VENDOR} cannot be read: {error}"));
            T::default()
        })
    }

    fn lose_extensions(&mut self, what: &str, extensions: &[Extension]) {
        for extension in extensions.iter().filter(|extension| extension.vendor_name != VENDOR) {
            self.found.lose(what, format!("custom_extensions of {} are for it alone", extension.vendor_name));
        }
    }

    fn lose_context(&mut self, what: &str, context: Option<&Context>) {
        let others = context.map(Context::others).unwrap_or_default();
        if !others.is_empty() {
            self.found.lose(what, format!("ai_context: {}; only synonyms are taken", others.join(" and ")));
        }
    }

    fn lose_dialects(&mut self, what: &str, expression: &Expression) {
        let others = expression.others();
        if !others.is_empty() || expression.sql().is_none() {
            self.found.lose(what, format!("its expression in {} is not read, only ANSI_SQL is", others.join(" and ")));
        }
    }
}

impl Table<'_> {
    /// Returns the column that a field is; a name that is no field's is the column's own.
    fn column(&self, name: &str) -> String {
        let field = self.dataset.fields.iter().find(|field| field.name == name);
        field.and_then(|field| self.bare(field.expression.sql()?)).unwrap_or_else(|| name.to_owned())
    }

    /// Returns the column that an expression is, with the table before it or without.
    fn bare(&self, sql: &str) -> Option<String> {
        let read = piece::read(sql).ok()?;
        if let Some(column) = read.column() {
            return Some(column.to_owned());
        }
        let [name] = read.names() else { return None };
        let [table, column] = name.parts.as_slice() else { return None };
        let is_whole = piece::read(sql).ok()?.renamed(|_| Some(String::new())).is_empty();
        (is_whole && self.dataset.name.eq_ignore_ascii_case(table)).then(|| column.clone())
    }

    /// Returns the SQL of a field or column within an aggregate.
    fn sql(&self, name: &str) -> String {
        let is_meant = |field: &&Field| field.name == name || field.name.eq_ignore_ascii_case(name);
        let expression = self.dataset.fields.iter().find(is_meant).and_then(|field| field.expression.sql());
        match expression {
            Some(sql) => self.bare(sql).map_or_else(|| format!("({sql})"), |column| sql::identifier(&column)),
            None => sql::identifier(name),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.dataset.fields.iter().any(|field| field.name.eq_ignore_ascii_case(name))
    }
}

/// Returns the one table of an aggregate, and the aggregate over its columns alone.
fn aggregate<'table, 'document>(
    sql: &str,
    known: Option<&str>,
    tables: &'table [Table<'document>],
) -> Result<(&'table Table<'document>, String), String> {
    let read = piece::read(sql).map_err(|refusal| format!("{sql} cannot be read: {}", refusal.message))?;
    let mut only = tables.iter().find(|table| Some(table.dataset.name.as_str()) == known);
    for name in read.names() {
        let table = of_name(&name.parts, tables).ok_or_else(|| format!("no dataset has {}", name.parts.join(".")))?;
        if only.is_some_and(|before| before.dataset.name != table.dataset.name) {
            return Err("it is over several datasets".to_owned());
        }
        only = Some(table);
    }
    let only = only.or(Some(tables).and_then(|tables| if let [only] = tables { Some(only) } else { None }));
    let only = only.ok_or("it does not say of which dataset it is")?;
    if !read.is_aggregate() {
        return Err(format!("{sql} is no aggregate"));
    }
    Ok((only, read.renamed(|name| name.parts.last().map(|column| only.sql(column)))))
}

/// Returns the table that a name means: the one that qualifies it, or the only one that has such a field.
fn of_name<'table, 'document>(
    parts: &[String],
    tables: &'table [Table<'document>],
) -> Option<&'table Table<'document>> {
    match parts {
        [.., table, _] => tables
            .iter()
            .find(|known| known.dataset.name == *table)
            .or_else(|| tables.iter().find(|known| known.dataset.name.eq_ignore_ascii_case(table))),
        [column] => {
            let mut having = tables.iter().filter(|known| known.has(column));
            having.next().filter(|_| having.next().is_none())
        }
        [] => None,
    }
}

/// Returns the table that a source names: `database.schema.table`, of which the database is left out.
fn place(source: &str) -> Option<Place> {
    let mut parts = vec![String::new()];
    let mut is_quoted = false;
    for character in source.trim().chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            '.' if !is_quoted => parts.push(String::new()),
            other if !is_quoted && (other.is_whitespace() || "();'".contains(other)) => return None,
            other => parts.last_mut()?.push(other),
        }
    }
    let name = parts.pop()?;
    let schema = parts.pop();
    let is_filled = !name.is_empty() && schema.as_ref().is_none_or(|schema| !schema.is_empty()) && parts.len() < 2;
    (is_filled && !is_quoted).then_some((schema, name))
}

fn is_time(field: &Field) -> bool {
    let said = field.dimension.as_ref().and_then(|dimension| dimension.is_time);
    said.unwrap_or_else(|| field.datatype.as_deref().is_some_and(|known| TEMPORAL.contains(&known)))
}

/// Returns whether the field can be when a row happened; a year in digits cannot.
fn is_date(field: &Field) -> bool {
    is_time(field) && field.datatype.as_deref().is_none_or(|known| DATED.contains(&known))
}

/// Returns a description with the synonyms after it.
fn described(description: Option<&str>, context: Option<&Context>) -> Option<String> {
    let description = description.map(str::trim).filter(|text| !text.is_empty());
    let synonyms = context.map(Context::synonyms).unwrap_or_default().join(", ");
    match (description, synonyms.is_empty()) {
        (description, true) => description.map(str::to_owned),
        (None, false) => Some(format!("Also called {synonyms}.")),
        (Some(description), false) => {
            let end = if description.ends_with(['.', '!', '?']) { "" } else { "." };
            Some(format!("{description}{end} Also called {synonyms}."))
        }
    }
}
