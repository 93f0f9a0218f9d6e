//! How statements of instruments are written: the SQL of PostgreSQL. Other engines get functions of the same names.

use jiff::civil::Date;

use crate::warehouse::catalog::{Table, TextDates, ZoneName};
use crate::warehouse::sql::{dates, identifier};

/// Returns a table as a statement names it.
pub fn table(table: &Table) -> String {
    format!("{}.{}", name(&table.schema), name(&table.name))
}

/// Returns a name.
pub fn name(name: &str) -> String {
    identifier(name)
}

/// Returns a text column whose values are dates as a moment; what is no date is NULL.
pub fn moment_of_text(column: &str, dates: TextDates) -> String {
    dates::read(column, dates.has_time)
}

/// Returns a moment as the clocks of a zone show it.
pub fn in_zone(moment: &str, zone: &ZoneName) -> String {
    format!("timezone({}, {moment})", text(&zone.to_string()))
}

/// Returns a text.
pub fn text(value: &str) -> String {
    let quoted = value.replace('\'', "''");
    if value.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// Returns a day.
pub fn date(day: Date) -> String {
    format!("DATE {}", text(&day.to_string()))
}

/// Returns the condition that a column has a value, given as text.
pub fn is(column: &str, value: Option<&str>) -> String {
    value.map_or_else(|| format!("{column} IS NULL"), |value| format!("{column} = {}", text(value)))
}

/// Returns the days between two moments, with a fraction.
pub fn days_between(from: &str, to: &str) -> String {
    format!("extract(epoch FROM ({to}::timestamp - {from}::timestamp)) / 86400")
}

/// Returns a moment as days since 1970, with a fraction.
pub fn days_since_epoch(moment: &str) -> String {
    format!("extract(epoch FROM {moment}::timestamp) / 86400")
}

/// Returns the beginning of the period that a moment is in.
pub fn period(unit: &str, moment: &str) -> String {
    format!("date_trunc('{unit}', {moment})")
}

/// Returns the rows of a table with some columns as they are, and each of the others from the row that follows in an order of
/// its own, by a seed.
pub fn shuffled(table: &str, kept: &[String], others: &[String], seed: u32) -> String {
    let all = kept.iter().chain(others).map(|name| [name, ", "].concat()).collect::<String>();
    let moved = others.iter().enumerate().map(|(place, name)| {
        let order = u64::from(seed) + place as u64;
        format!("lead({name}, 1, {name}) OVER (ORDER BY hashtextextended(place::text, {order})) AS {name}")
    });
    let shown = kept.iter().cloned().chain(moved).collect::<Vec<_>>();
    let shown = if shown.is_empty() { "place".to_owned() } else { shown.join(", ") };
    format!("SELECT {shown} FROM (SELECT {all}row_number() OVER () AS place FROM {table}) AS placed")
}

/// Returns the conditions that all hold, as the end of a statement.
pub fn filtered(conditions: &[String]) -> String {
    if conditions.is_empty() {
        return String::new();
    }
    // A comment of a condition ends with its line.
    let bracketed = |condition: &String| {
        if condition.contains("--") { format!("({condition}\n)") } else { format!("({condition})") }
    };
    format!(" WHERE {}", conditions.iter().map(bracketed).collect::<Vec<_>>().join(" AND "))
}

/// Returns a condition as 1 or 0.
pub fn as_number(condition: &str) -> String {
    format!("({condition})::int")
}

/// Returns the share of the rows that meet a condition, of those where it is known.
pub fn share(condition: &str) -> String {
    format!("avg({})", as_number(condition))
}

/// Returns the rank of a value among those of all rows, equal ones having the average of their ranks; NULL of none.
pub fn rank(value: &str) -> String {
    format!(
        "CASE WHEN {value} IS NOT NULL THEN rank() OVER (ORDER BY {value}) + (count(*) OVER (PARTITION BY {value}) - 1) / 2.0 END"
    )
}
