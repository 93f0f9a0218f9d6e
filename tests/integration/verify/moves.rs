//! Values that never move: remembered, told, accepted, and begun anew.

use super::Verified;
use crate::support::server;

const DATA: &str = "CREATE TABLE sales (month date, region text, amount numeric(30, 2));
    INSERT INTO sales VALUES ('2025-01-01', 'North', 100.10), ('2025-01-01', 'South', 50), ('2025-02-01', 'North', 7)";
const QUESTION: &str = "-- question: What was the revenue of each month?\n-- expect: revenue never moves by month\n\
                        SELECT month, sum(amount) AS revenue FROM sales GROUP BY month";

async fn verified(name: &str) -> Verified {
    Verified::new(name, DATA, &[("months", QUESTION)]).await
}

async fn count(url: &str, table: &str) -> i64 {
    let client = server::client(url).await;
    client.query_one(&format!("SELECT count(*) FROM explore.{table}"), &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_value_that_moved_is_told_with_old_new_and_since_until_it_is_accepted() {
    let verified = verified("moved").await;
    verified.says(&[], 0, &["1 holds", "remembers 2 values, 2 of them new"]);
    verified.change("INSERT INTO sales VALUES ('2025-03-01', 'North', 1)").await;
    verified.says(&[], 0, &["remembers 3 values, 1 of them new"]);
    verified.change("UPDATE sales SET amount = 1200.1 WHERE region = 'North' AND month = '2025-01-01'").await;
    verified.change("DELETE FROM sales WHERE month = '2025-02-01'").await;
    let expected = [
        "FAILED months: What was the revenue of each month?",
        "expected revenue never moves by month (line 2)",
        "- month = 2025-01-01: revenue was 150.1 since 20",
        ", and is 1,250.1 now (+1,100)",
        "- month = 2025-02-01: revenue was 7 since 20",
        ", and the row is gone",
        "explore verify --accept months --reason",
    ];
    verified.says(&[], 10, &expected);
    verified.says(&[], 10, &expected);
    let moved = &verified.json(&[], 10)["questions"][0]["expectations"][0]["moved"];
    assert_eq!(moved[0]["key"][0], "2025-01-01");
    assert_eq!((&moved[0]["old"], &moved[0]["new"]), (&"150.1".into(), &"1250.1".into()));
    assert_eq!((&moved[1]["new"], &moved[1]["is_gone"]), (&serde_json::Value::Null, &true.into()));

    verified.says(&["--accept", "months", "--dry-run"], 0, &["2 values that moved would be taken as right"]);
    verified.says(&[], 10, &["1 failed"]);
    let accepted = [
        "accepted 2025-01-01: revenue was 150.1 since",
        "and is 1,250.1 now (+1,100)",
        "accepted 2025-02-01: revenue was 7",
        "the row is gone",
        "months: 2 values that moved taken as right",
    ];
    verified.says(&["--accept", "months", "--reason", "invoice 4711 came late"], 0, &accepted);
    verified.says(&[], 0, &["remembers 2 values"]);
    verified.says(&["--accept", "months"], 0, &["months: no remembered value moved"]);
    let client = server::client(&verified.state).await;
    let row = client.query_one("SELECT reason, taken::text FROM explore.verified_acceptances", &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "invoice 4711 came late");
    assert!(row.get::<_, String>(1).contains("1250.1"));
    let sent = super::messages(&verified.program.path("out"));
    let text = sent[1]["text"].as_str().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("because: invoice 4711 came late") && text.contains("1,250.1 now (+1,100)"), "{text}");
    assert_eq!(
        verified.subjects(),
        [
            "Verified question failed: months: What was the revenue of each month?",
            "Verified question holds again: months: What was the revenue of each month?"
        ]
    );
}

#[tokio::test]
async fn another_select_begins_anew_and_is_not_called_moved() {
    let verified = verified("anew").await;
    verified.says(&[], 0, &["2 of them new"]);
    verified.write("months", &QUESTION.replace("sum(amount)", "2 * sum(amount)"));
    let anew = "changed its SELECT is another one than before: 2 remembered values forgotten, it starts anew";
    verified.says(&["--dry-run"], 0, &[anew]);
    verified.says(&[], 0, &[anew, "remembers 2 values, 2 of them new"]);
    let outcome = verified.run(&[], 0);
    assert!(!outcome.stdout.contains("changed"), "{}", outcome.stdout);
    // White space, the words of the question and further expectations are no other SELECT.
    let text = QUESTION.replace("sum(amount)", "2 *  sum(amount)").replace("What was", "What is");
    verified.write("months", &text.replace("-- expect", "-- expect: rows >= 1\n-- expect"));
    let outcome = verified.run(&[], 0);
    assert!(!outcome.stdout.contains("changed"), "{}", outcome.stdout);
    // Other columns after `by` are another series, which begins beside the first.
    verified.write(
        "months",
        &text
            .replace("revenue never", "revenue, month never")
            .replace("by month", "by n")
            .replace("SELECT month", "SELECT 1 AS m, month")
            .replace("by n", "by m"),
    );
    verified.says(&[], 11, &["CANNOT BE CHECKED", "two rows have m = 1"]);
}

#[tokio::test]
async fn equal_numbers_do_not_move_however_they_are_written_and_null_is_a_value() {
    let question = "-- question: x\n-- expect: n never moves by k\nSELECT k, n::text::numeric AS n FROM t";
    let data = "CREATE TABLE t (k text, n text); INSERT INTO t VALUES ('a', '1.50'), (NULL, NULL)";
    let verified = Verified::new("written", data, &[("q", question)]).await;
    verified.says(&[], 0, &["2 of them new"]);
    verified.change("UPDATE t SET n = '1.5' WHERE k = 'a'").await;
    verified.says(&[], 0, &["remembers 2 values"]);
    verified.change("UPDATE t SET n = '0' WHERE k IS NULL").await;
    verified.says(&[], 10, &["k = NULL: n was NULL since", "is 0 now"]);
}

#[tokio::test]
async fn an_answer_without_rows_does_not_hold_for_ever() {
    let question = "-- question: x\n-- expect: n never moves by k\nSELECT k, n FROM t";
    let verified = Verified::new("empty", "CREATE TABLE t (k int, n int)", &[("q", question)]).await;
    verified.says(&[], 10, &["there is no row"]);
}

#[tokio::test]
async fn a_database_is_known_by_its_cluster_or_else_by_its_address() {
    let verified = verified("identity").await;
    verified.run(&[], 0);
    let elsewhere = verified.data.replace(&server::variable("PGHOST"), "127.0.0.1");
    verified.says(&["--database-url", &elsewhere], 0, &["remembers 2 values"]);
    assert_eq!(count(&verified.state, "verified_questions").await, 1, "another way to the same database");
    let revoke = "DROP ROLE IF EXISTS verify_reader; CREATE ROLE verify_reader LOGIN PASSWORD 'p';
        REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; GRANT SELECT ON sales TO verify_reader";
    verified.change(revoke).await;
    let (_, address) = verified.data.split_once('@').unwrap();
    verified.says(&["--database-url", &format!("postgres://verify_reader:p@{address}")], 0, &["2 of them new"]);
    let client = server::client(&verified.state).await;
    let rows = client.query("SELECT database FROM explore.verified_questions ORDER BY 1", &[]).await.unwrap();
    let names = rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>();
    let by_address = format!("{}:{}, database verify_identity", server::variable("PGHOST"), server::variable("PGPORT"));
    assert!(names.contains(&by_address) && names.iter().any(|name| name.starts_with("cluster ")), "{names:?}");
}

#[tokio::test]
async fn a_message_carries_some_of_many_values_and_counts_all() {
    let question = "-- question: x\n-- expect: n never moves by k\nSELECT k, n FROM t";
    let data = "CREATE TABLE t AS SELECT k, 1 AS n FROM generate_series(1, 150) AS k";
    let verified = Verified::new("many", data, &[("q", question)]).await;
    verified.run(&[], 0);
    verified.change("UPDATE t SET n = 2").await;
    let expectation = &verified.json(&[], 10)["questions"][0]["expectations"][0];
    assert_eq!((expectation["moved"].as_array().unwrap().len(), &expectation["more"]), (150, &140.into()));
    let sent = super::messages(&verified.program.path("out"));
    let expectation = &sent[0]["data"]["verified"]["expectations"][0];
    assert_eq!((expectation["moved"].as_array().unwrap().len(), &expectation["moved_count"]), (100, &150.into()));
}
