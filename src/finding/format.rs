//! Formats figures, and derives the kind of a column's figures from the column's name.

use rust_decimal::{Decimal, RoundingStrategy};

use super::expression::Kind;
use crate::typeset::figure::decimal;
use crate::typeset::text::group_digits;

/// Formats a figure for people, with a percent sign if it is a percentage.
pub(super) fn figure(value: Decimal, kind: Kind) -> String {
    match kind {
        Kind::Percent | Kind::PercentChange => {
            let rounded = value.round_dp_with_strategy(1, RoundingStrategy::MidpointAwayFromZero);
            format!("{}%", group_digits(&rounded.normalize().to_string()))
        }
        Kind::Level | Kind::Ratio | Kind::Change | Kind::Count => decimal(value),
    }
}

/// Returns the kind of the figures in a column with this name.
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

/// Returns whether a column with this name may contain percentages although its name does not say so.
pub(super) fn may_be_percent(column: &str) -> bool {
    const HINTS: [&str; 8] = ["share", "rate", "ratio", "margin", "growth", "change", "yoy", "fraction"];
    words(column).iter().any(|word| HINTS.contains(&word.as_str()))
}

/// Returns whether a column with this name counts a decrease as a positive number, such as `net_sales_lost` or
/// `drop_pct`.
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
