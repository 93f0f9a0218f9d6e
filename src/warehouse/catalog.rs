//! The catalog of a database as plain data: tables, columns, keys, statistics, and the code of its users.
//!
//! An engine fills it in [`crate::warehouse::Database::introspect`]. [`crate::semantic`] adds what the tables mean.

pub mod code;
mod declared;
mod introspected;
mod personal;
mod selection;
mod zone;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::code::Code;
pub use self::declared::{
    Additive, Arrival, Currency, Declared, DeclaredMeasure, Filter, Good, NamedCondition, NamedDuration, Rates,
};
pub use self::introspected::{Error, Introspected};
pub use self::personal::Personal;
pub use self::selection::{MarkedColumn, Selection};
pub use self::zone::{ZoneName, time_zone};

/// The beginnings of words that mark a row as void: cancelled, voided, deleted.
pub(crate) const VOID_STEMS: &[&str] = &["cancel", "void", "delet"];

/// The tables that a run may read, with the business context.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// Tables and views, sorted by schema and name.
    pub tables: Vec<Table>,
    /// The text of `metadata/business_context.md`, which describes the domain.
    pub business_context: Option<String>,
}

/// The kind of relation that a [`Table`] is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    #[default]
    Table,
    Partitioned,
    View,
    MaterializedView,
    Foreign,
}

/// A table or view with its columns and keys.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The schema, unquoted.
    pub schema: String,
    /// The name, unquoted.
    pub name: String,
    pub kind: TableKind,
    /// The planner's estimate of the number of rows; `None` if the table was never analysed.
    pub rows_estimate: Option<u64>,
    /// The description in the metadata, otherwise the comment in the database.
    pub description: Option<String>,
    /// What its rows are called in a sentence, in the plural, from the metadata: `incidents`.
    #[serde(default)]
    pub noun: Option<String>,
    /// Whether the noun was guessed from name and key instead of read from the metadata.
    #[serde(default)]
    pub noun_guessed: bool,
    /// Warnings for readers of the data, from the metadata.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The columns in the order of the table.
    pub columns: Vec<Column>,
    /// The names of the primary key's columns; empty if there is none.
    pub primary_key: Vec<String>,
    pub foreign_keys: Vec<ForeignKey>,
    /// What is declared of it beyond its columns.
    #[serde(default)]
    pub declared: Declared,
}

fn yes() -> bool {
    true
}

/// A foreign key from one table to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The referring columns.
    pub columns: Vec<String>,
    /// The schema of the referenced table.
    pub schema: String,
    /// The name of the referenced table.
    pub table: String,
    /// The referenced columns, in the order of `columns`.
    pub referred: Vec<String>,
    /// Whether every row was checked; false for one that was added NOT VALID.
    #[serde(default = "yes")]
    pub is_valid: bool,
    /// Who says so.
    #[serde(default)]
    pub origin: Origin,
}

/// Who says that a key leads from one table to another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The database, by a constraint.
    #[default]
    Constraint,
    /// People, in the metadata.
    Written,
    /// Nobody: names and data agree.
    Guessed,
}

