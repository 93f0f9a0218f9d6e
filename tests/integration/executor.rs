//! What a SELECT could run or read without naming it, on a real server: other people's views, operators, functions of
//! familiar names, casts, foreign tables.
//!
//! Every piece of user code leaves a trace that a READ ONLY transaction cannot take back: it raises an error that says so.
//! Each text is first run bare, to prove that PostgreSQL would run the code.

use std::sync::Arc;
use std::time::Duration;

use explore::catalog::introspect::Selection;
use explore::database::{Database, Error, Limits};
use explore::executor::{Executor, Rules};
use explore::sql::Allowed;

use crate::server::{client, connect, execute, fresh};

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(20),
    rows_max: 100,
    cell_characters_max: 1000,
    bytes_max: 1 << 20,
    plan_cost_max: Some(1e9),
};

/// What the user code of the tests says when it runs.
const RAN: &str = "user code ran";

/// A body that says so, after the signature that it is given.
fn says_so(signature: &str) -> String {
    format!("CREATE FUNCTION {signature} LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{RAN}'; END $$;")
}

fn rules(allowed: Allowed) -> Rules {
    Rules { search_path: vec!["public".to_owned()], allowed, ..Rules::default() }
}

async fn executor(url: &str, rules: Rules) -> Executor {
    Executor::open(Arc::new(connect(url).await), rules, LIMITS).await.unwrap().0
}

/// What PostgreSQL itself makes of the text.
async fn bare(url: &str, text: &str) -> String {
    match client(url).await.simple_query(text).await {
        Ok(_) => "fine".to_owned(),
        Err(error) => error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned()),
    }
}

/// The refusal, or what the server says; `fine` where there are rows.
async fn through(executor: &Executor, text: &str) -> String {
    match executor.validate(text).await {
        Err(refusal) => refusal.to_string(),
        Ok(select) => match executor.run(&select, LIMITS.timeout).await {
            Ok(_) => "fine".to_owned(),
            Err(Error::Statement { message }) => message,
            Err(error) => error.to_string(),
        },
    }
}

fn names(names: &[&str]) -> std::collections::BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The text runs user code in PostgreSQL, is refused by default with a word on `object`, and runs once it is allowed.
async fn check(url: &str, text: &str, object: &str, allowed: Allowed) {
    assert_eq!(bare(url, text).await, RAN, "{text}");
    let refused = through(&executor(url, rules(Allowed::default())).await, text).await;
    assert!(refused.contains(object) && refused.contains("[sql] allow_"), "{text}: {refused}");
    let ran = through(&executor(url, rules(allowed)).await, text).await;
    assert!(ran.contains(RAN), "{text}: {ran}");
}

#[tokio::test]
async fn operators_of_the_databases_users_are_refused_by_name_where_they_could_be_meant() {
    let sql = [
        "CREATE TABLE t (a text, n int); INSERT INTO t VALUES ('x', 1); CREATE TABLE other (n int, m int);
         CREATE TYPE pair AS (l int, r int); CREATE TABLE pairs (p pair, q pair[]); INSERT INTO pairs VALUES ((1, 2), '{}');",
        &says_so("same(text, int) RETURNS bool"),
        "CREATE OPERATOR = (LEFTARG = text, RIGHTARG = int, FUNCTION = same);",
        &says_so("within(pair, pair) RETURNS bool"),
        "CREATE OPERATOR <@ (LEFTARG = pair, RIGHTARG = pair, FUNCTION = within);",
        &says_so("row_within(t, t) RETURNS bool"),
        "CREATE OPERATOR @> (LEFTARG = t, RIGHTARG = t, FUNCTION = row_within);",
        "CREATE SCHEMA hidden;",
        &says_so("hidden.minus(text, text) RETURNS bool"),
        "CREATE OPERATOR hidden.- (LEFTARG = text, RIGHTARG = text, FUNCTION = hidden.minus);",
    ];
    let url = fresh("code_operators", &sql.concat()).await;
    let allow = |operators: &[&str]| Allowed { operators: names(operators), ..Allowed::default() };
    for text in ["SELECT * FROM t WHERE a = n", "SELECT a IN (SELECT n) FROM t", "SELECT nullif(a, n) FROM t"] {
        check(&url, text, "public.=(text, integer)", allow(&["public.="])).await;
    }
    check(&url, "SELECT p <@ p FROM pairs", "public.<@(pair, pair)", allow(&["public.<@"])).await;
    check(&url, "SELECT x @> x FROM t x", "public.@>(t, t)", allow(&["public.@>"])).await;
    let fine = executor(&url, rules(allow(&["public.="]))).await;
    for text in [
        "SELECT int4range(1, 5) @> n FROM other",
        "SELECT ARRAY[n] <@ ARRAY[m] FROM other WHERE n = m",
        "SELECT n - m FROM other",
        "SELECT count(*) FROM t",
    ] {
        assert_eq!(through(&fine, text).await, "fine", "{text}");
    }
}

