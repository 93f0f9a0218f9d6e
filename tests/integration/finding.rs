//! The checker: what passes, and what is sent back.

mod corpus;
mod facts;
mod properties;
mod wording;

use std::sync::Arc;

use explore::finding::check::{self, Context};
use explore::finding::results::{Pin, QueryResult, Results};
use explore::finding::{Draft, Told};
use explore::warehouse::table::{Column, Table};
use jiff::civil::date;
use serde_json::{Value, json};

fn result(id: &str, columns: &[(&str, &str)], rows: &[&[&str]]) -> QueryResult {
    let column = |(name, type_name): &(&str, &str)| Column { name: (*name).into(), type_name: (*type_name).into() };
    let cell = |cell: &&str| (*cell != "NULL").then(|| (*cell).to_owned());
    QueryResult {
        id: id.into(),
        sql: "SELECT …".into(),
        question: "?".into(),
        table: Table {
            columns: columns.iter().map(column).collect(),
            rows: rows.iter().map(|row| row.iter().map(cell).collect()).collect(),
            more_rows: false,
        },
        elapsed_milliseconds: 1,
        pins: Vec::new(),
        literals: Vec::new(),
    }
}

/// q1 customers, q2 regions by period, q3 the total, q4 discounts, q5 a result cut short, q6 one region by condition.
fn results() -> Results {
    let text = "text";
    let number = "numeric";
    let mut customers = result(
        "q1",
        &[
            ("customer_code", text),
            ("customer_name", text),
            ("region", text),
            ("net_sales", number),
            ("last_order", "date"),
            ("days_silent", "int4"),
            ("orders", "int8"),
        ],
        &[
            &["CUST004", "GHI Service Center", "North", "118432.50", "2025-08-01", "121", "3"],
            &["CUST002", "DEF Motors", "South", "240000.00", "2025-11-20", "10", "9"],
            &["CUST006", "MNO Transport", "West", "75000.00", "2025-11-12", "18", "5"],
        ],
    );
    customers.literals = vec!["2025-07-01".into(), "90 days".into()];
    let regions = result(
        "q2",
        &[("region", text), ("previous", number), ("latest", number), ("change_pct", number), ("customers", "int8")],
        &[&["North", "118432.50", "62000.00", "-47.65", "2"], &["South", "200000.00", "240000.00", "20.00", "3"]],
    );
    let total = result("q3", &[("net_sales", number), ("customers", "int8")], &[&["1000000.00", "12"]]);
    let discounts = result(
        "q4",
        &[("customer_code", text), ("discount_share", number), ("returned", number)],
        &[&["CUST006", "0.1500", "-50.00"], &["CUST002", "0.0500", "0"]],
    );
    let mut cut =
        result("q5", &[("product", text), ("units", "int8")], &[&["Gear Oil 80W-90", "300"], &["Engine Oil", "200"]]);
    cut.table.more_rows = true;
    let mut pinned = result("q6", &[("net_sales", number)], &[&["55000.00"]]);
    pinned.pins = vec![Pin { column: "region".into(), value: "North".into(), result_column: None }];
    let mut results = Results::default();
    for result in [customers, regions, total, discounts, cut, pinned] {
        results.push(Arc::new(result));
    }
    results
}

fn draft(changes: &Value) -> Draft {
    let mut draft = json!({
        "evidence": [{"query": "q1", "rows": [1]}],
        "figures": [],
        "title": "GHI Service Center (CUST004) stopped ordering",
        "severity": "high",
        "category": "churn",
        "segment": "CUST004",
        "period": "2025-07-01 to 2025-11-30",
        "narrative": "CUST004 has not ordered since 1 August 2025.",
        "impact": {"metric": "net sales at risk", "amount": "q1['CUST004'].net_sales", "unit": "INR"},
        "confidence": "high",
        "recommended_actions": [{"action": "call the purchaser", "why": "to learn who supplies now", "who": "sales lead North", "by_when": "2025-12-05"}],
        "falsified_by": "an order under another code",
    });
    for (key, value) in changes.as_object().unwrap() {
        draft[key] = value.clone();
    }
    serde_json::from_value(draft).unwrap()
}

