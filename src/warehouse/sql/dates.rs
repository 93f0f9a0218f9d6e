//! Text that is read as a date or a moment: the one form of a cast that fails on no value.
//!
//! A cast of a text fails on the first value that is no date, and a condition beside it may be computed after it. So the
//! cast stands behind a pattern in a CASE: [`read`] writes it, and [`crate::warehouse::lineage`] knows the pattern again.
//! PostgreSQL tries a pattern anew in each place of a statement, at some microseconds a row.

/// The days of the calendar from the year 1000 to 2999, as ISO 8601 writes them.
macro_rules! day {
    () => {
        "([12][0-9]{3}-((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)\
         |([12][0-9](0[48]|[2468][048]|[13579][26])|2000)-02-29)"
    };
}

/// The texts that are days.
pub(crate) const DAY: &str = concat!("^", day!(), "$");

/// The texts that are days with or without a time of day. A zone other than UTC is none: the cast would drop it.
pub(crate) const MOMENT: &str =
    concat!("^", day!(), "([ T]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?(Z|[+]00(:?00)?)?)?$");

/// Returns the pattern of the texts that are cast to a type, `date` or `timestamp`; `None` for another type.
pub(crate) fn pattern(type_name: &str) -> Option<&'static str> {
    match type_name {
        "date" => Some(DAY),
        "timestamp" => Some(MOMENT),
        _ => None,
    }
}

/// Returns a text in SQL as a day, or as a moment if some have a time of day; what is none is NULL.
pub(crate) fn read(text: &str, has_time: bool) -> String {
    let (pattern, type_name) = if has_time { (MOMENT, "timestamp") } else { (DAY, "date") };
    format!("(CASE WHEN {text} ~ '{pattern}' THEN {text}::{type_name} END)")
}

/// Returns a statement for readers, with the patterns of dates in words.
pub(crate) fn in_words(sql: &str) -> String {
    sql.replace(DAY, "(a day)").replace(MOMENT, "(a moment)")
}
