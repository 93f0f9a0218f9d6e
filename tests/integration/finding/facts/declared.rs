//! What people declared of the tables, in the words of facts: measures, conditions, durations, the rows that count.

use super::Ground;

const TABLES: &str = "
    CREATE TABLE customers (id int PRIMARY KEY, country text NOT NULL);
    INSERT INTO customers SELECT n, (ARRAY['AT', 'BE'])[1 + n % 2] FROM generate_series(1, 40) n;
    CREATE TABLE sales (
        id int PRIMARY KEY, customer_id int NOT NULL, status text NOT NULL, amount numeric(10, 2) NOT NULL,
        opened_at timestamp NOT NULL, closed_at timestamp NOT NULL
    );
    INSERT INTO sales SELECT n, 1 + n % 40, CASE WHEN n % 5 = 0 THEN 'cancelled' ELSE 'paid' END, n,
        timestamp '2025-01-01 08:00' + n * interval '1 hour', timestamp '2025-01-03 08:00' + n * interval '1 hour'
    FROM generate_series(1, 200) n";

const METADATA: &str = r#"{
    "noun": "orders",
    "filter": "status <> 'cancelled'",
    "measures": {
        "net sales": {"sql": "sum(amount)", "unit": "EUR", "good": "up"},
        "gross sales": {"sql": "sum(amount)", "filter": "true", "unit": "EUR"}
    },
    "conditions": {"large": {"sql": "amount > 100"}},
    "durations": {"time to close": {"from": "opened_at", "to": "closed_at"}}
}"#;

async fn ground(name: &str) -> Ground {
    Ground::with_metadata(name, TABLES, &[("sales.json", METADATA)]).await
}

#[tokio::test]
async fn a_measure_is_called_by_the_name_that_people_gave_it() {
    let ground = ground("facts_declared").await;
    let sql = "SELECT sum(amount) AS x FROM sales WHERE status <> 'cancelled'";
    assert_eq!(ground.say(sql, "q1.x").await, "The net sales is 16,000.00 EUR (over 160 rows).");
    let by_cents = "SELECT round(sum(s.amount), 0) AS x FROM sales s WHERE 'cancelled' <> s.status AND s.id <= 100";
    let said = ground.say(by_cents, "q1.x").await;
    assert!(said.starts_with("The net sales with id up to 100 is 4,000 EUR"), "{said}");
}

#[tokio::test]
async fn another_filter_is_another_measure() {
    let ground = ground("facts_declared_other").await;
    let all = ground.say("SELECT sum(amount) AS x FROM sales", "q1.x").await;
    assert!(all.starts_with("The gross sales is 20,100.00 EUR"), "{all}");
    let other = ground.say("SELECT max(amount) AS x FROM sales WHERE status <> 'cancelled'", "q1.x").await;
    assert!(!other.contains("net sales") && other.contains("with status other than 'cancelled'"), "{other}");
}

#[tokio::test]
async fn a_measure_keeps_its_name_where_a_table_is_looked_up_and_not_where_rows_are_multiplied() {
    let ground = ground("facts_declared_joins").await;
    let joined = "SELECT c.country, sum(s.amount) AS x FROM sales s JOIN customers c ON c.id = s.customer_id \
                  WHERE s.status <> 'cancelled' GROUP BY c.country";
    let said = ground.say(joined, "q1[AT].x").await;
    assert!(said.starts_with("The net sales of "), "{said}");
    let multiplied = "SELECT sum(s.amount) AS x FROM sales s JOIN sales o ON o.customer_id = s.customer_id \
                      WHERE s.status <> 'cancelled'";
    let said = ground.say(multiplied, "q1.x").await;
    assert!(!said.contains("net sales"), "{said}");
}

#[tokio::test]
async fn rows_that_do_not_count_are_told_where_they_count() {
    let ground = ground("facts_declared_filter").await;
    let sentence = "Rows of sales that do not count are counted too: those without status <> 'cancelled'.";
    for (sql, is_doubted) in [
        ("SELECT count(*) AS n FROM sales", true),
        ("SELECT count(*) AS n FROM sales WHERE status <> 'cancelled'", false),
        ("SELECT count(*) AS n FROM sales WHERE status = 'paid'", true),
    ] {
        let fact = ground.state(&[sql], &["q1.n"]).await.remove(0).unwrap();
        let doubts = fact.doubts.iter().map(|doubt| doubt.sentence.as_str()).collect::<Vec<_>>();
        assert_eq!(doubts.contains(&sentence), is_doubted, "{sql}: {doubts:?}");
    }
}

#[tokio::test]
async fn conditions_and_durations_have_their_names() {
    let ground = ground("facts_declared_names").await;
    let sql = "SELECT count(*) FILTER (WHERE amount > 100) AS n, \
               avg(extract(epoch FROM closed_at - opened_at) / 3600) AS hours \
               FROM sales WHERE status <> 'cancelled'";
    let said = ground.say(sql, "q1.n").await;
    assert!(said.contains("amount above 100 (large)"), "{said}");
    let said = ground.say(sql, "q1.hours").await;
    assert!(said.contains("average of time to close in hours over orders"), "{said}");
}
