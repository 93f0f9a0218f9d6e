//! What a database contains: tables, columns, keys, statistics, and the code of its users. Plain data.
//!
//! An engine fills it ([`crate::warehouse::Database::introspect`]). [`crate::semantic`] adds what the tables mean.

pub mod code;
mod introspected;
mod selection;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::code::Code;
pub use self::introspected::{Error, Introspected};
pub use self::selection::{Marked, Selection};

/// The tables that a run may read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// Tables and views, by schema and name.
    pub tables: Vec<Table>,
    /// The domain, in people's words: `metadata/business_context.md`.
    pub business_context: Option<String>,
}

/// What kind of relation a [`Table`] is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableKind {
    /// An ordinary table.
    #[default]
    Table,
    /// A partitioned table.
    Partitioned,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A foreign table.
    Foreign,
}

/// A table or view.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The schema, unquoted.
    pub schema: String,
    /// The name, unquoted.
    pub name: String,
    /// What kind of relation it is.
    pub kind: TableKind,
    /// The planner's estimate of its rows; `None` where it was never analysed.
    pub rows_estimate: Option<u64>,
    /// The database's comment, or what people wrote in its place.
    pub description: Option<String>,
    /// What to beware of, from the metadata.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The columns, in their order.
    pub columns: Vec<Column>,
    /// The columns of the primary key.
    pub primary_key: Vec<String>,
    /// The foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The columns that refer.
    pub columns: Vec<String>,
    /// The schema of the table referred to.
    pub schema: String,
    /// The table referred to.
    pub table: String,
    /// The columns referred to.
    pub referred: Vec<String>,
}

/// A column.
#[expect(clippy::struct_excessive_bools, reason = "each says another thing of the column")]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// The name, unquoted.
    pub name: String,
    /// The type as `format_type` writes it: `numeric(14,2)`, `text`, `timestamp with time zone`. Of a domain, the type
    /// that it is made of.
    pub type_name: String,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// The labels, where the type is an enum.
    pub enum_values: Vec<String>,
    /// What the planner knows about its values, where the role may read that.
    pub statistics: Option<Statistics>,
    /// The database's comment, or what people wrote in its place.
    pub description: Option<String>,
    /// The unit of its values: `INR`, `litre`, `%`.
    pub unit: Option<String>,
    /// What it is for.
    pub role: Option<Role>,
    /// Whether the role was guessed from type, name and statistics rather than written by people.
    #[serde(default)]
    pub role_guessed: bool,
    /// Values to filter by, from the metadata.
    #[serde(default)]
    pub examples: Vec<String>,
    /// Whether its values are nobody's business: they are in no prompt, and [`crate::semantic::complete`] removes them.
    #[serde(default)]
    pub sensitive: bool,
    /// Whether that was guessed from the name rather than written by people: a query may read it then.
    #[serde(default)]
    pub sensitive_guessed: bool,
}

/// What kind of value a column holds, from its type.
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

/// A column's statistics, from `pg_stats`: estimates from a sample, as old as the last ANALYZE.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// The share of NULLs, 0 to 1.
    pub null_fraction: f64,
    /// How many different values there are, estimated; `None` where unknown.
    pub distinct: Option<f64>,
    /// The most common values, most common first.
    pub common_values: Vec<String>,
    /// Their shares, 0 to 1, in the same order.
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
    /// A number that may be averaged or compared but not summed: a percentage, a score, a balance.
    Rate,
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
    /// Marks the columns, by schema, table and name, that show what people marked as sensitive, those of views among them.
    pub fn withhold(&mut self, shows_sensitive: impl Fn(&str, &str, &str) -> bool) {
        for table in &mut self.tables {
            let (schema, name) = (&table.schema, &table.name);
            for column in table.columns.iter_mut().filter(|column| shows_sensitive(schema, name, &column.name)) {
                column.sensitive = true;
                column.sensitive_guessed = false;
            }
        }
    }

    /// The table of that name; with no schema, the only one so called.
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
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The first column that has the role.
    pub fn column_with(&self, role: Role) -> Option<&Column> {
        self.columns.iter().find(|column| column.role == Some(role))
    }

    /// The foreign key that is this column alone.
    pub fn foreign_key_of(&self, column: &str) -> Option<&ForeignKey> {
        self.foreign_keys.iter().find(|key| matches!(key.columns.as_slice(), [only] if only == column))
    }
}

impl Column {
    /// What kind of value it holds.
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

    /// Whether no query may read its values one by one.
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
