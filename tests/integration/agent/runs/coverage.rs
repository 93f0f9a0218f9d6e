//! What a run says of what it looked at, first and in every format, and by its exit code.

use std::iter;

use explore::sample::SAMPLE_SQL;
use serde_json::{Value, json};

use super::{CUSTOMERS, Exploration, Ran, SAMPLE, database, finding, finishes, looks, no_answers, records};
use crate::support::program::Program;
use crate::support::scripted_server::{calls, calls_badly, says};

const ALL_CLEAR: &str = "nothing stood out that is worth acting on";

/// That an unearned all-clear is in no format, and `words` are in the first lines of each.
#[track_caller]
fn says_first(ran: &Ran, words: &[&str]) {
    for format in ["terminal", "markdown", "html"] {
        let report = ran.shown(format);
        assert!(!report.contains(ALL_CLEAR), "{report}");
        let body = report.split_once("<main").map_or(report.as_str(), |(_, body)| body);
        let head =
            body.lines().take(if format == "html" { 50 } else { 12 }).collect::<Vec<_>>().join(" ").replace('\\', "");
        let head = head.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in words {
            assert!(head.contains(words), "{format}: {words} is not in {head}");
        }
    }
}

#[track_caller]
fn lacks(ran: &Ran, gaps: &Value) {
    let report = ran.report();
    assert_eq!(report["complete"], *gaps == json!([]), "{report:#}");
    assert_eq!(report["coverage"]["incomplete_because"], *gaps, "{report:#}");
}

fn watched(url: &str, script: Vec<crate::support::scripted_server::Turn>) -> Exploration {
    Exploration::new(url, script).with(&["--fail-on", "high"])
}

#[test]
fn a_model_that_finishes_inside_its_limits_is_complete_and_what_it_left_is_listed() {
    let url = database("coverage_two", &format!("{SAMPLE_SQL}; CREATE TABLE visits (visited_on date, who text)"));
    let ran = watched(&url, vec![looks(CUSTOMERS), finishes()]).run().ends_with(0, "finished");
    lacks(&ran, &json!([]));
    let coverage = &ran.report()["coverage"];
    assert_eq!(coverage["tables_looked_at"], json!(["public.primary_sales"]));
    let left = json!([{ "table": "public.visits", "why": "no query read it", "left_out": false }]);
    assert_eq!(coverage["tables_not_looked_at"], left);
    assert_eq!(ran.events("stopped")[0]["coverage"], *coverage);
    let text = ran.shown("terminal");
    assert!(text.contains("Complete. It looked at 1 of 2 tables.") && text.contains(ALL_CLEAR), "{text}");
}

#[test]
fn a_limit_that_refused_a_query_is_the_reason_also_where_finish_followed() {
    let three = (1..4).map(|number| ("execute_sql", json!({ "sql": format!("SELECT {number} FROM primary_sales") })));
    let both = three.chain(iter::once(("finish", json!({ "answers": no_answers() })))).collect::<Vec<_>>();
    let ran = watched(&SAMPLE, vec![calls(both)]).with(&["--max-queries", "2"]).run().ends_with(11, "query_limit");
    lacks(&ran, &json!(["limit"]));
    assert_eq!(ran.report()["coverage"]["limits"], json!(["query_limit"]));
    says_first(&ran, &["Incomplete", "--max-queries raises it", "no all-clear"]);
}

#[test]
fn a_run_most_of_whose_queries_failed_is_incomplete() {
    let wrong = || [looks("SELECT nonsense FROM primary_sales"), looks("DROP TABLE primary_sales")];
    let script = || wrong().into_iter().chain([looks(CUSTOMERS), finishes()]).collect::<Vec<_>>();
    let ran = watched(&SAMPLE, script()).run().ends_with(11, "finished");
    lacks(&ran, &json!(["queries_failed"]));
    says_first(&ran, &["Incomplete", "2 of 3 queries failed or were refused"]);
    assert_eq!(ran.report()["coverage"]["queries_failed"][1]["query"], json!(null));
    Exploration::new(&SAMPLE, script()).run().ends_with(0, "finished");
    let half = wrong().into_iter().take(1).chain([looks(CUSTOMERS), finishes()]).collect();
    lacks(&watched(&SAMPLE, half).run().ends_with(0, "finished"), &json!([]));
}

#[test]
fn a_run_that_looked_at_no_table_is_incomplete() {
    let ran = watched(&SAMPLE, vec![finishes(), finishes()]).run().ends_with(11, "finished");
    lacks(&ran, &json!(["nothing_looked_at"]));
    says_first(&ran, &["Incomplete", "The only table there is was not looked at", "primary_sales"]);
    let elsewhere = vec![looks("SELECT relname FROM pg_catalog.pg_class LIMIT 1"), finishes()];
    lacks(&watched(&SAMPLE, elsewhere).run().ends_with(11, "finished"), &json!(["nothing_looked_at"]));
}

#[test]
fn calls_written_as_text_are_no_all_clear() {
    let script = iter::repeat_with(|| says("I would run a query now.")).take(3).collect();
    let ran = watched(&SAMPLE, script).with(&["--max-iterations", "2"]).run();
    assert!(matches!(ran.code, Some(4 | 11)), "{:?} {}", ran.code, ran.stderr);
    assert_eq!(ran.report()["complete"], false);
    says_first(&ran, &["Incomplete"]);
}

