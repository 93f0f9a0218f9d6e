//! Bounds how large a number a constant is.

use super::{Size, count};

/// Returns the bound of a number as it is written.
pub(super) fn number(text: &str) -> Size {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent = exponent.parse::<f64>().unwrap_or(f64::INFINITY);
    let length = count(text.len());
    let amount = mantissa.parse::<f64>().map_or(f64::INFINITY, |value| (value.abs() + 1.0).log10());
    let digits = if amount.is_finite() { amount } else { length };
    Size::constant(length + exponent.abs(), (digits + exponent).max(0.3))
}

/// Returns the bound of a text. As a number it is no larger than the largest run of characters in it that could be a
/// number.
pub(super) fn text(text: &str) -> Size {
    let part = |character: char| character.is_ascii_alphanumeric() || "._+-".contains(character);
    let digits = text.split(|character| !part(character)).map(run).fold(0.0, f64::max);
    Size::constant(count(text.len()), digits)
}

fn run(run: &str) -> f64 {
    if !run.bytes().any(|byte| byte.is_ascii_digit()) {
        return 0.0;
    }
    let plain = run.trim_start_matches(['+', '-']);
    if plain.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte)) && plain.parse::<f64>().is_ok() {
        return number(plain).digits;
    }
    // A date, or a number with signs between its digits, is no larger than a number with as many digits.
    count(run.len())
}
