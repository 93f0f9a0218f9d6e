//! SELECTs over HTTP, under the rules for a model's queries.

use reqwest::Method;
use serde_json::json;

use super::Place;

#[tokio::test]
async fn a_select_is_run_and_everything_else_refused_by_its_rule() {
    let place = Place::new("sql").await;
    let (served, key) = (place.serve(&[]), place.key("sql,read,admin,schema"));
    let run = async |sql: &str| served.post("/v1/sql", &key, json!({ "sql": sql })).await;
    let ran = run("SELECT channel, count(*) FROM tickets GROUP BY channel ORDER BY channel DESC").await.expect(200);
    assert_eq!(ran.json()["rows"], json!([["shop", 320], ["<b>mail</b>", 300]]));
    let csv = served
        .ask(Method::POST, "/v1/sql", Some(&key), &[("accept", "text/csv")], Some(json!({ "sql": "SELECT 1 AS one" })))
        .await
        .expect(200);
    assert_eq!((csv.text.as_str(), csv.header("content-type")), ("one\n1\n", "text/csv; charset=utf-8"));

    for (sql, rule) in [
        ("DELETE FROM tickets", "read_only"),
        ("SELECT 1; SELECT 2", "one_statement"),
        ("SELECT set_config('role', 'postgres', false)", "function"),
        ("SELECT current_setting('server_version')", "function"),
        ("SELECT pg_sleep(9)", "function"),
        ("SELECT * FROM pg_authid", "relation"),
    ] {
        let refused = run(sql).await.expect(422);
        assert_eq!((refused.problem().as_str(), &refused.json()["rule"]), ("sql-refused", &json!(rule)), "{sql}");
        let checked = served.post("/v1/sql/check", &key, json!({ "sql": sql })).await.expect(422);
        assert_eq!(checked.json()["rule"], rule);
    }
    assert_eq!(run("SELECT 1 / (count(*) - count(*)) FROM tickets").await.expect(422).problem(), "sql-failed");
    served.post("/v1/sql/check", &key, json!({ "sql": "SELECT 1" })).await.expect(204);

    // The log says who asked what, with which verdict, and has no value of a row.
    let log = served.get("/v1/query-log?limit=3", Some(&key)).await.expect(200).json();
    assert_eq!(log["data"].as_array().unwrap().len(), 3);
    assert_eq!((&log["data"][0]["verdict"], &log["data"][1]["verdict"]), (&json!("failed"), &json!("refused")));
    assert_eq!((&log["data"][1]["rule"], &log["data"][1]["caller"]), (&json!("relation"), &json!("tester")));
    let cursor = log["next_cursor"].as_str().unwrap();
    let rest = served.get(&format!("/v1/query-log?limit=200&cursor={cursor}"), Some(&key)).await.expect(200);
    assert_eq!(rest.json()["data"].as_array().unwrap().last().unwrap()["rows"], 2);
    assert!(!rest.text.contains("mail"), "{}", rest.text);

    // Tables that come later are there after a refresh.
    let url = crate::support::server::url("serve_sql");
    crate::support::server::execute(&url, "CREATE TABLE orders (id int PRIMARY KEY); ANALYZE").await;
    let tables = served.get("/v1/schema/tables", Some(&key)).await.expect(200).json();
    assert_eq!(tables["data"].as_array().unwrap().len(), 1);
    let tables = served.post("/v1/schema/refresh", &key, json!({})).await.expect(200).json();
    assert_eq!(tables["data"][0]["name"], "public.orders");
    let table = served.get("/v1/schema/tables/public.tickets", Some(&key)).await.expect(200).json();
    assert_eq!(table["primary_key"], json!(["id"]));
    run("SELECT count(*) FROM orders").await.expect(200);
    served.get("/v1/schema/tables/public.none", Some(&key)).await.expect(404);
}
