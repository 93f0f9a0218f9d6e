//! The executor on a real server, and on the embedded one where the cases are common.

use std::time::{Duration, Instant};

use explore::warehouse::postgres::{self, Options};
use explore::warehouse::sql::{Policy, Select, validate};
use explore::warehouse::table::Table;
use explore::warehouse::{Database, Error, Grade, Limits, SessionContext};

use crate::support::server::{client, connect, execute, fresh, url, variable};

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(20),
    rows_max: 1000,
    cell_characters_max: 2000,
    bytes_max: 4 << 20,
    plan_cost_max: None,
};

/// What the tests read and call.
fn select(text: &str) -> Select {
    let mut policy = Policy {
        search_path: vec!["public".to_owned()],
        functions: ["pg_sleep", "pg_backend_pid"].map(str::to_owned).into(),
        ..Policy::default()
    };
    for name in ["everything", "numbers", "odd", "sales", "secrets", "many"] {
        policy.allow("public", name, []);
    }
    validate(text, &policy).unwrap_or_else(|refusal| panic!("{text}: {refusal}"))
}

async fn run(database: &dyn Database, text: &str) -> Result<Table, Error> {
    database.select(&select(text), &LIMITS).await
}

async fn rows(database: &dyn Database, text: &str) -> Vec<Vec<Option<String>>> {
    run(database, text).await.unwrap_or_else(|error| panic!("{text}: {error}")).rows
}

/// One cell, with NULL as `NULL`.
async fn cell(database: &dyn Database, text: &str) -> String {
    rows(database, text).await[0][0].clone().unwrap_or_else(|| "NULL".to_owned())
}

const EVERYTHING: &str = r#"
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN percentage AS numeric CHECK (VALUE BETWEEN 0 AND 100);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE TABLE everything (
  b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric(12,2), nan numeric, inf numeric, finf float8,
  t text, v varchar(10), c char(4), nm name, one "char", d date, dinf date, tm time, ts timestamp, tz timestamptz,
  iv interval, u uuid, j json, jb jsonb, x bytea, a int[], ta text[], am mood[], e mood, r pair, pc percentage,
  ir int4range, mr int4multirange, sp span, m money, ine inet, cd cidr, mac macaddr, bt bit(4), p point, bx box,
  o oid, rc regclass, ls pg_lsn, tv tsvector, em text, zw text);
INSERT INTO everything VALUES (
  true, 1, 2, 3, 1.5, 0.1, 12.50, 'NaN', 'Infinity', '-Infinity',
  E'a|b\\\n<b>', 'v', 'c', 'nm', 'x', '2025-11-01', 'infinity', '12:30', '2025-11-01 10:00', '2025-11-01 10:00+00',
  '1 year 2 days 03:04', '00000000-0000-0000-0000-000000000001', '{"a": 1}', '{"a": [1, null]}', '\x00ff',
  '{1,NULL}', '{"a,b",NULL}', '{sad,glad}', 'glad', ROW(1,'x y'), 12.5,
  '[1,5)', '{[1,3),[5,7)}', '[1.5,2.5)', 12.34, '10.0.0.1', '10.0.0.0/8', '08:00:2b:01:02:03', B'1010', '(1,2)', '(3,4),(1,2)',
  42, 'pg_class', '0/16B3748', 'fat cat', E'\U0001F600 \u00e9', E'\u0001\u200b');
INSERT INTO everything DEFAULT VALUES;
"#;

/// The text of each value, as PostgreSQL renders it.
const EVERYTHING_TEXT: &str = r"b bool true
i2 int2 1
i4 int4 2
i8 int8 3
f4 float4 1.5
f8 float8 0.1
n numeric 12.50
nan numeric NaN
inf numeric Infinity
finf float8 -Infinity
t text a|b\
<b>
v varchar v
c bpchar c   
nm name nm
one char x
d date 2025-11-01
dinf date infinity
tm time 12:30:00
ts timestamp 2025-11-01 10:00:00
tz timestamptz 2025-11-01 10:00:00+00
iv interval 1 year 2 days 03:04:00
u uuid 00000000-0000-0000-0000-000000000001
j json {'a': 1}
jb jsonb {'a': [1, null]}
x bytea \x00ff
a _int4 {1,NULL}
ta _text {'a,b',NULL}
am _mood {sad,glad}
e mood glad
r pair (1,'x y')
pc numeric 12.5
ir int4range [1,5)
mr int4multirange {[1,3),[5,7)}
sp span [1.5,2.5)
m money $12.34
ine inet 10.0.0.1
cd cidr 10.0.0.0/8
mac macaddr 08:00:2b:01:02:03
bt bit 1010
p point (1,2)
bx box (3,4),(1,2)
o oid 42
rc regclass pg_class
ls pg_lsn 0/16B3748
tv tsvector 'cat' 'fat'
em text 😀 é
zw text ";

