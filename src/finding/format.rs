//! How figures are written, and what a column's name says of its figures.

use rust_decimal::{Decimal, RoundingStrategy};

use super::expression::Kind;

/// The number for people: thousands grouped; none, one or two decimals as its size deserves.
pub(crate) fn number(value: Decimal) -> String {
    let size = value.abs();
    let places = match size {
        size if size >= Decimal::ONE_THOUSAND => 0,
        size if size >= Decimal::ONE_HUNDRED => 1,
        _ => 2,
    };
    grouped(value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero).normalize())
}

/// The figure for people, with a percent sign where it is a percentage.
pub(super) fn figure(value: Decimal, kind: Kind) -> String {
    match kind {
        Kind::Percent | Kind::PercentChange => {
            format!("{}%", grouped(value.round_dp_with_strategy(1, RoundingStrategy::MidpointAwayFromZero).normalize()))
        }
        Kind::Level | Kind::Ratio | Kind::Change | Kind::Count => number(value),
    }
}

fn grouped(value: Decimal) -> String {
    let text = value.abs().to_string();
    let (whole, fraction) =
        text.split_once('.').map_or((text.as_str(), None), |(whole, fraction)| (whole, Some(fraction)));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if value.is_sign_negative() && !value.is_zero() { "-" } else { "" };
    fraction.map_or_else(|| format!("{sign}{grouped}"), |fraction| format!("{sign}{grouped}.{fraction}"))
}

/// What the figures of a column called so are.
pub(super) fn kind_of(column: &str) -> Kind {
    let words = words(column);
    let has = |candidates: &[&str]| words.iter().any(|word| candidates.contains(&word.as_str()));
    let percent = has(&["pct", "percent", "percentage", "perc"]) || column.contains('%');
    let change =
        has(&["change", "changed", "diff", "difference", "delta", "growth", "yoy", "mom", "wow", "qoq", "variance"]);
    match (percent, change) {
        (true, true) => Kind::PercentChange,
        (true, false) => Kind::Percent,
        (false, true) => Kind::Change,
        (false, false) if has(&["ratio", "share", "rate", "fraction", "times", "multiple", "factor"]) => Kind::Ratio,
        (false, false) => Kind::Level,
    }
}

/// Whether a column called so may hold percentages although its name does not say so.
pub(super) fn may_be_percent(column: &str) -> bool {
    const HINTS: [&str; 8] = ["share", "rate", "ratio", "margin", "growth", "change", "yoy", "fraction"];
    words(column).iter().any(|word| HINTS.contains(&word.as_str()))
}

/// Whether a column called so counts what went down as positive: `net_sales_lost`, `drop_pct`.
pub(super) fn counts_losses(column: &str) -> bool {
    const LOSSES: [&str; 12] = [
        "lost",
        "loss",
        "losses",
        "drop",
        "dropped",
        "decline",
        "declined",
        "decrease",
        "decreased",
        "fall",
        "reduction",
        "shortfall",
    ];
    words(column).iter().any(|word| LOSSES.contains(&word.as_str()))
}

fn words(column: &str) -> Vec<String> {
    column.split(|character: char| !character.is_alphanumeric()).map(str::to_lowercase).collect()
}
