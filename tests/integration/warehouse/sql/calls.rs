//! What holds for any text over a schema in which every kind of argument has a function of the users: none that is
//! accepted runs one. Every text is also run bare, which shows that many of those that were made do.

use std::fmt::Write as _;

use explore::warehouse::executor::{Executor, Rules};
use explore::warehouse::sql::validate;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use tokio_postgres::Client;

use crate::support::server::{client, connect, fresh};
use crate::warehouse::executor::{LIMITS, RAN, says_so};

/// For each kind of thing that runs users' code: what makes it, and a text that runs it.
const KINDS: &[(&str, &str)] = &[
    ("of_record(record) RETURNS text", "SELECT q.of_record FROM (SELECT 1) q"),
    ("of_any(anyelement) RETURNS text", "SELECT q.of_any FROM (SELECT 1) q"),
    ("of_compatible(anycompatible) RETURNS text", "SELECT q.of_compatible FROM (SELECT 1) q"),
    ("of_array(anyarray) RETURNS text", "SELECT of_array(ARRAY[1])"),
    ("of_class(pg_class) RETURNS text", "SELECT q.of_class FROM pg_class q"),
    (
        "of_schemata(information_schema.schemata) RETURNS text",
        "SELECT q.of_schemata FROM information_schema.schemata q",
    ),
    ("of_table(t) RETURNS text", "SELECT q.of_table FROM t q"),
    ("of_view(v) RETURNS text", "SELECT q.of_view FROM v q"),
    ("of_pair(pair) RETURNS text", "SELECT (q.p).of_pair FROM pairs q"),
    ("of_int(int) RETURNS text", "SELECT q.of_int FROM generate_series(1, 2) q"),
    ("of_text(text) RETURNS text", "SELECT of_text('x')"),
    ("okay(int) RETURNS bool", "SELECT 1::boxed"),
    ("same(t, t) RETURNS bool", "SELECT q === q FROM t q"),
    ("near(text, int) RETURNS bool", "SELECT 'x'::text === 1"),
    ("as_pair(int) RETURNS pair", "SELECT 1::pair"),
    ("as_text(tag) RETURNS text", "SELECT (q.g)::text FROM tags q"),
    ("as_json(mood) RETURNS json", "SELECT row_to_json(q) FROM moods q"),
    ("value(int) RETURNS text", "SELECT q.value FROM generate_series(1, 2) q"),
];

/// VARIADIC "any", which no PL/pgSQL function may declare: PostgreSQL's own code under another name, which fails where it is
/// called with one argument.
const OF_OTHERS: (&str, &str) = (
    "CREATE FUNCTION of_others(VARIADIC \"any\") RETURNS json LANGUAGE internal STABLE AS 'json_build_object';",
    "SELECT q.of_others FROM (SELECT 1) q",
);
const FAILED: &str = "argument list must have even number of elements";

fn schema() -> String {
    let mut sql = "CREATE TYPE pair AS (l int, r int); CREATE TABLE t (id int, a text); INSERT INTO t VALUES (1, 'x');
        CREATE TYPE tag AS (s text); CREATE TABLE tags (g tag); INSERT INTO tags VALUES (ROW('x'));
        CREATE TYPE mood AS ENUM ('fine'); CREATE TABLE moods (m mood, id int); INSERT INTO moods VALUES ('fine', 1);
        CREATE TABLE u (id int, b text); INSERT INTO u VALUES (1, 'y'); CREATE VIEW v AS SELECT id, a FROM t;
        CREATE TABLE pairs (p pair, q pair[]); INSERT INTO pairs VALUES ((1, 2), ARRAY[(1, 2)::pair]);"
        .to_owned();
    for (signature, _) in KINDS {
        sql.push_str(&says_so(signature));
    }
    let _ = write!(
        sql,
        "CREATE DOMAIN boxed AS int CHECK (okay(VALUE));
         CREATE OPERATOR === (LEFTARG = t, RIGHTARG = t, FUNCTION = same);
         CREATE OPERATOR === (LEFTARG = text, RIGHTARG = int, FUNCTION = near);
         CREATE CAST (int AS pair) WITH FUNCTION as_pair; CREATE CAST (tag AS text) WITH FUNCTION as_text;
         CREATE CAST (mood AS json) WITH FUNCTION as_json;"
    );
    sql
}