async fn check_every_type(database: &dyn Database) {
    let table = run(database, "SELECT * FROM everything ORDER BY b").await.unwrap();
    let line = |(column, cell): (&explore::warehouse::table::Column, &Option<String>)| {
        let text = cell.as_deref().unwrap_or("NULL").replace('"', "'");
        format!("{} {} {text}", column.name, column.type_name)
    };
    let lines = table.columns.iter().zip(&table.rows[0]).map(line).collect::<Vec<_>>().join("\n");
    assert_eq!(lines.replace("\u{1}\u{200b}", ""), EVERYTHING_TEXT);
    assert!(table.rows[1].iter().all(Option::is_none));
    assert!(!table.more_rows);
}

/// Types for which a cast to text shows something else, and wherever such a value may be.
async fn check_output_functions(own: impl AsyncFn(&'static str) -> Result<Table, Error>) {
    for (text, shown) in [
        ("'10.0.0.1'::inet", "10.0.0.1"),
        ("'10.0.0.1/24'::inet", "10.0.0.1/24"),
        ("'::1'::inet", "::1"),
        ("'10.0.0.1'::cidr", "10.0.0.1/32"),
        ("ARRAY['10.0.0.1'::inet]", "{10.0.0.1}"),
        ("ROW('10.0.0.1'::inet, true, 'c'::char(3))", "(10.0.0.1,t,\"c  \")"),
        ("'c'::char(3)", "c  "),
        ("ARRAY['c'::char(3)]", "{\"c  \"}"),
        ("true", "true"),
        ("ARRAY[true, false]", "{t,f}"),
        ("NULL::inet", "NULL"),
        ("NULL::int[]", "NULL"),
        ("ROW(NULL, NULL)", "(,)"),
        ("'1 2'::int2vector", "1 2"),
        ("'pg_class'::regclass", "pg_class"),
        ("'x'::\"char\"", "x"),
        ("NULL", "NULL"),
        ("'x'", "x"),
        ("\"HOMES\".home", "10.0.0.1"),
        ("\"HOMES\".mood", "glad"),
        ("\"HOMES\".moods", "{glad}"),
        ("\"HOMES\".happy", "glad"),
        ("\"HOMES\".place", "(10.0.0.1,glad)"),
        ("\"HOMES\".somewhere", "(10.0.0.1,glad)"),
        ("\"HOMES\".spot", "[1,2)"),
        ("\"HOMES\".few", "{1,2}"),
        ("\"HOMES\"", "(10.0.0.1,glad,{glad},glad,\"(10.0.0.1,glad)\",\"(10.0.0.1,glad)\",\"[1,2)\",\"{1,2}\")"),
        ("nobody.place", "NULL"),
        ("nobody.mood", "NULL"),
    ] {
        let text = format!("SELECT {text} FROM \"HOMES\" LEFT JOIN \"HOMES\" nobody ON false");
        // As the program's own, for which the text has to live on.
        let table = own(Box::leak(text.clone().into_boxed_str())).await;
        let table = table.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(table.rows[0][0].as_deref().unwrap_or("NULL"), shown, "{text}");
    }
}

const HOMES: &str = r#"
CREATE DOMAIN address AS inet; CREATE TYPE feeling AS ENUM ('sad', 'glad'); CREATE DOMAIN gladness AS feeling;
CREATE TYPE place AS (at inet, feels feeling); CREATE DOMAIN known_place AS place; CREATE DOMAIN numbers_few AS int[];
CREATE TABLE "HOMES" (home address, mood feeling, moods feeling[], happy gladness, place place, somewhere known_place,
  spot int4range, few numbers_few);
INSERT INTO "HOMES" VALUES ('10.0.0.1', 'glad', '{glad}', 'glad', ROW('10.0.0.1', 'glad'), ROW('10.0.0.1', 'glad'),
  '[1,2)', '{1,2}');
"#;

async fn check_caps(database: &dyn Database) {
    let small = Limits { rows_max: 3, cell_characters_max: 5, bytes_max: 500, ..LIMITS };
    let table = database.select(&select("SELECT n, 'héllo wörld' AS w FROM numbers ORDER BY n LIMIT 3"), &small).await;
    let table = table.unwrap();
    assert_eq!(table.rows[2], [Some("3".to_owned()), Some("héllo…".to_owned())]);
    assert!(!table.more_rows);

    for text in [
        "SELECT n FROM numbers",
        "SELECT n FROM numbers LIMIT NULL",
        "SELECT n FROM numbers LIMIT 100000",
        "SELECT n % 1 FROM numbers ORDER BY 1 FETCH FIRST 1 ROW WITH TIES",
        "SELECT n FROM numbers -- LIMIT 1",
        "TABLE numbers",
        "VALUES (1), (2), (3), (4)",
    ] {
        let table = database.select(&select(text), &small).await.unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((table.rows.len(), table.more_rows), (3, true), "{text}");
    }
    let wide = database.select(&select("SELECT 'abcd', 'abcd', 'abcd', 'abcd' FROM numbers"), &small).await;
    assert_eq!(wide, Err(Error::TooLarge { bytes_max: 500 }));
    assert_eq!(cell(database, "SELECT count(*) FROM numbers").await, "5000");

    let megabyte = cell(database, "SELECT repeat('é', 1000000)").await;
    assert_eq!(megabyte, format!("{}…", "é".repeat(2000)));
}

async fn check_odd_columns(database: &dyn Database) {
    let table = run(database, "SELECT 1 AS a, 2 AS a, 3, n AS \"x\"\"y;--\", NULL FROM numbers LIMIT 1").await.unwrap();
    let names = table.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["a", "a", "?column?", "x\"y;--", "?column?"]);
    let nothing = run(database, "SELECT n FROM numbers WHERE false").await.unwrap();
    assert_eq!((nothing.columns.len(), nothing.rows.len(), nothing.more_rows), (1, 0, false));
}

