//! What a SELECT could run or read without naming it, on a real server: other people's views, operators, functions of
//! familiar names, casts, foreign tables.
//!
//! Every piece of user code leaves a trace that a READ ONLY transaction cannot take back: it raises an error that says so.
//! Each text is first run bare, to prove that PostgreSQL would run the code.

use std::sync::Arc;
use std::time::Duration;

use explore::semantic::metadata::Metadata;
use explore::warehouse::catalog::Catalog;
use explore::warehouse::catalog::{Introspected, Selection};
use explore::warehouse::executor::{Executor, Rules};
use explore::warehouse::sql::Allowed;
use explore::warehouse::{Database, Error, Limits};
use jiff::civil::date;

use crate::support::server::{client, connect, execute, fresh};

pub(crate) const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(20),
    rows_max: 100,
    cell_characters_max: 1000,
    bytes_max: 1 << 20,
    plan_cost_max: Some(1e9),
};

/// What the user code of the tests says when it runs.
pub(crate) const RAN: &str = "user code ran";

/// A body that says so, after the signature that it is given.
pub(crate) fn says_so(signature: &str) -> String {
    format!("CREATE FUNCTION {signature} LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{RAN}'; END $$;")
}

fn rules(allowed: Allowed) -> Rules {
    Rules { search_path: vec!["public".to_owned()], allowed, ..Rules::default() }
}

async fn executor(url: &str, rules: Rules) -> Executor {
    Executor::open(Arc::new(connect(url).await), rules, LIMITS).await.unwrap().0
}

/// What PostgreSQL itself makes of the text.
pub(crate) async fn bare(url: &str, text: &str) -> String {
    match client(url).await.simple_query(text).await {
        Ok(_) => "fine".to_owned(),
        Err(error) => error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned()),
    }
}