#[tokio::test]
async fn functions_of_familiar_names_and_casts_are_refused_where_they_could_be_meant() {
    let sql = [
        "CREATE TYPE pair AS (l int, r int); CREATE TABLE pairs (id int, p pair); INSERT INTO pairs VALUES (1, (1, 2));
         CREATE TABLE plain (id int, t text); INSERT INTO plain VALUES (1, 'x');
         CREATE DOMAIN boxed AS pair; CREATE TABLE domains (b boxed); INSERT INTO domains VALUES ((1, 2));",
        &says_so("lower(pair) RETURNS text"),
        &says_so("upper(plain) RETURNS text"),
        &says_so("repeat(text, numeric) RETURNS text"),
        &says_so("as_int(pair) RETURNS int"),
        "CREATE CAST (pair AS int) WITH FUNCTION as_int AS IMPLICIT;",
        &says_so("as_json(int) RETURNS jsonb"),
        "CREATE CAST (int AS jsonb) WITH FUNCTION as_json;",
    ];
    let url = fresh("code_functions", &sql.concat()).await;
    let allow = |functions: &[&str]| Allowed { functions: names(functions), ..Allowed::default() };
    let lower = || allow(&["public.lower", "public.as_int", "lower"]);
    check(&url, "SELECT lower(p) FROM pairs", "public.lower(pair)", lower()).await;
    check(&url, "SELECT (p).lower FROM pairs", "public.lower(pair)", lower()).await;
    check(&url, "SELECT lower(b) FROM domains", "public.lower(pair)", lower()).await;
    check(&url, "SELECT x.upper FROM plain x", "public.upper(plain)", allow(&["public.upper"])).await;
    check(&url, "SELECT repeat('a', 1.5)", "public.repeat(text, numeric)", allow(&["public.repeat", "as_int"])).await;
    check(&url, "SELECT p + 1 FROM pairs", "cast pair AS integer by public.as_int", allow(&["public.as_int"])).await;
    check(&url, "SELECT id::jsonb FROM plain", "cast integer AS jsonb by public.as_json", allow(&["as_json"])).await;
    let fine = executor(&url, rules(Allowed::default())).await;
    for text in ["SELECT lower(t), t || 'x' FROM plain WHERE id = 1", "SELECT upper('x')", "SELECT count(*) FROM plain"]
    {
        assert_eq!(through(&fine, text).await, "fine", "{text}");
    }
}

#[tokio::test]
async fn a_view_is_read_only_where_its_body_passes_too() {
    let sql = [
        "CREATE SCHEMA closed; CREATE TABLE closed.raw (id int, secret text); INSERT INTO closed.raw VALUES (1, 's');
         CREATE TABLE left_out (id int); CREATE TABLE orders (id int, at timestamptz, amount numeric, state text);
         CREATE TYPE state AS ENUM ('open', 'done'); CREATE TABLE tickets (id int, state state);",
        &says_so("peek() RETURNS int"),
        "CREATE VIEW peeks AS SELECT peek() AS n;
         CREATE VIEW over_peeks AS SELECT n + 1 AS m FROM peeks;
         CREATE VIEW passwords AS SELECT rolname, rolpassword FROM pg_authid;
         CREATE VIEW files AS SELECT pg_read_file('/etc/passwd') AS f;
         CREATE VIEW shown AS SELECT id FROM closed.raw;
         CREATE VIEW shows_left_out AS SELECT id FROM left_out;
         CREATE MATERIALIZED VIEW stored AS SELECT id FROM closed.raw;
         CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing;
         CREATE FOREIGN TABLE far (id int) SERVER elsewhere;
         CREATE VIEW far_view AS SELECT id FROM far;
         CREATE TABLE parts (id int) PARTITION BY RANGE (id); CREATE TABLE near PARTITION OF parts FOR VALUES FROM (0) TO (9);
         CREATE FOREIGN TABLE far_part PARTITION OF parts FOR VALUES FROM (9) TO (99) SERVER elsewhere;
         CREATE VIEW months AS SELECT date_trunc('month', at AT TIME ZONE 'utc') AS month, sum(amount) FILTER (WHERE state = 'x')
           AS total, count(DISTINCT id), extract(year FROM at)::int AS year, position('a' IN state) AS p,
           substring(state FROM 2 FOR 3) AS s, trim(both ' ' from state) AS t, amount::numeric(10,2) AS a,
           row_number() OVER (PARTITION BY state ORDER BY at DESC) AS r, CASE WHEN amount > 0 THEN 'up' ELSE 'down' END AS d
           FROM orders WHERE state = ANY (ARRAY['a', 'b']) AND state LIKE 'a%' AND at BETWEEN now() - interval '1 year' AND now()
           GROUP BY at, amount, state;
         CREATE VIEW recent AS WITH last AS (SELECT max(at) AS at FROM orders) SELECT o.*, coalesce(o.state, '-') AS known
           FROM orders o CROSS JOIN last WHERE o.at >= last.at - '30 days'::interval;
         CREATE VIEW open_tickets AS SELECT t.id, o.amount FROM tickets t LEFT JOIN orders o USING (id)
           WHERE t.state = 'open' AND NOT EXISTS (SELECT 1 FROM orders x WHERE x.id = t.id AND x.amount < 0);",
    ];
    let url = fresh("code_views", &sql.concat()).await;
    let left_out = Selection { exclude: vec!["left_out".to_owned()], ..Selection::default() };
    let rules = |allowed| Rules { selection: left_out.clone(), ..rules(allowed) };
    let database: Arc<dyn Database> = Arc::new(connect(&url).await);
    let (executor, read) = Executor::open(database, rules(Allowed::default()), LIMITS).await.unwrap();

    let refused = [
        ("peeks", "public.peeks is a view, and its body does not pass (function: peek is a function of this database"),
        ("over_peeks", "it reads the view public.peeks, which may not be read"),
        ("passwords", "relation: pg_authid holds credentials"),
        ("files", "function: pg_read_file is not allowed"),
        ("shows_left_out", "it reads public.left_out, which is excluded"),
        ("far", "public.far is a foreign table"),
        ("far_view", "it reads the foreign table public.far"),
        ("parts", "public.parts has a foreign table among its partitions"),
    ];
    for (name, reason) in refused {
        let said = through(&executor, &format!("SELECT * FROM {name}")).await;
        assert!(said.starts_with("relation: ") && said.contains(reason), "{name}: {said}");
        assert!(read.catalog.table(None, name).is_none(), "{name} is not offered");
    }
    assert!(read.warnings.iter().any(|warning| warning.starts_with("left out: ") && warning.contains("public.far is")));
    for name in ["shown", "stored", "months", "recent", "open_tickets"] {
        assert_eq!(through(&executor, &format!("SELECT * FROM {name}")).await, "fine", "{name}");
        assert!(read.catalog.table(None, name).is_some(), "{name} is offered");
    }
    assert_eq!(through(&executor, "SELECT count(*) FROM tickets WHERE state = 'open'::state").await, "fine");

    let allowed = Allowed { views: names(&["public.peeks"]), ..Allowed::default() };
    let ran = through(&self::executor(&url, rules(allowed)).await, "SELECT n FROM peeks").await;
    assert!(ran.contains(RAN), "{ran}");
}

