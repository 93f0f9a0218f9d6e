//! How much an amount says of what a row is worth, by name and type. A role says what may be done with an amount; among
//! those that may be summed, the instruments take the one that says the most.

use super::lexicon::{AMOUNTS, CHARGE, DISCOUNTS, LIKELY_MONEY, MONEY, TRANSPORTS};
use super::{singular, words};
use crate::warehouse::catalog::Column;

/// How much an amount says of what a row is worth, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worth {
    /// Money that is paid for what the row is about: `amount`, `revenue`.
    Money,
    /// Perhaps that: `total`, a number with two decimals.
    LikelyMoney,
    /// Money that is spent, taken off, or comes on top: `shipping_fee`, `tax`, `tip`.
    Charge,
    /// An amount of something else: `duration`.
    Other,
}

/// Returns how much an amount says of what a row is worth. A word for a charge decides, whatever stands beside it.
pub fn worth(column: &Column) -> Worth {
    let words = words(&column.name).iter().map(|word| singular(word)).collect::<Vec<_>>();
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    let weighs = |weight: i32| words.iter().any(|word| AMOUNTS.contains(&(word.as_str(), weight)));
    match () {
        () if weighs(CHARGE) || has(TRANSPORTS) || has(DISCOUNTS) => Worth::Charge,
        () if weighs(MONEY) => Worth::Money,
        () if weighs(LIKELY_MONEY) || has_cents(column) => Worth::LikelyMoney,
        () => Worth::Other,
    }
}

fn has_cents(column: &Column) -> bool {
    column.type_name == "money" || column.type_name.ends_with(",2)")
}