/// The refusal, or what the server says; `fine` where there are rows.
pub(crate) async fn through(executor: &Executor, text: &str) -> String {
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
    check(&url, "SELECT lower(b) FROM domains", "public.lower(pair)", lower()).await;
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

/// A body that says so, of a function that PostgreSQL may run while it plans.
fn computes(signature: &str) -> String {
    says_so(signature).replace("LANGUAGE", "IMMUTABLE LANGUAGE")
}

#[tokio::test]
async fn users_types_are_met_without_a_relation_that_holds_them() {
    let sql = [
        "CREATE TYPE pair AS (l int, r int); CREATE TYPE st AS ENUM ('a', 'b'); CREATE DOMAIN dom AS text;
         CREATE TABLE pairs (p pair); INSERT INTO pairs VALUES ((1, 2)); CREATE TABLE plain (n int, t text);",
        &says_so("upper(pair, int) RETURNS int"),
        &says_so("lower(pair) RETURNS int"),
        &says_so("within(int, pair) RETURNS bool"),
        "CREATE OPERATOR <@ (LEFTARG = int, RIGHTARG = pair, FUNCTION = within);",
        &says_so("at(pair, pair) RETURNS bool"),
        "CREATE OPERATOR @ (LEFTARG = pair, RIGHTARG = pair, FUNCTION = at);",
        &says_so("repeat(dom, numeric) RETURNS int"),
        &says_so("same(st, st) RETURNS bool"),
        "CREATE OPERATOR = (LEFTARG = st, RIGHTARG = st, FUNCTION = same);",
        &says_so("initcap(mine st) RETURNS text"),
    ];
    let url = fresh("code_literals", &sql.concat()).await;
    let allow = |names: &[&str]| Allowed {
        functions: names.iter().map(|name| (*name).to_owned()).collect(),
        operators: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Allowed::default()
    };
    for (text, object, name) in [
        ("SELECT upper('(1,2)', 1)", "public.upper(pair, integer)", "public.upper"),
        ("SELECT lower(ROW(1, 2))", "public.lower(pair)", "public.lower"),
        ("SELECT lower(q) FROM (SELECT 1 AS l, 2 AS r) q", "public.lower(pair)", "public.lower"),
        ("SELECT 1 <@ '(1,2)'", "public.<@(integer, pair)", "public.<@"),
        ("SELECT repeat('x'::text, 1.5)", "public.repeat(dom, numeric)", "public.repeat"),
        ("SELECT 'a'::st = 'b'::st", "public.=(st, st)", "public.="),
        ("SELECT initcap(mine => 'a')", "public.initcap(mine st)", "public.initcap"),
    ] {
        check(&url, text, object, allow(&[name])).await;
    }
    let executor = executor(&url, rules(Allowed::default())).await;
    for text in ["SELECT lower(t) FROM plain WHERE t = 'x' AND n = 1", "SELECT initcap(t) FROM plain"] {
        assert_eq!(through(&executor, text).await, "fine", "{text}");
    }
}

#[tokio::test]
async fn what_compares_makes_or_checks_values_runs_without_a_name() {
    let sql = [
        "CREATE TYPE pair AS (l int, r int); CREATE TABLE lists (id int, ps pair[]);
         INSERT INTO lists VALUES (1, ARRAY[(1, 2)::pair]), (2, ARRAY[(1, 3)::pair]);",
        &computes("pair_order(pair, pair) RETURNS int"),
        "CREATE OPERATOR CLASS pair_ops DEFAULT FOR TYPE pair USING btree AS FUNCTION 1 pair_order(pair, pair);
         CREATE FUNCTION int_order(int, int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
           $$ BEGIN IF 77 IN ($1, $2) THEN RAISE EXCEPTION 'user code ran'; END IF; RETURN $1 - $2; END $$;
         CREATE OPERATOR CLASS int_ops FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
           OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 int_order(int, int);
         CREATE TYPE span AS RANGE (subtype = int, subtype_opclass = int_ops);
         CREATE TABLE spans (id int, s span); INSERT INTO spans VALUES (1, '[1,5)');
         CREATE TYPE plain AS RANGE (subtype = float8); CREATE TABLE plains (id int, p plain);
         CREATE FUNCTION okay(text) RETURNS bool LANGUAGE plpgsql AS
           $$ BEGIN IF $1 = 'lit' THEN RAISE EXCEPTION 'user code ran'; END IF; RETURN true; END $$;
         CREATE DOMAIN checked AS text CHECK (okay(VALUE)); CREATE TABLE tagged (id int, tags checked[], one checked);
         INSERT INTO tagged VALUES (1, '{x}', 'x');
         CREATE DOMAIN sane AS text CHECK (VALUE ~ '^[a-z]+$' AND length(VALUE) < 9); CREATE TABLE sanes (one sane);",
    ];
    let url = fresh("code_support", &sql.concat()).await;
    // A function that is allowed may return a value of any type, so that of the pairs is allowed beside each.
    let allow = |name: &str| Allowed { functions: names(&[name, "pair_order", "int_order"]), ..Allowed::default() };
    for (text, object, name) in [
        ("SELECT max(ps) FROM lists", "public.pair_order", "public.pair_order"),
        ("SELECT s @> 77 FROM spans", "public.int_order", "public.int_order"),
        ("SELECT tags = '{lit}' FROM tagged", "domain checked (function: okay is a function of this database", "okay"),
        ("SELECT coalesce(t, '(1,{lit},x)') FROM tagged t", "CHECK of the domain checked", "okay"),
    ] {
        check(&url, text, object, allow(name)).await;
    }
    let executor = executor(&url, rules(Allowed::default())).await;
    for text in [
        "SELECT count(*), max(one) FROM tagged WHERE id = 1",
        "SELECT id, p FROM plains WHERE p @> 1.5::float8 ORDER BY p",
        "SELECT one FROM sanes WHERE one = 'x' GROUP BY one",
    ] {
        assert_eq!(through(&executor, text).await, "fine", "{text}");
    }
}

#[tokio::test]
async fn what_the_planner_computes_of_a_relation_keeps_it_out() {
    let sql = "CREATE FUNCTION late(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
         CREATE TABLE partial (n int); CREATE INDEX ON partial (n) WHERE late(1) > 0;
         CREATE TABLE computed (n int); CREATE INDEX ON computed ((n + late(CASE WHEN false THEN n ELSE 1 END)));
         CREATE TABLE counted (n int, m int); CREATE STATISTICS counts ON (n + late(1)), m FROM counted;
         INSERT INTO counted VALUES (1, 1), (2, 2); ANALYZE counted;
         CREATE TABLE parent (n int); CREATE TABLE child (CHECK (n + late(1) > 0)) INHERITS (parent);
         CREATE VIEW over_partial AS SELECT n FROM partial;
         CREATE TABLE honest (n int, t text, CHECK (late(n) > 0));
         CREATE FUNCTION folded(text) RETURNS text IMMUTABLE LANGUAGE sql AS $$ SELECT lower(btrim($1, ' ')) $$;
         CREATE INDEX ON honest (folded(t)); CREATE INDEX ON honest (late(abs(n))) WHERE t <> '';";
    let url = fresh("code_planned", sql).await;
    execute(&url, &format!("CREATE OR REPLACE {}", &computes("late(int) RETURNS int")["CREATE ".len()..])).await;
    let allowed = Allowed { functions: names(&["public.late"]), ..Allowed::default() };
    for table in ["partial", "computed", "counted", "parent"] {
        check(&url, &format!("SELECT n FROM {table} WHERE n = 1"), "could run public.late", allowed.clone()).await;
    }
    let executor = executor(&url, rules(Allowed::default())).await;
    let said = through(&executor, "SELECT * FROM over_partial").await;
    assert!(said.contains("it reads public.partial, which has an index"), "{said}");
    assert_eq!(through(&executor, "SELECT n, t FROM honest WHERE t = 'x'").await, "fine");
}

#[tokio::test]
async fn an_extensions_owner_cannot_pass_off_code_as_the_extensions() {
    let sql = [
        "DROP ROLE IF EXISTS executor_launderer; CREATE ROLE executor_launderer; CREATE EXTENSION citext; CREATE TABLE t (a text, n int);
         INSERT INTO t VALUES ('x', 1); GRANT CREATE ON SCHEMA public TO executor_launderer;",
        &says_so("same(text, int) RETURNS bool"),
        "ALTER FUNCTION same OWNER TO executor_launderer; CREATE OPERATOR = (LEFTARG = text, RIGHTARG = int, FUNCTION = same);
         ALTER EXTENSION citext ADD FUNCTION same(text, int); ALTER EXTENSION citext ADD OPERATOR = (text, int);",
    ];
    let url = fresh("code_launderer", &sql.concat()).await;
    let allowed = Allowed { operators: names(&["public.="]), ..Allowed::default() };
    check(&url, "SELECT * FROM t WHERE a = n", "public.=(text, integer)", allowed).await;
    execute(
        &url,
        "DROP EXTENSION citext CASCADE; DROP OWNED BY executor_launderer CASCADE; DROP ROLE executor_launderer",
    )
    .await;
}

#[tokio::test]
async fn a_view_may_not_run_an_overload_for_the_types_of_its_own_relations() {
    let sql = [
        "CREATE TYPE st AS ENUM ('a', 'b'); CREATE SCHEMA closed; CREATE TABLE held (s st); INSERT INTO held VALUES ('a');
         CREATE TABLE closed.held_too (s st); INSERT INTO closed.held_too VALUES ('a');",
        &says_so("lower(st) RETURNS text"),
        "CREATE VIEW v AS SELECT lower(s) AS l FROM held; CREATE VIEW w AS SELECT lower(s) AS l FROM closed.held_too;",
    ];
    let url = fresh("code_view_types", &sql.concat()).await;
    let allowed = Allowed { functions: names(&["public.lower"]), ..Allowed::default() };
    check(&url, "SELECT l FROM v", "public.lower(st)", allowed.clone()).await;
    check(&url, "SELECT l FROM w", "public.lower(st)", allowed).await;
}

#[tokio::test]
async fn what_an_analyst_writes_over_users_types_passes() {
    let sql = "CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE EXTENSION hstore;
        CREATE TYPE status AS ENUM ('open', 'paid', 'lost'); CREATE TYPE place AS (street text, zip text);
        CREATE DOMAIN email AS citext CHECK (VALUE ~ '@'); CREATE DOMAIN cents AS int CHECK (VALUE >= 0);
        CREATE TYPE prices AS RANGE (subtype = float8, subtype_diff = float8mi);
        CREATE TABLE customers (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), email email, name citext, home place,
          tree ltree, tags text[], extra jsonb, attributes hstore, since date, full_name text GENERATED ALWAYS AS (name || '') STORED);
        CREATE TABLE orders (id int, customer uuid REFERENCES customers, status status, history status[], amount cents,
          price numeric(12,2), band prices, at timestamptz);
        CREATE VIEW open_orders AS SELECT * FROM orders WHERE status = 'open' OR status IN ('paid', 'lost');
        CREATE VIEW by_status AS SELECT status, count(*) AS n, sum(amount) AS cents FROM orders GROUP BY status HAVING count(*) > 0;
        CREATE VIEW by_name AS SELECT lower(name::text) AS l, name, max(since) FROM customers WHERE name LIKE 'a%' OR name ILIKE '%b' GROUP BY name;
        CREATE VIEW monthly AS SELECT date_trunc('month', at AT TIME ZONE 'Europe/Berlin') AS month, extract(isodow FROM at) AS day,
          percentile_cont(0.5) WITHIN GROUP (ORDER BY price) AS median, sum(price) FILTER (WHERE status <> 'lost') FROM orders GROUP BY 1, 2;
        CREATE VIEW ranked AS SELECT id, rank() OVER w, lag(status) OVER w AS before FROM orders WINDOW w AS (PARTITION BY customer ORDER BY at DESC NULLS LAST);
        CREATE VIEW paths AS SELECT subpath(tree, 0, 1) AS top FROM customers;
        CREATE VIEW below AS SELECT tree FROM customers WHERE tree <@ 'top.a' OR tree ~ '*.b';
        CREATE VIEW flags AS SELECT id, extra ->> 'flag' AS flag, (extra ->> 'n')::int AS n, extra @> '{\"a\": 1}' AS has FROM customers;
        CREATE VIEW tagged AS SELECT c.id, t.tag FROM customers c CROSS JOIN LATERAL unnest(c.tags) AS t(tag) WHERE 'x' = ANY (c.tags);
        CREATE VIEW attributed AS SELECT id, attributes -> 'k' AS k FROM customers WHERE attributes ? 'k';
        CREATE VIEW told AS SELECT id, CASE status WHEN 'open' THEN 'o' ELSE status::text END AS s, coalesce(price, 0)::money AS m FROM orders;
        CREATE RECURSIVE VIEW numbers (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < 9;
        CREATE VIEW both_kinds AS SELECT id::text FROM customers UNION SELECT id::text FROM orders EXCEPT SELECT '' ORDER BY 1 LIMIT 5;
        CREATE VIEW banded AS SELECT id FROM orders WHERE band @> 1.5::float8 AND NOT isempty(band);
        CREATE VIEW words AS SELECT substring(full_name FROM '^[a-z]+') AS first, overlay(full_name PLACING 'x' FROM 1 FOR 1),
          position('a' IN full_name), trim(trailing ' ' FROM full_name), full_name SIMILAR TO 'a%', split_part(full_name, ' ', 1) FROM customers;
        CREATE VIEW cubes AS SELECT status, customer, grouping(status) AS g, sum(price) FROM orders GROUP BY ROLLUP (status, customer);";
    let url = fresh("code_analyst", sql).await;
    let executor = executor(&url, rules(Allowed::default())).await;
    let views = "open_orders by_status by_name monthly ranked below flags tagged attributed told numbers both_kinds \
        banded words cubes";
    let views = views.split_whitespace().map(|view| format!("SELECT * FROM {view}"));
    let statements = [
        "SELECT status, count(*) FROM orders WHERE status = 'open' GROUP BY status ORDER BY status",
        "SELECT status, max(at), min(status) FROM orders WHERE status >= 'open'::status GROUP BY 1",
        "SELECT DISTINCT status FROM orders WHERE status IS DISTINCT FROM 'lost' AND 'open' = ANY (history)",
        "SELECT * FROM orders o JOIN customers c ON c.id = o.customer WHERE c.email = 'a@b' AND c.name IN ('x', 'Y')",
        "SELECT home, count(*) FROM customers GROUP BY home ORDER BY home",
        "SELECT sum(amount) / 100.0, avg(amount), amount + 1 AS a FROM orders WHERE amount > 5 GROUP BY amount",
        "SELECT email, split_part(email::text, '@', 2) FROM customers WHERE email LIKE '%@x' ORDER BY 1",
        "SELECT id FROM customers WHERE id = '00000000-0000-0000-0000-000000000000' OR tree <@ 'a.b'",
        "SELECT array_agg(status ORDER BY at), string_agg(name::text, ', ') FROM orders, customers",
        "SELECT row_to_json(o), to_jsonb(o) FROM orders o",
        "SELECT lower(band), upper(band) FROM orders WHERE band && band ORDER BY band",
        "SELECT coalesce(status, 'open'), nullif(status, 'lost'), CASE WHEN status = 'paid' THEN 1 END FROM orders",
        "SELECT count(*) FILTER (WHERE status = 'paid') * 1.0 / nullif(count(*), 0) FROM orders",
        "SELECT (status, amount) = ('open', 5) FROM orders",
        "SELECT customer, sum(price) OVER (PARTITION BY customer ORDER BY at ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM orders",
        "SELECT replace(name, 'a', 'b'), name || '!', length(name) FROM customers",
        "SELECT full_name, attributes -> 'a', extra #>> '{a,b}' FROM customers WHERE since BETWEEN '2024-01-01' AND now()",
    ];
    let mut refused = Vec::new();
    for text in views.chain(statements.map(str::to_owned)) {
        let said = through(&executor, &text).await;
        if said != "fine" {
            refused.push(format!("{text}: {said}"));
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    let said = through(&executor, "SELECT * FROM paths").await;
    assert!(said.contains("subpath is a function of this database"), "{said}");
}

/// An enum's and its column's name, beside types whose values run code.
fn namesakes() -> String {
    [
        "CREATE TYPE status AS ENUM ('open', 'paid'); CREATE TYPE pair AS (l int, r int);
         CREATE TABLE orders (id int, status status, n int); INSERT INTO orders VALUES (1, 'open', 2);
         CREATE TABLE pairs (id int, pair pair); INSERT INTO pairs VALUES (1, (1, 2));
         CREATE TYPE holder AS (p pair); CREATE TYPE list AS (ps pair[], s status);
         CREATE DOMAIN cents AS int CHECK (VALUE >= 0); CREATE TYPE priced AS (price cents, s status[]);",
        &says_so("okay(text) RETURNS bool"),
        "CREATE DOMAIN checked AS text CHECK (okay(VALUE)); CREATE TYPE tagged AS (tag checked); CREATE TABLE tags (tag checked);",
        &says_so("within(pair, pair) RETURNS bool"),
        "CREATE OPERATOR <@ (LEFTARG = pair, RIGHTARG = pair, FUNCTION = within);",
        &says_so("lower(pair) RETURNS text"),
        &says_so("cardinality(pair[]) RETURNS int"),
    ]
    .concat()
}

#[tokio::test]
async fn a_name_that_a_type_bears_too_is_no_type() {
    let url = fresh("code_namesakes", &namesakes()).await;
    let executor = executor(&url, rules(Allowed::default())).await;
    for text in [
        "SELECT count(*) FROM orders WHERE status = 'open'",
        "SELECT o.status, count(*) AS pair FROM orders o WHERE o.status IN ('open', 'paid') GROUP BY o.status ORDER BY pair",
        "SELECT n AS status, n pair, lower('X') AS checked FROM orders status WHERE status.status <> 'paid'",
        "WITH pair(status, checked) AS (SELECT status, 'x' FROM orders) SELECT pair.status, checked FROM pair WHERE checked = 'x'",
        "SELECT \"status\", ARRAY[n] <@ ARRAY[1, 2], cardinality(ARRAY[n]) FROM orders WHERE status = 'open'::status",
        "SELECT status 'open', '{open}'::status[], x.s, cardinality(x.a) FROM jsonb_to_record('{}') AS x(s status, a status[])",
        "SELECT make_interval(days => n), 5::cents, cents '7' FROM orders WHERE status = 'open'",
        "SELECT x.price, x.s FROM jsonb_populate_record(NULL::priced, '{\"price\": 3, \"s\": [\"open\"]}') AS x(price, s)",
        "SELECT x.id FROM jsonb_populate_recordset(NULL::orders, '[{\"id\": 1, \"status\": \"paid\"}]') AS x(id, status, n)",
    ] {
        assert_eq!(through(&executor, text).await, "fine", "{text}");
    }
}

#[tokio::test]
async fn a_type_counts_wherever_postgresql_reads_one() {
    let url = fresh("code_types_read", &namesakes()).await;
    let allow = |name: &str| Allowed {
        operators: names(&["public.<@"]),
        // A function that is allowed may return a value of any type.
        functions: names(&[name, "public.lower", "public.cardinality", "okay"]),
        ..Allowed::default()
    };
    let within = "public.<@(pair, pair)";
    for (text, object) in [
        ("SELECT '(1,2)'::pair <@ NULL", within),
        ("SELECT CAST('(1,2)' AS public.pair) <@ NULL", within),
        ("SELECT pair '(1,2)' <@ pair '(1,2)'", within),
        ("SELECT public.pair '(1,2)' <@ NULL", within),
        ("SELECT lower('(1,2)'::pair)", "public.lower(pair)"),
        ("SELECT ('{\"(1,2)\"}'::pair[])[1] <@ NULL", within),
        ("SELECT cardinality(ARRAY['(1,2)'::pair])", "public.cardinality(pair[])"),
        ("SELECT cardinality(array_agg(p.pair)) FROM pairs p", "public.cardinality(pair[])"),
        ("SELECT x.a <@ x.a FROM jsonb_to_record('{\"a\": {\"l\": 1}}') AS x(b int, a pair)", within),
        ("SELECT x.a <@ x.a FROM ROWS FROM (jsonb_to_record('{\"a\": {\"l\": 1}}') AS (a pair)) AS x(a)", within),
        ("SELECT x.a <@ x.a FROM XMLTABLE('/r' PASSING xml '<r>(1,2)</r>' COLUMNS a pair PATH '.') x", within),
        ("SELECT x.p <@ x.p FROM jsonb_populate_record(NULL::holder, '{\"p\": {\"l\": 1}}') AS x(p)", within),
        (
            "SELECT x.ps[1] <@ x.ps[1] FROM jsonb_populate_record(NULL::list, '{\"ps\": [{\"l\": 1}]}') AS x(ps, s)",
            within,
        ),
        (
            "SELECT x.pair <@ x.pair FROM jsonb_populate_record(NULL::pairs, '{\"pair\": {\"l\": 1}}') AS x(id, pair)",
            within,
        ),
    ] {
        check(&url, text, object, allow("public.within")).await;
    }
    let executor = executor(&url, rules(Allowed::default())).await;
    for text in [
        "SELECT 'x'::checked",
        "SELECT checked 'x'",
        "SELECT '{x}'::checked[]",
        "SELECT '(x)'::tagged",
        "SELECT jsonb_populate_record(NULL::tags, '{\"tag\": \"x\"}')",
        "SELECT * FROM jsonb_to_record('{\"tag\": \"x\"}') AS x(tag checked)",
        "SELECT * FROM ROWS FROM (jsonb_to_record('{\"tag\": \"x\"}') AS (tag tagged[])) AS x(tag)",
        "SELECT x.tag FROM XMLTABLE('/r' PASSING xml '<r>x</r>' COLUMNS tag checked PATH '.') x",
    ] {
        let said = through(&executor, text).await;
        assert!(said.starts_with("type: "), "{text}: {said}");
    }
}

/// Days that the planner keeps apart from its histogram, because they are the busiest, are the last ones.
const VISITS: &str = "CREATE TABLE visits (visit_date date, client_id int, fee numeric);
    INSERT INTO visits SELECT date '2025-01-01' + g, g % 40, 10 FROM generate_series(0, 500) g;
    INSERT INTO visits SELECT d::date, g % 40, 10
        FROM generate_series('2026-05-17'::date, '2026-06-30', '1 day') d, generate_series(1, 40) g;
    INSERT INTO visits VALUES ('2030-01-01', 1, 10), ('infinity', 1, 10), (NULL, 1, 10);
    CREATE TABLE moves (id int PRIMARY KEY, moved_at timestamptz); INSERT INTO moves VALUES (1, '2026-06-29 23:59:59+00');
    ANALYZE;";

#[tokio::test]
async fn the_newest_date_is_the_largest_in_the_column_and_not_the_planners_guess() {
    let url = fresh("code_newest", VISITS).await;
    let database: Arc<dyn Database> = Arc::new(connect(&url).await);
    let opened = Executor::open(database, rules(Allowed::default()), LIMITS).await;
    let (mut executor, Introspected { mut catalog, .. }) = opened.unwrap();
    explore::semantic::complete(&mut catalog, &Metadata::default());
    let newest = async |executor: &Executor, catalog: &Catalog, today| {
        executor.newest_dates(catalog, today).await.and_then(|dates| dates.into_values().max())
    };
    assert_eq!(newest(&executor, &catalog, date(2026, 11, 28)).await, Some(date(2026, 6, 30)), "due dates aside");
    assert_eq!(newest(&executor, &catalog, date(2026, 6, 1)).await, Some(date(2026, 6, 1)));
    assert_eq!(newest(&executor, &catalog, date(2024, 6, 1)).await, None);

    let mut sensitive = catalog.clone();
    let columns = sensitive.tables.iter_mut().flat_map(|table| &mut table.columns);
    columns.filter(|column| column.name == "visit_date").for_each(|column| column.sensitive = true);
    assert_eq!(newest(&executor, &sensitive, date(2026, 11, 28)).await, Some(date(2026, 6, 29)), "never asked");

    executor.limits.plan_cost_max = Some(2.0);
    assert_eq!(newest(&executor, &catalog, date(2026, 11, 28)).await, None, "one is too dear to ask, so nobody knows");
}
