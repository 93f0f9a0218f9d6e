//! What becomes of leads under other choices, among how many comparisons chance is told, and what instruments find in
//! shuffled data.

use serde_json::{Value, json};

use super::{Exploration, Ran, database, finishes, no_answers};
use crate::support::scripted_server::{Turn, calls};

/// Sales of four regions over two years: the East sells twice as much as the others in every order; the North sells as the
/// others do, but for one order of a hundred times the usual amount.
const SALES: &str = "CREATE TABLE sales (sale_id integer PRIMARY KEY, sold_on date NOT NULL, region text NOT NULL, \
        buyer text NOT NULL, net_amount numeric NOT NULL); \
    INSERT INTO sales SELECT n, DATE '2024-01-01' + n * 7 % 700, \
        (ARRAY['North','East','South','West'])[1 + n % 4], 'buyer ' || n * 31 % 40, \
        CASE WHEN n = 400 THEN 12000 ELSE (60 + n * 37 % 81) * CASE n % 4 WHEN 1 THEN 2 ELSE 1 END END \
    FROM generate_series(1, 800) AS n";

const BY_REGION: &str =
    "SELECT region, count(*) AS orders, avg(net_amount) AS mean FROM sales GROUP BY region ORDER BY region";

fn looks_once() -> Turn {
    calls([("execute_sql", json!({ "sql": BY_REGION, "question": "how do regions differ?" }))])
}

fn records(lead: &str) -> Turn {
    calls([("record_finding", json!({ "facts": [lead], "actions": ["Ask why."], "severity": "high" }))])
}

fn explored(name: &str, turns: Vec<Turn>, options: &[&str]) -> Ran {
    let url = database(name, SALES);
    Exploration::new(&url, turns).with(options).run().ends_with(0, "finished")
}

/// The verdicts on a finding's lead, by the choices.
fn verdicts(finding: &Value) -> Vec<(String, String)> {
    let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    let checks = finding["robustness"]["checks"].as_array().unwrap().iter();
    checks.map(|check| (text(check, "choice"), text(check, "verdict"))).collect()
}

#[test]
fn a_lead_that_one_row_makes_does_not_hold_without_it_and_one_that_all_rows_make_holds() {
    let turns =
        vec![looks_once(), records("gap(q1[North].mean, rest)"), records("gap(q1[East].mean, rest)"), finishes()];
    let ran = explored("robust_leads", turns, &[]);
    let report = ran.report();
    let [north, east] = ["North", "East"].map(|region| {
        let findings = report["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["facts"][0]["sentence"].as_str().unwrap().contains(region)).unwrap()
    });
    let of = |finding: &Value, choice: &str| {
        verdicts(finding).into_iter().find(|(known, _)| known == choice).map(|(_, verdict)| verdict)
    };
    for choice in ["without the largest net amount", "with medians in place of averages"] {
        assert_eq!(of(north, choice).as_deref(), Some("fails"), "{north:#}");
        assert_eq!(of(east, choice).as_deref(), Some("holds"), "{east:#}");
    }
    assert!(verdicts(east).iter().all(|(_, verdict)| verdict == "holds"), "{east:#}");
    assert_ne!(north["confidence"], json!("high"), "{north:#}");
    assert_eq!(east["confidence"], json!("high"), "{east:#}");
    let told = ran.shown("terminal").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("nor without the largest net amount"), "{told}");
    // The groups of one statement invite as many comparisons as there are further groups.
    assert_eq!(east["robustness"]["comparisons"], json!(3));
    assert_eq!(ran.events("checked").len(), 2);
}

#[test]
fn a_statement_that_was_not_compared_with_anything_has_no_chance_and_off_tries_nothing() {
    let turns = || vec![looks_once(), records("gap(q1[East].mean, rest)"), finishes()];
    let ran = explored("robust_off", turns(), &["--robustness", "off"]);
    assert_eq!(ran.report()["findings"][0].get("robustness"), None);
    assert!(ran.events("checked").is_empty() && ran.events("shuffled").is_empty());
}

#[test]
fn instruments_find_nothing_in_shuffled_data_where_they_find_something_in_the_data() {
    let turns = vec![
        calls([("compare", json!({ "table": "sales" }))]),
        calls([("finish", json!({ "answers": no_answers() }))]),
        finishes(),
    ];
    let ran = explored("robust_shuffled", turns, &["--robustness", "all"]);
    let shuffled = &ran.report()["shuffled"];
    assert_eq!((&shuffled["looks"], &shuffled["found"]), (&json!(1), &json!(0)), "{shuffled:#}");
    assert!(shuffled["found_as_they_are"].as_u64().unwrap() > 0, "{shuffled:#}");
    assert_eq!(shuffled["left_out"], json!({}));
    let told = ran.shown("markdown");
    assert!(told.contains("On shuffled data the same 1 looks found 0 of"), "{told}");
}
