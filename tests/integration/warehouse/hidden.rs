//! What the owner keeps out of sight, excluded tables and sensitive columns, is not seen by any way around either.

use std::collections::BTreeSet;
use std::sync::Arc;

use explore::warehouse::catalog::MarkedColumn;
use explore::warehouse::catalog::Selection;
use explore::warehouse::executor::{Executor, Rules};

use super::executor::{LIMITS, bare, through};
use crate::agent::runs::database;
use crate::support::program::Program;
use crate::support::server::{connect, fresh};

async fn executor(url: &str, excluded: &[&str], sensitive: &[(&str, &str)]) -> Executor {
    let marked = |(table, column): &(&str, &str)| MarkedColumn {
        schema: None,
        table: (*table).to_owned(),
        column: (*column).to_owned(),
    };
    let rules = Rules {
        search_path: vec!["public".to_owned()],
        selection: Selection {
            exclude: excluded.iter().map(|name| (*name).to_owned()).collect(),
            ..Selection::default()
        },
        sensitive: sensitive.iter().map(marked).collect::<BTreeSet<_>>(),
        ..Rules::default()
    };
    Executor::open(Arc::new(connect(url).await), rules, LIMITS).await.unwrap().0
}

const SECRETS: &str = "CREATE TYPE grade AS ENUM ('GRADE-SECRET', 'b'); CREATE TYPE mood AS ENUM ('fine', 'bad');
    CREATE TABLE plain (id int, name text, mood mood DEFAULT 'fine'); INSERT INTO plain VALUES (1, 'x');
    CREATE TABLE salaries (id int, name text, pay numeric DEFAULT 4711, grade grade); INSERT INTO salaries VALUES (1, 'Ann', 123456);
    ALTER TABLE salaries ADD COLUMN bonus text DEFAULT 'BONUS-SECRET';
    ALTER TABLE salaries ADD CONSTRAINT pay_check CHECK (pay < 987654321);
    CREATE INDEX salaries_part ON salaries (name) WHERE name <> 'INDEX-SECRET';
    COMMENT ON TABLE salaries IS 'COMMENT-SECRET';
    CREATE VIEW over AS SELECT name, pay FROM salaries; CREATE MATERIALIZED VIEW stored AS SELECT name, pay FROM salaries;
    CREATE VIEW over_stored AS SELECT * FROM stored; CREATE MATERIALIZED VIEW stored_over AS SELECT name FROM over_stored;
    CREATE TABLE parent (id int, x text); CREATE TABLE child (y text) INHERITS (parent); INSERT INTO child VALUES (1, 'CHILD-SECRET');
    CREATE TABLE whole (id int, tenant text) PARTITION BY LIST (tenant);
    CREATE TABLE acme PARTITION OF whole FOR VALUES IN ('TENANT-SECRET'); INSERT INTO whole VALUES (1, 'TENANT-SECRET');
    CREATE VIEW fine AS SELECT name FROM plain;";

#[tokio::test]
async fn an_excluded_table_is_not_shown_by_what_is_made_of_it() {
    let url = fresh("unseen_excluded", SECRETS).await;
    let executor = executor(&url, &["salaries", "child", "acme"], &[]).await;
    for text in [
        "SELECT * FROM salaries",
        "SELECT pay FROM over",
        "SELECT pay FROM stored",
        "SELECT pay FROM over_stored",
        "SELECT name FROM stored_over",
        "SELECT x FROM parent",
        "SELECT tenant FROM whole",
        "SELECT attmissingval FROM pg_attribute WHERE attrelid = 'salaries'::regclass",
        "SELECT a FROM pg_attribute a",
        "SELECT * FROM pg_attribute",
        "SELECT row_to_json(a) FROM pg_attribute a",
        "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef",
        "SELECT adbin FROM pg_attrdef",
        "SELECT pg_catalog.pg_get_expr(relpartbound, oid) FROM pg_class",
        "SELECT relpartbound FROM pg_class",
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint",
        "SELECT indexdef FROM pg_indexes",
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index",
        "SELECT enumlabel FROM pg_enum",
        "SELECT upper(x.e) FROM (SELECT enumlabel AS e FROM pg_enum) x",
        "SELECT count(*) FROM pg_enum WHERE enumlabel LIKE 'GRADE%'",
        "SELECT enum_range(NULL::grade)",
        "SELECT NULL::grade",
        "SELECT column_default FROM information_schema.columns",
        "SELECT check_clause FROM information_schema.check_constraints",
        "SELECT description FROM pg_description",
        "SELECT obj_description('salaries'::regclass)",
        "SELECT typdefault FROM pg_type",
        "SELECT reloptions FROM pg_class",
    ] {
        let said = through(&executor, text).await;
        assert!(executor.validate(text).await.is_err(), "{text}: {said}");
        assert!(!said.contains("SECRET"), "{text}: {said}");
    }
    for text in [
        "SELECT name, mood FROM plain WHERE mood = 'fine'::mood",
        "SELECT name FROM fine",
        "SELECT relname, relkind FROM pg_class WHERE relname = 'salaries'",
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'plain'",
        "SELECT count(enumlabel) FROM pg_enum",
    ] {
        assert_eq!(through(&executor, text).await, "fine", "{text}");
    }
}

