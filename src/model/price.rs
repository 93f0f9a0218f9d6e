//! The configured prices of models, and the cost of tokens computed from them.
//!
//! A model without a price has an unknown cost, never zero. No prices are built in: they change, and differ by seller.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::Usage;

/// The price of a model, in US dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The price of tokens sent.
    #[serde(deserialize_with = "amount")]
    pub input: Decimal,
    /// The price of tokens sent that the provider had cached; `None` means the same price as other input.
    #[serde(default, deserialize_with = "optional_amount", skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<Decimal>,
    /// The price of tokens received, including reasoning.
    #[serde(deserialize_with = "amount")]
    pub output: Decimal,
}

fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    let amount = <Decimal as Deserialize>::deserialize(deserializer)?;
    // A negative price would lower the total, and so hide other costs from a cost limit.
    if amount.is_sign_negative() {
        return Err(D::Error::custom("a price cannot be negative"));
    }
    Ok(amount)
}

fn optional_amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    amount(deserializer).map(Some)
}

impl Price {
    /// The price of the offline analyst, which calls no model.
    pub const NOTHING: Self = Self { input: Decimal::ZERO, cached_input: None, output: Decimal::ZERO };

    /// Returns the cost of tokens, in US dollars.
    pub fn cost(&self, usage: &Usage) -> Decimal {
        let cached_tokens = usage.cached_tokens.min(usage.input_tokens);
        let per_million = self.input * Decimal::from(usage.input_tokens - cached_tokens)
            + self.cached_input.unwrap_or(self.input) * Decimal::from(cached_tokens)
            + self.output * Decimal::from(usage.output_tokens);
        per_million / Decimal::from(1_000_000)
    }
}

/// The configured prices of models, by model name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Prices(BTreeMap<String, Price>);

impl Prices {
    pub fn new(prices: impl IntoIterator<Item = (String, Price)>) -> Self {
        Self(prices.into_iter().collect())
    }

    /// Returns the price of a model by its name, or by its name without the date of a snapshot: the price of `gpt-5.2`
    /// holds for `gpt-5.2-2025-12-11`, but not for `gpt-5.2-mini`.
    pub fn get(&self, model: &str) -> Option<&Price> {
        self.0.get(model).or_else(|| self.0.get(without_date(model)?))
    }

    /// Returns the cost of a model's tokens, in US dollars; `None` if its price is unknown.
    pub fn cost(&self, model: &str, usage: &Usage) -> Option<Decimal> {
        Some(self.get(model)?.cost(usage))
    }
}

/// Returns the name before `-2025-12-11` or `-20251211`; `None` if the name ends in no such date.
fn without_date(model: &str) -> Option<&str> {
    ["-dddd-dd-dd", "-dddddddd"].iter().find_map(|pattern| {
        let (name, date) = model.split_at_checked(model.len().checked_sub(pattern.len())?)?;
        let matches = |(c, p): (u8, u8)| if p == b'd' { c.is_ascii_digit() } else { c == p };
        date.bytes().zip(pattern.bytes()).all(matches).then_some(name)
    })
}
