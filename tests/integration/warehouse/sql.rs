//! The validator: what it refuses, what it lets through, what it says, and what it tells of what it let through.

mod calls;
mod honest;
mod property;

use std::fs;

use explore::warehouse::sql::{Policy, Select, validate, validate_with_range};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    id: u32,
    #[serde(default)]
    should: String,
    sql: String,
}

fn cases(file: &str) -> Vec<Case> {
    let directory = if file == "attacks.jsonl" { "data" } else { "tests/material/sql" };
    let path = format!("{}/{directory}/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Some of the relations that describe the database, with some of their columns.
const DESCRIBED: &[(&str, &str, &[&str])] = &[
    ("information_schema", "columns", &["table_schema", "table_name", "column_name", "data_type", "column_default"]),
    ("information_schema", "tables", &["table_schema", "table_name", "table_type"]),
    ("pg_catalog", "pg_attribute", &["attrelid", "attname", "atttypid", "attnum", "attisdropped", "attmissingval"]),
    ("pg_catalog", "pg_class", &["oid", "relname", "relnamespace", "relkind", "reltuples"]),
    ("pg_catalog", "pg_namespace", &["oid", "nspname"]),
    ("pg_catalog", "pg_type", &["oid", "typname", "typtype"]),
];

/// The ordinary tables that the cases speak of, and nothing else.
fn policy() -> Policy {
    let mut policy = Policy { search_path: vec!["public".to_owned(), "archive".to_owned()], ..Policy::default() };
    policy.allow("public", "t", ["id", "a", "secret"]);
    policy.allow("public", "u", ["id", "b"]);
    policy.allow("public", "sales", ["id", "region", "product", "channel", "amount", "sold_at", "attrs", "tags"]);
    policy.allow("public", "nodes", ["id", "parent_id", "name"]);
    policy.allow("public", "bookings", ["id", "period"]);
    policy.allow("public", "mixedCase", ["Order ID", "Total Amount"]);
    policy.allow("archive", "old_sales", ["id", "amount"]);
    for (schema, name, columns) in DESCRIBED {
        policy.allow_described(schema, name, columns.iter().copied());
    }
    policy
}

fn accept(sql: &str) -> Select {
    validate(sql, &policy()).unwrap_or_else(|refusal| panic!("{sql}\n{refusal}"))
}

/// Checks the refusal as a model reads it.
fn check(sql: &str, expected: &str) {
    match validate(sql, &policy()) {
        Ok(_) => panic!("accepted: {sql}"),
        Err(refusal) => assert_eq!(refusal.to_string(), expected, "{sql}"),
    }
}

/// Checks the code of a refusal whose words do not matter.
fn check_code(sql: &str, expected: &str) {
    match validate(sql, &policy()) {
        Ok(_) => panic!("accepted: {sql}"),
        Err(refusal) => assert_eq!(refusal.code, expected, "{sql}\n{refusal}"),
    }
}

#[test]
fn every_attack_is_refused() {
    for case in cases("attacks.jsonl").iter().filter(|case| case.should == "reject") {
        assert!(validate(&case.sql, &policy()).is_err(), "attack {} got through: {}", case.id, case.sql);
        let with_range = validate_with_range(&case.sql, &policy());
        // A parameter by itself is no attack where its value is bound.
        assert!(with_range.is_err() || case.sql.contains("$1"), "attack {} got through: {}", case.id, case.sql);
    }
}

#[test]
fn two_parameters_are_taken_where_they_are_bound_and_no_other() {
    let text = "SELECT id FROM sales WHERE sold_at >= $1 AND sold_at < $2::timestamptz";
    check(text, "syntax: parameters such as $1 cannot be used; write the value itself");
    let select = validate_with_range(text, &policy()).unwrap();
    assert_eq!((select.text(), select.range()), (text, None));
    let same = validate_with_range(&text.to_lowercase().replace(' ', "\n"), &policy()).unwrap();
    assert_eq!(select.fingerprint(), same.fingerprint());
    for wrong in [
        "SELECT $3 FROM sales",
        "SELECT $0 FROM sales",
        "SELECT $11 FROM sales",
        "SELECT $1x FROM sales",
        "SELECT $1$1 FROM sales",
        "SELECT $1'x' FROM sales",
        "SELECT $1(id) FROM sales",
        "SELECT * FROM $1",
        "SELECT id AS $1 FROM sales",
        "SELECT :x FROM sales",
        "SELECT pg_read_file($1::text) FROM sales",
        "$1",
    ] {
        assert!(validate_with_range(wrong, &policy()).is_err(), "accepted: {wrong}");
    }
    assert!(validate_with_range("SELECT '$3', $x$ $4 $x$ FROM sales", &policy()).is_ok(), "these are strings");
}

#[test]
fn what_is_only_expensive_is_left_to_the_limits_of_the_database() {
    // EXPLAIN, and what makes too much of its constants.
    let refused = [71, 224, 225, 241, 247, 252];
    for case in cases("attacks.jsonl").iter().filter(|case| case.should == "allow-bounded") {
        assert_eq!(validate(&case.sql, &policy()).is_err(), refused.contains(&case.id), "{}: {}", case.id, case.sql);
    }
}

/// Constants that PostgreSQL would compute where nothing stops it, or that would fill its memory.
const BOMBS: &[&str] = &[
    "SELECT strpos(repeat('ab', 1000000), repeat('ab', 500000) || 'c')",
    "SELECT position(repeat('ab', 500000) || 'c' IN repeat('ab', 1000000))",
    "SELECT strpos(s, p) FROM (SELECT repeat('ab', 1000000) AS s, repeat('ab', 500000) || 'c' AS p) AS q",
    "SELECT strpos(q.x, q.y) FROM (SELECT repeat('ab', 1000000), repeat('ab', 500000) || 'c') AS q(x, y)",
    "WITH q AS (SELECT repeat('ab', 1000000) AS s) SELECT strpos(s, s || 'c') FROM q",
    "WITH q(s) AS (VALUES (repeat('ab', 1000000))) SELECT strpos(s, s || 'c') FROM q",
    "SELECT strpos((SELECT repeat('ab', 1000000)), (SELECT repeat('ab', 500000) || 'c'))",
    "SELECT strpos(repeat, repeat || 'c') FROM (SELECT repeat('ab', 1000000)) AS q",
    "SELECT strpos(repeat(a, 1000000), repeat(a, 500000) || 'c') FROM t",
    "SELECT 1 FROM t WHERE a = replace(repeat('ab', 1000000), repeat('ab', 500000) || 'c', '')",
    "SELECT 1 FROM t ORDER BY strpos(repeat('ab', 1000000), repeat('ab', 500000) || 'c')",
    "SELECT 1 FROM t JOIN u ON strpos(repeat('ab', 1000000), repeat('ab', 500000) || 'c') = u.id",
    "SELECT count(*) FILTER (WHERE strpos(repeat('ab', 1000000), repeat('ab', 500000) || 'c') > 0) FROM t",
    "SELECT CASE WHEN strpos(repeat('ab', 1000000), repeat('ab', 500000) || 'c') > 0 THEN 1 END",
    "SELECT ARRAY[strpos(repeat('ab', 1000000), repeat('ab', 500000) || 'c')]",
    "SELECT translate(repeat('ab', 1000000), repeat('cd', 500000) || 'ab', '')",
    "SELECT btrim(repeat('ab', 1000000), repeat('cd', 500000) || 'ab')",
    "SELECT trim(BOTH repeat('cd', 500000) || 'ab' FROM repeat('ab', 1000000))",
    "SELECT split_part(repeat('ab', 1000000), repeat('ab', 500000) || 'c', 2)",
    "SELECT cardinality(string_to_array(repeat('ab', 1000000), repeat('ab', 500000) || 'c'))",
    "SELECT count(*) FROM string_to_table(repeat('ab', 1000000), repeat('ab', 500000) || 'c')",
    "SELECT repeat('ab', 1000000) LIKE '%' || repeat('ab', 500000) || 'c%'",
    "SELECT repeat('ab', 1000000) ILIKE ANY (ARRAY['%' || repeat('ab', 500000) || 'c%'])",
    "SELECT array_fill(1, ARRAY[200000]) && array_fill(2, ARRAY[200000])",
    "SELECT array_fill(1, ARRAY[400, 500]) <@ (SELECT array_agg(g) FROM generate_series(2, 200000) AS g)",
    "SELECT path(polygon(20000, circle(point(0, 0), 1))) <-> path(polygon(20000, circle(point(9, 9), 1)))",
    "SELECT ('[' || repeat('1,', 4000000) || '1]')::jsonb ?| array_fill('x'::text, ARRAY[200000])",
    "SELECT length((repeat('a & ', 200000) || 'a')::tsquery::text)",
    "SELECT normalize(repeat('e', 10000000))",
    "SELECT xpath('//a[count(preceding::a) > 1]', ('<r>' || repeat('<a/>', 10000) || '</r>')::xml)",
    "SELECT gcd(10::numeric ^ 131000 - 1, 7::numeric ^ 150000)",
    "SELECT 1.5::numeric ^ 100000 * 1.5::numeric ^ 100000",
    "SELECT '1e120000'::numeric * '1e120000'::numeric",
    "SELECT power(7::numeric, 140000) % 3",
    "SELECT factorial(30000)",
    "SELECT length(repeat('a', 900000000))",
    "SELECT length(repeat(repeat(repeat('a', 1000), 1000), 1000))",
    "SELECT length(repeat('a', 1000 * 1000 * 1000))",
    "SELECT length(repeat('a', (SELECT 900000000)))",
    "SELECT length(repeat('a', '900000000'::int)), length(repeat('a', ('9' || '00000000')::int))",
    "SELECT length(repeat('a', ('{900000000}'::int[])[1]))",
    "SELECT length(repeat('a', 1 << 29))",
    "SELECT length(repeat('a', (10 ^ 9)::int))",
    "SELECT length(repeat('a', pg_size_bytes('900 MB')::int))",
    "SELECT length(repeat('a', n)) FROM (VALUES (900000000)) AS v(n)",
    "SELECT length(lpad(a, 900000000)), length(rpad('', 900000000, 'ab')) FROM t",
    "SELECT length(format('%900000000s', a)), length(format('%*s', 900000000, a)) FROM t",
    "SELECT length(format('%' || '900000000' || 's', 'a'))",
    "SELECT length(replace(repeat('a', 20000), 'a', repeat('b', 20000)))",
    "SELECT length(regexp_replace(repeat('a', 20000), 'a', repeat('b', 20000), 'g'))",
    "SELECT length(array_to_string(array_fill('a'::text, ARRAY[10000]), repeat('b', 20000)))",
    "SELECT length(x || x || x || x) FROM (SELECT repeat('a', 9000000) AS x) AS q",
    "SELECT 'a'::char(10000000)::text || 'b'::char(10000000)::text",
    "SELECT length(repeat('a', 15000000)), length(repeat('b', 15000000)), length(repeat('c', 15000000)), \
     length(repeat('d', 15000000)), length(repeat('e', 15000000))",
    "SELECT count(*) FROM unnest(array_fill(repeat('x', 20000), ARRAY[50000]))",
    "SELECT array_agg(repeat('x', 1000000) || g) FROM generate_series(1, 20000) AS g",
    "SELECT array_agg(x) FROM (SELECT repeat('x', 1000000) || generate_series(1, 20000) AS x) AS q",
    "SELECT array_agg(x) FROM (SELECT array_fill(1, ARRAY[500000]) AS x FROM generate_series(1, 2000)) AS q",
    "SELECT array_agg(repeat('x', g)) FROM generate_series(1, 1000000) AS g",
    "SELECT g FROM generate_series(1, 1000000) AS g ORDER BY repeat('x', 100000) || g",
    "SELECT array_agg(repeat('x', 100000)) FROM generate_series(1, 1000) AS a, generate_series(1, 1000) AS b",
    "SELECT count(DISTINCT repeat('x', 100000) || g) FROM generate_series(1, 1000000) AS g",
    "SELECT mode() WITHIN GROUP (ORDER BY repeat('x', 100000) || g) FROM generate_series(1, 100000) AS g",
    "SELECT lag(repeat('x', 1000000) || g) OVER () FROM generate_series(1, 20000) AS g",
    "SELECT json_agg(repeat('x', 1000000) || g) FROM generate_series('2000-01-01'::date, '2025-01-01', '1 day') AS g",
    "WITH RECURSIVE r(s) AS (SELECT repeat('x', 1000000) UNION SELECT s || 'y' FROM r) SELECT count(*) FROM r",
    "WITH RECURSIVE r(s) AS (SELECT 'x'::text UNION ALL SELECT s || s FROM r) SELECT max(length(s)) FROM r",
];

#[test]
fn what_makes_too_much_of_its_constants_is_refused() {
    for sql in BOMBS {
        check_code(sql, "size");
    }
    check(
        "SELECT length(lpad('x', 200000000))",
        "size: lpad could make a value of 763 MB; the limit is 16 MB, make it smaller",
    );
    check(
        "SELECT length(repeat('x', pg_size_bytes('1 GB')::int))",
        "size: repeat could make a value of 2396 MB; the limit is 16 MB, make it smaller",
    );
}

#[test]
fn honest_uses_of_what_can_make_much_pass() {
    for sql in [
        "SELECT a, repeat('#', (100 * count(*) / sum(count(*)) OVER ())::int) AS bar FROM t GROUP BY a",
        "SELECT repeat('█', round(50.0 * count(*) / max(count(*)) OVER ())::int) FROM t GROUP BY a",
        "SELECT lpad(id::text, 10, '0') || rpad(a, 30) || format('%-20s|%5s', a, id) FROM t",
        "SELECT length(repeat('x', 1000000)), md5(repeat('x', 1000))",
        "SELECT 2 ^ 10, 10 ^ 308, power(2, 64), factorial(100), (1 + 0.05 / 12) ^ (12 * 30), exp(700), 2::numeric ^ 1000",
        "SELECT exp(avg(ln(nullif(amount, 0)))), exp(sum(ln(amount)) / count(*)), exp(ln(2) * 10), power(amount, id) FROM sales GROUP BY region, amount, id",
        "SELECT (9.99 ^ 50)::numeric(1000, 900), 1e300 * 1e300, round(1 / 3.0, 1000)",
        "SELECT string_agg(a, ', ' ORDER BY id), array_agg(DISTINCT a), json_agg(a) FROM t",
        "SELECT string_agg(g::text, ',') FROM generate_series(1, 100000) AS g",
        "SELECT count(*) FROM generate_series('2000-01-01'::date, '2025-01-01', '1 day') AS d JOIN t ON t.id = extract(day FROM d)",
        "WITH RECURSIVE tree(id, path) AS (SELECT id, name FROM nodes WHERE parent_id IS NULL UNION ALL \
         SELECT n.id, tree.path || ' / ' || n.name FROM nodes n JOIN tree ON n.parent_id = tree.id) SELECT * FROM tree",
        "WITH RECURSIVE n(i, f) AS (SELECT 1, 1::numeric UNION ALL SELECT i + 1, f * (i + 1) FROM n WHERE i < 50) SELECT * FROM n",
        "SELECT regexp_replace(a, '([a-z])([0-9])', '\\1-\\2', 'g'), replace(replace(a, ' ', ''), '-', '') FROM t",
        "SELECT translate(lower(a), 'äöü', 'aou'), split_part(a, '@', 2), btrim(a, ' .,;') FROM t",
        "SELECT * FROM sales WHERE region = ANY (string_to_array('north,south,east', ','))",
        "SELECT ARRAY[1, 2] && ARRAY[2], to_tsvector('english', a) @@ plainto_tsquery('english', 'x y') FROM t",
        "SELECT (('{\"a\": 5}'::jsonb) ->> 'a')::int * 2, jsonb_build_object('a', a, 'b', ARRAY[1, 2]) FROM t",
    ] {
        accept(sql);
    }
    let list = (0..5_000).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    accept(&format!("SELECT * FROM t WHERE id IN ({list})"));
    accept(&format!("SELECT * FROM t WHERE id = ANY ('{{{list}}}'::int[])"));
    accept(&format!("SELECT * FROM json_array_elements('[{list}]'::json) AS x"));
}

#[test]
fn legitimate_queries_pass_or_are_told_what_to_write() {
    let refused = [
        // PostgreSQL does not take it either.
        (87, "syntax: two string constants side by side; write one, or join them with ||"),
    ];
    let cases = cases("legitimate.jsonl");
    assert_eq!(cases.len(), 74);
    for case in cases {
        match refused.iter().find(|(id, _)| *id == case.id) {
            Some((_, expected)) => check(&case.sql, expected),
            None => drop(accept(&case.sql)),
        }
    }
}

#[test]
fn every_kind_of_refusal_says_what_was_seen_and_what_to_write() {
    check("SELECT 1; SELECT 2", "one_statement: 2 statements found; send one SELECT");
    check(
        "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
        "read_only: CTE \"d\" is DELETE; only SELECT is allowed inside WITH",
    );
    check("EXPLAIN SELECT 1", "read_only: EXPLAIN is not run here; send the SELECT itself");
    check("SELECT * FROM t FOR NO KEY UPDATE", "row_lock: FOR NO KEY UPDATE takes locks; remove it");
    check(
        "SELECT pg_read_file('x')",
        "function: pg_read_file is not allowed: it is not on the list of functions that only compute from their \
         arguments; leave it out",
    );
    check("SELECT lenght('x')", "function: lenght is not allowed; did you mean length");
    check(
        "SELECT datetrunc('month', sold_at) FROM sales",
        "function: datetrunc is not allowed; did you mean date_trunc",
    );
    check(
        "SELECT ifnull(a, 1) FROM t",
        "function: ifnull is not a function of PostgreSQL; write coalesce(value, other)",
    );
    check("SELECT * FROM pg_authid", "relation: pg_authid holds credentials; use describe_table");
    check("SELECT * FROM salse", "relation: salse is not a table that may be read; did you mean sales");
    check("SELECT * FROM old_sales", "relation: write archive.old_sales, with its schema");
    let mut odd = Policy { search_path: vec!["public".to_owned(), "Old".to_owned()], ..Policy::default() };
    odd.allow("public", "Invoice", ["id"]);
    odd.allow("Old", "order", ["id"]);
    let said = |sql: &str| validate(sql, &odd).unwrap_err().to_string();
    let hint = "relation: invoice is not a table that may be read; did you mean \"Invoice\"";
    assert_eq!(said("SELECT * FROM invoice"), hint);
    assert_eq!(said("SELECT * FROM \"order\""), "relation: write \"Old\".\"order\", with its schema");
    let hint = "relation: x is not a table that may be read; there are \"Old\".\"order\", public.\"Invoice\"";
    assert_eq!(said("SELECT * FROM x"), hint);
    check("SELECT s.regoin FROM sales s", "column: s has no column regoin; did you mean region");
    check("SELECT x.region FROM sales s", "column: x is not a table or alias in this FROM");
    check(
        "SELECT 'a'::mood",
        "type: mood is not a type that may be cast to; compare an enum with plain text, and cast to PostgreSQL's own types",
    );
    check(
        "SELECT 1 @@@ 2",
        "operator: @@@ is not one of PostgreSQL's own operators; use one that is, with spaces around it",
    );
    check("SELECT 1 FROM t LIMIT", "syntax: the statement ends too early, after \"limit\"; complete it");
    check("", "syntax: there is nothing to run; send one SELECT");
    check(" ; ", "syntax: there is nothing to run; send one SELECT");
    check(&format!("SELECT '{}'", "x".repeat(40_000)), "size: 40009 bytes of SQL; the limit is 32768");
}

#[test]
fn a_refusal_is_one_bounded_line_whatever_the_text_held() {
    let hostile = format!("SELECT \"{}\n\u{202e}\"(1)", "a".repeat(50));
    let Err(refusal) = validate(&hostile, &policy()) else { panic!("accepted") };
    assert!(!refusal.message.contains(['\n', '\u{202e}']), "{refusal}");
    assert!(refusal.to_string().chars().count() < 350);
}

#[test]
fn a_dot_cannot_call_a_function() {
    for sql in [
        "SELECT x.pg_read_file FROM unnest(ARRAY['/etc/passwd'::text]) x",
        "SELECT x.pg_read_file FROM unnest(ARRAY['/etc/passwd'::text]) x, (SELECT 1 AS pg_read_file) y",
        "SELECT x.pg_read_file FROM unnest(ARRAY['/etc/passwd'::text]) AS x(a)",
        "SELECT pg_read_file.pg_read_file FROM unnest(ARRAY['/etc/passwd'::text]) AS pg_read_file(a)",
        "SELECT pg_read_file.pg_read_file FROM jsonb_array_elements_text('[\"/etc/passwd\"]') AS pg_read_file",
        "SELECT public.x.pg_read_file FROM unnest(ARRAY['/etc/passwd'::text]) x",
        "SELECT ('/etc/passwd'::text).pg_read_file",
        "SELECT (x).pg_read_file FROM unnest(ARRAY['/etc/passwd'::text]) x",
        "SELECT (x.y).pg_read_file FROM (SELECT '/etc/passwd'::text AS y) x",
        "SELECT (ARRAY['/etc/passwd'::text])[1].pg_read_file",
        "SELECT x.\"pg_read_file\" FROM generate_series(1, 2) x",
        "SELECT u.sd FROM u",
        "SELECT (u).sd FROM u",
        "SELECT 1 FROM unnest(ARRAY['/etc/passwd'::text]) x ORDER BY x.pg_read_file",
        // Within the join's condition PostgreSQL does not see the first x of the inner FROM, but the outer one.
        "SELECT 1 FROM unnest(ARRAY['/etc/passwd'::text]) x WHERE EXISTS \
         (SELECT 1 FROM (SELECT 1 AS pg_read_file) x, t JOIN u ON x.pg_read_file IS NULL)",
        "SELECT (SELECT y.v FROM (SELECT x.pg_read_file AS v) y, (SELECT 1 AS pg_read_file) x) \
         FROM unnest(ARRAY['/etc/passwd'::text]) x",
    ] {
        check_code(sql, "column");
    }
    accept(
        "SELECT x.x, y.a, z.value, (jsonb_each_text(s.attrs)).key FROM unnest(ARRAY[1]) x, unnest(ARRAY[2]) y(a), \
            sales s, jsonb_array_elements(s.attrs) z",
    );
    accept(
        "SELECT q.n, s.region, s.tags[1] FROM sales s JOIN (SELECT s.region, count(*) AS n FROM sales s GROUP BY 1) q \
            ON q.region = s.region WHERE EXISTS (SELECT 1 FROM sales s WHERE s.id = 1)",
    );
}

#[test]
fn a_cte_shadows_a_table_only_where_it_is_in_scope() {
    accept("WITH pg_shadow AS (SELECT 1 AS a) SELECT pg_shadow.a FROM pg_shadow");
    accept("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT r.n + 1 FROM r WHERE r.n < 3) SELECT r.n FROM r");
    accept("WITH a AS (SELECT 1 AS x), b AS (SELECT * FROM a) SELECT * FROM b WHERE EXISTS (SELECT 1 FROM a)");
    for sql in [
        "WITH pg_shadow AS (SELECT * FROM pg_shadow) SELECT * FROM pg_shadow",
        "WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM a",
        "SELECT * FROM (WITH pg_shadow AS (SELECT 1) SELECT * FROM pg_shadow) x, pg_shadow",
        "(WITH pg_shadow AS (SELECT 1) SELECT * FROM pg_shadow) UNION ALL SELECT * FROM pg_shadow",
        "WITH pg_shadow AS (SELECT 1) SELECT * FROM pg_catalog.pg_shadow",
        "WITH pg_shadow AS (SELECT 1) SELECT * FROM public.pg_shadow",
    ] {
        check_code(sql, "relation");
    }
}

#[test]
fn relations_are_found_in_every_place_that_reads_one() {
    for place in [
        "TABLE {}",
        "SELECT 1 UNION TABLE {}",
        "TABLE t UNION ALL TABLE {}",
        "SELECT * FROM t, {}",
        "SELECT * FROM t LEFT JOIN {} USING (id)",
        "SELECT * FROM (t CROSS JOIN {})",
        "SELECT * FROM LATERAL (SELECT * FROM {}) x",
        "SELECT (SELECT count(*) FROM {})",
        "SELECT ARRAY(SELECT 1 FROM {})",
        "SELECT * FROM t WHERE id IN (SELECT 1 FROM {})",
        "SELECT * FROM t WHERE id = ANY (SELECT 1 FROM {})",
        "SELECT * FROM t WHERE id BETWEEN SYMMETRIC 1 AND (SELECT 1 FROM {})",
        "SELECT * FROM t ORDER BY (SELECT 1 FROM {})",
        "SELECT * FROM t LIMIT (SELECT 1 FROM {})",
        "SELECT * FROM t OFFSET (SELECT 1 FROM {}) ROWS",
        "SELECT DISTINCT ON ((SELECT 1 FROM {})) id FROM t",
        "SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM {})) FROM t",
        "SELECT sum(id) OVER (PARTITION BY (SELECT 1 FROM {})) FROM t",
        "SELECT sum(id) OVER w FROM t WINDOW w AS (ORDER BY (SELECT 1 FROM {}))",
        "SELECT sum(id) OVER (ROWS BETWEEN (SELECT 1 FROM {}) PRECEDING AND CURRENT ROW) FROM t",
        "SELECT percentile_cont((SELECT 1 FROM {})) WITHIN GROUP (ORDER BY id) FROM t",
        "SELECT 1 FROM t GROUP BY id, ((SELECT 1 FROM {}))",
        "SELECT 1 FROM t GROUP BY GROUPING SETS ((id), CUBE (abs((SELECT 1 FROM {}))))",
        "SELECT 1 FROM t HAVING (SELECT true FROM {})",
        "SELECT CASE WHEN true THEN (SELECT 1 FROM {}) END",
        "SELECT substring('x' FROM (SELECT 1 FROM {}))",
        "SELECT extract(year FROM (SELECT now() FROM {}))",
        "SELECT now() AT TIME ZONE (SELECT 'x' FROM {})",
        "SELECT ARRAY[1, (SELECT 1 FROM {})]",
        "SELECT (ARRAY[1])[(SELECT 1 FROM {})]",
        "SELECT ROW(1, (SELECT 1 FROM {}))",
        "SELECT make_interval(days => (SELECT 1 FROM {}))",
        "SELECT 'a' LIKE 'b' ESCAPE (SELECT 'c' FROM {})",
        "SELECT CAST((SELECT 1 FROM {}) AS int)",
        "SELECT * FROM generate_series(1, (SELECT 2 FROM {})) g",
        "SELECT * FROM t TABLESAMPLE BERNOULLI ((SELECT 2 FROM {}))",
        "VALUES ((SELECT 1 FROM {}))",
        "WITH x AS MATERIALIZED (SELECT 1 FROM {}) SELECT 1",
        "SELECT * FROM JSON_TABLE((SELECT '1'::jsonb FROM {}), '$' COLUMNS (k int PATH '$')) j",
    ] {
        accept(&place.replace("{}", "u"));
        check_code(&place.replace("{}", "pg_shadow"), "relation");
        let call = place.replace("{}", "pg_read_file('x')");
        assert!(validate(&call, &policy()).is_err(), "accepted: {call}");
    }
}

#[test]
fn system_catalogues_that_describe_tables_can_be_read() {
    accept("SELECT c.relname FROM pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace");
    accept("SELECT c.column_name FROM information_schema.columns c WHERE c.table_name = 'sales'");
    check_code("SELECT * FROM information_schema.user_mapping_options", "relation");
    check_code("SELECT * FROM information_schema.routines", "relation");
    check_code("SELECT * FROM tables", "relation");
    check_code("SELECT * FROM other.sales", "relation");
    check_code("SELECT * FROM lab.public.sales", "relation");
}

#[test]
fn casts_are_to_types_of_postgresql_alone() {
    accept("SELECT '1'::int, CAST('1' AS numeric(10, 2)), DATE '2025-01-01', '{1}'::int[], 'x'::pg_catalog.text");
    accept("SELECT 't'::regclass, 'int'::regtype, TIMESTAMP WITH TIME ZONE '2025-01-01', INTERVAL '1' DAY");
    for sql in [
        "SELECT 'writer'::regproc",
        "SELECT 'postgres'::regrole",
        "SELECT mytype 'x'",
        "SELECT \"mytype\" 'x'",
        "SELECT mytype(1) 'x'",
        "SELECT public.mytype 'x'",
        "SELECT '1'::public.int4",
        "SELECT '{}'::mytype[]",
        "SELECT NULL::sales",
        "SELECT CAST(NULL AS mytype)",
        "SELECT * FROM json_to_record('{}') AS x(a mytype)",
        "SELECT * FROM JSON_TABLE('{}'::jsonb, '$' COLUMNS (a mytype PATH '$')) x",
        "SELECT INTERVAL (SELECT '1')",
    ] {
        assert!(validate(sql, &policy()).is_err(), "accepted: {sql}");
    }
}

#[test]
fn literals_and_comments_end_where_postgresql_ends_them() {
    for sql in [
        "SELECT '\\', pg_sleep(0) --'",
        "SELECT E'\\'', pg_sleep(0), E'\\''",
        "SELECT $a$ $b$ $a$, pg_sleep(0) --$b$",
        "SELECT $$ /* $$, pg_sleep(0) /* */",
        "SELECT /* /* */ 1 */ pg_sleep(0)",
        "SELECT 1 -- /*\n, pg_sleep(0) -- */",
        "SELECT 'a'\n  '', pg_sleep(0), '' --'",
        "SELECT \"a\"\"\", pg_sleep(0) --\"",
        "SELECT 1 AS \"--\", pg_sleep(0)",
        "SELECT a$b$, pg_sleep(0) --$b$ FROM t",
        "SELECT 1 @-- pg_sleep\n pg_sleep(0)",
        "SELECT \u{a0}pg_sleep(0)",
        "SELECT pg_sleep\u{200b}(0)",
        "SELECT 'x\0'",
        "SELECT `id` FROM t",
        "SELECT 1\u{b}",
        "SELECT $1",
        "SELECT 0x1F, 1_000",
        "SELECT b.pg_read_file FROM unnest(ARRAY['x']) AS b",
    ] {
        assert!(validate(sql, &policy()).is_err(), "accepted: {sql}");
    }
    accept("SELECT '-- no comment', $$ ; $$, 'it''s; /*', E'it\\'s', \"id\" FROM t -- pg_sleep(0); DROP");
    accept("SELECT 'pg_sleep(0)' AS \"pg_sleep(0)\"");
}

#[test]
fn key_words_are_never_taken_for_names() {
    for sql in [
        "SELECT 1 END",
        "SELECT ONLY t FROM t",
        "SELECT * FROM t only",
        "SELECT TABLE",
        "SELECT TABLE text",
        "SELECT 1 + TABLE t",
        "SELECT INTO FROM t",
        "SELECT user.x FROM t",
        "SELECT * FROM t TABLE",
        "SELECT id analyze FROM t",
        "SELECT t.id FROM t, only",
        "SELECT id COLLATE FROM t",
        "SELECT usename, passwd COLLATE FROM pg_shadow",
    ] {
        assert!(validate(sql, &policy()).is_err(), "accepted: {sql}");
    }
    accept("SELECT id AS end, a AS \"table\" FROM t");
}

#[test]
fn functions_that_the_owner_allowed_may_be_called() {
    let mut policy = policy();
    policy.functions.extend(["fiscal_year".to_owned(), "finance.margin".to_owned()]);
    assert!(validate("SELECT fiscal_year(sold_at), finance.margin(amount) FROM sales", &policy).is_ok());
    assert!(validate("SELECT margin(amount) FROM sales", &policy).is_err());
    assert!(validate("SELECT other.fiscal_year(sold_at) FROM sales", &policy).is_err());
    assert!(validate("SELECT pg_catalog.fiscal_year(sold_at) FROM sales", &policy).is_err());
}

#[test]
fn the_text_that_runs_is_the_text_less_its_ends() {
    assert_eq!(accept(" -- first\n SELECT  1 /* in */ + 1 ; ; -- last").text(), "SELECT  1 /* in */ + 1");
    let relations = accept("SELECT * FROM sales JOIN archive.old_sales USING (id)").relations().clone();
    let expected = [("archive", "old_sales"), ("public", "sales")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(relations, expected.into());
}

#[test]
fn texts_that_mean_the_same_have_one_fingerprint() {
    let fingerprint = |sql: &str| accept(sql).fingerprint();
    let first = fingerprint("SELECT Region, 'A  b' FROM sales WHERE \"region\" = 'x'");
    assert_eq!(first, fingerprint("select region ,'A  b'\n from  SALES -- now\n where \"region\"='x';"));
    assert_ne!(first, fingerprint("SELECT Region, 'a  b' FROM sales WHERE \"region\" = 'x'"));
    assert_ne!(fingerprint("SELECT 'a', 'b'"), fingerprint("SELECT 'a'', ''b'"));
}

#[test]
fn nesting_and_length_are_bounded_and_cost_no_stack() {
    let nested =
        |open: &str, close: &str, depth: usize| format!("SELECT {}1{}", open.repeat(depth), close.repeat(depth));
    for (open, close) in
        [("(", ")"), ("abs(", ")"), ("(SELECT ", ")"), ("ARRAY[", "]"), ("CASE WHEN true THEN ", " END")]
    {
        accept(&nested(open, close, 12));
        for depth in [64, 65, 500, 2_000] {
            drop(validate(&nested(open, close, depth), &policy()));
        }
    }
    check_code(&nested("(", ")", 65), "size");
    accept(&format!("SELECT 1{}", " + 1".repeat(1_400)));
    check_code(&format!("SELECT 1{}", "+1".repeat(10_000)), "size");
    accept(&format!("SELECT 1{}", "::int".repeat(1_400)));
    accept(&format!("SELECT 1{}", " IS NOT NULL".repeat(700)));
    accept(&format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(1_000)));
    accept(&format!("SELECT id FROM t WHERE id IN (1{})", ",1".repeat(9_000)));
    for word in [
        "NOT ",
        "- ",
        "~ ",
        "CASE ",
        "( SELECT 1 FROM (",
        "LATERAL ",
        "[",
        "{",
        "x.",
        "a(",
        "\"a\"(",
        "::int[",
        "WITH a AS (",
    ] {
        drop(validate(&format!("SELECT {}", word.repeat(30_000 / word.len())), &policy()));
    }
}

#[test]
fn calls_are_found_in_every_spelling() {
    for sql in [
        "SELECT \"pg_read_file\"('x')",
        "SELECT pg_catalog.pg_read_file('x')",
        "SELECT public.lower('x')",
        "SELECT PG_READ_FILE ( 'x' )",
        "SELECT * FROM t, LATERAL pg_read_file('x') f",
        "SELECT * FROM t CROSS JOIN LATERAL pg_read_file('x') AS f(a)",
        "WITH pg_sleep(a) AS (SELECT 1) SELECT pg_sleep(0) FROM pg_sleep",
        "SELECT pg_sleep(0) FROM t AS pg_sleep(a)",
        "SELECT rollup(1)",
        "SELECT pg_input_is_valid('x', 'mydomain')",
        "SELECT JSON_VALUE('{}', '$.k' RETURNING mydomain)",
        "SELECT 1 FROM t GROUP BY DISTINCT pg_sleep(0)",
        "SELECT 1 BETWEEN SYMMETRIC 1 AND pg_sleep(0)::text",
        "SELECT sum(id) OVER (ROWS BETWEEN pg_backend_pid() PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM t",
        "SELECT over(1), filter(1)",
        "SELECT system(1)",
    ] {
        assert!(validate(sql, &policy()).is_err(), "accepted: {sql}");
    }
    accept("SELECT pg_catalog.lower('x'), \"upper\"('y') FROM t AS alias(one, two) TABLESAMPLE SYSTEM (10)");
}

/// What the forms hold that the parser is given in another way is looked at all the same.
#[test]
fn a_form_that_is_rewritten_for_the_parser_hides_nothing() {
    for form in [
        "SELECT sum(id) rows FROM (SELECT {} AS id) x",
        "SELECT 1, rows FROM (SELECT {} AS rows) x",
        "SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY[{}])) WITH ORDINALITY AS x(a, b, c)",
        "SELECT * FROM t, ROWS FROM (jsonb_to_record(to_jsonb({})) AS (a int)) AS x(a)",
        "SELECT xmlelement(name a, xmlattributes({} AS b, 1 AS c), 2)",
        "SELECT xmlelement(name a, xmlattributes(1 AS b), 2, {})",
        "SELECT xmlforest(1 AS a, {} AS b)",
        "SELECT xmlconcat('<a/>', xmlparse(content {}::text PRESERVE WHITESPACE))",
        "SELECT xmlserialize(document {}::text::xml AS text)",
        "SELECT xmlpi(name a, {}::text)",
        "SELECT xmlroot({}::text::xml, version NO VALUE, standalone YES)",
        "SELECT xmlroot('<a/>', version {}::text, standalone NO)",
        "SELECT xmlexists({}::text PASSING BY REF '<a/>' BY REF)",
        "SELECT xmlexists('//a' PASSING {}::text::xml)",
        "SELECT concat('a', VARIADIC ARRAY[{}])",
        "SELECT 1 OPERATOR(pg_catalog.+) {}, OPERATOR(pg_catalog.-) {}",
        "WITH RECURSIVE r AS (SELECT 1 AS id UNION ALL SELECT {} FROM r) SEARCH DEPTH FIRST BY id SET o CYCLE id SET c \
         TO 'y' DEFAULT 'n' USING p SELECT id FROM r",
        "SELECT 1 FETCH FIRST ({}) ROWS WITH TIES",
        "SELECT 1 FROM t GROUP BY GROUPING SETS ((a), GROUPING SETS (({}), ()))",
        "SELECT substring('a' SIMILAR {}::text ESCAPE '#'), substring('a' FOR {} FROM 1)",
        "SELECT substring('a' SIMILAR 'b' ESCAPE {}::text)",
        "SELECT 1 = ANY (VALUES (1), ({}))",
        "SELECT 1 = ANY ((SELECT {}) UNION (SELECT 1))",
        "SELECT EXISTS ((SELECT {}) LIMIT 1), 1",
        "SELECT 1, (VALUES ({}))",
        "SELECT int4range(1, 3) @> ANY (ARRAY[{}]), {}::text LIKE ANY (ARRAY['a'])",
        "SELECT '{1}'::int[] && ANY (SELECT ARRAY[{}])",
        "SELECT @-@ ({}::text)::path, !! ({}::text)::tsquery, {} ISNULL, {} NOTNULL",
        "SELECT {}::text::xml IS NOT DOCUMENT, COLLATION FOR ({}::text)",
        "SELECT make_interval(days := {})",
        "SELECT JSON_VALUE({}::text::jsonb, '$.k' PASSING 1 AS x RETURNING int DEFAULT 0 ON EMPTY ERROR ON ERROR)",
        "SELECT JSON_VALUE('1'::jsonb, '$.k' DEFAULT {} ON EMPTY DEFAULT {} ON ERROR)",
        "SELECT JSON_QUERY('1'::jsonb, '$.k' PASSING {} AS x, 2 AS y WITH CONDITIONAL ARRAY WRAPPER NULL ON EMPTY)",
        "SELECT JSON_EXISTS('1'::jsonb, '$.k' PASSING {} AS x ERROR ON ERROR)",
        "SELECT JSON_OBJECT('a': {}, 'b' VALUE {} ABSENT ON NULL WITH UNIQUE KEYS RETURNING jsonb)",
        "SELECT JSON_ARRAY(1, {} NULL ON NULL RETURNING jsonb), JSON_ARRAYAGG({} ORDER BY {} ABSENT ON NULL)",
        "SELECT {}::text COLLATE \"C\"",
    ] {
        accept(&form.replace("{}", "1"));
        for hidden in
            ["pg_read_file('x')", "pg_sleep(0)", "(SELECT rolname FROM pg_authid)", "(1).pg_sleep", "'1'::mytype"]
        {
            let text = form.replace("{}", hidden);
            assert!(validate(&text, &policy()).is_err(), "accepted: {text}");
        }
    }
}

#[test]
fn words_of_a_rewritten_form_are_names_and_types_elsewhere() {
    for sql in [
        "SELECT document 'x'",
        "SELECT content 'x'",
        "SELECT similar 'x'",
        "SELECT varying 'x'",
        "SELECT passing 'x'",
        "SELECT version 'x'",
        "SELECT xmlparse(document document 'x')",
        "SELECT substring('a' || similar 'x')",
        "SELECT substring('a' LIKE 'b' ESCAPE similar 'x')",
        "SELECT value 'x'",
        "SELECT JSON_OBJECT('a' VALUE value 'x')",
        "SELECT JSON_VALUE('1'::jsonb, '$.k' RETURNING mytype DEFAULT 1 ON ERROR)",
        "SELECT JSON_OBJECT('a' VALUE 1 RETURNING mytype[])",
        "SELECT JSON_ARRAY(SELECT pg_sleep(0))",
        "SELECT second(1)",
        "SELECT interval second(pg_sleep(0))",
        "SELECT \"xmlelement\"(1)",
        "SELECT public.xmlforest(1)",
        "SELECT 1 OPERATOR(public.+) 2",
        "SELECT \"integer\" '1'",
        "SELECT '1'::\"int\"",
        "SELECT CAST('{}' AS \"real\"[])",
        "SELECT mytype(1) 'x'",
        "SELECT public.date '2025-01-01'",
        "SELECT U&\"pg\\005fsleep\"(0)",
        "SELECT U&\"pg!005fsleep\" UESCAPE '!' (0)",
        "SELECT U&'a' UESCAPE '!', pg_sleep(0)",
        "SELECT U&'\\'', pg_sleep(0) --'",
        "SELECT U&'\\D83D'",
        "SELECT E'\\x27', pg_sleep(0), E'\\''",
        "SELECT E'\\xff'",
        "SELECT * FROM ONLY pg_authid",
        "SELECT * FROM ONLY (pg_authid), t",
        "SELECT * FROM ONLY pg_read_file('x')",
        "SELECT * FROM pg_authid *",
        "SELECT 1 ORDER BY 1 USING <",
        "WITH RECURSIVE r AS (SELECT 1 AS id) CYCLE id SET c TO pg_sleep(0) DEFAULT 1 USING p SELECT * FROM r",
    ] {
        assert!(validate(sql, &policy()).is_err(), "accepted: {sql}");
    }
    accept("SELECT version, document FROM (SELECT 1 AS version, 2 AS document) x");
    check(
        "SELECT 1 OPERATOR(public.+) 2",
        "operator: only PostgreSQL's own operators may be used; write the operator itself, or OPERATOR(pg_catalog.+)",
    );
}

#[test]
fn escapes_say_the_characters_that_they_stand_for() {
    let said = accept("SELECT U&'d\\0061!', U&'d!0061t!+00006' || U&'!!!0061' UESCAPE '!', E'\\x41\\102\\u0043\\q'")
        .fingerprint();
    for text in ["'da!'", "'d!0061t!+00006'", "'!a'", "'ABCq'"] {
        assert!(said.contains(text), "{text} is not in {said}");
    }
    accept("SELECT s.U&\"r\\0065gion\" FROM sales s");
}
