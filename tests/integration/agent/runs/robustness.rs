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

/// Tickets of two whole years, which take four hours longer in the second one.
const TICKETS: &str = "CREATE TABLE tickets (ticket_id integer PRIMARY KEY, opened_on date NOT NULL, hours numeric NOT NULL); \
    INSERT INTO tickets SELECT n, DATE '2023-01-01' + n * 7 % 731, \
        20 + n * 13 % 17 + CASE WHEN n * 7 % 731 >= 365 THEN 4 ELSE 0 END \
    FROM generate_series(1, 800) AS n";

/// What SciPy and statsmodels make of the same tables, and of five leads among 43 comparisons.
fn selected() -> Vec<Value> {
    let text = include_str!("../../../material/statistics/expected.json");
    let mut all = serde_json::from_str::<Value>(text).unwrap();
    serde_json::from_value(all["selected"].take()).unwrap()
}

#[track_caller]
fn near(actual: &Value, expected: &Value) {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap();
    let (actual, expected) = (number(actual), number(expected));
    assert!((actual - expected).abs() <= 1e-9 * (1.0 + expected.abs()), "{actual} is not {expected}");
}

#[test]
fn a_difference_that_stands_has_an_interval_as_wide_as_it_was_chosen_among_all_comparisons() {
    let sql = [
        "SELECT region, count(*) AS orders, avg(net_amount) AS mean, \
            count(*) FILTER (WHERE net_amount > 130)::numeric / count(*) AS large FROM sales GROUP BY region",
        "SELECT buyer, avg(net_amount) AS mean FROM sales GROUP BY buyer",
        "SELECT extract(year FROM opened_on) AS year, avg(hours) AS hours FROM tickets GROUP BY 1",
    ];
    let looks = sql.map(|sql| ("execute_sql", json!({ "sql": sql, "question": "what differs?" })));
    let leads = selected().iter().map(|one| records(one["lead"].as_str().unwrap())).collect::<Vec<_>>();
    let turns = [calls(looks)].into_iter().chain(leads).chain([finishes()]).collect::<Vec<_>>();
    let url = database("robust_selected", &format!("{SALES}; {TICKETS}"));
    let ran = Exploration::new(&url, turns).run().ends_with(0, "finished");
    let report = ran.report();
    let findings = report["findings"].as_array().unwrap();
    for (index, expected) in selected().iter().enumerate() {
        let id = format!("F{}", index + 1);
        let finding = findings.iter().find(|finding| finding["id"] == json!(id)).unwrap();
        let robustness = &finding["robustness"];
        near(&robustness["p"], &expected["p"]);
        assert_eq!((&robustness["comparisons"], &robustness["standing"]), (&json!(43), &json!(4)), "{robustness:#}");
        let Some(ends) = expected["interval"].as_array() else {
            assert_eq!(robustness.get("interval"), None, "{robustness:#}");
            continue;
        };
        near(&robustness["interval"]["level"], &expected["level"]);
        near(&robustness["interval"]["low"]["value"], &ends[0]);
        near(&robustness["interval"]["high"]["value"], &ends[1]);
    }
    let words = "hosen among 43 comparisons, of which 4 stand: the 95% interval of the first difference is then ";
    for format in ["terminal", "markdown", "html"] {
        let told = ran.shown(format).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(told.matches(words).count(), 4, "{format}: {told}");
    }
}

#[test]
fn of_groups_that_an_instrument_compares_at_once_the_farthest_has_the_interval_of_all() {
    let look = calls([("compare", json!({ "table": "sales", "measure": "net_amount", "by": ["region"] }))]);
    let ran = explored("robust_farthest", vec![look, records("f1"), finishes()], &[]);
    let finding = &ran.report()["findings"][0];
    let robustness = &finding["robustness"];
    assert_eq!(robustness["instrument"], json!("compare"), "{finding:#}");
    assert_eq!(finding["facts"][0]["test"]["comparisons"], json!(4), "{finding:#}");
    let number = |name: &str| robustness[name].as_f64().unwrap();
    let level = 1.0 - 0.05 / 4.0 * number("standing") / number("comparisons");
    near(&robustness["interval"]["level"], &json!(level));
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