/// What `q` ranges over.
const RANGES: &[&str] = &[
    "(SELECT 1 AS a) q",
    "(SELECT 1, 'x'::text) AS q (a, value)",
    "(VALUES (1)) q",
    "(VALUES (1, 'x')) AS q (a, of_text)",
    "t q",
    "ONLY t AS q",
    "t AS q (a)",
    "t AS q (x, of_table)",
    "v q",
    "pairs q",
    "tags q",
    "moods q",
    "pg_class q",
    "pg_catalog.pg_namespace q",
    "information_schema.schemata q",
    "(t CROSS JOIN u) AS q",
    "t JOIN u USING (id) AS q",
    "(t NATURAL JOIN u) AS q (a)",
    "generate_series(1, 2) q",
    "generate_series(1, 2) AS q (a)",
    "generate_series(1, 2) WITH ORDINALITY q",
    "unnest(ARRAY[1, 2]) q",
    "unnest(ARRAY(SELECT t FROM t)) q",
    "pairs p0, unnest(p0.q) q",
    "jsonb_each('{\"a\": 1}') q",
    "json_to_record('{\"a\": 1}') AS q (a int)",
    "json_to_record('{\"p\": {\"l\": 1}}') AS q (p pair)",
    "jsonb_populate_record(NULL::pair, '{\"l\": 1}') q",
    "ROWS FROM (generate_series(1, 2), unnest(ARRAY['x'])) q",
    "XMLTABLE('/a' PASSING xml '<a><b>1</b></a>' COLUMNS b text PATH 'b') q",
    "(SELECT t AS c, 1 AS a FROM t) q",
    "(SELECT q.p, (q.p).l AS a FROM pairs q) q",
    "(SELECT ROW(1, 2) AS c, 2 AS a) q",
    "(SELECT * FROM t UNION ALL SELECT * FROM u) q",
    "t CROSS JOIN LATERAL (SELECT t.id AS a, t.a AS b) q",
    "string_to_table('a', ',') q",
    "LATERAL (SELECT 1 AS a) q",
];

/// What is made of it.
const BASES: &[&str] = &[
    "q",
    "(q)",
    "q.a",
    "q.m",
    "q.g",
    "(q.a)",
    "q.id",
    "(q.c)",
    "(q.p)",
    "q.b",
    "1",
    "'x'",
    "'(1,2)'",
    "q.value",
    "(SELECT q)",
    "ROW(1, 2)",
    "ARRAY[1]",
    "(ARRAY[q])[1]",
    "q.*",
    "(q).a",
    "NULL",
    "q.q",
    "(q.q)[1]",
];

/// How a name comes to what is made of it; `{b}` is a base, `{n}` a name.
const FORMS: &[&str] = &[
    "{b}.{n}",
    "({b}).{n}",
    "({b}).public.{n}",
    "{n}({b})",
    "public.{n}({b})",
    "{n}(VARIADIC {b})",
    "{b}::{n}",
    "CAST({b} AS {n})",
    "CAST({b} AS {n}[])",
    "{n} '1'",
    "ROW({b})::{n}",
    "{b} === {b}",
    "{b} === 1",
    "{b} OPERATOR(public.===) {b}",
    "{b} = {b}",
    "{b} || {b}",
    "{b} IN (SELECT {b})",
    "concat({b}, {b})",
    "coalesce({b}.{n}, {b}.{n})",
    "({b}.{n}).{n}",
    "(SELECT {b}.{n})",
    "jsonb_populate_record(NULL::{n}, '{}')",
    "to_jsonb({b})",
    "json_build_object('k', {b})",
    "JSON_AGG({b})",
    "array_to_json(ARRAY[{b}])",
    "format('%s', {b})",
    "{b}",
];

/// What the names are.
const NAMES: &[&str] = &[
    "of_record",
    "of_any",
    "of_compatible",
    "of_array",
    "of_class",
    "of_schemata",
    "of_table",
    "of_view",
    "of_pair",
    "of_int",
    "of_text",
    "of_others",
    "okay",
    "same",
    "near",
    "boxed",
    "pair",
    "t",
    "v",
    "text",
    "value",
    "a",
    "l",
    "as_pair",
    "as_text",
];