/// A column of a table, as the database and the metadata describe it.
#[expect(clippy::struct_excessive_bools, reason = "the flags are independent of each other")]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// The name, unquoted.
    pub name: String,
    /// The type as `format_type` writes it: `numeric(14,2)`, `text`, `timestamp with time zone`. For a domain, its base
    /// type.
    pub type_name: String,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// The labels if the type is an enum, otherwise empty.
    pub enum_values: Vec<String>,
    /// The planner's statistics; `None` if there are none or the role may not read them.
    pub statistics: Option<Statistics>,
    /// The description in the metadata, otherwise the comment in the database.
    pub description: Option<String>,
    /// What it is called in a sentence, from the metadata: `net sales`.
    #[serde(default)]
    pub label: Option<String>,
    /// The unit of the values: `INR`, `litre`, `%`.
    pub unit: Option<String>,
    /// The role in the analysis; `None` if it is unknown.
    pub role: Option<Role>,
    /// Whether the role was guessed from type, name and statistics instead of read from the metadata.
    #[serde(default)]
    pub role_guessed: bool,
    /// Example values to filter by, from the metadata.
    #[serde(default)]
    pub examples: Vec<String>,
    /// Whether the values are personal or secret. Prompts do not contain them: [`crate::semantic::complete`] removes
    /// them from the catalog.
    #[serde(default)]
    pub sensitive: bool,
    /// Whether `sensitive` was guessed from the name instead of read from the metadata. Queries may read a column whose
    /// mark is only guessed.
    #[serde(default)]
    pub sensitive_guessed: bool,
    /// What kind of personal data the values are; `None` if they are none.
    #[serde(default)]
    pub personal: Option<Personal>,
    /// Whether `personal` was guessed instead of read from the metadata.
    #[serde(default)]
    pub personal_guessed: bool,
    /// Whether only tokens of the values are shown, because of the privacy mode.
    #[serde(default)]
    pub masked: bool,
    /// Of a text whose values are dates, how they are read; [`crate::semantic`] looks for them.
    #[serde(default)]
    pub text_dates: Option<TextDates>,
}

/// The values of a text column that are dates as ISO 8601 writes them, in a sample of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextDates {
    /// Whether some have a time of day.
    pub has_time: bool,
    /// How many values of the sample are dates.
    pub dates: u64,
    /// How many values were looked at; what is missing or blank is none.
    pub values: u64,
}

/// The kind of value that a column holds, derived from its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// A number: `integer`, `numeric(14,2)`, `double precision`, `money`.
    Number,
    /// Text, an enum's label, or a UUID.
    Text,
    /// A date or a date with a time of day.
    Moment,
    /// True or false.
    Boolean,
    /// Anything else: arrays, json, ranges, intervals, times of day, bytes.
    Other,
}

impl TextDates {
    /// Returns the type that the values are cast to.
    pub fn type_name(self) -> &'static str {
        if self.has_time { "timestamp" } else { "date" }
    }
}

/// The statistics of a column from `pg_stats`. They are estimated from a sample, and are as old as the last ANALYZE.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// The share of NULLs, 0 to 1.
    pub null_fraction: f64,
    /// The estimated number of distinct values; `None` if unknown.
    pub distinct: Option<f64>,
    /// The most common values, most common first.
    pub common_values: Vec<String>,
    /// The shares of `common_values`, 0 to 1, in the same order.
    pub common_shares: Vec<f64>,
    /// The smallest value, as text.
    pub minimum: Option<String>,
    /// The largest value, as text.
    pub maximum: Option<String>,
}

/// What a column is for.
///
/// Guessed at most once a table: date, entity, entity name, net and gross measure, margin, discount, region, product,
/// batch, event type, currency. People may write any of them as often as it is true; the first one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// When the row's event happened. Not when it was stored, changed, or falls due.
    Date,
    /// Who the row is about: a customer, an account, a patient; the identifier.
    Entity,
    /// The entity's readable name.
    EntityName,
    /// An amount that may be summed.
    Measure,
    /// The amount before deductions.
    GrossMeasure,
    /// The amount after deductions: what is earned.
    NetMeasure,
    /// An amount deducted, that may be summed. A percentage is a rate.
    Discount,
    /// What is left after the costs, as an amount.
    Margin,
    /// A count of units.
    Quantity,
    /// The price or cost of one unit: an amount only when multiplied by a quantity.
    UnitPrice,
    /// A number that may be averaged or compared but not summed: a percentage, a score.
    Rate,
    /// What there is at a moment, not what is added: a stock, a balance. It may be summed, but not over time.
    Level,
    /// A value to group by.
    Dimension,
    /// A geographic or organisational area to group by.
    Region,
    /// What is sold.
    Product,
    /// A production batch or lot.
    Batch,
    /// What kind of event the row is: sale or return.
    EventType,
    /// The currency of the amounts.
    Currency,
    /// Identifies the row or document, such as an invoice's number.
    Identifier,
    /// Nothing to analyse by.
    Ignore,
}

