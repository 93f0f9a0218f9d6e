//! What tokens cost.

use explore::model::Usage;
use explore::model::price::{Price, Prices};
use rust_decimal::Decimal;

const USAGE: Usage =
    Usage { input_tokens: 1_000_000, cached_tokens: 200_000, output_tokens: 100_000, reasoning_tokens: 0 };

fn prices() -> Prices {
    let amount = |text: &str| text.parse().unwrap();
    let price = Price { input: amount("1.75"), cached_input: Some(amount("0.175")), output: amount("14") };
    Prices::new([("gpt-5.2".to_owned(), price)])
}

fn check(prices: &Prices, model: &str, expected: Option<&str>) {
    let expected = expected.map(|cost| cost.parse::<Decimal>().unwrap());
    assert_eq!(prices.cost(model, &USAGE), expected, "{model}");
}

#[test]
fn cached_input_is_charged_at_its_own_price_and_output_at_its_own() {
    // 0.8 * 1.75 + 0.2 * 0.175 + 0.1 * 14
    check(&prices(), "gpt-5.2", Some("2.835"));
}

#[test]
fn an_unknown_price_is_unknown_and_never_nothing() {
    check(&prices(), "llama3.3:70b", None);
    check(&prices(), "", None);
}

#[test]
fn a_dated_snapshot_costs_what_its_model_does_and_nothing_else_does() {
    let prices = prices();
    check(&prices, "gpt-5.2-2025-12-11", Some("2.835"));
    check(&prices, "gpt-5.2-20251211", Some("2.835"));
    for other in ["gpt-5.2-mini", "gpt-5.2-chat-latest", "gpt-5.25", "openai/gpt-5.2", "gpt-5.2-2025-12", "gpt-5.2-"] {
        check(&prices, other, None);
    }
    check(&prices, "-2025-12-11", None);
    check(&prices, "模型-2025-12-1é", None);
}

#[test]
fn a_negative_price_is_a_mistake() {
    let error = toml::from_str::<Price>("input = 1\noutput = -2").unwrap_err();
    assert!(error.to_string().contains("a price cannot be negative"), "{error}");
}
