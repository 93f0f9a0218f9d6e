//! Numbers in texts, and when two are the same.

use std::fmt;

/// A number of a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    pub value: f64,
    /// The decimals with which it is written.
    decimals: usize,
}

impl Number {
    /// Returns whether a computed value is written like this.
    pub(super) fn is(self, computed: f64) -> bool {
        (self.value - computed).abs() <= self.unit() * 0.500_001
    }

    /// Returns whether this number, as a sentence shows it, is another one: as far as the less exact of them tells.
    pub(super) fn states(self, other: Self) -> bool {
        (self.value - other.value).abs() <= self.unit().max(other.unit()) * 0.500_001
    }

    /// Returns whether it is told from others: small whole numbers stand everywhere, unless two values say of what, and no
    /// group has no rows.
    pub(super) fn is_telling(self, named: usize) -> bool {
        self.decimals > 0 || self.value.abs() >= 20.0 || (named >= 2 && self.value > 0.0)
    }

    fn unit(self) -> f64 {
        (0..self.decimals).fold(1.0, |unit, _| unit / 10.0)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.*}", self.decimals, self.value)
    }
}

/// Returns the numbers of a text, without dates and what is part of a word.
pub(super) fn numbers(text: &str) -> Vec<Number> {
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ';' | ':' | '(' | ')' | '\'' | '"'));
    let words = words.map(|word| word.trim_matches(|c: char| matches!(c, ',' | '.' | '$' | '%' | '+' | '\u{20ac}')));
    words.filter_map(number).collect()
}

fn number(word: &str) -> Option<Number> {
    let plain = word.strip_prefix('-').unwrap_or(word);
    let is_number = plain.starts_with(|c: char| c.is_ascii_digit())
        && plain.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.'));
    let is_year = plain.len() == 4 && (plain.starts_with("19") || plain.starts_with("20"));
    if !is_number || is_year {
        return None;
    }
    let value = word.replace(',', "");
    let decimals = value.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    Some(Number { value: value.parse().ok()?, decimals })
}
