//! What people declared of a table beyond its columns, or what was guessed: the rows that count, measures, names of
//! conditions and of durations. [`crate::semantic`] fills it in.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan as _;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ZoneName;

/// What is declared of a table beyond its columns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    /// The rows that count, as a condition of SQL over the table: `status <> 'cancelled'`.
    #[serde(default)]
    pub filter: Option<Filter>,
    #[serde(default)]
    pub measures: Vec<DeclaredMeasure>,
    #[serde(default)]
    pub conditions: Vec<NamedCondition>,
    #[serde(default)]
    pub durations: Vec<NamedDuration>,
    /// Lists of columns that tell the rows apart, besides the primary key.
    #[serde(default)]
    pub unique: Vec<Vec<String>>,
    /// How late rows come.
    #[serde(default)]
    pub arrival: Option<Arrival>,
    /// The zone in which the days of its moments are told; that of the session where it is missing.
    #[serde(default)]
    pub time_zone: Option<ZoneName>,
    /// How its amounts become amounts of one currency.
    #[serde(default)]
    pub currency: Option<Currency>,
}

/// How amounts of several currencies become amounts of one: each is multiplied by the rate of its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Currency {
    /// The column of the table that says in which currency a row's amounts are.
    pub column: String,
    /// The currency that they become, as the column has it: `EUR`. Its own amounts need no rate.
    pub unit: String,
    pub rates: Rates,
}

/// A table with one rate for each currency, or for each currency and day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    pub schema: String,
    pub table: String,
    /// The column of the currency.
    pub currency: String,
    /// The column that says what one of the currency is worth.
    pub rate: String,
    /// The column of the day that a rate is of.
    pub day: Option<String>,
}

impl Rates {
    /// Returns the columns that tell its rows apart.
    pub fn key(&self) -> Vec<String> {
        std::iter::once(&self.currency).chain(&self.day).cloned().collect()
    }
}

/// How late the rows of a table come at most: `2 days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Arrival {
    /// At most [`Arrival::COUNT_MAX`].
    count: u16,
    unit: ArrivalUnit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ArrivalUnit {
    Hour,
    Day,
    Week,
}

impl Arrival {
    const COUNT_MAX: u16 = 999;

    /// Returns the last day of which all rows have come, given the day that is taken for today and is over. Hours are
    /// rounded up to days.
    pub fn whole_until(self, today: Date) -> Date {
        let count = i32::from(self.count);
        let days = match self.unit {
            ArrivalUnit::Hour => (count + 23) / 24,
            ArrivalUnit::Day => count,
            ArrivalUnit::Week => 7 * count,
        };
        today.checked_sub(days.days()).unwrap_or(today)
    }
}

impl FromStr for Arrival {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (count, unit) = text.trim().split_once(' ')?;
            let count = count.parse().ok().filter(|count| (1..=Self::COUNT_MAX).contains(count))?;
            let unit = match unit.trim_start() {
                "hour" | "hours" => ArrivalUnit::Hour,
                "day" | "days" => ArrivalUnit::Day,
                "week" | "weeks" => ArrivalUnit::Week,
                _ => return None,
            };
            Some(Self { count, unit })
        };
        read().ok_or_else(|| {
            format!("expected a whole number of hours, days or weeks, such as \"2 days\", and not {text:?}")
        })
    }
}

impl fmt::Display for Arrival {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            ArrivalUnit::Hour => "hour",
            ArrivalUnit::Day => "day",
            ArrivalUnit::Week => "week",
        };
        write!(formatter, "{} {unit}{}", self.count, if self.count == 1 { "" } else { "s" })
    }
}

impl TryFrom<String> for Arrival {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Arrival> for String {
    fn from(arrival: Arrival) -> Self {
        arrival.to_string()
    }
}

/// The rows of a table that count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// The condition, as it was written.
    pub sql: String,
    pub guessed: bool,
    /// Its parts as [`crate::warehouse::lineage::definition::alone`] prints them; empty if the condition cannot be traced.
    pub parts: Vec<String>,
}

/// A measure that has a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredMeasure {
    /// What facts call it: `net sales`.
    pub name: String,
    /// The aggregate, as it was written: `sum(amount)`.
    pub sql: String,
    /// The rows that it is of, as a condition; all that count where it is missing.
    pub filter: Option<String>,
    pub unit: Option<String>,
    /// `None` if it follows from the aggregate.
    pub additive: Option<Additive>,
    pub good: Option<Good>,
    /// The aggregate as [`crate::warehouse::lineage::definition::alone`] prints it; `None` if it is not one aggregate, or
    /// cannot be traced.
    pub value: Option<String>,
    /// The conditions on its rows, printed in the same way.
    pub parts: Vec<String>,
}

/// A condition that has a name: `failed` for `status = 500`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCondition {
    pub name: String,
    pub sql: String,
    /// As [`crate::warehouse::lineage::definition::alone`] prints it; `None` if it cannot be traced.
    pub text: Option<String>,
}

/// The time between two columns, which has a name: `time to close`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedDuration {
    pub name: String,
    pub from: String,
    pub to: String,
}

/// Over what the values of a measure may be added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Additive {
    /// Over everything: an amount, a count.
    Over,
    /// Over everything but time: a stock, a balance.
    NotOverTime,
    /// Over nothing: a rate, an average, a count of distinct values.
    Not,
}

/// Which way a measure is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Good {
    Up,
    Down,
}
