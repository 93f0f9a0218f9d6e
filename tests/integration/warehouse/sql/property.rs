//! What holds for any text: the validator does not panic, and what it accepts is one SELECT for PostgreSQL too.

use explore::warehouse::sql::validate;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use tokio_postgres::SimpleQueryMessage;

use super::{cases, policy};
use crate::support::server::{client, fresh};

/// Pieces that texts are made of: what PostgreSQL's grammar, its lexer and its attackers care about.
const PIECES: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "t",
    "u",
    "sales",
    "id",
    "a",
    "t.id",
    "x",
    "AS",
    "WITH",
    "RECURSIVE",
    "(",
    ")",
    "[",
    "]",
    ",",
    ";",
    ".",
    "*",
    "+",
    "-",
    "||",
    "::",
    "int",
    "text",
    "=",
    "@@@",
    "=>",
    "'x'",
    "'",
    "''",
    "\"",
    "\"t\"",
    "$$",
    "$a$",
    "E'\\''",
    "U&'x'",
    "--",
    "/*",
    "*/",
    "\n",
    "\r",
    "\\",
    "1",
    "1.5",
    ".5",
    "1e3",
    "$1",
    "NULL",
    "true",
    "JOIN",
    "LEFT",
    "ON",
    "USING",
    "LATERAL",
    "ONLY",
    "INTO",
    "END",
    "CASE",
    "WHEN",
    "THEN",
    "TABLE",
    "VALUES",
    "UNION",
    "ALL",
    "EXCEPT",
    "ORDER",
    "BY",
    "GROUP",
    "HAVING",
    "LIMIT",
    "OFFSET",
    "FETCH",
    "FIRST",
    "ROWS",
    "OVER",
    "PARTITION",
    "FILTER",
    "WITHIN",
    "count(*)",
    "sum(id)",
    "pg_sleep(0)",
    "pg_read_file('x')",
    "unnest(ARRAY[1])",
    "generate_series(1, 2)",
    "EXISTS",
    "IN",
    "ANY",
    "BETWEEN",
    "SYMMETRIC",
    "AND",
    "OR",
    "NOT",
    "IS",
    "LIKE",
    "INTERVAL",
    "DATE",
    "FOR",
    "UPDATE",
    "DELETE",
    "INSERT",
    "EXPLAIN",
    "SET",
    "COPY",
    "CAST",
    "EXTRACT",
    "EXCLUDE",
    "TIES",
    "DISTINCT",
    "pg_shadow",
    "pg_class",
    "é",
    "\u{a0}",
    "\u{200b}",
    "\0",
    "ROW",
    "current_user",
    "AT TIME ZONE",
    "COLLATE",
    "TABLESAMPLE",
    "ROLLUP",
    "VARIADIC",
    "ISNULL",
    "OPERATOR(pg_catalog.+)",
    "IS DOCUMENT",
    "xmlelement(name a, id)",
];

fn soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(PIECES);
    prop::collection::vec((piece, prop::bool::weighted(0.8)), 0..40).prop_map(|pieces| {
        let spaced = |(piece, space): (&str, bool)| format!("{piece}{}", if space { " " } else { "" });
        format!("SELECT {}", pieces.into_iter().map(spaced).collect::<String>())
    })
}

/// One of the cases with a few characters cut out and a few pieces put in.
fn mutation() -> impl Strategy<Value = String> {
    let texts = cases("legitimate.jsonl").into_iter().chain(cases("attacks.jsonl"));
    let texts = texts.map(|case| case.sql).collect::<Vec<_>>();
    let edit = (any::<prop::sample::Index>(), 0_usize..4, prop::sample::select(PIECES));
    (prop::sample::select(texts), prop::collection::vec(edit, 0..3)).prop_map(|(text, edits)| {
        let mut characters = text.chars().collect::<Vec<_>>();
        for (place, cut, piece) in edits {
            let place = place.index(characters.len() + 1);
            let end = (place + cut).min(characters.len());
            characters.splice(place..end, format!(" {piece} ").chars());
        }
        characters.into_iter().collect()
    })
}

/// A part of one case put into another, in place of one of its words: an attack's in a legitimate query, and the reverse.
fn graft() -> impl Strategy<Value = String> {
    let texts = |file: &str| cases(file).into_iter().map(|case| case.sql).collect::<Vec<_>>();
    let (attacks, legitimate) = (texts("attacks.jsonl"), texts("legitimate.jsonl"));
    let any_of = |texts: &[String]| prop::sample::select(texts.to_vec());
    let pairs = prop_oneof![
        4 => (any_of(&legitimate), any_of(&attacks)),
        1 => (any_of(&attacks), any_of(&legitimate)),
        1 => (any_of(&legitimate), any_of(&legitimate)),
    ];
    let place = any::<prop::sample::Index>();
    let wrap = prop::sample::select(WRAPS);
    (pairs, place, any::<prop::sample::Index>(), 1_usize..30, wrap).prop_map(
        |((stock, scion), place, start, length, wrap)| {
            let words = |text: &str| text.split_inclusive([' ', ',', '(', ')']).map(str::to_owned).collect::<Vec<_>>();
            let (mut stock, scion) = (words(&stock), words(&scion));
            let start = start.index(scion.len());
            let part = scion[start..(start + length).min(scion.len())].concat();
            let place = place.index(stock.len());
            stock[place] = wrap.replace("{}", &part);
            stock.concat()
        },
    )
}

