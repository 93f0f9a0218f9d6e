//! `row.name`, where it is no column: PostgreSQL calls a function or casts to a type of that name. Every case is first run
//! bare, to prove that it runs the user's code, and then refused, also where the owner allowed the function by its name.

use std::sync::Arc;

use explore::warehouse::executor::{Executor, Rules};
use explore::warehouse::sql::Allowed;

use super::executor::{LIMITS, RAN, bare, says_so, through};
use crate::support::server::{connect, fresh};

/// A function for each kind of argument, and what else a name after a dot can run.
fn schema() -> String {
    let functions = [
        "of_record(record)",
        "of_any(anyelement)",
        "of_compatible(anycompatible)",
        "of_other(anynonarray)",
        "of_catalogue(pg_class)",
        "of_view(information_schema.tables)",
        "of_table(t)",
        "of_pair(pair)",
        "of_int(int)",
        "of_text(text)",
        "of_array(anyarray)",
        "key(int)",
        "value(int)",
        "ordinality(int)",
        "lexeme(text)",
        "id(t)",
        "count(pair)",
    ];
    let functions = functions.map(|function| says_so(&format!("{function} RETURNS text"))).concat();
    format!(
        "CREATE TYPE pair AS (l int, r int); CREATE TABLE t (id int, a text); INSERT INTO t VALUES (1, 'x');
         CREATE TABLE u (id int, b text); INSERT INTO u VALUES (1, 'y');
         CREATE TABLE pairs (p pair, q pair[]); INSERT INTO pairs VALUES ((1, 2), ARRAY[(1, 2)::pair]);
         CREATE FUNCTION okay(int) RETURNS bool LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION '{RAN}'; END $$;
         CREATE DOMAIN boxed AS int CHECK (okay(VALUE)); {functions}"
    )
}

/// What runs the users' code, and the name that a refusal has to say.
const CALLS: &[(&str, &str)] = &[
    ("SELECT q.of_record FROM (SELECT 1 AS a) q", "of_record"),
    ("SELECT q.of_any FROM (SELECT 1 AS a) q", "of_any"),
    ("SELECT q.of_compatible FROM (SELECT 1 AS a) q", "of_compatible"),
    ("SELECT q.of_other FROM (SELECT 1 AS a) q", "of_other"),
    ("WITH q AS (SELECT 1 AS a) SELECT q.of_any FROM q", "of_any"),
    ("WITH RECURSIVE q AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM q WHERE a < 2) SELECT q.of_any FROM q", "of_any"),
    ("SELECT v.of_record FROM (VALUES (1)) v", "of_record"),
    ("SELECT v.of_record FROM (VALUES (1)) v (a)", "of_record"),
    ("SELECT j.of_any FROM (t CROSS JOIN u) AS j", "of_any"),
    ("SELECT j.of_any FROM t JOIN u USING (id) AS j", "of_any"),
    ("SELECT j.a FROM (SELECT 1) q CROSS JOIN LATERAL (SELECT q.of_any AS a) j", "of_any"),
    ("SELECT c.of_catalogue FROM pg_class c LIMIT 1", "of_catalogue"),
    ("SELECT c.of_record FROM pg_catalog.pg_namespace c LIMIT 1", "of_record"),
    ("SELECT i.of_any FROM information_schema.tables i LIMIT 1", "of_any"),
    ("SELECT i.of_view FROM information_schema.tables i LIMIT 1", "of_view"),
    ("SELECT 1 FROM (SELECT 1) q ORDER BY q.of_any", "of_any"),
    ("SELECT 1 FROM (SELECT 1) q GROUP BY q.of_any", "of_any"),
    ("SELECT 1 FROM (SELECT 1) q HAVING max(q.of_any) = 'x'", "of_any"),
    ("SELECT count(*) FILTER (WHERE q.of_any = 'x') FROM (SELECT 1) q", "of_any"),
    ("SELECT sum(1) OVER (PARTITION BY q.of_any) FROM (SELECT 1) q", "of_any"),
    ("SELECT 1 FROM u JOIN (SELECT 1) q ON q.of_any = 'x'", "of_any"),
    ("SELECT x.of_any FROM XMLTABLE('/a' PASSING xml '<a><b>1</b></a>' COLUMNS b text PATH 'b') AS x", "of_any"),
    ("SELECT t.of_table FROM t", "of_table"),
    ("SELECT (t).of_table FROM t", "of_table"),
    ("SELECT (x.c).of_table FROM (SELECT t AS c FROM t) x", "of_table"),
    ("SELECT (c).of_table FROM (SELECT t AS c FROM t) x", "of_table"),
    ("SELECT x.id FROM t AS x (number)", "id"),
    ("SELECT (p).of_pair FROM pairs", "of_pair"),
    ("SELECT (pairs.p).of_pair FROM pairs", "of_pair"),
    ("SELECT (q[1]).of_pair FROM pairs", "of_pair"),
    ("SELECT (p).count FROM pairs", "count"),
    ("SELECT of_pair.of_pair FROM pairs, unnest(q) of_pair", "of_pair"),
    ("SELECT of_table.of_table FROM unnest(ARRAY(SELECT t FROM t)) of_table", "of_table"),
    ("SELECT g.of_int FROM generate_series(1, 2) g", "of_int"),
    ("SELECT g.key FROM generate_series(1, 2) g", "key"),
    ("SELECT g.value FROM generate_series(1, 2) g", "value"),
    ("SELECT g.ordinality FROM generate_series(1, 2) g", "ordinality"),
    ("SELECT s.lexeme FROM string_to_table('a', ',') s", "lexeme"),
    ("SELECT s.of_text FROM string_to_table('a', ',') s", "of_text"),
    ("SELECT e.of_any FROM jsonb_each('{\"a\": 1}') e", "of_any"),
    ("SELECT g.boxed FROM generate_series(1, 2) g", "boxed"),
    ("SELECT of_any FROM (SELECT q.of_any FROM (SELECT 1) q) z", "of_any"),
    ("SELECT z.of_any FROM (SELECT (t).* FROM t) z", "of_any"),
    ("SELECT z.of_any FROM (SELECT (p).* FROM pairs) z", "of_any"),
    ("SELECT z.of_record FROM (SELECT (of_any).* FROM (SELECT 1) of_any) z", "of_record"),
];