const PEOPLE: &str = "CREATE TABLE people (id int, name text, email text, salary numeric, region text);
    INSERT INTO people VALUES (1, 'Ann', 'ann@x.org', 100, 'north'), (2, 'Bob', 'bob@x.org', 200, 'south');
    CREATE TABLE leads (address text, source text); INSERT INTO leads VALUES ('ann@x.org', 'fair');
    ALTER TABLE people ADD COLUMN shout text GENERATED ALWAYS AS (upper(email)) STORED;
    CREATE VIEW known AS SELECT * FROM leads; CREATE MATERIALIZED VIEW stored AS SELECT * FROM leads;
    CREATE TABLE keyed (k numeric, twin numeric GENERATED ALWAYS AS (k) STORED); INSERT INTO keyed VALUES (100), (200);
    CREATE TABLE holder (id int, p people);
    CREATE VIEW mixed AS SELECT email AS contact FROM people UNION ALL SELECT address FROM leads;
    CREATE TABLE clerks (desk int) INHERITS (people); CREATE VIEW shown AS SELECT id, email AS contact, region FROM people;
    CREATE VIEW hashed AS SELECT md5(email) AS hash FROM people; CREATE MATERIALIZED VIEW kept AS SELECT email, region FROM people;";

/// What shows single values of people.email or people.salary, or tells them.
const SINGLE_VALUES: &[&str] = &[
    "SELECT email FROM people",
    "SELECT * FROM people",
    "SELECT p.* FROM people p",
    "SELECT p FROM people p",
    "TABLE people",
    "SELECT (p).email FROM people p",
    "SELECT x FROM (SELECT email AS x FROM people) q",
    "WITH q AS (SELECT * FROM people) SELECT email FROM q",
    "WITH q(a, b, c) AS (SELECT * FROM people) SELECT c FROM q",
    "WITH RECURSIVE q AS (SELECT name AS v FROM people UNION ALL SELECT email FROM people, q WHERE false) SELECT v FROM q",
    "WITH RECURSIVE a AS (SELECT upper(s) AS u FROM b), b AS (SELECT email AS s FROM people) SELECT u FROM a",
    "SELECT name FROM people WHERE email LIKE 'a%'",
    "SELECT count(*) FROM people WHERE email IS NULL",
    "SELECT count(*) FROM people GROUP BY email",
    "SELECT name FROM people ORDER BY salary",
    "SELECT name FROM (SELECT name, salary FROM people ORDER BY 2 LIMIT 1) q",
    "SELECT name FROM (SELECT name, salary AS s FROM people ORDER BY (s)) q",
    "SELECT count(*) FROM (SELECT DISTINCT email FROM people) q",
    "SELECT count(*) FROM (SELECT email FROM people EXCEPT SELECT 'ann@x.org') q",
    "SELECT name FROM people UNION ALL SELECT email FROM people",
    "SELECT min(email), max(salary) FROM people",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY salary) FROM people",
    "SELECT upper(email), md5(email), length(email) FROM people",
    "SELECT string_agg(email, ',') FROM people",
    "SELECT array_agg(salary) FROM people",
    "SELECT row_to_json(p) FROM people p",
    "SELECT to_jsonb(p.*) FROM people p",
    "SELECT count(p) FROM people p",
    "SELECT sum(salary) OVER (ORDER BY id) FROM people",
    "SELECT sum(DISTINCT salary) FROM people",
    "SELECT sum(salary * 2) FROM people",
    "SELECT sum(CASE WHEN salary > 150 THEN 1 END) FROM people",
    "SELECT count(*) FILTER (WHERE salary > 150) FROM people",
    "SELECT email::int FROM people",
    "SELECT (SELECT email FROM people LIMIT 1)",
    "SELECT 'ann@x.org' IN (SELECT email FROM people)",
    "SELECT ARRAY(SELECT email FROM people)",
    "SELECT l.address FROM people p JOIN leads l ON l.address = p.email",
    "SELECT count(*) FROM people p JOIN leads l ON l.address = p.email WHERE l.address = 'ann@x.org'",
    "SELECT count(*) FROM people p JOIN (VALUES ('ann@x.org')) v (a) ON v.a = p.email",
    "SELECT count(*) FROM people p JOIN leads l ON p.email < l.address",
    "SELECT q.e FROM leads l CROSS JOIN LATERAL (SELECT l.address AS e) q JOIN people p ON p.email = l.address",
    "SELECT contact FROM shown",
    "SELECT hash FROM hashed",
    "SELECT email FROM kept",
    "SELECT email FROM clerks",
    "SELECT a.e FROM (people p JOIN leads l ON true) AS a (i, n, e)",
    "SELECT email FROM people UNION ALL SELECT 'ann@x.org'",
    "SELECT count(DISTINCT email) FROM (SELECT email FROM people UNION ALL SELECT 'ann@x.org') q",
    "SELECT p.id, v.g FROM people p JOIN (SELECT email, 0 AS g FROM people WHERE false UNION ALL VALUES ('ann@x.org', 1)) v \
     USING (email)",
    "SELECT id FROM people NATURAL JOIN (SELECT email FROM people WHERE false UNION ALL SELECT 'ann@x.org') v",
    "SELECT stddev(s) FROM (SELECT salary AS s FROM people WHERE id = 1 UNION ALL SELECT 100) q",
    "SELECT sum(salary) FROM (SELECT salary FROM people UNION ALL SELECT salary FROM people) q",
    "SELECT contact FROM mixed",
    "SELECT p.id, (SELECT sum(z) FROM (SELECT p.salary AS z) q) FROM people p",
    "SELECT p.id, (SELECT sum(p.salary) FROM leads) FROM people p",
    "SELECT id, (SELECT sum(salary) FROM leads) FROM people",
    "SELECT p.id FROM people p WHERE (SELECT avg(z) FROM (SELECT p.salary AS z) q) > 50",
    "SELECT p.id, l.s FROM people p CROSS JOIN LATERAL (SELECT sum(p.salary) AS s) l",
    "SELECT p.id, l.s FROM people p CROSS JOIN LATERAL (SELECT p.salary AS s) l",
    "SELECT p.id FROM people p JOIN LATERAL (SELECT 'ann@x.org' AS a FROM leads l JOIN leads m ON p.email = l.address) q ON true",
    "SELECT p.id, c.ordinal_position FROM people p JOIN information_schema.columns c ON c.ordinal_position = p.salary",
    "SELECT p.id, a.attname FROM people p JOIN pg_attribute a ON a.attnum = p.salary",
    "SELECT p.id FROM people p JOIN generate_series(1, 200) g (salary) USING (salary)",
    "SELECT id, shout FROM people",
    "SELECT p.id, v.source FROM people p JOIN known v ON v.address = p.email",
    "SELECT p.id, v.source FROM people p JOIN stored v ON v.address = p.email",
    "SELECT p.id, k.twin FROM people p JOIN keyed k ON k.k = p.salary",
    "SELECT p.id, k.k FROM people p JOIN keyed k ON k.twin = p.salary",
    "SELECT (p).email FROM holder",
    "SELECT p FROM holder",
];