async fn check_messages(database: &dyn Database) {
    for (text, expected) in [
        (
            "SELECT m FROM numbers",
            "column \"m\" does not exist (SQLSTATE 42703); at character 8 near \"m FROM numbers\"",
        ),
        ("SELECT 'é',\n 1/0", "division by zero (SQLSTATE 22012)"),
        (
            "SELECT length(n) FROM numbers",
            "function length(integer) does not exist (SQLSTATE 42883); hint: No function matches the given name and \
             argument types. You might need to add explicit type casts.; at character 8 near \"length(n) FROM numbers\"",
        ),
        ("SELECT n::text::date FROM numbers", "invalid input syntax for type date: \"1\" (SQLSTATE 22007)"),
    ] {
        assert_eq!(run(database, text).await, Err(Error::Statement { message: expected.to_owned() }), "{text}");
    }
}

const NUMBERS: &str = "CREATE TABLE numbers (n int); INSERT INTO numbers SELECT generate_series(1, 5000);";

async fn check_cost(database: &dyn Database) {
    let dear = select("SELECT count(*) FROM numbers a, numbers b, numbers c");
    let limits = Limits { plan_cost_max: Some(5e6), ..LIMITS };
    let refused = database.select(&dear, &limits).await;
    let Err(Error::TooDear(message)) = &refused else { panic!("{refused:?}") };
    assert!(message.starts_with("cost: the planner expects "), "{message}");
    let whole = select("SELECT n FROM generate_series(1, 100000000000) n LIMIT 1");
    assert!(matches!(database.select(&whole, &limits).await, Err(Error::TooDear(_))));
    let disguised = select("SELECT n FROM generate_series(1, 100000000000) AS \"(cost=0..1 \" (n) LIMIT 1");
    assert!(matches!(database.select(&disguised, &limits).await, Err(Error::TooDear(_))));
    assert_eq!(
        database.select(&select("SELECT count(*) FROM numbers"), &limits).await.unwrap().cell(0, 0),
        Some("5000")
    );
}

#[tokio::test]
async fn every_type_comes_as_the_text_that_postgresql_renders() {
    let url = fresh("types", EVERYTHING).await;
    execute(&url, "ALTER DATABASE types SET timezone = 'UTC'; ALTER DATABASE types SET lc_monetary = 'C'").await;
    execute(&url, "ALTER DATABASE types SET datestyle = 'German'; ALTER DATABASE types SET bytea_output = 'escape'")
        .await;
    let database = connect(&url).await;
    // Twice on every connection: the driver's own statements for types that are not built in outlive no DISCARD ALL.
    for _ in 0..8 {
        check_every_type(&database).await;
        run(&database, "SELECT e, r FROM everything").await.unwrap();
    }
}

#[tokio::test]
async fn values_are_shown_by_their_types_output_functions_and_no_cast_of_a_user_runs() {
    let url = fresh("database_shown", HOMES).await;
    let database = connect(&url).await;
    check_output_functions(async |text| database.own(text, &[]).await).await;
    let cast = "CREATE FUNCTION told(feeling) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''it ran''; END';
        CREATE CAST (feeling AS text) WITH FUNCTION told(feeling);
        CREATE FUNCTION told(place) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''it ran''; END';
        CREATE CAST (place AS text) WITH FUNCTION told(place);
        CREATE FUNCTION told(int[]) RETURNS text LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''it ran''; END';
        CREATE CAST (int[] AS text) WITH FUNCTION told(int[])";
    execute(&url, cast).await;
    let database = connect(&url).await;
    check_output_functions(async |text| database.own(text, &[]).await).await;
}