fn run(changes: &Value) -> Result<Told, Vec<String>> {
    let results = results();
    check::check(&draft(changes), "F1".into(), Context { results: &results, as_of: date(2025, 11, 30) })
}

#[track_caller]
fn passes(changes: &Value) -> Told {
    run(changes).unwrap_or_else(|problems| panic!("refused: {problems:#?}\n{changes}"))
}

/// A narrative over rows of q1 to q4 that is true.
#[track_caller]
fn narrative_passes(narrative: &str) -> String {
    passes(&json!({"evidence": all_rows(), "figures": figures(), "narrative": narrative})).narrative
}

#[track_caller]
fn narrative_fails(narrative: &str, expected: &str) {
    let problems = run(&json!({"evidence": all_rows(), "figures": figures(), "narrative": narrative}));
    let problems = problems.expect_err(narrative).join("\n");
    assert!(problems.contains(expected), "{narrative}\nexpected {expected:?} in\n{problems}");
}

fn all_rows() -> Value {
    json!([
        {"query": "q1", "rows": [1, 2, 3]}, {"query": "q2", "rows": [1, 2]}, {"query": "q3", "rows": [1]},
        {"query": "q4", "rows": [1, 2]}, {"query": "q6", "rows": [1]},
    ])
}

fn figures() -> Value {
    json!([
        {"name": "monthly", "expression": "per_month(q1['CUST004'].net_sales, 12)"},
        {"name": "north_share", "expression": "share(q1['CUST004'].net_sales, q3.net_sales)"},
        {"name": "north_change", "expression": "percent_change(q2['North'].previous, q2['North'].latest)"},
        {"name": "south_change", "expression": "percent_change(q2['South'].previous, q2['South'].latest)"},
        {"name": "all_sales", "expression": "sum(q1.net_sales)"},
        {"name": "silent", "expression": "days_between(q1['CUST004'].last_order, as_of)"},
    ])
}

#[test]
fn a_typed_number_passes_within_the_rounding_it_is_written_with() {
    narrative_passes("CUST004 bought 118,432.50 in 3 orders.");
    narrative_passes("CUST004 bought INR 118,433 before it stopped.");
    narrative_passes("CUST004 bought 118.4k, or 0.118 million, or 1.18 lakh.");
    narrative_passes("CUST004 bought about 118,000; DEF Motors bought over 200,000 and MNO Transport ₹75,000.");
    narrative_fails("CUST004 bought 118,000.", "the nearest are q1[1].net_sales = 118432.5");
    narrative_fails("CUST004 bought 118.5k.", "118.5k");
    narrative_fails("CUST004 bought nearly 118,000.", "118,000");
}

#[test]
fn a_number_that_stands_nowhere_is_refused_with_the_nearest_cells() {
    narrative_fails("CUST004 bought 354,000.", "354,000: no cited cell or figure has this number; the nearest are");
    narrative_fails("CUST004 is worth three times as much.", "three");
    narrative_fails("Orders doubled.", "states a figure in words");
    narrative_fails("CUST004 made half of its sales in July.", "states a figure in words");
}

#[test]
fn a_figure_is_rendered_by_the_engine() {
    assert_eq!(narrative_passes("CUST004 is worth {monthly} a month."), "CUST004 is worth 9,869 a month.");
    assert_eq!(narrative_passes("CUST004 made {north_share} of the total."), "CUST004 made 11.8% of the total.");
    assert_eq!(narrative_passes("North fell by {north_change}."), "North fell by 47.6%.");
    assert_eq!(narrative_passes("North changed by {north_change}."), "North changed by -47.6%.");
    assert_eq!(narrative_passes("CUST004 is silent for {silent} days."), "CUST004 is silent for 121 days.");
    assert_eq!(
        narrative_passes("A share of {north_share} percent is CUST004's."),
        "A share of 11.8 percent is CUST004's."
    );
    narrative_fails("CUST004 is worth {yearly}.", "{yearly} is not among the figures; there are monthly");
}