/// What tells of many at once, or of other columns.
const OF_MANY_VALUES: &[&str] = &[
    "SELECT region, count(email), count(DISTINCT email), sum(salary), avg(salary), stddev(salary) FROM people GROUP BY region",
    "SELECT region, sum(p.salary) FROM people p GROUP BY region HAVING sum(salary) > 10 ORDER BY sum(salary)",
    "SELECT l.source, count(*) FROM people p JOIN leads l ON l.address = p.email AND p.id > 0 GROUP BY l.source",
    "SELECT count(*) FROM people JOIN people q USING (email)",
    "WITH q AS (SELECT email, region FROM people WHERE id > 0) SELECT region, count(DISTINCT q.email) FROM q GROUP BY region",
    "SELECT region, count(contact) FROM shown GROUP BY region",
    "SELECT name, region FROM people WHERE EXISTS (SELECT * FROM people) ORDER BY name",
    "SELECT count(*) FROM people",
    "SELECT region FROM kept",
    "SELECT (SELECT sum(salary) FROM people), (SELECT count(DISTINCT p.email) FROM people p WHERE p.id > l.address::text::int) \
     FROM leads l WHERE false",
    "SELECT q.region, q.n FROM (SELECT p.region, count(p.email) AS n FROM people p GROUP BY p.region) q UNION ALL SELECT 'all', 0",
];