#[tokio::test]
async fn wide_values_of_many_rows_are_refused_by_the_planners_count_of_them() {
    let url =
        fresh("database_wide", "CREATE TABLE many AS SELECT g AS id FROM generate_series(1, 50000) g; ANALYZE many")
            .await;
    let database = connect(&url).await;
    for limits in [LIMITS, Limits { plan_cost_max: None, ..LIMITS }] {
        let wide = select("SELECT array_agg(repeat('x', 100000) || id) FROM many");
        let refused = database.select(&wide, &limits).await.unwrap_err().to_string();
        assert!(
            refused.starts_with("size: the statement creates a value of 100065 bytes for each of 50000 rows"),
            "{refused}"
        );
        let narrow = select("SELECT count(repeat('x', 1000) || id) FROM many");
        assert_eq!(database.select(&narrow, &limits).await.unwrap().cell(0, 0), Some("50000"));
    }
}

#[tokio::test]
async fn rows_cells_and_bytes_are_capped_whatever_the_text_says() {
    let database = connect(&fresh("caps", NUMBERS).await).await;
    check_caps(&database).await;
    check_odd_columns(&database).await;
}

#[tokio::test]
async fn an_error_is_one_line_with_code_hint_and_place_in_the_original_text() {
    let database = connect(&fresh("messages", NUMBERS).await).await;
    check_messages(&database).await;
}

#[tokio::test]
async fn text_of_no_valid_encoding_is_still_read() {
    let main = client(&url("postgres")).await;
    main.batch_execute("DROP DATABASE IF EXISTS bytes WITH (FORCE)").await.unwrap();
    let create = "CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'";
    main.batch_execute(create).await.unwrap();
    let odd =
        r"SET client_encoding = 'SQL_ASCII'; CREATE TABLE odd (t text); INSERT INTO odd VALUES (E'caf\xe9'), ('é')";
    execute(&url("bytes"), odd).await;
    let database = connect(&url("bytes")).await;
    let rows = rows(&database, "SELECT t FROM odd").await;
    assert_eq!(rows, [[Some("caf\u{fffd}".to_owned())], [Some("é".to_owned())]]);
}

/// Waits until the server runs nothing whose text contains `marker`.
async fn until_gone(url: &str, marker: &str) {
    let side = client(url).await;
    let running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND \
                   position($1 IN query) > 0";
    let deadline = Instant::now() + Duration::from_secs(20);
    while side.query_one(running, &[&marker]).await.unwrap().get::<_, i64>(0) > 0 {
        assert!(Instant::now() < deadline, "still running: {marker}");
        tokio::task::yield_now().await;
    }
}