impl Catalog {
    /// Marks the columns for which `shows_sensitive` returns true, given schema, table and name. These are the columns
    /// that the metadata marks as sensitive, and columns of views that show them.
    pub fn withhold(&mut self, shows_sensitive: impl Fn(&str, &str, &str) -> bool) {
        for table in &mut self.tables {
            let (schema, name) = (&table.schema, &table.name);
            for column in table.columns.iter_mut().filter(|column| shows_sensitive(schema, name, &column.name)) {
                column.sensitive = true;
                column.sensitive_guessed = false;
            }
        }
    }

    /// Marks the columns of which only tokens are shown, given schema, table and name, and removes their values.
    pub fn mask(&mut self, kind: impl Fn(&str, &str, &str) -> Option<Personal>) {
        for table in &mut self.tables {
            let (schema, name) = (&table.schema, &table.name);
            for column in &mut table.columns {
                if let Some(kind) = kind(schema, name, &column.name) {
                    (column.personal, column.masked) = (Some(kind), true);
                    column.hide_values();
                }
            }
        }
    }

    /// Returns the values of personal columns that the statistics tell, if they are long enough to be found in a text.
    pub(crate) fn personal_values(&self) -> Vec<(Personal, String)> {
        // A short free text, such as "none", is a word of any text.
        let is_telling =
            |kind: Personal, value: &str| value.chars().count() >= if kind == Personal::Text { 20 } else { 4 };
        let mut values = Vec::new();
        for column in self.tables.iter().flat_map(|table| &table.columns) {
            let (Some(kind), Some(known)) = (column.personal, &column.statistics) else { continue };
            let known = known.common_values.iter().chain(&known.minimum).chain(&known.maximum);
            values.extend(known.filter(|value| is_telling(kind, value)).map(|value| (kind, value.clone())));
        }
        values
    }

    /// Changes the texts that people wrote about the tables, and the comments of the database.
    pub(crate) fn reword(&mut self, change: impl Fn(&str) -> String) {
        let reword = |text: &mut String| *text = change(text);
        self.business_context.iter_mut().for_each(reword);
        for table in &mut self.tables {
            table.description.iter_mut().chain(&mut table.warnings).for_each(reword);
            let columns = table.columns.iter_mut();
            columns.flat_map(|column| column.description.iter_mut().chain(&mut column.label)).for_each(reword);
        }
    }

    /// Removes what is known of single values.
    pub(crate) fn hide_all_values(&mut self) {
        self.tables.iter_mut().flat_map(|table| &mut table.columns).for_each(Column::hide_values);
    }

    /// Adds a key that the database does not declare, unless it is known. What it refers to is unique.
    pub(crate) fn join(&mut self, from: usize, key: ForeignKey) {
        let is_same = |known: &ForeignKey| {
            known.columns == key.columns && (&known.schema, &known.table) == (&key.schema, &key.table)
        };
        let Some(table) = self.tables.get_mut(from).filter(|table| !table.foreign_keys.iter().any(is_same)) else {
            return;
        };
        let (schema, name, referred) = (key.schema.clone(), key.table.clone(), key.referred.clone());
        table.foreign_keys.push(key);
        self.tell_apart(&schema, &name, referred);
    }

    /// Adds how a table's amounts are converted. Of a currency, and a day if the rates have one, there is one rate.
    pub(crate) fn convert(&mut self, of: usize, currency: Currency) {
        let (schema, name, key) = (currency.rates.schema.clone(), currency.rates.table.clone(), currency.rates.key());
        let Some(table) = self.tables.get_mut(of) else { return };
        let column = table.columns.iter_mut().find(|column| column.name == currency.column);
        if let Some(column) = column.filter(|column| column.role.is_none() || column.role_guessed) {
            (column.role, column.role_guessed) = (Some(Role::Currency), false);
        }
        table.declared.currency = Some(currency);
        self.tell_apart(&schema, &name, key);
    }

