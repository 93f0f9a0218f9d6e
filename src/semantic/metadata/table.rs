//! The content of one table's file.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ByName;
use crate::warehouse::catalog::{Additive, Arrival, Good, Personal, Role, ZoneName};

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
    /// The rows that count, as a condition of SQL over its columns: status <> 'cancelled'. A figure over others carries a
    /// doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// How late rows come at most: a whole number of hours, days or weeks, such as 2 days. What is told over time leaves out
    /// the days of which some may still be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", regex(pattern = "^[1-9][0-9]{0,2} +(hour|day|week)s?$"))]
    pub arrival: Option<Arrival>,
    /// The time zone in which instruments tell the days, weeks and months of its moments, as IANA names it: Europe/Paris.
    /// It is for columns of the type timestamp with time zone; what is stored without a zone is told as it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub time_zone: Option<ZoneName>,
    /// How its amounts of several currencies become amounts of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<CurrencyMetadata>,
    /// Lists of columns that tell the rows apart, where the database has no such key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unique: Vec<Vec<String>>,
    /// What to beware of when reading the table, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Which of noun and filter nobody wrote: `explore schema pull` guessed them. `explore schema approve` empties it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guessed: Vec<Guessed>,
    /// Who approved what was guessed of the table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Approval>,
    /// What is measured, by the name that facts use: net sales.
    #[serde(default, skip_serializing_if = "ByName::is_empty")]
    pub measures: ByName<MeasureMetadata>,
    /// Conditions that have a name: failed.
    #[serde(default, skip_serializing_if = "ByName::is_empty")]
    pub conditions: ByName<ConditionMetadata>,
    /// Times between two columns that have a name: time to close.
    #[serde(default, skip_serializing_if = "ByName::is_empty")]
    pub durations: ByName<DurationMetadata>,
    /// Where its columns lead, if the database declares no foreign key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joins: Vec<JoinMetadata>,
    /// The columns, by name as in the database.
    #[serde(default)]
    pub columns: ByName<ColumnMetadata>,
}

/// What was guessed of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Guessed {
    Noun,
    Filter,
}

/// Who looked at a guess and found it right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    pub by: String,
    /// The day, such as 2026-11-30.
    #[schemars(with = "String")]
    pub on: Date,
}

/// A measure that has a name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeasureMetadata {
    /// The aggregate in SQL over the table's columns: sum(net_amount).
    pub sql: String,
    /// The rows that it is of, as a condition of SQL; all that count where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// What it measures, for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The unit of its values: INR, days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Over what its values may be added up: over everything, as amounts and counts; not_over_time, as stocks and
    /// balances; not, as rates and averages. Where it is missing, it follows from the aggregate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additive: Option<Additive>,
    /// Which way is good: up or down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good: Option<Good>,
}

/// A condition that has a name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionMetadata {
    /// The condition in SQL over the table's columns: status = 500.
    pub sql: String,
}

/// The time between two columns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DurationMetadata {
    /// The column of the beginning.
    pub from: String,
    /// The column of the end.
    pub to: String,
}

/// How amounts become amounts of one currency: each is multiplied by the rate of its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CurrencyMetadata {
    /// The column of this table that says in which currency the amounts of a row are.
    pub column: String,
    /// The currency that they become, as the column has it: EUR. Amounts that are in it need no rate.
    pub unit: String,
    /// Where the rates are.
    pub rates: RatesMetadata,
}

/// A table with one rate for each currency, or for each currency and day.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RatesMetadata {
    /// The table: exchange_rates, or finance.exchange_rates.
    pub table: String,
    /// Its column of the currency.
    pub currency: String,
    /// Its column that says what one of the currency is worth.
    pub rate: String,
    /// Its column of days, if there is a rate for each day: a row has the rate of its own day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
}

/// A key from this table to another one, of which each row has one row at most.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinMetadata {
    /// Columns of this table.
    pub columns: Vec<String>,
    /// The other table: orders, or sales.orders.
    pub table: String,
    /// Its columns, in the order of `columns`. They tell its rows apart.
    pub referred: Vec<String>,
    /// Whether names and data made it likely, and nobody approved it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub guessed: bool,
    /// Who approved the guess.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Approval>,
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
    /// Whether `explore schema pull` guessed the role, and nobody approved it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub guessed: bool,
    /// Who approved the guess.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Approval>,
    /// Values to filter by, exactly as they are stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
    /// Whether the values are personal or secret: no prompt contains examples of them, and queries may only count, sum,
    /// average and join them. Where it is missing, it is guessed from the name, and only the prompts leave them out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitive: Option<bool>,
    /// What kind of personal data the values are: person, mail, phone, address, national_id or card; false if they are
    /// none. Where it is missing, it is guessed from the name and the shape of values. With --privacy masked only tokens
    /// of the values leave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pii: Option<Pii>,
    /// Whether `explore schema pull` guessed `pii`, and nobody approved it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub pii_guessed: bool,
    /// Whether free text holds no personal data, so that it may be shown with --privacy masked.
    #[serde(default, skip_serializing_if = "is_false")]
    pub safe: bool,
}

/// What kind of personal data a column holds, as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pii {
    Kind(Personal),
    /// It holds none: `false`.
    No,
}

impl Pii {
    /// The kinds that people may write; free text has `safe` instead.
    const KINDS: [Personal; 6] =
        [Personal::Person, Personal::Mail, Personal::Phone, Personal::Address, Personal::NationalId, Personal::Card];

    /// Returns what is written of a kind that was guessed; `None` for free text.
    pub fn of(kind: Personal) -> Option<Self> {
        Self::KINDS.contains(&kind).then_some(Self::Kind(kind))
    }

    pub fn kind(self) -> Option<Personal> {
        match self {
            Self::Kind(kind) => Some(kind),
            Self::No => None,
        }
    }
}

impl Serialize for Pii {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Kind(kind) => serializer.serialize_str(kind.name()),
            Self::No => serializer.serialize_bool(false),
        }
    }
}

impl<'de> Deserialize<'de> for Pii {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let kind = || value.as_str()?.parse().ok().and_then(Self::of);
        match value {
            serde_json::Value::Bool(false) => Ok(Self::No),
            ref other => kind().ok_or_else(|| {
                let names = Self::KINDS.map(Personal::name).join(", ");
                serde::de::Error::custom(format!("pii is {other}; write one of {names}, or false"))
            }),
        }
    }
}

impl JsonSchema for Pii {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pii".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let kinds = Self::KINDS.map(|kind| serde_json::Value::from(kind.name()));
        let values = kinds.into_iter().chain([false.into()]).collect::<Vec<_>>();
        schemars::json_schema!({ "enum": values })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}
