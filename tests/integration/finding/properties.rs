//! Whatever a model writes, the checker answers, and what it renders it would accept as typed.

use explore::finding::check::{self, Context};
use jiff::civil::date;
use proptest::prelude::*;
use serde_json::json;

use super::{draft, result};
use explore::finding::results::Results;
use std::sync::Arc;

/// Pieces of which texts and expressions are made, beside any characters at all.
const PIECES: &[&str] = &[
    "CUST004",
    "GHI Service Center",
    "North",
    " fell ",
    "rose by ",
    "from ",
    " to ",
    "118,432.50",
    "47.65%",
    "-",
    "−",
    "{x}",
    "{",
    "}",
    "₹",
    "1.2 million",
    " and ",
    ", ",
    ". ",
    "\n",
    "August 2025",
    "1 August",
    "2025-08-01",
    "Q3",
    "in 2025",
    "twenty-five",
    "hundred",
    "½",
    "３",
    "m²",
    "é",
    "\u{200b}",
    "respectively",
    "'s ",
    "(",
    ")",
    "15W-40",
    "INR",
    "of",
    "q1[1].net_sales",
    "sum(",
    "q1['CUST004'].",
    "/",
    "*",
    "0",
    "[1..2]",
    "customer 17850",
    "İ",
    "ß",
    "times as",
    "%",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![4 => proptest::sample::select(PIECES).prop_map(str::to_owned), 1 => any::<String>()];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn results(level: &str, other: &str) -> Results {
    let columns = [
        ("customer_id", "int4"),
        ("region", "text"),
        ("net_sales", "numeric"),
        ("previous", "numeric"),
        ("day", "date"),
    ];
    let mut results = Results::default();
    results.push(Arc::new(result(
        "q1",
        &columns,
        &[&["17850", "North", level, other, "2025-08-01"], &["12346", "İstanbul", "5", "7", "2025-09-01"]],
    )));
    results
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_text_and_no_expression_makes_the_checker_panic(narrative in text(), segment in text(), expression in text()) {
        let results = results("118432.50", "62000");
        let context = Context { results: &results, as_of: date(2025, 11, 30) };
        let changes = json!({
            "narrative": narrative, "segment": segment, "title": narrative, "period": segment,
            "figures": [{"name": "x", "expression": "q1[1].net_sales"}, {"name": "y", "expression": expression}],
            "impact": {"metric": segment, "amount": expression, "unit": "INR", "assumptions": [narrative]},
        });
        let _ = check::check(&draft(&changes), "F1".into(), context);
        let changes = json!({
            "narrative": narrative, "title": "x", "segment": "North",
            "figures": [{"name": "x", "expression": "q1[1].net_sales"}],
            "impact": {"metric": "m", "amount": "q1[1].net_sales", "unit": "INR"},
        });
        let _ = check::check(&draft(&changes), "F1".into(), context);
    }

    #[test]
    fn a_rendered_figure_is_true_when_it_is_typed(level in "-?[1-9][0-9]{0,9}(\\.[0-9]{1,4})?|0\\.[0-9]{1,6}", other in "[1-9][0-9]{0,9}(\\.[0-9]{1,3})?") {
        let results = results(&level, &other);
        let context = Context { results: &results, as_of: date(2025, 11, 30) };
        let mut changes = json!({
            "narrative": "North stands at {level}, changed by {change}, by {percent}, and has a share of {share}.",
            "title": "North", "segment": "North",
            "figures": [
                {"name": "level", "expression": "q1[1].net_sales"},
                {"name": "change", "expression": "change(q1[1].previous, q1[1].net_sales)"},
                {"name": "percent", "expression": "percent_change(q1[1].previous, q1[1].net_sales)"},
                {"name": "share", "expression": "share(q1[1].net_sales, q1[1].previous)"},
            ],
            "impact": {"metric": "sales", "amount": "q1[1].net_sales", "unit": "INR"},
        });
        let rendered = check::check(&draft(&changes), "F1".into(), context).map_err(|problems| TestCaseError::fail(problems.join("\n")))?;
        changes["narrative"] = json!(rendered.narrative);
        let typed = check::check(&draft(&changes), "F1".into(), context);
        prop_assert!(typed.is_ok(), "{}\n{:?}", rendered.narrative, typed.unwrap_err());
    }
}
