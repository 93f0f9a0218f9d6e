//! What holds for any text: the validator does not panic, and what it accepts is one SELECT for PostgreSQL too.

use explore::sql::validate;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use tokio_postgres::NoTls;

use super::{cases, policy};

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
    (prop::sample::select(texts), prop::collection::vec(edit, 0..4)).prop_map(|(text, edits)| {
        let mut characters = text.chars().collect::<Vec<_>>();
        for (place, cut, piece) in edits {
            let place = place.index(characters.len() + 1);
            let end = (place + cut).min(characters.len());
            characters.splice(place..end, format!(" {piece} ").chars());
        }
        characters.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in prop_oneof![".{0,200}", soup(), mutation()]) {
        if let Ok(select) = validate(&text, &policy()) {
            prop_assert!(text.contains(select.text()));
            prop_assert!(validate(select.text(), &policy()).is_ok_and(|again| again == select));
            select.fingerprint();
            select.literals();
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

/// SQLSTATEs of a text that is more or other than one SELECT in parentheses: syntax errors where the wrapper is broken
/// out of, several commands, and a read-only transaction that had something to refuse.
const FORBIDDEN: &[&str] = &["25006", "42P05", "26000"];

#[tokio::test]
async fn what_it_accepts_is_one_select_for_postgresql_too() {
    let variable = |name: &str| {
        std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests through scripts/test"))
    };
    let mut settings = tokio_postgres::Config::new();
    settings.host(variable("PGHOST")).port(variable("PGPORT").parse().unwrap());
    settings.user(variable("PGUSER")).password(variable("PGPASSWORD")).dbname("postgres");
    let database = format!("validator_{}", std::process::id());
    let (server, connection) = settings.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    server.batch_execute(&format!("CREATE DATABASE {database}")).await.unwrap();
    let (client, connection) = settings.dbname(&database).connect(NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(TABLES).await.unwrap();
    client.batch_execute("SET default_transaction_read_only = on").await.unwrap();

    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let (mut prepared, mut refused) = (0, 0);
    let mutations = prop_oneof![mutation(), soup()];
    for _ in 0..4_000 {
        let text = mutations.new_tree(&mut runner).unwrap().current();
        let Ok(select) = validate(&text, &policy()) else { continue };
        match client.prepare(&format!("SELECT * FROM ({}\n) AS q LIMIT 1", select.text())).await {
            Ok(_) => prepared += 1,
            Err(error) => {
                refused += 1;
                let error = error.as_db_error().unwrap_or_else(|| panic!("{text}: {error}"));
                let code = error.code().code();
                assert!(!FORBIDDEN.contains(&code), "{text}: {error}");
                assert!(!error.message().contains("multiple commands"), "{text}: {error}");
            }
        }
    }
    drop(client);
    connection.await.unwrap().unwrap();
    server.batch_execute(&format!("DROP DATABASE {database}")).await.unwrap();
    assert!(prepared > 300 && prepared > refused, "{prepared} prepared, {refused} refused by PostgreSQL");
}