#[tokio::test]
async fn contributed_types_are_explored_like_any_other() {
    let sql = "CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm; CREATE EXTENSION intarray;
        CREATE EXTENSION btree_gist; CREATE EXTENSION ltree;
        CREATE TABLE people (id int, email citext, tags hstore, path ltree, ids int[]);
        INSERT INTO people VALUES (1, 'A@x', 'k=>v', 'a.b', '{1,2}'), (2, 'b@x', '', 'a', '{}');";
    let url = fresh("code_extensions", sql).await;
    let executor = executor(&url, rules(Allowed::default())).await;
    for text in [
        "SELECT email, count(*) FROM people WHERE email = 'a@X' GROUP BY email ORDER BY email",
        "SELECT tags -> 'k', lower(email), max(email) FROM people WHERE tags ? 'k' GROUP BY 1, 2",
        "SELECT * FROM people WHERE email LIKE 'a%' AND ids && ARRAY[1] AND path @> 'a'",
        "SELECT DISTINCT p.email FROM people p JOIN people q USING (email)",
    ] {
        assert_eq!(through(&executor, text).await, "fine", "{text}");
    }
    let refused = through(&executor, "SELECT akeys(tags) FROM people").await;
    assert!(
        refused.contains("akeys is a function of this database") && refused.contains("allow_functions"),
        "{refused}"
    );
}

#[tokio::test]
async fn functions_of_the_database_are_named_with_their_rights() {
    let sql = "CREATE FUNCTION raised() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
        CREATE FUNCTION plain() RETURNS int LANGUAGE sql AS 'SELECT 1'";
    let url = fresh("code_definers", sql).await;
    let executor = executor(&url, rules(Allowed::default())).await;
    let said = through(&executor, "SELECT raised()").await;
    assert!(said.contains("runs with its owner's rights (SECURITY DEFINER)"), "{said}");
    let said = through(&executor, "SELECT public.plain()").await;
    assert!(said.starts_with("function: public.plain is a function of this database;"), "{said}");
}

#[tokio::test]
async fn a_schema_that_changes_is_read_again() {
    let url = fresh("code_changes", "CREATE TABLE t (n int)").await;
    let executor = executor(&url, rules(Allowed::default())).await;
    assert_eq!(through(&executor, "SELECT n FROM t").await, "fine");
    execute(&url, "CREATE TABLE late (n int); CREATE VIEW bad AS SELECT pg_backend_pid()").await;
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while through(&executor, "SELECT n FROM late").await != "fine" {
        assert!(std::time::Instant::now() < deadline, "the new table is never seen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let said = through(&executor, "SELECT * FROM bad").await;
    assert!(said.contains("public.bad is a view"), "{said}");
    execute(&url, "DROP TABLE late").await;
    while !through(&executor, "SELECT n FROM late").await.starts_with("relation: late is not a table") {
        assert!(std::time::Instant::now() < deadline, "the table is remembered");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