#[tokio::test]
async fn no_single_value_of_a_sensitive_column_leaves() {
    let url = fresh("unseen_sensitive", PEOPLE).await;
    let executor = executor(&url, &[], &[("people", "email"), ("people", "salary")]).await;
    for text in SINGLE_VALUES {
        let said = through(&executor, text).await;
        assert!(executor.validate(text).await.is_err(), "{text}: {said}");
        assert!(!said.contains("x.org") || text.contains("x.org"), "{text}: {said}");
        assert!(text.contains("FROM b)") || bare(&url, text).await != "fine" || !said.is_empty());
    }
    for text in OF_MANY_VALUES {
        assert_eq!(through(&executor, text).await, "fine", "{text}");
    }
}

/// A misspelt mark would show what it was to keep out of sight.
#[tokio::test]
async fn a_mark_that_marks_nothing_is_an_error() {
    let url = fresh("unseen_marks", PEOPLE).await;
    for (table, column) in [("people", "Email"), ("People", "email"), ("persons", "email")] {
        let marked = MarkedColumn { schema: None, table: table.to_owned(), column: column.to_owned() };
        let rules = Rules { sensitive: BTreeSet::from([marked]), ..Rules::default() };
        let error = Executor::open(Arc::new(connect(&url).await), rules, LIMITS).await.unwrap_err().to_string();
        assert!(error.contains(&format!("{table}.{column}")), "{error}");
    }
    let program = Program::new().variable("DATABASE_URL", &url).variable("EXPLORE_ALLOW_WRITABLE_ROLE", "true");
    std::fs::create_dir(program.path("metadata")).unwrap();
    std::fs::write(program.path("metadata/People.json"), r#"{ "columns": { "email": { "sensitive": true } } }"#)
        .unwrap();
    let outcome = program.run(&["sql", "SELECT email FROM people"]);
    assert!(outcome.code == 2 && outcome.stderr.contains("People.email"), "{} {}", outcome.code, outcome.stderr);
    assert!(!outcome.stdout.contains("x.org"), "{}", outcome.stdout);
}

/// The analyst neither reads what people marked nor fails over it; it looks at what is left.
#[test]
fn the_built_in_analyst_leaves_out_what_is_marked_as_sensitive() {
    let url = database("unseen_offline", explore::sample::SAMPLE_SQL);
    let program = Program::new().variable("DATABASE_URL", &url);
    std::fs::create_dir(program.path("metadata")).unwrap();
    let mark = |columns: &[&str]| {
        let columns =
            columns.iter().map(|column| format!(r#""{column}": {{ "sensitive": true }}"#)).collect::<Vec<_>>();
        let text = format!(r#"{{ "columns": {{ {} }} }}"#, columns.join(", "));
        std::fs::write(program.path("metadata/primary_sales.json"), text).unwrap();
    };
    mark(&["customer_name", "customer_segment", "net_sales_value_2"]);
    let outcome = program.run(&["--offline", "--as-of", "2025-11-30", "--format", "json"]);
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    let report: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(report["coverage"]["queries_failed_count"], 0, "{:#}", report["coverage"]);
    assert!(!report["findings"].as_array().unwrap().is_empty(), "{report:#}");
    mark(&["billing_date"]);
    let outcome = program.run(&["doctor", "--offline"]);
    assert!(outcome.stdout.contains("marked as sensitive, so not read: billing_date"), "{}", outcome.stdout);
}