#[test]
fn a_run_whose_only_draft_was_sent_back_says_so() {
    let wrong = records(finding(&json!({ "facts": ["q1[CUST999].net_sales"] })));
    for draft in [wrong, calls_badly("record_finding", "{\"title\": \"CUST004")] {
        let ran = Exploration::new(&SAMPLE, [looks(CUSTOMERS), draft, finishes()]).run().ends_with(0, "finished");
        says_first(&ran, &["The only draft was sent back", "no all-clear"]);
        assert_eq!(ran.report()["findings_refused"], 1);
    }
}

#[test]
fn what_was_found_goes_before_what_was_not_looked_at() {
    let script = [looks(CUSTOMERS), records(finding(&json!({}))), looks("SELECT 1 AS n"), finishes()];
    let limits = ["--max-iterations", "2", "--fail-on", "high"];
    let ran = Exploration::new(&SAMPLE, script).with(&limits).run().ends_with(10, "iteration_limit");
    assert_eq!(ran.report()["complete"], false);
    let shown = |severity| ran.program.run(&["runs", "show", "--format", "json", "--fail-on", severity]).code;
    assert_eq!((shown("high"), shown("critical")), (10, 11));
}

/// What the built-in analyst comes to.
fn offline(url: &str, arguments: &[&str]) -> (i32, Value) {
    let program = Program::new().variable("DATABASE_URL", url);
    let common = ["--offline", "--as-of", "2025-11-30", "--fail-on", "critical", "--format", "json"];
    let outcome = program.run(&[&common, arguments].concat());
    let report = serde_json::from_str::<Value>(&outcome.stdout);
    let report = report.unwrap_or_else(|error| panic!("{error}: {}{}", outcome.stdout, outcome.stderr));
    let text = program.run(&["runs", "show", "latest"]).stdout;
    assert!(report["complete"] == true || !text.contains(ALL_CLEAR), "{text}");
    (outcome.code, report)
}

fn gaps(report: &Value) -> &Value {
    &report["coverage"]["incomplete_because"]
}

#[test]
fn the_analyst_that_saw_all_there_is_is_complete() {
    let (code, report) = offline(&SAMPLE, &[]);
    assert_eq!((code, gaps(&report)), (10, &json!([])), "{report:#}");
    assert_eq!(report["coverage"]["tables_looked_at"], json!(["public.primary_sales"]));
}

#[test]
fn the_analyst_obeys_the_limits_and_says_what_it_could_not_ask() {
    let (code, report) = offline(&SAMPLE, &["--max-queries", "2"]);
    assert_eq!((code, &report["stop_reason"]), (11, &json!("query_limit")), "{report:#}");
    assert_eq!(gaps(&report)[0], "limit");
    let why = report["coverage"]["tables_not_looked_at"][0]["why"].as_str().unwrap();
    assert!(why.contains("trend") && why.contains("no queries are left"), "{why}");
    let looked_at = report["looked_at"].to_string();
    assert!(!looked_at.contains("trend: nothing"), "{looked_at}");
}

/// Nobody lives to see its rows.
const ENDLESS: &str = "CREATE VIEW sales AS SELECT DATE '2025-01-01' + (a % 300)::int AS sold_on, \
    'C' || b AS customer_code, 1.0::numeric(12,2) AS net_value \
    FROM generate_series(1, 1000000) AS a, generate_series(1, 1000000) AS b";

#[test]
fn the_analyst_ends_with_the_time() {
    let url = database("coverage_endless", ENDLESS);
    let (code, report) = offline(&url, &["--time-limit", "2s", "--max-plan-cost", "off"]);
    assert_eq!((code, &report["stop_reason"]), (11, &json!("time_limit")), "{report:#}");
    assert_eq!(report["coverage"]["tables_looked_at"], json!([]));
    assert_eq!(report["coverage"]["tables_not_looked_at"][0]["table"], "public.sales");
}

fn empty_tables(count: usize) -> String {
    let table = |number| format!("CREATE TABLE t{number:02} (sold_on date, customer_code text, net_value numeric);");
    (0..count).map(table).collect()
}

const SALES: &str = "CREATE TABLE sales (sold_on date, customer_code text, net_value numeric(12,2)); \
    INSERT INTO sales SELECT day, 'C' || n, 100 FROM generate_series(1, 20) AS n, \
    generate_series('2025-01-01'::date + n, '2025-11-29'::date, interval '5 days') AS day;";

#[test]
fn empty_tables_are_named_and_cost_nothing_the_full_one() {
    let url = database("coverage_many", &format!("{}{SALES}", empty_tables(40)));
    let (code, report) = offline(&url, &[]);
    assert_eq!((code, gaps(&report)), (0, &json!([])), "{report:#}");
    let coverage = &report["coverage"];
    assert_eq!((&coverage["tables"], &coverage["tables_looked_at"]), (&json!(41), &json!(["public.sales"])));
    let not_looked_at = coverage["tables_not_looked_at"].as_array().unwrap();
    let left_out = not_looked_at.iter().filter(|table| table["left_out"] == true).count();
    assert_eq!((not_looked_at.len(), left_out), (40, 0));
}

#[test]
fn where_all_tables_are_empty_or_unusable_nothing_was_looked_at() {
    let url = database("coverage_empty", &empty_tables(3));
    let (code, report) = offline(&url, &[]);
    assert_eq!((code, gaps(&report)), (11, &json!(["nothing_looked_at"])), "{report:#}");
    let url =
        database("coverage_facts", "CREATE TABLE daily (name text, value text); INSERT INTO daily VALUES ('a', 'b')");
    let (code, report) = offline(&url, &[]);
    assert_eq!((code, gaps(&report)), (11, &json!(["nothing_looked_at"])), "{report:#}");
    let why = report["coverage"]["tables_not_looked_at"][0]["why"].as_str().unwrap();
    assert!(why.contains("no column has few values"), "{why}");
}