/// How a part is put in.
const WRAPS: &[&str] = &[
    " {} ",
    " ({}) ",
    " (SELECT {}) ",
    " (SELECT * FROM {}) AS grafted ",
    " {}, ",
    " /* */ {} -- \n",
    " '{}' ",
    " $g${}$g$ ",
    " \"{}\" ",
    " E'{}' ",
    " UNION ALL {} ",
    " WITH g AS ({}) SELECT ",
    " CASE WHEN {} THEN 1 END ",
    " LATERAL ({}) AS g ",
    " ({})::text ",
    "; {} ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![".{0,200}", soup(), mutation(), graft()]) {
        if let Ok(select) = validate(&text, &policy()) {
            prop_assert!(text.contains(select.text()));
            prop_assert!(validate(select.text(), &policy()).is_ok_and(|again| again == select));
            select.fingerprint();
        }
    }
}

const TABLES: &str = "
    CREATE TABLE t (id int PRIMARY KEY, a text, secret text);
    CREATE TABLE u (id int PRIMARY KEY, b text);
    CREATE TABLE sales (id int, region text, product text, channel text, amount numeric, sold_at timestamptz, attrs jsonb,
        tags text[]);
    CREATE TABLE nodes (id int, parent_id int, name text);
    CREATE TABLE bookings (id int, period tstzrange);
    CREATE TABLE \"mixedCase\" (\"Order ID\" int, \"Total Amount\" numeric);";

/// How many texts are tried against the server; `EXPLORE_TEST_TEXTS` asks for more than suits every run.
fn texts() -> u32 {
    std::env::var("EXPLORE_TEST_TEXTS").ok().and_then(|count| count.parse().ok()).unwrap_or(3_000)
}

/// System views that stand for other relations in a plan.
const VIEWS: &[&str] = &["information_schema", "pg_tables", "pg_indexes", "pg_timezone"];

/// Functions that no plan of an accepted text may call. A plan shows the calls that were not computed while planning.
const FORBIDDEN: &[&str] = &[
    "pg_read_file",
    "pg_read_binary_file",
    "pg_ls_dir",
    "pg_stat_file",
    "pg_sleep",
    "pg_advisory",
    "pg_try_advisory",
    "pg_terminate_backend",
    "pg_cancel_backend",
    "pg_reload_conf",
    "pg_notify",
    "lo_",
    "nextval",
    "setval",
    "set_config",
    "query_to_xml",
    "table_to_xml",
    "cursor_to_xml",
    "database_to_xml",
    "ts_stat",
    "dblink",
    "pg_logical",
    "pg_create",
    "pg_switch_wal",
    "txid_current",
    "pg_current_xact_id",
    "pg_export_snapshot",
    "has_",
    "current_setting",
];

/// PostgreSQL's own plan of an accepted text reads what the validator found in it, and calls nothing forbidden.
async fn check_plan(client: &tokio_postgres::Client, select: &explore::warehouse::sql::Select) {
    let text = select.text();
    let explain = format!("EXPLAIN (VERBOSE, FORMAT JSON) SELECT * FROM ({text}\n) AS q LIMIT 1");
    let Ok(messages) = client.simple_query(&explain).await else { return };
    let line = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => row.get(0).unwrap_or_default().to_owned() + "\n",
        _ => String::new(),
    };
    let plan = serde_json::from_str(&messages.iter().map(line).collect::<String>()).unwrap();
    let mut nodes: Vec<&serde_json::Value> = vec![&plan];
    while let Some(node) = nodes.pop() {
        match node {
            serde_json::Value::Array(items) => nodes.extend(items),
            serde_json::Value::Object(fields) => {
                nodes.extend(fields.values());
                if let (Some(name), Some(schema)) = (fields.get("Relation Name"), fields.get("Schema")) {
                    let (schema, name) = (schema.as_str().unwrap().to_owned(), name.as_str().unwrap().to_owned());
                    let system = schema == "pg_catalog"
                        && (text.to_lowercase().contains(&name)
                            || VIEWS.iter().any(|view| text.to_lowercase().contains(view)));
                    let known = system || select.relations().contains(&(schema.clone(), name.clone()));
                    assert!(known, "{schema}.{name} is read by {text}");
                }
            }
            // The field of EXTRACT is a name that is printed without its quotes.
            serde_json::Value::String(line) if !line.contains("EXTRACT(") => {
                let code = line.split('\'').step_by(2).collect::<String>();
                let called = |name: &&&str| {
                    code.match_indices(**name).any(|(at, name)| {
                        let begins = !code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_');
                        let rest = code[at + name.len()..]
                            .trim_start_matches(|next: char| next.is_alphanumeric() || next == '_');
                        begins && rest.starts_with('(')
                    })
                };
                let called = FORBIDDEN
                    .iter()
                    .find(called)
                    .filter(|_| !VIEWS.iter().any(|view| text.to_lowercase().contains(view)));
                assert_eq!(called, None, "{line} is run by {text}");
            }
            _ => {}
        }
    }
}