#[tokio::test]
async fn a_name_after_a_dot_that_would_run_users_code_is_refused() {
    let url = fresh("attributes_calls", &schema()).await;
    let functions = CALLS.iter().flat_map(|(_, name)| [(*name).to_owned(), format!("public.{name}")]).collect();
    let allowed = Allowed { functions, ..Allowed::default() };
    let database: Arc<dyn explore::warehouse::Database> = Arc::new(connect(&url).await);
    for allowed in [Allowed::default(), allowed] {
        let rules = Rules { search_path: vec!["public".to_owned()], allowed, ..Rules::default() };
        let executor = Executor::open(Arc::clone(&database), rules, LIMITS).await.unwrap().0;
        for (text, name) in CALLS {
            let refused = through(&executor, text).await;
            assert!(refused.contains(name) && !refused.contains(RAN), "{text}: {refused}");
            assert!(executor.validate(text).await.is_err(), "{text} was let through to the server");
        }
    }
    for (text, _) in CALLS {
        assert_eq!(bare(&url, text).await, RAN, "{text}");
    }
}

#[tokio::test]
async fn postgresqls_own_functions_are_not_called_by_a_dot_either() {
    let url = fresh("attributes_own", &schema()).await;
    let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
    let executor = Executor::open(Arc::new(connect(&url).await), rules, LIMITS).await.unwrap().0;
    for text in [
        "SELECT q.record_out FROM (SELECT 1 AS a) q",
        "SELECT q.record_send FROM (SELECT 1 AS a) q",
        "SELECT q.pg_typeof FROM (SELECT 1 AS a) q",
        "SELECT q.row_to_json FROM (SELECT 1 AS a) q",
        "SELECT t.count FROM t",
    ] {
        assert_eq!(bare(&url, text).await, "fine", "{text}");
        let refused = through(&executor, text).await;
        assert!(refused.starts_with("column: "), "{text}: {refused}");
    }
}

