//! Formats numbers for people, in the sentences of the engine and in reports.

use rust_decimal::prelude::FromPrimitive as _;
use rust_decimal::{Decimal, RoundingStrategy};

use super::text::{group_digits, line};

/// Values below this are shown with three significant digits, others as [`decimal`] formats them.
const SMALL: f64 = 1.0;
/// The most characters of a unit.
const UNIT_CHARACTERS: usize = 20;

/// Formats a value: `12,345`, `123.4`, `0.0123`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the number of places is clamped to 0 to 12"
)]
pub(crate) fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.abs() < SMALL {
        let places = (2.0 - value.abs().log10().floor()).clamp(0.0, 12.0) as usize;
        let text = format!("{value:.places$}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        return if text.is_empty() || text == "-" { "0".to_owned() } else { text.to_owned() };
    }
    Decimal::from_f64(value).map_or_else(|| format!("{value:.3e}"), decimal)
}

/// Formats a share as a percentage: `12.3%`.
pub(crate) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    let places = usize::from(percent.abs() < 100.0);
    let text = format!("{percent:.places$}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    format!("{}%", if text == "-0" { "0" } else { text })
}

/// Formats a deviation: `12.3% below`, `12.3% above`.
pub(crate) fn deviation(share: f64) -> String {
    format!("{} {}", percent(share.abs()), if share < 0.0 { "below" } else { "above" })
}

/// Formats a number with its unit.
pub(crate) fn amount(value: f64, unit: Option<&str>) -> String {
    match unit.map(|unit| line(unit, UNIT_CHARACTERS)).filter(|unit| !unit.is_empty()) {
        Some(unit) if unit == "%" => format!("{}%", number(value)),
        Some(unit) => format!("{} {unit}", number(value)),
        None => number(value),
    }
}

/// Formats a number with its thousands grouped. Shows two decimals below 100, one below 1,000 and none from there on.
pub(crate) fn decimal(value: Decimal) -> String {
    let size = value.abs();
    let places = match size {
        size if size >= Decimal::ONE_THOUSAND => 0,
        size if size >= Decimal::ONE_HUNDRED => 1,
        _ => 2,
    };
    let rounded = value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    group_digits(&rounded.normalize().to_string())
}
