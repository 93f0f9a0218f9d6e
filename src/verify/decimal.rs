//! Exact decimals: what cannot be computed without rounding is not computed.

use rust_decimal::Decimal;

use crate::typeset::text::group_digits;

/// Reads a number as a database writes it; `None` if it is none, or has more than 28 digits.
pub(crate) fn read(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()
}

/// Adds two numbers; `None` if the sum has more than 28 digits.
pub(crate) fn add(left: Decimal, right: Decimal) -> Option<Decimal> {
    let sum = left.checked_add(right)?;
    // Decimals drop digits after the point to make room before it.
    let scale = left.normalize().scale().max(right.normalize().scale());
    (sum.scale() >= scale).then_some(sum)
}

/// Subtracts `right` from `left`; `None` if the difference has more than 28 digits.
pub(crate) fn subtract(left: Decimal, right: Decimal) -> Option<Decimal> {
    add(left, -right)
}

/// Formats a number in full, with its thousands grouped.
pub(crate) fn shown(value: Decimal) -> String {
    group_digits(&value.normalize().to_string())
}