    /// Adds columns that tell the rows of a table apart, unless that is known.
    fn tell_apart(&mut self, schema: &str, name: &str, columns: Vec<String>) {
        let table = self.tables.iter_mut().find(|table| table.schema == schema && table.name == name);
        if let Some(table) = table.filter(|table| !table.unique_keys().any(|known| known == columns)) {
            table.declared.unique.push(columns);
        }
    }

    /// Returns the table with this name. Without a schema, returns `None` if several tables have the name.
    pub fn table(&self, schema: Option<&str>, name: &str) -> Option<&Table> {
        let mut named =
            self.tables.iter().filter(|table| table.name == name && schema.is_none_or(|schema| table.schema == schema));
        match (named.next(), named.next()) {
            (Some(table), None) => Some(table),
            _ => None,
        }
    }
}

impl Table {
    /// Returns the column with this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Returns the first column with the role.
    pub fn column_with(&self, role: Role) -> Option<&Column> {
        self.columns.iter().find(|column| column.role == Some(role))
    }

    /// Returns the lists of columns that tell its rows apart, the primary key first.
    pub fn unique_keys(&self) -> impl Iterator<Item = &[String]> {
        let primary = Some(self.primary_key.as_slice()).filter(|key| !key.is_empty());
        primary.into_iter().chain(self.declared.unique.iter().map(Vec::as_slice))
    }

    /// Returns the moment of which the primary key has one row each, beside other columns; `None` if it has none.
    pub fn dated_by(&self) -> Option<&str> {
        let is_moment =
            |name: &&String| self.column(name).is_some_and(|column| column.kind_read() == ValueKind::Moment);
        self.primary_key.iter().find(is_moment).filter(|_| self.primary_key.len() > 1).map(String::as_str)
    }

    /// Returns the foreign key that consists of this column only.
    pub fn foreign_key_of(&self, column: &str) -> Option<&ForeignKey> {
        self.foreign_keys.iter().find(|key| matches!(key.columns.as_slice(), [only] if only == column))
    }
}

impl Column {
    /// Returns the kind of value that the column holds.
    pub fn value_kind(&self) -> ValueKind {
        if !self.enum_values.is_empty() {
            return ValueKind::Text;
        }
        if self.type_name.ends_with("[]") {
            return ValueKind::Other;
        }
        let base = self.type_name.split('(').next().unwrap_or_default().trim();
        match base {
            "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" | "money" => ValueKind::Number,
            "text" | "character varying" | "character" | "\"char\"" | "name" | "citext" | "public.citext" | "uuid" => {
                ValueKind::Text
            }
            "date" | "timestamp" | "timestamp without time zone" | "timestamp with time zone" => ValueKind::Moment,
            "boolean" => ValueKind::Boolean,
            _ => ValueKind::Other,
        }
    }

    /// Returns whether the values are moments that have another day in another zone.
    pub fn is_zoned(&self) -> bool {
        self.type_name.starts_with("timestamp") && self.type_name.ends_with("with time zone")
    }

    /// Returns the kind of value that the column is read as: a text whose values are dates is read as moments.
    pub fn kind_read(&self) -> ValueKind {
        if self.text_dates.is_some() { ValueKind::Moment } else { self.value_kind() }
    }

    /// Returns whether queries may not read single values of the column. They may count, sum, average and join them.
    pub fn is_withheld(&self) -> bool {
        self.sensitive && !self.sensitive_guessed
    }

    pub(crate) fn hide_values(&mut self) {
        self.examples.clear();
        if let Some(statistics) = &mut self.statistics {
            statistics.common_values.clear();
            statistics.common_shares.clear();
            statistics.minimum = None;
            statistics.maximum = None;
        }
    }
}