/// The only texts that the validator takes for a SELECT and an older server does not: what JSON has got since
/// PostgreSQL 16.
fn is_of_newer_servers(text: &str) -> bool {
    const NEWER: &[&str] =
        &["json_array", "json_exists", "json_object", "json_query", "json_serialize", "json_table", "json_value"];
    let text = text.to_lowercase();
    NEWER.iter().any(|name| text.contains(name))
}

#[tokio::test]
async fn what_it_accepts_is_one_select_for_postgresql_too() {
    let url = fresh("sql_property", TABLES).await;
    let client = client(&url).await;
    client.batch_execute("SET default_transaction_read_only = on").await.unwrap();

    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let (mut prepared, mut refused) = (0, 0);
    let mutations = prop_oneof![6 => mutation(), 6 => graft(), 1 => soup()];
    for _ in 0..texts() {
        let text = mutations.new_tree(&mut runner).unwrap().current();
        let Ok(select) = validate(&text, &policy()) else { continue };
        match client.prepare(&format!("SELECT * FROM ({}\n) AS q LIMIT 1", select.text())).await {
            Ok(_) => {
                prepared += 1;
                check_plan(&client, &select).await;
            }
            Err(error) => {
                refused += 1;
                let message = error.as_db_error().unwrap_or_else(|| panic!("{text}: {error}")).message();
                let split = (message.starts_with("syntax error at") && !message.contains("jsonpath"))
                    || message.contains("multiple commands");
                assert!(!split || is_of_newer_servers(&text), "{text}: {message}");
            }
        }
    }
    assert!(prepared > 150 && prepared > refused, "{prepared} prepared, {refused} refused by PostgreSQL");
}

/// Where a key word may come between others; `{}` is it.
const BETWEEN: &[&str] = &[
    "SELECT id {} FROM t",
    "SELECT id + 1 {} FROM t",
    "SELECT t.id {} FROM t",
    "SELECT count(*) {} FROM t",
    "SELECT (id) {} FROM t",
    "SELECT id::int {} FROM t",
    "SELECT 'x' {} FROM t",
    "SELECT id AS {} FROM t",
    "SELECT id {} a FROM t",
    "SELECT {} id FROM t",
    "SELECT {} FROM t",
    "SELECT {}(id) FROM t",
    "SELECT 1 FROM t {}",
    "SELECT 1 FROM t {}, u",
    "SELECT 1 FROM t {} JOIN u ON true",
    "SELECT 1 FROM t AS {}, u",
    "SELECT 1 FROM t {} u",
    "SELECT 1 FROM {} t",
    "SELECT 1 FROM t WHERE id {} 1",
    "SELECT 1 FROM t ORDER BY id {}",
    "SELECT id {}, (SELECT 1 FROM u) FROM t",
    "WITH {} AS (SELECT 1) SELECT 1 FROM t",
    "SELECT id FROM t {} SELECT id FROM u",
    "SELECT sum(id) OVER {} FROM t",
    "SELECT a COLLATE {} FROM t",
    "SELECT a LIKE {} FROM t",
];

#[tokio::test]
async fn every_key_word_means_the_same_to_the_server() {
    let url = fresh("sql_key_words", TABLES).await;
    let client = client(&url).await;
    client.batch_execute("SET default_transaction_read_only = on").await.unwrap();
    let words = client.query("SELECT word::text FROM pg_get_keywords()", &[]).await.unwrap();
    let mut prepared = 0;
    for word in words.iter().map(|row| row.get::<_, String>(0)) {
        for text in BETWEEN.iter().map(|text| text.replace("{}", &word)) {
            let Ok(select) = validate(&text, &policy()) else { continue };
            if client.prepare(&format!("SELECT * FROM ({}\n) AS q LIMIT 1", select.text())).await.is_ok() {
                prepared += 1;
                check_plan(&client, &select).await;
            }
        }
    }
    assert!(prepared > 1_000, "{prepared} prepared");
}