/// Waits until the server runs something whose text contains `marker`.
async fn until_running(url: &str, marker: &str) {
    let side = client(url).await;
    let running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND \
                   position($1 IN query) > 0 AND query LIKE 'SELECT %'";
    let deadline = Instant::now() + Duration::from_secs(20);
    while side.query_one(running, &[&marker]).await.unwrap().get::<_, i64>(0) == 0 {
        assert!(Instant::now() < deadline, "never ran: {marker}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_query_over_its_time_is_stopped_on_the_server() {
    let url = fresh("timeouts", NUMBERS).await;
    let database = connect(&url).await;
    let short = Limits { timeout: Duration::from_millis(300), ..LIMITS };
    for text in [
        "SELECT pg_sleep(60), 'slow one'",
        "SELECT count(*), 'slow one' FROM numbers a, numbers b, numbers c",
        "SELECT n, 'slow one', pg_sleep(0.1) FROM numbers",
    ] {
        assert_eq!(database.select(&select(text), &short).await, Err(Error::Timeout { seconds: 1 }), "{text}");
        until_gone(&url, "slow one").await;
    }
    assert_eq!(cell(&database, "SELECT count(*) FROM numbers").await, "5000");
}

#[tokio::test]
async fn a_dropped_query_is_stopped_on_the_server_before_close_returns() {
    let url = fresh("drops", NUMBERS).await;
    let database = connect(&url).await;
    let statement = select("SELECT pg_sleep(60), 'dropped one'");
    tokio::select! {
        result = database.select(&statement, &LIMITS) => panic!("ended by itself: {result:?}"),
        () = until_running(&url, "dropped one") => {}
    }
    database.close().await;
    let side = client(&url).await;
    let active = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%dropped one%' \
                  AND pid <> pg_backend_pid()";
    assert_eq!(side.query_one(active, &[]).await.unwrap().get::<_, i64>(0), 0);
    assert!(matches!(run(&database, "SELECT 1").await, Err(Error::Gone(_))));
}

#[tokio::test]
async fn queries_run_side_by_side_and_reuse_their_connections() {
    let url = fresh("pool", NUMBERS).await;
    let database = connect(&url).await;
    let statements = (0..20).map(|_| select("SELECT pg_backend_pid(), pg_sleep(0.02)")).collect::<Vec<_>>();
    let runs = statements.iter().map(|statement| database.select(statement, &LIMITS));
    let results = futures_util::future::join_all(runs).await;
    let backends = results.into_iter().map(|table| table.unwrap().rows[0][0].clone()).collect::<Vec<_>>();
    let distinct = backends.iter().collect::<std::collections::BTreeSet<_>>().len();
    assert!((2..=database.connections_max()).contains(&distinct), "{distinct} backends");
}

#[tokio::test]
async fn connections_that_the_server_ended_are_made_again() {
    let url = fresh("restarts", NUMBERS).await;
    let database = connect(&url).await;
    for _ in 0..3 {
        assert_eq!(cell(&database, "SELECT count(*) FROM numbers").await, "5000");
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'restarts' AND pid <> \
                   pg_backend_pid()";
        execute(&url, end).await;
    }
    let statement = select("SELECT pg_sleep(60), 'ended one'");
    let kill = async {
        until_running(&url, "ended one").await;
        execute(&url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT %ended one%' AND pid <> pg_backend_pid()").await;
    };
    let (result, ()) = tokio::join!(database.select(&statement, &LIMITS), kill);
    let expected = "the connection was lost while the statement ran, and the statement was not repeated: terminating \
                    connection due to administrator command (SQLSTATE 57P01)";
    assert_eq!(result, Err(Error::Statement { message: expected.to_owned() }));
    assert_eq!(cell(&database, "SELECT 1").await, "1");
}

#[tokio::test]
async fn a_database_that_is_gone_is_reported_after_a_bounded_wait() {
    let url = fresh("vanishing", NUMBERS).await;
    let options = Options { reconnect_timeout: Duration::from_millis(200), ..Options::default() };
    let database = postgres::connect(&url, &options).await.unwrap();
    assert_eq!(cell(&database, "SELECT 1").await, "1");
    execute(&crate::support::server::url("postgres"), "DROP DATABASE vanishing WITH (FORCE)").await;
    let Err(Error::Gone(reason)) = run(&database, "SELECT 1").await else { panic!("not gone") };
    assert!(reason.contains("\"vanishing\" does not exist"), "{reason}");
}

async fn check_refused(url: &str, expected: &str) {
    let options = Options { connect_timeout: Duration::from_secs(5), ..Options::default() };
    let message = postgres::connect(url, &options).await.unwrap_err().to_string();
    assert!(message.contains(expected), "{message}");
    assert!(!message.contains("hunter2"), "{message}");
}

#[tokio::test]
async fn what_is_wrong_with_a_connection_is_said_without_the_password() {
    let (user, host, port) = (variable("PGUSER"), variable("PGHOST"), variable("PGPORT"));
    let right = format!("{user}:{}", variable("PGPASSWORD"));
    check_refused(&format!("postgres://{user}:hunter2@{host}:{port}/postgres"), "refused the password of role").await;
    check_refused(&format!("postgres://{right}@{host}:{port}/nowhere"), "has no database \"nowhere\"").await;
    check_refused("postgres://a:hunter2@127.0.0.1:1/b", "127.0.0.1:1 refused the connection; is PostgreSQL running")
        .await;
    check_refused("postgres://a:hunter2@host.invalid/b", "the host of host.invalid:5432 is unknown").await;
    check_refused("host=/nowhere user=a password=hunter2", "no server socket at /nowhere:").await;
    check_refused("mysql://a:hunter2@b/c", "cannot parse the database URL: write postgres://").await;
    check_refused(
        &format!("postgres://{right}@{host}:{port}/postgres?sslrootcert=/nowhere.pem&sslmode=verify-ca"),
        "no usable root certificates from /nowhere.pem",
    )
    .await;
}

#[tokio::test]
async fn tls_modes_mean_what_they_mean_to_libpq() {
    let plain = url("postgres");
    let side = client(&plain).await;
    let on = side.query_one("SHOW ssl", &[]).await.unwrap().get::<_, String>(0);
    assert_eq!(on, "on", "the cluster of pg_virtualenv has Debian's self-signed certificate");
    let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    for (mode, expected) in [("disable", "false"), ("prefer", "true"), ("require", "true")] {
        let database = connect(&format!("{plain}?sslmode={mode}")).await;
        assert_eq!(database.own(encrypted, &[]).await.unwrap().cell(0, 0), Some(expected), "{mode}");
    }
    let theirs = side.query_one("SHOW ssl_cert_file", &[]).await.unwrap().get::<_, String>(0);
    let other = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/material/other_authority.pem");
    // The certificate is of `localhost`, whatever PGHOST says.
    let secret = variable("PGPASSWORD");
    let numeric = format!("postgres://{}:{secret}@127.0.0.1:{}/postgres", variable("PGUSER"), variable("PGPORT"));
    let unknown = "no TLS connection to 127.0.0.1";
    check_refused(&format!("{numeric}?sslmode=verify-ca&sslrootcert={other}"), unknown).await;
    check_refused(&format!("{numeric}?sslmode=require&sslrootcert={other}"), unknown).await;
    check_refused(&format!("{numeric}?sslmode=verify-full&sslrootcert={theirs}"), unknown).await;
    let database = connect(&format!("{numeric}?sslmode=verify-ca&sslrootcert={theirs}")).await;
    assert_eq!(database.own(encrypted, &[]).await.unwrap().cell(0, 0), Some("true"));
    let statement = select("SELECT pg_sleep(60), 'encrypted one'");
    tokio::select! {
        result = database.select(&statement, &LIMITS) => panic!("ended by itself: {result:?}"),
        () = until_running(&plain, "encrypted one") => {}
    }
    database.close().await;
    until_gone(&plain, "encrypted one").await;
}

#[tokio::test]
async fn the_role_is_graded() {
    let url = fresh("roles", "CREATE TABLE sales (n int); CREATE TABLE secrets (n int)").await;
    let database = connect(&url).await;
    let server = database.server();
    assert_eq!((server.engine.as_str(), server.database.as_str()), ("PostgreSQL", "roles"));
    assert!(server.version.starts_with(|digit: char| digit.is_ascii_digit()), "{server:?}");
    assert!(server.warnings[0].contains("is a superuser"), "{server:?}");

    let create = "DROP ROLE IF EXISTS roles_reader; DROP ROLE IF EXISTS roles_writer;
        CREATE ROLE roles_reader LOGIN PASSWORD 'p'; CREATE ROLE roles_writer LOGIN PASSWORD 'p';
        GRANT SELECT ON sales TO roles_reader; REVOKE CREATE ON SCHEMA public FROM public;
        GRANT INSERT ON sales TO roles_writer; GRANT UPDATE (n) ON secrets TO roles_writer;
        GRANT CREATE ON SCHEMA public TO roles_writer; GRANT pg_read_server_files TO roles_writer;
        ALTER ROLE roles_writer BYPASSRLS; CREATE SEQUENCE counter; GRANT USAGE ON SEQUENCE counter TO roles_writer;
        CREATE FUNCTION raised() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
        REVOKE EXECUTE ON FUNCTION raised FROM public; GRANT EXECUTE ON FUNCTION raised TO roles_writer;
        CREATE SCHEMA archive CREATE TABLE old (n int); ALTER TABLE archive.old OWNER TO roles_writer";
    execute(&url, create).await;
    let as_role = |role: &str| format!("postgres://{role}:p@{}:{}/roles", variable("PGHOST"), variable("PGPORT"));
    let reader = connect(&as_role("roles_reader")).await;
    assert_eq!((reader.server().grade.clone(), reader.server().warnings.len()), (Grade::default(), 0));
    let writer = connect(&as_role("roles_writer")).await;
    assert!(writer.server().grade.may_write());
    let role = "role \"roles_writer\"";
    let remedy = "`explore doctor` prints the statements that make a role which may only read";
    assert_eq!(
        writer.server().warnings,
        [
            format!("{role} may write archive.old, public.sales, public.secrets; {remedy}"),
            format!("{role} may read more than tables, by BYPASSRLS, pg_read_server_files; {remedy}"),
            format!("{role} may create objects in schema public; {remedy}"),
            format!("{role} may move the sequence public.counter; {remedy}"),
            format!("{role} may call functions that run with their owner's rights: public.raised; {remedy}"),
        ]
    );
    let denied = run(&connect(&as_role("roles_reader")).await, "SELECT * FROM secrets").await;
    assert!(matches!(denied, Err(Error::Statement { message }) if message.contains("42501")));
}

#[tokio::test]
async fn what_a_role_may_do_after_set_role_and_who_logged_in_is_told_by_name() {
    let sql = "CREATE TABLE sales (n int);
        DROP ROLE IF EXISTS becomes_owner; DROP ROLE IF EXISTS becomes_login; DROP ROLE IF EXISTS becomes_plain;
        DROP ROLE IF EXISTS becomes_reader; DROP ROLE IF EXISTS becomes_admin;
        CREATE ROLE becomes_owner; CREATE ROLE becomes_plain; CREATE ROLE becomes_reader;
        CREATE ROLE becomes_admin LOGIN PASSWORD 'p' SUPERUSER; ALTER TABLE sales OWNER TO becomes_owner;
        CREATE ROLE becomes_login LOGIN PASSWORD 'p' NOINHERIT IN ROLE becomes_owner, becomes_plain, becomes_reader;
        GRANT CREATE ON DATABASE becomes TO becomes_login";
    fresh("becomes", sql).await;
    let as_role = async |login: &str, role: Option<&str>| {
        let url = format!("postgres://{login}:p@{}:{}/becomes", variable("PGHOST"), variable("PGPORT"));
        let context = SessionContext { role: role.map(str::to_owned), ..SessionContext::default() };
        let database = postgres::connect(&url, &Options { context, ..Options::default() }).await.unwrap();
        (database.server().grade.may_write(), database.server().grade.faults(&database.server().role))
    };
    let creates = "role \"becomes_login\" may create objects in database becomes";
    let after = "role \"becomes_login\" may write after SET ROLE becomes_owner";
    let told = (false, vec![creates.to_owned(), after.to_owned()]);
    assert_eq!(as_role("becomes_login", None).await, told);
    assert_eq!(as_role("becomes_login", Some("becomes_reader")).await, told);
    let owner = (true, vec!["role \"becomes_owner\" may write public.sales".to_owned()]);
    assert_eq!(as_role("becomes_login", Some("becomes_owner")).await, owner);
    let admin = "role \"becomes_admin\" is a superuser, which bypasses all permission checks";
    assert_eq!(as_role("becomes_admin", Some("becomes_reader")).await, (true, vec![admin.to_owned()]));
}

#[tokio::test]
async fn a_transaction_runs_as_the_role_and_with_the_settings_that_row_level_policies_read() {
    let sql = "
        CREATE TABLE sales (tenant text, amount int);
        INSERT INTO sales VALUES ('a', 1), ('a', 2), ('b', 30);
        ALTER TABLE sales ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON sales USING (tenant = current_setting('app.tenant'));
        DROP ROLE IF EXISTS policies_login; DROP ROLE IF EXISTS policies_reader;
        CREATE ROLE policies_reader; CREATE ROLE policies_login LOGIN PASSWORD 'p' NOINHERIT IN ROLE policies_reader;
        GRANT SELECT ON sales TO policies_reader";
    fresh("policies", sql).await;
    let url = format!("postgres://policies_login:p@{}:{}/policies", variable("PGHOST"), variable("PGPORT"));
    let connect_as = async |role: &str, tenant: &str| {
        let settings = [("app.tenant".to_owned(), tenant.to_owned())].into();
        let context = SessionContext { role: Some(role.to_owned()), settings };
        postgres::connect(&url, &Options { context, connections_max: 1, ..Options::default() }).await
    };
    for (tenant, total) in [("a", "3"), ("b", "30"), ("it's \\ neither", "NULL")] {
        let database = connect_as("policies_reader", tenant).await.unwrap();
        assert_eq!(database.server().role, "policies_reader");
        assert_eq!(cell(&database, "SELECT sum(amount) FROM sales").await, total);
        let own = database.own("SELECT current_user || ' ' || session_user", &[]).await.unwrap();
        assert_eq!(own.cell(0, 0), Some("policies_reader policies_login"));
    }
    let refused = connect_as("postgres", "a").await.unwrap_err().to_string();
    assert!(refused.contains("permission denied to set role") && refused.contains("42501"), "{refused}");
    let unknown = connect_as("nobody_here", "a").await.unwrap_err().to_string();
    assert!(unknown.contains("role \"nobody_here\" does not exist"), "{unknown}");
    let alone = run(&connect(&url).await, "SELECT sum(amount) FROM sales").await;
    assert!(matches!(alone, Err(Error::Statement { .. })), "{alone:?}");
}

#[tokio::test]
async fn a_plan_and_the_programs_own_statements_are_read_the_same_way() {
    let database = connect(&fresh("plans", NUMBERS).await).await;
    let proof = database.prove(&select("SELECT n FROM numbers WHERE n = 7"), &LIMITS).await.unwrap();
    let plan = &proof.plan;
    assert!(plan.starts_with("Limit  (cost=") && plan.contains("Seq Scan on numbers"), "{plan}");
    assert_eq!(proof.relations, [("public".to_owned(), "numbers".to_owned())].into());
    assert!(plan.contains(&format!("..{:.2} rows=", proof.cost)), "{} in {plan}", proof.cost);
    let schemas = ["public".to_owned(), "it's".to_owned()];
    let own = "SELECT relname, nspname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
               WHERE nspname = ANY ($1) AND relname = ANY ($2) ORDER BY 1";
    let table = database.own(own, &[&schemas, &["numbers".to_owned()]]).await.unwrap();
    assert_eq!(table.rows, [[Some("numbers".to_owned()), Some("public".to_owned())]]);
    let write = database.own("INSERT INTO numbers VALUES (1) RETURNING n", &[]).await;
    assert!(matches!(write, Err(Error::Statement { .. })), "{write:?}");
}

#[cfg(feature = "embedded")]
mod embedded {
    use super::*;
    use explore::warehouse::embedded::start;

    #[tokio::test]
    async fn the_embedded_database_answers_as_a_server_does() {
        let database = start(&SessionContext::default()).await.unwrap();
        assert_eq!(database.server().engine, "embedded PostgreSQL");
        assert_eq!(database.server().role, "explore_reader");
        database.load(EVERYTHING).await.unwrap();
        database.load(NUMBERS).await.unwrap();
        for _ in 0..3 {
            check_every_type(&database).await;
        }
        database.load(HOMES).await.unwrap();
        check_output_functions(async |text| database.own(text, &[]).await).await;
        check_caps(&database).await;
        check_odd_columns(&database).await;
        check_messages(&database).await;
        let both = [select("SELECT 1"), select("SELECT 2")];
        let (one, two) = tokio::join!(database.select(&both[0], &LIMITS), database.select(&both[1], &LIMITS));
        assert_eq!((one.unwrap().cell(0, 0), two.unwrap().cell(0, 0)), (Some("1"), Some("2")));
        let statistics = "SELECT n_distinct::text FROM pg_stats WHERE tablename = 'numbers'";
        assert_eq!(database.own(statistics, &[]).await.unwrap().cell(0, 0), Some("-1"));

        check_cost(&database).await;
        database.close().await;
    }

    #[tokio::test]
    async fn a_query_that_overruns_leaves_its_engine_behind_and_the_next_one_finds_the_same_content() {
        let database = start(&SessionContext::default()).await.unwrap();
        database.load("CREATE TABLE sales (n int); INSERT INTO sales VALUES (7)").await.unwrap();
        let short = Limits { timeout: Duration::from_millis(300), ..LIMITS };
        let endless = select("SELECT pg_sleep(3600)");
        let (overrun, beside) = tokio::join!(database.select(&endless, &short), run(&database, "SELECT n FROM sales"));
        assert_eq!(overrun, Err(Error::Timeout { seconds: 1 }));
        assert_eq!(beside.unwrap().cell(0, 0), Some("7"));
        assert_eq!(cell(&database, "SELECT n FROM sales").await, "7");
        database.close().await;
    }

    #[tokio::test]
    async fn a_statement_that_brings_the_engine_down_is_an_error_and_the_next_one_finds_the_same_content() {
        let database = start(&SessionContext::default()).await.unwrap();
        database.load("CREATE TABLE sales (n int); INSERT INTO sales VALUES (7)").await.unwrap();
        for deep in [
            "SELECT (repeat('[', 200000) || repeat(']', 200000))::json",
            "SELECT 'a' ~ (repeat('(', 20000) || 'a' || repeat(')', 20000))",
            "SELECT (repeat('(', 50000) || 'a' || repeat(')', 50000))::tsquery",
            "SELECT (repeat('[', 50000) || repeat(']', 50000))::jsonb",
            "SELECT (repeat('!', 100000) || 'a')::tsquery",
        ] {
            let outcome = database.own(deep, &[]).await;
            assert!(matches!(outcome, Err(Error::Statement { .. }) | Ok(_)), "{deep}: {outcome:?}");
            assert_eq!(cell(&database, "SELECT n FROM sales").await, "7");
        }
        database.close().await;
    }

    #[tokio::test]
    async fn a_script_that_fails_is_named_by_line_and_statement() {
        let database = start(&SessionContext::default()).await.unwrap();
        let failed =
            database.load("CREATE TABLE sales (n int);\n\n-- a comment;\nINSERT INTO sales\nVALUES ('x');").await;
        let expected = "line 4: invalid input syntax for type integer: \"x\" (SQLSTATE 22P02); in: INSERT INTO sales \
                        VALUES ('x')";
        assert_eq!(failed, Err(Error::Statement { message: expected.to_owned() }));
        database.load("INSERT INTO sales VALUES (7)").await.unwrap();
        assert_eq!(cell(&database, "SELECT n FROM sales").await, "7");
        database.close().await;
    }
}