/// Where that stands; `{e}` is it, `{r}` the range.
const PLACES: &[&str] = &[
    "SELECT {e} FROM {r}",
    "SELECT {e} AS x, count(*) OVER () FROM {r}",
    "SELECT x.a FROM (SELECT {e} AS a FROM {r}) x",
    "SELECT x.{n} FROM (SELECT {e} FROM {r}) x",
    "SELECT x.{n} FROM (SELECT {e} AS {n} FROM {r}) x",
    "WITH q AS (SELECT * FROM {r}) SELECT {e} FROM q",
    "WITH q (a) AS (SELECT * FROM {r}) SELECT {e} FROM q",
    "WITH q AS MATERIALIZED (SELECT {e} FROM {r}) SELECT q.{n} FROM q",
    "SELECT 1 FROM {r} WHERE {e} IS NOT NULL",
    "SELECT 1 FROM {r} ORDER BY {e}",
    "SELECT {e} FROM {r} ORDER BY {n}",
    "SELECT 1 FROM {r} GROUP BY {e}",
    "SELECT {e}, count(*) FROM {r} GROUP BY {n}",
    "SELECT 1 FROM {r} HAVING max({e}) IS NULL",
    "SELECT count(*) FILTER (WHERE {e} IS NOT NULL) FROM {r}",
    "SELECT sum(1) OVER (PARTITION BY {e}) FROM {r}",
    "SELECT array_agg(q ORDER BY {e}) FROM {r}",
    "SELECT min({e}) FROM {r}",
    "SELECT CASE WHEN {e} IS NULL THEN 1 END FROM {r}",
    "SELECT 1 FROM {r} JOIN u AS other ON {e} IS NOT NULL",
    "SELECT y.x FROM {r} CROSS JOIN LATERAL (SELECT {e} AS x) y",
    "SELECT DISTINCT ON ({e}) 1 FROM {r}",
    "SELECT (SELECT {e}) FROM {r}",
    "SELECT ARRAY(SELECT {e} FROM {r})",
    "SELECT {e} FROM {r} UNION SELECT {e} FROM {r}",
    "VALUES ((SELECT {e} FROM {r} LIMIT 1))",
    "SELECT {e} FROM {r} LIMIT (SELECT 1)",
    "SELECT z.* FROM (SELECT {e} FROM {r}) z",
    "SELECT row_to_json(z) FROM (SELECT {e} FROM {r}) z",
];

fn text() -> impl Strategy<Value = String> {
    let one = |choices: &'static [&'static str]| prop::sample::select(choices);
    (one(PLACES), one(RANGES), one(FORMS), one(BASES), one(NAMES)).prop_map(|(place, range, form, base, name)| {
        let expression = form.replace("{b}", base).replace("{n}", name);
        place.replace("{e}", &expression).replace("{r}", range).replace("{n}", name)
    })
}

/// What the server says of the text; `None` where there are rows.
async fn said(client: &Client, text: &str) -> Option<String> {
    let error = client.simple_query(text).await.err()?;
    Some(error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned()))
}

/// Whether a message shows that code of the users ran.
fn tells(message: Option<&String>) -> bool {
    message.is_some_and(|message| message.contains(RAN) || message.contains(FAILED))
}

/// How many texts are tried; `EXPLORE_TEST_TEXTS` asks for more than suits every run.
fn texts() -> u32 {
    std::env::var("EXPLORE_TEST_TEXTS").ok().and_then(|count| count.parse().ok()).unwrap_or(4_000)
}

#[tokio::test]
async fn no_accepted_text_runs_a_function_of_the_users_whatever_its_argument() {
    let url = fresh("sql_calls", &(schema() + OF_OTHERS.0)).await;
    let client = client(&url).await;
    client.batch_execute("SET default_transaction_read_only = on; SET statement_timeout = '2s'").await.unwrap();
    let planted = KINDS.iter().chain([&OF_OTHERS]).map(|(_, planted)| *planted);
    for planted in planted.clone() {
        assert!(tells(said(&client, planted).await.as_ref()), "what runs in {planted} goes unnoticed");
    }
    let rules = Rules { search_path: vec!["public".to_owned()], ..Rules::default() };
    let policy = Executor::open(std::sync::Arc::new(connect(&url).await), rules, LIMITS).await.unwrap().0.policy();
    for planted in planted {
        assert!(validate(planted, &policy).is_err(), "{planted}");
    }

    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let (mut ran, mut fine, mut accepted) = (0, 0, 0);
    for _ in 0..texts() {
        let text = text().new_tree(&mut runner).unwrap().current();
        let is_accepted = validate(&text, &policy).is_ok();
        // What is accepted runs as the executor runs it: as a subquery.
        let sent = if is_accepted { format!("SELECT * FROM ({text}\n) AS bounded LIMIT 10") } else { text.clone() };
        let message = said(&client, &sent).await;
        let calls = tells(message.as_ref());
        assert!(!(is_accepted && calls), "{text} is accepted and runs a function of the users");
        ran += u32::from(calls);
        fine += u32::from(message.is_none());
        accepted += u32::from(is_accepted && message.is_none());
    }
    println!("{ran} ran users' code, {fine} others had rows, {accepted} of those were accepted");
    assert!(
        ran > texts() / 50 && accepted > texts() / 50,
        "{ran} ran users' code, {fine} did not, {accepted} were accepted"
    );
}