/// What is a column is one, however it came to its name.
#[tokio::test]
async fn columns_are_found_by_every_name_that_postgresql_gives_them() {
    let url = fresh("attributes_columns", &schema()).await;
    let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
    let executor = Executor::open(Arc::new(connect(&url).await), rules, LIMITS).await.unwrap().0;
    for text in [
        "SELECT q.sum, q.max, q.b FROM (SELECT sum(id), max(id), 'x' AS b FROM t) q",
        "SELECT q.int4, q.date, q.numeric FROM (SELECT 1::int, date '2024-01-01', 1.5::numeric(9, 2)) q",
        "SELECT q.timestamptz, q.varchar, q.float8 FROM (SELECT 'now'::timestamptz, 'x'::varchar(3), 1::float) q",
        "SELECT q.a, q.\"case\", q.\"coalesce\" FROM (SELECT CASE WHEN id = 1 THEN a ELSE a END, CASE WHEN id = 1 THEN 1 END, \
         coalesce(id, 0) FROM t) q",
        "SELECT q.extract, q.timezone, q.btrim, q.\"substring\", q.\"position\" FROM (SELECT extract(year FROM now()), now() AT TIME \
         ZONE 'UTC', trim('x'), substring('abc' FROM 2), position('a' IN 'b')) q",
        "SELECT q.\"array\", q.\"row\", q.\"exists\", q.\"?column?\" FROM (SELECT ARRAY[1], ROW(1, 2), EXISTS (SELECT 1), 1 + 1) q",
        "SELECT q.n FROM (SELECT (SELECT count(*) AS n FROM t)) q",
        "SELECT q.column1, q.column2 FROM (VALUES (1, 2)) q",
        "SELECT q.id, q.b FROM (SELECT * FROM t JOIN u USING (id)) q",
        "SELECT q.id, q.b FROM (SELECT t.*, b FROM t, u) q",
        "SELECT j.id FROM t JOIN u USING (id) AS j",
        "SELECT x.number, x.a FROM t AS x (number)",
        "WITH q (n) AS (SELECT id FROM t) SELECT q.n FROM q",
        "WITH RECURSIVE q AS (SELECT 1 AS n UNION ALL SELECT q.n + 1 FROM q WHERE q.n < 3) SELECT q.n FROM q",
        "SELECT (p).l, (pairs.p).r, (q[1]).l FROM pairs",
        "SELECT (p).* FROM pairs",
        "SELECT x.l FROM pairs, unnest(q) AS x",
        "SELECT (t).a, (x.c).id FROM t, (SELECT t AS c FROM t) x",
        "SELECT z.l FROM (SELECT id, (p).* FROM pairs, t) z",
        "SELECT z.id, z.a FROM (SELECT (t).* FROM t) z",
        "SELECT z.key, z.value FROM (SELECT (jsonb_each('{\"a\": 1}')).*) z",
        "SELECT z.a FROM (SELECT (x).* FROM (SELECT q AS x FROM (SELECT 1 AS a) q) y) z",
        "SELECT z.l FROM (SELECT (q[1]).* FROM pairs) z",
        "SELECT key FROM (SELECT (jsonb_each(to_jsonb(t))).* FROM t) z",
        "SELECT ROW((t).*), (t).* FROM t",
        "SELECT g.g, h.n FROM generate_series(1, 2) g, generate_series(1, 2) AS h (n)",
        "SELECT e.v, e.o FROM unnest(ARRAY['a']) WITH ORDINALITY AS e (v, o)",
        "SELECT j.key, j.value FROM jsonb_each('{\"a\": 1}') j",
        "SELECT (jsonb_each('{\"a\": 1}')).key, (jsonb_each('{\"a\": 1}')).*",
        "SELECT c.relname, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LIMIT 1",
        "SELECT c.column_name FROM information_schema.columns c LIMIT 1",
    ] {
        assert_eq!(bare(&url, text).await, "fine", "{text}");
        assert_eq!(through(&executor, text).await, "fine", "{text}");
    }
}
