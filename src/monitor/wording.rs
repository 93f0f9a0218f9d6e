//! Numbers, dates and deviations in plain words, the same in every format. The texts have no markup. Units are the only
//! text from outside.

use jiff::civil::{DateTime, Time};

use super::registry::{Comparison, Grain};
pub(crate) use crate::typeset::figure::amount;
use crate::typeset::figure::{number, percent};

/// The placeholder for a missing number.
pub(crate) const NOTHING: &str = "–";

/// Formats a number for an axis: `950`, `1.2k`, `3.4M`.
pub(crate) fn compact(value: f64) -> String {
    let (scaled, suffix) = match value.abs() {
        1e12.. => (value / 1e12, "T"),
        1e9.. => (value / 1e9, "B"),
        1e6.. => (value / 1e6, "M"),
        1e4.. => (value / 1e3, "k"),
        _ => (value, ""),
    };
    format!("{}{suffix}", number(scaled))
}

/// Formats a share in percent with its sign: `+4.2%`, `-38.1%`, `0%`.
pub(crate) fn change(share: f64) -> String {
    let signed = percent(share);
    if share > 0.0 && signed != "0%" { format!("+{signed}") } else { signed }
}

/// Formats a probability, never as 100%: `99.97%`, `over 99.99%`.
pub(crate) fn probability(share: f64) -> String {
    if share > 0.9999 { "over 99.99%".to_owned() } else { format!("{}%", number((share * 1e4).round() / 1e2)) }
}

/// Formats the size of a z-score without its sign: `6.3 standard deviations`.
pub(crate) fn standard_deviations(z: f64) -> String {
    let rounded = (z.abs() * 10.0).round() / 10.0;
    format!("{} standard {}", number(rounded), if rounded.total_cmp(&1.0).is_eq() { "deviation" } else { "deviations" })
}

/// Formats the deviation of a value from its forecast: `38% below expected`. If the forecast is 0, the deviation is in
/// units.
pub(crate) fn off(actual: f64, expected: f64, unit: Option<&str>) -> String {
    let difference = actual - expected;
    let way = if difference < 0.0 { "below" } else { "above" };
    if expected.abs() > f64::EPSILON {
        return format!("{} {way} expected", percent(difference.abs() / expected.abs()));
    }
    format!("{} {way} an expected {}", amount(difference.abs(), unit), number(expected))
}

/// Formats a step: `2026-11-20`, `2026-11-20 14:00`, `the week of 2026-11-16`.
pub(crate) fn step(at: DateTime, grain: Grain) -> String {
    match grain {
        Grain::Hour => at.strftime("%Y-%m-%d %H:%M").to_string(),
        Grain::Day => at.date().to_string(),
        Grain::Week => format!("the week of {}", at.date()),
    }
}

/// Formats a point in time whose grain is not known: a date at midnight, otherwise a date and time.
pub(crate) fn moment(at: DateTime) -> String {
    if at.time() == Time::midnight() { at.date().to_string() } else { step(at, Grain::Hour) }
}

pub(crate) fn comparison(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::PreviousWeek => "a week before",
        Comparison::PreviousYear => "a year before",
    }
}

/// Returns the text with its first letter in upper case.
pub(crate) fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deviations_say_how_far_and_which_way() {
        let check = |actual, expected, words: &str| assert_eq!(off(actual, expected, Some("EUR")), words);
        check(62.0, 100.0, "38% below expected");
        check(104.2, 100.0, "4.2% above expected");
        check(12.0, 0.0, "12 EUR above an expected 0");
        assert_eq!(change(-0.381), "-38.1%");
        assert_eq!(change(0.0001), "0%");
        assert_eq!(change(12.5), "+1250%");
        assert_eq!(probability(0.999_99), "over 99.99%");
        assert_eq!(probability(0.9973), "99.73%");
    }

    #[test]
    fn axes_have_short_numbers() {
        let check = |value: f64, expected: &str| assert_eq!(compact(value), expected);
        check(950.0, "950");
        check(12_500.0, "12.5k");
        check(3_400_000.0, "3.4M");
        check(0.05, "0.05");
    }
}