#[test]
fn the_figure_of_one_entity_cannot_be_told_of_another() {
    narrative_fails("CUST002 bought 118,432.50.", "speaks of CUST002");
    narrative_fails("CUST002 is worth {monthly} a month.", "speaks of CUST002");
    narrative_fails("CUST004 bought 240,000 and CUST002 bought 118,433.", "speaks of CUST004");
    narrative_fails("MNO Transport last ordered on 1 August 2025.", "speaks of MNO Transport");
    narrative_fails("South fell by 47.65%.", "speaks of South");
    narrative_fails("CUST004 bought 1,000,000.", "speaks of CUST004");
    narrative_fails("CUST004 went silent. It bought 240,000.", "speaks of CUST004");
    narrative_passes("CUST004 bought 118,433 and CUST002 bought 240,000.");
    narrative_passes("CUST004 bought 118,433, against a total of 1,000,000.");
    narrative_passes("DEF Motors (CUST002, South) bought 240,000 in 9 orders; GHI Service Center bought 118,433.");
    narrative_passes("Sales in North were 55,000.");
    narrative_fails("Sales in South were 55,000.", "speaks of South");
}

#[test]
fn the_amount_must_be_that_of_the_segment() {
    let problems = run(&json!({"impact": {"metric": "net sales", "amount": "q1['CUST002'].net_sales", "unit": "INR"}}));
    assert!(
        problems
            .unwrap_err()
            .join("\n")
            .contains("the finding is about CUST004, but the amount comes from a row about CUST002")
    );
    let problems = run(&json!({"segment": "CUST006"}));
    assert!(problems.unwrap_err().join("\n").contains("CUST006 stands in no cited row"));
    let problems = run(&json!({"segment": "CUST999"}));
    assert!(problems.unwrap_err().join("\n").contains("CUST999"));
}

#[test]
fn the_direction_agrees_with_the_sign() {
    narrative_passes("North fell 47.65%.");
    narrative_passes("South rose by 20%.");
    narrative_passes("North saw a drop of 47.65 percent, South a rise of {south_change}.");
    narrative_passes("North fell from 118,432.50 to 62,000.");
    narrative_fails("North rose 47.65%.", "the text says it rose");
    narrative_fails("South fell by 20%.", "the text says it fell");
    narrative_fails("South fell by {south_change}.", "the text says it fell");
    narrative_fails("North rose from 118,432.50 to 62,000.", "wrong direction");
    narrative_fails("North's level fell by 62,000.", "cannot tell which way");
    narrative_fails("North is at 47.65%.", "write the sign");
}

#[test]
fn a_percentage_needs_a_source_that_is_one() {
    narrative_passes("CUST006 gets 15% off.");
    narrative_passes("CUST006 gets 15.0% off, CUST002 5%.");
    narrative_fails("CUST006 made 3% of it.", "a percentage needs share()");
    narrative_passes("CUST006 had 50 units returned.");
}

#[test]
fn dates_are_checked_like_figures() {
    narrative_passes("CUST004 last ordered on 1 August 2025, CUST002 on 2025-11-20.");
    narrative_passes("Seen from 30 November 2025, in Q3 2025 and since 2025, at 08:15.");
    narrative_passes("Since 1 July 2025 CUST004 made 3 orders.");
    narrative_fails("CUST004 last ordered on 2 August 2025.", "this day stands in no cited row");
}

#[test]
fn constants_of_the_question_need_no_cell() {
    narrative_passes("CUST004 sent nothing in the last 90 days.");
    narrative_passes("In the 5 months of the period CUST004 went silent.");
    narrative_passes("The top 3 customers are CUST002, CUST004 and CUST006.");
    narrative_passes("Two customers, CUST004 and CUST006, went silent.");
    narrative_passes("North has two customers.");
    narrative_fails("CUST004 sent nothing in the last 60 days.", "60");
    narrative_fails("North has four customers.", "four");
}

#[test]
fn digits_within_names_are_no_figures() {
    passes(&json!({
        "evidence": [{"query": "q5", "rows": [1]}], "segment": "Gear Oil 80W-90", "title": "Gear Oil 80W-90 comes back",
        "narrative": "Gear Oil 80W-90 sold 300 units in 2025.",
        "impact": {"metric": "units", "amount": "q5[1].units", "unit": "units"},
    }));
    narrative_fails("CUST999 bought as much.", "CUST999 stands in no result");
}

#[test]
fn a_result_cut_short_proves_no_total() {
    let changes = json!({
        "evidence": [{"query": "q5", "rows": [1, 2]}], "segment": "all products", "title": "Products",
        "narrative": "All products together sold 300 units.",
        "impact": {"metric": "units", "amount": "q5[1].units", "unit": "units"},
    });
    assert!(run(&changes).unwrap_err().join("\n").contains("cut short"));
    let changes = json!({"impact": {"metric": "units", "amount": "sum(q5.units)", "unit": "units"}});
    assert!(run(&changes).unwrap_err().join("\n").contains("q5 was cut short"));
}

#[test]
fn expressions_say_what_is_wrong_with_them() {
    let cases = [
        ("354000", "names no cell"),
        ("q1['CUST004'].net_sales + 1000", "may only multiply or divide"),
        ("q1['CUST004'].net_sales * 3.7", "scales by 3.7"),
        ("q1.net_sales", "is a column of 3 rows"),
        ("q9.x", "there is no result q9; the results are q1"),
        ("q1[1].sales", "q1 has no column \"sales\"; its columns are customer_code"),
        ("q1[7].net_sales", "q1 has no row 7"),
        ("q1['CUST009'].net_sales", "no row of q1 holds"),
        ("q1[1].customer_name", "which is no number"),
        ("q1[1].net_sales / q4[2].returned", "divides by zero"),
        ("q1[1].last_order", "is a date"),
        ("median(q1.net_sales)", "there is no function median"),
        ("sum(q1.net_sales", "is missing"),
        ("q1[1].net_sales $ 2", "has no meaning"),
        ("((((((((((((((((((((((((((((((((((((((((((((((q1", "nested too deeply"),
        ("----------------------------------------------------------------------q1[1].orders", "nested too deeply"),
    ];
    for (expression, expected) in cases {
        let problems =
            run(&json!({"impact": {"metric": "m", "amount": expression, "unit": "INR"}})).unwrap_err().join("\n");
        assert!(problems.contains(expected), "{expression}: expected {expected:?} in {problems}");
    }
}

#[test]
fn the_arithmetic_is_shown_and_assumptions_explain_its_literals() {
    let finding = passes(&json!({"impact": {
        "metric": "net sales at risk", "amount": "annualised(q1['CUST004'].net_sales, 5) * 0.3", "unit": "INR a year",
        "assumptions": ["5 months of history", "30% could be won back"],
    }}));
    assert_eq!(finding.impact.amount_text, "85,271");
    assert_eq!(finding.impact.arithmetic, "118,433 / 5 months × 12 × 0.3 = 85,271");
}

#[test]
fn the_same_matter_has_the_same_fingerprint() {
    let one = passes(&json!({"segment": "CUST004 (GHI Service Center)"}));
    let same = passes(&json!({"segment": "North, CUST004", "title": "CUST004 is gone"}));
    let other = passes(&json!({"category": "decline"}));
    assert_eq!(one.fingerprint, same.fingerprint);
    assert_ne!(one.fingerprint, other.fingerprint);
    assert_eq!(one.fingerprint.len(), 16);
}

#[test]
fn what_is_missing_is_named() {
    let problems = run(&json!({"title": " ", "recommended_actions": [], "evidence": [{"query": "q1", "rows": [9]}]}));
    let problems = problems.unwrap_err().join("\n");
    for expected in ["title is empty", "recommended_actions is empty", "q1 has no row 9; its rows count from 1 to 3"] {
        assert!(problems.contains(expected), "{expected:?} in {problems}");
    }
}
